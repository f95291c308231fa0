//! A line to the register: every call goes through it, with the token and within the rate.

use std::time::Duration;

use reqwest::{
    Method, StatusCode,
    header::{ACCEPT, CONTENT_TYPE},
};
use runtime::{
    Metrics, StartError,
    http::{self, Answer},
    rate::Rate,
    session::{Grant, Session, Terms, Token},
};
use serde::Deserialize;
use serde_json::json;
use signing::{Form, Signer};
use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{GismtArgs, SignIn, error::What, token};

/// How long all replicas keep still after a 429 that does not say.
const KEEP_STILL: Duration = Duration::from_secs(1);
/// The longest they do, whatever it says.
const STILL_AT_MOST: Duration = Duration::from_secs(60);

/// How long a sign-in belongs to one replica: longer than two calls and a signature.
const LEASE: Duration = Duration::from_secs(90);
/// How long a turn is waited for in the process; a longer wait is the job's.
const PATIENCE: Duration = Duration::from_secs(5);
/// A participant's key in the tables of the sign-in and the rate is the UUIDv5 of its INN in here.
const PARTICIPANTS: Uuid = uuid::uuid!("3d18c766-c560-4021-a477-586cadfd4809");

/// A participant's line.
pub(super) struct Line {
    http: http::Client,
    base: String,
    pub(super) inn: String,
    sign_in: SignIn,
    pub(super) signer: Signer,
    session: Session,
    rate: Rate,
}

/// A request to the register.
pub(super) struct Call<'a> {
    pub(super) name: &'static str,
    pub(super) method: Method,
    /// After the base address, with its query.
    pub(super) path: &'a str,
    pub(super) query: &'a [(&'a str, &'a str)],
    pub(super) body: Option<String>,
}

impl<'a> Call<'a> {
    pub(super) fn get(name: &'static str, path: &'a str, query: &'a [(&'a str, &'a str)]) -> Self {
        Self { name, method: Method::GET, path, query, body: None }
    }
}

