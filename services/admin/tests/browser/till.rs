//! The receipts' worker, as people see it: it stops at an order whose VAT rate nobody knows, and issues the receipt
//! once the rate is set.

use std::collections::BTreeMap;

use events::{Event, Fact, Phase, Status, Text};
use runtime::{Class, Failure, Kit, Reason, StartError, Step, Worker};
use time::OffsetDateTime;

use crate::ferry::{Books, Config};

pub(crate) struct Till {
    books: Books,
}

impl Worker for Till {
    const NAME: &'static str = "fiscal";
    const TOPICS: &'static [&'static str] = &["order.created"];
    type Config = Config;
    type State = bool;

    async fn build(config: Config, _: Kit) -> Result<Self, StartError> {
        Ok(Self { books: config.books })
    }

    async fn step(&self, event: &Event, _: bool) -> Result<Step<bool>, Failure> {
        let order = event.order().unwrap();
        let number = &order.number;
        if self.books.with(|books| !books.mended.contains(&order.id)) {
            let reason = Reason::new(
                Class::Invalid,
                "delivery_vat_unknown",
                format!(
                    "Чек по заказу № {number} не пробит: неизвестна ставка НДС доставки. Укажите её в службе \
                     доставки или в настройках магазина (delivery_vat) и повторите."
                ),
                format!(
                    "There is no receipt for order {number}: the VAT rate of its delivery is unknown. Set it in the \
                     delivery service or in the shop's settings (delivery_vat), then replay."
                ),
            );
            return Err(Failure::Dead(reason));
        }
        self.books.with(|books| *books.effects.entry(order.id).or_default() += 1);
        Ok(Step::done(true).emit(issued(event)))
    }
}

fn issued(event: &Event) -> Event {
    let order = event.order().unwrap().clone();
    let number = &order.number;
    let properties = [
        ("CLOUDKASSIR_FN", "9999078900001234"),
        ("CLOUDKASSIR_FD", "12345"),
        ("CLOUDKASSIR_FPD", "3522207165"),
    ];
    let link = "https://receipts.example/9999078900001234/12345/3522207165";
    let status = Status {
        service: "fiscal".to_owned(),
        cause: event.id(),
        step: "receipt 1".to_owned(),
        phase: Phase::Done,
        code: "receipt_done".to_owned(),
        text: Text::new(
            format!(
                "Чек по заказу № {number} пробит: ФН 9999078900001234, ФД 12345, ФПД 3522207165."
            ),
            format!(
                "The receipt for order {number} is issued: FN 9999078900001234, FD 12345, FPD 3522207165."
            ),
        ),
        properties: properties.map(|(code, value)| (code.to_owned(), value.to_owned())).into(),
        links: BTreeMap::from([("qr".to_owned(), link.to_owned())]),
        order,
    };
    Event::new(Fact::StatusChanged(Box::new(status)), OffsetDateTime::now_utc())
}
