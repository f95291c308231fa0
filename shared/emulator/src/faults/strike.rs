//! What a fault does to a request: a layer around each system.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    http::{
        StatusCode,
        header::{CONTENT_TYPE, RETRY_AFTER},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use thiserror::Error;

use super::{Moment, Strike, System, order::Limit};
use crate::{Emulator, atol, bitrix, cloudkassir, cloudkassir_v1, diadoc, gismt, orangedata, utm};

/// How a connection ends instead of an answer. A response with this extension is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Cut {
    /// Closed in the usual way.
    #[error("the connection is closed on command")]
    Close,
    /// Reset: `SO_LINGER` 0, so that the peer gets RST.
    #[error("the connection is reset on command")]
    Reset,
}

/// The largest body that is read and thrown away.
const BODY_MAX: usize = 48 * 1024 * 1024;

pub(crate) async fn strike(
    State((emulator, system)): State<(Arc<Emulator>, System)>,
    request: Request,
    next: Next,
) -> Response {
    let method = system.method(request.uri().path());
    match emulator.faults.draw(system, method, Moment::Read) {
        None => next.run(request).await,
        Some(strike) => {
            let method = method.to_owned();
            struck(&emulator, system, &method, strike, request, next).await
        }
    }
}

/// Reads the request, lets it take effect or not, and then answers as the strike says.
async fn struck(
    emulator: &Emulator,
    system: System,
    method: &str,
    strike: Strike,
    mut request: Request,
    next: Next,
) -> Response {
    let response = if strike.applies() {
        request.extensions_mut().insert(strike.drawn());
        next.run(request).await
    } else {
        read_away(request).await;
        Response::default()
    };
    match strike {
        Strike::Duplicate | Strike::Lose | Strike::FailsLater | Strike::Expires => response,
        Strike::Slow(pause) => {
            wait(pause).await;
            response
        }
        Strike::Hang | Strike::HangBefore => {
            wait(Duration::from_secs(emulator.settings().hang_s)).await;
            cut(Cut::Close)
        }
        Strike::Refuse => cut(Cut::Close),
        Strike::Reset { .. } => cut(Cut::Reset),
        Strike::Garbage { .. } => garbage(),
        Strike::Status { code, retry_after, body, .. } => status(code, retry_after, body),
        Strike::Refusal { code } => refusal(system, code),
        Strike::Limit(limit) => limited(emulator, method, limit),
    }
}

async fn read_away(request: Request) {
    if axum::body::to_bytes(request.into_body(), BODY_MAX).await.is_err() {
        tracing::debug!("the body of a struck request could not be read to its end");
    }
}

async fn wait(pause: Duration) {
    #[expect(clippy::disallowed_methods, reason = "a vendor that keeps its client waiting")]
    tokio::time::sleep(pause).await;
}

fn cut(cut: Cut) -> Response {
    let mut response = Response::default();
    response.extensions_mut().insert(cut);
    response
}

fn garbage() -> Response {
    let page = "<html><body><h1>502 Bad Gateway</h1></body>";
    ([(CONTENT_TYPE, "text/html")], page).into_response()
}

fn status(code: StatusCode, retry_after: Option<String>, body: String) -> Response {
    let mut response = (code, [(CONTENT_TYPE, "application/json")], body).into_response();
    if let Some(value) = retry_after.and_then(|value| value.parse().ok()) {
        response.headers_mut().insert(RETRY_AFTER, value);
    }
    response
}

fn refusal(system: System, code: i64) -> Response {
    match system {
        System::Bitrix => bitrix::refused(code),
        System::CloudKassir | System::Site | System::OneC => {
            cloudkassir::refused(code, "refused on command")
        }
        System::Atol => atol::refused(StatusCode::BAD_REQUEST, code, "refused on command"),
        System::OrangeData => orangedata::refused("refused on command"),
        System::CloudKassirV1 => cloudkassir_v1::refused("refused on command"),
        System::Utm => utm::refused("отказано по команде"),
        System::Gismt => gismt::refused(u16::try_from(code).unwrap_or(400), "refused on command"),
        System::Diadoc => diadoc::refused(
            u16::try_from(code).unwrap_or(400),
            "DiadocApi.Conflict",
            "refused on command",
        ),
    }
}

fn limited(emulator: &Emulator, method: &str, limit: Limit) -> Response {
    match limit {
        Limit::Query => bitrix::over_the_limit(),
        Limit::Operation { reset_in_s } => bitrix::block(emulator, method, reset_in_s),
    }
}
