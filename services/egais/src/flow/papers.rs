//! Documents on their way: written ahead, sent once, looked for when in doubt, answered by two tickets.

use std::time::Duration;

use events::{Event, Phase};
use runtime::{Failure, Reason, Step};
use time::OffsetDateTime;

use super::{Job, Next};
use crate::{
    Egais, mark,
    state::{Goods, New, Paper, Stage, State},
    store::{Note, Outcome, Rounds, Task, Turn},
    utm::{AWAY, Client, Error, Listed, What},
    words,
};

/// While another job sends to the same UTM.
const BUSY: Duration = Duration::from_secs(2);
/// Between two looks for a document whose receipt was lost.
const LOOK: Duration = Duration::from_secs(20);
/// Between two looks for tickets; the poll of the inbox brings a job sooner.
const TICKETS: Duration = Duration::from_secs(60);

/// What became of one document in one look.
enum Moved {
    /// It stands elsewhere: save that and go on.
    Now,
    /// It waits this long.
    Wait(Duration),
    /// Its UTM is away: why.
    Away(Reason),
    /// The job ends here, for a person.
    Stop(Reason),
}

/// What time has made of a document whose receipt was lost.
enum Doubt {
    /// It may still be found.
    Early,
    /// All was read, and it is nowhere.
    Quiet,
    /// The UTM does not let itself be read: no further look will tell.
    Hopeless,
}

impl Egais {
    /// Documents are made: they are entered and go on their way, together with what a person does.
    pub(super) async fn set_out(
        &self,
        job: Job<'_>,
        new: New,
        papers: Vec<Paper>,
        by_hand: Vec<Goods>,
    ) -> Next {
        for paper in &papers {
            let (book, number) = (job.book(), &job.order.number);
            let entered = self.store.enter(paper, (&book, number), job.cause(), self.now()).await;
            entered.map_err(|error| job.store(&error))?;
        }
        let told = (!papers.is_empty()).then(|| {
            let (code, text) = ((Phase::Working, "documents_made"), words::working(job.order));
            words::status(job.event, job.order, code, text, self.now())
        });
        let step = Step::again(new.set_out(papers, by_hand)).known_as(job.cause().to_string());
        Ok(emitting(step, told))
    }

    pub(super) async fn advance(&self, job: Job<'_>, new: New, mut papers: Vec<Paper>) -> Next {
        let mut pause: Option<Duration> = None;
        let mut told = Vec::new();
        for place in 0..papers.len() {
            let Some(paper) = papers.get_mut(place) else { continue };
            if paper.stage.is_final() {
                continue;
            }
            let moved = self.move_on(job, paper, &mut told).await?;
            match moved {
                Moved::Now => {
                    return Ok(emitting(Step::again(new.papers(papers)), told));
                }
                Moved::Wait(wait) => pause = Some(pause.map_or(wait, |pause| pause.min(wait))),
                // With one UTM for all there is nothing else to do: no orders are taken until it is back.
                Moved::Away(reason) if self.utms.len() == 1 => return Err(Failure::Down(reason)),
                Moved::Away(reason) => {
                    told.extend(self.is_away(job, paper, &reason));
                    pause = Some(pause.map_or(AWAY, |pause| pause.min(AWAY)));
                }
                Moved::Stop(reason) => {
                    paper.asked = true;
                    return Ok(emitting(Step::stop(new.papers(papers), reason), told));
                }
            }
        }
        match pause {
            Some(pause) => {
                let step = Step::wait(new.papers(papers), pause);
                Ok(emitting(step.known_as(job.cause().to_string()), told))
            }
            None => self.settle(job, new, papers).await,
        }
    }

    /// The shop hears once that the UTM of a document is away.
    fn is_away(&self, job: Job<'_>, paper: &mut Paper, reason: &Reason) -> Option<Event> {
        self.away.found(&paper.utm, self.now());
        let is_news = !std::mem::replace(&mut paper.away, true);
        let told = (Phase::Retrying, reason.code.as_str());
        is_news.then(|| {
            tracing::warn!(utm = %paper.utm, reason = %reason.text, "a UTM is away; others go on");
            words::status(job.event, job.order, told, reason.text.clone(), self.now())
        })
    }

