//! The interface for people and programs that ask for a receipt by name: corrections and refunds
//! by hand, and how they stand.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, Request, State},
    http::{StatusCode, header::AUTHORIZATION},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use events::{OrderRef, ShopId};
use runtime::Reason;
use secrecy::ExposeSecret as _;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::{
    Fiscal,
    asked::{
        Asked, Taken, Trouble,
        wish::{CorrectionWish, RefundWish},
    },
    receipt::Refusal,
    store::{Request as Kept, RequestState},
    subject::Subject,
    words,
};

/// The largest body that is read.
const BODY_MAX: usize = 1024 * 1024;

pub(crate) fn router(fiscal: Arc<Fiscal>) -> Router {
    Router::new()
        .route("/v1/corrections", post(correct))
        .route("/v1/refunds", post(refund))
        .route("/v1/receipts/{name}", get(show))
        .layer(middleware::from_fn_with_state(Arc::clone(&fiscal), admit))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .with_state(fiscal)
}

/// Lets in who has the token. Digests of one length are compared, in the same time for all.
async fn admit(State(fiscal): State<Arc<Fiscal>>, request: Request, next: Next) -> Response {
    let Some(token) = &fiscal.config.fiscal_api_token else {
        return refuse(
            StatusCode::NOT_FOUND,
            "interface_off",
            "интерфейс выключен: задайте FISCAL_API_TOKEN.",
            "the interface is off: set FISCAL_API_TOKEN.",
        );
    };
    let given = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    let digest = |text: &str| -> [u8; 32] { Sha256::digest(text.as_bytes()).into() };
    if !bool::from(digest(given).ct_eq(&digest(token.expose_secret()))) {
        return refuse(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "токен не подходит.",
            "the token is wrong.",
        );
    }
    next.run(request).await
}

async fn correct(State(fiscal): State<Arc<Fiscal>>, body: Bytes) -> Response {
    let wish: CorrectionWish = match read(&body) {
        Ok(wish) => wish,
        Err(refusal) => return *refusal,
    };
    let order = wish.order.as_ref().map(|order| order.order(&wish.shop));
    let Some(desk) = fiscal.shops.get(&wish.shop) else {
        return no_shop(&wish.shop, order.as_ref());
    };
    let asked = wish.asked(&desk.seller, fiscal.now());
    let asked = match asked {
        Ok(asked) => asked,
        Err(refusal) => {
            let document = &wish.correction.document;
            return unlawful(&refusal, &wish.shop, order.as_ref(), document);
        }
    };
    answer(&fiscal, &wish.shop, order.as_ref(), &asked, wish.part).await
}

async fn refund(State(fiscal): State<Arc<Fiscal>>, body: Bytes) -> Response {
    let wish: RefundWish = match read(&body) {
        Ok(wish) => wish,
        Err(refusal) => return *refusal,
    };
    let order = wish.order.order(&wish.shop);
    if !fiscal.shops.contains_key(&wish.shop) {
        return no_shop(&wish.shop, Some(&order));
    }
    match wish.asked() {
        Ok(asked) => answer(&fiscal, &wish.shop, Some(&order), &asked, wish.part).await,
        Err(refusal) => unlawful(&refusal, &wish.shop, Some(&order), &wish.refund.document),
    }
}

/// How a receipt stands, by the name that its asker was told.
async fn show(State(fiscal): State<Arc<Fiscal>>, Path(name): Path<String>) -> Response {
    let unknown = || {
        refuse(
            StatusCode::NOT_FOUND,
            "receipt_unknown",
            "чека с таким именем никто не просил.",
            "nobody asked for a receipt of this name.",
        )
    };
    let Some((shop, key)) = name.split_once(':') else { return unknown() };
    let Ok(shop) = shop.parse::<ShopId>() else { return unknown() };
    match fiscal.outside.requests.find(&shop, key).await {
        Ok(Some(kept)) => Json(shown(&name, &kept)).into_response(),
        Ok(None) => unknown(),
        Err(error) => {
            tracing::warn!(%error, "a receipt cannot be looked up");
            away()
        }
    }
}

async fn answer(
    fiscal: &Fiscal,
    shop: &ShopId,
    order: Option<&OrderRef>,
    asked: &Asked,
    part: u32,
) -> Response {
    let name = format!("{shop}:{}", asked.key(order, part));
    match fiscal.ask(shop, order, asked, part).await {
        Ok(Taken::New(_)) => {
            let state = RequestState::Waiting.word();
            let body = json!({"receipt": name, "state": state, "fiscal": null, "reason": null});
            (StatusCode::ACCEPTED, Json(body)).into_response()
        }
        Ok(Taken::Known(kept)) => Json(shown(&name, &kept)).into_response(),
        Err(Trouble::Refused(reason)) => refused(StatusCode::UNPROCESSABLE_ENTITY, &reason),
        Err(Trouble::Other) => refuse(
            StatusCode::CONFLICT,
            "asked_otherwise",
            "по этому документу уже запрошен другой чек. Если это ещё один, укажите следующий \
             номер в part.",
            "another receipt was asked for under this document. If this is one more, give it the \
             next number as part.",
        ),
        Err(Trouble::Away) => away(),
    }
}

fn shown(name: &str, kept: &Kept) -> Value {
    let Kept { state, fiscal, reason, .. } = kept;
    let reason = reason.as_ref().map(|reason| {
        json!({"class": reason.class, "code": reason.code, "ru": reason.text.ru,
               "en": reason.text.en})
    });
    json!({"receipt": name, "state": state, "fiscal": fiscal, "reason": reason})
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Box<Response>> {
    serde_json::from_slice(body).map_err(|error| {
        let (ru, en) = (
            format!("запрос не разобрать: {error}."),
            format!("the request is malformed: {error}."),
        );
        Box::new(refuse(StatusCode::BAD_REQUEST, "malformed", &ru, &en))
    })
}

fn no_shop(shop: &ShopId, order: Option<&OrderRef>) -> Response {
    let subject = about(shop, order, "");
    refused(StatusCode::UNPROCESSABLE_ENTITY, words::shop_unknown(&subject).reason())
}

fn unlawful(
    refusal: &Refusal,
    shop: &ShopId,
    order: Option<&OrderRef>,
    document: &str,
) -> Response {
    let text = refusal.text(&about(shop, order, document));
    refuse(StatusCode::UNPROCESSABLE_ENTITY, refusal.code(), &text.ru, &text.en)
}

fn about(shop: &ShopId, order: Option<&OrderRef>, document: &str) -> Subject {
    order.map_or_else(|| Subject::document(shop, document), Subject::order)
}

fn refused(status: StatusCode, reason: &Reason) -> Response {
    refuse(status, &reason.code, &reason.text.ru, &reason.text.en)
}

fn refuse(status: StatusCode, code: &str, ru: &str, en: &str) -> Response {
    (status, Json(json!({"error": {"code": code, "ru": ru, "en": en}}))).into_response()
}

fn away() -> Response {
    refuse(
        StatusCode::SERVICE_UNAVAILABLE,
        "store_away",
        "база данных недоступна; повторите запрос.",
        "PostgreSQL is away; ask again.",
    )
}
