//! An event as an entry in its order's timeline, and what the order is found by. Pure.

use std::collections::BTreeMap;

use events::{Event, Fact, MarkCode, Order, OrderRef, Phase, Text};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

/// A line of an order's timeline.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub event_id: Uuid,
    pub order: OrderRow,
    pub at: OffsetDateTime,
    pub topic: String,
    pub service: Option<String>,
    pub phase: Option<&'static str>,
    pub code: Option<String>,
    pub text: Text,
    pub cause: Option<Uuid>,
    pub step: Option<String>,
    pub properties: BTreeMap<String, String>,
    pub links: BTreeMap<String, String>,
    /// What else the order is found by from now on.
    pub terms: Vec<(&'static str, String)>,
}

/// What is known of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OrderRow {
    pub key: String,
    pub shop: String,
    pub id: u64,
    pub number: String,
    pub site: bool,
    pub price: Option<i64>,
    pub phone_tail: Option<String>,
}

/// How an order is named in the tables and in addresses.
pub(crate) fn order_key(order: &OrderRef) -> String {
    let side = if order.site { "site" } else { "portal" };
    format!("{} {side} {}", order.shop, order.id)
}

/// The entry that this event makes; `None` for events about no order.
pub(crate) fn entry(event: &Event) -> Option<Entry> {
    let order = event.order()?;
    let snapshot = event.fact.snapshot();
    let blank = Entry {
        event_id: event.id(),
        order: row(order, snapshot),
        at: event.time(),
        topic: plain(&event.topic()),
        service: None,
        phase: None,
        code: None,
        text: happened(&event.fact),
        cause: None,
        step: None,
        properties: BTreeMap::new(),
        links: BTreeMap::new(),
        terms: snapshot.map(marks).unwrap_or_default(),
    };
    let Fact::StatusChanged(status) = &event.fact else { return Some(blank) };
    Some(Entry {
        service: Some(plain(&status.service)),
        phase: Some(phase_name(status.phase)),
        code: Some(plain(&status.code)),
        text: Text::new(clean(&status.text.ru), clean(&status.text.en)),
        cause: Some(status.cause),
        step: Some(clean(&status.step)),
        properties: clean_all(&status.properties),
        links: clean_all(&status.links),
        terms: documents(&status.properties),
        ..blank
    })
}

/// PostgreSQL keeps no NUL; one such text would hold up all that comes with it.
pub(crate) fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// What stands in an index, which takes no text without end.
pub(crate) fn plain(text: &str) -> String {
    clean(text).chars().take(200).collect()
}

fn clean_all(values: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    values.iter().map(|(name, value)| (clean(name), clean(value))).collect()
}

fn row(order: &OrderRef, snapshot: Option<&Order>) -> OrderRow {
    let phone = snapshot.and_then(|order| order.buyer.phone.as_deref());
    OrderRow {
        key: order_key(order),
        shop: order.shop.to_string(),
        id: order.id,
        number: plain(&order.number),
        site: order.site,
        price: snapshot.map(|order| order.price.kopecks()),
        phone_tail: phone.and_then(phone_tail),
    }
}

/// The last four digits: enough to find an order by, too few to call anybody.
pub(crate) fn phone_tail(phone: &str) -> Option<String> {
    let digits: Vec<char> = phone.chars().filter(char::is_ascii_digit).collect();
    let tail = digits.len().checked_sub(4)?;
    digits.get(tail..).map(|tail| tail.iter().collect())
}

fn happened(fact: &Fact) -> Text {
    let (ru, en) = match fact {
        Fact::WebhookReceived(_) => ("Магазин прислал вызов.", "The shop called."),
        Fact::OrderCreated(_) => ("Заказ создан.", "The order was made."),
        Fact::OrderPaid(_) => ("Оплата получена.", "A payment came in."),
        Fact::OrderShipped(_) => ("Отгрузка ушла.", "A shipment left."),
        Fact::OrderCompleted(_) => ("Заказ выполнен.", "The order is completed."),
        Fact::OrderCancelled(_) => ("Заказ отменён.", "The order is cancelled."),
        Fact::OrderChanged(_) => ("Заказ изменён.", "The order was changed."),
        Fact::OrderReturned(_) => ("Товар возвращён.", "Goods came back."),
        Fact::PaymentRefunded(_) => ("Деньги возвращены.", "Money went back."),
        Fact::ReceiptAsked(_) => ("Запрошен чек.", "A receipt was asked for."),
        Fact::CheckIssued(_) => ("Чек магазина пробит.", "The shop's receipt is issued."),
        Fact::StatusChanged(_) => ("Состояние изменилось.", "The state changed."),
    };
    Text::new(ru, en)
}

fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Working => "working",
        Phase::Retrying => "retrying",
        Phase::Done => "done",
        Phase::Failed => "failed",
        Phase::Unknown => "unknown",
    }
}

fn marks(order: &Order) -> Vec<(&'static str, String)> {
    let codes = order.lines.iter().flat_map(|line| &line.marks).map(MarkCode::as_bytes);
    codes.filter_map(mark_term).map(|term| ("mark", term)).collect()
}

/// The hash of a code's public part (KI): AI 01, 14 digits, AI 21, the serial up to the separator.
/// The serial is nobody's business who does not have it, so only its hash is kept.
///
/// Source: GS1 General Specifications, AIs 01 and 21; group separator 0x1D ends the serial.
pub(crate) fn mark_term(code: &[u8]) -> Option<String> {
    let code = code.strip_prefix(&[0x1D]).unwrap_or(code);
    let gtin = code.strip_prefix(b"01")?.get(..14)?;
    code.get(16..18).filter(|ai| *ai == b"21" && gtin.iter().all(u8::is_ascii_digit))?;
    let serial = code.get(18..)?.split(|byte| *byte == 0x1D).next()?;
    let public = code.get(..18 + serial.len()).filter(|_| (1..=20).contains(&serial.len()))?;
    Some(Sha256::digest(public).iter().map(|byte| format!("{byte:02x}")).collect())
}

fn documents(properties: &BTreeMap<String, String>) -> Vec<(&'static str, String)> {
    let ids = properties.values().map(|value| clean(value).trim().to_lowercase());
    ids.filter(|id| (3..=80).contains(&id.chars().count())).map(|id| ("document", id)).collect()
}

#[cfg(test)]
mod tests {
    use super::{mark_term, phone_tail};

    #[test]
    fn a_code_is_found_by_its_public_part_with_and_without_the_tail() {
        let public = mark_term(b"0104607034691195215Qf3kR");
        assert!(public.is_some());
        for same in [
            &b"0104607034691195215Qf3kR\x1d91EE06\x1d92dGVzdA=="[..],
            b"\x1d0104607034691195215Qf3kR\x1d93abcd",
        ] {
            assert_eq!(mark_term(same), public);
        }
        assert_ne!(mark_term(b"0104607034691195215Qf3kS"), public);
    }

    #[test]
    fn what_is_no_such_code_is_not_kept() {
        for code in [
            &b""[..],
            b"0104607034691195",
            b"0104607034691195215",
            // No separator: where the serial ends, and the crypto tail begins, nobody can say.
            b"0104607034691195215Qf3kR0123456789012345678991EE0692",
            b"00000046198488X?io+qCABm8wAYa",
        ] {
            let expected = code == b"0104607034691195215";
            assert_eq!(mark_term(code).is_some(), expected, "{code:?}");
        }
    }

    #[test]
    fn four_digits_of_a_phone_are_kept() {
        assert_eq!(phone_tail("+7 (900) 123-45-67").as_deref(), Some("4567"));
        assert_eq!(phone_tail("12"), None);
    }
}
