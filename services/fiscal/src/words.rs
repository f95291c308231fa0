//! What this service says about orders: statuses for the shop, reasons for people on duty.

use std::collections::BTreeMap;

use events::{Event, Fact, OrderRef, Phase, Status, Text};
use runtime::{Class, Failure, Reason, Worker as _};
use time::OffsetDateTime;

use crate::{
    Fiscal,
    registers::{FiscalData, Path, RegisterName, Unwritable},
    store::LedgerError,
};

/// What a status is about.
#[derive(Clone, Copy)]
pub(crate) struct About<'a> {
    pub(crate) cause: &'a Event,
    pub(crate) order: &'a OrderRef,
    /// The register's name, as people use it.
    pub(crate) register: &'static str,
    pub(crate) revision: u32,
}

/// The receipt is accepted and waits for its register.
pub(crate) fn working(about: About<'_>, now: OffsetDateTime) -> Event {
    let (number, register) = (&about.order.number, about.register);
    let text = Text::new(
        format!("Чек по заказу № {number} принят в {register} и ждёт кассы."),
        format!("The receipt for order {number} is with {register} and waits for its turn."),
    );
    let status = status(about, Phase::Working, "receipt_accepted", text);
    Event::new(Fact::StatusChanged(Box::new(status)), now)
}

/// The receipt waits at its register for longer than it should.
pub(crate) fn overdue(about: About<'_>, now: OffsetDateTime) -> Event {
    let (number, register) = (&about.order.number, about.register);
    let text = Text::new(
        format!(
            "Чек по заказу № {number} всё ещё не пробит: {register} держит его в очереди. Проверьте \
             кассу в личном кабинете."
        ),
        format!(
            "The receipt for order {number} is still not issued: {register} keeps it in its \
             queue. Check the register in the cabinet."
        ),
    );
    let status = Status {
        step: format!("overdue {}", about.revision),
        ..status(about, Phase::Working, "receipt_overdue", text)
    };
    Event::new(Fact::StatusChanged(Box::new(status)), now)
}

