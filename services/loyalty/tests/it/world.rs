//! A world for one test: the whole service with a real broker and a real database.

use std::{fs, net::TcpListener, path::PathBuf, time::Duration};

use events::{Event, Fact};
use loyalty::{
    Loyalty,
    config::{Config, Language},
};
use reqwest::Method;
use runtime::{
    settings::Common,
    testing::{Service, Stage},
};
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) const LONG: Duration = Duration::from_secs(60);
pub(crate) const PHONE: &str = "+79161234567";

/// The programme, three callers and a shop.
pub(crate) const FILE: &str = r#"
    [program]
    master = "parom"
    offline = { allow = "300.00" }
    lapsed = "burn"
    return_window = "14d"
    hold_for = "3d"
    register_hold_for = "15m"
    clock_ahead = "2d"
    clock_behind = "180d"

    [registers.till-1]
    key = "plain:till-one-key-0123456789"
    store = "tverskaya"
    address = "Москва, Тверская, 1"
    rate = 100000
    burst = 100000
    [registers.strict]
    key = "plain:strict-key-0123456789"
    source = "1c_strict"
    offline = "refuse"
    [registers.slow]
    key = "plain:slow-till-key-0123456789"
    rate = 1
    burst = 2
    [registers.site]
    key = "plain:site-key-0123456789"
    role = "site"
    [registers.office]
    key = "plain:office-key-0123456789"
    role = "manager"
    source = "office"

    [shops.acme]
    points_property = "LOYALTY_POINTS"
    [shops.acme.accrual]
    rate = "5"
    category_property = "CATEGORY"
    categories = { tobacco = "0", books = "10" }
    rounding = "down"
    round_to = "0.01"
"#;

pub(crate) const TILL: &str = "till-one-key-0123456789";
pub(crate) const STRICT: &str = "strict-key-0123456789";
pub(crate) const SITE: &str = "site-key-0123456789";
pub(crate) const OFFICE: &str = "office-key-0123456789";

pub(crate) struct World {
    pub(crate) stage: Stage,
    pub(crate) common: Common,
    pub(crate) config: Config,
    pub(crate) service: Option<Service>,
    http: reqwest::Client,
    file: PathBuf,
}

