//! What the shop's people read, in the language of the shop.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use events::{CheckIssued, Event, OrderRef, Text};
use runtime::{Class, Failure, Reason};

use crate::news::Said;

/// The language of comments and notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Language {
    /// Russian.
    Ru,
    /// English.
    En,
}

impl Language {
    pub(crate) fn of(self, text: &Text) -> &str {
        match self {
            Self::Ru => &text.ru,
            Self::En => &text.en,
        }
    }
}

/// Order properties that the shop does not have: the values must not get lost.
#[derive(Debug, Default)]
pub(crate) struct Missing<'a> {
    /// Values by code.
    pub(crate) values: BTreeMap<&'a str, &'a str>,
    /// Whether the shop has not been told yet what to do about one of them.
    pub(crate) news: bool,
}

/// A comment: a paragraph for each status with its links, the values that found no property, and
/// the mark by which the comment is known again. `None` when there is nothing to say.
pub(crate) fn comment(
    language: Language,
    said: &[&Said],
    missing: &Missing<'_>,
    mark: &str,
) -> Option<String> {
    let mut lines: Vec<String> = Vec::new();
    for one in said {
        lines.push(language.of(&one.status.text).to_owned());
        lines.extend(one.status.links.iter().map(|(name, link)| format!("{name}: {link}")));
    }
    lines.extend(missing_line(language, missing));
    if lines.is_empty() {
        return None;
    }
    lines.push(format!("— {mark}"));
    Some(lines.join("\n"))
}

/// A paragraph of a site's comment: the module needs no mark.
pub(crate) fn paragraph(language: Language, said: &Said) -> String {
    let links = said.status.links.iter().map(|(name, link)| format!("\n{name}: {link}"));
    format!("{}{}", language.of(&said.status.text), links.collect::<String>())
}

fn missing_line(language: Language, missing: &Missing<'_>) -> Option<String> {
    if missing.values.is_empty() {
        return None;
    }
    let pairs: Vec<String> =
        missing.values.iter().map(|(code, value)| format!("{code} = {value}")).collect();
    let pairs = pairs.join(", ");
    let (what, todo) = match language {
        Language::Ru => (
            "Этим значениям нет места в свойствах заказа",
            "Создайте свойства заказа с такими кодами для этого типа плательщика, \
             и следующие значения запишутся в них.",
        ),
        Language::En => (
            "The order has no properties for these values",
            "Add order properties with these codes for this payer type, and further values will \
             be written into them.",
        ),
    };
    Some(if missing.news {
        format!("{what}: {pairs}. {todo}")
    } else {
        format!("{what}: {pairs}.")
    })
}

/// The failure with the order named, as everything must that a shop's manager may see.
pub(crate) fn about(order: &OrderRef, failure: Failure) -> Failure {
    failure.about(&format!("Заказ № {}", order.number), &format!("Order {}", order.number))
}

/// The failure with the receipt that it was about.
pub(crate) fn about_check(issued: &CheckIssued, failure: Failure) -> Failure {
    let CheckIssued { shop, check, document, .. } = issued;
    failure.about(
        &format!("Пробитый чек магазина {shop} (UUID {check}, ФД {document}) не записан в Битрикс"),
        &format!("The receipt of shop {shop} (UUID {check}, FD {document}) is not in Bitrix yet"),
    )
}

/// The configuration does not know the order's shop, or not the side of it that keeps the order.
pub(crate) fn no_shop(order: &OrderRef) -> Failure {
    let (table, shop) = (if order.site { "site" } else { "portal" }, &order.shop);
    Failure::Dead(Reason::new(
        Class::Invalid,
        "shop_unknown",
        format!(
            "в BITRIX_SHOPS_FILE нет [shops.{shop}.{table}]. Допишите её, перезапустите службу и повторите."
        ),
        format!(
            "BITRIX_SHOPS_FILE has no [shops.{shop}.{table}]. Add it, restart the service and replay."
        ),
    ))
}

/// An event of another kind.
pub(crate) fn no_status(event: &Event) -> Failure {
    let (number, topic) = (event.order().map_or("?", |order| order.number.as_str()), event.topic());
    Failure::Dead(
        Reason::new(
            Class::Internal,
            "not_a_status",
            format!(
                "Заказ № {number}: запись в магазин получила чужое событие; передайте номер в поддержку."
            ),
            format!(
                "Order {number}: the write-back to the shop got an event that is not for it; tell support."
            ),
        )
        .evidence(&topic),
    )
}

/// The tables did not answer.
pub(crate) fn store(error: &sqlx::Error) -> Failure {
    Failure::Retry(
        Reason::new(
            Class::Unavailable,
            "store_unavailable",
            "база данных Парома не отвечает; запись в магазин повторится сама.",
            "Parom's database does not answer; it is written again by itself.",
        )
        .evidence(&error.to_string()),
        None,
    )
}

/// Something of ours that cannot be read or written as JSON.
pub(crate) fn json(error: &serde_json::Error) -> Failure {
    unreadable(&format!("column {}", error.column()))
}

/// A part of a write that this version does not know.
pub(crate) fn unknown_part(name: &str) -> Failure {
    unreadable(&format!("part {name}"))
}

fn unreadable(evidence: &str) -> Failure {
    Failure::Dead(
        Reason::new(
            Class::Internal,
            "plan_unreadable",
            "сохранённая запись не читается этой версией. Обновите программу и повторите.",
            "this version cannot read what was saved. Update the program and replay.",
        )
        .evidence(evidence),
    )
}
