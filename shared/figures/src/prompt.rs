//! A worker whose register answers at once: what remains is the runtime.

use std::collections::BTreeMap;

use events::{Event, Fact, OrderRef, PaymentFact, Phase, Status, Text};
use runtime::{Class, Failure, Kit, Reason, StartError, Step, Worker};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::Fallible;

/// The worker.
pub(crate) struct Prompt;

/// It has no settings of its own.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Config {}

impl Worker for Prompt {
    const NAME: &'static str = "prompt";
    const TOPICS: &'static [&'static str] = &["order.paid"];
    /// Its register takes no time.
    const AT_ONCE: u16 = 1024;
    type Config = Config;
    type State = ();

    async fn build(_: Config, _: Kit) -> Result<Self, StartError> {
        Ok(Self)
    }

    async fn step(&self, event: &Event, (): ()) -> Result<Step<()>, Failure> {
        match event.order() {
            Some(order) => Ok(Step::done(()).emit(answer(order.clone(), event.id()))),
            None => Err(Failure::Dead(Reason::new(
                Class::Internal,
                "no_order",
                "В измерение попало событие без заказа.",
                "An event without an order came into the measurement.",
            ))),
        }
    }
}

/// What the worker tells of an event: as long as a receipt's status.
pub(crate) fn answer(order: OrderRef, cause: Uuid) -> Event {
    let text = Text::new(
        format!("Чек заказа № {} пробит.", order.number),
        format!("The receipt of order {} is done.", order.number),
    );
    let properties = [
        ("CLOUDKASSIR_FN", "9999078900006211"),
        ("CLOUDKASSIR_FD", "112233"),
        ("CLOUDKASSIR_FPD", "1234567890"),
    ];
    let status = Status {
        service: Prompt::NAME.to_owned(),
        order,
        cause,
        step: "done".to_owned(),
        phase: Phase::Done,
        code: "done".to_owned(),
        text,
        properties: properties.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        links: BTreeMap::new(),
    };
    Event::new(Fact::StatusChanged(Box::new(status)), OffsetDateTime::now_utc())
}

/// The event that the worker is given: a payment with the order as the site sends it.
pub(crate) fn payment(order: u64) -> Fallible<Event> {
    let snapshot = voyage::snapshot(order, 1).to_string();
    let buyer = bitrix::shops::BuyerProperties::default();
    let order = bitrix::order::from_snapshot(&snapshot, &"demo-site".parse()?, &buyer)
        .map_err(|error| error.text().en)?
        .order;
    let payment = order.payments.first().ok_or("the order has no payment")?.id;
    let fact = Fact::OrderPaid(Box::new(PaymentFact { order, payment, occurrence: 1 }));
    Ok(Event::new(fact, OffsetDateTime::now_utc()))
}
