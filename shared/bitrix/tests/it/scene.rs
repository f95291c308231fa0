//! An emulated portal, a database for the limiter, and clients as of several processes.

use std::{path::PathBuf, sync::Once, time::Duration};

use bitrix::{
    BitrixArgs, Shops,
    rest::{Limiter, Portal},
};
use emulator::{Emulator, Running, Settings};
use runtime::{Metrics, testing::Stage};

pub(crate) struct Scene {
    pub running: Running,
    pub stage: Stage,
    file: PathBuf,
    http: reqwest::Client,
}

impl Scene {
    /// A portal that allows `burst` requests at once and `rate` a second.
    pub(crate) async fn set(rate: u32, burst: u32) -> Self {
        static TLS: Once = Once::new();
        TLS.call_once(|| {
            rustls::crypto::ring::default_provider().install_default().expect("first")
        });
        let mut settings = Settings::default();
        (settings.bitrix.rate, settings.bitrix.burst) = (rate, burst);
        let running = Emulator::start(settings).await.expect("a free port");
        let stage = Stage::set().await;
        let text = format!(
            "[shops.demo.portal]\ndomain = \"a.example\"\nmember_id = \"m1\"\n\
             application_tokens = [\"plain:t\"]\nwebhook_url = \"plain:{}\"\n\
             rate = {rate}\nburst = {burst}\n[shops.demo.statuses]",
            running.bitrix_rest_url()
        );
        let file = std::env::temp_dir().join(format!("parom-shops-{}.toml", uuid::Uuid::new_v4()));
        std::fs::write(&file, text).expect("a temporary file");
        let http = reqwest::Client::builder().build().expect("a client");
        Self { running, stage, file, http }
    }

    /// A client with connections of its own, as another process would have, in this schema.
    pub(crate) fn client(&self, schema: &'static str) -> Portal {
        self.client_on(&self.stage.pool(schema))
    }

    pub(crate) fn client_on(&self, pool: &sqlx::PgPool) -> Portal {
        let shops = Shops::load(&self.file).expect("the file is right");
        let (_, _, settings) = shops.portals().next().expect("one portal");
        let timeout = Duration::from_secs(5);
        let args = BitrixArgs { bitrix_shops_file: self.file.clone(), bitrix_timeout: timeout };
        let limiter = Limiter::new(pool);
        Portal::open(settings, &args, &limiter, &Metrics::new().expect("metrics")).expect("opens")
    }

    pub(crate) async fn put(&self, id: u64, rest: &str) {
        let url = format!("{}/_bitrix/orders/{id}", self.running.base_url);
        let body = format!(r#"{{"id":{id},"statusId":"N","personTypeId":3{rest}}}"#);
        let answer = self.http.put(url).body(body).send().await.expect("the emulator");
        assert!(answer.status().is_success(), "{}", answer.text().await.expect("words"));
    }

    pub(crate) fn summary(&self) -> emulator::bitrix::Summary {
        self.running.emulator.bitrix.portal().summary()
    }

    pub(crate) async fn end(self) {
        assert_eq!(self.summary().violations.violations, Vec::<String>::new());
        std::fs::remove_file(&self.file).expect("the file");
        self.stage.clear(&[]).await;
    }
}
