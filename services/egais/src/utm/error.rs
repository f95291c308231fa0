//! What can go wrong with a call to a UTM, and what follows: the retry table.

use runtime::{Class, Failure, Reason, http::CallError};

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
    /// An answer that cannot be understood: the request may have had its effect.
    #[error("the answer cannot be understood: {0}")]
    Garbled(String),
    /// The UTM's key is another organisation's than the settings say.
    #[error("its key is of {0}")]
    Stranger(String),
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

impl What {
    /// Whether it is certain that this very request was not carried out.
    #[must_use]
    pub const fn had_no_effect(&self) -> bool {
        match self {
            Self::NotSent(_) | Self::Refused(_) | Self::Key | Self::Stranger(_) => true,
            Self::NoAnswer(_) | Self::Garbled(_) | Self::Absent => false,
        }
    }
}

impl Error {
    /// What follows for the order with this number.
    pub fn failure(&self, order: &str) -> Failure {
        let utm = &self.utm;
        let reason = |code: &str, ru: &str, en: &str| {
            Reason::new(
                Class::Unavailable,
                code,
                format!("ЕГАИС, заказ № {order}: УТМ «{utm}» {ru}"),
                format!("EGAIS, order {order}: UTM {utm} {en}"),
            )
            .evidence(&self.what.to_string())
        };
        match self.what {
            What::NotSent(_) => Failure::Down(reason(
                "utm_away",
                "не отвечает: проверьте, что компьютер включён и УТМ запущен; работа продолжится сама.",
                "cannot be reached: check that its computer is on and the UTM runs; work goes on by itself.",
            )),
            What::Key => Failure::Down(reason(
                "utm_key",
                "не принимает документы: проверьте ключ RSA и ГОСТ на его странице; работа продолжится сама.",
                "takes no documents: check its RSA and GOST keys on its page; work goes on by itself.",
            )),
            What::Stranger(_) => Failure::Down(reason(
                "utm_stranger",
                "работает с ключом другой организации: исправьте fsrar_id или адрес в настройках; работа продолжится сама.",
                "has another organisation's key: mend fsrar_id or the address in the settings; work goes on by itself.",
            )),
            What::NoAnswer(_) | What::Garbled(_) | What::Absent | What::Refused(_) => {
                Failure::Retry(
                    reason(
                        "utm_no_answer",
                        "не ответил понятно: Паром сначала проверит, принят ли документ, и только потом повторит его.",
                        "gave no answer that can be understood: Parom first looks whether the document was taken.",
                    ),
                    None,
                )
            }
        }
    }
}
