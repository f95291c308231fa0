//! The wire of 1C, for when 1C is the master: operations are told to its HTTP service, balances
//! are asked of it. `docs/1c-loyalty.md` shows the other side.

use events::{Money, OrderRef, Phone};
use reqwest::{Method, StatusCode};
use runtime::{
    Class, Failure, Reason,
    http::{Answer, CallError, Client},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{json, value::RawValue};
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};
use url::Url;
use uuid::Uuid;

use crate::{ledger::Kind, store::Untold, words};

/// A client of 1C's HTTP service.
pub(crate) struct OneC {
    http: Client,
    base: String,
    user: String,
    password: SecretString,
}

/// What an answer of 1C's means.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Error {
    /// The request did not leave.
    #[error("no connection with 1C")]
    NotSent,
    /// Perhaps done: it is told again, and 1C knows a repeat.
    #[error("no answer of 1C: {0}")]
    NoAnswer(String),
    /// 1C says no; its code.
    #[error("1C refuses: {0}")]
    Refused(String),
    /// 1C does not know yet what the operation refers to: it is on its way in another job.
    #[error("1C does not know the operation referred to")]
    TooEarly,
    /// User or password are wrong.
    #[error("1C does not let us in")]
    Unauthorized,
    /// 1C does not know the customer.
    #[error("1C does not know the customer")]
    UnknownCustomer,
    /// The customer has no phone that is surely his, and 1C knows customers by nothing else.
    #[error("the customer has no phone of his own")]
    NoPhone,
}

/// An operation as 1C hears of it: as it was recorded, so the same however often, whoever tells it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word<'a> {
    id: Uuid,
    external_id: &'a str,
    kind: Kind,
    amount: Option<i64>,
    reference: Option<&'a str>,
    order: Option<&'a str>,
    at: OffsetDateTime,
    until: Option<OffsetDateTime>,
}

impl<'a> From<&'a Untold> for Word<'a> {
    fn from(untold: &'a Untold) -> Self {
        // What is withdrawn was at most held or debited there: a release takes either back.
        let release = untold.withdraws && untold.kind == Kind::Reversal;
        Self {
            id: untold.id,
            external_id: &untold.key.external_id,
            kind: if release { Kind::Release } else { untold.kind },
            amount: untold.amount,
            reference: untold.reference.as_deref(),
            order: untold.order.as_deref(),
            at: untold.at,
            until: untold.until,
        }
    }
}

/// To the second: the tables keep microseconds, and a repeat must be the same.
fn moment(at: OffsetDateTime) -> Option<String> {
    at.to_offset(UtcOffset::UTC).replace_nanosecond(0).ok()?.format(&Rfc3339).ok()
}

/// An answer to an operation.
#[derive(Deserialize)]
struct Told {
    status: String,
    error: Option<String>,
}

/// An answer to a question for a balance.
#[derive(Deserialize)]
struct Asked<'a> {
    #[serde(borrow)]
    balance: &'a RawValue,
}

impl OneC {
    /// A client of the HTTP service at `base`.
    #[must_use]
    pub(crate) fn new(http: Client, base: &Url, user: String, password: SecretString) -> Self {
        Self { http, base: base.as_str().trim_end_matches('/').to_owned(), user, password }
    }

    /// Tells an operation of the customer with this phone. 1C knows a repeat by `id`.
    ///
    /// # Errors
    /// [`Error`].
    pub(crate) async fn tell(&self, word: &Word<'_>, phone: Option<Phone>) -> Result<(), Error> {
        let phone = phone.ok_or(Error::NoPhone)?;
        let body = json!({
            "id": word.id,
            "external_id": word.external_id,
            "type": word.kind.as_str(),
            "amount": word.amount.map(|kopecks| Money::from_kopecks(kopecks).to_string()),
            "reference": word.reference,
            "user_phone": phone.to_string(),
            "order": word.order,
            "created_at": moment(word.at),
            "until": word.until.and_then(moment),
        });
        let answer = self.call("operations", body.to_string()).await?;
        let told: Told = serde_json::from_slice(&answer.body)
            .map_err(|_| Error::NoAnswer(format!("status {}", answer.status)))?;
        match told.status.as_str() {
            "ok" | "already_exists" => Ok(()),
            "error" if told.error.as_deref() == Some("reference_unknown") => Err(Error::TooEarly),
            "error" => Err(Error::Refused(code(&told.error.unwrap_or_default()))),
            _ => Err(Error::NoAnswer("an unknown status".to_owned())),
        }
    }

