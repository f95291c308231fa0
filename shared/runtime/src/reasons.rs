//! The runtime's own reasons, in words for people.

use events::{Event, EventError, Text};

use crate::worker::{Class, Reason};

/// A whole sentence's beginning that names the order.
fn order_ru(event: &Event) -> String {
    event
        .order()
        .map_or_else(|| "Сообщение".to_owned(), |order| format!("Заказ № {}", order.number))
}

fn order_en(event: &Event) -> String {
    event.order().map_or_else(|| "A message".to_owned(), |order| format!("Order {}", order.number))
}

/// A job that was stuck or tried again has ended, and there was nothing to say about it.
pub(crate) fn finished(event: &Event) -> Text {
    let (ru, en) = (order_ru(event), order_en(event));
    Text::new(
        format!(
            "{ru}: то, что останавливалось или повторялось, закончено; делать ничего не нужно."
        ),
        format!("{en}: what had stopped or was tried again is over; nothing is left to do."),
    )
}

/// The worker's code panicked.
pub(crate) fn panicked(event: &Event) -> Reason {
    let (ru, en) = (order_ru(event), order_en(event));
    Reason::new(
        Class::Internal,
        "panic",
        format!("{ru}: сбой в программе; передайте номер заказа в поддержку, затем повторите."),
        format!("{en}: the program failed; give the order's number to support, then replay."),
    )
}

/// A step took longer than it may.
pub(crate) fn too_slow(event: &Event) -> Reason {
    let (ru, en) = (order_ru(event), order_en(event));
    Reason::new(
        Class::Unavailable,
        "too_slow",
        format!("{ru}: шаг не закончился вовремя; попытка повторится сама."),
        format!("{en}: a step did not end in time; it is tried again by itself."),
    )
}

/// The same job was taken up many times and never came to a save.
pub(crate) fn crash_loop(event: &Event, opens: u32) -> Reason {
    let (ru, en) = (order_ru(event), order_en(event));
    Reason::new(
        Class::Internal,
        "crash_loop",
        format!(
            "{ru}: обработка обрывалась {opens} раз подряд; передайте номер заказа в поддержку."
        ),
        format!("{en}: the work broke off {opens} times in a row; give the number to support."),
    )
}

/// The worker goes on and on without an end or a wait.
pub(crate) fn endless(event: &Event) -> Reason {
    let (ru, en) = (order_ru(event), order_en(event));
    Reason::new(
        Class::Internal,
        "endless",
        format!("{ru}: обработка не приходит к концу; передайте номер заказа в поддержку."),
        format!("{en}: the work comes to no end; give the order's number to support."),
    )
}

/// A saved state that this version cannot read.
pub(crate) fn unreadable_state(event: &Event, error: &serde_json::Error) -> Reason {
    let (ru, en) = (order_ru(event), order_en(event));
    Reason::new(
        Class::Internal,
        "state_unreadable",
        format!(
            "{ru}: сохранённое состояние не читается этой версией; обновите программу и повторите."
        ),
        format!("{en}: this version cannot read the saved state; update the program and replay."),
    )
    .evidence(&format!("column {}", error.column()))
}

/// A state or an event that has no JSON form.
pub(crate) fn unwritable(event: &Event, error: &serde_json::Error) -> Reason {
    let (ru, en) = (order_ru(event), order_en(event));
    Reason::new(
        Class::Internal,
        "state_unwritable",
        format!("{ru}: состояние не записывается; передайте номер заказа в поддержку."),
        format!("{en}: the state cannot be written; give the order's number to support."),
    )
    .evidence(&error.to_string())
}

/// The time for this job is over, with the last failure if there was one.
pub(crate) fn deadline(event: &Event, last: Option<&Reason>) -> Reason {
    let (ru, en) = (order_ru(event), order_en(event));
    let (last_ru, last_en) = last.map_or_else(
        || ("ответа не было.".to_owned(), "there was no answer.".to_owned()),
        |last| (last.text.ru.clone(), last.text.en.clone()),
    );
    let class = last.map_or(Class::Unavailable, |last| match last.class {
        Class::Unknown => Class::Unknown,
        _ => Class::Unavailable,
    });
    let reason = Reason::new(
        class,
        last.map_or("no_answer_in_time", |_| "attempts_exhausted"),
        format!(
            "{ru}: время на попытки вышло, сам Паром больше не пробует. Последняя причина: {last_ru} \
             Устраните её и повторите."
        ),
        format!(
            "{en}: the time for attempts is over, and Parom tries no more by itself. The last cause: \
             {last_en} Mend it, then replay."
        ),
    );
    match last.and_then(|last| last.evidence.as_deref()) {
        Some(evidence) => reason.evidence(evidence),
        None => reason,
    }
}

/// A message that is no event of ours.
pub(crate) fn unreadable(error: &EventError) -> Reason {
    Reason::new(
        Class::Internal,
        "message_unreadable",
        "Сообщение не читается этой версией программы; передайте его в поддержку.".to_owned(),
        format!("This version of the program cannot read a message ({error}); give it to support."),
    )
}

/// A metric label and a header's value.
pub(crate) fn class_name(class: Class) -> &'static str {
    match class {
        Class::Invalid => "invalid",
        Class::Refused => "refused",
        Class::Unavailable => "unavailable",
        Class::Unknown => "unknown",
        Class::Internal => "internal",
    }
}

#[cfg(test)]
mod tests {
    use events::Event;

    use super::*;
    use crate::testing::Said;

    #[test]
    fn each_reason_is_a_sentence_that_names_the_order_and_what_to_do() {
        let event = Said::event();
        let broken = || serde_json::from_str::<u8>("x").expect_err("no number");
        let last = Reason::new(
            Class::Unavailable,
            "away",
            "Чек по заказу № A-1042: касса не ответила; попытка повторится сама.",
            "The receipt for order A-1042: no answer; it is tried again by itself.",
        );
        let unreadable = Event::from_json(b"{}").expect_err("no event");
        Said::default()
            .reasons([
                panicked(&event),
                too_slow(&event),
                crash_loop(&event, 5),
                endless(&event),
                unreadable_state(&event, &broken()),
                unwritable(&event, &broken()),
                deadline(&event, None),
                deadline(&event, Some(&last)),
                super::unreadable(&unreadable),
            ])
            .without_order(&["message_unreadable"])
            .covers(&[include_str!("reasons.rs")], &[])
            .hold(env!("CARGO_MANIFEST_DIR"));
    }
}
