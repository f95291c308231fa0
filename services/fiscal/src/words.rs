//! What this service says about orders: statuses for the shop, reasons for people on duty.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use events::{CheckIssued, Event, Fact, Phase, Status, Text};
use runtime::{Class, Failure, Reason, Worker as _};
use time::OffsetDateTime;

use crate::{
    Fiscal,
    asked::Asked,
    registers::{Error, FiscalData, Path, RegisterName, Unwritable},
    store::LedgerError,
    subject::Subject,
};

/// What a status is about.
#[derive(Clone, Copy)]
pub(crate) struct About<'a> {
    pub(crate) cause: &'a Event,
    pub(crate) subject: &'a Subject,
    /// The register's name, as people use it.
    pub(crate) register: &'static str,
    pub(crate) revision: u32,
}

/// The receipt is accepted and waits for its register.
pub(crate) fn working(about: About<'_>, now: OffsetDateTime) -> Option<Event> {
    let (Subject { ru: of_ru, en: of_en, .. }, register) = (about.subject, about.register);
    let text = Text::new(
        format!("Чек {of_ru} принят в {register} и ждёт кассы."),
        format!("The receipt {of_en} is with {register} and waits for its turn."),
    );
    Some(told(status(about, Phase::Working, "receipt_accepted", text)?, now))
}

/// The receipt waits at its register for longer than it should.
pub(crate) fn overdue(about: About<'_>, now: OffsetDateTime) -> Option<Event> {
    let (Subject { ru: of_ru, en: of_en, .. }, register) = (about.subject, about.register);
    let text = Text::new(
        format!(
            "Чек {of_ru} всё ещё не пробит: {register} держит его в очереди. Проверьте \
             кассу в личном кабинете."
        ),
        format!(
            "The receipt {of_en} is still not issued: {register} keeps it in its \
             queue. Check the register in the cabinet."
        ),
    );
    let status = Status {
        step: format!("overdue {}", about.revision),
        ..status(about, Phase::Working, "receipt_overdue", text)?
    };
    Some(told(status, now))
}

/// The receipt waits for longer than it should, and no register has it yet.
pub(crate) fn waits_long(
    cause: &Event,
    subject: &Subject,
    revision: u32,
    now: OffsetDateTime,
) -> Option<Event> {
    let Subject { ru: of_ru, en: of_en, .. } = subject;
    let text = Text::new(
        format!(
            "Чек {of_ru} всё ещё не пробит: он ждёт более раннего чека этого заказа или своей \
             очереди к кассе. Посмотрите на странице заказа, что остановилось."
        ),
        format!(
            "The receipt {of_en} is still not issued: it waits for an earlier receipt of this order \
             or for its turn at the register. See on the order's page what has stopped."
        ),
    );
    let about = About { cause, subject, register: "", revision };
    let status = Status {
        step: format!("overdue {revision}"),
        ..status(about, Phase::Working, "receipt_overdue", text)?
    };
    Some(told(status, now))
}

/// The receipt is issued.
pub(crate) fn done(
    about: About<'_>,
    path: Path,
    fiscal: &FiscalData,
    now: OffsetDateTime,
) -> Option<Event> {
    let FiscalData { drive, document, sign, qr, .. } = fiscal;
    let Subject { ru: of_ru, en: of_en, .. } = about.subject;
    let (ru, en) = match path {
        Path::Sell => ("Чек", "The receipt"),
        Path::Refund => ("Чек возврата", "The refund receipt"),
        Path::SellCorrection | Path::RefundCorrection => {
            ("Чек коррекции", "The correction receipt")
        }
    };
    let text = Text::new(
        format!("{ru} {of_ru} пробит: ФН {drive}, ФД {document}, ФПД {sign}."),
        format!("{en} {of_en} is issued: FN {drive}, FD {document}, FPD {sign}."),
    );
    // The order's properties are about its last receipt of sale.
    let properties =
        [("CLOUDKASSIR_FN", drive), ("CLOUDKASSIR_FD", document), ("CLOUDKASSIR_FPD", sign)];
    let properties = properties.map(|(code, value)| (code.to_owned(), value.clone()));
    let status = Status {
        properties: properties.into_iter().filter(|_| path == Path::Sell).collect(),
        links: qr.iter().map(|link| ("qr".to_owned(), link.clone())).collect(),
        ..status(about, Phase::Done, "receipt_done", text)?
    };
    Some(told(status, now))
}

