//! One sign-in at a register for all replicas: a row in PostgreSQL, renewed before its end by whoever holds its lease.
//!
//! A token is in hand in the process, else in the row, else it is asked for by one replica while the others wait or
//! go on with the old one. A refresh token that came with it is kept in the same statement, and stays with the process
//! until PostgreSQL has taken it.

mod sql;

use std::{
    fmt::Display,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use sqlx::PgPool;
use uuid::Uuid;

use self::sql::Stored;
use crate::{pause::moment, withheld::Withheld};

/// How long nobody tries again after a sign-in that failed.
const PAUSE: Duration = Duration::from_secs(2);
/// How long another replica's sign-in is waited for; a longer wait is the job's.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest a token is taken to hold, whatever its register says.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);
/// Between two looks whether the other replica has signed in.
const LOOK: Duration = Duration::from_millis(50);

/// A token in hand.
#[derive(Clone)]
pub struct Token {
    value: String,
    /// Its number in the row, if it is there.
    number: Option<i64>,
    /// Until then it need not be renewed.
    fresh: Instant,
}

impl Token {
    /// The token itself: a secret.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    fn is_fresh(&self) -> bool {
        Instant::now() < self.fresh
    }
}

/// What the register gives for a sign-in. All of it is secret.
pub struct Grant {
    /// The token.
    pub token: String,
    /// The refresh token that replaces the one it was asked for with; without one that stays good.
    pub refresh: Option<String>,
    /// How long the token holds.
    pub holds: Duration,
}

/// A grant that PostgreSQL has not taken yet.
struct Unsaved {
    grant: Grant,
    /// The number of the token that it replaces.
    after: i64,
    since: Instant,
}

/// How long things take at a register.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// How long before its end a token is replaced.
    pub margin: Duration,
    /// How long a sign-in belongs to one replica: longer than it can take.
    pub lease: Duration,
}

/// The sign-in of one account.
pub struct Session {
    pool: PgPool,
    account: Uuid,
    terms: Terms,
    holder: Uuid,
    known: Mutex<Option<Token>>,
    /// One look into the table at a time; behind it is what the table has not taken yet.
    door: tokio::sync::Mutex<Option<Unsaved>>,
}

impl Session {
    /// The sign-in of `account` (see `shared_sessions` in the pool's schema).
    #[must_use]
    pub fn new(pool: &PgPool, account: Uuid, terms: Terms) -> Self {
        Self {
            pool: pool.clone(),
            account,
            terms,
            holder: Uuid::new_v4(),
            known: Mutex::default(),
            door: tokio::sync::Mutex::default(),
        }
    }

    /// The token in force: the one in hand, the stored one, or a new one by `sign_in`, which gets the last refresh
    /// token, if there is one. When the old one still holds, a renewal that fails is logged alone.
    ///
    /// # Errors
    /// What `sign_in` answers; nobody tries again within two seconds then. [`Withheld::Busy`] when another replica
    /// has been at it for five seconds, [`Withheld::Away`] without PostgreSQL.
    pub async fn token<S, F, E>(&self, sign_in: S) -> Result<Token, E>
    where
        S: FnOnce(Option<String>) -> F,
        F: Future<Output = Result<Grant, E>>,
        E: From<Withheld> + Display,
    {
        if let Some(token) = self.in_hand() {
            return Ok(token);
        }
        let mut unsaved = match self.door.try_lock() {
            Ok(door) => door,
            // Somebody here signs in, and that may take long: nobody waits for it while the old token holds.
            Err(_) => match self.stored().await? {
                Some(token) => return Ok(token),
                None => tokio::time::timeout(PATIENCE, self.door.lock())
                    .await
                    .map_err(|_| Withheld::Busy { after: PAUSE })?,
            },
        };
        if let Some(token) = self.in_hand() {
            return Ok(token);
        }
        self.save(&mut unsaved).await?;
        let began = Instant::now();
        loop {
            let stored = self.stored().await?;
            if let Some(token) = stored.clone().filter(Token::is_fresh) {
                return Ok(token);
            }
            let lease = sql::hold(&self.pool, self.account, self.holder, self.terms.lease).await;
            if let Some(lease) = lease.map_err(Withheld::from)? {
                let signed_in = sign_in(lease.refresh);
                return match (self.renew(lease.number, signed_in, &mut unsaved).await, stored) {
                    (Err(error), Some(token)) => {
                        tracing::warn!(%error, "the token was not renewed yet; the old one still holds");
                        Ok(token)
                    }
                    (renewed, _) => renewed,
                };
            }
            // Somebody else renews it, or has just failed to.
            match stored {
                Some(token) => return Ok(token),
                None if began.elapsed() > PATIENCE => {
                    return Err(Withheld::Busy { after: PAUSE }.into());
                }
                None => moment(LOOK).await,
            }
        }
    }

