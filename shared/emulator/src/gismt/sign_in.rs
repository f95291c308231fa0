//! Sign-in: a challenge, and a token for a signature over it.

use std::sync::Arc;

use axum::{body::Bytes, extract::State, http::StatusCode, response::Response};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use serde::Deserialize;
use serde_json::json;
use time::{Duration, OffsetDateTime};

use super::{cms, moment, refused, uuid};
use crate::{
    Emulator,
    answer::json_answer,
    settings::{GismtSettings, GismtSignIn},
};

pub(super) async fn key(State(emulator): State<Arc<Emulator>>) -> Response {
    let (id, data) = (uuid(), uuid().replace('-', "").to_uppercase());
    emulator.gismt.books().challenge(&id, &data, emulator.clock.now());
    json_answer(StatusCode::OK, json!({"uuid": id, "data": data}).to_string())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    uuid: Option<String>,
    data: String,
    inn: Option<String>,
    #[serde(rename = "unitedToken")]
    united_token: Option<bool>,
}

pub(super) async fn simple_sign_in(State(emulator): State<Arc<Emulator>>, body: Bytes) -> Response {
    let settings = emulator.settings();
    let own = &settings.gismt;
    let asked: SignIn = match serde_json::from_slice(&body) {
        Ok(asked) => asked,
        Err(error) => return breach(&emulator, format!("simpleSignIn: {error}")),
    };
    let signed = match wanted(&emulator, own, &asked) {
        Ok(signed) => signed,
        Err(why) => return breach(&emulator, format!("simpleSignIn: {why}")),
    };
    // Line ends in it are refused, so it is decoded as it stands.
    let Ok(signature) = BASE64_STANDARD.decode(&asked.data) else {
        return breach(&emulator, "simpleSignIn: data is no base64 on one line".to_owned());
    };
    let held = match cms::verify(own, &signature, None).await {
        Ok(held) => held,
        Err(why) => return unsigned(&emulator, &why),
    };
    if held.content != signed.as_bytes() {
        return unsigned(&emulator, "something else is signed");
    }
    if !held.inns.contains(&own.inn) {
        return refused(403, "the INN of the certificate is no participant's");
    }
    give(&emulator, own)
}

/// What must be signed, if the request has the form of the sign-in in force.
fn wanted(emulator: &Emulator, own: &GismtSettings, asked: &SignIn) -> Result<String, String> {
    let form = (asked.uuid.is_some(), asked.inn.is_some(), asked.united_token);
    let fits = match own.sign_in {
        GismtSignIn::Challenge => form == (true, true, Some(true)),
        GismtSignIn::Inn => form == (false, false, Some(true)),
        GismtSignIn::Jwt => form == (true, false, None),
    };
    if !fits {
        return Err(format!("not the form of {:?}", own.sign_in));
    }
    if asked.inn.as_ref().is_some_and(|inn| *inn != own.inn) {
        return Err("another INN".to_owned());
    }
    match &asked.uuid {
        None => Ok(own.inn.clone()),
        // A challenge is good once.
        Some(id) => emulator
            .gismt
            .books()
            .answer(id, emulator.clock.now())
            .ok_or_else(|| "an unknown uuid".to_owned()),
    }
}

fn give(emulator: &Emulator, own: &GismtSettings) -> Response {
    let ends = emulator.clock.now() + Duration::seconds(own.token_s.into());
    let (token, body) = match own.sign_in {
        GismtSignIn::Jwt => {
            let token = jwt(ends);
            let body = json!({"token": token, "mchdUser": null});
            (token, body)
        }
        GismtSignIn::Challenge | GismtSignIn::Inn => {
            let token = uuid();
            let body = json!({"uuidToken": token, "expireDate": moment(ends)});
            (token, body)
        }
    };
    emulator.gismt.books().give(token, ends);
    json_answer(StatusCode::OK, body.to_string())
}

/// The form of a JWT; nobody but us checks it, and we know it by heart.
fn jwt(ends: OffsetDateTime) -> String {
    let part = |value: serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let head = part(json!({"alg": "none", "typ": "JWT"}));
    let claims = part(json!({"exp": ends.unix_timestamp(), "jti": uuid()}));
    format!("{head}.{claims}.{}", BASE64_URL_SAFE_NO_PAD.encode(uuid()))
}

fn breach(emulator: &Emulator, why: String) -> Response {
    let answer = refused(400, &why);
    emulator.gismt.books().violations.add(why);
    answer
}

fn unsigned(emulator: &Emulator, why: &str) -> Response {
    emulator.gismt.books().refuse(format!("simpleSignIn: {why}"));
    refused(422, "the signature does not hold")
}