    async fn move_on(
        &self,
        job: Job<'_>,
        paper: &mut Paper,
        told: &mut Vec<Event>,
    ) -> Result<Moved, Failure> {
        match paper.stage.clone() {
            Stage::Ready { after: Some(after), .. } if after > self.now() => {
                Ok(Moved::Wait((after - self.now()).unsigned_abs()))
            }
            Stage::Ready { refused, .. } => {
                if let Some(error) = self.away.take(&paper.identity) {
                    return Ok(Moved::Away(error.reason(&job.order.number)));
                }
                if let Some(left) = self.away.left(&paper.utm, self.now()) {
                    return Ok(Moved::Wait(left));
                }
                // A question without effect comes first: who does not answer it is not sent a document, and what is not
                // sent is in nobody's doubt.
                if let Err(error) = self.utm_of(job, paper)?.diagnose().await {
                    return Ok(Moved::Away(error.reason(&job.order.number)));
                }
                let (mark, since) = (self.marks.set(), self.now());
                paper.stage = Stage::Sending { mark, since, refused };
                paper.first_at.get_or_insert(since);
                self.note(job, paper, Note::new("sending", since)).await?;
                Ok(Moved::Now)
            }
            Stage::Sending { mark, since, refused } => {
                let utm = self.utm_of(job, paper)?;
                if self.marks.take(mark) {
                    return self.send(utm, paper, since, refused).await;
                }
                self.look(job, (utm, paper), since, told).await
            }
            Stage::Sent { reply_id, since, told: so_far } => {
                self.listen(job, paper, (reply_id, since, so_far), told).await
            }
            Stage::Done { .. } | Stage::Refused { .. } => Ok(Moved::Now),
        }
    }

    fn utm_of(&self, job: Job<'_>, paper: &Paper) -> Result<&Client, Failure> {
        self.utms.get(&paper.utm).ok_or_else(|| words::utm_gone(job.order, &paper.utm))
    }

    /// Sends a document that certainly was not sent under this mark. Where it did not leave, that is saved before anything
    /// else: a mark that outlives this process says that it perhaps has.
    async fn send(
        &self,
        utm: &Client,
        paper: &mut Paper,
        since: OffsetDateTime,
        refused: u32,
    ) -> Result<Moved, Failure> {
        let turn = self.store.turn(&paper.utm, Task::Send, self.config.egais_turn).await;
        let Some(turn) = turn.ok().flatten() else {
            paper.was_not_taken();
            paper.stage = Stage::Ready { refused, after: Some(self.now() + BUSY) };
            return Ok(Moved::Now);
        };
        let sent = utm.post(paper.kind, &paper.body).await;
        self.give_back(turn).await;
        match sent {
            Ok(reply_id) => {
                self.is_there(paper);
                let note = Note { reply_id: Some(&reply_id), ..Note::new("sent", self.now()) };
                self.note_softly(paper, note).await;
                paper.stage = Stage::Sent { reply_id: Some(reply_id), since: self.now(), told: 0 };
                Ok(Moved::Now)
            }
            Err(Error { what: What::Refused(words), .. }) => {
                self.is_there(paper);
                paper.was_not_taken();
                Ok(self.refused(paper, refused + 1, mark::masked(&words)).await)
            }
            Err(error) if error.what.had_no_effect() => {
                paper.was_not_taken();
                paper.stage = Stage::Ready { refused, after: None };
                self.away.meet(&paper.identity, error);
                Ok(Moved::Now)
            }
            Err(error) => {
                // Perhaps it was taken: from now on it is looked for.
                let words = error.what.to_string();
                let note = Note { words: Some(&words), ..Note::new("in doubt", since) };
                self.note_softly(paper, note).await;
                Ok(Moved::Wait(LOOK.min(self.config.egais_doubt)))
            }
        }
    }

