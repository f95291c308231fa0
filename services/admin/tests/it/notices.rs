//! People are told of what is new: grouped, not in a storm.

use std::sync::{Arc, Mutex};

use axum::{Json, Router, extract::State, routing::post};
use runtime::Class;
use serde_json::Value;
use time::OffsetDateTime;

use crate::{
    desk::Desk,
    ferry::LONG,
    outside::{Metrics, serve},
    smtp::Postbox,
};

type Told = Arc<Mutex<Vec<Value>>>;

/// A place that takes notifications.
async fn listener() -> (String, Told) {
    let told = Told::default();
    let take = |State(told): State<Told>, Json(body): Json<Value>| async move {
        told.lock().unwrap().push(body);
    };
    let router = Router::new()
        .route("/hook", post(take))
        .route("/botT0KEN/sendMessage", post(take))
        .route("/rest/1/secret/im.notify.system.add.json", post(take))
        .with_state(Arc::clone(&told));
    (serve(router).await, told)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_letters_of_two_kinds_are_few_messages_on_every_way() {
    let (address, told) = listener().await;
    let flags = [
        format!("--admin-notify-webhook={address}/hook"),
        format!("--admin-notify-telegram-url={address}"),
        "--admin-notify-telegram=T0KEN".to_owned(),
        "--admin-notify-telegram-chat=-100".to_owned(),
        format!("--admin-notify-bitrix={address}/rest/1/secret/"),
        "--admin-notify-bitrix-user=7".to_owned(),
        "--admin-notify-every=200ms".to_owned(),
        "--admin-public-url=http://parom.example".to_owned(),
    ];
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let desk = Desk::set(&flags).await;
    for order in 1..=100 {
        let class = if order % 2 == 0 { Class::Invalid } else { Class::Refused };
        desk.books.with(|books| books.wrong.insert(order, (class, "stuck".to_owned())));
        desk.send(order).await;
    }
    desk.until_letters("open", 100).await;
    let both = || async {
        let told = told.lock().unwrap();
        let text: String = told.iter().map(|body| body.to_string()).collect();
        text.contains("отказ сервиса") && text.contains("ошибка в заказе или настройках")
    };
    desk.stage.until("both kinds are told", LONG, both).await;
    let told = told.lock().unwrap().clone();
    // Two kinds, three ways: however the letters fell, each kind is told once within the quiet.
    assert!(told.len() <= 6, "{} messages: {told:?}", told.len());
    assert!(told.iter().any(|body| body["url"] == "http://parom.example/groups"));
    assert!(told.iter().any(|body| body["USER_ID"] == 7));
    assert!(told.iter().any(|body| body["chat_id"] == "-100"));
    desk.end().await;
}

/// How many messages name this.
fn naming(told: &Told, word: &str) -> usize {
    let told = told.lock().unwrap();
    told.iter().filter(|body| body["text"].as_str().is_some_and(|text| text.contains(word))).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_register_a_store_and_a_certificate_are_told_once_and_again_when_they_come_back() {
    let (address, told) = listener().await;
    let (metrics, services) = Metrics::open().await;
    let end = OffsetDateTime::now_utc().unix_timestamp() + 86_400;
    let quiet = format!(
        "breaker_open 0\nloyalty_store_silent_seconds{{store=\"tver\"}} 5\n\
         signer_certificate_not_after_seconds{{signer=\"gost\"}} {}\n",
        end + 90 * 86_400
    );
    let loud = format!(
        "breaker_open 1\nloyalty_store_silent_seconds{{store=\"tver\"}} 90000\n\
         signer_certificate_not_after_seconds{{signer=\"gost\"}} {end}\n"
    );
    metrics.say(&loud);
    let mut desk = Desk::set(&[
        &format!("--admin-notify-webhook={address}/hook"),
        &format!("--admin-services=loyalty={services}"),
        "--admin-services-every=50ms",
        "--admin-calm=500ms",
        "--admin-notify-every=100ms",
        "--admin-notify-away=1s",
        "--admin-language=en",
    ])
    .await;
    // Two replicas tell no more than one, and a restart tells nothing again.
    desk.start_second();
    let words = [
        "register has been away",
        "store tver has been silent",
        "certificate that signs (gost) ends",
    ];
    let told_times = async |times: usize| {
        let all = || async { words.iter().all(|word| naming(&told, word) >= times) };
        desk.stage.until("all are told", LONG, all).await;
        words.map(|word| naming(&told, word))
    };
    assert_eq!(told_times(1).await, [1, 1, 1]);
    let since: Vec<OffsetDateTime> =
        sqlx::query_scalar("SELECT since FROM conditions WHERE kind = 'away'")
            .fetch_all(&desk.pool)
            .await
            .unwrap();
    assert!(OffsetDateTime::now_utc() - since[0] >= time::Duration::seconds(1), "not at once");
    desk.kill_admin();
    desk.start_admin();
    desk.until_ready().await;
    metrics.say(&quiet);
    let over = || async {
        let text = "SELECT count(*) FROM conditions WHERE over_at < now() - interval '1 second'";
        sqlx::query_scalar::<_, i64>(text).fetch_one(&desk.pool).await.unwrap() == 3
    };
    desk.stage.until("all is well", LONG, over).await;
    assert_eq!(words.map(|word| naming(&told, word)), [1, 1, 1]);
    metrics.say(&loud);
    let all = || async { words.iter().all(|word| naming(&told, word) >= 2) };
    desk.stage.until("all are told again", LONG, all).await;
    assert_eq!(words.map(|word| naming(&told, word)), [2, 2, 2]);
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_way_takes_is_told_when_it_does() {
    let postbox = Postbox::open().await;
    postbox.refuse(3);
    let desk = Desk::set(&[
        &format!("--admin-notify-mail=smtp://{}", postbox.address),
        "--admin-notify-mail-from=Паром <parom@shop.example>",
        "--admin-notify-mail-to=duty@shop.example,boss@shop.example",
        "--admin-notify-every=100ms",
    ])
    .await;
    desk.books.with(|books| books.wrong.insert(1, (Class::Refused, "stuck".to_owned())));
    desk.send(1).await;
    let taken = || async { !postbox.mails().is_empty() };
    desk.stage.until("the mail is taken", LONG, taken).await;
    let mails = postbox.mails();
    assert_eq!(mails.len(), 1, "{mails:?}");
    let mail = &mails[0];
    assert_eq!(mail.from, "parom@shop.example");
    assert_eq!(mail.to, ["duty@shop.example", "boss@shop.example"]);
    assert_eq!(mail.header("Subject"), "Паром: стоит и ждёт вас: 1");
    assert!(
        mail.header("From").contains("Паром") && mail.header("Date").contains("20"),
        "{mail:?}"
    );
    let text = mail.text();
    assert!(text.contains("отказ сервиса") && text.contains("/groups"), "{text}");
    assert_eq!(postbox.refused(), 3, "each of the first was tried and not taken");
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_told_again_a_week_and_a_day_before_its_end_and_at_it() {
    let (address, told) = listener().await;
    let (metrics, services) = Metrics::open().await;
    let now = OffsetDateTime::now_utc();
    let line = |signer: &str, end: OffsetDateTime| {
        let end = end.unix_timestamp();
        format!("signer_certificate_not_after_seconds{{signer=\"{signer}\"}} {end}\n")
    };
    let say = |end: OffsetDateTime| metrics.say(&line("gost", end));
    let end = now + time::Duration::days(20);
    say(end);
    let desk = Desk::set(&[
        &format!("--admin-notify-webhook={address}/hook"),
        &format!("--admin-services=marking={services}"),
        "--admin-services-every=50ms",
        "--admin-notify-every=100ms",
        "--admin-language=en",
    ])
    .await;
    let times = || naming(&told, "certificate that signs (gost)");
    let rows = async |matching: &str| -> i64 {
        let count =
            format!("SELECT count(*) FROM conditions WHERE subject = 'gost' AND {matching}");
        sqlx::query_scalar(sqlx::AssertSqlSafe(count)).fetch_one(&desk.pool).await.unwrap()
    };
    // What was told is noted a moment after it was heard.
    let noted = || async { rows("told_at > now() - interval '1 hour'").await == 1 };
    desk.stage.until("told", LONG, || async { times() == 1 && noted().await }).await;
    let mut before = 1;
    // So many days later: the same certificate, nearer its end.
    for (left, expected) in [(8, 1), (6, 2), (5, 2), (0, 3), (-1, 4), (-2, 4)] {
        // Nothing is told of it while its clock is moved.
        metrics.say("");
        desk.stage
            .until("out of sight", LONG, || async { rows("over_at IS NOT NULL").await == 1 })
            .await;
        let moved = now + time::Duration::days(left) + time::Duration::hours(12);
        sqlx::query("UPDATE conditions SET at = $1, told_at = told_at - (at - $1)")
            .bind(moved)
            .execute(&desk.pool)
            .await
            .unwrap();
        say(moved);
        let seen = || async {
            rows("over_at IS NULL").await == 1
                && times() >= expected
                && (expected == before || noted().await)
        };
        desk.stage.until(&format!("{left} days before"), LONG, seen).await;
        assert_eq!(times(), expected, "{left} days before");
        before = expected;
    }
    // Whoever tells of a second certificate has looked at the first one too.
    let second = now + time::Duration::days(20);
    metrics.say(&[line("gost", now - time::Duration::days(2)), line("second", second)].concat());
    let other = || naming(&told, "certificate that signs (second)");
    desk.stage.until("the second is told", LONG, || async { other() == 1 }).await;
    assert_eq!(times(), 4, "after its end it is told once");
    desk.end().await;
}

/// A letter of the ferry's that says this.
async fn put(desk: &Desk, class: &str, code: &str, ru: &str) {
    let death = uuid::Uuid::new_v4().to_string();
    let headers = [
        ("x-parom-class", class),
        ("x-parom-code", code),
        ("x-parom-reason-ru", ru),
        ("x-parom-reason", ru),
        ("x-parom-attempts", "1"),
        ("x-parom-death", &death),
    ];
    // Each is a message of its own.
    desk.stage.put(&desk.stage.names().dead(), "ferry", death.as_bytes(), &headers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_wording_is_no_news_and_each_unknown_one_is() {
    let (address, told) = listener().await;
    let desk = Desk::set(&[
        &format!("--admin-notify-webhook={address}/hook"),
        "--admin-notify-every=100ms",
        "--admin-notify-quiet=1h",
    ])
    .await;
    let heard = async |word: &str, times: usize| {
        let what = format!("{word} is told {times} times");
        desk.stage.until(&what, LONG, || async { naming(&told, word) == times }).await;
    };
    put(&desk, "refused", "inn", "Нет ИНН покупателя.").await;
    heard("Нет ИНН", 1).await;
    put(&desk, "refused", "inn", "Нет КПП покупателя.").await;
    put(&desk, "refused", "inn", "Нет ИНН покупателя.").await;
    desk.until_letters("open", 3).await;
    // Who tells of another code has looked at these as well.
    put(&desk, "refused", "sum", "Сумма не сходится.").await;
    heard("Сумма", 1).await;
    assert_eq!((naming(&told, "КПП"), naming(&told, "Нет ИНН")), (0, 1));

    for times in 1..=3 {
        put(&desk, "unknown", "lost", "Неизвестно, пробит ли чек.").await;
        heard("Неизвестно, пробит ли чек", times).await;
    }
    // One is dealt with while another comes in: as many as before, and news all the same.
    sqlx::query("UPDATE letters SET state = 'discarded' WHERE class = 'unknown'")
        .execute(&desk.pool)
        .await
        .unwrap();
    put(&desk, "unknown", "lost", "Неизвестно, пробит ли чек.").await;
    heard("Неизвестно, пробит ли чек", 4).await;
    assert_eq!((naming(&told, "КПП"), naming(&told, "Нет ИНН")), (0, 1));
    desk.end().await;
}
