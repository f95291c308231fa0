//! Phones that were typed into orders. They prove nothing: whoever is logged in may type any.
//!
//! The street knows customers by phone alone, so a buyer's first phone serves him there from the
//! order on, if nobody else has it and nothing waits for it. It yields to whom the site or a manager says
//! it belongs to.

use events::Phone;
use serde_json::json;

use super::{
    Group, Store,
    exceptions::{self, kinds},
    people,
};
use crate::ledger::CustomerId;

impl Store {
    /// The customer that a shop's user is, who has typed this phone into an order.
    ///
    /// # Errors
    /// [`sqlx::Error`] when PostgreSQL does not answer.
    pub async fn buyer(
        &self,
        shop: &str,
        user: i64,
        typed: Option<Phone>,
    ) -> sqlx::Result<CustomerId> {
        let mut group = self.pool.begin().await?;
        let customer = self.user(&mut group, shop, user).await?;
        if let Some(typed) = typed {
            consider(&mut group, customer, &typed.to_string()).await?;
        }
        group.commit().await?;
        Ok(customer)
    }
}

async fn consider(group: &mut Group, customer: CustomerId, typed: &str) -> sqlx::Result<()> {
    people::lock(group, &[typed.to_owned()]).await?;
    let found = sqlx::query!(
        r#"SELECT EXISTS (SELECT FROM phones WHERE customer_id = $1) AS "has_one!",
            EXISTS (SELECT FROM phones WHERE phone = $2) AS "taken!",
            EXISTS (SELECT FROM parked WHERE phone = $2) AS "waited_for!",
            EXISTS (SELECT FROM exceptions WHERE kind = $3 AND subject = $2 AND closed_by <> 'parom') AS "decided!""#,
        customer,
        typed,
        kinds::PHONE_UNPROVEN,
    )
    .fetch_one(&mut **group)
    .await?;
    // Who has a phone orders for others too.
    if found.has_one {
        return Ok(());
    }
    if !found.taken && !found.waited_for {
        return sqlx::query!(
            "INSERT INTO phones (phone, customer_id, proven) VALUES ($1, $2, false)",
            typed,
            customer,
        )
        .execute(&mut **group)
        .await
        .map(drop);
    }
    if found.decided {
        return Ok(());
    }
    let details =
        json!({"customer": customer, "taken": found.taken, "waited_for": found.waited_for});
    exceptions::open(group, kinds::PHONE_UNPROVEN, typed, &details).await.map(drop)
}

/// Takes phones that were only typed off everybody but `owner`. What tills had sent for them went
/// to the others: a person sees it.
pub(super) async fn yields(
    group: &mut Group,
    phones: &[String],
    owner: CustomerId,
) -> sqlx::Result<()> {
    let gone = sqlx::query!(
        "DELETE FROM phones WHERE phone = ANY($1) AND customer_id <> $2 AND NOT proven
         RETURNING phone, customer_id",
        phones,
        owner,
    )
    .fetch_all(&mut **group)
    .await?;
    for row in gone {
        let went = sqlx::query!(
            r#"SELECT count(DISTINCT o.id) AS "operations!", COALESCE(sum(e.amount), 0)::bigint AS "kopecks!"
               FROM operations o JOIN entries e ON e.operation_id = o.id
                AND e.account IN ('available', 'pending', 'held', 'debt')
               WHERE o.customer_id = $1 AND o.phone = $2 AND o.source NOT LIKE 'shop:%'"#,
            row.customer_id,
            row.phone,
        )
        .fetch_one(&mut **group)
        .await?;
        if went.operations > 0 {
            let details = json!({"from": row.customer_id, "to": owner,
                "operations": went.operations, "kopecks": went.kopecks});
            exceptions::open(group, kinds::PHONE_YIELDED, &row.phone, &details).await?;
        }
    }
    exceptions::settle(group, kinds::PHONE_UNPROVEN, phones).await
}