/// The receipt is issued.
pub(crate) fn done(
    about: About<'_>,
    path: Path,
    fiscal: &FiscalData,
    now: OffsetDateTime,
) -> Event {
    let FiscalData { drive, document, sign, qr, .. } = fiscal;
    let number = &about.order.number;
    let (ru, en) = match path {
        Path::Sell => ("Чек", "The receipt"),
        Path::Refund => ("Чек возврата", "The refund receipt"),
        Path::SellCorrection | Path::RefundCorrection => {
            ("Чек коррекции", "The correction receipt")
        }
    };
    let text = Text::new(
        format!("{ru} по заказу № {number} пробит: ФН {drive}, ФД {document}, ФПД {sign}."),
        format!("{en} for order {number} is issued: FN {drive}, FD {document}, FPD {sign}."),
    );
    // The order's properties are about its last receipt of sale.
    let properties =
        [("CLOUDKASSIR_FN", drive), ("CLOUDKASSIR_FD", document), ("CLOUDKASSIR_FPD", sign)];
    let properties = properties.map(|(code, value)| (code.to_owned(), value.clone()));
    let status = Status {
        properties: properties.into_iter().filter(|_| path == Path::Sell).collect(),
        links: qr.iter().map(|link| ("qr".to_owned(), link.clone())).collect(),
        ..status(about, Phase::Done, "receipt_done", text)
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

/// The register has no words for the receipt.
pub(crate) fn unwritable(order: &OrderRef, register: &str, what: &Unwritable) -> Failure {
    let (number, Unwritable { ru, en }) = (&order.number, what);
    Failure::Dead(Reason::new(
        Class::Invalid,
        "receipt_unwritable",
        format!(
            "Чек по заказу № {number} для {register} не составить: {ru}. Исправьте заказ или \
             настройки магазина и повторите."
        ),
        format!(
            "The receipt for order {number} cannot be written for {register}: {en}. Mend the \
             order or the shop's settings, then replay."
        ),
    ))
}

/// The settings do not have the register to which the receipt was handed over.
pub(crate) fn register_unknown(order: &OrderRef, register: RegisterName) -> Failure {
    let number = &order.number;
    Failure::Dead(Reason::new(
        Class::Invalid,
        "register_unknown",
        format!(
            "Чек по заказу № {number} передан в {register:?}, а в настройках магазина её больше \
             нет. Верните её и повторите: иначе неизвестно, пробит ли чек."
        ),
        format!(
            "The receipt for order {number} is with {register:?}, and the shop's settings do not \
             have it any more. Put it back, then replay: else nobody knows what became of it."
        ),
    ))
}

/// The ledger cannot be read or written.
pub(crate) fn ledger_away(order: &OrderRef, error: &LedgerError) -> Failure {
    match error {
        LedgerError::Database(error) => hints_away(order, error),
        LedgerError::Entry(_) => {
            let number = &order.number;
            let reason = Reason::new(
                Class::Internal,
                "ledger_unreadable",
                format!(
                    "Чек по заказу № {number} не пробит: запись о прежних чеках не читается; \
                     передайте номер заказа в поддержку."
                ),
                format!(
                    "There is no receipt for order {number}: what is known of earlier ones \
                     cannot be read; give the number to support."
                ),
            );
            Failure::Dead(reason.evidence(&error.to_string()))
        }
    }
}

/// What the receipt depends on did not come about.
pub(crate) fn waited_too_long(order: &OrderRef, what: &str) -> Reason {
    let number = &order.number;
    Reason::new(
        Class::Invalid,
        "earlier_receipt_missing",
        format!(
            "Чек по заказу № {number} не пробит: он следует за другим чеком этого заказа, а того \
             всё нет. Найдите причину в статусах заказа и повторите."
        ),
        format!(
            "There is no receipt for order {number}: it comes after another one of the order, \
             which is not there. Look for the reason among the order's statuses, then replay."
        ),
    )
    .evidence(what)
}

/// Nobody can tell whether the register took the request, and it would not know it again.
pub(crate) fn outcome_unknown(order: &OrderRef, register: &str, name: &str) -> Failure {
    let number = &order.number;
    let reason = Reason::new(
        Class::Unknown,
        "receipt_unknown",
        format!(
            "Неизвестно, пробит ли чек по заказу № {number}: {register} не отвечает за отведённое \
             время. Найдите чек {name} в личном кабинете и скажите Парому, есть он там или нет: \
             если нет, Паром отправит новый. Не пробивайте его сами, иначе чеков станет два."
        ),
        format!(
            "Nobody can tell whether there is a receipt for order {number}: {register} gave no \
             answer in time. Look for {name} in the cabinet and tell Parom whether it is there: \
             if not, Parom sends a new one. Do not issue it yourself, or there will be two."
        ),
    );
    Failure::Dead(reason)
}

/// The register accepted the receipt and does not know it any more, or knows it as another one.
pub(crate) fn receipt_lost(order: &OrderRef, register: &str, id: &str) -> Reason {
    let number = &order.number;
    Reason::new(
        Class::Unknown,
        "receipt_lost",
        format!(
            "{register}: чек по заказу № {number} был принят, а теперь не находится. Найдите чек \
             {id} в личном кабинете или спросите поддержку; затем повторите проверку."
        ),
        format!(
            "{register} accepted the receipt for order {number} and does not find it now. Look \
             for {id} in the cabinet or ask its support, then replay to look again."
        ),
    )
}

/// The register accepted the receipt and could not fiscalise it.
pub(crate) fn receipt_failed(order: &OrderRef, register: &str, message: &str) -> Reason {
    let number = &order.number;
    Reason::new(
        Class::Refused,
        "receipt_failed",
        format!(
            "Касса не смогла пробить чек по заказу № {number}. Исправьте причину из ответа \
             {register} и повторите: уйдёт новый чек."
        ),
        format!(
            "The register could not issue the receipt for order {number}. Mend what \
             the answer of {register} names, then replay: a new receipt goes out."
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

fn status(about: About<'_>, phase: Phase, code: &str, text: Text) -> Status {
    Status {
        service: Fiscal::SERVICE.to_owned(),
        order: about.order.clone(),
        cause: about.cause.id(),
        step: format!("receipt {}", about.revision),
        phase,
        code: code.to_owned(),
        text,
        properties: BTreeMap::new(),
        links: BTreeMap::new(),
    }
}
