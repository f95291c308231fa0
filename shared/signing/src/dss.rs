//! `CryptoPro` DSS: a token by login at its STS, then one POST to its signature server.
//!
//! For certificates whose owner has said once that the service may sign; a second factor for each signature
//! (`/transactions`) is not asked for.

use std::time::{Duration, Instant};

use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::{Method, StatusCode, header::CONTENT_TYPE};
use runtime::{
    Metrics, StartError,
    http::{Answer, CallError, Client},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::{Form, SignError, SignerArgs};

/// Whom the token is for.
const RESOURCE: &str = "urn:cryptopro:dss:frontend:signserver";
/// How long before its end a token is replaced.
const MARGIN: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(crate) struct Dss {
    http: Client,
    base: String,
    login: String,
    password: SecretString,
    client: String,
    certificate: u64,
    pin: Option<SecretString>,
    token: Mutex<Option<Token>>,
}

#[derive(Debug, Clone)]
struct Token {
    value: SecretString,
    until: Instant,
}

#[derive(Deserialize)]
struct Given {
    access_token: SecretString,
    #[serde(default)]
    expires_in: u64,
}

impl Dss {
    pub(crate) fn new(args: &SignerArgs, metrics: &Metrics) -> Result<Self, StartError> {
        let needs = |name: &str| StartError(format!("SIGNER_KIND=dss needs {name}."));
        let url = args.signer_dss_url.as_ref().ok_or_else(|| needs("SIGNER_DSS_URL"))?;
        let password = args.signer_dss_password.clone();
        Ok(Self {
            http: Client::new("signer", args.signer_timeout, metrics)?,
            base: url.as_str().trim_end_matches('/').to_owned(),
            login: args.signer_dss_login.clone().ok_or_else(|| needs("SIGNER_DSS_LOGIN"))?,
            password: password.ok_or_else(|| needs("SIGNER_DSS_PASSWORD"))?,
            client: args.signer_dss_client.clone().ok_or_else(|| needs("SIGNER_DSS_CLIENT"))?,
            certificate: args
                .signer_dss_certificate
                .ok_or_else(|| needs("SIGNER_DSS_CERTIFICATE"))?,
            pin: args.signer_pin.clone(),
            token: Mutex::default(),
        })
    }

    pub(crate) async fn sign(
        &self,
        content: &[u8],
        form: Form,
        limit: Duration,
    ) -> Result<Vec<u8>, SignError> {
        let body = self.body(content, form).to_string();
        let mut answer = self.ask(&body, limit).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            // It may have ended before its time.
            *self.token.lock().await = None;
            answer = self.ask(&body, limit).await?;
        }
        let answer = understood(answer)?;
        let signed: Value = serde_json::from_slice(&answer.body)
            .map_err(|_| SignError::Malformed("no JSON in the answer"))?;
        let signature = text(&signed).ok_or(SignError::Malformed("no signature in the answer"))?;
        Ok(signature.as_bytes().to_vec())
    }

    fn body(&self, content: &[u8], form: Form) -> Value {
        let detached = if form == Form::Detached { "True" } else { "False" };
        let mut signature = json!({
            "Type": "CAdES",
            "Parameters": {"CADESType": "BES", "IsDetached": detached, "Hash": "False"},
            "CertificateId": self.certificate,
        });
        if let (Some(fields), Some(pin)) = (signature.as_object_mut(), &self.pin) {
            fields.insert("PinCode".to_owned(), json!(pin.expose_secret()));
        }
        json!({
            "Content": BASE64_STANDARD.encode(content), "Name": "document.xml", "Signature": signature,
        })
    }

    async fn ask(&self, body: &str, limit: Duration) -> Result<Answer, SignError> {
        let token = self.token(limit).await?;
        let url = format!("{}/SignServer/rest/api/documents", self.base);
        let request = self
            .http
            .request(Method::POST, &url)
            .bearer_auth(token.expose_secret())
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_owned())
            .timeout(limit);
        self.http.send("sign", request).await.map_err(away)
    }

    /// The token in hand, or a new one; one at a time asks for it.
    async fn token(&self, limit: Duration) -> Result<SecretString, SignError> {
        let mut held = self.token.lock().await;
        if let Some(token) = held.as_ref().filter(|token| Instant::now() < token.until) {
            return Ok(token.value.clone());
        }
        let form = [
            ("grant_type", "password"),
            ("username", self.login.as_str()),
            ("password", self.password.expose_secret()),
            ("resource", RESOURCE),
            ("client_id", self.client.as_str()),
        ];
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self
            .http
            .request(Method::POST, &format!("{}/STS/oauth/token", self.base))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body)
            .timeout(limit);
        let answer = self.http.send("token", request).await.map_err(away)?;
        // A wrong login is 400 `invalid_grant`.
        if answer.status == StatusCode::BAD_REQUEST {
            return Err(SignError::Unauthorized);
        }
        let answer = understood(answer)?;
        let given: Given = serde_json::from_slice(&answer.body)
            .map_err(|_| SignError::Malformed("no token in the answer"))?;
        let holds = Duration::from_secs(given.expires_in);
        let until = Instant::now() + holds.saturating_sub(MARGIN.min(holds / 2));
        *held = Some(Token { value: given.access_token.clone(), until });
        Ok(given.access_token)
    }
}

fn understood(answer: Answer) -> Result<Answer, SignError> {
    match answer.status {
        status if status.is_success() => Ok(answer),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(SignError::Unauthorized),
        StatusCode::TOO_MANY_REQUESTS => Err(SignError::Busy),
        status if status.is_client_error() => Err(SignError::Refused(status.as_u16())),
        status => Err(SignError::Away(format!("status {status}"))),
    }
}

/// The signature: the answer itself, or a text in it in some versions. What it is, is checked afterwards.
fn text(answer: &Value) -> Option<&str> {
    match answer {
        Value::String(text) => Some(text),
        Value::Object(fields) => {
            ["Content", "Signature"].iter().find_map(|name| fields.get(*name)?.as_str())
        }
        _ => None,
    }
}

fn away(error: CallError) -> SignError {
    match error {
        CallError::NotSent(why) | CallError::Unknown(why) => SignError::Away(why),
        CallError::TooLong => SignError::Malformed("the answer is too long"),
    }
}
