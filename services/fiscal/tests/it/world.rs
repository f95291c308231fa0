//! A world for one test: the emulator with its books and its clock, the service without its
//! runtime, a table of hints of its own.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, Once,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use emulator::{Emulator, Fault, Kind, Running, System, cloudkassir::Receipt};
use events::{Event, Fact, Order, Phase, ShopId, Status};
use fiscal::{
    Fiscal, Outside,
    cashbox::Cashbox,
    config::{Config, Fallback, Shop},
    receipt::Rules,
    registers::{RegisterName, orangedata},
    store::{Hints, Ledgers, Requests, Turns},
};
use runtime::{
    Class, Metrics, Worker,
    testing::{End, Job, Tables},
};

use crate::order::{paid, rules};

/// The emulator, the service and what it was nudged for.
pub(crate) struct World {
    pub(crate) emulator: Running,
    pub(crate) fiscal: Arc<Fiscal>,
    pub(crate) nudged: Arc<Mutex<Vec<String>>>,
    /// What the service told its own queue.
    pub(crate) told: Queue,
    pub(crate) hints: Hints,
    pub(crate) ledgers: Ledgers,
    metrics: Metrics,
    config: Config,
    shops: BTreeMap<ShopId, Shop>,
    tables: Tables,
}

/// The service's own queue: what it was told, unless the broker is away.
#[derive(Debug, Clone, Default)]
pub(crate) struct Queue {
    events: Arc<Mutex<Vec<Event>>>,
    away: Arc<AtomicBool>,
}

impl Queue {
    fn say(&self, event: Event) -> Result<(), String> {
        if self.away.load(Ordering::Relaxed) {
            return Err("the broker is away".to_owned());
        }
        self.events.lock().unwrap().push(event);
        Ok(())
    }

    /// The broker goes away, or comes back.
    pub(crate) fn away(&self, away: bool) {
        self.away.store(away, Ordering::Relaxed);
    }

    /// Jobs of what was told; each event once, as the runtime has it.
    pub(crate) fn jobs(&self) -> Vec<Job> {
        let events = std::mem::take(&mut *self.events.lock().unwrap());
        let mut seen = std::collections::BTreeSet::new();
        let fresh = events.into_iter().filter(|event| seen.insert(event.id()));
        fresh.map(Job::new).collect()
    }
}

/// What a test changes in the world before it begins.
#[derive(Default)]
pub(crate) struct Changes {
    pub(crate) rules: Option<Rules>,
    pub(crate) api_secret: Option<&'static str>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) at_once: Option<usize>,
    pub(crate) register: RegisterName,
    pub(crate) fallback: Option<(RegisterName, Duration)>,
    pub(crate) callbacks: bool,
    pub(crate) overdue: Option<Duration>,
    pub(crate) atol_version: Option<&'static str>,
    pub(crate) cashbox: Option<Cashbox>,
}

