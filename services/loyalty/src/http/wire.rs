//! An operation as 1C writes it, read strictly: what is not understood is refused, not guessed.

use events::{Money, Phone};
use serde::Deserialize;
use serde_json::value::RawValue;
use time::{
    OffsetDateTime, PrimitiveDateTime, format_description::well_known::Rfc3339,
    macros::format_description,
};
use uuid::Uuid;

use super::auth::Caller;
use crate::{
    config::{Master, Program, Role},
    ledger::{Beyond, Key, MAX_AMOUNT, Note, Request, What},
};

/// The longest id of an operation.
const ID_MAX: usize = 200;
/// The longest text for people.
pub(super) const TEXT_MAX: usize = 500;

/// An operation on the wire.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Item<'a> {
    #[serde(rename = "type")]
    kind: String,
    external_id: String,
    #[serde(borrow, default)]
    amount: Option<&'a RawValue>,
    user_phone: Option<String>,
    description: Option<String>,
    created_at: Option<String>,
    reference: Option<String>,
    offline: Option<bool>,
    expires_at: Option<String>,
    author: Option<String>,
    reason: Option<String>,
}

/// Why an operation is not taken: a code of [`crate::words::api`], and the field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Invalid {
    pub code: &'static str,
    pub field: &'static str,
    pub external_id: Option<String>,
}

/// Reads one operation of a caller's. `late` says that it comes in a batch: after an offline time.
pub(super) fn read(
    text: &str,
    caller: &Caller,
    program: &Program,
    now: OffsetDateTime,
    late: bool,
) -> Result<(Request, Option<time::Duration>), Invalid> {
    let item: Item<'_> = serde_json::from_str(text).map_err(|error| unreadable(text, &error))?;
    let id = item.external_id.clone();
    build(item, caller, program, now, late).map_err(|(code, field)| {
        let external_id = Some(id).filter(|id| is_text(id, ID_MAX));
        Invalid { code, field, external_id }
    })
}

type Wrong = (&'static str, &'static str);

fn build(
    item: Item<'_>,
    caller: &Caller,
    program: &Program,
    now: OffsetDateTime,
    late: bool,
) -> Result<(Request, Option<time::Duration>), Wrong> {
    let register = &caller.register;
    if item.external_id.is_empty() || !is_text(&item.external_id, ID_MAX) {
        return Err(("invalid_external_id", "external_id"));
    }
    for (field, text) in
        [("description", &item.description), ("author", &item.author), ("reason", &item.reason)]
    {
        if text.as_ref().is_some_and(|text| !is_text(text, TEXT_MAX)) {
            return Err(("invalid_text", field));
        }
    }
    let phone: Option<Phone> = match &item.user_phone {
        Some(phone) => Some(phone.parse().map_err(|_| ("invalid_phone", "user_phone"))?),
        None => None,
    };
    let time = |text: &str| moment(text, register.utc_offset);
    let occurred_at = match &item.created_at {
        Some(text) => Some(time(text).ok_or(("invalid_time", "created_at"))?),
        None => None,
    };
    let happened = occurred_at.unwrap_or(now);
    if happened > now + program.clock_ahead || happened < now - program.clock_behind {
        return Err(("clock_wrong", "created_at"));
    }
    let what = what(&item, caller, program, now, late)?;
    let wants_phone = what.of().is_none();
    if wants_phone && phone.is_none() {
        return Err(("phone_missing", "user_phone"));
    }
    let request = Request {
        id: Uuid::now_v7(),
        key: Key::new(&register.source, item.external_id),
        what,
        phone,
        customer: None,
        effective_at: happened.min(now),
        note: Note {
            register: Some(caller.name.clone()),
            store: register.store.clone(),
            description: item.description.or_else(|| register.address.clone()),
            order: None,
            author: item.author,
            reason: item.reason,
            occurred_at,
        },
    };
    Ok((request, Some(happened - now).filter(|ahead| ahead.is_positive())))
}

