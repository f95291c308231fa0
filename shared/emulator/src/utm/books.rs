//! The books of one UTM and of the part of EGAIS behind it.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;

use super::answers;
use crate::Violations;

/// A document that was taken.
#[derive(Debug, Clone, Serialize)]
pub struct Sent {
    /// The UTM's name for it: `<url>` of the receipt, `TransportId` of tickets.
    pub reply_id: String,
    /// The UTM's number for it in `/opt/in`.
    pub number: u64,
    /// The name of its element, such as `ActWriteOff_v3`.
    pub kind: String,
    /// The sender's `Identity`.
    pub identity: String,
    /// `taken`, `checked`, `done`, `rejected`.
    pub state: String,
    /// EGAIS's number for it.
    pub reg_id: String,
    /// Why it was rejected.
    pub words: String,
    #[serde(skip)]
    pub(super) body: String,
    #[serde(skip)]
    pub(super) looks: u32,
    #[serde(skip)]
    pub(super) copies: u32,
    #[serde(skip)]
    pub(super) fate: Fate,
}

/// How a document is bound to end, whatever is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Fate {
    /// As its content deserves.
    #[default]
    Judged,
    /// The check refuses it.
    CheckFails,
    /// The operation is refused.
    OperationFails,
}

/// A document for the shop.
#[derive(Debug, Clone)]
pub(super) struct Incoming {
    pub(super) number: u64,
    /// The word in its path: `Ticket`, `ReplyRests_v2`.
    pub(super) path: String,
    pub(super) reply_id: Option<String>,
    pub(super) body: String,
    pub(super) read: bool,
}

/// What was done to a bottle or to a quantity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Effect {
    /// `written off` or `returned`.
    pub what: &'static str,
    /// By which document: its `Identity`.
    pub by: String,
    /// How many; one for a bottle.
    pub quantity: Decimal,
}

/// A position of stock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rest {
    /// The product.
    pub alc_code: String,
    /// Its name.
    pub name: String,
    /// The reference A; of register 1 alone.
    #[serde(default)]
    pub f1: Option<String>,
    /// The reference B; of register 1 alone.
    #[serde(default)]
    pub f2: Option<String>,
    /// How many.
    pub quantity: Decimal,
}

/// A waybill that somebody sent to the shop.
#[derive(Debug, Clone, Default)]
pub struct Waybill {
    /// EGAIS's number (`TTN-…`).
    pub reg_id: String,
    /// Who sent it: his id in EGAIS.
    pub shipper: String,
    /// His number of it.
    pub number: String,
    /// What is there; empty where nobody asks.
    pub lines: Vec<WaybillLine>,
    pub(super) is_answered: bool,
}

/// A position of a [`Waybill`]. Its name is its place, from 1; its form B `FB-` with that.
#[derive(Debug, Clone, Default)]
pub struct WaybillLine {
    /// The product.
    pub alc_code: String,
    /// How many.
    pub quantity: Decimal,
    /// The marks of marked goods.
    pub marks: Vec<String>,
}

/// All that one UTM and EGAIS know.
#[derive(Debug, Default)]
pub struct Books {
    pub(super) sent: Vec<Sent>,
    pub(super) inbox: Vec<Incoming>,
    pub(super) bottles: BTreeMap<String, Vec<Effect>>,
    /// Unmarked goods by form B, or by AlcCode on the shop floor.
    pub(super) quantities: BTreeMap<String, Vec<Effect>>,
    pub(super) waybills: Vec<Waybill>,
    pub(super) first: Vec<Rest>,
    pub(super) shop: Vec<Rest>,
    pub(super) marks: BTreeMap<String, Vec<String>>,
    pub(super) violations: Violations,
    pub(super) senders: u32,
    pub(super) counter: u64,
}

/// The books in a few words.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// Documents that were taken.
    pub taken: usize,
    /// Those that took effect.
    pub done: usize,
    /// Those that EGAIS rejected.
    pub rejected: usize,
    /// Documents for the shop that it has not fetched and deleted.
    pub waiting: usize,
    /// Bottles that were written off twice without coming back, and identities that took effect twice.
    pub doubled: Vec<String>,
    /// Breaches of the protocol.
    #[serde(flatten)]
    pub violations: Violations,
}

