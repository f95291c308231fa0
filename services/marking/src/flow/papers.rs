//! Documents on their way: sent once, looked for when the answer was lost, looked at until the codes
//! are where they put them.

use events::Phase;
use runtime::{Failure, Step};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{Job, Next, nothing};
use crate::{
    Marking,
    gismt::{CisInfo, CisStatus, DocId, DocStatus, Filter, Group, documents::DocumentType},
    state::{New, Paper, Stage, State},
    store::{CodeStatus, Held, PaperState, Why},
    words,
};

/// How much earlier than our clock the register's may be.
const CLOCKS: Duration = Duration::minutes(10);
/// Looks in a row that may miss a document that was taken.
const MISSING: u32 = 20;

/// What became of one document in one step.
enum Turn {
    /// It went on: save, then go on now.
    On,
    /// It waits: after so many looks.
    Wait(u32),
    /// It stops for a person.
    Stop(runtime::Reason),
}

/// See [`State::Papers`].
pub(super) struct Sheaf {
    pub(super) revision: u32,
    pub(super) papers: Vec<Paper>,
    pub(super) late: bool,
}

impl Sheaf {
    fn state(self) -> State {
        let Self { revision, papers, late } = self;
        State::Papers { revision, papers, late }
    }
}

impl Marking {
    /// Brings one document on, or looks at all that wait.
    pub(super) async fn advance(&self, job: Job<'_>, mut sheaf: Sheaf) -> Next {
        // One call for each save: what may not be done twice is written down before it is done.
        let is_unsent = |paper: &Paper| matches!(paper.stage, Stage::Ready | Stage::Sending { .. });
        let sending = sheaf.papers.iter_mut().find(|paper| is_unsent(paper));
        let mut looks = u32::MAX;
        if let Some(paper) = sending {
            match self.send(job, paper).await? {
                Turn::On => return Ok(Step::again(sheaf.state())),
                Turn::Wait(seen) => looks = seen,
                Turn::Stop(reason) => return Ok(Step::stop(sheaf.state(), reason)),
            }
        }
        let mut stop = None;
        for paper in &mut sheaf.papers {
            while !paper.stage.is_final()
                && !matches!(paper.stage, Stage::Ready | Stage::Sending { .. })
            {
                match self.look(job, paper).await? {
                    Turn::On => {}
                    Turn::Wait(seen) => {
                        looks = looks.min(seen);
                        break;
                    }
                    Turn::Stop(reason) => {
                        stop = Some(reason);
                        break;
                    }
                }
            }
        }
        if let Some(reason) = stop {
            return Ok(Step::stop(sheaf.state(), reason));
        }
        if sheaf.papers.iter().all(|paper| paper.stage.is_final()) {
            return self.conclude(job, sheaf.revision, &sheaf.papers).await;
        }
        let pause = self.pause(looks.min(20));
        let is_late = !sheaf.late && self.is_late(job);
        sheaf.late |= is_late;
        let step = Step::wait(sheaf.state(), pause);
        Ok(if is_late { step.emit(self.late_status(job)) } else { step })
    }

    /// Writes the mark, sends under one that nobody has acted upon, looks under any other.
    async fn send(&self, job: Job<'_>, paper: &mut Paper) -> Result<Turn, Failure> {
        let Stage::Sending { permit, since, looks } = paper.stage else {
            return self.mark_sending(job, paper).await;
        };
        let is_free = match permit {
            Some(permit) => {
                self.store.begin_sending(permit).await.map_err(|error| job.store(&error))?
            }
            None => false,
        };
        match permit.filter(|_| is_free) {
            Some(permit) => self.send_under(job, paper, permit).await,
            None => self.search(job, paper, (permit, since, looks)).await,
        }
    }

    async fn mark_sending(&self, job: Job<'_>, paper: &mut Paper) -> Result<Turn, Failure> {
        if paper.signature.is_empty() {
            match self
                .register
                .sign(paper.body.as_bytes())
                .await
                .map_err(|error| job.failure(error))
            {
                Ok(signature) => paper.signature = signature,
                Err(Failure::Dead(reason)) => return self.refused(job, paper, reason).await,
                Err(failure) => return Err(failure),
            }
        }
        self.mark(job, paper, PaperState::Sending, None, "").await?;
        let (permit, since) = (Some(Uuid::new_v4()), self.now());
        paper.stage = Stage::Sending { permit, since, looks: 0 };
        Ok(Turn::On)
    }

