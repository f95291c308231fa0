//! Turns at a register that takes one receipt at a time.

use std::time::Duration;

use runtime::Failure;
use time::OffsetDateTime;

use super::Job;
use crate::{
    Fiscal,
    registers::{Error, RegisterName, What},
    state::Sending,
    words,
};

/// How long a register that asked for patience is taken for a slow one.
const SLOW: Duration = Duration::from_secs(60);
/// When to ask again where a register does not say when.
pub(super) const AT_ONCE: Duration = Duration::from_secs(1);

impl Fiscal {
    /// How long to wait for a turn at a register that takes one receipt at a time.
    pub(super) async fn turn(
        &self,
        job: Job<'_>,
        register: RegisterName,
        now: OffsetDateTime,
    ) -> Result<Option<Duration>, Failure> {
        let pace = job.desk.pace(register, now);
        if pace.is_zero() {
            return Ok(None);
        }
        let turn = self.outside.turns.take(&job.asked(register), now, pace).await;
        let wait = turn.map_err(|error| words::hints_away(job.subject, &error))?;
        if wait.is_some() {
            job.desk.slow_down(now + SLOW);
        }
        Ok(wait)
    }

    /// A register that asks for patience gets it from the whole account, and this receipt keeps
    /// its place. Whether that is all that the register said.
    pub(super) async fn give_way(&self, job: Job<'_>, sending: &Sending, error: &Error) -> bool {
        let What::RateLimited { after } = &error.what else { return false };
        let now = self.now();
        job.desk.slow_down(now + SLOW + after.unwrap_or_default());
        let until = now + after.unwrap_or(AT_ONCE);
        if let Err(error) = self.outside.turns.hold(&job.asked(sending.register), until).await {
            tracing::debug!(%error, "the place in the queue is not kept");
        }
        after.is_none()
    }
}
