//! Scans: the very piece in the storekeeper's hands is bound to the order.

use events::{Gtin, Label, OrderRef};
use sqlx::PgTransaction;

use super::{CodeStatus, Store, Why, book, free, note};

/// What a storekeeper scans, for which order.
#[derive(Debug, Clone)]
pub struct Scan<'a> {
    /// The order.
    pub order: &'a OrderRef,
    /// The label.
    pub label: &'a Label,
    /// Who.
    pub person: &'a str,
    /// Whether a code that nobody has imported is taken.
    pub takes_unknown: bool,
}

/// A scan that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scanned {
    /// The line's product.
    pub name: String,
    /// How many pieces of the line are scanned now …
    pub scanned: i64,
    /// … of how many.
    pub count: i64,
}

/// Why a scan is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScanRefusal {
    /// The order is not known here, or has nothing that must be marked.
    OrderUnknown,
    /// The order is cancelled.
    Cancelled,
    /// The order has no such product.
    WrongProduct,
    /// All pieces of this product are scanned.
    LineFull,
    /// A box of pieces.
    Pack,
    /// Nobody has imported this code.
    CodeUnknown,
    /// Scanned for this order before.
    Twice,
    /// Bound to another order: its number.
    OtherOrder(String),
    /// Sold, on its way, or in quarantine.
    Used(CodeStatus),
    /// Not scanned for this order, so there is nothing to take back.
    NotScanned,
}

impl ScanRefusal {
    /// A stable word.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OrderUnknown => "order_unknown",
            Self::Cancelled => "order_cancelled",
            Self::WrongProduct => "wrong_product",
            Self::LineFull => "line_full",
            Self::Pack => "pack",
            Self::CodeUnknown => "code_unknown",
            Self::Twice => "scanned_already",
            Self::OtherOrder(_) => "in_other_order",
            Self::Used(_) => "already_used",
            Self::NotScanned => "not_scanned",
        }
    }
}

/// A code as it stands.
struct Known {
    id: i64,
    article: Option<String>,
    status: String,
    book: Option<String>,
    line: Option<i64>,
    confirmed: bool,
}

/// A line that may take the scanned code.
struct Line {
    line: i64,
    name: String,
    count: i64,
    confirmed: i64,
}

impl Store {
    /// Binds a scanned code to the order's line of its product.
    ///
    /// A code that is only reserved for another order is had in exchange for the one reserved here:
    /// a reservation is a number, the piece is in somebody's hands.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer. Inside, why the scan is refused.
    pub async fn scan(&self, scan: &Scan<'_>) -> sqlx::Result<Result<Scanned, ScanRefusal>> {
        let book = book(scan.order);
        let mut transaction = self.begin(&book).await?;
        let outcome = bind(&mut transaction, &book, scan).await?;
        match outcome {
            Ok(_) => transaction.commit().await?,
            Err(_) => transaction.rollback().await?,
        }
        Ok(outcome)
    }

    /// Notes that a sold piece of the order is back in somebody's hands: a return takes it.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer. Inside, why the scan is refused.
    pub async fn scan_back(&self, scan: &Scan<'_>) -> sqlx::Result<Result<Scanned, ScanRefusal>> {
        let book = book(scan.order);
        let mut transaction = self.begin(&book).await?;
        let outcome = bring_back(&mut transaction, &book, scan).await?;
        match outcome {
            Ok(_) => transaction.commit().await?,
            Err(_) => transaction.rollback().await?,
        }
        Ok(outcome)
    }
}

