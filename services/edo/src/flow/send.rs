//! Signed once, sent under our own key, and asked for by the same key when no answer came.

use events::Phase;
use runtime::{Failure, Reason, Step};
use serde_json::{Value, json};
use signing::Form;
use uuid::Uuid;

use super::{Job, Next};
use crate::{
    Edo,
    config::PowerOfAttorney,
    diadoc::{Error, Outgoing, Posted, Sending, What},
    state::{Attempt, Sent, State},
    store::{Kept, State as DocumentState},
    words,
};

/// Looks for a document that Diadoc calls a duplicate and does not show.
const HIDDEN: u32 = 4;

impl Edo {
    /// Signs the kept bytes, asks whether they may be sent, and writes the mark.
    pub(super) async fn sign(&self, job: Job<'_>, attempt: Attempt, document: Uuid) -> Next {
        let kept = self.kept(job, document).await?;
        let errors = self.diadoc.can_post(&outgoing(&kept, &document.to_string())).await;
        let errors = errors.map_err(|error| job.failure(error))?;
        if !errors.is_empty() {
            // A replay makes the document anew: what stood against it may be in the order.
            let Failure::Dead(reason) = words::cannot_post(job.order, &errors) else {
                return Err(words::fact_unexpected(job.event));
            };
            self.mark(job, document, DocumentState::Refused, &errors.join("; ")).await?;
            self.forget_box(job, document).await?;
            return Ok(Step::stop(State::New(attempt.next()), reason));
        }
        if kept.signature.is_none() && !job.shop.rules.test_signature {
            let signed = self.outside.signer.sign(&kept.content, Form::Detached).await;
            let signed = signed.map_err(|error| error.failure(&job.order.number))?;
            self.store.sign(document, &signed).await.map_err(|error| job.store(&error))?;
        }
        let set_out = self.store.set_out(job.order, document, job.event.time()).await;
        if let Some(taken) = set_out.map_err(|error| job.store(&error))? {
            return self.stays(job, attempt.next(), taken);
        }
        Ok(Step::again(State::Sending { attempt, document, looks: 0 }))
    }

    /// Sends what is kept. After a crash or a lost answer it does exactly the same: the key brings back the first
    /// result.
    pub(super) async fn send(
        &self,
        job: Job<'_>,
        attempt: Attempt,
        document: Uuid,
        looks: u32,
    ) -> Next {
        let kept = self.kept(job, document).await?;
        let custom = document.to_string();
        let comment = format!("Заказ № {}", job.order.number);
        let sending = Sending {
            outgoing: outgoing(&kept, &custom),
            operation: &kept.operation,
            content: &kept.content,
            signature: kept.signature.as_deref(),
            attorney: job.shop.rules.power_of_attorney.as_ref().map(attorney),
            comment: &comment,
            corrects: attempt
                .corrects
                .as_ref()
                .map(|(_, first)| (first.message.as_str(), first.entity.as_str())),
        };
        match self.diadoc.post(&sending).await {
            Ok(posted) => self.posted(job, attempt, document, &kept, posted).await,
            Err(Error { what: What::StillRunning { after }, .. }) => {
                let pause = after.unwrap_or_else(|| self.pause(looks));
                let looks = looks + 1;
                Ok(Step::wait(State::Sending { attempt, document, looks }, pause))
            }
            Err(error @ Error { what: What::Conflict(_), .. }) => {
                self.conflict(job, attempt, document, looks, &error).await
            }
            Err(
                error @ Error {
                    what: What::Rejected { .. } | What::Forbidden(_) | What::NotFound(_),
                    ..
                },
            ) => {
                let reason = error.of(&job.order.number).reason();
                self.refused(job, &attempt, document, reason).await
            }
            Err(error) => Err(job.failure(error)),
        }
    }

