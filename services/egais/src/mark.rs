//! Excise marks (EGAIS schemas 2024-06: `PDF417String`, `Barmix`; FACTS of the protocol, section 5).

use std::fmt;

use serde::{Deserialize, Serialize};

/// A mark of one of the four known forms. It is not shown whole in logs: `Debug` shows form and end.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mark(String);

/// The form of a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// 68 characters (to 2018): the product's AlcCode is in it.
    Old,
    /// 150 characters (from 2018): type, series, number, month, year, version, signature.
    New,
    /// 40 digits.
    Digits,
    /// Beer: a GS1 code, `01` with a GTIN, `21` with a serial.
    Beer,
}

/// A text that is no mark. The text is not quoted: it may be most of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MarkError {
    /// Letters of another keyboard layout: the scanner typed into a Russian one.
    #[error("the mark has Cyrillic letters: the scanner types in a Russian layout")]
    Layout,
    /// No known form.
    #[error("a mark of {0} characters has none of the known forms")]
    Form(usize),
}

impl Mark {
    /// Reads a mark as it was scanned; spaces and line ends around it are not part of it.
    ///
    /// # Errors
    /// [`MarkError`] for everything that the official schemas would not take.
    pub fn parse(text: &str) -> Result<Self, MarkError> {
        let text = text.trim();
        if text.chars().any(|letter| matches!(letter, '\u{400}'..='\u{4ff}')) {
            return Err(MarkError::Layout);
        }
        // A beer code is carried without its crypto tail, which begins after a separator.
        let text = if text.starts_with("01") {
            text.split('\u{1d}').next().unwrap_or_default()
        } else {
            text
        };
        match form(text.as_bytes()) {
            Some(_) => Ok(Self(text.to_owned())),
            None => Err(MarkError::Form(text.chars().count())),
        }
    }

    /// The mark's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its form.
    #[must_use]
    pub fn form(&self) -> Form {
        form(self.0.as_bytes()).unwrap_or(Form::Digits)
    }

    /// The product's AlcCode, which marks of 68 characters alone contain: characters 4 to 19 are the
    /// code to base 36.
    #[must_use]
    pub fn alc_code(&self) -> Option<String> {
        if self.form() != Form::Old {
            return None;
        }
        let number = u128::from_str_radix(self.0.get(3..19)?, 36).ok()?;
        let code = format!("{number:019}");
        (code.len() == 19).then_some(code)
    }
}

/// What the schemas' patterns say, form by form.
fn form(mark: &[u8]) -> Option<Form> {
    let digits = |from: usize, to: usize| {
        mark.get(from..to).is_some_and(|part| part.iter().all(u8::is_ascii_digit))
    };
    let within = |from: usize, to: usize, low: u16, high: u16| {
        let part = mark.get(from..to).and_then(|part| std::str::from_utf8(part).ok());
        let number = part.filter(|_| digits(from, to)).and_then(|part| part.parse::<u16>().ok());
        number.is_some_and(|number| (low..=high).contains(&number))
    };
    let alnum = |from: usize, to: usize| {
        mark.get(from..to).is_some_and(|part| part.iter().all(u8::is_ascii_alphanumeric))
    };
    let some = |from: usize, to: usize| {
        digits(from, to) && mark.get(from..to).is_some_and(|part| part.iter().any(|d| *d != b'0'))
    };
    let upper = |byte: &u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
    match mark.len() {
        68 => {
            let is_it = digits(0, 2)
                && alnum(2, 23)
                && digits(23, 24)
                && within(24, 25, 0, 1)
                && digits(25, 26)
                && within(26, 27, 0, 3)
                && digits(27, 37)
                && alnum(37, 68);
            is_it.then_some(Form::Old)
        }
        150 => {
            let head = some(0, 3) && some(3, 6) && some(6, 14);
            let dates = within(14, 16, 1, 12) && within(16, 18, 18, 99) && some(18, 21);
            let tail = mark.get(21..).is_some_and(|tail| tail.iter().all(upper));
            (head && dates && tail).then_some(Form::New)
        }
        40 => digits(0, 40).then_some(Form::Digits),
        25 | 31 => {
            let is_it = mark.starts_with(b"01")
                && digits(2, 16)
                && mark.get(16..18) == Some(b"21")
                && mark.get(18..).is_some_and(|serial| serial.iter().all(u8::is_ascii_graphic));
            is_it.then_some(Form::Beer)
        }
        _ => None,
    }
}

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mark({})", shown(&self.0))
    }
}

