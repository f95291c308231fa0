//! Publishing: persistent, mandatory, confirmed, in groups, on a connection of its own.
//!
//! A broker alarm stops everything on a connection that publishes, acknowledgements included;
//! hence the consumers have another one.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::{StreamExt, future::try_join_all, stream::FuturesUnordered};
use lapin::{
    Channel, Connection,
    options::{BasicPublishOptions, ConfirmSelectOptions},
};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::{Connector, Ladder, Message, Names, Subscription, topology};
use crate::{metrics::Metrics, pause::pause, subscribers::Subscribers};

/// How many messages share a wait for confirms at most.
const GROUP: usize = 512;
/// How many groups are on their way at once, each on a channel of its own: while the disk confirms
/// one, the next is already there.
const LANES: usize = 4;
/// How long a group may stay unconfirmed before its connection counts as dead.
const CONFIRM: Duration = Duration::from_secs(10);
/// How long PostgreSQL may take to tell who else hears: webhooks wait behind this.
const ASK: Duration = Duration::from_millis(500);
/// How often an idle connection is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// Why a message is not confirmed. It may still arrive: the id makes that harmless.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// There is no connection to the broker.
    #[error("the broker is away")]
    Away,
    /// The connection broke, or no confirm came in time.
    #[error("the broker did not confirm")]
    Unconfirmed,
    /// The broker refused it: the queue is full.
    #[error("the broker refused the message")]
    Refused,
    /// No queue is bound for it.
    #[error("no queue takes the message")]
    Unroutable,
}

type Reply = oneshot::Sender<Result<(), PublishError>>;

/// The door to the broker. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Publisher {
    messages: mpsc::Sender<(Message, Reply)>,
    up: Arc<AtomicBool>,
    was_up: Arc<AtomicBool>,
}

/// What the publishing connection is made from.
pub(crate) struct Line {
    pub connector: Connector,
    pub names: Names,
    pub ladder: Ladder,
    pub subscription: Subscription,
    pub subscribers: Subscribers,
    pub metrics: Metrics,
    pub shutdown: CancellationToken,
}

impl Publisher {
    /// Starts the task that owns the publishing connection.
    pub(crate) fn spawn(line: Line) -> Self {
        let (messages, waiting) = mpsc::channel(4 * GROUP);
        let (up, was_up) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        tokio::spawn(line.run(waiting, Arc::clone(&up), Arc::clone(&was_up)));
        Self { messages, up, was_up }
    }

    /// Whether there is a connection just now.
    pub(crate) fn is_up(&self) -> bool {
        self.up.load(Ordering::Relaxed)
    }

    /// Whether there was one at all: then queues and bindings have been declared.
    pub(crate) fn was_up(&self) -> bool {
        self.was_up.load(Ordering::Relaxed)
    }

    /// Publishes one message and waits for its confirm, or for the connection to come back.
    pub(crate) async fn publish(&self, message: Message) -> Result<(), PublishError> {
        let (reply, answer) = oneshot::channel();
        self.messages.send((message, reply)).await.map_err(|_| PublishError::Away)?;
        // Nobody answers when another lane found the connection broken: it may be with the broker.
        answer.await.unwrap_or(Err(PublishError::Unconfirmed))
    }

    /// Publishes one message if there is a connection, within `limit`.
    pub(crate) async fn publish_now(
        &self,
        message: Message,
        limit: Duration,
    ) -> Result<(), PublishError> {
        if !self.is_up() {
            return Err(PublishError::Away);
        }
        let sent = tokio::time::timeout(limit, self.publish(message)).await;
        sent.unwrap_or(Err(PublishError::Unconfirmed))
    }
}

type Waiting = mpsc::Receiver<(Message, Reply)>;

impl Line {
    async fn run(self, mut waiting: Waiting, up: Arc<AtomicBool>, was_up: Arc<AtomicBool>) {
        while let Some(connection) = self.connector.connect("publish", &self.shutdown).await {
            match self.open(&connection).await {
                Ok(lanes) => {
                    self.mark(&up, true);
                    was_up.store(true, Ordering::Relaxed);
                    let end = self.serve(lanes, &mut waiting).await;
                    self.mark(&up, false);
                    if end == End::NobodyLeft {
                        return;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "the broker does not take the topology");
                    pause(Duration::from_secs(1), &self.shutdown).await;
                }
            }
        }
    }

    async fn open(&self, connection: &Connection) -> lapin::Result<Vec<Channel>> {
        let lanes = try_join_all((0..LANES).map(|_| connection.create_channel())).await?;
        if let Some(first) = lanes.first() {
            topology::declare(first, &self.names, self.ladder, &self.subscription).await?;
        }
        for lane in &lanes {
            lane.confirm_select(ConfirmSelectOptions::default()).await?;
        }
        Ok(lanes)
    }

    fn mark(&self, up: &AtomicBool, now: bool) {
        up.store(now, Ordering::Relaxed);
        self.metrics.broker_up.with_label_values(&["publish"]).set(if now { 1.0 } else { 0.0 });
    }

