//! An order of the portal. Every value keeps its JSON text, so that sums come back digit for digit.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json, value::RawValue};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{books::Writes, params};
use crate::clock::moscow;

/// What `sale.order.get` has and the other answers with an order do not.
const CHILDREN: [&str; 5] =
    ["basketItems", "payments", "propertyValues", "shipments", "tradeBindings"];

/// An object whose values are JSON texts.
pub(super) type Fields = BTreeMap<String, Box<RawValue>>;

/// An order in the shape of `sale.order.get`.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) id: u64,
    pub(super) person_type: u64,
    pub(super) version: u64,
    pub(super) updated: OffsetDateTime,
    /// The CRM deal it belongs to, if any.
    pub(super) deal: Option<u64>,
    pub(super) writes: Writes,
    /// Statuses written by REST, in order.
    pub(super) status_history: Vec<String>,
    /// Comments in its timeline, in order.
    pub(super) timeline: Vec<String>,
    fields: Fields,
}

/// A property as it is written into an order.
#[derive(Debug, Clone)]
pub(super) struct PropertyValue {
    pub(super) property: u64,
    pub(super) code: String,
    pub(super) name: String,
    pub(super) value: String,
}

impl Order {
    /// Takes an order as the shop saved it. `version` and `dateUpdate` may be left out: then it is the next version, now.
    pub(super) fn put(
        id: u64,
        body: &[u8],
        previous: Option<&Self>,
        now: OffsetDateTime,
    ) -> Result<Self, String> {
        let mut fields: Fields = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let number = |name: &str| fields.get(name).and_then(|raw| number(raw));
        if number("id").is_some_and(|own| own != id) {
            return Err("id is not the one in the address".to_owned());
        }
        let person_type = number("personTypeId").ok_or("personTypeId is missing")?;
        let next = previous.map_or(1, |previous| previous.version + 1);
        let version = number("version").unwrap_or(next);
        if fields.get("statusId").and_then(|raw| string(raw)).is_none() {
            return Err("statusId is missing".to_owned());
        }
        let updated = match fields.get("dateUpdate").and_then(|raw| string(raw)) {
            Some(date) => {
                OffsetDateTime::parse(&date, &Rfc3339).map_err(|_| "dateUpdate is not a date")?
            }
            None => now,
        };
        fields.entry("id".to_owned()).or_insert_with(|| raw(&id));
        let mut order = Self {
            id,
            person_type,
            version,
            updated,
            deal: previous.and_then(|previous| previous.deal),
            writes: previous.map(|previous| previous.writes.clone()).unwrap_or_default(),
            status_history: previous.map(|p| p.status_history.clone()).unwrap_or_default(),
            timeline: previous.map(|previous| previous.timeline.clone()).unwrap_or_default(),
            fields,
        };
        order.stamp();
        Ok(order)
    }

    /// The whole order, as in `sale.order.get`.
    pub(super) fn full(&self) -> String {
        serde_json::to_string(&self.fields).unwrap_or_default()
    }

    /// The order without its children, only the selected fields if any are.
    pub(super) fn head(&self, select: &[String]) -> String {
        let wanted = |name: &str| match select {
            [] => !CHILDREN.contains(&name),
            names => names.iter().any(|selected| selected == name || selected == "*"),
        };
        let fields: BTreeMap<&str, &RawValue> = self
            .fields
            .iter()
            .filter(|(name, _)| wanted(name) && !CHILDREN.contains(&name.as_str()))
            .map(|(name, value)| (name.as_str(), &**value))
            .collect();
        serde_json::to_string(&fields).unwrap_or_default()
    }

