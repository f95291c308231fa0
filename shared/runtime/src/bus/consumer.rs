//! Consuming under supervision: a session ends on any error, and the next is built from nothing.

use std::{future::Future, sync::Arc, time::Duration};

use futures_util::StreamExt;
use lapin::{
    Channel, Connection,
    message::Delivery,
    options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicQosOptions},
    types::FieldTable,
};
use tokio::{task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    Connector, Ladder, Names, Subscription,
    acks::{Ack, Acks},
    message::{GIVEN_UP, REPLAY, TRACEPARENT},
    topology,
};
use crate::{breaker::Breaker, metrics::Metrics, pause::pause};

/// A message as it came in.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub body: Vec<u8>,
    pub trace: Option<String>,
    /// What the replay's header says, if this is one.
    pub replay: Option<String>,
    /// The death that a person has given up, if this says so.
    pub given_up: Option<String>,
}

/// What is to become of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Everything it asked for is saved and said.
    Ack,
    /// It stays with the broker and comes back on another channel.
    Keep,
}

/// Who works on messages. `session` is cancelled when the channel is gone: then there is nothing
/// left to acknowledge.
pub(crate) trait Handler: Send + Sync + 'static {
    fn handle(
        self: Arc<Self>,
        incoming: Incoming,
        session: CancellationToken,
    ) -> impl Future<Output = Verdict> + Send;
}

/// How long the steps of a broken session may take before the next session begins beside them.
const SETTLE: Duration = Duration::from_secs(5);

/// How long the broker may take to end a session: one that hangs keeps nobody from stopping.
const FAREWELL: Duration = Duration::from_secs(5);

/// The consuming side of a worker.
pub(crate) struct Consumer<H> {
    pub connector: Connector,
    pub names: Names,
    pub ladder: Ladder,
    pub subscription: Subscription,
    pub prefetch: u16,
    pub breaker: Arc<Breaker>,
    pub metrics: Metrics,
    pub shutdown: CancellationToken,
    pub drain_grace: Duration,
    pub handler: Arc<H>,
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The channel or the connection is gone.
    Broken,
    /// The breaker has changed its mind.
    Breaker,
    /// The process is to stop.
    Shutdown,
}

impl<H: Handler> Consumer<H> {
    /// Consumes until the process is to stop, and returns when everything in hand is done.
    pub(crate) async fn run(self) {
        while let Some(connection) = self.connector.connect("consume", &self.shutdown).await {
            if let Err(error) = self.serve(&connection).await {
                tracing::warn!(%error, "the consuming connection broke");
            }
            self.metrics.broker_up.with_label_values(&["consume"]).set(0.0);
            if !pause(Duration::from_millis(100), &self.shutdown).await {
                break;
            }
        }
    }

    /// Session after session on one connection, until it breaks or the process is to stop.
    async fn serve(&self, connection: &Connection) -> lapin::Result<()> {
        while let Some(window) = self.breaker.window(self.prefetch, &self.shutdown).await {
            let channel = connection.create_channel().await?;
            topology::declare(&channel, &self.names, self.ladder, &self.subscription).await?;
            self.metrics.broker_up.with_label_values(&["consume"]).set(1.0);
            match self.session(&channel, window).await? {
                End::Broken => return Ok(()),
                End::Shutdown => break,
                End::Breaker => {
                    let closing = channel.close(200, "paused".into());
                    match tokio::time::timeout(FAREWELL, closing).await {
                        Ok(closed) => closed?,
                        Err(_) => return Ok(()),
                    }
                }
            }
        }
        Ok(())
    }

