//! Sign-in: a refresh token that each refresh replaces, or a login.

use std::{collections::HashMap, sync::Arc};

use axum::{
    body::Bytes,
    extract::{Query, Request, State},
    http::{StatusCode, header::AUTHORIZATION},
    middleware::Next,
    response::{IntoResponse, Response},
};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::json;

use super::{breach, refused};
use crate::{Emulator, answer::json_answer, settings::DiadocSignIn};

/// `POST /connect/token`.
pub(super) async fn token(State(emulator): State<Arc<Emulator>>, body: Bytes) -> Response {
    let settings = emulator.settings();
    let own = &settings.diadoc;
    let form: HashMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
    let given = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let invalid =
        |error: &str| json_answer(StatusCode::BAD_REQUEST, json!({"error": error}).to_string());
    if own.sign_in != DiadocSignIn::Oidc || given("grant_type") != "refresh_token" {
        return invalid("unsupported_grant_type");
    }
    if given("client_id") != own.client_id.expose_secret()
        || given("client_secret") != own.client_secret.expose_secret()
    {
        return invalid("invalid_client");
    }
    let (now, first) = (emulator.clock.now(), own.refresh_token.expose_secret());
    let rotated = emulator.diadoc.books().rotate(given("refresh_token"), first, now, own.token_s);
    let Some((access, refresh)) = rotated else { return invalid("invalid_grant") };
    let body = json!({
        "access_token": access, "expires_in": own.token_s, "token_type": "Bearer",
        "refresh_token": refresh, "scope": "openid profile email offline_access Diadoc.PublicAPI",
    });
    json_answer(StatusCode::OK, body.to_string())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    login: String,
    password: String,
}

/// `POST /V3/Authenticate?type=password`.
pub(super) async fn authenticate(
    State(emulator): State<Arc<Emulator>>,
    Query(query): Query<HashMap<String, String>>,
    request: Request,
) -> Response {
    let settings = emulator.settings();
    let own = &settings.diadoc;
    if query.get("type").map(String::as_str) != Some("password") {
        return breach(&emulator, "Authenticate: type must be given");
    }
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let wanted = format!("DiadocAuth ddauth_api_client_id={}", own.client_id.expose_secret());
    let is_known = header.is_some_and(|header| header == wanted);
    let Ok(body) = axum::body::to_bytes(request.into_body(), 64 * 1024).await else {
        return breach(&emulator, "Authenticate: no body");
    };
    let Ok(login) = serde_json::from_slice::<Login>(&body) else {
        return breach(&emulator, "Authenticate: login and password, and nothing else");
    };
    let fits = login.login == own.login && login.password == own.password.expose_secret();
    if own.sign_in != DiadocSignIn::Password || !is_known || !fits {
        return refused(401, "Http.Unauthorized", "wrong login, password or client id");
    }
    let token = emulator.diadoc.books().token(emulator.clock.now(), own.token_s);
    (StatusCode::OK, token).into_response()
}

/// Lets in who has a token in the form of the sign-in in force.
pub(super) async fn signed_in(
    State(emulator): State<Arc<Emulator>>,
    request: Request,
    next: Next,
) -> Response {
    let settings = emulator.settings();
    let own = &settings.diadoc;
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let header = header.unwrap_or_default();
    let before = format!("DiadocAuth ddauth_api_client_id={}", own.client_id.expose_secret());
    let token = match own.sign_in {
        DiadocSignIn::Oidc => header.strip_prefix("Bearer "),
        DiadocSignIn::Password => header
            .strip_prefix(&before)
            .and_then(|rest| rest.trim_start_matches([',', ' ']).strip_prefix("ddauth_token=")),
    };
    let now = emulator.clock.now();
    let known = token.is_some_and(|token| {
        emulator.diadoc.books().tokens.get(token).is_some_and(|ends| *ends > now)
    });
    if known {
        return next.run(request).await;
    }
    refused(401, "Http.Unauthorized", "no such token")
}
