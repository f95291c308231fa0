//! A line to Diadoc: every call goes through it, with the token, within rate and lanes.

use std::time::Duration;

use reqwest::{
    Method, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use runtime::{
    Metrics, StartError,
    http::{self, Answer},
    session::{Grant, Session, Terms, Token},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;
use sqlx::PgPool;

use super::{
    error::What,
    lanes::Lanes,
    settings::{DiadocArgs, SignIn},
};

/// How long all replicas keep still after a 429 that does not say.
const KEEP_STILL: Duration = Duration::from_secs(1);
/// The longest they do, whatever it says.
const STILL_AT_MOST: Duration = Duration::from_secs(60);
/// How long a sign-in belongs to one replica: longer than two calls.
const LEASE: Duration = Duration::from_secs(60);
/// How long a token by login holds (documentation: 24 hours).
const BY_LOGIN: Duration = Duration::from_secs(24 * 3600);

/// A box's line.
pub(super) struct Line {
    http: http::Client,
    args: DiadocArgs,
    base: String,
    session: Session,
    lanes: Lanes,
}

/// A request to Diadoc.
pub(super) struct Call<'a> {
    pub(super) name: &'static str,
    pub(super) method: Method,
    pub(super) path: &'a str,
    pub(super) query: &'a [(&'a str, &'a str)],
    pub(super) body: Option<String>,
}

impl<'a> Call<'a> {
    pub(super) fn get(name: &'static str, path: &'a str, query: &'a [(&'a str, &'a str)]) -> Self {
        Self { name, method: Method::GET, path, query, body: None }
    }

    pub(super) fn post(
        name: &'static str,
        path: &'a str,
        query: &'a [(&'a str, &'a str)],
        body: &serde_json::Value,
    ) -> Self {
        Self { name, method: Method::POST, path, query, body: Some(body.to_string()) }
    }
}

impl Line {
    pub(super) fn new(
        args: &DiadocArgs,
        pool: &PgPool,
        metrics: &Metrics,
    ) -> Result<Self, StartError> {
        let needs: &[(&str, bool)] = match args.diadoc_sign_in {
            SignIn::Oidc => &[
                ("DIADOC_CLIENT_SECRET", args.diadoc_client_secret.is_some()),
                ("DIADOC_REFRESH_TOKEN", args.diadoc_refresh_token.is_some()),
            ],
            SignIn::Password => &[
                ("DIADOC_LOGIN", args.diadoc_login.is_some()),
                ("DIADOC_PASSWORD", args.diadoc_password.is_some()),
            ],
        };
        if let Some((name, _)) = needs.iter().find(|(_, given)| !given) {
            return Err(StartError(format!("This way to sign in to Diadoc needs {name}.")));
        }
        let terms = Terms { margin: args.diadoc_token_margin, lease: LEASE };
        Ok(Self {
            http: http::Client::new("diadoc", args.diadoc_timeout, metrics)?,
            base: args.diadoc_base_url.as_str().trim_end_matches('/').to_owned(),
            session: Session::new(pool, args.diadoc_box_id, terms),
            lanes: Lanes::new(pool, args),
            args: args.clone(),
        })
    }

    /// A call with the token in force; once more with a new one when that is refused, which means that
    /// nothing was looked at.
    pub(super) async fn call(&self, call: Call<'_>) -> Result<Answer, What> {
        let token = self.token().await?;
        let answer = self.send(&call, &self.authorization(Some(&token))).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return understood(answer);
        }
        self.session.forget(&token).await?;
        let token = self.token().await?;
        let answer = self.send(&call, &self.authorization(Some(&token))).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            // So that the next call does not begin with it.
            self.session.forget(&token).await?;
        }
        understood(answer)
    }

    async fn token(&self) -> Result<Token, What> {
        let token = self.session.token(|last| async move {
            match self.args.diadoc_sign_in {
                SignIn::Oidc => self.refresh(last).await,
                SignIn::Password => self.by_login().await,
            }
        });
        token.await.map_err(|error| match error {
            What::Store(_) | What::Busy { .. } => error,
            other => What::SignIn(Box::new(other)),
        })
    }

    fn authorization(&self, token: Option<&Token>) -> String {
        let client = self.args.diadoc_client_id.expose_secret();
        match (self.args.diadoc_sign_in, token) {
            (SignIn::Oidc, Some(token)) => format!("Bearer {}", token.value()),
            (_, None) => format!("DiadocAuth ddauth_api_client_id={client}"),
            (SignIn::Password, Some(token)) => {
                format!("DiadocAuth ddauth_api_client_id={client},ddauth_token={}", token.value())
            }
        }
    }

    /// A new token for the last refresh token; should that be refused, for the one in the settings, which may
    /// be newer.
    async fn refresh(&self, last: Option<String>) -> Result<Grant, What> {
        let first = self.args.diadoc_refresh_token.as_ref().map(|token| token.expose_secret());
        let Some(last) = last else { return self.refresh_by(first.unwrap_or_default()).await };
        match self.refresh_by(&last).await {
            Err(What::Rejected { .. }) if first.is_some_and(|first| first != last) => {
                tracing::warn!(
                    "the stored refresh token is refused; the one in the settings is tried"
                );
                self.refresh_by(first.unwrap_or_default()).await
            }
            other => other,
        }
    }

    async fn refresh_by(&self, refresh: &str) -> Result<Grant, What> {
        #[derive(Deserialize)]
        struct Given {
            access_token: String,
            expires_in: u64,
            refresh_token: Option<String>,
        }
        let url = self.args.diadoc_identity_url.as_str().trim_end_matches('/');
        let secret = self.args.diadoc_client_secret.as_ref().map(SecretString::expose_secret);
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", self.args.diadoc_client_id.expose_secret()),
            ("client_secret", secret.unwrap_or_default()),
            ("refresh_token", refresh),
        ];
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.http.request(Method::POST, &format!("{url}/connect/token"));
        let request = request
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "application/json")
            .body(body);
        let answer = understood(self.http.send("connect/token", request).await?)?;
        let given: Given = serde_json::from_slice(&answer.body)
            .map_err(|error| What::Garbled(format!("token, column {}", error.column())))?;
        tracing::info!("signed in to Diadoc");
        let holds = Duration::from_secs(given.expires_in);
        Ok(Grant { token: given.access_token, refresh: given.refresh_token, holds })
    }

    async fn by_login(&self) -> Result<Grant, What> {
        let password = self.args.diadoc_password.as_ref().map(SecretString::expose_secret);
        let body = json!({"login": self.args.diadoc_login, "password": password});
        let call = Call::post("Authenticate", "/V3/Authenticate", &[("type", "password")], &body);
        let answer = understood(self.send(&call, &self.authorization(None)).await?)?;
        let token = String::from_utf8(answer.body).unwrap_or_default();
        let token = token.trim();
        if token.is_empty() || token.contains(char::is_whitespace) {
            return Err(What::Garbled("the token is no single word".to_owned()));
        }
        tracing::info!("signed in to Diadoc");
        Ok(Grant { token: token.to_owned(), refresh: None, holds: BY_LOGIN })
    }

    async fn send(&self, call: &Call<'_>, authorization: &str) -> Result<Answer, What> {
        let url = url::Url::parse_with_params(&format!("{}{}", self.base, call.path), call.query)
            .map_err(|error| What::NotSent(error.to_string()))?;
        let mut request = self
            .http
            .request(call.method.clone(), url.as_str())
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, authorization);
        if let Some(body) = &call.body {
            request =
                request.header(CONTENT_TYPE, "application/json; charset=utf-8").body(body.clone());
        }
        let lane = self.lanes.enter().await?;
        let answer = self.http.send(call.name, request).await;
        self.lanes.leave(lane).await;
        let answer = answer?;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            let after = answer.retry_after();
            self.lanes.drain(after.unwrap_or(KEEP_STILL).min(STILL_AT_MOST)).await;
            return Err(What::RateLimited { after });
        }
        Ok(answer)
    }
}