    async fn send_under(
        &self,
        job: Job<'_>,
        paper: &mut Paper,
        permit: Uuid,
    ) -> Result<Turn, Failure> {
        let (since, body) = (self.now(), paper.body.as_bytes());
        let sent = self.register.create(paper.group, paper.kind, body, &paper.signature).await;
        match sent {
            Ok(doc) => {
                self.sent(job, paper, doc).await?;
                Ok(Turn::On)
            }
            Err(error) if error.what.had_no_effect() => match job.failure(error) {
                Failure::Dead(reason) => self.refused(job, paper, reason).await,
                failure => {
                    let freed = self.store.take_back_sending(permit).await;
                    freed.map_err(|error| job.store(&error))?;
                    Err(failure)
                }
            },
            Err(error) => {
                tracing::warn!(%error, order = job.order.id, "a document's answer was lost");
                paper.stage = Stage::Sending { permit: Some(permit), since, looks: 0 };
                Ok(Turn::Wait(0))
            }
        }
    }

    /// Nothing was taken: a replay writes, signs and sends anew, and meanwhile its codes are not under way.
    async fn refused(
        &self,
        job: Job<'_>,
        paper: &mut Paper,
        reason: runtime::Reason,
    ) -> Result<Turn, Failure> {
        self.mark(job, paper, PaperState::Refused, None, &reason.code).await?;
        paper.stage = Stage::Refused { errors: Vec::new(), reason: Some(reason) };
        Ok(Turn::On)
    }

    /// Looks for a document that was perhaps sent: it is never sent again on our own account.
    async fn search(
        &self,
        job: Job<'_>,
        paper: &mut Paper,
        (permit, since, looks): (Option<Uuid>, OffsetDateTime, u32),
    ) -> Result<Turn, Failure> {
        if let Some(doc) = self.found(job, paper, since).await? {
            self.sent(job, paper, doc).await?;
            return Ok(Turn::On);
        }
        if self.is_there(job, paper).await? {
            self.mark(job, paper, PaperState::Accepted, None, "seen by its codes").await?;
            paper.stage = Stage::Accepted { doc: None, looks: 0 };
            return Ok(Turn::On);
        }
        paper.stage = Stage::Sending { permit, since, looks: looks + 1 };
        let doubt = Duration::try_from(self.config.marking_doubt).unwrap_or(Duration::MAX);
        if self.now() - since < doubt {
            return Ok(Turn::Wait(looks));
        }
        self.mark(job, paper, PaperState::Unknown, None, "").await?;
        Ok(Turn::Stop(words::outcome_unknown(job.order, paper.kind.word(), paper.group.code())))
    }

    /// The document in the register's list that is this one: of its type and group, not older than
    /// the sending, none that we know as another, with exactly its codes.
    async fn found(
        &self,
        job: Job<'_>,
        paper: &Paper,
        since: OffsetDateTime,
    ) -> Result<Option<DocId>, Failure> {
        let filter =
            Filter { group: paper.group, kind: paper.kind, from: since - CLOCKS, to: None };
        let listed = self.register.doc_list(&filter).await.map_err(|error| job.failure(error))?;
        let mut own: Vec<&str> = paper.codes.iter().map(|code| code.ki.as_str()).collect();
        own.sort_unstable();
        let ids: Vec<String> = listed.iter().map(|document| document.id.to_string()).collect();
        let known = self.store.known(&ids, paper.id).await.map_err(|error| job.store(&error))?;
        // The newest first: it was sent just now.
        for document in listed.into_iter().rev() {
            let is_void = matches!(
                document.status,
                DocStatus::Refused
                    | DocStatus::Unreadable
                    | DocStatus::Failed
                    | DocStatus::Cancelled
            );
            if known.contains(document.id.as_str()) || (is_void && paper.stage.has_id()) {
                continue;
            }
            // It names a withdrawal and no codes: whether it is this one, what became of that tells.
            if paper.kind == DocumentType::Cancel {
                let looked = self.register.doc_info(paper.group, &document.id).await;
                looked.map_err(|error| job.failure(error))?;
                continue;
            }
            let codes = self.register.doc_cises(paper.group, &document.id).await;
            let Some(mut codes) = codes.map_err(|error| job.failure(error))? else { continue };
            codes.sort_unstable();
            if codes == own {
                return Ok(Some(document.id));
            }
        }
        Ok(None)
    }

    /// Whether the codes are already where the document puts them: they were not when it was written.
    async fn is_there(&self, job: Job<'_>, paper: &Paper) -> Result<bool, Failure> {
        if let Some((_, doc)) = &paper.undoes {
            let info = self.register.doc_info(paper.group, doc).await;
            let info = info.map_err(|error| job.failure(error))?;
            return Ok(info.is_some_and(|info| info.status == DocStatus::Cancelled));
        }
        let infos = self.infos(job, &paper.codes, Some(paper.group)).await?;
        Ok(infos.iter().all(|info| is_at_goal(job, paper, info)))
    }

    async fn sent(&self, job: Job<'_>, paper: &mut Paper, doc: DocId) -> Result<(), Failure> {
        self.mark(job, paper, PaperState::Sent, Some(&doc), "").await?;
        paper.stage = Stage::Sent { doc, looks: 0, missing: 0, lost: false };
        Ok(())
    }

