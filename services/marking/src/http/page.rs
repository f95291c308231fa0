//! The storekeeper's page: scan, import, see how codes stand. Rendered here, without JavaScript: a hand
//! scanner types into the field and presses Enter, as a person does on a phone.

use std::sync::Arc;

use axum::{
    Form,
    extract::{Multipart, Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
};
use events::{OrderRef, ShopId, Text};
use maud::{DOCTYPE, Markup, html};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::{
    access::{Address, Visitor, cookie, cookie_name, fresh, set_cookie},
    api::{self, Purpose},
    texts,
};
use crate::{
    Marking,
    store::{CodeStatus, Counts, Imported, OrderView, Piece, ReportRow, ViewLine},
};

/// The cookie that remembers the language.
const LANGUAGE: &str = "marking_language";

/// In which language a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tongue {
    Ru,
    En,
}

impl Tongue {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        if cookie(headers, LANGUAGE) == Some("en") { Self::En } else { Self::Ru }
    }

    pub(super) const fn t<'a>(self, ru: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Ru => ru,
            Self::En => en,
        }
    }

    pub(super) fn text(self, text: &Text) -> &str {
        self.t(&text.ru, &text.en)
    }
}

/// What the last action came to.
pub(super) struct Said {
    pub(super) is_good: bool,
    pub(super) text: String,
}

pub(super) fn frame(tongue: Tongue, visitor: Option<&Visitor>, body: &Markup) -> Markup {
    let title = tongue.t("Паром: коды маркировки", "Parom: marking codes");
    html! {
        (DOCTYPE)
        html lang=(tongue.t("ru", "en")) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                link rel="stylesheet" href="/static/marking.css";
            }
            body {
                header {
                    h1 { a href="/" { (title) } }
                    span {
                        a href=(format!("/language?to={}", tongue.t("en", "ru"))) { (tongue.t("English", "Русский")) }
                        @if let Some(visitor) = visitor {
                            " · " (visitor.name) " "
                            form method="post" action="/logout" {
                                (hidden(visitor))
                                button.plain type="submit" { (tongue.t("Выйти", "Sign out")) }
                            }
                        }
                    }
                }
                main { (body) }
            }
        }
    }
}

pub(super) fn hidden(visitor: &Visitor) -> Markup {
    html! { input type="hidden" name="csrf" value=(visitor.csrf); }
}

pub(super) fn told(said: Option<&Said>) -> Markup {
    html! {
        @if let Some(said) = said {
            p.said.(if said.is_good { "good" } else { "bad" }) role="status" { (said.text) }
        }
    }
}

pub(super) fn away(error: &sqlx::Error) -> Response {
    tracing::warn!(%error, "PostgreSQL is away");
    let text = texts::away();
    let text = format!("{}\n{}\n", text.ru, text.en);
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}

/// The first page: which order to scan for, the import, the numbers.
pub(super) async fn overview(
    State(marking): State<Arc<Marking>>,
    visitor: Visitor,
    headers: HeaderMap,
) -> Response {
    first(&marking, &visitor, Tongue::of(&headers), None).await
}

async fn first(
    marking: &Marking,
    visitor: &Visitor,
    tongue: Tongue,
    said: Option<Said>,
) -> Response {
    let read = async {
        Ok((marking.store.counts(marking.now()).await?, marking.store.imports(10).await?))
    };
    let (counts, imports) = match read.await {
        Ok(read) => read,
        Err(error) => return away(&error),
    };
    let body = html! {
        (told(said.as_ref()))
        h2 { (tongue.t("Сборка заказа", "Picking an order")) }
        form method="get" action="/scan" {
            (shops(marking, tongue, None))
            label for="number" { (tongue.t("Номер заказа", "Order number")) }
            input #number type="text" name="number" required autofocus autocomplete="off" inputmode="text";
            p { button type="submit" { (tongue.t("Открыть", "Open")) } }
        }
        h2 { (tongue.t("Загрузка кодов поставщика", "Import a supplier's codes")) }
        form method="post" action="/import" enctype="multipart/form-data" {
            (hidden(visitor))
            label for="file" { (tongue.t("Файл XLSX или CSV", "An XLSX or CSV file")) }
            input #file type="file" name="file" accept=".xlsx,.csv,.txt" required;
            p { button type="submit" { (tongue.t("Загрузить", "Import")) } }
        }
        (imported(tongue, &imports))
        (numbers(tongue, &counts))
    };
    frame(tongue, Some(visitor), &body).into_response()
}

