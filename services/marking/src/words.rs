//! What this service says about orders: statuses for the shop, reasons for people on duty.

mod register;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use events::{Event, Fact, OrderRef, Phase, Status, Text};
use runtime::{Class, Failure, Reason, Worker as _};
use time::OffsetDateTime;

use crate::{
    Marking,
    gismt::documents::Refusal,
    http::texts,
    plan::Fault,
    store::{CodeStatus, Short, TakeRefusal},
};

/// A status of the order.
pub(crate) fn status(
    cause: &Event,
    order: &OrderRef,
    (phase, code): (Phase, &str),
    text: Text,
    now: OffsetDateTime,
) -> Event {
    let status = Status {
        service: Marking::SERVICE.to_owned(),
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

/// Codes are missing for the order: the storekeeper must scan.
pub(crate) fn short(order: &OrderRef, short: &[Short]) -> Text {
    let number = &order.number;
    let list = |missing: fn(&str, i64) -> String,
                taken: fn(&str, CodeStatus) -> String,
                surplus: fn(&str, i64) -> String|
     -> String {
        let one = |short: &Short| match short {
            Short::Missing { name, count } => missing(name, *count),
            Short::Taken { ki, status } => taken(ki, *status),
            Short::Surplus { name, count } => surplus(name, *count),
        };
        short.iter().map(one).collect::<Vec<_>>().join("; ")
    };
    let ru = list(
        |name, count| format!("«{name}» — не хватает {count}"),
        |ki, status| format!("код {ki} занят: он {}", texts::status_ru(status.as_str())),
        |name, count| format!("«{name}» — отсканировано лишних: {count}"),
    );
    let en = list(
        |name, count| format!("{name}: {count} missing"),
        |ki, status| format!("code {ki} is taken: it is {}", texts::status_en(status)),
        |name, count| format!("{name}: {count} scanned too many"),
    );
    Text::new(
        format!(
            "Заказ № {number}: кодов маркировки не хватает ({ru}). Загрузите коды или отсканируйте товар."
        ),
        format!("Order {number} is short of marking codes ({en}). Import codes or scan the goods."),
    )
}

/// More is scanned than the order wants since it was changed.
pub(crate) fn surplus(order: &OrderRef, surplus: &[Short]) -> Text {
    let number = &order.number;
    let names: Vec<String> = surplus
        .iter()
        .filter_map(|one| match one {
            Short::Surplus { name, count } => Some(format!("«{name}»: {count}")),
            _ => None,
        })
        .collect();
    let list = names.join("; ");
    Text::new(
        format!("Заказ № {number} изменён, отсканировано лишнее ({list}). Отвяжите лишние коды."),
        format!(
            "Order {number} was changed and has too much scanned ({list}). Unbind what is too much."
        ),
    )
}

/// Codes are set aside.
pub(crate) fn reserved(order: &OrderRef, count: i64) -> Text {
    let number = &order.number;
    Text::new(
        format!("Для заказа № {number} отложены коды маркировки: {count}."),
        format!("Marking codes are set aside for order {number}: {count}."),
    )
}

/// Documents are with the register.
pub(crate) fn working(order: &OrderRef) -> Text {
    let number = &order.number;
    Text::new(
        format!("Документы по кодам маркировки заказа № {number} готовы и уходят в Честный знак."),
        format!(
            "The documents on the marking codes of order {number} are made and go to Honest Sign."
        ),
    )
}

/// The receipt has not moved the codes for days.
pub(crate) fn receipt_late(order: &OrderRef, is_out: bool, hours: u64) -> Text {
    let number = &order.number;
    if is_out {
        Text::new(
            format!(
                "Заказ № {number} отгружен больше {hours} ч назад, а чек не вывел его коды маркировки из оборота. \
                 Проверьте, что чек пробит с кодами и дошёл до ОФД: закон ограничивает срок вывода."
            ),
            format!(
                "Order {number} left more than {hours} h ago, and its receipt has not withdrawn its marking codes. \
                 Check that the receipt has the codes and reached the fiscal data operator: the law limits the time."
            ),
        )
    } else {
        Text::new(
            format!(
                "Товар заказа № {number} вернулся больше {hours} ч назад, а чек возврата не вернул его коды \
                 маркировки в оборот. Проверьте, что чек возврата пробит с кодами и дошёл до ОФД."
            ),
            format!(
                "Goods of order {number} came back more than {hours} h ago, and the refund's receipt has not brought \
                 their marking codes back. Check that it has the codes and reached the fiscal data operator."
            ),
        )
    }
}

/// The law's time to withdraw the codes is over.
pub(crate) fn withdrawal_late(order: &OrderRef) -> Text {
    let number = &order.number;
    Text::new(
        format!(
            "Заказ № {number} отгружен, а его коды маркировки не выведены из оборота в срок, который даёт закон. \
             Паром продолжает; посмотрите документы заказа в личном кабинете Честного знака."
        ),
        format!(
            "Order {number} has left, and its marking codes were not withdrawn in the time that the law gives. \
             Parom goes on; look at the order's documents in the cabinet of Honest Sign."
        ),
    )
}

/// The codes are where they belong.
pub(crate) fn done(order: &OrderRef, is_out: bool, count: usize) -> Text {
    let number = &order.number;
    if is_out {
        Text::new(
            format!("Коды маркировки заказа № {number} выведены из оборота: {count}."),
            format!("The marking codes of order {number} are out of circulation: {count}."),
        )
    } else {
        Text::new(
            format!("Коды маркировки заказа № {number} возвращены в оборот: {count}."),
            format!("The marking codes of order {number} are back in circulation: {count}."),
        )
    }
}

/// The codes of a cancelled order are free.
pub(crate) fn freed(order: &OrderRef, count: usize) -> Text {
    let number = &order.number;
    Text::new(
        format!("Заказ № {number} отменён, коды маркировки освобождены: {count}."),
        format!("Order {number} is cancelled, its marking codes are free again: {count}."),
    )
}

/// No shop of this name is configured.
pub(crate) fn shop_unknown(order: &OrderRef) -> Failure {
    let OrderRef { number, shop, .. } = order;
    dead(
        Class::Invalid,
        "shop_unknown",
        format!(
            "В заказе № {number} есть маркированный товар, а магазина {shop} нет в настройках маркировки. \
             Добавьте его (MARKING_FILE) и повторите."
        ),
        format!(
            "Order {number} has marked goods, and shop {shop} is not among the settings of marking. Add it \
             (MARKING_FILE), then replay."
        ),
    )
}

/// A withdrawal by document must name its place.
pub(crate) fn place_missing(order: &OrderRef) -> Failure {
    let OrderRef { number, shop, .. } = order;
    dead(
        Class::Invalid,
        "place_missing",
        format!(
            "Коды заказа № {number} выводятся документом, а место деятельности магазина {shop} не указано. \
             Запишите fias_id в настройки маркировки (MARKING_FILE) и повторите."
        ),
        format!(
            "The codes of order {number} are withdrawn by document, and the place of activity of shop {shop} is not \
             set. Write fias_id into the settings of marking (MARKING_FILE), then replay."
        ),
    )
}

/// The event is of a kind that this service does not take.
pub(crate) fn fact_unexpected(event: &Event) -> Failure {
    let number = event.order().map_or("?", |order| order.number.as_str());
    dead(
        Class::Internal,
        "fact_unexpected",
        format!(
            "Заказ № {number}: сервис маркировки получил чужое событие; передайте номер в поддержку."
        ),
        format!(
            "Order {number}: the marking service got an event that is not for it; tell support."
        ),
    )
}

/// The order's own data do not say what must be known.
pub(crate) fn fault(order: &OrderRef, fault: &Fault) -> Failure {
    let number = &order.number;
    let (code, ru, en) = match fault {
        Fault::NotWhole(name) => (
            "quantity_not_whole",
            format!("количество маркированного товара «{name}» не целое"),
            format!("the quantity of the marked product {name} is not whole"),
        ),
        Fault::Mark(name, word) => (
            "mark_unreadable",
            format!("код маркировки товара «{name}» не читается ({})", register::label(word)),
            format!("the marking code of {name} cannot be read ({word})"),
        ),
        Fault::ProductUnknown(name) => (
            "product_unknown",
            format!("у маркированного товара «{name}» нет ни верного GTIN, ни внешнего кода"),
            format!("the marked product {name} has neither a right GTIN nor an external code"),
        ),
        Fault::NoShipment => (
            "shipment_missing",
            "в заказе нет отгрузки, о которой сказало событие".to_owned(),
            "the order does not have the shipment that the event is about".to_owned(),
        ),
        Fault::Price(name) => (
            "price_unknown",
            format!("у товара «{name}» нет цены для документа"),
            format!("the product {name} has no price for the document"),
        ),
    };
    dead(
        Class::Invalid,
        code,
        format!("Маркировка по заказу № {number}: {ru}. Исправьте заказ и повторите."),
        format!("Marking of order {number}: {en}. Mend the order, then replay."),
    )
}

/// Not exactly the codes that leave are bound.
pub(crate) fn not_taken(order: &OrderRef, refusal: &TakeRefusal) -> Reason {
    let number = &order.number;
    match refusal {
        TakeRefusal::Missing { name, has, needs } => Reason::new(
            Class::Invalid,
            "codes_missing",
            format!(
                "Заказ № {number} отгружен, а кодов у товара «{name}» — {has} из {needs}. Отсканируйте товар и повторите."
            ),
            format!(
                "Order {number} has left, and the product {name} has {has} of the {needs} codes that it still \
                 needs. Scan the goods, then replay."
            ),
        ),
        TakeRefusal::Ambiguous { name } => Reason::new(
            Class::Invalid,
            "codes_ambiguous",
            format!(
                "Отгружена часть заказа № {number}, а кодов товара «{name}» отсканировано больше, чем уехало. \
                 Отвяжите лишние и повторите."
            ),
            format!(
                "A part of order {number} has left, and more codes of {name} are scanned than pieces left. \
                 Unbind the others, then replay."
            ),
        ),
        TakeRefusal::Unscanned { name } => Reason::new(
            Class::Invalid,
            "codes_ambiguous",
            format!(
                "Отгружена часть заказа № {number}, а какие экземпляры товара «{name}» уехали, неизвестно. \
                 Отсканируйте их и повторите."
            ),
            format!(
                "A part of order {number} has left, and nobody knows which pieces of {name}. Scan them, then replay."
            ),
        ),
        TakeRefusal::OtherChannel => Reason::new(
            Class::Invalid,
            "channel_changed",
            format!(
                "Часть заказа № {number} уже выведена из оборота другим способом (чек или документ), чем говорит его \
                 событие. Передайте номер заказа в поддержку."
            ),
            format!(
                "A part of order {number} is already withdrawn another way (receipt or document) than its event says. \
                 Give the order's number to support."
            ),
        ),
    }
}

/// What stands against a code, in words: from a machine word and the register's own after a colon.
pub(crate) fn against(word: &str) -> Text {
    let (kind, said) = word.split_once(':').unwrap_or((word, ""));
    let (ru, en) = match kind {
        "not_found" => {
            ("Честный знак его не знает".to_owned(), "unknown to the register".to_owned())
        }
        "special" => (
            format!("особое состояние: {}", register::special(said)),
            format!("its special state is {said}"),
        ),
        "foreign" => (
            "он принадлежит другому участнику".to_owned(),
            "it belongs to somebody else".to_owned(),
        ),
        "package" => (
            format!("это не штука, а {}", register::package(said)),
            format!("it is a {said}, no unit"),
        ),
        "group" => (
            format!("незнакомая товарная группа {}", said.to_uppercase()),
            format!("its product group {said} is unknown"),
        ),
        "retired" => (
            format!("уже выбыл: {}", register::reason(said)),
            format!("it is retired already, by {said}"),
        ),
        _ => (register::status(said), format!("its status is {said}")),
    };
    Text::new(ru, en)
}

/// How many codes a sentence names: all of a pallet's are no sentence, and no header of a message.
const NAMED: usize = 10;

/// Masked codes with what stands against each, in both languages.
fn list_of(codes: &[(String, String)]) -> Text {
    let named: Vec<(&String, Text)> =
        codes.iter().take(NAMED).map(|(ki, word)| (ki, against(word))).collect();
    let more = codes.len().saturating_sub(NAMED);
    let joined = |text: fn(&Text) -> &String, rest: String| {
        let told = named.iter().map(|(ki, why)| format!("{ki}: {}", text(why)));
        told.chain((more > 0).then_some(rest)).collect::<Vec<_>>().join("; ")
    };
    let ru = joined(|text| &text.ru, format!("и ещё кодов: {more}"));
    Text::new(ru, joined(|text| &text.en, format!("and {more} more")))
}

/// Codes that the register does not let out, each with its reason.
pub(crate) fn codes_refused(order: &OrderRef, refused: &[(String, String)]) -> Reason {
    let number = &order.number;
    let Text { ru, en } = list_of(refused);
    Reason::new(
        Class::Refused,
        "codes_refused",
        format!(
            "Коды заказа № {number} нельзя вывести из оборота: {ru}. Они отложены в карантин; отсканируйте \
             другой товар и повторите."
        ),
        format!(
            "Codes of order {number} cannot be withdrawn: {en}. They are in quarantine; scan other goods, \
             then replay."
        ),
    )
}

/// Codes that somebody else has withdrawn.
pub(crate) fn codes_foreign(order: &OrderRef, codes: &[(String, String)]) -> Reason {
    let number = &order.number;
    let Text { ru, en } = list_of(codes);
    Reason::new(
        Class::Refused,
        "codes_foreign",
        format!(
            "Состояние кодов заказа № {number} в Честном знаке изменили не мы: {ru}. Выясните, кто и зачем, \
             затем повторите."
        ),
        format!(
            "The codes of order {number} were changed at Honest Sign, and not by us: {en}. Find out by whom, \
             then replay."
        ),
    )
}

/// The register refused documents.
pub(crate) fn document_refused(order: &OrderRef, errors: &[String]) -> Reason {
    let number = &order.number;
    Reason::new(
        Class::Refused,
        "document_refused",
        format!(
            "Честный знак не принял документ по заказу № {number}. Исправьте причину из его ответа и повторите: \
             уйдёт новый документ."
        ),
        format!(
            "Honest Sign refused a document on order {number}. Mend what its answer names, then replay: a new \
             document goes out."
        ),
    )
    .evidence(&errors.join("; "))
}

/// A document would be wrong, so none is made.
pub(crate) fn unwritable(order: &OrderRef, refusal: &Refusal) -> Failure {
    let number = &order.number;
    Failure::Dead(
        Reason::new(
            Class::Invalid,
            "document_unwritable",
            format!(
                "Документ для Честного знака по заказу № {number} не составить. Исправьте настройки магазина или \
                 заказ и повторите."
            ),
            format!(
                "The document on order {number} for Honest Sign cannot be made. Mend the shop's settings or the \
                 order, then replay."
            ),
        )
        .evidence(&masked(refusal)),
    )
}

/// What is wrong with a document, without the code that some refusals quote.
fn masked(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Twice(_) => "a code is in it twice".to_owned(),
        Refusal::NotKi(_) => "a code is no KI".to_owned(),
        Refusal::NoPrice(_) => "a code has no price".to_owned(),
        other => other.to_string(),
    }
}

/// No return may follow the way in which a code left.
pub(crate) fn no_return(order: &OrderRef, ki: &str, reason: &str) -> Failure {
    let number = &order.number;
    dead(
        Class::Invalid,
        "return_impossible",
        format!(
            "Код {ki} заказа № {number} выбыл ({}): документа о возврате для этого нет. Верните его \
             в личном кабинете и повторите.",
            register::reason(reason)
        ),
        format!(
            "Code {ki} of order {number} left by {reason}, for which there is no return. Return it in the cabinet, \
             then replay."
        ),
    )
}

/// Nobody can tell whether the register took a document.
pub(crate) fn outcome_unknown(order: &OrderRef, kind: &str, group: &str) -> Reason {
    let number = &order.number;
    Reason::new(
        Class::Unknown,
        "document_unknown",
        format!(
            "Неизвестно, принял ли Честный знак документ {} ({kind}) по заказу № {number}. Найдите его в \
             личном кабинете и скажите Парому, есть он там или нет: если нет, Паром отправит его.",
            register::document(kind)
        ),
        format!(
            "Nobody can tell whether Honest Sign took the document {kind} ({group}) on order {number}. Look for it \
             in the cabinet and tell Parom whether it is there: if not, Parom sends it."
        ),
    )
}

/// A document that was accepted is not shown any more, or stands in a way that nobody knows.
pub(crate) fn document_lost(order: &OrderRef, id: &str, word: &str) -> Reason {
    let number = &order.number;
    Reason::new(
        Class::Unknown,
        "document_lost",
        format!(
            "Документ {id} по заказу № {number} был принят Честным знаком, а теперь с ним не разобраться: {}. \
             Посмотрите его в личном кабинете и повторите проверку.",
            register::stands(word)
        ),
        format!(
            "Document {id} on order {number} was taken by Honest Sign, and now nobody can tell how it stands \
             ({word}). Look at it in the cabinet, then replay."
        ),
    )
}

/// Which pieces came back is open.
pub(crate) fn which_came_back(order: &OrderRef, name: &str) -> Reason {
    let number = &order.number;
    Reason::new(
        Class::Invalid,
        "returned_codes_unknown",
        format!(
            "Какие экземпляры «{name}» вернулись по заказу № {number}, неизвестно. Отсканируйте их и повторите."
        ),
        format!(
            "Nobody knows which pieces of {name} came back to order {number}. Scan them, then replay."
        ),
    )
}

/// More came back than ever left.
pub(crate) fn never_left(order: &OrderRef, name: &str) -> Reason {
    let number = &order.number;
    Reason::new(
        Class::Invalid,
        "return_without_sale",
        format!(
            "По заказу № {number} вернулось больше товара «{name}», чем выведено из оборота. Выясните причину и повторите."
        ),
        format!(
            "More of {name} came back to order {number} than was withdrawn. Find the reason, then replay."
        ),
    )
}

/// PostgreSQL does not answer.
pub(crate) fn store_away(order: &OrderRef, error: &sqlx::Error) -> Failure {
    let number = &order.number;
    let reason = Reason::new(
        Class::Unavailable,
        "store_away",
        format!(
            "Маркировка по заказу № {number}: база данных недоступна; попытка повторится сама."
        ),
        format!("Marking of order {number}: PostgreSQL is away; it is tried again by itself."),
    );
    // A database's error may quote a row.
    let evidence = match error.as_database_error() {
        Some(error) => format!("SQLSTATE {}", error.code().unwrap_or_default()),
        None => error.to_string(),
    };
    Failure::Retry(reason.evidence(&evidence), None)
}

fn dead(class: Class, code: &str, ru: String, en: String) -> Failure {
    Failure::Dead(Reason::new(class, code, ru, en))
}
