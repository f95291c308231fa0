//! Whose turn it is: one sender and one poller for each UTM, over all replicas.

use std::time::Duration;

use time::OffsetDateTime;
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

/// How a look at an inbox ended.
#[derive(Debug, Clone, Copy)]
pub enum Round {
    /// All that lay there when it began was seen.
    Whole {
        /// When it began.
        began: OffsetDateTime,
        /// When the newest of what could not be read was first seen.
        unread_at: Option<OffsetDateTime>,
    },
    /// The UTM was away.
    Away,
    /// It answers, and yet the inbox was not seen to its end.
    Failed {
        /// When.
        at: OffsetDateTime,
    },
}

/// How the looks at an inbox fare.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rounds {
    /// When the last one began that came to its end.
    pub ended_at: Option<OffsetDateTime>,
    /// When the newest of what could not be read was first seen.
    pub unread_at: Option<OffsetDateTime>,
    /// Since when each has failed although the UTM answers.
    pub ailing_since: Option<OffsetDateTime>,
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

    /// Gives the turn back.
    ///
    /// # Errors
    /// When PostgreSQL is away; the turn then ends by itself.
    pub async fn give_back(&self, turn: Turn) -> sqlx::Result<()> {
        sqlx::query!(
            "UPDATE turns SET until = '-infinity' WHERE utm = $1 AND task = $2 AND holder = $3",
            turn.utm,
            turn.task.word(),
            turn.holder
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Gives the turn back after a round, and says how the round ended.
    ///
    /// # Errors
    /// When PostgreSQL is away; the turn then ends by itself.
    pub async fn end_round(&self, turn: Turn, round: Round) -> sqlx::Result<()> {
        let (ended_at, unread_at, ailing) = match round {
            Round::Whole { began, unread_at } => (Some(began), unread_at, None),
            Round::Away => (None, None, None),
            Round::Failed { at } => (None, None, Some(at)),
        };
        sqlx::query!(
            "UPDATE turns SET until = '-infinity', ended_at = coalesce($4, ended_at),
                 unread_at = CASE WHEN $4::timestamptz IS NULL THEN unread_at ELSE $5 END,
                 ailing_since = CASE WHEN $6::timestamptz IS NULL THEN NULL ELSE coalesce(ailing_since, $6) END
             WHERE utm = $1 AND task = $2 AND holder = $3",
            turn.utm,
            turn.task.word(),
            turn.holder,
            ended_at,
            unread_at,
            ailing
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// How the looks at a UTM's inbox fare.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn rounds(&self, utm: &str) -> sqlx::Result<Rounds> {
        let rounds = sqlx::query_as!(
            Rounds,
            "SELECT ended_at, unread_at, ailing_since FROM turns WHERE utm = $1 AND task = 'poll'",
            utm
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(rounds.unwrap_or_default())
    }
}
