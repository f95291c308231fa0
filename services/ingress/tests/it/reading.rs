//! From a webhook to facts: stories of orders.

use events::{Channel, Event, Fact, MarksBy, OrderRef, Phase, Webhook};
use serde_json::json;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::{
    quay::{LONG, Quay},
    shop::{self, with},
};

#[tokio::test]
async fn the_life_of_an_order_is_told_once_however_often_the_portal_calls() {
    let quay = Quay::open().await;
    let paid_at = "2026-11-20T11:00:00+03:00";
    let new = shop::rest(7);
    let paid = with(new.clone(), "/payments/0/paid", "Y");
    let paid = with(paid, "/payments/0/datePaid", paid_at);
    let sent = with(paid.clone(), "/shipments/0/deducted", "Y");
    let closed = with(sent.clone(), "/statusId", "F");
    let back = with(closed.clone(), "/payments/0/isReturn", "Y");
    let back = with(back, "/shipments/0/deducted", "N");
    let steps = [
        (new, vec!["7 created"]),
        (paid, vec!["7 paid 71#1"]),
        (sent, vec!["7 shipped 72#1"]),
        (closed, vec!["7 completed#1"]),
        (back, vec!["7 refunded 71#1", "7 returned#1"]),
    ];
    for (place, (order, expected)) in (1..).zip(steps) {
        quay.save(&order, 8).await;
        quay.until_read(place * 8).await;
        let mut told = quay.told().await;
        told.sort();
        assert_eq!(told, expected);
    }
    quay.close().await;
}

#[tokio::test]
async fn an_event_says_what_the_order_said() {
    let quay = Quay::open().await;
    let paid = with(shop::rest(7), "/payments/0/paid", "Y");
    quay.save(&with(paid, "/payments/0/datePaid", "2026-11-20T11:00:00+03:00"), 1).await;
    quay.until_read(1).await;
    let told = quay.told_events().await;
    let paid = told.iter().find(|event| event.topic() == "order.paid").unwrap();
    assert_eq!(paid.time().unix_timestamp(), 1_795_161_600);
    let Fact::OrderPaid(fact) = &paid.fact else { panic!("{paid:?}") };
    assert_eq!(fact.order.key.number, "N7");
    assert_eq!(fact.order.price.kopecks(), 135_000);
    assert_eq!(fact.order.buyer.email.as_deref(), Some("olga@example.ru"));
    assert!(!fact.order.key.site);
    quay.close().await;
}

#[tokio::test]
async fn payments_and_shipments_lead_to_their_order() {
    let quay = Quay::open().await;
    let order = shop::rest(7);
    quay.save(&order, 0).await;
    // Never seen: the portal is asked whose payment it is.
    quay.portal_calls("ONPAYMENTENTITYSAVED", 71).await;
    quay.until_read(1).await;
    assert_eq!(quay.told().await, ["7 created"]);
    let before = quay.hits();
    quay.save(&with(order, "/shipments/0/deducted", "Y"), 0).await;
    quay.portal_calls("ONSHIPMENTENTITYSAVED", 72).await;
    quay.until_read(2).await;
    assert_eq!(quay.told().await, ["7 shipped 72#1"]);
    assert_eq!(quay.hits(), before + 1, "whose shipment it is was known");
    // Deleted meanwhile: nothing to tell.
    quay.portal_calls("ONPAYMENTENTITYSAVED", 999).await;
    quay.portal_calls("ONSHIPMENTENTITYSAVED", 999).await;
    quay.until_read(4).await;
    assert_eq!(quay.told().await, [""; 0]);
    quay.close().await;
}

