//! What orders need, and codes set aside for them.

use events::{Gtin, Label, MarksBy, Order, OrderRef};
use sqlx::PgTransaction;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{CodeStatus, Store, Why, book, free, note};

/// A line of an order that must be marked.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Bitrix's basket item id.
    pub line: i64,
    /// The product's name, for people.
    pub name: String,
    /// Which product, if the shop tells its GTIN.
    pub gtin: Option<Gtin>,
    /// The product's name in the shop, as suppliers' files may have it.
    pub article: Option<String>,
    /// How many pieces.
    pub count: i64,
    /// The very codes, where the shop names them.
    pub marks: Vec<Label>,
}

/// A line that has fewer codes than pieces, or more, or a code that cannot be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Short {
    /// So many are missing in stock.
    Missing {
        /// The product's name.
        name: String,
        /// How many.
        count: i64,
    },
    /// The shop names a code that this order cannot have.
    Taken {
        /// The code, masked.
        ki: String,
        /// Its status.
        status: CodeStatus,
    },
    /// So many pieces were scanned that the order does not want any more.
    Surplus {
        /// The product's name.
        name: String,
        /// How many.
        count: i64,
    },
}

/// For what codes are set aside.
#[derive(Debug, Clone, Copy)]
pub struct Reserve<'a> {
    /// The order.
    pub snapshot: &'a Order,
    /// Its marked lines.
    pub wanted: &'a [Wanted],
    /// The event.
    pub cause: Uuid,
    /// What leaves with it: lines and pieces.
    pub leaving: &'a [(i64, i64)],
}

/// What a reservation came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reserved {
    /// What does not fit, line by line.
    pub short: Vec<Short>,
    /// Whether any code was taken or given back.
    pub changed: bool,
}

impl Store {
    /// Sets codes aside for an order's lines: those that the shop names, and for the rest any of the
    /// same product. What is there already stays; what is too much goes back.
    ///
    /// `None` when the order is cancelled, or was since: such a snapshot changes nothing.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn reserve(&self, ask: Reserve<'_>) -> sqlx::Result<Option<Reserved>> {
        let book = book(&ask.snapshot.key);
        let mut transaction = self.begin(&book).await?;
        let wanted = match enter(&mut transaction, &book, &ask).await? {
            Seen::Cancelled => {
                transaction.rollback().await?;
                return Ok(None);
            }
            Seen::Newest => ask.wanted.to_vec(),
            Seen::Older => as_known(&mut transaction, &book, ask.wanted).await?,
        };
        let mut reserved = Reserved::default();
        for line in &wanted {
            for label in &line.marks {
                let why = Why::event("named_by_shop", ask.cause);
                if let Some(status) = bind(&mut transaction, &book, line.line, label, why).await? {
                    reserved.short.push(Short::Taken { ki: label.ki().masked(), status });
                }
            }
        }
        for line in lines_of(&mut transaction, &book, wanted).await? {
            fill(&mut transaction, &book, &line, &ask, &mut reserved).await?;
        }
        transaction.commit().await?;
        Ok(Some(reserved))
    }

    /// Whether the order has, or had, anything that must be marked.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn has_lines(&self, order: &OrderRef) -> sqlx::Result<bool> {
        sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT 1 FROM order_lines WHERE book = $1) AS "has!""#,
            book(order)
        )
        .fetch_one(&self.pool)
        .await
    }

    /// A sale of the order is receipted: the fiscal document's number and when.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn receipted(
        &self,
        order: &OrderRef,
        number: &str,
        at: OffsetDateTime,
    ) -> sqlx::Result<()> {
        sqlx::query!(
            "INSERT INTO orders (book, number, seen_at, receipt, receipt_at) VALUES ($1, $2, 'epoch', $3, $4)
             ON CONFLICT (book) DO UPDATE SET receipt = excluded.receipt, receipt_at = excluded.receipt_at",
            book(order),
            order.number,
            number,
            at
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The way by which the order's first piece left, if one has.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn channel(&self, order: &OrderRef) -> sqlx::Result<Option<MarksBy>> {
        let row = sqlx::query_scalar!("SELECT channel FROM orders WHERE book = $1", book(order))
            .fetch_optional(&self.pool)
            .await?;
        let known = [MarksBy::Document, MarksBy::Receipt];
        Ok(row.flatten().and_then(|word| known.into_iter().find(|one| one.as_str() == word)))
    }

    /// The number and time of the order's receipt, if one is known.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn receipt(
        &self,
        order: &OrderRef,
    ) -> sqlx::Result<Option<(String, OffsetDateTime)>> {
        let row =
            sqlx::query!("SELECT receipt, receipt_at FROM orders WHERE book = $1", book(order))
                .fetch_optional(&self.pool)
                .await?;
        Ok(row.and_then(|row| row.receipt.zip(row.receipt_at)))
    }
}

