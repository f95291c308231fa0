//! Which bottle went with which line of which order: `egais_alcocodes`.

use rust_decimal::Decimal;
use sqlx::PgTransaction;
use time::OffsetDateTime;

use super::Store;
use crate::{
    mark::shown,
    plan::Own,
    state::{Goods, Paper},
    waybill::Missing,
};

/// How a bottle stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BottleStatus {
    /// A document that writes it off is made.
    Taken,
    /// EGAIS has written it off.
    WrittenOff,
    /// A document that brings it back is made.
    Returning,
    /// EGAIS has credited it back.
    Returned,
}

impl BottleStatus {
    const fn word(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::WrittenOff => "written_off",
            Self::Returning => "returning",
            Self::Returned => "returned",
        }
    }
}

/// A bottle or a quantity of an order.
#[derive(Debug, Clone)]
pub struct Bottle {
    /// Its number with us.
    pub id: i64,
    /// The line.
    pub line: i64,
    /// The group of goods.
    pub group: String,
    /// AlcCode.
    pub alc_code: String,
    /// The mark.
    pub mark: Option<String>,
    /// How many.
    pub quantity: Decimal,
    /// How many of them came back.
    pub returned: Decimal,
    /// The reference of form B.
    pub f2: Option<String>,
    /// Kopecks for one.
    pub price: i64,
    /// The document that writes it off.
    pub document: String,
    /// The document that brings it back.
    pub back_document: Option<String>,
    /// EGAIS's number.
    pub egais_quant_id: Option<String>,
    /// How it stands.
    pub status: String,
}

/// A mark that another order has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// The mark's end.
    pub mark: String,
    /// The order's number.
    pub order: String,
}

/// What came of taking goods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// They are this fact's.
    All,
    /// Another one has a mark of them.
    Used(Used),
    /// The order was cancelled after they left.
    Cancelled,
}

