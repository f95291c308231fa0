//! The way to the log of requests: handlers do not wait for it.
//!
//! A line is lost when the process is killed before it is written, or when PostgreSQL has been
//! away for so long that too many wait (`loyalty_log_lost_total`). What counts is in the journal.

use std::sync::Mutex;

use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::{gauges::Gauges, store::LogLine};

/// Requests whose lines may wait.
const WAITING: usize = 10_000;

/// The log's near end.
pub(crate) struct Log {
    lines: Sender<Vec<LogLine>>,
    far: Mutex<Option<Receiver<Vec<LogLine>>>>,
    gauges: Gauges,
}

impl Log {
    pub(crate) fn new(gauges: Gauges) -> Self {
        let (lines, far) = mpsc::channel(WAITING);
        Self { lines, far: Mutex::new(Some(far)), gauges }
    }

    pub(super) fn put(&self, lines: Vec<LogLine>) {
        if let Err(error) = self.lines.try_send(lines) {
            let (mpsc::error::TrySendError::Full(lines) | mpsc::error::TrySendError::Closed(lines)) =
                error;
            self.gauges.log_lost(lines.len());
        }
    }

    /// The far end, once.
    pub(crate) fn far(&self) -> Option<Receiver<Vec<LogLine>>> {
        self.far.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
    }
}