/// How a snapshot stands to what is known of its order.
enum Seen {
    /// It says nothing newer.
    Older,
    /// It is the newest.
    Newest,
    /// The order is cancelled, by this snapshot or by a newer one.
    Cancelled,
}

/// Writes down the order and its marked lines.
async fn enter(
    transaction: &mut PgTransaction<'_>,
    book: &str,
    Reserve { snapshot, wanted, .. }: &Reserve<'_>,
) -> sqlx::Result<Seen> {
    let seen_at = snapshot.updated_at;
    let row = sqlx::query!(
        r#"INSERT INTO orders (book, number, seen_at, seen_status) VALUES ($1, $2, $3, $4)
           ON CONFLICT (book) DO UPDATE SET number = excluded.number,
               seen_status = CASE WHEN orders.seen_at > excluded.seen_at THEN orders.seen_status ELSE excluded.seen_status END,
               seen_at = greatest(orders.seen_at, excluded.seen_at)
           RETURNING seen_at, cancelled_at, cancelled_status"#,
        book,
        snapshot.key.number,
        seen_at,
        snapshot.status
    )
    .fetch_one(&mut **transaction)
    .await?;
    // A later save of an order that its status calls cancelled does not restore it.
    let is_still =
        row.cancelled_at.is_some() && row.cancelled_status.as_ref() == Some(&snapshot.status);
    if snapshot.canceled || is_still || row.cancelled_at.is_some_and(|at| at >= seen_at) {
        return Ok(Seen::Cancelled);
    }
    // An older snapshot says nothing about lines that a newer one has told.
    if row.seen_at > seen_at {
        return Ok(Seen::Older);
    }
    let lines: Vec<i64> = wanted.iter().map(|line| line.line).collect();
    sqlx::query!(
        "UPDATE order_lines SET count = 0 WHERE book = $1 AND line <> ALL($2)",
        book,
        &lines
    )
    .execute(&mut **transaction)
    .await?;
    for line in *wanted {
        sqlx::query!(
            "INSERT INTO order_lines (book, line, name, gtin, article, count) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (book, line) DO UPDATE SET name = excluded.name, gtin = excluded.gtin,
                 article = excluded.article, count = excluded.count",
            book,
            line.line,
            line.name,
            line.gtin.as_ref().map(Gtin::as_str),
            line.article,
            line.count
        )
        .execute(&mut **transaction)
        .await?;
    }
    Ok(Seen::Newest)
}

/// The lines of an older snapshot as far as the order still has them, with the numbers that it has now.
async fn as_known(
    transaction: &mut PgTransaction<'_>,
    book: &str,
    wanted: &[Wanted],
) -> sqlx::Result<Vec<Wanted>> {
    let rows =
        sqlx::query!("SELECT line, count FROM order_lines WHERE book = $1 AND count > 0", book)
            .fetch_all(&mut **transaction)
            .await?;
    let known = |line: &Wanted| {
        let row = rows.iter().find(|row| row.line == line.line)?;
        Some(Wanted { count: row.count, ..line.clone() })
    };
    Ok(wanted.iter().filter_map(known).collect())
}

