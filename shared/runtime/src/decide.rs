//! What follows from a step: pure, so that every promise about retries, deadlines and dead
//! letters can be read and tested in one place.

use std::time::Duration;

use events::{Event, Fact, Status, Text};
use time::OffsetDateTime;

use crate::{
    reasons,
    retry::{RetryPolicy, jitter},
    store::{Job, Phase},
    words::Word,
    worker::{Class, Failure, Next, Reason, Step, Worker},
};

/// What is to be saved and said.
#[derive(Debug)]
pub(crate) struct Decision {
    /// The state a later step goes on from; `None` keeps the present one.
    pub state: Option<String>,
    pub phase: Phase,
    pub words: Vec<Word>,
    pub alias: Option<String>,
    pub attempts: u32,
    /// Why the step did not succeed.
    pub reason: Option<Reason>,
    /// What the worker itself has told to be wrong with a job that goes on: its end is told as well.
    pub trouble: Option<String>,
    /// A metric label.
    pub outcome: &'static str,
}

/// What decides beside the step itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    pub retry: RetryPolicy,
    /// How long to stay away from a register that was found away.
    pub away: Duration,
    pub now: OffsetDateTime,
}

/// Decides what follows from `outcome`, the step of `job` on `event`.
pub(crate) fn decide<W: Worker>(
    event: &Event,
    job: &Job,
    outcome: Result<Step<W::State>, Failure>,
    rules: Rules,
) -> Decision {
    let made = match outcome {
        Ok(step) => went_on::<W>(event, job, step, rules),
        Err(Failure::Retry(reason, after)) => Ok(retry::<W>(event, job, reason, after, rules)),
        Err(Failure::Later(reason, after)) => Ok(later::<W>(event, job, &reason, after, rules)),
        Err(Failure::Down(reason)) => Ok(down::<W>(event, job, reason, rules)),
        Err(Failure::Dead(reason)) => Ok(bury::<W>(event, job, None, reason, Vec::new())),
    };
    made.unwrap_or_else(|error| {
        let reason = reasons::unwritable(event, &error);
        bury::<W>(event, job, None, reason, Vec::new())
    })
}

fn went_on<W: Worker>(
    event: &Event,
    job: &Job,
    step: Step<W::State>,
    rules: Rules,
) -> Result<Decision, serde_json::Error> {
    let Step { state, next, emit, alias } = step;
    let state = Some(serde_json::to_string(&state)?);
    let is_last = next == Next::Done;
    let emit = emit.into_iter().map(|told| if is_last { told } else { in_part::<W>(event, told) });
    let emit: Vec<Event> = emit.collect();
    let mut words: Vec<Word> = emit.iter().map(Word::tell).collect::<Result<_, _>>()?;
    let (phase, outcome) = match next {
        Next::Stop(reason) => return Ok(bury::<W>(event, job, state, reason, words)),
        Next::Wait(wait) if rules.now + wait > job.deadline => {
            let reason = reasons::deadline(event, None);
            return Ok(bury::<W>(event, job, state, reason, words));
        }
        Next::Again => (Phase::Held, "again"),
        Next::Wait(wait) => (Phase::Waiting(wait), "wait"),
        Next::Done => {
            // What was told to be stuck or tried again is told to be over.
            if job.last_error.is_some() && !emit.iter().any(|told| tells_done::<W>(event, told)) {
                let finished = (Status::FINISHED, reasons::finished(event));
                words.extend(status::<W>(event, job, events::Phase::Done, finished));
            }
            (Phase::Done, "done")
        }
    };
    let trouble = emit.iter().find_map(|told| trouble::<W>(event, told));
    Ok(Decision { state, phase, words, alias, attempts: 0, reason: None, trouble, outcome })
}

/// Whether the status says that the job of `event` is done.
fn is_done<W: Worker>(event: &Event, status: &Status) -> bool {
    status.phase == events::Phase::Done
        && status.service == W::SERVICE
        && status.cause == event.id()
}

/// What `told` says to be wrong with the job of `event`.
fn trouble<W: Worker>(event: &Event, told: &Event) -> Option<String> {
    let Fact::StatusChanged(status) = &told.fact else { return None };
    let is_wrong = matches!(
        status.phase,
        events::Phase::Retrying | events::Phase::Failed | events::Phase::Unknown
    );
    (is_wrong && status.service == W::SERVICE && status.cause == event.id())
        .then(|| status.text.en.clone())
}

fn tells_done<W: Worker>(event: &Event, told: &Event) -> bool {
    matches!(&told.fact, Fact::StatusChanged(status) if is_done::<W>(event, status))
}

