//! Admins manage people on a page; everything is in the audit log.

use reqwest::StatusCode;

use crate::desk::{Browser, Desk, reqwest_client};

/// What stands in the only `pre` of a page: what is shown once.
fn shown_once(page: &str) -> String {
    let (_, rest) = page.split_once("<pre>").expect("a secret is shown");
    rest.split('<').next().unwrap().to_owned()
}

/// Whether this password lets its owner in.
async fn fits(desk: &Desk, login: &str, password: &str) -> bool {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("login", login).append_pair("password", password);
    let answer = reqwest_client()
        .post(desk.url("/login"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.finish())
        .send()
        .await
        .unwrap();
    answer.headers()["location"] == "/"
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one story")]
async fn an_admin_makes_promotes_blocks_and_lets_in_again() {
    let desk = Desk::set(&[]).await;
    let boss = Browser::sign_in(&desk, "admin").await;
    let csrf = boss.csrf.clone();
    let act = async |path: &str, login: &str, role: &str| {
        let form = [("csrf", csrf.as_str()), ("login", login), ("role", role)];
        let answer = boss.post(path, &form).await;
        (answer.status(), answer.text().await.unwrap())
    };
    let (made, page) = act("/access/users", "Anna", "operator").await;
    assert_eq!(made, StatusCode::OK);
    let first = shown_once(&page);
    assert!(first.len() >= 40 && fits(&desk, "anna", &first).await);
    assert_eq!(act("/access/users", "anna", "admin").await.0, StatusCode::CONFLICT);
    assert_eq!(act("/access/users", "Анна", "admin").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(act("/access/users", "anna3", "god").await.0, StatusCode::UNPROCESSABLE_ENTITY);

    assert_eq!(act("/access/users/role", "anna", "admin").await.0, StatusCode::SEE_OTHER);
    let (_, page) = act("/access/users/password", "anna", "").await;
    let second = shown_once(&page);
    assert!(!fits(&desk, "anna", &first).await && fits(&desk, "anna", &second).await);

    // What a blocked admin has made holds no more, and neither do his sessions.
    sqlx::query("INSERT INTO tokens (id, hash, name, role, made_by) VALUES (gen_random_uuid(), 'x', 'x', 'admin', 'anna')")
        .execute(&desk.pool)
        .await
        .unwrap();
    assert_eq!(act("/access/users/block", "anna", "").await.0, StatusCode::SEE_OTHER);
    assert!(!fits(&desk, "anna", &second).await);
    let (sessions, tokens): (i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM sessions WHERE login = 'anna'),
            (SELECT count(*) FROM tokens WHERE made_by = 'anna' AND revoked_at IS NULL)",
    )
    .fetch_one(&desk.pool)
    .await
    .unwrap();
    assert_eq!((sessions, tokens), (0, 0));
    assert_eq!(act("/access/users/role", "anna", "viewer").await.0, StatusCode::CONFLICT);
    assert_eq!(act("/access/users/unblock", "anna", "").await.0, StatusCode::SEE_OTHER);
    assert_eq!(act("/access/users/role", "anna", "viewer").await.0, StatusCode::SEE_OTHER);

    // Somebody must be left to let people in.
    for (path, role) in [("/access/users/block", ""), ("/access/users/role", "viewer")] {
        assert_eq!(act(path, "admin", role).await.0, StatusCode::CONFLICT, "{path}");
    }
    assert_eq!(act("/access/users/erase", "anna", "").await.0, StatusCode::NOT_FOUND);
    let log: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT action, subject, why FROM audit WHERE who = 'admin' AND action LIKE '% user' OR who = 'admin'
         AND action IN ('change role', 'reset password') ORDER BY id",
    )
    .fetch_all(&desk.pool)
    .await
    .unwrap();
    let log: Vec<(&str, &str, &str)> =
        log.iter().map(|(a, s, w)| (a.as_str(), s.as_str(), w.as_str())).collect();
    assert_eq!(
        log,
        [
            ("make user", "anna", "operator"),
            ("change role", "anna", "admin"),
            ("reset password", "anna", ""),
            ("block user", "anna", ""),
            ("unblock user", "anna", ""),
            ("change role", "anna", "viewer"),
        ]
    );
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_manages_people_and_a_forged_form_does_not_either() {
    let desk = Desk::set(&[]).await;
    let operator = Browser::sign_in(&desk, "operator").await;
    let boss = Browser::sign_in(&desk, "admin").await;
    for path in
        ["/access/users", "/access/users/role", "/access/users/block", "/access/users/password"]
    {
        let own = operator.csrf.clone();
        let form = [("csrf", own.as_str()), ("login", "operator"), ("role", "admin")];
        assert_eq!(operator.post(path, &form).await.status(), 403, "{path}");
        assert_eq!(boss.post(path, &form).await.status(), 403, "{path} with another's token");
        assert_eq!(boss.post(path, &form[1..]).await.status(), 403, "{path} with none");
    }
    let refused: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM audit WHERE outcome = 'refused' AND subject = 'operator'",
    )
    .fetch_one(&desk.pool)
    .await
    .unwrap();
    assert_eq!(refused, 12, "each is in the log");
    let role: String = sqlx::query_scalar("SELECT role FROM users WHERE login = 'operator'")
        .fetch_one(&desk.pool)
        .await
        .unwrap();
    assert_eq!(role, "operator");
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_manages_nobody_and_ends_with_its_maker() {
    let desk = Desk::set(&[]).await;
    let shell = desk.token("admin");
    let boss = Browser::sign_in(&desk, "admin").await;
    let csrf = boss.csrf.clone();
    let form = [("csrf", csrf.as_str()), ("name", "till"), ("role", "admin")];
    let page = boss.post("/access/tokens", &form).await.text().await.unwrap();
    let (_, rest) = page.split_once("parom_").expect("the token is shown once");
    let own = format!("parom_{}", rest.split('<').next().unwrap().trim());
    for (path, body) in [
        ("/access/tokens", "name=evil&role=admin"),
        ("/access/users", "login=evil&role=admin"),
        ("/access/users/role", "login=admin&role=viewer"),
        ("/access/users/block", "login=admin"),
        ("/access/users/password", "login=admin"),
        ("/access/tokens/00000000-0000-0000-0000-000000000001/revoke", ""),
    ] {
        let answer = reqwest_client()
            .post(desk.url(path))
            .bearer_auth(&own)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(desk.get(&own, "/access").send().await.unwrap().status(), StatusCode::FORBIDDEN);
    let tokens: Vec<(uuid::Uuid, String, String)> =
        sqlx::query_as("SELECT id, name, made_by FROM tokens ORDER BY created_at")
            .fetch_all(&desk.pool)
            .await
            .unwrap();
    assert_eq!(tokens.len(), 2, "{tokens:?}");
    assert_eq!((tokens[0].2.as_str(), tokens[1].2.as_str()), ("paromctl", "admin"));
    let refused: Vec<(String, String)> =
        sqlx::query_as("SELECT who, why FROM audit WHERE outcome = 'refused' ORDER BY id")
            .fetch_all(&desk.pool)
            .await
            .unwrap();
    let id: String = tokens[1].0.to_string().chars().take(8).collect();
    let expected = (format!("token till ({id}, admin)"), "token".to_owned());
    assert_eq!(refused, vec![expected; 7]);

    let letters = "/api/v1/letters";
    assert_eq!(desk.get(&own, letters).send().await.unwrap().status(), StatusCode::OK);
    desk.ctl("", &["user", "disable", "admin"]).unwrap();
    assert_eq!(desk.get(&own, letters).send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    assert_eq!(desk.get(&shell, letters).send().await.unwrap().status(), StatusCode::OK);
    drop(boss);
    desk.end().await;
}

/// As tokens stand that were made while a token could make them.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_tokens_made_are_their_makers_or_end() {
    let desk = Desk::set(&[]).await;
    let password = "a long enough password";
    for (login, role) in [("anna", "admin"), ("gone", "admin"), ("low", "operator")] {
        desk.ctl(password, &["user", "put", login, "--role", role]).unwrap();
    }
    sqlx::query("UPDATE users SET disabled_at = now() WHERE login = 'gone'")
        .execute(&desk.pool)
        .await
        .unwrap();
    for (age, name, role, by) in [
        (9, "till", "admin", "anna"),
        (8, "shop", "admin", "gone"),
        (7, "twin", "admin", "anna"),
        (7, "twin", "admin", "low"),
        (6, "child", "viewer", "token till"),
        (5, "grandchild", "viewer", "token child"),
        (4, "orphan", "viewer", "token shop"),
        (3, "either", "viewer", "token twin"),
        (2, "strange", "viewer", "token nobody"),
        (1, "shell", "admin", "paromctl"),
    ] {
        sqlx::query(
            "INSERT INTO tokens (id, hash, name, role, made_by, created_at)
             VALUES (gen_random_uuid(), gen_random_uuid()::text::bytea, $1, $2, $3, now() - $4 * interval '1 day')",
        )
        .bind(name)
        .bind(role)
        .bind(by)
        .bind(age)
        .execute(&desk.pool)
        .await
        .unwrap();
    }
    sqlx::raw_sql(include_str!("../../migrations/2026112206_makers.sql"))
        .execute(&desk.pool)
        .await
        .unwrap();
    let holds: Vec<(String, String)> = sqlx::query_as(
        "SELECT name, made_by FROM tokens WHERE revoked_at IS NULL ORDER BY created_at, made_by",
    )
    .fetch_all(&desk.pool)
    .await
    .unwrap();
    let holds: Vec<(&str, &str)> = holds.iter().map(|(n, m)| (n.as_str(), m.as_str())).collect();
    assert_eq!(
        holds,
        [
            ("till", "anna"),
            ("twin", "anna"),
            ("child", "anna"),
            ("grandchild", "anna"),
            ("shell", "paromctl"),
        ]
    );
    desk.end().await;
}
