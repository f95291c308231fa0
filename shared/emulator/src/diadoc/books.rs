//! Books of buyers, messages and events. Nothing here does I/O.

use std::collections::{BTreeMap, HashMap, VecDeque};

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::{ticks, uuid};
use crate::violations::Violations;

/// Everything the operator has on record.
#[derive(Debug, Default)]
pub struct Books {
    pub(super) buyers: Vec<Buyer>,
    pub(super) messages: Vec<Message>,
    pub(super) by_id: HashMap<String, usize>,
    /// Operations by their key in lower case: answered, or so many asks away from it.
    pub(super) operations: BTreeMap<String, Operation>,
    pub(super) events: Vec<Event>,
    /// Signings at Diadoc, and how the next ones end, if not well.
    pub(super) cloud: HashMap<String, super::cloud::Task>,
    pub(super) cloud_ends: VecDeque<String>,
    pub(super) tokens: HashMap<String, OffsetDateTime>,
    pub(super) refresh: Option<String>,
    spent: Vec<String>,
    hits: VecDeque<OffsetDateTime>,
    last_ticks: i64,
    pub(super) sign_ins: usize,
    requests: usize,
    throttled: usize,
    most_at_once: usize,
    pub(super) repeats: usize,
    pub(super) refused: Vec<String>,
    pub(crate) violations: Violations,
}

/// A buyer with a box.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Buyer {
    /// INN.
    pub inn: String,
    /// KPP; empty for entrepreneurs.
    #[serde(default)]
    pub kpp: String,
    /// The box's GUID.
    pub box_id: String,
    /// The identifier as a participant of exchange.
    pub participant: String,
    /// The name.
    #[serde(default = "name")]
    pub name: String,
    /// Whether it works.
    #[serde(default = "yes")]
    pub active: bool,
    /// Whether it is with another operator.
    #[serde(default)]
    pub roaming: bool,
    /// Whether it is a branch.
    #[serde(default)]
    pub branch: bool,
    /// Whether it is for tests.
    #[serde(default)]
    pub test: bool,
    /// `AllOrganizations` or `CounteragentsOnly`.
    #[serde(default = "all")]
    pub sociability: String,
    /// `IsMyCounteragent`, `IsInvitedByMe`, …
    #[serde(default = "partner")]
    pub status: String,
    /// How it answers documents by itself, if it does.
    #[serde(default)]
    pub answers: Answers,
}

fn name() -> String {
    "ООО «Покупатель»".to_owned()
}

fn all() -> String {
    "AllOrganizations".to_owned()
}

fn partner() -> String {
    "IsMyCounteragent".to_owned()
}

const fn yes() -> bool {
    true
}

impl Buyer {
    /// A partner who takes from all.
    #[must_use]
    pub fn new(inn: &str, kpp: &str, box_id: &str) -> Self {
        Self {
            inn: inn.to_owned(),
            kpp: kpp.to_owned(),
            box_id: box_id.to_owned(),
            participant: format!("2BM-{inn}-{kpp}-000000000000000000002"),
            name: name(),
            active: true,
            roaming: false,
            branch: false,
            test: false,
            sociability: all(),
            status: partner(),
            answers: Answers::default(),
        }
    }
}

/// How a buyer answers by himself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answers {
    /// Not at all.
    #[default]
    Never,
    /// He signs after some looks at the document.
    Signs,
}

/// What a buyer has answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum Answered {
    /// He has signed.
    Signed,
    /// He has refused, in an XML or (`universal`) in a universal message.
    Rejected {
        /// Why.
        text: String,
        /// In which form.
        #[serde(default)]
        universal: bool,
    },
    /// His signature is wrong.
    WrongSignature,
    /// He asks for a correction.
    CorrectionAsked {
        /// What is wrong.
        text: String,
    },
    /// He asks for the powers of who signed.
    PowersAsked,
    /// A correcting document (УКД) to it was sent, by hand.
    Corrected,
    /// He asks to revoke.
    RevocationAsked,
    /// Both have agreed to revoke.
    Revoked,
    /// Our own signature was found wrong later.
    OwnSignatureWrong,
    /// The other operator could not take it.
    RoamingFailed {
        /// Why.
        text: String,
    },
    /// Somebody has deleted it.
    Deleted,
}

