//! GIS MT: strict about signatures, forms and rights, and true to its traps.

use emulator::{Fault, Kind, System, gismt::Code, settings::GismtSignIn};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};
use signing::{
    Form, Signer,
    testing::{Pair, Subject},
};

use crate::stage::Stage;

const V3: &str = "/gismt/api/v3/true-api";
const V4: &str = "/gismt/api/v4/true-api";
const INN: &str = "7708806062";
const ONE: &str = "0104669000322220215t*NH>t:ngCfH";
const OTHER: &str = "0104630199251318215QTSRh>4sVc+.";

struct Participant {
    stage: Stage,
    signer: Signer,
    _pair: Pair,
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_STANDARD.encode(bytes)
}

fn signer(pair: &Pair) -> Signer {
    Signer::new(&pair.args(), &runtime::Metrics::new().unwrap()).unwrap()
}

async fn sent(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    let (status, text) = (response.status(), response.text().await.unwrap());
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

impl Participant {
    async fn new(change: impl FnOnce(&mut emulator::Settings)) -> Self {
        let stage = Stage::with(change).await;
        let pair = Pair::make(&Subject::of(INN));
        let mut books = stage.running.emulator.gismt.books();
        books.put(Code::new(ONE, "lp"), INN);
        drop(books);
        Self { signer: signer(&pair), stage, _pair: pair }
    }

    async fn signed(&self, bytes: &[u8], form: Form) -> String {
        base64(&self.signer.sign(bytes, form).await.unwrap())
    }

    async fn challenge(&self) -> (String, String) {
        let url = self.stage.url(&format!("{V3}/auth/key"));
        let (_, body) = sent(self.stage.client.get(url)).await;
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        (text("uuid"), text("data"))
    }

    fn sign_in(&self, body: &Value) -> RequestBuilder {
        self.stage.client.post(self.stage.url(&format!("{V3}/auth/simpleSignIn"))).json(body)
    }

    async fn token(&self) -> String {
        let (uuid, data) = self.challenge().await;
        let data = self.signed(data.as_bytes(), Form::Attached).await;
        let body = json!({"uuid": uuid, "data": data, "inn": INN, "unitedToken": true});
        let (status, body) = sent(self.sign_in(&body)).await;
        assert_eq!(status, 200, "{body}");
        body["uuidToken"].as_str().unwrap().to_owned()
    }

    fn info(&self, token: &str, codes: &Value) -> RequestBuilder {
        let url = self.stage.url(&format!("{V3}/cises/info?pg=lp"));
        self.stage.client.post(url).bearer_auth(token).json(codes)
    }

    async fn create(&self, token: &str, kind: &str, document: &Value) -> (StatusCode, Value) {
        let bytes = document.to_string().into_bytes();
        let signature = self.signed(&bytes, Form::Detached).await;
        self.hand_in(token, kind, &bytes, &signature).await
    }

    async fn hand_in(
        &self,
        token: &str,
        kind: &str,
        bytes: &[u8],
        signature: &str,
    ) -> (StatusCode, Value) {
        let body = json!({
            "document_format": "MANUAL", "type": kind,
            "product_document": base64(bytes), "signature": signature,
        });
        let url = self.stage.url(&format!("{V3}/lk/documents/create?pg=lp"));
        sent(self.stage.client.post(url).bearer_auth(token).json(&body)).await
    }

    /// How a document ends: the second look, when it takes one.
    async fn ended(&self, token: &str, id: &Value) -> Value {
        let url = format!("{V4}/doc/{}/info?pg=lp", id.as_str().unwrap());
        let look = || sent(self.stage.client.get(self.stage.url(&url)).bearer_auth(token));
        assert_eq!(look().await.1[0]["status"], "IN_PROGRESS");
        look().await.1[0].clone()
    }

    fn violations(&self) -> usize {
        self.stage.running.emulator.gismt.books().summary().violations.violation_count
    }
}

fn sale(codes: &[&str]) -> Value {
    let products: Vec<Value> =
        codes.iter().map(|cis| json!({"cis": cis, "product_cost": 550_400})).collect();
    json!({
        "inn": INN, "action": "DISTANCE", "action_date": "2026-11-21", "kpp": "770801001",
        "fias_id": "550e8400-e29b-41d4-a716-446655440000", "products": products,
    })
}

#[tokio::test]
async fn a_token_is_for_a_right_signature_over_a_fresh_challenge_by_the_participant() {
    let own = Participant::new(|_| {}).await;
    let token = own.token().await;
    assert_eq!(sent(own.info(&token, &json!([ONE]))).await.0, 200);
    let (uuid, data) = own.challenge().await;
    let good = own.signed(data.as_bytes(), Form::Attached).await;
    let body = |uuid: &str, data: &str| json!({"uuid": uuid, "data": data, "inn": INN, "unitedToken": true});
    let status = async |body: Value| sent(own.sign_in(&body)).await.0.as_u16();
    let (other, _) = own.challenge().await;
    assert_eq!(status(body(&other, &good)).await, 422, "another challenge");
    assert_eq!(status(body(&uuid, &good)).await, 200);
    assert_eq!(status(body(&uuid, &good)).await, 400, "a challenge is good once");
    let (uuid, data) = own.challenge().await;
    assert_eq!(status(body(&uuid, &base64(b"none"))).await, 422, "no signature");
    let stranger = Pair::make(&Subject::of("7707083893"));
    let foreign = signer(&stranger).sign(data.as_bytes(), Form::Attached).await.unwrap();
    let (uuid, _) = own.challenge().await;
    assert_eq!(status(body(&uuid, &base64(&foreign))).await, 422, "over another challenge");
    let (uuid, data) = own.challenge().await;
    let foreign = signer(&stranger).sign(data.as_bytes(), Form::Attached).await.unwrap();
    assert_eq!(status(body(&uuid, &base64(&foreign))).await, 403, "another's INN");
    let (uuid, data) = own.challenge().await;
    let mut broken = own.signed(data.as_bytes(), Form::Attached).await;
    broken.insert(64, '\n');
    let before = own.violations();
    assert_eq!(status(body(&uuid, &broken)).await, 400, "a line end");
    assert_eq!(status(json!({"uuid": uuid, "data": "", "token": 1})).await, 400, "a stranger");
    assert_eq!(own.violations(), before + 2);
}

#[tokio::test]
async fn a_certificate_that_has_ended_signs_nobody_in() {
    let own = Participant::new(|_| {}).await;
    let ended = Pair::make(&Subject { days: -1, ..Subject::of(INN) });
    let (uuid, data) = own.challenge().await;
    // Our own signers refuse to.
    let file = std::env::temp_dir().join(format!("parom-challenge-{uuid}"));
    std::fs::write(&file, &data).unwrap();
    let mut openssl = std::process::Command::new("openssl");
    openssl.args(["cms", "-sign", "-engine", "gost", "-md", "md_gost12_256", "-binary"]);
    openssl.args(["-nodetach", "-outform", "DER", "-in"]).arg(&file);
    openssl.arg("-signer").arg(ended.certificate()).arg("-inkey").arg(ended.key());
    let signed = openssl.output().unwrap();
    std::fs::remove_file(&file).unwrap();
    assert!(signed.status.success(), "{}", String::from_utf8_lossy(&signed.stderr));
    let body =
        json!({"uuid": uuid, "data": base64(&signed.stdout), "inn": INN, "unitedToken": true});
    assert_eq!(sent(own.sign_in(&body)).await.0, 422);
    let refused = own.stage.running.emulator.gismt.books().summary().refused;
    assert!(refused[0].contains("ended"), "{refused:?}");
}

#[tokio::test]
async fn each_way_to_sign_in_has_its_form() {
    for way in [GismtSignIn::Inn, GismtSignIn::Jwt] {
        let own = Participant::new(|settings| settings.gismt.sign_in = way).await;
        let (uuid, data) = own.challenge().await;
        let challenge = own.signed(data.as_bytes(), Form::Attached).await;
        let inn = own.signed(INN.as_bytes(), Form::Attached).await;
        let jwt = json!({"uuid": uuid, "data": challenge});
        let united = json!({"data": inn, "unitedToken": true});
        let (right, wrong, name) = match way {
            GismtSignIn::Inn => (united, jwt, "uuidToken"),
            _ => (jwt, united, "token"),
        };
        assert_eq!(sent(own.sign_in(&wrong)).await.0, 400, "{way:?}");
        let (_, body) = sent(own.sign_in(&right)).await;
        let token = body[name].as_str().unwrap();
        assert_eq!(sent(own.info(token, &json!([ONE]))).await.0, 200, "{way:?}");
    }
}

#[tokio::test]
async fn a_token_ends_and_is_revoked_and_calls_without_one_are_refused() {
    let own = Participant::new(|_| {}).await;
    let (status, body) = sent(own.info("none", &json!([ONE]))).await;
    assert_eq!((status.as_u16(), body), (401, json!({"error_message": "unauthorized"})));
    let token = own.token().await;
    own.stage.running.emulator.clock.advance(10 * 3600 - 60);
    assert_eq!(sent(own.info(&token, &json!([ONE]))).await.0, 200);
    own.stage.running.emulator.clock.advance(61);
    assert_eq!(sent(own.info(&token, &json!([ONE]))).await.0, 401);
    let token = own.token().await;
    assert_eq!(own.stage.control("/_gismt/revoke", json!({})).await.status(), 204);
    assert_eq!(sent(own.info(&token, &json!([ONE]))).await.0, 401);
}

#[tokio::test]
async fn codes_come_with_200_when_one_is_known_and_with_404_when_none_is() {
    let own = Participant::new(|_| {}).await;
    let token = own.token().await;
    let (status, body) = sent(own.info(&token, &json!([ONE, OTHER]))).await;
    assert_eq!((status, body[1]["errorCode"].as_str()), (StatusCode::OK, Some("404")));
    assert_eq!(body[0]["cisInfo"]["ownerInn"], INN);
    let (status, body) = sent(own.info(&token, &json!([OTHER]))).await;
    assert_eq!(
        (status, body[0]["cisInfo"]["requestedCis"].as_str()),
        (StatusCode::NOT_FOUND, Some(OTHER))
    );
    let mut foreign = Code::new(OTHER, "lp");
    foreign.owner_inn = "7711111111".into();
    own.stage.running.emulator.gismt.books().put(foreign, INN);
    let (_, body) = sent(own.info(&token, &json!([OTHER]))).await;
    assert!(body[0]["cisInfo"].get("ownerInn").is_none(), "whose it is, is not told");
    let tail = format!("{ONE}\u{1d}91FFD0");
    for wrong in [json!([]), json!({}), json!([tail]), json!(vec![ONE; 1_001])] {
        assert_eq!(sent(own.info(&token, &wrong)).await.0, 400);
    }
    assert_eq!(own.violations(), 4);
}

#[tokio::test]
async fn a_document_is_carried_out_after_looks_and_only_once_for_a_code() {
    let own = Participant::new(|_| {}).await;
    let token = own.token().await;
    let (status, id) = own.create(&token, "LK_RECEIPT", &sale(&[ONE])).await;
    assert_eq!((status, id.as_str().unwrap().len()), (StatusCode::CREATED, 36));
    assert_eq!(own.ended(&token, &id).await["status"], "CHECKED_OK");
    let (_, again) = own.create(&token, "LK_RECEIPT", &sale(&[ONE])).await;
    let ended = own.ended(&token, &again).await;
    assert_eq!(
        (&ended["status"], &ended["commonErrors"][0]["errorObject"]),
        (&json!("CHECKED_NOT_OK"), &json!(ONE))
    );
    let (_, cancel) =
        own.create(&token, "LK_RECEIPT_CANCEL", &json!({"inn": INN, "lk_receipt_id": id})).await;
    assert_eq!(own.ended(&token, &cancel).await["status"], "CHECKED_OK");
    let codes = own.stage.running.emulator.gismt.books().codes().clone();
    let what: Vec<&str> = codes[ONE].effects.iter().map(|effect| effect.what.as_str()).collect();
    assert_eq!((what, codes[ONE].status.as_str()), (vec!["withdrawn", "cancelled"], "INTRODUCED"));
    assert_eq!(own.violations(), 0);
}

#[tokio::test]
async fn a_signature_must_be_over_the_very_bytes() {
    let own = Participant::new(|settings| settings.gismt.groups = vec!["lp".into()]).await;
    let token = own.token().await;
    let bytes = sale(&[ONE]).to_string().into_bytes();
    let spaced = serde_json::to_vec_pretty(&sale(&[ONE])).unwrap();
    let signature = own.signed(&spaced, Form::Detached).await;
    assert_eq!(own.hand_in(&token, "LK_RECEIPT", &bytes, &signature).await.0, 422);
    assert_eq!(own.hand_in(&token, "LK_RECEIPT", &spaced, &signature).await.0, 201);
    // As some did: over the text of the base64.
    let signature = own.signed(base64(&bytes).as_bytes(), Form::Detached).await;
    assert_eq!(own.hand_in(&token, "LK_RECEIPT", &bytes, &signature).await.0, 422);
    let summary = own.stage.running.emulator.gismt.books().summary();
    assert_eq!((summary.documents, summary.refused.len()), (1, 2));
}

#[tokio::test]
async fn what_cannot_be_read_is_a_breach_and_ends_so() {
    let own = Participant::new(|settings| settings.gismt.rate = 0).await;
    let token = own.token().await;
    let back = |more: Value| {
        let mut document = json!({
            "trade_participant_inn": INN, "return_type": "REMOTE_SALE_RETURN", "paid": false,
            "products_list": [{"ki": ONE}],
        });
        for (name, value) in more.as_object().unwrap() {
            document[name] = value.clone();
        }
        ("LP_RETURN", document)
    };
    let out = |name: &str, value: Value| {
        let mut document = sale(&[ONE]);
        document[name] = value;
        ("LK_RECEIPT", document)
    };
    let cases = [
        out("gift", json!(true)),
        out("inn", json!("7707083893")),
        out("action", json!("REMOTE_SALE")),
        out("action_date", json!("21.11.2026")),
        out("action_date", json!("2037-01-01")),
        out("kpp", Value::Null),
        out("fias_id", json!("Москва")),
        out("withdrawal_type_other", json!("так")),
        out("document_type", json!("RECEIPT")),
        out("products", json!([{"cis": ONE}])),
        out("products", json!([{"cis": format!("{ONE}\u{1d}91FFD0"), "product_cost": 1}])),
        out("products", json!([{"cis": ONE, "product_cost": 1}, {"cis": ONE, "product_cost": 1}])),
        back(json!({"paid": Value::Null})),
        back(json!({"paid": true})),
        back(json!({"return_type": "RETAIL_RETURN"})),
        back(json!({"return_type": "VENDING_RETURN"})),
        ("WRITE_OFF", json!({})),
    ];
    let count = cases.len();
    for (kind, document) in cases {
        let (status, id) = own.create(&token, kind, &document).await;
        assert_eq!(status, StatusCode::CREATED, "{document}");
        assert_eq!(own.ended(&token, &id).await["status"], "PARSE_ERROR", "{document}");
    }
    assert_eq!(own.violations(), count);
    assert_eq!(own.stage.running.emulator.gismt.books().codes()[ONE].effects, []);
}

#[tokio::test]
async fn a_return_must_follow_from_the_reason_of_the_withdrawal() {
    let own = Participant::new(|_| {}).await;
    let token = own.token().await;
    let sold = json!({"codes": [ONE]});
    assert_eq!(own.stage.control("/_gismt/receipt", sold.clone()).await.status(), 204);
    assert_eq!(own.stage.control("/_gismt/receipt", sold).await.status(), 409, "it is out");
    let remote = json!({
        "trade_participant_inn": INN, "return_type": "REMOTE_SALE_RETURN", "paid": false,
        "products_list": [{"ki": ONE}],
    });
    let (_, id) = own.create(&token, "LP_RETURN", &remote).await;
    assert_eq!(own.ended(&token, &id).await["status"], "CHECKED_NOT_OK", "it left by a receipt");
    let retail = json!({
        "trade_participant_inn": INN, "return_type": "RETAIL_RETURN", "products_list": [{"ki": ONE}],
        "primary_document_type": "RECEIPT", "primary_document_number": "1",
        "primary_document_date": "2026-11-21",
    });
    let (_, id) = own.create(&token, "LP_RETURN", &retail).await;
    assert_eq!(own.ended(&token, &id).await["status"], "CHECKED_OK");
}

#[tokio::test]
async fn the_rate_rights_and_faults_hold() {
    let own = Participant::new(|settings| {
        settings.gismt.groups = vec!["shoes".into()];
        settings.gismt.rate = 5;
    })
    .await;
    let token = own.token().await;
    assert_eq!(own.create(&token, "LK_RECEIPT", &sale(&[ONE])).await.0, 403, "no contract");
    own.stage.running.emulator.change(|settings| settings.gismt.groups.clear());
    own.stage.running.emulator.clock.advance(2);
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(sent(own.info(&token, &json!([ONE]))).await.0.as_u16());
    }
    // On a machine that takes a second for six calls none would be refused.
    let throttled = own.stage.running.emulator.gismt.books().summary().throttled;
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), throttled);
    own.stage.running.emulator.change(|settings| settings.gismt.rate = 0);
    for (kind, status) in
        [(Kind::FailsLater, "CHECKED_NOT_OK"), (Kind::Expires, "PROCESSING_ERROR")]
    {
        own.stage.fault(Fault::new(System::Gismt, kind).on("/lk/documents/create").times(1));
        let (_, id) = own.create(&token, "LK_RECEIPT", &sale(&[ONE])).await;
        assert_eq!(own.ended(&token, &id).await["status"], status);
    }
    assert_eq!(own.stage.get("/_books/gismt/summary").await["retired"], 0);
    let books = own.stage.get("/_books/gismt").await;
    assert_eq!(books["documents"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_projects_samples_are_shaped_as_here() {
    let Some(introduced) =
        crate::conformance::sample("marking/payloads/cises_info.introduced.response.json")
    else {
        return;
    };
    let Some(listed) = crate::conformance::sample("marking/payloads/doc_list.response.json") else {
        return;
    };
    let Some(ok) =
        crate::conformance::sample("marking/payloads/doc_info.in_progress.response.json")
    else {
        return;
    };
    let names = |value: &Value| -> Vec<String> {
        let mut names: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
        names.retain(|name| name != "productGroupId");
        names.sort();
        names
    };
    let own = Participant::new(|_| {}).await;
    let token = own.token().await;
    let (_, told) = sent(own.info(&token, &json!([ONE]))).await;
    assert_eq!(names(&told[0]["cisInfo"]), names(&introduced[0]["cisInfo"]));
    let (_, id) = own.create(&token, "LK_RECEIPT", &sale(&[ONE])).await;
    let get = |path: String| sent(own.stage.client.get(own.stage.url(&path)).bearer_auth(&token));
    let (_, list) = get(format!("{V4}/doc/list?pg=lp&documentType=LK_RECEIPT")).await;
    assert_eq!(names(&list), names(&listed));
    assert_eq!(names(&list["results"][0]), names(&listed["results"][0]));
    let (_, info) = get(format!("{V4}/doc/{}/info?pg=lp", id.as_str().unwrap())).await;
    assert_eq!(names(&info[0]), names(&ok[0]));
}
