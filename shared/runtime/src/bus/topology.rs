//! Exchanges and queues, declared by whoever connects: the same words from everyone.
//!
//! All queues are quorum queues. Dead-lettering is at-least-once with reject-publish everywhere:
//! with the default strategy a broker's crash loses what is between two queues.

use lapin::{
    Channel, ExchangeKind,
    options::{ExchangeBindOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};

use super::{Ladder, Names, delay};

/// What one worker wants to hear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subscription {
    pub worker: String,
    pub topics: Vec<String>,
}

/// How many messages without a listener are kept: evidence of a mistake, not a store.
const UNROUTED_KEPT: i64 = 100_000;

/// Declares everything that `subscription` and its publications need.
pub(super) async fn declare(
    channel: &Channel,
    names: &Names,
    ladder: Ladder,
    subscription: &Subscription,
) -> lapin::Result<()> {
    unrouted(channel, names).await?;
    for exchange in [names.orders(), names.status(), names.deliver()] {
        declare_exchange(channel, &exchange, ExchangeKind::Topic, Some(names)).await?;
    }
    declare_exchange(channel, &names.dead(), ExchangeKind::Direct, Some(names)).await?;
    climb(channel, names, ladder).await?;
    worker(channel, names, subscription).await
}

/// Declares what other workers hear, whose services are perhaps not there yet.
pub(super) async fn declare_others(
    channel: &Channel,
    names: &Names,
    others: &[Subscription],
) -> lapin::Result<()> {
    for other in others {
        worker(channel, names, other).await?;
    }
    Ok(())
}

/// Declares where messages without a queue go.
pub(super) async fn unrouted(channel: &Channel, names: &Names) -> lapin::Result<()> {
    let name = names.unrouted();
    declare_exchange(channel, &name, ExchangeKind::Fanout, None).await?;
    let mut arguments = quorum();
    arguments.insert("x-max-length".into(), AMQPValue::LongLongInt(UNROUTED_KEPT));
    declare_queue(channel, &name, arguments).await?;
    bind_queue(channel, &name, &name, "").await
}

async fn climb(channel: &Channel, names: &Names, ladder: Ladder) -> lapin::Result<()> {
    for level in 0..ladder.levels {
        declare_exchange(channel, &names.delay(level), ExchangeKind::Topic, Some(names)).await?;
    }
    for level in 0..ladder.levels {
        let name = names.delay(level);
        let below =
            level.checked_sub(1).map_or_else(|| names.deliver(), |below| names.delay(below));
        let ttl = ladder.rung.as_millis() << level;
        let mut arguments = dead_lettering(&below);
        let ttl = AMQPValue::LongLongInt(i64::try_from(ttl).unwrap_or(i64::MAX));
        arguments.insert("x-message-ttl".into(), ttl);
        declare_queue(channel, &name, arguments).await?;
        bind_queue(channel, &name, &name, &delay::binding(level, ladder, '1')).await?;
        let passing = delay::binding(level, ladder, '0');
        channel
            .exchange_bind(
                below.as_str().into(),
                name.as_str().into(),
                passing.as_str().into(),
                ExchangeBindOptions::default(),
                FieldTable::default(),
            )
            .await?;
    }
    Ok(())
}

async fn worker(channel: &Channel, names: &Names, wants: &Subscription) -> lapin::Result<()> {
    let (name, dead) = (names.queue(&wants.worker), names.dead_queue(&wants.worker));
    // Should the broker itself give a message up, it is a dead letter and not gone.
    let mut arguments = dead_lettering(&names.dead());
    let key = AMQPValue::LongString(wants.worker.as_str().into());
    arguments.insert("x-dead-letter-routing-key".into(), key);
    declare_queue(channel, &name, arguments).await?;
    let delayed = format!("#.{}", wants.worker);
    bind_queue(channel, &name, &names.deliver(), &delayed).await?;
    for topic in &wants.topics {
        if let Some(exchange) = names.exchange(topic) {
            bind_queue(channel, &name, &exchange, topic).await?;
        }
    }
    // Last: where this queue is, the worker hears everything.
    declare_queue(channel, &dead, quorum()).await?;
    bind_queue(channel, &dead, &names.dead(), &wants.worker).await
}

/// From 4.0 on a quorum queue gives a message up after twenty broken connections unless it is told
/// otherwise; when a job is given up is for the engine to say, with a reason.
const DELIVERY_LIMIT: i64 = 1_000_000;

fn quorum() -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    arguments.insert("x-delivery-limit".into(), AMQPValue::LongLongInt(DELIVERY_LIMIT));
    arguments
}

fn dead_lettering(exchange: &str) -> FieldTable {
    let mut arguments = quorum();
    for (name, value) in [
        ("x-dead-letter-exchange", exchange),
        ("x-dead-letter-strategy", "at-least-once"),
        ("x-overflow", "reject-publish"),
    ] {
        arguments.insert(name.into(), AMQPValue::LongString(value.into()));
    }
    arguments
}

async fn declare_exchange(
    channel: &Channel,
    name: &str,
    kind: ExchangeKind,
    alternate: Option<&Names>,
) -> lapin::Result<()> {
    let mut arguments = FieldTable::default();
    if let Some(names) = alternate {
        let value = AMQPValue::LongString(names.unrouted().into());
        arguments.insert("alternate-exchange".into(), value);
    }
    let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(name.into(), kind, options, arguments).await
}

async fn declare_queue(channel: &Channel, name: &str, arguments: FieldTable) -> lapin::Result<()> {
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(name.into(), options, arguments).await.map(drop)
}

async fn bind_queue(
    channel: &Channel,
    queue: &str,
    exchange: &str,
    key: &str,
) -> lapin::Result<()> {
    let options = QueueBindOptions::default();
    channel
        .queue_bind(queue.into(), exchange.into(), key.into(), options, FieldTable::default())
        .await
}
