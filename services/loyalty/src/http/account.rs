//! `POST /account`: what a customer's points are made of, and by what he is known. Phones are
//! masked: a person who asks by one sees that it is the right one.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Api,
    answer::{self, Points, phone_ends},
    body::Read,
    desk::{Asked, Trouble, who},
};
use crate::store::Account;

#[derive(Debug, Serialize)]
struct Body {
    lots: Vec<Lot>,
    more_lots: bool,
    phones: Vec<Phone>,
    users: Vec<User>,
}

#[derive(Debug, Serialize)]
struct Lot {
    id: Uuid,
    granted: Points,
    left: Points,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    matures_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    expires_at: Option<OffsetDateTime>,
    order: Option<String>,
}

#[derive(Debug, Serialize)]
struct Phone {
    phone_ends: String,
    proven: bool,
}

#[derive(Debug, Serialize)]
struct User {
    shop: String,
    user_id: i64,
}

pub(super) async fn account(State(api): State<Arc<Api>>, Read(asked): Read<Asked>) -> Response {
    match find(&api, &asked).await {
        Ok(account) => answer::json(StatusCode::OK, &Body::from(account)),
        Err(trouble) => trouble.answer(&api),
    }
}

async fn find(api: &Api, asked: &Asked) -> Result<Account, Trouble> {
    asked.is_of_now()?;
    asked.is_no_page()?;
    let customer = who(api, asked).await?;
    Ok(api.bank.store().account(customer).await?)
}

impl From<Account> for Body {
    fn from(account: Account) -> Self {
        let lots = account.lots.into_iter().map(|lot| Lot {
            id: lot.id,
            granted: Points(lot.granted),
            left: Points(lot.left),
            created_at: lot.created_at,
            matures_at: lot.matures_at,
            expires_at: lot.expires_at,
            order: lot.order,
        });
        let phones = account
            .phones
            .iter()
            .map(|(phone, proven)| Phone { phone_ends: phone_ends(phone), proven: *proven });
        let users = account.users.into_iter().map(|(shop, user_id)| User { shop, user_id });
        Self {
            lots: lots.collect(),
            more_lots: account.more_lots,
            phones: phones.collect(),
            users: users.collect(),
        }
    }
}
