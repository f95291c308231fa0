//! Bitrix's cash register protocol: Bitrix composes a receipt and posts it to `PRINT_URL`, asks
//! `CHECK_URL` how it stands, and is told through `sale.cashbox.check.apply` when it is issued.
//!
//! Sources: bitrix-tools/b24-rest-docs, `sale.cashbox.handler.add`; Bitrix's own client takes
//! every answer but 200 for "printed", so that refusals are answered 200 as well.

mod check;
mod form;

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json, Router,
    body::to_bytes,
    extract::{Path, Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use events::{Inn, ShopId, Vat};
use runtime::Secret;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    Fiscal,
    asked::{Taken, Trouble},
    receipt::{Measure, RulesError, Seller, Taxation, is_email},
    store::{Request as Kept, RequestState},
    subject::Subject,
};

/// The largest body that is read.
const BODY_MAX: usize = 1024 * 1024;
/// A job that has not moved for so long, and of which no register has anything, is dead, whatever its
/// row says: a day, and a little more.
const DEAD_AFTER_S: i64 = 26 * 3600;

/// How a shop's Bitrix composes its receipts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cashbox {
    /// The part of `PRINT_URL` and `CHECK_URL` that nobody guesses: Bitrix signs nothing.
    pub secret: Secret,
    /// The seller's INN, tag 1018.
    pub inn: Inn,
    /// Tag 1055.
    pub taxation: Taxation,
    /// Tag 1187.
    pub place: String,
    /// Tag 1117.
    #[serde(default)]
    pub seller_email: Option<String>,
    /// The unit (tag 2108) of lines for which Bitrix tells none.
    #[serde(default)]
    pub unit: Option<Measure>,
    /// Units (tag 2108) of OKEI codes that FFD does not name.
    #[serde(default)]
    pub units: BTreeMap<String, Measure>,
    /// The rates behind Bitrix's VAT ids; 0 is what Bitrix says of goods without one.
    pub vats: BTreeMap<String, Vat>,
}

impl Cashbox {
    /// Looks for what the types do not catch.
    ///
    /// # Errors
    /// In words.
    pub fn check(&self) -> Result<(), String> {
        if self.secret.expose().len() < 16 {
            return Err("cashbox.secret must have 16 characters or more".to_owned());
        }
        if self.vats.is_empty() {
            return Err("cashbox.vats names no rate".to_owned());
        }
        if let Some(vat) = self.vats.values().find(|vat| vat.is_calculated()) {
            return Err(format!("cashbox.vats must name plain rates such as vat22, not {vat}"));
        }
        if !(1..=256).contains(&self.place.trim().chars().count()) {
            return Err(RulesError::Place.to_string());
        }
        match self.seller_email.as_deref() {
            Some(email) if !is_email(email) => Err(RulesError::SellerEmail.to_string()),
            _ => Ok(()),
        }
    }

    /// Who sells.
    #[must_use]
    pub fn seller(&self) -> Seller {
        Seller {
            inn: self.inn,
            taxation: self.taxation,
            place: self.place.clone(),
            email: self.seller_email.clone(),
            unit: self.unit,
            units: self.units.clone(),
        }
    }
}

pub(crate) fn router(fiscal: Arc<Fiscal>) -> Router {
    Router::new()
        .route("/cashbox/{shop}/{secret}/print", post(print))
        .route("/cashbox/{shop}/{secret}/check", post(look))
        .with_state(fiscal)
}

/// The shop and its cash register, for who knows the secret; nobody else's body is read.
fn admit(fiscal: &Fiscal, shop: &str, secret: &str) -> Option<(ShopId, Cashbox)> {
    let digest = |text: &str| -> [u8; 32] { Sha256::digest(text.as_bytes()).into() };
    let shop = shop.parse::<ShopId>().ok()?;
    let cashbox = fiscal.shops.get(&shop)?.cashbox.as_ref()?;
    let same = digest(secret).ct_eq(&digest(cashbox.secret.expose()));
    bool::from(same).then(|| (shop, cashbox.clone()))
}

