//! What a save has to say on the bus: kept in the row until the broker has confirmed it.

use events::Event;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::worker::Reason;

/// One thing to be said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Word {
    /// An event for everyone who listens.
    Tell { id: Uuid, topic: String, event: String },
    /// The job's own message, as a dead letter.
    Bury {
        reason: Reason,
        attempts: u32,
        first_error: Option<String>,
        #[serde(default)]
        death: Option<Uuid>,
    },
}

impl Word {
    /// `event`, to be told.
    pub(crate) fn tell(event: &Event) -> Result<Self, serde_json::Error> {
        Ok(Self::Tell { id: event.id(), topic: event.topic(), event: event.to_json()? })
    }
}
