//! What can go wrong with a call to the register, and what follows: the retry table.

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
    /// The participant's rate is used up (429); this one was not looked at.
    #[error("too many requests a second")]
    RateLimited {
        /// How long to wait, if the register says so.
        after: Option<Duration>,
    },
    /// There is no token, so the request was not made.
    #[error("no sign-in: {0}")]
    SignIn(Box<Self>),
    /// The token was refused (401), and the new one as well; the request was not looked at.
    #[error("the token is refused")]
    Unauthorized,
    /// No right to it (403): no contract for the product group, a blocked participant, a power of
    /// attorney, another INN in the certificate.
    #[error("forbidden: {0}")]
    Forbidden(String),
    /// The signature does not hold (422).
    #[error("the signature is refused: {0}")]
    SignatureRefused(String),
    /// The document is too large (413, 414).
    #[error("too large")]
    TooLarge,
    /// Only Russian addresses are served (451).
    #[error("not served at this address")]
    GeoBlocked,
    /// The interface does not take such a request (other 4xx).
    #[error("rejected with status {status}: {message}")]
    Rejected {
        /// The HTTP status.
        status: u16,
        /// The register's words.
        message: String,
    },
    /// The register failed (5xx): the request may have had its effect.
    #[error("the register failed with status {status}")]
    Unavailable {
        /// The HTTP status.
        status: u16,
        /// How long to wait, if the register says so.
        after: Option<Duration>,
    },
    /// An answer that cannot be understood: the request may have had its effect.
    #[error("the answer cannot be understood: {0}")]
    Garbled(String),
    /// The document was accepted and no id came back: it is there, under an id we do not know.
    #[error("accepted without an id: {0}")]
    NoId(String),
    /// There is no signature.
    #[error("not signed: {0}")]
    Signing(SignError),
    /// PostgreSQL, which keeps the token and the rate, is away; the request was not made.
    #[error("the store is away: {0}")]
    Store(String),
}

impl What {
    /// Whether it is certain that this very request was not carried out. Where it is not, a document
    /// is looked for before anything is sent again.
    #[must_use]
    pub const fn had_no_effect(&self) -> bool {
        match self {
            Self::NoAnswer(_) | Self::Unavailable { .. } | Self::Garbled(_) | Self::NoId(_) => {
                false
            }
            Self::Busy { .. }
            | Self::NotSent(_)
            | Self::RateLimited { .. }
            | Self::SignIn(_)
            | Self::Unauthorized
            | Self::Forbidden(_)
            | Self::SignatureRefused(_)
            | Self::TooLarge
            | Self::GeoBlocked
            | Self::Rejected { .. }
            | Self::Signing(_)
            | Self::Store(_) => true,
        }
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

    fn reason(&self) -> Reason {
        let (class, code, ru, en) = words(&self.what);
        let (ru_begins, en_begins) = match &self.order {
            Some(number) => (
                format!("Честный знак, заказ № {number}: "),
                format!("Honest Sign, order {number}: "),
            ),
            None => ("Честный знак: ".to_owned(), "Honest Sign: ".to_owned()),
        };
        Reason::new(class, code, format!("{ru_begins}{ru}"), format!("{en_begins}{en}"))
            .evidence(&self.what.to_string())
    }
}

/// The retry table.
///
/// What is wrong for every order stops the worker ([`Failure::Down`]); what is wrong with this
/// document is for a person. A lost answer is tried again: the flow looks before it sends.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let reason = error.reason();
        match error.what {
            What::NotSent(_) | What::GeoBlocked => Self::Down(reason),
            What::Signing(inner) => inner.failure(error.order.as_deref().unwrap_or("—")),
            What::SignIn(inner) => match *inner {
                What::Signing(inner) => inner.failure(error.order.as_deref().unwrap_or("—")),
                What::Busy { after } => Self::Later(Box::new(reason), after),
                What::RateLimited { after } | What::Unavailable { after, .. } => {
                    Self::Retry(reason, after)
                }
                What::NoAnswer(_) | What::Garbled(_) | What::Store(_) => Self::Retry(reason, None),
                _ => Self::Down(reason),
            },
            What::Busy { after } => Self::Later(Box::new(reason), after),
            What::RateLimited { after } | What::Unavailable { after, .. } => {
                Self::Retry(reason, after)
            }
            What::NoAnswer(_)
            | What::Unauthorized
            | What::Garbled(_)
            | What::NoId(_)
            | What::Store(_) => Self::Retry(reason, None),
            What::Forbidden(_)
            | What::SignatureRefused(_)
            | What::TooLarge
            | What::Rejected { .. } => Self::Dead(reason),
        }
    }
}

