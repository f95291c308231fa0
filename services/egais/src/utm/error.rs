//! What can go wrong with a call to a UTM, and what it means for a document.

use runtime::{Class, Reason, http::CallError};

/// A call that failed, and the order it was for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("UTM {utm}: {what}")]
pub struct Error {
    /// The UTM's name in the settings.
    pub utm: String,
    /// What went wrong.
    pub what: What,
}

/// What went wrong with a call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum What {
    /// No connection: the request did not leave.
    #[error("no connection: {0}")]
    NotSent(String),
    /// The request left and no answer came: it may have had its effect.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// The UTM looked at the document and refused it (`<A><error>`): it has not left.
    #[error("refused: {0}")]
    Refused(String),
    /// 403: the key is expired, locked or absent; nothing was taken.
    #[error("the key is refused")]
    Key,
    /// 404.
    #[error("not there")]
    Absent,
    /// An answer that is longer than a document of ours can be.
    #[error("the answer is too long")]
    TooLong,
    /// An answer that cannot be understood: the request may have had its effect.
    #[error("the answer cannot be understood: {0}")]
    Garbled(String),
    /// PostgreSQL did not keep what the UTM gave.
    #[error("PostgreSQL: {0}")]
    NotKept(String),
    /// The UTM's key is another organisation's than the settings say.
    #[error("its key is of {0}")]
    Stranger(String),
}

impl From<CallError> for What {
    fn from(error: CallError) -> Self {
        match error {
            CallError::NotSent(why) => Self::NotSent(why),
            CallError::Unknown(why) => Self::NoAnswer(why),
            CallError::TooLong => Self::TooLong,
        }
    }
}

impl What {
    /// Whether it is certain that this very request was not carried out.
    #[must_use]
    pub const fn had_no_effect(&self) -> bool {
        match self {
            Self::NotSent(_) | Self::Refused(_) | Self::Key | Self::Stranger(_) => true,
            Self::NoAnswer(_)
            | Self::Garbled(_)
            | Self::NotKept(_)
            | Self::TooLong
            | Self::Absent => false,
        }
    }

    /// Whether it says nothing of this document alone: the next one is likely to meet the same.
    pub(super) const fn is_general(&self) -> bool {
        matches!(self, Self::NoAnswer(_) | Self::NotKept(_))
    }
}

impl Error {
    /// PostgreSQL was away, or refused. Its words may quote a row.
    pub(crate) fn not_kept(utm: &str, error: &sqlx::Error) -> Self {
        let why = match error.as_database_error() {
            Some(error) => format!("SQLSTATE {}", error.code().unwrap_or_default()),
            None => error.to_string(),
        };
        Self { utm: utm.to_owned(), what: What::NotKept(why) }
    }

    /// Why the order with this number waits: the UTM takes no documents just now.
    #[must_use]
    pub fn reason(&self, order: &str) -> Reason {
        let utm = &self.utm;
        let (code, ru, en) = match self.what {
            What::Key => (
                "utm_key",
                "не принимает документы: проверьте ключ RSA и ГОСТ на его странице; работа продолжится сама.",
                "takes no documents: check its RSA and GOST keys on its page; work goes on by itself.",
            ),
            What::Stranger(_) => (
                "utm_stranger",
                "работает с ключом другой организации: исправьте fsrar_id или адрес в настройках; работа продолжится сама.",
                "has another organisation's key: mend fsrar_id or the address in the settings; work goes on by itself.",
            ),
            _ => (
                "utm_away",
                "не отвечает: проверьте, что компьютер включён и УТМ запущен; работа продолжится сама.",
                "does not answer: check that its computer is on and the UTM runs; work goes on by itself.",
            ),
        };
        Reason::new(
            Class::Unavailable,
            code,
            format!("ЕГАИС, заказ № {order}: УТМ «{utm}» {ru}"),
            format!("EGAIS, order {order}: UTM {utm} {en}"),
        )
        .evidence(&self.what.to_string())
    }
}
