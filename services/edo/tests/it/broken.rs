//! A customer's broken details: each is refused before anything is sent, with words that a manager can act on.

use events::{Order, Vat};
use runtime::testing::{End, Job};
use serde_json::json;

use crate::{
    order::{order, shipped, with_properties},
    world::World,
};

type Change = fn(Order) -> Order;

pub(crate) fn line(mut order: Order, name: &str, value: serde_json::Value) -> Order {
    let mut line = serde_json::to_value(&order.lines[0]).unwrap();
    line[name] = value;
    order.lines[0] = serde_json::from_value(line).unwrap();
    order
}

/// What is broken, the reason's word, and what the manager reads.
const CASES: [(&str, Change, &str, &str); 25] = [
    ("check digit", |o| inn(o, "7700000024"), "inn_wrong", "контрольная цифра не сходится"),
    ("letters", |o| inn(o, "77000000АБ"), "inn_wrong", "не только цифры"),
    ("eleven digits", |o| inn(o, "77000000231"), "inn_wrong", "10 цифр"),
    ("a company without an INN", |o| inn(o, " "), "inn_missing", "ИНН покупателя не указан"),
    (
        "a contract without its date",
        |o| with_properties(o, &[("CONTRACT", Some("17-Д"))]),
        "contract_date_wrong",
        "дата договора",
    ),
    (
        "a discount on the whole, in a part of the order",
        |mut o| {
            o.price = events::Money::from_kopecks(100_000);
            o.shipments[0].items = vec![(7, "5".parse().unwrap())];
            o
        },
        "sum_differs",
        "скидка",
    ),
    (
        "no KPP",
        |mut o| {
            o.buyer.kpp = None;
            o
        },
        "kpp_missing",
        "нет КПП",
    ),
    (
        "a wrong KPP",
        |mut o| {
            o.buyer.kpp = Some("7736".into());
            o
        },
        "kpp_wrong",
        "КПП покупателя «7736» неверен",
    ),
    (
        "a wrong OGRN",
        |o| with_properties(o, &[("OGRN", Some("1027739642282"))]),
        "ogrn_wrong",
        "ОГРН",
    ),
    (
        "no name",
        |o| with_properties(o, &[("COMPANY", Some("  "))]),
        "name_missing",
        "свойство заказа COMPANY",
    ),
    (
        "no address",
        |o| with_properties(o, &[("COMPANY_ADR", None)]),
        "address_missing",
        "свойство заказа COMPANY_ADR",
    ),
    (
        "an address that is none",
        |o| with_properties(o, &[("COMPANY_ADR", Some("12345"))]),
        "address_wrong",
        "город и улица",
    ),
    ("no unit", |o| line(o, "unit", json!(null)), "unit_unknown", "не указана единица измерения"),
    (
        "an unknown unit",
        |o| line(o, "unit", json!("999")),
        "unit_unknown",
        "единица измерения «999»",
    ),
    (
        "0 % without ground",
        |o| line(o, "vat", json!("vat0")),
        "zero_rate_without_ground",
        "основание для неё не указано",
    ),
    (
        "no name of goods",
        |o| line(o, "name", json!(" \t")),
        "line_name_missing",
        "нет названия товара",
    ),
    ("no price", |o| line(o, "price", json!(0)), "sum_differs", "скидка или баллы не разнесены"),
    ("a negative price", |o| line(o, "price", json!(-1)), "price_wrong", "отрицательна"),
    (
        "half a country",
        |o| line(o, "properties", json!({"COUNTRY_CODE": "156"})),
        "origin_wrong",
        "страна происхождения",
    ),
    (
        "a wrong GTIN",
        |o| line(o, "properties", json!({"GTIN": "04601234567890"})),
        "gtin_wrong",
        "GTIN товара",
    ),
    (
        "alcohol",
        |o| line(o, "properties", json!({"ALCCODE": "1"})),
        "alcohol_flags_missing",
        "алкоголь",
    ),
    (
        "marked without codes",
        |o| line(o, "marked", json!(true)),
        "marks_missing",
        "кодов маркировки 0",
    ),
    (
        "a discount on the whole",
        |mut o| {
            o.price = events::Money::from_kopecks(1);
            o
        },
        "sum_differs",
        "скидка",
    ),
    (
        "delivery without VAT",
        |mut o| {
            o.delivery = Some(
                serde_json::from_value(json!({"name": "Курьер", "price": 100, "vat": null}))
                    .unwrap(),
            );
            o
        },
        "delivery_vat_unknown",
        "ставка НДС доставки",
    ),
    (
        "an entrepreneur without a name",
        |o| {
            let o = inn(o, "500100732259");
            with_properties(o, &[("COMPANY", Some("ИП"))])
        },
        "person_unreadable",
        "фамилии и имени",
    ),
];

pub(crate) fn inn(mut order: Order, inn: &str) -> Order {
    order.buyer.inn = Some(inn.to_owned());
    order
}

#[tokio::test]
async fn broken_details_are_refused_before_anything_is_sent_and_the_mended_order_goes_out() {
    let contract = "[buyer]\ncontract_number = \"CONTRACT\"\ncontract_date = \"CONTRACT_DATE\"";
    let world = World::with(contract, &[], |_| {}).await;
    for (what, change, code, words) in CASES {
        let broken = change(order(1, world.now()));
        let End::Dead(reason) = Job::new(shipped(&broken)).run(&*world.edo).await else {
            panic!("{what}: it must stop");
        };
        assert_eq!(reason.code, code, "{what}: {}", reason.text.ru);
        assert!(reason.text.ru.contains(words), "{what}: {}", reason.text.ru);
        assert!(reason.text.ru.contains("№ A-1"), "{what}: {}", reason.text.ru);
        assert_eq!(
            reason.class,
            runtime::Class::Invalid,
            "{what}: a mended order goes on by itself"
        );
    }
    let summary = world.running.emulator.diadoc.books().summary();
    assert_eq!((summary.requests, summary.documents), (0, 0), "nobody was asked about them");
    world.send(&mut Job::new(shipped(&order(1, world.now())))).await;
    world.agrees();
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once() {
    let world = World::new().await;
    let mut order = inn(order(1, world.now()), "7700000024");
    order.properties.clear();
    let End::Dead(reason) = Job::new(shipped(&order)).run(&*world.edo).await else { panic!() };
    for words in ["1) ИНН покупателя", "2) ", "COMPANY_ADR"] {
        assert!(reason.text.ru.contains(words), "{}", reason.text.ru);
    }
}

#[tokio::test]
async fn every_rate_and_the_ground_of_zero_are_written() {
    let world = World::with("zero_ground = \"Экспорт, статья 164 НК РФ\"", &[], |_| {}).await;
    for (id, vat) in (1..).zip(Vat::ALL) {
        let mut order = order(id, world.now());
        order.lines[0].vat = vat;
        world.send(&mut Job::new(shipped(&order))).await;
    }
    assert_eq!(world.messages().len(), Vat::ALL.len());
    world.agrees();
}

#[tokio::test]
async fn the_old_format_is_a_setting_and_has_no_new_rates() {
    let world = World::with("format = \"5.01\"", &[], |_| {}).await;
    let mut old = order(1, world.now());
    let End::Dead(reason) = Job::new(shipped(&old)).run(&*world.edo).await else { panic!() };
    assert_eq!(reason.code, "rate_not_in_format");
    old.lines[0].vat = Vat::V20;
    world.send(&mut Job::new(shipped(&old))).await;
    let sent = world.messages().pop().unwrap();
    assert_eq!(sent.version, "utd820_05_01_02_hyphen");
    world.agrees();
}
