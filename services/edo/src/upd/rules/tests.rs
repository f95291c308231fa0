//! Each rule is broken once, in a document that is right otherwise.

use std::collections::BTreeSet;

use super::*;

/// A child below `at`, by a path of names.
fn below<'a>(at: &'a mut Element, path: &str) -> &'a mut Element {
    path.split('/').fold(at, |at, name| {
        at.children.iter_mut().find(|child| child.name == name).expect("a child")
    })
}

fn set(at: &mut Element, name: &'static str, value: &str) {
    at.attributes.retain(|(own, _)| own != name);
    at.attributes.push((name.into(), value.to_owned()));
}

fn drop_attribute(at: &mut Element, name: &str) {
    at.attributes.retain(|(own, _)| own != name);
}

fn drop_child(at: &mut Element, name: &str) {
    at.children.retain(|child| child.name != name);
}

/// A document with every element that a rule is about, right by all of them.
fn right(function: &str) -> Element {
    let signer = Element::new("Подписант").with("СпосПодтПолном", "1");
    let mut document = Element::new("Документ").with("Функция", function);
    if function != "СЧФ" {
        document = document.with("НаимДокОпр", "УПД");
    }
    let document = document
        .holding(invoice())
        .holding(table())
        .holding(Element::new("СвПродПер").holding(act()))
        .holding(signer);
    Element::new("Файл").with("ИдФайл", "ON_1").holding(document)
}

fn invoice() -> Element {
    let address = || Element::new("Адрес").holding(Element::new("АдрИнф"));
    let party = |name: &'static str| Element::new(name).holding(address());
    let gar = Element::new("Адрес").holding(
        Element::new("АдрГАР")
            .holding(Element::new("Регион").saying("77"))
            .holding(Element::new("МуниципРайон")),
    );
    let foreign = || Element::new("СвИнНеУч").with("Идентиф", "1").with("ИныеСвед", "1");
    let person = Element::new("СвФЛУч")
        .with("ИдСтатЛ", "1")
        .with("ИННФЛ", "1")
        .with("ИныеСвед", "1")
        .holding(Element::new("ФИО"));
    Element::new("СвСчФакт")
        .holding(party("СвПрод").holding(Element::new("ИдСв").holding(foreign())))
        .holding(Element::new("ГрузОт").holding(party("ГрузОтпр")))
        .holding(Element::new("ГрузПолуч").holding(gar))
        .holding(Element::new("ДокПодтвОтгрНом"))
        .holding(party("СвПокуп").holding(Element::new("ИдСв").holding(person)))
        .holding(Element::new("ДопСвФХЖ1").holding(party("СвФактор")))
}

fn table() -> Element {
    let line = Element::new("СведТов")
        .with("НаимТов", "Чай")
        .with("ОКЕИ_Тов", "796")
        .with("НаимЕдИзм", "шт")
        .with("КолТов", "1")
        .with("ЦенаТов", "10.00")
        .with("СтТовБезНДС", "10.00")
        .with("СтТовУчНал", "12.20")
        .holding(Element::new("СвДТ").with("КодПроисх", "156"))
        .holding(
            Element::new("ДопСведТов")
                .with("КодВидПр", "100")
                .with("ХарактерТов", "зелёный")
                .with("АртикулТов", "1")
                .with("КодТов", "1")
                .holding(Element::new("КрНаимСтрПр").saying("Китай"))
                .holding(
                    Element::new("НомСредИдентТов")
                        .with("КолВедМарк", "1")
                        .with("ИдентТрансУпак", "1")
                        .holding(Element::new("КИЗ").saying("1"))
                        .holding(Element::new("НомУпак").saying("1")),
                ),
        )
        .holding(Element::new("Акциз"));
    let all =
        Element::new("ВсегоОпл").with("СтТовБезНДСВсего", "10.00").with("СтТовУчНалВсего", "12.20");
    Element::new("ТаблСчФакт").holding(line).holding(all)
}

