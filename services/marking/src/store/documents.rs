//! Documents at the register, for people, for look-ups and for what may follow them.

use std::collections::BTreeSet;

use events::OrderRef;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{Store, book};

/// How a document stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaperState {
    /// Written and signed; nothing was sent.
    Written,
    /// Perhaps sent.
    Sending,
    /// The register has it.
    Sent,
    /// Accepted; its codes are looked at.
    Accepted,
    /// Its codes are seen where it puts them.
    Done,
    /// The register said no.
    Refused,
    /// Nobody can tell.
    Unknown,
    /// Undone by a later document, or replaced by it.
    Cancelled,
}

impl PaperState {
    /// Its word in the table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Accepted => "accepted",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A document that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paper {
    /// Our name for it.
    pub id: Uuid,
    /// The register's.
    pub register_id: String,
    /// Its product group.
    pub group: String,
    /// Its codes.
    pub codes: Vec<i64>,
}

/// A document to be written down.
pub(crate) struct Written<'a> {
    pub(crate) id: Uuid,
    pub(crate) cause: Uuid,
    pub(crate) order: &'a OrderRef,
    pub(crate) kind: &'a str,
    pub(crate) group: &'a str,
    pub(crate) body: &'a [u8],
    pub(crate) codes: &'a [i64],
}

impl Store {
    /// Writes a document down. Twice is once: its name follows from what happened.
    pub(crate) async fn write(&self, written: Written<'_>) -> sqlx::Result<()> {
        let mut transaction = self.pool.begin().await?;
        let digest: [u8; 32] = Sha256::digest(written.body).into();
        sqlx::query!(
            "INSERT INTO documents (id, cause, book, kind, product_group, digest, state)
             VALUES ($1, $2, $3, $4, $5, $6, 'written')
             ON CONFLICT (id) DO UPDATE SET digest = excluded.digest, changed_at = now()
             WHERE documents.state = 'written'",
            written.id,
            written.cause,
            book(written.order),
            written.kind,
            written.group,
            digest.as_slice()
        )
        .execute(&mut *transaction)
        .await?;
        sqlx::query!(
            "INSERT INTO document_codes (document, code) SELECT $1, code FROM unnest($2::bigint[]) AS code
             ON CONFLICT DO NOTHING",
            written.id,
            written.codes
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await
    }

    /// Notes how a document stands.
    pub(crate) async fn mark(
        &self,
        id: Uuid,
        state: PaperState,
        register_id: Option<&str>,
        detail: &str,
    ) -> sqlx::Result<()> {
        sqlx::query!(
            "UPDATE documents SET state = $2, register_id = coalesce($3, register_id), detail = $4,
                 changed_at = now() WHERE id = $1",
            id,
            state.as_str(),
            register_id,
            detail
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Papers of the event that never were, or will not be, anything: refused, or not sent. Later ones have
    /// taken their place.
    pub(crate) async fn put_away(&self, cause: Uuid) -> sqlx::Result<()> {
        sqlx::query!(
            "UPDATE documents SET state = 'cancelled', changed_at = now()
             WHERE cause = $1 AND state IN ('written', 'refused')",
            cause
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The order's withdrawals that are done and not undone, and the last that became of all their codes,
    /// oldest first: the register undoes no other.
    pub(crate) async fn withdrawals(&self, order: &OrderRef) -> sqlx::Result<Vec<Paper>> {
        let rows = sqlx::query!(
            r#"SELECT id, register_id AS "register_id!", product_group,
                   array(SELECT code FROM document_codes WHERE document = documents.id ORDER BY code) AS "codes!"
               FROM documents WHERE book = $1 AND kind = 'LK_RECEIPT' AND state = 'done' AND register_id IS NOT NULL
                   AND NOT EXISTS (SELECT 1 FROM document_codes own JOIN document_codes other USING (code)
                       JOIN documents later ON later.id = other.document
                       WHERE own.document = documents.id AND later.state = 'done' AND later.made_at > documents.made_at)
               ORDER BY made_at, id"#,
            book(order)
        )
        .fetch_all(&self.pool)
        .await?;
        let paper = |row| {
            let (id, register_id, group, codes) = row;
            Paper { id, register_id, group, codes }
        };
        Ok(rows
            .into_iter()
            .map(|row| paper((row.id, row.register_id, row.product_group, row.codes)))
            .collect())
    }

    /// Which of the register's documents we know as other papers of ours.
    pub(crate) async fn known(
        &self,
        register_ids: &[String],
        but: Uuid,
    ) -> sqlx::Result<BTreeSet<String>> {
        let known = sqlx::query_scalar!(
            r#"SELECT register_id AS "id!" FROM documents WHERE register_id = ANY($1) AND id <> $2"#,
            register_ids,
            but
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(known.into_iter().collect())
    }

    /// Which of these codes are in a withdrawal that we have sent for this order, and have not come home since.
    pub(crate) async fn sent_by_us(
        &self,
        order: &OrderRef,
        codes: &[i64],
    ) -> sqlx::Result<Vec<i64>> {
        sqlx::query_scalar!(
            "SELECT DISTINCT code FROM document_codes sent JOIN documents ON documents.id = sent.document
             WHERE book = $1 AND kind = 'LK_RECEIPT' AND code = ANY($2)
                 AND state IN ('sending', 'sent', 'accepted', 'done', 'unknown')
                 AND NOT EXISTS (SELECT 1 FROM document_codes home JOIN documents back ON back.id = home.document
                     WHERE home.code = sent.code AND back.kind = 'LP_RETURN' AND back.state = 'done'
                         AND back.made_at > documents.made_at)",
            book(order),
            codes
        )
        .fetch_all(&self.pool)
        .await
    }
}
