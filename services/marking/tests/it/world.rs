//! A world for one test: the emulated register with its books and its clock, the service without its
//! runtime, tables of its own.

use std::{
    collections::BTreeMap,
    sync::{Arc, Once},
    time::Duration,
};

use clap::{Args, Command, FromArgMatches};
use emulator::{Emulator, Fault, Kind, Running, System, gismt::Code};
use events::{Event, Fact, Label, Order, Phase};
use marking::{
    Marking, Outside,
    config::{Config, Settings},
    store::{Scan, ScanRefusal, Scanned},
};
use runtime::{
    Class, Metrics,
    testing::{End, Job},
};
use signing::{
    Signer,
    testing::{Pair, Subject},
};
use time::OffsetDateTime;

use crate::{
    files::{GTIN, OTHER_GTIN, code, ki},
    order::created,
    tables::Tables,
};

/// The participant of the emulator's default settings.
pub(crate) const INN: &str = "7708806062";

/// The shop `acme`, and the people of its warehouse.
pub(crate) const SHOPS: &str = r#"
    [shops.acme]
    fias_id = "550e8400-e29b-41d4-a716-446655440000"
    kpp = "770801001"
    [people.anna]
    key = "plain:anna-key-0123456789"
    [people.site]
    key = "plain:site-key-0123456789"
    role = "site"
"#;

pub(crate) struct World {
    pub(crate) running: Running,
    pub(crate) marking: Arc<Marking>,
    pub(crate) tables: Tables,
    pair: Pair,
    shops: String,
}

/// Settings as from a command line without any environment.
pub(crate) fn config(arguments: &[String]) -> Config {
    let command = Config::augment_args(Command::new("marking"));
    let command = command.mut_args(|arg| arg.env(clap::builder::Resettable::Reset));
    let given = std::iter::once("marking").chain(arguments.iter().map(String::as_str));
    Config::from_arg_matches(&command.get_matches_from(given)).unwrap()
}

pub(crate) fn arguments(url: &str, file: &str, pair: &Pair) -> Vec<String> {
    let signer = pair.args();
    let path = |path: Option<std::path::PathBuf>| path.unwrap().display().to_string();
    vec![
        format!("--marking-file={file}"),
        format!("--gismt-base-url={url}"),
        format!("--gismt-inn={INN}"),
        "--gismt-timeout=10s".to_owned(),
        "--marking-https=false".to_owned(),
        "--marking-address-header=x-forwarded-for".to_owned(),
        "--signer-kind=gost".to_owned(),
        format!("--signer-certificate-path={}", path(signer.signer_certificate_path)),
        format!("--signer-key-path={}", path(signer.signer_key_path)),
    ]
}

