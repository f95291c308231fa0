//! A request's body within its bounds.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{FromRequest, Request},
    http::StatusCode,
    response::Response,
};
use futures_util::StreamExt as _;
use serde::de::DeserializeOwned;

use super::{Api, answer};

/// The largest body but a batch's.
pub(super) const ONE_MAX: usize = 64 * 1024;

/// How much of a body that is too large is read and thrown away, so that its sender hears the
/// answer: one that is still sending sees only a broken connection.
const DRAIN: usize = 64 * 1024 * 1024;

/// Why there is no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    TooLarge,
    Broken,
}

/// Reads a body of at most `limit` bytes.
pub(super) async fn read(body: Body, limit: usize) -> Result<Vec<u8>, Unread> {
    let mut pieces = body.into_data_stream();
    let (mut whole, mut length) = (Vec::new(), 0_usize);
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| Unread::Broken)?;
        length = length.saturating_add(piece.len());
        if length > DRAIN {
            break;
        }
        if length <= limit {
            whole.extend_from_slice(&piece);
        }
    }
    if length > limit { Err(Unread::TooLarge) } else { Ok(whole) }
}

impl Unread {
    pub(super) fn answer(self, api: &Api) -> Response {
        match self {
            Self::TooLarge => {
                answer::error(api.language, StatusCode::PAYLOAD_TOO_LARGE, "body_too_large")
            }
            Self::Broken => answer::error(api.language, StatusCode::BAD_REQUEST, "invalid_json"),
        }
    }
}

/// A body of JSON, at most [`ONE_MAX`]; what is not is answered in our form.
pub(super) struct Read<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Arc<Api>> for Read<T> {
    type Rejection = Response;

    async fn from_request(request: Request, api: &Arc<Api>) -> Result<Self, Response> {
        let body = read(request.into_body(), ONE_MAX).await.map_err(|unread| unread.answer(api))?;
        serde_json::from_slice(&body).map(Self).map_err(|_| Unread::Broken.answer(api))
    }
}
