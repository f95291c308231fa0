//! `/balance` and `/history`: what a customer has and had.

use std::sync::Arc;

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::Response,
};
use events::{Phone, ShopId};
use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, UtcOffset};
use uuid::Uuid;

use super::{
    Api,
    answer::{self, Points},
    body::Read,
    wire::moment,
};
use crate::{
    ledger::{CustomerId, Found},
    store::{Balance, Entry, Moment},
    words,
};

/// Lines of one page of history.
const PAGE: i64 = 50;

/// Whose balance, and when. In the query, or in the body: there the phone stands in no log.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    user_phone: Option<String>,
    user_id: Option<i64>,
    shop: Option<String>,
    at: Option<String>,
    before: Option<i64>,
    limit: Option<i64>,
}

#[derive(Debug, Serialize)]
struct BalanceBody {
    user_id: Option<i64>,
    balance: Points,
    pending: Points,
    held: Points,
    debt: Points,
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
}

#[derive(Debug, Serialize)]
struct Line {
    id: Uuid,
    #[serde(rename = "type")]
    kind: &'static str,
    title: String,
    description: Option<String>,
    order: Option<String>,
    reason: Option<String>,
    amount: Points,
    available: Points,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    source: String,
    external_id: String,
}

type InQuery = Result<Query<Asked>, QueryRejection>;

pub(super) async fn balance(State(api): State<Arc<Api>>, asked: InQuery) -> Response {
    match asked {
        Ok(Query(asked)) => answer_balance(&api, &asked).await,
        Err(_) => Trouble::Invalid("invalid_query").answer(&api),
    }
}

pub(super) async fn balance_by_body(
    State(api): State<Arc<Api>>,
    Read(asked): Read<Asked>,
) -> Response {
    answer_balance(&api, &asked).await
}

pub(super) async fn history(State(api): State<Arc<Api>>, asked: InQuery) -> Response {
    match asked {
        Ok(Query(asked)) => answer_history(&api, &asked).await,
        Err(_) => Trouble::Invalid("invalid_query").answer(&api),
    }
}

pub(super) async fn history_by_body(
    State(api): State<Arc<Api>>,
    Read(asked): Read<Asked>,
) -> Response {
    answer_history(&api, &asked).await
}

async fn answer_balance(api: &Api, asked: &Asked) -> Response {
    match find_balance(api, asked).await {
        Ok(balance) => answer::json(StatusCode::OK, &BalanceBody::from(balance)),
        Err(trouble) => trouble.answer(api),
    }
}

async fn find_balance(api: &Api, asked: &Asked) -> Result<Balance, Trouble> {
    asked.is_no_page()?;
    let moment = match &asked.at {
        None => Moment::Now,
        Some(text) => {
            Moment::At(moment(text, UtcOffset::UTC).ok_or(Trouble::Invalid("invalid_time"))?)
        }
    };
    if let (Some(phone), Moment::Now) = (asked.phone()?, moment) {
        let balances = api.bank.balances(phone).await.map_err(|_| Trouble::Away)?;
        return match balances.as_slice() {
            [] => Err(Trouble::Nobody),
            [one] => Ok(*one),
            _ => Err(Trouble::Several),
        };
    }
    let customer = who(api, asked).await?;
    Ok(api.bank.store().balance(customer, moment).await?)
}

async fn answer_history(api: &Api, asked: &Asked) -> Response {
    match find_history(api, asked).await {
        Ok(lines) => {
            let next = lines.last().map(|line| line.seq);
            let lines: Vec<Line> = lines.into_iter().map(|entry| line(api, entry)).collect();
            let body = serde_json::json!({"items": lines, "next_before": next});
            answer::json(StatusCode::OK, &body)
        }
        Err(trouble) => trouble.answer(api),
    }
}

async fn find_history(api: &Api, asked: &Asked) -> Result<Vec<Entry>, Trouble> {
    asked.is_of_now()?;
    let customer = who(api, asked).await?;
    let limit = asked.limit.unwrap_or(PAGE).clamp(1, 500);
    let before = asked.before.unwrap_or(i64::MAX);
    Ok(api.bank.store().history(customer, before, limit).await?)
}

