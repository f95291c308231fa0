//! While the broker is away, and while PostgreSQL is away as well.

use runtime::testing::Proxy;
use secrecy::ExposeSecret;

use crate::{
    quay::{LONG, NEW, Quay, answer},
    shop,
};

/// Ingress behind two stretches of network: to the broker, and to PostgreSQL.
async fn behind_proxies() -> (Quay, Proxy, Proxy) {
    let mut quay = Quay::prepare().await;
    let (broker, amqp) = Proxy::before(quay.common.amqp_url.expose_secret()).await;
    let (database, url) = Proxy::before(&quay.database_url()).await;
    quay.common.amqp_url = amqp.into();
    quay.common.database_url = url.into();
    (quay, broker, database)
}

/// Sends the snapshots of these orders; each must be answered `expected`.
async fn send(quay: &Quay, orders: std::ops::RangeInclusive<u64>, expected: u16) {
    let calls = orders.map(|id| {
        let request = quay.snapshot(NEW, &shop::snapshot(id, 1).to_string());
        async move { (id, answer(request).await) }
    });
    for (id, (status, text)) in futures_util::future::join_all(calls).await {
        assert_eq!(status, expected, "order {id}: {text}");
    }
}

async fn spooled(quay: &Quay) -> i64 {
    quay.number("SELECT count(*) FROM spool").await
}

#[tokio::test]
async fn what_is_taken_while_the_broker_is_away_is_read_when_it_is_back() {
    let (mut quay, broker, _database) = behind_proxies().await;
    quay.start().await;
    send(&quay, 1..=5, 202).await;
    broker.cut();
    send(&quay, 6..=45, 202).await;
    let in_spool = spooled(&quay).await;
    assert!(in_spool >= 35, "only {in_spool} of 40 are in the spool");
    quay.stage
        .until("measured", LONG, || async { quay.metric("spool_webhooks").await >= 35.0 })
        .await;
    broker.mend();
    quay.stage.until("forwarded", LONG, || async { spooled(&quay).await == 0 }).await;
    quay.until_read(45).await;
    let mut told = quay.told().await;
    told.sort();
    told.dedup();
    assert_eq!(told.len(), 45);
    quay.close().await;
}

#[tokio::test]
async fn the_spool_outlives_the_process() {
    let (mut quay, broker, _database) = behind_proxies().await;
    quay.start().await;
    broker.cut();
    send(&quay, 1..=10, 202).await;
    assert_eq!(spooled(&quay).await, 10);
    quay.kill().await;
    broker.mend();
    quay.start().await;
    quay.stage.until("forwarded", LONG, || async { spooled(&quay).await == 0 }).await;
    quay.until_read(10).await;
    quay.close().await;
}

#[tokio::test]
async fn the_caller_is_sent_away_only_when_neither_takes_the_webhook() {
    let (mut quay, broker, database) = behind_proxies().await;
    quay.start().await;
    database.cut();
    // The broker is enough.
    send(&quay, 1..=3, 202).await;
    broker.cut();
    let body = shop::snapshot(4, 1).to_string();
    let response = quay.snapshot(NEW, &body).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 503);
    assert_eq!(response.headers()["retry-after"], "5");
    database.mend();
    send(&quay, 5..=6, 202).await;
    broker.mend();
    quay.until_read(5).await;
    let mut told = quay.told().await;
    told.sort();
    told.dedup();
    assert_eq!(told, ["1 created", "2 created", "3 created", "5 created", "6 created"]);
    quay.close().await;
}

#[tokio::test]
async fn webhooks_are_taken_before_the_broker_was_ever_there() {
    let (mut quay, broker, _database) = behind_proxies().await;
    broker.cut();
    quay.start_only();
    let tables = || async {
        let query = "SELECT count(*) FROM spool";
        sqlx::query_scalar::<_, i64>(query).fetch_one(&quay.stage.pool("ingress")).await.is_ok()
    };
    quay.stage.until("tables", LONG, tables).await;
    send(&quay, 1..=3, 202).await;
    assert_eq!(spooled(&quay).await, 3);
    broker.mend();
    quay.until_read(3).await;
    quay.close().await;
}

#[tokio::test]
async fn what_comes_out_of_the_spool_belongs_to_the_trace_of_its_call() {
    const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let (mut quay, broker, _database) = behind_proxies().await;
    quay.start().await;
    broker.cut();
    send(&quay, 1..=1, 202).await;
    let pool = quay.stage.pool("ingress");
    let sql = "UPDATE spool SET trace = $1";
    assert_eq!(sqlx::query(sql).bind(TRACE).execute(&pool).await.unwrap().rows_affected(), 1);
    broker.mend();
    quay.until_read(1).await;
    let sql = "SELECT trace FROM jobs WHERE worker = 'webhooks'";
    let trace: Option<String> = sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap();
    assert_eq!(trace.as_deref(), Some(TRACE));
    quay.close().await;
}

#[tokio::test]
async fn it_is_ready_for_webhooks_as_long_as_either_is_there() {
    let (mut quay, broker, database) = behind_proxies().await;
    quay.start().await;
    let says = |expected: &'static str| {
        let quay = &quay;
        move || async move {
            let answer = quay.http.get(format!("{}/readyz", quay.url)).send().await.unwrap();
            format!("{} {}", answer.status().as_u16(), answer.text().await.unwrap()) == expected
        }
    };
    broker.cut();
    quay.stage.until("without broker", LONG, says("200 ready; the broker is away\n")).await;
    database.cut();
    let neither = "503 neither the broker nor PostgreSQL answers\n";
    quay.stage.until("without both", LONG, says(neither)).await;
    broker.mend();
    quay.stage.until("broker back", LONG, says("200 ready; PostgreSQL is away\n")).await;
    database.mend();
    quay.stage.until("both back", LONG, says("200 ready\n")).await;
    quay.close().await;
}
