//! Answers of the register as they lie beside the workspace, read as the client reads them.

use std::{fs, path::Path};

use reqwest::{StatusCode, header::HeaderMap};
use runtime::http::Answer;

use super::{
    CisStatus, DocId, DocStatus, Group, Unsellable, answer, code, documents::Reason, error::What,
};

const ONE: &str = "0104669000322220215t*NH>t:ngCfH";
const OTHER: &str = "0104630199251318215QTSRh>4sVc+.";

/// A sample, or a loud word that it is not there.
fn sample(name: &str) -> Option<Answer> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = Path::new("shared/vendors/marking/payloads").join(name);
    let found = root.ancestors().map(|up| up.join(&path)).find(|path| path.exists());
    if found.is_none() {
        println!("MISSING: ../{} - this conformance test checks nothing", path.display());
    }
    found.map(|path| answer(&fs::read(path).unwrap()))
}

fn answer(body: &[u8]) -> Answer {
    Answer { status: StatusCode::OK, headers: HeaderMap::new(), body: body.to_vec() }
}

fn asked(codes: &[&str]) -> Vec<String> {
    codes.iter().map(|&code| code.to_owned()).collect()
}

#[test]
fn codes_are_read_as_they_stand() {
    let one = asked(&[ONE]);
    let lp = Group::from_code("lp").unwrap();
    for (name, sellable, reason) in [
        ("introduced", Ok(lp), None),
        ("foreign_owner", Err(Unsellable::Foreign), None),
        ("special_state", Err(Unsellable::Special("WAIT_SHIPMENT".into())), None),
        ("retired_distance", Err(Unsellable::Status("RETIRED".into())), Some(Reason::Distance)),
        ("retired_retail", Err(Unsellable::Status("RETIRED".into())), Some(Reason::Retail)),
    ] {
        let Some(sample) = sample(&format!("cises_info.{name}.response.json")) else { return };
        let read = code::read(&sample.body, &one).unwrap();
        assert_eq!(read[0].sellable("7700000000"), sellable, "{name}");
        assert_eq!(read[0].code.as_ref().unwrap().reason, reason, "{name}");
    }
}

#[test]
fn unknown_codes_are_none_whatever_the_status_is() {
    let Some(mixed) = sample("cises_info.mixed.response.json") else { return };
    let read = code::read(&mixed.body, &asked(&[OTHER, ONE])).unwrap();
    assert_eq!((read[0].requested.as_str(), &read[0].code), (OTHER, &None));
    assert_eq!(read[0].sellable("7700000000"), Err(Unsellable::NotFound));
    assert_eq!(read[1].code.as_ref().unwrap().status, Some(CisStatus::Introduced));
    let Some(none) = sample("cises_info.all_not_found.http404.response.json") else { return };
    let read = code::read(&none.body, &asked(&[ONE])).unwrap();
    assert_eq!(read[0].error.as_deref(), Some("<not found text>"));
    // An answer about something else is none.
    for codes in [&[OTHER][..], &[ONE, OTHER], &[]] {
        assert!(matches!(code::read(&none.body, &asked(codes)), Err(What::Garbled(_))));
    }
}

#[test]
fn an_unknown_word_is_not_taken_for_a_known_one() {
    let body = format!(
        r#"[{{"cisInfo":{{"requestedCis":"{ONE}","status":"NEW","productGroup":"shirts","withdrawReason":"LOST"}}}}]"#
    );
    let read = code::read(body.as_bytes(), &asked(&[ONE])).unwrap();
    let code = read[0].code.as_ref().unwrap();
    assert_eq!((code.status, code.group, code.reason), (None, None, None));
    assert_eq!(code.special.as_deref(), Some("UNKNOWN"), "what is not told is not known");
    assert_eq!(read[0].sellable("7700000000"), Err(Unsellable::Status("NEW".into())));
}

#[test]
fn documents_are_read_as_lists_and_as_objects() {
    let id = DocId::new("5b3ac2f1-7d6e-4a0e-9a6f-2f4c5e0d1a11").unwrap();
    for (name, status, errors) in [
        ("in_progress", DocStatus::Open, 0),
        ("ok", DocStatus::Accepted, 0),
        ("ok.as_object", DocStatus::Accepted, 0),
        ("not_ok", DocStatus::Refused, 2),
    ] {
        let Some(sample) = sample(&format!("doc_info.{name}.response.json")) else { return };
        let info = answer::info(&sample, &id).unwrap();
        assert_eq!((info.status, info.errors.len()), (status, errors), "{name}");
        let stranger = DocId::new("another").unwrap();
        assert!(matches!(answer::info(&sample, &stranger), Err(What::Garbled(_))), "{name}");
    }
    let Some(list) = sample("doc_list.response.json") else { return };
    let page = answer::page(&list).unwrap();
    assert_eq!((page.documents.len(), page.more, &page.documents[0].id), (1, false, &id));
    let Some(codes) = sample("doc_cises.response.json") else { return };
    assert_eq!(answer::codes(&codes, &id).unwrap(), [ONE]);
}

#[test]
fn every_form_of_an_id_is_read_and_nothing_else() {
    let id = "5b3ac2f1-7d6e-4a0e-9a6f-2f4c5e0d1a11";
    for name in ["201.txt", "201_quoted.txt"] {
        let Some(sample) = sample(&format!("documents_create.response.{name}")) else { return };
        assert_eq!(answer::created(&sample).unwrap().as_str(), id);
    }
    for name in ["documentId", "document_id", "docId", "id", "number", "value"] {
        let body = format!(r#"{{"{name}":"{id}"}}"#);
        assert_eq!(answer::created(&answer(body.as_bytes())).unwrap().as_str(), id, "{name}");
    }
    for body in ["", "{}", "null", "5", "[]", "<html>502 Bad Gateway</html>", r#"{"id":"../x"}"#] {
        let created = answer::created(&answer(body.as_bytes()));
        assert!(matches!(created, Err(What::NoId(_))), "{body}");
    }
}