/// A success with a body, or what the status means.
fn understood(answer: Answer) -> Result<Answer, What> {
    let status = answer.status;
    if status == StatusCode::NO_CONTENT {
        return Err(What::StillRunning { after: answer.retry_after() });
    }
    if status.is_success() {
        return Ok(answer);
    }
    let message = complaint(&answer);
    Err(match status {
        StatusCode::UNAUTHORIZED => What::Unauthorized,
        StatusCode::PAYMENT_REQUIRED => What::Unpaid,
        StatusCode::FORBIDDEN => What::Forbidden(message),
        StatusCode::NOT_FOUND => What::NotFound(message),
        StatusCode::CONFLICT => What::Conflict(message),
        StatusCode::TOO_MANY_REQUESTS => What::RateLimited { after: answer.retry_after() },
        status if status.is_client_error() => What::Rejected { status: status.as_u16(), message },
        status if status.is_server_error() => {
            What::Unavailable { status: status.as_u16(), after: answer.retry_after() }
        }
        status => What::Garbled(format!("status {status}")),
    })
}

/// Diadoc's word and words: a header and a plain text.
fn complaint(answer: &Answer) -> String {
    let header = |name| answer.headers.get(name).and_then(|value| value.to_str().ok());
    let parts = [header("x-diadoc-errorcode").map(str::to_owned), Some(answer.excerpt())];
    let text = parts.into_iter().flatten().collect::<Vec<_>>().join(": ");
    text.chars().take(500).collect()
}
