//! What the people on duty may do on the bus: take dead letters, and hand them back.

use std::{future::Future, sync::Arc, time::Duration};

use uuid::Uuid;

use crate::{
    bus::{
        ABSENT, Connector, Drain, FOUND, GIVEN_UP, Letter, Message, Names, PublishError, REPLAY,
    },
    metrics::Metrics,
    outbound::Outbound,
    subscribers::Subscribers,
};
use tokio_util::sync::CancellationToken;

/// How long the broker may take to confirm a message that is handed back.
const CONFIRM: Duration = Duration::from_secs(5);

/// What a person saw who looked for an effect at the register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looked {
    /// It is not there: it is sent anew (see [`Worker::absent`](crate::Worker::absent)).
    Absent,
    /// It is there: the job is finished (see [`Worker::found`](crate::Worker::found)).
    Found,
}

/// The admin's place at the bus. Cheap to clone.
#[derive(Clone)]
pub struct Desk {
    pub(crate) connector: Connector,
    pub(crate) outbound: Outbound,
    pub(crate) subscribers: Subscribers,
    pub(crate) metrics: Metrics,
    pub(crate) shutdown: CancellationToken,
}

impl Desk {
    /// Names of queues and exchanges.
    #[must_use]
    pub fn names(&self) -> &Names {
        &self.outbound.names
    }

    /// All workers that have ever started in this system.
    ///
    /// # Errors
    /// When PostgreSQL does not answer.
    pub async fn workers(&self) -> sqlx::Result<Vec<String>> {
        let all = self.subscribers.all().await?;
        Ok(all.into_iter().map(|subscription| subscription.worker).collect())
    }

    /// How many messages wait in a worker's queue, as [`Desk::drain`] saw it last.
    #[must_use]
    pub fn waiting(&self, worker: &str) -> i64 {
        let queue = self.names().queue(worker);
        self.metrics.queue_messages.with_label_values(&[&queue]).get()
    }

    /// Takes the dead letters of all workers and the messages without a queue, until the process
    /// is to stop. `keep` gets what came in together and answers whether it is kept for good; only
    /// then is it acknowledged. A letter may come again.
    pub async fn drain<F: Future<Output = bool> + Send>(
        &self,
        keep: impl Fn(Arc<[Letter]>) -> F + Send + Sync,
    ) {
        let drain = Drain {
            connector: self.connector.clone(),
            names: self.outbound.names.clone(),
            subscribers: self.subscribers.clone(),
            metrics: self.metrics.clone(),
            shutdown: self.shutdown.clone(),
            keep,
        };
        drain.run().await;
    }

    /// Hands a dead letter's bytes back to its worker alone. With its `death` the job goes on from
    /// that death and from no later one: the same replay told twice is harmless. `looked` is what a
    /// person saw at the register, if one has looked.
    ///
    /// # Errors
    /// [`PublishError`]; the message may arrive all the same.
    pub async fn replay(
        &self,
        worker: &str,
        id: Uuid,
        death: Option<Uuid>,
        looked: Option<Looked>,
        body: Vec<u8>,
        trace: Option<&str>,
    ) -> Result<(), PublishError> {
        let mark = match (death, looked) {
            (Some(death), Some(Looked::Absent)) => format!("{death} {ABSENT}"),
            (Some(death), Some(Looked::Found)) => format!("{death} {FOUND}"),
            (Some(death), None) => death.to_string(),
            (None, _) => "1".to_owned(),
        };
        let message = Message::to_queue(self.names().queue(worker), id, body)
            .trace(trace)
            .header(REPLAY, mark);
        self.outbound.publisher.publish_now(message, CONFIRM).await
    }

    /// Tells the worker that a person has given up this `death` of a job: it does not go on by itself, not even when
    /// the shop changes the order. A replay still takes it up. Harmless when told twice.
    ///
    /// # Errors
    /// [`PublishError`]; the message may arrive all the same.
    pub async fn give_up(
        &self,
        worker: &str,
        id: Uuid,
        death: Uuid,
        body: Vec<u8>,
    ) -> Result<(), PublishError> {
        let message = Message::to_queue(self.names().queue(worker), id, body)
            .header(GIVEN_UP, death.to_string());
        self.outbound.publisher.publish_now(message, CONFIRM).await
    }

    /// Tells bytes that no queue was bound for once more to all who listen to `topic` now.
    ///
    /// # Errors
    /// [`PublishError`]; the message may arrive all the same.
    pub async fn retell(
        &self,
        topic: &str,
        id: Uuid,
        body: Vec<u8>,
        trace: Option<&str>,
    ) -> Result<(), PublishError> {
        let message = Message::event(self.names(), topic, self.outbound.direct, id, body);
        self.outbound.publisher.publish_now(message.trace(trace), CONFIRM).await
    }
}
