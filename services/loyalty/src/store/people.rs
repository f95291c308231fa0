//! Customers: users of shops, and their phones.

use events::Phone;

use super::{Group, Store, notes, typed};
use crate::ledger::{CustomerId, Found};

/// Waiting operations that are carried out at once when their customer becomes known.
const WAKEN: i64 = 500;

/// A user of a shop with the phones that are proved to be his.
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
        self.enter(person).await.map(|(customer, _)| customer)
    }

    /// The same, and what waited for his phones, or for those taken off him, is carried out: all
    /// of it but what is so much that the next [`Store::tend`] must go on.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn welcome(&self, person: &Person) -> sqlx::Result<CustomerId> {
        let (customer, phones) = self.enter(person).await?;
        self.wake_phones(&phones, WAKEN).await?;
        Ok(customer)
    }

    /// Writes who has which phones; answers the customer and the phones that were touched.
    ///
    /// Who says so has proved it: a phone that another one has only typed into an order is taken
    /// off him.
    async fn enter(&self, person: &Person) -> sqlx::Result<(CustomerId, Vec<String>)> {
        let mut group = self.pool.begin().await?;
        let customer = self.user(&mut group, &person.shop, person.user).await?;
        let mut phones: Vec<String> = person.phones.iter().map(ToString::to_string).collect();
        lock(&mut group, &phones).await?;
        typed::yields(&mut group, &phones, customer).await?;
        sqlx::query!(
            "INSERT INTO phones (phone, customer_id) SELECT DISTINCT p, $2::bigint FROM UNNEST($1::text[]) AS p
             ON CONFLICT (phone, customer_id) DO UPDATE SET proven = true WHERE NOT phones.proven",
            &phones,
            customer,
        )
        .execute(&mut *group)
        .await?;
        notes::shared_phones(&mut group, &phones).await?;
        if person.all_phones {
            let taken_off = sqlx::query_scalar!(
                "DELETE FROM phones WHERE customer_id = $1 AND phone <> ALL($2) RETURNING phone",
                customer,
                &phones,
            )
            .fetch_all(&mut *group)
            .await?;
            // They may be one customer's now.
            sqlx::query!("UPDATE phones SET since = now() WHERE phone = ANY($1)", &taken_off)
                .execute(&mut *group)
                .await?;
            phones.extend(taken_off);
        }
        group.commit().await?;
        Ok((customer, phones))
    }

    /// The customer that a shop's user is; a new one at the first meeting.
    pub(super) async fn user(
        &self,
        group: &mut Group,
        shop: &str,
        user: i64,
    ) -> sqlx::Result<CustomerId> {
        // Two first meetings at once are one customer.
        let name = format!("{shop} {user}");
        sqlx::query!("SELECT pg_advisory_xact_lock(hashtextextended($1, 7))", name)
            .execute(&mut **group)
            .await?;
        let known = sqlx::query_scalar!(
            "SELECT customer_id FROM users WHERE shop = $1 AND user_id = $2",
            shop,
            user,
        )
        .fetch_optional(&mut **group)
        .await?;
        if let Some(customer) = known {
            return Ok(customer);
        }
        sqlx::query_scalar!(
            "WITH new AS (INSERT INTO customers (updated_at) VALUES ($3) RETURNING id)
             INSERT INTO users (shop, user_id, customer_id) SELECT $1, $2, id FROM new
             RETURNING customer_id",
            shop,
            user,
            self.now(),
        )
        .fetch_one(&mut **group)
        .await
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

/// Who has these phones is decided by one at a time.
pub(super) async fn lock(group: &mut Group, phones: &[String]) -> sqlx::Result<()> {
    sqlx::query!(
        "SELECT pg_advisory_xact_lock(hashtextextended(p, 9))
         FROM (SELECT DISTINCT p FROM UNNEST($1::text[]) AS p ORDER BY p) AS sorted",
        phones,
    )
    .execute(&mut **group)
    .await
    .map(drop)
}
