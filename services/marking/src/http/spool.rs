//! A file on its way in: to disk, piece by piece, with its digest.

use std::fs::File;

use axum::body::Bytes;
use futures_util::{Stream, StreamExt as _};
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt as _;

/// A whole file.
pub(super) struct Spooled {
    pub(super) file: File,
    pub(super) digest: [u8; 32],
}

/// Why there is none.
#[derive(Debug)]
pub(super) enum Unread {
    TooLarge,
    Broken,
    Disk(std::io::Error),
}

/// Writes what comes to a file without a name.
pub(super) async fn spool<E>(
    mut pieces: impl Stream<Item = Result<Bytes, E>> + Unpin,
    limit: usize,
) -> Result<Spooled, Unread> {
    let mut file = tokio::fs::File::from_std(tempfile::tempfile().map_err(Unread::Disk)?);
    let (mut digest, mut length) = (Sha256::new(), 0_usize);
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| Unread::Broken)?;
        length = length.saturating_add(piece.len());
        if length > limit {
            return Err(Unread::TooLarge);
        }
        digest.update(&piece);
        file.write_all(&piece).await.map_err(Unread::Disk)?;
    }
    file.flush().await.map_err(Unread::Disk)?;
    Ok(Spooled { file: file.into_std().await, digest: digest.finalize().into() })
}
