//! Taking queues empty: dead letters, and messages that no queue was bound for. Each channel hands
//! over what came in together; it is acknowledged once that is kept for good.

use std::{collections::BTreeMap, future::Future, time::Duration};

use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use lapin::{
    Channel, Connection, Consumer,
    message::Delivery,
    options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions, QueueDeclareOptions},
    types::FieldTable,
};
use tokio_util::sync::CancellationToken;

use super::{Connector, Names, Subscription, topology};
use crate::{metrics::Metrics, pause::pause, subscribers::Subscribers};

/// How many letters are handed over at once at most.
const GROUP: u16 = 256;
/// How often the queues' lengths are read, and new workers looked for.
const LOOK: Duration = Duration::from_secs(2);
/// Between two attempts to keep the same letters.
const BREATH: Duration = Duration::from_millis(500);

/// A message taken off a queue, to the byte.
#[derive(Debug, Clone)]
pub struct Letter {
    /// The worker that gave it up; `None` for a message that no queue was bound for.
    pub worker: Option<String>,
    /// Where it was published.
    pub exchange: String,
    /// Under which routing key.
    pub key: String,
    /// Its `message-id`, if it has one.
    pub id: Option<String>,
    /// Whether the broker may have handed it out before.
    pub redelivered: bool,
    /// Headers with a text value.
    pub headers: BTreeMap<String, String>,
    /// The body as it came.
    pub body: Vec<u8>,
}

/// What is drained, and by what.
pub(crate) struct Drain<K> {
    pub connector: Connector,
    pub names: Names,
    pub subscribers: Subscribers,
    pub metrics: Metrics,
    pub shutdown: CancellationToken,
    /// Keeps letters for good; `false` when it could not.
    pub keep: K,
}

impl<K, F> Drain<K>
where
    K: Fn(Vec<Letter>) -> F + Send + Sync,
    F: Future<Output = bool> + Send,
{
    /// Drains until the process is to stop.
    pub(crate) async fn run(self) {
        while let Some(connection) = self.connector.connect("drain", &self.shutdown).await {
            if let Err(error) = self.serve(&connection).await {
                tracing::warn!(%error, "the draining connection broke");
            }
            if !pause(Duration::from_millis(200), &self.shutdown).await {
                break;
            }
        }
    }

    /// One channel for each queue, until one breaks, a worker is new or the process is to stop.
    async fn serve(&self, connection: &Connection) -> lapin::Result<()> {
        let Some(workers) = self.workers().await else { return Ok(()) };
        let mut queues = FuturesUnordered::new();
        queues.push(self.empty(connection, None).boxed());
        for worker in &workers {
            queues.push(self.empty(connection, Some(worker)).boxed());
        }
        tokio::select! {
            () = self.shutdown.cancelled() => Ok(()),
            ended = queues.next() => ended.unwrap_or(Ok(())),
            watched = self.watch(connection, &workers) => watched,
        }
    }

    /// All workers that ever started here; `None` when PostgreSQL does not say.
    async fn workers(&self) -> Option<Vec<Subscription>> {
        match self.subscribers.all().await {
            Ok(all) => Some(all),
            Err(error) => {
                tracing::warn!(%error, "it is not known whose dead letters there are");
                None
            }
        }
    }

    async fn empty(
        &self,
        connection: &Connection,
        wants: Option<&Subscription>,
    ) -> lapin::Result<()> {
        let channel = connection.create_channel().await?;
        let queue = match wants {
            Some(wants) => {
                // All of its queues: who sees this one may trust that the worker hears.
                topology::declare_others(&channel, &self.names, std::slice::from_ref(wants))
                    .await?;
                self.names.dead_queue(&wants.worker)
            }
            None => {
                topology::unrouted(&channel, &self.names).await?;
                self.names.unrouted()
            }
        };
        channel.basic_qos(GROUP, BasicQosOptions::default()).await?;
        let options = BasicConsumeOptions::default();
        let mut letters = channel
            .basic_consume(queue.as_str().into(), "".into(), options, FieldTable::default())
            .await?;
        while let Some(group) = next_group(&mut letters).await? {
            let Some(last) = group.last().map(|delivery| delivery.delivery_tag) else { continue };
            let letters: Vec<Letter> =
                group.into_iter().map(|delivery| letter(wants, delivery)).collect();
            while !(self.keep)(letters.clone()).await {
                if !pause(BREATH, &self.shutdown).await {
                    return Ok(());
                }
            }
            channel.basic_ack(last, BasicAckOptions { multiple: true }).await?;
        }
        Ok(())
    }

    /// Reads the queues' lengths; ends when there is a worker that nobody drains yet.
    async fn watch(&self, connection: &Connection, workers: &[Subscription]) -> lapin::Result<()> {
        loop {
            for Subscription { worker, .. } in workers {
                for queue in [self.names.queue(worker), self.names.dead_queue(worker)] {
                    if let Some(length) = length(connection, &queue).await? {
                        self.metrics.queue_messages.with_label_values(&[&queue]).set(length);
                    }
                }
            }
            if !pause(LOOK, &self.shutdown).await {
                return Ok(());
            }
            if self.workers().await.is_some_and(|now| now != workers) {
                return Ok(());
            }
        }
    }
}

/// A queue that is not there is no error of the connection, but ends its channel.
async fn length(connection: &Connection, queue: &str) -> lapin::Result<Option<i64>> {
    let channel: Channel = connection.create_channel().await?;
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let Ok(found) = channel.queue_declare(queue.into(), options, FieldTable::default()).await
    else {
        return Ok(None);
    };
    channel.close(200, "read".into()).await?;
    Ok(Some(i64::from(found.message_count())))
}

/// What has come in by now; waits for the first. `None` when the queue is gone.
async fn next_group(letters: &mut Consumer) -> lapin::Result<Option<Vec<Delivery>>> {
    let Some(first) = letters.next().await else { return Ok(None) };
    let mut group = vec![first?];
    while group.len() < usize::from(GROUP)
        && let Some(Some(next)) = letters.next().now_or_never()
    {
        group.push(next?);
    }
    Ok(Some(group))
}

fn letter(wants: Option<&Subscription>, delivery: Delivery) -> Letter {
    let headers = delivery.properties.headers().as_ref();
    let headers = headers.map(|headers| {
        let texts = headers.inner().iter().filter_map(|(name, value)| {
            Some((name.to_string(), value.as_long_string()?.to_string()))
        });
        texts.collect()
    });
    Letter {
        worker: wants.map(|wants| wants.worker.clone()),
        exchange: delivery.exchange.to_string(),
        key: delivery.routing_key.to_string(),
        id: delivery.properties.message_id().as_ref().map(ToString::to_string),
        redelivered: delivery.redelivered,
        headers: headers.unwrap_or_default(),
        body: delivery.data,
    }
}