fn shops(marking: &Marking, tongue: Tongue, chosen: Option<&str>) -> Markup {
    html! {
        label for="shop" { (tongue.t("Магазин", "Shop")) }
        select #shop name="shop" {
            @for shop in marking.shops.keys() {
                option value=(shop.as_str()) selected[chosen == Some(shop.as_str())] { (shop) }
            }
        }
    }
}

fn numbers(tongue: Tongue, counts: &Counts) -> Markup {
    let documents = |state: &str| match state {
        "waiting" => tongue.t("документы ждут ответа", "documents waiting"),
        "refused" => tongue.t("документы отклонены", "documents refused"),
        _ => tongue.t("судьба документов неизвестна", "documents unknown"),
    };
    html! {
        h2 { (tongue.t("Коды и документы", "Codes and documents")) }
        @if counts.late > 0 {
            p.said.bad { (tongue.t("Отгрузок, коды которых не выведены в срок: ", "Shipments whose codes are overdue: ")) (counts.late) }
        }
        table {
            tbody {
                @for status in CodeStatus::ALL {
                    @let count = counts.codes.get(status.as_str()).copied().unwrap_or(0);
                    tr {
                        td {
                            @let name = tongue.t(texts::status_ru(status.as_str()), texts::status_en(status));
                            @if status == CodeStatus::Quarantined && count > 0 { a href="/kept" { (name) } } @else { (name) }
                        }
                        td.number { (count) }
                    }
                }
                @for state in ["waiting", "refused", "unknown"] {
                    tr { td { (documents(state)) } td.number { (counts.documents.get(state).copied().unwrap_or(0)) } }
                }
            }
        }
    }
}

fn imported(tongue: Tongue, imports: &[Imported]) -> Markup {
    html! {
        @if !imports.is_empty() {
            table {
                thead { tr {
                    th { (tongue.t("Файл", "File")) }
                    th.number { (tongue.t("строк", "rows")) } th.number { (tongue.t("новых", "new")) }
                    th.number { (tongue.t("известных", "known")) } th.number { (tongue.t("отклонено", "refused")) }
                } }
                tbody {
                    @for import in imports {
                        tr {
                            td { a href=(format!("/import/{}", import.id)) { (if import.name.is_empty() { "—" } else { import.name.as_str() }) } }
                            td.number { (import.rows) } td.number { (import.added) }
                            td.number { (import.known) } td.number { (import.refused) }
                        }
                    }
                }
            }
        }
    }
}

/// Which order is picked.
#[derive(Debug, Deserialize)]
pub(super) struct Picked {
    shop: ShopId,
    number: String,
}

/// The page of one order.
pub(super) async fn order(
    State(marking): State<Arc<Marking>>,
    visitor: Visitor,
    headers: HeaderMap,
    Query(picked): Query<Picked>,
) -> Response {
    picking(&marking, &visitor, Tongue::of(&headers), &picked, (None, Purpose::Bind)).await
}

async fn find(marking: &Marking, picked: &Picked) -> sqlx::Result<Option<OrderRef>> {
    let number = picked.number.trim();
    let found = marking.store.find(picked.shop.as_str(), number).await?;
    let shop = picked.shop.clone();
    Ok(found.map(|(id, site)| OrderRef { shop, id, number: number.to_owned(), site }))
}

