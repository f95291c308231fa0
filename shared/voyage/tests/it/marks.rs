//! Codes leave circulation by one way: of two shops the one prints them on its receipts and sends no document, the
//! other sends a document and prints none.

use std::{
    fs::OpenOptions,
    io::Write as _,
    time::{Duration, Instant},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use emulator::{Emulator, Running, Settings, gismt::Code};
use serde_json::{Value, json};
use signing::testing::{Pair, Subject};
use voyage::{Fleet, MARKING, SERVICES, Shop, snapshot};

use crate::crew::{SECRET, START, Servers, told};

/// The second site signs with this.
const OTHER_SECRET: &str = "whsec_cGFyb20gZW11bGF0b3Igc2l0ZSBzZWNyZXQgMDI=";
/// The participant of the emulated register.
const INN: &str = "7708806062";
const GTIN: &str = "04653820923088";

/// The shop `demo-site` withdraws by document; this one, with a site of its own, by receipt.
const BITRIX: &str = r#"
[shops.till]
marks = "receipt"
[shops.till.site]
webhook_secrets = ["plain:whsec_cGFyb20gZW11bGF0b3Igc2l0ZSBzZWNyZXQgMDI="]
writeback_url = "BASE/site/parom/status"
writeback_secret = "plain:whsec_cGFyb20gZW11bGF0b3Igc2l0ZSBzZWNyZXQgMDE="
[shops.till.statuses]
neutral = ["N", "P", "S"]
"#;
const FISCAL: &str = r#"
[shops.till]
public_id = "pk_emulator"
api_secret = "plain:emulator_api_secret"
[shops.till.receipt]
inn = "7708806062"
taxation = "osn"
place = "https://till.example"
settlement = "full_payment"
delivery_vat = "vat22"
unit = 0
[shops.till.receipt.payments]
electronic = [3, 48]
cash = []
"#;
const MARKED: &str = r#"
[shops.demo-site]
fias_id = "550e8400-e29b-41d4-a716-446655440000"
kpp = "770801001"
[shops.till]
[people.storekeeper]
key = "plain:storekeeper-key-01"
"#;

/// The identification code of an order's `piece`.
fn ki(order: u64, piece: u64) -> String {
    format!("01{GTIN}215aBcDeF{order:03}{piece:03}")
}

/// The whole code, as the shop has scanned it.
fn code(order: u64, piece: u64) -> String {
    format!("{}\u{1d}91EE12\u{1d}92{:044}", ki(order, piece), order * 10 + piece)
}

/// A paid order with two marked pieces that have left; the site names their codes.
fn marked(order: u64) -> String {
    let mut snapshot = snapshot(order, 1);
    let body = &mut snapshot["order"];
    body["basket"][0]["marking"] = json!({"group": "light_industry", "required": true});
    body["basket"][0]["props"] = json!([{"code": "GTIN", "value": GTIN}]);
    let (first, second) = (body["basket"][0]["id"].clone(), body["basket"][1]["id"].clone());
    let stores = [1, 2].map(|piece| {
        let code = base64(&code(order, piece));
        json!({"id": order * 10 + piece, "store_id": 1, "quantity": "1", "barcode": "", "marking_code_b64": code})
    });
    let now = body["date_update"].clone();
    let shipment = &mut body["shipments"][0];
    (shipment["deducted"], shipment["date_deducted"]) = (json!(true), now);
    shipment["items"] = json!([
        {"id": order * 10 + 1, "basket_id": first, "quantity": "2", "stores": stores},
        {"id": order * 10 + 2, "basket_id": second, "quantity": "1", "stores": []},
    ]);
    snapshot.to_string()
}

fn base64(text: &str) -> String {
    BASE64_STANDARD.encode(text)
}

/// Everything that the services of both shops are told runs and is ready.
async fn board(servers: &Servers, emulator: &Running, pair: &Pair) -> Fleet {
    let berth = servers.berth();
    let mut told = told(&berth, &emulator.base_url);
    for (name, more) in [("bitrix.toml", BITRIX), ("fiscal.toml", FISCAL), ("marking.toml", MARKED)]
    {
        let file = OpenOptions::new().create(true).append(true).open(berth.folder.join(name));
        file.unwrap().write_all(more.replace("BASE", &emulator.base_url).as_bytes()).unwrap();
    }
    let signer = pair.args();
    let path = |path: Option<std::path::PathBuf>| path.unwrap().display().to_string();
    for (name, value) in [
        ("MARKING_FILE", berth.folder.join("marking.toml").display().to_string()),
        ("MARKING_POLL", "200ms".to_owned()),
        ("MARKING_POLL_LONGEST", "500ms".to_owned()),
        ("MARKING_HTTPS", "false".to_owned()),
        ("GISMT_BASE_URL", emulator.gismt_url()),
        ("GISMT_INN", INN.to_owned()),
        ("SIGNER_KIND", "gost".to_owned()),
        ("SIGNER_CERTIFICATE_PATH", path(signer.signer_certificate_path)),
        ("SIGNER_KEY_PATH", path(signer.signer_key_path)),
    ] {
        told.insert(name.to_owned(), value);
    }
    let mut fleet = Fleet::new(&berth.folder, told).unwrap();
    let names = || SERVICES.into_iter().chain([MARKING]);
    for name in names() {
        fleet.start(name).unwrap();
    }
    for name in names() {
        fleet.wait_ready(name, START).await.unwrap();
    }
    fleet
}

async fn until(what: &str, look: impl AsyncFn() -> bool) {
    let end = Instant::now() + START;
    while !look().await {
        assert!(Instant::now() < end, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_receipt_and_document_exactly_one_carries_the_codes() {
    let servers = Servers::lend("marks").await;
    let mut settings = Settings::default();
    (settings.cloudkassir.concurrency, settings.gismt.rate) = (0, 0);
    let emulator = Emulator::start(settings).await.unwrap();
    let pair = Pair::make(&Subject::of(INN));
    let fleet = board(&servers, &emulator, &pair).await;
    let register = &emulator.emulator.gismt;
    let (by_document, by_receipt) = ([ki(1, 1), ki(1, 2)], [ki(2, 1), ki(2, 2)]);
    for ki in by_document.iter().chain(&by_receipt) {
        register.books().put(Code::new(ki, "lp"), INN);
    }
    for (order, secret) in [(1, SECRET), (2, OTHER_SECRET)] {
        let shop = Shop::new(secret, &fleet.url("ingress"));
        assert_eq!(shop.call(&format!("msg-{order}"), &marked(order)).await, Some(202));
    }
    let cloudkassir = &emulator.emulator.cloudkassir;
    until("both receipts", async || cloudkassir.summary().processed == 2).await;
    until("the document", async || !register.books().documents().is_empty()).await;

    // What the fiscal data operator tells the register of the receipts is what they have in print.
    let printed: Vec<String> = {
        let books = cloudkassir.books();
        let texts = books.receipts().iter().map(|receipt| receipt.customer_receipt.as_str());
        let all = || by_document.iter().chain(&by_receipt);
        texts.flat_map(|text| all().filter(move |ki| text.contains(ki.as_str()))).cloned().collect()
    };
    assert_eq!(printed, by_receipt, "the codes of the shop that withdraws by receipt, once each");
    register.books().receipt(&printed, false, 0).unwrap();
    let counts = format!("{}/counts", fleet.url(MARKING));
    let client = reqwest::Client::new();
    until("all codes sold", async || {
        let request = client.get(&counts).header("x-api-key", "storekeeper-key-01");
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        answer["codes"]["sold"] == 4
    })
    .await;
    {
        let books = register.books();
        let made: Vec<_> = books
            .documents()
            .iter()
            .map(|made| (made.kind.as_str(), made.codes.as_slice()))
            .collect();
        assert_eq!(made, [("LK_RECEIPT", by_document.as_slice())]);
        for ki in by_document.iter().chain(&by_receipt) {
            assert_eq!(books.codes()[ki].effects.len(), 1, "withdrawn once");
        }
        assert_eq!(books.summary().violations.violations, Vec::<String>::new());
    }
    drop(fleet);
    servers.give_back(&["ingress", "fiscal", "status", MARKING]).await;
}
