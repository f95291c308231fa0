//! A network that says nothing keeps nobody from stopping, and a database that is full nobody from starting.

use std::time::{Duration, Instant};

use runtime::testing::{Proxy, Service};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    ferry::{Act, Config, Ferry},
    trip::{LONG, Trip},
};

#[tokio::test]
async fn a_broker_that_falls_silent_does_not_hold_up_the_end() {
    let trip = Trip::begin().await;
    trip.set_up().await;
    let mut common = trip.stage.common();
    let (broker, url) = Proxy::before(common.amqp_url.expose_secret()).await;
    common.amqp_url = SecretString::from(url);
    common.drain_grace = Duration::from_secs(2);
    trip.books.script(1, Act::Slow(Duration::from_millis(500)));
    trip.send(1).await;
    let service = Service::start::<Ferry>(common, Config { books: trip.books.clone() });
    trip.stage.until("in hand", LONG, || async { trip.books.with(|r| r.calls) >= 1 }).await;
    broker.fall_silent();
    let began = Instant::now();
    service.stop().await;
    let took = began.elapsed();
    // The grace time, and the five seconds that sweeper and background have.
    assert!(took < Duration::from_secs(20), "{took:?}");
    broker.mend();

    let service = trip.service();
    trip.until_done(1).await;
    service.stop().await;
    trip.end().await;
}

#[tokio::test]
async fn a_database_that_is_full_is_waited_for() {
    let trip = Trip::begin().await;
    let pool = trip.stage.pool("public");
    let guest = format!("parom_test_{}", uuid::Uuid::new_v4().simple());
    let database = sqlx::query_scalar("SELECT current_database()").fetch_one(&pool).await;
    let database: String = database.unwrap();
    run(&pool, format!("CREATE ROLE {guest} LOGIN PASSWORD 'guest' CONNECTION LIMIT 0")).await;
    run(&pool, format!("GRANT ALL ON DATABASE {database} TO {guest}")).await;
    let mut common = trip.stage.common();
    common.database_url = as_guest(&trip.stage.database_url(), &guest);
    let service = Service::start::<Ferry>(common, Config { books: trip.books.clone() });
    trip.declared().await;
    trip.send(1).await;
    assert_eq!(trip.jobs("open").await, None, "there is no room for the service yet");
    run(&pool, format!("ALTER ROLE {guest} CONNECTION LIMIT -1")).await;
    trip.until_done(1).await;
    service.stop().await;
    run(&pool, format!("DROP OWNED BY {guest}")).await;
    run(&pool, format!("DROP ROLE {guest}")).await;
    trip.end().await;
}

async fn run(pool: &sqlx::PgPool, sql: String) {
    sqlx::query(sqlx::AssertSqlSafe(sql)).execute(pool).await.unwrap();
}

fn as_guest(url: &str, guest: &str) -> SecretString {
    let (_, place) = url.rsplit_once('@').unwrap();
    SecretString::from(format!("postgres://{guest}:guest@{place}"))
}
