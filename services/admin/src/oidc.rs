//! Signing in with an identity provider: the authorization code flow with PKCE.
//!
//! Source: `OpenID` Connect Core 1.0, sections 3.1 and 3.1.3.7; `OpenID` Connect Discovery 1.0, section
//! 4; RFC 7636 (PKCE, S256); RFC 9207 (issuer in the answer).

mod keys;
mod token;

use std::{
    sync::{PoisonError, RwLock},
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::JwkSet;
use reqwest::{Method, RequestBuilder};
use runtime::{Metrics, StartError, http::Client};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use url::Url;

use crate::{config::Config, people::Role};
pub(crate) use token::Identity;
use token::{Expected, identity};

/// How long the provider's own description holds.
const HOLDS: Duration = Duration::from_secs(600);

/// The provider.
pub(crate) struct Provider {
    client: Client,
    issuer: String,
    id: String,
    secret: Option<SecretString>,
    scope: String,
    back: String,
    claims: Claims,
    described: RwLock<Option<(Instant, Description)>>,
}

/// Which claims say who somebody is and what he may.
#[derive(Debug, Clone)]
struct Claims {
    login: String,
    roles: String,
    /// Roles from the highest on, with the groups that have them.
    groups: [(Role, Vec<String>); 3],
}

/// What the provider says of itself (Discovery, section 3).
#[derive(Debug, Clone, Deserialize)]
struct Description {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

/// Why somebody does not get in this way.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OidcError {
    /// The provider does not answer, or not as the standard says.
    #[error("the identity provider: {0}")]
    Provider(String),
    /// It answers, and what it says lets nobody in.
    #[error("{0}")]
    Refused(String),
}

/// What is made up for one sign-in, and what must come back or be shown again.
#[derive(Debug)]
pub(crate) struct Secrets {
    pub state: String,
    pub nonce: String,
    pub verifier: String,
}

impl Secrets {
    pub(crate) fn new() -> Self {
        let fresh = || URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        Self { state: fresh(), nonce: fresh(), verifier: fresh() }
    }
}

/// Discovery, section 4.3: the issuer's own address before this.
const DESCRIPTION: &str = ".well-known/openid-configuration";

impl Provider {
    /// The provider of the settings, if there is one. It is not asked before somebody signs in.
    pub(crate) fn open(config: &Config, metrics: &Metrics) -> Result<Option<Self>, StartError> {
        let (Some(issuer), Some(id)) = (&config.admin_oidc_issuer, &config.admin_oidc_client)
        else {
            return Ok(None);
        };
        Url::parse(issuer).map_err(|_| StartError::new("ADMIN_OIDC_ISSUER is no address"))?;
        keys::install();
        Ok(Some(Self {
            client: Client::new("oidc", Duration::from_secs(10), metrics)?,
            issuer: issuer.clone(),
            id: id.clone(),
            secret: config.admin_oidc_secret.clone(),
            scope: format!("openid {}", config.admin_oidc_scope.trim()).trim().to_owned(),
            back: format!("{}/login/callback", config.admin_public_url.trim_end_matches('/')),
            claims: Claims {
                login: config.admin_oidc_login.clone(),
                roles: config.admin_oidc_roles.clone(),
                groups: [
                    (Role::Admin, config.admin_oidc_admins.clone()),
                    (Role::Operator, config.admin_oidc_operators.clone()),
                    (Role::Viewer, config.admin_oidc_viewers.clone()),
                ],
            },
            described: RwLock::default(),
        }))
    }

    /// Where somebody is sent to sign in.
    pub(crate) async fn begin(&self, secrets: &Secrets) -> Result<String, OidcError> {
        let endpoint = self.describe().await?.authorization_endpoint;
        let mut address = Url::parse(&endpoint)
            .map_err(|_| OidcError::Provider("its endpoint is no address".to_owned()))?;
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(secrets.verifier.as_bytes()));
        address.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", &self.id),
            ("redirect_uri", &self.back),
            ("scope", &self.scope),
            ("state", &secrets.state),
            ("nonce", &secrets.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        Ok(address.into())
    }

    /// Who came back with this code. `issuer` is what the answer said of its sender, if it did.
    pub(crate) async fn finish(
        &self,
        code: &str,
        issuer: Option<&str>,
        nonce: &str,
        verifier: &str,
    ) -> Result<Identity, OidcError> {
        if issuer.is_some_and(|issuer| issuer != self.issuer) {
            return Err(OidcError::Refused("the answer is from another provider".to_owned()));
        }
        let described = self.describe().await?;
        let token = self.redeem(&described, code, verifier).await?;
        // Asked for each time: keys change, and people sign in seldom.
        let keys: JwkSet = self.get("keys", &described.jwks_uri).await?;
        let expected =
            Expected { issuer: &self.issuer, audience: &self.id, nonce, claims: &self.claims };
        identity(&token, &keys, &expected).map_err(OidcError::Refused)
    }

    /// The ID token for a code (Core, section 3.1.3).
    async fn redeem(
        &self,
        described: &Description,
        code: &str,
        verifier: &str,
    ) -> Result<String, OidcError> {
        #[derive(Deserialize)]
        struct Tokens {
            id_token: String,
        }
        let request = self.redemption(described, code, verifier);
        let tokens: Tokens = self.call("token", request).await?;
        Ok(tokens.id_token)
    }

    fn redemption(&self, described: &Description, code: &str, verifier: &str) -> RequestBuilder {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs([
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.back),
            ("code_verifier", verifier),
        ]);
        let mut request = self.client.request(Method::POST, &described.token_endpoint);
        match &self.secret {
            None => {
                form.append_pair("client_id", &self.id);
            }
            Some(secret) if described.takes_basic() => {
                // RFC 6749, section 2.3.1: both are form-encoded before they are joined.
                let encode = |text: &str| -> String {
                    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
                };
                let secret = encode(secret.expose_secret());
                request = request.basic_auth(encode(&self.id), Some(secret));
            }
            Some(secret) => {
                form.append_pair("client_id", &self.id);
                form.append_pair("client_secret", secret.expose_secret());
            }
        }
        request
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json")
            .body(form.finish())
    }

    /// The provider's description, at most [`HOLDS`] old.
    async fn describe(&self) -> Result<Description, OidcError> {
        let known = self.described.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((at, description)) = known
            && at.elapsed() < HOLDS
        {
            return Ok(description);
        }
        let address = format!("{}/{DESCRIPTION}", self.issuer.trim_end_matches('/'));
        let description: Description = self.get("description", &address).await?;
        description.check(&self.issuer).map_err(OidcError::Provider)?;
        let kept = Some((Instant::now(), description.clone()));
        *self.described.write().unwrap_or_else(PoisonError::into_inner) = kept;
        Ok(description)
    }

    async fn get<T: DeserializeOwned>(
        &self,
        call: &'static str,
        address: &str,
    ) -> Result<T, OidcError> {
        self.call(call, self.client.request(Method::GET, address)).await
    }

    async fn call<T: DeserializeOwned>(
        &self,
        call: &'static str,
        request: RequestBuilder,
    ) -> Result<T, OidcError> {
        let answer = self.client.send(call, request).await;
        let answer = answer.map_err(|error| OidcError::Provider(format!("{call}: {error}")))?;
        let status = answer.status;
        if call == "token" && status.is_client_error() {
            let code = refusal(&answer.body);
            return Err(OidcError::Refused(format!("the code is not taken: {code}")));
        }
        if !status.is_success() {
            return Err(OidcError::Provider(format!("{call}: HTTP {}", status.as_u16())));
        }
        serde_json::from_slice(&answer.body)
            .map_err(|_| OidcError::Provider(format!("{call}: an answer that is not as agreed")))
    }
}

/// The error code of a refusal (RFC 6749, section 5.2); its description may name people.
fn refusal(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
    }
    let refusal = serde_json::from_slice::<Refusal>(body);
    let code = refusal.map_or_else(|_| "no reason given".to_owned(), |refusal| refusal.error);
    code.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(40).collect()
}

impl Description {
    /// It must be the issuer's own, and must not lead from https to http.
    fn check(&self, issuer: &str) -> Result<(), String> {
        if self.issuer != issuer {
            return Err("its description names another issuer".to_owned());
        }
        let all = [&self.authorization_endpoint, &self.token_endpoint, &self.jwks_uri];
        if issuer.starts_with("https://") && all.iter().any(|url| !url.starts_with("https://")) {
            return Err("its description leads from https to http".to_owned());
        }
        Ok(())
    }

    /// Basic is what holds when nothing is said (Discovery, section 3).
    fn takes_basic(&self) -> bool {
        let methods = self.token_endpoint_auth_methods_supported.as_deref();
        methods.is_none_or(|methods| methods.iter().any(|method| method == "client_secret_basic"))
    }
}

/// For how long a sign-in may be under way.
pub(crate) const UNDER_WAY: Duration = Duration::from_secs(600);

/// The moment of now, for who checks times.
fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}
