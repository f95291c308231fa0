//! Tickets: kept once, however often they come.

use time::OffsetDateTime;
use uuid::Uuid;

use super::{Store, documents::step};
use crate::utm::answer::Ticket;

/// What the tickets say of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The operation was carried out.
    Done {
        /// EGAIS's number for it.
        reg_id: Option<String>,
    },
    /// One of the two steps said no.
    Refused {
        /// EGAIS's words.
        words: String,
    },
    /// The check is done; the operation is waited for.
    Checked {
        /// The UTM's name for the document.
        transport: String,
    },
}

impl Store {
    /// Keeps a ticket on a document of ours; answers the event of its order, or `None` when it is not ours.
    ///
    /// # Errors
    /// When PostgreSQL is away: the ticket then stays in the UTM.
    pub async fn keep_ticket(
        &self,
        utm: &str,
        ticket: &Ticket,
        body: &str,
        at: OffsetDateTime,
    ) -> sqlx::Result<Option<Option<Uuid>>> {
        let mut transaction = self.pool.begin().await?;
        let own = sqlx::query!(
            "SELECT identity, cause FROM documents
             WHERE utm = $1 AND (identity = $2 OR (reply_id = $3 AND $3 <> ''))
             ORDER BY identity = $2 DESC LIMIT 1",
            utm,
            ticket.identity,
            ticket.transport
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(own) = own else {
            transaction.rollback().await?;
            return Ok(None);
        };
        for verdict in &ticket.verdicts {
            let kept = sqlx::query!(
                "INSERT INTO tickets (utm, transport, step, identity, accepted, words, reg_id, body, came_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
                utm,
                ticket.transport,
                verdict.step.word(),
                own.identity,
                verdict.accepted,
                verdict.words,
                ticket.reg_id,
                body,
                at
            )
            .execute(&mut *transaction)
            .await?;
            if kept.rows_affected() == 1 {
                let word = if verdict.accepted { "accepted" } else { "rejected" };
                let state = format!("{} {word}", verdict.step.word());
                step(&mut transaction, &own.identity, &state, Some(&verdict.words), at).await?;
            }
        }
        transaction.commit().await?;
        Ok(Some(own.cause))
    }

    /// What the tickets say; `None` when there are none. A document that was perhaps sent twice has two sets of
    /// tickets, and one that was carried out counts.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn outcome(&self, utm: &str, identity: &str) -> sqlx::Result<Option<Outcome>> {
        let rows = sqlx::query!(
            "SELECT transport, step, accepted, words, reg_id FROM tickets
             WHERE utm = $1 AND identity = $2 ORDER BY came_at",
            utm,
            identity
        )
        .fetch_all(&self.pool)
        .await?;
        if let Some(done) = rows.iter().find(|row| row.step == "operation" && row.accepted) {
            let number = || rows.iter().find_map(|row| row.reg_id.clone());
            return Ok(Some(Outcome::Done { reg_id: done.reg_id.clone().or_else(number) }));
        }
        // A second set may still be on its way: a refusal ends only the set that it is in.
        let refused: Vec<&str> =
            rows.iter().filter(|row| !row.accepted).map(|row| row.transport.as_str()).collect();
        let open =
            rows.iter().find(|row| row.accepted && !refused.contains(&row.transport.as_str()));
        if let Some(open) = open {
            return Ok(Some(Outcome::Checked { transport: open.transport.clone() }));
        }
        let words = rows.iter().find(|row| !row.accepted).map(|row| row.words.clone());
        Ok(words.map(|words| Outcome::Refused { words }))
    }
}
