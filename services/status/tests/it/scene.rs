//! A shop on a stage of its own: a database, an emulator, and a worker between them.

use std::{collections::BTreeMap, path::PathBuf, sync::Once, time::Duration};

use bitrix::BitrixArgs;
use emulator::{Emulator, Running, Settings, bitrix::OrderBook};
use events::{Event, Fact, OrderRef, Phase, Status, Text};
use runtime::{
    Metrics,
    testing::{End, Job, Stage},
};
use sqlx::{Executor as _, PgPool};
use status::{Config, Language, MIGRATIONS, StatusWriter};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(crate) struct Scene {
    pub stage: Stage,
    pub running: Running,
    pub pool: PgPool,
    pub config: Config,
    http: reqwest::Client,
}

/// The configuration of the shops `demo` (a portal) and `demo-site`.
const SHOPS: &str = r#"
[shops.demo.portal]
domain = "shop.bitrix24.example"
member_id = "m1"
application_tokens = ["plain:token"]
webhook_url = "plain:{rest}"
rate = 1000
burst = 1000
notify_user = 7
[shops.demo.statuses]
completed = ["F"]
neutral = ["N", "P", "ER", "OK"]
[shops.demo.writeback]
[shops.demo.writeback.order_status]
"fiscal.failed" = "ER"

[shops.demo-site.site]
webhook_secrets = ["plain:whsec_cGFyb20gZW11bGF0b3Igc2l0ZSBzZWNyZXQgMDE="]
writeback_url = "{site}"
writeback_secret = "plain:whsec_cGFyb20gZW11bGF0b3Igc2l0ZSBzZWNyZXQgMDE="
[shops.demo-site.statuses]
neutral = ["N", "P", "ER"]
[shops.demo-site.writeback.order_status]
"fiscal.failed" = "ER"
"#;

impl Scene {
    /// A scene whose portal has no rate limit, with these changes to the emulator.
    pub(crate) async fn set_with(change: impl FnOnce(&mut Settings)) -> Self {
        static TLS: Once = Once::new();
        TLS.call_once(|| {
            rustls::crypto::ring::default_provider().install_default().expect("first")
        });
        let mut settings = Settings::default();
        settings.bitrix.rate = 0;
        change(&mut settings);
        let running = Emulator::start(settings).await.expect("a free port");
        let stage = Stage::set().await;
        let pool = stage.pool("status");
        pool.execute("CREATE SCHEMA status").await.expect("a schema");
        MIGRATIONS.run(&pool).await.expect("tables");
        let text = SHOPS.replace("{rest}", &running.bitrix_rest_url());
        let config = config(&text.replace("{site}", &running.site_url()));
        let http = reqwest::Client::builder().build().expect("a client");
        Self { stage, running, pool, config, http }
    }

    pub(crate) async fn set() -> Self {
        Self::set_with(|_| {}).await
    }

    pub(crate) fn worker(&self) -> StatusWriter {
        let metrics = Metrics::new().expect("metrics");
        StatusWriter::open(self.config.clone(), &self.pool, &metrics, CancellationToken::new())
            .expect("the settings are right")
    }

    /// Changes the file of the shops.
    pub(crate) fn reconfigure(&mut self, from: &str, to: &str) {
        let path = self.config.bitrix.bitrix_shops_file.clone();
        let text = std::fs::read_to_string(path).expect("the file");
        assert!(text.contains(from), "{from} is not in the file");
        let Config { status_settle, status_lease, status_language, .. } = self.config;
        let changed = config(&text.replace(from, to));
        self.config = Config { status_settle, status_lease, status_language, ..changed };
    }