/// `told`, as a step says it that is not the job's last: [`events::Phase::Done`] is a job's last word, after which nobody
/// looks for a failure.
fn in_part<W: Worker>(event: &Event, told: Event) -> Event {
    let Fact::StatusChanged(status) = &told.fact else { return told };
    if !is_done::<W>(event, status) {
        return told;
    }
    let status = Status { phase: events::Phase::Working, ..(**status).clone() };
    Event::new(Fact::StatusChanged(Box::new(status)), told.time())
}

fn retry<W: Worker>(
    event: &Event,
    job: &Job,
    reason: Reason,
    after: Option<Duration>,
    rules: Rules,
) -> Decision {
    let attempts = job.attempts.saturating_add(1);
    // A vendor that asks for more time than there is gets what there is: one more attempt.
    let left = Duration::try_from(job.deadline - rules.now).unwrap_or_default();
    let asked = after.map(|after| if left > rules.retry.first { after.min(left) } else { after });
    let pause = rules.retry.pause(attempts).map(|pause| asked.unwrap_or(pause));
    match pause.filter(|pause| rules.now + *pause <= job.deadline) {
        Some(pause) => Decision {
            state: None,
            phase: Phase::Waiting(pause),
            words: status::<W>(event, job, events::Phase::Retrying, said(&reason)),
            alias: None,
            attempts,
            reason: Some(reason),
            trouble: None,
            outcome: "retry",
        },
        None => bury::<W>(event, job, None, reasons::deadline(event, Some(&reason)), Vec::new()),
    }
}

/// Those that got no turn together do not come back together.
fn later<W: Worker>(
    event: &Event,
    job: &Job,
    reason: &Reason,
    after: Duration,
    rules: Rules,
) -> Decision {
    let wait = after + jitter(after);
    if rules.now + wait > job.deadline {
        let reason = reasons::deadline(event, Some(reason));
        return bury::<W>(event, job, None, reason, Vec::new());
    }
    Decision {
        state: None,
        phase: Phase::Waiting(wait),
        words: Vec::new(),
        alias: None,
        attempts: job.attempts,
        reason: None,
        trouble: None,
        outcome: "later",
    }
}

fn down<W: Worker>(event: &Event, job: &Job, reason: Reason, rules: Rules) -> Decision {
    if rules.now + rules.away > job.deadline {
        let reason = reasons::deadline(event, Some(&reason));
        return bury::<W>(event, job, None, reason, Vec::new());
    }
    // Said once: a register may be away for hours.
    let news = job.last_error.as_deref() != Some(reason.text.en.as_str());
    let words = status::<W>(event, job, events::Phase::Retrying, said(&reason));
    Decision {
        state: None,
        phase: Phase::Waiting(rules.away),
        words: if news { words } else { Vec::new() },
        alias: None,
        attempts: job.attempts,
        reason: Some(reason),
        trouble: None,
        outcome: "down",
    }
}

fn bury<W: Worker>(
    event: &Event,
    job: &Job,
    state: Option<String>,
    reason: Reason,
    mut words: Vec<Word>,
) -> Decision {
    let phase = match reason.class {
        Class::Unknown => events::Phase::Unknown,
        Class::Invalid | Class::Refused | Class::Unavailable | Class::Internal => {
            events::Phase::Failed
        }
    };
    words.extend(status::<W>(event, job, phase, said(&reason)));
    let first_error = job.first_error.clone();
    let death = Some(job.fence);
    words.push(Word::Bury { reason: reason.clone(), attempts: job.attempts, first_error, death });
    Decision {
        state,
        phase: Phase::Dead,
        words,
        alias: None,
        attempts: job.attempts,
        reason: Some(reason),
        trouble: None,
        outcome: "dead",
    }
}

fn said(reason: &Reason) -> (&str, Text) {
    (&reason.code, reason.text.clone())
}

/// Where the job stands, as the shop is to learn it, if the event is about an order.
fn status<W: Worker>(
    event: &Event,
    job: &Job,
    phase: events::Phase,
    (code, text): (&str, Text),
) -> Vec<Word> {
    // A failure to write a status back has nobody to be told to but the people on duty.
    let Some(order) = event.order().filter(|_| !matches!(event.fact, Fact::StatusChanged(_)))
    else {
        return Vec::new();
    };
    let status = Status {
        service: W::SERVICE.to_owned(),
        order: order.clone(),
        cause: event.id(),
        // Each time a job is taken up, it can fail once: the mark of that time tells them apart.
        step: format!("{code} {}", job.fence),
        phase,
        code: code.to_owned(),
        text,
        properties: std::collections::BTreeMap::new(),
        links: std::collections::BTreeMap::new(),
    };
    let event = Event::new(Fact::StatusChanged(Box::new(status)), OffsetDateTime::now_utc());
    Word::tell(&event).into_iter().collect()
}

#[cfg(test)]
mod tests;