/// A person has found the receipt at the register; its data are in the cabinet alone.
pub(crate) fn found(cause: &Event, subject: &Subject, now: OffsetDateTime) -> Option<Event> {
    let Subject { ru: of_ru, en: of_en, .. } = subject;
    let text = Text::new(
        format!("Чек {of_ru} пробит: сотрудник нашёл его в личном кабинете кассы."),
        format!("The receipt {of_en} is issued: somebody found it in the register's cabinet."),
    );
    let about = About { cause, subject, register: "", revision: 0 };
    Some(told(status(about, Phase::Done, "receipt_found", text)?, now))
}

/// What the journal of Bitrix is told of a receipt that it composed; `None` for other receipts.
pub(crate) fn check_issued(
    cause: &Event,
    fiscal: &FiscalData,
    now: OffsetDateTime,
) -> Option<Event> {
    let Fact::ReceiptAsked(asked) = &cause.fact else { return None };
    let Some(Asked::Check { .. }) = Asked::read(&asked.body) else { return None };
    let FiscalData { drive, document, sign, registration, shift, number, .. } = fiscal.clone();
    let (shop, check) = (asked.shop.clone(), cause.id());
    let issued = CheckIssued {
        shop,
        check,
        issued_at: now,
        registration,
        sign,
        document,
        number,
        drive,
        shift,
    };
    Some(Event::new(Fact::CheckIssued(Box::new(issued)), now))
}

