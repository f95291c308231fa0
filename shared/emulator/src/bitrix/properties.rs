//! Order properties: the usual ones and those of the settings exist once for each person type.

use serde_json::{Value, json};

use super::{
    error::RestError,
    params::{self, Params},
};
use crate::settings::BitrixSettings;

/// Properties that every shop has.
const USUAL: [(&str, &str); 6] = [
    ("FIO", "Ф. И. О."),
    ("EMAIL", "E-Mail"),
    ("PHONE", "Телефон"),
    ("ADDRESS", "Адрес доставки"),
    ("INN", "ИНН"),
    ("KPP", "КПП"),
];

/// A property of a person type.
#[derive(Debug, Clone)]
pub(super) struct Property {
    pub(super) id: u64,
    pub(super) code: String,
    pub(super) name: String,
    pub(super) person_type: u64,
}

/// All properties. Ids are the person type × 1000, plus 1… for the usual and 501… for the settings' ones.
pub(super) fn all(settings: &BitrixSettings) -> Vec<Property> {
    let usual = USUAL.iter().zip(1..).map(|((code, name), index)| (index, *code, *name));
    let own = settings.properties.iter().zip(501..);
    let own = own.map(|(code, index)| (index, code.as_str(), code.as_str()));
    let codes: Vec<(u64, &str, &str)> = usual.chain(own).collect();
    let each = settings.person_types.iter().flat_map(|person_type| {
        codes.iter().map(move |(index, code, name)| Property {
            id: person_type * 1000 + index,
            code: (*code).to_owned(),
            name: (*name).to_owned(),
            person_type: *person_type,
        })
    });
    each.collect()
}

/// The properties that `filter` lets through; it knows `id`, `code` and `personTypeId`, each also with `=` or `@`.
pub(super) fn filtered(
    mut properties: Vec<Property>,
    filter: &Params,
) -> Result<Vec<Property>, RestError> {
    for (key, wanted) in &filter.0 {
        let field = key.trim_start_matches(['=', '@']);
        let wanted: Vec<String> = match wanted {
            Value::Array(list) => list.iter().filter_map(params::text).collect(),
            one => params::text(one).into_iter().collect(),
        };
        let value: fn(&Property) -> String = match field {
            "id" => |property| property.id.to_string(),
            "code" => |property| property.code.clone(),
            "personTypeId" => |property| property.person_type.to_string(),
            _ => return Err(RestError::unknown(&format!("filter {key}"))),
        };
        properties.retain(|property| wanted.contains(&value(property)));
    }
    Ok(properties)
}

impl Property {
    /// As `sale.property.list` shows it.
    pub(super) fn json(&self) -> Value {
        let flag = |is: bool| if is { "Y" } else { "N" };
        json!({
            "active": "Y", "code": self.code, "defaultValue": "", "description": "", "id": self.id,
            "inputFieldLocation": "0", "isAddress": flag(self.code == "ADDRESS"), "isAddressFrom": "N",
            "isAddressTo": "N", "isEmail": flag(self.code == "EMAIL"), "isFiltered": "N",
            "isLocation": "N", "isPayer": flag(self.code == "FIO"), "isPhone": flag(self.code == "PHONE"),
            "isProfileName": "N", "isZip": "N", "multiple": "N", "name": self.name,
            "personTypeId": self.person_type, "propsGroupId": self.person_type, "required": "N",
            "settings": [], "sort": 100, "type": "STRING", "userProps": "N", "util": "N", "xmlId": "",
        })
    }
}
