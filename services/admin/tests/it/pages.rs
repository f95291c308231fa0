//! The pages, as a browser gets them.

use events::Phase;
use runtime::Class;
use uuid::Uuid;

use crate::{
    desk::{Browser, Desk},
    ferry::{LONG, crossing, key, status},
};

#[tokio::test(flavor = "multi_thread")]
async fn from_an_order_without_a_receipt_to_its_receipt() {
    let desk = Desk::set(&[]).await;
    desk.books.with(|books| books.wrong.insert(1042, (Class::Invalid, "vat_unknown".to_owned())));
    desk.stage.tell(&crossing(1042)).await;
    desk.until_letters("open", 1).await;
    let heard = || async {
        let row: Option<i32> =
            sqlx::query_scalar("SELECT 1 FROM orders").fetch_optional(&desk.pool).await.unwrap();
        row.is_some()
    };
    desk.stage.until("heard", LONG, heard).await;
    let browser = Browser::sign_in(&desk, "operator").await;

    let overview = browser.page("/").await;
    assert!(overview.contains("стоит и ждёт вас") && overview.contains("ferry"), "{overview}");
    // The only one of its number is shown at once.
    let found = browser.get("/orders?q=n-1042").await;
    let order = found.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(order, "/order?key=main+site+1042");
    let way = browser.page(&order).await;
    assert!(way.contains("регистр не принял (vat_unknown)") && way.contains("безопасно"));
    let confirm = link(&way, "/letters/replay?ids=");
    let page = browser.page(&confirm).await;
    assert!(
        page.contains("регистр не принял (vat_unknown)") && page.contains("безопасно"),
        "{page}"
    );
    let letter = format!("/letters/{}", confirm.rsplit('=').next().unwrap());
    let page = browser.page(&letter).await;
    assert!(page.contains("Повторить") && page.contains("HTTP 400"));

    desk.books.with(|books| books.mended.insert(1042));
    let id = letter.rsplit('/').next().unwrap();
    let (csrf, key) = (browser.csrf.clone(), Uuid::new_v4().to_string());
    let form = [
        ("csrf", csrf.as_str()),
        ("ids", id),
        ("id", &key),
        ("why", "НДС указан"),
        ("confirmed", "yes"),
    ];
    for _ in 0..2 {
        let replayed = browser.post("/letters/replay", &form).await;
        assert_eq!(replayed.status(), 303);
        assert_eq!(replayed.headers()["location"], format!("/replays/{key}"));
    }
    desk.until_letters("resolved", 1).await;
    assert_eq!(desk.books.with(|books| books.effects[&1042]), 1);
    let way = browser.page(&order).await;
    assert!(way.contains("готово") && !way.contains("Разобраться"), "{way}");
    let replay = browser.page(&format!("/replays/{key}")).await;
    assert!(replay.contains("НДС указан"));
    desk.end().await;
}

/// The first address on a page that begins so and goes on.
fn link(page: &str, begins: &str) -> String {
    let mark = format!("href=\"{begins}");
    let (_, rest) = page.split_once(&mark).unwrap_or_else(|| panic!("no {begins} in {page}"));
    format!("{begins}{}", rest.split('"').next().unwrap().replace("&amp;", "&"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_from_outside_runs_no_script() {
    let desk = Desk::set(&[]).await;
    let script = "<script>alert(1)</script><img src=x onerror=alert(2)>";
    let headers = [
        ("x-parom-service", "ferry"),
        ("x-parom-class", "invalid"),
        ("x-parom-code", script),
        ("x-parom-reason-ru", script),
        ("x-parom-reason", script),
        ("x-parom-attempts", "1"),
        ("x-parom-evidence", script),
        ("x-odd", script),
    ];
    let dead = desk.stage.names().dead();
    desk.stage.put(&dead, "ferry", script.as_bytes(), &headers).await;
    let mut order = key(5);
    order.number = script.to_owned();
    let mut event = status("ferry", order, Uuid::new_v4(), Phase::Failed, "odd");
    if let events::Fact::StatusChanged(status) = &mut event.fact {
        status.links.insert("qr".to_owned(), "javascript:alert(3)".to_owned());
        status.properties.insert(script.to_owned(), script.to_owned());
    }
    desk.stage.tell(&event).await;
    desk.until_letters("open", 1).await;
    let heard = || async {
        let row: Option<i32> =
            sqlx::query_scalar("SELECT 1 FROM orders").fetch_optional(&desk.pool).await.unwrap();
        row.is_some()
    };
    desk.stage.until("heard", LONG, heard).await;
    let browser = Browser::sign_in(&desk, "admin").await;
    let letters = browser.page("/letters").await;
    let letter = link(&letters, "/letters/");
    let letter = match letter.contains("replay") {
        true => {
            let id: Uuid =
                sqlx::query_scalar("SELECT id FROM letters").fetch_one(&desk.pool).await.unwrap();
            format!("/letters/{id}")
        }
        false => letter,
    };
    for path in [
        "/",
        "/groups",
        "/letters",
        "/orders",
        "/order?key=main+site+5",
        "/letters?text=%3Cscript%3E",
        "/orders?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
        letter.as_str(),
    ] {
        let page = browser.page(path).await;
        assert!(!page.contains("<script>"), "{path}: {page}");
        assert!(!page.contains("<img src=x"), "{path}");
        assert!(!page.contains("href=\"javascript:"), "{path}");
    }
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_speaks_russian_and_english() {
    let desk = Desk::set(&[]).await;
    let browser = Browser::sign_in(&desk, "admin").await;
    for path in
        ["/", "/orders", "/groups", "/letters", "/replays", "/settings", "/access", "/audit"]
    {
        assert!(browser.page(path).await.contains("<html lang=\"ru\">"), "{path}");
    }
    let chosen = browser.get("/language?to=en").await;
    assert_eq!(chosen.headers()["location"], "/");
    let cookie = chosen.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("parom_language=en"), "{cookie}");
    desk.end().await;
}
