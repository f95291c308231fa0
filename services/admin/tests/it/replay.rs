//! Letters are handed back, each once, whatever is pressed and killed.

use std::{
    convert::Infallible,
    time::{Duration, Instant},
};

use runtime::Class;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{desk::Desk, ferry::LONG};

/// A desk with this many letters of orders from 1 on.
async fn with_letters(count: u64, class: Class) -> Desk {
    let desk = Desk::set(&[]).await;
    for order in 1..=count {
        desk.books.with(|books| books.wrong.insert(order, (class, "broken".to_owned())));
        desk.send(order).await;
    }
    desk.until_letters("open", i64::try_from(count).unwrap()).await;
    desk
}

fn mend(desk: &Desk, orders: impl IntoIterator<Item = u64>) {
    desk.books.with(|books| books.mended.extend(orders));
}

fn wish(id: Uuid, rate: i32) -> Value {
    json!({ "id": id, "filter": { "worker": "ferry" }, "why": "mended", "rate": rate })
}

/// Admin and the worker are killed in the middle. Of the unknown ones half were looked for.
#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one story")]
async fn a_replay_pressed_twice_and_killed_in_the_middle_has_each_effect_once() {
    let (count, unknown) = (120, 10);
    let mut desk = with_letters(count, Class::Refused).await;
    for order in count + 1..=count + unknown {
        desk.books.with(|books| books.wrong.insert(order, (Class::Unknown, "lost".to_owned())));
        desk.send(order).await;
    }
    let all = i64::try_from(count + unknown).unwrap();
    desk.until_letters("open", all).await;
    mend(&desk, 1..=count);
    let looked: Vec<Uuid> = sqlx::query_scalar(
        "SELECT id FROM letters WHERE class = 'unknown' ORDER BY order_number LIMIT 5",
    )
    .fetch_all(&desk.pool)
    .await
    .unwrap();
    let token = desk.token("operator");
    let trial = json!({ "filter": { "worker": "ferry" }, "looked": looked });
    let run = desk.post(&token, "/api/v1/replays/dry-run", &trial).await;
    let run: Value = run.json().await.unwrap();
    assert_eq!((&run["letters"], &run["safe"]), (&json!(count + unknown), &json!(count + 5)));
    let verdicts = (&run["verdicts"]["refused"], &run["verdicts"]["unknown"]);
    assert_eq!(verdicts, (&json!(count), &json!(unknown)));

    let id = Uuid::new_v4();
    // The same wish twice, and another one for the same letters.
    let both = [id, id, Uuid::new_v4()].map(|id| {
        let mut wish = wish(id, 50);
        wish["looked"] = json!(looked);
        wish
    });
    let told = both.iter().map(|wish| desk.post(&token, "/api/v1/replays", wish));
    let answers = futures_util::future::join_all(told).await;
    let taken: u64 = {
        let mut taken = 0;
        for answer in answers {
            let body: Value = answer.json().await.unwrap();
            taken += body["letters"].as_u64().unwrap_or(0);
        }
        taken
    };
    assert_eq!(taken, count + 5, "each letter is in one replay");
    for part in [20, 60] {
        let some = || async { desk.books.with(|books| books.effects.len()) >= part };
        desk.stage.until("a part is handed back", LONG, some).await;
        desk.kill_ferry().await;
        desk.kill_admin();
        desk.start_admin();
        desk.start_ferry();
    }
    desk.until_ready().await;
    let answered =
        || async { desk.letters("queued").await == 0 && desk.letters("sent").await == 0 };
    desk.stage.until("each has an answer", LONG, answered).await;
    let ended = async |matching: &str| -> i64 {
        let text = format!("SELECT count(*) FROM letters WHERE {matching}");
        sqlx::query_scalar(sqlx::AssertSqlSafe(text))
            .bind(&looked)
            .fetch_one(&desk.pool)
            .await
            .unwrap()
    };
    let refused = "id <> ALL($1) AND class = 'refused' AND state = 'resolved'";
    assert_eq!(ended(refused).await, i64::try_from(count).unwrap());
    // A worker that is killed over an unknown one does not know once more, and asks a person again.
    assert_eq!(ended("id = ANY($1) AND state IN ('resolved', 'again')").await, 5);
    let others =
        "id <> ALL($1) AND event_id NOT IN (SELECT event_id FROM letters WHERE id = ANY($1))";
    let others = format!("{others} AND class = 'unknown' AND state = 'open'");
    assert_eq!(ended(&others).await, 5, "nobody has looked for these");
    let (effects, repeats) = desk.books.with(|books| (books.effects.clone(), books.repeats));
    assert!((1..=count).all(|order| effects.contains_key(&order)), "{effects:?}");
    assert!(effects.values().all(|times| *times == 1), "{effects:?}");
    assert!(effects.len() <= usize::try_from(count + 5).unwrap(), "{effects:?}");
    // What the worker had in hand when it was killed, it tells its register once more.
    assert!(repeats < 40, "{repeats} of {taken} were told to the register again");
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_paused_resumed_and_cancelled() {
    let desk = with_letters(12, Class::Invalid).await;
    mend(&desk, 1..=12);
    let token = desk.token("operator");
    let id = Uuid::new_v4();
    let started = desk.post(&token, "/api/v1/replays", &wish(id, 4)).await;
    assert_eq!(started.status(), 202);
    let turn = async |turn: &str| {
        let path = format!("/api/v1/replays/{id}/{turn}");
        desk.post(&token, &path, &json!({})).await.status().as_u16()
    };
    assert_eq!(turn("pause").await, 200);
    assert_eq!(turn("pause").await, 409);
    let status: Value = desk
        .get(&token, &format!("/api/v1/replays/{id}"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(status["state"], "paused");
    assert!(status["sent"].as_i64().unwrap() < 12, "{status}");
    assert_eq!(turn("resume").await, 200);
    let some = || async { desk.letters("resolved").await >= 2 };
    desk.stage.until("it goes on", LONG, some).await;
    assert_eq!(turn("cancel").await, 200);
    assert_eq!(turn("resume").await, 409);
    let settled = || async { desk.letters("queued").await == 0 && desk.letters("sent").await == 0 };
    desk.stage.until("the rest is let go", LONG, settled).await;
    let (open, resolved) = (desk.letters("open").await, desk.letters("resolved").await);
    assert_eq!(open + resolved, 12);
    assert!(open > 0, "the rest is open again");
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_does_not_help_is_a_new_letter_and_the_old_one_says_so() {
    let desk = with_letters(1, Class::Refused).await;
    let token = desk.token("operator");
    let started = desk.post(&token, "/api/v1/replays", &wish(Uuid::new_v4(), 10)).await;
    assert_eq!(started.status(), 202);
    desk.until_letters("again", 1).await;
    desk.until_letters("open", 1).await;
    mend(&desk, [1]);
    desk.post(&token, "/api/v1/replays", &wish(Uuid::new_v4(), 10)).await;
    desk.until_letters("resolved", 1).await;
    assert_eq!(desk.books.with(|books| books.effects[&1]), 1);
    assert_eq!(desk.letters("again").await, 1);
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_effect_is_never_replayed_by_the_way() {
    let desk = with_letters(2, Class::Unknown).await;
    let token = desk.token("operator");
    let refused = desk.post(&token, "/api/v1/replays", &wish(Uuid::new_v4(), 10)).await;
    assert_eq!(refused.status(), 409, "nothing safe is there to replay");
    assert_eq!(desk.letters("open").await, 2);

    // A person has found the first at the register: the shop is told, the letter closed.
    let find = |number: &str| format!("/api/v1/letters?state=open&order={number}");
    let letter: Value = desk.get(&token, &find("N-1")).send().await.unwrap().json().await.unwrap();
    let id = letter["letters"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/letters/{id}/settle");
    let settled = desk.post(&token, &path, &json!({"text": "FD 4711"})).await;
    assert_eq!(settled.status(), 200, "{}", settled.text().await.unwrap());
    let told = || async {
        let row: Option<(String, String)> = sqlx::query_as(
            "SELECT service, text_ru FROM entries WHERE code = 'settled_by_hand' AND phase = 'working'",
        )
        .fetch_optional(&desk.pool)
        .await
        .unwrap();
        row.is_some_and(|(service, text)| service == "ferry" && text.contains("FD 4711"))
    };
    desk.stage.until("the shop is told", LONG, told).await;
    let again = desk.post(&token, &path, &json!({"text": "FD 4711"})).await;
    assert_eq!(again.status(), 409, "settled once");
    assert!(desk.books.with(|books| books.effects.is_empty()));

    // The second is not there: with that word it is sent anew.
    let letter: Value = desk.get(&token, &find("N-2")).send().await.unwrap().json().await.unwrap();
    let ids = [letter["letters"][0]["id"].clone()];
    let wish = json!({ "id": Uuid::new_v4(), "ids": ids, "why": "not there", "unknown": true });
    assert_eq!(desk.post(&token, "/api/v1/replays", &wish).await.status(), 202);
    desk.stage
        .until("the second is done", LONG, || async {
            desk.books.with(|books| books.effects.get(&2) == Some(&1))
        })
        .await;
    assert!(!desk.books.with(|books| books.effects.contains_key(&1)));
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn paromctl_discards_takes_back_notes_and_replays() {
    let desk = with_letters(2, Class::Invalid).await;
    let token = desk.token("operator");
    let ctl = |words: &[&str]| {
        let mut all = vec!["--token", token.as_str()];
        all.extend(words);
        desk.ctl("", &all)
    };
    let listed = ctl(&["dead", "list", "--order", "N-1", "--json"]).unwrap();
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let id = listed["letters"][0]["id"].as_str().unwrap();
    assert!(ctl(&["dead", "list"]).unwrap().contains("N-2"));
    assert!(ctl(&["dead", "discard", "--why", "all"]).unwrap_err().contains("which letters"));
    ctl(&["dead", "discard", id, "--why", "a test order"]).unwrap();
    assert_eq!(desk.letters("discarded").await, 1);
    ctl(&["dead", "restore", id]).unwrap();
    ctl(&["dead", "note", id, "asked the shop"]).unwrap();
    assert!(ctl(&["dead", "show", id]).unwrap().contains("asked the shop"));
    let run = ctl(&["dead", "replay", "--worker", "ferry", "--dry-run", "--json"]).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&run).unwrap()["letters"], 2);
    mend(&desk, 1..=2);
    ctl(&["dead", "replay", id, "--why", "mended"]).unwrap();
    desk.until_letters("resolved", 1).await;
    assert!(ctl(&["order", "show", "N-1"]).unwrap().contains("crossed"));
    assert!(ctl(&["order", "show", "no such"]).is_err());
    assert!(ctl(&["replay", "list"]).unwrap().contains("mended"));
    assert!(ctl(&["jobs"]).unwrap().contains("ferry"));
    assert!(ctl(&["queues"]).unwrap().contains(".ferry"));
    let log: Vec<(String, String)> = sqlx::query_as(
        "SELECT action, why FROM audit WHERE who LIKE 'token %' AND outcome = 'done' ORDER BY id",
    )
    .fetch_all(&desk.pool)
    .await
    .unwrap();
    let log: Vec<(&str, &str)> = log.iter().map(|(a, w)| (a.as_str(), w.as_str())).collect();
    let expected =
        [("discard", "a test order"), ("restore", ""), ("note", ""), ("replay", "mended")];
    assert_eq!(log, expected);
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_off_by_default_and_stays_with_its_fact() {
    let mut desk = with_letters(1, Class::Invalid).await;
    let id: Uuid =
        sqlx::query_scalar("SELECT id FROM letters").fetch_one(&desk.pool).await.unwrap();
    let path = format!("/letters/{id}/edit");
    let body = crate::ferry::crossing(1).to_json().unwrap();
    let other = crate::ferry::crossing(2).to_json().unwrap();
    let browser = crate::desk::Browser::sign_in(&desk, "admin").await;
    let send = async |browser: &crate::desk::Browser<'_>, edited: &str| {
        let csrf = browser.csrf.clone();
        let form = [("csrf", csrf.as_str()), ("edited", edited), ("why", "a wrong name")];
        browser.post(&path, &form).await.status().as_u16()
    };
    assert_eq!(send(&browser, &body).await, 409, "off by default");
    drop(browser);
    desk.kill_admin();
    desk.flags.push("--admin-edit=true".to_owned());
    desk.start_admin();
    desk.until_ready().await;
    let browser = crate::desk::Browser::sign_in(&desk, "admin").await;
    assert_eq!(send(&browser, "{}").await, 422, "no event");
    assert_eq!(send(&browser, &other).await, 422, "another fact");
    let edited = body.replace("crossing.\"", "crossing, edited.\"");
    assert_ne!(edited, body);
    assert_eq!(send(&browser, &edited).await, 303);
    mend(&desk, [1]);
    let token = desk.token("operator");
    desk.post(&token, "/api/v1/replays", &wish(Uuid::new_v4(), 10)).await;
    desk.until_letters("resolved", 1).await;
    let said = desk.books.with(|books| books.said[&1].clone());
    assert!(said.ends_with("crossing, edited."), "the worker got the edited message: {said}");
    drop(browser);
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_goes_on_since_the_shop_mended_the_order_says_so_and_is_resolved() {
    let desk = Desk::set(&[]).await;
    desk.books.with(|books| books.wrong.insert(9, (Class::Invalid, "vat_unknown".to_owned())));
    desk.stage.tell(&crate::ferry::placed(9, None)).await;
    desk.until_letters("open", 1).await;
    let id: Uuid =
        sqlx::query_scalar("SELECT id FROM letters").fetch_one(&desk.pool).await.unwrap();
    let browser = crate::desk::Browser::sign_in(&desk, "viewer").await;
    let letter = format!("/letters/{id}");
    let sign = "пробует снова сам";
    assert!(!browser.page(&letter).await.contains(sign));

    // Mended, but not enough: another letter, and the first says what became of it.
    desk.stage.tell(&crate::ferry::placed(9, Some(1))).await;
    desk.until_letters("again", 1).await;
    desk.until_letters("open", 1).await;
    let way = browser.page(&letter).await;
    assert!(way.contains("Заказ изменён в магазине") && way.contains("Другая остановка"), "{way}");

    desk.books.with(|books| books.mended.insert(9));
    desk.stage.tell(&crate::ferry::placed(9, Some(2))).await;
    desk.until_letters("resolved", 1).await;
    assert_eq!(desk.letters("open").await, 0);
    assert_eq!(desk.books.with(|books| books.effects[&9]), 1);
    let last: Uuid = sqlx::query_scalar("SELECT id FROM letters WHERE state = 'resolved'")
        .fetch_one(&desk.pool)
        .await
        .unwrap();
    let way = browser.page(&format!("/letters/{last}")).await;
    assert!(way.contains("Заказ изменён в магазине") && way.contains("готово"), "{way}");
    let token = desk.token("viewer");
    let whole = desk.get(&token, &format!("/api/v1/letters/{last}")).send().await.unwrap();
    let whole: Value = whole.json().await.unwrap();
    let kinds: Vec<&str> = whole["way"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "changed").count(), 2, "{kinds:?}");
    assert_eq!(kinds.iter().filter(|kind| **kind == "died").count(), 2, "{kinds:?}");
    drop(browser);
    desk.end().await;
}

/// The list does not count all letters of all replays each time: what ended long ago is counted for good.
#[tokio::test(flavor = "multi_thread")]
async fn a_replay_of_long_ago_keeps_its_count_whatever_becomes_of_its_letters() {
    let mut desk = with_letters(3, Class::Refused).await;
    mend(&desk, 1..=3);
    let token = desk.token("operator");
    let id = Uuid::new_v4();
    desk.post(&token, "/api/v1/replays", &wish(id, 50)).await;
    desk.until_letters("resolved", 3).await;
    let ended = || async {
        let ended: Option<i32> =
            sqlx::query_scalar("SELECT 1 FROM replays WHERE finished_at IS NOT NULL")
                .fetch_optional(&desk.pool)
                .await
                .unwrap();
        ended.is_some()
    };
    desk.stage.until("the replay is done", LONG, ended).await;
    sqlx::query("UPDATE replays SET finished_at = now() - interval '2 days'")
        .execute(&desk.pool)
        .await
        .unwrap();
    // It counts at its start, and then every ten minutes.
    desk.kill_admin();
    desk.start_admin();
    desk.until_ready().await;
    let counted = || async {
        let total: Option<i64> =
            sqlx::query_scalar("SELECT total FROM replays").fetch_one(&desk.pool).await.unwrap();
        total == Some(3)
    };
    desk.stage.until("it is counted for good", LONG, counted).await;
    sqlx::query("UPDATE letters SET state = 'again'").execute(&desk.pool).await.unwrap();
    let read = async |path: &str| -> Value {
        desk.get(&token, path).send().await.unwrap().json().await.unwrap()
    };
    for shown in
        [read(&format!("/api/v1/replays/{id}")).await, read("/api/v1/replays").await[0].take()]
    {
        let counts =
            ["total", "sent", "resolved", "again"].map(|name| shown[name].as_i64().unwrap());
        assert_eq!(counts, [3, 3, 3, 0], "{shown}");
    }
    desk.end().await;
}

/// Sends so many new orders, one each 20 ms, and answers how long 95 in 100 of them took at most.
async fn p95(desk: &Desk, orders: std::ops::Range<u64>) -> Duration {
    let mut sent = Vec::new();
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    for order in orders {
        ticks.tick().await;
        sent.push((order, Instant::now()));
        desk.send(order).await;
    }
    let all = || async {
        desk.books.with(|books| sent.iter().all(|(order, _)| books.at.contains_key(order)))
    };
    desk.stage.until("all are across", LONG, all).await;
    let mut took: Vec<Duration> = desk
        .books
        .with(|books| sent.iter().map(|(order, at)| books.at[order].duration_since(*at)).collect());
    took.sort();
    took[took.len() * 95 / 100]
}

/// New orders without an end, one each 20 ms: as many as the replay hands back.
async fn stream(desk: &Desk, first: u64) -> Infallible {
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    let mut order = first;
    loop {
        ticks.tick().await;
        desk.send(order).await;
        order += 1;
    }
}

/// A replay at 50/s is 50 jobs a second more, for the worker and for the desk that hears of them. On two cores that
/// alone makes others slower, so it is compared with as many new orders: a replay may cost others no more than those.
/// With `PAROM_CHAOS` thousands of letters, as the figures in the README; else a few hundred.
#[tokio::test(flavor = "multi_thread")]
async fn chaos_a_replay_leaves_other_orders_as_quick_as_new_orders_would() {
    let long = std::env::var("PAROM_CHAOS").is_ok();
    let (letters, others) = if long { (3_000, 1_000) } else { (250, 100) };
    let desk = with_letters(letters, Class::Refused).await;
    mend(&desk, 1..=letters);
    let before = p95(&desk, 100_000..100_000 + others).await;
    let beside = tokio::select! {
        took = p95(&desk, 200_000..200_000 + others) => took,
        never = stream(&desk, 300_000) => match never {},
    };
    let token = desk.token("operator");
    let started = desk.post(&token, "/api/v1/replays", &wish(Uuid::new_v4(), 50)).await;
    assert_eq!(started.status(), 202);
    let during = p95(&desk, 400_000..400_000 + others).await;
    let left = desk.letters("queued").await;
    println!(
        "p95 of others: {before:?} alone, {beside:?} beside 50 new orders a second, {during:?} beside a \
         replay at 50/s; {left} letters were left"
    );
    assert!(left > 0, "the replay ended before it was measured");
    // The short run stands beside other builds and tells only that nobody waits for the whole replay, which takes 5 s.
    let noise = Duration::from_millis(if long { 15 } else { 1_000 });
    let bound = beside * 3 / 2 + noise;
    assert!(during <= bound, "{beside:?} beside new orders, {during:?} beside the replay");
    desk.until_letters("resolved", i64::try_from(letters).unwrap()).await;
    desk.end().await;
}