/// These lines, and those that the order does not have any more and that still have codes.
async fn lines_of(
    transaction: &mut PgTransaction<'_>,
    book: &str,
    mut wanted: Vec<Wanted>,
) -> sqlx::Result<Vec<Wanted>> {
    let gone = sqlx::query!(
        "SELECT line, name FROM order_lines lines WHERE book = $1 AND count = 0 AND EXISTS
             (SELECT 1 FROM codes WHERE codes.book = lines.book AND codes.line = lines.line AND status = 'in_order')
         ORDER BY line",
        book
    )
    .fetch_all(&mut **transaction)
    .await?;
    for row in gone {
        if wanted.iter().all(|line| line.line != row.line) {
            let (line, name) = (row.line, row.name);
            wanted.push(Wanted {
                line,
                name,
                gtin: None,
                article: None,
                count: 0,
                marks: Vec::new(),
            });
        }
    }
    Ok(wanted)
}

/// Binds the very code that the shop names; its status when this order cannot have it.
async fn bind(
    transaction: &mut PgTransaction<'_>,
    book: &str,
    line: i64,
    label: &Label,
    why: Why<'_>,
) -> sqlx::Result<Option<CodeStatus>> {
    let id = known_or_new(transaction, book, line, label, why).await?;
    let code = sqlx::query!(
        "SELECT status, book, confirmed, line FROM codes WHERE id = $1 FOR UPDATE",
        id
    )
    .fetch_one(&mut **transaction)
    .await?;
    let status = CodeStatus::read(&code.status)?;
    let is_ours = code.book.as_deref() == Some(book);
    match status {
        CodeStatus::InStock => {}
        CodeStatus::InOrder if is_ours && code.confirmed && code.line == Some(line) => {
            return Ok(None);
        }
        CodeStatus::InOrder if is_ours || !code.confirmed => {}
        CodeStatus::Withdrawing | CodeStatus::Sold | CodeStatus::Returning if is_ours => {
            return Ok(None);
        }
        _ => return Ok(Some(status)),
    }
    sqlx::query!(
        "UPDATE codes SET status = 'in_order', book = $2, line = $3, confirmed = true, cause = $4,
             changed_at = now() WHERE id = $1",
        id,
        book,
        line,
        why.cause
    )
    .execute(&mut **transaction)
    .await?;
    note(transaction, &[id], CodeStatus::InOrder, Some(book), why).await?;
    Ok(None)
}

/// The row of a code; a code that nobody has imported comes in with the order that names it.
pub(super) async fn known_or_new(
    transaction: &mut PgTransaction<'_>,
    book: &str,
    line: i64,
    label: &Label,
    why: Why<'_>,
) -> sqlx::Result<i64> {
    let gtin = label.gtin().map_or("", Gtin::as_str);
    let inserted = sqlx::query_scalar!(
        "INSERT INTO codes (ki, gtin, status, book, line, confirmed, cause)
         VALUES ($1, $2, 'in_order', $3, $4, true, $5) ON CONFLICT (ki) DO NOTHING RETURNING id",
        label.ki().as_str(),
        gtin,
        book,
        line,
        why.cause
    )
    .fetch_optional(&mut **transaction)
    .await?;
    let id = match inserted {
        Some(id) => {
            note(transaction, &[id], CodeStatus::InOrder, Some(book), why).await?;
            id
        }
        None => {
            sqlx::query_scalar!("SELECT id FROM codes WHERE ki = $1", label.ki().as_str())
                .fetch_one(&mut **transaction)
                .await?
        }
    };
    keep_tail(transaction, id, label).await?;
    Ok(id)
}

