//! Signed once, sent under our own key, and asked for by the same key when no answer came.

use events::Phase;
use runtime::{Failure, Reason, Step};
use serde_json::{Value, json};
use signing::Form;
use time::OffsetDateTime;
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
/// How long Diadoc surely knows a key again. Later the document is looked for by our name for it before the same is
/// sent once more.
const REMEMBERED: time::Duration = time::Duration::minutes(10);

/// Since when a document is perhaps sent, and how often its answer was not one.
#[derive(Clone, Copy)]
pub(super) struct Marked {
    pub(super) since: Option<OffsetDateTime>,
    pub(super) looks: u32,
}

impl Marked {
    fn once_more(self, attempt: Attempt, document: Uuid) -> State {
        let Self { since, looks } = self;
        State::Sending { attempt, document, looks: looks + 1, since }
    }
}

impl Edo {
    /// Signs the kept bytes, asks whether they may be sent, and writes the mark.
    pub(super) async fn sign(&self, job: Job<'_>, attempt: Attempt, document: Uuid) -> Next {
        if !self.still_says(job, &attempt).await? {
            return Ok(Step::again(State::New(attempt.next())));
        }
        let kept = self.kept(job, document).await?;
        let errors = match self.diadoc.can_post(&outgoing(&kept, &document.to_string())).await {
            Ok(errors) => errors,
            Err(error) => {
                return self.not_left(job, &attempt, document, job.failure(error)).await;
            }
        };
        if !errors.is_empty() {
            let failure = words::cannot_post(job.order, &errors);
            return self.not_left(job, &attempt, document, failure).await;
        }
        if kept.signature.is_none() && !job.shop.rules.test_signature {
            if let Some(cloud) = &job.shop.rules.cloud_signature {
                return self.ask_cloud(job, attempt, document, (&kept, cloud)).await;
            }
            let signed = match self.outside.signer.sign(&kept.content, Form::Detached).await {
                Ok(signed) => signed,
                Err(error) => {
                    let failure = error.failure(&job.order.number);
                    return self.not_left(job, &attempt, document, failure).await;
                }
            };
            self.store.sign(document, &signed).await.map_err(|error| job.store(&error))?;
        }
        let set_out = self.store.set_out(job.order, document, job.event.time()).await;
        if let Some(taken) = set_out.map_err(|error| job.store(&error))? {
            return self.stays(job, attempt.next(), taken);
        }
        let since = Some(self.now());
        Ok(Step::again(State::Sending { attempt, document, looks: 0, since }))
    }

    /// What stops a document that has not left: a replay makes it anew, for what stood against it may be in the order.
    pub(super) async fn not_left(
        &self,
        job: Job<'_>,
        attempt: &Attempt,
        document: Uuid,
        failure: Failure,
    ) -> Next {
        match failure {
            Failure::Dead(reason) => self.refused(job, attempt, document, reason).await,
            other => Err(other),
        }
    }

    /// Sends what is kept. After a crash or a lost answer it does exactly the same: the key brings back the first
    /// result.
    pub(super) async fn send(
        &self,
        job: Job<'_>,
        attempt: Attempt,
        document: Uuid,
        marked: Marked,
    ) -> Next {
        let kept = self.kept(job, document).await?;
        let custom = document.to_string();
        if self.now() - marked.since.unwrap_or_else(|| self.now()) > REMEMBERED {
            let found = self.diadoc.by_custom(&custom).await;
            if let Some(posted) = found.map_err(|error| job.failure(error))? {
                return self.posted(job, attempt, document, &kept, posted).await;
            }
        }
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
                let pause = after.unwrap_or_else(|| self.pause(marked.looks));
                Ok(Step::wait(marked.once_more(attempt, document), pause))
            }
            Err(error @ Error { what: What::Conflict(_), .. }) => {
                self.conflict(job, attempt, document, marked, &error).await
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
        marked: Marked,
        error: &Error,
    ) -> Next {
        let found = self.diadoc.by_custom(&document.to_string()).await;
        if let Some(posted) = found.map_err(|error| job.failure(error))? {
            let kept = self.kept(job, document).await?;
            return self.posted(job, attempt, document, &kept, posted).await;
        }
        if marked.looks < HIDDEN {
            let next = marked.once_more(attempt, document);
            return Ok(Step::wait(next, self.pause(marked.looks)));
        }
        let kept = self.kept(job, document).await?;
        self.mark(job, document, DocumentState::Unknown, &error.to_string()).await?;
        let reason = words::outcome_unknown(job.order, &kept.number).evidence(&error.to_string());
        let since = marked.since;
        Ok(Step::stop(State::Sending { attempt, document, looks: 0, since }, reason))
    }

    /// A person has found the document at Diadoc: followed from here on, if it shows itself under our name for it.
    pub(super) async fn found(&self, job: Job<'_>, attempt: Attempt, document: Uuid) -> Next {
        let found = self.diadoc.by_custom(&document.to_string()).await;
        let Some(posted) = found.map_err(|error| job.failure(error))? else {
            self.mark(job, document, DocumentState::ByHand, "").await?;
            return Ok(super::nothing("a person has found it under another name"));
        };
        let kept = self.kept(job, document).await?;
        self.posted(job, attempt, document, &kept, posted).await
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
        let event = job.tells(&attempt).status((Phase::Working, "upd_sent"), text, properties, now);
        let since = kept.sent_at.unwrap_or(now);
        let name = posted.message.clone();
        let sent = Sent { attempt, document, posted, since, looks: 0, told: Vec::new() };
        Ok(Step::wait(State::Sent(sent), self.pause(0)).emit(event).known_as(name))
    }

    /// Diadoc or the signer does not want this document: a replay makes the next one.
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
