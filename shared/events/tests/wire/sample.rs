//! Events to look at: of each type at least one, and between them every value that has a form of
//! its own.

use std::collections::BTreeMap;

use events::{
    Buyer, Channel, CheckIssued, Delivery, Event, Fact, Line, MarkCode, MarksBy, Money, Order,
    OrderFact, OrderRef, Payment, PaymentFact, PaymentState, Phase, ReceiptAsked, RefundFact,
    ReturnFact, ReturnedLine, Shipment, ShipmentFact, Status, Text, Vat, Webhook,
};
use time::{Duration, OffsetDateTime, UtcOffset, macros::datetime};
use uuid::{Uuid, uuid};

/// When everything here happens.
const NOON: OffsetDateTime = datetime!(2026-03-01 12:00:00 +3);
/// The code of a marked product: group separators within, made up.
const CODE: &str = "010460000000001521a\"B'<&;é\u{1d}91EE11\u{1d}92c2VjcmV0IHRhaWw=";

/// What no error may ever quote.
pub(crate) const SECRETS: [&str; 6] =
    ["Покупатель", "buyer@example.com", "900 000-00-00", "7799999999", "MDEwNDYw", "c2VjcmV0"];

/// All of them, by what AMQP would call their topic.
pub(crate) fn all() -> Vec<Event> {
    let status = |phase| Fact::StatusChanged(Box::new(status(phase)));
    let fact = |order, occurrence| Box::new(OrderFact { order, occurrence });
    let facts = [
        Fact::WebhookReceived(webhook(Channel::Site)),
        Fact::WebhookReceived(webhook(Channel::Bitrix24)),
        Fact::WebhookReceived(webhook(Channel::Reconcile)),
        Fact::OrderCreated(fact(everything(), 1)),
        Fact::OrderPaid(Box::new(PaymentFact { order: order(), payment: 91, occurrence: 1 })),
        Fact::OrderShipped(Box::new(ShipmentFact { order: order(), shipment: 55, occurrence: 2 })),
        Fact::OrderCompleted(fact(nothing(), 1)),
        Fact::OrderCancelled(fact(Order { canceled: true, ..order() }, u32::MAX)),
        Fact::OrderChanged(fact(order(), 2)),
        Fact::OrderReturned(Box::new(ReturnFact {
            order: order(),
            lines: vec![returned(1, "1"), returned(u64::MAX, "0.000001")],
            occurrence: 3,
        })),
        Fact::PaymentRefunded(Box::new(RefundFact {
            order: order(),
            payment: 91,
            sum: Money::from_kopecks(49_000),
            occurrence: 1,
        })),
        Fact::ReceiptAsked(Box::new(asked("4711:0a1b2c3d4e5f:correct:1", Some(order().key)))),
        Fact::ReceiptAsked(Box::new(asked("0:85-0a1b2c3d:check:1", None))),
        Fact::CheckIssued(Box::new(issued(Some("1")))),
        Fact::CheckIssued(Box::new(issued(None))),
        status(Phase::Working),
        status(Phase::Retrying),
        status(Phase::Done),
        status(Phase::Failed),
        status(Phase::Unknown),
    ];
    facts.into_iter().map(|fact| Event::new(fact, NOON)).collect()
}

/// An order of tea and water, as a site's module tells it.
pub(crate) fn order() -> Order {
    let tea =
        Line { quantity: "2".parse().unwrap(), ..line(1, "Чай улун, 100 г", Vat::V22) };
    let water = Line {
        quantity: "1".parse().unwrap(),
        price: Money::from_kopecks(8_900),
        marks: vec![MarkCode::from_text(CODE).unwrap()],
        marked: true,
        properties: map([("GTIN", "04600000000015")]),
        ..line(2, "Вода «Родник» 0,5 л", Vat::V10)
    };
    let payment = Payment {
        id: 91,
        system: Some(3),
        sum: Money::from_kopecks(136_900),
        state: PaymentState::Paid,
        paid_at: Some(NOON),
    };
    let shipment = Shipment {
        id: 55,
        deducted: true,
        deducted_at: Some(NOON + Duration::nanoseconds(1)),
        items: vec![(1, "2".parse().unwrap()), (2, "1".parse().unwrap())],
    };
    Order {
        key: OrderRef { site: true, ..nothing().key },
        version: Some(7),
        status: "P".to_owned(),
        price: Money::from_kopecks(136_900),
        buyer: Buyer {
            id: Some(8),
            name: Some("Покупатель".to_owned()),
            email: Some("buyer@example.com".to_owned()),
            phone: Some("+7 900 000-00-00, доб. 1".to_owned()),
            inn: Some("7799999999".to_owned()),
            kpp: Some("770701001".to_owned()),
        },
        lines: vec![tea, water],
        delivery: Some(Delivery {
            name: "Курьер".to_owned(),
            price: Money::from_kopecks(30_000),
            vat: Some(Vat::V22),
        }),
        payments: vec![payment],
        shipments: vec![shipment],
        properties: map([
            ("COMMENT", "Позвонить\tза час\n«не раньше» 10:00 \\ \u{1F375}"),
            ("PHONE", "+7 900 000-00-00"),
        ]),
        ..nothing()
    }
}

