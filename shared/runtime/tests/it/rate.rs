//! One rate for all replicas.

use std::{
    num::NonZeroU32,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use runtime::{Withheld, rate::Rate, testing::Tables};
use uuid::{Uuid, uuid};

const ACCOUNT: Uuid = uuid!("5f9b1c1e-3b0f-4a7e-9a52-1f6d0f5f0c11");
const PATIENCE: Duration = Duration::from_secs(5);
/// The request's room comes back in 25 ms, five at once.
const RATE: NonZeroU32 = NonZeroU32::new(50).unwrap();
/// A moment is moved and told in whole milliseconds.
const ROUNDING: Duration = Duration::from_millis(2);

const FULL_AT: &str = "SELECT (1000000 * extract(epoch FROM full_at))::int8 FROM shared_rates";

async fn tables() -> Tables {
    Tables::make("rate", [], 10).await
}

fn replica(tables: &Tables) -> Rate {
    Rate::new(tables.pool(), ACCOUNT, RATE, PATIENCE)
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_keep_the_rate_together() {
    let tables = tables().await;
    let replicas: Vec<_> = (0..3).map(|_| replica(&tables)).collect();
    let began = Instant::now();
    let turns = (0..25).zip(replicas.iter().cycle()).map(|(_, replica)| replica.turn());
    assert_eq!(join_all(turns).await, vec![Ok(()); 25]);
    // Five at once, then forty a second.
    let least = Duration::from_millis(20 * 25) - ROUNDING;
    assert!(began.elapsed() >= least, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_drained_bucket_stills_all_replicas() {
    let tables = tables().await;
    let (one, other) = (replica(&tables), replica(&tables));
    one.turn().await.unwrap();
    let (began, pause) = (Instant::now(), Duration::from_millis(300));
    one.drain(pause).await;
    let turns = join_all([other.turn(), one.turn(), other.turn()]).await;
    assert_eq!(turns, vec![Ok(()); 3]);
    // Nobody at first, then one at a time.
    let least = pause + Duration::from_millis(3 * 25) - ROUNDING;
    assert!(began.elapsed() >= least, "{:?}", began.elapsed());
    // A shorter pause takes nothing from a longer one.
    one.drain(Duration::from_secs(60)).await;
    let before = tables.number(FULL_AT).await;
    other.drain(Duration::from_secs(1)).await;
    assert_eq!(tables.number(FULL_AT).await, before);
}

#[tokio::test]
async fn who_would_wait_for_long_comes_back_and_takes_no_turn() {
    let tables = tables().await;
    let one = replica(&tables);
    one.turn().await.unwrap();
    one.drain(Duration::from_secs(60)).await;
    let before = tables.number(FULL_AT).await;
    let turns = join_all((0..10).map(|_| one.turn())).await;
    assert_eq!(turns, vec![Err(Withheld::Busy { after: PATIENCE }); 10]);
    assert_eq!(tables.number(FULL_AT).await, before);
    // Another account has a bucket of its own.
    let another = Rate::new(tables.pool(), Uuid::new_v4(), RATE, PATIENCE);
    another.turn().await.unwrap();
}

#[tokio::test]
async fn the_smallest_rate_is_a_rate() {
    let tables = tables().await;
    let one = Rate::new(tables.pool(), ACCOUNT, NonZeroU32::MIN, PATIENCE);
    let began = Instant::now();
    assert_eq!(join_all([one.turn(), one.turn()]).await, vec![Ok(()); 2]);
    assert!(began.elapsed() >= Duration::from_secs(1) - ROUNDING, "{:?}", began.elapsed());
}

#[tokio::test]
async fn without_postgresql_there_is_no_turn() {
    let tables = tables().await;
    let one = replica(&tables);
    tables.pool().close().await;
    assert!(matches!(one.turn().await, Err(Withheld::Away(_))));
    one.drain(Duration::ZERO).await;
}
