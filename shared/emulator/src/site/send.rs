//! `POST /_site/send`: the module sends a snapshot of an order to ingress, signed over its exact bytes.

use std::sync::Arc;

use axum::{body::Bytes, extract::State, http::StatusCode, response::Response};
use futures_util::future::join_all;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use time::OffsetDateTime;

use crate::{
    Emulator,
    answer::{control_error, json_answer},
    outgoing::Post,
    signature,
};

/// The command; everything after `times` is for sending what ingress should refuse.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Send {
    /// Address of ingress: `http://…/webhooks/site`.
    ingress: String,
    /// Sent as it is written here, byte for byte.
    snapshot: Box<RawValue>,
    /// How often, at the same time; 1 without it.
    #[serde(default = "once")]
    times: u32,
    /// `webhook-id`; without it the snapshot's `id`.
    webhook_id: Option<String>,
    /// `webhook-timestamp` in Unix seconds; now without it.
    timestamp: Option<i64>,
    /// Another secret than the site's first one.
    secret: Option<SecretString>,
}

fn once() -> u32 {
    1
}

pub(super) async fn send(State(emulator): State<Arc<Emulator>>, body: Bytes) -> Response {
    let send: Send = match serde_json::from_slice(&body) {
        Ok(send) => send,
        Err(error) => return control_error(StatusCode::BAD_REQUEST, error.to_string()),
    };
    let post = match signed(&emulator, &send) {
        Ok(post) => post,
        Err(why) => return control_error(StatusCode::BAD_REQUEST, why),
    };
    let posts = (0..send.times).map(|_| emulator.outgoing.post(post.clone()));
    let deliveries = join_all(posts).await;
    let mut books = emulator.site.books();
    for delivery in &deliveries {
        books.snapshots.add(delivery, delivery.accepted());
    }
    drop(books);
    json_answer(StatusCode::OK, json!({"deliveries": deliveries}).to_string())
}

fn signed(emulator: &Emulator, send: &Send) -> Result<Post, &'static str> {
    let body = Bytes::from(send.snapshot.get().to_owned());
    let settings = emulator.settings();
    let secret = send.secret.as_ref().or(settings.site.secrets.first());
    let secret = secret.ok_or("the site has no secret")?;
    let own_id = || {
        let snapshot: Value = serde_json::from_slice(&body).ok()?;
        snapshot.get("id")?.as_str().map(str::to_owned)
    };
    let id = send.webhook_id.clone().or_else(own_id);
    let id = id.ok_or("neither webhook_id nor the snapshot's id is given")?;
    let timestamp = send.timestamp.unwrap_or_else(|| OffsetDateTime::now_utc().unix_timestamp());
    let timestamp = timestamp.to_string();
    let signature = signature::standard_webhook(secret, &id, &timestamp, &body);
    let signature = signature.ok_or("the secret is not whsec_ with base64")?;
    Ok(Post {
        url: send.ingress.clone(),
        content_type: "application/json",
        agent: "Parom module (1C-Bitrix)",
        headers: vec![
            ("webhook-id", id),
            ("webhook-timestamp", timestamp),
            ("webhook-signature", signature),
        ],
        body,
    })
}
