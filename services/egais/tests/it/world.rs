//! A world for one test: an emulated UTM with its books and its clock, the service without its runtime, tables of
//! its own.

use std::{
    sync::{Arc, Once},
    time::Duration,
};

use clap::{Args, Command, FromArgMatches};
use egais::{
    Egais, Outside,
    config::{Config, Settings},
};
use emulator::{
    Emulator, Fault, Kind, Running, System,
    utm::{Sent, Summary},
};
use events::{Event, Fact, Phase};
use runtime::{
    Class, Metrics, RetryPolicy, Worker as _,
    testing::{End, Job, Tables},
};
use time::OffsetDateTime;

pub(crate) const OWNER: &str = "030000999999";

/// The shop `acme`: marked wine goes by acts and comes back by repeal, beer by acts of the shop floor.
pub(crate) fn file(url: &str) -> String {
    format!(
        r#"
key = "plain:egais-key-0123456789"
[utms.office]
url = "{url}"
fsrar_id = "{OWNER}"
[shops.acme]
utm = "office"
[shops.acme.groups.wine]
sale = "ActWriteOff_v3"
marks = "each"
back = "RequestRepealAWO"
[shops.acme.groups.beer]
sale = "ActWriteOff_v4"
marks = "none"
back = "ActChargeOnShop_v2"
[shops.acme.groups.ale]
sale = "ActWriteOff_v4"
marks = "none"
back = "person"
[shops.acme.groups.till]
sale = "ChequeV3"
marks = "each"
back = "cheque"
till = "0000000001234567"
[shops.acme.groups.hand]
sale = "ActWriteOff_v3"
marks = "each"
back = "person"
"#
    )
}

pub(crate) struct World {
    pub(crate) running: Running,
    pub(crate) egais: Arc<Egais>,
    pub(crate) tables: Tables,
    settings: String,
}

/// Settings as from a command line without any environment.
pub(crate) fn config(arguments: &[&str]) -> Config {
    let command = Config::augment_args(Command::new("egais"));
    let command = command.mut_args(|arg| arg.env(clap::builder::Resettable::Reset));
    let given = ["egais", "--egais-file=unused"].into_iter().chain(arguments.iter().copied());
    Config::from_arg_matches(&command.get_matches_from(given)).unwrap()
}

pub(crate) fn settings(file: &str) -> Settings {
    egais::config::checked(toml::from_str(file).unwrap()).unwrap()
}