    fn is_there(&self, paper: &mut Paper) {
        self.away.answered(&paper.utm);
        paper.away = false;
    }

    async fn give_back(&self, turn: Turn) {
        if let Err(error) = self.store.give_back(turn).await {
            tracing::debug!(%error, "a turn ends by itself");
        }
    }

    /// The UTM itself refused it: it has not left. The customer's rule: again after ten minutes, five times.
    async fn refused(&self, paper: &mut Paper, refused: u32, said: String) -> Moved {
        let note = Note { words: Some(&said), ..Note::new("refused by UTM", self.now()) };
        self.note_softly(paper, note).await;
        if refused < self.config.egais_refused_attempts {
            let after = Some(self.now() + self.config.egais_refused_pause);
            paper.stage = Stage::Ready { refused, after };
        } else {
            paper.stage = Stage::Refused { words: said, by_utm: true };
        }
        Moved::Now
    }

    /// Its receipt was lost: tickets and the UTM's list tell whether it was taken. Only when both are silent for long
    /// is it sent again, only where EGAIS itself would refuse a second one, and only so often.
    async fn look(
        &self,
        job: Job<'_>,
        (utm, paper): (&Client, &mut Paper),
        since: OffsetDateTime,
        told: &mut Vec<Event>,
    ) -> Result<Moved, Failure> {
        let outcome = self.store.outcome(&paper.utm, &paper.identity).await;
        if outcome.map_err(|error| job.store(&error))?.is_some() {
            paper.stage = Stage::Sent { reply_id: None, since, told: 0 };
            return Ok(Moved::Now);
        }
        self.tell_silence(job, paper, since, told).await?;
        if let Some(left) = self.away.left(&paper.utm, self.now()) {
            return Ok(Moved::Wait(left));
        }
        let found = match self.shown(utm, paper).await {
            Ok(found) => found,
            Err(error) => return Ok(Moved::Away(error.reason(&job.order.number))),
        };
        if let Some(Listed::There(reply_id)) = found {
            self.is_there(paper);
            let note = Note { reply_id: reply_id.as_deref(), ..Note::new("sent", self.now()) };
            self.note(job, paper, note).await?;
            paper.stage = Stage::Sent { reply_id, since, told: 0 };
            return Ok(Moved::Now);
        }
        let rounds = self.store.rounds(&paper.utm).await.map_err(|error| job.store(&error))?;
        match self.doubt(since, rounds, found.is_some()) {
            Doubt::Early => Ok(Moved::Wait(LOOK.min(self.config.egais_doubt))),
            Doubt::Quiet if self.goes_anew(paper, found.as_ref()) => {
                paper.doubts += 1;
                if std::mem::take(&mut paper.cleared) {
                    paper.is_nowhere();
                }
                paper.resent = true;
                paper.stage = Stage::ready();
                self.note(job, paper, Note::new("not found, again", self.now())).await?;
                Ok(Moved::Now)
            }
            Doubt::Quiet | Doubt::Hopeless => {
                paper.cleared = false;
                self.note(job, paper, Note::new("unknown", self.now())).await?;
                Ok(Moved::Stop(words::unknown(job.order, paper)))
            }
        }
    }

    /// Whether what was found nowhere is sent again.
    fn goes_anew(&self, paper: &Paper, found: Option<&Listed>) -> bool {
        match found {
            // As often as what the UTM refuses: what never gets through is for the administrator.
            Some(Listed::Absent) => {
                let is_tried = paper.doubts + 1 >= self.config.egais_refused_attempts;
                paper.cleared || paper.guarded && !is_tried
            }
            // What the UTM has and does not show, the person has looked at.
            Some(Listed::Hidden) => paper.cleared,
            Some(Listed::There(_)) | None => false,
        }
    }

