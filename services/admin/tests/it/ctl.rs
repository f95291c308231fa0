//! `paromctl` for scripts: one JSON text, and an exit code that says whether it was done.

use events::Phase;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    desk::Desk,
    ferry::{LONG, key, status},
    outside::serve,
};

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_the_one_of_that_number_and_the_answer_one_json_text() {
    let desk = Desk::set(&[]).await;
    // Two shops may each have an order of one number; a document may be named like it.
    for (id, number, code) in [(1, "1042", "first"), (2, "1042", "second"), (3, "77", "third")] {
        let mut order = key(id);
        order.number = number.to_owned();
        let mut event = status("shop", order, Uuid::new_v4(), Phase::Working, code);
        if let events::Fact::StatusChanged(status) = &mut event.fact {
            status.properties.insert("DOCUMENT".to_owned(), "1042".to_owned());
        }
        desk.stage.tell(&event).await;
    }
    let heard = || async {
        let count: i64 =
            sqlx::query_scalar("SELECT count(*) FROM orders").fetch_one(&desk.pool).await.unwrap();
        count == 3
    };
    desk.stage.until("heard", LONG, heard).await;
    let token = desk.token("viewer");
    let shown = desk.ctl("", &["--token", &token, "--json", "order", "show", "1042"]).unwrap();
    let shown: Value = serde_json::from_str(&shown).expect("one JSON text");
    let numbers: Vec<&Value> =
        shown.as_array().unwrap().iter().map(|whole| &whole["order"]["number"]).collect();
    assert_eq!(numbers, ["1042", "1042"]);
    let text = desk.ctl("", &["--token", &token, "order", "show", "1042"]).unwrap();
    assert_eq!(text.matches("1042 ").count(), 2, "each has its heading: {text}");
    let found = desk.ctl("", &["--token", &token, "--json", "order", "find", "1042"]).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&found).unwrap().as_array().unwrap().len(), 3);
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_admin_has_done_nothing() {
    let desk = Desk::set(&[]).await;
    let router = axum::Router::new().fallback(async || "<html>Welcome to the guest network</html>");
    let elsewhere = serve(router).await;
    let id = Uuid::new_v4().to_string();
    for words in [
        &["dead", "discard", id.as_str(), "--why", "x"][..],
        &["dead", "restore", id.as_str()],
        &["jobs"],
    ] {
        let mut all = vec!["--url", elsewhere.as_str(), "--token", "t", "--json"];
        all.extend(words);
        let said = desk.ctl("", &all);
        assert!(said.is_err(), "{words:?}: {said:?}");
    }
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_managed_from_a_shell() {
    let desk = Desk::set(&[]).await;
    let password = "a long enough password";
    desk.ctl(password, &["user", "put", "boss", "--role", "admin"]).unwrap();
    desk.ctl(password, &["user", "put", "Anna", "--role", "admin"]).unwrap();
    desk.ctl("", &["user", "role", "anna", "viewer"]).unwrap();
    desk.ctl("", &["user", "disable", "anna"]).unwrap();
    assert!(desk.ctl("", &["user", "disable", "anna"]).is_err(), "once");
    desk.ctl("", &["user", "enable", "anna"]).unwrap();
    desk.ctl("another long password", &["user", "password", "anna"]).unwrap();
    for (words, why) in [
        (&["user", "role", "nobody", "viewer"][..], "nobody"),
        (&["user", "enable", "anna"], "not locked out"),
        (&["user", "password", "nobody"], "nobody"),
    ] {
        assert!(desk.ctl(password, words).is_err(), "{why}");
    }
    let said = desk.ctl(password, &["user", "put", "Анна", "--role", "viewer"]).unwrap_err();
    assert!(said.contains("a-z") && !said.contains("constraint"), "{said}");
    let log: Vec<(String, String)> = sqlx::query_as(
        "SELECT action, why FROM audit WHERE who = 'paromctl' AND subject = 'anna' ORDER BY id",
    )
    .fetch_all(&desk.pool)
    .await
    .unwrap();
    let log: Vec<(&str, &str)> = log.iter().map(|(a, w)| (a.as_str(), w.as_str())).collect();
    let expected = [
        ("put user", "admin"),
        ("change role", "viewer"),
        ("block user", ""),
        ("unblock user", ""),
        ("reset password", ""),
    ];
    assert_eq!(log, expected);
    desk.end().await;
}
