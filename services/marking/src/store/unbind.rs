//! A scan is taken back: the piece goes back to the shelf, and its code into stock.

use sqlx::PgTransaction;

use super::{CodeStatus, Scan, ScanRefusal, Scanned, Store, Why, book, free, note, scan::line_of};

impl Store {
    /// Takes back the scan of a piece, or the note that a sold piece came back.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer. Inside, why there is nothing to take back.
    pub async fn unbind(&self, scan: &Scan<'_>) -> sqlx::Result<Result<Scanned, ScanRefusal>> {
        let book = book(scan.order);
        let mut transaction = self.begin(&book).await?;
        let outcome = take_back(&mut transaction, &book, scan).await?;
        match outcome {
            Ok(_) => transaction.commit().await?,
            Err(_) => transaction.rollback().await?,
        }
        Ok(outcome)
    }
}

async fn take_back(
    transaction: &mut PgTransaction<'_>,
    book: &str,
    scan: &Scan<'_>,
) -> sqlx::Result<Result<Scanned, ScanRefusal>> {
    let code = sqlx::query!(
        "SELECT id, status, book, line, confirmed, came_back FROM codes WHERE ki = $1 FOR UPDATE",
        scan.label.ki().as_str()
    )
    .fetch_optional(&mut **transaction)
    .await?;
    let Some(code) = code else { return Ok(Err(ScanRefusal::CodeUnknown)) };
    let line = code.line.filter(|_| code.book.as_deref() == Some(book));
    let Some(line) = line else { return Ok(Err(ScanRefusal::NotScanned)) };
    match CodeStatus::read(&code.status)? {
        CodeStatus::InOrder if code.confirmed => {
            let why = Why::person("unbound", scan.person);
            free(transaction, &[code.id], CodeStatus::InStock, why).await?;
        }
        CodeStatus::Sold if code.came_back => {
            sqlx::query!("UPDATE codes SET came_back = false WHERE id = $1", code.id)
                .execute(&mut **transaction)
                .await?;
            let why = Why::person("unbound_back", scan.person);
            note(transaction, &[code.id], CodeStatus::Sold, Some(book), why).await?;
        }
        CodeStatus::InOrder => return Ok(Err(ScanRefusal::NotScanned)),
        other => return Ok(Err(ScanRefusal::Used(other))),
    }
    Ok(Ok(line_of(transaction, book, line).await?))
}
