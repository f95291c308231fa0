//! What people on duty are to be told.

use std::time::Duration;

use uuid::Uuid;

use super::{Condition, Store, interval};

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

/// What is new. While it is held no other replica tells; who dies before [`News::told`] leaves it
/// to be told by the next one.
pub(crate) struct News {
    pub groups: Vec<Notice>,
    pub conditions: Vec<Condition>,
    transaction: sqlx::Transaction<'static, sqlx::Postgres>,
}

impl Store {
    /// Groups that have more open letters than people were told of, those of one worker, class and
    /// code at most once in `quiet` however they are worded, and unknown ones at once; and what lasts, once for each occurrence; a register must be away for `away`, and of a
    /// certificate people are reminded a week and a day before its end and at it. `None` while
    /// another replica tells.
    pub(crate) async fn news(&self, quiet: Duration, away: Duration) -> sqlx::Result<Option<News>> {
        let mut transaction = self.pool.begin().await?;
        // Telling takes a while: a lock on the groups themselves would keep letters from coming in.
        let alone = sqlx::query_scalar!(
            r#"SELECT pg_try_advisory_xact_lock(hashtextextended(current_schema() || ' news', 0)) AS "alone!""#,
        )
        .fetch_one(&mut *transaction)
        .await?;
        if !alone {
            transaction.rollback().await?;
            return Ok(None);
        }
        let groups = sqlx::query_as!(
            Notice,
            r#"
            SELECT g.id AS group, g.worker, g.class, g.pattern_ru, g.pattern_en, o.open AS "open!"
            FROM groups g JOIN (
                SELECT group_id, count(*) AS open, max(arrived_at) AS newest
                FROM letters WHERE state = 'open' GROUP BY group_id) o ON o.group_id = g.id
            WHERE CASE WHEN g.class = 'unknown'
                THEN o.open > g.notified_open OR g.notified_at IS NULL OR o.newest > g.notified_at
                ELSE o.open > g.notified_open AND NOT EXISTS (
                    SELECT FROM groups told WHERE told.worker IS NOT DISTINCT FROM g.worker AND told.class = g.class
                        AND told.code = g.code AND told.notified_at >= now() - $1::interval) END
            ORDER BY (g.class = 'unknown') DESC, o.open DESC, g.id
            "#,
            interval(quiet),
        )
        .fetch_all(&mut *transaction)
        .await?;
        let conditions = sqlx::query_as!(
            Condition,
            "SELECT occurrence, kind, service, subject, since, at FROM conditions
             WHERE over_at IS NULL AND (kind <> 'away' OR since <= now() - $1::interval) AND (told_at IS NULL
                OR kind = 'certificate' AND EXISTS (
                    SELECT FROM unnest(ARRAY[interval '7 days', interval '1 day', interval '0']) AS left_over
                    WHERE at - left_over <= now() AND told_at < at - left_over))
             ORDER BY kind, service, subject",
            interval(away),
        )
        .fetch_all(&mut *transaction)
        .await?;
        Ok(Some(News { groups, conditions, transaction }))
    }

    /// What was closed is told anew when it is stuck anew.
    pub(crate) async fn calm(&self) -> sqlx::Result<()> {
        sqlx::query!(
            "UPDATE groups g SET notified_open = o.open FROM (
                SELECT g.id, count(l.id) AS open FROM groups g
                LEFT JOIN letters l ON l.group_id = g.id AND l.state = 'open'
                WHERE g.notified_open > 0 GROUP BY g.id) o
             WHERE o.id = g.id AND g.notified_open > o.open",
        )
        .execute(&self.pool)
        .await
        .map(drop)
    }
}

impl News {
    /// Leaves it to be told the next time.
    pub(crate) async fn let_go(self) -> sqlx::Result<()> {
        self.transaction.rollback().await
    }

    /// Notes that people know it.
    pub(crate) async fn told(mut self) -> sqlx::Result<()> {
        let (ids, open): (Vec<Uuid>, Vec<i64>) =
            self.groups.iter().map(|notice| (notice.group, notice.open)).unzip();
        // As letters come in: one order of locking.
        sqlx::query!("SELECT id FROM groups WHERE id = ANY($1) ORDER BY id FOR UPDATE", &ids)
            .fetch_all(&mut *self.transaction)
            .await?;
        sqlx::query!(
            "UPDATE groups g SET notified_at = clock_timestamp(), notified_open = t.open
             FROM unnest($1::uuid[], $2::bigint[]) AS t (id, open) WHERE g.id = t.id",
            &ids,
            &open,
        )
        .execute(&mut *self.transaction)
        .await?;
        let occurrences: Vec<Uuid> = self.conditions.iter().map(|held| held.occurrence).collect();
        sqlx::query!(
            "UPDATE conditions SET told_at = now() WHERE occurrence = ANY($1)",
            &occurrences
        )
        .execute(&mut *self.transaction)
        .await?;
        self.transaction.commit().await
    }
}