async fn picking(
    marking: &Marking,
    visitor: &Visitor,
    tongue: Tongue,
    picked: &Picked,
    (said, purpose): (Option<Said>, Purpose),
) -> Response {
    let read = async {
        match find(marking, picked).await? {
            Some(order) => marking.store.order(&order).await,
            None => Ok(None),
        }
    };
    let view = match read.await {
        Ok(Some(view)) => view,
        Ok(None) => {
            let text = texts::refused(&crate::store::ScanRefusal::OrderUnknown);
            let said = Said { is_good: false, text: tongue.text(&text).to_owned() };
            return first(marking, visitor, tongue, Some(said)).await;
        }
        Err(error) => return away(&error),
    };
    // Of an order that only its receipt has told of nothing is known yet.
    let is_known = !view.lines.is_empty();
    let is_full = is_known && view.lines.iter().all(|line| line.scanned == line.count);
    let has_surplus = view.lines.iter().any(|line| line.scanned > line.count);
    let body = html! {
        h2 { (tongue.t("Заказ № ", "Order ")) (view.number) }
        (told(said.as_ref()))
        @if view.cancelled { p.said.bad { (tongue.t("Заказ отменён.", "The order is cancelled.")) } }
        @if has_surplus { p.said.bad { (tongue.t("Отсканировано лишнее: отвяжите то, чего в заказе больше нет.", "Too much is scanned: unbind what the order does not have any more.")) } }
        @if !is_known { p.said.bad { (tongue.t("Маркированных товаров этого заказа Паром не знает.", "Parom knows of no marked goods in this order.")) } }
        @if is_full && !view.cancelled { p.said.good { (tongue.t("Всё отсканировано.", "Everything is scanned.")) } }
        form method="post" action="/scan" {
            (hidden(visitor))
            input type="hidden" name="shop" value=(picked.shop.as_str());
            input type="hidden" name="number" value=(picked.number);
            label for="code" { (tongue.t("Код с товара", "The code on the goods")) }
            input #code type="text" name="code" required autofocus autocomplete="off" autocapitalize="none" spellcheck="false";
            fieldset {
                legend { (tongue.t("Что делает скан", "What the scan does")) }
                label.check { input type="radio" name="purpose" value="bind" checked[purpose == Purpose::Bind]; (tongue.t("привязывает к заказу", "binds to the order")) }
                label.check { input type="radio" name="purpose" value="back" checked[purpose == Purpose::Back]; (tongue.t("отмечает возврат", "notes a return")) }
                label.check { input type="radio" name="purpose" value="undo" checked[purpose == Purpose::Undo]; (tongue.t("отвязывает ошибочный", "takes back a wrong scan")) }
            }
            p { button type="submit" { (tongue.t("Готово", "Done")) } }
        }
        (lines(tongue, &view))
        (pieces(tongue, visitor, picked, &view))
        p { a href="/" { (tongue.t("К другому заказу", "Another order")) } }
    };
    frame(tongue, Some(visitor), &body).into_response()
}

fn lines(tongue: Tongue, view: &OrderView) -> Markup {
    html! {
        table {
            thead { tr {
                th { (tongue.t("Товар", "Product")) } th.wide { "GTIN" }
                th.number { (tongue.t("отсканировано", "scanned")) } th.number { (tongue.t("нужно", "needed")) }
            } }
            tbody {
                @for line in &view.lines {
                    tr {
                        td { (line.name) } td.wide { (line.gtin.as_deref().unwrap_or("—")) }
                        td.number { (line.scanned) } td.number { (line.count) }
                    }
                }
            }
        }
    }
}

