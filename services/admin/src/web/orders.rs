//! Orders: found by anything people know of them, and their whole way.

use axum::{
    extract::Query,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde::Deserialize;
use time::{Date, macros::format_description};

use super::{
    Problem,
    layout::View,
    show::{money, time},
    words,
};
use crate::{
    people::Role,
    store::{EntryRow, LetterRow, OrderFound, Search},
    timeline::mark_term,
    verdict::verdict,
};

/// What is looked for.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    day: String,
    #[serde(default)]
    page: i64,
}

/// How many orders a page has.
const PAGE: i64 = 100;

/// One field, all meanings: an order's number, four digits of a phone, a mark code, a document.
pub(crate) fn search(text: &str, day: &str) -> Search {
    let text = text.trim().replace('\0', "");
    let day = Date::parse(day.trim(), format_description!("[year]-[month]-[day]")).ok();
    if text.is_empty() {
        return Search { day, ..Search::default() };
    }
    let lower = text.trim_start_matches(['№', '#']).trim().to_lowercase();
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let only_phone = text.chars().all(|c| c.is_ascii_digit() || " +-()".contains(c));
    let phone = (only_phone && (digits == 4 || digits >= 10))
        .then(|| crate::timeline::phone_tail(&text))
        .flatten();
    Search {
        mark: mark_term(text.as_bytes()),
        document: Some(lower.clone()),
        number: Some(lower),
        phone,
        day,
    }
}

/// The list.
pub(super) async fn list(view: View, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let number = asked.page.clamp(0, 10_000);
    let found = search(&asked.q, &asked.day);
    let mut orders = view.admin.store.find_orders(&found, PAGE + 1, number * PAGE).await?;
    let more = orders.len() > usize::try_from(PAGE).unwrap_or(usize::MAX);
    orders.truncate(usize::try_from(PAGE).unwrap_or(usize::MAX));
    if number == 0
        && let Some(key) = only(&asked, &orders)
    {
        return Ok(Redirect::to(&link(key)).into_response());
    }
    let body = html! {
        h1 { (view.t("Заказы", "Orders")) }
        form.filters method="get" {
            label { (view.t("Номер заказа, 4 цифры телефона, код маркировки или номер документа", "Order number, 4 digits of the phone, mark code or document"))
                input type="search" name="q" value=(asked.q) autofocus[asked.q.is_empty()]; }
            label { (view.t("День", "Day")) input type="date" name="day" value=(asked.day); }
            button type="submit" { (view.t("Найти", "Find")) }
        }
        @if orders.is_empty() {
            p.quiet { (view.t("Таких заказов не видно. Проверьте номер; новые заказы появляются через несколько секунд.",
                "No such orders have been heard of. Check the number; new orders appear within seconds.")) }
        } @else {
            div.scroll { table.card {
                thead { tr {
                    th { (view.t("Заказ", "Order")) } th { (view.t("Магазин", "Shop")) }
                    th.number { (view.t("Сумма", "Sum")) } th { (view.t("Состояние", "State")) }
                    th { (view.t("Последнее событие", "Last news")) }
                } }
                tbody { @for order in &orders { tr {
                    th scope="row" { a href=(link(&order.key)) { (order.number) } }
                    td { (order.shop) @if order.site { " · " (view.t("сайт", "site")) } }
                    td.number { @if let Some(price) = order.price { (money(price)) } @else { "—" } }
                    td { @match &order.stuck {
                        Some(stuck) => span.badge.bad { (view.t("стоит: ", "stuck: ")) (services(&view, stuck)) },
                        None => span.badge.good { (view.t("в порядке", "fine")) },
                    } }
                    td { (time(order.last_at)) }
                } } }
            } }
        }
        nav.pages {
            @if number > 0 { a rel="prev" href=(page_link(&asked, number - 1)) { "← " (view.t("новее", "newer")) } }
            " "
            @if more { a rel="next" href=(page_link(&asked, number + 1)) { (view.t("старее", "older")) " →" } }
        }
    };
    Ok(view.page("/orders", view.t("Заказы", "Orders"), &body).into_response())
}

fn page_link(asked: &Asked, page: i64) -> String {
    let mut query = url::form_urlencoded::Serializer::new("/orders?".to_owned());
    query.append_pair("q", &asked.q).append_pair("day", &asked.day);
    query.append_pair("page", &page.to_string()).finish()
}

/// The order that somebody means: the only one found, the only one of that number, or the only one whose number
/// ends with these digits.
fn only<'a>(asked: &Asked, orders: &'a [OrderFound]) -> Option<&'a str> {
    let number = search(&asked.q, "").number?;
    let one_of = |fits: &dyn Fn(&OrderFound) -> bool| {
        let mut named = orders.iter().filter(|order| fits(order));
        named.next().filter(|_| named.next().is_none())
    };
    let found = one_of(&|_| true)
        .or_else(|| one_of(&|order| order.number.to_lowercase() == number))
        .or_else(|| one_of(&|order| digits(&order.number) == number));
    found.map(|order| order.key.as_str())
}

/// What a number ends with.
fn digits(number: &str) -> &str {
    number.rsplit(|letter: char| !letter.is_ascii_digit()).next().unwrap_or_default()
}

