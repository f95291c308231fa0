//! What this service says about orders: statuses for the shop, reasons for people on duty.

use std::collections::BTreeMap;

use events::{Event, Fact, OrderRef, Phase, Status, Text};
use runtime::{Class, Failure, Reason, Worker as _};
use time::OffsetDateTime;

use crate::{Fiscal, client::FiscalData};

/// The receipt is accepted and waits for its register.
pub(crate) fn working(
    cause: &Event,
    order: &OrderRef,
    revision: u32,
    now: OffsetDateTime,
) -> Event {
    let number = &order.number;
    let text = Text::new(
        format!("Чек по заказу № {number} принят в CloudKassir и ждёт кассы."),
        format!("The receipt for order {number} is with CloudKassir and waits for a register."),
    );
    let status = status(cause, order, Phase::Working, "receipt_accepted", text, revision);
    Event::new(Fact::StatusChanged(Box::new(status)), now)
}

/// The receipt is fiscalised.
pub(crate) fn done(
    cause: &Event,
    order: &OrderRef,
    revision: u32,
    fiscal: &FiscalData,
    now: OffsetDateTime,
) -> Event {
    let FiscalData { drive, document, sign, qr } = fiscal;
    let number = &order.number;
    let text = Text::new(
        format!("Чек по заказу № {number} пробит: ФН {drive}, ФД {document}, ФПД {sign}."),
        format!("The receipt for order {number} is issued: FN {drive}, FD {document}, FPD {sign}."),
    );
    let status = Status {
        properties: BTreeMap::from(
            [("CLOUDKASSIR_FN", drive), ("CLOUDKASSIR_FD", document), ("CLOUDKASSIR_FPD", sign)]
                .map(|(code, value)| (code.to_owned(), value.clone())),
        ),
        links: qr.iter().map(|link| ("qr".to_owned(), link.clone())).collect(),
        ..status(cause, order, Phase::Done, "receipt_done", text, revision)
    };
    Event::new(Fact::StatusChanged(Box::new(status)), now)
}

/// No shop of this name is configured.
pub(crate) fn shop_unknown(order: &OrderRef) -> Failure {
    let OrderRef { number, shop, .. } = order;
    Failure::Dead(Reason::new(
        Class::Invalid,
        "shop_unknown",
        format!(
            "Чек по заказу № {number} не пробит: магазина {shop} нет в настройках чеков. Добавьте \
             его (FISCAL_SHOPS_FILE) и повторите."
        ),
        format!(
            "There is no receipt for order {number}: shop {shop} is not among the settings of \
             receipts. Add it (FISCAL_SHOPS_FILE), then replay."
        ),
    ))
}

/// The event is of a kind that this service does not take.
pub(crate) fn fact_unexpected(event: &Event) -> Failure {
    let number = event.order().map_or("?", |order| order.number.as_str());
    Failure::Dead(Reason::new(
        Class::Internal,
        "fact_unexpected",
        format!(
            "Заказ № {number}: сервис чеков получил чужое событие; передайте номер заказа в \
             поддержку."
        ),
        format!(
            "Order {number}: the receipt service got an event that is not for it; give the \
             order's number to support."
        ),
    ))
}

/// The receipt has no JSON form.
pub(crate) fn unwritable(order: &OrderRef, error: &serde_json::Error) -> Failure {
    let number = &order.number;
    let reason = Reason::new(
        Class::Internal,
        "receipt_unwritable",
        format!("Чек по заказу № {number} не записывается; передайте номер заказа в поддержку."),
        format!("The receipt for order {number} cannot be written; give the number to support."),
    );
    Failure::Dead(reason.evidence(&format!("{:?}", error.classify())))
}

/// Nobody can tell whether the register took the request, and it would not know it again.
pub(crate) fn outcome_unknown(order: &OrderRef, invoice_id: &str) -> Failure {
    let number = &order.number;
    let reason = Reason::new(
        Class::Unknown,
        "receipt_unknown",
        format!(
            "Неизвестно, пробит ли чек по заказу № {number}: CloudKassir не ответил за отведённое \
             время. Найдите чек {invoice_id} в личном кабинете; если его нет, пробейте вручную."
        ),
        format!(
            "Nobody can tell whether there is a receipt for order {number}: CloudKassir gave no \
             answer in time. Look for {invoice_id} in the cabinet; if it is not there, issue the \
             receipt by hand."
        ),
    );
    Failure::Dead(reason)
}

/// The register accepted the receipt and does not know it any more, or knows it as another one.
pub(crate) fn receipt_lost(order: &OrderRef, id: &str) -> Reason {
    let number = &order.number;
    Reason::new(
        Class::Unknown,
        "receipt_lost",
        format!(
            "CloudKassir принял чек по заказу № {number}, а теперь его не находит. Найдите чек \
             {id} в личном кабинете или спросите поддержку CloudKassir; затем повторите проверку."
        ),
        format!(
            "CloudKassir accepted the receipt for order {number} and does not find it now. Look \
             for {id} in the cabinet or ask CloudKassir's support, then replay to look again."
        ),
    )
}

/// The register accepted the receipt and could not fiscalise it.
pub(crate) fn receipt_failed(order: &OrderRef, message: &str) -> Reason {
    let number = &order.number;
    Reason::new(
        Class::Refused,
        "receipt_failed",
        format!(
            "Касса не смогла пробить чек по заказу № {number}. Исправьте причину из ответа \
             CloudKassir и повторите: уйдёт новый чек."
        ),
        format!(
            "The register could not issue the receipt for order {number}. Mend what \
             CloudKassir's answer names, then replay: a new receipt goes out."
        ),
    )
    .evidence(message)
}

/// The table of hints does not answer.
pub(crate) fn hints_away(order: &OrderRef, error: &sqlx::Error) -> Failure {
    let number = &order.number;
    let reason = Reason::new(
        Class::Unavailable,
        "store_away",
        format!("Чек по заказу № {number}: база данных недоступна; попытка повторится сама."),
        format!("The receipt for order {number}: PostgreSQL is away; it is tried again by itself."),
    );
    Failure::Retry(reason.evidence(&error.to_string()), None)
}

fn status(
    cause: &Event,
    order: &OrderRef,
    phase: Phase,
    code: &str,
    text: Text,
    revision: u32,
) -> Status {
    Status {
        service: Fiscal::SERVICE.to_owned(),
        order: order.clone(),
        cause: cause.id(),
        step: format!("sell {revision}"),
        phase,
        code: code.to_owned(),
        text,
        properties: BTreeMap::new(),
        links: BTreeMap::new(),
    }
}
