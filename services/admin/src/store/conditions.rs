//! What lasts for a while: a register that is away, a silent store, a certificate near its end.

use std::time::Duration;

use time::OffsetDateTime;
use uuid::Uuid;

use super::{Started, Store, Wish, audit::note_in, interval, replays::start_in};
use crate::{
    filter::Filter,
    services::worker_of,
    watch::{Kind, Seen},
};

/// What people are to be told of once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    pub occurrence: Uuid,
    pub kind: String,
    pub service: String,
    pub subject: String,
    pub since: OffsetDateTime,
    pub at: Option<OffsetDateTime>,
}

/// Who begins a replay without a person. No login has a capital.
const ITSELF: &str = "Parom";
/// Its reason, behind the service's name: whoever reads it in the API or the table has both languages.
pub(crate) const BACK: &str = ": сервис снова доступен / the register is back";

impl Store {
    /// Keeps what a service's metrics say. What comes back within `calm` was never over; later it
    /// is a new occurrence.
    pub(crate) async fn sight(
        &self,
        service: &str,
        seen: &Seen,
        calm: Duration,
    ) -> sqlx::Result<()> {
        let mut transaction = self.pool.begin().await?;
        for kind in Kind::ALL {
            let held = seen.holds.iter().filter(|((held, _), _)| *held == kind);
            let (subjects, moments): (Vec<String>, Vec<Option<OffsetDateTime>>) =
                held.map(|((_, subject), at)| (subject.clone(), *at)).unzip();
            // A service that says nothing of its register leaves it as it was.
            if kind == Kind::Away && seen.away.is_none() {
                continue;
            }
            sqlx::query!(
                "UPDATE conditions SET over_at = now()
                 WHERE kind = $1 AND service = $2 AND over_at IS NULL AND NOT subject = ANY($3)",
                kind.name(),
                service,
                &subjects,
            )
            .execute(&mut *transaction)
            .await?;
            sqlx::query!(
                "INSERT INTO conditions AS c (kind, service, subject, occurrence, at)
                 SELECT $1, $2, s.subject, gen_random_uuid(), s.at
                 FROM unnest($3::text[], $4::timestamptz[]) AS s (subject, at) ORDER BY s.subject
                 ON CONFLICT (kind, service, subject) DO UPDATE SET at = excluded.at, over_at = NULL,
                    occurrence = CASE WHEN c.over_at < now() - $5::interval THEN excluded.occurrence ELSE c.occurrence END,
                    since = CASE WHEN c.over_at < now() - $5::interval THEN now() ELSE c.since END,
                    told_at = CASE WHEN c.over_at < now() - $5::interval THEN NULL ELSE c.told_at END,
                    replayed_at = CASE WHEN c.over_at < now() - $5::interval THEN NULL ELSE c.replayed_at END
                 WHERE c.over_at IS NOT NULL OR c.at IS DISTINCT FROM excluded.at",
                kind.name(),
                service,
                &subjects,
                &moments as _,
                interval(calm),
            )
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await
    }

    /// Begins a replay of what stopped for a register that has been back for `calm`: one for each
    /// time it was away, whoever of several replicas asks how often. `None` when there is nothing
    /// to do.
    ///
    /// Only letters of the class `unavailable`, which their workers look up before they send; the
    /// note in the audit log is of the same transaction.
    pub(crate) async fn replay_back(
        &self,
        calm: Duration,
        rate: i32,
    ) -> sqlx::Result<Option<(String, Started)>> {
        let mut transaction = self.pool.begin().await?;
        let back = sqlx::query!(
            "SELECT service, occurrence FROM conditions
             WHERE kind = 'away' AND replayed_at IS NULL AND over_at < now() - $1::interval
                AND over_at > now() - interval '1 day'
             ORDER BY over_at LIMIT 1 FOR UPDATE SKIP LOCKED",
            interval(calm),
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(back) = back else {
            transaction.rollback().await?;
            return Ok(None);
        };
        let filter = Filter {
            worker: Some(worker_of(&back.service).to_owned()),
            class: Some("unavailable".to_owned()),
            ..Filter::default()
        };
        let why = format!("{}{BACK}", back.service);
        let wish = Wish {
            id: back.occurrence,
            who: ITSELF,
            why: &why,
            rate,
            filter: &filter,
            ids: None,
            looked: &[],
        };
        let started = start_in(&mut transaction, &wish).await?;
        if started.letters > 0 {
            note_in(&mut transaction, ITSELF, "replay", &[wish.id.to_string()], &why).await?;
        }
        sqlx::query!(
            "UPDATE conditions SET replayed_at = now() WHERE occurrence = $1",
            back.occurrence
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(Some((back.service, started)))
    }

    /// What holds just now, for the overview.
    pub(super) async fn conditions(&self) -> sqlx::Result<Vec<Condition>> {
        sqlx::query_as!(
            Condition,
            "SELECT occurrence, kind, service, subject, since, at FROM conditions
             WHERE over_at IS NULL ORDER BY kind, service, subject",
        )
        .fetch_all(&self.pool)
        .await
    }
}
