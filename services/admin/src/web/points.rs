//! A customer's points, as `loyalty` says.

use axum::Form;
use maud::{Markup, html};
use serde::Deserialize;

use super::{Problem, layout::View, show::time};
use crate::{
    loyalty::{Account, Balance, History, Lot, NoAccount, Whose},
    people::Role,
};

/// Whose account is asked for. A phone stands in no address, so that no log keeps it.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    phone: String,
    #[serde(default)]
    shop: String,
    #[serde(default)]
    user: String,
    #[serde(default)]
    before: String,
}

/// The page before anything is asked.
pub(super) async fn page(view: View) -> Result<Markup, Problem> {
    view.person.may(&view.admin, Role::Operator, "see points", "").await?;
    Ok(shown(&view, &Asked::default(), &html! {}))
}

/// The account.
pub(super) async fn look(view: View, Form(asked): Form<Asked>) -> Result<Markup, Problem> {
    let (admin, person) = (&view.admin, &view.person);
    let loyalty = admin.loyalty.as_ref().ok_or(Problem::NotFound)?;
    let whose = whose(&asked)?;
    let subject = subject(&whose);
    person.may_change(admin, Role::Operator, "see points", &subject, Some(&asked.csrf)).await?;
    admin.store.audit(&person.who, "see points", &subject, "", "done").await?;
    let found = match loyalty.look(&whose, asked.before.parse().ok()).await {
        Ok((balance, account, history)) => html! {
            (sums(&view, &balance)) (known_by(&view, &account)) (lots(&view, &account))
            (done(&view, &asked, &history))
        },
        Err(error) => trouble(&view, &error),
    };
    Ok(shown(&view, &asked, &found))
}

fn whose(asked: &Asked) -> Result<Whose, Problem> {
    let (phone, shop) = (asked.phone.trim(), asked.shop.trim());
    if phone.chars().filter(char::is_ascii_digit).count() >= 10 {
        return Ok(Whose::Phone(phone.to_owned()));
    }
    match asked.user.trim().parse() {
        Ok(id) if !shop.is_empty() => Ok(Whose::User { shop: shop.to_owned(), id }),
        _ => Err(Problem::wrong(
            "Напишите телефон целиком или магазин и номер покупателя в нём.",
            "Give the whole phone, or the shop and the buyer's id in it.",
        )),
    }
}

/// What the audit log says of an account: whose it was, and no more than that.
fn subject(whose: &Whose) -> String {
    match whose {
        Whose::Phone(phone) => {
            let tail = crate::timeline::phone_tail(phone).unwrap_or_default();
            format!("phone …{tail}")
        }
        Whose::User { shop, id } => {
            format!("{} {id}", shop.chars().take(60).collect::<String>().replace('\0', ""))
        }
    }
}

fn shown(view: &View, asked: &Asked, found: &Markup) -> Markup {
    let body = html! {
        h1 { (view.t("Баллы", "Points")) }
        @if view.admin.loyalty.is_none() {
            section.card { p {
                (view.t("Сервис баллов не подключён. Задайте ", "The points service is not connected. Set "))
                code { "ADMIN_LOYALTY_URL" } ", " code { "ADMIN_LOYALTY_KEY" } "."
            } }
        } @else {
            form.filters method="post" action="/points" {
                (view.csrf())
                label { (view.t("Телефон", "Phone")) input type="tel" name="phone" value=(asked.phone) maxlength="40" autofocus[asked.phone.is_empty()]; }
                label { (view.t("или магазин", "or shop")) input name="shop" value=(asked.shop) maxlength="60" size="10"; }
                label { (view.t("и номер покупателя", "and buyer's id")) input name="user" value=(asked.user) inputmode="numeric" maxlength="20" size="10"; }
                button type="submit" { (view.t("Показать", "Show")) }
            }
            (found)
        }
    };
    view.page("/points", view.t("Баллы", "Points"), &body)
}

fn sums(view: &View, balance: &Balance) -> Markup {
    html! {
        div.tiles {
            div.tile { strong { (balance.balance.text()) } span { (view.t("можно потратить", "to be spent")) } }
            div.tile { strong { (balance.pending.text()) } span { (view.t("ещё не созрели", "pending")) } }
            div.tile { strong { (balance.held.text()) } span { (view.t("обещаны заказам", "held for orders")) } }
            div.tile.bad[balance.debt.text() != "0.00"] { strong { (balance.debt.text()) } span { (view.t("долг", "owed")) } }
        }
        p.quiet {
            @if let Some(user) = balance.user_id { (view.t("Покупатель ", "Buyer ")) (user) " · " }
            (view.t("на ", "as of ")) (time(balance.updated_at))
        }
    }
}