/// A mark as people are shown it: its form and its last characters.
#[must_use]
pub fn shown(mark: &str) -> String {
    let count = mark.chars().count();
    let end: String = mark.chars().skip(count.saturating_sub(6)).collect();
    format!("…{end} ({count})")
}

impl MarkError {
    /// In Russian, for the shop's manager.
    #[must_use]
    pub fn in_russian(self) -> String {
        match self {
            Self::Layout => "в ней русские буквы: сканер набирает в русской раскладке".to_owned(),
            Self::Form(length) => format!("вид не известен, знаков: {length}"),
        }
    }
}

/// Words of others with the marks in them shown by their end: a log is no place for a mark.
#[must_use]
pub fn masked(words: &str) -> String {
    let mut shown_words = String::with_capacity(words.len());
    let mut run = String::new();
    for letter in words.chars().chain(std::iter::once(' ')) {
        if letter.is_ascii_graphic() {
            run.push(letter);
            continue;
        }
        shown_words.push_str(&masked_run(&run));
        run.clear();
        shown_words.push(letter);
    }
    shown_words.pop();
    shown_words
}

/// A mark within what stands between two spaces; beside it there may be quotes and points.
fn masked_run(run: &str) -> String {
    let is_inner = |letter: char| letter.is_ascii_alphanumeric();
    let core = run.trim_matches(|letter| !is_inner(letter));
    let is_long = core.len() >= 40 && core.chars().all(is_inner);
    if is_long || form(core.as_bytes()).is_some() {
        return run.replace(core, &shown(core));
    }
    // `Value:'19N…'` and the like.
    let pieces: Vec<String> = run
        .split_inclusive(|letter| !is_inner(letter))
        .map(|piece| {
            let (body, end) = piece.split_at(piece.trim_end_matches(|l| !is_inner(l)).len());
            if body.len() >= 40 { format!("{}{end}", shown(body)) } else { piece.to_owned() }
        })
        .collect();
    pieces.concat()
}

impl TryFrom<String> for Mark {
    type Error = MarkError;

    fn try_from(text: String) -> Result<Self, MarkError> {
        Self::parse(&text)
    }
}

impl From<Mark> for String {
    fn from(mark: Mark) -> Self {
        mark.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "22N00001CHYOZFR594WABCD90520000000001UX90YOCZNR7SZ1WS12O4ZMXN3MC9EXU";

    fn new() -> String {
        format!("134406539469561020001{}", "A".repeat(129))
    }

    #[test]
    fn the_four_forms_are_known() {
        let beer = "010460123456789321abcdefg";
        for (text, form) in [
            (OLD.to_owned(), Form::Old),
            (new(), Form::New),
            ("1".repeat(40), Form::Digits),
            (beer.to_owned(), Form::Beer),
            (format!(" {beer}\u{1d}93abcd\n"), Form::Beer),
        ] {
            assert_eq!(Mark::parse(&text).map(|mark| mark.form()), Ok(form), "{text}");
        }
    }

    #[test]
    fn the_product_is_in_a_mark_of_68_alone() {
        let code = Mark::parse(OLD).unwrap().alc_code();
        assert_eq!(code.as_deref(), Some("0177320000003146880"));
        assert_eq!(Mark::parse(&new()).unwrap().alc_code(), None);
    }

    #[test]
    fn what_the_schemas_refuse_is_no_mark() {
        let month = new().replacen("1020001", "1320001", 1);
        let year = new().replacen("1020001", "1017001", 1);
        for text in ["", "1", &"1".repeat(39), &month, &year, &new().to_lowercase()] {
            assert!(matches!(Mark::parse(text), Err(MarkError::Form(_))), "{text}");
        }
        assert_eq!(Mark::parse(&OLD.replace('N', "Т")), Err(MarkError::Layout));
    }

    #[test]
    fn marks_in_others_words_are_shown_by_their_end() {
        let new = new();
        for (said, shown) in [
            (format!("марка {new} уже списана."), "марка …AAAAAA (150) уже списана.".to_owned()),
            (format!("[Value:'{OLD}']"), "[Value:'…MC9EXU (68)']".to_owned()),
            ("марка 010460123456789321abcdefg.".to_owned(), "марка …bcdefg (25).".to_owned()),
            (
                "acme-p1-s9.1-wine-1: нет остатка 0177320000003146880".to_owned(),
                "acme-p1-s9.1-wine-1: нет остатка 0177320000003146880".to_owned(),
            ),
        ] {
            assert_eq!(masked(&said), shown);
        }
    }

    #[test]
    fn a_mark_is_not_shown_whole() {
        assert_eq!(format!("{:?}", Mark::parse(OLD).unwrap()), "Mark(…MC9EXU (68))");
    }
}
