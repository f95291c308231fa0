//! One token for all replicas: a row in PostgreSQL, renewed before its end by whoever holds its lease.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use sqlx::PgPool;
use uuid::Uuid;

use super::{
    error::What,
    store::{self, Kept},
    turns::{away, sleep},
};

/// How long a sign-in belongs to one replica: longer than two calls.
const LEASE: Duration = Duration::from_secs(60);
/// How long nobody tries again after a sign-in that failed.
const PAUSE: Duration = Duration::from_secs(2);
/// How long another replica's sign-in is waited for; a longer wait is the job's.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two looks whether the other replica has signed in.
const LOOK: Duration = Duration::from_millis(50);

/// A token in hand.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) value: String,
    number: i64,
    /// Until then it need not be renewed.
    fresh: Instant,
}

/// A token as it was given, with the refresh token that replaces the one it was given for.
pub(super) struct Fresh {
    pub(super) value: String,
    pub(super) refresh: Option<String>,
    pub(super) holds: Duration,
}

/// The box's token.
pub(super) struct Tokens {
    pool: PgPool,
    account: Uuid,
    margin: Duration,
    holder: Uuid,
    known: Mutex<Option<Token>>,
    /// One look into the table at a time.
    door: tokio::sync::Mutex<()>,
}

impl Tokens {
    pub(super) fn new(pool: &PgPool, account: Uuid, margin: Duration) -> Self {
        Self {
            pool: pool.clone(),
            account,
            margin,
            holder: Uuid::new_v4(),
            known: Mutex::default(),
            door: tokio::sync::Mutex::default(),
        }
    }

    /// The token in force: the one in hand, the stored one, or a new one by `sign_in`, which gets the last
    /// refresh token.
    pub(super) async fn token<S, F>(&self, sign_in: S) -> Result<Token, What>
    where
        S: FnOnce(Option<String>) -> F,
        F: Future<Output = Result<Fresh, What>>,
    {
        if let Some(token) = self.in_hand() {
            return Ok(token);
        }
        let _one = self.door.lock().await;
        if let Some(token) = self.in_hand() {
            return Ok(token);
        }
        let began = Instant::now();
        loop {
            let stored = store::token(&self.pool, self.account).await.map_err(|e| away(&e))?;
            if let Some(stored) = stored.filter(|stored| stored.fresh_ms > 0) {
                let fresh = Duration::from_millis(u64::try_from(stored.fresh_ms).unwrap_or(0));
                return Ok(self.remember(stored.token, stored.number, fresh));
            }
            let held = store::hold(&self.pool, self.account, self.holder, LEASE).await;
            if held.map_err(|error| away(&error))? {
                return self.renew(sign_in).await;
            }
            // Somebody else renews it, or has just failed to.
            if began.elapsed() > PATIENCE {
                return Err(What::Busy { after: PAUSE });
            }
            sleep(LOOK).await;
        }
    }

    /// Diadoc refused this token.
    pub(super) async fn forget(&self, token: &Token) -> Result<(), What> {
        self.lock().take_if(|known| known.number == token.number);
        store::forget(&self.pool, self.account, token.number).await.map_err(|error| away(&error))
    }

    async fn renew<S, F>(&self, sign_in: S) -> Result<Token, What>
    where
        S: FnOnce(Option<String>) -> F,
        F: Future<Output = Result<Fresh, What>>,
    {
        let last = store::refresh(&self.pool, self.account).await.map_err(|error| away(&error))?;
        match sign_in(last).await {
            Ok(fresh) => {
                // A token that holds for less than the margin is not renewed at once and for ever.
                let due = fresh.holds - self.margin.min(fresh.holds / 4);
                let kept = Kept {
                    token: &fresh.value,
                    refresh: fresh.refresh.as_deref(),
                    fresh: due,
                    holds: fresh.holds,
                };
                let number = store::keep(&self.pool, self.account, self.holder, &kept).await;
                // Without the lease another's token is in the row; ours is good all the same.
                let number = number.map_err(|error| away(&error))?.unwrap_or(-1);
                Ok(self.remember(fresh.value, number, due))
            }
            Err(error) => {
                let released = store::release(&self.pool, self.account, self.holder, PAUSE).await;
                if let Err(error) = released {
                    tracing::warn!(%error, "the sign-in's lease was not given back; it ends by itself");
                }
                Err(error)
            }
        }
    }

    fn remember(&self, value: String, number: i64, fresh: Duration) -> Token {
        let token = Token { value, number, fresh: Instant::now() + fresh };
        *self.lock() = Some(token.clone());
        token
    }

    fn in_hand(&self) -> Option<Token> {
        self.lock().clone().filter(|token| Instant::now() < token.fresh)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Token>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
