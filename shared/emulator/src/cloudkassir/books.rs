//! The books of CloudKassir: what was accepted, fiscalised, refused and asked twice.
//!
//! Nothing here does I/O. Every operation takes constant time, so that tens of thousands of receipts stay fast.

use std::collections::{BTreeSet, HashMap};

use time::{Duration, OffsetDateTime};

use super::{
    check::{Checked, Refusal},
    receipt::{Receipt, Refused, Status, Summary, fiscal, receipt_id},
};
use crate::{outgoing::Deliveries, violations::Violations};

/// Everything CloudKassir has on record.
#[derive(Debug, Default)]
pub struct Books {
    receipts: Vec<Receipt>,
    by_id: HashMap<String, usize>,
    answers: HashMap<String, Answer>,
    invoices: HashMap<(String, String), u32>,
    duplicated: BTreeSet<String>,
    refused: Vec<Refused>,
    failed: usize,
    processed: u64,
    repeated: usize,
    pub(super) violations: Violations,
    pub(super) notifications: Deliveries,
}

/// What was answered under a request id.
#[derive(Debug, Clone)]
struct Answer {
    at: OffsetDateTime,
    body: Vec<u8>,
    outcome: Result<usize, Refusal>,
}

/// How a request for a receipt ended.
#[derive(Debug)]
pub(super) enum Outcome {
    /// A new receipt, by its place in the books.
    New(usize),
    /// The receipt of an earlier request with the same id.
    Known(usize),
    Refused(Refusal),
}

/// What a request for a receipt came with.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) request_id: Option<String>,
    pub(super) body: &'a [u8],
    pub(super) at: OffsetDateTime,
    pub(super) remembered: Duration,
    pub(super) fails: bool,
}

impl Books {
    /// All receipts in the order in which they were accepted.
    #[must_use]
    pub fn receipts(&self) -> &[Receipt] {
        &self.receipts
    }

    /// All refusals.
    #[must_use]
    pub fn refused(&self) -> &[Refused] {
        &self.refused
    }

    /// A receipt by the vendor's id.
    #[must_use]
    pub fn receipt(&self, id: &str) -> Option<&Receipt> {
        self.by_id.get(id).and_then(|place| self.receipts.get(*place))
    }

    /// How many receipts each `InvoiceId` has, over all types.
    #[must_use]
    pub fn invoices(&self) -> HashMap<&str, u32> {
        let mut counts = HashMap::with_capacity(self.invoices.len());
        for ((invoice, _), count) in &self.invoices {
            *counts.entry(invoice.as_str()).or_default() += count;
        }
        counts
    }

    /// The books in a few numbers.
    #[must_use]
    pub fn summary(&self) -> Summary {
        Summary {
            receipts: self.receipts.len() - self.failed,
            distinct_invoices: self.invoices.len(),
            duplicated: self.duplicated.iter().cloned().collect(),
            processed: usize::try_from(self.processed).unwrap_or(usize::MAX),
            failed: self.failed,
            refused: self.refused.len(),
            repeated: self.repeated,
            notifications: self.notifications,
            violations: self.violations.clone(),
        }
    }

    pub(super) fn at(&self, place: usize) -> Option<&Receipt> {
        self.receipts.get(place)
    }

    pub(super) fn place(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// Takes a request for a receipt: answers it as before, refuses it, or accepts it.
    pub(super) fn ask(
        &mut self,
        asked: &Asked<'_>,
        check: impl FnOnce() -> Result<Checked, Refusal>,
    ) -> Outcome {
        if let Some(earlier) = self.earlier(asked) {
            return earlier;
        }
        if asked.request_id.is_none() {
            self.violations.add("POST /kkt/receipt without X-Request-ID".to_owned());
        }
        let outcome = check();
        if let Err(refusal) = &outcome {
            self.refuse(asked.request_id.clone(), refusal.clone());
        }
        let outcome = outcome.map(|checked| self.accept(checked, asked));
        if let Some(id) = &asked.request_id {
            let answer =
                Answer { at: asked.at, body: asked.body.to_vec(), outcome: outcome.clone() };
            self.answers.insert(id.clone(), answer);
        }
        outcome.map_or_else(Outcome::Refused, Outcome::New)
    }

    /// One look at the status: a queued receipt that has been looked at often enough is due afterwards.
    pub(super) fn look(&mut self, id: &str, looks: u32) -> Option<(Status, bool)> {
        let place = self.place(id)?;
        let receipt = self.receipts.get_mut(place)?;
        receipt.looks = receipt.looks.saturating_add(1);
        Some((receipt.status, receipt.status == Status::Queued && receipt.looks >= looks))
    }

    /// Fiscalises a queued receipt; answers it if that changed anything and it succeeded.
    pub(super) fn process(
        &mut self,
        place: usize,
        drive: &str,
        at: OffsetDateTime,
    ) -> Option<Receipt> {
        let receipt = self.receipts.get_mut(place)?;
        if receipt.status != Status::Queued {
            return None;
        }
        if receipt.fails {
            receipt.status = Status::Error;
            return None;
        }
        self.processed += 1;
        receipt.status = Status::Processed;
        receipt.fiscal = Some(fiscal(self.processed, drive, at));
        Some(receipt.clone())
    }

    pub(super) fn refuse(&mut self, request_id: Option<String>, refusal: Refusal) {
        if refusal.malformed {
            self.violations.add(format!("POST /kkt/receipt: {}", refusal.message));
        }
        self.refused.push(Refused { request_id, refusal });
    }

    fn earlier(&mut self, asked: &Asked<'_>) -> Option<Outcome> {
        let id = asked.request_id.as_ref()?;
        let answer = self.answers.get(id)?;
        if asked.at - answer.at >= asked.remembered {
            return None;
        }
        if answer.body != asked.body {
            self.violations.add(format!("X-Request-ID {id} came again with another body"));
            let message = "X-Request-ID was used for another request".to_owned();
            let refusal = Refusal { code: 27, message, malformed: false };
            self.refuse(Some(id.clone()), refusal.clone());
            return Some(Outcome::Refused(refusal));
        }
        self.repeated += 1;
        Some(match answer.outcome.clone() {
            Ok(place) => {
                if let Some(receipt) = self.receipts.get_mut(place) {
                    receipt.requested = receipt.requested.saturating_add(1);
                }
                Outcome::Known(place)
            }
            Err(refusal) => Outcome::Refused(refusal),
        })
    }

    fn accept(&mut self, checked: Checked, asked: &Asked<'_>) -> usize {
        let place = self.receipts.len();
        if asked.fails {
            self.failed += 1;
        } else {
            self.count(&checked);
        }
        let id = receipt_id(place);
        self.by_id.insert(id.clone(), place);
        self.receipts.push(Receipt {
            id,
            invoice_id: checked.invoice_id,
            account_id: checked.account_id,
            inn: checked.inn,
            kind: checked.kind,
            total_kopecks: checked.total_kopecks,
            items: checked.items,
            request_id: asked.request_id.clone(),
            requested: 1,
            looks: 0,
            status: Status::Queued,
            fiscal: None,
            calculation_place: checked.calculation_place,
            customer_receipt: checked.receipt,
            correction: checked.correction,
            fails: asked.fails,
        });
        place
    }

    fn count(&mut self, checked: &Checked) {
        // Several corrections may have one cause, and they have no name of ours.
        if checked.correction {
            return;
        }
        let key = (checked.invoice_id.clone(), checked.kind.clone());
        let count = self.invoices.entry(key).or_default();
        *count += 1;
        if *count > 1 {
            self.duplicated.insert(format!("{} {}", checked.invoice_id, checked.kind));
        }
    }
}
