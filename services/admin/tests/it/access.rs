//! Who may do what; who may not is refused, and it is in the log.

use serde_json::json;
use uuid::Uuid;

use crate::{
    desk::{Browser, Desk, reqwest_client},
    ferry::LONG,
};

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_in_without_a_session_or_a_token() {
    let desk = Desk::set(&[]).await;
    let client = reqwest_client();
    for path in
        ["/", "/orders", "/letters", "/groups", "/replays", "/settings", "/audit", "/access"]
    {
        let answer = client.get(desk.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), 303, "{path}");
        let to = answer.headers()["location"].to_str().unwrap();
        assert!(to.starts_with("/login?next="), "{path}: {to}");
    }
    for path in ["/api/v1/overview", "/api/v1/letters", "/api/v1/replays", "/api/v1/queues"] {
        for token in [None, Some("parom_wrong"), Some("")] {
            let mut request = client.get(desk.url(path));
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            assert_eq!(request.send().await.unwrap().status(), 401, "{path} {token:?}");
        }
    }
    for path in ["/letters/replay", "/letters/discard", "/logout", "/access/tokens"] {
        let answer = client.post(desk.url(path)).body("why=x").send().await.unwrap();
        assert!([303, 401, 415].contains(&answer.status().as_u16()), "{path}: {}", answer.status());
    }
    // Each refusal is in the log; who was only shown the way to the form is not.
    let log = refusals(&desk).await;
    let mut expected = Vec::new();
    for path in ["/overview", "/letters", "/replays", "/queues"] {
        for why in ["not signed in", "unknown token", "unknown token"] {
            expected.push(format!("— GET /api/v1{path} 127.0.0.1 {why}"));
        }
    }
    for path in ["/letters/replay", "/letters/discard", "/logout", "/access/tokens"] {
        expected.push(format!("— POST {path} 127.0.0.1 not signed in"));
    }
    assert_eq!(log, expected);
    for _ in 0..30 {
        desk.get("parom_wrong", "/api/v1/groups").send().await.unwrap();
    }
    assert_eq!(refusals(&desk).await.len(), 20, "it is no way to fill the disk");
    let headers = client.get(desk.url("/login")).send().await.unwrap().headers().clone();
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(headers[name], value);
    }
    desk.end().await;
}

