//! Customers: users of shops, and their phones.

use events::Phone;

use super::{Store, watch};
use crate::ledger::{CustomerId, Found};

/// A user of a shop with the phones that belong to him.
#[derive(Debug, Clone)]
pub struct Person {
    /// The shop.
    pub shop: String,
    /// The shop's id of the user.
    pub user: i64,
    /// His phones.
    pub phones: Vec<Phone>,
    /// Whether these are all: others are taken off him.
    pub all_phones: bool,
}

impl Store {
    /// The customer that a shop's user is; a new one at the first meeting. What waits for one of
    /// the phones is carried out at the next [`Store::tend`].
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn meet(&self, person: &Person) -> sqlx::Result<CustomerId> {
        let mut group = self.pool.begin().await?;
        // Two first meetings at once are one customer.
        let name = format!("{} {}", person.shop, person.user);
        sqlx::query!("SELECT pg_advisory_xact_lock(hashtextextended($1, 7))", name)
            .execute(&mut *group)
            .await?;
        let known = sqlx::query_scalar!(
            "SELECT customer_id FROM users WHERE shop = $1 AND user_id = $2",
            person.shop,
            person.user,
        )
        .fetch_optional(&mut *group)
        .await?;
        let customer = match known {
            Some(customer) => customer,
            None => {
                sqlx::query_scalar!(
                    "WITH new AS (INSERT INTO customers (updated_at) VALUES ($3) RETURNING id)
                     INSERT INTO users (shop, user_id, customer_id) SELECT $1, $2, id FROM new
                     RETURNING customer_id",
                    person.shop,
                    person.user,
                    self.now(),
                )
                .fetch_one(&mut *group)
                .await?
            }
        };
        let phones: Vec<String> = person.phones.iter().map(ToString::to_string).collect();
        sqlx::query!(
            "INSERT INTO phones (phone, customer_id) SELECT DISTINCT p, $2::bigint FROM UNNEST($1::text[]) AS p
             ON CONFLICT DO NOTHING",
            &phones,
            customer,
        )
        .execute(&mut *group)
        .await?;
        if person.all_phones {
            sqlx::query!(
                "DELETE FROM phones WHERE customer_id = $1 AND phone <> ALL($2)",
                customer,
                &phones,
            )
            .execute(&mut *group)
            .await?;
        }
        watch::note_shared_phones(&mut group, &phones).await?;
        group.commit().await?;
        Ok(customer)
    }

    /// Who has a phone.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn with_phone(&self, phone: Phone) -> sqlx::Result<Found> {
        let customers = sqlx::query_scalar!(
            "SELECT customer_id FROM phones WHERE phone = $1 LIMIT 2",
            phone.to_string(),
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(match customers.as_slice() {
            [] => Found::Nobody,
            [one] => Found::One(*one),
            _ => Found::Several,
        })
    }

    /// The customer that a shop's user is.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn with_user(&self, shop: &str, user: i64) -> sqlx::Result<Found> {
        let customer = sqlx::query_scalar!(
            "SELECT customer_id FROM users WHERE shop = $1 AND user_id = $2",
            shop,
            user,
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(customer.map_or(Found::Nobody, Found::One))
    }
}