async fn bring_back(
    transaction: &mut PgTransaction<'_>,
    book: &str,
    scan: &Scan<'_>,
) -> sqlx::Result<Result<Scanned, ScanRefusal>> {
    let code = sqlx::query!(
            r#"SELECT codes.id, codes.status, codes.book, codes.came_back, codes.line, lines.name AS "name?"
               FROM codes LEFT JOIN order_lines lines USING (book, line) WHERE ki = $1 FOR UPDATE OF codes"#,
            scan.label.ki().as_str()
        )
        .fetch_optional(&mut **transaction)
        .await?;
    let Some(code) = code else { return Ok(Err(ScanRefusal::CodeUnknown)) };
    let status = CodeStatus::read(&code.status)?;
    if code.book.as_deref() != Some(book) {
        return Ok(Err(ScanRefusal::WrongProduct));
    }
    if status != CodeStatus::Sold {
        return Ok(Err(ScanRefusal::Used(status)));
    }
    if code.came_back {
        return Ok(Err(ScanRefusal::Twice));
    }
    sqlx::query!("UPDATE codes SET came_back = true WHERE id = $1", code.id)
        .execute(&mut **transaction)
        .await?;
    let why = Why::person("scanned_back", scan.person);
    note(transaction, &[code.id], status, Some(book), why).await?;
    let counts = sqlx::query!(
        r#"SELECT count(*) FILTER (WHERE came_back) AS "back!", count(*) AS "all!" FROM codes
               WHERE book = $1 AND line = $2 AND status = 'sold'"#,
        book,
        code.line
    )
    .fetch_one(&mut **transaction)
    .await?;
    let name = code.name.unwrap_or_default();
    Ok(Ok(Scanned { name, scanned: counts.back, count: counts.all }))
}

async fn bind(
    transaction: &mut PgTransaction<'_>,
    book: &str,
    scan: &Scan<'_>,
) -> sqlx::Result<Result<Scanned, ScanRefusal>> {
    let order = sqlx::query!("SELECT seen_at, cancelled_at FROM orders WHERE book = $1", book)
        .fetch_optional(&mut **transaction)
        .await?;
    let Some(order) = order else { return Ok(Err(ScanRefusal::OrderUnknown)) };
    if order.cancelled_at.is_some_and(|at| at >= order.seen_at) {
        return Ok(Err(ScanRefusal::Cancelled));
    }
    let Some(gtin) = scan.label.gtin() else { return Ok(Err(ScanRefusal::Pack)) };
    let code = sqlx::query_as!(
        Known,
        "SELECT id, article, status, book, line, confirmed FROM codes WHERE ki = $1 FOR UPDATE",
        scan.label.ki().as_str()
    )
    .fetch_optional(&mut **transaction)
    .await?;
    let article = code.as_ref().and_then(|code| code.article.as_deref());
    let lines = lines(transaction, book, gtin, article).await?;
    if lines.is_empty() {
        return Ok(Err(ScanRefusal::WrongProduct));
    }
    let usable = match &code {
        Some(code) => usable(transaction, book, code).await?,
        None if scan.takes_unknown => Ok(()),
        None => Err(ScanRefusal::CodeUnknown),
    };
    if let Err(refusal) = usable {
        return Ok(Err(refusal));
    }
    let open = lines.into_iter().find(|line| line.confirmed < line.count);
    let Some(line) = open else { return Ok(Err(ScanRefusal::LineFull)) };
    let why = Why::person("scanned", scan.person);
    match code {
        None => {
            super::orders::known_or_new(transaction, book, line.line, scan.label, why).await?;
            make_room(transaction, book, &line, None).await?;
        }
        Some(code) => {
            // Where it was reserved: in another order, in another line of this one, or nowhere.
            let from = code.book.zip(code.line);
            let from = from.filter(|(from, at)| from != book || *at != line.line);
            sqlx::query!(
                "UPDATE codes SET status = 'in_order', book = $2, line = $3, confirmed = true, changed_at = now()
                 WHERE id = $1",
                code.id,
                book,
                line.line
            )
            .execute(&mut **transaction)
            .await?;
            note(transaction, &[code.id], CodeStatus::InOrder, Some(book), why).await?;
            super::orders::keep_tail(transaction, code.id, scan.label).await?;
            make_room(transaction, book, &line, from.map(|place| (place, gtin))).await?;
        }
    }
    Ok(Ok(Scanned { name: line.name, scanned: line.confirmed + 1, count: line.count }))
}