    async fn look(&self, job: Job<'_>, paper: &mut Paper) -> Result<Turn, Failure> {
        match paper.stage.clone() {
            Stage::Sent { doc, looks, missing, .. } => {
                self.look_at_document(job, paper, (doc, looks, missing)).await
            }
            Stage::Accepted { doc, looks } => self.look_at_codes(job, paper, doc, looks).await,
            _ => Ok(Turn::On),
        }
    }

    async fn look_at_document(
        &self,
        job: Job<'_>,
        paper: &mut Paper,
        (doc, looks, missing): (DocId, u32, u32),
    ) -> Result<Turn, Failure> {
        let info =
            self.register.doc_info(paper.group, &doc).await.map_err(|error| job.failure(error))?;
        let Some(info) = info else {
            let (looks, missing, lost) = (looks + 1, missing + 1, missing >= MISSING);
            paper.stage = Stage::Sent { doc: doc.clone(), looks, missing, lost };
            if !lost {
                return Ok(Turn::Wait(looks - 1));
            }
            self.mark(job, paper, PaperState::Unknown, None, "not shown").await?;
            return Ok(Turn::Stop(words::document_lost(job.order, doc.as_str(), "404")));
        };
        match info.status {
            DocStatus::Open => {
                paper.stage = Stage::Sent { doc, looks: looks + 1, missing: 0, lost: false };
                Ok(Turn::Wait(looks))
            }
            DocStatus::Accepted => {
                self.mark(job, paper, PaperState::Accepted, None, "").await?;
                paper.stage = Stage::Accepted { doc: Some(doc), looks: 0 };
                Ok(Turn::On)
            }
            DocStatus::Refused | DocStatus::Unreadable | DocStatus::Failed => {
                if let Some(earlier) = self.earlier(job, paper, &doc).await? {
                    let detail = "an earlier document of ours did it";
                    self.mark(job, paper, PaperState::Accepted, Some(&earlier), detail).await?;
                    paper.stage = Stage::Accepted { doc: Some(earlier), looks: 0 };
                    return Ok(Turn::On);
                }
                let errors = if info.errors.is_empty() {
                    vec![info.status.word().to_owned()]
                } else {
                    info.errors
                };
                let detail: String =
                    hidden(&errors, &paper.codes).join("; ").chars().take(500).collect();
                self.mark(job, paper, PaperState::Refused, None, &detail).await?;
                paper.stage = Stage::Refused { errors, reason: None };
                Ok(Turn::On)
            }
            DocStatus::Cancelled | DocStatus::Other(_) => {
                let word = info.status.word();
                self.mark(job, paper, PaperState::Unknown, None, word).await?;
                let reason = words::document_lost(job.order, doc.as_str(), word);
                paper.stage = Stage::Sent { doc, looks: looks + 1, missing, lost: true };
                Ok(Turn::Stop(reason))
            }
        }
    }

    /// The document of ours that has already put the codes where the refused one would have: it was
    /// taken after all, when a person had said that it was not there.
    async fn earlier(
        &self,
        job: Job<'_>,
        paper: &Paper,
        refused: &DocId,
    ) -> Result<Option<DocId>, Failure> {
        if paper.kind == DocumentType::Cancel {
            return Ok(None);
        }
        let infos = self.infos(job, &paper.codes, Some(paper.group)).await?;
        if !infos.iter().all(|info| is_at_goal(job, paper, info)) {
            return Ok(None);
        }
        let found = self.found(job, paper, job.event.time()).await?;
        Ok(found.filter(|found| found != refused))
    }

    /// A document is done when its codes are seen where it puts them.
    async fn look_at_codes(
        &self,
        job: Job<'_>,
        paper: &mut Paper,
        doc: Option<DocId>,
        looks: u32,
    ) -> Result<Turn, Failure> {
        let infos = self.infos(job, &paper.codes, Some(paper.group)).await?;
        if !infos.iter().all(|info| is_at_goal(job, paper, info)) {
            paper.stage = Stage::Accepted { doc, looks: looks + 1 };
            return Ok(Turn::Wait(looks));
        }
        let ids: Vec<i64> = paper.codes.iter().map(|code| code.id).collect();
        let to = if job.is_out() { CodeStatus::Sold } else { self.home(job) };
        let why = if job.is_out() { "retired" } else { "introduced" };
        self.settle(job, &ids, to, why).await?;
        self.mark(job, paper, PaperState::Done, None, "").await?;
        if let Some((undone, _)) = &paper.undoes {
            let marked = self.store.mark(*undone, PaperState::Cancelled, None, "").await;
            marked.map_err(|error| job.store(&error))?;
        }
        paper.stage = Stage::Done;
        Ok(Turn::On)
    }

