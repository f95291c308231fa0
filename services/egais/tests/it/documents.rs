//! Which of our documents is valid on which set of official schemas: the table in the docs is this test's.

use std::{fmt::Write as _, fs, path::Path};

use egais::{
    documents::{Act, Breach, Cheque, Document, Kind, Position, Producer, Product, write},
    mark::Mark,
    waybill::{Accept, Real},
};
use schema::Schema;
use time::macros::{date, datetime};

use crate::{
    order::{BEER, F2, mark},
    world::OWNER,
};

fn product() -> Product {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Product {
        unit_type: "Packed".to_owned(),
        kind: Some("АП".to_owned()),
        full_name: "Пиво <светлое> & \"Пример\"".to_owned(),
        alc_code: BEER.to_owned(),
        capacity: Some("0.500".to_owned()),
        alc_volume: Some("4.5".to_owned()),
        v_code: "500".to_owned(),
        producer: Producer {
            kind: "UL".to_owned(),
            fields: vec![
                pair("ClientRegId", "010000999999"),
                pair("FullName", "ООО Пивовар"),
                pair("ShortName", "Пивовар"),
                pair("INN", "7700000000"),
                pair("KPP", "770001001"),
            ],
            address: vec![
                pair("Country", "643"),
                pair("RegionCode", "77"),
                pair("description", "г. Москва"),
            ],
        },
    }
}

fn marked(marks: &[usize]) -> Position {
    Position {
        name: String::new(),
        quantity: marks.len().into(),
        price: 99_500,
        alc_code: BEER.to_owned(),
        f1: None,
        f2: Some(F2.to_owned()),
        marks: marks.iter().map(|number| Mark::parse(&mark(*number)).unwrap()).collect(),
        product: Some(product()),
        ean: Some("4600000000008".to_owned()),
    }
}

fn plain() -> Position {
    Position { quantity: "2.5".parse().unwrap(), marks: Vec::new(), ..marked(&[1]) }
}

fn act(reason: &str, positions: Vec<Position>) -> Document {
    Document::Act(Act {
        identity: "acme-p1-s9.1-wine-1".to_owned(),
        date: date!(2026 - 11 - 20),
        reason: reason.to_owned(),
        note: "Заказ № 1".to_owned(),
        positions,
    })
}

fn cheque(back: bool, positions: Vec<Position>) -> Document {
    Document::Cheque(Cheque {
        identity: "acme-p1-s9.1-wine-1".to_owned(),
        at: datetime!(2026-11-20 14:05),
        till: "0000000001234567".to_owned(),
        shift: "12".to_owned(),
        number: "345".to_owned(),
        back,
        positions,
    })
}

/// Every document that is sent, in each of its shapes.
fn all() -> Vec<(&'static str, Kind, Document)> {
    let sale = "Реализация";
    let beer_mark = Mark::parse("010460123456789321abcdefg").unwrap();
    let cheque_beer = Mark::parse("0104601234567893211234567890abc").unwrap();
    let digits = Mark::parse(&"1".repeat(40)).unwrap();
    let with = |mark: Mark| Position { marks: vec![mark], quantity: 1.into(), ..marked(&[1]) };
    let waybill = |accept| Document::WayBillAct {
        accept,
        identity: "acme-p1-r1-wine-1".to_owned(),
        date: date!(2026 - 11 - 20),
        waybill: "TTN-0999999901".to_owned(),
        note: "Заказ 1".to_owned(),
    };
    let part = || {
        let real = |place: &str, missing: &[usize]| Real {
            identity: place.to_owned(),
            f2: format!("FB-00000000000000{place}"),
            quantity: 1.into(),
            missing: missing.iter().map(|number| Mark::parse(&mark(*number)).unwrap()).collect(),
        };
        Accept::Part(vec![real("1", &[2, 3]), real("2", &[])])
    };
    let repeal = Document::Repeal {
        identity: "acme-p1-r1-wine0-1".to_owned(),
        at: datetime!(2026-11-20 15:00),
        reg_id: "REG-0000000001".to_owned(),
    };
    vec![
        ("marked", Kind::ActWriteOffV3, act(sale, vec![marked(&[1, 2])])),
        ("unmarked", Kind::ActWriteOffV3, act("Иные цели", vec![plain()])),
        ("beer's marks", Kind::ActWriteOffV3, act(sale, vec![with(beer_mark)])),
        ("mark of 40 digits", Kind::ActWriteOffV3, act(sale, vec![with(digits.clone())])),
        ("marked", Kind::ActWriteOffV4, act(sale, vec![marked(&[1]), plain()])),
        ("unmarked", Kind::ActWriteOffShopV2, act(sale, vec![plain()])),
        ("marked", Kind::ActWriteOffShopV2, act(sale, vec![marked(&[1, 2])])),
        ("sale, unmarked too", Kind::ChequeV3, cheque(false, vec![marked(&[1, 2]), plain()])),
        ("return", Kind::ChequeV3, cheque(true, vec![marked(&[1])])),
        ("beer's marks", Kind::ChequeV3, cheque(false, vec![with(cheque_beer)])),
        ("sale", Kind::ChequeV4, cheque(false, vec![marked(&[1]), plain()])),
        ("return", Kind::ChequeV4, cheque(true, vec![marked(&[1])])),
        ("accepted", Kind::WayBillActV3, waybill(Accept::Whole)),
        ("differences", Kind::WayBillActV3, waybill(part())),
        ("accepted", Kind::WayBillActV4, waybill(Accept::Whole)),
        ("differences", Kind::WayBillActV4, waybill(part())),
        ("surplus", Kind::ActChargeOnShopV2, act("Излишки", vec![plain()])),
        ("whole act", Kind::RequestRepealAwo, repeal),
        ("", Kind::QueryRestsV2, Document::Query(None)),
        ("", Kind::QueryRestsShopV2, Document::Query(None)),
        ("", Kind::QueryRestBCode, Document::Query(Some(("ФОРМА2", F2.to_owned())))),
        ("", Kind::QueryResendDoc, Document::Query(Some(("WBREGID", "TTN-1".to_owned())))),
    ]
}