fn services(view: &View, names: &[String]) -> String {
    let words = names.iter().map(|name| words::service(view.language, name));
    words.collect::<Vec<_>>().join(", ")
}

/// The address of an order's page.
pub(super) fn link(key: &str) -> String {
    let key: String = url::form_urlencoded::byte_serialize(key.as_bytes()).collect();
    format!("/order?key={key}")
}

/// Which order.
#[derive(Deserialize)]
pub(super) struct Key {
    key: String,
}

/// One order.
pub(super) async fn one(view: View, Query(Key { key }): Query<Key>) -> Result<Markup, Problem> {
    let key = key.replace('\0', "");
    let store = &view.admin.store;
    let order = store.order(&key).await?.ok_or(Problem::NotFound)?;
    let (entries, letters) = (store.timeline(&key).await?, store.letters_of(&key).await?);
    let title = format!("{} {}", view.t("Заказ", "Order"), order.number);
    let open: Vec<&LetterRow> = letters.iter().filter(|letter| letter.state == "open").collect();
    let body = html! {
        h1 { (title) " " span.quiet { (order.shop) @if order.site { " · " (view.t("сайт", "site")) } } }
        @if let Some(price) = order.price { p { (money(price)) } }
        @for letter in &open { (stuck(&view, letter)) }
        section.card {
            h2 { (view.t("Путь заказа", "The order's way")) }
            ol.timeline { @for entry in &entries { (line(&view, entry)) } }
        }
        @if letters.len() > open.len() {
            section.card {
                h2 { (view.t("Прошлые остановки", "Past stops")) }
                ul { @for letter in letters.iter().filter(|letter| letter.state != "open") {
                    li { a href={"/letters/" (letter.id)} { (view.t(&letter.reason_ru, &letter.reason_en)) } " — " (words::state(view.language, &letter.state)) }
                } }
            }
        }
    };
    Ok(view.page("/orders", &title, &body))
}

/// What stands in the order's way, and the next step.
fn stuck(view: &View, letter: &LetterRow) -> Markup {
    let verdict = verdict(&letter.class, letter.last_phase.as_deref());
    html! {
        section.card.alert {
            h2 { (words::service(view.language, letter.worker.as_deref().unwrap_or("unrouted"))) ": " (words::class(view.language, &letter.class)) }
            p { (view.t(&letter.reason_ru, &letter.reason_en)) }
            p.quiet { (words::advice(view.language, verdict)) }
            p {
                @if verdict.is_safe() && view.may(Role::Operator) {
                    a.button href={"/letters/replay?ids=" (letter.id)} { (view.t("Повторить…", "Replay…")) } " "
                }
                a.button.second[verdict.is_safe()] href={"/letters/" (letter.id)} { (view.t("Разобраться", "Deal with it")) }
            }
        }
    }
}

fn line(view: &View, entry: &EntryRow) -> Markup {
    let phase = entry.phase.as_deref().unwrap_or("fact");
    html! {
        li.(phase) {
            div.when { (time(entry.at)) }
            div.what {
                strong { @match &entry.service { Some(service) => (words::service(view.language, service)), None => (view.t("Магазин", "Shop")) } }
                @if let Some(phase) = &entry.phase { " " span.badge.(phase) { (words::phase(view.language, phase)) } }
                p { (view.t(&entry.text_ru, &entry.text_en)) }
                (pairs(view, &entry.properties, false)) (pairs(view, &entry.links, true))
            }
        }
    }
}

/// Properties and links. An address that is not http(s) is shown and not linked.
fn pairs(view: &View, values: &serde_json::Value, links: bool) -> Markup {
    let pairs: Vec<(&String, &str)> = values
        .as_object()
        .map(|all| all.iter().filter_map(|(name, value)| Some((name, value.as_str()?))).collect())
        .unwrap_or_default();
    html! {
        @if !pairs.is_empty() {
            dl.pairs { @for (name, value) in pairs {
                dt { (words::property(view.language, name)) }
                dd {
                    @if links && (value.starts_with("https://") || value.starts_with("http://")) {
                        a href=(value) rel="noreferrer noopener" target="_blank" { (value) }
                    } @else { (value) }
                }
            } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{digits, search};

    #[test]
    fn a_number_is_known_by_its_digits() {
        for (number, known) in [("A-1042", "1042"), ("1042", "1042"), ("1042/2", "2"), ("N", "")] {
            assert_eq!(digits(number), known);
        }
    }

    #[test]
    fn one_field_has_all_meanings() {
        let number = search(" № A-1042 ", "");
        assert_eq!(number.number.as_deref(), Some("a-1042"));
        assert_eq!((number.phone, number.mark), (None, None));
        assert_eq!(search("4567", "").phone.as_deref(), Some("4567"));
        assert_eq!(search("+7 900 123-45-67", "").phone.as_deref(), Some("4567"));
        assert_eq!(search("104567", "").phone, None, "six digits are no phone");
        assert!(search("0104607034691195215Qf3kR", "").mark.is_some());
        let day = search("", "2026-11-22");
        assert!(day.day.is_some() && day.number.is_none());
        assert!(search("", "yesterday").day.is_none());
    }
}
