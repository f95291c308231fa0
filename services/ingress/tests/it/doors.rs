//! The two doors: who gets in, who does not, and what they are told.

use time::OffsetDateTime;

use crate::{
    quay::{MEMBER, NEW, OLD, OTHER, Quay, TOKEN, answer},
    shop,
};

fn form(event: &str, id: &str, member: &str, token: &str) -> String {
    format!(
        "event={event}&data%5BFIELDS%5D%5BID%5D={id}&ts=1&auth%5Bdomain%5D=x\
         &auth%5Bmember_id%5D={member}&auth%5Bapplication_token%5D={token}"
    )
}

fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}

/// Nothing that was refused is kept anywhere.
async fn nothing_kept(quay: &Quay) {
    assert_eq!(
        (quay.jobs("done").await, quay.jobs("open").await, quay.jobs("dead").await),
        (0, 0, 0)
    );
    assert_eq!(quay.number("SELECT count(*) FROM spool").await, 0);
    assert_eq!(quay.stage.waiting(&quay.stage.names().queue("webhooks")).await, 0);
}

#[tokio::test]
async fn a_portal_that_is_not_ours_or_makes_no_sense_is_refused() {
    let quay = Quay::open().await;
    let deep = format!("event=A&a{}=1", "[b]".repeat(40));
    let nested = format!("event=A&a{}=1", "%5Bb%5D".repeat(6));
    let rows = [
        (form("ONSALEORDERSAVED", "1", MEMBER, "wrong"), 401),
        (form("ONSALEORDERSAVED", "1", "another-portal", TOKEN), 401),
        ("event=ONSALEORDERSAVED&data[FIELDS][ID]=1".to_owned(), 401),
        (form("ONCRMDEALUPDATE", "1", MEMBER, "wrong"), 401),
        (form("ONSALEORDERSAVED", "", MEMBER, TOKEN), 400),
        (form("ONSALEORDERSAVED", "none", MEMBER, TOKEN), 400),
        (form("", "1", MEMBER, TOKEN), 400),
        ("%%%".to_owned(), 400),
        ("{\"event\": \"ONSALEORDERSAVED\"}".to_owned(), 400),
        ("event=A&a[=1".to_owned(), 400),
        (deep, 400),
        (nested, 400),
        ("a=1&".repeat(201), 400),
        ("a".repeat(65_537), 413),
        ("a".repeat(10 * 1024 * 1024), 413),
    ];
    for (body, expected) in rows {
        let shown: String = body.chars().take(80).collect();
        let (status, text) = answer(quay.form(body)).await;
        assert_eq!(status, expected, "{shown}: {text}");
        assert!(text.starts_with("{\"error\":\""), "{shown}: {text}");
        assert!(!text.contains(TOKEN) && !text.contains(MEMBER), "{text}");
    }
    for method in [reqwest::Method::GET, reqwest::Method::PUT] {
        let request = quay.http.request(method, format!("{}/webhooks/bitrix24", quay.url));
        assert_eq!(answer(request).await.0, 405);
    }
    nothing_kept(&quay).await;
    assert!(quay.metric("webhooks_total{channel=\"bitrix24\",outcome=\"stranger\"}").await >= 4.0);
    quay.close().await;
}

#[tokio::test]
async fn a_portals_events_are_taken_or_ignored_by_what_they_are_about() {
    let quay = Quay::open().await;
    let (status, text) = answer(quay.form(form("ONCRMDEALUPDATE", "5", MEMBER, TOKEN))).await;
    assert_eq!((status, text.as_str()), (202, "{\"ignored\":\"ONCRMDEALUPDATE\"}"));
    nothing_kept(&quay).await;
    assert!(quay.metric("webhooks_total{channel=\"bitrix24\",outcome=\"ignored\"}").await > 0.0);
    // The token that is being replaced is as good as the new one.
    for token in ["the-old-token", TOKEN] {
        let (status, text) = answer(quay.form(form("ONSALEORDERSAVED", "5", MEMBER, token))).await;
        assert_eq!(status, 202);
        assert!(text.starts_with("{\"accepted\":\"") && text.len() == 51, "{text}");
    }
    // The order does not exist: nothing to tell, and nothing wrong.
    quay.until_read(2).await;
    assert_eq!(quay.told().await, [""; 0]);
    quay.close().await;
}