/// What the audit log says was refused: who, what, from where, why.
async fn refusals(desk: &Desk) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT concat_ws(' ', who, action, subject, why) FROM audit WHERE outcome = 'refused' ORDER BY id",
    )
    .fetch_all(&desk.pool)
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_a_forged_form_and_a_revoked_token_are_refused_and_logged() {
    let desk = Desk::set(&[]).await;
    let viewer = Browser::sign_in(&desk, "viewer").await;
    let id = Uuid::new_v4().to_string();
    let own = viewer.csrf.clone();
    let form = [("csrf", own.as_str()), ("ids", id.as_str()), ("why", "x")];
    assert_eq!(viewer.post("/letters/discard", &form).await.status(), 403, "a viewer");
    assert_eq!(viewer.get("/audit").await.status(), 403);
    let operator = Browser::sign_in(&desk, "operator").await;
    let forged = [("csrf", own.as_str()), ("ids", id.as_str()), ("why", "x")];
    assert_eq!(operator.post("/letters/discard", &forged).await.status(), 403, "another's token");
    assert_eq!(operator.post("/letters/discard", &forged[1..]).await.status(), 403, "none");
    assert_eq!(operator.get("/access").await.status(), 403);

    let token = desk.token("viewer");
    let body = json!({ "choice": { "ids": [id] }, "why": "x" });
    assert_eq!(desk.post(&token, "/api/v1/letters/discard", &body).await.status(), 403);
    assert_eq!(desk.get(&token, "/api/v1/groups").send().await.unwrap().status(), 200);
    let listed = desk.ctl("", &["token", "list", "--json"]).unwrap();
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let token_id = listed[0]["id"].as_str().unwrap();
    desk.ctl("", &["token", "revoke", token_id]).unwrap();
    assert_eq!(desk.get(&token, "/api/v1/groups").send().await.unwrap().status(), 401);

    let log: Vec<(String, String, String)> =
        sqlx::query_as("SELECT who, action, why FROM audit WHERE outcome = 'refused' ORDER BY id")
            .fetch_all(&desk.pool)
            .await
            .unwrap();
    let log: Vec<(&str, &str)> = log.iter().map(|row| (row.1.as_str(), row.2.as_str())).collect();
    assert_eq!(
        log,
        [
            ("discard", "role"),
            ("see audit log", "role"),
            ("discard", "forged request"),
            ("discard", "forged request"),
            ("see access", "role"),
            ("discard", "role"),
            ("GET /api/v1/groups", "unknown token"),
        ]
    );
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_from_another_site_is_refused() {
    let desk = Desk::set(&[]).await;
    let answer = reqwest_client()
        .post(desk.url("/login"))
        .header("sec-fetch-site", "cross-site")
        .header("content-type", "application/x-www-form-urlencoded")
        .body("login=x&password=y")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 403);
    assert_eq!(refusals(&desk).await, ["— POST /login 127.0.0.1 another site"]);
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_passwords_is_bounded() {
    let desk = Desk::set(&[]).await;
    let browser = Browser::sign_in(&desk, "operator").await;
    let attempt = async |password: &str| {
        let body = format!("login=operator&password={password}");
        let answer = reqwest_client()
            .post(desk.url("/login"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
            .send()
            .await
            .unwrap();
        let to = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
        (answer.status().as_u16(), to)
    };
    for guess in 0..10 {
        let (status, to) = attempt(&format!("guess+{guess}")).await;
        assert_eq!(status, 303);
        assert!(to.unwrap().starts_with("/login?wrong=1"));
    }
    assert_eq!(attempt("a+long+enough+password").await.0, 429, "also the right one");
    let last = refusals(&desk).await.pop();
    assert_eq!(last.as_deref(), Some("— POST /login 127.0.0.1 too many attempts"));
    assert_eq!(browser.get("/").await.status(), 200, "who is in stays in");
    // A quarter of an hour later.
    sqlx::query("UPDATE attempts SET at = at - interval '16 minutes'")
        .execute(&desk.pool)
        .await
        .unwrap();
    assert_eq!(attempt("a+long+enough+password").await, (303, Some("/".to_owned())));
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_admin_is_made_once_and_a_disabled_user_is_out_at_once() {
    let desk = Desk::set(&[]).await;
    assert!(desk.ctl("short", &["user", "first", "boss"]).is_err(), "too short");
    desk.ctl("the very first password\n", &["user", "first", "boss"]).unwrap();
    desk.ctl("another password of mine", &["user", "first", "thief"]).unwrap();
    let users: Vec<(String, String, String)> =
        sqlx::query_as("SELECT login, role, password_hash FROM users")
            .fetch_all(&desk.pool)
            .await
            .unwrap();
    assert_eq!(users.len(), 1);
    assert_eq!((users[0].0.as_str(), users[0].1.as_str()), ("boss", "admin"));
    assert!(users[0].2.starts_with("$argon2id$"));
    let browser = Browser::sign_in(&desk, "operator").await;
    desk.ctl("", &["user", "disable", "operator"]).unwrap();
    assert_eq!(browser.get("/").await.status(), 303);
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_ends_the_session() {
    let desk = Desk::set(&[]).await;
    let browser = Browser::sign_in(&desk, "viewer").await;
    assert_eq!(browser.post("/logout", &[("csrf", "forged")]).await.status(), 403);
    assert_eq!(browser.get("/").await.status(), 200);
    let own = browser.csrf.clone();
    assert_eq!(browser.post("/logout", &[("csrf", &own)]).await.status(), 303);
    let out = || async { browser.get("/").await.status() == 303 };
    desk.stage.until("out", LONG, out).await;
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_stands_open_keeps_no_session_alive() {
    let desk = Desk::set(&["--admin-session-idle=10m"]).await;
    let browser = Browser::sign_in(&desk, "viewer").await;
    let ago = async |seconds: f64| {
        sqlx::query("UPDATE sessions SET seen_at = now() - $1 * interval '1 second'")
            .bind(seconds)
            .execute(&desk.pool)
            .await
            .unwrap();
    };
    let idle = async || -> f64 {
        sqlx::query_scalar("SELECT extract(epoch FROM now() - seen_at)::float8 FROM sessions")
            .fetch_one(&desk.pool)
            .await
            .unwrap()
    };
    ago(300.0).await;
    assert_eq!(browser.live("/live").await.status(), 200);
    assert!(idle().await >= 300.0, "nobody has asked");
    assert_eq!(browser.get("/").await.status(), 200);
    assert!(idle().await < 60.0);
    ago(30.0).await;
    assert_eq!(browser.get("/").await.status(), 200);
    assert!(idle().await >= 30.0, "one a minute is noted");
    ago(601.0).await;
    assert_eq!(browser.live("/live").await.status(), 303);
    assert_eq!(browser.get("/").await.status(), 303);
    drop(browser);
    desk.end().await;
}
