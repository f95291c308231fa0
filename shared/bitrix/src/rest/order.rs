//! The few fields of an order that a write-back looks at.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::{Value, value::RawValue};

use super::{answer::Id, error::RestErrorKind};

/// How an order stands, for whoever is about to write on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderHead {
    /// The status code.
    pub status: String,
    /// The person type, by which order properties exist or do not.
    pub person_type: u64,
    /// The responsible user, if there is one.
    pub responsible: Option<u64>,
    /// Order properties with a text value, by code.
    pub properties: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    status_id: String,
    person_type_id: Id,
    #[serde(default)]
    responsible_id: Option<Id>,
    #[serde(default)]
    property_values: Vec<Property>,
}

#[derive(Deserialize)]
struct Property {
    #[serde(default, deserialize_with = "text")]
    code: Option<String>,
    #[serde(default, deserialize_with = "text")]
    value: Option<String>,
}

impl OrderHead {
    /// Reads it from the order's JSON text, as [`Portal::order`](super::Portal::order) gives it.
    ///
    /// # Errors
    /// [`RestErrorKind::Garbled`] when a field is missing or of another kind.
    pub fn parse(order: &RawValue) -> Result<Self, RestErrorKind> {
        let wire: Wire = serde_json::from_str(order.get())
            .map_err(|_| RestErrorKind::Garbled { status: 200 })?;
        let properties = wire.property_values.into_iter();
        Ok(Self {
            status: wire.status_id,
            person_type: wire.person_type_id.0,
            responsible: wire.responsible_id.map(|id| id.0).filter(|id| *id > 0),
            properties: properties.filter_map(|p| Some((p.code?, p.value?))).collect(),
        })
    }
}

/// A text or a number as text; files, lists and null are none.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_is_read_in_all_the_forms_that_fields_take() {
        let order = RawValue::from_string(
            r#"{"id":236,"statusId":"N","personTypeId":"3","responsibleId":0,"price":1480.5,
                "propertyValues":[{"code":"FIO","value":"A"},{"code":"N","value":5},
                    {"code":"DOC","value":{"id":"948"}},{"code":null,"value":"x"},{"code":"E","value":null}]}"#
                .to_owned(),
        )
        .unwrap();
        let head = OrderHead::parse(&order).unwrap();
        assert_eq!((head.status.as_str(), head.person_type, head.responsible), ("N", 3, None));
        let codes: Vec<_> = head.properties.keys().map(String::as_str).collect();
        assert_eq!(codes, ["FIO", "N"]);
        let bare = RawValue::from_string("{}".to_owned()).unwrap();
        assert!(OrderHead::parse(&bare).is_err());
    }
}