    /// A duplicate is looked for by our own name and taken for ours; a document that is not there is a refusal when
    /// the answer says that it is not about a duplicate, and an unknown otherwise.
    async fn conflict(
        &self,
        job: Job<'_>,
        attempt: Attempt,
        document: Uuid,
        looks: u32,
        error: &Error,
    ) -> Next {
        let found = self.diadoc.by_custom(&document.to_string()).await;
        if let Some(posted) = found.map_err(|error| job.failure(error))? {
            let kept = self.kept(job, document).await?;
            return self.posted(job, attempt, document, &kept, posted).await;
        }
        if looks < HIDDEN {
            let next = State::Sending { attempt, document, looks: looks + 1 };
            return Ok(Step::wait(next, self.pause(looks)));
        }
        let kept = self.kept(job, document).await?;
        self.mark(job, document, DocumentState::Unknown, &error.to_string()).await?;
        let reason = words::outcome_unknown(job.order, &kept.number).evidence(&error.to_string());
        Ok(Step::stop(State::Sending { attempt, document, looks: 0 }, reason))
    }

    async fn posted(
        &self,
        job: Job<'_>,
        attempt: Attempt,
        document: Uuid,
        kept: &Kept,
        posted: Posted,
    ) -> Next {
        let now = self.now();
        let noted = self.store.sent(document, &posted.message, &posted.entity, now).await;
        noted.map_err(|error| job.store(&error))?;
        let mut properties = std::collections::BTreeMap::new();
        if let Some(property) = &job.shop.rules.box_property {
            properties.insert(property.clone(), kept.receiver.clone());
        }
        let text = words::sent(job.order, &kept.number);
        // Each attempt is told: a step's name tells them apart.
        let code = match attempt.revision {
            1 => "upd_sent".to_owned(),
            revision => format!("upd_sent_{revision}"),
        };
        let phase = (Phase::Working, code.as_str());
        let event = words::status(job.event, job.order, phase, text, properties, now);
        let since = kept.sent_at.unwrap_or(now);
        let name = posted.message.clone();
        let sent = Sent { attempt, document, posted, since, looks: 0, told: Vec::new() };
        Ok(Step::wait(State::Sent(sent), self.pause(0)).emit(event).known_as(name))
    }

    /// Diadoc does not want this document: a replay makes the next one.
    async fn refused(
        &self,
        job: Job<'_>,
        attempt: &Attempt,
        document: Uuid,
        reason: Reason,
    ) -> Next {
        let detail = reason.evidence.clone().unwrap_or_default();
        self.mark(job, document, DocumentState::Refused, &detail).await?;
        self.forget_box(job, document).await?;
        Ok(Step::stop(State::New(attempt.next()), reason))
    }

    /// The buyer's box may be the reason: it is looked for anew.
    async fn forget_box(&self, job: Job<'_>, document: Uuid) -> Result<(), Failure> {
        let kept = self.kept(job, document).await?;
        self.store.forget_partner(&kept.receiver).await.map_err(|error| job.store(&error))
    }

    pub(super) async fn kept(&self, job: Job<'_>, document: Uuid) -> Result<Kept, Failure> {
        self.store.document(document).await.map_err(|error| job.store(&error))
    }

    pub(super) async fn mark(
        &self,
        job: Job<'_>,
        document: Uuid,
        state: DocumentState,
        detail: &str,
    ) -> Result<(), Failure> {
        self.store.mark(document, state, detail).await.map_err(|error| job.store(&error))
    }
}

fn outgoing<'a>(kept: &'a Kept, custom: &'a str) -> Outgoing<'a> {
    Outgoing {
        to: &kept.receiver,
        custom,
        kind: &kept.kind,
        function: &kept.function,
        version: &kept.version,
    }
}

/// `SignedContent.PowerOfAttorney`.
fn attorney(attorney: &PowerOfAttorney) -> Value {
    match attorney {
        PowerOfAttorney::Default => json!({"UseDefault": true}),
        PowerOfAttorney::InDocument => json!({"UseDocumentContent": true}),
        PowerOfAttorney::Known { number, issuer_inn, representative_inn } => json!({"FullId": {
            "RegistrationNumber": number,
            "IssuerInn": issuer_inn,
            "RepresentativeInn": representative_inn,
        }}),
    }
}
