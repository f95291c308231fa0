//! Documents as they are written: no other fields.

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Withdrawal {
    pub(super) inn: String,
    pub(super) buyer_inn: Option<String>,
    pub(super) action: String,
    pub(super) withdrawal_type_other: Option<String>,
    pub(super) action_date: String,
    pub(super) fias_id: String,
    pub(super) kpp: Option<String>,
    pub(super) document_type: Option<String>,
    pub(super) document_number: Option<String>,
    pub(super) document_date: Option<String>,
    pub(super) primary_document_custom_name: Option<String>,
    pub(super) products: Vec<Product>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Product {
    pub(super) cis: String,
    pub(super) product_cost: Option<u64>,
    pub(super) primary_document_type: Option<String>,
    pub(super) primary_document_number: Option<String>,
    pub(super) primary_document_date: Option<String>,
    pub(super) primary_document_custom_name: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cancel {
    pub(super) inn: String,
    pub(super) lk_receipt_id: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Return {
    pub(super) trade_participant_inn: String,
    pub(super) return_type: String,
    pub(super) paid: Option<bool>,
    pub(super) primary_document_type: Option<String>,
    pub(super) primary_document_number: Option<String>,
    pub(super) primary_document_date: Option<String>,
    pub(super) primary_document_custom_name: Option<String>,
    pub(super) certificate_type: Option<String>,
    pub(super) certificate_number: Option<String>,
    pub(super) certificate_date: Option<String>,
    pub(super) products_list: Vec<Back>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Back {
    pub(super) ki: String,
    pub(super) paid: Option<bool>,
    pub(super) primary_document_type: Option<String>,
    pub(super) primary_document_number: Option<String>,
    pub(super) primary_document_date: Option<String>,
    pub(super) primary_document_custom_name: Option<String>,
    pub(super) certificate_type: Option<String>,
    pub(super) certificate_number: Option<String>,
    pub(super) certificate_date: Option<String>,
}
