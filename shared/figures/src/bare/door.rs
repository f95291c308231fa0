//! An HTTP server that puts each body into a quorum queue, waits for the confirm and answers 202.

use std::sync::Arc;

use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties,
    options::{BasicPublishOptions, ConfirmSelectOptions},
};
use tokio::net::TcpListener;
use uuid::Uuid;

use super::setting;
use crate::{Fallible, door::PATH};

struct Door {
    channel: Channel,
    queue: String,
    /// What Parom's envelope adds to a body: messages are as long here as there.
    padding: Vec<u8>,
}

/// Serves until the process is killed.
pub(crate) async fn serve() -> Fallible<()> {
    let url = setting("AMQP_URL")?;
    let connection = Connection::connect(&url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let padding = vec![b' '; setting("PADDING")?.parse()?];
    let door = Arc::new(Door { channel, queue: setting("QUEUE")?, padding });
    let router = Router::new().route(PATH, post(take)).with_state(door);
    let listener = TcpListener::bind(setting("HTTP_LISTEN")?).await?;
    Ok(axum::serve(listener, router).await?)
}

async fn take(State(door): State<Arc<Door>>, body: Bytes) -> (StatusCode, String) {
    let id = Uuid::new_v4().to_string();
    match keep(&door, &id, &body).await {
        Ok(true) => (StatusCode::ACCEPTED, format!("{{\"accepted\":\"{id}\"}}")),
        Ok(false) | Err(_) => (StatusCode::SERVICE_UNAVAILABLE, String::new()),
    }
}

async fn keep(door: &Door, id: &str, body: &[u8]) -> lapin::Result<bool> {
    let message = [body, &door.padding].concat();
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let properties = BasicProperties::default()
        .with_delivery_mode(2)
        .with_content_type("application/json".into())
        .with_message_id(id.into());
    let queue = door.queue.as_str().into();
    let sent = door.channel.basic_publish("".into(), queue, options, &message, properties).await?;
    let confirmation = sent.await?;
    Ok(confirmation.is_ack() && confirmation.take_message().is_none())
}
