//! A signer that refuses: what is signed and sent after that is the document as it says now.

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::post,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use encoding_rs::WINDOWS_1251;
use events::Phase;
use runtime::{
    Metrics,
    testing::{End, Job},
};
use serde_json::{Value, json};
use signing::{
    Form, Signer, Verifier,
    testing::{Pair, Subject},
};

use crate::{
    order::{mended, order, shipped, with_properties},
    world::{INN, World, name, told},
};

/// A remote signer: it answers with this status first, and signs with the GOST engine then.
#[derive(Clone)]
struct Remote {
    signer: Signer,
    says: Arc<Mutex<Option<StatusCode>>>,
    /// What it was asked to sign.
    asked: Arc<Mutex<Vec<Vec<u8>>>>,
    _pair: Arc<Pair>,
}

async fn sign(State(remote): State<Remote>, Json(body): Json<Value>) -> Response {
    let content = BASE64_STANDARD.decode(body["content"].as_str().unwrap()).unwrap();
    remote.asked.lock().unwrap().push(content.clone());
    let says = remote.says.lock().unwrap().take();
    if let Some(status) = says {
        return status.into_response();
    }
    let signature = remote.signer.sign(&content, Form::Detached).await.unwrap();
    Json(json!({"signature": BASE64_STANDARD.encode(signature)})).into_response()
}

impl Remote {
    async fn start() -> (Self, String) {
        let pair = Arc::new(Pair::make(&Subject::of(INN)));
        let signer = Signer::new(&pair.args(), &Metrics::new().unwrap()).unwrap();
        let remote = Self { signer, says: Arc::default(), asked: Arc::default(), _pair: pair };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/sign", listener.local_addr().unwrap());
        let router = Router::new().route("/sign", post(sign)).with_state(remote.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (remote, url)
    }

    fn next_says(&self, status: StatusCode) {
        *self.says.lock().unwrap() = Some(status);
    }
}

async fn world(url: &str) -> World {
    let url = format!("--signer-remote-url={url}");
    let settings = ["--signer-kind=remote", &url, "--signer-remote-token=secret"];
    World::with("", &settings, |_| {}).await
}

#[tokio::test]
async fn after_a_refusal_of_the_signer_the_mended_order_is_what_is_signed_and_sent() {
    let (remote, url) = Remote::start().await;
    let world = world(&url).await;
    let event = shipped(&order(1, world.now()));
    let mut job = Job::new(event.clone());
    remote.next_says(StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(name(&job.run(&*world.edo).await), "dead signer_refused");
    assert_eq!(world.states().await, ["refused"]);
    let address = "г. Тверь, ул. Новая, д. 1";
    job.renew(mended(&event, |order| {
        *order = with_properties(order.clone(), &[("COMPANY_ADR", Some(address))]);
    }));
    world.send(&mut job).await;
    let sent = world.messages().pop().unwrap().content;
    let (text, _, _) = WINDOWS_1251.decode(&sent);
    assert!(text.contains(address), "{text}");
    // What was signed last is what was sent, and the signature that is kept holds over it.
    assert_eq!(remote.asked.lock().unwrap().last(), Some(&sent));
    let signature: Vec<u8> =
        sqlx::query_scalar("SELECT signature FROM documents WHERE signature IS NOT NULL")
            .fetch_one(world.tables.pool())
            .await
            .unwrap();
    assert!(Verifier::new("openssl", "gost").verify(&signature, Some(&sent)).await.is_ok());
    assert_eq!(world.states().await, ["refused", "sent"]);
    world.agrees();
}

/// A signer that is away for long: the job ends as a letter with the document written, and a person mends the order in
/// the letter before he replays it.
#[tokio::test]
async fn a_document_that_waited_for_its_signature_is_made_anew_where_the_order_says_something_else()
{
    let (remote, url) = Remote::start().await;
    let world = world(&url).await;
    let event = shipped(&order(1, world.now()));
    let mut job = Job::new(event.clone());
    remote.next_says(StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(name(&job.run(&*world.edo).await), "down signer_away");
    job.renew(mended(&event, |order| {
        order.lines[0].price = events::Money::from_kopecks(11_000);
        order.price = events::Money::from_kopecks(110_000);
    }));
    world.send(&mut job).await;
    let totals: Vec<_> = world.messages().into_iter().map(|sent| sent.total).collect();
    assert_eq!(totals, ["1100.00"]);
    assert_eq!(world.states().await, ["replaced", "sent"]);
    world.agrees();
}

/// A world whose signatures are made at Diadoc.
async fn in_the_cloud(pair: &Pair) -> World {
    let thumbprint = "[cloud_signature]\nthumbprint = \"0123456789ABCDEF0123456789ABCDEF01234567\"";
    World::with(thumbprint, &["--signer-kind=none"], |settings| {
        settings.diadoc.cloud_certificate = Some(pair.certificate());
        settings.diadoc.cloud_key = Some(pair.key());
    })
    .await
}

#[tokio::test]
async fn diadoc_signs_itself_when_the_owner_has_confirmed() {
    let pair = Pair::make(&Subject::of(INN));
    let world = in_the_cloud(&pair).await;
    let mut job = Job::new(shipped(&order(1, world.now())));
    let way = world.send(&mut job).await;
    assert_eq!(way, ["wait 30s", "wait 60s", "wait 30s"]);
    assert_eq!(told(&job), [(Phase::Failed, "signature_to_confirm"), (Phase::Working, "upd_sent")]);
    let (content, signature): (Vec<u8>, Vec<u8>) =
        sqlx::query_as("SELECT content, signature FROM documents")
            .fetch_one(world.tables.pool())
            .await
            .unwrap();
    assert_eq!(content, world.messages()[0].content);
    assert!(Verifier::new("openssl", "gost").verify(&signature, Some(&content)).await.is_ok());
    world.agrees();
}

#[tokio::test]
async fn a_signature_that_its_owner_declines_is_for_a_person() {
    let pair = Pair::make(&Subject::of(INN));
    let world = in_the_cloud(&pair).await;
    let cases = [
        ("CanceledByUser", "отклонил её"),
        ("Timeout", "вовремя"),
        ("Crashed", "сообщил об ошибке"),
    ];
    for (ends, words) in cases {
        world.running.emulator.diadoc.books().next_signing_ends(ends);
        let mut job = Job::new(shipped(&order(1, world.now())));
        for _ in 0..2 {
            assert!(matches!(job.run(&*world.edo).await, End::Wait(_)));
        }
        let End::Dead(reason) = job.run(&*world.edo).await else { panic!("{ends}: it stops") };
        assert_eq!(reason.code, "cloud_signature_failed");
        assert!(reason.text.ru.contains(words) && reason.text.ru.contains("№ A-1"));
        // A replay asks once more, for a document made anew.
        assert!(matches!(job.run(&*world.edo).await, End::Wait(_)));
    }
    assert_eq!(world.messages().len(), 0);
}

#[tokio::test]
async fn a_signature_that_is_to_be_asked_for_once_more_is() {
    let pair = Pair::make(&Subject::of(INN));
    let world = in_the_cloud(&pair).await;
    for ends in ["OperationRetryRequired", "UserHasUnconfirmedOperation"] {
        world.running.emulator.diadoc.books().next_signing_ends(ends);
    }
    let mut job = Job::new(shipped(&order(2, world.now())));
    let way = world.send(&mut job).await;
    assert_eq!(way.iter().filter(|step| *step == "wait 900s").count(), 2, "{way:?}");
    assert_eq!(world.messages().len(), 1);
    world.agrees();
}
