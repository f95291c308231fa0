//! Imports: a supplier's file becomes codes in stock, all of it or nothing.
//!
//! The file is read on a thread of its own, row by row, into a temporary table (COPY in batches), and
//! one transaction makes the stock of it: what fails or dies on the way leaves no trace. A file is known
//! by its content and a code by itself, so whatever is imported again changes nothing.

use std::{fmt::Write as _, fs::File};

use sqlx::{PgConnection, PgTransaction};
use time::OffsetDateTime;
use tokio::sync::mpsc;

use super::Store;
use crate::sheet::{self, Row, SheetError};

/// How much is collected before it goes to PostgreSQL.
const BATCH: usize = 128 * 1024;

/// What an import came to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Imported {
    /// Its number.
    pub id: i64,
    /// The file's name.
    pub name: String,
    /// Who.
    pub person: String,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub made_at: OffsetDateTime,
    /// Rows with something in them.
    pub rows: i64,
    /// Codes that are new in stock.
    pub added: i64,
    /// Codes that were known.
    pub known: i64,
    /// Codes that stand in the file more than once: the further ones.
    pub repeated: i64,
    /// Rows that were refused.
    pub refused: i64,
    /// Rows whose code had to be mended.
    pub repaired: i64,
    /// Whether this very file was imported before: then nothing was changed now.
    pub again: bool,
}

/// A row of the report: one that did not simply become a new code.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ReportRow {
    /// Its place in the report: the next page begins after it.
    pub id: i64,
    /// The row's number in its sheet.
    pub line: i64,
    /// The sheet.
    pub sheet: Option<String>,
    /// `known`, `repeated`, `refused` or `repaired`.
    pub outcome: String,
    /// Why, in a machine word.
    pub detail: String,
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file.
    #[error(transparent)]
    Sheet(#[from] SheetError),
    /// PostgreSQL does not answer.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl Store {
    /// Imports a file.
    ///
    /// # Errors
    /// [`ImportError`]: then nothing was changed.
    pub async fn import(
        &self,
        file: File,
        digest: &[u8; 32],
        name: &str,
        person: &str,
    ) -> Result<Imported, ImportError> {
        let mut transaction = self.pool.begin().await?;
        // Whoever brings the same file at the same time waits here for the first.
        let id = sqlx::query_scalar!(
            "INSERT INTO imports (digest, name, person) VALUES ($1, $2, $3) ON CONFLICT (digest) DO NOTHING RETURNING id",
            digest.as_slice(),
            name,
            person
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(id) = id else {
            transaction.rollback().await?;
            return Ok(Imported { again: true, ..self.imported_as(digest).await? });
        };
        let taken = async {
            stage(&mut transaction, file).await?;
            Ok::<_, ImportError>(settle(&mut transaction, id, person).await?)
        };
        if let Err(error) = taken.await {
            // Nobody waits for a connection that is given back: whoever brings the file again begins at once.
            if let Err(error) = transaction.rollback().await {
                tracing::debug!(%error, "an import's transaction ends with its connection");
            }
            return Err(error);
        }
        transaction.commit().await?;
        Ok(self.imported(id).await?.ok_or(sqlx::Error::RowNotFound)?)
    }

    /// An import by its number.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn imported(&self, id: i64) -> sqlx::Result<Option<Imported>> {
        sqlx::query_as!(
            Imported,
            r#"SELECT id, name, person, made_at, rows, added, known, repeated, refused, repaired,
                   false AS "again!" FROM imports WHERE id = $1"#,
            id
        )
        .fetch_optional(&self.pool)
        .await
    }

    async fn imported_as(&self, digest: &[u8; 32]) -> sqlx::Result<Imported> {
        sqlx::query_as!(
            Imported,
            r#"SELECT id, name, person, made_at, rows, added, known, repeated, refused, repaired,
                   false AS "again!" FROM imports WHERE digest = $1"#,
            digest.as_slice()
        )
        .fetch_one(&self.pool)
        .await
    }

    /// The last imports.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn imports(&self, limit: i64) -> sqlx::Result<Vec<Imported>> {
        sqlx::query_as!(
            Imported,
            r#"SELECT id, name, person, made_at, rows, added, known, repeated, refused, repaired,
                   false AS "again!" FROM imports ORDER BY id DESC LIMIT $1"#,
            limit
        )
        .fetch_all(&self.pool)
        .await
    }

    /// Rows of an import's report after the place `after`.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn report(&self, id: i64, after: i64, limit: i64) -> sqlx::Result<Vec<ReportRow>> {
        sqlx::query_as!(
            ReportRow,
            "SELECT id, line, sheet, outcome, detail FROM import_rows WHERE import = $1 AND id > $2
             ORDER BY id LIMIT $3",
            id,
            after,
            limit
        )
        .fetch_all(&self.pool)
        .await
    }
}

