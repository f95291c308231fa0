//! How the last comparison of stock came out, and since when each difference is there.

use rust_decimal::Decimal;
use serde::Serialize;
use time::OffsetDateTime;

use super::Store;

/// The most differences of one answer, the largest of them.
const MOST: i64 = 1_000;

/// The last comparison of a UTM's stock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stock {
    /// When it was; `None` where stock has not been compared yet.
    #[serde(with = "time::serde::rfc3339::option")]
    pub compared_at: Option<OffsetDateTime>,
    /// How many products differ.
    pub count: i64,
    /// The largest differences.
    pub differences: Vec<Lasting>,
}

/// A product on which EGAIS and the catalogue disagree, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lasting {
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
    /// How much more EGAIS has than the catalogue.
    pub difference: Decimal,
    /// The first of the comparisons without a break that have found the product to differ.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
}

impl Store {
    /// The last comparison with its differences, the largest first.
    ///
    /// A question that EGAIS never answered is no comparison, whatever came later.
    ///
    /// # Errors
    /// When PostgreSQL is away.
    pub async fn compared(&self, utm: &str) -> sqlx::Result<Stock> {
        let last = sqlx::query!(
            r#"SELECT r.compared_at, (SELECT count(*) FROM differences d WHERE d.run = r.id) AS "count!"
             FROM rest_runs r WHERE r.utm = $1 AND r.compared_at IS NOT NULL AND r.first_at IS NOT NULL AND r.shop_at IS NOT NULL
             ORDER BY r.id DESC LIMIT 1"#,
            utm
        )
        .fetch_optional(&self.pool)
        .await?;
        let Some(last) = last else {
            return Ok(Stock { compared_at: None, count: 0, differences: Vec::new() });
        };
        let differences = sqlx::query_as!(
            Lasting,
            r#"
            WITH runs AS (
                SELECT id, compared_at, row_number() OVER (ORDER BY id DESC) AS place FROM rest_runs
                WHERE utm = $1 AND compared_at IS NOT NULL AND first_at IS NOT NULL AND shop_at IS NOT NULL
            ), seen AS (
                SELECT d.alc_code, r.compared_at, r.place,
                    row_number() OVER (PARTITION BY d.alc_code ORDER BY r.place) AS nth
                FROM differences d JOIN runs r ON r.id = d.run
            ), lasting AS (
                SELECT alc_code, min(compared_at) AS since FROM seen WHERE nth = place GROUP BY alc_code
            )
            SELECT d.alc_code, d.name, d.first, d.shop, d.catalogue,
                d.first + d.shop - d.catalogue AS "difference!", l.since AS "since!"
            FROM differences d JOIN runs r ON r.id = d.run AND r.place = 1 JOIN lasting l ON l.alc_code = d.alc_code
            ORDER BY abs(d.first + d.shop - d.catalogue) DESC, d.alc_code LIMIT $2
            "#,
            utm,
            MOST
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(Stock { compared_at: last.compared_at, count: last.count, differences })
    }
}
