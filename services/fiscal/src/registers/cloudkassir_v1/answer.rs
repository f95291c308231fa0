//! Answers of the brief's contract: `id`; `status`, `fn`, `fd`, `fpd`, `qr`, `error`.

use runtime::http::Answer;
use serde::Deserialize;

use crate::registers::{
    FiscalData, Standing, What,
    text::{Text, masked, parse},
};

#[derive(Deserialize)]
struct Created {
    id: Text,
}

#[derive(Deserialize)]
struct Receipt {
    external_id: Option<String>,
    status: String,
    r#fn: Option<Text>,
    fd: Option<Text>,
    fpd: Option<Text>,
    qr: Option<String>,
    error: Option<String>,
}

/// The id of the receipt that was accepted.
pub(super) fn accepted(answer: &Answer) -> Result<String, What> {
    let id = String::from(parse::<Created>(&answer.body)?.id);
    let fits = (1..=64).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if fits { Ok(id) } else { Err(What::Garbled("an accepted receipt has no id".to_owned())) }
}

/// How a receipt stands.
pub(super) fn standing(answer: &Answer, name: &str) -> Result<Standing, What> {
    let receipt: Receipt = parse(&answer.body)?;
    if receipt.external_id.as_deref().is_some_and(|own| own != name) {
        return Ok(Standing::Foreign);
    }
    match receipt.status.as_str() {
        "wait" => Ok(Standing::Queued),
        "fail" => Ok(Standing::Failed(masked(&receipt.error.unwrap_or_default()))),
        "done" => {
            let [drive, document, sign] = [receipt.r#fn, receipt.fd, receipt.fpd]
                .map(|text| text.map(String::from).unwrap_or_default());
            let fiscal = FiscalData::checked(drive, document, sign)
                .ok_or_else(|| What::Garbled("a done receipt has no fiscal data".to_owned()))?;
            Ok(Standing::Issued(Box::new(FiscalData { qr: receipt.qr, ..fiscal })))
        }
        _ => Err(What::Garbled("an unknown status".to_owned())),
    }
}