pub(super) async fn who(api: &Api, asked: &Asked) -> Result<CustomerId, Trouble> {
    let found = match (asked.phone()?, asked.user_id, &asked.shop) {
        (Some(phone), None, None) => api.bank.store().with_phone(phone).await?,
        (None, Some(user), Some(shop)) => {
            let shop: ShopId = shop.parse().map_err(|_| Trouble::Invalid("invalid_shop"))?;
            api.bank.store().with_user(shop.as_str(), user).await?
        }
        _ => return Err(Trouble::Invalid("phone_missing")),
    };
    match found {
        Found::Nobody => Err(Trouble::Nobody),
        Found::One(customer) => Ok(customer),
        Found::Several => Err(Trouble::Several),
    }
}

impl Asked {
    fn phone(&self) -> Result<Option<Phone>, Trouble> {
        let phone = self.user_phone.as_deref().map(str::parse).transpose();
        phone.map_err(|_| Trouble::Invalid("invalid_phone"))
    }

    /// A moment where there is only a now would be answered with something else than was asked.
    pub(super) fn is_of_now(&self) -> Result<(), Trouble> {
        self.at.is_none().then_some(()).ok_or(Trouble::Invalid("invalid_query"))
    }

    /// Likewise a page of what has none.
    pub(super) fn is_no_page(&self) -> Result<(), Trouble> {
        let is_page = self.before.is_some() || self.limit.is_some();
        (!is_page).then_some(()).ok_or(Trouble::Invalid("invalid_query"))
    }
}

/// Why there is nothing to show.
pub(super) enum Trouble {
    Invalid(&'static str),
    Nobody,
    Several,
    Away,
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        tracing::warn!(%error, "a balance or history cannot be read");
        Self::Away
    }
}

impl Trouble {
    pub(super) fn answer(self, api: &Api) -> Response {
        let (status, code) = match self {
            Self::Invalid(code) => (StatusCode::BAD_REQUEST, code),
            Self::Nobody => (StatusCode::NOT_FOUND, "user_not_found"),
            Self::Several => (StatusCode::CONFLICT, "ambiguous_customer"),
            Self::Away => return answer::away(api.language),
        };
        answer::error(api.language, status, code)
    }
}

impl From<Balance> for BalanceBody {
    fn from(balance: Balance) -> Self {
        Self {
            user_id: balance.user,
            balance: Points(balance.available),
            pending: Points(balance.pending),
            held: Points(balance.held),
            debt: Points(-balance.debt),
            updated_at: balance.updated_at,
        }
    }
}

fn line(api: &Api, entry: Entry) -> Line {
    let title = words::title(&entry);
    Line {
        id: entry.id,
        kind: entry.kind.as_str(),
        title: api.language.of(&title),
        description: entry.description,
        order: entry.order,
        reason: entry.reason,
        amount: Points(entry.change),
        available: Points(entry.available),
        created_at: entry.effective_at,
        source: entry.key.source,
        external_id: entry.key.external_id,
    }
}

#[cfg(test)]
mod tests {
    use time::format_description::well_known::Rfc3339;

    use super::*;

    #[test]
    fn times_are_rfc_3339_or_1cs_own_form() {
        let moscow = UtcOffset::from_hms(3, 0, 0).unwrap();
        let at = OffsetDateTime::parse("2026-01-10T12:00:00+03:00", &Rfc3339).unwrap();
        for text in [
            "2026-01-10T12:00:00+03:00",
            "2026-01-10T12:00:00",
            "2026-01-10 12:00:00",
            "2026-01-10T09:00:00Z",
        ] {
            assert_eq!(moment(text, moscow), Some(at), "{text}");
        }
        for text in ["", "10.01.2026 12:00:00", "2026-13-10T12:00:00", "0001-01-01T00:00:00"] {
            assert_eq!(moment(text, moscow), None, "{text}");
        }
    }
}
