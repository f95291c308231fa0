//! Whole orders at the register: prepayments, hand-over, refunds, each once.

use events::{
    Event, Fact, Order, PaymentFact, PaymentState, RefundFact, ReturnFact, ReturnedLine,
    ShipmentFact,
};
use fiscal::subject::Subject;
use runtime::testing::Job;

use crate::{
    order::{order, priced, qty, rub, rules_with},
    till::to_ship,
    world::{Changes, World},
};

fn prepaid() -> Changes {
    let rules = rules_with("settlement = 'prepayment'\ncloses_on = 'shipped'");
    Changes { rules: Some(rules), ..Changes::default() }
}

fn paid(order: &Order, occurrence: u32) -> Job {
    let fact = PaymentFact { order: order.clone(), payment: 55, occurrence };
    Job::new(Event::new(Fact::OrderPaid(Box::new(fact)), order.updated_at))
}

fn shipped(order: &Order) -> Job {
    let fact = ShipmentFact { order: order.clone(), shipment: 9, occurrence: 1 };
    Job::new(Event::new(Fact::OrderShipped(Box::new(fact)), order.updated_at))
}

fn refunded(order: &Order, occurrence: u32) -> Job {
    let mut order = order.clone();
    order.payments[0].state = PaymentState::Returned;
    let (sum, at) = (order.payments[0].sum, order.updated_at);
    let fact = RefundFact { order, payment: 55, sum, occurrence };
    Job::new(Event::new(Fact::PaymentRefunded(Box::new(fact)), at))
}

fn returned(order: &Order, quantity: &str, occurrence: u32) -> Job {
    let lines = vec![ReturnedLine { line: 7, quantity: qty(quantity) }];
    let fact = ReturnFact { order: order.clone(), lines, occurrence };
    Job::new(Event::new(Fact::OrderReturned(Box::new(fact)), order.updated_at))
}

fn to_ship_paid() -> Order {
    let mut order = to_ship();
    order.payments[0].state = PaymentState::Paid;
    order
}

/// Kinds, methods and totals in the register's books.
fn receipts(world: &World) -> Vec<(String, String, i64)> {
    let row =
        |r: emulator::cloudkassir::Receipt| (r.kind, r.items[0].method.clone(), r.total_kopecks);
    world.receipts().into_iter().map(row).collect()
}

fn row(kind: &str, method: &str, total: i64) -> (String, String, i64) {
    (kind.to_owned(), method.to_owned(), total)
}

#[tokio::test]
async fn a_prepaid_order_is_shipped_and_refunded() {
    let world = World::with(prepaid()).await;
    let order = to_ship_paid();
    // Told in the wrong order: the shipment waits for the prepayment's receipt.
    let (mut shipped, mut refunded) = (shipped(&order), refunded(&order, 1));
    assert_eq!(crate::world::name(&shipped.run(&*world.fiscal).await), "wait 15s");
    assert_eq!(crate::world::name(&refunded.run(&*world.fiscal).await), "wait 15s");
    world.carry(&mut paid(&order, 1)).await;
    world.carry(&mut shipped).await;
    assert_eq!(world.carry(&mut refunded).await.last().unwrap(), "done");
    assert_eq!(
        receipts(&world),
        [
            row("Income", "1", 148_100),
            row("Income", "4", 148_100),
            row("IncomeReturn", "4", 148_100)
        ]
    );
    let names: Vec<String> = world.receipts().into_iter().map(|r| r.invoice_id).collect();
    assert_eq!(
        names,
        ["acme:1001:55:sell:1:1", "acme:1001:s9:close:1:1", "acme:1001:55:refund:1:1"]
    );
    let summary = world.emulator.emulator.cloudkassir.summary();
    assert_eq!((summary.processed, summary.refused), (3, 0), "{summary:?}");
}

#[tokio::test]
async fn partial_returns_are_refunded_one_after_another() {
    let rules = rules_with("refunds_on = 'returned'");
    let world = World::with(Changes { rules: Some(rules), ..Changes::default() }).await;
    let order = order();
    world.carry(&mut paid(&order, 1)).await;
    for occurrence in 1..=2 {
        let mut job = returned(&order, "1", occurrence);
        assert_eq!(world.carry(&mut job).await.last().unwrap(), "done");
        // Told again: the same job, the same receipt.
        assert_eq!(world.carry(&mut job).await, ["done"]);
    }
    let way = world.carry(&mut returned(&order, "1", 3)).await;
    assert_eq!(way, ["dead refund_above_sale"]);
    assert_eq!(
        receipts(&world),
        [
            row("Income", "4", 148_100),
            row("IncomeReturn", "4", 59_050),
            row("IncomeReturn", "4", 59_050)
        ]
    );
}

