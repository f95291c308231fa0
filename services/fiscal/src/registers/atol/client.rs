//! The wire of ATOL Online: a token in a header, documents under the group's code.

use std::sync::PoisonError;

use reqwest::{Method, StatusCode, header::CONTENT_TYPE};
use runtime::http;
use serde_json::json;

use super::{Atol, answer};
use crate::registers::{Accepted, Path, Request, Standing, What};

impl Atol {
    /// A new token.
    pub(super) async fn log_in(&self) -> Result<String, What> {
        let keys = json!({"login": self.account.login, "pass": self.account.password.expose()});
        let request = self.line.request(Method::POST, "/getToken");
        let request = request.header(CONTENT_TYPE, "application/json").body(keys.to_string());
        let token = answer::token(&understood(self.line.send("/getToken", request).await?)?)?;
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
        Ok(token)
    }

    /// Asks for a document; answers its uuid.
    pub(super) async fn create(&self, request: &Request) -> Result<String, What> {
        let operation = match request.path {
            Path::Sell => "sell",
            Path::Refund => "sell_refund",
            Path::SellCorrection => "sell_correction",
            Path::RefundCorrection => "sell_refund_correction",
        };
        let path = format!("/{}/{operation}", self.account.group);
        let answer = self.call(Method::POST, operation, &path, Some(&request.body)).await?;
        answer::accepted(&answer)
    }

    /// Asks how a document stands.
    pub(super) async fn report(&self, accepted: &Accepted) -> Result<Standing, What> {
        let path = format!("/{}/report/{}", self.account.group, accepted.id);
        let answer = self.call(Method::GET, "report", &path, None).await?;
        answer::standing(&answer, &accepted.name)
    }

    /// A call with the token in hand; with a new one when it is not known any more.
    async fn call(
        &self,
        method: Method,
        call: &'static str,
        path: &str,
        body: Option<&str>,
    ) -> Result<http::Answer, What> {
        let known = self.token.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let token = match &known {
            Some(token) => token.clone(),
            None => self.log_in().await?,
        };
        let answer = self.call_with(&token, method.clone(), call, path, body).await?;
        if known.is_some() && answer::is_about_token(&answer) {
            let token = self.log_in().await?;
            return self.call_with(&token, method, call, path, body).await;
        }
        Ok(answer)
    }

    async fn call_with(
        &self,
        token: &str,
        method: Method,
        call: &'static str,
        path: &str,
        body: Option<&str>,
    ) -> Result<http::Answer, What> {
        let mut request = self.line.request(method, path).header("Token", token);
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_owned());
        }
        understood(self.line.send(call, request).await?)
    }
}

/// Errors come in JSON with status 400 and 401 too, and are read from there.
fn understood(answer: http::Answer) -> Result<http::Answer, What> {
    match answer.status {
        StatusCode::OK | StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED => Ok(answer),
        _ => crate::registers::error::by_status(answer),
    }
}
