//! A world for one test: the emulated Diadoc with its books and its clock, the service without its runtime, tables of
//! its own.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, Once,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use clap::{Args, Command};
use edo::{
    Edo, Nudged, Outside,
    config::{self, Config},
};
use emulator::{
    Emulator, Fault, Kind, Running, System,
    diadoc::{Answered, Buyer, Message},
};
use events::{Event, Fact, Phase, Status};
use runtime::{
    Class, Metrics,
    testing::{End, Job, Tables},
};
use signing::{
    Signer,
    testing::{Pair, Subject},
};
use time::OffsetDateTime;

use crate::order::{BUYER_INN, BUYER_KPP};

/// The seller of the emulator's default settings.
pub(crate) const INN: &str = "7700000016";
pub(crate) const BOX: &str = "db32772b-9256-49a8-a133-fda593fda38a";
pub(crate) const BUYER_BOX: &str = "13254c42-b4f7-4fd3-b324-0094aeb0f15a";

/// The shop `acme`, which pays VAT.
pub(crate) const SHOPS: &str = r#"
    [shops.acme]
    function = "СЧФДОП"
    box_property = "DIADOC_BOX_ID"
    [shops.acme.seller]
    inn = "7700000016"
    kpp = "773601001"
    name = "ООО «Продавец»"
    participant = "2BM-7700000016-773601001-000000000000000000001"
    address = { index = "119991", region = "77", region_name = "г. Москва", street = "Тестовая", house = "1" }
    [shops.acme.signer]
    surname = "Иванов"
    name = "Иван"
    patronymic = "Иванович"
    position = "Генеральный директор"
"#;

/// The folder with what came from elsewhere, if it is here.
pub(crate) fn vendors() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vendors/edo");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!(
        "NOT CHECKED: {} is not here, so nothing is held against the official schemas",
        folder.display()
    );
    None
}

pub(crate) fn schemas() -> Option<PathBuf> {
    vendors().map(|folder| folder.join("xsd-fts"))
}

/// What the service does beside its steps.
#[derive(Clone, Default)]
pub(crate) struct Ears {
    /// Jobs that were nudged, by their messages.
    pub(crate) nudged: Arc<Mutex<Vec<String>>>,
    /// What was told from outside of a step.
    pub(crate) heard: Arc<Mutex<Vec<Event>>>,
    /// Whether all jobs are over.
    pub(crate) over: Arc<AtomicBool>,
}

impl Ears {
    /// Phase, code and Russian text of what was told since the last look.
    pub(crate) fn heard(&self) -> Vec<(Phase, String, String)> {
        let told = |event: Event| match event.fact {
            Fact::StatusChanged(status) => (status.phase, status.code, status.text.ru),
            other => panic!("{}", other.topic()),
        };
        self.heard.lock().unwrap().drain(..).map(told).collect()
    }
}

pub(crate) struct World {
    pub(crate) running: Running,
    pub(crate) edo: Arc<Edo>,
    pub(crate) tables: Tables,
    pub(crate) ears: Ears,
    pair: Pair,
    shops: String,
    more: Vec<String>,
}

/// Settings as from a command line without any environment.
pub(crate) fn settings<T: Args>(arguments: &[String]) -> T {
    let command = T::augment_args(Command::new("service"));
    let command = command.mut_args(|arg| arg.env(clap::builder::Resettable::Reset));
    let given = std::iter::once("service").chain(arguments.iter().map(String::as_str));
    T::from_arg_matches(&command.get_matches_from(given)).unwrap()
}

pub(crate) fn arguments(running: &Running, file: &str, pair: &Pair) -> Vec<String> {
    let signer = pair.args();
    let path = |path: Option<PathBuf>| path.unwrap().display().to_string();
    let mut all = vec![
        format!("--edo-file={file}"),
        "--edo-api-token=history-token".to_owned(),
        format!("--diadoc-base-url={}", running.diadoc_url()),
        format!("--diadoc-identity-url={}", running.diadoc_identity_url()),
        format!("--diadoc-box-id={BOX}"),
        "--diadoc-client-id=parom-demo".to_owned(),
        "--diadoc-client-secret=emulator_client_secret".to_owned(),
        "--diadoc-refresh-token=emulator_refresh_token".to_owned(),
        "--diadoc-login=seller@shop.example".to_owned(),
        "--diadoc-password=emulator_diadoc_password".to_owned(),
        "--diadoc-timeout=10s".to_owned(),
        "--signer-kind=gost".to_owned(),
        format!("--signer-certificate-path={}", path(signer.signer_certificate_path)),
        format!("--signer-key-path={}", path(signer.signer_key_path)),
    ];
    all.extend(schemas().map(|folder| format!("--edo-xsd-dir={}", folder.display())));
    all
}

/// The shop's settings with more in them.
fn shops(more: &str) -> String {
    let mut table: toml::Table = toml::from_str(SHOPS).unwrap();
    let shop = table["shops"]["acme"].as_table_mut().unwrap();
    merge(shop, toml::from_str(more).unwrap());
    toml::to_string(&table).unwrap()
}