/// The emulator's accounts: at CloudKassir alone, or at all registers.
fn accounts(secret: &str, all: bool, version: &str) -> Shop {
    let key = emulator::orangedata::PRIVATE_KEY.replace('\n', "\\n");
    let others = format!(
        r#"
        atol = {{ login = "emulator", password = "plain:emulator_password", group = "group", version = "{version}" }}
        orangedata = {{ group = "Main", key = "1", signing_key = "plain:{key}", vat22 = 11, vat122 = 12 }}
        cloudkassir-v1 = {{ login = "emulator", password = "plain:emulator_password" }}
        "#
    );
    let text = format!(
        r#"
        public_id = "pk_emulator"
        api_secret = "plain:{secret}"
        {}
        [receipt]
        inn = "7708806062"
        taxation = "osn"
        place = "https://acme.example"
        settlement = "full_payment"
        payments = {{ electronic = [2] }}
        "#,
        if all { others.as_str() } else { "" }
    );
    toml::from_str(&text).unwrap()
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Changes::default()).await
    }

    pub(crate) async fn with(changes: Changes) -> Self {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            rustls::crypto::ring::default_provider().install_default().ok();
        });
        let emulator = Emulator::start(emulator::Settings::default()).await.unwrap();
        let listener = match changes.callbacks {
            true => Some(tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap()),
            false => None,
        };
        let base = listener.as_ref().map(|l| format!("http://{}", l.local_addr().unwrap()));
        let config = config(&emulator, &changes, base);
        let secret = changes.api_secret.unwrap_or("emulator_api_secret");
        let shop = Shop {
            register: changes.register,
            fallback: changes.fallback.map(|(register, after)| Fallback { register, after }),
            receipt: match &changes.cashbox {
                Some(_) => None,
                None => Some(changes.rules.unwrap_or_else(rules)),
            },
            cashbox: changes.cashbox,
            ..accounts(
                secret,
                changes.fallback.is_some() || changes.register != RegisterName::default(),
                changes.atol_version.unwrap_or("v5"),
            )
        };
        let shops = BTreeMap::from([("acme".parse().unwrap(), shop)]);
        let tables = Tables::make("fiscal", Fiscal::MIGRATIONS.unwrap().iter(), 2).await;
        let hints = Hints::new(tables.pool().clone());
        let ledgers = Ledgers::new(tables.pool().clone());
        let (nudged, told) = (Arc::default(), Queue::default());
        let metrics = Metrics::new().unwrap();
        let fiscal = service(
            &emulator,
            &config,
            &shops,
            (&hints, &ledgers, &told),
            &nudged,
            metrics.clone(),
        );
        if let Some(listener) = listener {
            let routes = Arc::clone(&fiscal).routes();
            tokio::spawn(async move { axum::serve(listener, routes).await });
        }
        Self { emulator, fiscal, nudged, told, hints, ledgers, metrics, config, shops, tables }
    }

    /// A second process of the same service, or the first after a crash: it shares the database
    /// and nothing else.
    pub(crate) fn another(&self) -> Arc<Fiscal> {
        self.with_shops(&self.shops)
    }

    /// The same with other rules, as after a restart with mended settings.
    pub(crate) fn mended(&self, rules: &Rules) -> Arc<Fiscal> {
        let mut shops = self.shops.clone();
        shops.values_mut().for_each(|shop| shop.receipt = Some(rules.clone()));
        self.with_shops(&shops)
    }

    /// The same process after the shop went over to receipts that Bitrix composes.
    pub(crate) fn composed_by_bitrix(&self, cashbox: &Cashbox) -> Arc<Fiscal> {
        let mut shops = self.shops.clone();
        for shop in shops.values_mut() {
            (shop.receipt, shop.cashbox) = (None, Some(cashbox.clone()));
        }
        self.with_shops(&shops)
    }

    /// A process whose way to OrangeData leads over TLS, with this client certificate.
    pub(crate) fn behind_tls(&self, url: &str, client: Option<&str>, trusted: &str) -> Arc<Fiscal> {
        let mut config = self.config.clone();
        config.orangedata_base_url = url.parse().unwrap();
        let mut shops = self.shops.clone();
        for account in shops.values_mut().filter_map(|shop| shop.orangedata.as_mut()) {
            let secret = |pem: &str| format!("plain:{pem}").try_into().unwrap();
            account.client_certificate = client.map(secret);
            account.authorities = Some(secret(trusted));
        }
        let tables = (&self.hints, &self.ledgers, &self.told);
        let metrics = Metrics::new().unwrap();
        service(&self.emulator, &config, &shops, tables, &self.nudged, metrics)
    }

    /// Lets six years pass for what stands in the ledgers.
    pub(crate) async fn age_ledgers(&self) {
        let years_ago = "UPDATE ledger SET made_at = made_at - interval '6 years';
                         UPDATE asked SET changed_at = changed_at - interval '6 years'";
        sqlx::raw_sql(years_ago).execute(self.tables.pool()).await.unwrap();
    }

    /// Lets two days pass for what was asked for.
    pub(crate) async fn age_requests(&self) {
        let days_ago = "UPDATE asked SET changed_at = changed_at - interval '2 days'";
        sqlx::raw_sql(days_ago).execute(self.tables.pool()).await.unwrap();
    }

    /// The shop's settings.
    pub(crate) fn shop(&self) -> Shop {
        self.shops.values().next().unwrap().clone()
    }

    /// Whether the service starts with this account at OrangeData.
    pub(crate) fn start_with(&self, account: &orangedata::Account) -> Result<(), String> {
        let mut shops = self.shops.clone();
        shops.values_mut().for_each(|shop| shop.orangedata = Some(account.clone()));
        let tables = (&self.hints, &self.ledgers, &self.told);
        let metrics = Metrics::new().unwrap();
        let outside = outside(&self.emulator, tables, &self.nudged, metrics);
        let started = Fiscal::new(self.config.clone(), shops, outside);
        started.map(drop).map_err(|error| error.to_string())
    }

    /// A process that signs for OrangeData with this key, as after a mistake in the settings.
    pub(crate) fn signing_with(&self, key: &str) -> Arc<Fiscal> {
        let mut shops = self.shops.clone();
        for account in shops.values_mut().filter_map(|shop| shop.orangedata.as_mut()) {
            account.signing_key = format!("plain:{key}").try_into().unwrap();
        }
        self.with_shops(&shops)
    }

    /// A process that finds ATOL away: nobody listens at that port.
    pub(crate) fn without_atol(&self) -> Arc<Fiscal> {
        let mut config = self.config.clone();
        config.atol_base_url = "http://127.0.0.1:9/atol".parse().unwrap();
        let tables = (&self.hints, &self.ledgers, &self.told);
        let metrics = Metrics::new().unwrap();
        service(&self.emulator, &config, &self.shops, tables, &self.nudged, metrics)
    }

    /// The same process with a neighbour: the shop `other`, at CloudKassir.
    pub(crate) fn with_neighbour(&self) -> Arc<Fiscal> {
        let mut shops = self.shops.clone();
        let mut other = shops.values().next().unwrap().clone();
        other.register = RegisterName::CloudKassir;
        shops.insert("other".parse().unwrap(), other);
        self.with_shops(&shops)
    }

    fn with_shops(&self, shops: &BTreeMap<ShopId, Shop>) -> Arc<Fiscal> {
        let metrics = Metrics::new().unwrap();
        service(
            &self.emulator,
            &self.config,
            shops,
            (&self.hints, &self.ledgers, &self.told),
            &self.nudged,
            metrics,
        )
    }

    /// Serves the service's routes and has the emulator tell them.
    pub(crate) async fn serve_callbacks(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/callbacks/cloudkassir", listener.local_addr().unwrap());
        let routes = Arc::clone(&self.fiscal).routes();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let told = url.clone();
        self.emulator.emulator.change(|settings| settings.cloudkassir.callback_url = Some(told));
        url
    }

    pub(crate) fn fault(&self, fault: Fault) {
        self.emulator.emulator.faults.add(fault).unwrap();
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.emulator.emulator.clock.advance(u32::try_from(time.as_secs() + 1).unwrap());
    }

    pub(crate) fn receipts(&self) -> Vec<Receipt> {
        self.emulator.emulator.cloudkassir.books().receipts().to_vec()
    }

    /// The only receipt in the books: asserts that it is one, fiscalised, and that the vendor
    /// found nothing to complain about.
    pub(crate) fn only_receipt(&self) -> Receipt {
        let summary = self.emulator.emulator.cloudkassir.summary();
        assert_eq!(summary.receipts, 1, "{summary:?}");
        assert_eq!(summary.processed, 1, "{summary:?}");
        assert_eq!(summary.violations.violation_count, 0, "{summary:?}");
        let receipts = self.receipts().into_iter();
        let mut live = receipts.filter(|receipt| receipt.fiscal.is_some());
        live.next().unwrap()
    }

    /// Asserts that nothing was asked of the vendor.
    pub(crate) fn nothing_sent(&self) {
        let summary = self.emulator.emulator.cloudkassir.summary();
        assert_eq!((summary.receipts, summary.refused, summary.failed), (0, 0, 0), "{summary:?}");
    }

    /// Carries the job to its end, letting the time pass that it waits for, and answers its way.
    pub(crate) async fn carry(&self, job: &mut Job) -> Vec<String> {
        self.carry_with(&self.fiscal, job).await
    }

    pub(crate) async fn carry_with(&self, fiscal: &Fiscal, job: &mut Job) -> Vec<String> {
        let way = job.carry(fiscal, async |pause| self.pass(pause), |_| false).await;
        way.iter().map(name).collect()
    }
}

