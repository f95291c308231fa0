//! Tells workers what people have given up: until then a change of the order in the shop would bring the job back, and
//! what was done by hand would be done twice.
//!
//! Told twice, when we die before it is noted, is told once.

use std::time::Duration;

use futures_util::future::join_all;
use runtime::{Desk, Kit};
use uuid::Uuid;

use crate::store::{GivenUp, Store};

/// How often discarded letters are looked for.
const TICK: Duration = Duration::from_millis(200);
/// How long to rest when the broker did not take them, or PostgreSQL is away.
const REST: Duration = Duration::from_secs(5);

/// Tells until the process is to stop.
pub(crate) async fn run(kit: &Kit, store: &Store) {
    loop {
        let rest = match tell(kit.desk(), store).await {
            Ok(true) => TICK,
            Ok(false) => REST,
            Err(error) => {
                tracing::warn!(%error, "workers are told later what was given up");
                REST
            }
        };
        if !kit.pause(rest).await {
            return;
        }
    }
}

/// Whether all of these could be told.
async fn tell(desk: &Desk, store: &Store) -> sqlx::Result<bool> {
    let letters = store.to_give_up().await?;
    let all = letters.len();
    let told = join_all(letters.into_iter().map(|letter| one(desk, letter))).await;
    let told: Vec<Uuid> = told.into_iter().flatten().collect();
    store.gave_up(&told).await?;
    Ok(told.len() == all)
}

/// The letter, if its worker is told.
async fn one(desk: &Desk, letter: GivenUp) -> Option<Uuid> {
    let GivenUp { id, worker, event_id, death, body } = letter;
    match desk.give_up(&worker, event_id, death, body).await {
        Ok(()) => Some(id),
        Err(error) => {
            tracing::warn!(%error, letter = %id, "a worker is told later that this was given up");
            None
        }
    }
}
