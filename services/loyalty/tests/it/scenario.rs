//! The ledger scenarios of the vendors' folder, which lies beside the workspace.

use std::{collections::BTreeMap, fs, path::Path};

use loyalty::ledger::{Account, Answer, Beyond, Desk, Found, Key, Lapse, Request, What};
use serde_json::Value;
use time::{
    Date, Duration, OffsetDateTime, format_description::well_known::Rfc3339,
    macros::format_description,
};

use crate::laws::{START, check, desk, request};

/// The content of a file with foreign data; `None`, said loudly, where it does not lie.
#[expect(clippy::print_stderr, reason = "what is not checked must be seen")]
pub(crate) fn foreign(name: &str) -> Option<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vendors/loyalty");
    let text = fs::read_to_string(folder.join(name)).ok();
    if text.is_none() {
        eprintln!("NOT CHECKED: {name} is missing in {}", folder.display());
    }
    text
}

/// The operations of a case: requests, and ticks of the clock.
pub(crate) enum Act {
    Ask(Box<Request>, OffsetDateTime),
    Tick(OffsetDateTime),
}

pub(crate) fn cases() -> Option<Vec<Value>> {
    let all: Value = serde_json::from_str(&foreign("ledger_scenarios.json")?).unwrap();
    Some(all["cases"].as_array().unwrap().clone())
}

pub(crate) fn acts(cases: &[Value], case: &Value) -> Vec<Act> {
    let ops = match case["same_ops_as"].as_u64() {
        Some(other) => &cases[usize::try_from(other).unwrap()]["ops"],
        None => &case["ops"],
    };
    let beyond = match case["policy"].as_str() {
        Some("overdraft") => Beyond::Allow(i64::MAX),
        _ => Beyond::Refuse,
    };
    let ops = ops.as_array().cloned().unwrap_or_default();
    let acts = ops.iter().enumerate().map(|(number, op)| act(number, op, beyond));
    acts.collect()
}

fn act(number: usize, op: &Value, beyond: Beyond) -> Act {
    let step = i64::try_from(number).unwrap();
    let moment =
        op["occurred"].as_str().and_then(moment).unwrap_or(START + Duration::minutes(step));
    let amount = || op["amount"].as_i64().unwrap();
    // The sources of one case refer to each other's operations nowhere.
    let source = op["src"].as_str().unwrap_or("1c_retail");
    let of = || Key::new("1c_retail", op["ref"].as_str().unwrap());
    let some = op["amount"].as_i64();
    let what = match op["op"].as_str().unwrap() {
        "tick" => return Act::Tick(op["now"].as_str().and_then(self::moment).unwrap()),
        "accrual" => What::Accrual {
            amount: amount(),
            matures_at: None,
            expires_at: op["expires"].as_str().and_then(self::moment),
        },
        "debit" => What::Debit { amount: amount(), beyond },
        "hold" => What::Hold { amount: amount(), until: moment + Duration::days(30) },
        "confirm" => What::Capture { of: of(), amount: some },
        "release" => What::Release { of: of(), amount: some },
        "void" => What::Reversal { of: of(), amount: some },
        other => panic!("a new operation: {other}"),
    };
    let mut asked = request(100 + number, op["id"].as_str().unwrap(), what);
    asked.key.source = source.to_owned();
    asked.effective_at = moment;
    if let Some(phone) = op["phone"].as_str() {
        asked.phone = Some(phone.parse().unwrap());
    }
    Act::Ask(Box::new(asked), moment)
}

fn moment(text: &str) -> Option<OffsetDateTime> {
    if text == "now+24h" {
        return Some(START + Duration::hours(24));
    }
    let date = format_description!("[year]-[month]-[day]");
    OffsetDateTime::parse(text, &Rfc3339)
        .ok()
        .or_else(|| Date::parse(text, &date).ok().map(|date| date.midnight().assume_utc()))
}

/// The word that the scenarios use for an answer.
pub(crate) fn word(answer: &Answer) -> &'static str {
    match answer.word() {
        "already_exists" => "duplicate",
        word => word,
    }
}