/// A message with one document.
#[derive(Debug, Clone, Serialize)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// The document's.
    pub entity: String,
    /// The receiver's box.
    pub to: String,
    /// The sender's name for the document.
    pub custom: String,
    /// `TypeNamedId`.
    pub kind: String,
    /// `Function`.
    pub function: String,
    /// `Version`.
    pub version: String,
    /// The file's name.
    pub file_name: String,
    /// `НомерДок`.
    pub number: String,
    /// The sum with VAT, as it is written.
    pub total: String,
    /// The exact bytes.
    #[serde(skip)]
    pub content: Vec<u8>,
    /// The document that this one corrects: message and entity.
    pub corrects: Option<(String, String)>,
    /// When it was taken.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// When it last changed, in ticks.
    pub changed: i64,
    /// Looks so far.
    pub looks: u32,
    /// When it reached the buyer, in ticks; zero before.
    pub delivered: i64,
    /// What was answered, oldest first.
    pub answers: Vec<Answered>,
}

/// An operation under a key.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    /// How many asks it still runs for.
    pub(super) runs: u32,
    /// The message that it made.
    pub(super) message: String,
}

/// An event of the feed.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) index: u64,
    pub(super) ticks: i64,
    pub(super) message: String,
    pub(super) is_patch: bool,
}

/// The books in a few numbers.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// Documents that were taken.
    pub documents: usize,
    /// Numbers of documents that stand more than once: neither refused, revoked nor corrected in between.
    pub doubled: Vec<String>,
    /// Sendings under a key that was answered already.
    pub repeats: usize,
    /// Sign-ins that gave a token.
    pub sign_ins: usize,
    /// All requests that came within the rate.
    pub requests: usize,
    /// Requests beyond the rate, or beside too many others.
    pub throttled: usize,
    /// The most requests under way at once.
    pub most_at_once: usize,
    /// Documents that were not taken.
    pub refused: Vec<String>,
    /// Breaches of the protocol.
    #[serde(flatten)]
    pub violations: Violations,
}

impl Message {
    fn is_void(&self) -> bool {
        use Answered::{Corrected, PowersAsked, RevocationAsked, Signed};

        let stands = |answer: &Answered| {
            matches!(answer, Signed | RevocationAsked | PowersAsked | Corrected)
        };
        !self.answers.iter().all(stands)
    }
}

impl Books {
    /// All messages in the order in which they were taken.
    #[must_use]
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// Puts a buyer on record, or another in his place.
    pub fn put(&mut self, buyer: Buyer) {
        self.buyers.retain(|own| own.box_id != buyer.box_id);
        self.buyers.push(buyer);
    }

    /// The buyer with this box.
    pub(super) fn buyer(&self, box_id: &str) -> Option<&Buyer> {
        let plain = |text: &str| text.replace('-', "").to_lowercase();
        self.buyers.iter().find(|buyer| plain(&buyer.box_id) == plain(box_id))
    }

    /// Changes how we and a buyer stand.
    pub fn relate(&mut self, box_id: &str, status: &str) {
        if let Some(buyer) = self.buyers.iter_mut().find(|buyer| buyer.box_id == box_id) {
            status.clone_into(&mut buyer.status);
        }
    }

    /// The message with this id.
    #[must_use]
    pub fn message(&self, id: &str) -> Option<&Message> {
        self.by_id.get(id).and_then(|place| self.messages.get(*place))
    }

    pub(super) fn message_mut(&mut self, id: &str) -> Option<&mut Message> {
        let place = self.by_id.get(id).copied()?;
        self.messages.get_mut(place)
    }

    /// The buyer, or somebody, answers a document. `false` where there is none.
    pub fn answer(&mut self, message: &str, answered: Answered, at: OffsetDateTime) -> bool {
        let changed = self.next_ticks(at);
        let Some(own) = self.message_mut(message) else { return false };
        own.answers.push(answered);
        own.changed = changed;
        self.happened(message, true, changed);
        true
    }

    pub(super) fn take(&mut self, message: Message, at: OffsetDateTime) {
        let changed = self.next_ticks(at);
        let id = message.id.clone();
        self.by_id.insert(id.clone(), self.messages.len());
        self.messages.push(Message { changed, ..message });
        self.happened(&id, false, changed);
    }

