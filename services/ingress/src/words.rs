//! Why a webhook could not be read, in words for the shop.

#[cfg(test)]
mod tests;

use bitrix::{
    order::OrderError,
    rest::{RestError, RestErrorKind},
};
use events::{Order, ShopId};
use runtime::{Class, Failure, Reason};

/// What a portal was asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Asked {
    /// An order.
    Order,
    /// The order of a payment or of a shipment.
    Part,
}

/// The order itself is wrong.
pub(crate) fn broken(error: &OrderError) -> Failure {
    let text = error.text();
    Failure::Dead(Reason::new(Class::Invalid, error.code(), text.ru, text.en))
}

/// The order has a status that the configuration does not know.
pub(crate) fn unknown_status(order: &Order) -> Failure {
    let (number, status) = (&order.key.number, &order.status);
    Failure::Dead(Reason::new(
        Class::Invalid,
        "status_unknown",
        format!(
            "Заказ № {number}: Парому не сказано, что значит статус «{status}». \
             Впишите его в [shops.{shop}.statuses] и повторите.",
            shop = order.key.shop
        ),
        format!(
            "Order {number}: Parom was not told what the status “{status}” means. \
             Put it into [shops.{shop}.statuses] and replay.",
            shop = order.key.shop
        ),
    ))
}

/// The shop is not in the configuration any more, or without the side that called.
pub(crate) fn unknown_shop(shop: &ShopId) -> Failure {
    Failure::Dead(Reason::new(
        Class::Invalid,
        "shop_unknown",
        format!("Магазина «{shop}» больше нет в настройках Парома. Верните его и повторите."),
        format!("The shop “{shop}” is not in Parom's settings any more. Put it back and replay."),
    ))
}

/// The message is none for the reader: a mistake of ours.
pub(crate) fn not_a_webhook() -> Failure {
    Failure::Dead(Reason::new(
        Class::Internal,
        "not_a_webhook",
        "В очередь вебхуков попало другое сообщение. Передайте это разработчикам Парома.",
        "Another message came into the queue of webhooks. Pass this to Parom's developers.",
    ))
}

/// PostgreSQL did not answer.
#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
pub(crate) fn database(error: sqlx::Error) -> Failure {
    let reason = Reason::new(
        Class::Unavailable,
        "database_unavailable",
        "Не отвечает база данных Парома. Повторим сами.",
        "Parom's database does not answer. It is tried again by itself.",
    );
    Failure::Retry(reason.evidence(&error.to_string()), None)
}

/// The portal did not give what was asked for, which is named before the portal's words.
pub(crate) fn portal(error: RestError, asked: Asked, id: u64) -> Failure {
    let (ru, en) = match asked {
        // Its number is in what could not be read.
        Asked::Order => ("Заказ с ID", "The order with the id"),
        Asked::Part => ("Оплата или отгрузка с ID", "The payment or shipment with the id"),
    };
    Failure::from(error).about(&format!("{ru} {id}"), &format!("{en} {id}"))
}

/// Whether the call only has to wait for its turn within the portal's limit.
pub(crate) fn busy(error: &RestError) -> Option<std::time::Duration> {
    match &error.kind {
        RestErrorKind::Busy { after } => Some(*after),
        _ => None,
    }
}
