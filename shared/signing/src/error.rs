//! What can go wrong with a signature, and what follows: the retry table.

use std::time::Duration;

use runtime::{Class, Failure, Reason};
use time::{Date, OffsetDateTime};

/// Why there is no signature. None of these has had an effect: signing changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// Too many signatures are asked for at once; this one was not begun.
    #[error("too many signatures are being made at once")]
    Busy,
    /// The program, the engine or the temporary folder is not there.
    #[error("the signer is not installed: {0}")]
    Missing(String),
    /// The key cannot be opened, or does not fit the certificate.
    #[error("the key cannot be used: {0}")]
    KeyUnusable(String),
    /// The certificate has ended.
    #[error("the certificate ended at {0}")]
    Expired(OffsetDateTime),
    /// It took too long; a process was killed.
    #[error("no signature within {0:?}")]
    TimedOut(Duration),
    /// The program failed.
    #[error("the signer failed: {0}")]
    Failed(String),
    /// The remote signer does not answer, or fails.
    #[error("the remote signer is away: {0}")]
    Away(String),
    /// The remote signer does not take our token.
    #[error("the remote signer does not take the token")]
    Unauthorized,
    /// The remote signer will not sign this.
    #[error("the remote signer refuses with status {0}")]
    Refused(u16),
    /// What came back is not the signature that was asked for.
    #[error("what the signer gave is no such signature: {0}")]
    Malformed(&'static str),
}

impl SignError {
    /// What follows for the job of the order with this number.
    ///
    /// What is wrong with the signer is wrong for every order, so the worker stops taking work
    /// ([`Failure::Down`]) instead of burning the attempts of each.
    pub fn failure(&self, order: &str) -> Failure {
        let (class, code, ru, en) = self.words();
        let reason = Reason::new(
            class,
            code,
            format!("Документ по заказу № {order} не подписан: {ru}"),
            format!("The document for order {order} is not signed: {en}"),
        )
        .evidence(&self.to_string());
        match self {
            Self::Missing(_)
            | Self::KeyUnusable(_)
            | Self::Expired(_)
            | Self::Away(_)
            | Self::Unauthorized => Failure::Down(reason),
            Self::Busy | Self::TimedOut(_) | Self::Failed(_) | Self::Malformed(_) => {
                Failure::Retry(reason, None)
            }
            Self::Refused(_) => Failure::Dead(reason),
        }
    }

    /// Class, machine word, and what to do in Russian and English.
    #[must_use]
    pub fn words(&self) -> (Class, &'static str, String, String) {
        let fixed = |class, code, ru: &str, en: &str| (class, code, ru.to_owned(), en.to_owned());
        match self {
            Self::Busy => fixed(
                Class::Unavailable,
                "signer_busy",
                "подписывается слишком много документов сразу; попытка повторится сама.",
                "too many signatures are made at once; it is tried again by itself.",
            ),
            Self::Missing(_) => fixed(
                Class::Invalid,
                "signer_missing",
                "на сервере нет средства подписи. Установите его (docs/signing.md); работа продолжится сама.",
                "the signing program is not installed. Install it (docs/signing.md); work goes on by itself.",
            ),
            Self::KeyUnusable(_) => fixed(
                Class::Invalid,
                "signer_key",
                "ключ подписи не открывается или не подходит к сертификату. Проверьте ключ, пароль и сертификат (SIGNER_…); работа продолжится сама.",
                "the key cannot be opened or does not fit the certificate. Check key, password and certificate (SIGNER_…); work goes on by itself.",
            ),
            Self::Expired(at) => expired(at.date()),
            Self::TimedOut(_) => fixed(
                Class::Unavailable,
                "signer_slow",
                "средство подписи не ответило вовремя; попытка повторится сама.",
                "the signer did not answer in time; it is tried again by itself.",
            ),
            Self::Failed(_) => fixed(
                Class::Unavailable,
                "signer_failed",
                "средство подписи сообщило об ошибке; попытка повторится сама. Если не пройдёт, проверьте его на сервере.",
                "the signer reported an error; it is tried again by itself. If that does not help, look at it on the server.",
            ),
            Self::Away(_) => fixed(
                Class::Unavailable,
                "signer_away",
                "сервис подписи не отвечает; попытка повторится сама.",
                "the remote signer does not answer; it is tried again by itself.",
            ),
            Self::Unauthorized => fixed(
                Class::Invalid,
                "signer_token",
                "сервис подписи не принимает ключ доступа. Проверьте SIGNER_REMOTE_TOKEN или SIGNER_DSS_LOGIN и SIGNER_DSS_PASSWORD; работа продолжится сама.",
                "the remote signer does not take the token. Check SIGNER_REMOTE_TOKEN, or SIGNER_DSS_LOGIN and SIGNER_DSS_PASSWORD; work goes on by itself.",
            ),
            Self::Refused(_) => fixed(
                Class::Refused,
                "signer_refused",
                "сервис подписи отказался подписывать этот документ. Выясните причину у того, кто за него отвечает, и повторите.",
                "the remote signer will not sign this document. Ask whoever runs it, then replay.",
            ),
            Self::Malformed(_) => fixed(
                Class::Internal,
                "signer_malformed",
                "средство подписи вернуло не то, о чём его просили; попытка повторится сама. Если не пройдёт, проверьте его настройки.",
                "the signer gave something else than was asked for; it is tried again by itself. If that does not help, check its settings.",
            ),
        }
    }
}

fn expired(on: Date) -> (Class, &'static str, String, String) {
    (
        Class::Invalid,
        "signer_certificate_expired",
        format!(
            "сертификат подписи закончился {on}. Выпустите новый и укажите его в настройках; работа продолжится сама."
        ),
        format!(
            "the certificate ended on {on}. Get a new one and put it into the settings; work goes on by itself."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_the_signer_stops_the_worker_and_not_the_order() {
        let at = OffsetDateTime::UNIX_EPOCH;
        let down = [
            SignError::Missing("x".into()),
            SignError::KeyUnusable("x".into()),
            SignError::Expired(at),
            SignError::Away("x".into()),
            SignError::Unauthorized,
        ];
        for error in down {
            assert!(matches!(error.failure("7"), Failure::Down(_)), "{error}");
        }
        let again = [
            SignError::Busy,
            SignError::TimedOut(Duration::from_secs(1)),
            SignError::Failed("x".into()),
            SignError::Malformed("x"),
        ];
        for error in again {
            assert!(matches!(error.failure("7"), Failure::Retry(..)), "{error}");
        }
        let Failure::Dead(reason) = SignError::Refused(422).failure("7") else { panic!("dead") };
        assert!(reason.text.ru.contains("№ 7") && reason.text.en.contains("order 7"));
        assert_eq!(reason.class, Class::Refused);
    }
}
