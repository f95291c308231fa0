//! What this service says: sentences for answers, statuses for the shop, reasons for people on
//! duty.

mod api;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use events::{Event, Fact, Money, OrderRef, Phase, Status, Text};
use runtime::{Class, Failure, Reason, Worker as _};
use time::OffsetDateTime;

pub use self::api::{API, api};
use crate::{
    Loyalty, ask,
    ledger::{Kind, Request},
    store::Entry,
};

/// How a line of the history is headed.
#[must_use]
pub fn title(entry: &Entry) -> Text {
    let order = entry.order.as_deref();
    let (ru, en) = match (entry.kind, order) {
        (Kind::Accrual | Kind::Debit, None) => ("Покупка в магазине", "In-store purchase"),
        (Kind::Accrual, Some(_)) => ("Баллы за заказ", "Points for an order"),
        (Kind::Debit | Kind::Capture, Some(_)) => {
            ("Оплата заказа баллами", "Order paid with points")
        }
        (Kind::Capture, None) => ("Покупка в магазине", "In-store purchase"),
        (Kind::Hold, _) => ("Баллы удержаны", "Points held"),
        // A released hold changes nothing; a voided purchase does.
        (Kind::Release, _) if entry.change == 0 => ("Удержание снято", "Points released"),
        (Kind::Release | Kind::Reversal, _) => ("Возврат", "Return"),
        (Kind::Adjustment, _) => ("Исправление", "Adjustment"),
        (Kind::Maturity, _) => ("Баллы стали доступны", "Points became available"),
        (Kind::Expiry, _) => ("Баллы сгорели", "Points expired"),
    };
    match order {
        Some(order) => Text::new(format!("{ru} № {order}"), format!("{en} {order}")),
        None => Text::new(ru, en),
    }
}

/// A store sends nothing any more, for whom alerts are posted to.
pub(crate) fn silent_store(store: &str) -> Text {
    Text::new(
        format!(
            "Магазин {store} перестал присылать операции с баллами: проверьте обмен на стороне 1С."
        ),
        format!("Store {store} sends no operations any more: check the exchange on 1C's side."),
    )
}

/// What an operation on an order came to, for the shop.
pub(crate) fn moved(
    cause: &Event,
    order: &OrderRef,
    request: &Request,
    kopecks: i64,
    now: OffsetDateTime,
) -> Event {
    let (number, points) = (&order.number, Money::from_kopecks(kopecks));
    let (phase, code, ru, en) = match request.what.kind() {
        Kind::Hold => (Phase::Working, "points_held", "удержано баллов", "points held"),
        Kind::Capture | Kind::Debit => {
            (Phase::Done, "points_spent", "списано баллов", "points spent")
        }
        Kind::Accrual => (Phase::Done, "points_earned", "начислено баллов", "points earned"),
        Kind::Release => {
            (Phase::Done, "points_released", "снято удержание баллов", "points released")
        }
        _ if ask::takes_earned_back(request) => (
            Phase::Done,
            "points_taken_back",
            "снято начисленных баллов",
            "earned points taken back",
        ),
        _ => (
            Phase::Done,
            "points_returned",
            "возвращено списанных баллов",
            "spent points given back",
        ),
    };
    let text = Text::new(
        format!("Заказ № {number}: {ru} — {points}."),
        format!("Order {number}: {en}: {points}."),
    );
    // Of several operations of one fact each is told.
    let step = format!("{code}:{}", request.key.external_id);
    status(cause, order, phase, (code, &step), text, now)
}

/// The buyer of the order is not known yet, or is one of several.
pub(crate) fn parked(cause: &Event, order: &OrderRef, now: OffsetDateTime) -> Event {
    let number = &order.number;
    let text = Text::new(
        format!("Заказ № {number}: баллы ждут, пока покупатель не станет известен."),
        format!("Order {number}: its points wait until the buyer is known."),
    );
    status(cause, order, Phase::Working, ("points_wait", "points_wait"), text, now)
}

fn status(
    cause: &Event,
    order: &OrderRef,
    phase: Phase,
    (code, step): (&str, &str),
    text: Text,
    now: OffsetDateTime,
) -> Event {
    let status = Status {
        service: Loyalty::SERVICE.to_owned(),
        order: order.clone(),
        cause: cause.id(),
        step: step.to_owned(),
        phase,
        code: code.to_owned(),
        text,
        properties: BTreeMap::new(),
        links: BTreeMap::new(),
    };
    Event::new(Fact::StatusChanged(Box::new(status)), now)
}

/// The order promises a discount for points that its buyer does not have.
pub(crate) fn points_insufficient(order: &OrderRef, asked: i64) -> Reason {
    let (number, points) = (&order.number, Money::from_kopecks(asked));
    Reason::new(
        Class::Refused,
        "points_insufficient",
        format!(
            "Заказ № {number}: у покупателя нет {points} баллов, на которые снижена цена. Снимите \
             скидку или отмените заказ; если баллы появились, повторите."
        ),
        format!(
            "Order {number}: its buyer does not have the {points} points by which the price is \
             lower. Take the discount off or cancel the order; if the points are there now, replay."
        ),
    )
}

