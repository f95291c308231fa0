//! Taking queues empty: dead letters, and messages that no queue was bound for. Each channel hands
//! over what came in together; it is acknowledged once that is kept for good.

use std::{collections::BTreeMap, future::Future, sync::Arc, time::Duration};

use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use lapin::{
    Channel, Connection, Consumer,
    message::Delivery,
    options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{Connector, Names, Subscription, topology};
use crate::{metrics::Metrics, pause::pause, subscribers::Subscribers};

/// How many letters are handed over at once at most; as many are in memory of each queue, and each may
/// be as large as an event (2 MiB).
const GROUP: u16 = 32;
/// A group ends with the letter that makes it this large, in bytes.
const LARGE: usize = 8 * 1024 * 1024;
/// The most signs of a header that is no text, and how deep it is looked into.
const LONGEST: usize = 2_000;
const DEEPEST: u8 = 8;
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
    /// Headers as texts. What is no text is JSON of 2000 signs at most: `x-death` and
    /// `x-delivery-count` tell why the broker gave a message up.
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
    K: Fn(Arc<[Letter]>) -> F + Send + Sync,
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
            let letters: Arc<[Letter]> =
                group.into_iter().map(|delivery| letter(wants, delivery)).collect();
            while !(self.keep)(Arc::clone(&letters)).await {
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
    let size = |group: &[Delivery]| group.iter().map(|one| one.data.len()).sum::<usize>();
    while group.len() < usize::from(GROUP)
        && size(&group) < LARGE
        && let Some(Some(next)) = letters.next().now_or_never()
    {
        group.push(next?);
    }
    Ok(Some(group))
}

fn letter(wants: Option<&Subscription>, delivery: Delivery) -> Letter {
    Letter {
        worker: wants.map(|wants| wants.worker.clone()),
        exchange: delivery.exchange.to_string(),
        key: delivery.routing_key.to_string(),
        id: delivery.properties.message_id().as_ref().map(ToString::to_string),
        redelivered: delivery.redelivered,
        headers: delivery.properties.headers().as_ref().map(texts).unwrap_or_default(),
        body: delivery.data,
    }
}

fn texts(headers: &FieldTable) -> BTreeMap<String, String> {
    let text = |value: &AMQPValue| match plain(value, 0) {
        Value::String(text) => text,
        other => other.to_string().chars().take(LONGEST).collect(),
    };
    headers.inner().iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}

/// The value as JSON would have it; nothing of what is nested without end.
fn plain(value: &AMQPValue, depth: u8) -> Value {
    match value {
        AMQPValue::Boolean(value) => (*value).into(),
        AMQPValue::ShortShortInt(value) => (*value).into(),
        AMQPValue::ShortShortUInt(value) => (*value).into(),
        AMQPValue::ShortInt(value) => (*value).into(),
        AMQPValue::ShortUInt(value) => (*value).into(),
        AMQPValue::LongInt(value) => (*value).into(),
        AMQPValue::LongUInt(value) => (*value).into(),
        AMQPValue::LongLongInt(value) => (*value).into(),
        AMQPValue::Timestamp(value) => (*value).into(),
        AMQPValue::Float(value) => (*value).into(),
        AMQPValue::Double(value) => (*value).into(),
        AMQPValue::ShortString(value) => value.as_str().into(),
        AMQPValue::LongString(value) => value.to_string().into(),
        AMQPValue::ByteArray(value) => String::from_utf8_lossy(value.as_slice()).into(),
        AMQPValue::FieldArray(all) if depth < DEEPEST => {
            all.as_slice().iter().map(|value| plain(value, depth + 1)).collect()
        }
        AMQPValue::FieldTable(all) if depth < DEEPEST => {
            let fields = all.inner().iter();
            fields.map(|(name, value)| (name.to_string(), plain(value, depth + 1))).collect()
        }
        AMQPValue::DecimalValue(value) => format!("{}e-{}", value.value, value.scale).into(),
        AMQPValue::FieldArray(_) | AMQPValue::FieldTable(_) => "…".into(),
        AMQPValue::Void => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::texts;
    use lapin::types::{AMQPValue, FieldArray, FieldTable};

    #[test]
    fn what_the_broker_says_of_a_message_it_gave_up_is_text() {
        let mut death = FieldTable::default();
        death.insert("reason".into(), AMQPValue::LongString("delivery_limit".into()));
        death.insert("count".into(), AMQPValue::LongLongInt(3));
        death.insert("time".into(), AMQPValue::Timestamp(1_763_800_000));
        let mut deaths = FieldArray::default();
        deaths.push(AMQPValue::FieldTable(death));
        let mut headers = FieldTable::default();
        headers.insert("x-death".into(), AMQPValue::FieldArray(deaths.clone()));
        headers.insert("x-delivery-count".into(), AMQPValue::LongLongInt(21));
        headers.insert("x-parom-code".into(), AMQPValue::LongString("no".into()));
        for _ in 0..300 {
            let mut deeper = FieldArray::default();
            deeper.push(AMQPValue::FieldArray(deaths));
            deaths = deeper;
        }
        headers.insert("x-deep".into(), AMQPValue::FieldArray(deaths));
        let mut long = FieldArray::default();
        (0..2_000).for_each(|n| long.push(AMQPValue::LongInt(n)));
        headers.insert("x-long".into(), AMQPValue::FieldArray(long));
        let texts = texts(&headers);
        assert_eq!(
            texts["x-death"],
            r#"[{"count":3,"reason":"delivery_limit","time":1763800000}]"#
        );
        assert_eq!(
            (texts["x-delivery-count"].as_str(), texts["x-parom-code"].as_str()),
            ("21", "no")
        );
        assert_eq!(
            (texts["x-deep"].as_str(), texts["x-long"].len()),
            (r#"[[[[[[[["…"]]]]]]]]"#, 2_000)
        );
    }
}
