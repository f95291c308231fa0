//! What people and metrics look at.

use std::collections::BTreeMap;

use events::{Ki, OrderRef};
use time::OffsetDateTime;

use super::{CodeStatus, Store, book};

/// The numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Codes by status; every status is there.
    pub codes: BTreeMap<&'static str, i64>,
    /// Documents that are under way, by state: `waiting`, `refused`, `unknown`.
    pub documents: BTreeMap<&'static str, i64>,
    /// Shipments whose codes are not withdrawn although the law's time is over.
    pub late: i64,
}

/// An order as the storekeeper sees it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct OrderView {
    /// The number that people use.
    pub number: String,
    /// Whether it is cancelled.
    pub cancelled: bool,
    /// Its marked lines.
    pub lines: Vec<ViewLine>,
}

/// A marked line.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ViewLine {
    /// The product.
    pub name: String,
    /// Its number, if known.
    pub gtin: Option<String>,
    /// Pieces.
    pub count: i64,
    /// Codes that are set aside or gone.
    pub codes: i64,
    /// Those of them that were scanned, or named by the shop.
    pub scanned: i64,
    /// Each of those.
    pub pieces: Vec<Piece>,
}

/// A piece of a line whose code is known.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Piece {
    /// The code, without its tail.
    pub code: String,
    /// Its status.
    pub status: String,
    /// Whether it was scanned as returned.
    pub came_back: bool,
}

/// One change of a code.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct History {
    /// The status from then on.
    pub status: String,
    /// Why.
    pub why: String,
    /// The order.
    pub book: Option<String>,
    /// Who, where it was a person.
    pub person: Option<String>,
    /// What was said about it.
    pub detail: String,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

impl Store {
    /// Codes by status, documents under way by state.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn counts(&self, now: OffsetDateTime) -> sqlx::Result<Counts> {
        let mut counts = Counts { late: self.late(now).await?, ..Counts::default() };
        for status in CodeStatus::ALL {
            counts.codes.insert(status.as_str(), 0);
        }
        let rows =
            sqlx::query!(r#"SELECT status, count(*) AS "count!" FROM codes GROUP BY status"#)
                .fetch_all(&self.pool)
                .await?;
        for row in rows {
            counts.codes.insert(CodeStatus::read(&row.status)?.as_str(), row.count);
        }
        let row = sqlx::query!(
            r#"SELECT count(*) FILTER (WHERE state IN ('written', 'sending', 'sent', 'accepted')) AS "waiting!",
                   count(*) FILTER (WHERE state = 'refused') AS "refused!",
                   count(*) FILTER (WHERE state = 'unknown') AS "unknown!"
               FROM documents WHERE state NOT IN ('done', 'cancelled')"#
        )
        .fetch_one(&self.pool)
        .await?;
        counts.documents = BTreeMap::from([
            ("waiting", row.waiting),
            ("refused", row.refused),
            ("unknown", row.unknown),
        ]);
        Ok(counts)
    }

    /// An order with its marked lines.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn order(&self, order: &OrderRef) -> sqlx::Result<Option<OrderView>> {
        let book = book(order);
        let row =
            sqlx::query!("SELECT number, seen_at, cancelled_at FROM orders WHERE book = $1", book)
                .fetch_optional(&self.pool)
                .await?;
        let Some(row) = row else { return Ok(None) };
        let rows = sqlx::query!(
            r#"SELECT lines.line, name, lines.gtin, count, count(codes.id) AS "codes!"
               FROM order_lines lines LEFT JOIN codes ON codes.book = lines.book AND codes.line = lines.line
               WHERE lines.book = $1 GROUP BY lines.book, lines.line ORDER BY lines.line"#,
            book
        )
        .fetch_all(&self.pool)
        .await?;
        let mut pieces = self.pieces(&book).await?;
        let lines = rows.into_iter().map(|row| {
            let pieces = pieces.remove(&row.line).unwrap_or_default();
            let scanned = i64::try_from(pieces.len()).unwrap_or(i64::MAX);
            let (name, gtin, count, codes) = (row.name, row.gtin, row.count, row.codes);
            ViewLine { name, gtin, count, codes, scanned, pieces }
        });
        // A line that is gone from the order and has no codes says nothing.
        let lines = lines.filter(|line| line.count > 0 || line.codes > 0).collect();
        let cancelled = row.cancelled_at.is_some_and(|at| at >= row.seen_at);
        Ok(Some(OrderView { number: row.number, cancelled, lines }))
    }

    /// The pieces of an order that were scanned, named by the shop, or have left: by line.
    async fn pieces(&self, book: &str) -> sqlx::Result<BTreeMap<i64, Vec<Piece>>> {
        let rows = sqlx::query!(
            r#"SELECT line AS "line!", ki, status, came_back FROM codes
               WHERE book = $1 AND (confirmed OR status <> 'in_order') ORDER BY ki"#,
            book
        )
        .fetch_all(&self.pool)
        .await?;
        let mut pieces = BTreeMap::<i64, Vec<Piece>>::new();
        for row in rows {
            let piece = Piece { code: row.ki, status: row.status, came_back: row.came_back };
            pieces.entry(row.line).or_default().push(piece);
        }
        Ok(pieces)
    }

    /// The shop's order with this number: its id, and whether the site keeps it.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn find(&self, shop: &str, number: &str) -> sqlx::Result<Option<(u64, bool)>> {
        let book = sqlx::query_scalar!(
            "SELECT book FROM orders WHERE number = $2 AND split_part(book, ' ', 1) = $1 ORDER BY seen_at DESC LIMIT 1",
            shop,
            number
        )
        .fetch_optional(&self.pool)
        .await?;
        let parts = book.as_deref().and_then(|book| {
            let mut parts = book.split(' ').skip(1);
            Some((parts.next()? == "site", parts.next()?.parse().ok()?))
        });
        Ok(parts.map(|(site, id)| (id, site)))
    }

    /// The full codes of an order's lines, for its receipt: line, code with its tail.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn full_codes(&self, order: &OrderRef) -> sqlx::Result<Vec<(i64, Vec<u8>)>> {
        let rows = sqlx::query!(
            r#"SELECT line AS "line!", ki, tail AS "tail?" FROM codes LEFT JOIN tails ON tails.code = codes.id
               WHERE book = $1 AND (confirmed OR status <> 'in_order') ORDER BY line, ki"#,
            book(order)
        )
        .fetch_all(&self.pool)
        .await?;
        let full = |ki: String, tail: Option<Vec<u8>>| {
            let mut full = ki.into_bytes();
            full.extend(tail.unwrap_or_default());
            full
        };
        Ok(rows.into_iter().map(|row| (row.line, full(row.ki, row.tail))).collect())
    }

    /// Every status that a code has had.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn history(&self, ki: &Ki) -> sqlx::Result<Vec<History>> {
        sqlx::query_as!(
            History,
            r#"SELECT moves.status, why, moves.book, person, detail, at FROM moves JOIN codes ON codes.id = code
               WHERE ki = $1 ORDER BY moves.id"#,
            ki.as_str()
        )
        .fetch_all(&self.pool)
        .await
    }
}
