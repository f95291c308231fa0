//! `PUT /customers`: the site says who has which phones; a manager puts a wrong one right.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use events::{Phone, ShopId};
use serde::Deserialize;

use super::{Api, answer, body::Read};
use crate::store::Person;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    shop: String,
    user_id: i64,
    phones: Vec<String>,
    /// Whether these are all of his phones: the others are taken off him.
    #[serde(default)]
    all: bool,
}

pub(super) async fn meet(State(api): State<Arc<Api>>, Read(asked): Read<Asked>) -> Response {
    let bad = |code| answer::error(api.language, StatusCode::BAD_REQUEST, code);
    let phones: Result<Vec<Phone>, _> = asked.phones.iter().map(|phone| phone.parse()).collect();
    let Ok(phones) = phones else { return bad("invalid_phone") };
    let Ok(shop) = asked.shop.parse::<ShopId>() else { return bad("invalid_shop") };
    let person = Person {
        shop: shop.as_str().to_owned(),
        user: asked.user_id,
        phones,
        all_phones: asked.all,
    };
    match api.bank.store().welcome(&person).await {
        Ok(customer) => answer::json(StatusCode::OK, &serde_json::json!({"customer_id": customer})),
        Err(error) => {
            tracing::warn!(%error, "a customer cannot be written");
            answer::away(api.language)
        }
    }
}
