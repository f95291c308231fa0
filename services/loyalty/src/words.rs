//! What this service says: sentences for answers, statuses for the shop, reasons for people on
//! duty.

use std::collections::BTreeMap;

use events::{Event, Fact, Money, OrderRef, Phase, Status, Text};
use runtime::{Class, Failure, Reason, Worker as _};
use time::OffsetDateTime;

use crate::{Loyalty, ledger::Kind, store::Entry};

/// Sentences of the HTTP interface by code. A code without one is a mistake of ours, and a test
/// looks for it.
pub const API: [(&str, &str, &str); 40] = [
    (
        "unauthorized",
        "Ключ в заголовке X-API-Key не указан или неверен.",
        "The key in the header X-API-Key is missing or wrong.",
    ),
    ("forbidden", "Этому ключу такое действие не разрешено.", "This key may not do that."),
    (
        "too_many_requests",
        "Слишком много запросов: повторите через время из заголовка Retry-After.",
        "Too many requests: try again after the time in Retry-After.",
    ),
    (
        "unavailable",
        "Учёт баллов сейчас недоступен. Повторите тот же запрос: дважды он не проведётся.",
        "The ledger is not available now. Repeat the same request: it will not be carried out twice.",
    ),
    (
        "invalid_json",
        "Тело запроса — не JSON ожидаемого вида.",
        "The body is not JSON of the expected form.",
    ),
    ("invalid_query", "Параметры запроса не читаются.", "The query's parameters cannot be read."),
    (
        "body_too_large",
        "Запрос слишком велик: пакет не больше 4 МБ, одна операция не больше 64 КБ.",
        "The request is too large: 4 MB for a batch, 64 KB for one operation.",
    ),
    (
        "too_many_items",
        "В пакете больше 10 000 операций: разделите его.",
        "The batch has more than 10 000 operations: divide it.",
    ),
    (
        "unknown_field",
        "В операции есть поле, которого мы не знаем.",
        "The operation has a field that we do not know.",
    ),
    (
        "unknown_type",
        "Неизвестный вид операции в поле type.",
        "The kind of operation in type is unknown.",
    ),
    (
        "invalid_external_id",
        "Поле external_id не указано, длиннее 200 знаков или содержит служебные знаки.",
        "external_id is missing, longer than 200 characters, or has control characters.",
    ),
    (
        "invalid_text",
        "Текстовое поле длиннее 500 знаков или содержит служебные знаки.",
        "A text is longer than 500 characters or has control characters.",
    ),
    (
        "invalid_phone",
        "Телефон не читается: нужен номер вида +7 и десять цифр.",
        "The phone cannot be read: +7 and ten digits are expected.",
    ),
    (
        "phone_missing",
        "Не указано, чьи это баллы: нужен user_phone, или user_id вместе с shop.",
        "It is not said whose points: user_phone, or user_id with shop.",
    ),
    ("invalid_shop", "Такого имени магазина не бывает.", "This is no shop's name."),
    (
        "invalid_time",
        "Дата не читается или неуместна: ожидается 2026-01-10T12:00:00+03:00.",
        "The time cannot be read or does not fit: 2026-01-10T12:00:00+03:00 is expected.",
    ),
    (
        "clock_wrong",
        "Время операции слишком далеко от нашего: проверьте часы кассы.",
        "The operation's time is too far from ours: check the register's clock.",
    ),
    (
        "invalid_amount",
        "Сумма не указана или не читается.",
        "The amount is missing or cannot be read.",
    ),
    (
        "amount_not_positive",
        "Сумма должна быть больше нуля; отмена начисления — операция reversal.",
        "The amount must be above zero; an accrual is undone with reversal.",
    ),
    (
        "amount_too_precise",
        "В сумме больше двух знаков после запятой.",
        "The amount has more than two decimals.",
    ),
    ("amount_too_large", "Сумма слишком велика.", "The amount is too large."),
    (
        "reference_missing",
        "Не указано, к какой операции относится эта: нужно поле reference.",
        "The field reference must name the operation that this one refers to.",
    ),
    ("reference_to_itself", "Операция ссылается на саму себя.", "The operation refers to itself."),
    ("author_missing", "Не указано, кто это делает.", "It is not said who does this."),
    ("reason_missing", "Не указано, почему.", "It is not said why."),
    (
        "user_not_found",
        "Покупателя с таким телефоном или номером нет.",
        "There is no customer with this phone or number.",
    ),
    (
        "ambiguous_customer",
        "Этот телефон указан у нескольких покупателей: разобраться должен человек.",
        "Several customers have this phone: a person must decide.",
    ),
    ("exception_not_found", "Такого открытого исключения нет.", "There is no such open exception."),
    (
        "insufficient_balance",
        "Баллов недостаточно: отмените скидку или попросите доплатить.",
        "There are not enough points: void the discount or ask for another payment.",
    ),
    ("exceeds_hold", "Сумма больше удержанной.", "The amount is more than is held."),
    (
        "exceeds_original",
        "Сумма больше того, что осталось отменить.",
        "The amount is more than is left to undo.",
    ),
    (
        "amount_differs",
        "Удержание снимается целиком: сумма должна совпадать.",
        "A hold is released as a whole: the amount must be the same.",
    ),
    ("already_captured", "Удержанные баллы уже списаны.", "The held points are spent already."),
    ("already_released", "Уже снято.", "Released already."),
    ("already_reversed", "Уже отменено.", "Undone already."),
    (
        "nothing_to_undo",
        "Отменять нечего: исходная операция не была проведена.",
        "There is nothing to undo: the original was not carried out.",
    ),
    (
        "wrong_reference",
        "Исходная операция другого вида или другого покупателя.",
        "The original is of another kind or another customer's.",
    ),
    (
        "conflict_payload_mismatch",
        "Операция с таким external_id уже есть, но другая. Новому документу нужен новый external_id.",
        "There is another operation of this external_id. A new document needs a new one.",
    ),
    (
        "parked_unknown_customer",
        "Покупатель пока неизвестен: операция проведётся, когда он появится.",
        "The customer is not known yet: the operation is carried out when he is.",
    ),
    (
        "parked",
        "Исходная операция ещё не пришла: эта проведётся вслед за ней.",
        "The original has not come yet: this one follows it.",
    ),
];

