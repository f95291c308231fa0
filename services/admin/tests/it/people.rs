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