    /// A text field.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.fields.get(name).and_then(|raw| string(raw))
    }

    /// Payments or shipments by their ids, each as its JSON text.
    pub(super) fn children(&self, name: &str) -> Vec<(u64, &RawValue)> {
        let list: Option<Vec<&RawValue>> =
            self.fields.get(name).and_then(|raw| serde_json::from_str(raw.get()).ok());
        let with_id = |raw| {
            let fields: Fields = serde_json::from_str(RawValue::get(raw)).ok()?;
            Some((fields.get("id").and_then(|id| number(id))?, raw))
        };
        list.unwrap_or_default().into_iter().filter_map(with_id).collect()
    }

    /// The values of all properties by code, as far as they are texts.
    pub(super) fn properties(&self) -> BTreeMap<String, String> {
        let values = self.property_values();
        let pair = |fields: &Fields| {
            Some((
                fields.get("code").and_then(|raw| string(raw))?,
                fields.get("value").and_then(|raw| string(raw))?,
            ))
        };
        values.iter().filter_map(pair).collect()
    }

    /// The JSON text of `propertyValues`.
    pub(super) fn property_values_text(&self) -> &str {
        self.fields.get("propertyValues").map_or("[]", |raw| raw.get())
    }

    /// The code and name of a property that the order already has.
    pub(super) fn own_property(&self, property: u64) -> Option<(String, String)> {
        let values = self.property_values();
        let own = values.iter().find(|fields| is(fields, "orderPropsId", property))?;
        let text = |name| own.get(name).and_then(|raw| string(raw)).unwrap_or_default();
        Some((text("code"), text("name")))
    }

    pub(super) fn set_text(&mut self, name: &str, value: &str) {
        self.fields.insert(name.to_owned(), raw(&value));
    }

    /// Sets a property; `new_id` numbers the value if the order did not have it.
    pub(super) fn set_property(&mut self, new: &PropertyValue, new_id: u64) {
        let mut values = self.property_values();
        match values.iter_mut().find(|fields| is(fields, "orderPropsId", new.property)) {
            Some(fields) => drop(fields.insert("value".to_owned(), raw(&new.value))),
            None => values.push(Fields::from([
                ("code".to_owned(), raw(&new.code)),
                ("id".to_owned(), raw(&new_id)),
                ("name".to_owned(), raw(&new.name)),
                ("orderPropsId".to_owned(), raw(&new.property)),
                ("orderPropsXmlId".to_owned(), raw(&Value::Null)),
                ("value".to_owned(), raw(&new.value)),
            ])),
        }
        self.fields.insert("propertyValues".to_owned(), raw(&values));
    }

    /// Every save makes a new version with a new date, also those by REST.
    pub(super) fn saved(&mut self, now: OffsetDateTime) {
        self.version += 1;
        self.updated = now;
        self.stamp();
    }

    fn stamp(&mut self) {
        self.fields.insert("version".to_owned(), raw(&self.version));
        self.fields.insert("dateUpdate".to_owned(), raw(&json!(moscow(self.updated))));
    }

    fn property_values(&self) -> Vec<Fields> {
        serde_json::from_str(self.property_values_text()).unwrap_or_default()
    }
}

fn is(fields: &Fields, name: &str, id: u64) -> bool {
    fields.get(name).and_then(|raw| number(raw)) == Some(id)
}

fn number(raw: &RawValue) -> Option<u64> {
    serde_json::from_str::<Value>(raw.get()).ok().and_then(|value| params::id(&value))
}

fn string(raw: &RawValue) -> Option<String> {
    serde_json::from_str(raw.get()).ok()
}

fn raw(value: &impl Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"{"id":"236","statusId":"N","personTypeId":3,"price":1480.10,"taxValue":0.30000000000000004,
        "payments":[{"id":123,"sum":1480.10}],"propertyValues":[{"code":"FIO","id":1,"orderPropsId":20,"value":"x"}]}"#;

    fn order() -> Order {
        Order::put(236, BODY.as_bytes(), None, OffsetDateTime::UNIX_EPOCH).unwrap()
    }

    #[test]
    fn numbers_come_back_digit_for_digit() {
        let full = order().full();
        assert!(full.contains(r#""price":1480.10,"#) && full.contains("0.30000000000000004"));
        assert!(full.contains(r#""id":"236""#), "ids stay strings where they were");
        assert_eq!(order().children("payments")[0].1.get(), r#"{"id":123,"sum":1480.10}"#);
    }

    #[test]
    fn a_save_is_a_new_version_and_date() {
        let mut order = order();
        assert_eq!(order.version, 1);
        order.saved(OffsetDateTime::UNIX_EPOCH + time::Duration::HOUR);
        assert_eq!(order.version, 2);
        assert!(order.head(&[]).contains(r#""dateUpdate":"1970-01-01T04:00:00+03:00""#));
        assert!(!order.head(&[]).contains("payments"));
        assert_eq!(order.head(&["id".to_owned()]), r#"{"id":"236"}"#);
    }

    #[test]
    fn a_property_is_added_once_and_then_changed() {
        let mut order = order();
        let fd = |value: &str| PropertyValue {
            property: 3502,
            code: "CLOUDKASSIR_FD".to_owned(),
            name: "ФД".to_owned(),
            value: value.to_owned(),
        };
        order.set_property(&fd("1"), 77);
        order.set_property(&fd("2"), 78);
        assert_eq!(order.properties()["CLOUDKASSIR_FD"], "2");
        assert_eq!(order.properties().len(), 2);
        assert_eq!(order.own_property(20).unwrap().0, "FIO");
    }
}
