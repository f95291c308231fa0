//! Emulator, servers and services of one run, told of each other.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use emulator::{Emulator, Running, Settings};
use lapin::{Connection, ConnectionProperties, options::QueueDeclareOptions, types::FieldTable};
use runtime::testing::Stage;
use voyage::{Fleet, Harbour, SERVICES};

/// The secret that the emulator's site signs with.
pub(crate) const SECRET: &str = "whsec_cGFyb20gZW11bGF0b3Igc2l0ZSBzZWNyZXQgMDE=";

/// Longer than a start takes, also on a busy machine.
pub(crate) const START: Duration = Duration::from_secs(60);

/// Where services find their servers, and where they may write.
#[derive(Debug, Clone)]
pub(crate) struct Berth {
    pub(crate) folder: PathBuf,
    pub(crate) amqp_url: String,
    pub(crate) amqp_prefix: String,
    pub(crate) database_url: String,
}

impl Berth {
    /// In a harbour of one's own.
    pub(crate) fn of(harbour: &Harbour) -> Self {
        Self {
            folder: harbour.folder().to_owned(),
            amqp_url: harbour.amqp_url.clone(),
            amqp_prefix: "parom".to_owned(),
            database_url: harbour.database_url.clone(),
        }
    }
}

/// Names and a database on the servers that all tests share.
pub(crate) struct Servers {
    stage: Stage,
    folder: PathBuf,
}

impl Servers {
    pub(crate) async fn lend(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("parom-{name}-{}", std::process::id()));
        Self { stage: Stage::set().await, folder }
    }

    pub(crate) fn berth(&self) -> Berth {
        Berth {
            folder: self.folder.clone(),
            amqp_url: self.stage.amqp_url(),
            amqp_prefix: self.stage.common().amqp_prefix,
            database_url: self.stage.database_url(),
        }
    }

    pub(crate) async fn give_back(self, services: &[&str]) {
        let workers: Vec<&str> = services
            .iter()
            .map(|name| if *name == "ingress" { "webhooks" } else { name })
            .collect();
        self.stage.clear(&workers).await;
        std::fs::remove_dir_all(self.folder).ok();
    }
}

pub(crate) struct Crew {
    pub(crate) fleet: Fleet,
    pub(crate) emulator: Running,
    berth: Berth,
}

impl Crew {
    /// Everything runs and is ready. Pauses are short, so that a thousand orders take a minute;
    /// `more` is told to all services as well.
    pub(crate) async fn board(berth: &Berth, more: &[(&str, String)]) -> Self {
        Self::beside(berth, more, 0).await
    }

    /// The same beside a register that serves so many calls at once and answers 429 to one more;
    /// with 0 it serves any number.
    pub(crate) async fn beside(berth: &Berth, more: &[(&str, String)], at_once: u32) -> Self {
        let mut settings = Settings::default();
        settings.bitrix.rate = 0;
        settings.cloudkassir.concurrency = at_once;
        let emulator = Emulator::start(settings).await.unwrap();
        let mut told = told(berth, &emulator.base_url);
        told.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        let mut fleet = Fleet::new(&berth.folder, told).unwrap();
        for name in SERVICES {
            fleet.start(name).unwrap();
        }
        for name in SERVICES {
            fleet.wait_ready(name, START).await.unwrap();
        }
        Self { fleet, emulator, berth: berth.clone() }
    }

    /// Messages in the dead letters' queues, by queue.
    pub(crate) async fn dead_letters(&self) -> BTreeMap<String, u32> {
        let mut waiting = BTreeMap::new();
        for worker in ["webhooks", "fiscal", "status"] {
            let queue = format!("{}.{worker}.dead", self.berth.amqp_prefix);
            let count = self.waiting(&queue).await;
            waiting.insert(queue, count);
        }
        waiting
    }

    /// Messages that wait for a worker and are in nobody's hand.
    pub(crate) async fn work(&self, worker: &str) -> u32 {
        self.waiting(&format!("{}.{worker}", self.berth.amqp_prefix)).await
    }

    async fn waiting(&self, queue: &str) -> u32 {
        let properties = ConnectionProperties::default();
        let connection = Connection::connect(&self.berth.amqp_url, properties).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let declared = channel.queue_declare(queue.into(), options, FieldTable::default()).await;
        declared.unwrap().message_count()
    }
}

/// The demonstration's configuration, pointed at this emulator, and everyone's settings.
pub(crate) fn told(berth: &Berth, base: &str) -> BTreeMap<String, String> {
    std::fs::create_dir_all(&berth.folder).unwrap();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/demo");
    for name in ["bitrix.toml", "fiscal.toml"] {
        let text = std::fs::read_to_string(demo.join(name)).unwrap();
        let text = text.replace("http://127.0.0.1:8090", base);
        std::fs::write(berth.folder.join(name), text.replace("rate = 2 ", "rate = 1000 ")).unwrap();
    }
    let file = |name: &str| berth.folder.join(name).display().to_string();
    let told = [
        ("AMQP_URL", berth.amqp_url.clone()),
        ("AMQP_PREFIX", berth.amqp_prefix.clone()),
        ("DATABASE_URL", berth.database_url.clone()),
        ("BITRIX_SHOPS_FILE", file("bitrix.toml")),
        ("FISCAL_SHOPS_FILE", file("fiscal.toml")),
        ("CLOUDKASSIR_BASE_URL", format!("{base}/cloudkassir")),
        ("CLOUDKASSIR_POLL", "200ms".to_owned()),
        ("CLOUDKASSIR_TIMEOUT", "2s".to_owned()),
        ("BITRIX_TIMEOUT", "1s".to_owned()),
        ("STATUS_LEASE", "5s".to_owned()),
        ("AMQP_RUNG", "100ms".to_owned()),
        ("AMQP_LEVELS", "10".to_owned()),
        ("JOB_LEASE", "5s".to_owned()),
        ("SWEEP_EVERY", "2s".to_owned()),
        ("SWEEP_GRACE", "6s".to_owned()),
        ("RETRY_FIRST", "200ms".to_owned()),
        ("RETRY_LONGEST", "2s".to_owned()),
        ("BREAKER_PROBE", "500ms".to_owned()),
        ("LOG", "info".to_owned()),
    ];
    told.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