/// Reads the file into the temporary table `staging`.
async fn stage(transaction: &mut PgTransaction<'_>, file: File) -> Result<(), ImportError> {
    let connection: &mut PgConnection = transaction;
    sqlx::query(
        "CREATE TEMPORARY TABLE staging (place bigint, line bigint, sheet text, ki text COLLATE \"C\",
             gtin text COLLATE \"C\", tail bytea, article text COLLATE \"C\", fault text, repairs text)
         ON COMMIT DROP",
    )
    .execute(&mut *connection)
    .await?;
    let (batches, mut ready) = mpsc::channel::<Vec<u8>>(2);
    let reading = tokio::task::spawn_blocking(move || read(file, &batches));
    let mut copy = connection.copy_in_raw("COPY staging FROM STDIN").await?;
    while let Some(batch) = ready.recv().await {
        copy.send(batch).await?;
    }
    match reading.await {
        Ok(Ok(())) => {
            copy.finish().await?;
            Ok(())
        }
        Ok(Err(error)) => {
            copy.abort("the file cannot be read").await?;
            Err(error.into())
        }
        Err(_) => {
            copy.abort("reading the file failed").await?;
            Err(SheetError::GivenUp.into())
        }
    }
}

/// Sends the rows of a file in batches of COPY's text format.
fn read(file: File, batches: &mpsc::Sender<Vec<u8>>) -> Result<(), SheetError> {
    let mut batch = String::with_capacity(BATCH + 4096);
    let mut place = 0_u64;
    let send = |batch: &mut String| {
        let full = std::mem::replace(batch, String::with_capacity(BATCH + 4096));
        batches.blocking_send(full.into_bytes()).map_err(|_| SheetError::GivenUp)
    };
    sheet::read(file, &mut |row| {
        place += 1;
        write_row(&mut batch, place, &row);
        if batch.len() >= BATCH { send(&mut batch) } else { Ok(()) }
    })?;
    send(&mut batch)
}

fn write_row(batch: &mut String, place: u64, row: &Row) {
    // Writing into a String cannot fail.
    write!(batch, "{place}\t{}\t", row.line).ok();
    field(batch, row.sheet.as_deref());
    batch.push('\t');
    match &row.label {
        Ok(label) => {
            field(batch, Some(label.ki().as_str()));
            batch.push('\t');
            field(batch, label.gtin().map(events::Gtin::as_str));
            batch.push('\t');
            tail(batch, label.tail());
            batch.push('\t');
            field(batch, row.article.as_deref());
            batch.push_str("\t\\N\t");
            let repairs: Vec<String> = label.repairs().iter().map(|repair| repair.code()).collect();
            field(batch, Some(&repairs.join(",")));
        }
        Err(fault) => {
            batch.push_str("\\N\t\\N\t\\N\t\\N\t");
            field(batch, Some(&fault.code()));
            batch.push('\t');
        }
    }
    batch.push('\n');
}