#[tokio::test]
async fn a_site_that_does_not_sign_right_or_sends_no_snapshot_is_refused() {
    let quay = Quay::open().await;
    let body = shop::snapshot(7, 1).to_string();
    let deep = format!(
        "{{\"schema\":\"bitrix.order.v1\",\"order\":{}1{}}}",
        "[".repeat(100),
        "]".repeat(100)
    );
    let foreign = "whsec_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB";
    let tampered = quay.snapshot(NEW, &body).body(body.replace("1350.00", "1.00"));
    let rows = [
        ("another secret", quay.snapshot(foreign, &body), 401),
        ("another body", tampered, 401),
        ("old", quay.signed(NEW, "a", now() - 400, &body), 401),
        ("from the future", quay.signed(NEW, "a", now() + 400, &body), 401),
        ("another shop's secret", quay.snapshot(OTHER, &body).header("x-parom-shop", "site"), 401),
        ("no such shop", quay.snapshot(NEW, &body).header("x-parom-shop", "nobody"), 401),
        ("unsigned", quay.http.post(format!("{}/webhooks/site", quay.url)).body(body.clone()), 401),
        ("a large stranger", quay.snapshot(foreign, &"a".repeat(10 * 1024 * 1024)), 413),
        ("too large", quay.snapshot(NEW, &" ".repeat(2 * 1024 * 1024 + 1)), 413),
        ("not JSON", quay.snapshot(NEW, "{\"schema\":"), 400),
        ("nested", quay.snapshot(NEW, &deep), 400),
        ("another schema", quay.snapshot(NEW, &body.replace("bitrix.order.v1", "x")), 400),
        ("no order", quay.snapshot(NEW, "{\"schema\":\"bitrix.order.v1\"}"), 400),
        ("empty", quay.snapshot(NEW, ""), 400),
    ];
    for (what, request, expected) in rows {
        let (status, text) = answer(request).await;
        assert_eq!(status, expected, "{what}: {text}");
        assert!(text.starts_with("{\"error\":\""), "{what}: {text}");
    }
    let get = quay.http.get(format!("{}/webhooks/site", quay.url));
    assert_eq!(answer(get).await.0, 405);
    nothing_kept(&quay).await;
    quay.close().await;
}

#[tokio::test]
async fn a_sites_snapshot_is_taken_by_either_secret_and_a_repeat_changes_nothing() {
    let quay = Quay::open().await;
    let body = shop::with(shop::snapshot(7, 1), "/order/payments/0/paid", true).to_string();
    let at = now();
    let (status, first) = answer(quay.signed(OLD, "one", at, &body)).await;
    assert_eq!(status, 202);
    // A retry keeps its id and is signed anew, perhaps with the next secret.
    let (_, again) = answer(quay.signed(NEW, "one", at + 1, &body)).await;
    assert_eq!(first, again);
    let (_, other) = answer(quay.signed(NEW, "two", at, &body)).await;
    assert_ne!(first, other);
    quay.until_read(2).await;
    let mut told = quay.told().await;
    told.sort();
    assert_eq!(told, ["7 created", "7 paid 1#1"]);
    quay.close().await;
}

#[tokio::test]
async fn the_second_site_is_found_by_its_key() {
    let quay = Quay::open().await;
    let body = shop::snapshot(7, 1).to_string();
    for (secret, shop) in [(OTHER, "second"), (NEW, "site")] {
        assert_eq!(answer(quay.snapshot(secret, &body)).await.0, 202);
        let named = quay.snapshot(secret, &body).header("x-parom-shop", shop);
        assert_eq!(answer(named).await.0, 202);
    }
    quay.until_read(4).await;
    let told = quay.told_events().await;
    let mut shops: Vec<_> = told.iter().map(|event| event.order().unwrap().shop.as_str()).collect();
    shops.sort_unstable();
    assert_eq!(shops, ["second", "site"]);
    quay.close().await;
}

#[tokio::test]
async fn callers_beyond_what_fits_are_told_to_come_again() {
    let mut quay = Quay::prepare().await;
    quay.config.ingress_calls = 0;
    quay.start().await;
    let body = shop::snapshot(1, 1).to_string();
    let portal = quay.http.post(format!("{}/webhooks/bitrix24", quay.url)).body(form(
        "ONSALEORDERSAVED",
        "1",
        MEMBER,
        TOKEN,
    ));
    for request in [quay.snapshot(NEW, &body), portal] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status().as_u16(), 503);
        assert_eq!(response.headers()["retry-after"], "5");
    }
    nothing_kept(&quay).await;
    quay.close().await;
}
