//! Format 5.03 (order ЕД-7-26/970 as amended): `ON_NSCHFDOPPR`, КНД 1115131. Elements in the order of the schema
//! `ON_NSCHFDOPPR_1_997_01_05_03_05.xsd`.

use super::{
    Address, Function, Line, Party, PersonName, RussianAddress, Signatory, Subject, Upd, Who,
    number::{date, money, price, quantity, rate, time},
};
use crate::xml::Element;

/// The form's number in the register of tax forms.
pub(super) const KND: &str = "1115131";
/// Who wrote the file (`ВерсПрог`, at most 40 characters).
pub(super) const PROGRAM: &str = concat!("Parom ", env!("CARGO_PKG_VERSION"));
/// `ПоФактХЖ`, the name of the fact of economic life, as the format gives it.
pub(super) const FACT: &str = "Документ об отгрузке товаров (выполнении работ), передаче имущественных прав (документ об оказании услуг)";

/// `НаимДокОпр`: the document's name by agreement of the parties.
pub(super) fn title(function: Function) -> &'static str {
    match function {
        Function::InvoiceAndTransfer => {
            "Счет-фактура и документ об отгрузке товаров (выполнении работ), передаче имущественных прав (документ об оказании услуг)"
        }
        Function::Transfer => FACT,
    }
}

/// The file.
#[must_use]
pub fn write(upd: &Upd) -> Element {
    Element::new("Файл")
        .with("ИдФайл", upd.file.to_string())
        .with("ВерсФорм", "5.03")
        .with("ВерсПрог", PROGRAM)
        .holding(document(upd))
}

fn document(upd: &Upd) -> Element {
    Element::new("Документ")
        .with("КНД", KND)
        .with("Функция", upd.function.word())
        .with("ПоФактХЖ", FACT)
        .with("НаимДокОпр", title(upd.function))
        .with("ДатаИнфПр", date(upd.made_at.date()))
        .with("ВремИнфПр", time(upd.made_at))
        .with("НаимЭконСубСост", maker(&upd.seller.who))
        .holding(invoice(upd))
        .holding(table(upd))
        .holding(transfer(upd))
        .holding(signatory(&upd.signer))
}

/// `НаимЭконСубСост`: who made the document.
pub(super) fn maker(who: &Who) -> String {
    match who {
        Who::Company { name, inn, kpp } => format!("{name}, ИНН/КПП {inn}/{kpp}"),
        Who::Entrepreneur { inn, .. } => format!("{}, ИНН {inn}", who.name()),
    }
}

fn invoice(upd: &Upd) -> Element {
    let correction = upd.correction.map(|(number, day)| {
        Element::new("ИспрДок").with("НомИспр", number.to_string()).with("ДатаИспр", date(day))
    });
    let is_goods = upd.lines.iter().any(|line| line.subject == Subject::Goods);
    let consigned = is_goods.then(|| {
        let receiver = upd.consignee.as_ref().unwrap_or(&upd.buyer);
        [
            Element::new("ГрузОт").holding(Element::new("ОнЖе").saying("он же")),
            party("ГрузПолуч", receiver),
        ]
    });
    let proof = paper(
        "ДокПодтвОтгрНом",
        "Универсальный передаточный документ",
        &upd.number,
        date(upd.date),
    );
    let currency = Element::new("ДенИзм").with("КодОКВ", "643").with("НаимОКВ", "Российский рубль");
    Element::new("СвСчФакт")
        .with("НомерДок", &upd.number)
        .with("ДатаДок", date(upd.date))
        .holding_all(correction)
        .holding(party("СвПрод", &upd.seller))
        .holding_all(consigned.into_iter().flatten())
        .holding(proof)
        .holding(party("СвПокуп", &upd.buyer))
        .holding(currency)
        .holding(remarks(upd))
}

fn remarks(upd: &Upd) -> Element {
    let withdraws = upd.withdraws_marks.map(|way| text("СвВыбытияМАРК", way.to_string()));
    Element::new("ИнфПолФХЖ1").holding(text("НомерЗаказа", &upd.order.0)).holding_all(withdraws)
}

pub(super) fn text(name: &str, value: impl AsRef<str>) -> Element {
    Element::new("ТекстИнф").with("Идентиф", name).with("Значен", value)
}

fn paper(name: &'static str, title: &str, number: &str, day: String) -> Element {
    Element::new(name)
        .with("РеквНаимДок", title)
        .with("РеквНомерДок", number)
        .with("РеквДатаДок", day)
}

fn party(name: &'static str, party: &Party) -> Element {
    let who = match &party.who {
        Who::Company { name, inn, kpp } => Element::new("СвЮЛУч")
            .with("НаимОрг", name)
            .with("ИННЮЛ", inn.to_string())
            .with("КПП", kpp.to_string()),
        Who::Entrepreneur { name, inn } => {
            Element::new("СвИП").with("ИННФЛ", inn.to_string()).holding(person(name))
        }
    };
    Element::new(name)
        .holding(Element::new("ИдСв").holding(who))
        .holding(Element::new("Адрес").holding(address(&party.address)))
}

