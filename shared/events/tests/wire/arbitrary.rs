//! Any event there can be. The big strategies are boxed: unboxed, a test's stack is too small.

use std::collections::BTreeMap;

use events::{
    Buyer, Channel, CheckIssued, Delivery, Event, Fact, Line, MarkCode, MarksBy, Money, Order,
    OrderFact, OrderRef, Payment, PaymentFact, PaymentState, Phase, Quantity, ReceiptAsked,
    RefundFact, ReturnFact, ReturnedLine, Shipment, ShipmentFact, ShopId, Status, Text, Vat,
    Webhook,
};
use proptest::{
    collection::{btree_map, vec},
    option::of,
    prelude::*,
    sample::select,
};
use time::{OffsetDateTime, UtcOffset};
use uuid::Uuid;

/// Any event.
pub(crate) fn event() -> BoxedStrategy<Event> {
    (fact(), time()).prop_map(|(fact, time)| Event::new(fact, time)).boxed()
}

/// Any fact.
pub(crate) fn fact() -> BoxedStrategy<Fact> {
    let occurrence = || 1..=u32::MAX;
    let order_fact =
        (order(), occurrence()).prop_map(|(order, occurrence)| OrderFact { order, occurrence });
    let about_order = (0..4, order_fact).prop_map(|(which, fact)| match which {
        0 => Fact::OrderCreated(Box::new(fact)),
        1 => Fact::OrderCompleted(Box::new(fact)),
        2 => Fact::OrderChanged(Box::new(fact)),
        _ => Fact::OrderCancelled(Box::new(fact)),
    });
    let part = || (order(), any::<u64>(), occurrence());
    let paid = part().prop_map(|(order, payment, occurrence)| {
        Fact::OrderPaid(Box::new(PaymentFact { order, payment, occurrence }))
    });
    let shipped = part().prop_map(|(order, shipment, occurrence)| {
        Fact::OrderShipped(Box::new(ShipmentFact { order, shipment, occurrence }))
    });
    let refunded = (part(), money()).prop_map(|((order, payment, occurrence), sum)| {
        Fact::PaymentRefunded(Box::new(RefundFact { order, payment, sum, occurrence }))
    });
    let line = (any::<u64>(), quantity());
    let line = line.prop_map(|(line, quantity)| ReturnedLine { line, quantity });
    let returned =
        (order(), vec(line, 0..3), occurrence()).prop_map(|(order, lines, occurrence)| {
            Fact::OrderReturned(Box::new(ReturnFact { order, lines, occurrence }))
        });
    prop_oneof![
        1 => webhook().prop_map(Fact::WebhookReceived),
        3 => about_order,
        1 => paid,
        1 => shipped,
        1 => returned,
        1 => refunded,
        1 => asked().prop_map(|asked| Fact::ReceiptAsked(Box::new(asked))),
        1 => issued().prop_map(|issued| Fact::CheckIssued(Box::new(issued))),
        1 => status().prop_map(|status| Fact::StatusChanged(Box::new(status))),
    ]
    .boxed()
}

/// Any order.
pub(crate) fn order() -> BoxedStrategy<Order> {
    let said = (key(), of(any::<u64>()), text(), any::<bool>(), time(), time(), money(), buyer());
    let parts = (vec(line(), 0..3), of(delivery()), vec(payment(), 0..3), vec(shipment(), 0..3));
    let marks_by = prop_oneof![Just(MarksBy::Receipt), Just(MarksBy::Document)];
    (said, parts, texts(), marks_by)
        .prop_map(|(said, parts, properties, marks_by)| {
            let (key, version, status, canceled, created_at, updated_at, price, buyer) = said;
            let (lines, delivery, payments, shipments) = parts;
            Order {
                key,
                version,
                status,
                canceled,
                created_at,
                updated_at,
                price,
                buyer,
                lines,
                delivery,
                payments,
                shipments,
                properties,
                marks_by,
            }
        })
        .boxed()
}

fn key() -> impl Strategy<Value = OrderRef> {
    (shop(), any::<u64>(), text(), any::<bool>()).prop_map(|(shop, id, number, site)| OrderRef {
        shop,
        id,
        number,
        site,
    })
}

fn shop() -> impl Strategy<Value = ShopId> {
    "[a-z0-9-]{1,40}".prop_map(|name| name.parse().unwrap())
}

fn buyer() -> impl Strategy<Value = Buyer> {
    let word = || of(text());
    (of(any::<u64>()), word(), word(), word(), word(), word())
        .prop_map(|(id, name, email, phone, inn, kpp)| Buyer { id, name, email, phone, inn, kpp })
}

