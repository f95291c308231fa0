//! A document at Diadoc, until the buyer has answered: what it says is read there each time.

use events::Phase;
use runtime::{Failure, Step};

use super::{Job, Next};
use crate::{
    Edo,
    diadoc::{Document, Response, Revocation},
    plan,
    state::{Refused, Sent, State},
    store::State as DocumentState,
    words,
};

/// What a decision of the buyer or of Diadoc comes to.
pub(crate) struct Decision {
    pub(crate) state: DocumentState,
    pub(crate) code: &'static str,
    pub(crate) ru: &'static str,
    pub(crate) en: &'static str,
}

impl Edo {
    /// Looks at the document and acts upon what it says.
    pub(super) async fn watch(&self, job: Job<'_>, sent: Sent) -> Next {
        let found = self.diadoc.document(&sent.posted).await;
        let document = found.map_err(|error| job.failure(error))?;
        let times = self.store.times(sent.document, document.delivered_at, None).await;
        times.map_err(|error| job.store(&error))?;
        if let Some(decision) = decision(&document) {
            return self.decided(job, sent, &decision).await;
        }
        if let Some(why) = &document.roaming_error {
            return Ok(self.not_roamed(job, sent, why));
        }
        match document.response {
            Response::Signed => self.signed(job, &sent, &document).await,
            // No signature wanted is no signature: documents of our kinds always want one.
            _ => Ok(self.still_waits(job, sent, &document)),
        }
    }

    async fn signed(&self, job: Job<'_>, sent: &Sent, document: &Document) -> Next {
        let now = self.now();
        let at = document.changed_at.unwrap_or(now).max(sent.since);
        let times = self.store.times(sent.document, None, Some(at)).await;
        times.map_err(|error| job.store(&error))?;
        self.mark(job, sent.document, DocumentState::Signed, "").await?;
        self.gauges.signed(at - sent.since);
        let text = words::signed(job.order);
        let event = self.told(job, &sent.attempt, (Phase::Done, "documents_signed"), text);
        Ok(Step::done(State::Done).emit(event))
    }

    /// The attempt is over: a person mends, and the next one goes out.
    async fn decided(&self, job: Job<'_>, sent: Sent, decision: &Decision) -> Next {
        let said = self.said(job, &sent, decision).await?;
        let words = said.as_deref();
        self.mark(job, sent.document, decision.state, words.unwrap_or_default()).await?;
        let reason = words::decided(job.order, decision, words);
        let corrects = decision.state == DocumentState::ToCorrect;
        let mut next =
            if corrects { sent.attempt.correcting(&sent.posted) } else { sent.attempt.next() };
        let order = plan::stamp(job.snapshot);
        next.refused = sent.attempt.says.map(|says| Refused { says, order });
        Ok(Step::stop(State::New(next), reason))
    }

    /// The buyer's own words, where the decision is his.
    async fn said(
        &self,
        job: Job<'_>,
        sent: &Sent,
        decision: &Decision,
    ) -> Result<Option<String>, Failure> {
        if !matches!(decision.state, DocumentState::Rejected | DocumentState::ToCorrect) {
            return Ok(None);
        }
        let said = self.diadoc.outcome(&sent.posted).await;
        let said = said.map_err(|error| job.failure(error))?;
        let corrects = decision.state == DocumentState::ToCorrect;
        Ok(if corrects { said.correction } else { said.refusal })
    }

    fn not_roamed(&self, job: Job<'_>, sent: Sent, why: &str) -> Step<State> {
        let reason = words::roaming_failed(job.order);
        Step::stop(State::Sent(sent), reason.evidence(why))
    }

    /// Nothing is decided: tells the shop what it should know, once, and looks again later.
    fn still_waits(&self, job: Job<'_>, mut sent: Sent, document: &Document) -> Step<State> {
        let mut events = Vec::new();
        let days = (self.now() - sent.since).whole_days();
        let remind = time::Duration::try_from(self.config.edo_remind_after);
        let is_late = remind.is_ok_and(|remind| self.now() - sent.since > remind);
        let news = [
            (is_late, "signature_late", words::late(job.order, days)),
            (
                document.revocation == Revocation::AskedOfUs,
                "revocation_asked",
                words::revocation_asked(job.order),
            ),
        ];
        for (_, code, text) in news.into_iter().filter(|(holds, _, _)| *holds) {
            if !sent.told.iter().any(|told| told == code) {
                sent.told.push(code.to_owned());
                let event = self.told(job, &sent.attempt, (Phase::Failed, code), text);
                events.push(event);
            }
        }
        sent.looks += 1;
        let name = sent.posted.message.clone();
        let pause = self.pause(sent.looks);
        let step = Step::wait(State::Sent(sent), pause).known_as(name);
        events.into_iter().fold(step, Step::emit)
    }
}

/// What was decided against the document, if anything: the gravest first.
fn decision(document: &Document) -> Option<Decision> {
    let of = |state, code, ru, en| Some(Decision { state, code, ru, en });
    if document.is_deleted {
        let (ru, en) = ("документ удалён в Диадоке", "the document was deleted at Diadoc");
        return of(DocumentState::Revoked, "upd_deleted", ru, en);
    }
    if document.own_signature_wrong {
        let (ru, en) = ("Диадок признал нашу подпись неверной", "our signature was found wrong");
        return of(DocumentState::Refused, "signature_wrong", ru, en);
    }
    if document.revocation == Revocation::Done {
        let (ru, en) = ("документ аннулирован", "the document is revoked");
        return of(DocumentState::Revoked, "upd_revoked", ru, en);
    }
    match document.response {
        Response::Refused => {
            let (ru, en) = ("покупатель отказал в подписи", "the buyer refuses to sign");
            return of(DocumentState::Rejected, "upd_rejected", ru, en);
        }
        Response::WrongSignature => {
            let (ru, en) = ("подпись покупателя неверна", "the buyer's signature is wrong");
            return of(DocumentState::Rejected, "buyer_signature_wrong", ru, en);
        }
        _ => {}
    }
    // Where the correcting document is out already, nobody waits for one.
    if document.wants_correction && !document.is_corrected {
        let (ru, en) = ("покупатель просит уточнить документ", "the buyer wants a correction");
        return of(DocumentState::ToCorrect, "correction_asked", ru, en);
    }
    None
}
