//! Waiting for other processes.

use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};

use crate::Fallible;

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(120);

/// Asks every `every` until the answer is yes; `what` says in the error what was waited for.
pub(crate) async fn until(
    what: &str,
    every: Duration,
    mut ask: impl AsyncFnMut() -> Fallible<bool>,
) -> Fallible<()> {
    let end = Instant::now() + LONG;
    while !ask().await? {
        if Instant::now() > end {
            return Err(format!("not within {LONG:?}: {what}").into());
        }
        pause(every).await;
    }
    Ok(())
}

/// Waits until a service says that it is ready.
pub(crate) async fn ready(url: &str) -> Fallible<()> {
    rustls::crypto::ring::default_provider().install_default().ok();
    let client = reqwest::Client::builder().build()?;
    let asked = async || Ok(client.get(url).send().await.is_ok_and(|a| a.status().is_success()));
    until(&format!("{url} says yes"), Duration::from_millis(50), asked).await
}

/// Waits for somebody to end this process.
pub(crate) async fn told_to_stop() -> Fallible<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    Ok(())
}

/// Lets time pass.
#[expect(clippy::disallowed_methods, reason = "a measurement waits for other processes")]
pub(crate) async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
