//! Where stock differs from EGAIS is a page, as `egais` says over its HTTP API.

use axum::{
    Json, Router,
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
    routing::get,
};
use serde_json::{Value, json};

use crate::{
    desk::{Browser, Desk},
    outside::serve,
};

/// The key that it takes.
pub(crate) const KEY: &str = "egais-key-0123456789";

/// What `GET /v1/stock` of `egais` says: two UTMs, one of them not yet compared.
fn said() -> Value {
    let row = |code: &str, name: &str, first: &str, shop: &str, own: &str, difference: &str| {
        json!({
            "alc_code": code, "name": name, "first": first, "shop": shop, "catalogue": own,
            "difference": difference, "since": "2026-11-10T06:00:00Z",
        })
    };
    let differences = [
        row("0000000000000000001", "Вино <красное> «Пример»", "12.000", "0", "10", "2.000"),
        row("0000000000000000002", "", "0", "19", "20", "-1"),
    ];
    json!({ "stock": [
        { "utm": "office", "stock": { "compared_at": "2026-11-22T06:00:00Z", "count": 1_002, "differences": differences } },
        { "utm": "cellar", "stock": { "compared_at": null, "count": 0, "differences": [] } },
    ] })
}

/// Listens until the test ends, and answers where.
pub(crate) async fn open() -> String {
    let stock = async |headers: HeaderMap| match headers.get("x-api-key") {
        Some(key) if key == KEY => Json(said()).into_response(),
        _ => (StatusCode::UNAUTHORIZED, Json(json!({ "error": "unauthorized" }))).into_response(),
    };
    serve(Router::new().route("/v1/stock", get(stock))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_that_differs_is_shown_with_its_registers_and_since_when() {
    let egais = format!("--admin-egais-url={}", open().await);
    let desk = Desk::set(&[&egais, &format!("--admin-egais-key={KEY}")]).await;
    let mut browser = Browser::sign_in(&desk, "viewer").await;
    let page = browser.page("/stock").await;
    for part in [
        "Вино &lt;красное&gt; «Пример»",
        "0000000000000000001",
        "Регистр 2 (зал)",
        ">12</td>",
        "+2",
        "−1",
        "название неизвестно",
        "10.11.2026 09:00:00",
        "УТМ cellar",
        "Остатки ещё не сверялись",
        "Показаны самые большие расхождения: 2",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    browser.speak("en");
    let page = browser.page("/stock").await;
    assert!(page.contains("Register 2 (shop floor)") && page.contains("no name"), "{page}");
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_away_or_knows_another_key_is_told_in_words() {
    let right = open().await;
    for (url, key, words) in [
        (right.as_str(), "another-key", "Проверьте ADMIN_EGAIS_KEY"),
        ("http://127.0.0.1:1", KEY, "Сервис ЕГАИС не отвечает"),
    ] {
        let (url, key) = (format!("--admin-egais-url={url}"), format!("--admin-egais-key={key}"));
        let desk = Desk::set(&[&url, &key]).await;
        let browser = Browser::sign_in(&desk, "viewer").await;
        let page = browser.page("/stock").await;
        assert!(page.contains(words), "{page}");
        drop(browser);
        desk.end().await;
    }
}
