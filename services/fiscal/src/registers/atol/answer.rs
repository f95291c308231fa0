//! Answers of ATOL Online: documents and errors in JSON, whatever the HTTP status.

use runtime::http::Answer;
use serde::Deserialize;

use crate::registers::{
    FiscalData, Standing, What,
    text::{Text, masked, parse},
};

#[derive(Deserialize)]
struct Document {
    uuid: Option<String>,
    token: Option<String>,
    status: Option<String>,
    error: Option<Fault>,
    payload: Option<Payload>,
    external_id: Option<String>,
}

#[derive(Deserialize)]
struct Fault {
    code: i64,
    text: Option<String>,
}

#[derive(Deserialize)]
struct Payload {
    fn_number: Text,
    fiscal_document_number: Text,
    fiscal_document_attribute: Text,
    ecr_registration_number: Option<Text>,
    shift_number: Option<Text>,
    fiscal_receipt_number: Option<Text>,
    ofd_receipt_url: Option<String>,
}

/// The token.
pub(super) fn token(answer: &Answer) -> Result<String, What> {
    let document: Document = parse(&answer.body)?;
    if let Some(fault) = document.error {
        return Err(meaning(&fault));
    }
    document.token.ok_or_else(|| What::Garbled("no token".to_owned()))
}

/// Whether the register asks for a new token.
pub(super) fn is_about_token(answer: &Answer) -> bool {
    let document: Result<Document, What> = parse(&answer.body);
    matches!(document, Ok(Document { error: Some(Fault { code: 10 | 11, .. }), .. }))
}

/// The uuid of the document that was accepted, now or before (error 33).
pub(super) fn accepted(answer: &Answer) -> Result<String, What> {
    let document: Document = parse(&answer.body)?;
    match document.error {
        Some(Fault { code: 33, .. }) | None => {}
        Some(fault) => return Err(meaning(&fault)),
    }
    let uuid = document.uuid.filter(|uuid| is_uuid(uuid));
    uuid.ok_or_else(|| What::Garbled("an accepted document has no uuid".to_owned()))
}

/// How a document stands. `wait` may come with error 34, which means to look later.
pub(super) fn standing(answer: &Answer, name: &str) -> Result<Standing, What> {
    let document: Document = parse(&answer.body)?;
    if document.external_id.as_deref().is_some_and(|own| own != name) {
        return Ok(Standing::Foreign);
    }
    match (document.status.as_deref(), document.error, document.payload) {
        (_, Some(Fault { code: 34, .. }), _) => Ok(Standing::Queued),
        (_, Some(Fault { code: 30, .. }), _) => Ok(Standing::NotFound),
        (Some("wait"), _, _) => Ok(Standing::Queued),
        (Some("done"), _, Some(payload)) => fiscal(payload).map(Box::new).map(Standing::Issued),
        // Without the document's own words it is the call that failed, not the document.
        (Some("fail"), Some(fault), _) if document.external_id.is_some() => Ok(Standing::Failed(
            masked(&format!("{} {}", fault.code, fault.text.unwrap_or_default())),
        )),
        (_, Some(fault), _) => Err(meaning(&fault)),
        _ => Err(What::Garbled("an unknown status".to_owned())),
    }
}

fn fiscal(payload: Payload) -> Result<FiscalData, What> {
    let (drive, document) = (payload.fn_number.into(), payload.fiscal_document_number.into());
    let sign = payload.fiscal_document_attribute.into();
    let fiscal = FiscalData::checked(drive, document, sign)
        .ok_or_else(|| What::Garbled("a done document has no fiscal data".to_owned()))?;
    let link = payload.ofd_receipt_url.filter(|url| url.starts_with("https://"));
    Ok(FiscalData {
        qr: link,
        registration: payload.ecr_registration_number.map(String::from),
        shift: payload.shift_number.map(String::from),
        number: payload.fiscal_receipt_number.map(String::from),
        ..fiscal
    })
}

/// What an error's code means (documentation of version 5, table of errors).
fn meaning(fault: &Fault) -> What {
    let message = masked(fault.text.as_deref().unwrap_or_default());
    let refused = |passing| What::Refused { code: fault.code, message: message.clone(), passing };
    match fault.code {
        // Token, login, user, group: keys and settings, not the receipt.
        10 | 11 | 12 | 14 | 20 | 21 => What::Unauthorized,
        0 | 13 | 31 | 32 | 40 | 41 => refused(false),
        // A fault of theirs: the document may be there, and its external_id keeps it single.
        1 | 50 => What::Unavailable { status: 500, after: None },
        code => What::Garbled(format!("error {code}")),
    }
}

fn is_uuid(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

#[cfg(test)]
mod tests {
    use reqwest::{StatusCode, header::HeaderMap};

    use super::*;

    fn answer(body: &str) -> Answer {
        Answer { status: StatusCode::OK, headers: HeaderMap::new(), body: body.into() }
    }

    #[test]
    fn a_known_external_id_is_as_good_as_accepted() {
        let body = r#"{"uuid":"1c9de7c1-3501","status":"fail","error":{"code":33,"text":"уже"}}"#;
        assert_eq!(accepted(&answer(body)), Ok("1c9de7c1-3501".to_owned()));
        let body = r#"{"uuid":null,"status":"fail","error":{"code":32,"text":"bad a@b.ru"}}"#;
        let refused = What::Refused { code: 32, message: "bad …".to_owned(), passing: false };
        assert_eq!(accepted(&answer(body)), Err(refused));
        for code in [10, 11, 12, 14, 20, 21] {
            let body = format!(r#"{{"error":{{"code":{code},"text":null}}}}"#);
            assert_eq!(accepted(&answer(&body)), Err(What::Unauthorized), "{code}");
        }
        for body in ["", "[]", "{}", r#"{"uuid":"../x"}"#, r#"{"error":{"code":77}}"#] {
            assert!(matches!(accepted(&answer(body)), Err(What::Garbled(_))), "{body}");
        }
    }

    #[test]
    fn waiting_comes_with_error_34_and_done_with_fiscal_data() {
        let queued = r#"{"uuid":"u","status":"wait","error":{"code":34,"text":"нет"}}"#;
        assert_eq!(standing(&answer(queued), "n"), Ok(Standing::Queued));
        let done = r#"{"uuid":"u","status":"done","error":null,"external_id":"n","payload":{
            "fn_number":"1110000100238211","fiscal_document_number":133,"shift_number":23,
            "fiscal_document_attribute":3449555941,"ecr_registration_number":"0000111118041361"}}"#;
        let Ok(Standing::Issued(fiscal)) = standing(&answer(done), "n") else { panic!("not done") };
        assert_eq!((fiscal.document.as_str(), fiscal.sign.as_str()), ("133", "3449555941"));
        assert_eq!(standing(&answer(done), "other"), Ok(Standing::Foreign));
        let failed =
            r#"{"uuid":"u","status":"fail","external_id":"n","error":{"code":-3804,"text":"x"}}"#;
        assert_eq!(standing(&answer(failed), "n"), Ok(Standing::Failed("-3804 x".to_owned())));
        let lost = r#"{"status":"fail","error":{"code":30,"text":"x"}}"#;
        assert_eq!(standing(&answer(lost), "n"), Ok(Standing::NotFound));
    }
}