fn act() -> Element {
    let other = Element::new("ИнЛицо")
        .holding(
            Element::new("ПредОргПер")
                .with("ИННЮЛПер", "1")
                .holding(Element::new("ОснДоверОргПер")),
        )
        .holding(Element::new("ФЛПер").with("ИННФЛПер", "1").holding(Element::new("ОснДоверФЛ")));
    let reference = Element::new("ОснПер").holding(
        Element::new("РеквИдРекСост")
            .holding(Element::new("ДаннИно").with("Идентиф", "1").with("ИныеСвед", "1")),
    );
    Element::new("СвПер")
        .with("ДатаПер", "01.11.2026")
        .with("ДатаНачПер", "01.11.2026")
        .with("ДатаОконПер", "01.11.2026")
        .holding(reference)
        .holding(Element::new("СвЛицПер").holding(other))
}

type Break = fn(&mut Element);

const LINE: &str = "ТаблСчФакт/СведТов";
const MORE: &str = "ТаблСчФакт/СведТов/ДопСведТов";
const MARKS: &str = "ТаблСчФакт/СведТов/ДопСведТов/НомСредИдентТов";
const ALL: &str = "ТаблСчФакт/ВсегоОпл";
const ACT: &str = "СвПродПер/СвПер";

/// The rule, the function of the document, and what breaks it.
const BREAKS: [(u8, &str, Break); 61] = [
    (2, "СЧФДОП", |d| drop_child(d, "ТаблСчФакт")),
    (3, "ДОП", |d| drop_child(d, "СвПродПер")),
    (4, "СЧФДОП", |d| drop_attribute(d, "НаимДокОпр")),
    (4, "СЧФ", |d| set(d, "НаимДокОпр", "УПД")),
    (5, "СЧФ", |d| drop_child(below(d, "СвСчФакт"), "ДокПодтвОтгрНом")),
    (6, "СЧФ", |d| {
        set(below(d, "СвСчФакт/ДопСвФХЖ1"), "СпОбстФСЧФ", "1");
        drop_child(below(d, "СвСчФакт"), "ДокПодтвОтгрНом");
    }),
    (7, "СЧФДОП", |d| drop_child(below(d, "СвСчФакт/СвПрод"), "Адрес")),
    (8, "СЧФДОП", |d| drop_child(below(d, "СвСчФакт/ГрузОт/ГрузОтпр"), "Адрес")),
    (9, "СЧФ", |d| drop_child(below(d, "СвСчФакт/ГрузПолуч"), "Адрес")),
    (10, "СЧФДОП", |d| drop_child(below(d, "СвСчФакт/СвПокуп"), "Адрес")),
    (11, "ДОП", |d| set(below(d, "СвСчФакт/ДопСвФХЖ1"), "СпОбстФСЧФ", "1")),
    (12, "ДОП", |d| set(below(d, "СвСчФакт/ДопСвФХЖ1"), "СпОбстФСЧФДОП", "10000")),
    (13, "СЧФДОП", |d| set(below(d, "СвСчФакт/ДопСвФХЖ1"), "СпОбстФДОП", "10000")),
    (14, "СЧФДОП", |d| drop_child(below(d, "СвСчФакт/ДопСвФХЖ1/СвФактор"), "Адрес")),
    (15, "СЧФДОП", |d| drop_attribute(below(d, LINE), "НаимТов")),
    (16, "ДОП", |d| {
        drop_attribute(below(d, LINE), "НаимТов");
        below(d, MORE).attributes.clear();
    }),
    (17, "ДОП", |d| drop_attribute(below(d, LINE), "НаимЕдИзм")),
    (18, "СЧФДОП", |d| drop_attribute(below(d, LINE), "КолТов")),
    (19, "СЧФ", |d| {
        set(below(d, "СвСчФакт/ДопСвФХЖ1"), "СпОбстФСЧФ", "3");
        drop_attribute(below(d, LINE), "КолТов");
    }),
    (20, "СЧФДОП", |d| set(below(d, LINE), "ЦенаТов", "0.00")),
    (21, "СвРК", |d| set(below(d, LINE), "ЦенаТов", "0.00")),
    (21, "ДОП", |d| set(below(d, LINE), "ЦенаТов", "-1.00")),
    (22, "СЧФ", |d| drop_attribute(below(d, LINE), "ЦенаТов")),
    (23, "СвЗК", |d| set(below(d, LINE), "ЦенаТов", "0.00")),
    (23, "ДОП", |d| set(below(d, LINE), "ЦенаТов", "-1.00")),
    (24, "СЧФ", |d| {
        set(below(d, "СвСчФакт/ДопСвФХЖ1"), "СпОбстФСЧФ", "3");
        drop_attribute(below(d, LINE), "СтТовБезНДС");
    }),
    (25, "ДОП", |d| {
        drop_attribute(below(d, LINE), "СтТовУчНал");
        drop_attribute(below(d, LINE), "СтТовБезНДС");
    }),
    (26, "СЧФДОП", |d| drop_attribute(below(d, LINE), "СтТовУчНал")),
    (27, "ДОП", |d| {
        drop_attribute(below(d, LINE), "СтТовУчНал");
        drop_attribute(below(d, LINE), "СтТовБезНДС");
    }),
    (28, "ДОП", |d| drop_child(below(d, LINE), "Акциз")),
    (29, "ДОП", |d| drop_child(below(d, MORE), "КрНаимСтрПр")),
    (30, "ДОП", |d| {
        drop_attribute(below(d, LINE), "НаимТов");
        below(d, MORE).attributes.clear();
    }),
    (31, "ДОП", |d| {
        drop_attribute(below(d, LINE), "НаимТов");
        below(d, MORE).attributes.clear();
    }),
    (32, "ДОП", |d| {
        drop_attribute(below(d, LINE), "НаимТов");
        below(d, MORE).attributes.clear();
    }),
    (33, "ДОП", |d| set(below(d, "СвСчФакт/ДопСвФХЖ1"), "СпОбстФДОП", "10000")),
    (34, "ДОП", |d| empty_marks(below(d, MARKS))),
    (35, "ДОП", |d| empty_marks(below(d, MARKS))),
    (36, "ДОП", |d| empty_marks(below(d, MARKS))),
    (37, "ДОП", |d| empty_marks(below(d, MARKS))),
    (38, "СЧФ", |d| {
        set(below(d, "СвСчФакт/ДопСвФХЖ1"), "СпОбстФСЧФ", "3");
        drop_attribute(below(d, ALL), "СтТовБезНДСВсего");
    }),
    (39, "ДОП", |d| below(d, ALL).attributes.clear()),
    (40, "СЧФДОП", |d| drop_attribute(below(d, ALL), "СтТовУчНалВсего")),
    (41, "ДОП", |d| below(d, ALL).attributes.clear()),
    (42, "СЧФДОП", |d| below(d, ACT).attributes.clear()),
    (43, "ДОП", |d| {
        drop_attribute(below(d, ACT), "ДатаПер");
        drop_attribute(below(d, ACT), "ДатаНачПер");
    }),
    (44, "ДОП", |d| {
        drop_attribute(below(d, ACT), "ДатаПер");
        drop_attribute(below(d, ACT), "ДатаОконПер");
    }),
    (45, "ДОП", |d| {
        let one = below(d, "СвПродПер/СвПер/СвЛицПер/ИнЛицо/ПредОргПер");
        one.attributes.clear();
        one.children.clear();
    }),
    (46, "ДОП", |d| {
        let one = below(d, "СвПродПер/СвПер/СвЛицПер/ИнЛицо/ПредОргПер");
        one.attributes.clear();
        one.children.clear();
    }),
    (47, "ДОП", |d| {
        let one = below(d, "СвПродПер/СвПер/СвЛицПер/ИнЛицо/ФЛПер");
        one.attributes.clear();
        one.children.clear();
    }),
    (48, "ДОП", |d| {
        let one = below(d, "СвПродПер/СвПер/СвЛицПер/ИнЛицо/ФЛПер");
        one.attributes.clear();
        one.children.clear();
    }),
    (49, "СЧФДОП", |d| set(below(d, "Подписант"), "СпосПодтПолном", "3")),
    (49, "СЧФДОП", |d| below(d, "Подписант").children.push(Element::new("СвДоверЭл"))),
    (50, "СЧФДОП", |d| set(below(d, "Подписант"), "СпосПодтПолном", "5")),
    (50, "СЧФДОП", |d| below(d, "Подписант").children.push(Element::new("СвДоверБум"))),
    (51, "ДОП", |d| below(d, "СвСчФакт/СвПрод/ИдСв/СвИнНеУч").attributes.clear()),
    (52, "ДОП", |d| below(d, "СвСчФакт/СвПрод/ИдСв/СвИнНеУч").attributes.clear()),
    (53, "ДОП", |d| unknown_person(below(d, "СвСчФакт/СвПокуп/ИдСв/СвФЛУч"))),
    (54, "ДОП", |d| unknown_person(below(d, "СвСчФакт/СвПокуп/ИдСв/СвФЛУч"))),
    (55, "ДОП", |d| unknown_person(below(d, "СвСчФакт/СвПокуп/ИдСв/СвФЛУч"))),
    (56, "ДОП", |d| {
        below(d, "СвПродПер/СвПер/ОснПер/РеквИдРекСост/ДаннИно").attributes.clear();
    }),
    (58, "ДОП", |d| drop_child(below(d, "СвСчФакт/ГрузПолуч/Адрес/АдрГАР"), "МуниципРайон")),
];

