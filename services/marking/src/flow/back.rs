//! Goods come back, or never left: the way by which a code left decides how it returns.

use std::collections::BTreeMap;

use events::{MarksBy, Phase, ReturnedLine};
use runtime::{Failure, Step};

use super::{EARLIER, Job, Next, day, nothing};
use crate::{
    Marking,
    gismt::{
        CisStatus, DocId, Group,
        documents::{
            DocumentType, Primary, PrimaryKind, Reason, Return, ReturnType, Returned, cancel,
            return_,
        },
    },
    plan,
    state::{New, Paper, State},
    store::{Back, BackRefusal, Cancel, Cancelled, CodeStatus, Held},
    words,
};

/// Codes that come back in one document.
type Parcels = BTreeMap<(Group, ReturnType), Vec<(Held, Reason)>>;

impl Marking {
    /// The order is cancelled: what has not left is free, what has left comes back.
    pub(super) async fn cancel(&self, job: Job<'_>, new: New) -> Next {
        // Where the order's own flag does not say it, its status does.
        let status = Some(job.snapshot.status.as_str()).filter(|_| !job.snapshot.canceled);
        let (order, at, cause) = (job.order, job.snapshot.updated_at, job.cause());
        let cancelled = self.store.cancel(Cancel { order, at, status, cause }).await;
        match cancelled.map_err(|error| job.store(&error))? {
            Cancelled::Restored => Ok(nothing("the order was restored since")),
            Cancelled::Freed(0) => Ok(nothing("the order has no codes")),
            Cancelled::Freed(count) => {
                let text = words::freed(job.order, count);
                let status = (Phase::Done, "codes_freed");
                let event = words::status(job.event, job.order, status, text, self.now());
                Ok(Step::done(State::Done).emit(event))
            }
            // As long as it takes: a withdrawal under way comes to an end, or stops for a person.
            Cancelled::Wait => Ok(Step::wait(State::New(new), EARLIER)),
            Cancelled::Left(held) => Ok(Step::again(State::Taken { revision: new.revision, held })),
        }
    }

    /// Goods came back.
    pub(super) async fn come_back(&self, job: Job<'_>, new: New, lines: &[ReturnedLine]) -> Next {
        let back = plan::back(job.snapshot, job.shop, lines);
        let mut back = back.map_err(|fault| words::fault(job.order, &fault))?;
        let known = self.store.lines(job.order).await.map_err(|error| job.store(&error))?;
        // The shipment may not have been written down yet, or may never be: the order says it too.
        let says =
            |back: &Back| u64::try_from(back.line).is_ok_and(|id| job.snapshot.line(id).is_some());
        let is_marked = |back: &Back| known.contains(&back.line) || says(back);
        if !back.iter().any(is_marked) {
            return Ok(nothing("no marked goods"));
        }
        // A line that is gone from an order whose marked lines are known was none of them.
        back.retain(|back| known.is_empty() || is_marked(back));
        let taken = self.store.take_back(job.order, &back, job.cause()).await;
        match taken.map_err(|error| job.store(&error))? {
            Ok(held) if held.is_empty() => Ok(Step::done(State::Done)),
            Ok(held) => Ok(Step::again(State::Taken { revision: new.revision, held })),
            Err(BackRefusal::Wait) => Ok(Step::wait(State::New(new), EARLIER)),
            // The return may have overtaken the shipment.
            Err(BackRefusal::TooMany(name)) => {
                let before = self.store.has_come_back(job.cause()).await;
                if new.revision == 1 && before.map_err(|error| job.store(&error))? {
                    return Ok(nothing("the goods are back already"));
                }
                Ok(self.wait_earlier(&new, words::never_left(job.order, &name)))
            }
            Err(BackRefusal::Ambiguous(name)) => {
                let reason = words::which_came_back(job.order, &name);
                Ok(Step::stop(State::New(New::revision(new.revision)), reason))
            }
        }
    }

    /// Asks the register how each code left, and writes what follows from it.
    pub(super) async fn ask_back(&self, job: Job<'_>, revision: u32, held: Vec<Held>) -> Next {
        let infos = self.infos(job, &held, None).await?;
        let (mut home, mut strange) = (Vec::new(), Vec::new());
        let mut parcels = Parcels::new();
        let (mut by_receipt, mut by_document) = (Vec::new(), Vec::new());
        let channel = self.channel(job).await?;
        for (code, info) in held.iter().zip(&infos) {
            let Some(known) = &info.code else {
                strange.push((code.ki.masked(), "not_found".to_owned()));
                continue;
            };
            match (known.status, known.reason, known.group) {
                (Some(CisStatus::Introduced), ..) => home.push(code.id),
                (Some(CisStatus::Retired), Some(Reason::Retail), _)
                    if channel == MarksBy::Receipt =>
                {
                    by_receipt.push(code.clone());
                }
                (Some(CisStatus::Retired), Some(reason), Some(group)) => {
                    let kind = self.matrix.after(reason).next();
                    let kind = kind.ok_or_else(|| {
                        words::no_return(job.order, &code.ki.masked(), reason.word())
                    })?;
                    parcels.entry((group, kind)).or_default().push((code.clone(), reason));
                    by_document.push(code.clone());
                }
                _ => strange.push((code.ki.masked(), known.stands())),
            }
        }
        if !strange.is_empty() {
            return Err(Failure::Dead(words::codes_foreign(job.order, &strange)));
        }
        self.settle(job, &home, self.home(job), "introduced_already").await?;
        if !by_receipt.is_empty() {
            // The refund's receipt brings them back; documents of ours would be a second way. What left
            // another way is asked about again after that.
            let receipt = State::receipt(revision, by_receipt, by_document, self.now());
            return Ok(Step::again(receipt));
        }
        let papers = self.papers_back(job, revision, parcels).await?;
        if papers.is_empty() {
            return self.finished(job, home.len()).await;
        }
        let text = words::working(job.order);
        let status = (Phase::Working, "documents_made");
        let event = words::status(job.event, job.order, status, text, self.now());
        Ok(Step::again(State::papers(revision, papers)).emit(event))
    }

