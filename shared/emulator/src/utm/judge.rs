//! What EGAIS makes of a document: its effects, or why it is rejected.

use rust_decimal::Decimal;

use super::{
    books::{Books, Effect},
    xml::Element,
};

/// What a document wants done.
#[derive(Debug, Default)]
struct Wish {
    /// Bottles, and whether each comes back.
    marks: Vec<(String, bool)>,
    /// Quantities by form B or AlcCode, and whether they come back.
    quantities: Vec<(String, Decimal, bool)>,
}

/// Carries out what `document` (the element within `Document`) says; the reason where it does not.
pub(super) fn carry_out(books: &mut Books, document: &Element, by: &str) -> Result<(), String> {
    match document.name.as_str() {
        "ActWriteOff_v3" | "ActWriteOff_v4" => do_wish(books, write_off(document)?, by),
        "ActWriteOffShop_v2" => do_wish(books, shop(document, false)?, by),
        "ActChargeOnShop_v2" => do_wish(books, shop(document, true)?, by),
        "ChequeV3" | "ChequeV4" => do_wish(books, cheque(document)?, by),
        "RequestRepealAWO" => repeal(books, document, by),
        "WayBillAct_v3" | "WayBillAct_v4" => answer(books, document, by),
        "TTNInformF2Reg" => {
            let mut wish = Wish::default();
            for position in positions(document) {
                let quantity = decimal(position.at(&["Quantity"]))?;
                wish.quantities.push((position.at(&["InformF2RegId"]).to_owned(), quantity, false));
            }
            do_wish(books, wish, by)
        }
        name if name.starts_with("Query") => Ok(()),
        name => Err(format!("документ {name} не поддерживается")),
    }
}

fn positions(document: &Element) -> Vec<&Element> {
    let mut found = Vec::new();
    document.all("Position", &mut found);
    found
}

fn decimal(text: &str) -> Result<Decimal, String> {
    text.parse().map_err(|_| format!("{text} не число"))
}

fn marks(position: &Element) -> Vec<String> {
    let mut found = Vec::new();
    for name in ["amc", "ms", "MarkCode"] {
        position.all(name, &mut found);
    }
    found.into_iter().map(|mark| mark.text.trim().to_owned()).collect()
}

fn write_off(document: &Element) -> Result<Wish, String> {
    let mut wish = Wish::default();
    let is_sale = document.at(&["Header", "TypeWriteOff"]) == "Реализация";
    for position in positions(document) {
        let quantity = match position.child("writeoffvolume") {
            Some(volume) => volume.at(&["Quantity"]),
            None => position.at(&["Quantity"]),
        };
        let quantity = decimal(quantity)?;
        if is_sale && position.at(&["SumSale"]).is_empty() {
            return Err("не указана сумма продажи".to_owned());
        }
        let marks = marks(position);
        if marks.is_empty() {
            let f2 = position.at(&["InformF1F2", "InformF2", "F2RegId"]);
            wish.quantities.push((f2.to_owned(), quantity, false));
        } else if Decimal::from(marks.len()) != quantity {
            return Err("количество не равно числу марок".to_owned());
        }
        wish.marks.extend(marks.into_iter().map(|mark| (mark, false)));
    }
    Ok(wish)
}

fn shop(document: &Element, back: bool) -> Result<Wish, String> {
    let mut wish = Wish::default();
    for position in positions(document) {
        let quantity = decimal(position.at(&["Quantity"]))?;
        let marks = marks(position);
        if marks.is_empty() {
            let code = position.at(&["Product", "AlcCode"]).to_owned();
            wish.quantities.push((code, quantity, back));
        }
        wish.marks.extend(marks.into_iter().map(|mark| (mark, back)));
    }
    Ok(wish)
}

fn cheque(document: &Element) -> Result<Wish, String> {
    let back = document.at(&["Header", "Type"]) == "Возврат";
    let (mut bottles, mut plain) = (Vec::new(), Vec::new());
    document.all("Bottle", &mut bottles);
    document.all("Nomark", &mut plain);
    let mut wish = Wish::default();
    wish.marks.extend(bottles.iter().map(|bottle| (bottle.at(&["Barcode"]).to_owned(), back)));
    for goods in plain {
        let code = goods.at(&["Product", "AlcCode"]).to_owned();
        wish.quantities.push((code, decimal(goods.at(&["Quantity"]))?, back));
    }
    Ok(wish)
}

