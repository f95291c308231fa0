//! The page people look at: the books in plain Russian.

use std::{fmt::Write, sync::Arc};

use axum::{Router, extract::State, response::Html, routing::get};

use crate::{Emulator, cloudkassir};

/// Rows of a table that are shown.
const ROWS: usize = 200;

pub(crate) fn router() -> Router<Arc<Emulator>> {
    Router::new().route("/", get(page))
}

async fn page(State(emulator): State<Arc<Emulator>>) -> Html<String> {
    let mut page = String::from(HEAD);
    orders(&emulator, &mut page);
    receipts(&emulator, &mut page);
    site(&emulator, &mut page);
    codes(&emulator, &mut page);
    acts(&emulator, &mut page);
    documents(&emulator, &mut page);
    faults(&emulator, &mut page);
    page.push_str("</body></html>");
    Html(page)
}

const HEAD: &str = "<!doctype html><html lang=\"ru\"><head><meta charset=\"utf-8\"><title>Эмулятор</title>\
    <style>body{font:15px/1.4 sans-serif;margin:2em;max-width:70em}table{border-collapse:collapse;width:100%}\
    td,th{border:1px solid #ccc;overflow-wrap:anywhere;padding:.3em .6em;text-align:left;vertical-align:top}</style></head><body>\
    <h1>Эмулятор внешних систем</h1><p>Здесь видно, что получили Битрикс24, сайт, КлаудКассир, ГИС МТ и Диадок. \
    Это не настоящие системы: чеки отсюда никуда не уходят.</p>";

fn orders(emulator: &Emulator, page: &mut String) {
    let portal = emulator.bitrix.portal();
    let (summary, books) = (portal.summary(), portal.books());
    drop(portal);
    heading(page, "Заказы в Битрикс24", summary.orders, summary.violations.violation_count);
    let rows = books.iter().rev().take(ROWS).map(|(id, order)| {
        let properties =
            order.properties.iter().filter(|(code, _)| code.starts_with("CLOUDKASSIR"));
        let properties: Vec<String> =
            properties.map(|(code, value)| format!("{code}: {value}")).collect();
        let said: Vec<&str> =
            order.timeline.iter().chain(&order.notifications).map(String::as_str).collect();
        vec![
            id.to_string(),
            order.account_number.clone(),
            order.status.clone(),
            if order.payed == "Y" { "да" } else { "нет" }.to_owned(),
            properties.join("\n"),
            said.join("\n"),
            order.version.to_string(),
        ]
    });
    let names = ["ID", "Номер", "Статус", "Оплачен", "Фискальные данные", "Сообщения", "Версия"];
    table(page, &names, rows);
}

fn receipts(emulator: &Emulator, page: &mut String) {
    let books = emulator.cloudkassir.books();
    let summary = books.summary();
    let from = books.receipts().len().saturating_sub(ROWS);
    let shown: Vec<cloudkassir::Receipt> = books.receipts().iter().skip(from).cloned().collect();
    drop(books);
    heading(page, "Чеки в КлаудКассире", summary.receipts, summary.violations.violation_count);
    let doubled = summary.duplicated.join(", ");
    let doubled = if doubled.is_empty() { "нет".to_owned() } else { doubled };
    push(
        page,
        "p",
        &format!("Чеков на один платёж больше одного: {doubled}. Отказов: {}.", summary.refused),
    );
    let rows = shown.iter().rev().map(|receipt| {
        let fiscal = receipt.fiscal.as_ref().map(|fiscal| {
            format!(
                "ФН {} ФД {} ФПД {}",
                fiscal.fiscal_number, fiscal.document_number, fiscal.fiscal_sign
            )
        });
        let roubles = format!("{}.{:02}", receipt.total_kopecks / 100, receipt.total_kopecks % 100);
        let labels: Vec<&str> = receipt.items.iter().map(|item| item.label.as_str()).collect();
        vec![
            receipt.id.clone(),
            receipt.invoice_id.clone(),
            kind(&receipt.kind).to_owned(),
            roubles,
            labels.join("\n"),
            status(receipt.status).to_owned(),
            fiscal.unwrap_or_default(),
        ]
    });
    let names = ["Чек", "Платёж", "Вид", "Сумма, ₽", "Позиции", "Состояние", "Фискальные данные"];
    table(page, &names, rows);
}

fn site(emulator: &Emulator, page: &mut String) {
    let books = emulator.site.books();
    let rows: Vec<Vec<String>> = books
        .orders
        .iter()
        .rev()
        .take(ROWS)
        .map(|(id, order)| {
            let said =
                order.statuses.values().map(|line| format!("{}: {}", line.service, line.text));
            let said: Vec<String> = said.collect();
            vec![
                id.to_string(),
                order.account_number.clone(),
                order.status_id.clone().unwrap_or_default(),
                said.join("\n"),
                order.writes.to_string(),
            ]
        })
        .collect();
    heading(page, "Заказы на сайте", books.orders.len(), books.violations.violation_count);
    drop(books);
    table(page, &["ID", "Номер", "Статус", "Сообщения", "Записей"], rows.into_iter());
}

