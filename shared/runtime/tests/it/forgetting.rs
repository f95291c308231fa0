//! What is kept of a finished job: that it was done, and after a time no more.

use std::time::Duration;

use runtime::testing::Service;

use crate::{
    ferry::{Act, Config, Ferry},
    trip::{LONG, Trip},
};

#[tokio::test]
async fn data_of_finished_jobs_are_forgotten_and_the_jobs_are_not() {
    let trip = Trip::begin().await;
    trip.set_up().await;
    trip.books.script(2, Act::RefuseOnce);
    trip.books.script(3, Act::Look(1_000_000));
    for order in 1..=3 {
        trip.send(order).await;
    }
    let mut common = trip.stage.common();
    common.keep_data = Duration::ZERO;
    let service = Service::start::<Ferry>(common, Config { books: trip.books.clone() });
    let pool = trip.stage.pool("ferry");
    let blank = || async {
        let sql = "SELECT count(*) FROM jobs WHERE event = '' AND state = 'null'";
        sqlx::query_scalar::<_, i64>(sql).fetch_one(&pool).await.unwrap()
    };
    trip.stage.until("dead", LONG, || async { trip.jobs("dead").await == Some(1) }).await;
    trip.stage.until("forgotten", LONG, || async { blank().await == 1 }).await;

    // Told once more, it is done already.
    trip.send(1).await;
    trip.stage
        .until("absorbed", LONG, || async { trip.stage.waiting(&trip.queue()).await == 0 })
        .await;
    assert_eq!(trip.books.effects(1), 1);
    assert_eq!(blank().await, 1, "the dead and the open keep what they need to go on");
    service.kill().await;
    trip.end().await;
}