/// Phones, and who he is in the shops.
fn known_by(view: &View, account: &Account) -> Markup {
    html! {
        section.card {
            h2 { (view.t("По чему узнаём", "Known by")) }
            ul {
                @for phone in &account.phones { li {
                    (view.t("телефон …", "phone …")) (phone.phone_ends)
                    @if !phone.proven { " " span.badge.unsure { (view.t("только указан в заказе", "only typed into an order")) } }
                } }
                @for user in &account.users { li {
                    (view.t("магазин ", "shop ")) (user.shop) (view.t(", покупатель ", ", buyer ")) (user.user_id)
                } }
            }
        }
    }
}

/// What the points are made of: who asks "when do they expire?" finds it here.
fn lots(view: &View, account: &Account) -> Markup {
    html! {
        section.card {
            h2 { (view.t("Из чего состоят", "What they are made of")) }
            @if account.lots.is_empty() { p.quiet { (view.t("Баллов нет.", "There are no points.")) } }
            @else { div.scroll { table {
                thead { tr {
                    th { (view.t("Начислены", "Given")) } th.number { (view.t("Было", "Were")) } th.number { (view.t("Осталось", "Left")) }
                    th { (view.t("Можно тратить", "To be spent")) } th { (view.t("Сгорят", "Expire")) } th { (view.t("Заказ", "Order")) }
                } }
                tbody { @for lot in &account.lots { (lot_row(view, lot)) } }
            } } }
            @if account.more_lots { p.quiet { (view.t("Показаны 200 начислений, которые сгорят раньше других.", "These are the 200 that expire first.")) } }
        }
    }
}

fn lot_row(view: &View, lot: &Lot) -> Markup {
    html! { tr {
        td { (time(lot.created_at)) }
        td.number { (lot.granted.text()) } td.number { strong { (lot.left.text()) } }
        td { @match lot.matures_at { Some(at) => { (view.t("с ", "from ")) (time(at)) }, None => (view.t("уже", "now")) } }
        td { @match lot.expires_at { Some(at) => (time(at)), None => (view.t("не сгорают", "never")) } }
        td { @if let Some(order) = &lot.order { a href={"/orders?q=" (query(order))} { (order) } } @else { "—" } }
    } }
}

fn done(view: &View, asked: &Asked, history: &History) -> Markup {
    html! {
        section.card {
            h2 { (view.t("Что было", "What was done")) }
            @if history.items.is_empty() { p.quiet { (view.t("Движений нет.", "Nothing was done.")) } }
            @else { div.scroll { table {
                thead { tr {
                    th { (view.t("Когда", "When")) } th { (view.t("Что", "What")) } th.number { (view.t("Баллы", "Points")) }
                    th.number { (view.t("Доступно", "To be spent")) } th { (view.t("Заказ", "Order")) } th { (view.t("Откуда", "From")) }
                } }
                tbody { @for line in &history.items { tr {
                    td { (time(line.created_at)) }
                    td { (line.title)
                        @for more in [&line.description, &line.reason].into_iter().flatten() { br; span.quiet { (more) } } }
                    td.number { (line.amount.text()) } td.number { (line.available.text()) }
                    td { @if let Some(order) = &line.order { a href={"/orders?q=" (query(order))} { (order) } } @else { "—" } }
                    td.quiet { (line.source) " " code { (line.external_id) } }
                } } }
            } } }
            @if let Some(before) = history.next_before {
                form method="post" action="/points" {
                    (view.csrf())
                    @for (name, value) in [("phone", &asked.phone), ("shop", &asked.shop), ("user", &asked.user)] {
                        input type="hidden" name=(name) value=(value);
                    }
                    input type="hidden" name="before" value=(before);
                    button type="submit" { (view.t("Что было раньше", "What was before")) }
                }
            }
        }
    }
}

fn query(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn trouble(view: &View, error: &NoAccount) -> Markup {
    let text = match error {
        NoAccount::Said(text) => text.clone(),
        NoAccount::Key => view
            .t(
                "Сервис баллов не принимает ключ. Проверьте ADMIN_LOYALTY_KEY: нужна роль site или manager.",
                "The points service does not take the key. Check ADMIN_LOYALTY_KEY: it needs the role site or manager.",
            )
            .to_owned(),
        NoAccount::Away(_) => {
            tracing::warn!(%error, "an account cannot be shown");
            view.t(
                "Сервис баллов не отвечает. Попробуйте ещё раз через минуту.",
                "The points service does not answer. Try again in a minute.",
            )
            .to_owned()
        }
    };
    html! { section.card.alert role="alert" { p { (text) } } }
}
