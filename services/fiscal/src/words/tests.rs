//! Everything that this service says when it gives up.

use events::{Money, OrderRef, Quantity, Vat};
use runtime::testing::Said;

use super::*;
use crate::{
    receipt::{BookFault, CheckFault, CorrectionFault, LineFault, PaymentFault, Refusal, SumFault},
    registers::What,
};

const SUM: Money = Money::from_kopecks(148_100);

fn one() -> Quantity {
    Quantity::from_units(1)
}

fn refusals() -> Vec<Refusal> {
    let line = || "Сапоги".to_owned();
    let payment = [
        PaymentFault::Missing(7),
        PaymentFault::SystemUnknown(7),
        PaymentFault::NoSystem,
        PaymentFault::NoContact,
    ];
    let sums = [
        SumFault::Price(SUM),
        SumFault::Mismatch { lines: SUM, price: SUM },
        SumFault::TooLarge,
        SumFault::TooManyPositions(2_000),
        SumFault::DeliveryPrice(SUM),
        SumFault::DeliveryVatUnknown,
        SumFault::DeliveryVat(Vat::C20),
        SumFault::DeliveryVatNotInForce(Vat::V20),
        SumFault::Amounts { paid: SUM, total: SUM },
    ];
    let lines = [
        LineFault::Name,
        LineFault::Price(SUM),
        LineFault::Quantity,
        LineFault::Vat(Vat::C20),
        LineFault::VatNotInForce(Vat::V20),
        LineFault::Unit("796".to_owned()),
        LineFault::NoUnit,
        LineFault::NoMarks,
        LineFault::MarksCount(1, one()),
        LineFault::MarkTwice,
        LineFault::MarkUnreadable,
    ];
    let books = [
        BookFault::Overpaid { paid: SUM, left: SUM },
        BookFault::MoreThanPaid { total: SUM },
        BookFault::MoreThanSold { line: line(), wanted: one() },
        BookFault::CodesUnknown { line: line() },
        BookFault::LinesUnknown { sum: SUM },
        BookFault::ReturnedBefore,
        BookFault::NothingSold,
        BookFault::AllAndSome,
        BookFault::PartlyClosed,
        BookFault::OtherWay,
        BookFault::Alike,
        BookFault::Corrected { document: "7".to_owned() },
        BookFault::InFlight,
        BookFault::NotPaid { payment: 7 },
    ];
    let corrections = [
        CorrectionFault::Document,
        CorrectionFault::Reason,
        CorrectionFault::Date(time::macros::date!(2026 - 11 - 22)),
    ];
    let all = payment.map(Refusal::Payment).into_iter().chain(sums.map(Refusal::Sums));
    let all = all.chain(lines.map(|fault| Refusal::Line(line(), fault)));
    let all = all.chain(books.map(Refusal::Book)).chain(checks().map(Refusal::Check));
    all.chain(corrections.map(Refusal::Correction)).collect()
}

/// What can be wrong with a check that Bitrix made.
fn checks() -> [CheckFault; 8] {
    [
        CheckFault::Number,
        CheckFault::Type("чек".to_owned()),
        CheckFault::Sum,
        CheckFault::Payment("бонусы".to_owned()),
        CheckFault::Object("товар".to_owned()),
        CheckFault::Vat("5".to_owned()),
        CheckFault::VatSum { id: "5".to_owned(), said: SUM, own: SUM },
        CheckFault::Mark("Сапоги".to_owned()),
    ]
}

/// As the flow makes a reason of it.
fn refused(subject: &Subject, refusal: &Refusal) -> Reason {
    let text = refusal.text(subject);
    let class = if refusal.is_doubt() { Class::Unknown } else { Class::Invalid };
    Reason::new(class, refusal.code(), text.ru, text.en)
}

fn calls(subject: &Subject) -> Vec<Failure> {
    let refused = |passing| What::Refused { code: 1, message: "x".to_owned(), passing };
    let what = [
        What::Busy,
        What::NotSent("x".to_owned()),
        What::NoAnswer("x".to_owned()),
        What::RateLimited { after: None },
        What::Unauthorized,
        What::Unavailable { status: 500, after: None },
        What::Rejected { status: 400 },
        What::Garbled("x".to_owned()),
        refused(true),
        refused(false),
        What::NotFound,
    ];
    let failed = |what| Error { subject: subject.clone(), register: "CloudKassir", what }.into();
    what.into_iter().map(failed).collect()
}

fn refused_again(subject: &Subject) -> Error {
    let what = What::Refused { code: 1, message: "x".to_owned(), passing: false };
    Error { subject: subject.clone(), register: "CloudKassir", what }
}

#[test]
fn each_reason_is_a_sentence_that_names_the_order_and_what_to_do() {
    let order: OrderRef = Said::order();
    let subject = &Subject::order(&order);
    let register = "CloudKassir";
    let unwritable_one = Unwritable {
        ru: "у количества больше трёх знаков после запятой",
        en: "a quantity has more than three decimals",
    };
    let unreadable = LedgerError::Entry(serde_json::error::Category::Data);
    Said::default()
        .failures([
            shop_unknown(subject),
            fact_unexpected(&Said::event()),
            unwritable(subject, register, &unwritable_one),
            register_unknown(subject, RegisterName::CloudKassir),
            ledger_away(subject, &LedgerError::Database(sqlx::Error::PoolTimedOut)),
            ledger_away(subject, &unreadable),
            outcome_unknown(subject, register, "main-1042"),
            refused_in_doubt(subject, &refused_again(subject), "main-1042"),
        ])
        .failures(calls(subject))
        .reasons(refusals().iter().map(|refusal| refused(subject, refusal)))
        .reasons([
            waited_too_long(subject, "x"),
            receipt_lost(subject, register, "7"),
            receipt_failed(subject, register, "x"),
        ])
        .naming(&[
            "main",
            "fiscal",
            "refund",
            "all",
            "unit",
            "units",
            "cashbox",
            "vats",
            "delivery_vat",
        ])
        .covers(
            &[
                include_str!("../words.rs"),
                include_str!("../registers/error.rs"),
                include_str!("../receipt/refusal/book.rs"),
                include_str!("../receipt/refusal/check.rs"),
                include_str!("../receipt/refusal/correction.rs"),
                include_str!("../receipt/refusal/line.rs"),
                include_str!("../receipt/refusal/payment.rs"),
                include_str!("../receipt/refusal/sums.rs"),
            ],
            &["receipt_accepted", "receipt_overdue", "receipt_done", "receipt_found"],
        )
        .hold(env!("CARGO_MANIFEST_DIR"));
}
