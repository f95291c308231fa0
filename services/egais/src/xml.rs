//! XML, both ways: documents of ours are written as trees, those of others read with bounds.

use std::{
    borrow::Cow,
    io::{self, BufRead, Read},
};

use quick_xml::{Reader, events::Event};

/// The most elements within one another.
const DEPTH_LONGEST: usize = 64;
/// The longest text of one element, in bytes.
const TEXT_LONGEST: usize = 1024 * 1024;
/// The longest tag, comment or stretch of text, in bytes: the reader holds one at a time.
const PIECE_LONGEST: usize = 2 * TEXT_LONGEST;

/// An element that is written.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    name: Cow<'static, str>,
    attributes: Vec<(&'static str, String)>,
    content: Content,
}

#[derive(Debug, Clone)]
enum Content {
    Text(String),
    Children(Vec<Node>),
}

/// An element with others within.
pub(crate) fn branch(name: impl Into<Cow<'static, str>>, children: Vec<Node>) -> Node {
    Node { name: name.into(), attributes: Vec::new(), content: Content::Children(children) }
}

/// An element with a text.
pub(crate) fn leaf(name: impl Into<Cow<'static, str>>, text: impl Into<String>) -> Node {
    Node { name: name.into(), attributes: Vec::new(), content: Content::Text(text.into()) }
}

impl Node {
    pub(crate) fn attribute(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }

    /// The document with this root.
    pub(crate) fn document(&self) -> String {
        let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
        self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) {
        text.push('<');
        text.push_str(&self.name);
        for (name, value) in &self.attributes {
            text.push_str(&format!(" {name}=\"{}\"", safe(value)));
        }
        text.push('>');
        match &self.content {
            Content::Text(own) => text.push_str(&safe(own)),
            Content::Children(children) => children.iter().for_each(|child| child.write(text)),
        }
        text.push_str(&format!("</{}>", self.name));
    }
}

/// A text as XML 1.0 takes it: what it cannot carry is left out.
fn safe(text: &str) -> String {
    let carried = |letter: &char| matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    let text: String = text.chars().filter(carried).collect();
    quick_xml::escape::escape(text.as_str()).into_owned()
}

/// Why a document of others is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct XmlError(pub(crate) String);

impl XmlError {
    pub(crate) fn new(why: impl std::fmt::Display) -> Self {
        Self(why.to_string())
    }
}

/// An element of others that has ended.
#[derive(Debug)]
pub(crate) struct Ended<'a> {
    /// Local names from the root down to this one.
    pub(crate) path: &'a [String],
    /// Its own text.
    pub(crate) text: &'a str,
    /// Its attributes by local name.
    pub(crate) attributes: &'a [(String, String)],
}

struct Open {
    text: String,
    attributes: Vec<(String, String)>,
}

/// Lets so many bytes through; who asks for more before the next piece has a document that is one endless tag.
struct Bounded<R> {
    input: R,
    left: usize,
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let (left, piece) = (self.left, self.input.fill_buf()?);
        match piece.get(..left.min(piece.len())) {
            Some([]) if !piece.is_empty() => Err(io::Error::other("a tag or a text is too long")),
            Some(piece) => Ok(piece),
            None => Ok(&[]),
        }
    }

    fn consume(&mut self, count: usize) {
        self.left = self.left.saturating_sub(count);
        self.input.consume(count);
    }
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut piece = self.fill_buf()?;
        let count = piece.read(into)?;
        self.consume(count);
        Ok(count)
    }
}

/// Reads a document in UTF-8 and shows each element when it ends. No document type, no entities,
/// bounded depth and texts; memory does not grow with the document.
pub(crate) fn walk(
    input: impl BufRead,
    show: &mut dyn FnMut(&Ended<'_>) -> Result<(), XmlError>,
) -> Result<(), XmlError> {
    let mut reader = Reader::from_reader(Bounded { input, left: PIECE_LONGEST });
    let (mut buffer, mut path, mut open) = (Vec::new(), Vec::<String>::new(), Vec::<Open>::new());
    let mut roots = 0_u32;
    loop {
        buffer.clear();
        reader.get_mut().left = PIECE_LONGEST;
        match reader.read_event_into(&mut buffer).map_err(XmlError::new)? {
            Event::Start(element) => {
                roots += u32::from(path.is_empty());
                if path.len() >= DEPTH_LONGEST {
                    return Err(XmlError::new(format!("more than {DEPTH_LONGEST} levels")));
                }
                path.push(element.local_name().as_ref().to_owned());
                open.push(Open { text: String::new(), attributes: attributes(&element)? });
            }
            Event::Empty(element) => {
                roots += u32::from(path.is_empty());
                path.push(element.local_name().as_ref().to_owned());
                let attributes = attributes(&element)?;
                show(&Ended { path: &path, text: "", attributes: &attributes })?;
                path.pop();
            }
            Event::End(_) => {
                let own = open.pop().ok_or_else(|| XmlError::new("an end without a beginning"))?;
                let (text, attributes) = (own.text.trim(), own.attributes.as_slice());
                show(&Ended { path: &path, text, attributes })?;
                path.pop();
            }
            Event::Text(piece) => add(&mut open, &piece)?,
            Event::CData(piece) => add(&mut open, &piece)?,
            Event::GeneralRef(name) => {
                let text = format!("&{};", &*name);
                add(&mut open, &quick_xml::escape::unescape(&text).map_err(XmlError::new)?)?;
            }
            Event::DocType(_) => return Err(XmlError::new("a document type is refused")),
            Event::Decl(declaration) => {
                let encoding = declaration.encoding().transpose().map_err(XmlError::new)?;
                if encoding.is_some_and(|name| !name.eq_ignore_ascii_case("utf-8")) {
                    return Err(XmlError::new("the encoding is not UTF-8"));
                }
            }
            Event::Eof if path.is_empty() && roots == 1 => return Ok(()),
            Event::Eof => return Err(XmlError::new("the document is cut off, or has no one root")),
            _ => {}
        }
    }
}

fn attributes(
    element: &quick_xml::events::BytesStart<'_>,
) -> Result<Vec<(String, String)>, XmlError> {
    let mut all = Vec::new();
    for attribute in element.attributes() {
        let attribute = attribute.map_err(XmlError::new)?;
        let value = quick_xml::escape::unescape(&attribute.value).map_err(XmlError::new)?;
        all.push((attribute.key.local_name().as_ref().to_owned(), value.into_owned()));
    }
    Ok(all)
}

fn add(open: &mut [Open], piece: &str) -> Result<(), XmlError> {
    let Some(last) = open.last_mut() else {
        return if piece.trim().is_empty() {
            Ok(())
        } else {
            Err(XmlError::new("text outside of the root"))
        };
    };
    if piece.contains('\0') {
        return Err(XmlError::new("a text with a letter that XML does not carry"));
    }
    if last.text.len().saturating_add(piece.len()) > TEXT_LONGEST {
        return Err(XmlError::new("a text is too long"));
    }
    last.text.push_str(piece);
    Ok(())
}
