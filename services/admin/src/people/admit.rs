//! Who calls, and whether they may.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::{ConnectInfo, FromRequestParts, MatchedPath},
    http::{HeaderMap, Method, header, request::Parts},
};
use subtle::ConstantTimeEq;

use super::{Role, digest};
use crate::{Admin, web::Problem};

/// Who calls.
#[derive(Clone)]
pub(crate) struct Person {
    /// The login, or `token <name> (<first 8 of its id>, <its maker>)`.
    pub who: String,
    pub role: Role,
    /// The session's token against forged requests; API tokens need none.
    pub csrf: Option<String>,
    /// What the caller sent of it in a header.
    header: Option<String>,
}

impl FromRequestParts<Arc<Admin>> for Person {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, admin: &Arc<Admin>) -> Result<Self, Problem> {
        let headers = &parts.headers;
        let header = text(headers, "x-csrf-token").map(str::to_owned);
        if let Some(token) = text(headers, header::AUTHORIZATION.as_str()) {
            let token = token.strip_prefix("Bearer ").unwrap_or_default();
            let found = admin.store.token(&digest(token)).await?;
            let found = found.and_then(|token| Some((Role::named(&token.role)?, token)));
            let Some((role, token)) = found else {
                tracing::warn!(address = address(admin, parts), "an API token is not known");
                return Err(Problem::Token);
            };
            let id: String = token.id.to_string().chars().take(8).collect();
            let who = format!("token {} ({id}, {})", token.name, token.made_by);
            return Ok(Self { who, role, csrf: None, header });
        }
        let Some(cookie) = cookie(headers, cookie_name(admin)) else { return Err(Problem::SignIn) };
        let (idle, longest) = (admin.config.admin_session_idle, admin.config.admin_session_longest);
        let live = headers.contains_key("x-live");
        let session = admin.store.session(&digest(cookie), idle, longest, live).await?;
        let session = session.ok_or(Problem::SignIn)?;
        let role = Role::named(&session.role).ok_or(Problem::SignIn)?;
        Ok(Self { who: session.login, role, csrf: Some(session.csrf), header })
    }
}

impl Person {
    /// Whether this person may do `action` on `subject`; a refusal is in the audit log.
    pub(crate) async fn may(
        &self,
        admin: &Admin,
        least: Role,
        action: &str,
        subject: &str,
    ) -> Result<(), Problem> {
        if self.role >= least {
            return Ok(());
        }
        self.refused(admin, action, subject, "role").await?;
        Err(Problem::Role)
    }

    /// The same for what changes something: a session must also show its token, from the form or
    /// from the header `X-CSRF-Token`.
    pub(crate) async fn may_change(
        &self,
        admin: &Admin,
        least: Role,
        action: &str,
        subject: &str,
        given: Option<&str>,
    ) -> Result<(), Problem> {
        if let Some(csrf) = &self.csrf {
            let given = given.or(self.header.as_deref()).unwrap_or_default();
            if !bool::from(csrf.as_bytes().ct_eq(given.as_bytes())) {
                self.refused(admin, action, subject, "forged request").await?;
                return Err(Problem::Forged);
            }
        }
        self.may(admin, least, action, subject).await
    }

    /// The same for people and tokens, which only somebody who has signed in manages: what a token
    /// made would outlive its maker.
    pub(crate) async fn may_manage(
        &self,
        admin: &Admin,
        action: &str,
        subject: &str,
        given: Option<&str>,
    ) -> Result<(), Problem> {
        if self.csrf.is_none() {
            self.refused(admin, action, subject, "token").await?;
            return Err(Problem::InPerson);
        }
        match given {
            Some(_) => self.may_change(admin, Role::Admin, action, subject, given).await,
            None => self.may(admin, Role::Admin, action, subject).await,
        }
    }

    async fn refused(
        &self,
        admin: &Admin,
        action: &str,
        subject: &str,
        why: &str,
    ) -> Result<(), Problem> {
        tracing::warn!(who = self.who, action, subject, why, "refused");
        admin.store.audit(&self.who, action, subject, why, "refused").await?;
        Ok(())
    }
}

/// A request by somebody whom nobody knows (yet), as the audit log tells of it.
pub(crate) struct Stranger {
    /// Method and route, without what stands in the address.
    action: String,
    address: String,
}

impl Stranger {
    /// Who sends this request, should it be refused.
    pub(crate) fn of(admin: &Admin, parts: &Parts) -> Self {
        let route = parts.extensions.get::<MatchedPath>().map_or("?", MatchedPath::as_str);
        let action = format!("{} {route}", parts.method);
        Self { action, address: address(admin, parts) }
    }

    /// Notes the refusal, as long as there are not too many. It is refused either way.
    pub(crate) async fn refused(&self, admin: &Admin, why: &str) {
        let Self { action, address } = self;
        tracing::warn!(address, action, why, "a stranger is refused");
        if let Err(error) = admin.store.audit_stranger(action, address, why).await {
            tracing::warn!(%error, "a refusal is not in the audit log");
        }
    }
}

/// Whether a browser that is not signed in is only shown the way to the form.
pub(crate) fn only_looks(method: &Method, path: &str) -> bool {
    method.is_safe() && !path.starts_with("/api/")
}

/// The session's cookie. With https its name promises that no other host has set it.
pub(crate) fn cookie_name(admin: &Admin) -> &'static str {
    if is_https(admin) { "__Host-parom_session" } else { "parom_session" }
}

/// Whether people come over https.
pub(crate) fn is_https(admin: &Admin) -> bool {
    admin.config.admin_public_url.starts_with("https://")
}

/// The value of a cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
}

/// The caller's address, for the bound on guessing.
pub(crate) fn address(admin: &Admin, parts: &Parts) -> String {
    let named = admin.config.admin_address_header.as_deref();
    // A caller may send the header too: the proxy's own stands last, whether on the same line or not.
    let lines = named.map(|name| parts.headers.get_all(name).iter());
    let forwarded = lines.and_then(|mut lines| lines.next_back()?.to_str().ok());
    if let Some(last) = forwarded.and_then(|all| all.rsplit(',').next()) {
        return last.trim().chars().take(64).collect();
    }
    let socket = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    socket.map_or_else(|| "unknown".to_owned(), |info| info.0.ip().to_string())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
