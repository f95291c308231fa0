//! The register's token as its answer gives it.

use std::time::Duration;

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use runtime::session::Grant;
use serde::Deserialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::error::What;

/// The longest a token holds (documentation of True API); also where the register does not say.
const LONGEST: Duration = Duration::from_secs(10 * 3600);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Given {
    token: Option<String>,
    uuid_token: Option<String>,
    expire_date: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    exp: Option<i64>,
}

/// The token in the register's answer: `uuidToken` with its end, or a JWT that tells its own.
pub(super) fn given(body: &[u8], now: OffsetDateTime) -> Result<Grant, What> {
    // Not the parser's own words: they quote what they met, and that may be the token.
    let garbled = |error: serde_json::Error| {
        What::Garbled(format!("sign-in: no such answer (see column {})", error.column()))
    };
    let given: Given = serde_json::from_slice(body).map_err(garbled)?;
    let (value, ends) = match (given.uuid_token, given.token) {
        (Some(value), _) => {
            let ends = given.expire_date.as_deref();
            (value, ends.and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok()))
        }
        (None, Some(value)) => {
            let ends = expiry(&value);
            (value, ends)
        }
        (None, None) => return Err(What::Garbled("sign-in: no token".to_owned())),
    };
    if value.is_empty() || value.chars().any(char::is_control) {
        return Err(What::Garbled("sign-in: no token".to_owned()));
    }
    let holds = match ends {
        Some(ends) => Duration::try_from(ends - now).unwrap_or_default().min(LONGEST),
        None => LONGEST,
    };
    Ok(Grant { token: value, refresh: None, holds })
}

/// When a JWT ends. It is the register's to check; we only read its date.
fn expiry(jwt: &str) -> Option<OffsetDateTime> {
    let claims = BASE64_URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1)?).ok()?;
    let claims: Claims = serde_json::from_slice(&claims).ok()?;
    OffsetDateTime::from_unix_timestamp(claims.exp?).ok()
}

/// Base64 on one line: the register refuses line ends in it.
pub(super) fn base64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_holds_as_long_as_the_register_says() {
        let now = OffsetDateTime::from_unix_timestamp(1_795_305_600).unwrap();
        let uuid = br#"{"uuidToken":"123e4567","expireDate":"2026-11-22T08:00:00.000Z"}"#;
        let grant = given(uuid, now).unwrap();
        assert_eq!(
            (grant.token.as_str(), grant.holds),
            ("123e4567", Duration::from_secs(8 * 3600))
        );
        let ended = br#"{"uuidToken":"123e4567","expireDate":"2026-11-21T08:00:00.000Z"}"#;
        assert_eq!(given(ended, now).unwrap().holds, Duration::ZERO);
        let beyond = br#"{"uuidToken":"123e4567","expireDate":"2027-11-22T08:00:00.000Z"}"#;
        assert_eq!(given(beyond, now).unwrap().holds, LONGEST);
        let claims = BASE64_URL_SAFE_NO_PAD.encode(r#"{"exp":1795309200}"#);
        let jwt = format!(r#"{{"token":"h.{claims}.s","mchdUser":null}}"#);
        assert_eq!(given(jwt.as_bytes(), now).unwrap().holds, Duration::from_secs(3600));
        assert_eq!(given(br#"{"token":"opaque"}"#, now).unwrap().holds, LONGEST);
        for nothing in ["{}", "[]", r#"{"token":""}"#, r#"{"uuidToken":"a\nb"}"#] {
            assert!(matches!(given(nothing.as_bytes(), now), Err(What::Garbled(_))), "{nothing}");
        }
        // A token where none is looked for is not told to logs and letters.
        let Err(error) = given(br#""a-secret-token""#, now) else { panic!("a bare text is read") };
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
