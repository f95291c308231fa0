//! Mending what scanners, keyboards and spreadsheets do to a code, where only one reading is left.

use super::{GS, Label, LabelError, Repair, elements, keyboard};

/// The serial lengths that product groups have: milk, beer and blocks of tobacco, most, electronics.
const SERIALS: [usize; 4] = [6, 7, 13, 20];

/// What stands for a separator. No serial has the first ones; the last ones are made of legal
/// characters and count only where the code reads as a known layout with them.
const STAND_INS: [(&str, &str); 8] = [
    ("\\u001d", "\\u001d"),
    ("\\u001D", "\\u001d"),
    ("\\x1d", "\\x1d"),
    ("\u{241d}", "␝"),
    ("\t", "tab"),
    (" ", "space"),
    ("_x001D_", "_x001D_"),
    ("<GS>", "<GS>"),
];

/// A layout: the serial's length, then identifiers with the length of their values.
type Layout = (usize, &'static [(&'static str, usize)]);

/// The layouts of the product groups (table of code structures, 2022 and later).
const LAYOUTS: [Layout; 14] = [
    (13, &[("91", 4), ("92", 44)]),
    (13, &[("91", 4), ("92", 88)]),
    (13, &[("240", 4), ("91", 4), ("92", 44)]),
    (13, &[("240", 4), ("91", 4), ("92", 88)]),
    (20, &[("91", 4), ("92", 44)]),
    (13, &[("93", 4)]),
    (6, &[("93", 4)]),
    (6, &[("93", 4), ("3103", 6)]),
    (7, &[("93", 4)]),
    (7, &[("93", 4), ("3350", 6)]),
    (7, &[("93", 4), ("3351", 6)]),
    (7, &[("93", 4), ("3352", 6)]),
    (7, &[("93", 4), ("3353", 6)]),
    (7, &[("8005", 6), ("93", 4)]),
];

/// The identifiers that stand in brackets where people write codes, in the order of the layouts.
const BRACKETED: [&str; 10] =
    ["240", "8005", "91", "92", "93", "3103", "3350", "3351", "3352", "3353"];

/// Reads a text, mending what can be mended in one way.
pub(super) fn read(text: &str) -> Result<Label, LabelError> {
    let mut repairs = Vec::new();
    let undone;
    let mut text = text;
    // Nobody types Latin letters in the Russian layout: a mixture is a text beside a code.
    let is_typed = !text.chars().any(|letter| letter.is_ascii_alphabetic());
    if is_typed && text.chars().any(keyboard::is_cyrillic) {
        undone = keyboard::undone(text);
        text = &undone;
        repairs.push(Repair::CyrillicLayout);
    }
    let bare = without_surroundings(text, &mut repairs);
    let joined = without_brackets(bare, &mut repairs);
    let text = joined.as_deref().unwrap_or(bare);
    let mut label = exact_or_mended(text, &mut repairs)?;
    label.repairs = repairs;
    Ok(label)
}

/// Without blanks, prefixes and separators around the code.
fn without_surroundings<'a>(text: &'a str, repairs: &mut Vec<Repair>) -> &'a str {
    let is_blank =
        |letter: char| letter.is_whitespace() || matches!(letter, '\u{feff}' | '\u{200b}' | '\0');
    let mut bare = note(text, text.trim_matches(is_blank), Repair::Trimmed, repairs);
    for prefix in ["]d2", "]C1", "]Q3", "]d1", "]e0"] {
        if let Some(rest) = bare.strip_prefix(prefix) {
            bare = note(bare, rest, Repair::SymbologyPrefix, repairs);
            break;
        }
    }
    let rest = bare.strip_prefix('\'').filter(|rest| rest.starts_with("01"));
    bare = note(bare, rest.unwrap_or(bare), Repair::Apostrophe, repairs);
    bare = note(bare, bare.trim_start_matches(GS), Repair::LeadingGs, repairs);
    note(bare, bare.trim_end_matches(GS), Repair::TrailingGs, repairs)
}

