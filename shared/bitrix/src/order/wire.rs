//! The fields that we read, under the names of both forms; every other field is ignored.

use serde::Deserialize;

use super::scalar::{Scalar, list};

#[derive(Deserialize)]
pub(super) struct Snapshot {
    pub schema: Option<String>,
    pub seq: Option<Seq>,
    pub order: Option<Order>,
}

#[derive(Deserialize)]
pub(super) struct Seq {
    pub outbox_id: Option<Scalar>,
}

#[derive(Deserialize)]
pub(super) struct Order {
    pub id: Option<Scalar>,
    #[serde(alias = "accountNumber")]
    pub account_number: Option<Scalar>,
    #[serde(alias = "statusId")]
    pub status_id: Option<Scalar>,
    pub canceled: Option<Scalar>,
    #[serde(alias = "dateInsert")]
    pub date_insert: Option<Scalar>,
    #[serde(alias = "dateUpdate")]
    pub date_update: Option<Scalar>,
    pub version: Option<Scalar>,
    pub currency: Option<Scalar>,
    pub price: Option<Scalar>,
    #[serde(alias = "userId")]
    pub user_id: Option<Scalar>,
    pub user: Option<User>,
    #[serde(default, alias = "propertyValues", deserialize_with = "list")]
    pub properties: Vec<Property>,
    #[serde(default, alias = "basketItems", deserialize_with = "list")]
    pub basket: Vec<BasketItem>,
    #[serde(default, deserialize_with = "list")]
    pub payments: Vec<Payment>,
    #[serde(default, deserialize_with = "list")]
    pub shipments: Vec<Shipment>,
}

#[derive(Deserialize)]
pub(super) struct User {
    pub id: Option<Scalar>,
    pub email: Option<Scalar>,
    pub phone: Option<Scalar>,
}

#[derive(Deserialize)]
pub(super) struct Property {
    pub code: Option<Scalar>,
    pub value: Option<Scalar>,
}

#[derive(Deserialize)]
pub(super) struct BasketItem {
    pub id: Option<Scalar>,
    #[serde(alias = "productId")]
    pub product_id: Option<Scalar>,
    #[serde(alias = "productXmlId")]
    pub product_xml_id: Option<Scalar>,
    pub name: Option<Scalar>,
    pub quantity: Option<Scalar>,
    #[serde(alias = "measureCode")]
    pub measure_code: Option<Scalar>,
    pub currency: Option<Scalar>,
    pub price: Option<Scalar>,
    /// Null says "without VAT"; no field at all says nothing.
    #[serde(default, alias = "vatRate", deserialize_with = "present")]
    pub vat_rate: Option<Option<Scalar>>,
    #[serde(alias = "vatIncluded")]
    pub vat_included: Option<Scalar>,
    #[serde(alias = "setParentId")]
    pub set_parent_id: Option<Scalar>,
    pub marking: Option<Marking>,
    #[serde(default, alias = "properties", deserialize_with = "list")]
    pub props: Vec<Property>,
}

#[derive(Deserialize)]
pub(super) struct Marking {
    pub required: Option<Scalar>,
}

#[derive(Deserialize)]
pub(super) struct Payment {
    pub id: Option<Scalar>,
    #[serde(alias = "paySystemId")]
    pub pay_system_id: Option<Scalar>,
    pub currency: Option<Scalar>,
    pub sum: Option<Scalar>,
    pub paid: Option<Scalar>,
    #[serde(alias = "datePaid")]
    pub date_paid: Option<Scalar>,
    #[serde(alias = "isReturn")]
    pub is_return: Option<Scalar>,
}

#[derive(Deserialize)]
pub(super) struct Shipment {
    pub id: Option<Scalar>,
    #[serde(alias = "deliveryName")]
    pub delivery_name: Option<Scalar>,
    pub canceled: Option<Scalar>,
    pub system: Option<Scalar>,
    pub deducted: Option<Scalar>,
    #[serde(alias = "dateDeducted")]
    pub date_deducted: Option<Scalar>,
    pub currency: Option<Scalar>,
    #[serde(alias = "priceDelivery")]
    pub price_delivery: Option<Scalar>,
    #[serde(alias = "vatRate")]
    pub vat_rate: Option<Scalar>,
    #[serde(default, alias = "shipmentItems", deserialize_with = "list")]
    pub items: Vec<ShipmentItem>,
}

#[derive(Deserialize)]
pub(super) struct ShipmentItem {
    #[serde(alias = "basketId")]
    pub basket_id: Option<Scalar>,
    pub quantity: Option<Scalar>,
    #[serde(default, deserialize_with = "list")]
    pub stores: Vec<Store>,
}

#[derive(Deserialize)]
pub(super) struct Store {
    pub marking_code_b64: Option<Scalar>,
}

/// Tells null (`Some(None)`) from no field at all (`None`).
fn present<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<Scalar>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