#[tokio::test]
async fn a_deleted_order_is_cancelled_although_the_webhook_comes_first() {
    let quay = Quay::open().await;
    quay.save(&shop::rest(7), 1).await;
    quay.until_read(1).await;
    assert_eq!(quay.told().await, ["7 created"]);
    // The portal tells before it deletes, and the reader still finds the order.
    quay.portal_calls("ONSALEBEFOREORDERDELETE", 7).await;
    let looked = || async { quay.metric("orders_read_total{outcome=\"unchanged\"}").await >= 1.0 };
    quay.stage.until("the first look", LONG, looked).await;
    let url = format!("{}/_bitrix/orders/7", quay.shop.base_url);
    assert_eq!(quay.http.delete(url).send().await.unwrap().status(), 200);
    quay.until_read(2).await;
    assert_eq!(quay.told().await, ["7 cancelled#1"]);
    quay.portal_calls("ONSALEORDERSAVED", 7).await;
    quay.until_read(3).await;
    assert_eq!(quay.told().await, [""; 0]);
    quay.close().await;
}

#[tokio::test]
async fn what_parom_wrote_itself_comes_back_and_is_no_news() {
    let quay = Quay::open().await;
    let mut order = shop::rest(7);
    quay.save(&order, 1).await;
    quay.until_read(1).await;
    quay.told().await;
    let properties = order["propertyValues"].as_array_mut().unwrap();
    properties.push(json!({ "id": 3, "orderPropsId": 51, "code": "CLOUDKASSIR_FN", "value": "1" }));
    order["comments"] = "Чек пробит".into();
    quay.save(&order, 1).await;
    quay.until_read(2).await;
    assert_eq!(quay.told().await, [""; 0]);
    assert!(quay.metric("orders_read_total{outcome=\"unchanged\"}").await >= 1.0);
    quay.close().await;
}

#[tokio::test]
async fn what_a_manager_writes_into_the_order_is_told_once() {
    let quay = Quay::open().await;
    let mut order = shop::rest(7);
    quay.save(&order, 1).await;
    quay.until_read(1).await;
    quay.told().await;
    for (reads, email) in [(3, "second@example.com"), (5, "third@example.com")] {
        order["propertyValues"][1]["value"] = email.into();
        quay.save(&order, 2).await;
        quay.until_read(reads).await;
    }
    let told = quay.told_events().await;
    let words: Vec<String> = told.iter().map(|event| crate::ears::word(&event.fact)).collect();
    assert_eq!(words, ["7 changed#1", "7 changed#2"]);
    let buyer = &told[1].fact.snapshot().unwrap().buyer;
    assert_eq!(buyer.email.as_deref(), Some("third@example.com"));
    quay.close().await;
}

#[tokio::test]
async fn an_order_that_cannot_be_understood_stops_and_says_why() {
    let quay = Quay::open().await;
    let rows = [
        (1, "/basketItems/0/vatRate", json!(0.18), "vat_unknown", "ставка НДС «0.18» неизвестна"),
        (2, "/basketItems/0/price", json!(-1), "negative", "число меньше нуля"),
        (3, "/price", json!(1350.01), "sum", "сумма не сходится"),
        (4, "/currency", json!("USD"), "currency", "валюта «USD»"),
        (5, "/statusId", json!("ZZ"), "status_unknown", "статус «ZZ»"),
    ];
    for (id, place, value, _, _) in &rows {
        quay.save(&with(shop::rest(*id), place, value.clone()), 1).await;
    }
    quay.until_read(5).await;
    assert_eq!((quay.jobs("dead").await, quay.jobs("done").await), (5, 0));
    assert_eq!(quay.told().await, [""; 0]);
    let statuses = quay.statuses_told().await;
    for (id, _, _, code, words) in rows {
        let status = statuses.iter().find(|status| status.order.id == id).expect("a status");
        assert_eq!((status.phase, status.code.as_str()), (Phase::Failed, code));
        assert!(status.text.ru.contains(words), "{}", status.text.ru);
        assert!(status.text.ru.contains(&format!("№ N{id}")), "{}", status.text.ru);
        quay.save(&shop::rest(id), 1).await;
    }
    // The shop has mended them: each save is a new webhook.
    quay.until_read(10).await;
    assert_eq!(quay.told().await.len(), 5);
    quay.close().await;
}