/// The official schemas, where they lie beside the workspace.
pub(crate) fn schemas() -> Option<String> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = "shared/vendors/egais/xsd-2024-06/WB_DOC_SINGLE_01.xsd";
    let mut found = root.ancestors().map(|up| up.join(path)).filter(|path| path.exists());
    found.next().map(|path| path.display().to_string())
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|file| file, |_| {}).await
    }

    /// With other settings of the service, and others of the emulator.
    pub(crate) async fn with(
        file: impl FnOnce(String) -> String,
        change: impl FnOnce(&mut emulator::Settings),
    ) -> Self {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
        let mut emulated = emulator::Settings::default();
        emulated.utm.xsd = schemas().map(std::path::PathBuf::from);
        emulated.hang_s = 5;
        change(&mut emulated);
        let running = Emulator::start(emulated).await.unwrap();
        let tables = Tables::make("egais", egais::MIGRATOR.iter(), 6).await;
        let settings = file(self::file(&running.utm_url(OWNER)));
        let egais = service(&running, &tables, &settings);
        Self { running, egais, tables, settings }
    }

    /// A second process of the same service, or the first after a crash.
    pub(crate) fn another(&self) -> Arc<Egais> {
        service(&self.running, &self.tables, &self.settings)
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

    /// The next document of this type is struck.
    pub(crate) fn on_post(&self, kind: &str, fault: Kind) {
        let path = format!("/opt/in/{kind}");
        self.fault(Fault::new(System::Utm, fault).on(&path).times(1).code(1));
    }

    /// The documents that the UTM took: type, state.
    pub(crate) fn sent(&self) -> Vec<(String, String)> {
        self.papers().into_iter().map(|sent| (sent.kind, sent.state)).collect()
    }

    pub(crate) fn papers(&self) -> Vec<Sent> {
        let books = self.running.emulator.utm.books();
        books.get(OWNER).map(|books| books.sent().to_vec()).unwrap_or_default()
    }

    pub(crate) fn summary(&self) -> Summary {
        self.running.emulator.utm.books().entry(OWNER.to_owned()).or_default().summary()
    }

    /// What EGAIS did with a bottle, in words.
    pub(crate) fn bottle(&self, mark: &str) -> Vec<&'static str> {
        let books = self.running.emulator.utm.books();
        let effects = books.get(OWNER).and_then(|books| books.bottles().get(mark).cloned());
        effects.unwrap_or_default().iter().map(|effect| effect.what).collect()
    }

    /// Carries a job to its end, letting the time pass that it waits for and looking at the inbox meanwhile.
    pub(crate) async fn carry(&self, job: &mut Job) -> Vec<String> {
        self.carry_with(&self.egais, job).await
    }

    pub(crate) async fn carry_with(&self, egais: &Egais, job: &mut Job) -> Vec<String> {
        let (mut way, mut attempts) = (Vec::new(), 0);
        for _ in 0..300 {
            let end = job.run(egais).await;
            way.push(name(&end));
            let pause = match end {
                End::Wait(pause) => {
                    attempts = 0;
                    pause
                }
                End::Retry(reason, after) => {
                    attempts += 1;
                    let pause = after.or_else(|| policy().pause(attempts));
                    let Some(pause) = pause else {
                        way.push(format!("given up {}", reason.code));
                        return way;
                    };
                    pause
                }
                End::Down(_) => Duration::from_secs(15),
                End::Done | End::Dead(_) => return way,
            };
            self.pass(pause);
            // The inbox is polled as the service would.
            egais.poll("office").await.ok();
            egais.poll("branch").await.ok();
        }
        panic!("the job has no end: {way:?}");
    }

    /// Carries an event through; answers how it ended.
    pub(crate) async fn tell(&self, event: Event) -> String {
        self.carry(&mut Job::new(event)).await.pop().unwrap()
    }

    /// EGAIS's books and ours agree bottle for bottle, nothing is doubled, and EGAIS has nothing to complain about.
    pub(crate) async fn agrees(&self) {
        let summary = self.summary();
        assert_eq!(summary.doubled, Vec::<String>::new());
        assert_eq!(summary.violations.violations, Vec::<String>::new());
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT mark, status FROM egais_alcocodes WHERE mark IS NOT NULL ORDER BY id",
        )
        .fetch_all(self.tables.pool())
        .await
        .unwrap();
        // A bottle may be sold again: its last row counts.
        let ours: std::collections::BTreeMap<String, String> = rows.into_iter().collect();
        let books = self.running.emulator.utm.books();
        let Some(books) = books.get(OWNER) else { return };
        for (mark, effects) in books.bottles() {
            let is_gone = effects.last().is_some_and(|effect| effect.what == "written off");
            let status = ours.get(mark).map_or("unknown", String::as_str);
            assert_eq!(is_gone, status == "written_off", "{mark} is {status} with us");
        }
        for (mark, status) in &ours {
            let is_known = books.bottles().contains_key(mark);
            assert!(is_known || status == "taken", "{mark} is {status} with us alone");
        }
    }
}

pub(crate) fn policy() -> RetryPolicy {
    Egais::RETRY
}

fn service(running: &Running, tables: &Tables, file: &str) -> Arc<Egais> {
    let metrics = Metrics::new().unwrap();
    let vendor = Arc::clone(&running.emulator);
    let outside = Outside {
        pool: tables.pool().clone(),
        metrics,
        now: Arc::new(move || vendor.clock.now()),
        pause: Box::new(|_| Box::pin(async { false })),
        nudge: Box::new(|_| Box::pin(async {})),
    };
    let xsd = schemas().map(|root| format!("--egais-xsd={root}"));
    let arguments: Vec<&str> =
        ["--egais-timeout=2s", "--egais-turn=5s"].into_iter().chain(xsd.as_deref()).collect();
    Arc::new(Egais::new(config(&arguments), settings(file), outside).unwrap())
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
            let ru = &reason.text.ru;
            assert!(
                ![" the ", " a ", " has ", " is "].iter().any(|word| ru.contains(word)),
                "{ru}"
            );
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
