//! Goods leave: their codes are taken, asked about, and written into documents.

use std::collections::BTreeMap;

use events::{MarksBy, Phase};
use runtime::{Failure, Step};

use super::{Job, Next, day};
use crate::{
    Marking,
    config::Confirm,
    gismt::{
        CisInfo, CisStatus, Group,
        documents::{DocumentType, Party, Product, Withdrawal, withdrawal},
    },
    plan,
    state::{New, Paper, Stage, State},
    store::{CodeStatus, Held, Reserve, Take, Why},
    words,
};

/// What the register says of a code that is to leave.
enum Verdict {
    /// It may, in this group.
    Go(Group),
    /// It has left already, by us.
    Gone,
    /// It has left by our receipt, as far as can be seen.
    ByReceipt,
    /// It must not: why, as [`words::against`] reads it.
    No(String),
}

impl Marking {
    /// Takes exactly the codes of what leaves.
    pub(super) async fn leave(&self, job: Job<'_>, new: New, shipment: u64) -> Next {
        // An earlier death may go on with the order as it says now.
        if job.snapshot.canceled {
            return self.leaves_nothing(job, "the order is cancelled").await;
        }
        let fault = |fault| words::fault(job.order, &fault);
        let lines = plan::shipped(job.snapshot, job.shop, shipment).map_err(fault)?;
        if lines.is_empty() {
            // They were there when it died before, perhaps.
            return self.leaves_nothing(job, "no marked goods").await;
        }
        // However it ends here: from now on the law's time runs.
        let due_at = job.event.time() + job.shop.withdraw_within;
        let departed = self.store.depart(job.order, job.cause(), due_at).await;
        departed.map_err(|error| job.store(&error))?;
        // The shop may have named codes since, and the order may never have been seen.
        let wanted = plan::wanted(job.snapshot, job.shop).map_err(fault)?;
        let (snapshot, cause) = (job.snapshot, job.cause());
        let ask = Reserve { snapshot, wanted: &wanted, cause, leaving: &lines };
        if self.store.reserve(ask).await.map_err(|error| job.store(&error))?.is_none() {
            return self.leaves_nothing(job, "the order was cancelled since").await;
        }
        let take = Take {
            order: job.order,
            lines: &lines,
            only_confirmed: job.shop.confirm == Confirm::Scan,
            channel: job.snapshot.marks_by,
            cause: job.cause(),
        };
        match self.store.take(take).await.map_err(|error| job.store(&error))? {
            Ok(held) if held.is_empty() => self.leaves_nothing(job, "its codes are gone").await,
            Ok(held) => Ok(Step::again(State::Taken { revision: new.revision, held })),
            Err(refusal) => {
                let reason = words::not_taken(job.order, &refusal);
                Ok(Step::stop(State::New(New::revision(new.revision)), reason))
            }
        }
    }

    /// Asks the register whether the codes may leave. One that may not keeps its order back and no other.
    pub(super) async fn ask_out(&self, job: Job<'_>, revision: u32, held: Vec<Held>) -> Next {
        let channel = self.channel(job).await?;
        match self.write_out(job, revision, &held, channel).await {
            Err(Failure::Dead(reason)) if channel == MarksBy::Document => {
                self.let_go(job, &held).await?;
                Ok(Step::stop(State::New(New::revision(revision + 1)), reason))
            }
            other => other,
        }
    }

    /// Nothing was sent: the codes wait at their lines. Under way they would hold up a cancelling.
    async fn let_go(&self, job: Job<'_>, held: &[Held]) -> Result<(), Failure> {
        let ids: Vec<i64> = held.iter().map(|code| code.id).collect();
        let ours =
            self.store.sent_by_us(job.order, &ids).await.map_err(|error| job.store(&error))?;
        let free: Vec<i64> = ids.into_iter().filter(|id| !ours.contains(id)).collect();
        self.settle(job, &free, CodeStatus::InOrder, "kept_back").await?;
        self.store.put_away(job.cause()).await.map_err(|error| job.store(&error))
    }

