//! Format 5.01 (order ММВ-7-15/820), for contracts of the time before: elements in the order of the schema
//! `ON_NSCHFDOPPR_1_997_01_05_01_03.xsd`.

use super::{
    Address, Authority, Line, Party, Signatory, Subject, Upd, Who,
    format_5_03::{FACT, KND, PROGRAM, excise, maker, person, russian, subject, tax, text, title},
    number::{date, money, price, quantity, rate, time},
};
use crate::xml::Element;

/// The file.
#[must_use]
pub fn write(upd: &Upd) -> Element {
    // The operator's own details are known to the operator: СвОЭДОтпр may be left out.
    let parties = Element::new("СвУчДокОбор")
        .with("ИдОтпр", &upd.file.sender)
        .with("ИдПол", &upd.file.receiver);
    Element::new("Файл")
        .with("ИдФайл", upd.file.to_string())
        .with("ВерсФорм", "5.01")
        .with("ВерсПрог", PROGRAM)
        .holding(parties)
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
        .holding(signatory(&upd.signer, &upd.seller.who))
}

fn invoice(upd: &Upd) -> Element {
    let correction = upd.correction.map(|(number, day)| {
        Element::new("ИспрСчФ")
            .with("НомИспрСчФ", number.to_string())
            .with("ДатаИспрСчФ", date(day))
    });
    let is_goods = upd.lines.iter().any(|line| line.subject == Subject::Goods);
    let consigned = is_goods.then(|| {
        let receiver = upd.consignee.as_ref().unwrap_or(&upd.buyer);
        [
            Element::new("ГрузОт").holding(Element::new("ОнЖе").saying("он же")),
            party("ГрузПолуч", receiver),
        ]
    });
    let proof = Element::new("ДокПодтвОтгр")
        .with("НаимДокОтгр", "Универсальный передаточный документ")
        .with("НомДокОтгр", &upd.number)
        .with("ДатаДокОтгр", date(upd.date));
    let remarks = Element::new("ИнфПолФХЖ1")
        .holding(text("НомерЗаказа", &upd.order.0))
        .holding_all(upd.withdraws_marks.map(|way| text("СвВыбытияМАРК", way.to_string())));
    Element::new("СвСчФакт")
        .with("НомерСчФ", &upd.number)
        .with("ДатаСчФ", date(upd.date))
        .with("КодОКВ", "643")
        .holding_all(correction)
        .holding(party("СвПрод", &upd.seller))
        .holding_all(consigned.into_iter().flatten())
        .holding(party("СвПокуп", &upd.buyer))
        .holding(Element::new("ДопСвФХЖ1").with("НаимОКВ", "Российский рубль"))
        .holding(proof)
        .holding(remarks)
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
    let address = match &party.address {
        Address::Russian(parts) => russian(parts, None),
        Address::Text { text, country, .. } => {
            Element::new("АдрИнф").with("КодСтр", country).with("АдрТекст", text)
        }
    };
    Element::new(name)
        .holding(Element::new("ИдСв").holding(who))
        .holding(Element::new("Адрес").holding(address))
}

fn table(upd: &Upd) -> Element {
    let lines = (1_usize..).zip(&upd.lines).map(|(place, own)| line(place, own));
    let all = Element::new("ВсегоОпл")
        .with("СтТовБезНДСВсего", money(upd.net()))
        .with("СтТовУчНалВсего", money(upd.total()))
        .holding(tax("СумНалВсего", upd.tax()));
    Element::new("ТаблСчФакт").holding_all(lines).holding(all)
}

fn line(place: usize, line: &Line) -> Element {
    let imported = (line.origin.is_some() || line.declaration.is_some()).then(|| {
        Element::new("СвТД")
            .with_some("КодПроисх", line.origin.as_ref().map(|(code, _)| code))
            .with_some("НомерТД", line.declaration.as_ref())
    });
    let marks = (!line.marks.is_empty()).then(|| {
        let marks = line.marks.iter().map(|ki| Element::new("КИЗ").saying(ki.as_str()));
        Element::new("НомСредИдентТов").holding_all(marks)
    });
    let more = Element::new("ДопСведТов")
        .with("ПрТовРаб", subject(line.subject))
        .with("НаимЕдИзм", &line.unit.name)
        .with_some("КрНаимСтрПр", line.origin.as_ref().map(|(_, name)| name))
        .with_some("КодТов", line.code.as_ref())
        .holding_all(marks);
    let ground = line.zero_ground.iter().map(|ground| {
        Element::new("ИнфПолФХЖ2").with("Идентиф", "ОснованиеСтавки0").with("Значен", ground)
    });
    Element::new("СведТов")
        .with("НомСтр", place.to_string())
        .with("НаимТов", &line.name)
        .with("ОКЕИ_Тов", &line.unit.code)
        .with("КолТов", quantity(line.quantity))
        .with("ЦенаТов", price(line.price))
        .with("СтТовБезНДС", money(line.net))
        .with("НалСт", rate(line.vat))
        .with("СтТовУчНал", money(line.total))
        .holding(excise())
        .holding(tax("СумНал", line.tax()))
        .holding_all(imported)
        .holding(more)
        .holding_all(ground)
}

fn transfer(upd: &Upd) -> Element {
    let ground = |name: &str, number: &str, day: String| {
        Element::new("ОснПер").with("НаимОсн", name).with("НомОсн", number).with("ДатаОсн", day)
    };
    let contract = upd.contract.iter().map(|(number, day)| ground("Договор", number, date(*day)));
    let act = Element::new("СвПер")
        .with("СодОпер", "Товары переданы, услуги оказаны")
        .with("ВидОпер", "Продажа")
        .with("ДатаПер", date(upd.date))
        .holding_all(contract)
        .holding(ground("Заказ", &upd.order.0, date(upd.order.1)));
    Element::new("СвПродПер").holding(act)
}

fn signatory(signer: &Signatory, seller: &Who) -> Element {
    let who = match seller {
        Who::Company { name, inn, .. } => Element::new("ЮЛ")
            .with("ИННЮЛ", inn.to_string())
            .with("НаимОрг", name)
            .with("Должн", &signer.position)
            .holding(person(&signer.name)),
        Who::Entrepreneur { inn, .. } => {
            Element::new("ИП").with("ИННФЛ", inn.to_string()).holding(person(&signer.name))
        }
    };
    // Статус 1: a worker of the seller's organisation who may sign.
    let ground = match (signer.authority, &signer.attorney) {
        (Authority::Signature, _) | (_, None) => "Должностные обязанности".to_owned(),
        (_, Some(attorney)) => {
            format!("Доверенность {} от {}", attorney.number, date(attorney.given))
        }
    };
    Element::new("Подписант")
        .with("ОблПолн", "6")
        .with("Статус", "1")
        .with("ОснПолн", ground)
        .holding(who)
}