    /// Notes a look: what is due by looks happens.
    pub(super) fn look(&mut self, id: &str, at: OffsetDateTime, delivers: u32, signs: u32) {
        let answers = self
            .message(id)
            .and_then(|message| self.buyer(&message.to))
            .map_or(Answers::Never, |buyer| buyer.answers);
        let Some(message) = self.message_mut(id) else { return };
        message.looks += 1;
        let looks = message.looks;
        if looks > delivers && message.delivered == 0 {
            message.delivered = ticks(at);
            let changed = message.changed;
            self.happened(id, true, changed);
        }
        let is_answered = self.message(id).is_some_and(|message| !message.answers.is_empty());
        if answers == Answers::Signs && looks > signs && !is_answered {
            self.answer(id, Answered::Signed, at);
        }
    }

    /// Two events share a place: who asks for what stands after it misses the second.
    fn happened(&mut self, message: &str, is_patch: bool, ticks: i64) {
        let index = u64::try_from(self.events.len() / 2).unwrap_or(u64::MAX);
        let message = message.to_owned();
        self.events.push(Event { id: uuid(), index, ticks, message, is_patch });
    }

    /// A moment not before the last one; events of one place share theirs.
    fn next_ticks(&mut self, at: OffsetDateTime) -> i64 {
        let shares = !self.events.len().is_multiple_of(2);
        self.last_ticks = if shares { self.last_ticks } else { ticks(at).max(self.last_ticks + 1) };
        self.last_ticks
    }

    pub(super) fn hit(&mut self, now: OffsetDateTime, rate: u32, at_once: usize) -> bool {
        self.most_at_once = self.most_at_once.max(at_once);
        if rate == 0 {
            self.requests += 1;
            return true;
        }
        while self.hits.front().is_some_and(|hit| now - *hit >= Duration::seconds(1)) {
            self.hits.pop_front();
        }
        let most = usize::try_from(rate).unwrap_or(usize::MAX);
        if self.hits.len() >= most {
            self.throttled += 1;
            return false;
        }
        self.hits.push_back(now);
        self.requests += 1;
        true
    }

    /// A new access token, and the refresh token that replaces `given`. `None` for a wrong one; one that was
    /// used already ends them all.
    pub(super) fn rotate(
        &mut self,
        given: &str,
        first: &str,
        now: OffsetDateTime,
        holds: u32,
    ) -> Option<(String, String)> {
        let current = self.refresh.clone().unwrap_or_else(|| first.to_owned());
        if given != current {
            if self.spent.iter().any(|spent| spent == given) {
                self.violations.add("a refresh token was used twice".to_owned());
            }
            return None;
        }
        self.spent.push(current);
        let next = format!("refresh-{}", uuid());
        self.refresh = Some(next.clone());
        Some((self.token(now, holds), next))
    }

    pub(super) fn token(&mut self, now: OffsetDateTime, holds: u32) -> String {
        let token = format!("token-{}", uuid());
        self.tokens.insert(token.clone(), now + Duration::seconds(i64::from(holds)));
        self.sign_ins += 1;
        token
    }

    /// The next signing at Diadoc ends so (`CanceledByUser`, `Timeout`, …).
    pub fn next_signing_ends(&mut self, status: &str) {
        self.cloud_ends.push_back(status.to_owned());
    }

    /// No key is known any more, as after a long time: what was sent stays.
    pub fn forget_operations(&mut self) {
        self.operations.clear();
    }

    /// Every token is refused from now on.
    pub fn revoke(&mut self) {
        self.tokens.clear();
    }

    /// The refresh token is not known any more, as after a change of secrets.
    pub fn forget_refresh(&mut self, instead: &str) {
        self.refresh = Some(instead.to_owned());
    }

    /// The books in a few numbers.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut standing: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for message in self.messages.iter().filter(|message| !message.is_void()) {
            *standing.entry((&message.to, &message.number)).or_default() += 1;
        }
        let doubled = standing.iter().filter(|(_, count)| **count > 1);
        Summary {
            documents: self.messages.len(),
            doubled: doubled.map(|((_, number), _)| (*number).to_owned()).collect(),
            repeats: self.repeats,
            sign_ins: self.sign_ins,
            requests: self.requests,
            throttled: self.throttled,
            most_at_once: self.most_at_once,
            refused: self.refused.clone(),
            violations: self.violations.clone(),
        }
    }
}
