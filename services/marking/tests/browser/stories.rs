//! A storekeeper's day, by clicks and keys alone.

use std::sync::Arc;

use emulator::gismt::Code;
use events::Order;
use runtime::Worker as _;
use serde_json::Value;

use crate::{
    driver::Browser,
    files::{GTIN, OTHER_GTIN, code, ki},
    order::{created, order, shipped},
    world::{INN, World},
};

/// The page of the world's service, at an address.
async fn served(world: &World) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let routes = Arc::clone(&world.marking).routes();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    base
}

/// The page says it, or comes to say it: a form with a file is on its way for a moment after the click.
async fn sees(browser: &Browser, what: &str) {
    let mut text = String::new();
    for _ in 0..500 {
        text = browser.text().await;
        if text.contains(what) {
            return;
        }
    }
    panic!("no {what:?} in:\n{text}");
}

/// As a hand scanner does: it types the code without its separators and presses Enter.
async fn scan(browser: &Browser, code: &str) {
    let typed = code.replace('\u{1d}', "") + "\u{e007}";
    browser.fill("#code", &typed).await;
}

/// Nothing is wider than the window, in both colours; pictures are kept where somebody asks for them.
async fn looks(browser: &Browser, name: &str) {
    for (width, scheme) in [(1100, "light"), (1100, "dark"), (390, "light"), (390, "dark")] {
        browser.size(width, 900).await;
        browser.scheme(scheme).await;
        let wider = browser.ask("document.documentElement.scrollWidth - window.innerWidth").await;
        assert!(wider.as_i64().unwrap() <= 0, "{name} is {wider} pixels too wide at {width}");
        browser.picture(&format!("{name}-{width}-{scheme}")).await;
    }
    browser.size(1100, 900).await;
}

/// A warehouse with an order of two products, and a storekeeper who has signed in at his second try.
async fn opened() -> (World, Browser, Order) {
    let world = World::new().await;
    world.stock(GTIN, 1..6).await;
    world.stock(OTHER_GTIN, 1..2).await;
    let lines = [(7, GTIN, 2, 59_050), (8, OTHER_GTIN, 1, 249_900)];
    let first = order(1, world.now(), &lines);
    world.tell(created(&first)).await;
    let browser = Browser::open(served(&world).await).await;
    browser.go("/").await;
    browser.fill("#key", "somebody\u{e007}").await;
    sees(&browser, "Ключ не подходит.").await;
    looks(&browser, "login").await;
    browser.fill("#key", "anna-key-0123456789\u{e007}").await;
    sees(&browser, "Сборка заказа").await;
    (world, browser, first)
}

/// Nobody's console has complained, and registry and stock agree.
async fn close(browser: Browser, world: &World) {
    let complaints = browser.complaints().await;
    // A refusal's status is a complaint to a browser; advice is none.
    let is_real = |one: &&Value| {
        let message = one["message"].as_str().unwrap_or_default();
        one["level"] == "SEVERE" && !message.contains("status of 4")
    };
    assert_eq!(complaints.iter().filter(is_real).count(), 0, "{complaints:?}");
    browser.close().await;
    world.agrees().await;
}

#[tokio::test]
async fn a_storekeeper_scans_errs_and_unbinds() {
    let (world, browser, _) = opened().await;
    browser.fill("#number", "A-9\u{e007}").await;
    sees(&browser, "Такого заказа с маркированным товаром нет.").await;
    browser.fill("#number", "A-1\u{e007}").await;
    sees(&browser, "Заказ № A-1").await;
    looks(&browser, "order-empty").await;
    scan(&browser, &code(GTIN, 4)).await;
    sees(&browser, "Футболка 7: привязан, 1 / 2.").await;
    // The field has the focus again: the next scan needs no hand on the mouse.
    assert_eq!(browser.ask("document.activeElement.id").await, "code");
    scan(&browser, &code(GTIN, 4)).await;
    sees(&browser, "Этот код уже отсканирован.").await;
    scan(&browser, "мусор").await;
    sees(&browser, "Код не читается").await;
    looks(&browser, "order-refused").await;
    browser.click("form[action='/unbind'] button").await;
    sees(&browser, "Футболка 7: отвязан, 0 / 2.").await;
    scan(&browser, &code(GTIN, 4)).await;
    browser.click("input[value='undo']").await;
    scan(&browser, &code(GTIN, 4)).await;
    sees(&browser, "Футболка 7: отвязан, 0 / 2.").await;
    assert_eq!(browser.ask("document.querySelector('input[value=bind]').checked").await, true);
    for (gtin, number) in [(GTIN, 1), (GTIN, 2), (OTHER_GTIN, 1)] {
        scan(&browser, &code(gtin, number)).await;
    }
    sees(&browser, "Всё отсканировано.").await;
    looks(&browser, "order-full").await;
    browser.click("header form button").await;
    sees(&browser, "Вход").await;
    close(browser, &world).await;
}

#[tokio::test]
async fn a_piece_that_the_register_keeps_back_leaves_quarantine_with_a_reason() {
    let (world, browser, first) = opened().await;
    for (gtin, number) in [(GTIN, 1), (GTIN, 2), (OTHER_GTIN, 1)] {
        world.scan_text(&first, &code(gtin, number)).await.unwrap();
    }
    let mut bad = Code::new(&ki(GTIN, 1), "lp");
    bad.status_ex = "RESERVED_NOT_USED".to_owned();
    world.running.emulator.gismt.books().put(bad, INN);
    assert_eq!(world.tell(shipped(&first)).await, "dead codes_refused");
    browser.click("header h1 a").await;
    sees(&browser, "в карантине").await;
    looks(&browser, "first").await;
    browser.click("a[href='/kept']").await;
    sees(&browser, "Честный знак его не выпускает").await;
    browser.fill("input[name='reason']", "лежит на полке\u{e007}").await;
    sees(&browser, "По данным Честного знака код продавать нельзя").await;
    looks(&browser, "kept").await;
    world.running.emulator.gismt.books().put(Code::new(&ki(GTIN, 1), "lp"), INN);
    browser.fill("input[name='reason']", "исправлено в кабинете\u{e007}").await;
    sees(&browser, "Карантин пуст.").await;
    close(browser, &world).await;
}

#[tokio::test]
async fn a_suppliers_file_is_imported_or_refused_in_words() {
    let (world, browser, _) = opened().await;
    let file = std::env::temp_dir().join(format!("{}.csv", uuid::Uuid::new_v4()));
    let rows = format!("code\n{}\nмусор\n", crate::files::quoted(&code(GTIN, 50)));
    std::fs::write(&file, rows).unwrap();
    browser.go("/").await;
    browser.fill("#file", file.to_str().unwrap()).await;
    browser.click("form[action='/import'] button").await;
    sees(&browser, "код не начинается с 01 и GTIN").await;
    looks(&browser, "report").await;
    std::fs::write(&file, "nothing\nhere\n").unwrap();
    browser.go("/").await;
    browser.fill("#file", file.to_str().unwrap()).await;
    browser.click("form[action='/import'] button").await;
    sees(&browser, "нет столбца с кодами маркировки").await;
    std::fs::remove_file(&file).unwrap();

    close(browser, &world).await;
}
