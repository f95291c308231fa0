//! Ingress on a stage of its own, beside an emulated shop.

use std::{
    collections::HashSet, io::Write, net::TcpListener, path::PathBuf, sync::Mutex, time::Duration,
};

use bitrix::{BitrixArgs, signature::Key};
use emulator::{Emulator, Running, Settings};
use ingress::{Config, Ingress};
use reqwest::{Client, RequestBuilder, Response};
use runtime::{
    settings::Common,
    testing::{Service, Stage},
};
use secrecy::ExposeSecret;
use time::OffsetDateTime;
use uuid::Uuid;

/// Longer than anything here takes.
pub(crate) const LONG: Duration = Duration::from_secs(30);
/// The queue that hears every order event.
pub(crate) const EARS: &str = "ears";
/// The portal's token and id, as the emulator has them.
pub(crate) const TOKEN: &str = "00000000000000000000000000000003";
pub(crate) const MEMBER: &str = "00000000000000000000000000000002";
/// The sites' secrets: the old and the new one of the first site, and the second site's.
pub(crate) const OLD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub(crate) const NEW: &str = "whsec_cGFyb20gZW11bGF0b3Igc2l0ZSBzZWNyZXQgMDE=";
pub(crate) const OTHER: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// Ingress, its shop and its surroundings.
pub(crate) struct Quay {
    pub(crate) stage: Stage,
    pub(crate) shop: Running,
    pub(crate) url: String,
    pub(crate) http: Client,
    pub(crate) common: Common,
    pub(crate) config: Config,
    pub(crate) service: Option<Service>,
    file: PathBuf,
    pub(crate) heard: Mutex<HashSet<Uuid>>,
}

impl Quay {
    /// With ingress at work.
    pub(crate) async fn open() -> Self {
        let mut quay = Self::prepare().await;
        quay.start().await;
        quay
    }

    /// With ingress not yet started.
    pub(crate) async fn prepare() -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        let stage = Stage::set().await;
        let mut common = stage.common();
        let port = free_port();
        common.http_listen = ([127, 0, 0, 1], port).into();
        let url = format!("http://127.0.0.1:{port}");
        let mut settings = Settings::default();
        settings.bitrix.rate = 0;
        settings.bitrix.webhook_url = Some(format!("{url}/webhooks/bitrix24"));
        let shop = Emulator::start(settings).await.unwrap();
        let file = shops_file(&shop.bitrix_rest_url());
        let config = Config {
            bitrix: BitrixArgs {
                bitrix_shops_file: file.clone(),
                bitrix_timeout: Duration::from_secs(2),
            },
            reconcile_every: Duration::ZERO,
            reconcile_overlap: Duration::from_secs(600),
            ingress_spool_every: Duration::from_millis(50),
            ingress_calls: 256,
        };
        let http = Client::builder().build().unwrap();
        Self {
            stage,
            shop,
            url,
            http,
            common,
            config,
            service: None,
            file,
            heard: Mutex::default(),
        }
    }

    /// Starts ingress and waits until it is ready and misses nothing.
    pub(crate) async fn start(&mut self) {
        self.start_only();
        let ready = || async {
            let answer = self.http.get(format!("{}/readyz", self.url)).send().await;
            let Ok(answer) = answer else { return false };
            answer.text().await.is_ok_and(|text| text == "ready\n")
        };
        self.stage.until("ready", LONG, ready).await;
        let (orders, status) = (self.stage.names().orders(), self.stage.names().status());
        self.stage.listen(&self.ears(), &orders, "order.#").await;
        self.stage.listen(&self.statuses(), &status, "status.#").await;
    }

    /// Starts ingress.
    pub(crate) fn start_only(&mut self) {
        let service = Service::start::<Ingress>(self.common.clone(), self.config.clone());
        self.service = Some(service);
    }

    /// The shops' file says something else from the next start on.
    pub(crate) fn rewrite(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(&self.file).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(&self.file, text.replace(from, to)).unwrap();
    }

    /// As on SIGKILL.
    pub(crate) async fn kill(&mut self) {
        self.service.take().unwrap().kill().await;
    }

    /// Stops ingress and takes the stage down.
    pub(crate) async fn close(mut self) {
        if let Some(service) = self.service.take() {
            service.stop().await;
        }
        std::fs::remove_file(&self.file).unwrap();
        self.stage.delete_queues(&[self.ears(), self.statuses()]).await;
        self.stage.clear(&["webhooks"]).await;
    }

    pub(crate) fn ears(&self) -> String {
        format!("{}-{EARS}", self.common.amqp_prefix)
    }

    pub(crate) fn statuses(&self) -> String {
        format!("{}-statuses", self.common.amqp_prefix)
    }

    /// A call of the portal's webhook.
    pub(crate) fn form(&self, form: impl Into<String>) -> RequestBuilder {
        self.http
            .post(format!("{}/webhooks/bitrix24", self.url))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.into())
    }

    /// A call of the site, signed now with `secret`.
    pub(crate) fn snapshot(&self, secret: &str, body: &str) -> RequestBuilder {
        let id = Uuid::new_v4().to_string();
        self.signed(secret, &id, OffsetDateTime::now_utc().unix_timestamp(), body)
    }

    /// A call of the site with this id and time.
    pub(crate) fn signed(&self, secret: &str, id: &str, at: i64, body: &str) -> RequestBuilder {
        let signature = Key::parse(secret).unwrap().sign(id, at, body.as_bytes());
        self.http
            .post(format!("{}/webhooks/site", self.url))
            .header("webhook-id", id)
            .header("webhook-timestamp", at)
            .header("webhook-signature", signature)
            .body(body.to_owned())
    }

    /// The address of the stage's database as settings have it.
    pub(crate) fn database_url(&self) -> String {
        self.common.database_url.expose_secret().to_owned()
    }
}

/// The body of an answer, as text, and its status.
pub(crate) async fn answer(request: RequestBuilder) -> (u16, String) {
    let response: Response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn shops_file(rest: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("parom-shops-{}.toml", Uuid::new_v4()));
    let text = format!(
        r#"
        [shops.portal]
        since = "2026-01-01T00:00:00+03:00"
        [shops.portal.portal]
        domain = "shop.bitrix24.example"
        member_id = "{MEMBER}"
        application_tokens = ["plain:the-old-token", "plain:{TOKEN}"]
        webhook_url = "plain:{rest}"
        rate = 1000
        burst = 1000
        [shops.portal.statuses]
        completed = ["F"]
        returned = ["RT"]
        neutral = ["N", "P"]

        [shops.site.site]
        webhook_secrets = ["plain:{OLD}", "plain:{NEW}"]
        writeback_url = "http://127.0.0.1:1/"
        writeback_secret = "plain:{NEW}"
        [shops.site.statuses]
        completed = ["F"]
        returned = ["RT"]
        neutral = ["N", "P", "S"]

        [shops.second.site]
        webhook_secrets = ["plain:{OTHER}"]
        writeback_url = "http://127.0.0.1:1/"
        writeback_secret = "plain:{OTHER}"
        [shops.second.statuses]
        neutral = ["N", "P", "S"]
        "#
    );
    std::fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
    path
}
