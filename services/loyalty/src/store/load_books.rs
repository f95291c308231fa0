//! The books of customers whose rows are locked: what is owed, what was taken, what is there.

use uuid::Uuid;

use super::Group;
use crate::ledger::{CustomerId, Desk, Lot, Owed};

/// Loads what the books of these customers must have for these operations.
pub(super) async fn books(
    group: &mut Group,
    customers: &[CustomerId],
    operations: &[Uuid],
    desk: &mut Desk,
) -> sqlx::Result<()> {
    owed(group, customers, desk).await?;
    takes(group, customers, operations, desk).await?;
    lots(group, customers, operations, desk).await
}

async fn owed(group: &mut Group, customers: &[CustomerId], desk: &mut Desk) -> sqlx::Result<()> {
    let rows = sqlx::query!(
        "SELECT operation_id, customer_id, amount, since FROM owed
         WHERE amount > 0 AND customer_id = ANY($1)",
        customers,
    )
    .fetch_all(&mut **group)
    .await?;
    for row in rows {
        let book = desk.books.entry(row.customer_id).or_default();
        book.owed.push(Owed { id: row.operation_id, amount: row.amount, since: row.since });
    }
    Ok(())
}

/// What the operations at hand, and those that still owe, have taken from which lot.
async fn takes(
    group: &mut Group,
    customers: &[CustomerId],
    operations: &[Uuid],
    desk: &mut Desk,
) -> sqlx::Result<()> {
    let debts = desk.books.values().flat_map(|book| book.owed.iter().map(|owed| owed.id));
    let takers: Vec<Uuid> = operations.iter().copied().chain(debts).collect();
    if takers.is_empty() {
        return Ok(());
    }
    let rows = sqlx::query!(
        "SELECT t.operation_id, t.lot_id, t.amount, l.customer_id FROM takes t
         JOIN lots l ON l.id = t.lot_id WHERE t.operation_id = ANY($1) AND l.customer_id = ANY($2)",
        &takers,
        customers,
    )
    .fetch_all(&mut **group)
    .await?;
    for row in rows {
        let book = desk.books.entry(row.customer_id).or_default();
        book.takes.insert((row.operation_id, row.lot_id), row.amount);
    }
    Ok(())
}

/// Lots with something free, those of the operations at hand, and those they have taken from.
async fn lots(
    group: &mut Group,
    customers: &[CustomerId],
    operations: &[Uuid],
    desk: &mut Desk,
) -> sqlx::Result<()> {
    let taken = desk.books.values().flat_map(|book| book.takes.keys().map(|(_, lot)| *lot));
    let wanted: Vec<Uuid> = operations.iter().copied().chain(taken).collect();
    let rows = sqlx::query!(
        r#"SELECT id AS "id!", customer_id AS "customer_id!", granted AS "granted!", free AS "free!",
              expired AS "expired!", matures_at, expires_at, effective_at AS "effective_at!"
           FROM lots WHERE customer_id = ANY($1) AND free > 0
           UNION
           SELECT id, customer_id, granted, free, expired, matures_at, expires_at, effective_at
           FROM lots WHERE id = ANY($2) AND customer_id = ANY($1)"#,
        customers,
        &wanted,
    )
    .fetch_all(&mut **group)
    .await?;
    for row in rows {
        let lot = Lot {
            granted: row.granted,
            free: row.free,
            expired: row.expired,
            matures_at: row.matures_at,
            expires_at: row.expires_at,
            effective_at: row.effective_at,
        };
        desk.books.entry(row.customer_id).or_default().lots.insert(row.id, lot);
    }
    Ok(())
}