    /// The balance that 1C has of the customer with this phone, in kopecks.
    ///
    /// # Errors
    /// [`Error`].
    pub(crate) async fn balance(&self, phone: Phone) -> Result<i64, Error> {
        // In the body: addresses stand in logs.
        let body = json!({"user_phone": phone.to_string()}).to_string();
        let answer = self.call("balance", body).await?;
        let unreadable = || Error::NoAnswer("a balance that cannot be read".to_owned());
        let asked: Asked<'_> = serde_json::from_slice(&answer.body).map_err(|_| unreadable())?;
        let balance: Money = asked.balance.get().parse().map_err(|_| unreadable())?;
        Ok(balance.kopecks())
    }

    async fn call(&self, name: &'static str, body: String) -> Result<Answer, Error> {
        let request = self
            .http
            .request(Method::POST, &format!("{}/v1/{name}", self.base))
            .basic_auth(&self.user, Some(self.password.expose_secret()))
            .header("content-type", "application/json")
            .body(body);
        let answer = self.http.send(name, request).await?;
        match answer.status {
            StatusCode::OK | StatusCode::UNPROCESSABLE_ENTITY => Ok(answer),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Error::Unauthorized),
            StatusCode::NOT_FOUND if is_unknown(&answer) => Err(Error::UnknownCustomer),
            status => Err(Error::NoAnswer(format!("status {status}"))),
        }
    }
}

/// 404 of the service itself, and not of a web server before it.
fn is_unknown(answer: &Answer) -> bool {
    serde_json::from_slice::<serde_json::Value>(&answer.body)
        .is_ok_and(|body| body.get("error").is_some_and(|error| error == "user_not_found"))
}

/// A foreign word, bounded: it stands in reasons.
fn code(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(60).collect()
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        match error {
            CallError::NotSent(_) => Self::NotSent,
            CallError::Unknown(why) => Self::NoAnswer(why),
            CallError::TooLong => Self::NoAnswer("an answer that is too long".to_owned()),
        }
    }
}

impl Error {
    /// Whether 1C has said no.
    #[must_use]
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::UnknownCustomer)
    }

    /// Whether 1C surely has not got it.
    #[must_use]
    pub(crate) fn is_not_sent(&self) -> bool {
        matches!(self, Self::NotSent)
    }

    /// What it means for the job: the whole retry table.
    ///
    /// 1C away does not open the breaker: a redemption that is to be refused meanwhile must be
    /// looked at.
    pub(crate) fn failure(&self, order: &OrderRef) -> Failure {
        let number = &order.number;
        let reason = |class, code: &str, ru: &str, en: &str| {
            Reason::new(
                class,
                code,
                format!("Баллы по заказу № {number}: {ru}"),
                format!("Points of order {number}: {en}"),
            )
            .evidence(&self.to_string())
        };
        match self {
            Self::NotSent | Self::NoAnswer(_) => Failure::Retry(
                reason(
                    Class::Unavailable,
                    "onec_no_answer",
                    "1С не отвечает; операция уйдёт в неё позже сама.",
                    "1C does not answer; it is told later by itself.",
                ),
                None,
            ),
            Self::TooEarly => Failure::Retry(
                reason(
                    Class::Unavailable,
                    "onec_too_early",
                    "1С ещё не знает исходной операции; эта уйдёт в неё позже сама.",
                    "1C does not know the original yet; this one is told later by itself.",
                ),
                None,
            ),
            Self::Unauthorized => Failure::Retry(
                reason(
                    Class::Invalid,
                    "onec_unauthorized",
                    "1С не принимает имя или пароль; исправьте ONEC_USER и ONEC_PASSWORD.",
                    "1C refuses the user or password; mend ONEC_USER and ONEC_PASSWORD.",
                ),
                None,
            ),
            Self::Refused(_) | Self::UnknownCustomer => Failure::Dead(reason(
                Class::Refused,
                "onec_refused",
                "1С отказала в операции, которая здесь проведена. Сверьте баланс покупателя и повторите.",
                "1C refuses an operation that is carried out here. Compare the balances, then replay.",
            )),
            Self::NoPhone => Failure::Dead(words::phone_missing(order).evidence(&self.to_string())),
        }
    }
}
