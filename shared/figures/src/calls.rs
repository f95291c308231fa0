//! A site's calls, signed before the clock runs: whoever sends them measures the other side.

use std::ops::Range;

use bitrix::signature::Key;
use bytes::Bytes;
use time::OffsetDateTime;

use crate::Fallible;

/// The secret of the site in `deploy/demo/bitrix.toml`.
const SECRET: &str = "whsec_cGFyb20gZW11bGF0b3Igc2l0ZSBzZWNyZXQgMDE=";

/// One call, ready to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Its name.
    pub id: String,
    /// When it was signed, in Unix seconds; good for five minutes.
    pub timestamp: String,
    /// The signature.
    pub signature: String,
    /// The snapshot.
    pub body: Bytes,
}

/// The paid orders of these numbers, as the site module tells them.
pub(crate) fn paid(orders: Range<u64>) -> Fallible<Vec<Call>> {
    let key = Key::parse(SECRET)?;
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let call = |order| {
        let id = format!("msg-{order}");
        let body = voyage::snapshot(order, 1).to_string();
        let signature = key.sign(&id, now, body.as_bytes());
        Call { id, timestamp: now.to_string(), signature, body: body.into() }
    };
    Ok(orders.map(call).collect())
}
