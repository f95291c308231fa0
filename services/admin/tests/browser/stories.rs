//! What people see and do.

use std::time::{Duration, Instant};

use events::Phase;
use runtime::{Class, testing::Service};
use serde_json::json;
use uuid::Uuid;

use crate::{
    desk::Desk,
    driver::Browser,
    ferry::{self, Books, LONG, crossing, key, placed, status},
    loyalty,
    outside::Metrics,
    stock,
    till::Till,
};

const PAGES: [&str; 10] = [
    "/",
    "/orders",
    "/groups",
    "/letters",
    "/replays",
    "/points",
    "/stock",
    "/settings",
    "/access",
    "/audit",
];

/// A desk with these flags, and somebody signed in at it.
async fn signed_in(flags: &[&str]) -> (Desk, Browser) {
    let desk = Desk::set(flags).await;
    desk.ctl("a long enough password", &["user", "put", "boss", "--role", "admin"]).unwrap();
    let browser = Browser::open(desk.url("")).await;
    browser.go("/letters").await;
    browser.fill("#login", "boss").await;
    browser.fill("#password", "a long enough password").await;
    browser.click(".sign-in button").await;
    assert_eq!(browser.ask("location.pathname").await, "/letters", "to where one wanted to go");
    (desk, browser)
}

/// What somebody does who has never seen these pages: signs in, looks, types the number, reads, presses. Each step
/// is a picture; clicks and time are counted.
#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one story")]
async fn from_order_1042_has_no_receipt_to_its_receipt_in_a_minute() {
    let desk = Desk::set(&[]).await;
    let books = Books::default();
    let till = Service::start::<Till>(desk.stage.common(), ferry::Config { books: books.clone() });
    desk.stage.until("the till listens", LONG, || desk.stage.hears("fiscal")).await;
    for order in 1040..=1044 {
        if order != 1042 {
            books.with(|books| books.mended.insert(order));
        }
        desk.stage.tell(&placed(order, None)).await;
    }
    desk.until_letters("open", 1).await;
    desk.ctl("a long enough password", &["user", "put", "anna", "--role", "operator"]).unwrap();
    let browser = Browser::open(desk.url("")).await;
    browser.size(1280, 800).await;
    let (began, mut clicks) = (Instant::now(), 0);
    let mut press = async |css: &str| {
        clicks += 1;
        browser.click(css).await;
        clicks
    };

    browser.go("/").await;
    browser.picture("path-1-sign-in").await;
    browser.fill("#login", "anna").await;
    browser.fill("#password", "a long enough password").await;
    press(".sign-in button").await;
    assert!(browser.text().await.contains("стоит и ждёт вас"));
    browser.picture("path-2-overview").await;

    press("#q").await;
    browser.fill("#q", "1042\u{e007}").await;
    let found = || async { browser.ask("location.pathname").await == "/order" };
    desk.stage.until("the only order of that number", LONG, found).await;
    let seen = browser.text().await;
    assert!(seen.contains("неизвестна ставка НДС доставки. Укажите её"), "{seen}");
    browser.picture("path-3-order").await;

    // The shop sets the rate; he comes back and presses what the card offers.
    books.with(|books| books.mended.insert(1042));
    press(".alert a.button").await;
    let seen = browser.text().await;
    assert!(seen.contains("Заказ N-1042") && seen.contains("это безопасно"), "{seen}");
    browser.picture("path-4-confirm").await;
    browser.fill(".confirm input[name=why]", "Указали ставку НДС доставки").await;
    press(".confirm button").await;
    browser.picture("path-5-replay").await;
    let done = || async {
        browser.text().await.contains("Чек по заказу № N-1042 пробит: ФН")
    };
    desk.stage.until("the receipt is live on the page", LONG, done).await;
    browser.picture("path-6-done").await;
    let clicks = press("main ul a").await;
    let seen = browser.text().await;
    assert!(seen.contains("9999078900001234") && !seen.contains("Разобраться"), "{seen}");
    let took = began.elapsed();
    browser.picture("path-7-receipt").await;
    println!("from \"order 1042 has no receipt\" to its receipt: {took:?}, {clicks} clicks");
    assert!(took < Duration::from_secs(60), "{took:?}");
    assert!(clicks <= 5, "{clicks} clicks");
    assert_eq!(books.with(|books| books.effects[&1042]), 1);

    // On a phone too.
    browser.size(400, 800).await;
    let path = browser.ask("location.pathname + location.search").await;
    check(&browser, path.as_str().unwrap()).await;
    assert_eq!(browser.complaints().await, Vec::<serde_json::Value>::new());
    browser.close().await;
    till.stop().await;
    desk.stage
        .delete_queues(&[
            desk.stage.names().queue("fiscal"),
            desk.stage.names().dead_queue("fiscal"),
        ])
        .await;
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_learns_of_a_stuck_order_without_being_asked_again() {
    let (desk, browser) = signed_in(&[]).await;
    browser.go("/").await;
    desk.books.with(|books| books.wrong.insert(1042, (Class::Invalid, "vat_unknown".to_owned())));
    desk.stage.tell(&crossing(1042)).await;
    let stuck = || async { browser.text().await.contains("1\nстоит и ждёт вас") };
    desk.stage.until("the overview is live", LONG, stuck).await;
    // From its letter, by the form beside it.
    browser.go("/letters?state=open").await;
    browser.click("td a[href^='/letters/']").await;
    desk.books.with(|books| books.mended.insert(1042));
    browser.fill(".decide form[action='/letters/replay'] input[name=why]", "НДС указан").await;
    browser.click(".decide form[action='/letters/replay'] button").await;
    let done = || async { browser.text().await.contains("решено: 1") };
    desk.stage.until("the progress is live", LONG, done).await;
    assert_eq!(browser.complaints().await, Vec::<serde_json::Value>::new());
    browser.close().await;
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_from_outside_runs_nothing() {
    let (desk, browser) = signed_in(&[]).await;
    let script = "<script>window.pwned=1</script><img src=x onerror=window.pwned=1>";
    let headers = [
        ("x-parom-service", "ferry"),
        ("x-parom-class", "invalid"),
        ("x-parom-code", script),
        ("x-parom-reason-ru", script),
        ("x-parom-reason", script),
        ("x-parom-attempts", "1"),
        ("x-parom-evidence", script),
    ];
    let mut order = key(5);
    order.number = script.to_owned();
    let event = status("fiscal", order, Uuid::new_v4(), Phase::Failed, "odd");
    desk.stage.tell(&event).await;
    let body = event.to_json().unwrap();
    let dead = desk.stage.names().dead();
    desk.stage.put(&dead, "ferry", body.as_bytes(), &headers).await;
    desk.until_letters("open", 1).await;
    let id: Uuid =
        sqlx::query_scalar("SELECT id FROM letters").fetch_one(&desk.pool).await.unwrap();
    let letter = format!("/letters/{id}");
    for path in ["/", "/orders", "/groups", "/letters", "/order?key=main+site+5", &letter] {
        browser.go(path).await;
        assert_eq!(browser.ask("window.pwned ?? 0").await, json!(0), "{path}");
        assert_eq!(browser.ask("document.querySelectorAll('img[src=x]').length").await, json!(0));
    }
    assert_eq!(browser.complaints().await, Vec::<serde_json::Value>::new());
    browser.close().await;
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one story")]
async fn every_page_fits_a_phone_and_has_nothing_inline() {
    let (metrics, services) = Metrics::open().await;
    metrics.say(
        "breaker_open 1\nmarking_codes{status=\"in_stock\"} 4711\nmarking_codes{status=\"quarantined\"} 2\n\
         loyalty_store_silent_seconds{store=\"tverskaya\"} 90000\n\
         signer_certificate_not_after_seconds{signer=\"gost\"} 1800000000\n",
    );
    let (points, _) = loyalty::open().await;
    let (desk, browser) = signed_in(&[
        &format!("--admin-services=ferry={services}"),
        "--admin-services-every=100ms",
        "--admin-notify-certificate=3650d",
        "--admin-marking-url=https://marking.example/stock",
        &format!("--admin-loyalty-url={points}"),
        &format!("--admin-loyalty-key={}", loyalty::KEY),
        &format!("--admin-egais-url={}", stock::open().await),
        &format!("--admin-egais-key={}", stock::KEY),
        "--admin-oidc-issuer=https://sso.example",
        "--admin-oidc-client=parom",
        "--admin-oidc-admins=boss",
    ])
    .await;
    desk.ctl("a long enough password", &["user", "put", "anna", "--role", "operator"]).unwrap();
    desk.ctl("a long enough password", &["user", "put", "gone", "--role", "viewer"]).unwrap();
    desk.ctl("", &["user", "disable", "gone"]).unwrap();
    desk.books.with(|books| books.wrong.insert(7, (Class::Invalid, "vat_unknown".to_owned())));
    desk.stage.tell(&placed(7, None)).await;
    desk.until_letters("open", 1).await;
    desk.stage.tell(&placed(7, Some(1))).await;
    desk.until_letters("again", 1).await;
    desk.until_letters("open", 1).await;
    let id: Uuid = sqlx::query_scalar("SELECT id FROM letters WHERE state = 'open'")
        .fetch_one(&desk.pool)
        .await
        .unwrap();
    let letter = format!("/letters/{id}");
    let confirm = format!("/letters/replay?ids={id}");
    let pages: Vec<&str> = PAGES
        .into_iter()
        .chain([
            "/order?key=main+site+7",
            letter.as_str(),
            "/letters/replay?state=open",
            confirm.as_str(),
        ])
        .collect();
    for (width, language, scheme) in
        [(400, "ru", "dark"), (1280, "en", "light"), (1280, "ru", "dark")]
    {
        browser.size(width, 800).await;
        browser.scheme(scheme).await;
        browser.go(&format!("/language?to={language}")).await;
        for path in &pages {
            browser.go(path).await;
            let name = path.split(['?', '/']).nth(1).unwrap();
            let name = match *path {
                "/" => "overview",
                path if path == letter => "letter",
                path if path == confirm => "confirm-one",
                "/letters/replay?state=open" => "confirm-all",
                _ => name,
            };
            check(&browser, path).await;
            browser.picture(&format!("{width}-{language}-{scheme}-{name}")).await;
            if *path == "/points" {
                browser.fill("main input[name=phone]", "+7 900 123-45-67\u{e007}").await;
                let shown = || async { browser.text().await.contains("480.00") };
                desk.stage.until("the points", LONG, shown).await;
                check(&browser, path).await;
                browser.picture(&format!("{width}-{language}-{scheme}-account")).await;
            }
        }
    }
    // A person made on the page: the password is shown.
    browser.go("/access").await;
    browser.fill("form[action='/access/users'] input[name=login]", "new.person").await;
    browser.click("form[action='/access/users'] button").await;
    assert!(browser.text().await.contains("Больше он не будет показан"));
    browser.picture("access-password").await;
    assert_eq!(browser.complaints().await, Vec::<serde_json::Value>::new());
    browser.click("form[action='/logout'] button").await;
    check(&browser, "/login").await;
    assert!(browser.text().await.contains("Войти через учётную запись компании"));
    browser.picture("login").await;
    browser.close().await;
    desk.end().await;
}

/// A page fits its window, has nothing inline, and names its fields.
async fn check(browser: &Browser, path: &str) {
    let fits = "document.documentElement.scrollWidth <= innerWidth";
    assert_eq!(browser.ask(fits).await, json!(true), "{path}");
    let inline = "document.querySelectorAll('script:not([src]), style, [style], [onclick]').length";
    assert_eq!(browser.ask(inline).await, json!(0), "{path}");
    // Who cannot see reads the names of fields.
    let nameless = "[...document.querySelectorAll('input:not([type=hidden]), select, textarea')]\
        .filter(field => !field.labels.length && !field.ariaLabel).length";
    assert_eq!(browser.ask(nameless).await, json!(0), "{path}");
}
