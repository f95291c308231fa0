//! A fault as it is ordered by `POST /_faults`, and what it comes to.

use std::time::Duration;

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Drawn, System};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The connection is closed before anything of the request is read. No effect.
    Refuse,
    /// The request takes effect and is never answered.
    Hang,
    /// The request is read, has no effect and is never answered.
    HangBefore,
    /// The request takes effect (unless `apply` is false), then the connection is reset.
    Reset,
    /// The request takes effect (unless `apply` is false) and is answered 200 with something that is not JSON.
    Garbage,
    /// The answer is the status `code`, with `retry_after` and `body`; the effect only happens if `apply` is true.
    Status,
    /// The request takes effect and is answered after `ms` milliseconds.
    Slow,
    /// What the request makes the system send out is sent twice.
    Duplicate,
    /// UTM: what the request makes EGAIS answer never comes.
    Lose,
    /// The system refuses in its own form with the error `code`. No effect.
    Refusal,
    /// Bitrix: `limit` is `QUERY_LIMIT_EXCEEDED`, or `OPERATION_TIME_LIMIT` for `reset_in_s` seconds. No effect.
    Limit,
    /// Registers: the receipt is accepted and ends in an error; GIS MT: the document ends `CHECKED_NOT_OK`; UTM:
    /// the second ticket refuses.
    FailsLater,
    /// OrangeData: the receipt is accepted and runs out of time in the queue (524); GIS MT: the document
    /// ends `PROCESSING_ERROR`; UTM: the first ticket refuses.
    Expires,
}

/// A fault: the body of `POST /_faults`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Which system.
    pub system: System,
    /// Which of its methods; all without one.
    #[serde(default)]
    pub method: Option<String>,
    /// What goes wrong.
    pub kind: Kind,
    /// How many requests are struck; all without one.
    #[serde(default)]
    pub times: Option<u64>,
    /// How many that fit are let through first.
    #[serde(default)]
    pub after: u64,
    /// The chance of each that fits to be struck, 0 to 1; certain without one.
    #[serde(default)]
    pub probability: Option<f64>,
    /// Seed of the dice.
    #[serde(default)]
    pub seed: u64,
    /// The HTTP status or the system's error code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i64>,
    /// The `Retry-After` header: seconds, or an HTTP date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<String>,
    /// The body of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Whether the request takes effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apply: Option<bool>,
    /// Milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
    /// Which limit of Bitrix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    /// Seconds until the blocked method is free again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset_in_s: Option<u32>,
}

/// Why a fault cannot be put in force.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FaultError {
    /// Something the kind needs is missing or out of range.
    #[error("this kind of fault needs {0}")]
    Needs(&'static str),
    /// The system cannot fail in this way.
    #[error("this kind of fault does not exist for this system")]
    Unfit,
}

/// What happens to a struck request.
#[derive(Debug, Clone)]
pub(crate) enum Strike {
    Refuse,
    Hang,
    HangBefore,
    Reset { apply: bool },
    Garbage { apply: bool },
    Status { code: StatusCode, retry_after: Option<String>, body: String, apply: bool },
    Slow(Duration),
    Duplicate,
    Lose,
    Refusal { code: i64 },
    Limit(Limit),
    FailsLater,
    Expires,
}

impl Strike {
    /// Whether the request takes effect.
    pub(super) fn applies(&self) -> bool {
        match self {
            Self::Hang
            | Self::Slow(_)
            | Self::Duplicate
            | Self::Lose
            | Self::FailsLater
            | Self::Expires => true,
            Self::Reset { apply } | Self::Garbage { apply } | Self::Status { apply, .. } => *apply,
            Self::Refuse | Self::HangBefore | Self::Refusal { .. } | Self::Limit(_) => false,
        }
    }

    /// What the request's handler is told.
    pub(super) fn drawn(&self) -> Drawn {
        match self {
            Self::Duplicate => Drawn { copies: 2, ..Drawn::default() },
            Self::Lose => Drawn { copies: 0, ..Drawn::default() },
            Self::FailsLater => Drawn { fails_later: true, ..Drawn::default() },
            Self::Expires => Drawn { expires: true, ..Drawn::default() },
            _ => Drawn::default(),
        }
    }
}

