//! The official schema, the samples' facts, and the list of its Schematron rules.

use std::{collections::BTreeMap, fs};

use edo::{
    Formats,
    upd::{
        Address, Attorney, Authority, FileId, Format, Function, Line, Party, PersonName, Signatory,
        Subject, Unit, Upd, Who, number::price_of, rules::RULES,
    },
    xml::Element,
};
use encoding_rs::WINDOWS_1251;
use events::{Money, Vat};
use quick_xml::{Reader, events::Event};
use time::macros::{date, datetime};
use uuid::Uuid;

use crate::world::{schemas, vendors};

/// A tree of any XML, to look at samples.
fn read(bytes: &[u8]) -> Element {
    let (text, _, broken) = WINDOWS_1251.decode(bytes);
    assert!(!broken);
    let text = text.split_once("?>").unwrap().1.to_owned();
    let mut reader = Reader::from_str(&text);
    let mut open: Vec<Element> = vec![Element::new("")];
    loop {
        match reader.read_event().unwrap() {
            Event::Start(element) => open.push(named(&element)),
            Event::Empty(element) => {
                let child = named(&element);
                open.last_mut().unwrap().children.push(child);
            }
            Event::End(_) => {
                let child = open.pop().unwrap();
                open.last_mut().unwrap().children.push(child);
            }
            Event::Text(text) if !text.trim().is_empty() => {
                open.last_mut().unwrap().text = text.trim().to_owned();
            }
            Event::Eof => return open.pop().unwrap().children.remove(0),
            _ => {}
        }
    }
}

fn named(element: &quick_xml::events::BytesStart<'_>) -> Element {
    let mut own = Element::new(element.name().as_ref().to_owned());
    for attribute in element.attributes() {
        let attribute = attribute.unwrap();
        let value = quick_xml::escape::unescape(&attribute.value).unwrap();
        own = own.with(attribute.key.as_ref().to_owned(), &*value);
    }
    own
}

/// Ten creams for 1 000 roubles without VAT.
fn cream(vat: Vat, total: i64) -> Line {
    let net = Money::from_kopecks(100_000);
    let quantity = "10".parse().unwrap();
    Line {
        subject: Subject::Goods,
        name: "Крем для рук, 75 мл".to_owned(),
        unit: Unit { code: "796".to_owned(), name: "шт".to_owned() },
        quantity,
        price: price_of(net, quantity).unwrap(),
        net,
        vat,
        total: Money::from_kopecks(total),
        code: Some("SKU-75".to_owned()),
        gtin: None,
        origin: None,
        declaration: None,
        marks: Vec::new(),
        zero_ground: None,
    }
}

/// The facts of the samples: ten creams for 1 000 roubles without VAT.
pub(crate) fn facts(function: Function, vat: Vat, total: i64) -> Upd {
    let party = |name: &str, inn: &str| Who::Company {
        name: name.to_owned(),
        inn: inn.parse().unwrap(),
        kpp: "773601001".parse().unwrap(),
    };
    let street = toml::from_str::<BTreeMap<String, Address>>(
        "a = { index = \"119991\", region = \"77\", region_name = \"г. Москва\", street = \"Тестовая\", house = \"1\" }",
    );
    let seller = Party {
        who: party("ООО \"Продавец\"", "7700000016"),
        address: street.unwrap()["a"].clone(),
    };
    let buyer = Party {
        who: party("ООО \"Покупатель\"", "7700000023"),
        address: Address::text("г. Москва, ул. Примерная, д. 2"),
    };
    Upd {
        file: FileId {
            format: Format::V503,
            receiver: "2BM-7700000023-773601001-000000000000000000002".to_owned(),
            sender: "2BM-7700000016-773601001-000000000000000000001".to_owned(),
            date: date!(2026 - 11 - 21),
            guid: "0f8fad5b-d9cb-469f-a165-70867728950e".parse::<Uuid>().unwrap(),
            flags: "0_0_0_0_0_00".to_owned(),
        },
        function,
        number: "1001".to_owned(),
        date: date!(2026 - 11 - 21),
        made_at: datetime!(2026-11-21 12:30:00),
        correction: None,
        seller,
        buyer,
        consignee: None,
        lines: vec![cream(vat, total)],
        order: ("BX-1001".to_owned(), date!(2026 - 11 - 20)),
        contract: None,
        withdraws_marks: None,
        signer: Signatory {
            name: PersonName {
                surname: "Иванов".to_owned(),
                name: "Иван".to_owned(),
                patronymic: Some("Иванович".to_owned()),
            },
            position: "Генеральный директор".to_owned(),
            authority: Authority::Signature,
            attorney: None,
        },
    }
}

