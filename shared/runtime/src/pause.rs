//! The runtime's own pauses. A worker never sleeps: its waits are steps.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// Pauses; `false` when the process is to stop before that.
#[expect(
    clippy::disallowed_methods,
    reason = "one of the two places where the runtime itself pauses"
)]
pub(crate) async fn pause(duration: Duration, shutdown: &CancellationToken) -> bool {
    tokio::select! {
        () = shutdown.cancelled() => false,
        () = tokio::time::sleep(duration) => true,
    }
}

/// Waits for something that is seconds away at most; the process may stop meanwhile, by dropping it.
#[expect(
    clippy::disallowed_methods,
    reason = "a turn or a look at another replica's work, which holds nothing but its caller"
)]
pub(crate) async fn moment(wait: Duration) {
    tokio::time::sleep(wait).await;
}
