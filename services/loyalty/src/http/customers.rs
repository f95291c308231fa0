//! `PUT /customers`: the site says who has which phones; a manager puts a wrong one right.

use std::sync::Arc;

use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    http::StatusCode,
    response::Response,
};
use events::{Phone, ShopId};
use serde::Deserialize;

use super::{Api, answer};
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

pub(super) async fn meet(
    State(api): State<Arc<Api>>,
    asked: Result<Json<Asked>, JsonRejection>,
) -> Response {
    let bad = |code| answer::error(api.language, StatusCode::BAD_REQUEST, code);
    let Ok(Json(asked)) = asked else { return bad("invalid_json") };
    let phones: Result<Vec<Phone>, _> = asked.phones.iter().map(|phone| phone.parse()).collect();
    let Ok(phones) = phones else { return bad("invalid_phone") };
    let Ok(shop) = asked.shop.parse::<ShopId>() else { return bad("invalid_shop") };
    let person = Person {
        shop: shop.as_str().to_owned(),
        user: asked.user_id,
        phones,
        all_phones: asked.all,
    };
    let store = api.bank.store();
    let met = async {
        let customer = store.meet(&person).await?;
        // What waited for him is his from now on; what is left, the next tick carries out.
        store.tend(500).await?;
        Ok::<_, sqlx::Error>(customer)
    };
    match met.await {
        Ok(customer) => answer::json(StatusCode::OK, &serde_json::json!({"customer_id": customer})),
        Err(error) => {
            tracing::warn!(%error, "a customer cannot be written");
            answer::away(api.language)
        }
    }
}
