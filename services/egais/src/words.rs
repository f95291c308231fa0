//! What this service says about orders: statuses for the shop, reasons for people on duty.

mod kind;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use events::{Event, Fact, OrderRef, Phase, Status, Text};
use runtime::{Class, Failure, Reason, Worker as _};
use time::OffsetDateTime;

use crate::{
    Egais,
    documents::{Breach, Kind},
    flow::Job,
    mark::masked,
    plan::Fault,
    state::{Paper, Stage},
    store::Used,
};

/// A status of the order.
pub(crate) fn status(
    cause: &Event,
    order: &OrderRef,
    (phase, code): (Phase, &str),
    text: Text,
    now: OffsetDateTime,
) -> Event {
    with(cause, order, (phase, code), (text, BTreeMap::new()), now)
}

fn with(
    cause: &Event,
    order: &OrderRef,
    (phase, code): (Phase, &str),
    (text, properties): (Text, BTreeMap<String, String>),
    now: OffsetDateTime,
) -> Event {
    let status = Status {
        service: Egais::SERVICE.to_owned(),
        order: order.clone(),
        cause: cause.id(),
        step: code.to_owned(),
        phase,
        code: code.to_owned(),
        text,
        properties,
        links: BTreeMap::new(),
    };
    Event::new(Fact::StatusChanged(Box::new(status)), now)
}

pub(crate) fn working(order: &OrderRef) -> Text {
    let number = &order.number;
    Text::new(
        format!("Документы ЕГАИС по заказу № {number} готовы и уходят в УТМ."),
        format!("The EGAIS documents on order {number} are made and go to the UTM."),
    )
}

/// All documents are carried out; the shop gets their names and EGAIS's numbers.
pub(crate) fn done(job: &Job<'_>, papers: &[Paper], now: OffsetDateTime) -> Event {
    let number = &job.order.number;
    let list = papers.iter().map(|paper| match &paper.stage {
        Stage::Done { reg_id: Some(reg_id) } => format!("{} ({reg_id})", paper.identity),
        _ => paper.identity.clone(),
    });
    let list = list.collect::<Vec<_>>().join(", ");
    let (code, property, text) = if job.is_out() {
        (
            "egais_written_off",
            "EGAIS_WRITE_OFF",
            Text::new(
                format!("Алкоголь заказа № {number} списан в ЕГАИС: {list}."),
                format!("The alcohol of order {number} is written off in EGAIS: {list}."),
            ),
        )
    } else {
        (
            "egais_returned",
            "EGAIS_RETURN",
            Text::new(
                format!("Возврат по заказу № {number} проведён в ЕГАИС: {list}."),
                format!("The return of order {number} is entered in EGAIS: {list}."),
            ),
        )
    };
    let properties = BTreeMap::from([(property.to_owned(), list)]);
    with(job.event, job.order, (Phase::Done, code), (text, properties), now)
}

/// EGAIS has not answered for long.
pub(crate) fn silent(order: &OrderRef, paper: &Paper, is_long: bool) -> Text {
    let (number, document) = (&order.number, &paper.identity);
    if is_long {
        Text::new(
            format!(
                "ЕГАИС больше суток не отвечает на документ {document} по заказу № {number}. Найдите его в личном кабинете \
                 ЕГАИС и запросите ответ повторно; сам документ Паром второй раз не отправит."
            ),
            format!(
                "EGAIS has not answered document {document} of order {number} for more than a day. Find it in EGAIS's cabinet \
                 and ask for the answer anew; Parom does not send the document a second time."
            ),
        )
    } else {
        Text::new(
            format!(
                "ЕГАИС пока не ответила на документ {document} по заказу № {number}; Паром ждёт ответа."
            ),
            format!(
                "EGAIS has not yet answered document {document} of order {number}; Parom waits."
            ),
        )
    }
}

fn reason(class: Class, code: &str, ru: String, en: String) -> Reason {
    Reason::new(class, code, ru, en)
}

