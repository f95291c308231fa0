//! What this service says about orders: statuses for the shop, reasons for people on duty.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use events::{Event, Fact, OrderRef, Phase, Status, Text};
use runtime::{Class, Failure, Reason, Worker as _};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Edo, flow::Decision, plan::Fault, store::State};

/// Whose status it is: the job's, or a document's when its job is over.
pub(crate) struct About<'a> {
    /// The event or the document.
    pub(crate) cause: Uuid,
    /// The order.
    pub(crate) order: &'a OrderRef,
    /// The attempt: each tells its own.
    pub(crate) revision: u32,
}

impl About<'_> {
    /// A status of the order.
    pub(crate) fn status(
        &self,
        (phase, code): (Phase, &str),
        text: Text,
        properties: BTreeMap<String, String>,
        now: OffsetDateTime,
    ) -> Event {
        let step = match self.revision {
            1 => code.to_owned(),
            revision => format!("{code} {revision}"),
        };
        let status = Status {
            service: Edo::SERVICE.to_owned(),
            order: self.order.clone(),
            cause: self.cause,
            step,
            phase,
            code: code.to_owned(),
            text,
            properties,
            links: BTreeMap::new(),
        };
        Event::new(Fact::StatusChanged(Box::new(status)), now)
    }
}

/// The document is at Diadoc.
pub(crate) fn sent(order: &OrderRef, number: &str) -> Text {
    let own = &order.number;
    Text::new(
        format!("УПД № {number} по заказу № {own} подписан и отправлен покупателю через Диадок."),
        format!("UPD {number} of order {own} is signed and sent to the buyer through Diadoc."),
    )
}

/// Both have signed.
pub(crate) fn signed(order: &OrderRef) -> Text {
    let number = &order.number;
    Text::new(
        format!("Документы по заказу № {number} подписаны покупателем."),
        format!("The documents of order {number} are signed by the buyer."),
    )
}

/// The buyer takes his time.
pub(crate) fn late(order: &OrderRef, days: i64) -> Text {
    let number = &order.number;
    Text::new(
        format!("Покупатель не подписал УПД по заказу № {number} за {days} дн. Напомните ему."),
        format!("The buyer has not signed the UPD of order {number} for {days} days. Remind him."),
    )
}

/// The owner of the certificate at Diadoc is to confirm the signature.
pub(crate) fn to_confirm(order: &OrderRef) -> Text {
    let number = &order.number;
    Text::new(
        format!(
            "УПД по заказу № {number} ждёт: владелец сертификата должен подтвердить подпись в Диадоке (в приложении или по \
             СМС). После этого документ уйдёт сам."
        ),
        format!(
            "The UPD of order {number} waits: the certificate's owner has to confirm the signature at Diadoc (in the \
             application or by SMS). The document then goes by itself."
        ),
    )
}

/// Diadoc's own signature came to nothing.
pub(crate) fn cloud_failed(order: &OrderRef, status: &str) -> Failure {
    let number = &order.number;
    let (ru, en) = match status {
        "CanceledByUser" => {
            ("владелец сертификата отклонил её", "the certificate's owner declined")
        }
        "Timeout" => ("её не подтвердили вовремя", "nobody confirmed in time"),
        _ => ("Диадок сообщил об ошибке", "Diadoc reports an error"),
    };
    Failure::Dead(
        Reason::new(
            Class::Refused,
            "cloud_signature_failed",
            format!(
                "УПД по заказу № {number} не подписан в Диадоке: {ru}. Выясните причину и повторите: Диадок попросит \
                 подпись ещё раз."
            ),
            format!(
                "The UPD of order {number} is not signed at Diadoc: {en}. Find out why, then replay: Diadoc asks once \
                 more."
            ),
        )
        .evidence(status),
    )
}

/// The buyer is not our partner at Diadoc yet.
pub(crate) fn invited(order: &OrderRef, name: &str) -> Text {
    let number = &order.number;
    Text::new(
        format!(
            "УПД по заказу № {number} ждёт: покупатель «{name}» ещё не принял приглашение в Диадоке. Попросите его \
             принять; документ уйдёт сам."
        ),
        format!(
            "The UPD of order {number} waits: {name} has not accepted the invitation at Diadoc yet. Ask for it; the \
             document then goes by itself."
        ),
    )
}