    /// Sends group after group, each on the next idle lane.
    async fn serve(&self, mut idle: Vec<Channel>, waiting: &mut Waiting) -> End {
        let (mut busy, never) = (FuturesUnordered::new(), CancellationToken::new());
        let mut all_hear = match idle.first() {
            Some(lane) => self.keep_for_others(lane).await,
            None => return End::Broken,
        };
        loop {
            let mut group = Vec::new();
            tokio::select! {
                Some(sent) = busy.next() => match sent {
                    Some(lane) => idle.push(lane),
                    None => return End::Broken,
                },
                count = waiting.recv_many(&mut group, GROUP), if !idle.is_empty() => {
                    let Some(lane) = idle.pop().filter(|_| count > 0) else {
                        return End::NobodyLeft;
                    };
                    if !all_hear && group.iter().any(|(message, _)| message.is_for_many()) {
                        all_hear = self.keep_for_others(&lane).await;
                        if !all_hear {
                            not_yet(&mut group);
                        }
                    }
                    busy.push(self.send(lane, group));
                }
                _ = pause(LOOK, &never) => {
                    if !idle.iter().all(|lane| lane.status().connected()) {
                        return End::Broken;
                    }
                }
            }
        }
    }

    /// Makes the queues of all workers there are; `false` when it is not known who they are. A
    /// channel that breaks over this shows it at the next publish.
    async fn keep_for_others(&self, channel: &Channel) -> bool {
        let others = match tokio::time::timeout(ASK, self.subscribers.all()).await {
            Ok(Ok(others)) => others,
            // At the very first start the table is still to be made.
            Ok(Err(error)) => {
                tracing::debug!(%error, "it is not known yet who else hears");
                return false;
            }
            Err(_) => return false,
        };
        match topology::declare_others(channel, &self.names, &others).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, "the broker does not take the other workers' queues");
                false
            }
        }
    }

    /// Publishes a group and answers those who wait; the lane, if it is still good.
    async fn send(&self, lane: Channel, mut group: Vec<(Message, Reply)>) -> Option<Channel> {
        // Who has gone away has done something else with the message.
        group.retain(|(_, reply)| !reply.is_closed());
        let began = Instant::now();
        let outcome = tokio::time::timeout(CONFIRM, publish(&lane, &group)).await;
        let took = began.elapsed().as_secs_f64();
        self.metrics.confirm_seconds.with_label_values::<&str>(&[]).observe(took);
        let reason = match outcome {
            Ok(Ok(results)) => {
                self.answer(group, results);
                return Some(lane);
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no confirm in time: an alarm, or a dead connection".to_owned(),
        };
        tracing::warn!(reason, "the publishing connection broke");
        None
    }

    fn answer(&self, group: Vec<(Message, Reply)>, results: Vec<Result<(), PublishError>>) {
        for ((message, reply), result) in group.into_iter().zip(results) {
            if result == Err(PublishError::Unroutable) {
                self.metrics.returned.with_label_values(&[&message.key]).inc();
                tracing::error!(key = message.key, "no queue takes the message");
            }
            reply.send(result).ok();
        }
    }
}

/// Sends back what somebody might miss who hears it: its sender comes again.
fn not_yet(group: &mut Vec<(Message, Reply)>) {
    for (_, reply) in group.extract_if(.., |(message, _)| message.is_for_many()) {
        reply.send(Err(PublishError::Away)).ok();
    }
}

/// Why a connection is no longer served.
#[derive(PartialEq, Eq)]
enum End {
    Broken,
    NobodyLeft,
}

/// Publishes a group and waits for all its confirms.
///
/// lapin hands a returned message to the wrong confirm when several are in flight on one channel,
/// but loses none: so the returned tags of the whole group are collected and taken off.
async fn publish(
    channel: &Channel,
    group: &[(Message, Reply)],
) -> lapin::Result<Vec<Result<(), PublishError>>> {
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let mut confirms = Vec::with_capacity(group.len());
    for (tag, (message, _)) in group.iter().enumerate() {
        let confirm = channel
            .basic_publish(
                message.exchange.as_str().into(),
                message.key.as_str().into(),
                options,
                &message.body,
                message.properties(tag),
            )
            .await?;
        confirms.push(confirm);
    }
    let mut returned = HashSet::new();
    let mut acked = Vec::with_capacity(confirms.len());
    for confirm in confirms {
        let confirmation = confirm.await?;
        acked.push(confirmation.is_ack());
        if let Some(message) = confirmation.take_message() {
            let tag = message.delivery.properties.correlation_id();
            returned.extend(tag.as_ref().map(ToString::to_string));
        }
    }
    Ok(acked.into_iter().enumerate().map(|(tag, acked)| verdict(tag, acked, &returned)).collect())
}

fn verdict(tag: usize, acked: bool, returned: &HashSet<String>) -> Result<(), PublishError> {
    if returned.contains(&tag.to_string()) {
        Err(PublishError::Unroutable)
    } else if acked {
        Ok(())
    } else {
        Err(PublishError::Refused)
    }
}
