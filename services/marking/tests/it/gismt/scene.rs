//! An emulated register, a database, and clients as of several replicas.

use std::{sync::Once, time::Duration};

use clap::{Args, Command, FromArgMatches};
use emulator::{
    Emulator, Running, Settings,
    gismt::{Code, Summary},
};
use marking::gismt::{
    Client, GismtArgs, Group,
    documents::{Party, Product, Reason, Withdrawal, withdrawal},
};
use runtime::{Metrics, testing::Tables};
use signing::{
    Signer,
    testing::{Pair, Subject},
};
use time::{Date, OffsetDateTime, UtcOffset};
use uuid::uuid;

/// The participant of the emulator's default settings.
pub(crate) const INN: &str = "7708806062";

pub(crate) struct Scene {
    pub(crate) running: Running,
    pub(crate) tables: Tables,
    pub(crate) pair: Pair,
}

impl Scene {
    pub(crate) async fn set(change: impl FnOnce(&mut Settings)) -> Self {
        static TLS: Once = Once::new();
        TLS.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
        let mut settings = Settings::default();
        change(&mut settings);
        let running = Emulator::start(settings).await.unwrap();
        let tables = Tables::make("marking", marking::MIGRATOR.iter(), 8).await;
        Self { running, tables, pair: Pair::make(&Subject::of(INN)) }
    }

    /// A client with memory and connections of its own, as another replica would have.
    pub(crate) fn client(&self) -> Client {
        self.client_with(|_| {})
    }

    pub(crate) fn client_with(&self, change: impl FnOnce(&mut GismtArgs)) -> Client {
        self.client_by(&self.pair, change)
    }

    pub(crate) fn client_by(&self, pair: &Pair, change: impl FnOnce(&mut GismtArgs)) -> Client {
        let mut args = args(&self.running.gismt_url());
        change(&mut args);
        let metrics = Metrics::new().unwrap();
        let signer = Signer::new(&pair.args(), &metrics).unwrap();
        Client::new(&args, &signer, self.tables.pool(), &metrics).unwrap()
    }

    /// Puts codes in circulation on record.
    pub(crate) fn put(&self, group: &str, codes: &[String]) {
        let mut books = self.running.emulator.gismt.books();
        for cis in codes {
            books.put(Code::new(cis, group), INN);
        }
    }

    pub(crate) fn summary(&self) -> Summary {
        self.running.emulator.gismt.books().summary()
    }

    pub(crate) fn end(self) {
        assert_eq!(self.summary().violations.violations, Vec::<String>::new());
        assert_eq!(self.summary().doubled, Vec::<String>::new());
    }
}

fn args(url: &str) -> GismtArgs {
    let command = GismtArgs::augment_args(Command::new("gismt"));
    let command = command.mut_args(|arg| arg.env(clap::builder::Resettable::Reset));
    let url = format!("--gismt-base-url={url}");
    let given = ["gismt", &url, "--gismt-inn=7708806062", "--gismt-timeout=20s"];
    let mut args = GismtArgs::from_arg_matches(&command.get_matches_from(given)).unwrap();
    args.gismt_timeout = Duration::from_secs(20);
    args
}

pub(crate) fn lp() -> Group {
    Group::from_code("lp").unwrap()
}

/// KIs that nobody else has.
pub(crate) fn codes(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("010466900032222021sN*{n:010}")).collect()
}

/// Today, as the register counts.
pub(crate) fn today() -> Date {
    OffsetDateTime::now_utc().to_offset(UtcOffset::from_hms(3, 0, 0).unwrap()).date()
}

/// The bytes of a distance sale of these codes, 5 504 roubles each.
pub(crate) fn sale(codes: &[String]) -> Vec<u8> {
    let fias_id = uuid!("550e8400-e29b-41d4-a716-446655440000");
    let party = Party { inn: INN.into(), kpp: Some("770801001".into()), fias_id };
    let product =
        |cis: &String| Product { cis: cis.clone(), kopecks: Some(550_400), primary: None };
    let asked = Withdrawal {
        party,
        reason: Reason::Distance,
        other_reason: None,
        date: today(),
        buyer_inn: None,
        primary: None,
        products: codes.iter().map(product).collect(),
    };
    withdrawal(&asked, today()).unwrap()
}