/// An answer of the interface.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) text: String,
    pub(crate) retry_after: Option<String>,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(FILE, |_| {}).await
    }

    pub(crate) async fn with(file: &str, change: impl FnOnce(&mut Config)) -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        let stage = Stage::set().await;
        let path = std::env::temp_dir().join(format!("loyalty-{}.toml", Uuid::new_v4()));
        fs::write(&path, file).unwrap();
        let mut common = stage.common();
        common.http_listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut config = config(path.clone());
        change(&mut config);
        loyalty::config::read(&config).unwrap();
        let http = reqwest::Client::builder().timeout(LONG).build().unwrap();
        let mut world = Self { stage, common, config, service: None, http, file: path };
        world.start().await;
        world
    }

    /// Starts the service and waits until it is ready.
    pub(crate) async fn start(&mut self) {
        self.service = Some(Service::start::<Loyalty>(self.common.clone(), self.config.clone()));
        let ready = format!("http://{}/readyz", self.common.http_listen);
        self.stage
            .until("the service", LONG, || async {
                self.http.get(&ready).send().await.is_ok_and(|answer| answer.status().is_success())
            })
            .await;
    }

    pub(crate) async fn kill(&mut self) {
        self.service.take().unwrap().kill().await;
    }

    pub(crate) async fn call(&self, method: Method, key: &str, path: &str, body: &str) -> Said {
        let url = format!("http://{}{path}", self.common.http_listen);
        let request = self.http.request(method, url).header("x-api-key", key);
        let request = request.header("content-type", "application/json").body(body.to_owned());
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let header = answer.headers().get("retry-after").map(|v| v.to_str().unwrap().to_owned());
        let text = answer.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Said { status, body, text, retry_after: header }
    }

    pub(crate) async fn post(&self, key: &str, path: &str, body: Value) -> Said {
        self.call(Method::POST, key, path, &body.to_string()).await
    }

    pub(crate) async fn get(&self, key: &str, path: &str) -> Said {
        self.call(Method::GET, key, path, "").await
    }

    pub(crate) async fn transact(&self, body: Value) -> Said {
        self.post(TILL, "/v1/transactions", body).await
    }

    /// The customer with this phone becomes known.
    pub(crate) async fn meet(&self, user: i64, phone: &str) {
        let body = json!({"shop": "acme", "user_id": user, "phones": [phone]});
        let said = self.call(Method::PUT, SITE, "/v1/customers", &body.to_string()).await;
        assert_eq!(said.status, 200, "{said:?}");
    }

    /// What the customer has: available, pending, held, debt.
    pub(crate) async fn balance(&self, phone: &str) -> [String; 4] {
        let said = self.post(TILL, "/v1/balance", json!({"user_phone": phone})).await;
        assert_eq!(said.status, 200, "{said:?}");
        ["balance", "pending", "held", "debt"].map(|name| exact(&said.text, name))
    }

    /// Open exceptions: kind and subject.
    pub(crate) async fn exceptions(&self) -> Vec<(String, String)> {
        let said = self.get(OFFICE, "/v1/exceptions").await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let items = said.body["items"].as_array().unwrap();
        items.iter().map(|item| (text(&item["kind"]), text(&item["subject"]))).collect()
    }

    /// The value of a metric without labels.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let text = self.get(OFFICE, "/metrics").await.text;
        let line = text.lines().find(|line| line.split(' ').next() == Some(name)).unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }

    pub(crate) async fn tell(&self, fact: Fact) {
        let at = fact.snapshot().unwrap().updated_at;
        self.stage.tell(&Event::new(fact, at)).await;
    }

    /// How many jobs of the queue are in this phase.
    pub(crate) async fn jobs(&self, phase: &str) -> i64 {
        let pool = self.stage.pool("loyalty");
        let sql = "SELECT count(*) FROM jobs WHERE phase = $1 AND told";
        let count = sqlx::query_scalar(sql).bind(phase).fetch_one(&pool).await.unwrap();
        pool.close().await;
        count
    }

    fn ears(&self) -> String {
        self.stage.names().queue("ears")
    }

    /// Statuses are kept for [`World::heard`] from now on.
    pub(crate) async fn listen(&self) {
        self.stage.listen(&self.ears(), &self.stage.names().status(), "status.#").await;
    }

    /// What the shop has heard since: the statuses' ids, their codes, their sentences.
    pub(crate) async fn heard(&self) -> Vec<(String, String, String)> {
        let mut all = Vec::new();
        while let Some(letter) = self.stage.take(&self.ears()).await {
            let event = Event::from_json(letter.body.as_bytes()).unwrap();
            let Fact::StatusChanged(status) = &event.fact else { panic!("no status") };
            all.push((event.id().to_string(), status.code.clone(), status.text.ru.clone()));
        }
        self.stage.delete_queues(&[self.ears()]).await;
        all
    }

    /// Tells the first facts of this world one by one, each when the job of the one before is done.
    pub(crate) async fn tell_each(&self, facts: impl IntoIterator<Item = Fact>) {
        for (count, fact) in (1..).zip(facts) {
            self.tell(fact).await;
            self.until_jobs("done", count).await;
        }
    }

    /// Waits until so many jobs are in this phase.
    pub(crate) async fn until_jobs(&self, phase: &str, count: i64) {
        let what = format!("{count} jobs {phase}");
        self.stage.until(&what, LONG, || async { self.jobs(phase).await == count }).await;
    }

    pub(crate) async fn sum_of_all_entries(&self) -> i64 {
        let pool = self.stage.pool("loyalty");
        let sql = "SELECT COALESCE(sum(amount), 0)::bigint FROM entries";
        let sum = sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap();
        pool.close().await;
        sum
    }

    pub(crate) async fn end(mut self) {
        if let Some(service) = self.service.take() {
            service.stop().await;
        }
        assert_eq!(self.sum_of_all_entries().await, 0);
        fs::remove_file(&self.file).unwrap();
        self.stage.clear(&["loyalty"]).await;
    }
}

/// The digits of a number in a JSON text, as they were written.
pub(crate) fn exact(text: &str, name: &str) -> String {
    let (_, after) = text.split_once(&format!("\"{name}\":")).unwrap();
    after.chars().take_while(|c| c.is_ascii_digit() || matches!(c, '.' | '-')).collect()
}

fn config(loyalty_file: PathBuf) -> Config {
    Config {
        loyalty_file,
        loyalty_language: Language::En,
        loyalty_tick: Duration::from_millis(200),
        loyalty_log_keep: Duration::from_secs(86_400),
        loyalty_exceptions_keep: Duration::from_secs(86_400),
        loyalty_parked_keep: Duration::from_secs(86_400),
        loyalty_patience: Duration::from_secs(120),
        loyalty_alert_url: None,
        onec_base_url: None,
        onec_user: "parom".to_owned(),
        onec_password: String::new().into(),
        onec_timeout: Duration::from_secs(2),
        onec_refuse_after: Duration::from_secs(600),
        onec_compare_after: Duration::from_millis(100),
    }
}
