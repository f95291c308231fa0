//! Answers of status 200: `{"Success", "Message", "Model"}`, refusals included.

use runtime::http::Answer;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::registers::{
    FiscalData, What,
    standing::is_number,
    text::{Text, masked, parse},
};

/// Error codes inside an answer 200 that pass without a change to the receipt: the register is
/// out of order, full, not paid for or over its limit for tests, and somebody mends that.
const PASSING: [i64; 6] = [-1, 2, 8, 15, 22, 25];

/// How an accepted receipt stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Progress {
    /// It waits for a register.
    Queued,
    /// It is fiscalised.
    Processed,
    /// It will never be fiscalised: why, in CloudKassir's words.
    Failed(String),
    /// CloudKassir does not know it.
    NotFound,
}

/// What CloudKassir knows about a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Details {
    /// Our name for it.
    pub(super) invoice_id: Option<String>,
    /// Its fiscal data, once it has them.
    pub(super) fiscal: Option<FiscalData>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Envelope {
    success: bool,
    message: Option<String>,
    model: Option<Box<RawValue>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Accepted {
    id: Option<String>,
    error_code: Option<i64>,
}

/// The documentation (3.4.5) has these under `AdditionalData`; in the notification, which has
/// the same names, they stand at the top, and so they are taken from there too.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Model {
    additional_data: Option<Facts>,
    #[serde(flatten)]
    facts: Facts,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Facts {
    invoice_id: Option<Text>,
    fiscal_number: Option<Text>,
    document_number: Option<Text>,
    fiscal_sign: Option<Text>,
    qr_code_url: Option<Text>,
    reg_number: Option<Text>,
    session_number: Option<Text>,
    number: Option<Text>,
}

/// The id of the receipt that was accepted.
pub(super) fn accepted(answer: &Answer) -> Result<String, What> {
    let envelope: Envelope = parse(&answer.body)?;
    let model = match envelope.model {
        Some(model) => parse::<Option<Accepted>>(model.get().as_bytes())?.unwrap_or_default(),
        None => Accepted::default(),
    };
    if !envelope.success {
        let message = masked(&envelope.message.unwrap_or_default());
        let code = model.error_code.unwrap_or_default();
        return Err(What::Refused { code, message, passing: PASSING.contains(&code) });
    }
    match model.id {
        Some(id) if is_id(&id) => Ok(id),
        _ => Err(What::Garbled("an accepted receipt has no id".to_owned())),
    }
}

/// How a receipt stands.
pub(super) fn progress(answer: &Answer) -> Result<Progress, What> {
    let envelope: Envelope = parse(&answer.body)?;
    if !envelope.success {
        return Ok(Progress::NotFound);
    }
    let Some(model) = envelope.model else {
        return Err(What::Garbled("a status without a word".to_owned()));
    };
    match parse::<String>(model.get().as_bytes())?.as_str() {
        "Queued" => Ok(Progress::Queued),
        "Processed" => Ok(Progress::Processed),
        "Error" => Ok(Progress::Failed(masked(&envelope.message.unwrap_or_default()))),
        "NotFound" => Ok(Progress::NotFound),
        _ => Err(What::Garbled("an unknown status".to_owned())),
    }
}

/// A receipt's details.
pub(super) fn details(answer: &Answer) -> Result<Details, What> {
    let envelope: Envelope = parse(&answer.body)?;
    let Some(model) = envelope.model.filter(|_| envelope.success) else {
        return Err(What::NotFound);
    };
    let model: Model = parse(model.get().as_bytes())?;
    let facts = model.additional_data.unwrap_or(model.facts);
    let fiscal = match [facts.fiscal_number, facts.document_number, facts.fiscal_sign].map(digits) {
        [Some(drive), Some(document), Some(sign)] => {
            let qr = facts.qr_code_url.map(String::from).filter(|link| is_link(link));
            let [registration, shift, number] =
                [facts.reg_number, facts.session_number, facts.number].map(digits);
            Some(FiscalData { drive, document, sign, qr, registration, shift, number })
        }
        _ => None,
    };
    Ok(Details { invoice_id: facts.invoice_id.map(String::from), fiscal })
}

/// Whether this can be CloudKassir's id of a receipt.
pub(crate) fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Fiscal numbers are digits, and go into the order's properties.
fn digits(text: Option<Text>) -> Option<String> {
    Some(String::from(text?)).filter(|text| is_number(text))
}

fn is_link(text: &str) -> bool {
    (text.starts_with("https://") || text.starts_with("http://")) && text.len() <= 1_000
}

#[cfg(test)]
mod tests {
    use reqwest::{StatusCode, header::HeaderMap};
    use serde_json::{Value, json};

    use super::*;

    fn answer(body: &str) -> Answer {
        Answer { status: StatusCode::OK, headers: HeaderMap::new(), body: body.into() }
    }

    #[test]
    fn acceptance_and_refusal_are_read_as_in_the_vectors() {
        let queued = include_str!("../../../tests/vectors/kkt_receipt.response_queued.json");
        assert_eq!(accepted(&answer(queued)), Ok("A1vd0Mf".to_owned()));
        let refused = include_str!("../../../tests/vectors/kkt_receipt.response_error.json");
        let message = "Сумма по всем способам оплаты меньше итога чека".to_owned();
        assert_eq!(
            accepted(&answer(refused)),
            Err(What::Refused { code: 13, message, passing: false })
        );
    }

    #[test]
    fn a_refusal_may_lack_everything_but_its_success() {
        for body in [
            r#"{"Success":false}"#,
            r#"{"Success":false,"Message":null,"Model":null}"#,
            r#"{"Success":false,"Message":"","Model":{}}"#,
        ] {
            let refused = What::Refused { code: 0, message: String::new(), passing: false };
            assert_eq!(accepted(&answer(body)), Err(refused), "{body}");
        }
    }

    #[test]
    fn a_refusal_does_not_quote_the_buyers_addresses() {
        let body = r#"{"Success":false,"Message":"bad email <a.b@c.ru>, phone +7(900)123-45-67 of 7777777777"}"#;
        let Err(What::Refused { message, .. }) = accepted(&answer(body)) else { panic!("taken") };
        assert_eq!(message, "bad email … phone … of 7777777777");
    }

    #[test]
    fn what_is_no_answer_is_never_taken_for_one() {
        for body in [
            "",
            "{",
            "null",
            "[]",
            "<html>",
            "{}",
            r#"{"Success":1}"#,
            r#"{"Success":true}"#,
            r#"{"Success":true,"Model":null}"#,
            r#"{"Success":true,"Model":{"Id":""}}"#,
            r#"{"Success":true,"Model":{"Id":"../x"}}"#,
            r#"{"Success":true,"Model":"Queued"}"#,
        ] {
            assert!(matches!(accepted(&answer(body)), Err(What::Garbled(_))), "{body}");
        }
        for body in [r#"{"Success":true}"#, r#"{"Success":true,"Model":"Lost"}"#, "{"] {
            assert!(matches!(progress(&answer(body)), Err(What::Garbled(_))), "{body}");
        }
    }

    #[test]
    fn every_status_of_the_vectors_is_known() {
        let vectors = include_str!("../../../tests/vectors/status.responses.json");
        let vectors: Vec<Value> = serde_json::from_str(vectors).unwrap();
        let seen: Vec<Progress> =
            vectors.iter().map(|v| progress(&answer(&v.to_string())).unwrap()).collect();
        let failed = Progress::Failed(String::new());
        assert_eq!(seen, [Progress::Queued, Progress::Processed, failed, Progress::NotFound]);
        let failed = json!({"Success": true, "Model": "Error", "Message": "Нет касс"});
        let failed = progress(&answer(&failed.to_string()));
        assert_eq!(failed, Ok(Progress::Failed("Нет касс".to_owned())));
    }

    #[test]
    fn details_are_read_from_where_the_documentation_puts_them() {
        let model = json!({
            "Email": "buyer@example.com", "Items": [{"Price": 100.0}], "TaxationSystem": 2,
            "AdditionalData": {
                "Id": "4c335bb5", "InvoiceId": "acme:1:2:sell:1:1", "DocumentNumber": "1323",
                "FiscalNumber": "9999078900005430", "FiscalSign": 13223, "TransactionId": 14442,
                "QrCodeUrl": "https://qr.example/receipt?q=1", "Amount": 1150.5,
            },
        });
        let body = json!({"Success": true, "Message": null, "Model": model});
        let fiscal = FiscalData {
            drive: "9999078900005430".to_owned(),
            document: "1323".to_owned(),
            sign: "13223".to_owned(),
            qr: Some("https://qr.example/receipt?q=1".to_owned()),
            ..FiscalData::default()
        };
        let invoice_id = Some("acme:1:2:sell:1:1".to_owned());
        let read = details(&answer(&body.to_string()));
        assert_eq!(read, Ok(Details { invoice_id, fiscal: Some(fiscal) }));
    }

    #[test]
    fn fiscal_data_must_be_whole_and_numbers() {
        for (field, value) in [
            ("FiscalNumber", json!(null)),
            ("DocumentNumber", json!("")),
            ("FiscalSign", json!("12a")),
            ("FiscalNumber", json!("1".repeat(21))),
        ] {
            let mut facts = json!({"FiscalNumber": "1", "DocumentNumber": "2", "FiscalSign": "3"});
            facts[field] = value;
            let body = json!({"Success": true, "Model": facts}).to_string();
            assert_eq!(details(&answer(&body)).unwrap().fiscal, None, "{body}");
        }
        let facts = json!({"FiscalNumber": "1", "DocumentNumber": "2", "FiscalSign": "3", "QrCodeUrl": "javascript:x"});
        let body = json!({"Success": true, "Model": facts}).to_string();
        assert_eq!(details(&answer(&body)).unwrap().fiscal.unwrap().qr, None);
        assert_eq!(details(&answer(r#"{"Success":false}"#)), Err(What::NotFound));
    }
}