    /// The register refused this token: no replica uses it any more. A newer one stays.
    ///
    /// # Errors
    /// [`Withheld::Away`] without PostgreSQL.
    pub async fn forget(&self, token: &Token) -> Result<(), Withheld> {
        self.known().take_if(|known| known.number == token.number);
        match token.number {
            Some(number) => Ok(sql::forget(&self.pool, self.account, number).await?),
            None => Ok(()),
        }
    }

    async fn renew<E: From<Withheld>>(
        &self,
        after: i64,
        sign_in: impl Future<Output = Result<Grant, E>>,
        unsaved: &mut Option<Unsaved>,
    ) -> Result<Token, E> {
        match sign_in.await {
            Ok(grant) => {
                // Kept by us first: the register may take the old refresh token no more.
                let given = unsaved.insert(Unsaved { grant, after, since: Instant::now() });
                let token = self.keep(given).await?;
                *unsaved = None;
                Ok(token)
            }
            Err(error) => {
                let released = sql::release(&self.pool, self.account, self.holder, PAUSE).await;
                if let Err(error) = released.map_err(Withheld::from) {
                    tracing::warn!(%error, "the sign-in's lease was not given back; it ends by itself");
                }
                Err(error)
            }
        }
    }

    /// Saves what an earlier sign-in, whose saving failed or was broken off, has left.
    async fn save(&self, unsaved: &mut Option<Unsaved>) -> Result<(), Withheld> {
        if let Some(given) = unsaved {
            self.keep(given).await?;
            *unsaved = None;
        }
        Ok(())
    }

    async fn keep(&self, Unsaved { grant, after, since }: &Unsaved) -> Result<Token, Withheld> {
        // A token that holds for less than the margin is not renewed at once and for ever.
        let holds = grant.holds.min(LONGEST);
        let due = holds - self.terms.margin.min(holds / 4);
        let gone = since.elapsed();
        let (fresh, holds) = (due.saturating_sub(gone), holds.saturating_sub(gone));
        let number = sql::keep(&self.pool, self.account, *after, grant, fresh, holds).await?;
        // Without a number another's token is in the row; ours is good all the same.
        Ok(self.remember(grant.token.clone(), number, *since + due))
    }

    async fn stored(&self) -> Result<Option<Token>, Withheld> {
        let stored = sql::token(&self.pool, self.account).await?;
        Ok(stored.map(|Stored { token, number, fresh_ms }| {
            let fresh = Duration::from_millis(u64::try_from(fresh_ms).unwrap_or(0));
            self.remember(token, Some(number), Instant::now() + fresh)
        }))
    }

    fn remember(&self, value: String, number: Option<i64>, fresh: Instant) -> Token {
        let token = Token { value, number, fresh };
        *self.known() = Some(token.clone());
        token
    }

    fn in_hand(&self) -> Option<Token> {
        self.known().clone().filter(Token::is_fresh)
    }

    fn known(&self) -> MutexGuard<'_, Option<Token>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
