//! What can go wrong with a call to a register, and what follows: the retry table.

use std::time::Duration;

use reqwest::StatusCode;
use runtime::{
    Class, Failure, Reason,
    http::{Answer, CallError},
};

use crate::subject::Subject;

/// A call that failed, and what it was about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Error {
    /// What the receipt is about.
    pub subject: Subject,
    /// The register's name, as people use it.
    pub register: &'static str,
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
    /// The keys are wrong (401); the request was not looked at.
    #[error("the keys are wrong")]
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
    /// The register understood the request and refused it, whatever the HTTP status was.
    #[error("refused with code {code}: {message}")]
    Refused {
        /// The register's error code; 0 where it names none.
        code: i64,
        /// The register's words, without addresses of buyers.
        message: String,
        /// Whether it is for the register's condition, and not for what the receipt says.
        passing: bool,
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
        matches!(self, Self::Refused { passing: true, .. })
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

/// The retry table of all registers.
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
            What::Refused { passing: true, .. } => Self::Retry(reason, None),
            What::Refused { .. } | What::Rejected { .. } => Self::Dead(reason),
        }
    }
}

impl Error {
    fn reason(&self) -> Reason {
        let (class, code, ru, en) = self.what.words();
        let Subject { ru: about_ru, en: about_en, .. } = &self.subject;
        let named = |text: &str| text.replace("{register}", self.register);
        let reason = Reason::new(
            class,
            code,
            format!("Чек {about_ru}: {}", named(ru)),
            format!("The receipt {about_en}: {}", named(en)),
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
            Self::Refused { passing: true, .. } => (
                Class::Refused,
                "register_out_of_order",
                "касса {register} сейчас не может его пробить. Проверьте кассу в личном кабинете \
                 (срок ФН, оплату, лимит); попытка повторится сама.",
                "the {register} register cannot issue it now. Check the register in the cabinet \
                 (fiscal drive, payment, limits); it is tried again by itself.",
            ),
            Self::Refused { .. } => (
                Class::Refused,
                "receipt_refused",
                "{register} отказался его принять. Исправьте заказ или настройки магазина по \
                 ответу {register} и повторите.",
                "{register} refused it. Mend the order or the shop's settings as its answer \
                 says, then replay.",
            ),
            Self::Rejected { .. } => (
                Class::Refused,
                "request_rejected",
                "{register} не принимает такой запрос. Проверьте его адрес в настройках и \
                 повторите.",
                "{register} does not take such a request. Check its address \
                 in the settings, then replay.",
            ),
            Self::Unauthorized => (
                Class::Unavailable,
                "register_unauthorized",
                "{register} не принимает ключи магазина. Исправьте их в \
                 настройках; попытка повторится сама.",
                "{register} does not accept the shop's keys. Mend them in \
                 the settings; it is tried again by itself.",
            ),
            Self::NotFound => (
                Class::Unavailable,
                "receipt_not_found",
                "{register} пока не находит этот чек; проверка повторится сама.",
                "{register} does not find this receipt yet; it is looked for again by itself.",
            ),
            _ => self.words_of_passing(),
        }
    }

    /// What passes by itself.
    fn words_of_passing(&self) -> Words {
        let (code, ru, en) = match self {
            Self::NotSent(_) => (
                "register_away",
                "{register} недоступен; чек уйдёт сам, как только связь восстановится.",
                "{register} cannot be reached; it goes out as soon as the connection is back.",
            ),
            Self::RateLimited { .. } | Self::Busy => (
                "register_busy",
                "{register} занят другими запросами; попытка повторится сама.",
                "{register} is busy with other requests; it is tried again by itself.",
            ),
            Self::Unavailable { .. } => (
                "register_failing",
                "в {register} сбой; попытка повторится сама.",
                "{register} is failing; it is tried again by itself.",
            ),
            Self::Garbled(_) => (
                "answer_garbled",
                "ответ {register} не разобрать; попытка повторится сама.",
                "the answer of {register} makes no sense; it is tried again by itself.",
            ),
            _ => (
                "no_answer",
                "{register} не ответил; попытка повторится сама.",
                "{register} did not answer; it is tried again by itself.",
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
