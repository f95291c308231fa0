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
async fn what_was_never_sent_is_not_found_but_given_up_and_its_worker_knows() {
    let desk = Desk::set(&[]).await;
    stop(&desk, 1..=1, Class::Invalid).await;
    desk.until_letters("open", 1).await;
    let (id, event, death) = the_letter(&desk).await;
    let token = desk.token("operator");
    let path = format!("/api/v1/letters/{id}/settle");
    let settled = desk.post(&token, &path, &json!({"text": "FD 1"})).await;
    assert_eq!(settled.status(), 409);
    assert_eq!(desk.letters("open").await, 1);
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