/// A text in COPY's format; `\N` is no text.
fn field(batch: &mut String, text: Option<&str>) {
    let Some(text) = text else { return batch.push_str("\\N") };
    for letter in text.chars() {
        match letter {
            '\\' => batch.push_str("\\\\"),
            '\t' => batch.push_str("\\t"),
            '\n' => batch.push_str("\\n"),
            '\r' => batch.push_str("\\r"),
            '\0' => {}
            other => batch.push(other),
        }
    }
}

/// Bytes in COPY's format.
fn tail(batch: &mut String, tail: &str) {
    if tail.is_empty() {
        return batch.push_str("\\N");
    }
    batch.push_str("\\\\x");
    for byte in tail.bytes() {
        for half in [byte >> 4, byte & 15] {
            batch.extend(char::from_digit(half.into(), 16));
        }
    }
}

/// Makes stock and report of what was read.
async fn settle(transaction: &mut PgTransaction<'_>, id: i64, person: &str) -> sqlx::Result<()> {
    sqlx::query("ANALYZE staging").execute(&mut **transaction).await?;
    let before = sqlx::query_scalar!(r#"SELECT coalesce(max(id), 0) AS "id!" FROM codes"#)
        .fetch_one(&mut **transaction)
        .await?;
    // In the order of the index: a million rows go in at one end of it, page by page.
    sqlx::query(
        "INSERT INTO codes (ki, gtin, article, status, import)
         SELECT DISTINCT ON (ki) ki, gtin, article, 'in_stock', $1 FROM staging WHERE fault IS NULL ORDER BY ki, place
         ON CONFLICT (ki) DO NOTHING",
    )
    .bind(id)
    .execute(&mut **transaction)
    .await?;
    sqlx::query!(
        "INSERT INTO moves (code, status, why, person) SELECT id, 'in_stock', 'imported', $3 FROM codes
         WHERE id > $1 AND import = $2 ORDER BY id",
        before,
        id,
        person
    )
    .execute(&mut **transaction)
    .await?;
    // A fuller file may bring the tail of a code that came without.
    sqlx::query(
        "INSERT INTO tails (code, tail) SELECT codes.id, staging.tail FROM staging JOIN codes USING (ki)
         WHERE staging.tail IS NOT NULL ORDER BY codes.id ON CONFLICT (code) DO NOTHING",
    )
    .execute(&mut **transaction)
    .await?;
    sqlx::query(
        "WITH places AS (SELECT place, line, sheet, ki, repairs, min(place) OVER (PARTITION BY ki) AS first
                         FROM staging WHERE fault IS NULL)
         INSERT INTO import_rows (import, line, sheet, outcome, detail)
         SELECT $1, line, sheet, outcome, detail FROM (
             SELECT place, line, sheet, 'refused' AS outcome, fault AS detail FROM staging WHERE fault IS NOT NULL
             UNION ALL SELECT place, line, sheet, 'repeated', '' FROM places WHERE place > first
             UNION ALL SELECT place, places.line, sheet, 'known', '' FROM places JOIN codes USING (ki)
                 WHERE place = first AND codes.import IS DISTINCT FROM $1
             UNION ALL SELECT place, line, sheet, 'repaired', repairs FROM places WHERE repairs <> ''
         ) report ORDER BY place, outcome",
    )
    .bind(id)
    .execute(&mut **transaction)
    .await?;
    sqlx::query(
        "UPDATE imports SET rows = (SELECT count(*) FROM staging),
             added = (SELECT count(*) FROM codes WHERE codes.id > $2 AND import = $1),
             known = (SELECT count(*) FROM import_rows WHERE import = $1 AND outcome = 'known'),
             repeated = (SELECT count(*) FROM import_rows WHERE import = $1 AND outcome = 'repeated'),
             refused = (SELECT count(*) FROM import_rows WHERE import = $1 AND outcome = 'refused'),
             repaired = (SELECT count(*) FROM import_rows WHERE import = $1 AND outcome = 'repaired')
         WHERE id = $1",
    )
    .bind(id)
    .bind(before)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
