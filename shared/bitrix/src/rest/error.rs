//! What a failed call means, and what follows from that: Bitrix's error table.
//!
//! Bitrix writes an error's code as a text, a number or an empty text, and gives the same HTTP
//! status to different troubles (503 is a rate limit, a manual block or a fault): the code decides
//! first, the status only where the code says nothing.

use std::time::Duration;

use runtime::{Class, Failure, Reason};
use time::OffsetDateTime;

/// A call that did not give its result. Neither the address nor a secret is part of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{method}: {kind}")]
pub struct RestError {
    /// The REST method.
    pub method: &'static str,
    /// What it means.
    pub kind: RestErrorKind,
}

/// The meanings that are acted upon differently.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RestErrorKind {
    /// Our own limiter says that the portal's limit is used up for longer than a call may wait.
    /// Nothing was sent.
    #[error("the portal's limit is used up for {} ms", .after.as_millis())]
    Busy {
        /// When there is room again.
        after: Duration,
    },
    /// `QUERY_LIMIT_EXCEEDED`, several times in a row: others use the portal as well. Nothing was
    /// done.
    #[error("the portal refuses further requests for now")]
    QueryLimit,
    /// `OPERATION_TIME_LIMIT`: this method has used up its operating time. Nothing was done.
    #[error("the portal has paused this method until {until}")]
    OperationTimeLimit {
        /// When it may be called again.
        until: OffsetDateTime,
    },
    /// `OVERLOAD_LIMIT`: Bitrix has blocked the portal's REST by hand.
    #[error("the portal's REST is blocked")]
    Overload,
    /// 401: the webhook was deleted, or its address is wrong.
    #[error("the webhook is not known ({code})")]
    Unauthorized {
        /// Bitrix's code.
        code: String,
    },
    /// 403: the webhook lacks a right, or its owner does.
    #[error("the webhook has no right to this ({code})")]
    Forbidden {
        /// Bitrix's code.
        code: String,
    },
    /// 200540400001: there is no such order, or no longer.
    #[error("there is no such order")]
    NoSuchOrder,
    /// There is no such payment or shipment (200640400001, 201140400001), or another entity.
    #[error("there is no such entity ({code})")]
    NotFound {
        /// Bitrix's code.
        code: String,
    },
    /// Bitrix will say the same the next time.
    #[error("refused ({code}): {description}")]
    Invalid {
        /// Bitrix's code, or the HTTP status where there is none.
        code: String,
        /// Bitrix's words.
        description: String,
    },
    /// Bitrix's own fault: what the call did is not known.
    #[error("Bitrix failed (HTTP {status}, {code})")]
    ServerError {
        /// The HTTP status.
        status: u16,
        /// Bitrix's code, if any.
        code: String,
    },
    /// No connection: nothing was sent.
    #[error("no connection: {0}")]
    NotSent(String),
    /// The request left and no answer came: what it did is not known.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// The answer is none of Bitrix's: what the call did is not known.
    #[error("the answer (HTTP {status}) cannot be read")]
    Garbled {
        /// The HTTP status.
        status: u16,
    },
    /// The limiter's table did not answer. Nothing was sent.
    #[error("the limiter did not answer: {0}")]
    Limiter(String),
}

impl RestErrorKind {
    /// Whether the call may have had its effect all the same.
    #[must_use]
    pub fn is_unsettled(&self) -> bool {
        matches!(self, Self::ServerError { .. } | Self::NoAnswer(_) | Self::Garbled { .. })
    }

    /// The meaning of an error answer: the code decides, then the HTTP status.
    pub(super) fn of(status: u16, code: &str, description: &str, reset: OffsetDateTime) -> Self {
        let text = code.to_owned();
        match (code, status) {
            ("QUERY_LIMIT_EXCEEDED", _) => Self::QueryLimit,
            ("OPERATION_TIME_LIMIT", _) => Self::OperationTimeLimit { until: reset },
            ("OVERLOAD_LIMIT", _) => Self::Overload,
            ("200540400001", _) => Self::NoSuchOrder,
            ("200640400001" | "201140400001" | "NOT_FOUND" | "ERROR_NOT_FOUND", _) => {
                Self::NotFound { code: text }
            }
            ("expired_token" | "invalid_token" | "NO_AUTH_FOUND", _) => {
                Self::Unauthorized { code: text }
            }
            (
                "insufficient_scope"
                | "INVALID_CREDENTIALS"
                | "ACCESS_DENIED"
                | "user_access_error"
                | "200040300020",
                _,
            ) => Self::Forbidden { code: text },
            ("INTERNAL_SERVER_ERROR" | "ERROR_UNEXPECTED_ANSWER", _) => {
                Self::ServerError { status, code: text }
            }
            (_, 401) => Self::Unauthorized { code: text },
            (_, 403) => Self::Forbidden { code: text },
            (_, 429) => Self::QueryLimit,
            (_, 408 | 500..) => Self::ServerError { status, code: text },
            _ => Self::Invalid { code: text, description: description.chars().take(300).collect() },
        }
    }
}

