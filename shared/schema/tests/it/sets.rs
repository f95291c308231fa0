//! Sets of schemas: whole, and in all the ways in which one is not.

use std::{path::Path, thread};

use schema::{Schema, SchemaError};

use crate::{folder, note, verdict};

#[test]
fn a_document_is_held_against_all_files_of_the_set() {
    let (_folder, schema) = note();
    assert_eq!(schema.files(), 2);
    let note = |line: &str| format!("<note xmlns=\"urn:test:note\">\n<line>{line}</line></note>");
    assert_eq!(verdict(&schema, note("бутылка").as_bytes()), "ok");
    let wrong = verdict(&schema, note("ящик").as_bytes());
    assert!(wrong.starts_with("line 2: Element '{urn:test:note}line'"), "{wrong}");
    assert!(verdict(&schema, b"<other/>").starts_with("line 1: Element 'other'"));
}

#[test]
fn a_document_may_be_in_windows_1251() {
    let (_folder, schema) = note();
    let head = br#"<?xml version="1.0" encoding="windows-1251"?>
<note xmlns="urn:test:note"><line>"#;
    let bottle = [0xe1, 0xf3, 0xf2, 0xfb, 0xeb, 0xea, 0xe0];
    let document = |line: &[u8]| [head.as_slice(), line, b"</line></note>"].concat();
    assert_eq!(verdict(&schema, &document(&bottle)), "ok");
    assert!(verdict(&schema, &document(&bottle[1..])).starts_with("line 2: "));
    // The same bytes said to be UTF-8 are none.
    let said = document(&bottle)[head.len()..].to_vec();
    let said =
        [b"<?xml version=\"1.0\" encoding=\"UTF-8\"?><note><line>".as_slice(), &said].concat();
    assert_eq!(verdict(&schema, &said), "bytes that are no UTF-8");
}

#[test]
fn many_threads_check_at_once() {
    let (_folder, schema) = note();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let good = "<note xmlns=\"urn:test:note\"><line>бутылка</line></note>";
                assert_eq!(verdict(&schema, good.as_bytes()), "ok");
                assert_ne!(verdict(&schema, b"<note xmlns=\"urn:test:note\"/>"), "ok");
            });
        }
    });
}

#[test]
fn a_set_that_is_not_whole_is_refused() {
    const HEAD: &str = "<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\">";
    let set = |inner: &str| {
        folder(&[
            ("sets/a.xsd", format!("{HEAD}{inner}</xs:schema>").as_bytes()),
            ("b.xsd", b"<x/>"),
        ])
    };
    let read = |inner: &str| {
        let folder = set(inner);
        Schema::read(&folder.path().join("sets/a.xsd")).unwrap_err()
    };
    let include = |place: &str| read(&format!("<xs:include schemaLocation=\"{place}\"/>"));
    assert!(matches!(include("b.xsd"), SchemaError::File { .. }));
    assert!(matches!(include("../b.xsd"), SchemaError::Outside { .. }));
    assert!(matches!(include("http://127.0.0.1/b.xsd"), SchemaError::Outside { .. }));
    assert!(matches!(include("file:///etc/b.xsd"), SchemaError::Outside { .. }));
    assert!(matches!(include("/etc/hostname"), SchemaError::Outside { .. }));
    let faulty = read("<xs:element name=\"a\" type=\"nowhere\"/>");
    let SchemaError::Compile { faults, .. } = faulty else { panic!("{faulty}") };
    assert!(faults[0].message.contains("nowhere"), "{}", faults[0]);
    assert!(matches!(
        read("<xs:element"),
        SchemaError::Faulty { .. } | SchemaError::Compile { .. }
    ));
    assert!(matches!(Schema::read(Path::new("/nowhere.xsd")), Err(SchemaError::File { .. })));
}

#[test]
fn files_that_include_each_other_are_a_set() {
    let file = |other: &str, element: &str| {
        format!(
            "<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\">\
             <xs:include schemaLocation=\"{other}\"/><xs:element name=\"{element}\"/></xs:schema>"
        )
    };
    let (a, b) = (file("b.xsd", "a"), file("a.xsd", "b"));
    let folder = folder(&[("a.xsd", a.as_bytes()), ("b.xsd", b.as_bytes())]);
    let schema = Schema::read(&folder.path().join("a.xsd")).unwrap();
    assert_eq!(verdict(&schema, b"<b/>"), "ok");
}
