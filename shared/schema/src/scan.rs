//! What is looked at before libxml2 sees anything: encoding, size, depth, document types, entities.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1251};
use quick_xml::{
    Reader,
    events::{BytesDecl, BytesRef, BytesStart, Event},
};

use crate::Fault;

/// The longest document, in bytes.
pub const DOCUMENT_LONGEST: usize = 32 * 1024 * 1024;
/// The most elements within one another.
pub const DEPTH_LONGEST: usize = 100;

const HINTS: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// The document as text, in the encoding that it declares, without byte order mark, and with a
/// declaration that is true of the text.
pub(crate) fn decode(document: &[u8]) -> Result<String, Fault> {
    if document.len() > DOCUMENT_LONGEST {
        let message = format!("{} bytes are more than {DOCUMENT_LONGEST}", document.len());
        return Err(Fault::whole(message));
    }
    let (document, has_mark) = match document.strip_prefix(b"\xEF\xBB\xBF") {
        Some(rest) => (rest, true),
        None => (document, false),
    };
    let (encoding, declaration) = encoding(document)?;
    if has_mark && encoding != UTF_8 {
        return Err(Fault::whole("a byte order mark of UTF-8 before another encoding"));
    }
    let text = encoding
        .decode_without_bom_handling_and_without_replacement(document)
        .ok_or_else(|| Fault::whole(format!("bytes that are no {}", encoding.name())))?;
    if text.contains('\0') {
        return Err(Fault::whole("a NUL"));
    }
    let Some(length) = declaration else { return Ok(text.into_owned()) };
    // The declaration is ASCII, so its length is the same in both encodings.
    let (declaration, rest) =
        text.split_at_checked(length).ok_or_else(|| Fault::whole("a broken declaration"))?;
    let lines = "\n".repeat(declaration.matches('\n').count());
    Ok(format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>{lines}{rest}"))
}

/// The declared encoding, and how many bytes the declaration has.
fn encoding(document: &[u8]) -> Result<(&'static Encoding, Option<usize>), Fault> {
    if !document.starts_with(b"<?xml") {
        return Ok((UTF_8, None));
    }
    let broken = || Fault::new(1, "the XML declaration is broken");
    let head = document.get(..document.len().min(512)).unwrap_or_default();
    let end = head.windows(2).position(|two| two == b"?>").ok_or_else(broken)? + 2;
    let head = head.get(..end).and_then(|head| std::str::from_utf8(head).ok());
    let head = head.filter(|head| head.is_ascii()).ok_or_else(broken)?;
    let mut reader = Reader::from_str(head);
    let Ok(Event::Decl(declaration)) = reader.read_event() else { return Err(broken()) };
    Ok((named(&declaration)?, Some(end)))
}

fn named(declaration: &BytesDecl<'_>) -> Result<&'static Encoding, Fault> {
    let broken = |_| Fault::new(1, "the XML declaration is broken");
    let name: Cow<'_, str> = match declaration.encoding() {
        None => return Ok(UTF_8),
        Some(name) => name.map_err(broken)?,
    };
    let known = [UTF_8, WINDOWS_1251].into_iter();
    let mut known = known.filter(|known| known.name().eq_ignore_ascii_case(&name));
    known.next().ok_or_else(|| {
        let name: String = name.chars().take(40).collect();
        Fault::new(1, format!("the encoding {name:?} is neither UTF-8 nor windows-1251"))
    })
}

/// Refuses what no honest document has.
pub(crate) fn scan(text: &str) -> Result<(), Fault> {
    each(text, &mut |_| Ok(()))
}

/// Every opening element of a text that is otherwise without reproach.
pub(crate) fn each(
    text: &str,
    take: &mut dyn FnMut(&BytesStart<'_>) -> Result<(), String>,
) -> Result<(), Fault> {
    let mut reader = Reader::from_str(text);
    let mut depth = 0_usize;
    loop {
        let event = reader.read_event();
        let at = reader.buffer_position();
        let fault = |message: String| Fault::new(line(text, at), message);
        match event.map_err(|error| fault(error.to_string()))? {
            Event::Start(element) => {
                depth = depth.saturating_add(1);
                if depth > DEPTH_LONGEST {
                    return Err(fault(format!("more than {DEPTH_LONGEST} levels")));
                }
                own_hints(&element).and_then(|()| take(&element)).map_err(fault)?;
            }
            Event::Empty(element) => {
                own_hints(&element).and_then(|()| take(&element)).map_err(fault)?;
            }
            Event::End(_) => depth = depth.saturating_sub(1),
            Event::DocType(_) => return Err(fault("a document type is refused".to_owned())),
            Event::GeneralRef(name) if !is_plain(&name) => {
                return Err(fault("an entity is refused".to_owned()));
            }
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

fn is_plain(name: &BytesRef<'_>) -> bool {
    name.starts_with('#') || ["lt", "gt", "amp", "quot", "apos"].contains(&&**name)
}

/// libxml2 follows `xsi:schemaLocation`: a document would choose what it is held against. The
/// prefix may be any, so every attribute of that local name counts.
fn own_hints(element: &BytesStart<'_>) -> Result<(), String> {
    for attribute in element.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let name = attribute.key.local_name();
        if ["schemaLocation", "noNamespaceSchemaLocation"].contains(&name.as_ref())
            && attribute.key.prefix().is_some()
        {
            return Err(format!("the document names schemas of its own ({HINTS})"));
        }
    }
    Ok(())
}

fn line(text: &str, at: u64) -> u64 {
    let until = usize::try_from(at).unwrap_or(usize::MAX).min(text.len());
    let breaks = text.as_bytes().iter().take(until).filter(|&&byte| byte == b'\n').count();
    u64::try_from(breaks).unwrap_or(u64::MAX).saturating_add(1)
}