fn note<'a>(before: &str, after: &'a str, repair: Repair, repairs: &mut Vec<Repair>) -> &'a str {
    if before.len() != after.len() {
        repairs.push(repair);
    }
    after
}

/// `(01)…(21)…(91)…(92)…` as people write it: brackets only around identifiers in their order.
fn without_brackets(text: &str, repairs: &mut Vec<Repair>) -> Option<String> {
    let rest = text.strip_prefix("(01)")?;
    let (gtin, rest) = rest.split_at_checked(14)?;
    let rest = rest.strip_prefix("(21)")?;
    let mut whole = format!("01{gtin}21");
    let mut rest = rest;
    for identifier in BRACKETED {
        let mark = format!("({identifier})");
        let mut found = rest.match_indices(&mark);
        let (first, second) = (found.next(), found.next());
        if second.is_some() {
            // The serial may have these characters too.
            return None;
        }
        if let Some((at, _)) = first {
            whole += rest.get(..at)?;
            whole.push(GS);
            whole += identifier;
            rest = rest.get(at + mark.len()..)?;
        }
    }
    whole += rest;
    // What is left in brackets stands out of its order: it would be taken for a piece of the serial.
    if BRACKETED.iter().any(|identifier| whole.contains(&format!("({identifier})"))) {
        return None;
    }
    repairs.push(Repair::Brackets);
    Some(whole)
}

/// The text as it stands, else with its separators put back.
fn exact_or_mended(text: &str, repairs: &mut Vec<Repair>) -> Result<Label, LabelError> {
    let exact = elements::read(text);
    if exact.as_ref().is_ok_and(is_usual) {
        return exact;
    }
    for (word, name) in STAND_INS {
        if !text.contains(word) {
            continue;
        }
        let replaced = text.replace(word, "\u{1d}");
        if let Ok(label) = elements::read(&replaced)
            && has_known_tail(&label)
        {
            repairs.push(Repair::LiteralGs(name));
            return Ok(label);
        }
    }
    match lost(text).as_slice() {
        [] => exact,
        [one] => {
            let label = elements::read(one)?;
            repairs.push(Repair::GsRestored);
            Ok(label)
        }
        _ => Err(LabelError::Ambiguous),
    }
}

/// Whether nothing suggests that a separator is missing: it has a tail of its own, or a serial of a
/// length that some group has, and no word that stands for a separator.
fn is_usual(label: &Label) -> bool {
    let serial = label.serial().unwrap_or_default();
    !STAND_INS.iter().any(|(word, _)| serial.contains(word)) && has_usual_shape(label)
}

/// See [`Label::has_usual_shape`].
pub(super) fn has_usual_shape(label: &Label) -> bool {
    let length = label.serial().map_or(13, str::len);
    !label.tail.is_empty() || SERIALS.contains(&length)
}

/// See [`Label::has_known_tail`].
pub(super) fn has_known_tail(label: &Label) -> bool {
    let parts =
        || label.elements.iter().map(|(identifier, value)| (identifier.as_str(), value.len()));
    LAYOUTS.iter().any(|(_, tail)| parts().eq(tail.iter().copied()))
}

/// Every reading of a text without separators as a known layout.
fn lost(text: &str) -> Vec<String> {
    if !text.is_ascii() || text.contains(GS) {
        return Vec::new();
    }
    let mut found: Vec<String> =
        LAYOUTS.iter().filter_map(|layout| with_separators(text, layout)).collect();
    found.dedup();
    found
}

/// The text with separators where `layout` has them, if all its identifiers stand there.
fn with_separators(text: &str, (serial, tail): &Layout) -> Option<String> {
    let start = 18 + serial;
    let length = start + tail.iter().map(|(name, value)| name.len() + value).sum::<usize>();
    if text.len() != length || text.get(16..18) != Some("21") {
        return None;
    }
    let mut whole = text.get(..start)?.to_owned();
    let mut rest = text.get(start..)?;
    for (name, value) in *tail {
        let (part, after) = rest.split_at_checked(name.len() + value)?;
        part.strip_prefix(name)?;
        whole.push(GS);
        whole += part;
        rest = after;
    }
    elements::read(&whole).is_ok().then_some(whole)
}
