//! Orders at sea: `edo` and `status` on a stage of their own, between the emulated Diadoc and the emulated Bitrix.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use edo::{Edo, config::Config};
use emulator::{Emulator, Running, bitrix::OrderBook, diadoc::Buyer};
use events::Order;
use runtime::{
    settings::Common,
    testing::{Service, Stage},
};
use serde_json::json;
use signing::testing::{Pair, Subject};
use sqlx::PgPool;
use status::StatusWriter;

use crate::{
    order::{BUYER_INN, BUYER_KPP},
    world::{BUYER_BOX, INN, SHOPS, arguments, settings},
};

/// Longer than anything takes, also on a busy machine.
pub(crate) const LONG: Duration = Duration::from_secs(1500);

/// What an order's status becomes when both have signed, and when a person is wanted.
pub(crate) const SIGNED: &str = "DS";
pub(crate) const FAILED: &str = "ER";

const PORTAL: &str = r#"
[shops.acme.portal]
domain = "shop.bitrix24.example"
member_id = "m1"
application_tokens = ["plain:token"]
webhook_url = "plain:{rest}"
rate = 1000
burst = 1000
notify_user = 7
[shops.acme.statuses]
neutral = ["N", "DS", "ER"]
[shops.acme.writeback]
[shops.acme.writeback.order_status]
"edo.done" = "DS"
"edo.failed" = "ER"
"#;

pub(crate) struct Sea {
    pub(crate) stage: Stage,
    pub(crate) running: Running,
    common: Common,
    config: Config,
    portal: status::Config,
    folder: PathBuf,
    pool: PgPool,
    statuses: PgPool,
    edo: Option<Service>,
    status: Option<Service>,
    /// The key's files live as long as this.
    _pair: Pair,
}

