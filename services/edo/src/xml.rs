//! A document as a tree, and its exact bytes in windows-1251.
//!
//! Rules look at the tree that is written, not at what it was made of, so that they see what the receiver will.

use std::{borrow::Cow, fmt::Write as _};

use encoding_rs::WINDOWS_1251;
use unicode_normalization::UnicodeNormalization as _;

/// The first line of every file of exchange.
const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"windows-1251\"?>\n";

/// A name of an element or an attribute.
pub type Name = Cow<'static, str>;

/// An element: attributes in the order of writing, then a text or children.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// Its name.
    pub name: Name,
    /// Its attributes.
    pub attributes: Vec<(Name, String)>,
    /// Its children.
    pub children: Vec<Element>,
    /// Its text; an element has a text or children, never both.
    pub text: String,
}

impl Element {
    /// An empty one.
    #[must_use]
    pub fn new(name: impl Into<Name>) -> Self {
        Self {
            name: name.into(),
            attributes: Vec::new(),
            children: Vec::new(),
            text: String::new(),
        }
    }

    /// With an attribute more.
    #[must_use]
    pub fn with(mut self, name: impl Into<Name>, value: impl AsRef<str>) -> Self {
        self.attributes.push((name.into(), plain(value.as_ref())));
        self
    }

    /// With an attribute more, if there is a value for it.
    #[must_use]
    pub fn with_some<V: AsRef<str>>(self, name: impl Into<Name>, value: Option<V>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// With a child more.
    #[must_use]
    pub fn holding(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    /// With more children.
    #[must_use]
    pub fn holding_all(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children);
        self
    }

    /// With a text.
    #[must_use]
    pub fn saying(mut self, text: impl AsRef<str>) -> Self {
        self.text = plain(text.as_ref());
        self
    }

    /// An attribute's value.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The first child with this name.
    #[must_use]
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.all(name).next()
    }

    /// All children with this name.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Self> {
        let name = name.to_owned();
        self.children.iter().filter(move |child| child.name == name.as_str())
    }

    /// The file's exact bytes: windows-1251, what it lacks as numeric references, a line for each element.
    #[must_use]
    pub fn windows_1251(&self) -> Vec<u8> {
        let mut text = String::from(DECLARATION);
        self.write(&mut text);
        // The encoder writes what windows-1251 lacks as &#8381;, which is what XML wants.
        WINDOWS_1251.encode(&text).0.into_owned()
    }

    fn write(&self, out: &mut String) {
        out.push('<');
        out.push_str(&self.name);
        for (name, value) in &self.attributes {
            // Writing into a text does not fail.
            write!(out, " {name}=\"").ok();
            escape(value, out);
            out.push('"');
        }
        if self.text.is_empty() && self.children.is_empty() {
            out.push_str("/>\n");
            return;
        }
        out.push('>');
        if self.children.is_empty() {
            escape(&self.text, out);
        } else {
            out.push('\n');
            for child in &self.children {
                child.write(out);
            }
        }
        out.push_str("</");
        out.push_str(&self.name);
        out.push_str(">\n");
    }
}

/// A text as a document takes it: composed letters, single blanks, nothing that XML cannot hold.
#[must_use]
pub fn plain(text: &str) -> String {
    let composed: String = text
        .nfc()
        .map(|letter| if is_blank(letter) { ' ' } else { letter })
        .filter(|letter| !matches!(letter, '\u{fffe}' | '\u{ffff}' | '\u{feff}'))
        .collect();
    composed.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn is_blank(letter: char) -> bool {
    letter.is_whitespace() || letter.is_control()
}

fn escape(text: &str, out: &mut String) {
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(value: &str) -> Vec<u8> {
        let written = Element::new("a").with("b", value).windows_1251();
        let head = DECLARATION.len() + "<a b=\"".len();
        written[head..written.len() - "\"/>\n".len()].to_vec()
    }

    #[test]
    fn letters_have_their_bytes_and_what_windows_1251_lacks_is_a_reference() {
        let cases: [(&str, &[u8]); 8] = [
            ("ё", &[0xB8]),
            ("Ё", &[0xA8]),
            ("№", &[0xB9]),
            ("é", b"&#233;"),
            ("₽", b"&#8381;"),
            ("м²", b"\xEC&#178;"),
            ("«—»", &[0xAB, 0x97, 0xBB]),
            ("ООО \"Я & <Ты>\"", b"\xCE\xCE\xCE &quot;\xDF &amp; &lt;\xD2\xFB&gt;&quot;"),
        ];
        for (text, expected) in cases {
            assert_eq!(bytes(text), expected, "{text}");
        }
    }

    #[test]
    fn a_letter_typed_in_two_parts_is_one_letter() {
        assert_eq!(bytes("и\u{306}е\u{308}"), [0xE9, 0xB8]);
    }

    #[test]
    fn blanks_are_single_and_what_xml_cannot_hold_is_gone() {
        assert_eq!(plain("  a\t\u{a0}\u{0}b\r\n c\u{feff} "), "a b c");
    }

    #[test]
    fn the_file_begins_with_its_declaration_and_without_a_mark() {
        let written = Element::new("Файл").holding(Element::new("Д").saying("ё")).windows_1251();
        let mut expected = DECLARATION.as_bytes().to_vec();
        expected.extend(b"<\xD4\xE0\xE9\xEB>\n<\xC4>\xB8</\xC4>\n</\xD4\xE0\xE9\xEB>\n");
        assert_eq!(written, expected);
    }
}