#[tokio::test]
async fn paid_unpaid_and_paid_again_is_sold_refunded_and_sold() {
    let world = World::new().await;
    let order = order();
    world.carry(&mut paid(&order, 1)).await;
    // The second payment overtakes the refund, and waits for it.
    let mut again = paid(&order, 2);
    assert_eq!(crate::world::name(&again.run(&*world.fiscal).await), "wait 15s");
    world.carry(&mut refunded(&order, 1)).await;
    assert_eq!(world.carry(&mut again).await.last().unwrap(), "done");
    let kinds: Vec<String> = receipts(&world).into_iter().map(|(kind, ..)| kind).collect();
    assert_eq!(kinds, ["Income", "IncomeReturn", "Income"]);
}

#[tokio::test]
async fn what_waits_for_an_earlier_receipt_in_vain_stops_for_a_person() {
    let world = World::with(prepaid()).await;
    let mut job = refunded(&to_ship_paid(), 1);
    let mut end = String::new();
    for _ in 0..30 {
        end = crate::world::name(&job.run(&*world.fiscal).await);
        if end.starts_with("dead") {
            break;
        }
        assert_eq!(end, "wait 15s");
        world.pass(std::time::Duration::from_secs(3600));
    }
    assert_eq!(end, "dead earlier_receipt_missing");
    world.nothing_sent();
    // The payment's receipt is there in the end: a replay goes on.
    world.carry(&mut paid(&to_ship_paid(), 1)).await;
    assert_eq!(world.carry(&mut job).await.last().unwrap(), "done");
}

#[tokio::test]
async fn a_refused_receipt_is_planned_anew_and_its_entry_replaced() {
    let world = World::new().await;
    world.fault(crate::world::on_receipt(emulator::Kind::Refusal).code(13).times(1));
    let order = order();
    let mut job = paid(&order, 1);
    assert_eq!(world.carry(&mut job).await, ["dead receipt_refused"]);
    let entries = world.ledgers.entries(&Subject::order(&order.key)).await.unwrap();
    assert_eq!((entries.len(), entries[0].settled), (1, false));
    world.carry(&mut job).await;
    let entries = world.ledgers.entries(&Subject::order(&order.key)).await.unwrap();
    assert_eq!((entries.len(), entries[0].settled), (1, true));
    world.only_receipt();
}

/// Its closing receipt offsets a prepayment that was entered after it had stopped.
#[tokio::test]
async fn a_payment_planned_anew_follows_what_was_entered_meanwhile() {
    let world = World::new().await;
    let mut order = priced(order(), "1000.00");
    order.payments[0].sum = rub("500.00");
    let second = events::Payment { id: 56, sum: rub("300.00"), ..order.payments[0].clone() };
    order.payments.push(second);
    let pay = |order: &Order, payment| {
        let fact = PaymentFact { order: order.clone(), payment, occurrence: 1 };
        Event::new(Fact::OrderPaid(Box::new(fact)), order.updated_at)
    };
    world.fault(crate::world::on_receipt(emulator::Kind::Refusal).code(13).times(1));
    let mut first = Job::new(pay(&order, 55));
    assert_eq!(world.carry(&mut first).await, ["dead receipt_refused"]);
    let mut other = Job::new(pay(&order, 56));
    assert_eq!(world.carry(&mut other).await.last().unwrap(), "done");
    order.price = rub("800.00");
    first.renew(pay(&order, 55));
    assert_eq!(world.carry(&mut first).await.last().unwrap(), "done");
    let entries = world.ledgers.entries(&Subject::order(&order.key)).await.unwrap();
    let causes: Vec<_> = entries.iter().map(|entry| entry.cause).collect();
    assert_eq!(causes, [other.event().id(), first.event().id()]);
    for payment in &mut order.payments {
        payment.state = PaymentState::Returned;
    }
    for (payment, sum) in [(55, "500.00"), (56, "300.00")] {
        let fact = RefundFact { order: order.clone(), payment, sum: rub(sum), occurrence: 1 };
        let event = Event::new(Fact::PaymentRefunded(Box::new(fact)), order.updated_at);
        assert_eq!(world.carry(&mut Job::new(event)).await.last().unwrap(), "done");
    }
    assert_eq!(
        receipts(&world),
        [row("Income", "2", 30_000), row("Income", "4", 80_000), row("IncomeReturn", "4", 80_000)]
    );
}

/// Facts of one order at once: the ledger lets one after another plan.
#[tokio::test]
async fn returns_told_at_once_never_refund_more_than_was_sold() {
    let rules = rules_with("refunds_on = 'returned'");
    let world = World::with(Changes { rules: Some(rules), ..Changes::default() }).await;
    let order = order();
    world.carry(&mut paid(&order, 1)).await;
    let returns = (1..=6).map(|occurrence| {
        let (world, order) = (&world, &order);
        async move { world.carry(&mut returned(order, "1", occurrence)).await }
    });
    let ways = futures_util::future::join_all(returns).await;
    let done = ways.iter().filter(|way| way.last().unwrap() == "done").count();
    assert_eq!(done, 2, "{ways:?}");
    assert_eq!(receipts(&world).len(), 3);
}