/// Every attribute and text of a tree, by its way from the root.
fn said(element: &Element, way: &str, all: &mut BTreeMap<String, Vec<String>>) {
    let way = format!("{way}/{}", element.name);
    for (name, value) in &element.attributes {
        all.entry(format!("{way}/@{name}")).or_default().push(value.clone());
    }
    if !element.text.is_empty() {
        all.entry(way.clone()).or_default().push(element.text.clone());
    }
    for child in &element.children {
        said(child, &way, all);
    }
}

#[test]
fn the_samples_facts_are_written_as_the_samples_say_them() {
    let Some(vendors) = vendors() else { return };
    let formats = Formats::read(schemas().as_deref()).unwrap();
    let cases = [
        ("schfdop_vat22", Function::InvoiceAndTransfer, Vat::V22, 122_000, "0e"),
        ("schfdop_vat20", Function::InvoiceAndTransfer, Vat::V20, 120_000, "0d"),
        ("dop_novat", Function::Transfer, Vat::None, 100_000, "0f"),
    ];
    for (name, function, vat, total, end) in cases {
        let sample = fs::read(vendors.join(format!("samples/upd970_5.03_{name}_synthetic.xml")));
        let sample = read(&sample.unwrap());
        let mut upd = facts(function, vat, total);
        let guid = format!("0f8fad5b-d9cb-469f-a165-7086772895{end}");
        upd.file.guid = guid.parse().unwrap();
        let own = Format::V503.write(&upd);
        let bytes = own.windows_1251();
        formats.check(Format::V503, &own, &bytes).unwrap();
        assert_eq!(read(&bytes), own, "{name}: what is read back is what was written");
        let (mut ours, mut theirs) = (BTreeMap::new(), BTreeMap::new());
        said(&own, "", &mut ours);
        said(&sample, "", &mut theirs);
        // What the parties call things by agreement, and who wrote the file.
        let free = ["@ВерсПрог", "@НаимДокОпр", "@НаимЭконСубСост", "@СодОпер"];
        for (way, values) in
            theirs.iter().filter(|(way, _)| !free.iter().any(|end| way.ends_with(end)))
        {
            assert_eq!(ours.get(way), Some(values), "{name}: {way}");
        }
        assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>(), "{name}");
    }
}

/// A document with everything that we can write.
pub(crate) fn full() -> Upd {
    let mut upd = facts(Function::InvoiceAndTransfer, Vat::V22, 122_000);
    let line = &mut upd.lines[0];
    line.name = "Кофе «Ёжик» № 5, é, ₽, м², \"&<>".to_owned();
    line.origin = Some(("156".to_owned(), "Китай".to_owned()));
    line.declaration = Some("10702070/010126/3000001".to_owned());
    line.gtin = Some("04600000000000".to_owned());
    line.marks = vec![String::from("0104600000000000215abcdefghijkl").try_into().unwrap()];
    let mut zero = upd.lines[0].clone();
    (zero.vat, zero.total, zero.zero_ground) =
        (Vat::V0, zero.net, Some("Экспорт, статья 164 НК РФ".to_owned()));
    let mut service = facts(Function::Transfer, Vat::None, 100_000).lines.remove(0);
    (service.subject, service.code) = (Subject::Service, None);
    upd.lines.extend([zero, service]);
    upd.file.flags = "0_1_0_0_0_00".to_owned();
    upd.contract = Some(("17-Д".to_owned(), date!(2026 - 01 - 15)));
    upd.correction = Some((1, date!(2026 - 11 - 22)));
    upd.withdraws_marks = Some(1);
    upd.consignee =
        Some(Party { address: Address::text("г. Тверь, склад 3"), ..upd.buyer.clone() });
    upd.buyer.who = Who::Entrepreneur {
        name: PersonName {
            surname: "Ёлкин".to_owned(), name: "Пётр".to_owned(), patronymic: None
        },
        inn: "500100732259".parse().unwrap(),
    };
    upd.signer.authority = Authority::Named;
    upd.signer.attorney = Some(Attorney {
        number: "0f8fad5b-d9cb-469f-a165-70867728950e".to_owned(),
        given: date!(2026 - 01 - 15),
        system: "https://m4d.nalog.gov.ru".to_owned(),
    });
    upd
}