fn settings(shops: &str) -> Settings {
    let file: marking::config::File = toml::from_str(shops).unwrap();
    let shops = file.shops.into_iter().map(|(name, shop)| (name.parse().unwrap(), shop));
    Settings { shops: shops.collect(), people: file.people, returns: file.returns }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with("", |_| {}).await
    }

    /// With more settings of the shop, and others of the emulator.
    pub(crate) async fn with(more: &str, change: impl FnOnce(&mut emulator::Settings)) -> Self {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
        let mut emulated = emulator::Settings::default();
        emulated.gismt.rate = 0;
        change(&mut emulated);
        let running = Emulator::start(emulated).await.unwrap();
        let (tables, pair) = (Tables::new().await, Pair::make(&Subject::of(INN)));
        let mut table: toml::Table = toml::from_str(SHOPS).unwrap();
        let shop = table["shops"]["acme"].as_table_mut().unwrap();
        shop.extend(toml::from_str::<toml::Table>(more).unwrap());
        let shops = toml::to_string(&table).unwrap();
        let marking = service(&running, &tables, &pair, &shops);
        Self { running, marking, tables, pair, shops }
    }

    /// A second process of the same service, or the first after a crash.
    pub(crate) fn another(&self) -> Arc<Marking> {
        service(&self.running, &self.tables, &self.pair, &self.shops)
    }

    /// The same service after its people have changed the shop's settings.
    pub(crate) fn changed(&self, more: &str) -> Arc<Marking> {
        let mut table: toml::Table = toml::from_str(&self.shops).unwrap();
        let shop = table["shops"]["acme"].as_table_mut().unwrap();
        shop.extend(toml::from_str::<toml::Table>(more).unwrap());
        service(&self.running, &self.tables, &self.pair, &toml::to_string(&table).unwrap())
    }

    /// The same service after somebody got another key.
    pub(crate) fn with_key(&self, person: &str, key: &str) -> Arc<Marking> {
        let mut table: toml::Table = toml::from_str(&self.shops).unwrap();
        table["people"][person]["key"] = format!("plain:{key}").into();
        service(&self.running, &self.tables, &self.pair, &toml::to_string(&table).unwrap())
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        self.running.emulator.clock.now()
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.running.emulator.clock.advance(u32::try_from(time.as_secs() + 1).unwrap());
    }

    pub(crate) fn fault(&self, fault: Fault) {
        self.running.emulator.faults.add(fault).unwrap();
    }

    /// The next document is struck.
    pub(crate) fn on_create(&self, kind: Kind) {
        self.fault(Fault::new(System::Gismt, kind).on("/lk/documents/create").times(1));
    }

    /// Codes of a product come from the supplier and are in circulation at the register.
    pub(crate) async fn stock(&self, gtin: &str, numbers: std::ops::Range<usize>) {
        let group = if gtin == OTHER_GTIN { "shoes" } else { "lp" };
        self.stock_of(gtin, group, numbers).await;
    }

    pub(crate) async fn stock_of(&self, gtin: &str, group: &str, numbers: std::ops::Range<usize>) {
        let text: String = numbers.clone().map(|number| code(gtin, number) + "\n").collect();
        let mut digest = [0_u8; 32];
        for (place, byte) in text.bytes().enumerate() {
            digest[place % 32] = digest[place % 32].wrapping_mul(31).wrapping_add(byte);
        }
        let file = crate::files::file(text.as_bytes());
        self.marking.store().import(file, &digest, "codes.csv", "anna").await.unwrap();
        let mut books = self.running.emulator.gismt.books();
        for number in numbers {
            books.put(Code::new(&ki(gtin, number), group), INN);
        }
    }

    pub(crate) async fn scan_text(
        &self,
        order: &Order,
        text: &str,
    ) -> Result<Scanned, ScanRefusal> {
        let label = Label::parse(text).unwrap();
        let scan = Scan { order: &order.key, label: &label, person: "anna", takes_unknown: false };
        self.marking.store().scan(&scan).await.unwrap()
    }

    pub(crate) async fn scan(&self, order: &Order, number: usize) {
        self.scan_text(order, &code(GTIN, number)).await.unwrap();
    }

    /// Its codes are set aside, and these pieces are picked.
    pub(crate) async fn pack(&self, order: &Order, numbers: impl IntoIterator<Item = usize>) {
        self.tell(created(order)).await;
        for number in numbers {
            self.scan(order, number).await;
        }
    }

    pub(crate) async fn scan_back(&self, order: &Order, number: usize) {
        let label = Label::parse(&code(GTIN, number)).unwrap();
        let scan = Scan { order: &order.key, label: &label, person: "anna", takes_unknown: false };
        self.marking.store().scan_back(&scan).await.unwrap().unwrap();
    }

    /// The statuses of a product's codes with us, by number.
    pub(crate) async fn statuses(
        &self,
        gtin: &str,
        numbers: std::ops::Range<usize>,
    ) -> Vec<String> {
        let mut all = Vec::new();
        for number in numbers {
            let status =
                sqlx::query_scalar("SELECT status FROM codes WHERE ki = $1").bind(ki(gtin, number));
            all.push(status.fetch_one(self.tables.pool()).await.unwrap());
        }
        all
    }

    /// What the register did with a code, in words.
    pub(crate) fn effects(&self, gtin: &str, number: usize) -> Vec<String> {
        let books = self.running.emulator.gismt.books();
        books.codes()[&ki(gtin, number)].effects.iter().map(|effect| effect.what.clone()).collect()
    }

    /// Types and states of the register's documents.
    pub(crate) fn documents(&self) -> Vec<(String, String)> {
        let books = self.running.emulator.gismt.books();
        books.documents().iter().map(|doc| (doc.kind.clone(), doc.status.clone())).collect()
    }

    /// Carries a job to its end, letting the time pass that it waits for, and answers its way.
    pub(crate) async fn carry(&self, job: &mut Job) -> Vec<String> {
        self.carry_with(&self.marking, job).await
    }

    pub(crate) async fn carry_with(&self, marking: &Marking, job: &mut Job) -> Vec<String> {
        let way = job.carry(marking, async |pause| self.pass(pause), |_| false).await;
        way.iter().map(name).collect()
    }

    /// Carries an event through; answers how it ended.
    pub(crate) async fn tell(&self, event: Event) -> String {
        self.carry(&mut Job::new(event)).await.pop().unwrap()
    }

    /// Registry and stock agree code for code, nothing is doubled, and the register has nothing to
    /// complain about.
    pub(crate) async fn agrees(&self) {
        let rows: Vec<(String, String)> = sqlx::query_as("SELECT ki, status FROM codes")
            .fetch_all(self.tables.pool())
            .await
            .unwrap();
        agree(&self.running, &rows);
    }
}

