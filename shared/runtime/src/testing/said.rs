//! What a service says when it gives up, listed by its own test: held to a form that people understand, and kept as a
//! table from which the desk's test makes letters.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use events::{Event, Fact, OrderRef, Phase, Status, Text};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Failure, Reason, reasons::class_name};

/// The number of the order that all listed reasons are about.
pub const ORDER: &str = "A-1042";

/// Settings, commands and signs that a Russian sentence names as they are written.
const NAMES: [&str; 3] = ["mail", "docs", "md"];

/// The reasons of one service.
#[derive(Debug, Default)]
pub struct Said {
    reasons: Vec<Reason>,
    names: Vec<&'static str>,
    /// Reasons about no order: they name something else.
    without: Vec<&'static str>,
}

impl Said {
    /// The order of this number.
    ///
    /// # Panics
    /// Never: the shop's name is one.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test fails by panicking")]
    pub fn order() -> OrderRef {
        let shop = "main".parse().expect("a shop");
        OrderRef { shop, id: 1042, number: ORDER.to_owned(), site: true }
    }

    /// An event about it that hardly any worker takes.
    #[must_use]
    pub fn event() -> Event {
        let status = Status {
            service: "ferry".to_owned(),
            order: Self::order(),
            cause: Uuid::nil(),
            step: "step".to_owned(),
            phase: Phase::Working,
            code: "code".to_owned(),
            text: Text::new("Идёт.", "Under way."),
            properties: BTreeMap::new(),
            links: BTreeMap::new(),
        };
        Event::new(Fact::StatusChanged(Box::new(status)), OffsetDateTime::UNIX_EPOCH)
    }

    /// With these reasons, all about [`ORDER`].
    #[must_use]
    pub fn reasons(mut self, reasons: impl IntoIterator<Item = Reason>) -> Self {
        self.reasons.extend(reasons);
        self
    }

    /// With the reasons of these failures.
    #[must_use]
    pub fn failures(self, failures: impl IntoIterator<Item = Failure>) -> Self {
        self.reasons(failures.into_iter().map(|failure| failure.reason().clone()))
    }