    /// Puts an order on the portal.
    pub(crate) async fn put(&self, id: u64) {
        let body = format!(
            r#"{{"id":{id},"accountNumber":"{id}A","statusId":"N","personTypeId":"3","responsibleId":1,"price":1480.1,
            "propertyValues":[{{"code":"EMAIL","id":1,"orderPropsId":3002,"value":"a@b.example"}}]}}"#
        );
        self.put_as(id, body).await;
    }

    pub(crate) async fn put_as(&self, id: u64, body: String) {
        let url = format!("{}/_bitrix/orders/{id}", self.running.base_url);
        let answer = self.http.put(url).body(body).send().await.expect("the emulator");
        assert!(answer.status().is_success(), "{}", answer.text().await.expect("words"));
    }

    /// A manager sets the order's status by hand.
    pub(crate) async fn move_to(&self, id: u64, status: &str) {
        let url = format!("{}/_bitrix/orders/{id}", self.running.base_url);
        let body = self.http.get(url).send().await.expect("an order").text().await.expect("text");
        let mut order: BTreeMap<String, serde_json::Value> =
            serde_json::from_str(&body).expect("an order");
        order.insert("statusId".into(), status.into());
        order.remove("version");
        order.remove("dateUpdate");
        self.put_as(id, serde_json::to_string(&order).expect("JSON")).await;
    }

    pub(crate) async fn delete(&self, id: u64) {
        let url = format!("{}/_bitrix/orders/{id}", self.running.base_url);
        assert!(self.http.delete(url).send().await.expect("the emulator").status().is_success());
    }

    pub(crate) fn book(&self, id: u64) -> OrderBook {
        self.running.emulator.bitrix.portal().order(id).expect("an order in the books")
    }

    pub(crate) fn hits(&self) -> u64 {
        self.running.emulator.bitrix.portal().summary().hits
    }

    /// Nobody broke a protocol; the stage is taken down.
    pub(crate) async fn end(self) {
        let portal = self.running.emulator.bitrix.portal().summary().violations;
        assert_eq!(portal.violations, Vec::<String>::new());
        let site = self.running.emulator.site.books().violations.clone();
        assert_eq!(site.violations, Vec::<String>::new());
        self.clear().await;
    }

    /// Where the test itself has broken a protocol.
    pub(crate) async fn clear(self) {
        self.pool.close().await;
        std::fs::remove_file(self.config.bitrix.bitrix_shops_file).expect("the file");
        self.stage.clear(&[]).await;
    }
}

fn config(shops: &str) -> Config {
    let name = format!("parom-shops-{}.toml", Uuid::new_v4());
    let path: PathBuf = std::env::temp_dir().join(name);
    std::fs::write(&path, shops).expect("a temporary file");
    Config {
        bitrix: BitrixArgs { bitrix_shops_file: path, bitrix_timeout: Duration::from_secs(5) },
        status_language: Language::Ru,
        status_settle: Duration::ZERO,
        status_lease: Duration::from_secs(30),
        status_keep: Duration::from_secs(3600),
    }
}

/// A status of the service `fiscal` on an order of the portal.
#[derive(Clone)]
pub(crate) struct Say {
    status: Status,
    at: OffsetDateTime,
}

pub(crate) fn say(order: u64, phase: Phase) -> Say {
    let order = OrderRef {
        shop: "demo".parse().unwrap(),
        id: order,
        number: format!("{order}A"),
        site: false,
    };
    let status = Status {
        service: "fiscal".into(),
        cause: Uuid::new_v5(&Uuid::NAMESPACE_OID, order.number.as_bytes()),
        text: Text::new(
            format!("Заказ {}: {phase:?}.", order.number),
            format!("Order {}: {phase:?}.", order.number),
        ),
        order,
        step: "1".into(),
        phase,
        code: "receipt".into(),
        properties: BTreeMap::new(),
        links: BTreeMap::new(),
    };
    Say { status, at: OffsetDateTime::UNIX_EPOCH }
}

impl Say {
    pub(crate) fn at(mut self, seconds: i64) -> Self {
        self.at = OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(seconds);
        self.status.step = format!("{} at {seconds}", self.status.step);
        self
    }

    pub(crate) fn by(mut self, service: &str) -> Self {
        self.status.service = service.into();
        self
    }

    pub(crate) fn because(mut self, cause: u128) -> Self {
        self.status.cause = Uuid::from_u128(cause);
        self
    }

    pub(crate) fn text(mut self, text: &str) -> Self {
        self.status.text = Text::new(text, text);
        self
    }

    pub(crate) fn with(mut self, code: &str, value: &str) -> Self {
        self.status.properties.insert(code.into(), value.into());
        self
    }

    pub(crate) fn link(mut self, name: &str, url: &str) -> Self {
        self.status.links.insert(name.into(), url.into());
        self
    }

    pub(crate) fn of(mut self, shop: &str) -> Self {
        self.status.order.shop = shop.parse().unwrap();
        self
    }

    pub(crate) fn on_site(mut self) -> Self {
        self = self.of("demo-site");
        self.status.order.site = true;
        self
    }

    pub(crate) fn event(&self) -> Event {
        Event::new(Fact::StatusChanged(Box::new(self.status.clone())), self.at)
    }

    pub(crate) fn job(&self) -> Job {
        Job::new(self.event())
    }

    /// Runs a job of this status until it waits, fails or ends.
    pub(crate) async fn told(&self, worker: &StatusWriter) -> End {
        let mut job = self.job();
        let end = job.run(worker).await;
        assert!(job.told.is_empty(), "a write-back says nothing on the bus: no loops");
        end
    }
}
