//! What people on duty are to be told.

use std::time::Duration;

use uuid::Uuid;

use super::{Store, interval};

/// A group with news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    pub group: Uuid,
    pub worker: Option<String>,
    pub class: String,
    pub pattern_ru: String,
    pub pattern_en: String,
    pub open: i64,
}

impl Store {
    /// Groups that have more open letters than people were told of, each at most once in `quiet`.
    /// They count as told from now on: should telling fail, see [`Store::unnotice`].
    pub(crate) async fn notices(&self, quiet: Duration) -> sqlx::Result<Vec<Notice>> {
        sqlx::query_as!(
            Notice,
            r#"
            WITH now_open AS (
                SELECT group_id, count(*) AS open FROM letters WHERE state = 'open' GROUP BY group_id
            ), calm AS (
                UPDATE groups g SET notified_open = COALESCE((SELECT open FROM now_open WHERE group_id = g.id), 0)
                WHERE g.notified_open > COALESCE((SELECT open FROM now_open WHERE group_id = g.id), 0)
            )
            UPDATE groups g SET notified_at = now(), notified_open = o.open FROM now_open o
            WHERE g.id = o.group_id AND o.open > g.notified_open
                AND (g.notified_at IS NULL OR g.notified_at < now() - $1::interval)
            RETURNING g.id AS group, g.worker, g.class, g.pattern_ru, g.pattern_en, o.open AS "open!"
            "#,
            interval(quiet),
        )
        .fetch_all(&self.pool)
        .await
    }

    /// Takes back that people were told.
    pub(crate) async fn unnotice(&self, groups: &[Uuid]) -> sqlx::Result<()> {
        sqlx::query!(
            "UPDATE groups SET notified_at = NULL, notified_open = 0 WHERE id = ANY($1)",
            groups
        )
        .execute(&self.pool)
        .await
        .map(drop)
    }
}
