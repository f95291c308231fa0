//! Signing in with an identity provider: there, and back with a code.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, Query, State},
    http::{header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use super::{
    Problem,
    sign_in::{begin_session, inside, is_closed, set_cookie},
};
use crate::{
    Admin,
    oidc::{OidcError, Provider, Secrets, UNDER_WAY},
    people::{self, Fresh, digest},
    store::{Admitted, Begun},
};

/// So many sign-ins from one address may be under way.
const MOST: i64 = 30;
/// Who is in the log until the provider has said who it is.
const NOBODY: &str = "oidc";

/// Who calls, and from where.
pub(super) struct Caller {
    address: String,
    browser: Option<String>,
}

impl FromRequestParts<Arc<Admin>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, admin: &Arc<Admin>) -> Result<Self, Problem> {
        let browser = people::cookie(&parts.headers, cookie_name(admin)).map(str::to_owned);
        Ok(Self { address: people::address(admin, parts), browser })
    }
}

fn cookie_name(admin: &Admin) -> &'static str {
    if people::is_https(admin) { "__Host-parom_sign_in" } else { "parom_sign_in" }
}

fn provider(admin: &Admin) -> Result<&Provider, Problem> {
    admin.oidc.as_ref().ok_or(Problem::NotFound)
}

/// Where to go afterwards.
#[derive(Deserialize)]
pub(super) struct Afterwards {
    #[serde(default)]
    next: Option<String>,
}

/// Sends somebody to the provider.
pub(super) async fn begin(
    State(admin): State<Arc<Admin>>,
    caller: Caller,
    Query(after): Query<Afterwards>,
) -> Result<Response, Problem> {
    let provider = provider(&admin)?;
    if is_closed(&admin, &caller.address).await? {
        return Err(Problem::TooMany);
    }
    let (secrets, browser) = (Secrets::new(), Fresh::new(""));
    let address = match provider.begin(&secrets).await {
        Ok(address) => address,
        Err(error) => return Err(away(&error)),
    };
    let begun = Begun {
        state: &digest(&secrets.state),
        browser: &browser.hash,
        nonce: &secrets.nonce,
        verifier: &secrets.verifier,
        next: inside(after.next.as_deref()),
        address: &caller.address,
    };
    if !admin.store.begin_sign_in(&begun, MOST).await? {
        tracing::warn!(address = caller.address, "too many sign-ins are under way");
        return Err(Problem::TooMany);
    }
    let seconds = UNDER_WAY.as_secs();
    let cookie = set_cookie(&admin, cookie_name(&admin), &browser.text, seconds, true);
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&address)).into_response())
}

/// What the provider sends somebody back with (Core, section 3.1.2.5; RFC 9207).
#[derive(Deserialize)]
pub(super) struct Back {
    #[serde(default)]
    state: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    iss: Option<String>,
    #[serde(default)]
    error: Option<String>,
}

/// Lets in who comes back, if the provider vouches for him.
pub(super) async fn back(
    State(admin): State<Arc<Admin>>,
    caller: Caller,
    Query(back): Query<Back>,
) -> Result<Response, Problem> {
    let provider = provider(&admin)?;
    if is_closed(&admin, &caller.address).await? {
        return Err(Problem::TooMany);
    }
    let browser = digest(caller.browser.as_deref().unwrap_or_default());
    let begun = admin.store.take_sign_in(&digest(&back.state), &browser).await?;
    let address = caller.address.as_str();
    let Some(begun) = begun else {
        return Err(
            refuse(&admin, address, NOBODY, "the state is not known, used or too old").await
        );
    };
    if !begun.same_browser {
        return Err(refuse(&admin, address, NOBODY, "the state belongs to another browser").await);
    }
    if let Some(error) = &back.error {
        let code: String = error.chars().filter(char::is_ascii_graphic).take(60).collect();
        return Err(refuse(&admin, address, NOBODY, &format!("the provider says {code}")).await);
    }
    let issuer = back.iss.as_deref();
    let found = provider.finish(&back.code, issuer, &begun.nonce, &begun.verifier).await;
    let identity = match found {
        Ok(identity) => identity,
        Err(OidcError::Refused(why)) => return Err(refuse(&admin, address, NOBODY, &why).await),
        Err(error) => return Err(away(&error)),
    };
    match admin.store.admit(&identity).await? {
        Admitted::As(login) => {
            begin_session(&admin, &login, address, inside(Some(&begun.next))).await
        }
        Admitted::Blocked => Err(refuse(&admin, address, &identity.login, "blocked").await),
        Admitted::Taken => {
            Err(refuse(&admin, address, &identity.login, "the login belongs to another user").await)
        }
    }
}

fn away(error: &OidcError) -> Problem {
    tracing::error!(%error, "nobody can sign in with the identity provider");
    Problem::denied(
        "Провайдер входа не отвечает как следует. Попробуйте позже или сообщите администратору.",
        "The identity provider does not answer as it should. Try later, or tell an admin.",
    )
}

/// It is in the log, and counts like a wrong password.
async fn refuse(admin: &Admin, address: &str, who: &str, why: &str) -> Problem {
    tracing::warn!(address, who, why, "nobody gets in with the identity provider's word");
    let noted = async {
        admin.store.failed_attempt(NOBODY, address).await?;
        admin.store.audit(who, "sign in", address, why, "refused").await
    };
    if let Err(error) = noted.await {
        return error.into();
    }
    Problem::denied(
        "Войти не получилось. Начните вход заново; если не помогло, попросите администратора посмотреть журнал действий.",
        "You could not be signed in. Begin anew; if that does not help, ask an admin to look into the audit log.",
    )
}
