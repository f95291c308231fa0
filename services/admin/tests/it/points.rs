//! A customer's points are shown as `loyalty` says them.

use crate::{
    desk::{Browser, Desk},
    loyalty::{self, KEY},
};

async fn look(browser: &Browser<'_>, fields: &[(&str, &str)]) -> (u16, String) {
    let csrf = browser.csrf.clone();
    let mut form = vec![("csrf", csrf.as_str())];
    form.extend(fields);
    let answer = browser.post("/points", &form).await;
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customers_points_are_shown_to_the_kopeck() {
    let (address, asked) = loyalty::open().await;
    let url = format!("--admin-loyalty-url={address}/");
    let desk = Desk::set(&[&url, &format!("--admin-loyalty-key={KEY}")]).await;
    let browser = Browser::sign_in(&desk, "operator").await;
    assert!(browser.page("/").await.contains("href=\"/points\""));
    for whose in
        [&[("phone", "+7 900 123-45-67")][..], &[("phone", ""), ("shop", "main"), ("user", "15")]]
    {
        let (status, page) = look(&browser, whose).await;
        assert_eq!(status, 200);
        for text in ["480.00", "20.10", "-12.30", "Покупка в магазине", "чек 7", "/orders?q=N-1042"]
        {
            assert!(page.contains(text), "{text} is not in {page}");
        }
        for text in
            ["20.11.2027 15:00", "с <time", "не сгорают", "телефон …0011", "только указан в заказе"]
        {
            assert!(page.contains(text), "{text} is not in {page}");
        }
        assert!(!page.contains("<script>alert"), "{page}");
    }
    let (_, older) = look(&browser, &[("phone", "+7 900 123-45-67"), ("before", "77")]).await;
    assert!(older.contains("Начальный остаток") && !older.contains("name=\"before\""), "{older}");
    let (status, none) = look(&browser, &[("phone", "+7 900 000-00-00")]).await;
    assert_eq!(status, 200);
    assert!(none.contains("Покупателя с таким телефоном нет."), "{none}");
    let before = asked.lock().unwrap().len();
    for nobody in [&[("phone", "123")][..], &[("shop", "main")], &[("shop", "main"), ("user", "x")]]
    {
        assert_eq!(look(&browser, nobody).await.0, 422, "{nobody:?}");
    }
    assert_eq!(asked.lock().unwrap().len(), before, "loyalty is not asked for nobody");
    let log: Vec<String> =
        sqlx::query_scalar("SELECT subject FROM audit WHERE action = 'see points' ORDER BY id")
            .fetch_all(&desk.pool)
            .await
            .unwrap();
    assert_eq!(log, ["phone …4567", "main 15", "phone …4567", "phone …0000"]);
    let viewer = Browser::sign_in(&desk, "viewer").await;
    assert_eq!(viewer.get("/points").await.status(), 403, "points are personal");
    let own = viewer.csrf.clone();
    let form = [("csrf", own.as_str()), ("phone", "+7 900 123-45-67")];
    assert_eq!(viewer.post("/points", &form).await.status(), 403);
    assert_eq!(browser.post("/points", &form).await.status(), 403, "a forged form");
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_and_a_silent_service_are_said_in_words() {
    let (address, _) = loyalty::open().await;
    let url = format!("--admin-loyalty-url={address}");
    let mut desk = Desk::set(&[&url, "--admin-loyalty-key=another"]).await;
    let browser = Browser::sign_in(&desk, "operator").await;
    let (status, page) = look(&browser, &[("phone", "+7 900 123-45-67")]).await;
    assert!(status == 200 && page.contains("ADMIN_LOYALTY_KEY"), "{page}");
    drop(browser);
    desk.kill_admin();
    desk.flags[0] = "--admin-loyalty-url=http://127.0.0.1:1".to_owned();
    desk.start_admin();
    desk.until_ready().await;
    let browser = Browser::sign_in(&desk, "operator").await;
    let (status, page) = look(&browser, &[("phone", "+7 900 123-45-67")]).await;
    assert!(status == 200 && page.contains("не отвечает"), "{page}");
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_services_count_and_the_storekeepers_page_stand_on_the_overview() {
    let (metrics, address) = crate::outside::Metrics::open().await;
    metrics.say("marking_codes{status=\"in_stock\"} 4711\nmarking_codes{status=\"quarantined\"} 2\nbreaker_open 1\n");
    let desk = Desk::set(&[
        &format!("--admin-services=marking={address}"),
        "--admin-services-every=50ms",
        "--admin-marking-url=https://marking.example/stock",
    ])
    .await;
    let browser = Browser::sign_in(&desk, "viewer").await;
    let all = || async {
        let page = browser.page("/").await;
        ["4711", "на карантине", "https://marking.example/stock", "внешний сервис недоступен с"]
            .iter()
            .all(|text| page.contains(text))
    };
    desk.stage.until("the numbers are there", crate::ferry::LONG, all).await;
    drop(browser);
    desk.end().await;
}