/// An order with each VAT rate, each state of a payment and the longest numbers.
fn everything() -> Order {
    let rates = Vat::ALL.into_iter().zip(1..);
    let payment = |(id, state)| Payment {
        id,
        system: None,
        sum: Money::from_kopecks(i64::MAX),
        state,
        paid_at: (state != PaymentState::Open).then(|| NOON.to_offset(UtcOffset::UTC)),
    };
    let states = [PaymentState::Open, PaymentState::Paid, PaymentState::Returned];
    let longest = Line {
        quantity: "99999999999999999999.999999".parse().unwrap(),
        price: Money::from_kopecks(i64::MIN),
        marks: vec![MarkCode::from_bytes(vec![0xFF; MarkCode::MAX_LEN]).unwrap()],
        ..line(u64::MAX, "", Vat::None)
    };
    Order {
        version: Some(u64::MAX),
        lines: rates.map(|(vat, id)| line(id, vat.as_str(), vat)).chain([longest]).collect(),
        payments: (1..).zip(states).map(payment).collect(),
        shipments: vec![Shipment { id: 1, deducted: false, deducted_at: None, items: Vec::new() }],
        marks_by: MarksBy::Document,
        delivery: Some(Delivery {
            name: "Самовывоз".to_owned(), price: Money::ZERO, vat: None
        }),
        ..order()
    }
}

/// An order of which the shop tells as little as it can, from a portal.
fn nothing() -> Order {
    let shop = "tea-house".parse().unwrap();
    Order {
        key: OrderRef { shop, id: 4711, number: "А-4711".to_owned(), site: false },
        version: None,
        status: "F".to_owned(),
        canceled: false,
        created_at: datetime!(2026-02-28 23:59:59.5 UTC),
        updated_at: NOON,
        price: Money::ZERO,
        buyer: Buyer::default(),
        lines: Vec::new(),
        delivery: None,
        payments: Vec::new(),
        shipments: Vec::new(),
        properties: BTreeMap::new(),
        marks_by: MarksBy::Receipt,
    }
}

fn line(id: u64, name: &str, vat: Vat) -> Line {
    Line {
        id,
        product: Some(501),
        product_xml_id: Some("tea#1".to_owned()),
        name: name.to_owned(),
        quantity: "0.746".parse().unwrap(),
        unit: Some("796".to_owned()),
        price: Money::from_kopecks(49_000),
        vat,
        marks: Vec::new(),
        marked: false,
        properties: BTreeMap::new(),
    }
}

fn returned(line: u64, quantity: &str) -> ReturnedLine {
    ReturnedLine { line, quantity: quantity.parse().unwrap() }
}

fn webhook(channel: Channel) -> Webhook {
    const CALL: Uuid = uuid!("018f3f2a-5b7c-7d3e-9a1b-2c3d4e5f6071");
    let OrderRef { shop, .. } = nothing().key;
    let bare = Webhook {
        call: CALL,
        shop,
        channel,
        name: String::new(),
        entity: None,
        order: None,
        body: None,
    };
    match channel {
        Channel::Bitrix24 => {
            Webhook { name: "ONSALEORDERSAVED".to_owned(), entity: Some(4711), ..bare }
        }
        Channel::Site => Webhook {
            order: Some(OrderRef { site: true, ..nothing().key }),
            body: Some("{\"email\": \"buyer@example.com\"}\r\n".to_owned()),
            ..bare
        },
        Channel::Reconcile => Webhook { order: Some(nothing().key), entity: Some(4711), ..bare },
    }
}

fn asked(name: &str, order: Option<OrderRef>) -> ReceiptAsked {
    let shop = nothing().key.shop;
    let body = "{\"email\": \"buyer@example.com\"}".to_owned();
    ReceiptAsked { shop, name: name.to_owned(), order, body }
}

fn issued(known: Option<&str>) -> CheckIssued {
    CheckIssued {
        shop: nothing().key.shop,
        check: uuid!("6f1e0a52-8a0c-5d0e-9d2a-0d6a1c2b3e4f"),
        issued_at: NOON,
        registration: known.map(str::to_owned),
        sign: "0987654321".to_owned(),
        document: "1234".to_owned(),
        number: known.map(str::to_owned),
        drive: "9999078900000001".to_owned(),
        shift: known.map(str::to_owned),
    }
}

fn status(phase: Phase) -> Status {
    let done = phase == Phase::Done;
    let fiscal = [
        ("CLOUDKASSIR_FN", "9999078900000001"),
        ("CLOUDKASSIR_FD", "1234"),
        ("CLOUDKASSIR_FPD", "0987654321"),
    ];
    Status {
        service: "fiscal".to_owned(),
        order: order().key,
        cause: uuid!("6f1e0a52-8a0c-5d0e-9d2a-0d6a1c2b3e4f"),
        step: "sell 1".to_owned(),
        phase,
        code: if done { "receipt_done" } else { "receipt" }.to_owned(),
        text: Text::new("Чек по заказу № А-4711.", "The receipt for order А-4711."),
        properties: if done { map(fiscal) } else { BTreeMap::new() },
        links: if done { map([("qr", "https://example.com/qr?t=1&s=1369.00")]) } else { map([]) },
    }
}

fn map<const N: usize>(entries: [(&str, &str); N]) -> BTreeMap<String, String> {
    entries.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}
