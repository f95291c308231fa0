//! A worker whose register is a script in the test.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use events::{Channel, Event, Fact, OrderRef, Phase, Status, Text, Webhook};
use runtime::{Class, Failure, Kit, Reason, StartError, Step, Worker};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

/// What the register is to do with the events of one order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Act {
    /// Takes it.
    Take,
    /// Fails this many times, then takes it.
    FailFirst(u32),
    /// Always fails.
    Fail,
    /// Refuses it; a replay is taken.
    RefuseOnce,
    /// Panics.
    Panic,
    /// Takes it after this many looks.
    Look(u32),
    /// Does not answer for so long.
    Slow(Duration),
    /// Says something and waits for so long.
    SayAndWait(Duration),
    /// Is dead with this English text, once.
    Bury(String),
}

/// The register: what it does, and what was done to it.
#[derive(Debug, Default)]
pub(crate) struct Register {
    acts: HashMap<u64, Act>,
    tries: HashMap<u64, u32>,
    pub(crate) effects: HashMap<u64, u32>,
    pub(crate) away: bool,
    pub(crate) calls: u32,
}

/// The register as test and worker share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Books(Arc<Mutex<Register>>);

impl Books {
    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut Register) -> T) -> T {
        look(&mut self.0.lock().unwrap())
    }

    pub(crate) fn script(&self, order: u64, act: Act) {
        self.with(|register| register.acts.insert(order, act));
    }

    pub(crate) fn effects(&self, order: u64) -> u32 {
        self.with(|register| register.effects.get(&order).copied().unwrap_or(0))
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
    /// Written ahead of the effect.
    Sending,
    Looking(u32),
    Done,
    NextRevision,
}

pub(crate) struct Ferry {
    books: Books,
}

impl Worker for Ferry {
    const NAME: &'static str = "ferry";
    const TOPICS: &'static [&'static str] = &["status.shop"];
    type Config = Config;
    type State = State;

    async fn build(config: Config, _: Kit) -> Result<Self, StartError> {
        Ok(Self { books: config.books })
    }

    fn absent(_: State) -> State {
        State::NextRevision
    }

    async fn step(&self, event: &Event, state: State) -> Result<Step<State>, Failure> {
        let order = event.order().unwrap().id;
        let act = self.books.with(|register| {
            register.calls += 1;
            if register.away {
                return None;
            }
            Some(register.acts.get(&order).cloned().unwrap_or(Act::Take))
        });
        let Some(act) = act else { return Err(Failure::Down(reason("away"))) };
        match (state, act) {
            (State::New, Act::Panic) => panic!("as the script says"),
            (State::New, Act::SayAndWait(wait)) => {
                let order = event.order().unwrap().clone();
                let word = status("ferry", order, event.id(), Phase::Working);
                Ok(Step::wait(State::Looking(1), wait).emit(word))
            }
            (State::New, Act::Bury(text)) => {
                Err(Failure::Dead(Reason::new(Class::Invalid, "bad", "Плохо.", text)))
            }
            (State::New, Act::RefuseOnce) => Ok(Step::stop(State::NextRevision, reason("refused"))),
            (State::New, Act::Look(looks)) => {
                Ok(Step::wait(State::Looking(looks), Duration::from_millis(20)))
            }
            (State::Looking(1), _) => Ok(Step::again(State::Sending)),
            (State::Looking(left), _) => {
                Ok(Step::wait(State::Looking(left - 1), Duration::from_millis(20)))
            }
            (State::New, Act::Fail) => Err(Failure::Retry(reason("fails"), None)),
            (State::New, Act::FailFirst(times)) if self.tries(order) <= times => {
                Err(Failure::Retry(reason("fails"), None))
            }
            (State::New, _) => Ok(Step::again(State::Sending)),
            (State::NextRevision | State::Sending, act) => {
                if let Act::Slow(time) = act {
                    tokio::time::timeout(time, std::future::pending::<()>()).await.ok();
                }
                self.books.with(|register| *register.effects.entry(order).or_default() += 1);
                Ok(Step::done(State::Done).emit(answer(event)))
            }
            (State::Done, _) => Ok(Step::done(State::Done)),
        }
    }
}

impl Ferry {
    fn tries(&self, order: u64) -> u32 {
        self.books.with(|register| {
            let tries = register.tries.entry(order).or_default();
            *tries += 1;
            *tries
        })
    }
}

fn reason(code: &str) -> Reason {
    Reason::new(Class::Refused, code, "Регистр отказал.", "The register said no.")
}

/// What the worker tells when it is done.
fn answer(event: &Event) -> Event {
    let order = event.order().unwrap().clone();
    status("ferry", order, event.id(), Phase::Done)
}

/// An event that the ferry takes: a status of a service "shop".
pub(crate) fn crossing(order: u64) -> Event {
    let shop = "main".parse().unwrap();
    let order = OrderRef { shop, id: order, number: format!("N{order}"), site: true };
    status("shop", order, Uuid::nil(), Phase::Working)
}

/// An event with an order whose failures are told to the shop.
pub(crate) fn webhook(order: u64) -> Event {
    let shop: events::ShopId = "main".parse().unwrap();
    let key = OrderRef { shop: shop.clone(), id: order, number: format!("N{order}"), site: true };
    let call = Uuid::new_v5(&Uuid::nil(), &order.to_be_bytes());
    let webhook = Webhook {
        call,
        shop,
        channel: Channel::Site,
        name: String::new(),
        entity: None,
        order: Some(key),
        body: None,
    };
    Event::new(Fact::WebhookReceived(webhook), OffsetDateTime::now_utc())
}

fn status(service: &str, order: OrderRef, cause: Uuid, phase: Phase) -> Event {
    let status = Status {
        service: service.to_owned(),
        step: format!("{}", order.id),
        order,
        cause,
        phase,
        code: "test".to_owned(),
        text: Text::new("Проверка.", "A test."),
        properties: std::collections::BTreeMap::new(),
        links: std::collections::BTreeMap::new(),
    };
    Event::new(Fact::StatusChanged(Box::new(status)), OffsetDateTime::now_utc())
}