impl Line {
    pub(super) fn new(
        args: &GismtArgs,
        signer: &Signer,
        pool: &PgPool,
        metrics: &Metrics,
    ) -> Result<Self, StartError> {
        let inn = args.gismt_inn.trim().to_owned();
        if !matches!(inn.len(), 10 | 12) || !inn.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(StartError("GISMT_INN must have 10 or 12 digits.".into()));
        }
        let signs = signer.certificate().and_then(|own| own.inn.clone());
        if signs.is_some_and(|signs| signs != inn) {
            tracing::warn!(
                "the certificate that signs has another INN than GISMT_INN: the register takes it with a \
                 power of attorney alone"
            );
        }
        let more = authorities(args)?;
        let http = http::Client::with("gismt", args.gismt_timeout, metrics, |builder| {
            more.into_iter().fold(builder, reqwest::ClientBuilder::add_root_certificate)
        })?;
        let participant = Uuid::new_v5(&PARTICIPANTS, inn.as_bytes());
        let terms = Terms { margin: args.gismt_token_margin, lease: LEASE };
        Ok(Self {
            http,
            base: args.gismt_base_url.as_str().trim_end_matches('/').to_owned(),
            sign_in: args.gismt_sign_in,
            signer: signer.clone(),
            session: Session::new(pool, participant, terms),
            rate: Rate::new(pool, participant, args.gismt_rate, PATIENCE),
            inn,
        })
    }

    /// A call with the token in force; once more with a new one when that is refused, which means
    /// that nothing was looked at.
    pub(super) async fn call(&self, call: Call<'_>) -> Result<Answer, What> {
        let token = self.token().await?;
        let answer = self.send(&call, Some(&token)).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        self.session.forget(&token).await?;
        let token = self.token().await?;
        let answer = self.send(&call, Some(&token)).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            // So that the next call does not begin with it.
            self.session.forget(&token).await?;
            return Err(What::Unauthorized);
        }
        Ok(answer)
    }

    async fn token(&self) -> Result<Token, What> {
        let token = self.session.token(|_| self.sign_in()).await;
        token.map_err(|error| match error {
            What::Store(_) | What::Busy { .. } => error,
            other => What::SignIn(Box::new(other)),
        })
    }

    /// A new token: the register's challenge, or the INN, signed with the certificate.
    async fn sign_in(&self) -> Result<Grant, What> {
        #[derive(Deserialize)]
        struct Challenge {
            uuid: String,
            data: String,
        }
        let body = if self.sign_in == SignIn::Inn {
            json!({"data": self.signed(&self.inn).await?, "unitedToken": true})
        } else {
            let call = Call::get("auth/key", "/api/v3/true-api/auth/key", &[]);
            let answer = understood(self.send(&call, None).await?)?;
            let challenge: Challenge = serde_json::from_slice(&answer.body)
                .map_err(|error| What::Garbled(format!("challenge: {error}")))?;
            let data = self.signed(&challenge.data).await?;
            if self.sign_in == SignIn::Jwt {
                json!({"uuid": challenge.uuid, "data": data})
            } else {
                json!({"uuid": challenge.uuid, "data": data, "inn": self.inn, "unitedToken": true})
            }
        };
        let call = Call {
            name: "auth/simpleSignIn",
            method: Method::POST,
            path: "/api/v3/true-api/auth/simpleSignIn",
            query: &[],
            body: Some(body.to_string()),
        };
        let answer = understood(self.send(&call, None).await?)?;
        tracing::info!("signed in to the register");
        token::given(&answer.body, OffsetDateTime::now_utc())
    }

    /// An attached signature, in base64 on one line.
    async fn signed(&self, text: &str) -> Result<String, What> {
        let signed = self.signer.sign(text.as_bytes(), Form::Attached).await;
        Ok(token::base64(&signed.map_err(What::Signing)?))
    }

    async fn send(&self, call: &Call<'_>, token: Option<&Token>) -> Result<Answer, What> {
        self.rate.turn().await?;
        let url = url::Url::parse_with_params(&format!("{}{}", self.base, call.path), call.query)
            .map_err(|error| What::NotSent(error.to_string()))?;
        // Anything but */* is answered 406 on some of its answers.
        let mut request =
            self.http.request(call.method.clone(), url.as_str()).header(ACCEPT, "*/*");
        if let Some(token) = token {
            request = request.bearer_auth(token.value());
        }
        if let Some(body) = &call.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        let answer = self.http.send(call.name, request).await?;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            let after = answer.retry_after();
            self.rate.drain(after.unwrap_or(KEEP_STILL).min(STILL_AT_MOST)).await;
            return Err(What::RateLimited { after });
        }
        Ok(answer)
    }
}

#[derive(Deserialize, Default)]
struct Complaint {
    error_message: Option<String>,
    description: Option<String>,
}

/// A success, or what the status means.
pub(super) fn understood(answer: Answer) -> Result<Answer, What> {
    let status = answer.status;
    if status.is_success() {
        return Ok(answer);
    }
    let message = complaint(&answer);
    Err(match status {
        StatusCode::UNAUTHORIZED => What::Unauthorized,
        StatusCode::FORBIDDEN => What::Forbidden(message),
        StatusCode::UNPROCESSABLE_ENTITY => What::SignatureRefused(message),
        StatusCode::PAYLOAD_TOO_LARGE | StatusCode::URI_TOO_LONG => What::TooLarge,
        StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS => What::GeoBlocked,
        status if status.is_client_error() => What::Rejected { status: status.as_u16(), message },
        status if status.is_server_error() => {
            What::Unavailable { status: status.as_u16(), after: answer.retry_after() }
        }
        status => What::Garbled(format!("status {status}")),
    })
}

/// The register's words in an error's body.
fn complaint(answer: &Answer) -> String {
    let complaint: Complaint = serde_json::from_slice(&answer.body).unwrap_or_default();
    let words = [complaint.error_message, complaint.description];
    let words = words.into_iter().flatten().collect::<Vec<_>>().join(": ");
    words.chars().take(500).collect()
}

fn authorities(args: &GismtArgs) -> Result<Vec<reqwest::Certificate>, StartError> {
    let Some(path) = &args.gismt_ca_file else { return Ok(Vec::new()) };
    let wrong = |why: &dyn std::fmt::Display| {
        StartError(format!("GISMT_CA_FILE {}: {why}.", path.display()))
    };
    let pem = std::fs::read(path).map_err(|error| wrong(&error))?;
    reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| wrong(&error))
}
