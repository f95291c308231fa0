//! Receipts that come through, and orders that give none.

use std::time::Duration;

use events::{Money, Order, Phase};
use runtime::Class;

use crate::{
    order::{order, priced, rub, rules_with, with_line},
    world::{Changes, World, dead, job, statuses, told},
};

#[tokio::test]
async fn a_paid_order_gets_its_receipt_and_the_shop_the_fiscal_data() {
    let world = World::new().await;
    let mut job = job(order());
    let way = world.carry(&mut job).await;
    // Accepted; still queued at the first look; processed at the second.
    assert_eq!(way, ["wait 5s", "wait 10s", "done"]);
    let receipt = world.only_receipt();
    assert_eq!(receipt.invoice_id, "acme:1001:55:sell:1:1");
    assert_eq!(receipt.kind, "Income");
    assert_eq!(receipt.total_kopecks, 148_100);
    assert_eq!(receipt.account_id, "42");
    assert_eq!(job.alias.as_deref(), Some("acme:1001:55:sell:1:1"));
    assert_eq!(told(&job), [(Phase::Working, "receipt_accepted"), (Phase::Done, "receipt_done")]);
    let done = statuses(&job).pop().unwrap().clone();
    let fiscal = receipt.fiscal.unwrap();
    let properties: Vec<(&str, &str)> =
        done.properties.iter().map(|(code, value)| (code.as_str(), value.as_str())).collect();
    assert_eq!(
        properties,
        [
            ("CLOUDKASSIR_FD", fiscal.document_number.to_string().as_str()),
            ("CLOUDKASSIR_FN", fiscal.fiscal_number.as_str()),
            ("CLOUDKASSIR_FPD", fiscal.fiscal_sign.to_string().as_str()),
        ]
    );
    assert!(done.links["qr"].contains(&format!("fp={}", fiscal.fiscal_sign)), "{:?}", done.links);
    assert!(done.text.ru.contains("№ A-1001") && done.text.en.contains("A-1001"));
    assert_eq!(done.order, order().key);
}

#[tokio::test]
async fn a_finished_job_does_nothing_when_told_again() {
    let world = World::new().await;
    let mut job = job(order());
    world.carry(&mut job).await;
    let before = job.told.len();
    assert_eq!(world.carry(&mut job).await, ["done"]);
    assert_eq!(job.told.len(), before);
    assert_eq!(world.only_receipt().requested, 1);
}

#[tokio::test]
async fn a_prepayment_gets_a_receipt_at_calculated_rates() {
    let rules = rules_with("settlement = 'full_prepayment'\ncloses_on = 'shipped'");
    let world = World::with(Changes { rules: Some(rules), ..Changes::default() }).await;
    world.carry(&mut job(with_discount())).await;
    let receipt = world.only_receipt();
    let rows: Vec<_> = receipt
        .items
        .iter()
        .map(|item| (item.amount.as_str(), item.vat.as_str(), item.method.as_str()))
        .collect();
    assert_eq!(
        rows,
        [
            ("1120.50", "122", "1"),
            ("63.24", "110", "1"),
            ("31.63", "110", "1"),
            ("284.63", "122", "1")
        ]
    );
    assert_eq!(receipt.total_kopecks, 150_000);
}

/// Lines and delivery make 1580.99, the buyer pays 1500.00.
fn with_discount() -> Order {
    priced(with_line(order(), "Ложка", "33.33", "3"), "1500.00")
}

#[tokio::test]
async fn portal_and_site_number_their_orders_each_for_itself() {
    let world = World::new().await;
    let mut site = order();
    site.key.site = true;
    world.carry(&mut job(order())).await;
    world.carry(&mut job(site)).await;
    let names: Vec<_> = world.receipts().into_iter().map(|receipt| receipt.invoice_id).collect();
    assert_eq!(names, ["acme:1001:55:sell:1:1", "acme:site-1001:55:sell:1:1"]);
}

#[tokio::test]
async fn a_receipt_that_waits_long_is_looked_at_ever_more_rarely() {
    let world = World::new().await;
    world.emulator.emulator.change(|settings| settings.cloudkassir.looks = 9);
    let way = world.carry(&mut job(order())).await;
    assert_eq!(
        way,
        [
            "wait 5s",
            "wait 10s",
            "wait 20s",
            "wait 40s",
            "wait 80s",
            "wait 160s",
            "wait 320s",
            "wait 600s",
            "wait 600s",
            "wait 600s",
            "done"
        ]
    );
    world.only_receipt();
}

#[tokio::test]
async fn an_order_that_gives_no_receipt_stops_before_anything_is_sent() {
    type Change = fn(&mut Order);
    let cases: [(Change, &str); 5] = [
        (|o| o.delivery.as_mut().unwrap().vat = None, "delivery_vat_unknown"),
        (|o| *o = priced(o.clone(), "1481.01"), "sum_mismatch"),
        (|o| (o.buyer.email, o.buyer.phone) = (None, None), "contact_missing"),
        (|o| o.lines[0].price = Money::ZERO, "line_price_not_positive"),
        (|o| o.payments[0].sum = rub("1481.01"), "overpaid"),
    ];
    let world = World::new().await;
    for (change, code) in cases {
        let mut order = order();
        change(&mut order);
        let end = job(order).run(&*world.fiscal).await;
        assert_eq!(dead(&end), (Class::Invalid, code));
    }
    world.nothing_sent();
}

#[tokio::test]
async fn after_the_settings_are_mended_a_replay_goes_on() {
    let world = World::new().await;
    let mut order = order();
    order.delivery.as_mut().unwrap().vat = None;
    let mut job = job(order);
    assert_eq!(world.carry(&mut job).await, ["dead delivery_vat_unknown"]);
    let mended = world.mended(&rules_with("delivery_vat = 'vat22'"));
    world.carry_with(&mended, &mut job).await;
    assert_eq!(world.only_receipt().invoice_id, "acme:1001:55:sell:1:1");
}

#[tokio::test]
async fn a_shop_without_settings_gets_no_receipt() {
    let world = World::new().await;
    let mut order = order();
    order.key.shop = "stranger".parse().unwrap();
    let end = job(order).run(&*world.fiscal).await;
    assert_eq!(dead(&end), (Class::Invalid, "shop_unknown"));
    world.nothing_sent();
}

#[tokio::test]
async fn many_receipts_at_once_keep_to_the_limit_of_the_register() {
    let changes = Changes { at_once: Some(2), ..Changes::default() };
    let world = World::with(changes).await;
    world.emulator.emulator.change(|settings| settings.cloudkassir.concurrency = 2);
    let fiscal = &*world.fiscal;
    let jobs = (1..=30).map(|id| async move {
        let mut order = order();
        order.key.id = id;
        job(order).run(fiscal).await
    });
    for end in futures_util::future::join_all(jobs).await {
        assert_eq!(end, runtime::testing::End::Wait(Duration::from_secs(5)));
    }
    let summary = world.emulator.emulator.cloudkassir.summary();
    assert_eq!((summary.receipts, summary.distinct_invoices), (30, 30));
}
