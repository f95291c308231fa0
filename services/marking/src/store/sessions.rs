//! Who is signed in at the storekeeper's page.

use std::time::Duration;

use time::OffsetDateTime;

use super::Store;

/// A person who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Who.
    pub person: String,
    /// The token that every form of this session carries.
    pub csrf: String,
}

impl Store {
    /// Begins a session; the cookie itself is kept nowhere.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn begin_session(
        &self,
        digest: &[u8],
        person: &str,
        csrf: &str,
        lasts: Duration,
    ) -> sqlx::Result<()> {
        sqlx::query!("DELETE FROM sessions WHERE expires_at < now()").execute(&self.pool).await?;
        let until = OffsetDateTime::now_utc() + lasts;
        sqlx::query!(
            "INSERT INTO sessions (digest, person, csrf, expires_at) VALUES ($1, $2, $3, $4)",
            digest,
            person,
            csrf,
            until
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The session that is kept under one of these, if it lasts.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn session(&self, digests: &[Vec<u8>]) -> sqlx::Result<Option<Session>> {
        sqlx::query_as!(
            Session,
            "SELECT person, csrf FROM sessions WHERE digest = ANY($1) AND expires_at > now()",
            digests
        )
        .fetch_optional(&self.pool)
        .await
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn end_session(&self, digest: &[u8]) -> sqlx::Result<()> {
        sqlx::query!("DELETE FROM sessions WHERE digest = $1", digest).execute(&self.pool).await?;
        Ok(())
    }
}