    async fn session(&self, channel: &Channel, window: u16) -> lapin::Result<End> {
        channel.basic_qos(window, BasicQosOptions::default()).await?;
        let queue = self.names.queue(&self.subscription.worker);
        let options = BasicConsumeOptions::default();
        let mut deliveries = channel
            .basic_consume(queue.as_str().into(), "".into(), options, FieldTable::default())
            .await?;
        let mut hand = Hand::new(Arc::clone(&self.handler));
        let changed = self.breaker.changed(window);
        tokio::pin!(changed);
        let end = loop {
            tokio::select! {
                biased;
                () = self.shutdown.cancelled() => break End::Shutdown,
                () = &mut changed => break End::Breaker,
                () = hand.finished() => if hand.acknowledge(channel).await.is_err() {
                    break End::Broken;
                },
                delivery = deliveries.next() => match delivery {
                    Some(Ok(delivery)) => hand.take(delivery),
                    // An error, or the queue is gone: either way this channel is of no more use.
                    Some(Err(_)) | None => break End::Broken,
                },
            }
        };
        if end == End::Broken {
            hand.let_go(SETTLE).await;
            return Ok(end);
        }
        let finish_by = Instant::now() + self.drain_grace;
        // The broker hands out what was on its way, then the stream ends.
        let farewell = async {
            channel.basic_cancel(deliveries.tag(), BasicCancelOptions::default()).await?;
            while let Some(Ok(delivery)) = deliveries.next().await {
                hand.take(delivery);
            }
            lapin::Result::Ok(())
        };
        match tokio::time::timeout(FAREWELL.min(self.drain_grace), farewell).await {
            Ok(parted) => parted?,
            Err(_) => tracing::warn!("the broker does not answer the farewell"),
        }
        hand.finish(channel, finish_by).await;
        Ok(end)
    }
}

/// The messages that a session has in hand.
struct Hand<H> {
    handler: Arc<H>,
    session: CancellationToken,
    tasks: JoinSet<(u64, Verdict)>,
    acks: Acks,
}

impl<H: Handler> Hand<H> {
    fn new(handler: Arc<H>) -> Self {
        let session = CancellationToken::new();
        Self { handler, session, tasks: JoinSet::new(), acks: Acks::default() }
    }

    fn take(&mut self, delivery: Delivery) {
        let tag = delivery.delivery_tag;
        self.acks.delivered(tag);
        let (handler, session) = (Arc::clone(&self.handler), self.session.clone());
        self.tasks.spawn(async move { (tag, handler.handle(incoming(delivery), session).await) });
    }

    /// Waits for at least one message to be done with, and notes all that are.
    async fn finished(&mut self) {
        let Some(first) = self.tasks.join_next().await else {
            return std::future::pending().await;
        };
        let mut next = Some(first);
        while let Some(joined) = next {
            // A panicked handler leaves its message with the broker; the engine catches its
            // worker's panics long before.
            if let Ok((tag, Verdict::Ack)) = joined {
                self.acks.done(tag);
            }
            next = self.tasks.try_join_next();
        }
    }

    async fn acknowledge(&mut self, channel: &Channel) -> lapin::Result<()> {
        for ack in self.acks.take() {
            let (tag, multiple) = match ack {
                Ack::UpTo(tag) => (tag, true),
                Ack::One(tag) => (tag, false),
            };
            channel.basic_ack(tag, BasicAckOptions { multiple }).await?;
        }
        Ok(())
    }

    /// Finishes what is in hand until `by`; what is not finished stays with the broker.
    async fn finish(mut self, channel: &Channel, by: Instant) {
        let finish = async {
            while !self.tasks.is_empty() {
                self.finished().await;
                if self.acknowledge(channel).await.is_err() {
                    break;
                }
            }
        };
        if tokio::time::timeout_at(by, finish).await.is_err() {
            let left = self.acks.in_hand();
            tracing::warn!(left, "stopped with messages in hand; the broker keeps them");
        }
        self.session.cancel();
    }

    /// The channel is gone: lets the steps come to their next save.
    async fn let_go(mut self, limit: Duration) {
        self.session.cancel();
        let rest = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(limit, rest).await.is_err() {
            // They hold leases; the next session finds them busy and comes back later.
            self.tasks.detach_all();
        }
    }
}

fn incoming(delivery: Delivery) -> Incoming {
    let text = |name: &str| {
        let headers = delivery.properties.headers().as_ref()?;
        Some(headers.inner().get(name)?.as_long_string()?.to_string())
    };
    Incoming {
        trace: text(TRACEPARENT),
        replay: text(REPLAY),
        given_up: text(GIVEN_UP),
        body: delivery.data,
    }
}
