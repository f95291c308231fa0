//! A signer elsewhere: one POST, in the contract that the crate's README describes.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::{Method, StatusCode, header::CONTENT_TYPE};
use runtime::{
    Metrics, StartError,
    http::{CallError, Client},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

use crate::{Form, SignError, SignerArgs};

#[derive(Debug)]
pub(crate) struct Remote {
    http: Client,
    url: String,
    token: SecretString,
}

#[derive(Deserialize)]
struct Signed {
    signature: String,
}

impl Remote {
    pub(crate) fn new(args: &SignerArgs, metrics: &Metrics) -> Result<Self, StartError> {
        let needs = |name: &str| StartError(format!("SIGNER_KIND=remote needs {name}."));
        Ok(Self {
            http: Client::new("signer", args.signer_timeout, metrics)?,
            url: args.signer_remote_url.clone().ok_or_else(|| needs("SIGNER_REMOTE_URL"))?.into(),
            token: args.signer_remote_token.clone().ok_or_else(|| needs("SIGNER_REMOTE_TOKEN"))?,
        })
    }

    pub(crate) async fn sign(
        &self,
        content: &[u8],
        form: Form,
        limit: Duration,
    ) -> Result<Vec<u8>, SignError> {
        let content = BASE64_STANDARD.encode(content);
        let body = json!({"content": content, "detached": form == Form::Detached});
        let request = self
            .http
            .request(Method::POST, &self.url)
            .bearer_auth(self.token.expose_secret())
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_string())
            .timeout(limit);
        let answer = self.http.send("sign", request).await.map_err(away)?;
        match answer.status {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Err(SignError::Unauthorized);
            }
            StatusCode::TOO_MANY_REQUESTS => return Err(SignError::Busy),
            status if status.is_client_error() => return Err(SignError::Refused(status.as_u16())),
            status => return Err(SignError::Away(format!("status {status}"))),
        }
        let signed: Signed = serde_json::from_slice(&answer.body)
            .map_err(|_| SignError::Malformed("no signature in the answer"))?;
        Ok(signed.signature.into_bytes())
    }
}

fn away(error: CallError) -> SignError {
    match error {
        CallError::NotSent(why) | CallError::Unknown(why) => SignError::Away(why),
        CallError::TooLong => SignError::Malformed("the answer is too long"),
    }
}
