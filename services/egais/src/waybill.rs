//! Waybills that come in, and what of them came back to the shop. Pure.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{mark::Mark, state::Goods};

/// A waybill as its sender wrote it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WayBill {
    /// The sender's id in EGAIS.
    pub shipper: String,
    /// His number.
    pub number: String,
    /// Its day, as it is written.
    pub day: String,
    /// What is there.
    pub lines: Vec<Line>,
}

/// A position of a waybill.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its name within the waybill.
    pub identity: String,
    /// The product.
    pub alc_code: String,
    /// How many.
    pub quantity: Decimal,
    /// The marks of marked goods.
    pub marks: Vec<String>,
}

/// What EGAIS has registered a waybill as.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registered {
    /// The sender's id in EGAIS.
    pub shipper: String,
    /// His number.
    pub number: String,
    /// Its day, as it is written.
    pub day: String,
    /// EGAIS's number (`TTN-…`).
    pub reg_id: String,
    /// The reference of form B of each position, by its name.
    pub forms: BTreeMap<String, String>,
}

/// What our act says of a waybill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accept {
    /// All of it is there.
    Whole,
    /// Something is missing: what is there of each position.
    Part(Vec<Real>),
}

/// What is there of a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Real {
    /// Its name within the waybill.
    pub identity: String,
    /// Its reference of form B.
    pub f2: String,
    /// How many.
    pub quantity: Decimal,
    /// The marks of those that are not.
    pub missing: Vec<Mark>,
}

/// What a waybill names and these goods are not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Missing {
    /// Bottles.
    pub marks: Vec<String>,
    /// Products without marks of which some are missing.
    pub alc_codes: Vec<String>,
}

impl Accept {
    /// What our act would say is not there, of the waybill's lines.
    #[must_use]
    pub fn missing(&self, lines: &[Line]) -> Missing {
        let Self::Part(all) = self else { return Missing::default() };
        let mut missing = Missing::default();
        for (real, line) in all.iter().zip(lines) {
            missing.marks.extend(real.missing.iter().map(|mark| mark.as_str().to_owned()));
            if line.marks.is_empty() && real.quantity < line.quantity {
                missing.alc_codes.push(line.alc_code.clone());
            }
        }
        missing
    }
}

/// Why no act can be made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAct {
    /// More came back than the waybill says.
    More,
    /// EGAIS gave a position no form B, or a mark in it cannot be read.
    Unclear,
}

/// What is there of a waybill when these goods came back.
///
/// # Errors
/// [`NoAct`] when the two do not fit.
pub fn accept(
    lines: &[Line],
    forms: &BTreeMap<String, String>,
    goods: &[Goods],
) -> Result<Accept, NoAct> {
    let mut marks: BTreeSet<&str> =
        goods.iter().filter_map(|one| one.mark.as_ref()).map(Mark::as_str).collect();
    let mut plain: BTreeMap<&str, Decimal> = BTreeMap::new();
    for one in goods.iter().filter(|one| one.mark.is_none()) {
        *plain.entry(one.alc_code.as_str()).or_default() += one.quantity;
    }
    let (mut all, mut is_whole) = (Vec::new(), true);
    for line in lines {
        let missing: Vec<&String> =
            line.marks.iter().filter(|mark| !marks.remove(mark.as_str())).collect();
        let quantity = if line.marks.is_empty() {
            let left = plain.entry(line.alc_code.as_str()).or_default();
            let there = line.quantity.min(*left);
            *left -= there;
            there
        } else {
            line.quantity - Decimal::from(missing.len())
        };
        is_whole = is_whole && quantity == line.quantity;
        let missing: Result<Vec<Mark>, _> = missing.into_iter().map(|m| Mark::parse(m)).collect();
        all.push(Real {
            identity: line.identity.clone(),
            f2: forms.get(&line.identity).cloned().ok_or(NoAct::Unclear)?,
            quantity,
            missing: missing.map_err(|_| NoAct::Unclear)?,
        });
    }
    if !marks.is_empty() || plain.values().any(|left| !left.is_zero()) {
        return Err(NoAct::More);
    }
    Ok(if is_whole { Accept::Whole } else { Accept::Part(all) })
}
