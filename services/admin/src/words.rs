//! This service's own reasons, and the status of a job that a person settled.

use std::collections::BTreeMap;

use events::{Event, Fact, Phase, Status, Text};
use runtime::{Class, Failure, Reason};
use time::OffsetDateTime;
use uuid::Uuid;

/// PostgreSQL does not answer.
pub(crate) fn store_away(event: &Event, error: &sqlx::Error) -> Failure {
    let number = event.order().map_or("?", |order| order.number.as_str());
    let reason = Reason::new(
        Class::Unavailable,
        "store_away",
        format!("Заказ № {number}: база данных недоступна; запись в историю повторится сама."),
        format!("Order {number}: PostgreSQL is away; the timeline is written again by itself."),
    );
    Failure::Retry(reason.evidence(&error.to_string()), None)
}

/// What the shop learns when a person has found the effect at the register.
///
/// A job that goes on from there says itself when it is done, and may yet fail: a buyer may refuse the document that
/// was found. Where there is no job (`goes_on` is false), nobody else will.
pub(crate) fn settled(
    (service, goes_on): (&str, bool),
    cause: &Event,
    death: Option<Uuid>,
    document: &str,
    who: &str,
    now: OffsetDateTime,
) -> Option<Event> {
    let order = cause.order()?;
    let number = &order.number;
    let text = Text::new(
        format!("Заказ № {number}: сотрудник {who} нашёл результат в сервисе вручную: {document}."),
        format!("Order {number}: {who} found the result at the register by hand: {document}."),
    );
    let status = Status {
        service: service.to_owned(),
        order: order.clone(),
        cause: cause.id(),
        step: format!("settled {}", death.unwrap_or_default()),
        phase: if goes_on { Phase::Working } else { Phase::Done },
        code: "settled_by_hand".to_owned(),
        text,
        properties: BTreeMap::new(),
        links: BTreeMap::new(),
    };
    Some(Event::new(Fact::StatusChanged(Box::new(status)), now))
}
