//! The broker as the one who measures sees it: queues to fill, to look at and to empty.

use std::time::Duration;

use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties, Queue,
    options::{
        BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueBindOptions,
        QueueDeclareOptions, QueuePurgeOptions,
    },
    types::{AMQPValue, FieldTable},
};

use crate::{Fallible, wait};

/// How many confirms are waited for at once while a queue is filled.
const BATCH: usize = 500;
/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// A message to be put into a queue.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    /// The `message-id`.
    pub id: String,
    /// The body.
    pub body: String,
}

/// A connection.
pub(crate) struct Broker {
    channel: Channel,
    _connection: Connection,
}

impl Broker {
    /// Connects.
    pub(crate) async fn connect(url: &str) -> Fallible<Self> {
        let connection = Connection::connect(url, ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(Self { channel, _connection: connection })
    }

    /// A quorum queue with the arguments that Parom's own queues have.
    pub(crate) async fn declare(&self, queue: &str) -> Fallible<()> {
        let mut arguments = FieldTable::default();
        for (name, value) in [
            ("x-queue-type", "quorum"),
            ("x-dead-letter-exchange", "bench.dead"),
            ("x-dead-letter-strategy", "at-least-once"),
            ("x-overflow", "reject-publish"),
        ] {
            arguments.insert(name.into(), AMQPValue::LongString(value.into()));
        }
        let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        self.channel.queue_declare(queue.into(), options, arguments).await?;
        Ok(())
    }

    /// Has a queue hear what `key` matches on `exchange`.
    pub(crate) async fn bind(&self, queue: &str, exchange: &str, key: &str) -> Fallible<()> {
        let (options, none) = (QueueBindOptions::default(), FieldTable::default());
        Ok(self
            .channel
            .queue_bind(queue.into(), exchange.into(), key.into(), options, none)
            .await?)
    }

    /// How many messages wait in a queue.
    pub(crate) async fn waiting(&self, queue: &str) -> Fallible<u64> {
        Ok(self.look(queue).await?.message_count().into())
    }

    /// Puts letters into a queue, durably.
    pub(crate) async fn fill(&self, queue: &str, letters: &[Letter]) -> Fallible<()> {
        for batch in letters.chunks(BATCH) {
            let mut confirms = Vec::with_capacity(batch.len());
            for letter in batch {
                let properties = BasicProperties::default()
                    .with_delivery_mode(2)
                    .with_message_id(letter.id.as_str().into());
                let options =
                    BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
                let body = letter.body.as_bytes();
                let sent =
                    self.channel.basic_publish("".into(), queue.into(), options, body, properties);
                confirms.push(sent.await?);
            }
            for confirm in confirms {
                let confirmation = confirm.await?;
                if !confirmation.is_ack() || confirmation.take_message().is_some() {
                    return Err("the broker did not take a message".into());
                }
            }
        }
        Ok(())
    }

    /// Empties a queue once nobody consumes from it.
    pub(crate) async fn empty(&self, queue: &str) -> Fallible<()> {
        let left = async || Ok(self.look(queue).await?.consumer_count() == 0);
        wait::until("the consumers are gone", LOOK, left).await?;
        self.channel.queue_purge(queue.into(), QueuePurgeOptions::default()).await?;
        Ok(())
    }

    /// How long the first message of a queue is, in bytes; it is taken out.
    pub(crate) async fn length_of_one(&self, queue: &str) -> Fallible<usize> {
        let got = self.channel.basic_get(queue.into(), BasicGetOptions { no_ack: true }).await?;
        Ok(got.ok_or("the queue is empty")?.delivery.data.len())
    }

    async fn look(&self, queue: &str) -> Fallible<Queue> {
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        Ok(self.channel.queue_declare(queue.into(), options, FieldTable::default()).await?)
    }
}
