//! Documents as trees of local names, and texts written safely.

use quick_xml::{Reader, events::Event};

/// An element: prefixes are left out, for senders may choose them.
#[derive(Debug, Clone, Default)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) children: Vec<Element>,
}

impl Element {
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text at a path of names; empty where there is none.
    pub(super) fn at(&self, path: &[&str]) -> &str {
        let mut element = Some(self);
        for name in path {
            element = element.and_then(|element| element.child(name));
        }
        element.map_or("", |element| element.text.trim())
    }

    /// Every element of this name, however deep.
    pub(super) fn all<'a>(&'a self, name: &str, found: &mut Vec<&'a Self>) {
        for child in &self.children {
            if child.name == name {
                found.push(child);
            }
            child.all(name, found);
        }
    }
}

/// Reads a document; a document type or an entity is no document of EGAIS.
pub(super) fn read(text: &str) -> Result<Element, String> {
    let mut reader = Reader::from_str(text);
    let mut open = vec![Element::default()];
    loop {
        let event = reader.read_event().map_err(|error| error.to_string())?;
        match event {
            Event::Start(start) => {
                let name = start.local_name().as_ref().to_owned();
                open.push(Element { name, ..Element::default() });
            }
            Event::Empty(empty) => {
                let name = empty.local_name().as_ref().to_owned();
                close(&mut open, Element { name, ..Element::default() })?;
            }
            Event::End(_) => {
                let ended = open.pop().ok_or("an end without a beginning")?;
                close(&mut open, ended)?;
            }
            Event::Text(piece) => add(&mut open, &piece),
            Event::CData(piece) => add(&mut open, &piece),
            Event::GeneralRef(name) => {
                let plain = quick_xml::escape::unescape(&format!("&{};", &*name))
                    .map_err(|error| error.to_string())?
                    .into_owned();
                add(&mut open, &plain);
            }
            Event::DocType(_) => return Err("a document type".to_owned()),
            Event::Eof => break,
            _ => {}
        }
    }
    let root = open.pop().filter(|_| open.is_empty()).ok_or("an element has no end")?;
    root.children.into_iter().next().ok_or_else(|| "no element".to_owned())
}

fn close(open: &mut [Element], ended: Element) -> Result<(), String> {
    open.last_mut().ok_or("an end without a beginning")?.children.push(ended);
    Ok(())
}

fn add(open: &mut [Element], text: &str) {
    if let Some(last) = open.last_mut() {
        last.text.push_str(text);
    }
}

/// A text as it stands in a document.
pub(super) fn safe(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}