fn config(emulator: &Running, changes: &Changes, base: Option<String>) -> Config {
    Config {
        fiscal_shops_file: "unused".into(),
        cloudkassir_base_url: emulator.cloudkassir_url().parse().unwrap(),
        atol_base_url: format!("{}/atol", emulator.base_url).parse().unwrap(),
        orangedata_base_url: emulator.orangedata_url().parse().unwrap(),
        cloudkassir_v1_base_url: emulator.cloudkassir_v1_url().parse().unwrap(),
        fiscal_api_token: Some("the_token".into()),
        fiscal_keep_ledger: None,
        // The orders are old already when a test begins.
        fiscal_overdue_after: changes.overdue.unwrap_or(Duration::from_secs(400 * 86_400)),
        fiscal_callback_base_url: base.map(|base| base.parse().unwrap()),
        cloudkassir_timeout: changes.timeout.unwrap_or(Duration::from_secs(20)),
        cloudkassir_concurrency: changes.at_once.unwrap_or(20),
        cloudkassir_poll: Duration::from_secs(5),
        cloudkassir_poll_longest: Duration::from_secs(600),
        cloudkassir_resend_within: Duration::from_secs(50 * 60),
    }
}

fn service(
    emulator: &Running,
    config: &Config,
    shops: &BTreeMap<ShopId, Shop>,
    tables: (&Hints, &Ledgers, &Queue),
    nudged: &Arc<Mutex<Vec<String>>>,
    metrics: Metrics,
) -> Arc<Fiscal> {
    let outside = outside(emulator, tables, nudged, metrics);
    Arc::new(Fiscal::new(config.clone(), shops.clone(), outside).unwrap())
}

