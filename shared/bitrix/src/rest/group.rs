//! Grouping: calls that wait for the portal's limit at the same time leave in one request.
//!
//! A turn is waited for first and the calls are gathered when it has come, so that under load
//! groups grow by themselves and at rest a call goes alone.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tracing::{Instrument, Span};

use super::{
    Call,
    answer::Reply,
    error::{RestError, RestErrorKind},
    limiter::{Bucket, Turn},
    wire::{Outcome, Wire},
};

/// How long calls wait for a turn here before their caller is told to come back later.
const PATIENCE: Duration = Duration::from_secs(10);

/// Requests on their way at once.
const ON_THE_WAY: usize = 8;

/// How often a request that Bitrix refuses for its rate is sent again.
const REFUSALS: u32 = 3;

/// What the calls of one caller came to, in order.
pub(super) type Replies = Vec<Result<Reply, RestError>>;

/// Calls that belong together: one request, in order.
pub(super) struct Unit {
    calls: Vec<Call>,
    reply: oneshot::Sender<Replies>,
    since: Instant,
    span: Span,
}

impl Unit {
    pub(super) fn new(calls: Vec<Call>) -> (Self, oneshot::Receiver<Replies>) {
        let (reply, replies) = oneshot::channel();
        (Self { calls, reply, since: Instant::now(), span: Span::current() }, replies)
    }

    /// Gives its caller the answers; one who has gone away has no use for them.
    fn settle(self, outcomes: impl Iterator<Item = Result<Reply, RestErrorKind>>) {
        let methods = self.calls.iter().map(|call| call.method);
        let named = methods.zip(outcomes);
        let replies = named
            .map(|(method, outcome)| outcome.map_err(|kind| RestError { method, kind }))
            .collect();
        self.reply.send(replies).ok();
    }

    fn fail(self, kind: &RestErrorKind) {
        self.settle(std::iter::repeat_with(|| Err(kind.clone())));
    }
}

/// The portal's limit and the way to it.
#[derive(Debug)]
pub(super) struct Gate {
    pub(super) bucket: Bucket,
    pub(super) wire: Wire,
}

/// Serves the callers until the last has gone.
pub(super) async fn serve(gate: Arc<Gate>, mut waiting: mpsc::Receiver<Unit>) {
    let on_the_way = Arc::new(Semaphore::new(ON_THE_WAY));
    let mut held = None;
    loop {
        let first = match held.take() {
            Some(unit) => unit,
            None => match waiting.recv().await {
                Some(unit) => unit,
                None => return,
            },
        };
        let Ok(permit) = Arc::clone(&on_the_way).acquire_owned().await else { return };
        match gate.bucket.turn().await {
            Ok(turn) => {
                let units = gather(first, &mut waiting, &mut held, gate.wire.room());
                tokio::spawn(Arc::clone(&gate).go(units, turn, permit));
            }
            Err(kind) => {
                first.fail(&kind);
                while let Ok(unit) = waiting.try_recv() {
                    unit.fail(&kind);
                }
            }
        }
    }
}

/// As many units as have room in one request; the first that has none is held for the next.
fn gather(
    first: Unit,
    waiting: &mut mpsc::Receiver<Unit>,
    held: &mut Option<Unit>,
    room: usize,
) -> Vec<Unit> {
    let mut units = Vec::new();
    let mut count = 0;
    let mut next = Some(first);
    while let Some(unit) = next {
        if unit.since.elapsed() > PATIENCE {
            unit.fail(&RestErrorKind::Busy { after: PATIENCE });
        } else if !unit.reply.is_closed() {
            if count > 0 && count + unit.calls.len() > room {
                *held = Some(unit);
                break;
            }
            count += unit.calls.len();
            units.push(unit);
        }
        next = waiting.try_recv().ok();
    }
    units
}

impl Gate {
    /// Sends the units in one request and hands the answers out.
    async fn go(self: Arc<Self>, units: Vec<Unit>, turn: Turn, _permit: OwnedSemaphorePermit) {
        let span = units.first().map_or_else(Span::none, |unit| unit.span.clone());
        let all = || units.iter().flat_map(|unit| &unit.calls);
        let until = |call: &Call| turn.paused.get(call.method).copied();
        let free: Vec<Call> = all().filter(|call| until(call).is_none()).cloned().collect();
        let pauses: Vec<_> = all().map(until).collect();
        let mut sent = spread(self.send(&free).instrument(span).await, free.len());
        let outcomes: Vec<_> = pauses
            .into_iter()
            .map(|paused| match paused {
                Some(until) => Err(RestErrorKind::OperationTimeLimit { until }),
                None => sent.next().unwrap_or(Err(RestErrorKind::Garbled { status: 200 })),
            })
            .collect();
        let mut outcomes = outcomes.into_iter();
        for unit in units {
            let count = unit.calls.len();
            unit.settle(outcomes.by_ref().take(count));
        }
    }

    async fn send(&self, calls: &[Call]) -> Outcome {
        let outcome = self.insist(calls).await;
        self.keep_pauses(calls, &outcome).await?;
        outcome
    }

    /// Sends again what Bitrix refuses for its rate: it has not looked at it.
    async fn insist(&self, calls: &[Call]) -> Outcome {
        let mut refusals = 0;
        loop {
            let outcome = self.wire.send(calls).await;
            if !matches!(outcome, Err(RestErrorKind::QueryLimit)) {
                return outcome;
            }
            refusals += 1;
            self.bucket.drain(refusals).await?;
            if refusals == REFUSALS {
                return outcome;
            }
            self.bucket.turn().await?;
        }
    }

    /// Nobody calls a method again that has used up its time.
    async fn keep_pauses(&self, calls: &[Call], outcome: &Outcome) -> Result<(), RestErrorKind> {
        let each: Vec<Option<&RestErrorKind>> = match outcome {
            Ok(outcomes) => outcomes.iter().map(|one| one.as_ref().err()).collect(),
            Err(kind) => vec![Some(kind)],
        };
        for (call, kind) in calls.iter().zip(each) {
            if let Some(RestErrorKind::OperationTimeLimit { until }) = kind {
                self.bucket.pause(call.method, *until).await?;
            }
        }
        Ok(())
    }
}

/// A request's outcome as one for each of its calls.
fn spread(outcome: Outcome, count: usize) -> std::vec::IntoIter<Result<Reply, RestErrorKind>> {
    outcome
        .unwrap_or_else(|kind| std::iter::repeat_with(|| Err(kind.clone())).take(count).collect())
        .into_iter()
}
