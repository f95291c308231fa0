//! The whole service: a real broker, a real database, the emulator; killed and nudged.

use std::{fs, net::TcpListener, path::PathBuf, time::Duration};

use emulator::{Emulator, Running};
use events::{Event, Fact, Phase};
use fiscal::{Fiscal, config::Config};
use runtime::{
    settings::Common,
    testing::{Service, Stage},
};
use uuid::Uuid;

use crate::order::{order, paid};

const SHOPS: &str = r#"
    [shops.acme]
    public_id = "pk_emulator"
    api_secret = "plain:emulator_api_secret"
    [shops.acme.receipt]
    inn = "7708806062"
    taxation = "osn"
    place = "https://acme.example"
    settlement = "full_payment"
    payments = { electronic = [2] }
"#;

/// A stage with the emulator beside it and the service's settings for both.
struct Sea {
    stage: Stage,
    emulator: Running,
    common: Common,
    config: Config,
    file: PathBuf,
}

impl Sea {
    async fn new(poll: Duration) -> Self {
        let stage = Stage::set().await;
        let emulator = Emulator::start(emulator::Settings::default()).await.unwrap();
        let file = std::env::temp_dir().join(format!("fiscal-{}.toml", Uuid::new_v4()));
        fs::write(&file, SHOPS).unwrap();
        let mut common = stage.common();
        common.http_listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let callback = format!("http://{}/callbacks/cloudkassir", common.http_listen);
        emulator.emulator.change(|settings| settings.cloudkassir.callback_url = Some(callback));
        let config = Config {
            fiscal_shops_file: file.clone(),
            cloudkassir_base_url: emulator.cloudkassir_url().parse().unwrap(),
            atol_base_url: format!("{}/atol", emulator.base_url).parse().unwrap(),
            orangedata_base_url: emulator.orangedata_url().parse().unwrap(),
            cloudkassir_v1_base_url: emulator.cloudkassir_v1_url().parse().unwrap(),
            fiscal_api_token: Some("the_token".into()),
            fiscal_keep_ledger: None,
            fiscal_overdue_after: Duration::from_secs(600),
            fiscal_callback_base_url: None,
            cloudkassir_timeout: Duration::from_secs(1),
            cloudkassir_concurrency: 20,
            cloudkassir_poll: poll,
            cloudkassir_poll_longest: Duration::from_secs(600),
            cloudkassir_resend_within: Duration::from_secs(3000),
        };
        Self { stage, emulator, common, config, file }
    }

    /// Starts the service and listens to what it says.
    async fn set_sail(&self) -> Service {
        rustls::crypto::ring::default_provider().install_default().ok();
        let service = Service::start::<Fiscal>(self.common.clone(), self.config.clone());
        let limit = Duration::from_secs(120);
        self.stage.until("the queue", limit, || self.stage.hears("fiscal")).await;
        let exchange = self.stage.names().exchange("status.fiscal").unwrap();
        self.stage.listen(&self.heard(), &exchange, "status.#").await;
        service
    }

    /// The queue that hears what the service says: this test's own, for others run beside it.
    fn heard(&self) -> String {
        self.stage.names().queue("heard")
    }

    async fn pay(&self, id: u64) {
        let mut order = order();
        order.key.id = id;
        let time = order.updated_at;
        self.stage.tell(&Event::new(Fact::OrderPaid(Box::new(paid(order))), time)).await;
    }

    fn processed(&self) -> usize {
        self.emulator.emulator.cloudkassir.summary().processed
    }

    /// The orders whose receipts the service has reported so far, the repeated words left out.
    async fn reported(&self, known: &mut std::collections::BTreeSet<u64>) -> usize {
        while let Some(letter) = self.stage.take(&self.heard()).await {
            let event = Event::from_json(letter.body.as_bytes()).unwrap();
            let Fact::StatusChanged(status) = event.fact else { panic!("no status") };
            if status.phase == Phase::Done {
                known.insert(status.order.id);
            }
        }
        known.len()
    }

    async fn land(self) {
        fs::remove_file(&self.file).unwrap();
        self.stage.delete_queues(&[self.heard()]).await;
        self.stage.clear(&["fiscal"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_each_order_gets_one_receipt_and_its_report() {
    const ORDERS: usize = 60;
    let sea = Sea::new(Duration::from_secs(1)).await;
    let mut service = sea.set_sail().await;
    for id in 1..=u64::try_from(ORDERS).unwrap() {
        sea.pay(id).await;
        sea.pay(id).await;
    }
    for part in 1..=3 {
        let enough = || async { sea.emulator.emulator.cloudkassir.summary().receipts >= part * 15 };
        sea.stage.until("some receipts", Duration::from_secs(30), enough).await;
        service.kill().await;
        service = sea.set_sail().await;
    }
    let all = || async { sea.processed() == ORDERS };
    sea.stage.until("all receipts", Duration::from_secs(60), all).await;
    let mut known = std::collections::BTreeSet::new();
    let limit = tokio::time::Instant::now() + Duration::from_secs(120);
    while sea.reported(&mut known).await < ORDERS {
        assert!(tokio::time::Instant::now() < limit, "reported: {known:?}");
    }
    let summary = sea.emulator.emulator.cloudkassir.summary();
    assert_eq!((summary.receipts, summary.distinct_invoices), (ORDERS, ORDERS), "{summary:?}");
    assert_eq!(summary.violations.violation_count, 0, "{summary:?}");
    assert_eq!(sea.stage.waiting(&sea.stage.names().dead_queue("fiscal")).await, 0);
    service.stop().await;
    sea.land().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_has_its_job_looked_at_long_before_its_time() {
    let sea = Sea::new(Duration::from_secs(300)).await;
    let service = sea.set_sail().await;
    sea.pay(1).await;
    let accepted = || async { sea.stage.waiting(&sea.heard()).await > 0 };
    sea.stage.until("the receipt is accepted", Duration::from_secs(20), accepted).await;
    let http = reqwest::Client::builder().build().unwrap();
    let process = format!("{}/_cloudkassir/process", sea.emulator.base_url);
    http.post(process).send().await.unwrap().error_for_status().unwrap();
    let mut known = std::collections::BTreeSet::new();
    let limit = tokio::time::Instant::now() + Duration::from_secs(120);
    while sea.reported(&mut known).await < 1 {
        assert!(tokio::time::Instant::now() < limit, "the notification changed nothing");
    }
    service.stop().await;
    sea.land().await;
}
