//! What can go wrong with a call, and the retry table of this vendor.

use std::time::Duration;

use reqwest::StatusCode;
use runtime::{
    Class, Failure, Reason,
    http::{Answer, CallError},
};

/// Error codes inside an answer 200 that pass without a change to the receipt: the register is
/// out of order, full, not paid for or over its limit for tests, and somebody mends that.
const PASSING: [i64; 6] = [-1, 2, 8, 15, 22, 25];

/// A call that failed, with the number of the order that it was for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Error {
    /// The order's number, as people use it.
    pub order: String,
    /// What went wrong.
    pub what: What,
}

/// What went wrong with a call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum What {
    /// Too many calls of ours are under way; this one was not made.
    #[error("too many calls are under way")]
    Busy,
    /// No connection: the request did not leave.
    #[error("no connection: {0}")]
    NotSent(String),
    /// The request left and no answer came.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// Too many requests at once (429); this one was not looked at.
    #[error("too many requests at once")]
    RateLimited {
        /// How long to wait, if the register says so.
        after: Option<Duration>,
    },
    /// Public id or API secret are wrong (401); the request was not looked at.
    #[error("public id or API secret are wrong")]
    Unauthorized,
    /// The register failed (5xx): the request may have had its effect.
    #[error("the register failed with status {status}")]
    Unavailable {
        /// The HTTP status.
        status: u16,
        /// How long to wait, if the register says so.
        after: Option<Duration>,
    },
    /// The interface does not take such a request (4xx).
    #[error("the request was rejected with status {status}")]
    Rejected {
        /// The HTTP status.
        status: u16,
    },
    /// An answer that cannot be understood: the request may have had its effect.
    #[error("the answer cannot be understood: {0}")]
    Garbled(String),
    /// Status 200 with a refusal inside.
    #[error("refused with code {code}: {message}")]
    Refused {
        /// CloudKassir's error code; 0 where it names none.
        code: i64,
        /// CloudKassir's words, without addresses of buyers.
        message: String,
    },
    /// The register knows no such receipt.
    #[error("the register knows no such receipt")]
    NotFound,
}

impl What {
    /// Whether it is certain that this very request was not carried out.
    #[must_use]
    pub const fn had_no_effect(&self) -> bool {
        match self {
            Self::Busy
            | Self::NotSent(_)
            | Self::RateLimited { .. }
            | Self::Unauthorized
            | Self::Rejected { .. }
            | Self::Refused { .. }
            | Self::NotFound => true,
            Self::NoAnswer(_) | Self::Unavailable { .. } | Self::Garbled(_) => false,
        }
    }

    /// Whether this is a refusal for the register's condition, not for what the receipt says.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if PASSING.contains(code))
    }
}

impl From<CallError> for What {
    fn from(error: CallError) -> Self {
        match error {
            CallError::NotSent(why) => Self::NotSent(why),
            CallError::Unknown(why) => Self::NoAnswer(why),
            CallError::TooLong => Self::Garbled(error.to_string()),
        }
    }
}

/// The retry table of CloudKassir.
///
/// 401 is tried again and does not stop the worker: it is about one shop's secret, and the other
/// shops' receipts go on. Everything else that is certain to last is for a person.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let reason = error.reason();
        match error.what {
            What::NotSent(_) => Self::Down(reason),
            What::RateLimited { after } | What::Unavailable { after, .. } => {
                Self::Retry(reason, after)
            }
            What::Busy
            | What::NoAnswer(_)
            | What::Unauthorized
            | What::Garbled(_)
            | What::NotFound => Self::Retry(reason, None),
            What::Refused { code, .. } if PASSING.contains(&code) => Self::Retry(reason, None),
            What::Refused { .. } | What::Rejected { .. } => Self::Dead(reason),
        }
    }
}

