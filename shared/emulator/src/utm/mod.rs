//! UTM, the transport module of EGAIS (protocol as its clients use it, 2.0.5 to 4.x), and as much of EGAIS as answers
//! through it, under `/utm/<FSRAR_ID>`: as many modules as there are ids.
//!
//! Real where the sources say so: multipart with `xml_file`, receipts in `<A>`, two tickets for an act (here: after so
//! many looks at the inbox), lists that name another host, documents that stay until they are deleted, 403 with an
//! expired key. A document is held against the official schemas where the settings name them.

mod answers;
pub mod books;
mod brief;
mod control;
mod judge;
mod schema;
mod send;
mod show;
mod xml;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    middleware::from_fn_with_state,
    routing::{get, post},
};
use time::{OffsetDateTime, UtcOffset, macros::format_description};

pub use self::books::{Books, Effect, Rest, Sent, Summary, Waybill, WaybillLine};
pub(crate) use self::{answers::refused, control::router as control};
use crate::{
    Emulator,
    faults::{self, System},
};

/// All modules by the FSRAR_ID of their keys.
#[derive(Debug, Default)]
pub struct Utm {
    books: Mutex<BTreeMap<String, Books>>,
}

impl Utm {
    /// The books by FSRAR_ID, locked: drop the guard before the next request.
    pub fn books(&self) -> MutexGuard<'_, BTreeMap<String, Books>> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn reset(&self) {
        self.books().clear();
    }
}

pub(crate) fn router(emulator: &Arc<Emulator>) -> Router<Arc<Emulator>> {
    let state = || Arc::clone(emulator);
    Router::new()
        .route("/{utm}/opt/in/{kind}", post(send::post))
        .route("/{utm}/opt/in/TTNInformF2Reg", post(brief::post))
        .route("/{utm}/opt/out/TTNInformF2Reg/{reply}", get(brief::reply).delete(brief::delete))
        .route("/{utm}/xml", post(show::cheque))
        .route("/{utm}/opt/in", get(show::outbox))
        .route("/{utm}/opt/in/{kind}/{number}", get(show::posted))
        .route("/{utm}/opt/out", get(show::inbox))
        .route(
            "/{utm}/opt/out/{kind}/{number}",
            get(show::incoming).delete(show::delete).post(show::read_and_delete),
        )
        .route("/{utm}/diagnosis", get(show::diagnosis))
        .route("/{utm}/info/version", get(show::version))
        .route("/{utm}/home", get(show::home))
        .route("/{utm}/api/info/list", get(show::info))
        .layer(from_fn_with_state((state(), System::Utm), faults::strike))
}

/// A moment as EGAIS writes it: Moscow's, without a zone.
fn moment(at: OffsetDateTime) -> String {
    let moscow = at.to_offset(UtcOffset::from_hms(3, 0, 0).unwrap_or(UtcOffset::UTC));
    let format =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]");
    moscow.format(format).unwrap_or_default()
}

/// A random UUID.
fn uuid() -> String {
    let text = format!("{:032x}", rand::random::<u128>());
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    format!("{}-{}-4{}-a{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}