/// Whether the order may have this code.
async fn usable(
    transaction: &mut PgTransaction<'_>,
    book: &str,
    code: &Known,
) -> sqlx::Result<Result<(), ScanRefusal>> {
    let is_ours = code.book.as_deref() == Some(book);
    Ok(match CodeStatus::read(&code.status)? {
        CodeStatus::InStock => Ok(()),
        CodeStatus::InOrder if !code.confirmed => Ok(()),
        CodeStatus::InOrder if is_ours => Err(ScanRefusal::Twice),
        CodeStatus::InOrder => {
            let other = number(transaction, code.book.as_deref()).await?;
            Err(ScanRefusal::OtherOrder(other))
        }
        other => Err(ScanRefusal::Used(other)),
    })
}

/// The order's lines of this product.
async fn lines(
    transaction: &mut PgTransaction<'_>,
    book: &str,
    gtin: &Gtin,
    article: Option<&str>,
) -> sqlx::Result<Vec<Line>> {
    sqlx::query_as!(
        Line,
        r#"SELECT line, name, count,
               (SELECT count(*) FROM codes WHERE codes.book = lines.book AND codes.line = lines.line
                    AND (confirmed OR status <> 'in_order')) AS "confirmed!"
           FROM order_lines lines
           WHERE book = $1 AND (gtin = $2 OR (gtin IS NULL AND article = $3)) ORDER BY line"#,
        book,
        gtin.as_str(),
        article
    )
    .fetch_all(&mut **transaction)
    .await
}

/// The reserved code whose place the scanned one takes goes where that came from, if it is of the same
/// product, or into stock.
async fn make_room(
    transaction: &mut PgTransaction<'_>,
    book: &str,
    line: &Line,
    to: Option<((String, i64), &Gtin)>,
) -> sqlx::Result<()> {
    let has = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM codes WHERE book = $1 AND line = $2"#,
        book,
        line.line
    )
    .fetch_one(&mut **transaction)
    .await?;
    if has <= line.count {
        return Ok(());
    }
    // A line that goes by its external code may have codes of several products.
    let spare = sqlx::query!(
        "SELECT id, gtin FROM codes WHERE book = $1 AND line = $2 AND status = 'in_order' AND NOT confirmed
         ORDER BY gtin = $3 DESC, id LIMIT 1 FOR UPDATE",
        book,
        line.line,
        to.as_ref().map(|(_, gtin)| gtin.as_str()).unwrap_or_default()
    )
    .fetch_optional(&mut **transaction)
    .await?;
    let Some(spare) = spare else { return Ok(()) };
    let why = Why { word: "exchanged", cause: None, person: None, detail: "" };
    let place = to.filter(|(_, gtin)| gtin.as_str() == spare.gtin).map(|(place, _)| place);
    let spare = spare.id;
    let Some((other, at)) = place else {
        return free(transaction, &[spare], CodeStatus::InStock, why).await;
    };
    sqlx::query!(
        "UPDATE codes SET book = $2, line = $3, changed_at = now() WHERE id = $1",
        spare,
        other,
        at
    )
    .execute(&mut **transaction)
    .await?;
    note(transaction, &[spare], CodeStatus::InOrder, Some(&other), why).await
}

async fn number(transaction: &mut PgTransaction<'_>, book: Option<&str>) -> sqlx::Result<String> {
    let number = sqlx::query_scalar!("SELECT number FROM orders WHERE book = $1", book)
        .fetch_optional(&mut **transaction)
        .await?;
    Ok(number.unwrap_or_default())
}

/// A line of the order as a scan leaves it.
pub(super) async fn line_of(
    transaction: &mut PgTransaction<'_>,
    book: &str,
    line: i64,
) -> sqlx::Result<Scanned> {
    sqlx::query_as!(
        Scanned,
        r#"SELECT name, count,
               (SELECT count(*) FROM codes WHERE codes.book = lines.book AND codes.line = lines.line
                    AND (confirmed OR status <> 'in_order')) AS "scanned!"
           FROM order_lines lines WHERE book = $1 AND line = $2"#,
        book,
        line
    )
    .fetch_one(&mut **transaction)
    .await
}
