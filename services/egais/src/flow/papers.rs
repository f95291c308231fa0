//! Documents on their way: written ahead, sent once, looked for when in doubt, answered by two tickets.

use std::time::Duration;

use events::Phase;
use runtime::Step;
use time::OffsetDateTime;

use super::{Job, Next};
use crate::{
    Egais,
    state::{New, Paper, Stage, State},
    store::{Note, Outcome, Task},
    utm::{Listed, What},
    words,
};

/// While another job sends to the same UTM.
const BUSY: Duration = Duration::from_secs(2);
/// Between two looks for a document whose receipt was lost.
const LOOK: Duration = Duration::from_secs(20);
/// Between two looks for tickets; the poll of the inbox brings a job sooner.
const TICKETS: Duration = Duration::from_secs(60);
/// How long one may send: longer than a call takes.
const SEND: Duration = Duration::from_secs(90);

/// What became of one document in one look.
enum Moved {
    /// It stands elsewhere: save that and go on.
    Now,
    /// It waits this long.
    Wait(Duration),
    /// The job ends here, for a person.
    Stop(runtime::Reason),
}

impl Egais {
    /// Documents are made: they are entered and go on their way.
    pub(super) async fn set_out(&self, job: Job<'_>, new: New, papers: Vec<Paper>) -> Next {
        for paper in &papers {
            let (book, number) = (job.book(), &job.order.number);
            let entered = self.store.enter(paper, (&book, number), job.cause(), self.now()).await;
            entered.map_err(|error| job.store(&error))?;
        }
        let told = words::status(
            job.event,
            job.order,
            (Phase::Working, "documents_made"),
            words::working(job.order),
            self.now(),
        );
        let state = State::Papers { revision: new.revision, papers, done: new.done };
        Ok(Step::again(state).known_as(job.cause().to_string()).emit(told))
    }

    pub(super) async fn advance(
        &self,
        job: Job<'_>,
        revision: u32,
        mut papers: Vec<Paper>,
        done: Vec<String>,
    ) -> Next {
        let mut pause: Option<Duration> = None;
        let mut told = Vec::new();
        for place in 0..papers.len() {
            let Some(paper) = papers.get_mut(place) else { continue };
            if paper.stage.is_final() {
                continue;
            }
            let moved = self.move_on(job, paper, &mut told).await?;
            let papers = || State::Papers { revision, papers: papers.clone(), done: done.clone() };
            match moved {
                Moved::Now => return Ok(emitting(Step::again(papers()), told)),
                Moved::Wait(wait) => pause = Some(pause.map_or(wait, |pause| pause.min(wait))),
                Moved::Stop(reason) => {
                    return Ok(emitting(Step::stop(papers(), reason), told));
                }
            }
        }
        match pause {
            Some(pause) => {
                let step = Step::wait(State::Papers { revision, papers, done }, pause);
                Ok(emitting(step.known_as(job.cause().to_string()), told))
            }
            None => self.settle(job, revision, papers, done).await,
        }
    }

    async fn move_on(
        &self,
        job: Job<'_>,
        paper: &mut Paper,
        told: &mut Vec<events::Event>,
    ) -> Result<Moved, runtime::Failure> {
        match paper.stage.clone() {
            Stage::Ready { after: Some(after), .. } if after > self.now() => {
                Ok(Moved::Wait((after - self.now()).unsigned_abs()))
            }
            Stage::Ready { refused, .. } => {
                let (mark, since) = (self.marks.set(), self.now());
                paper.stage = Stage::Sending { mark, since, refused };
                self.note(job, paper, Note::new("sending", since)).await?;
                Ok(Moved::Now)
            }
            Stage::Sending { mark, since, refused } => {
                if self.marks.take(mark) {
                    return self.send(job, paper, (mark, since), refused).await;
                }
                self.look(job, paper, since).await
            }
            Stage::Sent { reply_id, since, told: so_far } => {
                self.listen(job, paper, (reply_id, since, so_far), told).await
            }
            Stage::Done { .. } | Stage::Refused { .. } => Ok(Moved::Now),
        }
    }

