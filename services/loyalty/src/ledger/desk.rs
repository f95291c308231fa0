//! What operations have to do with each other: repeats, conflicts, references, who is meant.

use std::collections::{BTreeMap, BTreeSet};

use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Answer, Book, Content, CustomerId, Entries, Found, Key, Kind, Known, Lapse, Note, Outcome,
    Past, Request, Waits, book::Case,
};

/// A line of the journal, to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The operation's id.
    pub id: Uuid,
    /// Its name.
    pub key: Key,
    /// What was asked.
    pub content: Content,
    /// The operation that it refers to.
    pub of: Option<Uuid>,
    /// Whose points.
    pub customer: CustomerId,
    /// What became of it.
    pub outcome: Outcome,
    /// How many kopecks moved.
    pub applied: i64,
    /// The entries.
    pub entries: Entries,
    /// When it happened.
    pub effective_at: OffsetDateTime,
    /// When it was recorded.
    pub recorded_at: OffsetDateTime,
    /// For people.
    pub note: Note,
}

/// Everything that a group of requests needs to know, and what it did.
#[derive(Debug, Default)]
pub struct Desk {
    /// Who has which phone.
    pub phones: BTreeMap<String, Found>,
    /// The points of the customers concerned.
    pub books: BTreeMap<CustomerId, Book>,
    /// Operations decided before, by name.
    pub known: BTreeMap<Key, Known>,
    /// Operations that wait, by name, in the order in which they came.
    pub parked: Vec<(Request, Waits)>,
    /// Lines to be written, in order.
    pub records: Vec<Record>,
    /// Operations to be kept waiting.
    pub to_park: Vec<(Request, Waits)>,
    /// Operations that wait no more.
    pub to_wake: BTreeSet<Key>,
    /// What became of operations that had waited: nobody is there to be answered.
    pub woken: Vec<(Request, Answer)>,
}

impl Desk {
    /// Handles one request at the time `now`.
    pub fn handle(&mut self, request: &Request, now: OffsetDateTime, lapse: Lapse) -> Answer {
        let content = Content::of(request);
        if let Some(known) = self.known.get(&request.key) {
            return compare(content, known.content.clone(), Answer::Repeated(known.clone()));
        }
        let waiting = self.parked.iter().find(|(parked, _)| parked.key == request.key).cloned();
        if let Some((parked, _)) = waiting {
            // Perhaps it waits for nothing any more, or for something else.
            let looked = self.resume(&parked, now, lapse).unwrap_or_else(Answer::Parked);
            return compare(content, Content::of(&parked), looked);
        }
        match self.decide(request, now, lapse) {
            Ok(known) => Answer::Decided(known),
            Err(waits) => {
                self.parked.push((request.clone(), waits));
                self.to_park.push((request.clone(), waits));
                Answer::Parked(waits)
            }
        }
    }

    /// Looks again at an operation that waits; `true` when it waits no more.
    pub fn retry(&mut self, request: &Request, now: OffsetDateTime, lapse: Lapse) -> bool {
        match self.resume(request, now, lapse) {
            Ok(answer) => {
                self.woken.push((request.clone(), answer));
                true
            }
            Err(_) => false,
        }
    }

    fn resume(
        &mut self,
        request: &Request,
        now: OffsetDateTime,
        lapse: Lapse,
    ) -> Result<Answer, Waits> {
        let answer = match self.known.get(&request.key) {
            // Another replica carried something out under this name while it was parked here.
            Some(known) => {
                let same = Answer::Repeated(known.clone());
                compare(Content::of(request), known.content.clone(), same)
            }
            None => Answer::Decided(self.decide(request, now, lapse)?),
        };
        self.parked.retain(|(parked, _)| parked.key != request.key);
        self.to_park.retain(|(parked, _)| parked.key != request.key);
        self.to_wake.insert(request.key.clone());
        Ok(answer)
    }

    /// Does what time has done to every book here.
    pub fn settle(&mut self, now: OffsetDateTime, lapse: Lapse) {
        let customers: Vec<CustomerId> = self.books.keys().copied().collect();
        for customer in customers {
            self.settle_one(customer, now, lapse);
        }
    }

