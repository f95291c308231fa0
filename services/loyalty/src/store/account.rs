//! What a customer's points are made of, and by what he is known.

use time::OffsetDateTime;
use uuid::Uuid;

use super::Store;
use crate::ledger::CustomerId;

/// So many lots are shown, those that expire first.
const LOTS: usize = 200;

/// A customer's lots, phones and users.
#[derive(Debug, Clone)]
pub struct Account {
    /// Lots with points left, those that expire first.
    pub lots: Vec<LotLeft>,
    /// Whether there are more than these.
    pub more_lots: bool,
    /// Phones in E.164, and whether somebody has shown that they are his.
    pub phones: Vec<(String, bool)>,
    /// The users of shops that he is.
    pub users: Vec<(String, i64)>,
}

/// Points that came together and expire together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LotLeft {
    /// The operation that made it.
    pub id: Uuid,
    /// Kopecks that it began with.
    pub granted: i64,
    /// Kopecks that are neither spent, promised nor expired.
    pub left: i64,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// From when on it can be spent; `None`: at once, or already.
    pub matures_at: Option<OffsetDateTime>,
    /// When what is left of it expires; `None`: never.
    pub expires_at: Option<OffsetDateTime>,
    /// The order that it was given for.
    pub order: Option<String>,
}

impl Store {
    /// What a customer's points are made of now, and by what he is known.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn account(&self, customer: CustomerId) -> sqlx::Result<Account> {
        let mut lots = sqlx::query_as!(
            LotLeft,
            "SELECT l.id, l.granted, l.free AS left, l.effective_at AS created_at, l.matures_at, l.expires_at,
                (SELECT o.order_number FROM operations o WHERE o.id = l.id) AS order
             FROM lots l WHERE l.customer_id = $1 AND l.free > 0
             ORDER BY l.expires_at NULLS LAST, l.effective_at, l.id LIMIT $2",
            customer,
            i64::try_from(LOTS + 1).unwrap_or(i64::MAX),
        )
        .fetch_all(&self.pool)
        .await?;
        let more_lots = lots.len() > LOTS;
        lots.truncate(LOTS);
        let phones = sqlx::query!(
            "SELECT phone, proven FROM phones WHERE customer_id = $1 ORDER BY since, phone LIMIT 50",
            customer,
        )
        .fetch_all(&self.pool)
        .await?;
        let users = sqlx::query!(
            "SELECT shop, user_id FROM users WHERE customer_id = $1 ORDER BY shop, user_id LIMIT 50",
            customer,
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(Account {
            lots,
            more_lots,
            phones: phones.into_iter().map(|row| (row.phone, row.proven)).collect(),
            users: users.into_iter().map(|row| (row.shop, row.user_id)).collect(),
        })
    }
}