/// Takes a receipt; it is durable when its UUID is answered.
async fn print(
    State(fiscal): State<Arc<Fiscal>>,
    Path((shop, secret)): Path<(String, String)>,
    request: Request,
) -> Response {
    let Some((shop, cashbox)) = admit(&fiscal, &shop, &secret) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Ok(body) = to_bytes(request.into_body(), BODY_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let asked = match form::read(&body).and_then(|json| check::read(&json)) {
        Some(composed) => composed
            .asked(&cashbox)
            .map_err(|refusal| refusal.text(&Subject::check(&shop, composed.number.as_str())).ru),
        None => Err("Паром не разобрал чек Битрикса: формат запроса другой.".to_owned()),
    };
    match asked {
        Ok(asked) => match fiscal.ask(&shop, None, &asked, 1).await {
            Ok(Taken::New(id)) => uuid(id),
            Ok(Taken::Known(request)) => uuid(request.cause),
            Err(trouble) => errors(&in_words(trouble)),
        },
        Err(why) => errors(&why),
    }
}

/// How a receipt stands at the register.
async fn look(
    State(fiscal): State<Arc<Fiscal>>,
    Path((shop, secret)): Path<(String, String)>,
    request: Request,
) -> Response {
    let Some((shop, _)) = admit(&fiscal, &shop, &secret) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Ok(body) = to_bytes(request.into_body(), BODY_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let id = form::read(&body).and_then(|json| {
        let fields: BTreeMap<String, Value> = serde_json::from_str(&json).ok()?;
        let mut fields = fields.into_iter();
        let (_, value) = fields.find(|(name, _)| name.eq_ignore_ascii_case("uuid"))?;
        value.as_str()?.parse::<Uuid>().ok()
    });
    let Some(id) = id else {
        return failed("В запросе нет UUID чека Парома.");
    };
    match fiscal.outside.requests.by_cause(&shop, id).await {
        Ok(Some(request)) => Json(standing(id, &request, fiscal.now())).into_response(),
        Ok(None) => failed("Паром не принимал чека с таким UUID."),
        Err(error) => {
            tracing::warn!(%error, "a receipt cannot be looked up");
            // Not a failure of the receipt: Bitrix asks again.
            Json(json!({"STATUS": "WAIT"})).into_response()
        }
    }
}

fn standing(id: Uuid, request: &Kept, now: OffsetDateTime) -> Value {
    let reason = request.reason.as_ref().map(|reason| reason.text.ru.as_str());
    match (request.state, &request.fiscal) {
        (RequestState::Issued, Some(fiscal)) => json!({
            "STATUS": "DONE",
            "UUID": id,
            "REG_NUMBER_KKT": fiscal.registration,
            "FISCAL_DOC_ATTR": fiscal.sign,
            "FISCAL_DOC_NUMBER": fiscal.document,
            "FISCAL_RECEIPT_NUMBER": fiscal.number,
            "FN_NUMBER": fiscal.drive,
            "SHIFT_NUMBER": fiscal.shift,
            "PRINT_END_TIME": now.unix_timestamp().saturating_sub(request.quiet_s),
        }),
        // Bitrix offers to print again what it is told an error of, so none is told of what may be
        // issued. What a person has found has its data in the register's cabinet alone.
        (RequestState::Issued, None) => json!({"STATUS": "WAIT"}),
        (RequestState::Unknown | RequestState::Waiting, _) if request.sent => {
            json!({"STATUS": "WAIT"})
        }
        (RequestState::Waiting, _) if request.quiet_s < DEAD_AFTER_S => json!({"STATUS": "WAIT"}),
        _ => json!({
            "STATUS": "ERROR",
            "ERROR": reason.unwrap_or("Чек остановился; причина — в карточках Парома."),
        }),
    }
}

fn uuid(id: Uuid) -> Response {
    Json(json!({"UUID": id})).into_response()
}

fn errors(why: &str) -> Response {
    Json(json!({"ERRORS": [why]})).into_response()
}

fn failed(why: &str) -> Response {
    Json(json!({"STATUS": "ERROR", "ERROR": why})).into_response()
}

fn in_words(trouble: Trouble) -> String {
    match trouble {
        Trouble::Refused(reason) => reason.text.ru,
        Trouble::Other => "Паром уже принял этот чек с другим содержанием, и тот может быть \
                           пробит. Дождитесь его или спросите дежурного."
            .to_owned(),
        Trouble::Away => {
            "Паром сейчас не может принять чек: база данных недоступна. Напечатайте его ещё раз."
                .to_owned()
        }
    }
}
