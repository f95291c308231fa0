//! Who guesses is bounded, however he goes about it; what reaches further than it should does not.

use std::collections::BTreeMap;

use crate::desk::{Browser, Desk, reqwest_client};

async fn attempt(desk: &Desk, login: &str, addresses: &[&str]) -> u16 {
    let mut request = reqwest_client()
        .post(desk.url("/login"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("login={login}&password=wrong+password"));
    for address in addresses {
        request = request.header("x-forwarded-for", *address);
    }
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_that_come_at_once_are_bounded_as_those_one_after_another() {
    let desk = Desk::set(&[]).await;
    let all = (0..40).map(|guess| {
        let login = format!("login{guess}");
        let desk = &desk;
        async move { attempt(desk, &login, &[]).await }
    });
    let mut answers: BTreeMap<u16, usize> = BTreeMap::new();
    for status in futures_util::future::join_all(all).await {
        *answers.entry(status).or_default() += 1;
    }
    let looked_at = answers.get(&303).copied().unwrap_or(0);
    assert!(looked_at <= 10, "{looked_at} guesses were looked at: {answers:?}");
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_cannot_make_up_the_address_that_the_proxy_says() {
    let desk = Desk::set(&["--admin-address-header=x-forwarded-for"]).await;
    for guess in 0..10 {
        // The caller's own header, and the proxy's after it.
        let own = format!("10.0.0.{guess}");
        let status = attempt(&desk, &format!("login{guess}"), &[&own, "192.0.2.1"]).await;
        assert_eq!(status, 303);
    }
    assert_eq!(attempt(&desk, "another", &["10.0.0.99", "192.0.2.1"]).await, 429);
    assert_eq!(attempt(&desk, "another", &["10.0.0.99", "192.0.2.2"]).await, 303);
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_given_a_lower_role_in_a_shell_loses_the_tokens_that_reach_further() {
    let desk = Desk::set(&[]).await;
    let password = "a long enough password";
    desk.ctl(password, &["user", "put", "anna", "--role", "admin"]).unwrap();
    for (hash, role) in [("x", "admin"), ("y", "viewer")] {
        sqlx::query(
            "INSERT INTO tokens (id, hash, name, role, made_by)
             VALUES (gen_random_uuid(), $1::text::bytea, 'x', $2, 'anna')",
        )
        .bind(hash)
        .bind(role)
        .execute(&desk.pool)
        .await
        .unwrap();
    }
    desk.ctl(password, &["user", "put", "anna", "--role", "operator"]).unwrap();
    let left: Vec<String> = sqlx::query_scalar("SELECT role FROM tokens WHERE revoked_at IS NULL")
        .fetch_all(&desk.pool)
        .await
        .unwrap();
    assert_eq!(left, ["viewer"]);
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_addresses_and_forms_are_answered_with_a_page_and_with_json() {
    let desk = Desk::set(&[]).await;
    let browser = Browser::sign_in(&desk, "admin").await;
    for path in ["/letters/no-id", "/replays/no-id", "/order", "/letters/%00", "/order?key=%00"] {
        let answer = browser.get(path).await;
        assert!(answer.status().is_client_error(), "{path}");
        let page = answer.text().await.unwrap();
        assert!(page.contains("<html lang=\"ru\">"), "{path}: {page}");
    }
    let csrf = browser.csrf.clone();
    let answer = browser.post("/access/tokens", &[("csrf", csrf.as_str())]).await;
    assert!(answer.status().is_client_error());
    assert!(answer.text().await.unwrap().contains("<html lang=\"ru\">"));
    let token = desk.token("viewer");
    for path in ["/api/v1/letters/no-id", "/api/v1/replays/no-id", "/api/v1/no/such"] {
        let answer = desk.get(&token, path).send().await.unwrap();
        assert!(answer.status().is_client_error(), "{path}");
        let body: serde_json::Value = answer.json().await.expect("JSON");
        assert!(body["error"].is_string() && body["error_ru"].is_string(), "{path}: {body}");
    }
    let answer = reqwest_client()
        .post(desk.url("/login"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body("login=admin&password=a+long+enough+password&next=/%01")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 303, "a hostile way back is none");
    assert_eq!(answer.headers()["location"], "/");
    drop(browser);
    desk.end().await;
}