/// The buyer asks to revoke.
pub(crate) fn revocation_asked(order: &OrderRef) -> Text {
    let number = &order.number;
    Text::new(
        format!("Покупатель просит аннулировать УПД по заказу № {number}. Ответьте ему в Диадоке."),
        format!("The buyer asks to revoke the UPD of order {number}. Answer at Diadoc."),
    )
}

/// The text with what the buyer says.
pub(crate) fn with_quote(text: Text, said: Option<&str>) -> Text {
    match said {
        Some(said) => Text::new(
            format!("{} Покупатель пишет: «{said}».", text.ru),
            format!("{} The buyer says: {said}.", text.en),
        ),
        None => text,
    }
}

/// A signed document is revoked.
pub(crate) fn revoked_afterwards(order: &OrderRef, upd: &str) -> Text {
    let number = &order.number;
    Text::new(
        format!(
            "Подписанный УПД № {upd} по заказу № {number} аннулирован. Если нужен новый, составьте его в Диадоке."
        ),
        format!(
            "The signed UPD {upd} of order {number} is revoked. If another is wanted, make it at Diadoc."
        ),
    )
}

/// A person has made the correcting document.
pub(crate) fn corrected_afterwards(order: &OrderRef, upd: &str) -> Text {
    let number = &order.number;
    Text::new(
        format!("К УПД № {upd} по заказу № {number} отправлена корректировка (УКД)."),
        format!("A correction (УКД) to UPD {upd} of order {number} was sent."),
    )
}

/// The buyer asks to correct what he has signed.
pub(crate) fn correction_asked_afterwards(order: &OrderRef, upd: &str) -> Text {
    let number = &order.number;
    Text::new(
        format!(
            "Покупатель просит уточнить уже подписанный УПД № {upd} по заказу № {number}. Сделайте исправление или \
             корректировку (УКД) в Диадоке."
        ),
        format!(
            "The buyer asks to correct the signed UPD {upd} of order {number}. Make a revision or a correction (УКД) \
             at Diadoc."
        ),
    )
}

/// How many faults a sentence names: more are no sentence, and no header of a message.
const NAMED: usize = 8;

/// The order's own details are wrong.
pub(crate) fn faults(order: &OrderRef, faults: &[Fault]) -> Failure {
    let number = &order.number;
    let more = faults.len().saturating_sub(NAMED);
    let list = |text: fn(&Text) -> &String, rest: String| {
        let numbered = (1_usize..).zip(faults.iter().take(NAMED)).map(|(place, fault)| {
            let text = text(&fault.text);
            if faults.len() == 1 { text.clone() } else { format!("{place}) {text}") }
        });
        numbered.chain((more > 0).then_some(rest)).collect::<Vec<_>>().join("; ")
    };
    let ru = list(|text| &text.ru, format!("и ещё ошибок: {more}"));
    let en = list(|text| &text.en, format!("and {more} more"));
    dead(
        Class::Invalid,
        faults.first().map_or("order_wrong", |fault| fault.code),
        format!(
            "УПД по заказу № {number} не сделан: {ru}. Исправьте и сохраните заказ; документ уйдёт сам."
        ),
        format!(
            "The UPD of order {number} is not made: {en}. Mend and save the order; it then goes by itself."
        ),
    )
}

/// The written document breaks a rule of the format: our mistake, or a setting's.
pub(crate) fn not_by_format(order: &OrderRef, broken: &[String]) -> Failure {
    let number = &order.number;
    let list = broken.join("; ");
    Failure::Dead(
        Reason::new(
            Class::Invalid,
            "format_broken",
            format!(
                "УПД по заказу № {number} не проходит проверку формата и не отправлен. Проверьте реквизиты заказа и \
                 настройки магазина; подробности — в письме об ошибке."
            ),
            format!(
                "The UPD of order {number} breaks the format and is not sent. Check the order's details and the shop's \
                 settings; the letter has the particulars."
            ),
        )
        .evidence(&list),
    )
}

