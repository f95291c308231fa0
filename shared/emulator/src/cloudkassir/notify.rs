//! The "Receipt" notification: a form with the fiscal data, signed twice.

use bytes::Bytes;
use form_urlencoded::Serializer;
use secrecy::{ExposeSecret, SecretString};
use time::macros::format_description;

use super::receipt::{Fiscal, Receipt};
use crate::outgoing::Post;

/// Registration number of the register, as in the documentation's sample.
pub(super) const REGISTER: &str = "0000111118041361";
/// Serial number of the register.
pub(super) const DEVICE: &str = "00000000000000001234";

/// The fields in the vendor's order; they are also the `Model` of `/kkt/receipt/get`.
pub(super) fn fields(receipt: &Receipt, fiscal: &Fiscal) -> Vec<(&'static str, String)> {
    let amount = roubles(receipt.total_kopecks);
    vec![
        ("Id", receipt.id.clone()),
        ("DocumentNumber", fiscal.document_number.to_string()),
        ("SessionNumber", fiscal.session_number.to_string()),
        ("Number", fiscal.number.to_string()),
        ("FiscalSign", fiscal.fiscal_sign.to_string()),
        ("DeviceNumber", DEVICE.to_owned()),
        ("RegNumber", REGISTER.to_owned()),
        ("FiscalNumber", fiscal.fiscal_number.clone()),
        ("Inn", receipt.inn.clone()),
        ("Type", receipt.kind.clone()),
        ("Ofd", "TaxcomOfd".to_owned()),
        ("Url", format!("https://receipts.example/{}", receipt.id)),
        ("QrCodeUrl", qr_link(receipt, fiscal, &amount)),
        ("TransactionId", String::new()),
        ("Amount", amount),
        ("DateTime", date_time(fiscal)),
        ("InvoiceId", receipt.invoice_id.clone()),
        ("AccountId", receipt.account_id.clone()),
        ("Receipt", receipt.customer_receipt.clone()),
        ("CalculationPlace", receipt.calculation_place.clone()),
        ("CashierName", String::new()),
        ("SettlePlace", String::new()),
    ]
}

/// The notification as it is posted.
pub(super) fn notification(
    url: &str,
    secret: &SecretString,
    fields: &[(&'static str, String)],
) -> Post {
    let mut form = Serializer::new(String::new());
    for (name, value) in fields {
        form.append_pair(name, value);
    }
    let body = form.finish();
    let (content, decoded) = signatures(secret.expose_secret().as_bytes(), body.as_bytes());
    Post {
        url: url.to_owned(),
        content_type: "application/x-www-form-urlencoded",
        agent: "CloudPayments",
        headers: vec![("content-hmac", content), ("x-content-hmac", decoded)],
        body: Bytes::from(body),
    }
}

/// `Content-HMAC` over the body as sent, and `X-Content-HMAC` over the body with its URL encoding undone.
pub(super) fn signatures(secret: &[u8], body: &[u8]) -> (String, String) {
    let sign = |bytes: &[u8]| crate::signature::hmac_base64(secret, &[bytes]);
    (sign(body), sign(&url_decoded(body)))
}

/// Roubles with two decimals, from kopecks that are not negative.
pub(super) fn roubles(kopecks: i64) -> String {
    format!("{}.{:02}", kopecks / 100, kopecks % 100)
}

/// Every `+` becomes a space and every `%XX` a byte; the separators stay as they are.
fn url_decoded(body: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some((first, tail)) = rest.split_first() {
        let (byte, tail) = match (*first, tail) {
            (b'+', _) => (b' ', tail),
            (b'%', [high, low, after @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => (high * 16 + low, after),
                _ => (b'%', tail),
            },
            (byte, _) => (byte, tail),
        };
        decoded.push(byte);
        rest = tail;
    }
    decoded
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

fn qr_link(receipt: &Receipt, fiscal: &Fiscal, amount: &str) -> String {
    let time = fiscal.at.format(format_description!("[year][month][day]T[hour][minute]"));
    let kind = match receipt.kind.as_str() {
        "Income" => 1,
        "IncomeReturn" => 2,
        "Expense" => 3,
        _ => 4,
    };
    format!(
        "https://qr.example/?t={}&s={amount}&fn={}&i={}&fp={}&n={kind}",
        time.unwrap_or_default(),
        fiscal.fiscal_number,
        fiscal.document_number,
        fiscal.fiscal_sign
    )
}

fn date_time(fiscal: &Fiscal) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    fiscal.at.format(format).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// The project's vector of a whole notification.
    const NOTIFICATION: &str = include_str!("../../vectors/receipt_notification.json");
    /// A vector with the fields in order, made with Python's `urllib` and `hmac`.
    const ENCODING: &str = include_str!("../../vectors/notification_encoding.json");

    fn text<'a>(vector: &'a Value, path: &str) -> &'a str {
        vector.pointer(path).unwrap().as_str().unwrap()
    }

    #[test]
    fn signs_as_the_vectors_say() {
        for vector in [NOTIFICATION, ENCODING] {
            let vector: Value = serde_json::from_str(vector).unwrap();
            let secret = text(&vector, "/api_secret").as_bytes();
            let body = text(&vector, "/raw_body").as_bytes();
            let (content, decoded) = signatures(secret, body);
            assert_eq!(content, text(&vector, "/headers/Content-HMAC"));
            assert_eq!(decoded, text(&vector, "/headers/X-Content-HMAC"));
            assert_ne!(signatures(b"another", body).0, content);
        }
    }

    #[test]
    fn encodes_as_the_vector_says() {
        let vector: Value = serde_json::from_str(ENCODING).unwrap();
        let pairs = vector["fields"].as_array().unwrap();
        let leaked = |value: &Value| -> &'static str { value.as_str().unwrap().to_owned().leak() };
        let fields: Vec<_> =
            pairs.iter().map(|pair| (leaked(&pair[0]), leaked(&pair[1]).to_owned())).collect();
        let secret = SecretString::from(text(&vector, "/api_secret"));
        let post = notification("http://127.0.0.1/", &secret, &fields);
        assert_eq!(post.body, text(&vector, "/raw_body"));
        assert_eq!(post.headers[0].1, text(&vector, "/headers/Content-HMAC"));
        assert_eq!(post.headers[1].1, text(&vector, "/headers/X-Content-HMAC"));
    }

    #[test]
    fn kopecks_have_two_digits() {
        assert_eq!(roubles(5), "0.05");
        assert_eq!(roubles(40_000), "400.00");
    }
}