    /// Every document has come to its end.
    async fn conclude(&self, job: Job<'_>, revision: u32, papers: &[Paper]) -> Next {
        let (mut refused, mut count, mut unseen) = (Vec::new(), 0, None);
        for paper in papers {
            let Stage::Refused { errors, reason } = &paper.stage else {
                count += paper.codes.len();
                continue;
            };
            unseen = unseen.or(reason.as_ref());
            let is_named =
                |code: &&Held| errors.iter().any(|error| error.contains(code.ki.as_str()));
            let (named, others): (Vec<&Held>, Vec<&Held>) = paper.codes.iter().partition(is_named);
            let ids = |codes: &[&Held]| codes.iter().map(|code| code.id).collect::<Vec<_>>();
            if job.is_out() {
                self.settle(job, &ids(&named), CodeStatus::Quarantined, "document_refused").await?;
                self.settle(job, &ids(&others), CodeStatus::InOrder, "document_refused").await?;
            } else {
                let all: Vec<&Held> = paper.codes.iter().collect();
                self.settle(job, &ids(&all), CodeStatus::Sold, "document_refused").await?;
            }
            refused.extend(hidden(errors, &paper.codes));
        }
        let reason = match unseen {
            _ if !refused.is_empty() => words::document_refused(job.order, &refused),
            Some(reason) => reason.clone(),
            None => return self.finished(job, count).await,
        };
        Ok(Step::stop(State::New(New::revision(revision + 1)), reason))
    }

    /// The job is done, and the shop hears of it.
    pub(super) async fn finished(&self, job: Job<'_>, count: usize) -> Next {
        self.close(job).await?;
        let text = words::done(job.order, job.is_out(), count);
        let code = if job.is_out() { "codes_withdrawn" } else { "codes_returned" };
        let event = words::status(job.event, job.order, (Phase::Done, code), text, self.now());
        Ok(Step::done(State::Done).emit(event))
    }

    /// Nothing of the shipment is to be withdrawn.
    pub(super) async fn leaves_nothing(&self, job: Job<'_>, why: &str) -> Next {
        self.close(job).await?;
        Ok(nothing(why))
    }

    /// The law's time is kept, and papers that came to nothing are of no interest any more.
    async fn close(&self, job: Job<'_>) -> Result<(), Failure> {
        let closed = async {
            self.store.arrive(job.cause(), self.now()).await?;
            self.store.put_away(job.cause()).await
        };
        closed.await.map_err(|error| job.store(&error))
    }

    /// What the register says of these codes, one for each in their order.
    pub(super) async fn infos(
        &self,
        job: Job<'_>,
        held: &[Held],
        group: Option<Group>,
    ) -> Result<Vec<CisInfo>, Failure> {
        let kis: Vec<&str> = held.iter().map(|code| code.ki.as_str()).collect();
        self.register.cises_info(&kis, group).await.map_err(|error| job.failure(error))
    }

    pub(super) async fn settle(
        &self,
        job: Job<'_>,
        codes: &[i64],
        to: CodeStatus,
        why: &str,
    ) -> Result<(), Failure> {
        if codes.is_empty() {
            return Ok(());
        }
        self.settle_as(job, codes, to, Why::event(why, job.cause())).await
    }

    pub(super) async fn settle_as(
        &self,
        job: Job<'_>,
        codes: &[i64],
        to: CodeStatus,
        why: Why<'_>,
    ) -> Result<(), Failure> {
        let settled = self.store.settle(job.order, codes, to, (why, job.cause())).await;
        settled.map_err(|error| job.store(&error))
    }

    async fn mark(
        &self,
        job: Job<'_>,
        paper: &Paper,
        state: PaperState,
        doc: Option<&DocId>,
        detail: &str,
    ) -> Result<(), Failure> {
        let marked = self.store.mark(paper.id, state, doc.map(DocId::as_str), detail).await;
        marked.map_err(|error| job.store(&error))
    }
}

/// Whether a code is where the document puts it.
fn is_at_goal(job: Job<'_>, paper: &Paper, info: &CisInfo) -> bool {
    let Some(code) = &info.code else { return false };
    match paper.kind {
        DocumentType::Withdrawal => {
            let action = paper.action.unwrap_or(job.shop.action);
            code.status == Some(CisStatus::Retired) && code.reason == Some(action)
        }
        DocumentType::Cancel | DocumentType::Return => code.status == Some(CisStatus::Introduced),
    }
}

/// Errors with the codes in them masked.
fn hidden(errors: &[String], codes: &[Held]) -> Vec<String> {
    let hide = |error: &String| {
        codes
            .iter()
            .fold(error.clone(), |text, code| text.replace(code.ki.as_str(), &code.ki.masked()))
    };
    errors.iter().map(hide).collect()
}