/// The whole retry table.
///
/// Never [`Failure::Down`]: portals are many, and one that is away must not hold up the others.
impl From<RestError> for Failure {
    fn from(error: RestError) -> Self {
        use RestErrorKind as Kind;
        let reason = reason(&error);
        match &error.kind {
            Kind::Busy { after } => Self::Retry(reason, Some(*after)),
            Kind::OperationTimeLimit { until } => {
                let wait = Duration::try_from(*until - OffsetDateTime::now_utc());
                Self::Retry(reason, Some(wait.unwrap_or_default().max(Duration::from_secs(1))))
            }
            Kind::QueryLimit
            | Kind::ServerError { .. }
            | Kind::NotSent(_)
            | Kind::NoAnswer(_)
            | Kind::Garbled { .. }
            | Kind::Limiter(_) => Self::Retry(reason, None),
            Kind::Overload
            | Kind::Unauthorized { .. }
            | Kind::Forbidden { .. }
            | Kind::NoSuchOrder
            | Kind::NotFound { .. }
            | Kind::Invalid { .. } => Self::Dead(reason),
        }
    }
}

fn reason(error: &RestError) -> Reason {
    let (class, code, ru, en) = words(&error.kind);
    Reason::new(class, code, ru, en).evidence(&error.to_string())
}

type Words = (Class, &'static str, &'static str, &'static str);

/// Class, machine word, and whole sentences for the shop. The order's number is put before them
/// by whoever knows it.
fn words(kind: &RestErrorKind) -> Words {
    use RestErrorKind as Kind;
    match kind {
        Kind::Busy { .. } | Kind::QueryLimit => (
            Class::Unavailable,
            "bitrix_rate_limit",
            "Битрикс24 принимает не больше запросов, чем разрешает тариф. Повторим сами.",
            "Bitrix24 takes no more requests than its plan allows. It is tried again by itself.",
        ),
        Kind::OperationTimeLimit { .. } => (
            Class::Unavailable,
            "bitrix_operation_limit",
            "Битрикс24 на время закрыл метод: исчерпано время его работы. Повторим сами.",
            "Bitrix24 has paused the method: its operating time is used up. It is tried again by itself.",
        ),
        Kind::ServerError { .. } | Kind::NotSent(_) | Kind::NoAnswer(_) | Kind::Garbled { .. } => (
            Class::Unavailable,
            "bitrix_unavailable",
            "Битрикс24 не отвечает как должен. Повторим сами.",
            "Bitrix24 does not answer as it should. It is tried again by itself.",
        ),
        Kind::Limiter(_) => (
            Class::Unavailable,
            "limiter_unavailable",
            "Не отвечает база данных со счётчиком запросов к Битрикс24. Повторим сами.",
            "The database that counts the requests to Bitrix24 does not answer. It is tried again by itself.",
        ),
        Kind::Overload | Kind::Unauthorized { .. } | Kind::Forbidden { .. } => portal_words(kind),
        Kind::NoSuchOrder | Kind::NotFound { .. } | Kind::Invalid { .. } => order_words(kind),
    }
}

/// What an administrator of the portal must mend.
fn portal_words(kind: &RestErrorKind) -> Words {
    match kind {
        RestErrorKind::Overload => (
            Class::Unavailable,
            "bitrix_blocked",
            "Битрикс24 заблокировал REST портала из-за нагрузки. Обратитесь в его поддержку, затем повторите.",
            "Bitrix24 has blocked the portal's REST because of its load. Ask Bitrix24's support, then replay.",
        ),
        RestErrorKind::Unauthorized { .. } => (
            Class::Invalid,
            "bitrix_webhook_revoked",
            "Битрикс24 не узнаёт входящий вебхук: он удалён или адрес неверен. \
             Создайте его заново, впишите в portal.webhook_url и повторите.",
            "Bitrix24 does not know the incoming webhook: it was deleted, or its address is wrong. \
             Make a new one, put it into portal.webhook_url and replay.",
        ),
        _ => (
            Class::Invalid,
            "bitrix_no_right",
            "У входящего вебхука Битрикс24 нет нужного права. Вебхук создаёт администратор \
             с правами sale, crm и im; исправьте и повторите.",
            "The incoming webhook of Bitrix24 lacks a right. An administrator makes it with the \
             rights sale, crm and im; mend it and replay.",
        ),
    }
}

/// What is wrong with the order, or with what was asked for it.
fn order_words(kind: &RestErrorKind) -> Words {
    match kind {
        RestErrorKind::NoSuchOrder => (
            Class::Invalid,
            "bitrix_no_order",
            "В Битрикс24 нет такого заказа: его удалили. Записать на нём ничего нельзя; \
             если он удалён намеренно, закройте эту запись.",
            "Bitrix24 has no such order: it was deleted. Nothing can be written on it; if that \
             was meant, discard this letter.",
        ),
        RestErrorKind::NotFound { .. } => (
            Class::Invalid,
            "bitrix_not_found",
            "В Битрикс24 нет того, о чём идёт речь: оплату, отгрузку или запись удалили. Проверьте заказ; \
             если так и надо, закройте эту запись.",
            "Bitrix24 has no such payment, shipment or entry: it was deleted. Look at the order; if that \
             was meant, discard this letter.",
        ),
        _ => (
            Class::Refused,
            "bitrix_refused",
            "Битрикс24 отказал: посмотрите его ответ, исправьте настройку или заказ и повторите.",
            "Bitrix24 refused: see its answer, mend the settings or the order and replay.",
        ),
    }
}
