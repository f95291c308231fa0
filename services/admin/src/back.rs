//! A register that is back: what stopped because it was away is handed back by itself.
//!
//! Each time that a register was away has one row in PostgreSQL, and its id is the replay's. So
//! there is one replay, although several replicas look and one dies in between.

use std::time::Duration;

use crate::Admin;

/// How often registers that are back are looked for.
const LOOK: Duration = Duration::from_secs(1);

/// Looks until the process is to stop; does nothing unless the settings say so.
pub(crate) async fn run(admin: &Admin) {
    if !admin.config.admin_replay_when_back {
        return;
    }
    while admin.kit.pause(LOOK).await {
        let (calm, rate) = (admin.config.admin_calm, admin.config.admin_replay_rate);
        match admin.store.replay_back(calm, rate).await {
            Ok(Some((service, started))) => {
                let (letters, replay) = (started.letters, started.id);
                tracing::info!(service, letters, %replay, "a register is back");
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "replays of what waited for a register wait"),
        }
    }
}