#[test]
fn documents_are_valid_and_the_table_in_the_docs_says_on_which_set() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.ancestors().map(|up| up.join("shared/vendors/egais")).find(|p| p.exists());
    let Some(folder) = folder else {
        eprintln!("MISSING: ../shared/vendors/egais - this conformance test checks nothing");
        return;
    };
    let sets = ["xsd-2024-06", "xsd-kirsa-pre2024", "xsd-2017-utm205"];
    let schemas =
        sets.map(|set| Schema::read(&folder.join(set).join("WB_DOC_SINGLE_01.xsd")).unwrap());
    let mut table = String::from(
        "| document | shape | June 2024 | before 2024 | 2017 (UTM 2.0.5) |\n|---|---|---|---|---|\n",
    );
    for (shape, kind, document) in all() {
        let text = write(kind, OWNER, &document).unwrap();
        let verdicts = schemas.each_ref().map(|schema| schema.check(text.as_bytes()));
        assert!(verdicts[0].is_ok(), "{} {shape}: {:?}\n{text}", kind.word(), verdicts[0]);
        let words = verdicts.map(|verdict| if verdict.is_ok() { "valid" } else { "—" });
        writeln!(
            table,
            "| `{}` | {shape} | {} | {} | {} |",
            kind.word(),
            words[0],
            words[1],
            words[2]
        )
        .unwrap();
    }
    let path = root.join("../../docs/egais-documents.md");
    let docs = fs::read_to_string(&path).unwrap_or_default();
    if !docs.contains(&table) && std::env::var("PAROM_WRITE_DOCS").is_ok() {
        let head = docs.split("| document |").next().unwrap_or_default();
        fs::write(&path, format!("{head}{table}")).unwrap();
        return;
    }
    assert!(
        docs.contains(&table),
        "docs/egais-documents.md is not true; PAROM_WRITE_DOCS=1 writes:\n{table}"
    );
}

#[test]
fn what_the_schemas_let_pass_our_rules_do_not() {
    let sale = "Реализация";
    let wrong = |positions: Vec<Position>| write(Kind::ActWriteOffV3, OWNER, &act(sale, positions));
    let more = Position { quantity: 3.into(), ..marked(&[1, 2]) };
    assert!(matches!(wrong(vec![more]), Err(Breach::Marks { marks: 2, .. })));
    assert!(matches!(wrong(vec![marked(&[1, 1])]), Err(Breach::Twice(_))));
    assert!(matches!(wrong(vec![marked(&[1]), marked(&[1])]), Err(Breach::Twice(_))));
    assert_eq!(wrong(Vec::new()), Err(Breach::Empty));
    assert_eq!(wrong(vec![Position { f2: None, ..plain() }]), Err(Breach::NoFormB(String::new())));
    assert_eq!(wrong(vec![Position { price: -1, ..plain() }]), Err(Breach::Price));
    assert_eq!(wrong(vec![Position { quantity: 0.into(), ..plain() }]), Err(Breach::Quantity));
    let third = Position { quantity: "0.333".parse().unwrap(), price: 100, ..plain() };
    assert_eq!(wrong(vec![third]), Err(Breach::Sum));
    let beer = Mark::parse("010460123456789321abcdefg").unwrap();
    let beer = Position { marks: vec![beer], quantity: 1.into(), ..plain() };
    let cheque = |position| write(Kind::ChequeV4, OWNER, &cheque(false, vec![position]));
    assert!(matches!(cheque(beer), Err(Breach::Form(_))));
    assert_eq!(
        cheque(Position { product: None, ..plain() }),
        Err(Breach::NoProduct(String::new()))
    );
    assert_eq!(cheque(Position { ean: None, ..marked(&[1]) }), Err(Breach::NoEan(String::new())));
    let mismatch = write(Kind::ChequeV3, OWNER, &act(sale, vec![marked(&[1])]));
    assert_eq!(mismatch, Err(Breach::Mismatch));
}
