//! A withdrawal undone: `LK_RECEIPT_CANCEL`. Only the participant's own, accepted and latest for its codes.

use serde::Serialize;

use super::{Refusal, inn, json};
use crate::gismt::DocId;

#[derive(Serialize)]
struct Cancel<'a> {
    inn: &'a str,
    lk_receipt_id: &'a str,
}

/// The bytes of the document that undoes the withdrawal `of`.
///
/// # Errors
/// [`Refusal::Inn`].
pub fn cancel(participant: &str, of: &DocId) -> Result<Vec<u8>, Refusal> {
    json(&Cancel { inn: inn(participant)?, lk_receipt_id: of.as_str() })
}