    /// Words of settings and commands that its sentences name as they are written.
    #[must_use]
    pub fn naming(mut self, names: &[&'static str]) -> Self {
        self.names.extend(names);
        self
    }

    /// The codes of reasons that are about no order.
    #[must_use]
    pub fn without_order(mut self, codes: &[&'static str]) -> Self {
        self.without.extend(codes);
        self
    }

    /// Every code that these sources have is listed, but for those of statuses and the like: a new reason is a
    /// sentence of the table or a failing test.
    ///
    /// # Panics
    /// When one is missing.
    #[must_use]
    pub fn covers(self, sources: &[&str], others: &[&str]) -> Self {
        let listed: BTreeSet<&str> =
            self.reasons.iter().map(|reason| reason.code.as_str()).collect();
        let missing: BTreeSet<&str> = sources
            .iter()
            .flat_map(|source| codes(source))
            .filter(|code| !listed.contains(code) && !others.contains(code))
            .collect();
        assert!(missing.is_empty(), "reasons that no test lists: {missing:?}");
        self
    }

    /// Each sentence has the form, and the table `tests/reasons.tsv` of this crate has them all. With
    /// `PAROM_WRITE_REASONS` the table is written instead.
    ///
    /// # Panics
    /// When a sentence has not, or the table differs.
    #[expect(clippy::expect_used, reason = "a test fails by panicking")]
    pub fn hold(self, manifest: &str) {
        let wrong: Vec<String> =
            self.reasons.iter().flat_map(|reason| self.faults(reason)).collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        let table = self.table();
        let path = Path::new(manifest).join("tests/reasons.tsv");
        if std::env::var_os("PAROM_WRITE_REASONS").is_some() {
            fs::write(&path, &table).expect("the table is written");
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(kept, table, "{} is old: run this with PAROM_WRITE_REASONS=1", path.display());
    }

    /// Class, code, Russian and English, a line each.
    fn table(&self) -> String {
        let line = |reason: &Reason| {
            let Reason { class, code, text, .. } = reason;
            format!("{}\t{code}\t{}\t{}\n", class_name(*class), text.ru, text.en)
        };
        self.reasons.iter().map(line).collect::<BTreeSet<_>>().into_iter().collect()
    }

    fn faults(&self, reason: &Reason) -> Vec<String> {
        let Reason { code, text, .. } = reason;
        let about_order = !self.without.contains(&code.as_str());
        let common = |text: &str| {
            [
                (!text.starts_with(char::is_uppercase), "does not begin like a sentence"),
                (!text.ends_with('.'), "does not end like a sentence"),
                (about_order && !text.contains(ORDER), "does not name the order"),
                (text.contains(['{', '}', '\t', '\n']), "has signs of a program"),
                (
                    ["  ", "..", ":.", ",.", " ."].iter().any(|odd| text.contains(odd)),
                    "is put together wrongly",
                ),
            ]
        };
        let english = self.english(&text.ru);
        let russian = [
            (!english.is_empty(), "speaks English"),
            (!says_what_to_do(&text.ru), "does not say what to do"),
        ];
        let told = common(&text.ru).into_iter().chain(russian).map(|fault| (fault, &text.ru));
        let told = told.chain(common(&text.en).map(|fault| (fault, &text.en)));
        told.filter(|((wrong, _), _)| *wrong)
            .map(|((_, what), text)| format!("{code} {what}: {text}"))
            .collect()
    }

    /// Latin words of three letters and more that are no names: names begin with a capital.
    fn english<'a>(&self, text: &'a str) -> Vec<&'a str> {
        let words = text.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
        words
            .filter(|word| {
                word.len() > 2 && word.starts_with(|first: char| first.is_ascii_lowercase())
            })
            .filter(|word| !NAMES.contains(word) && !self.names.contains(word))
            .collect()
    }
}

/// Whether it tells somebody to do something, or that it is done by itself.
fn says_what_to_do(text: &str) -> bool {
    let mut words = text.split(|letter: char| !letter.is_alphabetic());
    words.any(|word| {
        let ends = ["ите", "йте", "ьте", "итесь"].iter().any(|end| word.ends_with(end));
        ends || matches!(word, "сам" | "сама" | "сами" | "проверит" | "спросит" | "ждёт")
    })
}

/// Machine words in a source: texts of small letters with an underscore.
fn codes(source: &str) -> impl Iterator<Item = &str> {
    let is_code = |word: &&str| {
        word.contains('_')
            && word.starts_with(|first: char| first.is_ascii_lowercase())
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    source.split('"').filter(is_code)
}

#[cfg(test)]
mod tests {
    use super::{ORDER, Said, codes, says_what_to_do};
    use crate::{Class, Reason};

    fn faults(ru: &str) -> Vec<String> {
        let reason = Reason::new(Class::Invalid, "code", ru, format!("Order {ORDER}: mend it."));
        Said::default().naming(&["fias_id"]).faults(&reason)
    }

    #[test]
    fn a_sentence_names_the_order_and_what_to_do_in_its_language() {
        assert_eq!(faults("Заказ № A-1042: впишите fias_id (MARKING_FILE)."), [""; 0]);
        for (ru, what) in [
            ("", "does not begin"),
            ("заказ № A-1042: исправьте.", "does not begin"),
            ("Заказ № A-1042: исправьте", "does not end"),
            ("Заказ: исправьте.", "does not name"),
            ("Заказ № A-1042: исправьте (unknown to the register).", "speaks English"),
            ("Заказ № A-1042 не прошёл.", "does not say"),
            ("Заказ № A-1042: исправьте {name}.", "signs of a program"),
        ] {
            let found = faults(ru);
            assert!(found.iter().any(|fault| fault.contains(what)), "{ru}: {found:?}");
        }
    }

    #[test]
    fn what_goes_on_by_itself_needs_no_order() {
        assert!(says_what_to_do("Повторим сами.") && !says_what_to_do("Не вышло."));
    }

    #[test]
    fn codes_are_found_in_a_source() {
        let source = r#"reason(Class::Invalid, "vat_unknown", "Заказ a_b", "plain", "NOT_ONE")"#;
        assert_eq!(codes(source).collect::<Vec<_>>(), ["vat_unknown"]);
    }
}