#[tokio::test]
async fn a_portal_that_fails_is_asked_again() {
    let quay = Quay::open().await;
    for fault in [
        json!({"system": "bitrix", "method": "sale.order.get", "kind": "status", "code": 500, "times": 1}),
        json!({"system": "bitrix", "method": "sale.order.get", "kind": "garbage", "times": 1}),
        json!({"system": "bitrix", "method": "sale.order.get", "kind": "reset", "times": 1}),
        json!({"system": "bitrix", "method": "sale.order.get", "kind": "hang", "times": 1}),
        json!({"system": "bitrix", "method": "sale.order.get", "kind": "limit", "limit": "QUERY_LIMIT_EXCEEDED", "times": 1}),
    ] {
        quay.strike(&fault);
    }
    quay.save(&shop::rest(7), 1).await;
    quay.until_read(1).await;
    assert_eq!((quay.jobs("done").await, quay.told().await), (1, vec!["7 created".to_owned()]));
    assert_eq!(
        quay.shop.emulator.faults.standing().iter().map(|fault| fault.struck).sum::<u64>(),
        5
    );
    quay.close().await;
}

#[tokio::test]
async fn a_read_covers_the_webhooks_that_came_before_it() {
    let quay = Quay::open().await;
    quay.save(&shop::rest(7), 1).await;
    quay.until_read(1).await;
    let before = quay.hits();
    for call in 0..5 {
        quay.stage.tell(&a_minute_ago(Channel::Bitrix24, call)).await;
    }
    quay.until_read(6).await;
    assert_eq!(quay.hits(), before);
    assert_eq!(quay.told().await, ["7 created"]);
    quay.close().await;
}

/// The poll has compared what we know with the portal's own clock, which may lag behind ours.
#[tokio::test]
async fn what_the_poll_has_found_is_read_whatever_our_clock_says() {
    let quay = Quay::open().await;
    quay.save(&shop::rest(7), 1).await;
    quay.until_read(1).await;
    let before = quay.hits();
    quay.stage.tell(&a_minute_ago(Channel::Reconcile, 1)).await;
    quay.until_read(2).await;
    assert!(quay.hits() > before);
    quay.close().await;
}

fn a_minute_ago(channel: Channel, call: u128) -> Event {
    let shop = "portal".parse().unwrap();
    let order = OrderRef { shop, id: 7, number: "7".into(), site: false };
    let webhook = Webhook {
        call: Uuid::from_u128(call),
        shop: order.shop.clone(),
        channel,
        name: "ONSALEORDERSAVED".into(),
        entity: Some(7),
        order: Some(order),
        body: None,
    };
    let earlier = OffsetDateTime::now_utc() - Duration::minutes(1);
    Event::new(Fact::WebhookReceived(webhook), earlier)
}

#[tokio::test]
async fn a_sites_snapshots_may_overtake_each_other() {
    let quay = Quay::open().await;
    let paid = with(shop::snapshot(7, 2), "/order/payments/0/paid", true);
    let sent = with(with(paid.clone(), "/order/version", 3), "/seq/outbox_id", 3);
    let sent = with(sent, "/order/shipments/0/deducted", true);
    quay.site_sends(&sent).await;
    quay.until_read(1).await;
    let mut told = quay.told().await;
    told.sort();
    assert_eq!(told, ["7 created", "7 paid 1#1", "7 shipped 2#1"]);
    quay.site_sends(&paid).await;
    quay.site_sends(&shop::snapshot(7, 1)).await;
    quay.until_read(3).await;
    assert_eq!(quay.told().await, [""; 0]);
    quay.close().await;
}

#[tokio::test]
async fn one_version_with_two_contents_is_ordered_by_the_outbox() {
    let quay = Quay::open().await;
    let first = shop::snapshot(7, 2);
    let second = with(first.clone(), "/seq/outbox_id", 9);
    let second = with(second, "/order/payments/0/paid", true);
    quay.site_sends(&second).await;
    quay.until_read(1).await;
    quay.site_sends(&first).await;
    quay.until_read(2).await;
    let mut told = quay.told().await;
    told.sort();
    assert_eq!(told, ["7 created", "7 paid 1#1"], "the older one is no refund");
    quay.close().await;
}