pub(crate) fn fact_unexpected(event: &Event) -> Failure {
    let number = event.order().map_or("?", |order| order.number.as_str());
    Failure::Dead(reason(
        Class::Internal,
        "fact_unexpected",
        format!(
            "Заказ № {number}: сервис ЕГАИС получил чужое событие; передайте номер в поддержку."
        ),
        format!("Order {number}: the EGAIS service got an event that is not for it; tell support."),
    ))
}

pub(crate) fn store_away(order: &OrderRef, error: &sqlx::Error) -> Failure {
    let number = &order.number;
    let reason = reason(
        Class::Unavailable,
        "store_away",
        format!("ЕГАИС, заказ № {number}: база данных недоступна; попытка повторится сама."),
        format!("EGAIS, order {number}: PostgreSQL is away; it is tried again by itself."),
    );
    // A database's error may quote a row.
    let evidence = match error.as_database_error() {
        Some(error) => format!("SQLSTATE {}", error.code().unwrap_or_default()),
        None => error.to_string(),
    };
    Failure::Retry(reason.evidence(&evidence), None)
}

/// The order or the settings do not say what must be known.
pub(crate) fn fault(order: &OrderRef, fault: &Fault) -> Failure {
    let number = &order.number;
    let (code, ru, en) = fault_words(fault);
    Failure::Dead(reason(
        Class::Invalid,
        code,
        format!("ЕГАИС, заказ № {number}: {ru}"),
        format!("EGAIS, order {number}: {en}"),
    ))
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn fault_words(fault: &Fault) -> (&'static str, String, String) {
    match fault {
        Fault::Group(name, group) => (
            "group_unknown",
            format!("группа «{group}» товара «{name}» не описана в настройках. Укажите группу, затем повторите."),
            format!("the group {group} of {name} is not in the settings. Name a group, then replay."),
        ),
        Fault::Mark(name, error) => (
            "mark_unreadable",
            format!("марка товара «{name}» не читается ({}). Отсканируйте её заново и сохраните заказ.", error.in_russian()),
            format!("a mark of {name} cannot be read ({error}). Scan it anew and save the order."),
        ),
        Fault::NotWhole(name) => (
            "not_whole",
            format!("количество маркированного товара «{name}» не целое. Исправьте заказ."),
            format!("the quantity of {name}, which is marked bottle by bottle, is not whole. Mend the order."),
        ),
        Fault::Unit(name, unit) => (
            "unit_unexpected",
            format!("товар «{name}» продан в единицах «{unit}», а в ЕГАИС его считают в других; пересчитывать Паром не станет. Укажите в заказе единицу и количество, как в ЕГАИС, и сохраните его."),
            format!("{name} is sold in the unit {unit}, EGAIS counts it in another, and Parom converts nothing. Put EGAIS's unit and quantity into the order and save it."),
        ),
        Fault::Missing(name, missing) => (
            "marks_missing",
            format!("у товара «{name}» марок меньше или больше, чем бутылок (разница {missing}). Отсканируйте марки и сохраните заказ."),
            format!("the marks of {name} are not as many as its bottles (by {missing}). Scan the marks and save the order."),
        ),
        Fault::Unexpected(name) => (
            "marks_unexpected",
            format!("у товара «{name}» есть марки, а его группа продаётся без марок. Исправьте группу или настройки, затем повторите."),
            format!("{name} has marks, and its group is sold without. Mend the group or the settings, then replay."),
        ),
        Fault::AlcCode(name) => (
            "alc_code_unknown",
            format!("у товара «{name}» нет алкокода. Заполните свойство товара и сохраните заказ."),
            format!("{name} has no AlcCode. Fill the product's property in and save the order."),
        ),
        Fault::OtherProduct(name) => (
            "other_product",
            format!("марка товара «{name}» принадлежит другому товару. Проверьте бутылку и отсканируйте заново."),
            format!("a mark of {name} is another product's. Look at the bottle and scan anew."),
        ),
        Fault::FormB(name, count) => (
            "form_b_unknown",
            format!("справка Б товара «{name}» не известна (вариантов: {count}). Укажите её в свойстве товара, затем повторите."),
            format!("form B of {name} is not known ({count} to choose from). Name it in the product's property, then replay."),
        ),
        Fault::Product(name) => (
            "product_unknown",
            format!("ЕГАИС ещё не описала товар «{name}». Дождитесь сверки остатков, затем повторите."),
            format!("EGAIS has not described {name} yet. Wait for the comparison of stock, then replay."),
        ),
        Fault::Receipt(property) => (
            "receipt_unknown",
            format!("в заказе нет данных чека (свойство {property}). Заполните их и сохраните заказ."),
            format!("the order does not name its receipt (property {property}). Fill it in and save the order."),
        ),
        Fault::SameReceipt(property) => (
            "receipt_same",
            format!("чек возврата назван тем же номером, что и чек продажи (свойство {property}). Укажите смену и номер чека возврата и сохраните заказ."),
            format!("the receipt of return has the number of the sale's (property {property}). Put the shift and number of the receipt of return into the order and save it."),
        ),
        Fault::Waybill(property) => (
            "waybill_unknown",
            format!("для возврата нужен номер накладной ЕГАИС (свойство {property}). Заполните его и сохраните заказ."),
            format!("the return needs the number of EGAIS's waybill (property {property}). Fill it in and save the order."),
        ),
        Fault::MoreThanWaybill(waybill) => (
            "waybill_less",
            format!("вернулось больше, чем указано в накладной {waybill}. Сверьте накладную с возвратом и ответьте на неё в ЕГАИС вручную."),
            format!("more came back than waybill {waybill} says. Compare the two and answer the waybill in EGAIS by hand."),
        ),
        Fault::WaybillShared(waybill, other) => (
            "waybill_shared",
            format!("в накладной {waybill} есть товар, который продан в заказе № {other}: акт назвал бы его недостачей. Ответьте на накладную в ЕГАИС вручную, сразу за все заказы."),
            format!("waybill {waybill} names goods that order {other} has sold, and the act would call them missing. Answer the waybill in EGAIS by hand, for all its orders at once."),
        ),
        Fault::WaybillUnclear(waybill) => (
            "waybill_unclear",
            format!("в накладной {waybill} есть позиция без справки Б или с непонятной маркой. Ответьте на неё в ЕГАИС вручную."),
            format!("waybill {waybill} has a position without form B or with an unclear mark. Answer it in EGAIS by hand."),
        ),
        Fault::NoShipment => (
            "shipment_unknown",
            "в заказе нет отгрузки, о которой сообщил магазин. Сохраните заказ заново, затем повторите.".to_owned(),
            "the order has no such shipment. Save the order anew, then replay.".to_owned(),
        ),
    }
}

/// A document breaks a rule of ours.
pub(crate) fn breach(order: &OrderRef, kind: Kind, breach: &Breach) -> Failure {
    let number = &order.number;
    if let Breach::NoProduct(name) = breach {
        return fault(order, &Fault::Product(name.clone()));
    }
    Failure::Dead(
        reason(
            Class::Invalid,
            "document_wrong",
            format!("ЕГАИС, заказ № {number}: {} нельзя составить: {}. Исправьте заказ и сохраните его.", kind::name(kind), breach.in_russian()),
            format!("EGAIS, order {number}: {} cannot be made ({breach}). Mend the order and save it.", kind.word()),
        )
        .evidence(&breach.to_string()),
    )
}

/// A document is not valid against the official schemas.
pub(crate) fn invalid(order: &OrderRef, kind: Kind, faults: &str) -> Failure {
    let number = &order.number;
    Failure::Dead(
        reason(
            Class::Invalid,
            "document_invalid",
            format!("ЕГАИС, заказ № {number}: {} не проходит проверку по схеме. Исправьте данные заказа или товара, затем повторите.", kind::name(kind)),
            format!("EGAIS, order {number}: {} is not valid against the schema. Mend the order's or product's data, then replay.", kind.word()),
        )
        .evidence(&masked(faults)),
    )
}

/// A mark that another order has.
pub(crate) fn used(order: &OrderRef, used: &Used) -> Reason {
    let (number, Used { mark, order: other }) = (&order.number, used);
    reason(
        Class::Invalid,
        "mark_used",
        format!(
            "ЕГАИС, заказ № {number}: марка {mark} уже у заказа № {other}. Отсканируйте другую бутылку и сохраните заказ."
        ),
        format!(
            "EGAIS, order {number}: the mark {mark} is already with order {other}. Scan another bottle and save the order."
        ),
    )
}

pub(crate) fn sale_open(order: &OrderRef) -> Reason {
    let number = &order.number;
    reason(
        Class::Unavailable,
        "sale_open",
        format!(
            "ЕГАИС, заказ № {number}: возврат ждёт, пока списание не будет проведено. Разберите списание, затем повторите."
        ),
        format!(
            "EGAIS, order {number}: the return waits for the write-off. Settle the write-off, then replay."
        ),
    )
}

pub(crate) fn not_sold(order: &OrderRef) -> Reason {
    let number = &order.number;
    reason(
        Class::Invalid,
        "not_written_off",
        format!(
            "ЕГАИС, заказ № {number}: возвращают больше, чем было списано. Проверьте заказ, затем повторите."
        ),
        format!(
            "EGAIS, order {number}: more comes back than was written off. Check the order, then replay."
        ),
    )
}

pub(crate) fn which(order: &OrderRef) -> Reason {
    let number = &order.number;
    reason(
        Class::Invalid,
        "which_bottle",
        format!(
            "ЕГАИС, заказ № {number}: не ясно, какие бутылки вернулись. Уберите их марки из заказа и сохраните его."
        ),
        format!(
            "EGAIS, order {number}: it is not clear which bottles came back. Take their marks off the order and save it."
        ),
    )
}

/// The waybill that an order names has not come.
pub(crate) fn waybill_missing(order: &OrderRef, waybill: &str) -> Reason {
    let number = &order.number;
    reason(
        Class::Invalid,
        "waybill_missing",
        format!(
            "ЕГАИС, заказ № {number}: накладная {waybill} не пришла, хотя Паром просил прислать её ещё раз. Проверьте номер в \
             свойстве заказа и попросите покупателя отправить её, затем повторите."
        ),
        format!(
            "EGAIS, order {number}: waybill {waybill} has not come although it was asked for again. Check the number in the \
             order's property and have the buyer send it, then replay."
        ),
    )
}

/// Goods that leave anew or are cancelled are still on their way back.
pub(crate) fn return_open(order: &OrderRef) -> Reason {
    let number = &order.number;
    reason(
        Class::Unavailable,
        "return_open",
        format!(
            "ЕГАИС, заказ № {number}: прежний возврат ещё не проведён. Разберите его, затем повторите."
        ),
        format!(
            "EGAIS, order {number}: an earlier return is not entered yet. Settle it, then replay."
        ),
    )
}

/// The settings do not name the UTM any more that a document was made for.
pub(crate) fn utm_gone(order: &OrderRef, utm: &str) -> Failure {
    let number = &order.number;
    Failure::Dead(reason(
        Class::Invalid,
        "utm_unknown",
        format!(
            "ЕГАИС, заказ № {number}: УТМ «{utm}» больше не описан в настройках. Верните его, затем повторите."
        ),
        format!(
            "EGAIS, order {number}: UTM {utm} is not in the settings any more. Put it back, then replay."
        ),
    ))
}

/// An act cannot be undone without EGAIS's number of it.
pub(crate) fn act_without_number(order: &OrderRef, act: &str) -> Failure {
    let number = &order.number;
    Failure::Dead(reason(
        Class::Invalid,
        "act_number_unknown",
        format!(
            "ЕГАИС, заказ № {number}: номер акта {act} в ЕГАИС не известен, отменить его Паром не может. Оформите возврат в ЕГАИС \
             вручную."
        ),
        format!(
            "EGAIS, order {number}: EGAIS's number of act {act} is not known, so Parom cannot repeal it. Enter the return in EGAIS \
             by hand."
        ),
    ))
}

pub(crate) fn by_hand(order: &OrderRef) -> Reason {
    let number = &order.number;
    reason(
        Class::Invalid,
        "return_by_hand",
        format!(
            "ЕГАИС, заказ № {number}: возврат этих товаров оформляет человек. Проведите его в ЕГАИС, затем повторите, чтобы закрыть."
        ),
        format!(
            "EGAIS, order {number}: a person enters this return. Enter it in EGAIS, then replay to close it."
        ),
    )
}

pub(crate) fn not_whole_act(order: &OrderRef) -> Failure {
    let number = &order.number;
    Failure::Dead(reason(
        Class::Invalid,
        "act_not_whole",
        format!(
            "ЕГАИС, заказ № {number}: акт списания отменяют только целиком, а вернулась часть. Оформите возврат в ЕГАИС вручную."
        ),
        format!(
            "EGAIS, order {number}: an act is repealed as a whole, and a part came back. Enter the return in EGAIS by hand."
        ),
    ))
}

/// Nobody can tell whether a document was taken.
pub(crate) fn unknown(order: &OrderRef, paper: &Paper) -> Reason {
    let (number, document) = (&order.number, &paper.identity);
    reason(
        Class::Unknown,
        "document_unknown",
        format!(
            "ЕГАИС, заказ № {number}: не известно, принял ли УТМ документ {document}. Поищите его в УТМ и в личном кабинете \
             ЕГАИС и ответьте, есть ли он там; наугад Паром его не повторит."
        ),
        format!(
            "EGAIS, order {number}: it is not known whether the UTM took document {document}. Look in the UTM and in EGAIS's \
             cabinet and say whether it is there; Parom does not send it blindly."
        ),
    )
}

/// A document that was perhaps sent twice is refused.
pub(crate) fn refused_twice(order: &OrderRef, paper: &Paper, said: &str) -> Reason {
    let (number, document) = (&order.number, &paper.identity);
    reason(
        Class::Unknown,
        "document_refused_again",
        format!(
            "ЕГАИС, заказ № {number}: документ {document} отклонён после повторной отправки. Если причина в том, что марка уже \
             списана, первая отправка удалась: проверьте в УТМ и в личном кабинете и скажите, есть ли он."
        ),
        format!(
            "EGAIS, order {number}: document {document} is refused after it was sent again. If a mark is already written off, the \
             first one succeeded: look in the UTM and in the cabinet and say whether it is there."
        ),
    )
    .evidence(said)
}

/// One refusal in words.
pub(crate) fn refusal(paper: &Paper, said: &str) -> String {
    format!("{}: {said}", paper.identity)
}

/// EGAIS or the UTM said no: each refusal, and whether it was the UTM's.
pub(crate) fn refused(order: &OrderRef, refusals: &[(String, bool)]) -> Reason {
    let number = &order.number;
    // More are no header of a message.
    let list: Vec<&str> = refusals.iter().take(5).map(|(said, _)| said.as_str()).collect();
    let list = list.join("; ");
    let list = list.trim_end_matches('.');
    let by_utm = refusals.iter().filter(|(_, by_utm)| *by_utm).count();
    let (ru, en) = match by_utm {
        0 => ("ЕГАИС отклонила документ", "EGAIS refused a document"),
        count if count == refusals.len() => {
            ("УТМ не принял документ", "The UTM refused a document")
        }
        _ => ("ЕГАИС и УТМ отклонили документы", "EGAIS and the UTM refused documents"),
    };
    reason(
        Class::Refused,
        "document_refused",
        format!("{ru} по заказу № {number} ({list}). Устраните причину, затем повторите: уйдёт новый документ."),
        format!("{en} of order {number} ({list}). Mend the cause, then replay: a new document goes out."),
    )
    .evidence(list)
}
