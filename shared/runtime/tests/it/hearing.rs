//! Facts find their listeners, also those that are not there just now.

use events::Event;

use crate::trip::{LONG, Trip};

#[tokio::test]
async fn a_worker_that_sleeps_while_the_broker_is_emptied_misses_nothing() {
    let trip = Trip::begin().await;
    trip.set_up().await;
    // Another worker of this system, which is not running now.
    let pool = trip.stage.pool("ferry");
    sqlx::query("INSERT INTO bus.subscriptions (prefix, worker, topics) VALUES ($1, $2, $3)")
        .bind(&trip.stage.common().amqp_prefix)
        .bind("sleeper")
        .bind(["status.ferry"].as_slice())
        .execute(&pool)
        .await
        .unwrap();
    let sleeper = trip.stage.names().queue("sleeper");
    assert!(!trip.stage.exists(&sleeper).await, "as on a broker that lost everything");

    trip.send(1).await;
    let service = trip.service();
    trip.until_done(1).await;
    trip.stage.until("heard", LONG, || async { trip.stage.waiting(&sleeper).await > 0 }).await;
    service.stop().await;
    let heard = trip.stage.take(&sleeper).await.unwrap();
    let event = Event::from_json(heard.body.as_bytes()).unwrap();
    assert_eq!(event.topic(), "status.ferry");
    trip.stage.delete_queues(&[sleeper, trip.stage.names().dead_queue("sleeper")]).await;
    trip.end().await;
}
