//! Signing in with an identity provider that is strict itself and signs real tokens.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Form, Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::{get, post},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use reqwest::{Response, Url};
use ring::{
    hmac,
    rand::SystemRandom,
    rsa,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use crate::{
    desk::{Desk, reqwest_client},
    outside::serve,
};

/// What the provider signs with.
enum Signer {
    Ec(EcdsaKeyPair),
    Rsa(rsa::KeyPair),
    /// As an attacker: a shared secret that everybody knows, the public key.
    Secret(Vec<u8>),
    Nothing,
}

impl Signer {
    fn ec() -> Self {
        let random = SystemRandom::new();
        let way = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let key = EcdsaKeyPair::generate_pkcs8(way, &random).unwrap();
        Self::Ec(EcdsaKeyPair::from_pkcs8(way, key.as_ref(), &random).unwrap())
    }

    /// A key of its own for each run.
    fn rsa() -> Self {
        let words =
            ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-outform", "DER"];
        let made = std::process::Command::new("openssl").args(words).output();
        let made = made.expect("openssl makes the provider's key");
        assert!(made.status.success());
        // Older versions write PKCS #1, newer ones PKCS #8.
        let key = rsa::KeyPair::from_pkcs8(&made.stdout)
            .or_else(|_| rsa::KeyPair::from_der(&made.stdout))
            .unwrap();
        Self::Rsa(key)
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Self::Ec(_) => "ES256",
            Self::Rsa(_) => "RS256",
            Self::Secret(_) => "HS256",
            Self::Nothing => "none",
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Ec(key) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
            Self::Secret(key) => {
                hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref().to_vec()
            }
            Self::Nothing => vec![],
        }
    }

    /// The key as the provider shows it.
    fn public(&self, kid: &str) -> Value {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Ec(key) => {
                let point = key.public_key().as_ref();
                json!({ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": kid,
                    "x": encode(&point[1..33]), "y": encode(&point[33..]) })
            }
            Self::Rsa(key) => {
                let parts: rsa::PublicKeyComponents<Vec<u8>> = key.public().into();
                json!({ "kty": "RSA", "use": "sig", "kid": kid, "n": encode(&parts.n), "e": encode(&parts.e) })
            }
            Self::Secret(_) | Self::Nothing => panic!("no key to show"),
        }
    }
}

/// What the provider knows of a code that it gave.
#[derive(Clone)]
struct Grant {
    nonce: String,
    challenge: String,
    back: String,
}

/// What makes a token say something else.
type Twist = fn(&mut Value);

struct Books {
    base: String,
    keys: Vec<Value>,
    signer: Signer,
    kid: String,
    grants: HashMap<String, Grant>,
    /// What the next token says otherwise.
    twist: Option<Twist>,
    /// Who signs in.
    person: Value,
}

#[derive(Clone)]
struct Idp(Arc<Mutex<Books>>);

const CLIENT: &str = "parom";
const SECRET: &str = "a secret & more";

impl Idp {
    async fn open(signer: Signer) -> Self {
        let keys = vec![signer.public("k1"), Signer::ec().public("old")];
        let person = json!({ "sub": "u-1", "preferred_username": "Anna", "groups": ["duty"] });
        let books = Books {
            base: String::new(),
            keys,
            signer,
            kid: "k1".to_owned(),
            grants: HashMap::new(),
            twist: None,
            person,
        };
        let idp = Self(Arc::new(Mutex::new(books)));
        let router = Router::new()
            .route("/realm/.well-known/openid-configuration", get(described))
            .route("/realm/keys", get(keys_shown))
            .route("/realm/token", post(token))
            .with_state(idp.clone());
        let base = format!("{}/realm", serve(router).await);
        idp.with(|books| books.base = base);
        idp
    }

    fn with<T>(&self, look: impl FnOnce(&mut Books) -> T) -> T {
        look(&mut self.0.lock().unwrap())
    }

