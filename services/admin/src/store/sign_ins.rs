//! Sign-ins under way at the identity provider, and who came back.

use super::{Store, audit::note_in, interval, people::revoke_made_by};
use crate::oidc::{Identity, UNDER_WAY};

/// A sign-in that was begun.
#[derive(Debug, Clone)]
pub(crate) struct SignIn {
    pub nonce: String,
    pub verifier: String,
    pub next: String,
    /// Whether the browser that came back is the one that began it.
    pub same_browser: bool,
}

/// A sign-in that begins: hashes of what the provider and the browser show again.
pub(crate) struct Begun<'a> {
    pub state: &'a [u8],
    pub browser: &'a [u8],
    pub nonce: &'a str,
    pub verifier: &'a str,
    pub next: &'a str,
    pub address: &'a str,
}

/// Whether somebody whom the provider knows gets in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Admitted {
    /// Under this login.
    As(String),
    /// The login belongs to somebody else.
    Taken,
    /// An admin has locked this user out.
    Blocked,
}

impl Store {
    /// Keeps a sign-in that begins; `false` when too many from this address are under way.
    pub(crate) async fn begin_sign_in(&self, begun: &Begun<'_>, most: i64) -> sqlx::Result<bool> {
        let kept = sqlx::query!(
            "INSERT INTO sign_ins (state, browser, nonce, verifier, next, address)
             SELECT $1, $2, $3, $4, $5, $6 WHERE (SELECT count(*) FROM sign_ins
                WHERE address = $6 AND at > now() - $7::interval) < $8",
            begun.state,
            begun.browser,
            begun.nonce,
            begun.verifier,
            begun.next,
            begun.address,
            interval(UNDER_WAY),
            most,
        )
        .execute(&self.pool)
        .await?;
        Ok(kept.rows_affected() == 1)
    }

    /// Takes the sign-in with this state out: there is no second time.
    pub(crate) async fn take_sign_in(
        &self,
        state: &[u8],
        browser: &[u8],
    ) -> sqlx::Result<Option<SignIn>> {
        sqlx::query_as!(
            SignIn,
            r#"DELETE FROM sign_ins WHERE state = $1 AND at > now() - $3::interval
             RETURNING nonce, verifier, next, (browser = $2) AS "same_browser!""#,
            state,
            browser,
            interval(UNDER_WAY),
        )
        .fetch_optional(&self.pool)
        .await
    }

    /// Forgets sign-ins that nobody came back from.
    pub(crate) async fn sweep_sign_ins(&self) -> sqlx::Result<()> {
        sqlx::query!("DELETE FROM sign_ins WHERE at < now() - $1::interval", interval(UNDER_WAY))
            .execute(&self.pool)
            .await
            .map(drop)
    }

    /// The user whom the provider names, made at the first time; the role is the provider's each
    /// time. A login that is there already stays with whom it belongs to.
    pub(crate) async fn admit(&self, identity: &Identity) -> sqlx::Result<Admitted> {
        let mut transaction = self.pool.begin().await?;
        let role = identity.role.name();
        let known = sqlx::query!(
            r#"SELECT login, role, disabled_at IS NOT NULL AS "blocked!" FROM users
             WHERE issuer = $1 AND subject = $2 FOR UPDATE"#,
            identity.issuer,
            identity.subject,
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let login = match known {
            Some(known) if known.blocked => {
                transaction.rollback().await?;
                return Ok(Admitted::Blocked);
            }
            Some(known) if known.role == role => known.login,
            Some(known) => {
                sqlx::query!("UPDATE users SET role = $2 WHERE login = $1", known.login, role)
                    .execute(&mut *transaction)
                    .await?;
                let subjects = [known.login.clone()];
                let above = identity.role.above();
                revoke_made_by(&mut transaction, "oidc", &known.login, &above).await?;
                note_in(&mut transaction, "oidc", "change role", &subjects, role).await?;
                known.login
            }
            None => {
                let made = sqlx::query!(
                    "INSERT INTO users (login, role, issuer, subject) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                    identity.login,
                    role,
                    identity.issuer,
                    identity.subject,
                )
                .execute(&mut *transaction)
                .await?;
                if made.rows_affected() == 0 {
                    transaction.rollback().await?;
                    return Ok(Admitted::Taken);
                }
                let subjects = [identity.login.clone()];
                note_in(&mut transaction, "oidc", "make user", &subjects, role).await?;
                identity.login.clone()
            }
        };
        transaction.commit().await?;
        Ok(Admitted::As(login))
    }
}
