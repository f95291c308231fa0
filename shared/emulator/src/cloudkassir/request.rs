//! The body of `POST /kkt/receipt` as written: every number keeps its text, so that nothing is rounded on the way in.
//!
//! Field names are those of the CloudKassir documentation (sections `Items` and `CustomerReceipt`) as far as Parom
//! has use for them; any other field is refused.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct Create {
    pub(super) inn: Option<String>,
    pub(super) r#type: Option<String>,
    pub(super) invoice_id: Option<String>,
    pub(super) account_id: Option<String>,
    pub(super) customer_receipt: Option<Box<RawValue>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct CustomerReceipt {
    #[serde(rename = "Items")]
    pub(super) items: Option<Vec<Item>>,
    pub(super) taxation_system: Option<Box<RawValue>>,
    pub(super) email: Option<String>,
    pub(super) phone: Option<String>,
    pub(super) amounts: Option<Amounts>,
    pub(super) calculation_place: Option<String>,
    #[serde(rename = "isInternetPayment")]
    pub(super) _is_internet_payment: Option<bool>,
    #[serde(rename = "isBso")]
    pub(super) _is_bso: Option<bool>,
    #[serde(rename = "customerInfo")]
    pub(super) _customer_info: Option<String>,
    pub(super) customer_inn: Option<String>,
    #[serde(rename = "cashierName")]
    pub(super) _cashier_name: Option<String>,
    pub(super) time_zone_code: Option<u8>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Item {
    pub(super) label: Option<String>,
    pub(super) price: Option<Box<RawValue>>,
    pub(super) quantity: Option<Box<RawValue>>,
    pub(super) amount: Option<Box<RawValue>>,
    /// Absent and `null` differ here: `null` means "without VAT", absence is a mistake.
    #[serde(default, deserialize_with = "present")]
    pub(super) vat: Option<Box<RawValue>>,
    pub(super) method: Option<Box<RawValue>>,
    pub(super) object: Option<Box<RawValue>>,
    pub(super) unit_code: Option<u16>,
    #[serde(rename = "expectedMarkItemStatus")]
    pub(super) expected_mark_item_status: Option<u8>,
    #[serde(rename = "measurementUnit")]
    pub(super) _measurement_unit: Option<String>,
    #[serde(rename = "excise")]
    pub(super) _excise: Option<Box<RawValue>>,
    #[serde(rename = "countryOriginCode")]
    pub(super) _country_origin_code: Option<String>,
    #[serde(rename = "customsDeclarationNumber")]
    pub(super) _customs_declaration_number: Option<String>,
    pub(super) raw_mark_code: Option<String>,
    #[serde(rename = "groupSeparator")]
    pub(super) _group_separator: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Amounts {
    pub(super) electronic: Option<Box<RawValue>>,
    pub(super) cash: Option<Box<RawValue>>,
    pub(super) advance_payment: Option<Box<RawValue>>,
    pub(super) credit: Option<Box<RawValue>>,
    pub(super) provision: Option<Box<RawValue>>,
}

/// The body of `POST /kkt/correction-receipt`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct Correct {
    pub(super) correction_receipt_data: Option<CorrectionData>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct CorrectionData {
    pub(super) organization_inn: Option<String>,
    pub(super) taxation_system: Option<Box<RawValue>>,
    pub(super) correction_receipt_type: Option<u8>,
    pub(super) cause_correction: Option<Cause>,
    pub(super) correction_type: Option<u8>,
    pub(super) amounts: Option<Amounts>,
    pub(super) items: Option<Vec<Item>>,
    pub(super) calculation_place: Option<String>,
    pub(super) email: Option<String>,
    pub(super) phone: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct Cause {
    pub(super) correction_date: Option<String>,
    pub(super) correction_number: Option<String>,
}

/// The body of the look-ups: `{"Id": "…"}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct Look {
    pub(super) id: String,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(deserializer).map(Some)
}
