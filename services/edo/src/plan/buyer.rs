//! The buyer's details, as the order has them.

use events::{Inn, InnKind, Kpp, Order};
use time::{Date, macros::format_description};

use super::fault::{self, Fault};
use crate::{
    config::BuyerProperties,
    upd::{Address, Party, PersonName, Who},
    xml::plain,
};

/// A buyer whose details are right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buyer {
    /// Who and where.
    pub party: Party,
    /// Who gets the goods, if elsewhere.
    pub consignee: Option<Party>,
    /// The contract.
    pub contract: Option<(String, Date)>,
}

impl Buyer {
    /// The KPP of a company.
    #[must_use]
    pub const fn kpp(&self) -> Option<Kpp> {
        match &self.party.who {
            Who::Company { kpp, .. } => Some(*kpp),
            Who::Entrepreneur { .. } => None,
        }
    }
}

/// Whether a person buys for himself: no INN, and nothing else that only a company has.
#[must_use]
pub fn is_person(order: &Order, names: &BuyerProperties) -> bool {
    let is_blank = |text: Option<&String>| text.is_none_or(|text| plain(text).is_empty());
    is_blank(order.buyer.inn.as_ref())
        && is_blank(order.buyer.kpp.as_ref())
        && is_blank(order.properties.get(&names.company))
}

/// The buyer of an order; `None` where a person buys for himself.
///
/// # Errors
/// Everything that is wrong with the details.
pub fn buyer(order: &Order, names: &BuyerProperties) -> Result<Option<Buyer>, Vec<Fault>> {
    let written = order.buyer.inn.as_deref().unwrap_or_default().trim();
    if is_person(order, names) {
        return Ok(None);
    }
    let mut faults = Vec::new();
    let property = |code: &str| {
        order.properties.get(code).map(|value| plain(value)).filter(|value| !value.is_empty())
    };
    let who = who(order, written, names, &mut faults);
    if let Some(ogrn) = property(&names.ogrn).filter(|ogrn| !is_ogrn(ogrn)) {
        faults.push(fault::ogrn_wrong(&names.ogrn, &ogrn));
    }
    let address = property(&names.address);
    match &address {
        None => faults.push(fault::address_missing(&names.address)),
        Some(text) if !is_address(text) => faults.push(fault::address_wrong(&names.address)),
        Some(_) => {}
    }
    let contract = contract(order, names, &mut faults);
    let elsewhere = names.consignee_address.as_deref().and_then(property);
    match (who, address) {
        (Some(who), Some(address)) if faults.is_empty() => {
            let consignee =
                elsewhere.map(|text| Party { who: who.clone(), address: Address::text(text) });
            let party = Party { who, address: Address::text(address) };
            Ok(Some(Buyer { party, consignee, contract }))
        }
        _ => Err(faults),
    }
}

fn who(
    order: &Order,
    written: &str,
    names: &BuyerProperties,
    faults: &mut Vec<Fault>,
) -> Option<Who> {
    if written.is_empty() {
        faults.push(fault::inn_missing(&names.company));
        return None;
    }
    let inn: Inn = match written.parse() {
        Ok(inn) => inn,
        Err(error) => {
            faults.push(fault::inn("INN", written, error));
            return None;
        }
    };
    let company = order.properties.get(&names.company).map(|name| plain(name));
    let name = company.filter(|name| !name.is_empty());
    match inn.kind() {
        InnKind::Organisation => {
            let kpp = order.buyer.kpp.as_deref().unwrap_or_default().trim();
            let kpp = match (kpp, kpp.parse::<Kpp>()) {
                ("", _) => Err(fault::kpp_missing()),
                (_, Ok(kpp)) => Ok(kpp),
                (written, Err(_)) => Err(fault::kpp_wrong(written)),
            };
            let name = name.filter(|name| name.chars().count() <= 1000);
            let name = name.ok_or_else(|| fault::name_missing(&names.company));
            match (name, kpp) {
                (Ok(name), Ok(kpp)) => Some(Who::Company { name, inn, kpp }),
                (name, kpp) => {
                    faults.extend([name.err(), kpp.err()].into_iter().flatten());
                    None
                }
            }
        }
        InnKind::Person => {
            let own = order.buyer.name.as_deref().map(plain).filter(|name| !name.is_empty());
            let Some(name) = name.or(own) else {
                faults.push(fault::name_missing(&names.company));
                return None;
            };
            let person = person(&name);
            if person.is_none() {
                faults.push(fault::person_unreadable(&names.company, &name));
            }
            Some(Who::Entrepreneur { name: person?, inn })
        }
    }
}