/// Whether what came out is what the case expects; cases of the HTTP interface expect nothing here.
pub(crate) fn compare(case: &Value, words: &[&str], totals: &BTreeMap<Account, i64>) {
    let name = case["name"].as_str().unwrap();
    let of = |account| totals.get(&account).copied().unwrap_or(0);
    let posted = of(Account::Available) + of(Account::Held) + of(Account::Debt);
    let expect = &case["expect"];
    if let Some(expected) = expect["results"].as_array() {
        assert_eq!(words, expected, "{name}");
    }
    for (field, found) in [
        ("posted", posted),
        ("available", of(Account::Available)),
        ("held", of(Account::Held)),
        ("expired", of(Account::Expired)),
    ] {
        if let Some(expected) = expect[field].as_i64() {
            assert_eq!(found, expected, "{name}: {field}");
        }
    }
    if let Some(ids) = expect["one_of"].as_array() {
        let done = words.iter().skip(1).filter(|word| **word == "ok").count();
        assert_eq!(done, ids.len() - 1, "{name}: {words:?}");
    }
}

fn run(cases: &[Value], case: &Value, lapse: Lapse) -> (Desk, Vec<&'static str>) {
    let mut desk: Desk = desk();
    let mut words = Vec::new();
    for act in acts(cases, case) {
        match act {
            Act::Ask(request, now) => words.push(word(&desk.handle(&request, now, lapse))),
            Act::Tick(now) => desk.settle(now, lapse),
        }
    }
    (desk, words)
}

fn totals(desk: &Desk) -> BTreeMap<Account, i64> {
    let sum = |account| desk.records.iter().map(|record| record.entries.of(account)).sum();
    Account::ALL.into_iter().map(|account| (account, sum(account))).collect()
}

#[test]
fn all_scenarios_hold() {
    let Some(cases) = cases() else { return };
    assert!(cases.len() >= 18, "only {} cases", cases.len());
    for case in &cases {
        let (desk, words) = run(&cases, case, Lapse::Burn);
        if words.is_empty() {
            continue;
        }
        compare(case, &words, &totals(&desk));
        check(&desk.books.get(&1).cloned().unwrap_or_default(), &desk.records);
    }
}

#[test]
fn points_given_back_to_a_lot_whose_time_is_over_burn_or_get_grace() {
    let Some(cases) = cases() else { return };
    let case = cases.iter().find(|case| case["name"].as_str().unwrap().contains("original lots"));
    let grace = Lapse::Grace(std::time::Duration::from_secs(7 * 86_400));
    for (lapse, available, expired) in [(Lapse::Burn, 0, 100), (grace, 100, 0)] {
        let (desk, words) = run(&cases, case.unwrap(), lapse);
        assert_eq!(words, ["ok"; 3]);
        let totals = totals(&desk);
        assert_eq!((totals[&Account::Available], totals[&Account::Expired]), (available, expired));
        let lots: Vec<_> = desk.books[&1].lots.values().map(|lot| lot.free).collect();
        assert_eq!(lots, [available], "no fresh lot");
    }
}

#[test]
fn two_customers_with_one_phone_are_not_guessed() {
    let mut desk = desk();
    desk.phones.insert("+79161234567".to_owned(), Found::Several);
    let what = What::Accrual { amount: 10, matures_at: None, expires_at: None };
    let answer = desk.handle(&request(1, "a", what), START, Lapse::Burn);
    assert_eq!(answer.word(), "ambiguous_customer");
    assert!(desk.records.is_empty());
}

#[test]
fn what_waited_for_its_customer_is_carried_out_once_he_is_known() {
    let mut desk = Desk::default();
    let what = What::Accrual { amount: 10, matures_at: None, expires_at: None };
    let asked = request(1, "a", what);
    assert_eq!(desk.handle(&asked, START, Lapse::Burn).word(), "parked_unknown_customer");
    assert_eq!(desk.handle(&asked, START, Lapse::Burn).word(), "parked_unknown_customer");
    desk.phones.insert("+79161234567".to_owned(), Found::One(7));
    assert!(desk.retry(&asked, START, Lapse::Burn));
    assert_eq!(desk.books[&7].available(), 10);
    assert_eq!(desk.handle(&asked, START, Lapse::Burn).word(), "already_exists");
    assert!(desk.to_wake.contains(&asked.key) && desk.to_park.is_empty());
}