impl Store {
    /// Takes goods for the documents of a fact, all of them or none. What the same fact had taken before and not sent
    /// is let go first: the order may have been mended since. A mark that another order or another document has is
    /// refused, and so is what left before the order was cancelled.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn take(
        &self,
        (book, number): (&str, &str),
        own: &Own,
        papers: &[Paper],
        (left_at, now): (OffsetDateTime, OffsetDateTime),
    ) -> sqlx::Result<Taken> {
        let mut transaction = self.begin(book).await?;
        let cancelled = sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT FROM cancelled WHERE book = $1 AND at >= $2) AS "is!""#,
            book,
            left_at
        )
        .fetch_one(&mut *transaction)
        .await?;
        if cancelled {
            transaction.rollback().await?;
            return Ok(Taken::Cancelled);
        }
        sqlx::query!(
            "DELETE FROM egais_alcocodes WHERE book = $1 AND status = 'taken'
             AND (starts_with(document, $2) OR starts_with(document, $3))",
            book,
            own.long,
            own.short
        )
        .execute(&mut *transaction)
        .await?;
        for paper in papers {
            for one in &paper.goods {
                if let Some(used) =
                    take_one(&mut transaction, (book, number), paper, one, now).await?
                {
                    transaction.rollback().await?;
                    return Ok(Taken::Used(used));
                }
            }
        }
        transaction.commit().await?;
        Ok(Taken::All)
    }

    /// The order is cancelled: what left before that and is not taken yet will not be.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn cancel(&self, book: &str, at: OffsetDateTime) -> sqlx::Result<()> {
        let mut transaction = self.begin(book).await?;
        sqlx::query!(
            "INSERT INTO cancelled (book, at) VALUES ($1, $2)
             ON CONFLICT (book) DO UPDATE SET at = greatest(cancelled.at, excluded.at)",
            book,
            at
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await
    }

    /// Whether the order was cancelled at this moment or later.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn is_cancelled(&self, book: &str, since: OffsetDateTime) -> sqlx::Result<bool> {
        sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT FROM cancelled WHERE book = $1 AND at >= $2) AS "is!""#,
            book,
            since
        )
        .fetch_one(&self.pool)
        .await
    }

    /// What a return had set aside and not sent is sold as before: the return is thought over.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn release(&self, book: &str, own: &Own) -> sqlx::Result<()> {
        let mut transaction = self.begin(book).await?;
        sqlx::query!(
            "UPDATE egais_alcocodes SET status = 'written_off', back_document = NULL
             WHERE book = $1 AND status = 'returning'
             AND (starts_with(back_document, $2) OR starts_with(back_document, $3))",
            book,
            own.long,
            own.short
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await
    }

    /// All goods of an order.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn bottles(&self, book: &str) -> sqlx::Result<Vec<Bottle>> {
        sqlx::query_as!(
            Bottle,
            r#"SELECT id, line_id AS line, product_group AS "group", alco_code AS alc_code, mark, quantity, returned,
                 f2_reg_id AS f2, price, document, back_document, egais_quant_id, status
             FROM egais_alcocodes WHERE book = $1 ORDER BY id"#,
            book
        )
        .fetch_all(&self.pool)
        .await
    }

    /// A document that writes off has come to its end.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn written_off(
        &self,
        book: &str,
        document: &str,
        number: Option<&str>,
        at: OffsetDateTime,
    ) -> sqlx::Result<()> {
        let mut transaction = self.begin(book).await?;
        sqlx::query!(
            "UPDATE egais_alcocodes SET status = 'written_off', egais_quant_id = $2, changed_at = $3
             WHERE document = $1 AND status = 'taken'",
            document,
            number,
            at
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await
    }

    /// A document that writes off was refused: its goods are free.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn free(&self, book: &str, document: &str) -> sqlx::Result<()> {
        let mut transaction = self.begin(book).await?;
        sqlx::query!(
            "DELETE FROM egais_alcocodes WHERE document = $1 AND status = 'taken'",
            document
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await
    }

    /// Sets goods aside for a document that brings them back: bottles by their number with us. `false` when one of
    /// them is not written off, or another document has it.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn bring_back(
        &self,
        book: &str,
        document: &str,
        bottles: &[i64],
        at: OffsetDateTime,
    ) -> sqlx::Result<bool> {
        let mut transaction = self.begin(book).await?;
        let moved = sqlx::query!(
            "UPDATE egais_alcocodes SET status = 'returning', back_document = $2, changed_at = $3
             WHERE id = ANY($1) AND (status = 'written_off' OR (status = 'returning' AND back_document = $2))",
            bottles,
            document,
            at
        )
        .execute(&mut *transaction)
        .await?;
        let whole = usize::try_from(moved.rows_affected()) == Ok(bottles.len());
        if whole {
            transaction.commit().await?;
        } else {
            transaction.rollback().await?;
        }
        Ok(whole)
    }

    /// A document that brings back has come to its end, or was refused. Of unmarked goods so many came back.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn came_back(
        &self,
        book: &str,
        document: &str,
        goods: &[Goods],
        at: OffsetDateTime,
    ) -> sqlx::Result<()> {
        let mut transaction = self.begin(book).await?;
        sqlx::query!(
            "UPDATE egais_alcocodes SET status = 'returned', returned = quantity, changed_at = $2
             WHERE back_document = $1 AND status = 'returning' AND mark IS NOT NULL",
            document,
            at
        )
        .execute(&mut *transaction)
        .await?;
        for one in goods.iter().filter(|one| one.mark.is_none()) {
            part_came_back(&mut transaction, document, one, at).await?;
        }
        transaction.commit().await
    }

    /// A document that brings back was refused: its goods are sold as before.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn stay(&self, book: &str, document: &str) -> sqlx::Result<()> {
        let mut transaction = self.begin(book).await?;
        sqlx::query!(
            "UPDATE egais_alcocodes SET status = 'written_off', back_document = NULL
             WHERE back_document = $1 AND status = 'returning'",
            document
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await
    }

    /// Another order that has sold one of these bottles, or some of these products without marks: its number.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn sold_in_another(
        &self,
        book: &str,
        missing: &Missing,
    ) -> sqlx::Result<Option<String>> {
        sqlx::query_scalar!(
            "SELECT order_number FROM egais_alcocodes
             WHERE book <> $1 AND status IN ('written_off', 'returning')
             AND (mark = ANY($2) OR (mark IS NULL AND alco_code = ANY($3))) ORDER BY id DESC LIMIT 1",
            book,
            &missing.marks,
            &missing.alc_codes
        )
        .fetch_optional(&self.pool)
        .await
    }

    /// Form B and AlcCode of a bottle, by EGAIS's list of bottles.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn known_bottle(&self, utm: &str, mark: &str) -> sqlx::Result<Option<String>> {
        sqlx::query_scalar!("SELECT f2_reg_id FROM bottles WHERE mark = $1 AND utm = $2", mark, utm)
            .fetch_optional(&self.pool)
            .await
    }

    /// Keeps EGAIS's list of the bottles of a form B.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn keep_bottles(&self, utm: &str, f2: &str, marks: &[String]) -> sqlx::Result<()> {
        sqlx::query!(
            "INSERT INTO bottles (mark, utm, f2_reg_id) SELECT DISTINCT mark, $2, $3 FROM unnest($1::text[]) AS mark
             ON CONFLICT (mark) DO UPDATE SET utm = $2, f2_reg_id = $3",
            marks,
            utm,
            f2
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

/// Takes a bottle or a quantity; who has it, where another document does.
async fn take_one(
    transaction: &mut PgTransaction<'_>,
    (book, number): (&str, &str),
    paper: &Paper,
    one: &Goods,
    at: OffsetDateTime,
) -> sqlx::Result<Option<Used>> {
    let mark = one.mark.as_ref().map(crate::mark::Mark::as_str);
    let taken = sqlx::query!(
        "INSERT INTO egais_alcocodes (book, order_number, line_id, product_group, alco_code, mark, quantity,
             f2_reg_id, price, document, status, changed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'taken', $11) ON CONFLICT DO NOTHING",
        book,
        number,
        one.line,
        paper.part,
        one.alc_code,
        mark,
        one.quantity,
        one.f2,
        one.price,
        paper.identity,
        at
    )
    .execute(&mut **transaction)
    .await?;
    let Some(mark) = mark.filter(|_| taken.rows_affected() == 0) else { return Ok(None) };
    let holder = sqlx::query!(
        "SELECT order_number, document FROM egais_alcocodes WHERE mark = $1 AND status <> 'returned'",
        mark
    )
    .fetch_optional(&mut **transaction)
    .await?;
    let holder = holder.filter(|holder| holder.document != paper.identity);
    Ok(holder.map(|holder| Used { mark: shown(mark), order: holder.order_number }))
}

/// Unmarked goods come back by quantity; the row is returned when all of it has.
async fn part_came_back(
    transaction: &mut PgTransaction<'_>,
    document: &str,
    one: &Goods,
    at: OffsetDateTime,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE egais_alcocodes SET returned = returned + $3, changed_at = $4,
             back_document = CASE WHEN returned + $3 = quantity THEN back_document END,
             status = CASE WHEN returned + $3 = quantity THEN 'returned' ELSE 'written_off' END
         WHERE back_document = $1 AND line_id = $2 AND status = 'returning' AND mark IS NULL
             AND (id = $5 OR $5 IS NULL)",
        document,
        one.line,
        one.quantity,
        at,
        one.row
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

impl Bottle {
    /// Whether it stands so.
    #[must_use]
    pub fn is(&self, status: BottleStatus) -> bool {
        self.status == status.word()
    }
}