    /// Sends a document that certainly was not sent under this mark.
    async fn send(
        &self,
        job: Job<'_>,
        paper: &mut Paper,
        (mark, since): (uuid::Uuid, OffsetDateTime),
        refused: u32,
    ) -> Result<Moved, runtime::Failure> {
        let Some(utm) = self.utms.get(&paper.utm) else {
            return Err(words::fact_unexpected(job.event));
        };
        let turn = self.store.turn(&paper.utm, Task::Send, SEND).await;
        let turn = match turn {
            Ok(Some(turn)) => turn,
            Ok(None) => {
                self.marks.put_back(mark);
                return Ok(Moved::Wait(BUSY));
            }
            Err(error) => {
                self.marks.put_back(mark);
                return Err(job.store(&error));
            }
        };
        let sent = utm.post(paper.kind, &paper.body).await;
        if let Err(error) = self.store.give_back(turn, Some(self.now())).await {
            tracing::debug!(%error, "a turn ends by itself");
        }
        match sent {
            Ok(reply_id) => {
                let note = Note { reply_id: Some(&reply_id), ..Note::new("sent", self.now()) };
                self.note_softly(paper, note).await;
                paper.stage = Stage::Sent { reply_id: Some(reply_id), since: self.now(), told: 0 };
                Ok(Moved::Now)
            }
            Err(error) => match error.what {
                What::Refused(words) => Ok(self.refused(paper, refused + 1, words).await),
                what if what.had_no_effect() => {
                    self.marks.put_back(mark);
                    let error = crate::utm::Error { utm: error.utm, what };
                    Err(error.failure(&job.order.number))
                }
                what => {
                    // Perhaps it was taken: from now on it is looked for.
                    let words = what.to_string();
                    let note = Note { words: Some(&words), ..Note::new("in doubt", since) };
                    self.note_softly(paper, note).await;
                    Ok(Moved::Wait(LOOK.min(self.config.egais_doubt)))
                }
            },
        }
    }

    /// The UTM itself refused it: it has not left. The customer's rule: again after ten minutes, five times.
    async fn refused(&self, paper: &mut Paper, refused: u32, said: String) -> Moved {
        let note = Note { words: Some(&said), ..Note::new("refused by UTM", self.now()) };
        self.note_softly(paper, note).await;
        if refused < self.config.egais_refused_attempts {
            let after = Some(self.now() + self.config.egais_refused_pause);
            paper.stage = Stage::Ready { refused, after };
            return Moved::Wait(self.config.egais_refused_pause);
        }
        paper.stage = Stage::Refused { words: said };
        Moved::Now
    }

    /// Its receipt was lost: tickets and the UTM's list tell whether it was taken. Only when both are silent for long
    /// is it sent again, and only where EGAIS itself would refuse a second one.
    async fn look(
        &self,
        job: Job<'_>,
        paper: &mut Paper,
        since: OffsetDateTime,
    ) -> Result<Moved, runtime::Failure> {
        let Some(utm) = self.utms.get(&paper.utm) else {
            return Err(words::fact_unexpected(job.event));
        };
        let outcome = self.store.outcome(&paper.utm, &paper.identity).await;
        if outcome.map_err(|error| job.store(&error))?.is_some() {
            paper.stage = Stage::Sent { reply_id: None, since, told: 0 };
            return Ok(Moved::Now);
        }
        let found = utm.find(paper.kind, &paper.identity).await;
        let found = found.map_err(|error| error.failure(&job.order.number))?;
        if let Listed::There(reply_id) = found {
            let note = Note { reply_id: reply_id.as_deref(), ..Note::new("sent", self.now()) };
            self.note(job, paper, note).await?;
            paper.stage = Stage::Sent { reply_id, since, told: 0 };
            return Ok(Moved::Now);
        }
        let quiet_until = since + self.config.egais_doubt;
        let polled = self.store.ended_at(&paper.utm, Task::Poll).await;
        let polled = polled.map_err(|error| job.store(&error))?;
        let is_quiet = polled.is_some_and(|polled| polled >= quiet_until);
        let is_long = self.now() - since >= self.config.egais_silence_alarm;
        if !is_quiet && !is_long {
            return Ok(Moved::Wait(LOOK.min(self.config.egais_doubt)));
        }
        if is_quiet && paper.guarded && found == Listed::Absent {
            paper.resent = true;
            paper.stage = Stage::ready();
            self.note(job, paper, Note::new("not found, again", self.now())).await?;
            return Ok(Moved::Now);
        }
        self.note(job, paper, Note::new("unknown", self.now())).await?;
        Ok(Moved::Stop(words::unknown(job.order, paper)))
    }

