//! Stores that are watched: when they were last heard.

use time::OffsetDateTime;

use super::Store;

/// A store and since when it has been silent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silent {
    /// The store.
    pub store: String,
    /// When it was last heard.
    pub last_seen: OffsetDateTime,
}

impl Store {
    /// Begins to watch stores: one never heard counts as heard now.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn watch(&self, stores: &[String]) -> sqlx::Result<()> {
        sqlx::query!(
            "INSERT INTO stores (store, last_seen) SELECT store, $2 FROM UNNEST($1::text[]) AS t (store)
             ON CONFLICT DO NOTHING",
            stores,
            self.now(),
        )
        .execute(&self.pool)
        .await
        .map(drop)
    }

    /// When these stores were last heard.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn last_seen(&self, stores: &[String]) -> sqlx::Result<Vec<Silent>> {
        sqlx::query_as!(
            Silent,
            "SELECT store, last_seen FROM stores WHERE store = ANY($1) ORDER BY store",
            stores,
        )
        .fetch_all(&self.pool)
        .await
    }
}
