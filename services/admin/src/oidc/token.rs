//! An ID token: whether it is genuine and meant for us, and whom it names.
//!
//! Source: `OpenID` Connect Core 1.0, section 3.1.3.7.

use jsonwebtoken::{
    DecodingKey, Header, Validation, decode, decode_header,
    jwk::{Jwk, JwkSet, KeyAlgorithm, PublicKeyUse},
};
use serde_json::{Map, Value};
use subtle::ConstantTimeEq;

use super::{Claims, keys::ALLOWED, now};
use crate::people::{Role, login};

/// Who came, as the provider says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub issuer: String,
    pub subject: String,
    /// A login that fits the table.
    pub login: String,
    pub role: Role,
}

/// What a token must say.
pub(super) struct Expected<'a> {
    pub issuer: &'a str,
    pub audience: &'a str,
    pub nonce: &'a str,
    pub claims: &'a Claims,
}

/// Clocks may differ by so many seconds.
const LEEWAY: u64 = 60;

/// Whom this token names, or why it names nobody to us.
pub(super) fn identity(
    token: &str,
    keys: &JwkSet,
    expected: &Expected<'_>,
) -> Result<Identity, String> {
    let claims = verified(token, keys, expected)?;
    let nonce = text(&claims, "nonce").unwrap_or_default();
    if !bool::from(nonce.as_bytes().ct_eq(expected.nonce.as_bytes())) {
        return Err("the token's nonce is another one".to_owned());
    }
    let several = claims.get("aud").and_then(Value::as_array).is_some_and(|all| all.len() > 1);
    let authorized = text(&claims, "azp");
    if authorized.is_some_and(|party| party != expected.audience) || several && authorized.is_none()
    {
        return Err("the token was made for another client".to_owned());
    }
    if claims.get("iat").and_then(Value::as_i64).is_some_and(|at| at > now() + 60) {
        return Err("the token comes from the future: compare the clocks".to_owned());
    }
    let subject = text(&claims, "sub").filter(|subject| (1..=255).contains(&subject.len()));
    let subject = subject.ok_or("the token names no subject")?;
    let name = &expected.claims.login;
    let login = text(&claims, name).and_then(login).ok_or_else(|| {
        format!("the claim {name} is missing or no login (a-z, 0-9 and . _ @ -, at most 64)")
    })?;
    let role = role(&claims, expected.claims)
        .ok_or_else(|| format!("{login} is in no group that may come in"))?;
    let subject = subject.to_owned();
    Ok(Identity { issuer: expected.issuer.to_owned(), subject, login, role })
}

/// The claims of a token whose signature, issuer, audience and times are right.
fn verified(
    token: &str,
    keys: &JwkSet,
    expected: &Expected<'_>,
) -> Result<Map<String, Value>, String> {
    let header = decode_header(token).map_err(|_| "the token cannot be read")?;
    if !ALLOWED.contains(&header.alg) {
        return Err(format!("the token is signed with {:?}, which is not taken", header.alg));
    }
    let mut rules = Validation::new(header.alg);
    rules.leeway = LEEWAY;
    rules.validate_nbf = true;
    rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    rules.set_issuer(&[expected.issuer]);
    rules.set_audience(&[expected.audience]);
    let fitting: Vec<&Jwk> = keys.keys.iter().filter(|key| fits(key, &header)).collect();
    // Without a name in the token there must be one key only.
    let [key] = fitting.as_slice() else {
        return Err("the provider has no key for this token".to_owned());
    };
    let key = DecodingKey::from_jwk(key).map_err(|_| "the provider's key cannot be read")?;
    let data = decode::<Map<String, Value>>(token, &key, &rules);
    data.map(|data| data.claims).map_err(|error| format!("the token does not hold: {error}"))
}

fn fits(key: &Jwk, header: &Header) -> bool {
    let signs = matches!(key.common.public_key_use, None | Some(PublicKeyUse::Signature));
    let algorithm = key.common.key_algorithm;
    let same = algorithm.is_none_or(|own| own == KeyAlgorithm::from(header.alg));
    let family = DecodingKey::from_jwk(key).is_ok_and(|key| key.family() == header.alg.family());
    let named = header.kid.is_none() || key.common.key_id == header.kid;
    signs && same && family && named
}

fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    at(claims, name)?.as_str()
}

/// A claim; a name with dots leads into objects unless there is a claim of the whole name.
fn at<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(name) {
        return Some(value);
    }
    let (first, rest) = name.split_once('.')?;
    at(claims.get(first)?.as_object()?, rest)
}

/// The highest role of the groups that the token names.
fn role(claims: &Map<String, Value>, names: &Claims) -> Option<Role> {
    let named: Vec<&str> = match at(claims, &names.roles)? {
        Value::String(one) => vec![one.as_str()],
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        _ => return None,
    };
    let has = |groups: &[String]| groups.iter().any(|group| named.contains(&group.trim()));
    names.groups.iter().find(|(_, groups)| has(groups)).map(|(role, _)| *role)
}

#[cfg(test)]
mod tests {
    use super::{Claims, at, role};
    use crate::people::Role;
    use serde_json::{Map, Value, json};

    fn claims(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn the_highest_role_counts_and_nothing_is_given_by_default() {
        let groups = |name: &str| vec![name.to_owned()];
        let names = |roles: &str| Claims {
            login: String::new(),
            roles: roles.to_owned(),
            groups: [
                (Role::Admin, groups("boss")),
                (Role::Operator, groups("duty")),
                (Role::Viewer, vec![]),
            ],
        };
        for (said, roles, expected) in [
            (json!({"groups": ["duty", "boss"]}), "groups", Some(Role::Admin)),
            (json!({"groups": "duty"}), "groups", Some(Role::Operator)),
            (
                json!({"realm_access": {"roles": ["duty"]}}),
                "realm_access.roles",
                Some(Role::Operator),
            ),
            (json!({"a.b": ["duty"], "a": {"b": ["boss"]}}), "a.b", Some(Role::Operator)),
            (json!({"groups": ["bosses", ""]}), "groups", None),
            (json!({"groups": {"boss": true}}), "groups", None),
            (json!({}), "groups", None),
        ] {
            assert_eq!(role(&claims(&said), &names(roles)), expected, "{said}");
        }
        assert_eq!(at(&claims(&json!({"a": 1})), "a.b"), None);
    }
}