fn what(
    item: &Item<'_>,
    caller: &Caller,
    program: &Program,
    now: OffsetDateTime,
    late: bool,
) -> Result<What, Wrong> {
    let register = &caller.register;
    let expires_at = match &item.expires_at {
        Some(text) => {
            let at = moment(text, register.utc_offset).filter(|at| *at > now);
            Some(at.ok_or(("invalid_time", "expires_at"))?)
        }
        None => program.expires_after.map(|life| now + life),
    };
    let amount = || positive(item.amount);
    let some_amount = || item.amount.map(|_| positive(item.amount)).transpose();
    let of = || reference(item, &register.source);
    Ok(match item.kind.as_str() {
        "accrual" => What::Accrual { amount: amount()?, matures_at: None, expires_at },
        "debit" => What::Debit {
            amount: amount()?,
            beyond: match item.offline.unwrap_or(late) {
                // 1C is the master and has decided already: ours is a copy.
                _ if program.master == Master::OneC => Beyond::Allow(MAX_AMOUNT),
                true => register.offline.unwrap_or(program.offline).into(),
                false => Beyond::Refuse,
            },
        },
        "hold" => What::Hold { amount: amount()?, until: now + program.register_hold_for },
        "capture" | "confirm" => What::Capture { of: of()?, amount: some_amount()? },
        "release" => What::Release { of: of()?, amount: some_amount()? },
        "reversal" | "void" => What::Reversal { of: of()?, amount: some_amount()? },
        "adjustment" if register.role == Role::Manager => {
            if item.author.as_deref().is_none_or(str::is_empty) {
                return Err(("author_missing", "author"));
            }
            if item.reason.as_deref().is_none_or(str::is_empty) {
                return Err(("reason_missing", "reason"));
            }
            What::Adjustment { amount: any_amount(item.amount)?, expires_at }
        }
        "adjustment" => return Err(("forbidden", "type")),
        _ => return Err(("unknown_type", "type")),
    })
}

fn reference(item: &Item<'_>, source: &str) -> Result<Key, Wrong> {
    let of = item.reference.as_deref().filter(|of| !of.is_empty() && is_text(of, ID_MAX));
    let of = of.ok_or(("reference_missing", "reference"))?;
    if of == item.external_id {
        return Err(("reference_to_itself", "reference"));
    }
    Ok(Key::new(source, of))
}

/// An amount above zero with at most two decimals, as a JSON number or a string.
fn positive(raw: Option<&RawValue>) -> Result<i64, Wrong> {
    match any_amount(raw)? {
        amount if amount > 0 => Ok(amount),
        _ => Err(("amount_not_positive", "amount")),
    }
}

fn any_amount(raw: Option<&RawValue>) -> Result<i64, Wrong> {
    let text = raw.map(RawValue::get).unwrap_or_default();
    let plain = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let amount: Money = plain.parse().map_err(|error| match error {
        events::MoneyError::PartOfKopeck => ("amount_too_precise", "amount"),
        _ => ("invalid_amount", "amount"),
    })?;
    match amount.kopecks() {
        0 => Err(("amount_not_positive", "amount")),
        kopecks if kopecks.abs() > MAX_AMOUNT => Err(("amount_too_large", "amount")),
        kopecks => Ok(kopecks),
    }
}

/// RFC 3339, or 1C's date and time without an offset, by the register's own.
pub(super) fn moment(text: &str, offset: time::UtcOffset) -> Option<OffsetDateTime> {
    let plain = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
    let at = OffsetDateTime::parse(text, &Rfc3339).ok().or_else(|| {
        let text = text.replacen(' ', "T", 1);
        PrimitiveDateTime::parse(&text, plain).ok().map(|at| at.assume_offset(offset))
    })?;
    // Beyond these years sums with durations do not fit.
    (2000..=2200).contains(&at.year()).then_some(at)
}

/// Short enough, and without signs that no display shows.
pub(super) fn is_text(text: &str, max: usize) -> bool {
    text.chars().count() <= max && !text.chars().any(char::is_control)
}

/// Says which field is the trouble, without quoting anything: it may be personal.
fn unreadable(text: &str, error: &serde_json::Error) -> Invalid {
    #[derive(Deserialize)]
    struct Name {
        external_id: Option<String>,
    }
    let external_id = serde_json::from_str::<Name>(text).ok().and_then(|name| name.external_id);
    let external_id = external_id.filter(|id| is_text(id, ID_MAX));
    let message = error.to_string();
    let (code, field) = if message.starts_with("unknown field") {
        ("unknown_field", "")
    } else if message.starts_with("missing field `type`") {
        ("unknown_type", "type")
    } else if message.starts_with("missing field") {
        ("invalid_external_id", "external_id")
    } else {
        ("invalid_json", "")
    };
    Invalid { code, field, external_id }
}