fn outside(
    emulator: &Running,
    (hints, ledgers, told): (&Hints, &Ledgers, &Queue),
    nudged: &Arc<Mutex<Vec<String>>>,
    metrics: Metrics,
) -> Outside {
    let (vendor, nudged) = (Arc::clone(&emulator.emulator), Arc::clone(nudged));
    Outside {
        metrics,
        hints: hints.clone(),
        ledgers: ledgers.clone(),
        turns: Turns::new(ledgers.pool().clone()),
        requests: Requests::new(ledgers.pool().clone()),
        tell: {
            let told = told.clone();
            Box::new(move |event| {
                let said = told.say(event);
                Box::pin(async move { said })
            })
        },
        nudge: Box::new(move |alias| {
            nudged.lock().unwrap().push(alias);
            Box::pin(async { Ok(true) })
        }),
        now: Arc::new(move || vendor.clock.now()),
        pause: Box::new(|_| Box::pin(async { false })),
    }
}

/// The end of a stretch in words: seconds where they are certain (retries are jittered).
pub(crate) fn name(end: &End) -> String {
    match end {
        End::Wait(pause) => format!("wait {}s", pause.as_secs()),
        End::Retry(reason, _) => format!("retry {}", reason.code),
        End::Down(reason) => format!("down {}", reason.code),
        End::Done => "done".to_owned(),
        End::Dead(reason) => format!("dead {}", reason.code),
    }
}

/// A job about the payment of `order`.
pub(crate) fn job(order: Order) -> Job {
    let time = order.updated_at;
    Job::new(Event::new(Fact::OrderPaid(Box::new(paid(order))), time))
}

/// What the job has told the shop.
pub(crate) fn statuses(job: &Job) -> Vec<&Status> {
    let status = |event| match event {
        &Event { fact: Fact::StatusChanged(ref status), .. } => Some(&**status),
        _ => None,
    };
    job.told.iter().filter_map(status).collect()
}

/// The phases and codes of what the job has told.
pub(crate) fn told(job: &Job) -> Vec<(Phase, &str)> {
    statuses(job).into_iter().map(|status| (status.phase, status.code.as_str())).collect()
}

/// The class and the code with which the job stopped.
pub(crate) fn dead(end: &End) -> (Class, &str) {
    let End::Dead(reason) = end else { panic!("not dead: {end:?}") };
    for text in [&reason.text.ru, &reason.text.en] {
        assert!(text.contains("A-1001") && text.ends_with('.'), "{text}");
        assert!(!text.contains("  "), "{text}");
    }
    (reason.class, reason.code.as_str())
}

/// A fault that strikes the request for a receipt.
pub(crate) fn on_receipt(kind: Kind) -> Fault {
    Fault::new(System::CloudKassir, kind).on("/kkt/receipt")
}

impl World {
    /// How many notifications became `outcome`.
    pub(crate) fn callbacks(&self, outcome: &str) -> u64 {
        self.callbacks_of("cloudkassir", outcome)
    }

    /// The same of another register.
    pub(crate) fn callbacks_of(&self, vendor: &str, outcome: &str) -> u64 {
        let text = prometheus::TextEncoder::new()
            .encode_to_string(&self.metrics.registry.gather())
            .unwrap();
        let line = format!("callbacks_total{{outcome=\"{outcome}\",vendor=\"{vendor}\"}} ");
        let count = text.lines().find_map(|row| row.strip_prefix(&line));
        count.map_or(0, |count| count.parse().unwrap())
    }

    /// What a gauge shows.
    pub(crate) fn gauge(&self, name: &str) -> i64 {
        let text = prometheus::TextEncoder::new()
            .encode_to_string(&self.metrics.registry.gather())
            .unwrap();
        let mut rows = text.lines().filter_map(|row| row.strip_prefix(name)?.strip_prefix(' '));
        rows.next().unwrap().parse().unwrap()
    }

    /// Lets a hundred days pass for the hints.
    pub(crate) async fn age_hints(&self) {
        sqlx::raw_sql("UPDATE hints SET told_at = told_at - interval '100 days'")
            .execute(self.tables.pool())
            .await
            .unwrap();
    }

    /// PostgreSQL goes away for this service.
    pub(crate) async fn without_database(&self) {
        self.tables.pool().close().await;
    }
}
