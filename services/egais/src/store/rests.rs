//! Stock: what EGAIS says, what the catalogue says, where they differ.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sqlx::PgTransaction;
use time::OffsetDateTime;
use tokio::sync::mpsc::Receiver;

use super::Store;
use crate::{documents::Product, utm::answer::Rest};

/// A row of the shop's catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueRow {
    /// The product.
    pub alc_code: String,
    /// Its name in the catalogue.
    pub name: String,
    /// How many the catalogue says there are.
    pub quantity: Decimal,
}

/// A product on which EGAIS and the catalogue disagree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The product.
    pub alc_code: String,
    /// Its name.
    pub name: String,
    /// In register 1.
    pub first: Decimal,
    /// On the shop floor, register 2.
    pub shop: Decimal,
    /// In the catalogue.
    pub catalogue: Decimal,
}

/// A run of RestBal.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its number.
    pub id: i64,
    /// When it began.
    pub asked_at: OffsetDateTime,
    /// The UTM's name for the question about register 1, once it is asked.
    pub first_reply: Option<String>,
    /// The same for the shop floor.
    pub shop_reply: Option<String>,
    /// When both answers were compared with the catalogue.
    pub compared_at: Option<OffsetDateTime>,
}

impl Store {
    /// Puts one register's stock in the place of what was known, as it comes. No stock is changed until the caller
    /// commits: he knows whether it came to its end.
    ///
    /// # Errors
    /// When PostgreSQL is away: no stock is changed.
    #[expect(clippy::as_conversions, reason = "so sqlx is told of a type; nothing is converted")]
    pub async fn keep_rests(
        &self,
        utm: &str,
        shop: bool,
        // His own: once he has failed, nobody who still sends waits for him.
        mut batches: Receiver<Vec<Rest>>,
    ) -> sqlx::Result<PgTransaction<'static>> {
        let register: i16 = if shop { 2 } else { 1 };
        let mut transaction = self.pool.begin().await?;
        sqlx::query!("DELETE FROM rests WHERE utm = $1 AND register = $2", utm, register)
            .execute(&mut *transaction)
            .await?;
        let mut place = 0_i32;
        while let Some(rows) = batches.recv().await {
            let count = i32::try_from(rows.len()).unwrap_or(i32::MAX);
            let places: Vec<i32> = (place..place.saturating_add(count)).collect();
            place = place.saturating_add(count);
            let codes: Vec<String> = rows.iter().map(|row| row.product.alc_code.clone()).collect();
            let names: Vec<String> = rows.iter().map(|row| row.product.full_name.clone()).collect();
            let f1: Vec<Option<String>> = rows.iter().map(|row| row.f1.clone()).collect();
            let f2: Vec<Option<String>> = rows.iter().map(|row| row.f2.clone()).collect();
            let quantities: Vec<Decimal> = rows.iter().map(|row| row.quantity).collect();
            sqlx::query!(
                "INSERT INTO rests (utm, register, place, alc_code, name, f1_reg_id, f2_reg_id, quantity)
                 SELECT $1, $2, * FROM unnest($3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::numeric[])",
                utm,
                register,
                &places,
                &codes,
                &names,
                &f1 as &[Option<String>],
                &f2 as &[Option<String>],
                &quantities
            )
            .execute(&mut *transaction)
            .await?;
            self.keep_products(&rows, &codes).await?;
        }
        Ok(transaction)
    }

    /// Products as EGAIS describes them, whatever becomes of the register that names them. Each batch by itself and in
    /// order: the answers of two UTMs name the same products, and neither may hold one that the other waits for.
    async fn keep_products(&self, rows: &[Rest], codes: &[String]) -> sqlx::Result<()> {
        let products: Vec<serde_json::Value> =
            rows.iter().filter_map(|row| serde_json::to_value(&row.product).ok()).collect();
        sqlx::query!(
            "INSERT INTO products (alc_code, product)
             SELECT DISTINCT ON (code) code, product FROM unnest($1::text[], $2::jsonb[]) AS given (code, product)
             ORDER BY code
             ON CONFLICT (alc_code) DO UPDATE SET product = excluded.product",
            codes,
            &products
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// A product as EGAIS describes it.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn product(&self, alc_code: &str) -> sqlx::Result<Option<Product>> {
        let row = sqlx::query_scalar!("SELECT product FROM products WHERE alc_code = $1", alc_code)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.and_then(|product| serde_json::from_value(product).ok()))
    }

    /// The references of form B under which there is some of a product in register 1.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn forms(&self, utm: &str, alc_code: &str) -> sqlx::Result<Vec<String>> {
        let rows = sqlx::query_scalar!(
            r#"SELECT DISTINCT f2_reg_id AS "f2!" FROM rests
             WHERE utm = $1 AND register = 1 AND alc_code = $2 AND f2_reg_id IS NOT NULL AND quantity > 0
             ORDER BY 1"#,
            utm,
            alc_code
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows)
    }

    /// The reference of form A that stands beside one of form B in stock.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn form_a(&self, utm: &str, f2: &str) -> sqlx::Result<Option<String>> {
        let row = sqlx::query_scalar!(
            "SELECT f1_reg_id FROM rests WHERE utm = $1 AND f2_reg_id = $2 AND f1_reg_id IS NOT NULL LIMIT 1",
            utm,
            f2
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.flatten())
    }

    /// Begins a run of RestBal.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn begin_run(&self, utm: &str, at: OffsetDateTime) -> sqlx::Result<Run> {
        sqlx::query_as!(
            Run,
            "INSERT INTO rest_runs (utm, asked_at) VALUES ($1, $2)
             RETURNING id, asked_at, first_reply, shop_reply, compared_at",
            utm,
            at
        )
        .fetch_one(&self.pool)
        .await
    }

    /// The run that began last.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn last_run(&self, utm: &str) -> sqlx::Result<Option<Run>> {
        sqlx::query_as!(
            Run,
            "SELECT id, asked_at, first_reply, shop_reply, compared_at FROM rest_runs
             WHERE utm = $1 ORDER BY id DESC LIMIT 1",
            utm
        )
        .fetch_optional(&self.pool)
        .await
    }

    /// Whether this service has asked for stock under this name.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn had_asked(&self, utm: &str, reply_id: Option<&str>) -> sqlx::Result<bool> {
        sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT FROM rest_runs
                 WHERE utm = $1 AND ($2::text = first_reply OR $2 = shop_reply))
             OR EXISTS (SELECT FROM documents
                 WHERE utm = $1 AND reply_id = $2 AND kind IN ('QueryRests_v2', 'QueryRestsShop_v2')) AS "had!""#,
            utm,
            reply_id
        )
        .fetch_one(&self.pool)
        .await
    }

    /// A question of a run was taken under this name.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn asked(&self, run: i64, shop: bool, reply_id: &str) -> sqlx::Result<()> {
        sqlx::query!(
            "UPDATE rest_runs SET first_reply = CASE WHEN $2 THEN first_reply ELSE $3 END,
                 shop_reply = CASE WHEN $2 THEN $3 ELSE shop_reply END WHERE id = $1",
            run,
            shop,
            reply_id
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The run that waits for the answer with this name; where the list names none, the newest one that waits.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn awaiting_run(
        &self,
        utm: &str,
        reply_id: Option<&str>,
    ) -> sqlx::Result<Option<i64>> {
        sqlx::query_scalar!(
            "SELECT max(id) FROM rest_runs WHERE utm = $1 AND compared_at IS NULL
             AND ($2::text IS NULL OR $2 = first_reply OR $2 = shop_reply
                 OR (first_reply IS NULL OR shop_reply IS NULL) AND EXISTS (SELECT FROM documents
                     WHERE utm = $1 AND reply_id = $2 AND kind IN ('QueryRests_v2', 'QueryRestsShop_v2')))",
            utm,
            reply_id
        )
        .fetch_one(&self.pool)
        .await
    }

    /// One register of a run is known; whether both are.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn rests_came(&self, run: i64, shop: bool, at: OffsetDateTime) -> sqlx::Result<bool> {
        let run = sqlx::query!(
            "UPDATE rest_runs SET first_at = CASE WHEN $2 THEN first_at ELSE $3 END,
                 shop_at = CASE WHEN $2 THEN $3 ELSE shop_at END
             WHERE id = $1 RETURNING first_at, shop_at",
            run,
            shop,
            at
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(run.first_at.is_some() && run.shop_at.is_some())
    }

    /// Compares both registers together with the catalogue, by AlcCode.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn compare(
        &self,
        utm: &str,
        run: i64,
        at: OffsetDateTime,
    ) -> sqlx::Result<Vec<Difference>> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query!(
            "INSERT INTO differences (run, alc_code, name, first, shop, catalogue)
             SELECT $2, alc_code, max(name), sum(first), sum(shop), sum(catalogue) FROM (
                 SELECT alc_code, name, CASE register WHEN 1 THEN quantity ELSE 0 END AS first,
                     CASE register WHEN 2 THEN quantity ELSE 0 END AS shop, 0 AS catalogue
                 FROM rests WHERE utm = $1
                 UNION ALL
                 SELECT alc_code, name, 0, 0, quantity FROM catalogue WHERE utm = $1
             ) AS all_of_it
             GROUP BY alc_code HAVING sum(first) + sum(shop) <> sum(catalogue)
             ON CONFLICT DO NOTHING",
            utm,
            run
        )
        .execute(&mut *transaction)
        .await?;
        sqlx::query!(
            "UPDATE rest_runs SET compared_at = $3 WHERE utm = $1 AND id <= $2 AND compared_at IS NULL",
            utm,
            run,
            at
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        self.differences(utm).await
    }

    /// The differences of the last comparison.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn differences(&self, utm: &str) -> sqlx::Result<Vec<Difference>> {
        sqlx::query_as!(
            Difference,
            "SELECT alc_code, name, first, shop, catalogue FROM differences
             WHERE run = (SELECT max(id) FROM rest_runs WHERE utm = $1 AND compared_at IS NOT NULL)
             ORDER BY alc_code",
            utm
        )
        .fetch_all(&self.pool)
        .await
    }

    /// Puts the catalogue in the place of what was known.
    ///
    /// # Errors
    /// When PostgreSQL is away: nothing is changed.
    pub async fn keep_catalogue(
        &self,
        utm: &str,
        rows: &[CatalogueRow],
        at: OffsetDateTime,
    ) -> sqlx::Result<()> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query!("DELETE FROM catalogue WHERE utm = $1", utm)
            .execute(&mut *transaction)
            .await?;
        let codes: Vec<String> = rows.iter().map(|row| row.alc_code.clone()).collect();
        let names: Vec<String> = rows.iter().map(|row| row.name.clone()).collect();
        let quantities: Vec<Decimal> = rows.iter().map(|row| row.quantity).collect();
        sqlx::query!(
            "INSERT INTO catalogue (utm, alc_code, name, quantity, said_at)
             SELECT $1, code, max(name), sum(quantity), $5
             FROM unnest($2::text[], $3::text[], $4::numeric[]) AS given (code, name, quantity) GROUP BY code",
            utm,
            &codes,
            &names,
            &quantities,
            at
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await
    }
}