impl Error {
    fn reason(&self) -> Reason {
        let (class, code, ru, en) = self.what.words();
        let number = &self.order;
        let reason = Reason::new(
            class,
            code,
            format!("Чек по заказу № {number}: {ru}"),
            format!("The receipt for order {number}: {en}"),
        );
        match &self.what {
            What::Busy | What::Unauthorized | What::NotFound => reason,
            what => reason.evidence(&what.to_string()),
        }
    }
}

type Words = (Class, &'static str, &'static str, &'static str);

impl What {
    fn words(&self) -> Words {
        match self {
            Self::Refused { code, .. } if PASSING.contains(code) => (
                Class::Refused,
                "register_out_of_order",
                "касса CloudKassir сейчас не может его пробить. Проверьте кассу в личном кабинете \
                 (срок ФН, оплату, лимит); попытка повторится сама.",
                "the CloudKassir register cannot issue it now. Check the register in the cabinet \
                 (fiscal drive, payment, limits); it is tried again by itself.",
            ),
            Self::Refused { .. } => (
                Class::Refused,
                "receipt_refused",
                "CloudKassir отказался его принять. Исправьте заказ или настройки магазина по \
                 ответу CloudKassir и повторите.",
                "CloudKassir refused it. Mend the order or the shop's settings as its answer \
                 says, then replay.",
            ),
            Self::Rejected { .. } => (
                Class::Refused,
                "request_rejected",
                "CloudKassir не принимает такой запрос. Проверьте адрес CLOUDKASSIR_BASE_URL и \
                 повторите.",
                "CloudKassir does not take such a request. Check the address \
                 CLOUDKASSIR_BASE_URL, then replay.",
            ),
            Self::Unauthorized => (
                Class::Unavailable,
                "register_unauthorized",
                "CloudKassir не принимает Public ID и API Secret магазина. Исправьте их в \
                 настройках; попытка повторится сама.",
                "CloudKassir does not accept the shop's Public ID and API Secret. Mend them in \
                 the settings; it is tried again by itself.",
            ),
            Self::NotFound => (
                Class::Unavailable,
                "receipt_not_found",
                "CloudKassir пока не находит этот чек; проверка повторится сама.",
                "CloudKassir does not find this receipt yet; it is looked for again by itself.",
            ),
            _ => self.words_of_passing(),
        }
    }

    /// What passes by itself.
    fn words_of_passing(&self) -> Words {
        let (code, ru, en) = match self {
            Self::NotSent(_) => (
                "register_away",
                "CloudKassir недоступен; чек уйдёт, как только связь восстановится.",
                "CloudKassir cannot be reached; it goes out as soon as the connection is back.",
            ),
            Self::RateLimited { .. } | Self::Busy => (
                "register_busy",
                "CloudKassir занят другими запросами; попытка повторится сама.",
                "CloudKassir is busy with other requests; it is tried again by itself.",
            ),
            Self::Unavailable { .. } => (
                "register_failing",
                "в CloudKassir сбой; попытка повторится сама.",
                "CloudKassir is failing; it is tried again by itself.",
            ),
            Self::Garbled(_) => (
                "answer_garbled",
                "ответ CloudKassir не разобрать; попытка повторится сама.",
                "the answer of CloudKassir makes no sense; it is tried again by itself.",
            ),
            _ => (
                "no_answer",
                "CloudKassir не ответил; попытка повторится сама.",
                "CloudKassir did not answer; it is tried again by itself.",
            ),
        };
        (Class::Unavailable, code, ru, en)
    }
}

/// The answer, if it is one of status 200; else what its status means.
pub(super) fn by_status(answer: Answer) -> Result<Answer, What> {
    match answer.status {
        StatusCode::OK => Ok(answer),
        StatusCode::UNAUTHORIZED => Err(What::Unauthorized),
        StatusCode::TOO_MANY_REQUESTS => Err(What::RateLimited { after: answer.retry_after() }),
        StatusCode::REQUEST_TIMEOUT => Err(What::NoAnswer("status 408".to_owned())),
        status if status.is_client_error() => Err(What::Rejected { status: status.as_u16() }),
        status => Err(What::Unavailable { status: status.as_u16(), after: answer.retry_after() }),
    }
}