    /// The way by which the order's pieces leave and come back: that of its first piece.
    pub(super) async fn channel(&self, job: Job<'_>) -> Result<MarksBy, Failure> {
        let kept = self.store.channel(job.order).await.map_err(|error| job.store(&error))?;
        Ok(kept.unwrap_or(job.snapshot.marks_by))
    }

    /// Where codes go that are back.
    pub(super) fn home(&self, job: Job<'_>) -> CodeStatus {
        use crate::config::ReturnedTo;
        match (&job.event.fact, job.shop.returned_to) {
            // What never left needs no looking at.
            (events::Fact::OrderCancelled(_), _) | (_, ReturnedTo::Stock) => CodeStatus::InStock,
            (_, ReturnedTo::Quarantine) => CodeStatus::Quarantined,
        }
    }

    async fn papers_back(
        &self,
        job: Job<'_>,
        revision: u32,
        mut parcels: Parcels,
    ) -> Result<Vec<Paper>, Failure> {
        let mut papers = Vec::new();
        if matches!(job.event.fact, events::Fact::OrderCancelled(_)) {
            papers = self.undone(job, revision, &mut parcels).await?;
        }
        for ((group, kind), codes) in parcels {
            if !codes.is_empty() {
                papers.push(self.returned(job, revision, (group, kind), codes).await?);
            }
        }
        Ok(papers)
    }

    /// Withdrawals all of whose codes come back are undone as such.
    async fn undone(
        &self,
        job: Job<'_>,
        revision: u32,
        parcels: &mut Parcels,
    ) -> Result<Vec<Paper>, Failure> {
        let withdrawals = self.store.withdrawals(job.order).await;
        let mut papers = Vec::new();
        for done in withdrawals.map_err(|error| job.store(&error))? {
            let is_back = |id: &i64| parcels.values().flatten().any(|(code, _)| code.id == *id);
            let (Some(doc), Some(group)) =
                (DocId::new(&done.register_id), Group::from_code(&done.group))
            else {
                continue;
            };
            if done.codes.is_empty() || !done.codes.iter().all(is_back) {
                continue;
            }
            let mut codes = Vec::new();
            for parcel in parcels.values_mut() {
                let (own, others): (Vec<_>, Vec<_>) = std::mem::take(parcel)
                    .into_iter()
                    .partition(|(code, _)| done.codes.contains(&code.id));
                codes.extend(own.into_iter().map(|(code, _)| code));
                *parcel = others;
            }
            let body = cancel(self.register.inn(), &doc);
            let body = body.map_err(|refusal| words::unwritable(job.order, &refusal))?;
            let id = job.paper(DocumentType::Cancel, doc.as_str(), revision);
            let paper = self.paper(job, (id, DocumentType::Cancel, group), body, codes).await?;
            papers.push(Paper { undoes: Some((done.id, doc)), ..paper });
        }
        Ok(papers)
    }

    /// The document by which codes of one group and one way come back.
    async fn returned(
        &self,
        job: Job<'_>,
        revision: u32,
        (group, kind): (Group, ReturnType),
        codes: Vec<(Held, Reason)>,
    ) -> Result<Paper, Failure> {
        let is_remote = kind == ReturnType::RemoteSale;
        let paid = is_remote.then(|| plan::is_paid(job.snapshot));
        let needs_primary =
            paid == Some(true) || kind == ReturnType::Retail || kind == ReturnType::NotForSale;
        let primary = if needs_primary { Some(self.primary(job, kind).await?) } else { None };
        let product = |(code, reason): &(Held, Reason)| Returned {
            ki: code.ki.as_str().to_owned(),
            reason: *reason,
            paid: None,
            primary: None,
            certificate: None,
        };
        let asked = Return {
            inn: self.register.inn().to_owned(),
            return_type: kind,
            paid,
            primary,
            certificate: None,
            products: codes.iter().map(product).collect(),
        };
        let body = return_(&asked, &self.matrix);
        let body = body.map_err(|refusal| words::unwritable(job.order, &refusal))?;
        let what = format!("{group} {}", kind.word());
        let id = job.paper(DocumentType::Return, &what, revision);
        let codes = codes.into_iter().map(|(code, _)| code).collect();
        self.paper(job, (id, DocumentType::Return, group), body, codes).await
    }

    /// The sale's receipt, or the order itself where no receipt is known.
    async fn primary(&self, job: Job<'_>, kind: ReturnType) -> Result<Primary, Failure> {
        let receipt = self.store.receipt(job.order).await.map_err(|error| job.store(&error))?;
        Ok(match receipt.filter(|_| kind != ReturnType::NotForSale) {
            Some((number, at)) => {
                Primary { kind: PrimaryKind::Receipt, number, date: day(at), name: None }
            }
            None => Primary {
                kind: PrimaryKind::Other,
                number: job.order.number.clone(),
                date: day(job.snapshot.created_at),
                name: Some("Заказ".to_owned()),
            },
        })
    }
}
