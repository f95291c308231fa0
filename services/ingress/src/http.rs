//! The two doors: `POST /webhooks/bitrix24` and `POST /webhooks/site`.
//!
//! A 202 means that the webhook is durable. Whoever may not call is told no more than that.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use bitrix::{
    order::{self, Glance, OrderError},
    signature::{self, SignatureError, Signed},
    webhook::{self, Call, Concern, FormError},
};
use events::{Channel, Event, Fact, OrderRef, ShopId, Webhook};
use serde_json::json;
use time::OffsetDateTime;
use tower_http::timeout::TimeoutLayer;
use uuid::Uuid;

use crate::{
    Ingress,
    body::{self, Unread},
    keeper::Kept,
};

/// The header by which a site may say which shop it is; without it, every site's key is tried.
pub const SHOP_HEADER: &str = "x-parom-shop";
/// How long a caller may take to send its request, and we to answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// When to come again, in seconds.
const RETRY_AFTER: &str = "5";
/// The namespace of the ids of calls.
const CALLS: Uuid = Uuid::from_u128(0x6a0f_2f0e_58f1_4f5a_9d6e_2f31_77a1_c0de);

/// The service's routes.
pub(crate) fn routes(ingress: Arc<Ingress>) -> Router {
    Router::new()
        .route("/webhooks/bitrix24", post(bitrix24))
        .route("/webhooks/site", post(site))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, PATIENCE))
        .with_state(ingress)
}

/// The id of a call that has a name of its own.
pub(crate) fn call_id(name: &str) -> Uuid {
    Uuid::new_v5(&CALLS, name.as_bytes())
}

/// A webhook that was understood.
enum Taken {
    /// It is kept, or is to come again.
    Kept(Kept, Uuid),
    /// Nothing follows from it; the event's name.
    Ignored(String),
}

/// A webhook that is not taken.
enum Refusal {
    /// Not understood; the reason holds nothing of the call.
    Broken(String),
    /// Longer than allowed.
    TooLarge,
    /// Not one of ours, or too old: the caller is not told which.
    Stranger(&'static str),
}

async fn bitrix24(State(ingress): State<Arc<Ingress>>, body: Body) -> Response {
    let Ok(_place) = ingress.places.try_acquire() else { return ingress.crowded("bitrix24") };
    let outcome = ingress.called_by_portal(body).await;
    ingress.answer("bitrix24", outcome)
}

async fn site(State(ingress): State<Arc<Ingress>>, headers: HeaderMap, body: Body) -> Response {
    let Ok(_place) = ingress.places.try_acquire() else { return ingress.crowded("site") };
    let outcome = ingress.called_by_site(&headers, body).await;
    ingress.answer("site", outcome)
}

impl Ingress {
    async fn called_by_portal(&self, body: Body) -> Result<Taken, Refusal> {
        let call = Call::parse(&body::read(body, webhook::MAX_BODY).await?)?;
        let shop = self.door.portal(&call).ok_or(Refusal::Stranger("token"))?;
        let order = match call.concern {
            Concern::Nothing => return Ok(Taken::Ignored(call.event)),
            Concern::Order(id) | Concern::OrderDeleted(id) => {
                Some(OrderRef { shop: shop.clone(), id, number: id.to_string(), site: false })
            }
            Concern::Payment(_) | Concern::Shipment(_) => None,
        };
        let webhook = Webhook {
            call: Uuid::now_v7(),
            shop: shop.clone(),
            channel: Channel::Bitrix24,
            name: call.event,
            entity: call.concern.entity(),
            order,
            body: None,
        };
        Ok(self.take(webhook).await)
    }

    async fn called_by_site(&self, headers: &HeaderMap, body: Body) -> Result<Taken, Refusal> {
        let body = body::read(body, order::MAX_TEXT).await?;
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let signed = Signed {
            id: header(signature::ID_HEADER).unwrap_or_default(),
            timestamp: header(signature::TIMESTAMP_HEADER).unwrap_or_default(),
            signatures: header(signature::SIGNATURE_HEADER).unwrap_or_default(),
        };
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let shop = self.door.site(header(SHOP_HEADER), signed, &body, now)?;
        let text = String::from_utf8(body.into())
            .map_err(|_| Refusal::Broken("the snapshot is not UTF-8".to_owned()))?;
        let glance = order::glance(&text)?;
        Ok(self.take(snapshot(shop, signed.id, glance, text)).await)
    }

    async fn take(&self, webhook: Webhook) -> Taken {
        let event = Event::new(Fact::WebhookReceived(webhook), OffsetDateTime::now_utc());
        Taken::Kept(self.keeper.keep(&event).await, event.id())
    }

    /// Too many calls at once: what is taken must fit into memory.
    fn crowded(&self, channel: &'static str) -> Response {
        self.gauges.call(channel, "crowded");
        come_again()
    }

    fn answer(&self, channel: &'static str, outcome: Result<Taken, Refusal>) -> Response {
        let (word, response) = match outcome {
            Ok(Taken::Kept(Kept::Told, id)) => ("told", accepted(id)),
            Ok(Taken::Kept(Kept::Spooled, id)) => ("spooled", accepted(id)),
            Ok(Taken::Kept(Kept::Nowhere, _)) => ("unavailable", come_again()),
            Ok(Taken::Ignored(event)) => ("ignored", say(StatusCode::ACCEPTED, "ignored", &event)),
            Err(refusal) => refusal.answer(channel),
        };
        self.gauges.call(channel, word);
        response
    }
}

impl Refusal {
    fn answer(self, channel: &'static str) -> (&'static str, Response) {
        let (word, status, why, said) = match &self {
            Self::Broken(why) => ("broken", StatusCode::BAD_REQUEST, why.as_str(), why.as_str()),
            Self::TooLarge => {
                ("too_large", StatusCode::PAYLOAD_TOO_LARGE, "size", "the body is too large")
            }
            Self::Stranger(why) => {
                ("stranger", StatusCode::UNAUTHORIZED, *why, "not from one of the shops")
            }
        };
        tracing::info!(channel, word, why, "a webhook is not taken");
        (word, say(status, "error", said))
    }
}

impl From<Unread> for Refusal {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::TooLarge => Self::TooLarge,
            Unread::Broken => Self::Broken("the body cannot be read".to_owned()),
        }
    }
}

impl From<FormError> for Refusal {
    fn from(error: FormError) -> Self {
        Self::Broken(error.to_string())
    }
}

impl From<OrderError> for Refusal {
    fn from(error: OrderError) -> Self {
        Self::Broken(error.text().en)
    }
}

impl From<SignatureError> for Refusal {
    fn from(error: SignatureError) -> Self {
        Self::Stranger(if error == SignatureError::Stale { "stale" } else { "signature" })
    }
}

fn snapshot(shop: &ShopId, id: &str, glance: Glance, text: String) -> Webhook {
    let Glance { id: order, number } = glance;
    Webhook {
        call: call_id(&format!("{shop} {id}")),
        shop: shop.clone(),
        channel: Channel::Site,
        name: String::new(),
        entity: None,
        order: Some(OrderRef { shop: shop.clone(), id: order, number, site: true }),
        body: Some(text),
    }
}

fn accepted(id: Uuid) -> Response {
    say(StatusCode::ACCEPTED, "accepted", &id.to_string())
}

fn come_again() -> Response {
    let said = say(StatusCode::SERVICE_UNAVAILABLE, "error", "come again later");
    ([(header::RETRY_AFTER, RETRY_AFTER)], said).into_response()
}

fn say(status: StatusCode, name: &str, value: &str) -> Response {
    let body = json!({ name: value }).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