    /// What the tickets say; how long they have been silent.
    async fn listen(
        &self,
        job: Job<'_>,
        paper: &mut Paper,
        (reply_id, since, so_far): (Option<String>, OffsetDateTime, u8),
        told: &mut Vec<events::Event>,
    ) -> Result<Moved, runtime::Failure> {
        let outcome = self.store.outcome(&paper.utm, &paper.identity).await;
        match outcome.map_err(|error| job.store(&error))? {
            Some(Outcome::Done { reg_id }) => {
                paper.stage = Stage::Done { reg_id };
                return Ok(Moved::Now);
            }
            Some(Outcome::Refused { words }) => {
                paper.stage = Stage::Refused { words };
                return Ok(Moved::Now);
            }
            Some(Outcome::Checked { .. }) | None => {}
        }
        let silent = self.now() - since;
        let (level, code) = if silent >= self.config.egais_silence_alarm {
            (2, "egais_silent_long")
        } else if silent >= self.config.egais_silence_warning {
            (1, "egais_silent")
        } else {
            (0, "")
        };
        if level > so_far {
            let text = words::silent(job.order, paper, level == 2);
            let code = (Phase::Working, code);
            told.push(words::status(job.event, job.order, code, text, self.now()));
            if level == 2 {
                tracing::error!(order.number = %job.order.number, document = %paper.identity,
                    "EGAIS has not answered for a day: look in its cabinet; the document is not sent again");
            } else {
                tracing::warn!(order.number = %job.order.number, document = %paper.identity,
                    "EGAIS has not answered yet");
            }
            self.note(job, paper, Note::new(code.1, self.now())).await?;
            paper.stage = Stage::Sent { reply_id, since, told: level };
        }
        Ok(Moved::Wait(TICKETS.min(self.config.egais_poll * 6)))
    }

    /// Every document has its end.
    async fn settle(
        &self,
        job: Job<'_>,
        revision: u32,
        papers: Vec<Paper>,
        mut done: Vec<String>,
    ) -> Next {
        let book = job.book();
        let away = |error: sqlx::Error| job.store(&error);
        let mut refused = Vec::new();
        for paper in &papers {
            let at = self.now();
            match &paper.stage {
                Stage::Refused { words } => {
                    if paper.resent {
                        // The first of the two may be what EGAIS refuses the second for.
                        let reason = words::refused_twice(job.order, paper, words);
                        let state = State::Papers { revision, papers: papers.clone(), done };
                        return Ok(Step::stop(state, reason));
                    }
                    if job.is_out() {
                        self.store.free(&book, &paper.identity).await.map_err(away)?;
                    } else {
                        self.store.stay(&book, &paper.identity).await.map_err(away)?;
                    }
                    let note =
                        Note { words: Some(words), is_end: true, ..Note::new("refused", at) };
                    self.note(job, paper, note).await?;
                    refused.push(words::refusal(paper, words));
                }
                Stage::Done { reg_id } => {
                    let (own, number) = (&paper.identity, reg_id.as_deref());
                    if job.is_out() {
                        self.store.written_off(&book, own, number, at).await.map_err(away)?;
                    } else {
                        self.store.came_back(&book, own, &paper.goods, at).await.map_err(away)?;
                    }
                    let note = Note { reg_id: number, is_end: true, ..Note::new("done", at) };
                    self.note(job, paper, note).await?;
                    done.push(paper.part.clone());
                }
                Stage::Ready { .. } | Stage::Sending { .. } | Stage::Sent { .. } => {}
            }
        }
        if !refused.is_empty() {
            let next = New { revision: revision + 1, done, waits_since: None };
            let reason = words::refused(job.order, &refused);
            return Ok(Step::stop(State::New(next), reason));
        }
        let by_hand = done.iter().any(|part| part == super::BY_HAND);
        let told = words::done(&job, &papers, self.now());
        if by_hand {
            return Ok(Step::stop(State::Done, words::by_hand(job.order)).emit(told));
        }
        Ok(Step::done(State::Done).emit(told))
    }

    /// A note whose loss is harmless: the state says the same.
    async fn note_softly(&self, paper: &Paper, note: Note<'_>) {
        if let Err(error) = self.store.note(&paper.identity, note).await {
            tracing::debug!(%error, "a document's history misses a step");
        }
    }

    async fn note(
        &self,
        job: Job<'_>,
        paper: &Paper,
        note: Note<'_>,
    ) -> Result<(), runtime::Failure> {
        self.store.note(&paper.identity, note).await.map_err(|error| job.store(&error))
    }
}

fn emitting(step: Step<State>, told: Vec<events::Event>) -> Step<State> {
    told.into_iter().fold(step, Step::emit)
}
