//! The ledger as the service uses it: single operations gather into groups, batches go in parts.

use std::convert::Infallible;

use events::Phone;
use runtime::{Gather, Lost};

use crate::{
    gauges::Gauges,
    ledger::{Answer, Request},
    store::{Answered, Balance, Store},
};

/// The most operations of one transaction.
const GROUP: usize = 256;

type Outcome = Result<Answered, Away>;

/// PostgreSQL does not answer, or the process is stopping: nothing is known of the operation, and
/// a repeat under the same name is safe.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the ledger cannot be reached")]
pub(crate) struct Away;

/// The ledger. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Bank {
    store: Store,
    gauges: Gauges,
    door: Gather<Request, Outcome, Infallible>,
    balances: Gather<Phone, Vec<Balance>, sqlx::Error>,
}

impl Bank {
    /// Opens the ledger of a store.
    #[must_use]
    pub(crate) fn new(store: Store, gauges: Gauges) -> Self {
        let writer = (store.clone(), gauges.clone());
        let door = Gather::spawn(GROUP, move |group: Vec<Request>| {
            let (store, gauges) = writer.clone();
            async move { Ok(carry_out(&store, &gauges, group).await) }
        });
        let reader = store.clone();
        let balances = Gather::spawn(GROUP, move |phones: Vec<Phone>| {
            let reader = reader.clone();
            async move { reader.balances(&phones).await }
        });
        Self { store, gauges, door, balances }
    }

    /// The tables behind it.
    #[must_use]
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Carries one operation out.
    ///
    /// # Errors
    /// [`Away`].
    pub(crate) async fn apply(&self, request: Request) -> Outcome {
        match self.door.call(request).await {
            Ok(outcome) => outcome,
            Err(Lost::Failed(never)) => match *never {},
            Err(Lost::Stopped) => Err(Away),
        }
    }

    /// The balances of those who have a phone: none, one, or more than one. Who asks at the same
    /// time shares a question, so readers do not crowd writers out.
    ///
    /// # Errors
    /// [`Away`].
    pub(crate) async fn balances(&self, phone: Phone) -> Result<Vec<Balance>, Away> {
        self.balances.call(phone).await.map_err(|error| {
            tracing::warn!(%error, "balances cannot be read");
            Away
        })
    }

    /// Carries many out, in this order, each for itself.
    pub(crate) async fn apply_all(&self, requests: Vec<Request>) -> Vec<Outcome> {
        let mut answers = Vec::with_capacity(requests.len());
        let mut rest = requests.into_iter();
        loop {
            let part: Vec<Request> = rest.by_ref().take(GROUP).collect();
            if part.is_empty() {
                return answers;
            }
            answers.extend(carry_out(&self.store, &self.gauges, part).await);
        }
    }
}

async fn carry_out(store: &Store, gauges: &Gauges, group: Vec<Request>) -> Vec<Outcome> {
    let began = std::time::Instant::now();
    let told: Vec<_> = group.iter().map(|r| (r.what.kind(), r.note.occurred_at)).collect();
    let answers = store.apply(group).await;
    gauges.group(answers.len(), began.elapsed());
    let outcomes = told.into_iter().zip(answers).map(|((kind, occurred_at), answer)| {
        let answered = answer.map_err(|error| {
            tracing::warn!(%error, "the ledger cannot be reached");
            Away
        })?;
        gauges.operation(kind, answered.answer.word());
        if let (Answer::Decided(_), Some(occurred)) = (&answered.answer, occurred_at) {
            gauges.visible(answered.at - occurred);
        }
        Ok(answered)
    });
    outcomes.collect()
}
