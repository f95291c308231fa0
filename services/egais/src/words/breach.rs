//! Rules and marks that are broken, in Russian: parts of sentences.

use crate::{
    documents::{Breach, Kind},
    mark::MarkError,
};

/// A document, as people call it.
pub(super) const fn document(kind: Kind) -> &'static str {
    match kind {
        Kind::ActWriteOffV3 | Kind::ActWriteOffV4 => "акт списания",
        Kind::ActWriteOffShopV2 => "акт списания из торгового зала",
        Kind::ChequeV3 | Kind::ChequeV4 => "чек для ЕГАИС",
        Kind::WayBillActV3 | Kind::WayBillActV4 => "акт к накладной",
        Kind::ActChargeOnShopV2 => "акт постановки на баланс в торговом зале",
        Kind::RequestRepealAwo => "запрос на отмену акта списания",
        Kind::QueryRestsV2
        | Kind::QueryRestsShopV2
        | Kind::QueryRestBCode
        | Kind::QueryResendDoc => "запрос в ЕГАИС",
    }
}

/// A rule that a document breaks.
pub(super) fn rule(breach: &Breach) -> String {
    match breach {
        Breach::Mismatch => "содержимое другого документа".to_owned(),
        Breach::Empty => "в нём нет ни одной позиции".to_owned(),
        Breach::Identity(identity) => {
            format!("имя документа «{identity}» не от 1 до 50 знаков")
        }
        Breach::Quantity => "количество равно нулю".to_owned(),
        Breach::Marks { marks, quantity } => format!("марок {marks}, а бутылок {quantity}"),
        Breach::Twice(mark) => format!("марка {mark} указана дважды"),
        Breach::Form(mark) => format!("такую марку, как {mark}, документ не принимает"),
        Breach::Sum => "сумма не выражается в целых копейках".to_owned(),
        Breach::Price => "цена меньше нуля".to_owned(),
        Breach::NoFormB => "у позиции нет справки Б".to_owned(),
        Breach::NoProduct => "товар не описан".to_owned(),
        Breach::NoEan => "у бутылки нет штрихкода EAN".to_owned(),
    }
}

/// Why a text is no mark.
pub(super) fn mark(error: &MarkError) -> String {
    match error {
        MarkError::Layout => "в ней русские буквы: сканер печатает в русской раскладке".to_owned(),
        MarkError::Form(length) => format!("длина {length} знаков, таких марок не бывает"),
    }
}