impl Sea {
    pub(crate) async fn new() -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        let mut emulated = emulator::Settings::default();
        emulated.diadoc.rate = 0;
        emulated.diadoc.page = 7;
        emulated.diadoc.disorder = true;
        emulated.diadoc.running_asks = 1;
        emulated.bitrix.rate = 0;
        emulated.bitrix.properties.push("DIADOC_BOX_ID".to_owned());
        let running = Emulator::start(emulated).await.unwrap();
        running.emulator.diadoc.books().put(Buyer::new(BUYER_INN, BUYER_KPP, BUYER_BOX));
        let (stage, pair) = (Stage::set().await, Pair::make(&Subject::of(INN)));
        let folder = std::env::temp_dir().join(format!("edo-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&folder).unwrap();
        let (shops, portal) = (folder.join("edo.toml"), folder.join("bitrix.toml"));
        fs::write(&shops, SHOPS).unwrap();
        fs::write(&portal, PORTAL.replace("{rest}", &running.bitrix_rest_url())).unwrap();
        let mut config: Config = settings(&arguments(&running, shops.to_str().unwrap(), &pair));
        // Waits are what is tested elsewhere; the feed is what brings the buyer's word here.
        config.edo_feed = Duration::from_millis(100);
        config.edo_look_first = Duration::from_secs(5);
        config.edo_look = Duration::from_secs(20);
        config.diadoc.diadoc_rate = 10_000.try_into().unwrap();
        config.diadoc.diadoc_timeout = Duration::from_secs(5);
        // Each check is a process; what it finds is tested elsewhere.
        config.edo_xsd_dir = None;
        let portal = settings(&[
            format!("--bitrix-shops-file={}", portal.display()),
            "--bitrix-timeout=5s".to_owned(),
            "--status-settle=0s".to_owned(),
            "--status-lease=2s".to_owned(),
        ]);
        let mut common = stage.common();
        common.job_lease = Duration::from_secs(15);
        let (pool, statuses) = (stage.pool("edo"), stage.pool("status"));
        let (edo, status) = (None, None);
        let mut sea = Self {
            stage,
            running,
            common,
            config,
            portal,
            folder,
            pool,
            statuses,
            edo,
            status,
            _pair: pair,
        };
        // Who hears what first, so that nothing is told to nobody.
        sea.start_status().await;
        sea.start_edo().await;
        sea
    }

    async fn start_edo(&mut self) {
        self.edo = Some(Service::start::<Edo>(self.common.clone(), self.config.clone()));
        self.stage.until("the queue of edo", LONG, || self.stage.hears("edo")).await;
    }

    async fn start_status(&mut self) {
        let common = self.stage.common();
        self.status = Some(Service::start::<StatusWriter>(common, self.portal.clone()));
        self.stage.until("the queue of status", LONG, || self.stage.hears("status")).await;
    }

    /// The portal has this order as well.
    pub(crate) async fn put(&self, order: &Order) {
        let (id, number) = (order.key.id, &order.key.number);
        let body = json!({
            "id": id, "accountNumber": number, "statusId": "N", "personTypeId": "3", "responsibleId": 1,
            "price": 1220.0,
            "propertyValues": [{"code": "INN", "id": 1, "orderPropsId": 3005, "value": BUYER_INN}],
        });
        let url = format!("{}/_bitrix/orders/{id}", self.running.base_url);
        let http = reqwest::Client::builder().build().unwrap();
        let put = http.put(url).body(body.to_string()).send().await.unwrap();
        assert!(put.status().is_success(), "{}", put.text().await.unwrap());
    }

    /// An order as the portal has it now.
    pub(crate) fn book(&self, id: u64) -> OrderBook {
        self.running.emulator.bitrix.portal().order(id).unwrap()
    }

    /// How many orders of the portal stand how.
    pub(crate) fn standing(&self) -> BTreeMap<String, usize> {
        self.running.emulator.bitrix.portal().summary().by_status
    }

    pub(crate) async fn kill_edo(&mut self) {
        self.edo.take().unwrap().kill().await;
        // What the dead one had in hand is free when its leases end; nobody waits that long here.
        for free in [
            "UPDATE jobs SET lease_until = now() WHERE phase = 'open'",
            "UPDATE diadoc_lanes SET held_until = 'epoch'",
            "UPDATE shared_sessions SET held_until = 'epoch'",
            "UPDATE feeds SET held_until = 'epoch'",
        ] {
            sqlx::query(free).execute(&self.pool).await.ok();
        }
        self.start_edo().await;
    }

    pub(crate) async fn kill_status(&mut self) {
        self.status.take().unwrap().kill().await;
        let free = "UPDATE jobs SET lease_until = now() WHERE phase = 'open'";
        sqlx::query(free).execute(&self.statuses).await.ok();
        self.start_status().await;
    }

    pub(crate) async fn number(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap_or(-1)
    }

    /// Waits until `now` comes to `wanted`, doing `between` after each look.
    pub(crate) async fn until(
        &mut self,
        what: &str,
        wanted: i64,
        now: impl AsyncFn(&Self) -> i64,
        mut between: impl AsyncFnMut(&mut Self, i64),
    ) {
        let began = Instant::now();
        loop {
            let now = now(self).await;
            if now >= wanted {
                assert_eq!(now, wanted, "{what}");
                return;
            }
            assert!(began.elapsed() < LONG, "{what}: {now} of {wanted}");
            between(self, now).await;
            breath().await;
        }
    }

    /// Both stop, nobody has anything to complain about, and the stage is taken down.
    pub(crate) async fn end(mut self) {
        self.edo.take().unwrap().stop().await;
        self.status.take().unwrap().stop().await;
        let portal = self.running.emulator.bitrix.portal().summary().violations;
        assert_eq!(portal.violations, Vec::<String>::new());
        let dead = self.stage.names().dead_queue("status");
        assert_eq!(self.stage.waiting(&dead).await, 0, "everything could be written back");
        self.pool.close().await;
        self.statuses.close().await;
        fs::remove_dir_all(&self.folder).unwrap();
        self.stage.clear(&["edo", "status"]).await;
    }
}

#[expect(clippy::disallowed_methods, reason = "a test waits for a condition")]
async fn breath() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}