/// All of it or nothing.
fn do_wish(books: &mut Books, wish: Wish, by: &str) -> Result<(), String> {
    let mut seen = std::collections::BTreeSet::new();
    for (mark, back) in &wish.marks {
        if !seen.insert(mark) {
            return Err(format!("марка {mark} указана дважды"));
        }
        if books.is_gone(mark) != *back {
            let why = if *back { "не была списана" } else { "уже списана" };
            return Err(format!("марка {mark} {why}"));
        }
    }
    for (mark, back) in wish.marks {
        let effect = effect(back, by, Decimal::ONE);
        books.bottles.entry(mark).or_default().push(effect);
    }
    for (key, quantity, back) in wish.quantities {
        books.quantities.entry(key).or_default().push(effect(back, by, quantity));
    }
    Ok(())
}

fn effect(back: bool, by: &str, quantity: Decimal) -> Effect {
    let what = if back { "returned" } else { "written off" };
    Effect { what, by: by.to_owned(), quantity }
}

/// A waybill is answered, once: what is there has come back.
fn answer(books: &mut Books, document: &Element, by: &str) -> Result<(), String> {
    let number = document.at(&["Header", "WBRegId"]);
    let known = books.waybills.iter_mut().find(|waybill| waybill.reg_id == number);
    let waybill = known.ok_or_else(|| format!("накладная {number} не найдена"))?;
    if std::mem::replace(&mut waybill.is_answered, true) {
        return Err(format!("по накладной {number} уже есть акт"));
    }
    let lines = waybill.lines.clone();
    let is_whole = match document.at(&["Header", "IsAccept"]) {
        "Accepted" => true,
        "Differences" => false,
        other => return Err(format!("{other} не поддерживается")),
    };
    let real = positions(document);
    if is_whole != real.is_empty() {
        return Err("содержание акта не подходит к его виду".to_owned());
    }
    let mut wish = Wish::default();
    for (line, place) in lines.iter().zip(1_u32..) {
        let position = real.iter().find(|real| real.at(&["Identity"]) == place.to_string());
        let (quantity, missing) = match position {
            None if is_whole => (line.quantity, Vec::new()),
            None => return Err(format!("в акте нет позиции {place}")),
            Some(real) if real.at(&["InformF2RegId"]) != super::answers::form(place) => {
                return Err(format!("у позиции {place} другая справка"));
            }
            Some(real) => (decimal(real.at(&["RealQuantity"]))?, marks(real)),
        };
        if !line.marks.is_empty() && quantity != line.quantity - Decimal::from(missing.len()) {
            return Err(format!("в позиции {place} количество не сходится с марками"));
        }
        let there = line.marks.iter().filter(|mark| !missing.contains(mark));
        wish.marks.extend(there.map(|mark| (mark.clone(), true)));
        if line.marks.is_empty() {
            wish.quantities.push((line.alc_code.clone(), quantity, true));
        }
    }
    do_wish(books, wish, by)
}

/// A whole act is undone.
fn repeal(books: &mut Books, document: &Element, by: &str) -> Result<(), String> {
    let reg_id = document.at(&["AWORegId"]);
    let done = |sent: &&super::Sent| sent.reg_id == reg_id && sent.state == "done";
    let act = books.sent.iter().find(done).map(|sent| sent.identity.clone());
    let act = act.filter(|_| !reg_id.is_empty()).ok_or(format!("акт {reg_id} не найден"))?;
    let undo = |effects: &mut Vec<Effect>| {
        let mine: Vec<Decimal> = effects
            .iter()
            .filter(|effect| effect.by == act && effect.what == "written off")
            .map(|effect| effect.quantity)
            .collect();
        effects.extend(mine.into_iter().map(|quantity| effect(true, by, quantity)));
    };
    books.bottles.values_mut().for_each(undo);
    books.quantities.values_mut().for_each(undo);
    Ok(())
}