/// Every piece that is bound, and the way to take a scan back.
fn pieces(tongue: Tongue, visitor: &Visitor, picked: &Picked, view: &OrderView) -> Markup {
    let all: Vec<(&ViewLine, &Piece)> = view
        .lines
        .iter()
        .flat_map(|line| line.pieces.iter().map(move |piece| (line, piece)))
        .collect();
    html! {
        @if !all.is_empty() {
            h2 { (tongue.t("Привязанные экземпляры", "Bound pieces")) }
            table {
                tbody {
                    @for (line, piece) in all {
                        tr {
                            td { (line.name) br; code { (piece.code) } }
                            td { (status_of(tongue, piece)) }
                            td.number {
                                @if piece.status == "in_order" || piece.came_back {
                                    form method="post" action="/unbind" {
                                        (hidden(visitor))
                                        input type="hidden" name="shop" value=(picked.shop.as_str());
                                        input type="hidden" name="number" value=(picked.number);
                                        input type="hidden" name="code" value=(piece.code);
                                        button type="submit" { (tongue.t("Отвязать", "Unbind")) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn status_of(tongue: Tongue, piece: &Piece) -> &str {
    if piece.came_back {
        return tongue.t("вернулся", "came back");
    }
    tongue.t(texts::status_ru(&piece.status), &piece.status)
}

/// A scan from the page.
#[derive(Deserialize)]
pub(super) struct Scanning {
    csrf: String,
    shop: ShopId,
    number: String,
    code: String,
    #[serde(default)]
    purpose: Option<String>,
}

/// Takes back the scan of a piece in the list.
pub(super) async fn unbind(
    marking: State<Arc<Marking>>,
    visitor: Visitor,
    headers: HeaderMap,
    Form(scanning): Form<Scanning>,
) -> Response {
    let undo = Scanning { purpose: Some("undo".to_owned()), ..scanning };
    act(&marking, &visitor, Tongue::of(&headers), undo, Purpose::Bind).await
}

/// Does what the scan is for and shows the order again, ready for the next one of its kind.
pub(super) async fn scan(
    marking: State<Arc<Marking>>,
    visitor: Visitor,
    headers: HeaderMap,
    Form(scanning): Form<Scanning>,
) -> Response {
    let next = match scanning.purpose.as_deref() {
        Some("back") => Purpose::Back,
        // Whoever takes one scan back binds the next.
        _ => Purpose::Bind,
    };
    act(&marking, &visitor, Tongue::of(&headers), scanning, next).await
}

async fn act(
    marking: &Marking,
    visitor: &Visitor,
    tongue: Tongue,
    scanning: Scanning,
    next: Purpose,
) -> Response {
    if let Err(refused) = visitor.check(&scanning.csrf) {
        return refused.into_response();
    }
    let purpose = match scanning.purpose.as_deref() {
        Some("back") => Purpose::Back,
        Some("undo") => Purpose::Undo,
        _ => Purpose::Bind,
    };
    let picked = Picked { shop: scanning.shop, number: scanning.number };
    let done = async {
        let Some(order) = find(marking, &picked).await? else { return Ok(None) };
        Ok(Some(api::bind(marking, &order, &scanning.code, purpose, &visitor.name).await?))
    };
    let said = match done.await {
        Ok(None) => None,
        Ok(Some(Ok(scanned))) => {
            let done = match purpose {
                Purpose::Bind => tongue.t("привязан", "bound"),
                Purpose::Back => tongue.t("возврат отмечен", "return noted"),
                Purpose::Undo => tongue.t("отвязан", "unbound"),
            };
            let (scanned, count) =
                (format!("{}: {done}", scanned.name), (scanned.scanned, scanned.count));
            Some(Said { is_good: true, text: format!("{scanned}, {} / {}.", count.0, count.1) })
        }
        Ok(Some(Err((_, text)))) => {
            Some(Said { is_good: false, text: tongue.text(&text).to_owned() })
        }
        Err(error) => return away(&error),
    };
    picking(marking, visitor, tongue, &picked, (said, next)).await
}

/// Imports the file of the form: its first field is the session's token, its second the file.
pub(super) async fn import(
    State(marking): State<Arc<Marking>>,
    visitor: Visitor,
    headers: HeaderMap,
    mut form: Multipart,
) -> Response {
    let tongue = Tongue::of(&headers);
    let bad = || StatusCode::BAD_REQUEST.into_response();
    let Ok(Some(token)) = form.next_field().await else { return bad() };
    let is_token = token.name() == Some("csrf");
    let Ok(token) = token.bytes().await else { return bad() };
    let token = String::from_utf8_lossy(&token);
    if let Err(refused) = visitor.check(if is_token { &token } else { "" }) {
        return refused.into_response();
    }
    let Ok(Some(file)) = form.next_field().await else { return bad() };
    let name = file.file_name().unwrap_or_default().to_owned();
    match api::take_in(&marking, file, &name, &visitor.name).await {
        Ok(done) => Redirect::to(&format!("/import/{}", done.id)).into_response(),
        Err(refused) => {
            let text = tongue.text(&refused.text).to_owned();
            let page = first(&marking, &visitor, tongue, Some(Said { is_good: false, text })).await;
            (refused.status, page).into_response()
        }
    }
}

/// The report of an import.
pub(super) async fn report(
    State(marking): State<Arc<Marking>>,
    visitor: Visitor,
    headers: HeaderMap,
    Path(id): Path<i64>,
    Query(after): Query<api::After>,
) -> Response {
    let tongue = Tongue::of(&headers);
    let read = async {
        Ok((marking.store.imported(id).await?, marking.store.report(id, after.after, 500).await?))
    };
    let (import, rows) = match read.await {
        Ok((Some(import), rows)) => (import, rows),
        Ok((None, _)) => return StatusCode::NOT_FOUND.into_response(),
        Err(error) => return away(&error),
    };
    let body = html! {
        h2 { (import.name) }
        (imported(tongue, std::slice::from_ref(&import)))
        h2 { (tongue.t("Строки, которые не стали новыми кодами", "Rows that did not simply become new codes")) }
        @if rows.is_empty() { p.quiet { (tongue.t("Таких нет.", "There are none.")) } }
        @else { (report_rows(tongue, &rows)) }
        @if let Some(last) = rows.last().filter(|_| rows.len() == 500) {
            p { a href=(format!("/import/{id}?after={}", last.id)) { (tongue.t("Дальше", "More")) } }
        }
    };
    frame(tongue, Some(&visitor), &body).into_response()
}

fn report_rows(tongue: Tongue, rows: &[ReportRow]) -> Markup {
    let outcome = |word: &str| {
        match word {
            "known" => tongue.t("уже на остатке", "known"),
            "repeated" => tongue.t("повтор в файле", "repeated in the file"),
            "repaired" => tongue.t("исправлен", "mended"),
            _ => tongue.t("отклонён", "refused"),
        }
        .to_owned()
    };
    html! {
        table {
            thead { tr {
                th.number { (tongue.t("Строка", "Row")) } th { (tongue.t("Лист", "Sheet")) }
                th { (tongue.t("Итог", "Outcome")) } th { (tongue.t("Почему", "Why")) }
            } }
            tbody {
                @for row in rows {
                    tr {
                        td.number { (row.line) } td { (row.sheet.as_deref().unwrap_or("")) }
                        td { (outcome(&row.outcome)) } td { (details(tongue, &row.detail)) }
                    }
                }
            }
        }
    }
}

/// Why, for people: a row may have been mended in several ways.
fn details(tongue: Tongue, detail: &str) -> String {
    let words = detail.split(',').map(|word| tongue.t(texts::detail_ru(word), word));
    words.collect::<Vec<_>>().join(", ")
}

/// Whether the last key was wrong.
#[derive(Debug, Deserialize)]
pub(super) struct Tried {
    #[serde(default)]
    wrong: Option<String>,
}

/// The form to sign in.
pub(super) async fn login(headers: HeaderMap, Query(tried): Query<Tried>) -> Markup {
    let tongue = Tongue::of(&headers);
    let body = html! {
        h2 { (tongue.t("Вход", "Sign in")) }
        @match tried.wrong.as_deref() {
            None => {}
            Some("often") => p.said.bad role="alert" {
                (tongue.t("Слишком много неверных ключей. Подождите несколько секунд.", "Too many wrong keys. Wait a few seconds."))
            }
            Some(_) => p.said.bad role="alert" { (tongue.t("Ключ не подходит.", "The key does not fit.")) }
        }
        form method="post" action="/login" {
            label for="key" { (tongue.t("Ваш ключ", "Your key")) }
            input #key type="password" name="key" required autofocus autocomplete="current-password";
            p { button type="submit" { (tongue.t("Войти", "Sign in")) } }
        }
    };
    frame(tongue, None, &body)
}

/// What the form to sign in sends.
#[derive(Deserialize)]
pub(super) struct Given {
    key: SecretString,
}

/// Signs in with a key of the settings.
pub(super) async fn sign_in(
    State(marking): State<Arc<Marking>>,
    address: Address,
    Form(given): Form<Given>,
) -> Response {
    let caller = match marking.keys.admit(given.key.expose_secret(), address) {
        Ok(caller) => caller,
        Err(StatusCode::UNAUTHORIZED) => return Redirect::to("/login?wrong=key").into_response(),
        Err(_) => return Redirect::to("/login?wrong=often").into_response(),
    };
    let (secret, csrf) = (fresh(), fresh());
    let lasts = marking.config.marking_session;
    let Some(kept) = marking.keys.session_of(&caller.name, &secret) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    if let Err(error) = marking.store.begin_session(&kept, &caller.name, &csrf, lasts).await {
        return away(&error);
    }
    let cookie = set_cookie(&marking, cookie_name(&marking), &secret, lasts);
    ([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response()
}

/// A form with nothing but its token.
#[derive(Deserialize)]
pub(super) struct Signed {
    csrf: String,
}

/// Signs out.
pub(super) async fn sign_out(
    State(marking): State<Arc<Marking>>,
    visitor: Visitor,
    headers: HeaderMap,
    Form(signed): Form<Signed>,
) -> Response {
    if let Err(refused) = visitor.check(&signed.csrf) {
        return refused.into_response();
    }
    let name = cookie_name(&marking);
    if let Some(secret) = cookie(&headers, name)
        && let Some(kept) = marking.keys.session_of(&visitor.name, secret)
        && let Err(error) = marking.store.end_session(&kept).await
    {
        return away(&error);
    }
    let gone = set_cookie(&marking, name, "", std::time::Duration::ZERO);
    ([(header::SET_COOKIE, gone)], Redirect::to("/login")).into_response()
}

/// Which language.
#[derive(Debug, Deserialize)]
pub(super) struct Chosen {
    to: String,
}

/// Remembers a language.
pub(super) async fn language(
    State(marking): State<Arc<Marking>>,
    Query(chosen): Query<Chosen>,
) -> Response {
    let word = if chosen.to == "en" { "en" } else { "ru" };
    let year = std::time::Duration::from_secs(365 * 24 * 3600);
    ([(header::SET_COOKIE, set_cookie(&marking, LANGUAGE, word, year))], Redirect::to("/"))
        .into_response()
}
