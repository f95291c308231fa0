//! The document's bytes: made of the order, checked, kept once.

use std::sync::Arc;

use events::Phase;
use runtime::Step;
use sha2::{Digest as _, Sha256};

use super::{Job, Next, partner::Found};
use crate::{
    Edo,
    plan::{self, Ask},
    state::{Attempt, State},
    store::{PartnerBox, Written},
    upd::Upd,
    words,
};

impl Edo {
    /// Reads details and goods, finds the buyer's box, writes and checks the document, and keeps its bytes.
    pub(super) async fn write(&self, job: Job<'_>, attempt: Attempt, looks: u32) -> Next {
        let since = job.event.time();
        let taken = self.store.taken_back_since(job.order, since).await;
        if let Some(taken) = taken.map_err(|error| job.store(&error))? {
            return self.stays(job, attempt, taken);
        }
        let buyer = plan::buyer(job.snapshot, &job.shop.rules.buyer)
            .map_err(|faults| words::faults(job.order, &faults))?;
        let Some(buyer) = buyer else { return Ok(super::nothing("a person buys: no INN")) };
        let mut ask = Ask {
            order: job.snapshot,
            about: job.about,
            at: since,
            shop: job.shop,
            buyer: &buyer,
            receiver: "",
            guid: job.document(&attempt),
            made_at: self.now(),
            correction: attempt.corrects.as_ref().map(|(number, _)| *number),
        };
        // What is wrong with the goods is told before anybody is asked about the buyer.
        plan::document(&ask).map_err(|faults| words::faults(job.order, &faults))?;
        let found = match self.partner(job, &buyer).await? {
            Found::Ready(found) => found,
            Found::Waits(found) => return Ok(self.invited(job, attempt, looks, &found)),
        };
        ask.receiver = &found.participant;
        let upd = plan::document(&ask).map_err(|faults| words::faults(job.order, &faults))?;
        let content = self.checked(job, &upd).await?;
        self.keep(job, &attempt, &upd, &found, &content).await?;
        Ok(Step::again(State::Written { attempt, document: ask.guid }))
    }

    /// Waits for the buyer, and tells the shop once.
    fn invited(
        &self,
        job: Job<'_>,
        attempt: Attempt,
        looks: u32,
        found: &PartnerBox,
    ) -> Step<State> {
        let next = State::Invited { attempt, looks: looks + 1 };
        let step = Step::wait(next, self.config.edo_partner_look);
        if looks > 0 {
            return step;
        }
        let text = words::invited(job.order, &found.name);
        step.emit(self.told(job, (Phase::Failed, "counterparty_invited"), text))
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