    fn decide(
        &mut self,
        request: &Request,
        now: OffsetDateTime,
        lapse: Lapse,
    ) -> Result<Known, Waits> {
        let target = request.what.of().map(|of| self.known.get(of).cloned());
        let customer = match (request.customer, request.phone, &target) {
            (Some(customer), ..) => customer,
            // Whose phone it was when the other operation was carried out, he is meant, whoever
            // has it now.
            (None, phone, Some(Some(target))) if target.is_of(phone) => target.customer,
            (None, Some(phone), _) => match self.phones.get(&phone.to_string()) {
                Some(Found::One(customer)) => *customer,
                Some(Found::Several) => return Err(Waits::Decision),
                Some(Found::Nobody) | None => return Err(Waits::Customer),
            },
            (None, None, _) => return Err(Waits::Reference),
        };
        if matches!(target, Some(None)) {
            return Err(Waits::Reference);
        }
        self.settle_one(customer, now, lapse);
        let target = target.flatten();
        let stranger = target.as_ref().is_some_and(|target| target.customer != customer);
        let refused = target.as_ref().is_some_and(|target| !target.outcome.is_done());
        let case = Case {
            id: request.id,
            key: &request.key,
            effective_at: request.effective_at,
            now,
            lapse,
        };
        let (outcome, applied, entries) = if stranger {
            (Outcome::WrongReference, 0, Entries::default())
        } else if refused {
            (Outcome::NothingToUndo, 0, Entries::default())
        } else {
            self.books.entry(customer).or_default().apply(case, &request.what)
        };
        let known = Known {
            id: request.id,
            customer,
            content: Content::of(request),
            outcome,
            applied,
            undone_at_once: false,
        };
        self.known.insert(request.key.clone(), known.clone());
        self.records.push(Record {
            id: request.id,
            key: request.key.clone(),
            content: known.content.clone(),
            of: target.map(|target| target.id),
            customer,
            outcome,
            applied,
            entries,
            effective_at: request.effective_at.min(now),
            recorded_at: now,
            note: request.note.clone(),
        });
        Ok(self.wake(&request.key, now, lapse).unwrap_or(known))
    }

    /// Carries out what waited for this operation; tells whether it was undone by that.
    fn wake(&mut self, key: &Key, now: OffsetDateTime, lapse: Lapse) -> Option<Known> {
        let waiting: Vec<Request> = self
            .parked
            .iter()
            .filter(|(parked, _)| parked.what.of() == Some(key))
            .map(|(parked, _)| parked.clone())
            .collect();
        for parked in &waiting {
            self.retry(parked, now, lapse);
        }
        let known = self.known.get_mut(key)?;
        let past = self.books.get(&known.customer)?.past.get(key)?;
        known.undone_at_once = !waiting.is_empty() && is_undone(past);
        Some(known.clone())
    }

    fn settle_one(&mut self, customer: CustomerId, now: OffsetDateTime, lapse: Lapse) {
        let book = self.books.entry(customer).or_default();
        let dues = book.settle(now, lapse);
        for due in dues {
            let of = match &due.what {
                super::What::Maturity { lot } | super::What::Expiry { lot } => Some(*lot),
                what => what.of().and_then(|of| book.past.get(of)).map(|hold| hold.id),
            };
            let content = Content {
                kind: due.what.kind(),
                amount: None,
                phone: None,
                of: due.what.of().cloned(),
            };
            self.records.push(Record {
                id: due.id,
                key: due.key,
                content,
                of,
                customer,
                outcome: Outcome::Ok,
                applied: due.applied,
                entries: due.entries,
                effective_at: due.at.min(now),
                recorded_at: now,
                note: Note::default(),
            });
        }
    }
}

fn is_undone(past: &Past) -> bool {
    match past.kind {
        Kind::Hold => !past.open && past.captured == 0,
        _ => past.applied > 0 && past.undone == past.applied,
    }
}

fn compare(given: Content, recorded: Content, same: Answer) -> Answer {
    if given == recorded { same } else { Answer::Conflict { recorded, given } }
}