/// No shop of this name is configured.
pub(crate) fn shop_unknown(order: &OrderRef) -> Failure {
    let OrderRef { number, shop, .. } = order;
    dead(
        Class::Invalid,
        "shop_unknown",
        format!(
            "Заказ № {number} — от организации, а магазина {shop} нет в настройках ЭДО. Добавьте его (EDO_FILE) и \
             повторите."
        ),
        format!(
            "Order {number} is a company's, and shop {shop} is not among the settings of edo. Add it (EDO_FILE), then \
             replay."
        ),
    )
}

/// The event is of a kind that this service does not take.
pub(crate) fn fact_unexpected(event: &Event) -> Failure {
    let number = event.order().map_or("?", |order| order.number.as_str());
    dead(
        Class::Internal,
        "fact_unexpected",
        format!("Заказ № {number}: сервис ЭДО получил чужое событие; передайте номер в поддержку."),
        format!("Order {number}: the edo service got an event that is not for it; tell support."),
    )
}

/// There is no box for the buyer.
pub(crate) fn buyer_missing(order: &OrderRef, inn: &str, kpp: Option<&str>) -> Failure {
    let number = &order.number;
    let kpp = kpp.unwrap_or("—");
    dead(
        Class::Invalid,
        "counterparty_missing",
        format!(
            "УПД по заказу № {number} не отправлен: в Диадоке нет действующей организации с ИНН {inn} и КПП {kpp}. \
             Проверьте ИНН и КПП в заказе или попросите покупателя подключиться, затем повторите."
        ),
        format!(
            "The UPD of order {number} is not sent: Diadoc has no active organisation with INN {inn} and KPP {kpp}. \
             Check both in the order, or have the buyer join, then replay."
        ),
    )
}

/// Several organisations fit, and nothing tells which.
pub(crate) fn buyer_ambiguous(order: &OrderRef, inn: &str, count: usize) -> Failure {
    let number = &order.number;
    dead(
        Class::Invalid,
        "counterparty_ambiguous",
        format!(
            "УПД по заказу № {number} не отправлен: в Диадоке {count} ящика с ИНН {inn}, и не видно, какой из них \
             покупателя. Укажите верный КПП в заказе или отключите лишние ящики, затем повторите."
        ),
        format!(
            "The UPD of order {number} is not sent: Diadoc has {count} boxes with INN {inn}, and nothing tells which is \
             the buyer's. Put the right KPP into the order, or close the others, then replay."
        ),
    )
}

/// The buyer is there and no partner of ours.
pub(crate) fn not_partner(order: &OrderRef, name: &str, ru: &str, en: &str) -> Failure {
    let number = &order.number;
    dead(
        Class::Invalid,
        "counterparty_refuses",
        format!(
            "УПД по заказу № {number} не отправлен: покупатель «{name}» {ru}. Договоритесь с ним и повторите."
        ),
        format!("The UPD of order {number} is not sent: {name} {en}. Come to terms, then replay."),
    )
}

/// Diadoc says beforehand that it would not take the document.
pub(crate) fn cannot_post(order: &OrderRef, errors: &[String]) -> Failure {
    let number = &order.number;
    let list = errors.join("; ");
    Failure::Dead(
        Reason::new(
            Class::Refused,
            "diadoc_cannot_post",
            format!("УПД по заказу № {number} не отправлен, Диадок не примет его: {list}. Устраните причину и повторите."),
            format!("The UPD of order {number} is not sent, Diadoc would not take it: {list}. Mend that, then replay."),
        )
        .evidence(&list),
    )
}

/// Nobody can tell whether the document is there.
pub(crate) fn outcome_unknown(order: &OrderRef, number: &str) -> Reason {
    let own = &order.number;
    Reason::new(
        Class::Unknown,
        "document_unknown",
        format!(
            "Неизвестно, принял ли Диадок УПД № {number} по заказу № {own}. Поищите его там в отправленных и ответьте в \
             Пароме: «Оно там есть», и за ним будут следить дальше, или «Его там нет», и он будет сделан заново."
        ),
        format!(
            "Nobody knows whether Diadoc has UPD {number} of order {own}. Look among what was sent there and say at \
             Parom: \"It is there\", and it is followed, or \"It is not there\", and it is made anew."
        ),
    )
}