/// Surname, name and patronymic out of "ИП Иванов Иван Иванович".
fn person(text: &str) -> Option<PersonName> {
    let text = text.trim_start_matches("Индивидуальный предприниматель").trim();
    let mut words = text.split(' ').filter(|word| !matches!(*word, "ИП" | "ип" | "Ип" | ""));
    let clean = |word: &str| word.trim_matches(['"', '«', '»', ',']).to_owned();
    let (surname, name) = (words.next().map(clean)?, words.next().map(clean)?);
    let patronymic = words.map(clean).collect::<Vec<_>>().join(" ");
    let fits = |part: &str| (1..=60).contains(&part.chars().count());
    let patronymic = Some(patronymic).filter(|text| !text.is_empty());
    let is_whole = fits(&surname) && fits(&name) && patronymic.as_deref().is_none_or(fits);
    is_whole.then_some(PersonName { surname, name, patronymic })
}

/// Enough of an address to be one: the format's bound, letters, and more than one word.
fn is_address(text: &str) -> bool {
    let letters = text.chars().filter(|letter| letter.is_alphabetic()).count();
    text.chars().count() <= 1000 && letters >= 5 && text.split([' ', ',']).count() > 1
}

/// ОГРН has 13 digits, ОГРНИП 15; the last is the rest of the others by 11 or 13, its last digit.
fn is_ogrn(text: &str) -> bool {
    let divisor = match text.len() {
        13 => 11,
        15 => 13,
        _ => return false,
    };
    let Some((body, check)) = text.split_at_checked(text.len() - 1) else { return false };
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let numbers = (body.parse::<u64>(), check.parse::<u64>());
    digits && matches!(numbers, (Ok(body), Ok(check)) if body % divisor % 10 == check)
}

fn contract(
    order: &Order,
    names: &BuyerProperties,
    faults: &mut Vec<Fault>,
) -> Option<(String, Date)> {
    let property = |name: &Option<String>| {
        let value = name.as_ref().and_then(|name| order.properties.get(name));
        value.map(|value| plain(value)).filter(|value| !value.is_empty())
    };
    let number = property(&names.contract_number)?;
    names.contract_date.as_ref()?;
    // A contract without its date is no contract of the format; leaving it out would say that there is none.
    let day = property(&names.contract_date).unwrap_or_default();
    let forms = [
        Date::parse(&day, format_description!("[day].[month].[year]")),
        Date::parse(&day, format_description!("[year]-[month]-[day]")),
    ];
    let Some(day) = forms.into_iter().find_map(Result::ok) else {
        let name = names.contract_date.as_deref().unwrap_or_default();
        faults.push(fault::contract_date(name));
        return None;
    };
    Some((number, day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entrepreneur_is_named_in_many_ways() {
        let name = |text: &str| person(text).map(|name| name.full());
        assert_eq!(name("ИП Иванов Иван Иванович").as_deref(), Some("Иванов Иван Иванович"));
        let long = "Индивидуальный предприниматель Мамедов Эльчин Октай оглы";
        assert_eq!(name(long).as_deref(), Some("Мамедов Эльчин Октай оглы"));
        assert_eq!(name("Ли Анна").as_deref(), Some("Ли Анна"));
        assert_eq!((name("ИП Иванов"), name("")), (None, None));
    }

    #[test]
    fn the_register_number_has_a_check_digit() {
        assert!(is_ogrn("1027739642281") && is_ogrn("1027700132195"));
        assert!(!is_ogrn("1027739642282") && !is_ogrn("102773964228") && !is_ogrn("10277396422аб"));
        assert!(is_ogrn("304500116000157") && !is_ogrn("304500116000158"));
    }
}