    /// Somebody signs in at the provider's page; answers the code.
    fn consent(&self, page: &Url) -> String {
        let asked: HashMap<String, String> = page.query_pairs().into_owned().collect();
        self.with(|books| {
            assert!(page.as_str().starts_with(&format!("{}/authorize?", books.base)), "{page}");
            assert_eq!(asked["response_type"], "code");
            assert_eq!(asked["client_id"], CLIENT);
            assert_eq!(asked["code_challenge_method"], "S256");
            assert!(asked["scope"].split(' ').any(|scope| scope == "openid"));
            for secret in ["state", "nonce", "code_challenge"] {
                assert!(asked[secret].len() >= 43, "{secret} can be guessed");
            }
            let code = format!("code-{}", books.grants.len());
            let grant = Grant {
                nonce: asked["nonce"].clone(),
                challenge: asked["code_challenge"].clone(),
                back: asked["redirect_uri"].clone(),
            };
            books.grants.insert(code.clone(), grant);
            code
        })
    }
}

async fn described(State(idp): State<Idp>) -> Json<Value> {
    let base = idp.with(|books| books.base.clone());
    Json(json!({
        "issuer": base,
        "authorization_endpoint": format!("{base}/authorize"),
        "token_endpoint": format!("{base}/token"),
        "jwks_uri": format!("{base}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256"],
    }))
}

async fn keys_shown(State(idp): State<Idp>) -> Json<Value> {
    Json(json!({ "keys": idp.with(|books| books.keys.clone()) }))
}

async fn token(
    State(idp): State<Idp>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> (StatusCode, Json<Value>) {
    let no = |code: &str| (StatusCode::BAD_REQUEST, Json(json!({ "error": code })));
    // RFC 6749, section 2.3.1: form-encoded before they are joined.
    let expected = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:a+secret+%26+more")));
    if headers.get("authorization").is_none_or(|given| given.to_str().unwrap() != expected) {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "error": "invalid_client" })));
    }
    if form["grant_type"] != "authorization_code" || form.contains_key("client_secret") {
        return no("invalid_request");
    }
    idp.with(|books| {
        // A code holds once.
        let Some(grant) = books.grants.remove(&form["code"]) else { return no("invalid_grant") };
        let proof = URL_SAFE_NO_PAD.encode(Sha256::digest(form["code_verifier"].as_bytes()));
        if proof != grant.challenge || form["redirect_uri"] != grant.back {
            return no("invalid_grant");
        }
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let mut claims = json!({ "iss": books.base, "aud": CLIENT, "iat": now, "exp": now + 300,
            "nonce": grant.nonce });
        for (name, value) in books.person.as_object().unwrap() {
            claims[name] = value.clone();
        }
        if let Some(twist) = books.twist.take() {
            twist(&mut claims);
        }
        let header = json!({ "alg": books.signer.algorithm(), "typ": "JWT", "kid": books.kid });
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", encode(&header), encode(&claims));
        let signature = URL_SAFE_NO_PAD.encode(books.signer.sign(message.as_bytes()));
        let tokens = json!({ "access_token": "x", "token_type": "Bearer",
            "id_token": format!("{message}.{signature}") });
        (StatusCode::OK, Json(tokens))
    })
}

/// A desk whose people come from this provider.
async fn desk(idp: &Idp, more: &[&str]) -> Desk {
    let issuer = format!("--admin-oidc-issuer={}", idp.with(|books| books.base.clone()));
    let client = format!("--admin-oidc-client={CLIENT}");
    let secret = format!("--admin-oidc-secret={SECRET}");
    let flags = [
        issuer.as_str(),
        &client,
        &secret,
        "--admin-oidc-admins=boss",
        "--admin-oidc-operators=duty",
        "--admin-oidc-viewers=eyes",
    ];
    Desk::set(&flags.into_iter().chain(more.iter().copied()).collect::<Vec<_>>()).await
}

/// The first cookie of an answer, as the browser shows it again.
fn cookie(answer: &Response) -> String {
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    cookie.split(';').next().unwrap().to_owned()
}

/// Begins a sign-in: where the browser is sent, and its cookie.
async fn begin(desk: &Desk) -> (Url, String) {
    let answer = reqwest_client().get(desk.url("/login/oidc?next=/letters")).send().await.unwrap();
    assert_eq!(answer.status(), 303, "{}", answer.text().await.unwrap());
    let to = answer.headers()["location"].to_str().unwrap().parse().unwrap();
    (to, cookie(&answer))
}

/// The state of the address of a sign-in.
fn state(page: &Url) -> String {
    page.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned()
}