/// A limit of the Bitrix24 portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    Query,
    Operation { reset_in_s: u32 },
}

impl Fault {
    /// A fault that strikes every request to the system.
    #[must_use]
    pub fn new(system: System, kind: Kind) -> Self {
        Self {
            system,
            kind,
            method: None,
            times: None,
            after: 0,
            probability: None,
            seed: 0,
            code: None,
            retry_after: None,
            body: None,
            apply: None,
            ms: None,
            limit: None,
            reset_in_s: None,
        }
    }

    /// Only this method.
    #[must_use]
    pub fn on(self, method: &str) -> Self {
        Self { method: Some(method.to_owned()), ..self }
    }

    /// Only so many requests.
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        Self { times: Some(times), ..self }
    }

    /// Only after so many.
    #[must_use]
    pub fn after(self, after: u64) -> Self {
        Self { after, ..self }
    }

    /// Only with this probability, by dice with this seed.
    #[must_use]
    pub fn chance(self, probability: f64, seed: u64) -> Self {
        Self { probability: Some(probability), seed, ..self }
    }

    /// With this HTTP status or error code.
    #[must_use]
    pub fn code(self, code: i64) -> Self {
        Self { code: Some(code), ..self }
    }

    pub(crate) fn strike(&self) -> Result<Strike, FaultError> {
        if self.probability.is_some_and(|chance| !(0.0..=1.0).contains(&chance)) {
            return Err(FaultError::Needs("a probability from 0 to 1"));
        }
        let apply = self.apply;
        Ok(match (self.kind, self.system) {
            (Kind::Refuse, _) => Strike::Refuse,
            (Kind::Hang, _) => Strike::Hang,
            (Kind::HangBefore, _) => Strike::HangBefore,
            (Kind::Reset, _) => Strike::Reset { apply: apply.unwrap_or(true) },
            (Kind::Garbage, _) => Strike::Garbage { apply: apply.unwrap_or(true) },
            (Kind::Status, _) => self.status()?,
            (Kind::Slow, _) => {
                Strike::Slow(Duration::from_millis(self.ms.ok_or(FaultError::Needs("ms"))?))
            }
            (Kind::Duplicate | Kind::Refusal | Kind::FailsLater, System::Site) => {
                return Err(FaultError::Unfit);
            }
            (Kind::Duplicate, _) => Strike::Duplicate,
            (Kind::Lose, System::Utm) => Strike::Lose,
            (Kind::Refusal, _) => {
                Strike::Refusal { code: self.code.ok_or(FaultError::Needs("code"))? }
            }
            (Kind::Limit, System::Bitrix) => Strike::Limit(self.limit()?),
            (Kind::FailsLater, system) if system != System::Bitrix => Strike::FailsLater,
            (Kind::Expires, System::OrangeData | System::Gismt | System::Utm) => Strike::Expires,
            _ => return Err(FaultError::Unfit),
        })
    }

    fn status(&self) -> Result<Strike, FaultError> {
        let code = self.code.and_then(|code| u16::try_from(code).ok());
        let code = code.and_then(|code| StatusCode::from_u16(code).ok());
        Ok(Strike::Status {
            code: code.ok_or(FaultError::Needs("an HTTP status as code"))?,
            retry_after: self.retry_after.clone(),
            body: self.body.clone().unwrap_or_default(),
            apply: self.apply.unwrap_or(false),
        })
    }

    fn limit(&self) -> Result<Limit, FaultError> {
        match self.limit.as_deref() {
            Some("QUERY_LIMIT_EXCEEDED") => Ok(Limit::Query),
            Some("OPERATION_TIME_LIMIT") => {
                let reset_in_s = self.reset_in_s.ok_or(FaultError::Needs("reset_in_s"))?;
                Ok(Limit::Operation { reset_in_s })
            }
            _ => Err(FaultError::Needs("limit, QUERY_LIMIT_EXCEEDED or OPERATION_TIME_LIMIT")),
        }
    }
}