/// No shop of this name is configured.
pub(crate) fn shop_unknown(subject: &Subject) -> Failure {
    let Subject { ru: of_ru, en: of_en, shop, .. } = subject;
    Failure::Dead(Reason::new(
        Class::Invalid,
        "shop_unknown",
        format!(
            "Чек {of_ru} не пробит: магазина {shop} нет в настройках чеков. Добавьте \
             его (FISCAL_SHOPS_FILE) и повторите."
        ),
        format!(
            "There is no receipt {of_en}: shop {shop} is not among the settings of \
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
pub(crate) fn unwritable(subject: &Subject, register: &str, what: &Unwritable) -> Failure {
    let (Subject { ru: of_ru, en: of_en, .. }, Unwritable { ru, en }) = (subject, what);
    Failure::Dead(Reason::new(
        Class::Invalid,
        "receipt_unwritable",
        format!(
            "Чек {of_ru} для {register} не составить: {ru}. Исправьте заказ или \
             настройки магазина и повторите."
        ),
        format!(
            "The receipt {of_en} cannot be written for {register}: {en}. Mend the \
             order or the shop's settings, then replay."
        ),
    ))
}

/// The settings do not have the register to which the receipt was handed over.
pub(crate) fn register_unknown(subject: &Subject, register: RegisterName) -> Failure {
    let Subject { ru: of_ru, en: of_en, .. } = subject;
    Failure::Dead(Reason::new(
        Class::Invalid,
        "register_unknown",
        format!(
            "Чек {of_ru} передан в {register:?}, а в настройках магазина её больше \
             нет. Верните её и повторите: иначе неизвестно, пробит ли чек."
        ),
        format!(
            "The receipt {of_en} is with {register:?}, and the shop's settings do not \
             have it any more. Put it back, then replay: else nobody knows what became of it."
        ),
    ))
}

/// The ledger cannot be read or written.
pub(crate) fn ledger_away(subject: &Subject, error: &LedgerError) -> Failure {
    match error {
        LedgerError::Database(error) => hints_away(subject, error),
        LedgerError::Entry(_) => {
            let Subject { ru: of_ru, en: of_en, .. } = subject;
            let reason = Reason::new(
                Class::Internal,
                "ledger_unreadable",
                format!(
                    "Чек {of_ru} не пробит: запись о прежних чеках не читается; \
                     передайте номер заказа в поддержку."
                ),
                format!(
                    "There is no receipt {of_en}: what is known of earlier ones \
                     cannot be read; give the number to support."
                ),
            );
            Failure::Dead(reason.evidence(&error.to_string()))
        }
    }
}

/// What the receipt depends on did not come about.
pub(crate) fn waited_too_long(subject: &Subject, what: &str) -> Reason {
    let Subject { ru: of_ru, en: of_en, .. } = subject;
    Reason::new(
        Class::Invalid,
        "earlier_receipt_missing",
        format!(
            "Чек {of_ru} не пробит: он следует за другим чеком этого заказа, а того \
             всё нет. Найдите причину в статусах заказа и повторите."
        ),
        format!(
            "There is no receipt {of_en}: it comes after another one of the order, \
             which is not there. Look for the reason among the order's statuses, then replay."
        ),
    )
    .evidence(what)
}

/// Nobody can tell whether the register took the request, and it would not know it again.
pub(crate) fn outcome_unknown(subject: &Subject, register: &str, name: &str) -> Failure {
    let Subject { ru: of_ru, en: of_en, .. } = subject;
    let reason = Reason::new(
        Class::Unknown,
        "receipt_unknown",
        format!(
            "Неизвестно, пробит ли чек {of_ru}: {register} не отвечает за отведённое \
             время. Найдите чек {name} в личном кабинете и скажите Парому, есть он там или нет: \
             если нет, Паром отправит новый. Не пробивайте его сами, иначе чеков станет два."
        ),
        format!(
            "Nobody can tell whether there is a receipt {of_en}: {register} gave no \
             answer in time. Look for {name} in the cabinet and tell Parom whether it is there: \
             if not, Parom sends a new one. Do not issue it yourself, or there will be two."
        ),
    );
    Failure::Dead(reason)
}

/// The register refused a request that may have been taken when it was sent before.
pub(crate) fn refused_in_doubt(subject: &Subject, error: &Error, name: &str) -> Failure {
    let (Subject { ru: of_ru, en: of_en, .. }, register) = (subject, error.register);
    let reason = Reason::new(
        Class::Unknown,
        "receipt_unknown",
        format!(
            "Неизвестно, пробит ли чек {of_ru}: чем кончилась первая отправка, неясно, а повторную \
             {register} отклонил. Исправьте причину из ответа {register} и повторите: уйдёт тот же \
             чек. Либо найдите чек {name} в личном кабинете и скажите Парому, есть он там или нет: \
             если нет, Паром отправит новый. Не пробивайте его сами, иначе чеков станет два."
        ),
        format!(
            "Nobody can tell whether there is a receipt {of_en}: what became of its first sending \
             is open, and {register} refused the second one. Mend what the answer of {register} \
             names, then replay: the same receipt goes out. Or look for {name} in the cabinet and \
             tell Parom whether it is there: if not, Parom sends a new one. Do not issue it \
             yourself, or there will be two."
        ),
    );
    Failure::Dead(reason.evidence(&error.what.to_string()))
}

/// The register accepted the receipt and does not know it any more, or knows it as another one.
pub(crate) fn receipt_lost(subject: &Subject, register: &str, id: &str) -> Reason {
    let Subject { ru: of_ru, en: of_en, .. } = subject;
    Reason::new(
        Class::Unknown,
        "receipt_lost",
        format!(
            "{register}: чек {of_ru} был принят, а теперь не находится. Найдите чек \
             {id} в личном кабинете или спросите поддержку; затем повторите проверку."
        ),
        format!(
            "{register} accepted the receipt {of_en} and does not find it now. Look \
             for {id} in the cabinet or ask its support, then replay to look again."
        ),
    )
}

/// The register accepted the receipt and could not fiscalise it.
pub(crate) fn receipt_failed(subject: &Subject, register: &str, message: &str) -> Reason {
    let Subject { ru: of_ru, en: of_en, .. } = subject;
    Reason::new(
        Class::Refused,
        "receipt_failed",
        format!(
            "Касса не смогла пробить чек {of_ru}. Исправьте причину из ответа \
             {register} и повторите: уйдёт новый чек."
        ),
        format!(
            "The register could not issue the receipt {of_en}. Mend what \
             the answer of {register} names, then replay: a new receipt goes out."
        ),
    )
    .evidence(message)
}

/// The table of hints does not answer.
pub(crate) fn hints_away(subject: &Subject, error: &sqlx::Error) -> Failure {
    let Subject { ru: of_ru, en: of_en, .. } = subject;
    let reason = Reason::new(
        Class::Unavailable,
        "store_away",
        format!("Чек {of_ru}: база данных недоступна; попытка повторится сама."),
        format!("The receipt {of_en}: PostgreSQL is away; it is tried again by itself."),
    );
    Failure::Retry(reason.evidence(&error.to_string()), None)
}

/// Where no order is known, there is nobody to be told.
fn status(about: About<'_>, phase: Phase, code: &str, text: Text) -> Option<Status> {
    Some(Status {
        service: Fiscal::SERVICE.to_owned(),
        order: about.subject.order.clone()?,
        cause: about.cause.id(),
        step: format!("receipt {}", about.revision),
        phase,
        code: code.to_owned(),
        text,
        properties: BTreeMap::new(),
        links: BTreeMap::new(),
    })
}

fn told(status: Status, now: OffsetDateTime) -> Event {
    Event::new(Fact::StatusChanged(Box::new(status)), now)
}