fn merge(into: &mut toml::Table, more: toml::Table) {
    for (name, value) in more {
        match (into.get_mut(&name), value) {
            (Some(toml::Value::Table(own)), toml::Value::Table(more)) => merge(own, more),
            (_, value) => drop(into.insert(name, value)),
        }
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with("", &[], |_| {}).await
    }

    /// With more settings of the shop and of the service, and others of the emulator.
    pub(crate) async fn with(
        more: &str,
        arguments: &[&str],
        change: impl FnOnce(&mut emulator::Settings),
    ) -> Self {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
        let mut emulated = emulator::Settings::default();
        emulated.diadoc.rate = 0;
        emulated.diadoc.xsd_dir = schemas();
        change(&mut emulated);
        let running = Emulator::start(emulated).await.unwrap();
        running.emulator.diadoc.books().put(Buyer::new(BUYER_INN, BUYER_KPP, BUYER_BOX));
        let (tables, pair) =
            (Tables::make("edo", edo::MIGRATOR.iter(), 10).await, Pair::make(&Subject::of(INN)));
        let (shops, ears) = (shops(more), Ears::default());
        let more: Vec<String> = arguments.iter().map(|&text| text.to_owned()).collect();
        let edo = service(&running, &tables, &pair, &shops, &more, &ears);
        Self { running, edo, tables, ears, pair, shops, more }
    }

    /// A second process of the same service, or the first after a crash.
    pub(crate) fn another(&self) -> Arc<Edo> {
        service(&self.running, &self.tables, &self.pair, &self.shops, &self.more, &self.ears)
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

    /// The next sending is struck.
    pub(crate) fn on_post(&self, kind: Kind) {
        self.fault(Fault::new(System::Diadoc, kind).on("/V3/PostMessage").times(1));
    }

    pub(crate) fn messages(&self) -> Vec<Message> {
        self.running.emulator.diadoc.books().messages().to_vec()
    }

    /// The buyer answers the last document.
    pub(crate) fn answer(&self, answered: Answered) {
        let (now, last) = (self.now(), self.messages().pop().unwrap().id);
        assert!(self.running.emulator.diadoc.books().answer(&last, answered, now));
    }

    /// Runs a job until it waits for the buyer; answers its way.
    pub(crate) async fn send(&self, job: &mut Job) -> Vec<String> {
        self.carry_until(&self.edo, job, |job| job.state().contains("\"at\":\"sent\"")).await
    }

    /// Carries a job to its end, letting the time pass that it waits for; answers its way.
    pub(crate) async fn carry(&self, job: &mut Job) -> Vec<String> {
        self.carry_until(&self.edo, job, |_| false).await
    }

    pub(crate) async fn carry_until(
        &self,
        edo: &Edo,
        job: &mut Job,
        enough: impl Fn(&Job) -> bool,
    ) -> Vec<String> {
        let way = job.carry(edo, async |pause| self.pass(pause), enough).await;
        way.iter().map(name).collect()
    }

    /// Each document stands once, and Diadoc has nothing to complain about.
    pub(crate) fn agrees(&self) {
        let summary = self.running.emulator.diadoc.books().summary();
        assert_eq!(summary.doubled, Vec::<String>::new());
        assert_eq!(summary.violations.violations, Vec::<String>::new());
        assert_eq!(summary.refused, Vec::<String>::new());
        assert!(summary.most_at_once <= 4, "{} requests at once", summary.most_at_once);
    }

    /// The documents' states with us, oldest first.
    pub(crate) async fn states(&self) -> Vec<String> {
        sqlx::query_scalar("SELECT state FROM documents ORDER BY made_at, revision")
            .fetch_all(self.tables.pool())
            .await
            .unwrap()
    }
}

fn service(
    running: &Running,
    tables: &Tables,
    pair: &Pair,
    shops: &str,
    more: &[String],
    ears: &Ears,
) -> Arc<Edo> {
    let metrics = Metrics::new().unwrap();
    let mut given = arguments(running, "unused", pair);
    for own in more {
        let name = own.split('=').next().unwrap();
        given.retain(|other| other.split('=').next() != Some(name));
        given.push(own.clone());
    }
    let config: Config = settings(&given);
    let vendor = Arc::clone(&running.emulator);
    let Ears { nudged, heard, over } = ears.clone();
    let outside = Outside {
        pool: tables.pool().clone(),
        signer: Signer::new(&config.signer, &metrics).unwrap(),
        metrics,
        now: Arc::new(move || vendor.clock.now()),
        pause: Box::new(|_| Box::pin(async { false })),
        nudge: Box::new(move |message| {
            nudged.lock().unwrap().push(message);
            let nudged = if over.load(Ordering::Relaxed) { Nudged::Nobody } else { Nudged::Job };
            Box::pin(async move { nudged })
        }),
        tell: Box::new(move |event| {
            heard.lock().unwrap().push(event);
            Box::pin(async { true })
        }),
    };
    let shops = config::shops(toml::from_str(shops).unwrap()).unwrap();
    Arc::new(Edo::new(config, shops, outside).unwrap())
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
            let class = if reason.class == Class::Unknown { "unknown " } else { "" };
            format!("dead {class}{}", reason.code)
        }
    }
}

/// The statuses that the job has told.
pub(crate) fn statuses(job: &Job) -> Vec<&Status> {
    let status = |event| match event {
        &Event { fact: Fact::StatusChanged(ref status), .. } => Some(status.as_ref()),
        _ => None,
    };
    job.told.iter().filter_map(status).collect()
}

/// Their phases and codes.
pub(crate) fn told(job: &Job) -> Vec<(Phase, &str)> {
    statuses(job).into_iter().map(|status| (status.phase, status.code.as_str())).collect()
}
