//! What the tests do with a ferry.

use std::time::Duration;

use runtime::testing::{Service, Stage};

use crate::ferry::{Books, Config, Ferry, crossing};

/// Longer than anything here takes.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// A stage with a ferry on it.
pub(crate) struct Trip {
    pub(crate) stage: Stage,
    pub(crate) books: Books,
}

impl Trip {
    pub(crate) async fn begin() -> Self {
        Self { stage: Stage::set().await, books: Books::default() }
    }

    pub(crate) fn service(&self) -> Service {
        Service::start::<Ferry>(self.stage.common(), Config { books: self.books.clone() })
    }

    pub(crate) fn queue(&self) -> String {
        self.stage.names().queue("ferry")
    }

    pub(crate) fn dead(&self) -> String {
        self.stage.names().dead_queue("ferry")
    }

    /// Puts an event into the worker's queue once that exists.
    pub(crate) async fn send(&self, order: u64) {
        self.stage.put("", &self.queue(), crossing(order).to_json().unwrap().as_bytes(), &[]).await;
    }

    /// A short life, so that queues and tables are there.
    pub(crate) async fn set_up(&self) {
        let service = self.service();
        self.stage.until("tables", LONG, || async { self.jobs("open").await.is_some() }).await;
        self.declared().await;
        service.stop().await;
    }

    pub(crate) async fn declared(&self) {
        self.stage.until("queues", LONG, || self.stage.hears("ferry")).await;
    }

    pub(crate) async fn jobs(&self, phase: &str) -> Option<i64> {
        let pool = self.stage.pool("ferry");
        sqlx::query_scalar(
            "SELECT count(*) FROM jobs WHERE phase = $1 AND (told OR phase = 'open')",
        )
        .bind(phase)
        .fetch_one(&pool)
        .await
        .ok()
    }

    pub(crate) async fn until_done(&self, count: i64) {
        self.stage.until("done", LONG, || async { self.jobs("done").await == Some(count) }).await;
    }

    pub(crate) async fn until_effects(&self, orders: std::ops::RangeInclusive<u64>) {
        self.stage
            .until("effects", LONG, || async { orders.clone().all(|o| self.books.effects(o) > 0) })
            .await;
    }

    pub(crate) async fn end(self) {
        self.stage.clear(&["ferry"]).await;
    }
}