/// Keeps what follows the identification code, where it is not known yet: files often come without it, and
/// the receipt needs it.
pub(super) async fn keep_tail(
    transaction: &mut PgTransaction<'_>,
    code: i64,
    label: &Label,
) -> sqlx::Result<()> {
    if label.tail().is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO tails (code, tail) VALUES ($1, $2) ON CONFLICT (code) DO NOTHING",
        code,
        label.tail().as_bytes()
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Brings a line to its number of codes, and says what is missing or too much.
async fn fill(
    transaction: &mut PgTransaction<'_>,
    book: &str,
    line: &Wanted,
    ask: &Reserve<'_>,
    reserved: &mut Reserved,
) -> sqlx::Result<()> {
    let row = sqlx::query!(
        r#"SELECT count(*) FILTER (WHERE status = 'in_order') AS "kept!",
               count(*) FILTER (WHERE status <> 'in_order') AS "left!",
               coalesce((SELECT back FROM order_lines WHERE book = $1 AND line = $2), 0) AS "back!"
           FROM codes WHERE book = $1 AND line = $2"#,
        book,
        line.line
    )
    .fetch_one(&mut **transaction)
    .await?;
    // What was sold and came home is not wanted again, unless the line leaves a second time.
    let is_leaving = ask.leaving.iter().any(|(leaving, _)| *leaving == line.line);
    let back = if is_leaving { 0 } else { row.back };
    let needs = (line.count - row.left - back).max(0);
    if row.kept < needs {
        let why = Why::event("reserved", ask.cause);
        let taken = take_free(transaction, book, line, needs - row.kept, why).await?;
        reserved.changed |= taken > 0;
        let count = needs - row.kept - taken;
        if count > 0 {
            reserved.short.push(Short::Missing { name: line.name.clone(), count });
        }
    }
    if row.kept <= needs {
        return Ok(());
    }
    // Only what nobody has held in his hands goes back by itself.
    let surplus = sqlx::query_scalar!(
        "SELECT id FROM codes WHERE book = $1 AND line = $2 AND status = 'in_order' AND NOT confirmed
         ORDER BY id LIMIT $3 FOR UPDATE",
        book,
        line.line,
        row.kept - needs
    )
    .fetch_all(&mut **transaction)
    .await?;
    let why = Why::event("not_needed", ask.cause);
    free(transaction, &surplus, CodeStatus::InStock, why).await?;
    reserved.changed |= !surplus.is_empty();
    let count = row.kept - needs - i64::try_from(surplus.len()).unwrap_or(i64::MAX);
    if count > 0 {
        reserved.short.push(Short::Surplus { name: line.name.clone(), count });
    }
    Ok(())
}

/// Takes free codes of a line's product; answers how many there were.
async fn take_free(
    transaction: &mut PgTransaction<'_>,
    book: &str,
    line: &Wanted,
    count: i64,
    why: Why<'_>,
) -> sqlx::Result<i64> {
    if count == 0 {
        return Ok(0);
    }
    let gtin = line.gtin.as_ref().map(Gtin::as_str);
    let found = match (gtin, &line.article) {
        (Some(gtin), _) => {
            sqlx::query_scalar!(
                "SELECT id FROM codes WHERE status = 'in_stock' AND gtin = $1 ORDER BY id LIMIT $2
                 FOR UPDATE SKIP LOCKED",
                gtin,
                count
            )
            .fetch_all(&mut **transaction)
            .await?
        }
        (None, Some(article)) => {
            sqlx::query_scalar!(
            "SELECT id FROM codes WHERE status = 'in_stock' AND article = $1 ORDER BY id LIMIT $2
                 FOR UPDATE SKIP LOCKED",
            article,
            count
        )
            .fetch_all(&mut **transaction)
            .await?
        }
        (None, None) => Vec::new(),
    };
    sqlx::query!(
        "UPDATE codes SET status = 'in_order', book = $2, line = $3, confirmed = false, cause = $4,
             changed_at = now() WHERE id = ANY($1)",
        &found,
        book,
        line.line,
        why.cause
    )
    .execute(&mut **transaction)
    .await?;
    note(transaction, &found, CodeStatus::InOrder, Some(book), why).await?;
    Ok(i64::try_from(found.len()).unwrap_or(i64::MAX))
}
