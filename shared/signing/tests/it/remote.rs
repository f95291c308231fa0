//! A remote signer over HTTP: the contract of the README, and what its failures mean.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};
use signing::{
    Form, SignError, Signer, SignerArgs,
    testing::{Pair, Subject, args},
};

use crate::scene::{BYTES, signer, verifier};

/// A server that signs with the GOST engine, or answers what it is told to.
#[derive(Clone)]
struct Server {
    signer: Signer,
    says: Arc<Mutex<Option<(u16, String)>>>,
}

async fn sign(
    State(server): State<Server>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let says = server.says.lock().unwrap().clone();
    if let Some((0, _)) = says {
        std::future::pending::<()>().await;
    }
    if let Some((status, body)) = says {
        return (StatusCode::from_u16(status).unwrap(), body).into_response();
    }
    if headers["authorization"] != "Bearer secret" {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    assert_eq!(body.as_object().unwrap().len(), 2, "nothing but the contract");
    let content = decode(body["content"].as_str().unwrap());
    let form = if body["detached"].as_bool().unwrap() { Form::Detached } else { Form::Attached };
    let signature = server.signer.sign(&content, form).await.unwrap();
    Json(json!({"signature": encode(&signature)})).into_response()
}

fn encode(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_STANDARD.encode(bytes)
}

fn decode(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::prelude::BASE64_STANDARD.decode(text).unwrap()
}

async fn serve() -> (SocketAddr, Server, Pair) {
    let pair = Pair::make(&Subject::of("7708806062"));
    let server = Server { signer: signer(&pair.args()), says: Arc::default() };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/sign", post(sign)).with_state(server.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, server, pair)
}

fn settings(address: SocketAddr, token: &str) -> SignerArgs {
    args(&[
        "--signer-kind=remote".to_owned(),
        format!("--signer-remote-url=http://{address}/sign"),
        format!("--signer-remote-token={token}"),
        "--signer-timeout=2s".to_owned(),
    ])
}

#[tokio::test]
async fn it_signs_in_both_forms_over_http() {
    let (address, _server, _pair) = serve().await;
    let remote = signer(&settings(address, "secret"));
    let detached = remote.sign(BYTES, Form::Detached).await.unwrap();
    assert!(verifier().verify(&detached, Some(BYTES)).await.is_ok());
    let attached = remote.sign(BYTES, Form::Attached).await.unwrap();
    assert_eq!(verifier().verify(&attached, None).await.unwrap().content, BYTES);
    assert_eq!(remote.certificate().unwrap().inn.as_deref(), Some("7708806062"));
}

#[tokio::test]
async fn what_it_answers_has_a_meaning() {
    let (address, server, _pair) = serve().await;
    let remote = signer(&settings(address, "secret"));
    let wrong = signer(&settings(address, "wrong")).sign(BYTES, Form::Detached).await;
    assert_eq!(wrong, Err(SignError::Unauthorized));
    let foreign = server.signer.sign(b"something else", Form::Attached).await.unwrap();
    let foreign = json!({"signature": encode(&foreign)}).to_string();
    for (status, body, meaning) in [
        (403, "", SignError::Unauthorized),
        (422, "", SignError::Refused(422)),
        (429, "", SignError::Busy),
        (200, "{}", SignError::Malformed("no signature in the answer")),
        (200, r#"{"signature":"MAMCAQU="}"#, SignError::Malformed("no CMS in DER")),
        (200, &foreign, SignError::Malformed("something else is attached")),
        (0, "", SignError::Away("a time-out".to_owned())),
        (500, "", SignError::Away("status 500 Internal Server Error".to_owned())),
    ] {
        *server.says.lock().unwrap() = Some((status, body.to_owned()));
        let failed = remote.sign(BYTES, Form::Attached).await.unwrap_err();
        match (&failed, &meaning) {
            (SignError::Away(_), SignError::Away(_)) => {}
            _ => assert_eq!(failed, meaning, "{status} {body}"),
        }
    }
    let nobody = SocketAddr::from(([127, 0, 0, 1], 9));
    let away = signer(&settings(nobody, "secret")).sign(BYTES, Form::Detached).await;
    assert!(matches!(away, Err(SignError::Away(_))), "{away:?}");
    assert_eq!(Duration::from_secs(2), settings(nobody, "x").signer_timeout);
}

/// A signature by a key whose certificate may have ended.
fn signed_with(pair: &Pair) -> Vec<u8> {
    let content = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(content.path(), BYTES).unwrap();
    let mut openssl = std::process::Command::new("openssl");
    openssl.args(["cms", "-sign", "-engine", "gost", "-binary", "-cades", "-md", "md_gost12_256"]);
    openssl.args(["-outform", "DER", "-in"]).arg(content.path());
    openssl.arg("-signer").arg(pair.certificate()).arg("-inkey").arg(pair.key());
    let done = openssl.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}

#[tokio::test]
async fn a_certificate_that_has_ended_is_refused_until_the_signer_has_another() {
    let (address, server, _pair) = serve().await;
    let ended = Pair::make(&Subject { days: -1, ..Subject::of("7708806062") });
    let old = json!({"signature": encode(&signed_with(&ended))}).to_string();
    *server.says.lock().unwrap() = Some((200, old));
    let remote = signer(&settings(address, "secret"));
    for _ in 0..2 {
        let refused = remote.sign(BYTES, Form::Detached).await;
        assert!(matches!(refused, Err(SignError::Expired(_))), "{refused:?}");
    }
    *server.says.lock().unwrap() = None;
    assert!(remote.sign(BYTES, Form::Detached).await.is_ok(), "without a restart");
}
