//! Documents that mean harm: refused, and quickly.

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use schema::{DOCUMENT_LONGEST, Schema};

use crate::{folder, note, verdict};

fn check(document: &str) -> String {
    let (_folder, schema) = note();
    let began = Instant::now();
    let verdict = verdict(&schema, document.as_bytes());
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    verdict
}

#[test]
fn document_types_are_refused() {
    let laughs: String = (1..10)
        .map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10)))
        .collect();
    for document in [
        format!("<!DOCTYPE a [<!ENTITY l0 \"ha\">{laughs}]><a>&l9;</a>"),
        "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/hostname\">]><a>&x;</a>".to_owned(),
        "<!DOCTYPE a SYSTEM \"http://127.0.0.1:1/a.dtd\"><a/>".to_owned(),
        "<!doctype a><a/>".to_owned(),
    ] {
        let verdict = check(&document);
        assert!(!verdict.is_empty() && verdict != "ok", "{verdict}");
        assert!(verdict.contains("refused") || verdict.contains("syntax"), "{verdict}");
    }
}

#[test]
fn entities_are_refused_without_a_document_type_too() {
    let document = "<note xmlns=\"urn:test:note\"><line>&x;</line></note>";
    assert_eq!(check(document), "line 1: an entity is refused");
    // Those of XML itself are no entities of the document.
    let document = "<note xmlns=\"urn:test:note\"><line>&lt;&#1073;</line></note>";
    assert!(check(document).contains("Element"));
}

#[test]
fn a_document_does_not_choose_its_schemas() {
    // A listener that would hear a call, and a schema that would declare the document's element.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let lax = folder(&[(
        "lax.xsd",
        br#"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:lax">
<xs:element name="a"/></xs:schema>"#,
    )]);
    for place in [
        format!("http://127.0.0.1:{port}/lax.xsd"),
        lax.path().join("lax.xsd").display().to_string(),
    ] {
        let verdict = check(&format!(
            "<a xmlns=\"urn:lax\" xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" \
             i:schemaLocation=\"urn:lax {place}\"/>"
        ));
        assert!(verdict.contains("names schemas of its own"), "{verdict}");
    }
    assert!(listener.accept().is_err(), "the checker called the document's address");
}

#[test]
fn size_and_depth_are_bounded() {
    let deep = |levels: usize| format!("{}{}", "<a>".repeat(levels), "</a>".repeat(levels));
    assert_eq!(check(&deep(101)), "line 1: more than 100 levels");
    assert!(check(&deep(100)).contains("Element 'a'"));
    assert_eq!(check(&"<a>".repeat(1_000_000)), "line 1: more than 100 levels");
    let huge = format!("<a>{}</a>", " ".repeat(DOCUMENT_LONGEST));
    assert!(check(&huge).contains("are more than"));
}

#[test]
fn encodings_that_hide_something_are_refused() {
    let (_folder, schema): (_, Schema) = note();
    let wide: Vec<u8> = "<!DOCTYPE a><a/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = [b"\xFF\xFE".as_slice(), &wide].concat();
    let cases: [(&[u8], &str); 8] = [
        (&wide, "a NUL"),
        (&marked, "bytes that are no UTF-8"),
        (b"<?xml version=\"1.0\" encoding=\"UTF-7\"?><a/>", "\"UTF-7\" is neither"),
        (b"<?xml version=\"1.0\" encoding=\"UTF-16\"?><a/>", "\"UTF-16\" is neither"),
        (b"<?xml version=\"1.0\" encoding=\"utf8\"?><a/>", "\"utf8\" is neither"),
        (b"\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"windows-1251\"?><a/>", "byte order mark"),
        (b"<?xml version=\"1.0\" encoding=\"UTF-8\"", "declaration is broken"),
        (b"", "empty"),
    ];
    for (document, says) in cases {
        let verdict = verdict(&schema, document);
        assert!(verdict.contains(says), "{document:?}: {verdict}");
    }
}

#[test]
fn garbage_is_a_fault_and_no_panic() {
    let (_folder, schema) = note();
    for document in [
        "<",
        "<a",
        "<a b",
        "<a b='",
        "</a>",
        "<a></b>",
        "&",
        "<![CDATA[",
        "<!--",
        "<?",
        "плохо",
        "<a/><a/>",
    ] {
        assert_ne!(verdict(&schema, document.as_bytes()), "ok", "{document}");
    }
}
