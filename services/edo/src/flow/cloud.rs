//! Diadoc's own signature (`DssSign`): asked for, perhaps confirmed by the certificate's owner, fetched, and kept once.

use events::Phase;
use runtime::Step;
use signing::Form;
use uuid::Uuid;

use super::{Job, Next};
use crate::{
    Edo,
    config::CloudSignature,
    diadoc::{Cloud, Error, What},
    state::{Attempt, State},
    store::Kept,
    words,
};

/// What Diadoc was asked to sign.
pub(super) struct Asked {
    /// Diadoc's name for it.
    pub(super) task: String,
    /// How often its end was asked for.
    pub(super) looks: u32,
}

impl Edo {
    /// Asks for a signature over the kept bytes. Asked twice, the owner is asked twice, and one signature is kept.
    pub(super) async fn ask_cloud(
        &self,
        job: Job<'_>,
        attempt: Attempt,
        document: Uuid,
        (kept, cloud): (&Kept, &CloudSignature),
    ) -> Next {
        let name = format!("{document}.xml");
        match self.diadoc.ask_signature(&kept.content, &name, cloud.thumbprint.as_deref()).await {
            Ok(task) => {
                let next = State::Signing { attempt, document, task, looks: 0 };
                Ok(Step::wait(next, self.config.edo_look_first))
            }
            Err(error) => self.not_left(job, &attempt, document, job.failure(error)).await,
        }
    }

    /// Fetches the signature.
    pub(super) async fn signing(
        &self,
        job: Job<'_>,
        attempt: Attempt,
        document: Uuid,
        asked: Asked,
    ) -> Next {
        let anew = |attempt| {
            Step::wait(State::Written { attempt, document }, self.config.edo_partner_look)
        };
        match self.diadoc.asked_signature(&asked.task).await {
            Ok(Cloud::Signed(signature)) => {
                let kept = self.kept(job, document).await?;
                let signer = &self.outside.signer;
                match signer.received(signature, &kept.content, Form::Detached) {
                    Ok(signature) => {
                        let kept = self.store.sign(document, &signature).await;
                        kept.map_err(|error| job.store(&error))?;
                        Ok(Step::again(State::Written { attempt, document }))
                    }
                    Err(error) => {
                        let failure = error.failure(&job.order.number);
                        self.not_left(job, &attempt, document, failure).await
                    }
                }
            }
            Ok(Cloud::Running { is_to_confirm }) => {
                let is_news = is_to_confirm && asked.looks == 0;
                let step = is_news.then(|| self.to_confirm(job, &attempt));
                let (task, looks) = (asked.task, asked.looks + 1);
                let next = State::Signing { attempt, document, task, looks };
                let waits = Step::wait(next, self.pause(looks));
                Ok(step.into_iter().fold(waits, Step::emit))
            }
            // The owner has another one to confirm first.
            Ok(Cloud::Busy) => {
                let event = self.to_confirm(job, &attempt);
                Ok(anew(attempt).emit(event))
            }
            Ok(Cloud::Again) | Err(Error { what: What::NotFound(_), .. }) => Ok(anew(attempt)),
            Ok(Cloud::Failed(status)) => {
                let failure = words::cloud_failed(job.order, &status);
                self.not_left(job, &attempt, document, failure).await
            }
            Err(error) => self.not_left(job, &attempt, document, job.failure(error)).await,
        }
    }

    fn to_confirm(&self, job: Job<'_>, attempt: &Attempt) -> events::Event {
        self.told(
            job,
            attempt,
            (Phase::Failed, "signature_to_confirm"),
            words::to_confirm(job.order),
        )
    }
}
