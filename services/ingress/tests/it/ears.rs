//! What the test hears of ingress: events, statuses, jobs, metrics.

use events::{Event, Fact};

use crate::quay::{LONG, Quay};

impl Quay {
    /// The events of the order that have been told since the last call, each as a word.
    pub(crate) async fn told(&self) -> Vec<String> {
        self.told_events().await.iter().map(|event| word(&event.fact)).collect()
    }

    /// The events that have been told since the last call. The bus may say one twice (its id
    /// makes that harmless); here it counts once.
    pub(crate) async fn told_events(&self) -> Vec<Event> {
        let mut told = Vec::new();
        while let Some(letter) = self.stage.take(&self.ears()).await {
            let event = Event::from_json(letter.body.as_bytes()).unwrap();
            if self.heard.lock().unwrap().insert(event.id()) {
                told.push(event);
            }
        }
        told
    }

    /// The statuses that have been told since the last call.
    pub(crate) async fn statuses_told(&self) -> Vec<events::Status> {
        let mut told = Vec::new();
        while let Some(letter) = self.stage.take(&self.statuses()).await {
            match Event::from_json(letter.body.as_bytes()).unwrap().fact {
                Fact::StatusChanged(status) => told.push(*status),
                other => panic!("{other:?} among the statuses"),
            }
        }
        told
    }

    /// Webhooks whose job is in `phase` (`open`, `done`, `dead`).
    pub(crate) async fn jobs(&self, phase: &str) -> i64 {
        let pool = self.stage.pool("ingress");
        sqlx::query_scalar(
            "SELECT count(*) FROM jobs WHERE phase = $1 AND (told OR phase = 'open')",
        )
        .bind(phase)
        .fetch_one(&pool)
        .await
        .unwrap()
    }

    /// Waits until so many webhooks have been read to the end and none is in hand.
    pub(crate) async fn until_read(&self, count: i64) {
        let done = || async { self.jobs("done").await + self.jobs("dead").await >= count };
        if tokio::time::timeout(LONG, self.stage.until("read", 2 * LONG, done)).await.is_err() {
            panic!("not {count} webhooks read in time: {:?}", self.errors().await);
        }
        assert_eq!(
            (self.jobs("done").await + self.jobs("dead").await, self.jobs("open").await),
            (count, 0)
        );
    }

    async fn errors(&self) -> Vec<(String, String, Option<String>)> {
        sqlx::query_as("SELECT event, phase, last_error FROM jobs")
            .fetch_all(&self.stage.pool("ingress"))
            .await
            .unwrap()
    }

    /// A number out of one of the service's own tables.
    pub(crate) async fn number(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(&self.stage.pool("ingress")).await.unwrap()
    }

    /// The value of a metric, 0 where it is not there yet.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let text = self.http.get(format!("{}/metrics", self.url)).send().await.unwrap();
        let text = text.text().await.unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().unwrap())
    }
}

/// A fact in one word, with its order.
pub(crate) fn word(fact: &Fact) -> String {
    let (order, what) = match fact {
        Fact::OrderCreated(fact) => (&fact.order, "created".to_owned()),
        Fact::OrderPaid(fact) => {
            (&fact.order, format!("paid {}#{}", fact.payment, fact.occurrence))
        }
        Fact::OrderShipped(fact) => {
            (&fact.order, format!("shipped {}#{}", fact.shipment, fact.occurrence))
        }
        Fact::OrderCompleted(fact) => (&fact.order, format!("completed#{}", fact.occurrence)),
        Fact::OrderCancelled(fact) => (&fact.order, format!("cancelled#{}", fact.occurrence)),
        Fact::OrderChanged(fact) => (&fact.order, format!("changed#{}", fact.occurrence)),
        Fact::OrderReturned(fact) => (&fact.order, format!("returned#{}", fact.occurrence)),
        Fact::PaymentRefunded(fact) => {
            (&fact.order, format!("refunded {}#{}", fact.payment, fact.occurrence))
        }
        other => panic!("{other:?} is not of an order"),
    };
    format!("{} {what}", order.key.id)
}
