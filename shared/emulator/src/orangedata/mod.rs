//! OrangeData, API v2 (documentation 2.31.3): under `/orangedata`.
//!
//! Real where the documentation says so: the body is signed (RSA, SHA-256, PKCS#1 v1.5, `X-Signature`), 201 and 409
//! have empty bodies, 202 while a document waits, 422 when the check of a mark failed, 503 with `Retry-After`, 524 for a
//! document whose time ran out. The client certificate belongs to the connection and is not looked at here.

mod check;

use std::sync::Arc;

use axum::{
    Extension, Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header::RETRY_AFTER},
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::{Value, json};
use time::macros::format_description;

use crate::{
    Emulator, System,
    answer::json_answer,
    faults::{self, Drawn},
    till::{
        self, Outcome, Receipt, Status,
        books::{DRIVE, REGISTER},
    },
};

/// The key with which the emulator's clients sign: the public half, PKCS#1 DER.
const PUBLIC_KEY: &[u8] = include_bytes!("../../vectors/orangedata_public.der");

/// The key with which the emulator's clients sign: the private half, PKCS#8 PEM. It opens nothing else.
pub const PRIVATE_KEY: &str = include_str!("../../vectors/orangedata_private.pem");

/// The register asks to come back after so many seconds.
const RETRY_AFTER_S: &str = "1";

pub(crate) fn router(emulator: &Arc<Emulator>) -> Router<Arc<Emulator>> {
    Router::new()
        .route("/api/v2/documents/", post(register))
        .route("/api/v2/documents/{inn}/status/{id}", get(status))
        .layer(from_fn_with_state((Arc::clone(emulator), System::OrangeData), faults::strike))
}

/// A refusal in the vendor's form.
pub(crate) fn refused(why: &str) -> Response {
    json_answer(StatusCode::BAD_REQUEST, json!({"errors": [why]}).to_string())
}

/// Whether `signature` is that of exactly these bytes.
fn signed(body: &[u8], headers: &HeaderMap) -> bool {
    let given = headers.get("x-signature").map(|value| value.as_bytes().to_vec());
    let signature = BASE64_STANDARD.decode(given.unwrap_or_default()).unwrap_or_default();
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, PUBLIC_KEY).verify(body, &signature).is_ok()
}

async fn register(
    State(emulator): State<Arc<Emulator>>,
    drawn: Option<Extension<Drawn>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !signed(&body, &headers) {
        emulator.orangedata.books().violations.add("a body with a wrong signature".to_owned());
        return refused("Подпись не прошла проверку");
    }
    let checked = match check::check(&body) {
        Ok(checked) => checked,
        Err(why) => {
            emulator.orangedata.books().refuse(why.clone());
            return refused(&why);
        }
    };
    let drawn = drawn.map(|Extension(drawn)| drawn).unwrap_or_default();
    match till::ask(&emulator, System::OrangeData, &drawn, checked, shown).await {
        Outcome::New(_) => StatusCode::CREATED.into_response(),
        Outcome::Known(_) => StatusCode::CONFLICT.into_response(),
        Outcome::TooFast => {
            (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, RETRY_AFTER_S)]).into_response()
        }
    }
}

async fn status(
    State(emulator): State<Arc<Emulator>>,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    let Some(receipt) = till::look(&emulator, System::OrangeData, &id, shown).await else {
        return refused("Документ не найден");
    };
    match receipt.status {
        Status::Queued => StatusCode::ACCEPTED.into_response(),
        Status::Done => json_answer(StatusCode::OK, shown(&receipt).to_string()),
        Status::Failed => json_answer(
            StatusCode::UNPROCESSABLE_ENTITY,
            json!([{"position": 0, "checkResult": {"fsCheckStatus": 2, "oismCheckResultCode": 5}}])
                .to_string(),
        ),
        Status::Expired => {
            let status = StatusCode::from_u16(524).unwrap_or(StatusCode::GATEWAY_TIMEOUT);
            json_answer(
                status,
                json!({"errors": ["Истекло время обработки документа"]}).to_string(),
            )
        }
    }
}

/// The status of an issued document, and the body of the callback.
fn shown(receipt: &Receipt) -> Value {
    let time = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
    let fiscal = receipt.fiscal.as_ref();
    json!({
        "id": receipt.id, "deviceSN": "0000000000001358", "deviceRN": REGISTER, "fsNumber": DRIVE,
        "ofdName": "ООО \"Ярус\"(\"ОФД-Я\")", "ofdWebsite": "www.ofd-ya.ru", "ofdinn": "7728699517",
        "fnsWebsite": "www.nalog.ru", "companyINN": "7708806062", "companyName": "ООО Пример",
        "documentNumber": fiscal.map(|fiscal| fiscal.document), "shiftNumber": 20, "documentIndex": 5,
        "processedAt": fiscal.and_then(|fiscal| fiscal.at.format(time).ok()), "change": 0,
        "fp": fiscal.map(|fiscal| fiscal.sign.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with OpenSSL: `openssl dgst -sha256 -sign`.
    const SIGNATURE: &str = include_str!("../../vectors/orangedata_signature.txt");
    const BODY: &[u8] = include_bytes!("../../vectors/orangedata_body.json");

    fn headers(signature: &str) -> HeaderMap {
        HeaderMap::from_iter([(
            axum::http::HeaderName::from_static("x-signature"),
            signature.trim().parse().unwrap(),
        )])
    }

    #[test]
    fn the_vectors_signature_holds_and_no_other() {
        assert!(signed(BODY, &headers(SIGNATURE)));
        let mut other = BODY.to_vec();
        other[3] ^= 1;
        assert!(!signed(&other, &headers(SIGNATURE)));
        assert!(!signed(BODY, &headers("AAAA")));
        assert!(!signed(BODY, &HeaderMap::new()));
    }
}
