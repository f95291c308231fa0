//! Whose turn it is: one sender and one poller for each UTM, over all replicas.

use std::time::Duration;

use uuid::Uuid;

use super::Store;

/// What only one may do at a time with a UTM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Send a document: the UTM signs with one key.
    Send,
    /// Empty the inbox.
    Poll,
    /// Ask for stock.
    Rests,
}

impl Task {
    const fn word(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Poll => "poll",
            Self::Rests => "rests",
        }
    }
}

/// A turn that was got. It ends by itself if its holder dies.
#[derive(Debug)]
#[must_use]
pub struct Turn {
    utm: String,
    task: Task,
    holder: Uuid,
}

impl Store {
    /// Takes the turn for at most this long; `None` while somebody else has it.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn turn(
        &self,
        utm: &str,
        task: Task,
        longest: Duration,
    ) -> sqlx::Result<Option<Turn>> {
        let holder = Uuid::new_v4();
        let seconds = i32::try_from(longest.as_secs()).unwrap_or(i32::MAX);
        let got = sqlx::query_scalar!(
            "INSERT INTO turns (utm, task, holder, until)
             VALUES ($1, $2, $3, now() + make_interval(secs => $4))
             ON CONFLICT (utm, task) DO UPDATE SET holder = $3, until = now() + make_interval(secs => $4)
             WHERE turns.until < now()
             RETURNING holder",
            utm,
            task.word(),
            holder,
            f64::from(seconds)
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(got.map(|_| Turn { utm: utm.to_owned(), task, holder }))
    }

    /// Keeps the turn for as long again; `false` when it was lost.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn renew(&self, turn: &Turn, longest: Duration) -> sqlx::Result<bool> {
        let seconds = i32::try_from(longest.as_secs()).unwrap_or(i32::MAX);
        let kept = sqlx::query!(
            "UPDATE turns SET until = now() + make_interval(secs => $4)
             WHERE utm = $1 AND task = $2 AND holder = $3",
            turn.utm,
            turn.task.word(),
            turn.holder,
            f64::from(seconds)
        )
        .execute(&self.pool)
        .await?;
        Ok(kept.rows_affected() == 1)
    }

    /// Gives the turn back; `whole` when its work was done to the end.
    ///
    /// # Errors
    /// When PostgreSQL is away; the turn then ends by itself.
    pub async fn give_back(
        &self,
        turn: Turn,
        whole: Option<time::OffsetDateTime>,
    ) -> sqlx::Result<()> {
        sqlx::query!(
            "UPDATE turns SET until = '-infinity', ended_at = coalesce($4, ended_at)
             WHERE utm = $1 AND task = $2 AND holder = $3",
            turn.utm,
            turn.task.word(),
            turn.holder,
            whole
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// When a round of the task last came to its end.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn ended_at(
        &self,
        utm: &str,
        task: Task,
    ) -> sqlx::Result<Option<time::OffsetDateTime>> {
        let ended = sqlx::query_scalar!(
            "SELECT ended_at FROM turns WHERE utm = $1 AND task = $2",
            utm,
            task.word()
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(ended.flatten())
    }
}
