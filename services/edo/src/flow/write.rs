//! The document's bytes: made of the order, checked, kept once.

use std::sync::Arc;

use events::Phase;
use runtime::Step;
use sha2::{Digest as _, Sha256};

use super::{Job, Next, partner::Found};
use crate::{
    Edo,
    plan::{self, Ask, Buyer, Numbers},
    state::{Attempt, Refused, State},
    store::{PartnerBox, Written},
    upd::Upd,
    words,
};

/// The buyer's details, if a company buys.
fn buyer(job: Job<'_>) -> Result<Option<Buyer>, runtime::Failure> {
    plan::buyer(job.snapshot, &job.shop.rules.buyer)
        .map_err(|faults| words::faults(job.order, &faults))
}

/// The buyer has had this very document and did not want it, and only what the document does not say has changed in the
/// order since: the same again is sent by a person's word alone.
fn same_again(job: Job<'_>, attempt: &Attempt, says: &str) -> Option<Step<State>> {
    let refused = attempt.refused.as_ref().filter(|refused| refused.says == says)?;
    let order = plan::stamp(job.snapshot);
    if refused.order == order {
        return None;
    }
    let refused = Some(Refused { says: says.to_owned(), order });
    let next = State::New(Attempt { refused, ..attempt.clone() });
    Some(Step::stop(next, words::same_again(job.order)))
}

impl Edo {
    /// Reads details and goods, finds the buyer's box, writes and checks the document, and keeps its bytes.
    pub(super) async fn write(&self, job: Job<'_>, attempt: Attempt, looks: u32) -> Next {
        let since = job.event.time();
        let taken = self.store.taken_back_since(job.order, since).await;
        if let Some(taken) = taken.map_err(|error| job.store(&error))? {
            return self.stays(job, attempt, taken);
        }
        if let Some((_, first)) = &attempt.corrects {
            let corrected = self.store.is_corrected(first).await;
            if corrected.map_err(|error| job.store(&error))? {
                return Ok(super::nothing("a person has corrected the document"));
            }
        }
        let Some(buyer) = buyer(job)? else { return Ok(super::nothing("a person buys: no INN")) };
        let numbers = self.store.numbers(job.order, job.event.id()).await;
        let numbers = numbers.map_err(|error| job.store(&error))?;
        let mut ask = self.ask(job, &attempt, &buyer, &numbers);
        // What is wrong with the goods is told before anybody is asked about the buyer.
        let draft = plan::document(&ask).map_err(|faults| words::faults(job.order, &faults))?;
        let says = plan::says(&draft);
        if let Some(step) = same_again(job, &attempt, &says) {
            return Ok(step);
        }
        let found = match self.partner(job, &buyer).await? {
            Found::Ready(found) => found,
            Found::Waits(found) => return Ok(self.invited(job, attempt, looks, &found)),
            Found::Soon => {
                let next = State::Invited { attempt, looks };
                return Ok(Step::wait(next, self.config.edo_partner_look));
            }
        };
        ask.receiver = &found.participant;
        let upd = plan::document(&ask).map_err(|faults| words::faults(job.order, &faults))?;
        let content = self.checked(job, &upd).await?;
        self.keep(job, &attempt, &upd, &found, &content).await?;
        let attempt = Attempt { says: Some(says), ..attempt };
        Ok(Step::again(State::Written { attempt, document: ask.guid }))
    }

    /// Whether the document that is kept still says what the order says. One that has not left is made anew where not:
    /// its job may have stood still for days, and gone on with a mended order.
    pub(super) async fn still_says(
        &self,
        job: Job<'_>,
        attempt: &Attempt,
    ) -> Result<bool, runtime::Failure> {
        let Some(kept) = &attempt.says else { return Ok(true) };
        let Ok(Some(buyer)) = buyer(job) else { return Ok(false) };
        let numbers = self.store.numbers(job.order, job.event.id()).await;
        let numbers = numbers.map_err(|error| job.store(&error))?;
        let draft = plan::document(&self.ask(job, attempt, &buyer, &numbers));
        Ok(draft.is_ok_and(|draft| plan::says(&draft) == *kept))
    }

    fn ask<'a>(
        &self,
        job: Job<'a>,
        attempt: &Attempt,
        buyer: &'a Buyer,
        numbers: &'a Numbers,
    ) -> Ask<'a> {
        Ask {
            order: job.snapshot,
            about: job.about,
            at: job.event.time(),
            shop: job.shop,
            buyer,
            receiver: "",
            guid: job.document(attempt),
            made_at: self.now(),
            correction: attempt.corrects.as_ref().map(|(number, _)| *number),
            numbers,
        }
    }

    /// Waits for the buyer, and tells the shop once.
    fn invited(
        &self,
        job: Job<'_>,
        attempt: Attempt,
        looks: u32,
        found: &PartnerBox,
    ) -> Step<State> {
        let text = words::invited(job.order, &found.name);
        let event = self.told(job, &attempt, (Phase::Failed, "counterparty_invited"), text);
        let next = State::Invited { attempt, looks: looks + 1 };
        let step = Step::wait(next, self.config.edo_partner_look);
        if looks > 0 { step } else { step.emit(event) }
    }

    /// The exact bytes, if they are right.
    async fn checked(&self, job: Job<'_>, upd: &Upd) -> Result<Vec<u8>, runtime::Failure> {
        let format = job.shop.rules.format;
        let tree = format.write(upd);
        let content = Arc::new(tree.windows_1251());
        let (formats, bytes) = (self.formats.clone(), Arc::clone(&content));
        let checked =
            tokio::task::spawn_blocking(move || formats.check(format, &tree, &bytes)).await;
        let broken = |broken: &[String]| words::not_by_format(job.order, broken);
        match checked {
            Ok(Ok(())) => Ok(Arc::unwrap_or_clone(content)),
            Ok(Err(faults)) => Err(broken(&faults)),
            Err(error) => Err(broken(&[error.to_string()])),
        }
    }

    async fn keep(
        &self,
        job: Job<'_>,
        attempt: &Attempt,
        upd: &Upd,
        found: &PartnerBox,
        content: &[u8],
    ) -> Result<(), runtime::Failure> {
        let rules = &job.shop.rules;
        let kind = match &attempt.corrects {
            Some(_) => &rules.types.revision,
            None => &rules.types.document,
        };
        let id = job.document(attempt);
        // Another document under the same key would bring back the first: the bytes are in the key.
        let digest: [u8; 32] = Sha256::digest(content).into();
        let digest: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let written = Written {
            id,
            cause: job.event.id(),
            order: job.order,
            revision: attempt.revision,
            correction: attempt.corrects.as_ref().map(|(number, _)| *number),
            kind,
            function: rules.function.word(),
            version: rules.types.version(rules.format),
            file_name: &upd.file.to_string(),
            number: &upd.number,
            total: upd.total().kopecks(),
            receiver: &found.box_id,
            operation: &format!("parom-{}-{digest}", id.simple()),
            content,
            made_at: self.now(),
        };
        self.store.write(&written).await.map_err(|error| job.store(&error))
    }
}
