//! Everything a worker puts on the bus. It is said until the broker has confirmed it, or until
//! the message in hand is lost with its channel and comes back by itself.

use std::time::Duration;

use futures_util::future::try_join_all;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    bus::{CHANGED, DEATH, Ladder, Message, Names, PublishError, Publisher, REPLAY},
    mail::{Mail, Unreadable},
    pause::pause,
    reasons,
    store::{Retold, Stuck},
    telemetry,
    words::Word,
    worker::Reason,
};

/// The channel is gone: what was saved is said when the message comes back.
#[derive(Debug)]
pub(crate) struct Abandoned;

/// Between two attempts to say something.
const BREATH: Duration = Duration::from_millis(200);

/// A worker's way to the bus.
#[derive(Clone)]
pub(crate) struct Outbound {
    pub publisher: Publisher,
    pub names: Names,
    pub ladder: Ladder,
    pub worker: &'static str,
    /// The queue of events without an exchange: the reader's.
    pub direct: &'static str,
}

impl Outbound {
    /// Says all `words` about `mail`, and brings it back after `come_back`.
    pub(crate) async fn say(
        &self,
        mail: &Mail,
        words: &[Word],
        come_back: Option<Duration>,
        session: &CancellationToken,
    ) -> Result<(), Abandoned> {
        let trace = telemetry::traceparent().or_else(|| mail.trace.clone());
        let said = words.iter().map(|word| self.word(mail, word));
        let back = come_back.map(|wait| self.delayed(mail, wait));
        let messages = said.chain(back).map(|message| message.trace(trace.as_deref()));
        try_join_all(messages.map(|message| self.send(message, session))).await.map(drop)
    }

    /// A message that nobody can read, as a dead letter with its exact bytes.
    pub(crate) async fn unreadable(
        &self,
        unreadable: &Unreadable,
        session: &CancellationToken,
    ) -> Result<(), Abandoned> {
        let reason = reasons::unreadable(&unreadable.error);
        // No event, no id: the same bytes get the same one.
        let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, &unreadable.body);
        let message = Message::dead(&self.names, self.worker, id, unreadable.body.clone());
        self.send(with_reason(message, self.worker, &reason, 0, None), session).await
    }

    /// A job told again by the sweeper or a nudge, into the worker's own queue.
    pub(crate) async fn retell(&self, job: Retold) -> Result<(), PublishError> {
        let message = Message::to_queue(self.names.queue(self.worker), job.id, job.event);
        self.publisher.publish(message.trace(job.trace.as_deref())).await
    }

    /// The same, if there is a connection, within `limit`.
    pub(crate) async fn retell_now(
        &self,
        job: Retold,
        limit: Duration,
    ) -> Result<(), PublishError> {
        let message = Message::to_queue(self.names.queue(self.worker), job.id, job.event);
        self.publisher.publish_now(message.trace(job.trace.as_deref()), limit).await
    }

    /// A dead job told again, as a replay of that death, with another text of its event.
    pub(crate) async fn revive(
        &self,
        job: &Stuck,
        text: String,
        session: &CancellationToken,
    ) -> Result<(), Abandoned> {
        let message = Message::to_queue(self.names.queue(self.worker), job.id, text)
            .trace(job.trace.as_deref())
            .header(REPLAY, format!("{} {CHANGED}", job.death));
        self.send(message, session).await
    }

    fn word(&self, mail: &Mail, word: &Word) -> Message {
        match word {
            Word::Tell { id, topic, event } => {
                Message::event(&self.names, topic, self.direct, *id, event.clone())
            }
            Word::Bury { reason, attempts, first_error, death } => {
                let text = mail.text.clone();
                let mut message = Message::dead(&self.names, self.worker, mail.event.id(), text);
                if let Some(death) = death {
                    message = message.header(DEATH, death.to_string());
                }
                with_reason(message, self.worker, reason, *attempts, first_error.as_deref())
            }
        }
    }

    fn delayed(&self, mail: &Mail, wait: Duration) -> Message {
        let (id, text) = (mail.event.id(), mail.text.clone());
        let message = Message::delayed(&self.names, self.worker, wait, self.ladder, id, text);
        // A replay that has to wait is a replay all the same.
        match &mail.replay {
            Some(death) => message.header(REPLAY, death),
            None => message,
        }
    }

    async fn send(&self, message: Message, session: &CancellationToken) -> Result<(), Abandoned> {
        loop {
            let sent = tokio::select! {
                sent = self.publisher.publish(message.clone()) => sent,
                () = session.cancelled() => return Err(Abandoned),
            };
            match sent {
                Ok(()) => return Ok(()),
                Err(error) => {
                    tracing::debug!(%error, key = message.key, "not said yet");
                    if !pause(BREATH, session).await {
                        return Err(Abandoned);
                    }
                }
            }
        }
    }
}

/// All headers of a message must fit into one frame.
fn bounded(text: &str) -> String {
    text.chars().take(2_000).collect()
}

fn with_reason(
    message: Message,
    worker: &str,
    reason: &Reason,
    attempts: u32,
    first_error: Option<&str>,
) -> Message {
    let mut message = message
        .header("x-parom-service", worker)
        .header("x-parom-class", reasons::class_name(reason.class))
        .header("x-parom-code", bounded(&reason.code))
        .header("x-parom-reason-ru", bounded(&reason.text.ru))
        .header("x-parom-reason", bounded(&reason.text.en))
        .header("x-parom-attempts", attempts.to_string());
    if let Some(first) = first_error {
        message = message.header("x-parom-first-error", bounded(first));
    }
    if let Some(evidence) = &reason.evidence {
        message = message.header("x-parom-evidence", bounded(evidence));
    }
    message
}
