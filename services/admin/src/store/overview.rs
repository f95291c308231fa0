//! How the services stand, from what they said and what they gave up.

use serde::Serialize;
use time::OffsetDateTime;

use super::{Condition, Store};

/// One service at a glance.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct ServiceRow {
    pub service: String,
    /// Jobs finished in the last hour.
    pub done_hour: i64,
    /// Jobs whose last word is that they are tried again.
    pub retrying: i64,
    /// Open dead letters of which nobody knows whether the effect happened.
    pub unknown: i64,
    /// Open dead letters.
    pub dead: i64,
    /// When the oldest of them came.
    #[serde(with = "time::serde::rfc3339::option")]
    pub oldest_dead: Option<OffsetDateTime>,
    /// From the fact to the finished job, in seconds: half of the last day's were quicker.
    pub critical_p50: Option<f64>,
    /// The same for 95 in 100.
    pub critical_p95: Option<f64>,
    /// When it spoke last.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_at: Option<OffsetDateTime>,
}

/// What the overview shows.
#[derive(Debug, Clone)]
pub(crate) struct Picture {
    pub services: Vec<ServiceRow>,
    pub hours: Vec<Hour>,
    pub conditions: Vec<Condition>,
    /// When it was taken.
    pub at: OffsetDateTime,
}

/// Dead letters of one service and class that wait for a person.
#[derive(Debug, Clone)]
pub(crate) struct Open {
    /// `unrouted` where nobody listened.
    pub service: String,
    pub class: String,
    pub letters: i64,
    pub oldest: OffsetDateTime,
}

/// An hour of the flow.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Hour {
    #[serde(with = "time::serde::rfc3339")]
    pub hour: OffsetDateTime,
    pub done: i64,
    pub failed: i64,
}

impl Store {
    /// All that the overview shows.
    pub(crate) async fn picture(&self) -> sqlx::Result<Picture> {
        Ok(Picture {
            services: self.overview().await?,
            hours: self.hours().await?,
            conditions: self.conditions().await?,
            at: OffsetDateTime::now_utc(),
        })
    }

    /// All services that have spoken in the last week or have open letters.
    async fn overview(&self) -> sqlx::Result<Vec<ServiceRow>> {
        sqlx::query_as!(
            ServiceRow,
            r#"
            WITH said AS (
                SELECT * FROM entries WHERE service IS NOT NULL AND at > now() - interval '7 days'
            ), last AS (
                SELECT DISTINCT ON (cause, service) service, phase FROM said
                ORDER BY cause, service, (phase = 'done') DESC, at DESC
            ), standing AS (
                SELECT service, count(*) FILTER (WHERE phase = 'retrying') AS retrying FROM last GROUP BY service
            ), flow AS (
                SELECT s.service, count(*) FILTER (WHERE s.phase = 'done' AND s.at > now() - interval '1 hour') AS done_hour,
                    max(s.at) AS last_at,
                    percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY EXTRACT(EPOCH FROM s.at - f.at)::float8)
                        FILTER (WHERE s.phase = 'done' AND s.at > now() - interval '1 day') AS critical
                FROM said s LEFT JOIN entries f ON f.event_id = s.cause GROUP BY s.service
            ), dead AS (
                SELECT COALESCE(service, 'unrouted') AS service, count(*) AS dead, min(arrived_at) AS oldest,
                    count(*) FILTER (WHERE class = 'unknown') AS unknown
                FROM letters WHERE state = 'open' GROUP BY 1
            )
            SELECT COALESCE(flow.service, dead.service) AS "service!", COALESCE(flow.done_hour, 0) AS "done_hour!",
                COALESCE(standing.retrying, 0) AS "retrying!", COALESCE(dead.unknown, 0) AS "unknown!",
                COALESCE(dead.dead, 0) AS "dead!", dead.oldest AS "oldest_dead?", flow.critical[1] AS critical_p50,
                flow.critical[2] AS critical_p95, flow.last_at AS "last_at?"
            FROM flow FULL JOIN dead ON dead.service = flow.service LEFT JOIN standing ON standing.service = flow.service
            ORDER BY 1
            "#,
        )
        .fetch_all(&self.pool)
        .await
    }

    /// What waits for a person, by service and class.
    pub(crate) async fn open_letters(&self) -> sqlx::Result<Vec<Open>> {
        sqlx::query_as!(
            Open,
            r#"
            SELECT COALESCE(service, 'unrouted') AS "service!", class, count(*) AS "letters!",
                min(arrived_at) AS "oldest!"
            FROM letters WHERE state = 'open' GROUP BY 1, 2
            "#,
        )
        .fetch_all(&self.pool)
        .await
    }

    /// The last 24 hours of all services together, those without a word included.
    async fn hours(&self) -> sqlx::Result<Vec<Hour>> {
        sqlx::query_as!(
            Hour,
            r#"
            SELECT h AS "hour!", count(*) FILTER (WHERE e.phase = 'done') AS "done!",
                count(*) FILTER (WHERE e.phase IN ('failed', 'unknown')) AS "failed!"
            FROM generate_series(date_trunc('hour', now()) - interval '23 hours', date_trunc('hour', now()), '1 hour') h
            LEFT JOIN entries e ON e.at >= h AND e.at < h + interval '1 hour' AND e.service IS NOT NULL
            GROUP BY h ORDER BY h
            "#,
        )
        .fetch_all(&self.pool)
        .await
    }
}
