//! What the schemas let pass and EGAIS does not.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::{Document, Kind, Position};
use crate::{
    config::SOLD,
    mark::{Form, shown},
};

/// A rule that a document breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Breach {
    /// Content of another type than the document's.
    #[error("the content is another document's")]
    Mismatch,
    /// Nothing is in it.
    #[error("there are no positions")]
    Empty,
    /// A name of ours is empty or longer than 50 letters.
    #[error("the identity {0:?} is not 1 to 50 letters")]
    Identity(String),
    /// A quantity that is nothing.
    #[error("a quantity is nothing")]
    Quantity,
    /// So many marks for so many bottles.
    #[error("{marks} marks for {quantity}")]
    Marks {
        /// Marks.
        marks: usize,
        /// Bottles.
        quantity: Decimal,
    },
    /// A mark that stands in it twice.
    #[error("the mark {0} stands twice")]
    Twice(String),
    /// A mark of a form that the document does not take.
    #[error("the document takes no mark such as {0}")]
    Form(String),
    /// A sum that is no whole number of kopecks.
    #[error("the sum is no whole number of kopecks")]
    Sum,
    /// A price below zero.
    #[error("a price is below zero")]
    Price,
    /// An act of register 1 without the reference of form B.
    #[error("{0} has no form B")]
    NoFormB(String),
    /// The brief's form without the reference of form A.
    #[error("{0} has no form A")]
    NoFormA(String),
    /// A document that describes the product, and no description.
    #[error("EGAIS has not described {0}")]
    NoProduct(String),
    /// A cheque without EAN.
    #[error("{0} has no EAN")]
    NoEan(String),
}

impl Breach {
    /// In Russian, for the shop's manager.
    #[must_use]
    pub fn in_russian(&self) -> String {
        match self {
            Self::Mismatch => "содержимое не подходит к документу".to_owned(),
            Self::Empty => "в нём нет позиций".to_owned(),
            Self::Identity(name) => format!("имя документа «{name}» не от 1 до 50 знаков"),
            Self::Quantity => "количество товара не больше нуля".to_owned(),
            Self::Marks { marks, quantity } => format!("марок {marks}, а бутылок {quantity}"),
            Self::Twice(mark) => format!("марка {mark} указана дважды"),
            Self::Form(mark) => format!("документ не принимает марки такого вида: {mark}"),
            Self::Sum => "сумма не выражается целым числом копеек".to_owned(),
            Self::Price => "цена меньше нуля".to_owned(),
            Self::NoFormB(name) => format!("у товара «{name}» нет справки Б"),
            Self::NoFormA(name) => format!("у товара «{name}» нет справки А"),
            Self::NoProduct(name) => format!("ЕГАИС ещё не описала товар «{name}»"),
            Self::NoEan(name) => format!("у товара «{name}» нет штрихкода EAN"),
        }
    }
}

pub(super) fn check(kind: Kind, document: &Document) -> Result<(), Breach> {
    match document {
        Document::Act(act) => {
            named(&act.identity)?;
            let is_sale = act.reason == SOLD;
            positions(kind, &act.positions, is_sale)
        }
        Document::Cheque(cheque) => {
            named(&cheque.identity)?;
            positions(kind, &cheque.positions, false)
        }
        Document::WayBillAct { identity, .. } | Document::Repeal { identity, .. } => {
            named(identity)
        }
        Document::Query(_) => Ok(()),
    }
}

fn named(identity: &str) -> Result<(), Breach> {
    if (1..=50).contains(&identity.chars().count()) {
        Ok(())
    } else {
        Err(Breach::Identity(identity.to_owned()))
    }
}

fn positions(kind: Kind, positions: &[Position], is_sale: bool) -> Result<(), Breach> {
    if positions.is_empty() {
        return Err(Breach::Empty);
    }
    let mut seen = BTreeSet::new();
    for position in positions {
        if position.quantity <= Decimal::ZERO {
            return Err(Breach::Quantity);
        }
        if position.price < 0 {
            return Err(Breach::Price);
        }
        if is_sale && position.sum().is_none() {
            return Err(Breach::Sum);
        }
        let marks = position.marks.len();
        if marks > 0 && Decimal::from(marks) != position.quantity {
            return Err(Breach::Marks { marks, quantity: position.quantity });
        }
        for mark in &position.marks {
            if !seen.insert(mark) {
                return Err(Breach::Twice(shown(mark.as_str())));
            }
        }
        own(kind, position)?;
    }
    Ok(())
}

/// What this type of document wants of a position.
fn own(kind: Kind, position: &Position) -> Result<(), Breach> {
    let beer = position.marks.iter().find(|mark| mark.form() == Form::Beer);
    let refuses_beer = matches!(kind, Kind::ActWriteOffShopV2 | Kind::ChequeV4);
    // One list in an act holds marks of one form.
    let mixed = matches!(kind, Kind::ActWriteOffV3 | Kind::ActWriteOffV4)
        && position.marks.iter().any(|mark| mark.form() != Form::Beer);
    // Acts take beer's codes with a serial of 7 characters, cheques with one of 13.
    let length = if kind.is_cheque() { 31 } else { 25 };
    let other = position
        .marks
        .iter()
        .any(|mark| mark.form() == Form::Beer && mark.as_str().len() != length);
    if let Some(beer) = beer.filter(|_| refuses_beer || mixed || other) {
        return Err(Breach::Form(shown(beer.as_str())));
    }
    let needs_product = match kind {
        Kind::ActWriteOffShopV2 | Kind::ActChargeOnShopV2 => true,
        Kind::ChequeV3 | Kind::ChequeV4 => position.marks.is_empty(),
        _ => false,
    };
    if needs_product && position.product.is_none() {
        return Err(Breach::NoProduct(position.name.clone()));
    }
    if kind == Kind::Brief && position.f1.as_deref().is_none_or(str::is_empty) {
        return Err(Breach::NoFormA(position.name.clone()));
    }
    let is_first = matches!(kind, Kind::ActWriteOffV3 | Kind::ActWriteOffV4 | Kind::Brief);
    if is_first && position.f2.as_deref().is_none_or(str::is_empty) {
        return Err(Breach::NoFormB(position.name.clone()));
    }
    if kind.is_cheque() && position.ean.as_deref().is_none_or(str::is_empty) {
        return Err(Breach::NoEan(position.name.clone()));
    }
    Ok(())
}