/// What the buyer or Diadoc has decided, with a person to act.
pub(crate) fn decided(order: &OrderRef, decision: &Decision, said: Option<&str>) -> Reason {
    let number = &order.number;
    let Decision { state, code, ru, en } = decision;
    let quoted = said.map(|said| format!(": «{said}»")).unwrap_or_default();
    let (ru_then, en_then) = match state {
        State::ToCorrect => (
            "Исправьте заказ: уйдёт исправленный УПД. Если по договорённости меняются цена или количество, сделайте \
             корректировку (УКД) в Диадоке: Паром её увидит.",
            "Mend the order: a corrected UPD goes out. Where price or quantity change by agreement, make a correction \
             (УКД) at Diadoc: Parom sees it.",
        ),
        _ => (
            "Исправьте заказ или повторите: уйдёт новый документ.",
            "Mend the order or replay: a new document goes out.",
        ),
    };
    Reason::new(
        Class::Refused,
        *code,
        format!("УПД по заказу № {number}: {ru}{quoted}. {ru_then}"),
        format!("UPD of order {number}: {en}{quoted}. {en_then}"),
    )
}

/// The buyer did not want the document, and the order would give the same again.
pub(crate) fn same_again(order: &OrderRef) -> Reason {
    let number = &order.number;
    Reason::new(
        Class::Refused,
        "document_unchanged",
        format!(
            "Заказ № {number} изменён, но УПД по нему вышел бы таким же, какой покупатель уже не принял, поэтому он не \
             отправлен. Исправьте то, на что указал покупатель; если нужен такой же УПД, повторите вручную."
        ),
        format!(
            "Order {number} was changed, but its UPD would be the one that the buyer did not take, so it is not sent. \
             Mend what the buyer named; replay by hand if the same UPD is wanted."
        ),
    )
}

/// The document did not reach the buyer's operator.
pub(crate) fn roaming_failed(order: &OrderRef) -> Reason {
    let number = &order.number;
    Reason::new(
        Class::Refused,
        "roaming_failed",
        format!(
            "УПД по заказу № {number} не дошёл до оператора покупателя. Проверьте настройку роуминга в Диадоке и \
             повторите: Паром посмотрит снова."
        ),
        format!(
            "The UPD of order {number} did not reach the buyer's operator. Check the roaming at Diadoc, then \
             replay: Parom looks again."
        ),
    )
}

/// Goods came back after a document: a correction is made by hand.
pub(crate) fn correct_by_hand(order: &OrderRef, upd: &str) -> Reason {
    let number = &order.number;
    Reason::new(
        Class::Invalid,
        "correction_by_hand",
        format!(
            "По заказу № {number} уже отправлен УПД № {upd}, а товар вернулся или заказ отменён. Сделайте корректировку \
             (УКД) или аннулирование в Диадоке и повторите: Паром увидит документ и закроет эту ошибку."
        ),
        format!(
            "UPD {upd} of order {number} is sent, and goods came back or the order was cancelled. Make a correction or \
             a revocation at Diadoc, then replay: Parom sees it and closes this."
        ),
    )
}

/// Goods came back before their document left: what it should say now, a person knows.
pub(crate) fn returned_before(order: &OrderRef) -> Reason {
    let number = &order.number;
    Reason::new(
        Class::Invalid,
        "returned_before_document",
        format!(
            "По заказу № {number} товар вернули раньше, чем ушёл УПД, и УПД не отправлен. Если вернули не всё, составьте \
             документ на оставшееся в Диадоке; затем отбросьте эту ошибку в Пароме и укажите причину."
        ),
        format!(
            "Goods of order {number} came back before their UPD left, and it is not sent. Where some are kept, make a \
             document of those at Diadoc; then discard this letter at Parom with the reason."
        ),
    )
}

/// PostgreSQL is away.
pub(crate) fn store_away(order: &OrderRef, error: &sqlx::Error) -> Failure {
    let number = &order.number;
    let reason = Reason::new(
        Class::Unavailable,
        "store_away",
        format!("УПД по заказу № {number}: база данных недоступна; попытка повторится сама."),
        format!("UPD of order {number}: PostgreSQL is away; it is tried again by itself."),
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
