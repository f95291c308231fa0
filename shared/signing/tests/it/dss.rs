//! `CryptoPro` DSS over HTTP: a token by login, kept while it holds, and a signature for it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Form as Fields, Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use signing::{
    Form, SignError, Signer,
    testing::{Pair, Subject, args},
};

use crate::scene::{BYTES, signer, verifier};

/// DSS as its documentation has it: only the last token holds.
#[derive(Clone)]
struct Server {
    signer: Signer,
    tokens: Arc<Mutex<u32>>,
    /// The next answer to a signing.
    says: Arc<Mutex<Option<StatusCode>>>,
    wrapped: bool,
}

async fn token(
    State(server): State<Server>,
    Fields(form): Fields<HashMap<String, String>>,
) -> Response {
    let given = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let fits = given("grant_type") == "password"
        && given("resource") == "urn:cryptopro:dss:frontend:signserver"
        && given("client_id") == "parom"
        && given("username") == "seller"
        && given("password") == "secret";
    if !fits {
        return (StatusCode::BAD_REQUEST, r#"{"error":"invalid_grant"}"#).into_response();
    }
    let mut tokens = server.tokens.lock().unwrap();
    *tokens += 1;
    Json(json!({"access_token": format!("token-{tokens}"), "expires_in": 300})).into_response()
}

async fn sign(
    State(server): State<Server>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let wanted = format!("Bearer token-{}", server.tokens.lock().unwrap());
    if headers["authorization"] != wanted.as_str() {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if let Some(status) = server.says.lock().unwrap().take() {
        return status.into_response();
    }
    let asked = &body["Signature"];
    assert_eq!((&asked["Type"], &asked["CertificateId"]), (&"CAdES".into(), &7.into()));
    assert_eq!(
        (&asked["PinCode"], &asked["Parameters"]["CADESType"]),
        (&"1234".into(), &"BES".into())
    );
    let content = BASE64_STANDARD.decode(body["Content"].as_str().unwrap()).unwrap();
    let is_detached = asked["Parameters"]["IsDetached"] == "True";
    let form = if is_detached { Form::Detached } else { Form::Attached };
    let signature = BASE64_STANDARD.encode(server.signer.sign(&content, form).await.unwrap());
    let answer = if server.wrapped { json!({"Content": signature}) } else { json!(signature) };
    Json(answer).into_response()
}

async fn serve(wrapped: bool) -> (String, Server, Pair) {
    let pair = Pair::make(&Subject::of("7708806062"));
    let server = Server {
        signer: signer(&pair.args()),
        tokens: Arc::default(),
        says: Arc::default(),
        wrapped,
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new()
        .route("/STS/oauth/token", post(token))
        .route("/SignServer/rest/api/documents", post(sign))
        .with_state(server.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, server, pair)
}

fn dss(url: &str, password: &str) -> Signer {
    signer(&args(&[
        "--signer-kind=dss".to_owned(),
        format!("--signer-dss-url={url}"),
        "--signer-dss-login=seller".to_owned(),
        format!("--signer-dss-password={password}"),
        "--signer-dss-client=parom".to_owned(),
        "--signer-dss-certificate=7".to_owned(),
        "--signer-pin=1234".to_owned(),
        "--signer-timeout=2s".to_owned(),
    ]))
}

#[tokio::test]
async fn it_signs_in_both_forms_with_one_token() {
    for wrapped in [false, true] {
        let (url, server, _pair) = serve(wrapped).await;
        let dss = dss(&url, "secret");
        let detached = dss.sign(BYTES, Form::Detached).await.unwrap();
        assert!(verifier().verify(&detached, Some(BYTES)).await.is_ok());
        let attached = dss.sign(BYTES, Form::Attached).await.unwrap();
        assert_eq!(verifier().verify(&attached, None).await.unwrap().content, BYTES);
        assert_eq!(*server.tokens.lock().unwrap(), 1);
        // A token that ended before its time is replaced.
        *server.tokens.lock().unwrap() += 1;
        dss.sign(BYTES, Form::Detached).await.unwrap();
        assert_eq!(*server.tokens.lock().unwrap(), 3);
    }
}

#[tokio::test]
async fn what_it_answers_has_a_meaning() {
    let (url, server, _pair) = serve(false).await;
    let wrong = dss(&url, "wrong").sign(BYTES, Form::Detached).await;
    assert_eq!(wrong, Err(SignError::Unauthorized));
    let dss = dss(&url, "secret");
    for (status, meaning) in [
        (StatusCode::FORBIDDEN, SignError::Unauthorized),
        (StatusCode::UNPROCESSABLE_ENTITY, SignError::Refused(422)),
        (StatusCode::TOO_MANY_REQUESTS, SignError::Busy),
    ] {
        *server.says.lock().unwrap() = Some(status);
        assert_eq!(dss.sign(BYTES, Form::Detached).await, Err(meaning));
    }
    *server.says.lock().unwrap() = Some(StatusCode::BAD_GATEWAY);
    assert!(matches!(dss.sign(BYTES, Form::Detached).await, Err(SignError::Away(_))));
}