/// The browser comes back.
async fn back(desk: &Desk, state: &str, code: &str, cookie: &str) -> Response {
    let mut url: Url = desk.url("/login/callback").parse().unwrap();
    url.query_pairs_mut().append_pair("state", state).append_pair("code", code);
    reqwest_client().get(url).header("cookie", cookie).send().await.unwrap()
}

/// The whole way.
async fn sign_in(desk: &Desk, idp: &Idp) -> Response {
    let (page, cookie) = begin(desk).await;
    back(desk, &state(&page), &idp.consent(&page), &cookie).await
}

async fn users(desk: &Desk) -> Vec<(String, String, Option<String>)> {
    sqlx::query_as("SELECT login, role, subject FROM users ORDER BY login")
        .fetch_all(&desk.pool)
        .await
        .unwrap()
}

/// Why people were refused, oldest first; they are let try again.
async fn refusals(desk: &Desk) -> Vec<String> {
    sqlx::query("DELETE FROM attempts").execute(&desk.pool).await.unwrap();
    sqlx::query_scalar(
        "SELECT who || ': ' || why FROM audit WHERE action = 'sign in' AND outcome = 'refused' ORDER BY id",
    )
    .fetch_all(&desk.pool)
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn people_come_in_with_the_role_of_their_group_and_only_that_way() {
    for signer in [Signer::ec(), Signer::rsa()] {
        let idp = Idp::open(signer).await;
        let desk = desk(&idp, &["--admin-passwords=false"]).await;
        let page = reqwest_client().get(desk.url("/login")).send().await.unwrap();
        let page = page.text().await.unwrap();
        assert!(
            page.contains("/login/oidc?next=") && !page.contains("type=\"password\""),
            "{page}"
        );
        desk.ctl("a long enough password", &["user", "put", "old", "--role", "admin"]).unwrap();
        let answer = reqwest_client()
            .post(desk.url("/login"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body("login=old&password=a+long+enough+password")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 403, "passwords are off");

        let answer = sign_in(&desk, &idp).await;
        assert_eq!(answer.status(), 303, "{}", answer.text().await.unwrap());
        assert_eq!(answer.headers()["location"], "/letters", "to where one wanted to go");
        let session = cookie(&answer);
        let look = async |path: &str| {
            let request = reqwest_client().get(desk.url(path)).header("cookie", &session);
            request.send().await.unwrap().status().as_u16()
        };
        assert_eq!((look("/letters").await, look("/access").await), (200, 403), "an operator");
        // The provider says the role anew each time.
        idp.with(|books| books.person["groups"] = json!(["boss", "duty"]));
        assert_eq!(sign_in(&desk, &idp).await.status(), 303);
        assert_eq!(look("/access").await, 200, "an admin");
        let anna = ("anna".to_owned(), "admin".to_owned(), Some("u-1".to_owned()));
        assert_eq!(users(&desk).await[0], anna);
        // Who is given a lower role there loses the tokens that reach further.
        sqlx::query(
            "INSERT INTO tokens (id, hash, name, role, made_by)
             VALUES (gen_random_uuid(), 'x', 'x', 'admin', 'anna'), (gen_random_uuid(), 'y', 'y', 'viewer', 'anna')",
        )
        .execute(&desk.pool)
        .await
        .unwrap();
        idp.with(|books| books.person["groups"] = json!(["duty"]));
        assert_eq!(sign_in(&desk, &idp).await.status(), 303);
        let left: Vec<String> =
            sqlx::query_scalar("SELECT role FROM tokens WHERE revoked_at IS NULL")
                .fetch_all(&desk.pool)
                .await
                .unwrap();
        assert_eq!(left, ["viewer"]);
        assert_eq!(refusals(&desk).await, Vec::<String>::new());
        desk.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_not_genuine_not_ours_or_not_of_now_lets_nobody_in() {
    let idp = Idp::open(Signer::rsa()).await;
    let desk = desk(&idp, &[]).await;
    let twists: [(Twist, &str); 9] = [
        (|claims| claims["nonce"] = json!("another"), "nonce"),
        (|claims| drop(claims.as_object_mut().unwrap().remove("nonce")), "nonce"),
        (|claims| claims["aud"] = json!("another client"), "InvalidAudience"),
        (|claims| claims["aud"] = json!([CLIENT, "another"]), "another client"),
        (|claims| claims["iss"] = json!("https://evil.example"), "InvalidIssuer"),
        (|claims| claims["exp"] = json!(claims["iat"].as_i64().unwrap() - 120), "ExpiredSignature"),
        (|claims| drop(claims.as_object_mut().unwrap().remove("exp")), "Missing required claim"),
        (|claims| claims["groups"] = json!(["strangers"]), "in no group"),
        (|claims| claims["preferred_username"] = json!("<b>"), "preferred_username"),
    ];
    for (twist, why) in twists {
        idp.with(|books| books.twist = Some(twist));
        assert_eq!(sign_in(&desk, &idp).await.status(), 403, "{why}");
        let last = refusals(&desk).await.pop().unwrap();
        assert!(last.starts_with("oidc: ") && last.contains(why), "{last} is not {why}");
    }
    // Signed by others, or in a way that anybody can.
    let public = idp.with(|books| serde_json::to_vec(&books.keys[0]).unwrap());
    for (signer, why) in [
        (Signer::rsa(), "InvalidSignature"),
        (Signer::ec(), "no key for this token"),
        (Signer::Secret(public), "not taken"),
        (Signer::Nothing, "cannot be read"),
    ] {
        idp.with(|books| books.signer = signer);
        assert_eq!(sign_in(&desk, &idp).await.status(), 403, "{why}");
        let last = refusals(&desk).await.pop().unwrap();
        assert!(last.contains(why), "{last} is not {why}");
    }
    assert_eq!(users(&desk).await, [], "nobody was made");
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_holds_once_for_the_browser_that_began() {
    let idp = Idp::open(Signer::ec()).await;
    let desk = desk(&idp, &[]).await;
    let (page, mine) = begin(&desk).await;
    let code = idp.consent(&page);
    assert_eq!(back(&desk, &state(&page), &code, &mine).await.status(), 303);
    assert_eq!(back(&desk, &state(&page), &code, &mine).await.status(), 403, "replayed");
    assert_eq!(back(&desk, "made up", &code, &mine).await.status(), 403);
    // Somebody has another sign in as himself.
    let (page, _) = begin(&desk).await;
    let code = idp.consent(&page);
    assert_eq!(back(&desk, &state(&page), &code, &mine).await.status(), 403);
    assert_eq!(
        refusals(&desk).await,
        [
            "oidc: the state is not known, used or too old",
            "oidc: the state is not known, used or too old",
            "oidc: the state belongs to another browser",
        ]
    );
    // Too late.
    let (page, mine) = begin(&desk).await;
    sqlx::query("UPDATE sign_ins SET at = at - interval '11 minutes'")
        .execute(&desk.pool)
        .await
        .unwrap();
    assert_eq!(back(&desk, &state(&page), &idp.consent(&page), &mine).await.status(), 403);
    // Ten failures close the door, as with passwords.
    for _ in 0..10 {
        back(&desk, "made up", "x", &mine).await;
    }
    assert_eq!(back(&desk, "made up", "x", &mine).await.status(), 429);
    let answer = reqwest_client().get(desk.url("/login/oidc")).send().await.unwrap();
    assert_eq!(answer.status(), 429);
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_stays_with_whom_it_belongs_to_and_who_is_blocked_stays_out() {
    let idp = Idp::open(Signer::ec()).await;
    let desk = desk(&idp, &[]).await;
    desk.ctl("a long enough password", &["user", "put", "anna", "--role", "viewer"]).unwrap();
    assert_eq!(sign_in(&desk, &idp).await.status(), 403, "anna has a password");
    idp.with(|books| books.person["preferred_username"] = json!("anna2"));
    assert_eq!(sign_in(&desk, &idp).await.status(), 303);
    // Another person at the provider takes the name.
    idp.with(|books| books.person["sub"] = json!("u-2"));
    assert_eq!(sign_in(&desk, &idp).await.status(), 403);
    idp.with(|books| books.person["sub"] = json!("u-1"));
    desk.ctl("", &["user", "disable", "anna2"]).unwrap();
    assert_eq!(sign_in(&desk, &idp).await.status(), 403);
    assert_eq!(
        refusals(&desk).await,
        [
            "anna: the login belongs to another user",
            "anna2: the login belongs to another user",
            "anna2: blocked",
        ]
    );
    assert_eq!(users(&desk).await[0].1, "viewer");
    desk.end().await;
}