#[test]
fn everything_that_we_can_write_is_valid_in_both_formats() {
    let Some(folder) = schemas() else { return };
    let formats = Formats::read(Some(&folder)).unwrap();
    let upd = full();
    let tree = Format::V503.write(&upd);
    formats.check(Format::V503, &tree, &tree.windows_1251()).unwrap();
    let mut old = full();
    old.lines[0].vat = Vat::V20;
    (old.file.format, old.file.flags) = (Format::V501, "MARK".to_owned());
    let tree = Format::V501.write(&old);
    formats.check(Format::V501, &tree, &tree.windows_1251()).unwrap();
}

#[test]
fn every_rate_is_valid_and_what_the_schema_forbids_is_found() {
    let Some(folder) = schemas() else { return };
    let formats = Formats::read(Some(&folder)).unwrap();
    for vat in Vat::ALL {
        let tree = Format::V503.write(&facts(Function::InvoiceAndTransfer, vat, 122_000));
        formats.check(Format::V503, &tree, &tree.windows_1251()).unwrap();
    }
    let mut wrong = facts(Function::Transfer, Vat::V22, 122_000);
    wrong.lines[0].unit.code = "шт".to_owned();
    let tree = Format::V503.write(&wrong);
    let faults = formats.check(Format::V503, &tree, &tree.windows_1251()).unwrap_err();
    assert!(faults.iter().any(|fault| fault.contains("ОКЕИ_Тов")), "{faults:?}");
}

#[test]
fn letters_are_written_byte_for_byte() {
    let bytes = Format::V503.write(&full()).windows_1251();
    let name = b"\xCD\xE0\xE8\xEC\xD2\xEE\xE2=\"\xCA\xEE\xF4\xE5 \xAB\xA8\xE6\xE8\xEA\xBB \xB9 5, &#233;, &#8381;, \xEC&#178;, &quot;&amp;&lt;&gt;\"";
    assert!(bytes.windows(name.len()).any(|part| part == name));
    assert!(bytes.starts_with(b"<?xml version=\"1.0\" encoding=\"windows-1251\"?>\n"));
}

#[test]
fn our_rules_are_the_schemas_rules() {
    let Some(folder) = schemas() else { return };
    let schema = fs::read(folder.join("ON_NSCHFDOPPR_1_997_01_05_03_05.xsd")).unwrap();
    let (text, _, _) = WINDOWS_1251.decode(&schema);
    let contexts: Vec<&str> = text
        .split("<sch:rule context=\"")
        .skip(1)
        .map(|rest| rest.split_once('"').unwrap().0)
        .collect();
    // The first is about the file's name, and stands in the code.
    assert_eq!((contexts.len(), contexts[0]), (58, "Файл"));
    let mut ours: Vec<(u8, &str)> = RULES.iter().map(|rule| (rule.number, rule.context)).collect();
    ours.dedup();
    let theirs: Vec<(u8, &str)> = (2..).zip(contexts.into_iter().skip(1)).collect();
    assert_eq!(ours, theirs);
}