/// The order is paid and asks for more points than it holds.
pub(crate) fn points_changed(order: &OrderRef, asked: i64, held: i64) -> Reason {
    let number = &order.number;
    let (asked, held) = (Money::from_kopecks(asked), Money::from_kopecks(held));
    Reason::new(
        Class::Invalid,
        "points_changed",
        format!(
            "Заказ № {number}: удержано {held} баллов, а в оплаченном заказе их {asked}. Исправьте \
             разницу вручную (корректировкой) и закройте это сообщение."
        ),
        format!(
            "Order {number}: {held} points are held, and the paid order has {asked}. Put the \
             difference right by hand (an adjustment) and discard this."
        ),
    )
}

/// The number of points in the order cannot be read.
pub(crate) fn points_invalid(order: &OrderRef, property: &str) -> Failure {
    let number = &order.number;
    Failure::Dead(Reason::new(
        Class::Invalid,
        "points_invalid",
        format!(
            "Заказ № {number}: число баллов в свойстве {property} не читается. Исправьте свойство \
             заказа и сохраните заказ."
        ),
        format!(
            "Order {number}: the number of points in property {property} cannot be read. Mend the \
             order's property and save the order."
        ),
    ))
}

/// Points are to be spent, and the order names no user of the shop: a typed phone shows nothing.
pub(crate) fn buyer_unknown(order: &OrderRef) -> Failure {
    let number = &order.number;
    Failure::Dead(Reason::new(
        Class::Invalid,
        "buyer_unknown",
        format!(
            "Заказ № {number}: неизвестно, чьи баллы списать — у заказа нет покупателя, а телефон \
             гостя ничего не доказывает. Укажите покупателя в заказе или снимите скидку за баллы."
        ),
        format!(
            "Order {number}: it is not known whose points to take: the order has no user, and a \
             guest's phone proves nothing. Name the buyer in the order, or take the discount for \
             points off."
        ),
    ))
}

/// The order's sums cannot be.
pub(crate) fn sums_wrong(order: &OrderRef) -> Failure {
    let number = &order.number;
    Failure::Dead(Reason::new(
        Class::Invalid,
        "sum_mismatch",
        format!(
            "Заказ № {number}: баллы не начислены, потому что цена заказа больше суммы его строк. \
             Исправьте заказ или начислите баллы корректировкой."
        ),
        format!(
            "Order {number}: no points, because its price is above the sum of its lines. Mend the \
             order or give the points by an adjustment."
        ),
    ))
}

/// What came back is not in the order any more.
pub(crate) fn return_unclear(order: &OrderRef) -> Failure {
    let number = &order.number;
    Failure::Dead(Reason::new(
        Class::Invalid,
        "return_unclear",
        format!(
            "Заказ № {number}: возвращённых строк уже нет в заказе, доля баллов неизвестна. \
             Верните баллы корректировкой."
        ),
        format!(
            "Order {number}: the returned lines are not in the order any more, so the share of \
             points is not known. Return the points by an adjustment."
        ),
    ))
}

/// An operation of ours was refused where that cannot be.
pub(crate) fn refused(order: &OrderRef, word: &str) -> Failure {
    let number = &order.number;
    let reason = Reason::new(
        Class::Internal,
        "operation_refused",
        format!(
            "Заказ № {number}: учёт баллов отказал в операции; передайте номер заказа в поддержку."
        ),
        format!("Order {number}: the ledger refused; give the order's number to support."),
    );
    Failure::Dead(reason.evidence(word))
}

/// The event is of a kind that this service does not take.
pub(crate) fn fact_unexpected(event: &Event) -> Failure {
    let number = event.order().map_or("?", |order| order.number.as_str());
    Failure::Dead(Reason::new(
        Class::Internal,
        "fact_unexpected",
        format!(
            "Заказ № {number}: сервис баллов получил чужое событие; передайте номер заказа в \
             поддержку."
        ),
        format!(
            "Order {number}: the service of points got an event that is not for it; give the \
             order's number to support."
        ),
    ))
}

/// PostgreSQL does not answer.
pub(crate) fn store_away(order: &OrderRef) -> Failure {
    let number = &order.number;
    let reason = Reason::new(
        Class::Unavailable,
        "store_away",
        format!("Баллы по заказу № {number}: база данных недоступна; попытка повторится сама."),
        format!("Points of order {number}: PostgreSQL is away; it is tried again by itself."),
    );
    Failure::Retry(reason, None)
}

/// 1C is the master and away, and the settings say that nothing is spent on the site meanwhile.
pub(crate) fn onec_away(order: &OrderRef) -> Reason {
    let number = &order.number;
    Reason::new(
        Class::Unavailable,
        "onec_away",
        format!(
            "Заказ № {number}: 1С недоступна, поэтому баллы не удержаны. Снимите скидку за баллы \
             или повторите, когда 1С заработает."
        ),
        format!(
            "Order {number}: 1C is away, so no points are held. Take the discount for points off, \
             or replay when 1C is back."
        ),
    )
}

/// 1C is the master and knows customers by phone alone, and none is surely the buyer's.
pub(crate) fn phone_missing(order: &OrderRef) -> Reason {
    let number = &order.number;
    Reason::new(
        Class::Invalid,
        "phone_missing",
        format!(
            "Баллы по заказу № {number}: у покупателя нет своего подтверждённого телефона, а 1С узнаёт \
             покупателей только по телефону. Запишите ему телефон и повторите."
        ),
        format!(
            "Points of order {number}: no phone is proven to be the buyer's alone, and 1C knows customers \
             by nothing else. Give him one, then replay."
        ),
    )
}
