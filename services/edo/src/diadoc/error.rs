//! What can go wrong with a call to Diadoc, and what follows: the retry table.

use std::time::Duration;

use runtime::{Class, Failure, Reason, Withheld, http::CallError};
use signing::SignError;

/// A call that failed, and the order it was for, if one is named.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Error {
    /// The order's number, as people use it.
    pub order: Option<String>,
    /// What went wrong.
    pub what: What,
}

/// What went wrong with a call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum What {
    /// Too many calls of all replicas are waiting; this one was not made.
    #[error("too many calls are waiting")]
    Busy {
        /// When to come back.
        after: Duration,
    },
    /// No connection: the request did not leave.
    #[error("no connection: {0}")]
    NotSent(String),
    /// The request left and no answer came: it may have had its effect.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// Too many requests (429); this one was not looked at.
    #[error("too many requests")]
    RateLimited {
        /// How long to wait, if Diadoc says so.
        after: Option<Duration>,
    },
    /// There is no token, so the request was not made.
    #[error("no sign-in: {0}")]
    SignIn(Box<Self>),
    /// The token was refused (401), and the new one as well; the request was not looked at.
    #[error("the token is refused")]
    Unauthorized,
    /// The subscription to the interface has ended (402).
    #[error("the subscription has ended")]
    Unpaid,
    /// No right to the box, or a liquidated organisation (403).
    #[error("forbidden: {0}")]
    Forbidden(String),
    /// There is none (404).
    #[error("not found: {0}")]
    NotFound(String),
    /// A duplicate, a state that does not allow it, or a receiver who takes from partners alone (409).
    #[error("conflict: {0}")]
    Conflict(String),
    /// The request is not taken (400 and other 4xx): a document or signature that is wrong.
    #[error("rejected with status {status}: {message}")]
    Rejected {
        /// The HTTP status.
        status: u16,
        /// Diadoc's words.
        message: String,
    },
    /// Diadoc failed (5xx): the request may have had its effect.
    #[error("Diadoc failed with status {status}")]
    Unavailable {
        /// The HTTP status.
        status: u16,
        /// How long to wait, if Diadoc says so.
        after: Option<Duration>,
    },
    /// The operation is still running (204): ask with the same key again.
    #[error("still running")]
    StillRunning {
        /// When.
        after: Option<Duration>,
    },
    /// An answer that cannot be understood: the request may have had its effect.
    #[error("the answer cannot be understood: {0}")]
    Garbled(String),
    /// There is no signature.
    #[error("not signed: {0}")]
    Signing(SignError),
    /// PostgreSQL, which keeps token, rate and lanes, is away; the request was not made.
    #[error("the store is away: {0}")]
    Store(String),
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

impl From<Withheld> for What {
    fn from(withheld: Withheld) -> Self {
        match withheld {
            Withheld::Busy { after } => Self::Busy { after },
            Withheld::Away(why) => Self::Store(why),
        }
    }
}

impl From<What> for Error {
    fn from(what: What) -> Self {
        Self { order: None, what }
    }
}

impl Error {
    /// The same, about the order with this number.
    #[must_use]
    pub fn of(self, order: &str) -> Self {
        Self { order: Some(order.to_owned()), ..self }
    }

    /// Why, in words for people.
    #[must_use]
    pub fn reason(&self) -> Reason {
        let (class, code, ru, en) = words(&self.what);
        let (ru_begins, en_begins) = match &self.order {
            Some(number) => {
                (format!("Диадок, заказ № {number}: "), format!("Diadoc, order {number}: "))
            }
            None => ("Диадок: ".to_owned(), "Diadoc: ".to_owned()),
        };
        Reason::new(class, code, format!("{ru_begins}{ru}"), format!("{en_begins}{en}"))
            .evidence(&self.what.to_string())
    }
}

/// The retry table.
///
/// What is wrong for every order stops the worker ([`Failure::Down`]); what is wrong with this document is for
/// a person. A lost answer to a sending is asked for again with the same key: the first result comes back.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let reason = error.reason();
        match error.what {
            What::NotSent(_) | What::Unpaid => Self::Down(reason),
            What::Signing(inner) => inner.failure(error.order.as_deref().unwrap_or("—")),
            What::SignIn(inner) => match *inner {
                What::Busy { after } => Self::Later(Box::new(reason), after),
                What::RateLimited { after } | What::Unavailable { after, .. } => {
                    Self::Retry(reason, after)
                }
                What::NoAnswer(_) | What::Garbled(_) | What::Store(_) => Self::Retry(reason, None),
                _ => Self::Down(reason),
            },
            What::Busy { after } => Self::Later(Box::new(reason), after),
            What::RateLimited { after }
            | What::Unavailable { after, .. }
            | What::StillRunning { after } => Self::Retry(reason, after),
            What::NoAnswer(_) | What::Unauthorized | What::Garbled(_) | What::Store(_) => {
                Self::Retry(reason, None)
            }
            What::Forbidden(_) | What::NotFound(_) | What::Conflict(_) | What::Rejected { .. } => {
                Self::Dead(reason)
            }
        }
    }
}