fn codes(emulator: &Emulator, page: &mut String) {
    let books = emulator.gismt.books();
    let rows: Vec<Vec<String>> = books
        .codes()
        .values()
        .take(ROWS)
        .map(|code| {
            let effects = code.effects.iter();
            let effects = effects.map(|e| format!("{} {}: {}", e.what, e.why, e.by));
            vec![
                code.cis.clone(),
                code.group.clone(),
                code.status.clone(),
                code.reason.clone().unwrap_or_default(),
                effects.collect::<Vec<_>>().join("\n"),
            ]
        })
        .collect();
    let (count, violations) = (books.codes().len(), books.summary().violations.violation_count);
    drop(books);
    heading(page, "Коды в ГИС МТ", count, violations);
    table(page, &["КИ", "Группа", "Состояние", "Причина", "Документы"], rows.into_iter());
}

fn acts(emulator: &Emulator, page: &mut String) {
    let all = emulator.utm.books();
    let mut rows: Vec<Vec<String>> = Vec::new();
    let (mut count, mut violations) = (0, 0);
    for (utm, books) in all.iter() {
        (count, violations) =
            (count + books.sent().len(), violations + books.summary().violations.violation_count);
        rows.extend(books.sent().iter().rev().take(ROWS).map(|sent| {
            vec![
                utm.clone(),
                sent.kind.clone(),
                sent.identity.clone(),
                sent.state.clone(),
                format!("{} {}", sent.reg_id, sent.words),
            ]
        }));
    }
    drop(all);
    heading(page, "Документы в УТМ", count, violations);
    table(page, &["УТМ", "Вид", "Номер", "Состояние", "Ответ"], rows.into_iter());
}

fn documents(emulator: &Emulator, page: &mut String) {
    let books = emulator.diadoc.books();
    let rows: Vec<Vec<String>> = books
        .messages()
        .iter()
        .rev()
        .take(ROWS)
        .map(|message| {
            let answers = message.answers.iter().map(|answer| format!("{answer:?}"));
            vec![
                message.number.clone(),
                message.function.clone(),
                message.total.clone(),
                message.file_name.clone(),
                answers.collect::<Vec<_>>().join("\n"),
            ]
        })
        .collect();
    let (count, violations) = (books.messages().len(), books.summary().violations.violation_count);
    drop(books);
    heading(page, "Документы в Диадоке", count, violations);
    table(page, &["Номер", "Функция", "Сумма, ₽", "Файл", "Ответы"], rows.into_iter());
}

fn faults(emulator: &Emulator, page: &mut String) {
    let standing = emulator.faults.standing();
    if standing.is_empty() {
        return;
    }
    push(page, "h2", "Неисправности по команде");
    let rows = standing.iter().map(|standing| {
        vec![
            format!("{:?}", standing.fault.system),
            standing.fault.method.clone().unwrap_or_else(|| "любой".to_owned()),
            format!("{:?}", standing.fault.kind),
            standing.struck.to_string(),
        ]
    });
    table(page, &["Система", "Метод", "Вид", "Сработала раз"], rows);
}

fn heading(page: &mut String, title: &str, count: usize, violations: usize) {
    push(page, "h2", &format!("{title}: {count}"));
    if violations > 0 {
        push(page, "p", &format!("Нарушений протокола: {violations}."));
    }
}

fn table(page: &mut String, names: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    page.push_str("<table><tr>");
    for name in names {
        push(page, "th", name);
    }
    page.push_str("</tr>");
    for row in rows {
        page.push_str("<tr>");
        for cell in row {
            push(page, "td", &cell);
        }
        page.push_str("</tr>");
    }
    page.push_str("</table>");
}

/// An element with this text in it, escaped.
fn push(page: &mut String, element: &str, text: &str) {
    let text = escaped(text);
    if write!(page, "<{element}>{text}</{element}>").is_err() {
        tracing::error!("a string could not be written to");
    }
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' => safe.push_str("<br>"),
            c => safe.push(c),
        }
    }
    safe
}

fn kind(kind: &str) -> &str {
    match kind {
        "Income" => "приход",
        "IncomeReturn" => "возврат прихода",
        "Expense" => "расход",
        "ExpenseReturn" => "возврат расхода",
        other => other,
    }
}

fn status(status: cloudkassir::Status) -> &'static str {
    match status {
        cloudkassir::Status::Queued => "в очереди",
        cloudkassir::Status::Processed => "пробит",
        cloudkassir::Status::Error => "ошибка",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_html_would_read() {
        assert_eq!(escaped("<a href='x'>&\"\n"), "&lt;a href=&#39;x&#39;&gt;&amp;&quot;<br>");
    }
}