fn empty_marks(at: &mut Element) {
    at.attributes.clear();
    at.children.clear();
}

fn unknown_person(at: &mut Element) {
    at.attributes.clear();
    at.children.clear();
    set(at, "ИдСтатЛ", "1");
}

fn numbers(file: &Element, name: &str) -> BTreeSet<u8> {
    broken(file, name).into_iter().map(|broken| broken.number).collect()
}

#[test]
fn a_right_document_breaks_none() {
    for function in ["СЧФ", "СЧФДОП", "ДОП", "СвРК", "СвЗК"] {
        assert_eq!(broken(&right(function), "ON_1"), [], "{function}");
    }
}

#[test]
fn each_rule_is_broken_by_what_it_forbids() {
    let mut seen = BTreeSet::from([1]);
    assert!(numbers(&right("ДОП"), "ON_2").contains(&1), "the file has another name");
    for (number, function, change) in BREAKS {
        let mut file = right(function);
        change(below(&mut file, "Документ"));
        assert!(numbers(&file, "ON_1").contains(&number), "rule {number} holds in a {function}");
        seen.insert(number);
    }
    // The same lack of both breaks these together.
    let mut file = right("ДОП");
    below(&mut file, "Документ/СвПродПер/СвПер/ОснПер/РеквИдРекСост/ДаннИно").attributes.clear();
    assert!(numbers(&file, "ON_1").contains(&57));
    seen.insert(57);
    assert_eq!(seen, (1..=58).collect(), "each of the 58 rules is broken");
}

#[test]
fn a_region_outside_of_districts_needs_none() {
    let mut file = right("ДОП");
    let address = below(&mut file, "Документ/СвСчФакт/ГрузПолуч/Адрес/АдрГАР");
    drop_child(address, "МуниципРайон");
    below(address, "Регион").text = "99".to_owned();
    assert_eq!(numbers(&file, "ON_1"), BTreeSet::new());
}
