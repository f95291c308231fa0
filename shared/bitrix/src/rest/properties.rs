//! Which order properties a portal has: read once, and again when one is missing.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde::Deserialize;
use serde_json::json;

use super::{Portal, answer::Id, error::RestError};

/// How long the list is believed.
const FRESH: Duration = Duration::from_secs(600);

/// How long it is believed about a property that it does not have: the shop is perhaps just
/// adding it.
const FRESH_ABSENCE: Duration = Duration::from_secs(30);

/// Ids by code.
pub(super) type Ids = Arc<BTreeMap<String, u64>>;

/// The lists read so far, by person type.
#[derive(Debug, Clone, Default)]
pub(super) struct Properties(Arc<Mutex<HashMap<u64, (Instant, Ids)>>>);

#[derive(Deserialize)]
struct Page {
    properties: Vec<Property>,
}

#[derive(Deserialize)]
struct Property {
    id: Id,
    code: Option<String>,
    active: Option<String>,
}

impl Properties {
    fn known(&self, person_type: u64, wanted: &[&str]) -> Option<Ids> {
        let lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (read, ids) = lists.get(&person_type)?;
        let complete = wanted.iter().all(|code| ids.contains_key(*code));
        let limit = if complete { FRESH } else { FRESH_ABSENCE };
        (read.elapsed() < limit).then(|| Arc::clone(ids))
    }

    fn keep(&self, person_type: u64, ids: &Ids) {
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lists.insert(person_type, (Instant::now(), Arc::clone(ids)));
    }
}

impl Portal {
    /// Ids of the order properties of a person type, by code (`sale.property.list`). The list is
    /// kept for ten minutes, and read again when one of `wanted` is not in it.
    ///
    /// # Errors
    /// [`RestError`] of the call.
    pub async fn properties(&self, person_type: u64, wanted: &[&str]) -> Result<Ids, RestError> {
        if let Some(ids) = self.properties.known(person_type, wanted) {
            return Ok(ids);
        }
        let mut ids = BTreeMap::new();
        let mut start = Some(0);
        while let Some(from) = start {
            start = self.property_page(person_type, from, &mut ids).await?;
        }
        let ids = Arc::new(ids);
        self.properties.keep(person_type, &ids);
        Ok(ids)
    }

    async fn property_page(
        &self,
        person_type: u64,
        start: u64,
        ids: &mut BTreeMap<String, u64>,
    ) -> Result<Option<u64>, RestError> {
        let method = "sale.property.list";
        let params = json!({
            "select": ["id", "code", "active"],
            "filter": {"personTypeId": person_type},
            "order": {"id": "asc"},
            "start": start,
        });
        let reply = self.call(method, params).await?;
        let page: Page = reply.read().map_err(|kind| RestError { method, kind })?;
        let active = page.properties.into_iter().filter(|p| p.active.as_deref() != Some("N"));
        let coded = active.filter_map(|p| Some((p.code?, p.id.0)));
        ids.extend(coded.filter(|(code, _)| !code.is_empty()));
        // A page that does not lead on would be read for ever.
        Ok(reply.next.filter(|next| *next > start))
    }
}
