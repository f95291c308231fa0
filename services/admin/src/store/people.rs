//! Users, sessions, tokens, and failed attempts to sign in.

use serde::Serialize;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Store, audit::note_in, interval};

/// A user.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct UserRow {
    pub login: String,
    pub role: String,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub disabled_at: Option<OffsetDateTime>,
    /// The identity provider that he comes from; `None`: he has a password.
    pub issuer: Option<String>,
}

/// What became of a change to a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Changed {
    Done,
    /// There is none whom this could be done to.
    Nobody,
    /// Nobody could let anybody in any more.
    LastAdmin,
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

/// Whose token a caller has shown.
pub(crate) struct TokenFound {
    pub id: Uuid,
    pub name: String,
    pub role: String,
    /// The login of who made it, or `paromctl`.
    pub made_by: String,
}

/// How long a failed attempt counts.
const ATTEMPTS: std::time::Duration = std::time::Duration::from_secs(15 * 60);

impl Store {
    /// Makes a user, or gives one a new password and role; ends all sessions of that login, and
    /// revokes the tokens of a higher role that he has made. One who came from the identity provider has a password from now on instead.
    pub(crate) async fn put_user(
        &self,
        who: &str,
        login: &str,
        role: &str,
        hash: &str,
        above: &[String],
    ) -> sqlx::Result<()> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query!(
            "INSERT INTO users (login, role, password_hash) VALUES ($1, $2, $3)
             ON CONFLICT (login) DO UPDATE SET role = $2, password_hash = $3, disabled_at = NULL,
                issuer = NULL, subject = NULL",
            login,
            role,
            hash,
        )
        .execute(&mut *transaction)
        .await?;
        end_sessions(&mut transaction, login).await?;
        revoke_made_by(&mut transaction, who, login, above).await?;
        note_in(&mut transaction, who, "put user", &[login.to_owned()], role).await?;
        transaction.commit().await
    }

    /// Makes a user; `false` when there is one of this login.
    pub(crate) async fn make_user(
        &self,
        who: &str,
        login: &str,
        role: &str,
        hash: &str,
    ) -> sqlx::Result<bool> {
        let mut transaction = self.pool.begin().await?;
        let made = sqlx::query!(
            "INSERT INTO users (login, role, password_hash) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            login,
            role,
            hash,
        )
        .execute(&mut *transaction)
        .await?;
        if made.rows_affected() == 1 {
            note_in(&mut transaction, who, "make user", &[login.to_owned()], role).await?;
        }
        transaction.commit().await?;
        Ok(made.rows_affected() == 1)
    }

    /// Gives a user another role, and revokes the tokens of a higher one that he has made.
    pub(crate) async fn change_role(
        &self,
        who: &str,
        login: &str,
        role: &str,
        above: &[String],
    ) -> sqlx::Result<Changed> {
        let mut transaction = self.pool.begin().await?;
        if role != "admin" && is_last_admin(&mut transaction, login).await? {
            transaction.rollback().await?;
            return Ok(Changed::LastAdmin);
        }
        let done = sqlx::query!(
            "UPDATE users SET role = $2 WHERE login = $1 AND disabled_at IS NULL",
            login,
            role
        )
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() == 0 {
            transaction.rollback().await?;
            return Ok(Changed::Nobody);
        }
        revoke_made_by(&mut transaction, who, login, above).await?;
        note_in(&mut transaction, who, "change role", &[login.to_owned()], role).await?;
        transaction.commit().await?;
        Ok(Changed::Done)
    }

    /// Locks a user out at once: sessions end, and the tokens that he has made hold no more.
    pub(crate) async fn block_user(&self, who: &str, login: &str) -> sqlx::Result<Changed> {
        let mut transaction = self.pool.begin().await?;
        if is_last_admin(&mut transaction, login).await? {
            transaction.rollback().await?;
            return Ok(Changed::LastAdmin);
        }
        let changed = block(&mut transaction, who, login).await?;
        transaction.commit().await?;
        Ok(changed)
    }

    /// The same from a shell, also for the last admin.
    pub(crate) async fn disable_user(&self, who: &str, login: &str) -> sqlx::Result<bool> {
        let mut transaction = self.pool.begin().await?;
        let changed = block(&mut transaction, who, login).await?;
        transaction.commit().await?;
        Ok(changed == Changed::Done)
    }

    /// Lets a user in again.
    pub(crate) async fn unblock_user(&self, who: &str, login: &str) -> sqlx::Result<Changed> {
        let mut transaction = self.pool.begin().await?;
        let done = sqlx::query!(
            "UPDATE users SET disabled_at = NULL WHERE login = $1 AND disabled_at IS NOT NULL",
            login
        )
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() == 0 {
            transaction.rollback().await?;
            return Ok(Changed::Nobody);
        }
        note_in(&mut transaction, who, "unblock user", &[login.to_owned()], "").await?;
        transaction.commit().await?;
        Ok(Changed::Done)
    }

    /// Gives a user another password and ends his sessions. Who comes from the identity provider
    /// has none.
    pub(crate) async fn reset_password(
        &self,
        who: &str,
        login: &str,
        hash: &str,
    ) -> sqlx::Result<Changed> {
        let mut transaction = self.pool.begin().await?;
        let done = sqlx::query!(
            "UPDATE users SET password_hash = $2 WHERE login = $1 AND issuer IS NULL AND disabled_at IS NULL",
            login,
            hash
        )
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() == 0 {
            transaction.rollback().await?;
            return Ok(Changed::Nobody);
        }
        end_sessions(&mut transaction, login).await?;
        note_in(&mut transaction, who, "reset password", &[login.to_owned()], "").await?;
        transaction.commit().await?;
        Ok(Changed::Done)
    }

    /// All users.
    pub(crate) async fn users(&self) -> sqlx::Result<Vec<UserRow>> {
        sqlx::query_as!(
            UserRow,
            "SELECT login, role, created_at, disabled_at, issuer FROM users ORDER BY disabled_at IS NOT NULL, login"
        )
        .fetch_all(&self.pool)
        .await
    }

    /// The password hash of a user who may sign in.
    pub(crate) async fn password_hash(&self, login: &str) -> sqlx::Result<Option<String>> {
        let hash = sqlx::query_scalar!(
            "SELECT password_hash FROM users WHERE login = $1 AND disabled_at IS NULL",
            login
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(hash.flatten())
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

    /// Whose session this is, unless it is older than `longest` or idle for longer than `idle`. What
    /// a page asks for by itself (`live`) is no sign of anybody; of the rest one a minute is noted.
    pub(crate) async fn session(
        &self,
        hash: &[u8],
        idle: std::time::Duration,
        longest: std::time::Duration,
        live: bool,
    ) -> sqlx::Result<Option<SessionRow>> {
        sqlx::query_as!(
            SessionRow,
            "WITH found AS (
                SELECT s.hash, s.seen_at, u.login, u.role, s.csrf FROM sessions s JOIN users u ON u.login = s.login
                WHERE s.hash = $1 AND u.disabled_at IS NULL
                    AND s.seen_at > now() - $2::interval AND s.created_at > now() - $3::interval
             ), seen AS (
                UPDATE sessions SET seen_at = now() FROM found WHERE sessions.hash = found.hash AND NOT $4
                    AND found.seen_at < now() - LEAST(interval '1 minute', $2::interval / 2)
             )
             SELECT login, role, csrf FROM found",
            hash,
            interval(idle),
            interval(longest),
            live,
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

    /// Counts an attempt that begins as if it had failed: many at once are as many. Answers the
    /// moment that it is known by, and how many count now, this one included: for this login, from
    /// this address.
    pub(crate) async fn begin_attempt(
        &self,
        login: &str,
        address: &str,
    ) -> sqlx::Result<(OffsetDateTime, (i64, i64))> {
        let at = sqlx::query_scalar!(
            "INSERT INTO attempts (login, address) VALUES ($1, $2) RETURNING at",
            login,
            address,
        )
        .fetch_one(&self.pool)
        .await?;
        Ok((at, self.failed_attempts(login, address).await?))
    }

    /// An attempt that did not fail, or was not looked at, does not count.
    pub(crate) async fn forget_attempt(
        &self,
        login: &str,
        address: &str,
        at: OffsetDateTime,
    ) -> sqlx::Result<()> {
        sqlx::query!(
            "DELETE FROM attempts WHERE login = $1 AND address = $2 AND at = $3",
            login,
            address,
            at,
        )
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
        let mut transaction = self.pool.begin().await?;
        sqlx::query!(
            "INSERT INTO tokens (id, hash, name, role, made_by) VALUES ($1, $2, $3, $4, $5)",
            id,
            hash,
            name,
            role,
            made_by,
        )
        .execute(&mut *transaction)
        .await?;
        note_in(&mut transaction, made_by, "make token", &[name.to_owned()], role).await?;
        transaction.commit().await?;
        Ok(id)
    }

    /// The token behind this hash, if it still holds and so does its maker.
    pub(crate) async fn token(&self, hash: &[u8]) -> sqlx::Result<Option<TokenFound>> {
        sqlx::query_as!(
            TokenFound,
            "UPDATE tokens SET used_at = now() WHERE hash = $1 AND revoked_at IS NULL
                AND NOT EXISTS (SELECT FROM users WHERE login = made_by AND disabled_at IS NOT NULL)
             RETURNING id, name, role, made_by",
            hash,
        )
        .fetch_optional(&self.pool)
        .await
    }

    /// Revokes a token; `false` when there is none.
    pub(crate) async fn revoke_token(&self, who: &str, id: Uuid) -> sqlx::Result<bool> {
        let mut transaction = self.pool.begin().await?;
        let done = sqlx::query!(
            "UPDATE tokens SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL",
            id
        )
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() == 1 {
            note_in(&mut transaction, who, "revoke token", &[id.to_string()], "").await?;
        }
        transaction.commit().await?;
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

async fn end_sessions(connection: &mut PgConnection, login: &str) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM sessions WHERE login = $1", login).execute(connection).await.map(drop)
}

async fn block(connection: &mut PgConnection, who: &str, login: &str) -> sqlx::Result<Changed> {
    let done = sqlx::query!(
        "UPDATE users SET disabled_at = now() WHERE login = $1 AND disabled_at IS NULL",
        login
    )
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(Changed::Nobody);
    }
    end_sessions(connection, login).await?;
    let all = ["viewer", "operator", "admin"].map(str::to_owned);
    revoke_made_by(connection, who, login, &all).await?;
    note_in(connection, who, "block user", &[login.to_owned()], "").await?;
    Ok(Changed::Done)
}

/// Whether this is the only admin who can sign in. The rows are locked: two admins who take each
/// other's role away do it one after the other.
async fn is_last_admin(connection: &mut PgConnection, login: &str) -> sqlx::Result<bool> {
    let admins = sqlx::query_scalar!(
        "SELECT login FROM users WHERE role = 'admin' AND disabled_at IS NULL ORDER BY login FOR UPDATE",
    )
    .fetch_all(connection)
    .await?;
    Ok(admins == [login])
}

/// Revokes the tokens of these roles that a user has made.
pub(super) async fn revoke_made_by(
    connection: &mut PgConnection,
    who: &str,
    login: &str,
    roles: &[String],
) -> sqlx::Result<()> {
    let revoked = sqlx::query_scalar!(
        "UPDATE tokens SET revoked_at = now() WHERE made_by = $1 AND role = ANY($2) AND revoked_at IS NULL
         RETURNING id",
        login,
        roles,
    )
    .fetch_all(&mut *connection)
    .await?;
    let subjects: Vec<String> = revoked.iter().map(Uuid::to_string).collect();
    note_in(connection, who, "revoke token", &subjects, login).await
}
