//! Answers of OrangeData: the HTTP status says how a document stands.

use runtime::http::Answer;
use serde::Deserialize;

use crate::registers::{
    FiscalData, Standing, What,
    error::by_status,
    text::{Text, parse, words_of},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    fs_number: Text,
    document_number: Text,
    fp: Text,
    #[serde(rename = "deviceRN")]
    device_rn: Option<Text>,
    shift_number: Option<Text>,
    document_index: Option<Text>,
}

/// How a document stands.
pub(super) fn standing(answer: Answer) -> Result<Standing, What> {
    match answer.status.as_u16() {
        200 => fiscal(parse(&answer.body)?).map(Box::new).map(Standing::Issued),
        202 => Ok(Standing::Queued),
        // The check of a mark code failed, position by position.
        422 => Ok(Standing::Failed(words_of(&answer))),
        // Its time in the queue ran out: it is to be asked for anew under another id.
        524 => Ok(Standing::Expired),
        // The documentation names 400 for a wrong look; a document that is not there is one.
        400 | 404 => Ok(Standing::NotFound),
        _ => Err(match by_status(answer) {
            Err(what) => what,
            Ok(_) => What::Garbled("an unknown status".to_owned()),
        }),
    }
}

fn fiscal(document: Document) -> Result<FiscalData, What> {
    let (drive, number) = (document.fs_number.into(), document.document_number.into());
    let fiscal = FiscalData::checked(drive, number, document.fp.into())
        .ok_or_else(|| What::Garbled("an issued document has no fiscal data".to_owned()))?;
    Ok(FiscalData {
        registration: document.device_rn.map(String::from),
        shift: document.shift_number.map(String::from),
        number: document.document_index.map(String::from),
        ..fiscal
    })
}

#[cfg(test)]
mod tests {
    use reqwest::{StatusCode, header::HeaderMap};

    use super::*;

    fn at(status: u16, body: &str) -> Result<Standing, What> {
        let status = StatusCode::from_u16(status).unwrap();
        standing(Answer { status, headers: HeaderMap::new(), body: body.into() })
    }

    #[test]
    fn the_status_says_how_a_document_stands() {
        assert_eq!(at(202, ""), Ok(Standing::Queued));
        assert_eq!(at(524, ""), Ok(Standing::Expired));
        assert!(matches!(at(422, "[]"), Ok(Standing::Failed(_))));
        assert_eq!(at(400, ""), Ok(Standing::NotFound));
        assert_eq!(at(401, ""), Err(What::Unauthorized));
        assert!(matches!(at(503, ""), Err(What::Unavailable { .. })));
        assert!(matches!(at(200, "{}"), Err(What::Garbled(_))));
        assert!(matches!(at(201, ""), Err(What::Unavailable { .. } | What::Garbled(_))));
        let body = r#"{"deviceRN":"0000000400054952","fsNumber":"9999078900001341",
            "documentNumber":117,"shiftNumber":20,"documentIndex":5,"fp":"2364009522"}"#;
        let Ok(Standing::Issued(fiscal)) = at(200, body) else { panic!("not issued") };
        assert_eq!((fiscal.document.as_str(), fiscal.sign.as_str()), ("117", "2364009522"));
    }
}