/// Class, machine word, and what to do in Russian and English.
#[expect(clippy::too_many_lines, reason = "a table")]
fn words(what: &What) -> (Class, &'static str, &'static str, &'static str) {
    match what {
        What::Busy { .. } | What::RateLimited { .. } => (
            Class::Unavailable,
            "gismt_busy",
            "запросов больше, чем разрешено в секунду; попытка повторится сама.",
            "there are more requests than are allowed a second; it is tried again by itself.",
        ),
        What::NotSent(_) => (
            Class::Unavailable,
            "gismt_away",
            "нет связи с ГИС МТ; попытка повторится сама.",
            "GIS MT cannot be reached; it is tried again by itself.",
        ),
        What::NoAnswer(_) | What::Unavailable { .. } => (
            Class::Unavailable,
            "gismt_no_answer",
            "ГИС МТ не ответила; Паром сначала проверит, принят ли запрос, и только потом повторит его.",
            "GIS MT gave no answer; Parom first looks whether the request was taken, then tries again.",
        ),
        What::SignIn(_) => (
            Class::Invalid,
            "gismt_sign_in",
            "войти в ГИС МТ не удалось. Проверьте, что сертификат действует, выдан на этот ИНН и зарегистрирован в личном кабинете; работа продолжится сама.",
            "there is no sign-in to GIS MT. Check that the certificate holds, carries this INN and is registered in the cabinet; work goes on by itself.",
        ),
        What::Unauthorized => (
            Class::Unavailable,
            "gismt_token",
            "ГИС МТ не принимает только что выданный ключ сеанса; попытка повторится сама.",
            "GIS MT refuses the token it has just given; it is tried again by itself.",
        ),
        What::Forbidden(_) => (
            Class::Refused,
            "gismt_forbidden",
            "ГИС МТ не даёт на это права. Проверьте в личном кабинете договор по товарной группе, блокировку и доверенность, затем повторите.",
            "GIS MT gives no right to it. Check the contract for the product group, a block and the power of attorney in the cabinet, then replay.",
        ),
        What::SignatureRefused(_) => (
            Class::Refused,
            "gismt_signature",
            "ГИС МТ не приняла подпись документа. Проверьте сертификат и средство подписи, затем повторите: документ будет подписан заново.",
            "GIS MT refuses the document's signature. Check certificate and signer, then replay: it is signed anew.",
        ),
        What::TooLarge => (
            Class::Refused,
            "gismt_too_large",
            "документ больше, чем принимает ГИС МТ. Передайте номер заказа в поддержку.",
            "the document is larger than GIS MT takes. Give the order's number to support.",
        ),
        What::GeoBlocked => (
            Class::Invalid,
            "gismt_geo",
            "ГИС МТ обслуживает только российские адреса. Выпустите Паром через российский адрес; работа продолжится сама.",
            "GIS MT serves Russian addresses only. Let Parom out through one; work goes on by itself.",
        ),
        What::Rejected { .. } => (
            Class::Refused,
            "gismt_rejected",
            "ГИС МТ отклонила запрос. Исправьте причину из её ответа и повторите.",
            "GIS MT rejected the request. Mend what its answer names, then replay.",
        ),
        What::Garbled(_) | What::NoId(_) => (
            Class::Unknown,
            "gismt_garbled",
            "ответ ГИС МТ не удалось понять; Паром сначала проверит, принят ли запрос.",
            "the answer of GIS MT cannot be understood; Parom first looks whether the request was taken.",
        ),
        What::Signing(_) => (
            Class::Unavailable,
            "gismt_signing",
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
