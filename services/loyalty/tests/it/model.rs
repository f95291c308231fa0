//! The ledger as one would keep it on a sheet of paper: three numbers and a list of operations,
//! without lots. For accounts without expiry the real one must say the same.

use std::collections::HashMap;

use loyalty::ledger::{Beyond, Kind, What};

/// One customer's sheet.
#[derive(Debug, Default, Clone)]
pub(crate) struct Model {
    /// Everything earned less everything spent.
    pub(crate) posted: i64,
    /// Promised to open holds.
    pub(crate) held: i64,
    operations: HashMap<String, Line>,
    waiting: Vec<(String, What)>,
}

#[derive(Debug, Clone)]
struct Line {
    what: What,
    word: &'static str,
    applied: i64,
    undone: i64,
    open: bool,
    captured: i64,
}

impl Model {
    pub(crate) fn available(&self) -> i64 {
        (self.posted - self.held).max(0)
    }

    pub(crate) fn debt(&self) -> i64 {
        (self.held - self.posted).max(0)
    }

    /// What is answered to an operation.
    pub(crate) fn apply(&mut self, id: &str, what: &What) -> &'static str {
        if let Some(line) = self.operations.get(id) {
            return match same(&line.what, what) {
                true if matches!(line.word, "ok" | "ok_overdraft" | "partial") => "already_exists",
                true => line.word,
                false => "conflict_payload_mismatch",
            };
        }
        if let Some((_, waiting)) = self.waiting.iter().find(|(name, _)| name == id) {
            return if same(waiting, what) { "parked" } else { "conflict_payload_mismatch" };
        }
        if what.of().is_some_and(|of| !self.operations.contains_key(&of.external_id)) {
            self.waiting.push((id.to_owned(), what.clone()));
            return "parked";
        }
        let word = self.carry_out(id, what);
        let waiting = std::mem::take(&mut self.waiting);
        let (now, later): (Vec<_>, Vec<_>) = waiting
            .into_iter()
            .partition(|(_, what)| what.of().is_some_and(|of| of.external_id == id));
        self.waiting = later;
        let woke = !now.is_empty();
        for (name, what) in now {
            self.apply(&name, &what);
        }
        let line = &self.operations[id];
        let undone = match line.what.kind() {
            Kind::Hold => line.applied > 0 && !line.open && line.captured == 0,
            _ => line.applied > 0 && line.undone == line.applied,
        };
        if woke && undone { "ok_then_reversed" } else { word }
    }

    fn carry_out(&mut self, id: &str, what: &What) -> &'static str {
        let mut line = Line {
            what: what.clone(),
            word: "ok",
            applied: 0,
            undone: 0,
            open: false,
            captured: 0,
        };
        let before = (self.posted, self.held);
        match what {
            What::Accrual { amount, .. } => {
                self.posted += amount;
                line.applied = *amount;
            }
            What::Debit { amount, beyond } => {
                let short = (amount - self.available()).max(0);
                (line.word, line.applied) = match beyond {
                    _ if short == 0 => ("ok", *amount),
                    Beyond::Allow(limit) if self.debt() + short <= *limit => {
                        ("ok_overdraft", *amount)
                    }
                    Beyond::Part if self.available() > 0 => ("partial", self.available()),
                    _ => ("insufficient_balance", 0),
                };
                self.posted -= line.applied;
            }
            What::Hold { amount, .. } if *amount <= self.available() => {
                self.held += amount;
                (line.applied, line.open) = (*amount, true);
            }
            What::Hold { .. } => line.word = "insufficient_balance",
            What::Capture { of, amount } => line.word = self.capture(&of.external_id, *amount),
            What::Release { of, amount } => line.word = self.release(&of.external_id, *amount),
            What::Reversal { of, amount } => line.word = self.reverse(&of.external_id, *amount),
            _ => unreachable!("not in these tests"),
        }
        if what.of().is_some() && line.word == "ok" {
            line.applied = (before.0 - self.posted).abs().max((before.1 - self.held).abs());
        }
        let word = line.word;
        self.operations.insert(id.to_owned(), line);
        word
    }

    fn capture(&mut self, of: &str, amount: Option<i64>) -> &'static str {
        let hold = self.operations.get_mut(of).unwrap();
        match hold.what.kind() {
            _ if hold.word == "insufficient_balance" => return "nothing_to_undo",
            Kind::Hold if hold.open => {}
            _ if !done(hold.word) => return "nothing_to_undo",
            Kind::Hold if hold.captured > 0 => return "already_captured",
            Kind::Hold => return "already_released",
            _ => return "wrong_reference",
        }
        let amount = amount.unwrap_or(hold.applied);
        if amount > hold.applied {
            return "exceeds_hold";
        }
        (hold.open, hold.captured) = (false, amount);
        self.held -= hold.applied;
        self.posted -= amount;
        "ok"
    }

    fn release(&mut self, of: &str, amount: Option<i64>) -> &'static str {
        let target = self.operations.get_mut(of).unwrap();
        match target.what.kind() {
            _ if !done(target.word) => "nothing_to_undo",
            Kind::Hold if !target.open && target.captured > 0 => "already_captured",
            Kind::Hold if !target.open => "already_released",
            Kind::Hold if amount.is_some_and(|amount| amount > target.applied) => "exceeds_hold",
            Kind::Hold if amount.is_some_and(|amount| amount < target.applied) => "amount_differs",
            Kind::Hold => {
                target.open = false;
                self.held -= target.applied;
                "ok"
            }
            Kind::Debit => {
                let amount = amount.filter(|amount| target.what.amount() != Some(*amount));
                let (word, back) = undo(target, target.applied, amount, "already_released");
                self.posted += back;
                word
            }
            _ => "wrong_reference",
        }
    }

    fn reverse(&mut self, of: &str, amount: Option<i64>) -> &'static str {
        let target = &self.operations[of];
        let kind = target.what.kind();
        // A capture's points are undone at its hold.
        let of = match (&target.what, target.word) {
            (What::Capture { of, .. }, "ok") => of.external_id.clone(),
            _ => of.to_owned(),
        };
        let target = self.operations.get_mut(&of).unwrap();
        match kind {
            _ if !done(target.word) => "nothing_to_undo",
            Kind::Accrual => {
                let (word, back) = undo(target, target.applied, amount, "already_reversed");
                self.posted -= back;
                word
            }
            Kind::Hold if target.open => "wrong_reference",
            Kind::Debit | Kind::Hold | Kind::Capture => {
                let spent =
                    if target.what.kind() == Kind::Hold { target.captured } else { target.applied };
                let (word, back) = undo(target, spent, amount, "already_reversed");
                self.posted += back;
                word
            }
            _ => "wrong_reference",
        }
    }
}

/// What a repeat must say again: not the policy, which is the caller's setting.
fn same(one: &What, other: &What) -> bool {
    let content = |what: &What| (what.kind(), what.amount(), what.of().cloned());
    content(one) == content(other)
}

fn done(word: &str) -> bool {
    matches!(word, "ok" | "ok_overdraft" | "partial")
}

fn undo(
    target: &mut Line,
    whole: i64,
    amount: Option<i64>,
    spent_up: &'static str,
) -> (&'static str, i64) {
    let left = whole - target.undone;
    match amount {
        None if left == 0 && whole == 0 => ("already_released", 0),
        None if left == 0 => (spent_up, 0),
        Some(amount) if amount > left => ("exceeds_original", 0),
        amount => {
            let amount = amount.unwrap_or(left);
            target.undone += amount;
            ("ok", amount)
        }
    }
}
