//! Users, sessions, tokens, and failed attempts to sign in.

use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Store, interval};

/// A user.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct UserRow {
    pub login: String,
    pub role: String,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub disabled_at: Option<OffsetDateTime>,
}

/// Who a session belongs to.
#[derive(Clone)]
pub(crate) struct SessionRow {
    pub login: String,
    pub role: String,
    pub csrf: String,
}

/// An API token, without its secret.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct TokenRow {
    pub id: Uuid,
    pub name: String,
    pub role: String,
    pub made_by: String,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub used_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub revoked_at: Option<OffsetDateTime>,
}

/// How long a failed attempt counts.
const ATTEMPTS: std::time::Duration = std::time::Duration::from_secs(15 * 60);

impl Store {
    /// Makes a user, or gives one a new password and role; ends all sessions of that login.
    pub(crate) async fn put_user(&self, login: &str, role: &str, hash: &str) -> sqlx::Result<()> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query!(
            "INSERT INTO users (login, role, password_hash) VALUES ($1, $2, $3)
             ON CONFLICT (login) DO UPDATE SET role = $2, password_hash = $3, disabled_at = NULL",
            login,
            role,
            hash,
        )
        .execute(&mut *transaction)
        .await?;
        sqlx::query!("DELETE FROM sessions WHERE login = $1", login)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await
    }

    /// Locks a user out; `false` when there is none.
    pub(crate) async fn disable_user(&self, login: &str) -> sqlx::Result<bool> {
        let mut transaction = self.pool.begin().await?;
        let done = sqlx::query!("UPDATE users SET disabled_at = now() WHERE login = $1", login)
            .execute(&mut *transaction)
            .await?;
        sqlx::query!("DELETE FROM sessions WHERE login = $1", login)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(done.rows_affected() == 1)
    }

    /// All users.
    pub(crate) async fn users(&self) -> sqlx::Result<Vec<UserRow>> {
        sqlx::query_as!(
            UserRow,
            "SELECT login, role, created_at, disabled_at FROM users ORDER BY login"
        )
        .fetch_all(&self.pool)
        .await
    }

    /// The password hash of a user who may sign in.
    pub(crate) async fn password_hash(&self, login: &str) -> sqlx::Result<Option<String>> {
        sqlx::query_scalar!(
            "SELECT password_hash FROM users WHERE login = $1 AND disabled_at IS NULL",
            login
        )
        .fetch_optional(&self.pool)
        .await
    }

    /// Begins a session.
    pub(crate) async fn begin_session(
        &self,
        hash: &[u8],
        login: &str,
        csrf: &str,
    ) -> sqlx::Result<()> {
        sqlx::query!(
            "INSERT INTO sessions (hash, login, csrf) VALUES ($1, $2, $3)",
            hash,
            login,
            csrf
        )
        .execute(&self.pool)
        .await
        .map(drop)
    }

    /// Whose session this is, unless it is older than `longest` or idle for longer than `idle`.
    pub(crate) async fn session(
        &self,
        hash: &[u8],
        idle: std::time::Duration,
        longest: std::time::Duration,
    ) -> sqlx::Result<Option<SessionRow>> {
        sqlx::query_as!(
            SessionRow,
            "UPDATE sessions s SET seen_at = now() FROM users u
             WHERE s.hash = $1 AND u.login = s.login AND u.disabled_at IS NULL
                AND s.seen_at > now() - $2::interval AND s.created_at > now() - $3::interval
             RETURNING u.login, u.role, s.csrf",
            hash,
            interval(idle),
            interval(longest),
        )
        .fetch_optional(&self.pool)
        .await
    }

    /// Ends a session.
    pub(crate) async fn end_session(&self, hash: &[u8]) -> sqlx::Result<()> {
        sqlx::query!("DELETE FROM sessions WHERE hash = $1", hash)
            .execute(&self.pool)
            .await
            .map(drop)
    }

    /// Forgets sessions that are over and attempts that no longer count.
    pub(crate) async fn sweep_people(&self, longest: std::time::Duration) -> sqlx::Result<()> {
        sqlx::query!(
            "DELETE FROM sessions WHERE created_at < now() - $1::interval",
            interval(longest)
        )
        .execute(&self.pool)
        .await?;
        sqlx::query!("DELETE FROM attempts WHERE at < now() - $1::interval", interval(ATTEMPTS))
            .execute(&self.pool)
            .await
            .map(drop)
    }

    /// Notes a failed attempt.
    pub(crate) async fn failed_attempt(&self, login: &str, address: &str) -> sqlx::Result<()> {
        sqlx::query!("INSERT INTO attempts (login, address) VALUES ($1, $2)", login, address)
            .execute(&self.pool)
            .await
            .map(drop)
    }

    /// How many attempts of the last quarter of an hour failed: for this login, from this address.
    pub(crate) async fn failed_attempts(
        &self,
        login: &str,
        address: &str,
    ) -> sqlx::Result<(i64, i64)> {
        let row = sqlx::query!(
            r#"SELECT count(*) FILTER (WHERE login = $1) AS "login!", count(*) FILTER (WHERE address = $2) AS "address!"
               FROM attempts WHERE at > now() - $3::interval"#,
            login,
            address,
            interval(ATTEMPTS),
        )
        .fetch_one(&self.pool)
        .await?;
        Ok((row.login, row.address))
    }

    /// Makes an API token.
    pub(crate) async fn make_token(
        &self,
        hash: &[u8],
        name: &str,
        role: &str,
        made_by: &str,
    ) -> sqlx::Result<Uuid> {
        let id = Uuid::new_v4();
        sqlx::query!(
            "INSERT INTO tokens (id, hash, name, role, made_by) VALUES ($1, $2, $3, $4, $5)",
            id,
            hash,
            name,
            role,
            made_by,
        )
        .execute(&self.pool)
        .await?;
        Ok(id)
    }

    /// The name and role of a token that still holds.
    pub(crate) async fn token(&self, hash: &[u8]) -> sqlx::Result<Option<(String, String)>> {
        let row = sqlx::query!(
            "UPDATE tokens SET used_at = now() WHERE hash = $1 AND revoked_at IS NULL RETURNING name, role",
            hash,
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|row| (row.name, row.role)))
    }

    /// Revokes a token; `false` when there is none.
    pub(crate) async fn revoke_token(&self, id: Uuid) -> sqlx::Result<bool> {
        let done = sqlx::query!(
            "UPDATE tokens SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL",
            id
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// All tokens.
    pub(crate) async fn tokens(&self) -> sqlx::Result<Vec<TokenRow>> {
        sqlx::query_as!(
            TokenRow,
            "SELECT id, name, role, made_by, created_at, used_at, revoked_at FROM tokens ORDER BY created_at",
        )
        .fetch_all(&self.pool)
        .await
    }
}
