//! What is told of codes: `cises/info`.

use std::{collections::HashMap, sync::Arc};

use axum::{
    body::Bytes,
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use serde_json::{Value, json};

use super::{check::is_ki, refused};
use crate::{Emulator, answer::json_answer};

const MOST: usize = 1_000;
/// Groups whose codes are told only to whoever names the group.
const NAMED: [&str; 2] = ["milk", "water"];
/// Groups of the register by their numbers, as far as codes of them are seen here.
const GROUPS: [(&str, u16); 12] = [
    ("lp", 1),
    ("shoes", 2),
    ("tobacco", 3),
    ("perfumery", 4),
    ("tires", 5),
    ("electronics", 6),
    ("milk", 8),
    ("bicycle", 9),
    ("water", 13),
    ("beer", 15),
    ("toys", 27),
    ("autofluids", 43),
];

pub(super) async fn info(
    State(emulator): State<Arc<Emulator>>,
    Query(query): Query<HashMap<String, String>>,
    body: Bytes,
) -> Response {
    let inn = emulator.settings().gismt.inn.clone();
    let mut books = emulator.gismt.books();
    let asked: Vec<String> = match serde_json::from_slice(&body) {
        Ok(asked) => asked,
        Err(error) => {
            books.violations.add(format!("cises/info: {error}"));
            return refused(400, "the body is no list of codes");
        }
    };
    if asked.is_empty() || asked.len() > MOST || !asked.iter().all(|cis| is_ki(cis)) {
        books.violations.add(format!("cises/info: {} codes, or what are none", asked.len()));
        return refused(400, "from 1 to 1000 codes without crypto tails");
    }
    if query.keys().any(|name| name != "pg") {
        books.violations.add("cises/info: an unknown parameter".to_owned());
        return refused(400, "an unknown parameter");
    }
    let mut found = false;
    let named = query.get("pg").map(String::as_str);
    let is_told = |group: &str| !NAMED.contains(&group) || named == Some(group);
    let entries: Vec<Value> = asked
        .iter()
        .map(|cis| match books.codes.get_mut(cis).filter(|code| is_told(&code.group)) {
            Some(code) => {
                found = true;
                let (status, reason) = code.look();
                entry(code, &status, reason.as_deref(), code.owner_inn == inn)
            }
            None => json!({
                "cisInfo": {"requestedCis": cis}, "errorMessage": "КМ не найден в ГИС МТ", "errorCode": "404",
            }),
        })
        .collect();
    let status = if found { StatusCode::OK } else { StatusCode::NOT_FOUND };
    json_answer(status, Value::from(entries).to_string())
}

fn entry(code: &super::Code, status: &str, reason: Option<&str>, own: bool) -> Value {
    let gtin = code.cis.get(2..16).unwrap_or_default();
    let number = GROUPS.iter().find(|(group, _)| *group == code.group).map(|(_, number)| number);
    let mut info = json!({
        "requestedCis": code.cis, "cis": code.cis, "cisWithoutBrackets": code.cis, "gtin": gtin,
        "tnVedEaes": "6204430000", "tnVedEaesGroup": "6204", "productName": "Платье", "brand": "PRIMER",
        "productGroupId": number, "productGroup": code.group,
        "producedDate": "2026-01-10T00:00:00.000Z", "emissionDate": "2026-01-09T10:00:00.000Z",
        "applicationDate": "2026-01-10T09:00:00.000Z", "introducedDate": "2026-01-11T10:00:00.000Z",
        "emissionType": "LOCAL", "packageType": code.package, "generalPackageType": code.package,
        "producerInn": "7711111111", "producerName": "ООО ПРОИЗВОДИТЕЛЬ",
        "status": status, "statusEx": code.status_ex, "turnoverType": "SELLING", "markWithdraw": false,
        "child": [],
    });
    if let Some(fields) = info.as_object_mut() {
        // Only the owner is told whose it is.
        if own {
            fields.insert("ownerInn".to_owned(), json!(code.owner_inn));
            fields.insert("ownerName".to_owned(), json!("ООО ПРИМЕР"));
        }
        if let Some(reason) = reason {
            fields.insert("withdrawReason".to_owned(), json!(reason));
        }
    }
    json!({"cisInfo": info})
}
