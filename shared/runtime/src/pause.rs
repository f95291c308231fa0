//! The runtime's own pauses. A worker never sleeps: its waits are steps.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// Pauses; `false` when the process is to stop before that.
#[expect(clippy::disallowed_methods, reason = "the one place where the runtime itself pauses")]
pub(crate) async fn pause(duration: Duration, shutdown: &CancellationToken) -> bool {
    tokio::select! {
        () = shutdown.cancelled() => false,
        () = tokio::time::sleep(duration) => true,
    }
}
