//! The circuit breaker: a worker whose register is away stops taking messages, looks now and
//! then, and goes on.

use std::{sync::Mutex, time::Duration};

use prometheus::IntGauge;
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{pause::pause, retry::jitter};

/// Whether messages are taken, and how many at once.
#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    /// As many as the settings say.
    Closed,
    /// None until then.
    Open(Instant),
    /// One: its outcome decides.
    Probing,
}

/// Counts how often in a row the register was found away.
pub(crate) struct Breaker {
    state: watch::Sender<State>,
    away: Mutex<u32>,
    threshold: u32,
    probe: Duration,
    open: IntGauge,
}

impl Breaker {
    /// Opens after `threshold` findings in a row and looks again every `probe`.
    pub(crate) fn new(threshold: u32, probe: Duration, open: IntGauge) -> Self {
        let state = watch::Sender::new(State::Closed);
        Self { state, away: Mutex::new(0), threshold, probe, open }
    }

    /// The register answered, whatever it said.
    pub(crate) fn answered(&self) {
        *self.lock() = 0;
        if self.state.send_if_modified(|state| {
            let changed = *state != State::Closed;
            *state = State::Closed;
            changed
        }) {
            self.open.set(0);
            tracing::info!("the register is back; taking messages again");
        }
    }

    /// The register was found away. Tells after how long the job may look again.
    pub(crate) fn found_away(&self) -> Duration {
        let away = {
            let mut away = self.lock();
            *away = away.saturating_add(1);
            *away
        };
        let pause = self.probe + jitter(self.probe);
        let probing = *self.state.borrow() == State::Probing;
        if probing || away >= self.threshold {
            let opened = self.state.send_if_modified(|state| {
                let changed = !matches!(state, State::Open(_));
                *state = State::Open(Instant::now() + pause);
                changed
            });
            self.open.set(1);
            if opened && !probing {
                tracing::error!(away, "the register is away; taking no messages until it is back");
            }
        }
        pause
    }

    /// Whether messages already in hand are to be put back for later, and for how long.
    pub(crate) fn closed_for(&self) -> Option<Duration> {
        match *self.state.borrow() {
            State::Open(until) => {
                let left = until.saturating_duration_since(Instant::now());
                Some(left + self.probe)
            }
            State::Closed | State::Probing => None,
        }
    }

    /// Waits until messages may be taken, and tells how many at once; `None` at the end.
    pub(crate) async fn window(&self, full: u16, shutdown: &CancellationToken) -> Option<u16> {
        loop {
            let state = *self.state.borrow();
            match state {
                _ if shutdown.is_cancelled() => return None,
                State::Closed => return Some(full),
                State::Probing => return Some(1),
                State::Open(until) => {
                    let left = until.saturating_duration_since(Instant::now());
                    if !left.is_zero() {
                        pause(left, shutdown).await;
                        continue;
                    }
                    self.state.send_if_modified(|now| {
                        let still = *now == state;
                        if still {
                            *now = State::Probing;
                        }
                        still
                    });
                }
            }
        }
    }

    /// Waits until a session with this window is no longer what the breaker wants.
    pub(crate) async fn changed(&self, window: u16) {
        let mut states = self.state.subscribe();
        let fits = |state: &State| match state {
            State::Closed => window > 1,
            State::Probing => window == 1,
            State::Open(_) => false,
        };
        // A window of one is all that some settings allow: then closed fits as well.
        let full_is_one = *states.borrow() == State::Closed && window == 1;
        let wait =
            states.wait_for(|state| !(fits(state) || (full_is_one && *state == State::Closed)));
        if wait.await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, u32> {
        self.away.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
