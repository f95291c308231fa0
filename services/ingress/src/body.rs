//! A request's body within its bounds.

use axum::body::{Body, Bytes};
use bytes::BytesMut;
use futures_util::StreamExt;

/// How much of a body that is too large is read and thrown away, so that its sender gets to hear
/// the answer: one that is still sending sees only a broken connection.
const DRAIN: usize = 32 * 1024 * 1024;

/// Why there is no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unread {
    /// It is larger than the limit.
    TooLarge,
    /// The connection broke, or the body is not what the headers say.
    Broken,
}

/// Reads a body of at most `limit` bytes; one that came in one piece is not copied.
pub(crate) async fn read(body: Body, limit: usize) -> Result<Bytes, Unread> {
    let mut pieces = body.into_data_stream();
    let mut whole = Bytes::new();
    let mut more = BytesMut::new();
    let mut length = 0_usize;
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| Unread::Broken)?;
        length = length.saturating_add(piece.len());
        if length > DRAIN {
            break;
        }
        if length > limit {
            (whole, more) = (Bytes::new(), BytesMut::new());
        } else if whole.is_empty() && more.is_empty() {
            whole = piece;
        } else {
            if more.is_empty() {
                more.extend_from_slice(&std::mem::take(&mut whole));
            }
            more.extend_from_slice(&piece);
        }
    }
    match length > limit {
        true => Err(Unread::TooLarge),
        false if more.is_empty() => Ok(whole),
        false => Ok(more.freeze()),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    async fn read_pieces(pieces: &[&'static str], limit: usize) -> Result<Bytes, Unread> {
        let pieces = pieces.iter().map(|piece| Ok::<_, std::io::Error>(Bytes::from(*piece)));
        read(Body::from_stream(stream::iter(pieces.collect::<Vec<_>>())), limit).await
    }

    #[tokio::test]
    async fn pieces_make_one_body_up_to_the_limit() {
        assert_eq!(read_pieces(&[], 4).await.unwrap(), "");
        assert_eq!(read_pieces(&["abcd"], 4).await.unwrap(), "abcd");
        assert_eq!(read_pieces(&["", "a", "", "bc", "d"], 4).await.unwrap(), "abcd");
        assert_eq!(read_pieces(&["abcde"], 4).await, Err(Unread::TooLarge));
        assert_eq!(read_pieces(&["abc", "de", "f"], 4).await, Err(Unread::TooLarge));
    }

    #[tokio::test]
    async fn a_broken_body_is_none() {
        let pieces = [Ok(Bytes::from("a")), Err(std::io::Error::other("gone"))];
        let body = Body::from_stream(stream::iter(pieces));
        assert_eq!(read(body, 4).await, Err(Unread::Broken));
    }

    #[tokio::test]
    async fn an_endless_body_is_left_alone_in_the_end() {
        let piece = Bytes::from(vec![b'a'; 1024 * 1024]);
        let body = Body::from_stream(stream::repeat(piece).map(Ok::<_, std::io::Error>));
        assert_eq!(read(body, 4).await, Err(Unread::TooLarge));
    }
}
