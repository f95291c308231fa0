//! What nobody knows is decided by a person, letter by letter, and once.

use runtime::Class;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    desk::{Browser, Desk},
    ferry::LONG,
};

async fn stop(desk: &Desk, orders: std::ops::RangeInclusive<u64>, class: Class) {
    for order in orders {
        desk.books.with(|books| books.wrong.insert(order, (class, "why".to_owned())));
        desk.send(order).await;
    }
}

/// The hidden fields of the form on a page that goes to this address.
fn hidden(page: &str, action: &str) -> Vec<(String, String)> {
    let mark = format!("action=\"{action}\"");
    let (_, form) = page.split_once(&mark).unwrap_or_else(|| panic!("no {action} in {page}"));
    let form = form.split("</form>").next().unwrap();
    let inputs = form.split("<input type=\"hidden\" name=\"").skip(1);
    let pairs = inputs.map(|input| {
        let (name, rest) = input.split_once('"').unwrap();
        let value = rest.strip_prefix(" value=\"").unwrap().split('"').next().unwrap();
        (name.to_owned(), value.to_owned())
    });
    pairs.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_one_that_came_after_somebody_looked_is_not_sent_with_the_others() {
    let desk = Desk::set(&[]).await;
    stop(&desk, 1..=2, Class::Unknown).await;
    stop(&desk, 3..=3, Class::Refused).await;
    desk.until_letters("open", 3).await;
    let browser = Browser::sign_in(&desk, "operator").await;
    let page = browser.page("/letters/replay?state=open&worker=ferry").await;
    // A third one comes in while the first two are looked for in the register's cabinet.
    stop(&desk, 4..=4, Class::Unknown).await;
    desk.until_letters("open", 4).await;
    desk.books.with(|books| books.mended.insert(3));
    let fields = hidden(&page, "/letters/replay");
    let mut form: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    form.extend([("why", "looked"), ("unknown", "yes"), ("rate", "50")]);
    assert_eq!(browser.post("/letters/replay", &form).await.status(), 303);
    let three = || async { desk.books.with(|books| books.effects.len()) == 3 };
    desk.stage.until("what was looked for goes out", LONG, three).await;
    assert_eq!(desk.letters("open").await, 1, "nobody has looked for the third");
    assert!(!desk.books.with(|books| books.effects.contains_key(&4)));

    // The same by API and shell: unknown ones go by name alone.
    let token = desk.token("operator");
    let wish = json!({ "id": Uuid::new_v4(), "filter": { "worker": "ferry" }, "why": "x", "unknown": true });
    assert_eq!(desk.post(&token, "/api/v1/replays", &wish).await.status(), 422);
    let words =
        ["--token", &token, "dead", "replay", "--worker", "ferry", "--unknown", "--why", "x"];
    assert!(desk.ctl("", &words).is_err());
    let id: Uuid = sqlx::query_scalar("SELECT id FROM letters WHERE state = 'open'")
        .fetch_one(&desk.pool)
        .await
        .unwrap();
    let id = id.to_string();
    let words = ["--token", &token, "dead", "replay", &id, "--unknown", "--why", "looked"];
    desk.ctl("", &words).unwrap();
    let sent = || async { desk.books.with(|books| books.effects.contains_key(&4)) };
    desk.stage.until("it is sent anew", LONG, sent).await;
    drop(browser);
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_there_and_it_is_not_there_are_not_both_taken() {
    let desk = Desk::set(&[]).await;
    let count = 24;
    stop(&desk, 1..=count, Class::Unknown).await;
    desk.until_letters("open", i64::try_from(count).unwrap()).await;
    let token = desk.token("operator");
    let ids: Vec<Uuid> =
        sqlx::query_scalar("SELECT id FROM letters").fetch_all(&desk.pool).await.unwrap();
    let both = ids.iter().map(async |id| {
        let path = format!("/api/v1/letters/{id}/settle");
        let found = json!({ "text": "FD 1" });
        let anew =
            json!({ "id": Uuid::new_v4(), "ids": [id], "why": "not there", "unknown": true });
        let (settled, replayed) = tokio::join!(
            desk.post(&token, &path, &found),
            desk.post(&token, "/api/v1/replays", &anew)
        );
        (settled.status().as_u16(), replayed.status().as_u16())
    });
    let answers = futures_util::future::join_all(both).await;
    for answer in &answers {
        assert!(
            [(200, 409), (409, 202)].contains(answer),
            "two people were both believed: {answers:?}"
        );
    }
    // Settled ones keep the number that was found.
    let settled = answers.iter().filter(|answer| answer.0 == 200).count();
    let noted: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM letters WHERE state = 'settled' AND state_note = 'FD 1'",
    )
    .fetch_one(&desk.pool)
    .await
    .unwrap();
    assert_eq!(usize::try_from(noted).unwrap(), settled);
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_chosen_by_choosing_nothing() {
    let desk = Desk::set(&[]).await;
    stop(&desk, 1..=2, Class::Refused).await;
    desk.until_letters("open", 2).await;
    let token = desk.token("operator");
    let discard = json!({ "choice": {}, "why": "x" });
    assert_eq!(desk.post(&token, "/api/v1/letters/discard", &discard).await.status(), 422);
    let replay = json!({ "id": Uuid::new_v4(), "why": "x" });
    assert_eq!(desk.post(&token, "/api/v1/replays", &replay).await.status(), 422);
    // What is no id is none, and not all that fit.
    let browser = Browser::sign_in(&desk, "operator").await;
    let csrf = browser.csrf.clone();
    let form = [("csrf", csrf.as_str()), ("ids", "x"), ("worker", "ferry"), ("why", "x")];
    browser.post("/letters/discard", &form).await;
    assert_eq!(desk.letters("open").await, 2);
    drop(browser);
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_handed_back_and_never_answered_can_be_taken_back() {
    let desk = Desk::set(&[]).await;
    stop(&desk, 1..=1, Class::Refused).await;
    desk.until_letters("open", 1).await;
    // As when the broker has lost the message.
    sqlx::query("UPDATE letters SET state = 'sent', state_at = now()")
        .execute(&desk.pool)
        .await
        .unwrap();
    let id: Uuid =
        sqlx::query_scalar("SELECT id FROM letters").fetch_one(&desk.pool).await.unwrap();
    let browser = Browser::sign_in(&desk, "operator").await;
    let restore = format!("/letters/{id}/restore");
    assert!(browser.page(&format!("/letters/{id}")).await.contains(&restore));
    let csrf = browser.csrf.clone();
    assert_eq!(browser.post(&restore, &[("csrf", &csrf)]).await.status(), 303);
    assert_eq!(desk.letters("open").await, 1);
    desk.books.with(|books| books.mended.insert(1));
    let token = desk.token("operator");
    let wish: Value = json!({ "id": Uuid::new_v4(), "ids": [id], "why": "mended" });
    assert_eq!(desk.post(&token, "/api/v1/replays", &wish).await.status(), 202);
    desk.until_letters("resolved", 1).await;
    drop(browser);
    desk.end().await;
}

/// Of the only letter there is: id, event and death.
async fn the_letter(desk: &Desk) -> (Uuid, Uuid, Uuid) {
    sqlx::query_as("SELECT id, event_id, death FROM letters").fetch_one(&desk.pool).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_found_may_fail_later_and_is_an_open_letter_then() {
    let desk = Desk::set(&[]).await;
    stop(&desk, 1..=1, Class::Unknown).await;
    desk.until_letters("open", 1).await;
    desk.books.with(|books| books.refused_later.insert(1));
    let (id, event, _) = the_letter(&desk).await;
    let token = desk.token("operator");
    let path = format!("/api/v1/letters/{id}/settle");
    assert_eq!(desk.post(&token, &path, &json!({"text": "UPD 7"})).await.status(), 200);
    desk.until_letters("settled", 1).await;
    desk.until_letters("open", 1).await;
    let sql = "SELECT event_id, class FROM letters WHERE state = 'open'";
    let open: (Uuid, String) = sqlx::query_as(sql).fetch_one(&desk.pool).await.unwrap();
    assert_eq!(open, (event, "refused".to_owned()));
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_up_is_told_to_its_worker() {
    let desk = Desk::set(&[]).await;
    stop(&desk, 1..=1, Class::Invalid).await;
    desk.until_letters("open", 1).await;
    let (id, event, death) = the_letter(&desk).await;
    let token = desk.token("operator");
    let jobs = desk.stage.pool("ferry");
    let mendable = || async {
        let sql = "SELECT mendable FROM jobs WHERE event_id = $1 AND fence = $2";
        let job = sqlx::query_scalar::<_, bool>(sql).bind(event).bind(death);
        job.fetch_one(&jobs).await.unwrap()
    };
    assert!(mendable().await, "a change of the order would bring it back");
    let discarded = json!({ "choice": { "ids": [id] }, "why": "issued by hand" });
    assert_eq!(desk.post(&token, "/api/v1/letters/discard", &discarded).await.status(), 200);
    desk.stage.until("the worker knows", LONG, || async { !mendable().await }).await;
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_ticked_is_shown_with_what_is_left_out_before_it_is_replayed() {
    let desk = Desk::set(&[]).await;
    stop(&desk, 1..=1, Class::Refused).await;
    stop(&desk, 2..=2, Class::Unknown).await;
    stop(&desk, 3..=3, Class::Refused).await;
    desk.until_letters("open", 3).await;
    let browser = Browser::sign_in(&desk, "operator").await;
    let csrf = browser.csrf.clone();
    let ids: Vec<String> = sqlx::query_scalar("SELECT id::text FROM letters ORDER BY order_number")
        .fetch_all(&desk.pool)
        .await
        .unwrap();
    let third = [("csrf", csrf.as_str()), ("ids", &ids[2]), ("why", "a test order")];
    assert_eq!(browser.post("/letters/discard", &third).await.status(), 303);
    let none = Uuid::new_v4().to_string();
    let mut form =
        vec![("csrf", csrf.as_str()), ("why", "the rate is set"), ("ids", none.as_str())];
    form.extend(ids.iter().map(|id| ("ids", id.as_str())));
    let asked = browser.post("/letters/replay", &form).await;
    assert_eq!(asked.status(), 200, "it is only shown");
    let page = asked.text().await.unwrap();
    assert_eq!(desk.letters("open").await, 2);
    for part in [
        "открыты: <strong>2</strong>",
        "Не войдут: <strong>2</strong>",
        "отброшена",
        "Таких остановок нет: 1",
        "без отметки не войдут: <strong>1</strong>",
        "Повторить: 1",
        "the rate is set",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    desk.books.with(|books| books.mended.insert(1));
    let fields = hidden(&page, "/letters/replay");
    let mut form: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    form.push(("why", "the rate is set"));
    assert_eq!(browser.post("/letters/replay", &form).await.status(), 303);
    desk.until_letters("resolved", 1).await;
    assert_eq!((desk.letters("open").await, desk.letters("discarded").await), (1, 1));
    drop(browser);
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_given_up_is_no_success_and_a_dry_run_counts_what_a_replay_takes() {
    let desk = Desk::set(&[]).await;
    stop(&desk, 1..=1, Class::Refused).await;
    stop(&desk, 2..=3, Class::Unknown).await;
    desk.until_letters("open", 3).await;
    let token = desk.token("operator");
    let ids: Vec<String> = sqlx::query_scalar("SELECT id::text FROM letters ORDER BY order_number")
        .fetch_all(&desk.pool)
        .await
        .unwrap();
    let ctl = |words: &[&str]| {
        let mut all = vec!["--token", token.as_str()];
        all.extend(words);
        desk.ctl("", &all)
    };
    // What its service has done by now is still unknown's class: a replay does not take it.
    sqlx::query(
        "INSERT INTO entries (event_id, order_key, at, topic, service, phase, text_ru, text_en, cause)
         SELECT gen_random_uuid(), order_key, now(), 'status.ferry', 'ferry', 'done', '', '', event_id
         FROM letters WHERE order_number = 'N-2'",
    )
    .execute(&desk.pool)
    .await
    .unwrap();
    let dry = |words: &[&str]| -> (i64, i64) {
        let mut all = vec!["--json", "dead", "replay", "--dry-run"];
        all.extend(words);
        let run: Value = serde_json::from_str(&ctl(&all).unwrap()).unwrap();
        (run["letters"].as_i64().unwrap(), run["safe"].as_i64().unwrap())
    };
    assert_eq!(dry(&["--worker", "ferry"]), (3, 1));
    assert_eq!(dry(&[&ids[1], &ids[2]]), (2, 0));
    assert_eq!(dry(&["--unknown", &ids[1], &ids[2]]), (2, 2));

    ctl(&["dead", "discard", &ids[0], "--why", "x"]).unwrap();
    let said = ctl(&["dead", "discard", &ids[0], "--why", "x"]).unwrap_err();
    assert!(said.contains("409") && said.contains("nothing to discard"), "{said}");
    let browser = Browser::sign_in(&desk, "operator").await;
    let csrf = browser.csrf.clone();
    let form = [("csrf", csrf.as_str()), ("ids", &ids[0]), ("why", "x")];
    assert_eq!(browser.post("/letters/discard", &form).await.status(), 409);
    drop(browser);
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_class_or_a_state_that_there_is_not_is_refused_with_those_that_there_are() {
    let desk = Desk::set(&[]).await;
    let token = desk.token("operator");
    let browser = Browser::sign_in(&desk, "operator").await;
    for (asked, known) in [("class=refusd", "refused"), ("state=opened", "settled")] {
        let path = format!("/api/v1/letters?{asked}");
        let answer = desk.get(&token, &path).send().await.unwrap();
        assert_eq!(answer.status(), 422, "{asked}");
        assert!(answer.text().await.unwrap().contains(known), "{asked}");
        for path in ["/letters", "/letters/replay"] {
            let answer = browser.get(&format!("{path}?{asked}")).await;
            assert_eq!(answer.status(), 422, "{path}?{asked}");
            assert!(answer.text().await.unwrap().contains(known), "{path}?{asked}");
        }
        let (name, value) = asked.split_once('=').unwrap();
        let choice = json!({ "filter": { name: value } });
        let wish = json!({ "id": Uuid::new_v4(), "filter": { name: value }, "why": "x" });
        let discard = json!({ "choice": choice.clone(), "why": "x" });
        for (path, body) in [
            ("/api/v1/replays/dry-run", &choice),
            ("/api/v1/replays", &wish),
            ("/api/v1/letters/discard", &discard),
        ] {
            assert_eq!(desk.post(&token, path, body).await.status(), 422, "{path} {asked}");
        }
        let said = desk.ctl("", &["--token", &token, "dead", "list", &format!("--{asked}")]);
        assert!(said.unwrap_err().contains(known), "{asked}");
    }
    for state in ["", "open"] {
        desk.ctl("", &["--token", &token, "dead", "list", "--state", state]).unwrap();
    }
    drop(browser);
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_is_done_by_hand_and_its_job_goes_on_from_there() {
    let desk = Desk::set(&[]).await;
    stop(&desk, 1..=1, Class::Refused).await;
    desk.until_letters("open", 1).await;
    let (id, event, _) = the_letter(&desk).await;
    let token = desk.token("operator");
    let path = format!("/api/v1/letters/{id}/settle");
    assert_eq!(desk.post(&token, &path, &json!({"text": "FD 1"})).await.status(), 200);
    desk.until_letters("settled", 1).await;
    let jobs = desk.stage.pool("ferry");
    let done = || async {
        let phase = sqlx::query_scalar::<_, String>("SELECT phase FROM jobs WHERE event_id = $1");
        phase.bind(event).fetch_one(&jobs).await.unwrap() == "done"
    };
    desk.stage.until("its job has ended", LONG, done).await;
    assert!(desk.books.with(|books| books.effects.is_empty()), "nothing is sent again");
    desk.end().await;
}
