//! Where the shop's stock differs from EGAIS: to be looked at, and mended in the catalogue or in EGAIS.

use maud::{Markup, html};

use super::{
    Problem,
    layout::View,
    show::{age, time},
};
use crate::egais::{Difference, NoStock, Of};

/// The page.
pub(super) async fn page(view: View) -> Result<Markup, Problem> {
    let title = view.t("Расхождения с ЕГАИС", "Stock that differs from EGAIS");
    let body = match &view.admin.egais {
        None => html! { section.card { p {
            (view.t("Сервис ЕГАИС не подключён. Задайте ", "The EGAIS service is not connected. Set "))
            code { "ADMIN_EGAIS_URL" } ", " code { "ADMIN_EGAIS_KEY" } "."
        } } },
        Some(egais) => match egais.look().await {
            Ok(all) => html! { @for of in &all { (utm(&view, of)) } },
            Err(error) => trouble(&view, &error),
        },
    };
    Ok(view.page("/stock", title, &html! { h1 { (title) } (body) }))
}

fn utm(view: &View, of: &Of) -> Markup {
    let stock = &of.stock;
    html! {
        section.card {
            h2 { (view.t("УТМ ", "UTM ")) (of.utm) " " span.count.none[stock.count == 0] { (stock.count) } }
            @match stock.compared_at {
                None => p.quiet { (view.t("Остатки ещё не сверялись: ЕГАИС отвечает на запрос не сразу.", "Stock has not been compared yet: EGAIS takes its time to answer.")) },
                Some(at) => p.quiet { (view.t("Сверено ", "Compared on ")) (time(at)) },
            }
            @if stock.compared_at.is_some() && stock.count == 0 {
                p { (view.t("Остатки совпадают.", "Nothing differs.")) }
            }
            @if !stock.differences.is_empty() { (table(view, &stock.differences)) }
            @if stock.count > stock.differences.len() {
                p.quiet { (view.t("Показаны самые большие расхождения: ", "The largest differences are shown: ")) (stock.differences.len()) "." }
            }
        }
    }
}

fn table(view: &View, differences: &[Difference]) -> Markup {
    let columns = columns(view);
    html! {
        p.quiet { (view.t("Разница — сколько в ЕГАИС больше (+) или меньше (−), чем в каталоге Битрикса.", "The difference is how much more (+) or less (−) EGAIS has than Bitrix's catalogue.")) }
        div.scroll { table.stack {
            thead { tr { @for (name, is_number) in columns { th.number[is_number] { (name) } } } }
            tbody { @for row in differences { tr {
                th scope="row" { (product(view, row)) }
                (cell(columns[1].0, &row.first))
                (cell(columns[2].0, &row.shop))
                (cell(columns[3].0, &row.catalogue))
                td.number data-name=(columns[4].0) { strong.bad { (signed(&row.difference)) } }
                td data-name=(columns[5].0) { span title=(view.t("с ", "since ")) { (age(view.language, row.since)) } " · " (time(row.since)) }
            } } }
        } }
    }
}

/// Names of the columns, and whether they hold numbers. On narrow screens they stand before the values.
fn columns(view: &View) -> [(&'static str, bool); 6] {
    let of = |ru: &'static str, en: &'static str| view.language.of(ru, en);
    [
        (of("Товар и алкокод", "Product and AlcCode"), false),
        (of("Регистр 1", "Register 1"), true),
        (of("Регистр 2 (зал)", "Register 2 (shop floor)"), true),
        (of("Битрикс", "Bitrix"), true),
        (of("Разница", "Difference"), true),
        (of("С какого дня", "Since"), false),
    ]
}

fn product(view: &View, row: &Difference) -> Markup {
    let name = row.name.trim();
    html! {
        @if name.is_empty() { span.quiet { (view.t("название неизвестно", "no name")) } } @else { (name) }
        br; code { (row.alc_code) }
    }
}

fn cell(name: &str, quantity: &str) -> Markup {
    html! { td.number data-name=(name) { (short(quantity)) } }
}

/// Without the noughts behind the point that the register writes.
fn short(quantity: &str) -> &str {
    match quantity.split_once('.') {
        Some(_) => quantity.trim_end_matches('0').trim_end_matches('.'),
        None => quantity,
    }
}

fn signed(difference: &str) -> String {
    match short(difference).strip_prefix('-') {
        Some(less) => format!("−{less}"),
        None => format!("+{}", short(difference)),
    }
}

fn trouble(view: &View, error: &NoStock) -> Markup {
    tracing::warn!(%error, "stock cannot be shown");
    let text = match error {
        NoStock::Key => view.t(
            "Сервис ЕГАИС не принимает ключ пульта. Проверьте ADMIN_EGAIS_KEY: это ключ key из EGAIS_FILE.",
            "The EGAIS service does not take the desk's key. Check ADMIN_EGAIS_KEY: it is the key of EGAIS_FILE.",
        ),
        NoStock::Away(_) => view.t(
            "Сервис ЕГАИС не отвечает. Попробуйте через минуту; если не поможет, посмотрите, запущен ли он.",
            "The EGAIS service does not answer. Try again in a minute; if that does not help, look whether it runs.",
        ),
    };
    html! { section.card.alert role="alert" { p { (text) } } }
}

#[cfg(test)]
mod tests {
    use super::signed;

    #[test]
    fn a_difference_has_its_sign_and_no_noughts() {
        for (said, shown) in [("12.000", "+12"), ("-0.50", "−0.5"), ("100", "+100"), ("-3", "−3")]
        {
            assert_eq!(signed(said), shown);
        }
    }
}