impl Books {
    /// Documents that were taken, in their order.
    #[must_use]
    pub fn sent(&self) -> &[Sent] {
        &self.sent
    }

    /// Bottles by mark, with what was done to them.
    #[must_use]
    pub const fn bottles(&self) -> &BTreeMap<String, Vec<Effect>> {
        &self.bottles
    }

    /// Unmarked goods by form B or AlcCode, with what was done to them.
    #[must_use]
    pub const fn quantities(&self) -> &BTreeMap<String, Vec<Effect>> {
        &self.quantities
    }

    /// A waybill that EGAIS knows and whose documents are not in the inbox (any more).
    pub fn put_waybill(&mut self, reg_id: &str, lines: Vec<WaybillLine>) {
        self.put_waybill_of("010000000001", &format!("N-{reg_id}"), reg_id, lines);
    }

    /// The same of this sender, with his number.
    pub fn put_waybill_of(
        &mut self,
        shipper: &str,
        number: &str,
        reg_id: &str,
        lines: Vec<WaybillLine>,
    ) {
        let (shipper, number, reg_id) = (shipper.to_owned(), number.to_owned(), reg_id.to_owned());
        self.waybills.push(Waybill { reg_id, shipper, number, lines, is_answered: false });
    }

    /// The documents of a waybill come into the inbox.
    pub fn send_waybill(&mut self, reg_id: &str) {
        let Some(waybill) = self.waybills.iter().find(|waybill| waybill.reg_id == reg_id) else {
            return;
        };
        let (first, second) = answers::waybill(waybill);
        self.deliver("WayBill_v4", None, first);
        self.deliver("FORM2REGINFO", None, second);
    }

    /// Stock of register 1 and of the shop floor.
    pub fn put_rests(&mut self, first: Vec<Rest>, shop: Vec<Rest>) {
        (self.first, self.shop) = (first, shop);
    }

    /// Bottles of a form B.
    pub fn put_marks(&mut self, f2: &str, marks: Vec<String>) {
        self.marks.insert(f2.to_owned(), marks);
    }

    /// Puts a document into the inbox that nobody asked for.
    pub fn put_incoming(&mut self, path: &str, body: String) {
        self.deliver(path, None, body);
    }

    /// Puts a document into the inbox that answers what somebody has sent under this name.
    pub fn put_answer(&mut self, path: &str, reply_id: &str, body: String) {
        self.deliver(path, Some(reply_id), body);
    }

    /// See [`Summary`].
    #[must_use]
    pub fn summary(&self) -> Summary {
        let count = |state: &str| self.sent.iter().filter(|sent| sent.state == state).count();
        Summary {
            taken: self.sent.len(),
            done: count("done"),
            rejected: count("rejected"),
            waiting: self.inbox.len(),
            doubled: self.doubled(),
            violations: self.violations.clone(),
        }
    }

    fn doubled(&self) -> Vec<String> {
        let mut doubled = Vec::new();
        for (mark, effects) in &self.bottles {
            let gone = effects.iter().filter(|effect| effect.what == "written off").count();
            let back = effects.len() - gone;
            if gone > back + 1 || back > gone {
                doubled.push(mark.clone());
            }
        }
        let mut seen = BTreeMap::new();
        for sent in self.sent.iter().filter(|sent| sent.state == "done") {
            *seen.entry(sent.identity.as_str()).or_insert(0_u32) += 1;
        }
        let twice = seen.into_iter().filter(|(identity, times)| !identity.is_empty() && *times > 1);
        doubled.extend(twice.map(|(identity, _)| identity.to_owned()));
        doubled
    }

    pub(super) fn next(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    pub(super) fn deliver(&mut self, path: &str, reply_id: Option<&str>, body: String) {
        let number = self.next() + 7_000;
        self.inbox.push(Incoming {
            number,
            path: path.to_owned(),
            reply_id: reply_id.map(str::to_owned),
            body,
            read: false,
        });
    }

    pub(super) fn breach(&mut self, what: impl Into<String>) {
        self.violations.add(what.into());
    }

    /// Whether a bottle is written off just now.
    pub(super) fn is_gone(&self, mark: &str) -> bool {
        let effects = self.bottles.get(mark).map(Vec::as_slice).unwrap_or_default();
        effects.last().is_some_and(|effect| effect.what == "written off")
    }
}
