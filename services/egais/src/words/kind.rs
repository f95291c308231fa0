//! What people call the documents.

use crate::documents::Kind;

/// A document, as people call it.
pub(super) const fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::ActWriteOffV3 | Kind::ActWriteOffV4 => "акт списания",
        Kind::ActWriteOffShopV2 => "акт списания из торгового зала",
        Kind::ChequeV3 | Kind::ChequeV4 => "чек для ЕГАИС",
        Kind::WayBillActV3 | Kind::WayBillActV4 => "акт к накладной",
        Kind::ActChargeOnShopV2 => "акт постановки на баланс в торговом зале",
        Kind::RequestRepealAwo => "запрос на отмену акта списания",
        Kind::Brief => "списание по форме TTNInformF2Reg",
        Kind::QueryRestsV2
        | Kind::QueryRestsShopV2
        | Kind::QueryRestBCode
        | Kind::QueryResendDoc => "запрос в ЕГАИС",
    }
}