    /// What the UTM shows of a document; `None` when it does not show anything. A list may be long and a UTM slow: what
    /// takes longer than a step may has found nothing yet.
    async fn shown(&self, utm: &Client, paper: &Paper) -> Result<Option<Listed>, Error> {
        let longest = self.config.egais_timeout * 2 / 3;
        match tokio::time::timeout(longest, self.find(utm, paper)).await {
            Ok(Ok(found)) => return Ok(Some(found)),
            Ok(Err(error)) if error.what.had_no_effect() => return Err(error),
            Ok(Err(error)) => tracing::debug!(%error, "the UTM does not show what was sent"),
            Err(_) => tracing::debug!(utm = utm.name(), "the UTM shows what was sent too slowly"),
        }
        Ok(None)
    }

    /// Looks for a document in the UTM's list; those that are known to be others' are not read.
    async fn find(&self, utm: &Client, paper: &Paper) -> Result<Listed, Error> {
        let mut entries = utm.outbox(paper.kind).await?;
        let names: Vec<String> =
            entries.iter().filter_map(|entry| entry.reply_id.clone()).collect();
        let others = self.store.others(utm.name(), &paper.identity, &names).await;
        let others = others.map_err(|error| Error::not_kept(utm.name(), &error))?;
        entries.retain(|entry| entry.reply_id.as_ref().is_none_or(|name| !others.contains(name)));
        utm.find(&entries, &paper.identity).await
    }

    /// What time has made of a doubt: until the inbox was read to its end for long enough, a ticket may still come.
    fn doubt(&self, since: OffsetDateTime, rounds: Rounds, is_shown: bool) -> Doubt {
        let (now, quiet_at) = (self.now(), since + self.config.egais_doubt);
        let is_read = rounds.ended_at.is_some_and(|ended| ended >= quiet_at)
            && rounds.unread_at.is_none_or(|unread| unread < since);
        if is_read && is_shown {
            return Doubt::Quiet;
        }
        let is_old = |at: OffsetDateTime| now - at >= self.config.egais_silence_warning;
        let is_stuck = rounds.unread_at.is_some_and(|at| at >= since && is_old(at))
            || rounds.ailing_since.is_some_and(is_old)
            || (!is_shown && is_old(quiet_at));
        if now >= quiet_at && is_stuck { Doubt::Hopeless } else { Doubt::Early }
    }

    /// What the tickets say; how long they have been silent.
    async fn listen(
        &self,
        job: Job<'_>,
        paper: &mut Paper,
        (reply_id, since, so_far): (Option<String>, OffsetDateTime, u8),
        told: &mut Vec<Event>,
    ) -> Result<Moved, Failure> {
        let outcome = self.store.outcome(&paper.utm, &paper.identity).await;
        match outcome.map_err(|error| job.store(&error))? {
            Some(Outcome::Done { reg_id }) => {
                paper.stage = Stage::Done { reg_id };
                return Ok(Moved::Now);
            }
            Some(Outcome::Refused { words }) => {
                paper.stage = Stage::Refused { words: mark::masked(&words), by_utm: false };
                return Ok(Moved::Now);
            }
            Some(Outcome::Checked { .. }) | None => {}
        }
        paper.told = paper.told.max(so_far);
        self.tell_silence(job, paper, since, told).await?;
        paper.stage = Stage::Sent { reply_id, since, told: paper.told };
        Ok(Moved::Wait(TICKETS.min(self.config.egais_poll * 6)))
    }