/// `ФИО`.
pub(super) fn person(name: &PersonName) -> Element {
    Element::new("ФИО")
        .with("Фамилия", &name.surname)
        .with("Имя", &name.name)
        .with_some("Отчество", name.patronymic.as_ref())
}

fn address(address: &Address) -> Element {
    match address {
        Address::Russian(parts) => russian(parts, Some(&parts.region_name)),
        Address::Text { text, country, country_name } => Element::new("АдрИнф")
            .with("КодСтр", country)
            .with("НаимСтран", country_name)
            .with("АдрТекст", text),
    }
}

/// `АдрРФ`; 5.01 does not name the region.
pub(super) fn russian(parts: &RussianAddress, region_name: Option<&String>) -> Element {
    Element::new("АдрРФ")
        .with_some("Индекс", parts.index.as_ref())
        .with("КодРегион", &parts.region)
        .with_some("НаимРегион", region_name)
        .with_some("Район", parts.district.as_ref())
        .with_some("Город", parts.city.as_ref())
        .with_some("НаселПункт", parts.settlement.as_ref())
        .with_some("Улица", parts.street.as_ref())
        .with_some("Дом", parts.house.as_ref())
        .with_some("Корпус", parts.building.as_ref())
        .with_some("Кварт", parts.flat.as_ref())
}

fn table(upd: &Upd) -> Element {
    let lines = (1_usize..).zip(&upd.lines).map(|(place, own)| line(place, own));
    let all = Element::new("ВсегоОпл")
        .with("СтТовБезНДСВсего", money(upd.net()))
        .with("СтТовУчНалВсего", money(upd.total()))
        .holding(tax("СумНалВсего", upd.tax()));
    Element::new("ТаблСчФакт").holding_all(lines).holding(all)
}

/// A sum of VAT, or the words "without VAT".
pub(super) fn tax(name: &'static str, tax: Option<events::Money>) -> Element {
    Element::new(name).holding(match tax {
        Some(tax) => Element::new("СумНал").saying(money(tax)),
        None => Element::new("БезНДС").saying("без НДС"),
    })
}

/// No goods with excise are sold to other companies by this document.
pub(super) fn excise() -> Element {
    Element::new("Акциз").holding(Element::new("БезАкциз").saying("без акциза"))
}

/// `ПрТовРаб`.
pub(super) const fn subject(subject: Subject) -> &'static str {
    match subject {
        Subject::Goods => "1",
        Subject::Service => "3",
    }
}

fn line(place: usize, line: &Line) -> Element {
    let imported = (line.origin.is_some() || line.declaration.is_some()).then(|| {
        Element::new("СвДТ")
            .with_some("КодПроисх", line.origin.as_ref().map(|(code, _)| code))
            .with_some("НомерДТ", line.declaration.as_ref())
    });
    let country = line.origin.iter().map(|(_, name)| Element::new("КрНаимСтрПр").saying(name));
    let marks = (!line.marks.is_empty()).then(|| {
        let marks = line.marks.iter().map(|ki| Element::new("КИЗ").saying(ki.as_str()));
        Element::new("НомСредИдентТов").holding_all(marks)
    });
    let more = Element::new("ДопСведТов")
        .with("ПрТовРаб", subject(line.subject))
        .with_some("КодТов", line.code.as_ref())
        .with_some("ГТИН", line.gtin.as_ref())
        .holding_all(country)
        .holding_all(marks);
    let ground = line.zero_ground.iter().map(|ground| {
        Element::new("ИнфПолФХЖ2").with("Идентиф", "ОснованиеСтавки0").with("Значен", ground)
    });
    Element::new("СведТов")
        .with("НомСтр", place.to_string())
        .with("НаимТов", &line.name)
        .with("ОКЕИ_Тов", &line.unit.code)
        .with("НаимЕдИзм", &line.unit.name)
        .with("КолТов", quantity(line.quantity))
        .with("ЦенаТов", price(line.price))
        .with("СтТовБезНДС", money(line.net))
        .with("НалСт", rate(line.vat))
        .with("СтТовУчНал", money(line.total))
        .holding_all(imported)
        .holding(more)
        .holding(excise())
        .holding(tax("СумНал", line.tax()))
        .holding_all(ground)
}

fn transfer(upd: &Upd) -> Element {
    let contract =
        upd.contract.iter().map(|(number, day)| paper("ОснПер", "Договор", number, date(*day)));
    let order = paper("ОснПер", "Заказ", &upd.order.0, date(upd.order.1));
    let act = Element::new("СвПер")
        .with("СодОпер", "Товары переданы, услуги оказаны")
        .with("ВидОпер", "Продажа")
        .with("ДатаПер", date(upd.date))
        .holding_all(contract)
        .holding(order);
    Element::new("СвПродПер").holding(act)
}

fn signatory(signer: &Signatory) -> Element {
    let attorney = signer.attorney.as_ref().map(|attorney| {
        Element::new("СвДоверЭл")
            .with("НомДовер", &attorney.number)
            .with("ДатаВыдДовер", date(attorney.given))
            .with("ИдСистХран", &attorney.system)
    });
    Element::new("Подписант")
        .with("Должн", &signer.position)
        .with("СпосПодтПолном", signer.authority.digit())
        .holding(person(&signer.name))
        .holding_all(attorney)
}
