//! What is put on the bus.

use std::{collections::BTreeMap, time::Duration};

use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable},
};
use uuid::Uuid;

use super::{Ladder, Names, delay};

/// W3C trace context of the webhook that it all began with.
pub(crate) const TRACEPARENT: &str = "traceparent";
/// On a dead letter: which death of its job this is.
pub(crate) const DEATH: &str = "x-parom-death";
/// Set by an admin's replay: the job goes on although it is dead. With a death's id only if that is
/// still the job's last one, so that the same replay told twice undoes no later death.
pub(crate) const REPLAY: &str = "x-parom-replay";
/// The death of a job that a person has given up: it does not go on by itself any more. No replay, so that a worker
/// that does not know the header yet takes it for a repetition.
pub(crate) const GIVEN_UP: &str = "x-parom-given-up";
/// After the death's id: a person has looked, and the effect is not there.
pub(crate) const ABSENT: &str = "absent";
/// After the death's id: a person has looked, and the effect is there.
pub(crate) const FOUND: &str = "found";

/// After the death's id: the order was changed in the shop, and the job goes on unless somebody has given it up since.
pub(crate) const CHANGED: &str = "changed";

/// A message on its way to the broker: persistent, with the event's id as `message-id`.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub exchange: String,
    pub key: String,
    pub id: Uuid,
    /// As it came: also what nobody can read is kept to the byte.
    pub body: Vec<u8>,
    pub headers: BTreeMap<&'static str, String>,
    for_many: bool,
}

impl Message {
    /// An event for everyone who listens to `topic`; topics without an exchange of their own go
    /// to the queue of `direct`.
    pub(crate) fn event(
        names: &Names,
        topic: &str,
        direct: &str,
        id: Uuid,
        body: impl Into<Vec<u8>>,
    ) -> Self {
        match names.exchange(topic) {
            Some(exchange) => {
                Self { for_many: true, ..Self::new(exchange, topic.to_owned(), id, body) }
            }
            None => Self::to_queue(names.queue(direct), id, body),
        }
    }

    /// A message straight into a worker's queue.
    pub(crate) fn to_queue(queue: String, id: Uuid, body: impl Into<Vec<u8>>) -> Self {
        Self::new(String::new(), queue, id, body)
    }

    /// A message that reaches the worker's queue after `after`.
    pub(crate) fn delayed(
        names: &Names,
        worker: &str,
        after: Duration,
        ladder: Ladder,
        id: Uuid,
        body: impl Into<Vec<u8>>,
    ) -> Self {
        let (level, key) = delay::way(after, ladder, worker);
        Self::new(names.delay(level), key, id, body)
    }

    /// A dead letter of `worker`.
    pub(crate) fn dead(names: &Names, worker: &str, id: Uuid, body: impl Into<Vec<u8>>) -> Self {
        Self::new(names.dead(), worker.to_owned(), id, body)
    }

    /// Whether it goes to everyone who listens: not straight to a queue, a ladder or the dead.
    pub(crate) fn is_for_many(&self) -> bool {
        self.for_many
    }

    /// With one more header.
    #[must_use]
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.insert(name, value.into());
        self
    }

    /// With the trace that this belongs to, if any.
    #[must_use]
    pub(crate) fn trace(mut self, trace: Option<&str>) -> Self {
        if let Some(trace) = trace {
            self.headers.insert(TRACEPARENT, trace.to_owned());
        }
        self
    }

    /// AMQP properties; `tag` tells this publish from others of the same event.
    pub(super) fn properties(&self, tag: usize) -> BasicProperties {
        let mut headers = FieldTable::default();
        for (name, value) in &self.headers {
            headers.insert((*name).into(), AMQPValue::LongString(value.as_str().into()));
        }
        BasicProperties::default()
            .with_delivery_mode(2)
            .with_content_type("application/cloudevents+json".into())
            .with_message_id(self.id.to_string().into())
            .with_correlation_id(tag.to_string().into())
            .with_headers(headers)
    }

    fn new(exchange: String, key: String, id: Uuid, body: impl Into<Vec<u8>>) -> Self {
        Self { exchange, key, id, body: body.into(), headers: BTreeMap::new(), for_many: false }
    }
}
