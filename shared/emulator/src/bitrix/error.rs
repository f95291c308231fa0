//! Errors of the REST interface: the code is sometimes a number and sometimes a string.

use axum::{http::StatusCode, response::Response};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use crate::answer::json_answer;

/// An error answer of REST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RestError {
    status: StatusCode,
    code: Value,
    description: String,
    /// Unix seconds from which a blocked method is free.
    reset_at: Option<i64>,
    /// The caller broke the protocol, as opposed to asking for something that is not there.
    pub(super) violation: bool,
}

impl RestError {
    fn new(status: StatusCode, code: Value, description: &str) -> Self {
        Self { status, code, description: description.to_owned(), reset_at: None, violation: false }
    }

    /// `sale-order-get`: the number 200540400001.
    pub(super) fn no_order() -> Self {
        Self::bad(json!(200_540_400_001_u64), "order does not exist")
    }

    /// `sale-payment-get`: the number 200640400001.
    pub(super) fn no_payment() -> Self {
        Self::bad(json!(200_640_400_001_u64), "payment does not exist")
    }

    /// `sale-shipment-get`: the number 201140400001.
    pub(super) fn no_shipment() -> Self {
        Self::bad(json!(201_140_400_001_u64), "shipment does not exist")
    }

    /// A parameter that must be there is not: the number 100.
    pub(super) fn no_parameter(name: &str) -> Self {
        Self::bad(json!(100), &format!("Could not find value for parameter {{{name}}}")).broken()
    }

    /// A parameter or field that Parom has no business sending: the number 0, which Bitrix uses for "other errors".
    pub(super) fn unknown(what: &str) -> Self {
        Self::bad(json!(0), &format!("unknown or wrong: {what}")).broken()
    }

    pub(super) fn named(code: &str, description: &str) -> Self {
        Self::bad(json!(code), description)
    }

    pub(super) fn no_method(method: &str) -> Self {
        let code = json!("ERROR_METHOD_NOT_FOUND");
        Self::new(StatusCode::NOT_FOUND, code, &format!("Method not found: {method}")).broken()
    }

    pub(super) fn no_auth() -> Self {
        let code = json!("NO_AUTH_FOUND");
        Self::new(StatusCode::UNAUTHORIZED, code, "Wrong authorization data").broken()
    }

    pub(super) fn wrong_credentials() -> Self {
        let code = json!("INVALID_CREDENTIALS");
        Self::new(StatusCode::FORBIDDEN, code, "Invalid request credentials").broken()
    }

    pub(super) fn query_limit() -> Self {
        let code = json!("QUERY_LIMIT_EXCEEDED");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, "Too many requests")
    }

    pub(super) fn operation_limit(until: OffsetDateTime) -> Self {
        let code = json!("OPERATION_TIME_LIMIT");
        let description = "Method is blocked due to operation time limit.";
        let reset_at = Some(until.unix_timestamp());
        Self { reset_at, ..Self::new(StatusCode::TOO_MANY_REQUESTS, code, description) }
    }

    /// The same error on command, by its number.
    pub(super) fn on_command(code: i64) -> Self {
        Self::bad(json!(code), "refused on command")
    }

    pub(super) fn broken(self) -> Self {
        Self { violation: true, ..self }
    }

    /// What stands in `result_error` of a batch.
    pub(super) fn body(&self) -> Value {
        let mut body = Map::new();
        body.insert("error".to_owned(), self.code.clone());
        body.insert("error_description".to_owned(), json!(self.description));
        if let Some(at) = self.reset_at {
            body.insert("time".to_owned(), json!({"operating": 480, "operating_reset_at": at}));
        }
        Value::Object(body)
    }

    pub(crate) fn answer(&self) -> Response {
        json_answer(self.status, self.body().to_string())
    }

    pub(super) fn text(&self) -> String {
        format!("{} {}: {}", self.status.as_u16(), self.code, self.description)
    }

    fn bad(code: Value, description: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, description)
    }
}