    /// The shop hears once that EGAIS is silent, and once that it is for long. It counts from the first sending, also
    /// while it is in doubt whether the UTM has it.
    async fn tell_silence(
        &self,
        job: Job<'_>,
        paper: &mut Paper,
        since: OffsetDateTime,
        told: &mut Vec<Event>,
    ) -> Result<(), Failure> {
        let silent = self.now() - paper.first_at.unwrap_or(since);
        let (level, code) = if silent >= self.config.egais_silence_alarm {
            (2, "egais_silent_long")
        } else if silent >= self.config.egais_silence_warning {
            (1, "egais_silent")
        } else {
            return Ok(());
        };
        if level <= paper.told {
            return Ok(());
        }
        let text = words::silent(job.order, paper, level == 2);
        told.push(words::status(job.event, job.order, (Phase::Working, code), text, self.now()));
        if level == 2 {
            tracing::error!(order.number = %job.order.number, document = %paper.identity,
                "EGAIS has not answered for a day: look in its cabinet; the document is not sent again");
        } else {
            tracing::warn!(order.number = %job.order.number, document = %paper.identity,
                "EGAIS has not answered yet");
        }
        self.note(job, paper, Note::new(code, self.now())).await?;
        paper.told = level;
        Ok(())
    }

    /// Every document has its end.
    async fn settle(&self, job: Job<'_>, mut new: New, mut papers: Vec<Paper>) -> Next {
        self.number(job, &mut papers).await?;
        let book = job.book();
        let away = |error: sqlx::Error| job.store(&error);
        let mut refused = Vec::new();
        for (place, paper) in papers.iter().enumerate() {
            let at = self.now();
            match &paper.stage {
                Stage::Refused { words, by_utm } => {
                    if paper.resent {
                        // The first of the two may be what EGAIS refuses the second for.
                        let reason = words::refused_twice(job.order, paper, words);
                        self.note(job, paper, Note::new("unknown", at)).await?;
                        let mut papers = papers.clone();
                        if let Some(paper) = papers.get_mut(place) {
                            paper.asked = true;
                        }
                        return Ok(Step::stop(new.papers(papers), reason));
                    }
                    if job.is_out() {
                        self.store.free(&book, &paper.identity).await.map_err(away)?;
                    } else {
                        self.store.stay(&book, &paper.identity).await.map_err(away)?;
                    }
                    let note =
                        Note { words: Some(words), is_end: true, ..Note::new("refused", at) };
                    self.note(job, paper, note).await?;
                    refused.push((words::refusal(paper, words), *by_utm));
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
                    new.done.push(paper.part.clone());
                    new.credit(if job.is_out() { &[] } else { &paper.goods });
                }
                Stage::Ready { .. } | Stage::Sending { .. } | Stage::Sent { .. } => {}
            }
        }
        if !refused.is_empty() {
            new.revision += 1;
            let reason = words::refused(job.order, &refused);
            return Ok(Step::stop(State::New(new), reason));
        }
        let by_hand = new.done.iter().any(|part| part == super::BY_HAND);
        let told = (!papers.is_empty()).then(|| words::done(&job, &papers, self.now()));
        let step = if by_hand {
            Step::stop(State::Done, words::by_hand(job.order))
        } else {
            Step::done(State::Done)
        };
        Ok(emitting(step, told))
    }

    /// What a person has found has no number; a ticket that came meanwhile names it.
    async fn number(&self, job: Job<'_>, papers: &mut [Paper]) -> Result<(), Failure> {
        for paper in papers {
            let Stage::Done { reg_id: number @ None } = &mut paper.stage else { continue };
            let outcome = self.store.outcome(&paper.utm, &paper.identity).await;
            if let Some(Outcome::Done { reg_id }) = outcome.map_err(|error| job.store(&error))? {
                *number = reg_id;
            }
        }
        Ok(())
    }

    /// A note whose loss is harmless: the state says the same.
    async fn note_softly(&self, paper: &Paper, note: Note<'_>) {
        if let Err(error) = self.store.note(&paper.identity, note).await {
            tracing::debug!(%error, "a document's history misses a step");
        }
    }

    async fn note(&self, job: Job<'_>, paper: &Paper, note: Note<'_>) -> Result<(), Failure> {
        self.store.note(&paper.identity, note).await.map_err(|error| job.store(&error))
    }
}

fn emitting(step: Step<State>, told: impl IntoIterator<Item = Event>) -> Step<State> {
    told.into_iter().fold(step, Step::emit)
}