#[tokio::test]
async fn a_change_that_no_counter_shows_is_seen_all_the_same() {
    let quay = Quay::open().await;
    let mut order = shop::rest(7);
    order["version"] = 5.into();
    order["dateUpdate"] = "2026-11-21T10:00:00+03:00".into();
    quay.save(&order, 1).await;
    quay.until_read(1).await;
    assert_eq!(quay.told().await, ["7 created"]);
    // Written past Bitrix's own save: same version, same time.
    quay.save(&with(order, "/payments/0/paid", "Y"), 3).await;
    quay.until_read(4).await;
    assert_eq!(quay.told().await, ["7 paid 71#1"]);
    quay.close().await;
}

#[tokio::test]
async fn facts_found_before_a_crash_are_told_after_it_although_the_order_has_moved_on() {
    let mut quay = Quay::open().await;
    let crash = quay.common.crash.clone();
    crash.arm("after_step", 1);
    let paid = with(shop::snapshot(7, 1), "/order/payments/0/paid", true);
    quay.site_sends(&paid).await;
    quay.stage.until("dead in its step", LONG, || async { crash.stuck() == 1 }).await;
    quay.kill().await;
    crash.disarm();
    assert_eq!(quay.told().await, [""; 0]);
    quay.start().await;
    // While the dead owner's lease runs, a later snapshot is read.
    let sent = with(with(paid, "/order/version", 2), "/order/shipments/0/deducted", true);
    quay.site_sends(&sent).await;
    quay.stage.until("the later one", LONG, || async { quay.jobs("done").await >= 1 }).await;
    quay.until_read(2).await;
    let mut told = quay.told().await;
    told.sort();
    assert_eq!(told, ["7 created", "7 paid 1#1", "7 shipped 2#1"]);
    quay.close().await;
}

#[tokio::test]
async fn many_orders_at_once_are_each_told_once() {
    let quay = Quay::open().await;
    let sends = (1..=60).flat_map(|id| {
        let quay = &quay;
        [1, 1, 2].map(|version| async move {
            let order = shop::snapshot(id, version);
            quay.site_sends(&with(order, "/order/payments/0/paid", version == 2)).await;
        })
    });
    futures_util::future::join_all(sends).await;
    quay.until_read(180).await;
    let mut told = quay.told().await;
    told.sort();
    let mut expected: Vec<String> =
        (1..=60).flat_map(|id| [format!("{id} created"), format!("{id} paid 1#1")]).collect();
    expected.sort();
    assert_eq!(told, expected);
    quay.close().await;
}

#[tokio::test]
async fn an_order_keeps_the_way_in_which_its_marking_codes_leave() {
    let mut quay = Quay::open().await;
    quay.save(&shop::rest(7), 1).await;
    quay.until_read(1).await;
    quay.kill().await;
    quay.rewrite("[shops.portal]", "[shops.portal]\nmarks = \"document\"");
    quay.start().await;
    let paid = with(shop::rest(7), "/payments/0/paid", "Y");
    quay.save(&with(paid, "/payments/0/datePaid", "2026-11-20T11:00:00+03:00"), 1).await;
    quay.save(&shop::rest(8), 1).await;
    quay.until_read(3).await;
    let told = quay.told_events().await;
    let ways = told.iter().filter_map(|event| {
        Some((event.topic(), event.order()?.id, event.fact.snapshot()?.marks_by))
    });
    let mut ways: Vec<_> = ways.collect();
    ways.sort_by_key(|(topic, id, _)| (*id, topic.clone()));
    // Nothing but the shop's setting changed, so nobody is told that the order was.
    assert!(ways.iter().all(|(topic, ..)| topic != "order.changed"), "{ways:?}");
    let of = |id| -> Vec<MarksBy> {
        ways.iter().filter(|(_, order, _)| *order == id).map(|(.., way)| *way).collect()
    };
    assert!(of(7).iter().all(|way| *way == MarksBy::Receipt) && !of(7).is_empty());
    assert!(of(8).iter().all(|way| *way == MarksBy::Document) && !of(8).is_empty());
    quay.close().await;
}
