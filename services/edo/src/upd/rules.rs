//! What a schema cannot say: the Schematron rules of format 5.03, held on the tree that is written.
//!
//! The official schema carries 58 of them as annotations that validators of XSD pass over. [`RULES`] is that list in its
//! order; `tests/it/conformance.rs` holds the list against the schema, `rules/tests.rs` breaks each.

mod table;

use crate::xml::Element;

pub use table::RULES;

/// A rule: in each element named `context`, if all of `when` holds, all of `then` must.
#[derive(Debug)]
pub struct Rule {
    /// Its place in the schema, from 1.
    pub number: u8,
    /// The element that it is about.
    pub context: &'static str,
    /// When it asks for something.
    pub when: &'static [Is],
    /// What it asks for.
    pub then: &'static [Is],
}

/// A condition on an element. Paths are `..` and names, with `@` before an attribute's.
#[derive(Debug)]
pub enum Is {
    /// There is one.
    There(&'static str),
    /// There is none.
    Missing(&'static str),
    /// One has one of these values.
    OneOf(&'static str, &'static [&'static str]),
    /// One has another value than this. None there is none that has.
    Other(&'static str, &'static str),
    /// None has this value.
    Not(&'static str, &'static str),
    /// One is a number above zero.
    Positive(&'static str),
    /// One is a number, zero or above.
    NotNegative(&'static str),
    /// One of these holds.
    Any(&'static [Is]),
    /// Not all of these hold.
    NotAll(&'static [Is]),
}

/// A rule that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The rule's place in the schema.
    pub number: u8,
    /// The element.
    pub context: &'static str,
    /// What is wanted.
    pub wants: String,
}

/// Every rule that does not hold for this file; `name` is the file's own name, without `.xml`.
#[must_use]
pub fn broken(file: &Element, name: &str) -> Vec<Broken> {
    let mut found = Vec::new();
    // The one rule about something outside of the file.
    if file.attribute("ИдФайл") != Some(name) {
        found.push(Broken {
            number: 1, context: "Файл", wants: "@ИдФайл = имя файла".to_owned()
        });
    }
    walk(&mut vec![file], &mut found);
    found
}

fn walk(path: &mut Vec<&Element>, found: &mut Vec<Broken>) {
    let Some(here) = path.last().copied() else { return };
    for rule in RULES.iter().filter(|rule| rule.context == here.name) {
        let asks = rule.when.iter().all(|is| is.holds(path));
        if asks && !rule.then.iter().all(|is| is.holds(path)) {
            let wants = rule.then.iter().map(Is::in_words).collect::<Vec<_>>().join(", ");
            found.push(Broken { number: rule.number, context: rule.context, wants });
        }
    }
    for child in &here.children {
        path.push(child);
        walk(path, found);
        path.pop();
    }
}

impl Is {
    fn holds(&self, at: &[&Element]) -> bool {
        match self {
            Self::There(path) => !values(at, path).is_empty(),
            Self::Missing(path) => values(at, path).is_empty(),
            Self::OneOf(path, words) => values(at, path).iter().any(|own| words.contains(own)),
            Self::Other(path, word) => values(at, path).iter().any(|own| own != word),
            Self::Not(path, word) => values(at, path).iter().all(|own| own != word),
            Self::Positive(path) => numbers(at, path).any(|own| own > rust_decimal::Decimal::ZERO),
            Self::NotNegative(path) => {
                numbers(at, path).any(|own| own >= rust_decimal::Decimal::ZERO)
            }
            Self::Any(all) => all.iter().any(|is| is.holds(at)),
            Self::NotAll(all) => !all.iter().all(|is| is.holds(at)),
        }
    }

    fn in_words(&self) -> String {
        match self {
            Self::There(path) => (*path).to_owned(),
            Self::Missing(path) => format!("без {path}"),
            Self::OneOf(path, words) => format!("{path} = {}", words.join(" | ")),
            Self::Other(path, word) | Self::Not(path, word) => format!("{path} ≠ {word}"),
            Self::Positive(path) => format!("{path} > 0"),
            Self::NotNegative(path) => format!("{path} ≥ 0"),
            Self::Any(all) | Self::NotAll(all) => {
                all.iter().map(Self::in_words).collect::<Vec<_>>().join(" | ")
            }
        }
    }
}

fn numbers<'a>(
    at: &[&'a Element],
    path: &str,
) -> impl Iterator<Item = rust_decimal::Decimal> + use<'a> {
    values(at, path).into_iter().filter_map(|own| own.parse().ok())
}

/// The values at a path from the last of `at`: attributes' values, elements' texts.
fn values<'a>(at: &[&'a Element], path: &str) -> Vec<&'a str> {
    let mut place = at.len().saturating_sub(1);
    let mut steps = path.split('/').peekable();
    while steps.peek() == Some(&"..") {
        steps.next();
        let Some(up) = place.checked_sub(1) else { return Vec::new() };
        place = up;
    }
    let mut here: Vec<&Element> = at.get(place).copied().into_iter().collect();
    for step in steps {
        if let Some(name) = step.strip_prefix('@') {
            return here.iter().filter_map(|element| element.attribute(name)).collect();
        }
        here = here
            .iter()
            .flat_map(|element| element.children.iter().filter(|child| child.name == step))
            .collect();
    }
    here.into_iter().map(|element| element.text.as_str()).collect()
}

#[cfg(test)]
mod tests;
