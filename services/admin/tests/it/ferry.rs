//! A worker whose register refuses until somebody mends it.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    convert::Infallible,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use events::{Buyer, Event, Fact, MarksBy, Money, Order, OrderFact, OrderRef, Phase, Status, Text};
use runtime::{Class, Failure, Kit, Reason, StartError, Step, Worker};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

/// The register.
#[derive(Debug, Default)]
pub(crate) struct Register {
    /// What is wrong with orders, by id; all others are taken.
    pub(crate) wrong: HashMap<u64, (Class, String)>,
    /// Orders that were mended.
    pub(crate) mended: HashSet<u64>,
    /// Orders whose effect is refused after it was found, as a buyer refuses a document.
    pub(crate) refused_later: HashSet<u64>,
    /// Effects by order.
    pub(crate) effects: HashMap<u64, u32>,
    /// What was sent, as registers know it: told once more it is no second effect.
    keys: HashSet<(u64, bool)>,
    /// How often something was told once more.
    pub(crate) repeats: u32,
    /// What the message about each order said that had its effect.
    pub(crate) said: HashMap<u64, String>,
    /// When each order's last effect happened.
    pub(crate) at: HashMap<u64, Instant>,
}

/// The register as test and worker share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Books(Arc<Mutex<Register>>);

impl Books {
    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut Register) -> T) -> T {
        look(&mut self.0.lock().unwrap())
    }
}

impl std::str::FromStr for Books {
    type Err = Infallible;

    fn from_str(_: &str) -> Result<Self, Infallible> {
        Ok(Self::default())
    }
}

#[derive(clap::Args)]
pub(crate) struct Config {
    #[arg(long, default_value = "")]
    pub(crate) books: Books,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) enum State {
    #[default]
    New,
    /// A person has looked and found nothing.
    Anew,
    /// A person has looked and found it.
    Found,
    Done,
}

pub(crate) struct Ferry {
    books: Books,
}

impl Worker for Ferry {
    const NAME: &'static str = "ferry";
    const TOPICS: &'static [&'static str] = &["status.shop", "order.created"];
    type Config = Config;
    type State = State;

    async fn build(config: Config, _: Kit) -> Result<Self, StartError> {
        Ok(Self { books: config.books })
    }

    fn absent(_: State) -> State {
        State::Anew
    }

    fn found(_: State) -> Step<State> {
        Step::again(State::Found)
    }

    async fn step(&self, event: &Event, state: State) -> Result<Step<State>, Failure> {
        let order = event.order().unwrap();
        if matches!(state, State::Found) {
            let (ru, en) = ("Покупатель отказал. Исправьте и повторите.", "The buyer refused.");
            return Ok(match self.books.with(|books| books.refused_later.contains(&order.id)) {
                true => Step::stop(State::New, Reason::new(Class::Refused, "later", ru, en)),
                false => Step::done(State::Done),
            });
        }
        if matches!(state, State::Done) {
            return Ok(Step::done(State::Done));
        }
        let anew = matches!(state, State::Anew);
        let wrong = self.books.with(|books| {
            let wrong = books.wrong.get(&order.id).cloned();
            wrong.filter(|_| !anew && !books.mended.contains(&order.id))
        });
        if let Some((class, code)) = wrong {
            let number = &order.number;
            let ru = format!("Заказ {number}: регистр не принял ({code}). Исправьте и повторите.");
            let en = format!("Order {number}: the register did not take it ({code}).");
            let reason = Reason::new(class, code, ru, en).evidence("HTTP 400 {\"no\":true}");
            return Err(Failure::Dead(reason));
        }
        self.books.with(|books| {
            if !books.keys.insert((order.id, anew)) {
                books.repeats += 1;
                return;
            }
            *books.effects.entry(order.id).or_default() += 1;
            books.at.insert(order.id, Instant::now());
            if let Fact::StatusChanged(status) = &event.fact {
                books.said.insert(order.id, status.text.en.clone());
            }
        });
        let done = status("ferry", order.clone(), event.id(), Phase::Done, "crossed");
        Ok(Step::done(State::Done).emit(done))
    }
}

/// An event that the ferry takes.
pub(crate) fn crossing(order: u64) -> Event {
    status("shop", key(order), Uuid::nil(), Phase::Working, "crossing")
}

/// The order of this id.
pub(crate) fn key(order: u64) -> OrderRef {
    let shop = "main".parse().unwrap();
    OrderRef { shop, id: order, number: format!("N-{order}"), site: true }
}

/// The shop says that an order was made, or with an occurrence that it was changed since.
pub(crate) fn placed(order: u64, occurrence: Option<u32>) -> Event {
    let noon = time::macros::datetime!(2026-11-20 12:00 +3);
    let updated = noon + time::Duration::minutes(i64::from(occurrence.unwrap_or(0)));
    let order = Order {
        key: key(order),
        version: None,
        status: "N".to_owned(),
        canceled: false,
        created_at: noon,
        updated_at: updated,
        price: Money::from_kopecks(148_100),
        buyer: Buyer::default(),
        lines: vec![],
        delivery: None,
        payments: vec![],
        shipments: vec![],
        properties: BTreeMap::new(),
        marks_by: MarksBy::default(),
    };
    let fact = OrderFact { order, occurrence: occurrence.unwrap_or(1) };
    match occurrence {
        None => Event::new(Fact::OrderCreated(Box::new(fact)), noon),
        Some(_) => Event::new(Fact::OrderChanged(Box::new(fact)), OffsetDateTime::now_utc()),
    }
}

/// A status of a service.
pub(crate) fn status(
    service: &str,
    order: OrderRef,
    cause: Uuid,
    phase: Phase,
    code: &str,
) -> Event {
    let status = Status {
        service: service.to_owned(),
        step: format!("{} {code}", order.id),
        text: Text::new(
            format!("Заказ {}: {code}.", order.number),
            format!("Order {}: {code}.", order.number),
        ),
        order,
        cause,
        phase,
        code: code.to_owned(),
        properties: BTreeMap::from([("FERRY_TICKET".to_owned(), format!("T-{code}"))]),
        links: BTreeMap::new(),
    };
    Event::new(Fact::StatusChanged(Box::new(status)), OffsetDateTime::now_utc())
}

/// Longer than anything here takes.
pub(crate) const LONG: Duration = Duration::from_secs(60);
