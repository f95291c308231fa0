//! One token for all replicas: a row in PostgreSQL, renewed before its end by whoever holds its lease.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use serde::Deserialize;
use sqlx::PgPool;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

use super::{
    error::What,
    store::{self, Stored},
    turns::sleep,
};

/// The longest a token holds (documentation of True API); also where the register does not say.
const LONGEST: Duration = Duration::from_secs(10 * 3600);
/// How long a sign-in belongs to one replica: longer than two calls and a signature.
const LEASE: Duration = Duration::from_secs(90);
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

impl Token {
    fn is_fresh(&self) -> bool {
        Instant::now() < self.fresh
    }
}

/// A token as the register gave it.
pub(super) struct Fresh {
    pub(super) value: String,
    pub(super) holds: Duration,
}

/// The participant's token.
pub(super) struct Tokens {
    pool: PgPool,
    participant: String,
    margin: Duration,
    holder: Uuid,
    known: Mutex<Option<Token>>,
    /// One look into the table at a time.
    door: tokio::sync::Mutex<()>,
}

impl Tokens {
    pub(super) fn new(pool: &PgPool, participant: &str, margin: Duration) -> Self {
        Self {
            pool: pool.clone(),
            participant: participant.to_owned(),
            margin,
            holder: Uuid::new_v4(),
            known: Mutex::default(),
            door: tokio::sync::Mutex::default(),
        }
    }

    /// The token in force: the one in hand, the stored one, or a new one by `sign_in`.
    pub(super) async fn token(
        &self,
        sign_in: impl Future<Output = Result<Fresh, What>>,
    ) -> Result<Token, What> {
        if let Some(token) = self.in_hand() {
            return Ok(token);
        }
        let _one = self.door.lock().await;
        if let Some(token) = self.in_hand() {
            return Ok(token);
        }
        let began = Instant::now();
        loop {
            let stored =
                store::token(&self.pool, &self.participant).await.map_err(|error| away(&error))?;
            let stored = stored.map(|stored| self.remember(stored));
            if let Some(token) = stored.clone().filter(Token::is_fresh) {
                return Ok(token);
            }
            if self.hold().await? {
                return match (self.renew(sign_in).await, stored) {
                    // The old one still holds for a while.
                    (Err(error), Some(token)) => {
                        tracing::warn!(%error, "the register's token was not renewed yet");
                        Ok(token)
                    }
                    (renewed, _) => renewed,
                };
            }
            // Somebody else renews it, or has just failed to.
            match stored {
                Some(token) => return Ok(token),
                None if began.elapsed() > PATIENCE => return Err(What::Busy { after: PAUSE }),
                None => sleep(LOOK).await,
            }
        }
    }

    /// The register refused this token.
    pub(super) async fn forget(&self, token: &Token) -> Result<(), What> {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take_if(|known| known.number == token.number);
        store::forget(&self.pool, &self.participant, token.number)
            .await
            .map_err(|error| away(&error))
    }

    async fn hold(&self) -> Result<bool, What> {
        store::hold(&self.pool, &self.participant, self.holder, LEASE)
            .await
            .map_err(|error| away(&error))
    }

    async fn renew(
        &self,
        sign_in: impl Future<Output = Result<Fresh, What>>,
    ) -> Result<Token, What> {
        match sign_in.await {
            Ok(fresh) => {
                let holds = fresh.holds.min(LONGEST);
                // A token that holds for less than the margin is not renewed at once and for ever.
                let due = holds - self.margin.min(holds / 4);
                let (pool, participant) = (&self.pool, self.participant.as_str());
                let value = &fresh.value;
                let kept = store::keep(pool, participant, self.holder, value, due, holds).await;
                // Without the lease another's token is in the row; ours is good all the same.
                let number = kept.map_err(|error| away(&error))?.unwrap_or(-1);
                let token = Token { value: fresh.value, number, fresh: Instant::now() + due };
                *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
                Ok(token)
            }
            Err(error) => {
                let released =
                    store::release(&self.pool, &self.participant, self.holder, PAUSE).await;
                if let Err(error) = released {
                    tracing::warn!(%error, "the sign-in's lease was not given back; it ends by itself");
                }
                Err(error)
            }
        }
    }

    fn in_hand(&self) -> Option<Token> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.clone().filter(Token::is_fresh)
    }

    fn remember(&self, stored: Stored) -> Token {
        let left = u64::try_from(stored.fresh_ms.min(stored.left_ms)).unwrap_or(0);
        let fresh = Instant::now() + Duration::from_millis(left);
        let token = Token { value: stored.token, number: stored.number, fresh };
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
        token
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Given {
    token: Option<String>,
    uuid_token: Option<String>,
    expire_date: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    exp: Option<i64>,
}

/// The token in the register's answer: `uuidToken` with its end, or a JWT that tells its own.
pub(super) fn given(body: &[u8], now: OffsetDateTime) -> Result<Fresh, What> {
    // Not the parser's own words: they quote what they met, and that may be the token.
    let garbled = |error: serde_json::Error| {
        What::Garbled(format!("sign-in: no such answer (see column {})", error.column()))
    };
    let given: Given = serde_json::from_slice(body).map_err(garbled)?;
    let (value, ends) = match (given.uuid_token, given.token) {
        (Some(value), _) => {
            let ends = given.expire_date.as_deref();
            (value, ends.and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok()))
        }
        (None, Some(value)) => {
            let ends = expiry(&value);
            (value, ends)
        }
        (None, None) => return Err(What::Garbled("sign-in: no token".to_owned())),
    };
    if value.is_empty() || value.chars().any(char::is_control) {
        return Err(What::Garbled("sign-in: no token".to_owned()));
    }
    let holds = match ends {
        Some(ends) => Duration::try_from(ends - now).unwrap_or_default(),
        None => LONGEST,
    };
    Ok(Fresh { value, holds })
}

/// When a JWT ends. It is the register's to check; we only read its date.
fn expiry(jwt: &str) -> Option<OffsetDateTime> {
    let claims = BASE64_URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1)?).ok()?;
    let claims: Claims = serde_json::from_slice(&claims).ok()?;
    OffsetDateTime::from_unix_timestamp(claims.exp?).ok()
}

/// Base64 on one line: the register refuses line ends in it.
pub(super) fn base64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

fn away(error: &sqlx::Error) -> What {
    What::Store(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_holds_as_long_as_the_register_says() {
        let now = OffsetDateTime::from_unix_timestamp(1_795_305_600).unwrap();
        let uuid = br#"{"uuidToken":"123e4567","expireDate":"2026-11-22T08:00:00.000Z"}"#;
        let fresh = given(uuid, now).unwrap();
        assert_eq!(
            (fresh.value.as_str(), fresh.holds),
            ("123e4567", Duration::from_secs(8 * 3600))
        );
        let claims = BASE64_URL_SAFE_NO_PAD.encode(r#"{"exp":1795309200}"#);
        let jwt = format!(r#"{{"token":"h.{claims}.s","mchdUser":null}}"#);
        assert_eq!(given(jwt.as_bytes(), now).unwrap().holds, Duration::from_secs(3600));
        assert_eq!(given(br#"{"token":"opaque"}"#, now).unwrap().holds, LONGEST);
        for nothing in ["{}", "[]", r#"{"token":""}"#, r#"{"uuidToken":"a\nb"}"#] {
            assert!(matches!(given(nothing.as_bytes(), now), Err(What::Garbled(_))), "{nothing}");
        }
        // A token where none is looked for is not told to logs and letters.
        let Err(error) = given(br#""a-secret-token""#, now) else { panic!("a bare text is read") };
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
