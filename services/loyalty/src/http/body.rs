//! A request's body within its bounds.

use axum::body::Body;
use futures_util::StreamExt as _;

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