    async fn write_out(
        &self,
        job: Job<'_>,
        revision: u32,
        held: &[Held],
        channel: MarksBy,
    ) -> Next {
        let infos = self.infos(job, held, None).await?;
        let ids: Vec<i64> = held.iter().map(|code| code.id).collect();
        let ours =
            self.store.sent_by_us(job.order, &ids).await.map_err(|error| job.store(&error))?;
        let mut groups: BTreeMap<Group, Vec<Held>> = BTreeMap::new();
        let (mut gone, mut by_receipt, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        for (code, info) in held.iter().zip(&infos) {
            match self.verdict(job, info, ours.contains(&code.id), channel) {
                Verdict::Go(group) => groups.entry(group).or_default().push(code.clone()),
                Verdict::Gone => gone.push(code.id),
                // The receipt's own way looks for them.
                Verdict::ByReceipt => by_receipt.push(code.id),
                Verdict::No(why) => refused.push((code.clone(), why)),
            }
        }
        self.settle(job, &gone, CodeStatus::Sold, "retired_already").await?;
        if !refused.is_empty() {
            // They are out of circulation, so they do not go back to their lines with the others.
            gone.extend(self.by_our_receipt(job, by_receipt).await?);
            return self.refuse(job, revision, held, &gone, &refused).await;
        }
        if channel == MarksBy::Receipt {
            let held = held.to_vec();
            return Ok(Step::again(State::receipt(revision, held, Vec::new(), self.now())));
        }
        let cancelled = self.store.is_cancelled(job.order).await;
        if job.snapshot.canceled || cancelled.map_err(|error| job.store(&error))? {
            // Nothing was sent, and nothing has to be.
            let free: Vec<i64> = groups.values().flatten().map(|code| code.id).collect();
            self.settle(job, &free, CodeStatus::InStock, "cancelled").await?;
            return self.leaves_nothing(job, "the order is cancelled").await;
        }
        if groups.is_empty() {
            return self.finished(job, gone.len()).await;
        }
        let mut papers = Vec::with_capacity(groups.len());
        for (group, codes) in groups {
            papers.push(self.withdrawal(job, revision, group, codes).await?);
        }
        let text = words::working(job.order);
        let status = (Phase::Working, "documents_made");
        let event = words::status(job.event, job.order, status, text, self.now());
        Ok(Step::again(State::papers(revision, papers)).emit(event))
    }

    fn verdict(&self, job: Job<'_>, info: &CisInfo, is_sent: bool, channel: MarksBy) -> Verdict {
        let unsellable = match info.sellable(self.register.inn()) {
            Ok(group) => return Verdict::Go(group),
            Err(unsellable) => unsellable,
        };
        let retired = info.code.as_ref().filter(|code| code.status == Some(CisStatus::Retired));
        let Some(code) = retired else { return Verdict::No(unsellable.word()) };
        let reason = code.reason_word.as_deref().unwrap_or("?");
        match channel {
            MarksBy::Document if is_sent && code.reason == Some(job.shop.action) => Verdict::Gone,
            MarksBy::Receipt if reason == "RETAIL" => Verdict::ByReceipt,
            _ => Verdict::No(format!("retired:{reason}")),
        }
    }

    /// Codes that a receipt has withdrawn are sold, once a receipt of the order is known; else they wait
    /// where they are for the replay.
    async fn by_our_receipt(&self, job: Job<'_>, codes: Vec<i64>) -> Result<Vec<i64>, Failure> {
        let receipt = self.store.receipt(job.order).await.map_err(|error| job.store(&error))?;
        if receipt.is_some() {
            self.settle(job, &codes, CodeStatus::Sold, "by_receipt").await?;
        }
        Ok(codes)
    }

    /// The codes that the register does not let out go into quarantine, the others back to their lines.
    async fn refuse(
        &self,
        job: Job<'_>,
        revision: u32,
        held: &[Held],
        gone: &[i64],
        refused: &[(Held, String)],
    ) -> Next {
        let bad: Vec<i64> = refused.iter().map(|(code, _)| code.id).collect();
        let is_good = |id: &i64| !bad.contains(id) && !gone.contains(id);
        let good: Vec<i64> = held.iter().map(|code| code.id).filter(is_good).collect();
        self.settle(job, &good, CodeStatus::InOrder, "kept_back").await?;
        for (code, why) in refused {
            let why = Why { detail: why, ..Why::event("refused_by_register", job.cause()) };
            self.settle_as(job, &[code.id], CodeStatus::Quarantined, why).await?;
        }
        let told: Vec<(String, String)> =
            refused.iter().map(|(code, why)| (code.ki.masked(), why.clone())).collect();
        let reason = words::codes_refused(job.order, &told);
        Ok(Step::stop(State::New(New::revision(revision + 1)), reason))
    }

    /// Writes the withdrawal of one product group and signs it.
    async fn withdrawal(
        &self,
        job: Job<'_>,
        revision: u32,
        group: Group,
        codes: Vec<Held>,
    ) -> Result<Paper, Failure> {
        if job.shop.fias_id.is_nil() {
            return Err(words::place_missing(job.order));
        }
        let mut products = Vec::with_capacity(codes.len());
        for code in &codes {
            let price = plan::price(job.snapshot, code.line);
            let price = price.map_err(|fault| words::fault(job.order, &fault))?;
            let cis = code.ki.as_str().to_owned();
            products.push(Product { cis, kopecks: Some(price), primary: None });
        }
        let party = Party {
            inn: self.register.inn().to_owned(),
            kpp: job.shop.kpp.clone(),
            fias_id: job.shop.fias_id,
        };
        let asked = Withdrawal {
            party,
            reason: job.shop.action,
            other_reason: job.shop.other_reason.clone(),
            date: day(job.event.time()),
            buyer_inn: None,
            primary: None,
            products,
        };
        let body = withdrawal(&asked, day(self.now()));
        let body = body.map_err(|refusal| words::unwritable(job.order, &refusal))?;
        let id = job.paper(DocumentType::Withdrawal, group.code(), revision);
        let paper = self.paper(job, (id, DocumentType::Withdrawal, group), body, codes).await?;
        Ok(Paper { action: Some(job.shop.action), ..paper })
    }

    /// A document that is written and signed, and nothing sent.
    pub(super) async fn paper(
        &self,
        job: Job<'_>,
        (id, kind, group): (uuid::Uuid, DocumentType, Group),
        body: Vec<u8>,
        codes: Vec<Held>,
    ) -> Result<Paper, Failure> {
        let signature = self.register.sign(&body).await.map_err(|error| job.failure(error))?;
        let ids: Vec<i64> = codes.iter().map(|code| code.id).collect();
        let written = crate::store::Written {
            id,
            cause: job.cause(),
            order: job.order,
            kind: kind.word(),
            group: group.code(),
            body: &body,
            codes: &ids,
        };
        self.store.write(written).await.map_err(|error| job.store(&error))?;
        let body = String::from_utf8(body).map_err(|_| words::fact_unexpected(job.event))?;
        let (undoes, action, stage) = (None, None, Stage::Ready);
        Ok(Paper { id, kind, group, body, signature, codes, undoes, action, stage })
    }
}