/// See [`World::agrees`].
pub(crate) fn agree(running: &Running, rows: &[(String, String)]) {
    let books = running.emulator.gismt.books();
    let summary = books.summary();
    assert_eq!(summary.doubled, Vec::<String>::new());
    assert_eq!(summary.violations.violations, Vec::<String>::new());
    assert_eq!(summary.refused, Vec::<String>::new());
    let stock: BTreeMap<&str, &str> =
        rows.iter().map(|(ki, status)| (ki.as_str(), status.as_str())).collect();
    for (ki, code) in books.codes() {
        let ours = stock.get(ki.as_str()).copied().unwrap_or("unknown");
        let agree = match ours {
            "in_stock" | "in_order" | "withdrawing" => code.status == "INTRODUCED",
            "sold" | "returning" => code.status == "RETIRED",
            _ => true,
        };
        assert!(agree, "a code is {ours} with us and {} at the register", code.status);
    }
}

fn service(running: &Running, tables: &Tables, pair: &Pair, shops: &str) -> Arc<Marking> {
    let metrics = Metrics::new().unwrap();
    let config = config(&arguments(&running.gismt_url(), "unused", pair));
    let vendor = Arc::clone(&running.emulator);
    let outside = Outside {
        pool: tables.pool().clone(),
        signer: Signer::new(&config.signer, &metrics).unwrap(),
        metrics,
        now: Arc::new(move || vendor.clock.now()),
        pause: Box::new(|_| Box::pin(async { false })),
    };
    Arc::new(Marking::new(config, settings(shops), outside).unwrap())
}

/// Whether a sentence has no two English words in a row.
fn is_russian(text: &str) -> bool {
    let is_english = |word: &&str| {
        let bare = word.trim_matches(|letter: char| letter.is_ascii_punctuation());
        !bare.is_empty() && bare.bytes().all(|letter| letter.is_ascii_lowercase())
    };
    let words: Vec<bool> = text.split_whitespace().map(|word| is_english(&word)).collect();
    !words.windows(2).any(|pair| pair == [true, true])
}

/// The end of a stretch in words.
pub(crate) fn name(end: &End) -> String {
    match end {
        End::Wait(pause) => format!("wait {}s", pause.as_secs()),
        End::Retry(reason, _) => format!("retry {}", reason.code),
        End::Down(reason) => format!("down {}", reason.code),
        End::Done => "done".to_owned(),
        End::Dead(reason) => {
            for text in [&reason.text.ru, &reason.text.en] {
                assert!(text.contains("A-") && text.ends_with('.'), "{text}");
            }
            assert!(is_russian(&reason.text.ru), "{}", reason.text.ru);
            let class = if reason.class == Class::Unknown { "unknown " } else { "" };
            format!("dead {class}{}", reason.code)
        }
    }
}

/// The phases and codes of what the job has told.
pub(crate) fn told(job: &Job) -> Vec<(Phase, &str)> {
    let status = |event| match event {
        &Event { fact: Fact::StatusChanged(ref status), .. } => {
            Some((status.phase, status.code.as_str()))
        }
        _ => None,
    };
    job.told.iter().filter_map(status).collect()
}