fn line() -> impl Strategy<Value = Line> {
    let product = (any::<u64>(), of(any::<u64>()), of(text()), text(), of(text()), texts());
    let sold = (quantity(), money(), vat(), vec(mark(), 0..3), any::<bool>());
    (product, sold).prop_map(|(product, sold)| {
        let (id, product, product_xml_id, name, unit, properties) = product;
        let (quantity, price, vat, marks, marked) = sold;
        Line {
            id,
            product,
            product_xml_id,
            name,
            quantity,
            unit,
            price,
            vat,
            marks,
            marked,
            properties,
        }
    })
}

fn delivery() -> impl Strategy<Value = Delivery> {
    (text(), money(), of(vat())).prop_map(|(name, price, vat)| Delivery { name, price, vat })
}

fn payment() -> impl Strategy<Value = Payment> {
    let state = select(vec![PaymentState::Open, PaymentState::Paid, PaymentState::Returned]);
    (any::<u64>(), of(any::<u64>()), money(), state, of(time()))
        .prop_map(|(id, system, sum, state, paid_at)| Payment { id, system, sum, state, paid_at })
}

fn shipment() -> impl Strategy<Value = Shipment> {
    (any::<u64>(), any::<bool>(), of(time()), vec((any::<u64>(), quantity()), 0..3)).prop_map(
        |(id, deducted, deducted_at, items)| Shipment { id, deducted, deducted_at, items },
    )
}

fn webhook() -> impl Strategy<Value = Webhook> {
    let channel = select(vec![Channel::Bitrix24, Channel::Site, Channel::Reconcile]);
    (uuid(), shop(), channel, text(), of(any::<u64>()), of(key()), of(text())).prop_map(
        |(call, shop, channel, name, entity, order, body)| Webhook {
            call,
            shop,
            channel,
            name,
            entity,
            order,
            body,
        },
    )
}

fn asked() -> impl Strategy<Value = ReceiptAsked> {
    let name = "(site-)?[0-9]{1,20}:[0-9a-z-]{1,40}:[a-z]{1,10}:[0-9]{1,10}";
    (shop(), name, of(key()), text()).prop_map(|(shop, name, order, body)| ReceiptAsked {
        shop,
        name,
        order,
        body,
    })
}

fn issued() -> impl Strategy<Value = CheckIssued> {
    let digits = || "[0-9]{1,20}";
    let known = (of(digits()), of(digits()), of(digits()));
    (shop(), uuid(), time(), digits(), digits(), digits(), known).prop_map(
        |(shop, check, issued_at, sign, document, drive, (registration, number, shift))| {
            CheckIssued {
                shop,
                check,
                issued_at,
                registration,
                sign,
                document,
                number,
                drive,
                shift,
            }
        },
    )
}

fn status() -> impl Strategy<Value = Status> {
    let phases = [Phase::Working, Phase::Retrying, Phase::Done, Phase::Failed, Phase::Unknown];
    let said = (select(phases.to_vec()), text(), text(), text(), text());
    ("[a-z][a-z0-9_-]{0,39}", key(), uuid(), said, texts(), texts()).prop_map(
        |(service, order, cause, (phase, step, code, ru, en), properties, links)| Status {
            service,
            order,
            cause,
            step,
            phase,
            code,
            text: Text { ru, en },
            properties,
            links,
        },
    )
}

fn uuid() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

fn money() -> impl Strategy<Value = Money> {
    any::<i64>().prop_map(Money::from_kopecks)
}

fn quantity() -> impl Strategy<Value = Quantity> {
    (any::<u64>(), 0..1_000_000_u32)
        .prop_map(|(whole, millionths)| format!("{whole}.{millionths:06}").parse().unwrap())
}

fn vat() -> impl Strategy<Value = Vat> {
    select(Vat::ALL.to_vec())
}

fn mark() -> impl Strategy<Value = MarkCode> {
    vec(any::<u8>(), 1..=64).prop_map(|bytes| MarkCode::from_bytes(bytes).unwrap())
}

/// Any moment from the years 1 to 9998 by a clock of any time zone.
pub(crate) fn time() -> impl Strategy<Value = OffsetDateTime> {
    let seconds = -62_135_596_800..253_370_764_800_i64;
    let minutes = -23 * 60 - 59..=23 * 60 + 59;
    (seconds, 0..1_000_000_000_u32, minutes).prop_map(|(seconds, nanoseconds, minutes)| {
        OffsetDateTime::from_unix_timestamp(seconds)
            .and_then(|time| time.replace_nanosecond(nanoseconds))
            .unwrap()
            .to_offset(UtcOffset::from_whole_seconds(minutes * 60).unwrap())
    })
}

/// Any text, control characters and all.
pub(crate) fn text() -> impl Strategy<Value = String> {
    vec(any::<char>(), 0..8).prop_map(String::from_iter)
}

fn texts() -> impl Strategy<Value = BTreeMap<String, String>> {
    btree_map(text(), text(), 0..3)
}
