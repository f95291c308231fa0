//! The description of the interface against the interface: its routes, who may call them, every
//! request it allows, and every answer that comes.

use std::collections::BTreeSet;

use jsonschema::Validator;
use loyalty::{
    http::ROUTES,
    ledger::{Kind, Outcome},
    words,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{OFFICE, PHONE, Said, World};

fn document() -> Value {
    serde_saphyr::from_str(include_str!("../../openapi.yaml")).unwrap()
}

/// A validator of what stands at a pointer of the document.
fn schema(document: &Value, at: &Value) -> Validator {
    let mut whole = at.clone();
    whole["components"] = document["components"].clone();
    jsonschema::draft202012::new(&whole).unwrap()
}

fn complain(document: &Value, at: &Value, json: &Value) -> Vec<String> {
    let validator = schema(document, at);
    validator.iter_errors(json).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn the_document_names_every_route_and_who_may_call_it() {
    let document = document();
    let mut documented = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let roles = operation["x-roles"].as_array().unwrap();
            let roles: Vec<_> =
                roles.iter().map(|role| role.as_str().unwrap().to_owned()).collect();
            documented.insert((method.to_uppercase(), path.clone(), roles));
        }
    }
    let real: BTreeSet<_> = ROUTES
        .iter()
        .map(|(method, path, roles)| {
            let roles = roles.iter().map(|role| format!("{role:?}").to_lowercase()).collect();
            ((*method).to_owned(), (*path).to_owned(), roles)
        })
        .collect();
    assert_eq!(documented, real);
}

#[test]
fn the_document_knows_every_kind_and_outcome_and_each_has_its_sentence() {
    let document = document();
    let schemas = &document["components"]["schemas"];
    let statuses = schemas["Result"]["properties"]["status"]["enum"].as_array().unwrap();
    for outcome in Outcome::ALL {
        assert!(statuses.contains(&json!(outcome.as_str())), "{outcome:?}");
    }
    let kinds = schemas["History"]["properties"]["items"]["items"]["properties"]["type"]["enum"]
        .as_array()
        .unwrap();
    assert_eq!(kinds.len(), Kind::ALL.len());
    for status in statuses {
        let word = status.as_str().unwrap();
        let silent =
            ["ok", "ok_overdraft", "partial", "ok_then_reversed", "already_exists", "invalid"];
        let text = words::api(word);
        assert_eq!(text.en == word, silent.contains(&word), "{word}");
    }
    for (code, ru, en) in words::API {
        assert!(ru.ends_with('.') && en.ends_with('.'), "{code}");
        assert!(ru.chars().any(|c| ('а'..='я').contains(&c)), "{code}");
    }
}

/// Every route answers under both prefixes, and each answer is what its schema says.
#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one table")]
async fn answers_are_what_the_document_says() {
    let document = document();
    let world = World::new().await;
    world.meet(42, PHONE).await;
    let phone = json!({"user_phone": PHONE});
    let ask = |kind: &str, id: &str, amount: Value| {
        json!({"type": kind, "amount": amount, "external_id": id, "user_phone": PHONE,
            "author": "Петрова", "reason": "проверка", "description": "Арбат, 2"})
    };
    let bad = json!({"user_phone": "7999"});
    let batch =
        json!([ask("accrual", "b", json!(1)), ask("debit", "c", json!(1e9)), {"type": "x"}]);
    let table: Vec<(&str, &str, Value)> = vec![
        ("POST", "/transactions", ask("accrual", "a", json!(10))),
        ("POST", "/transactions", ask("accrual", "a", json!(10))),
        ("POST", "/transactions", ask("accrual", "a", json!(11))),
        ("POST", "/transactions", ask("debit", "d", json!("1000.00"))),
        ("POST", "/transactions", ask("adjustment", "m", json!(-1))),
        ("POST", "/transactions", ask("hold", "h", json!(2))),
        (
            "POST",
            "/transactions",
            json!({"type": "release", "external_id": "r", "reference": "later"}),
        ),
        ("POST", "/transactions", ask("accrual", "z", json!(0))),
        ("POST", "/transactions", json!([])),
        ("POST", "/transactions/batch", batch.clone()),
        ("POST", "/transactions/batch", json!({"transactions": batch})),
        ("POST", "/transactions/batch", json!("no")),
        ("GET", "/balance?user_phone=79161234567", Value::Null),
        ("GET", "/balance?user_phone=79990000000", Value::Null),
        ("GET", "/balance?nonsense=1", Value::Null),
        ("POST", "/balance", phone.clone()),
        ("POST", "/balance", bad.clone()),
        ("GET", "/history?shop=acme&user_id=42", Value::Null),
        ("POST", "/account", phone.clone()),
        ("POST", "/account", bad.clone()),
        ("POST", "/account", json!({"shop": "acme", "user_id": 404})),
        ("POST", "/history", phone),
        ("POST", "/history", bad),
        ("PUT", "/customers", json!({"shop": "acme", "user_id": 43, "phones": [PHONE]})),
        ("PUT", "/customers", json!({"shop": "ACME", "user_id": 43, "phones": []})),
        ("GET", "/balance?user_phone=79161234567", Value::Null),
        ("GET", "/exceptions", Value::Null),
        ("GET", "/parked", Value::Null),
        ("GET", "/parked?limit=x", Value::Null),
        ("POST", "/exceptions/1/close", json!({"by": "Петрова", "note": "решено"})),
        ("POST", "/exceptions/1/close", json!({"by": "Петрова", "note": "решено"})),
        ("POST", "/exceptions/1/close", json!({"by": "", "note": ""})),
    ];
    let mut statuses = BTreeSet::new();
    for prefix in loyalty::http::PREFIXES {
        for (method, path, body) in &table {
            let method: Method = method.parse().unwrap();
            let text = if body.is_null() { String::new() } else { body.to_string() };
            let said = world.call(method.clone(), OFFICE, &format!("{prefix}{path}"), &text).await;
            check(&document, method.as_str(), path, &said);
            statuses.insert(said.status);
            if (200..300).contains(&said.status) && !body.is_null() {
                allowed(&document, method.as_str(), path, body);
            }
        }
        let said = world.call(Method::GET, "wrong", &format!("{prefix}/balance"), "").await;
        check(&document, "GET", "/balance", &said);
        assert_eq!(said.status, 401);
    }
    assert_eq!(statuses, BTreeSet::from([200, 202, 400, 404, 409, 422]));
    world.end().await;
}

fn operation<'a>(document: &'a Value, method: &str, path: &str) -> &'a Value {
    let path = path.split('?').next().unwrap().replace("/1/", "/{id}/");
    &document["paths"][path][method.to_lowercase()]
}

fn check(document: &Value, method: &str, path: &str, said: &Said) {
    let answers = &operation(document, method, path)["responses"];
    let described = &answers[said.status.to_string()]["content"]["application/json"]["schema"];
    assert!(!described.is_null(), "{method} {path} answers {}: {}", said.status, said.text);
    let errors = complain(document, described, &said.body);
    assert!(errors.is_empty(), "{method} {path}: {errors:?} in {}", said.text);
}

/// What was taken is what the document allows.
fn allowed(document: &Value, method: &str, path: &str, body: &Value) {
    // A batch may hold what is wrong: each item is answered for itself.
    if path.ends_with("/batch") {
        return;
    }
    let asked =
        &operation(document, method, path)["requestBody"]["content"]["application/json"]["schema"];
    let errors = complain(document, asked, body);
    assert!(errors.is_empty(), "{method} {path}: {errors:?}");
}