/// The sentence of a code of the HTTP interface.
#[must_use]
pub fn api(code: &str) -> Text {
    let found = API.iter().find(|(known, ..)| *known == code);
    found.map_or_else(|| Text::new(code, code), |(_, ru, en)| Text::new(*ru, *en))
}

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
        (Kind::Release, _) => ("Удержание снято", "Points released"),
        (Kind::Reversal, _) => ("Возврат", "Return"),
        (Kind::Adjustment, _) => ("Исправление", "Adjustment"),
        (Kind::Maturity, _) => ("Баллы стали доступны", "Points became available"),
        (Kind::Expiry, _) => ("Баллы сгорели", "Points expired"),
    };
    match order {
        Some(order) => Text::new(format!("{ru} № {order}"), format!("{en} {order}")),
        None => Text::new(ru, en),
    }
}

/// What an operation on an order came to, for the shop.
pub(crate) fn moved(
    cause: &Event,
    order: &OrderRef,
    kind: Kind,
    kopecks: i64,
    now: OffsetDateTime,
) -> Event {
    let (number, points) = (&order.number, Money::from_kopecks(kopecks));
    let (phase, code, ru, en) = match kind {
        Kind::Hold => (Phase::Working, "points_held", "удержано баллов", "points held"),
        Kind::Capture | Kind::Debit => {
            (Phase::Done, "points_spent", "списано баллов", "points spent")
        }
        Kind::Accrual => (Phase::Done, "points_earned", "начислено баллов", "points earned"),
        Kind::Release => {
            (Phase::Done, "points_released", "снято удержание баллов", "points released")
        }
        _ => (Phase::Done, "points_returned", "возврат, баллов", "points of the return"),
    };
    let text = Text::new(
        format!("Заказ № {number}: {ru} — {points}."),
        format!("Order {number}: {en}: {points}."),
    );
    status(cause, order, phase, code, text, now)
}

/// The buyer of the order is not known yet, or is one of several.
pub(crate) fn parked(cause: &Event, order: &OrderRef, now: OffsetDateTime) -> Event {
    let number = &order.number;
    let text = Text::new(
        format!("Заказ № {number}: баллы ждут, пока покупатель не станет известен."),
        format!("Order {number}: its points wait until the buyer is known."),
    );
    status(cause, order, Phase::Working, "points_wait", text, now)
}

fn status(
    cause: &Event,
    order: &OrderRef,
    phase: Phase,
    code: &str,
    text: Text,
    now: OffsetDateTime,
) -> Event {
    let status = Status {
        service: Loyalty::SERVICE.to_owned(),
        order: order.clone(),
        cause: cause.id(),
        step: code.to_owned(),
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

/// Points are to be spent, and the order says neither who buys nor his phone.
pub(crate) fn buyer_unknown(order: &OrderRef) -> Failure {
    let number = &order.number;
    Failure::Dead(Reason::new(
        Class::Invalid,
        "buyer_unknown",
        format!(
            "Заказ № {number}: неизвестно, чьи баллы списать — нет ни покупателя, ни телефона. \
             Укажите покупателя в заказе."
        ),
        format!(
            "Order {number}: it is not known whose points to take: there is neither a buyer nor a \
             phone. Name the buyer in the order."
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