/// Class, machine word, and what to do in Russian and English.
#[expect(clippy::too_many_lines, reason = "a table")]
fn words(what: &What) -> (Class, &'static str, &'static str, &'static str) {
    match what {
        What::Busy { .. } | What::RateLimited { .. } => (
            Class::Unavailable,
            "diadoc_busy",
            "запросов больше, чем разрешено; попытка повторится сама.",
            "there are more requests than are allowed; it is tried again by itself.",
        ),
        What::NotSent(_) => (
            Class::Unavailable,
            "diadoc_away",
            "нет связи с Диадоком; попытка повторится сама.",
            "Diadoc cannot be reached; it is tried again by itself.",
        ),
        What::NoAnswer(_) | What::Unavailable { .. } | What::StillRunning { .. } => (
            Class::Unavailable,
            "diadoc_no_answer",
            "Диадок не ответил; Паром спросит с тем же ключом операции, второго документа не будет.",
            "Diadoc gave no answer; Parom asks again with the same key, and there will be no second document.",
        ),
        What::SignIn(_) => (
            Class::Invalid,
            "diadoc_sign_in",
            "войти в Диадок не удалось. Проверьте приложение, его секрет и refresh-токен (или логин и пароль) в настройках DIADOC_…; работа продолжится сама.",
            "there is no sign-in to Diadoc. Check the application, its secret and refresh token (or login and password) in DIADOC_…; work goes on by itself.",
        ),
        What::Unauthorized => (
            Class::Unavailable,
            "diadoc_token",
            "Диадок не принимает только что выданный токен; попытка повторится сама.",
            "Diadoc refuses the token it has just given; it is tried again by itself.",
        ),
        What::Unpaid => (
            Class::Unavailable,
            "diadoc_unpaid",
            "закончилась подписка на API Диадока. Продлите её; работа продолжится сама.",
            "the subscription to Diadoc's interface has ended. Renew it; work goes on by itself.",
        ),
        What::Forbidden(_) => (
            Class::Refused,
            "diadoc_forbidden",
            "нет доступа к ящику, или организация ликвидирована. Проверьте права сотрудника и контрагента, затем повторите.",
            "there is no access to the box, or the organisation is liquidated. Check the employee's rights and the buyer, then replay.",
        ),
        What::NotFound(_) => (
            Class::Refused,
            "diadoc_not_found",
            "Диадок не находит документ или ящик. Проверьте в веб-интерфейсе, не удалён ли он, затем повторите.",
            "Diadoc does not find the document or box. Look whether it was deleted, then replay.",
        ),
        What::Conflict(_) => (
            Class::Refused,
            "diadoc_conflict",
            "Диадок говорит, что это повтор или что получатель не принимает документы. Проверьте в веб-интерфейсе, затем повторите.",
            "Diadoc says that this is a duplicate, or that the receiver takes none. Look there, then replay.",
        ),
        What::Rejected { .. } => (
            Class::Refused,
            "diadoc_rejected",
            "Диадок не принял документ. Исправьте причину из его ответа и повторите: документ будет сделан заново.",
            "Diadoc rejects the document. Mend what its answer names, then replay: it is made anew.",
        ),
        What::Garbled(_) => (
            Class::Unavailable,
            "diadoc_garbled",
            "ответ Диадока не удалось понять; попытка повторится сама с тем же ключом операции.",
            "the answer of Diadoc cannot be understood; it is tried again with the same key.",
        ),
        What::Signing(_) => (
            Class::Unavailable,
            "diadoc_signing",
            "документ не подписан; попытка повторится сама.",
            "the document is not signed; it is tried again by itself.",
        ),
        What::Store(_) => (
            Class::Unavailable,
            "store_away",
            "база данных недоступна; попытка повторится сама.",
            "PostgreSQL is away; it is tried again by itself.",
        ),
    }
}
