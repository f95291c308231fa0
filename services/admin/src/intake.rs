//! Dead letters from the broker into PostgreSQL: kept for good before they are acknowledged.

use std::sync::Arc;

use runtime::Letter;

use crate::{letter, store::Store};

/// Keeps letters; `false` when PostgreSQL did not: they stay with the broker.
pub(crate) async fn keep(store: &Store, letters: Arc<[Letter]>) -> bool {
    let mut kept: Vec<_> = letters.iter().map(letter::read).collect();
    // One order of locking for all replicas.
    kept.sort_by_key(|letter| (letter.group.id, letter.id));
    match store.keep(&kept).await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(%error, letters = kept.len(), "dead letters are not kept yet");
            false
        }
    }
}
