//! Marked orders with cancellations and partial returns, everything told twice, while the service is killed again
//! and again and the register loses answers: registry and stock agree code for code. Short by default, the issue's
//! thousand orders with `PAROM_CHAOS=long`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use emulator::{Emulator, Fault, Kind, Running, System, gismt::Code};
use events::{Event, Label, Order};
use marking::{
    Marking,
    config::Config,
    store::{Scan, Store},
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};
use runtime::{
    settings::Common,
    testing::{Service, Stage},
};
use signing::testing::{Pair, Subject};
use sqlx::PgPool;
use time::OffsetDateTime;

use crate::{
    files::{GTIN, OTHER_GTIN, code, file, ki},
    order::{cancelled, created, order, returned, shipped, unpaid},
    world::{INN, SHOPS, agree, arguments, config},
};

const LONG: Duration = Duration::from_secs(600);

fn long() -> bool {
    std::env::var("PAROM_CHAOS").is_ok_and(|value| value == "long")
}

fn orders() -> usize {
    if long() { 1_000 } else { 24 }
}

fn seed() -> u64 {
    let given = std::env::var("PAROM_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| rand::rng().random())
}

/// What becomes of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is cancelled before anything leaves.
    Dropped,
    /// It leaves.
    Left,
    /// It leaves, and so many of its first line come back, then so many more.
    Back(u64, u64),
    /// It leaves and is cancelled.
    Undone,
}

struct Voyage {
    order: Order,
    fate: Fate,
    /// The numbers of the scanned pieces of the first line.
    pieces: Vec<usize>,
}

struct Sea {
    stage: Stage,
    common: Common,
    config: Config,
    running: Running,
    file: PathBuf,
    pool: PgPool,
    store: Store,
    service: Option<Service>,
    /// The key's files live as long as this.
    _pair: Pair,
}

impl Sea {
    async fn new() -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        let mut settings = emulator::Settings::default();
        settings.gismt.rate = 0;
        settings.gismt.code_looks = 1;
        let running = Emulator::start(settings).await.unwrap();
        let (stage, pair) = (Stage::set().await, Pair::make(&Subject::of(INN)));
        let file = std::env::temp_dir().join(format!("marking-{}.toml", uuid::Uuid::new_v4()));
        fs::write(&file, SHOPS).unwrap();
        let mut config = config(&arguments(&running.gismt_url(), file.to_str().unwrap(), &pair));
        config.marking_poll = Duration::from_millis(50);
        config.marking_poll_longest = Duration::from_millis(500);
        config.marking_doubt = Duration::from_secs(2);
        config.gismt.gismt_rate = 10_000.try_into().unwrap();
        config.gismt.gismt_timeout = Duration::from_secs(5);
        let mut common = stage.common();
        common.job_lease = Duration::from_secs(10);
        let pool = stage.pool("marking");
        let store = Store::new(pool.clone());
        let mut sea =
            Self { stage, common, config, running, file, pool, store, service: None, _pair: pair };
        sea.start().await;
        sea
    }

    async fn start(&mut self) {
        self.service = Some(Service::start::<Marking>(self.common.clone(), self.config.clone()));
        self.stage.until("the queue", LONG, || self.stage.hears("marking")).await;
        self.stage
            .until("the tables", LONG, || async {
                self.store.counts(OffsetDateTime::now_utc()).await.is_ok()
            })
            .await;
    }

    async fn kill(&mut self) {
        self.service.take().unwrap().kill().await;
        // What the dead one had in hand is free when its lease ends; nobody waits that long here.
        sqlx::query("UPDATE jobs SET lease_until = now() WHERE phase = 'open'")
            .execute(&self.pool)
            .await
            .ok();
        self.start().await;
    }

    async fn stock(&self, gtin: &str, group: &str, count: usize) {
        let text: String = (0..count).map(|number| code(gtin, number) + "\n").collect();
        let digest = [if gtin == GTIN { 1 } else { 2 }; 32];
        self.store.import(file(text.as_bytes()), &digest, "codes.csv", "anna").await.unwrap();
        let mut books = self.running.emulator.gismt.books();
        for number in 0..count {
            books.put(Code::new(&ki(gtin, number), group), INN);
        }
    }

    /// Tells an event twice: the second is absorbed.
    async fn tell(&self, event: &Event) {
        self.stage.tell(event).await;
        self.stage.tell(event).await;
    }

    async fn number(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap_or(-1)
    }

    async fn scan(&self, order: &Order, text: &str) {
        let label = Label::parse(text).unwrap();
        let scan = Scan { order: &order.key, label: &label, person: "anna", takes_unknown: false };
        self.store.scan(&scan).await.unwrap().unwrap();
    }

    /// The first pieces of an order are back in the warehouse.
    async fn scan_back(&self, voyage: &Voyage, count: u64) {
        for piece in voyage.pieces.iter().take(usize::try_from(count).unwrap()) {
            let label = Label::parse(&code(GTIN, *piece)).unwrap();
            let order = &voyage.order.key;
            let scan = Scan { order, label: &label, person: "anna", takes_unknown: false };
            self.store.scan_back(&scan).await.unwrap().unwrap();
        }
    }

    /// What a person does with a job that stopped: he looks into the cabinet, and says whether the document is
    /// there; everything else he hands back.
    async fn person(&self) -> usize {
        let queue = self.stage.names().dead_queue("marking");
        let mut handed = 0;
        while let Some(letter) = self.stage.take(&queue).await {
            let is_unknown = letter.headers["x-parom-class"] == "unknown";
            let code = &letter.headers["x-parom-code"];
            assert!(
                is_unknown || code == "document_refused" || code == "codes_missing",
                "{code}: {:?}",
                letter.headers
            );
            let mut mark = letter.headers["x-parom-death"].clone();
            if is_unknown {
                // By then every document that was taken is listed: what is not there was not taken.
                mark += " absent";
            }
            let queue = self.stage.names().queue("marking");
            self.stage.put("", &queue, &letter.bytes, &[("x-parom-replay", &mark)]).await;
            handed += 1;
        }
        handed
    }

    /// Waits until so many jobs are done, killing the service on the way, helping what stops.
    async fn until_done(&mut self, jobs: i64, dice: &mut StdRng, kills: &mut usize) {
        let began = Instant::now();
        let mut last = 0;
        loop {
            self.person().await;
            let done = self.number("SELECT count(*) FROM jobs WHERE phase = 'done' AND told").await;
            if done >= jobs {
                assert_eq!(done, jobs);
                return;
            }
            assert!(began.elapsed() < LONG * 6, "{done} of {jobs} jobs are done");
            let step = if long() { 150 } else { 15 };
            if done - last >= step + dice.random_range(0..step) {
                last = done;
                *kills += 1;
                self.kill().await;
            }
            breath().await;
        }
    }

    async fn end(mut self) {
        self.service.take().unwrap().stop().await;
        self.pool.close().await;
        fs::remove_file(&self.file).unwrap();
        self.stage.clear(&["marking"]).await;
    }
}

#[expect(clippy::disallowed_methods, reason = "a test waits for a condition")]
async fn breath() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}

/// Orders of one to three shirts, every third with a pair of shoes; each with its fate.
fn voyages(dice: &mut StdRng, at: OffsetDateTime) -> Vec<Voyage> {
    let mut next = 0;
    let mut voyages = Vec::new();
    for id in 1..=u64::try_from(orders()).unwrap() {
        let count = dice.random_range(1..=3_u64);
        let mut lines = vec![(7, GTIN, count, 59_050)];
        if id.is_multiple_of(3) {
            lines.push((8, OTHER_GTIN, 1, 249_900));
        }
        let fate = match dice.random_range(0..10) {
            0 | 1 => Fate::Dropped,
            2 | 3 => Fate::Undone,
            4..=6 => {
                let first = dice.random_range(1..=count);
                Fate::Back(first, if dice.random() { count - first } else { 0 })
            }
            _ => Fate::Left,
        };
        let paid = dice.random();
        let order = order(id, at, &lines);
        let order = if paid { order } else { unpaid(order) };
        let taken = usize::try_from(count).unwrap();
        voyages.push(Voyage { order, fate, pieces: (next..next + taken).collect() });
        next += taken;
    }
    voyages
}

/// The whole way of all orders; answers how many jobs there were and how often the service was killed.
async fn sail(sea: &mut Sea, voyages: &[Voyage], dice: &mut StdRng) -> (i64, usize) {
    let (mut jobs, mut kills) = (0, 0);
    // Codes are set aside, the storekeeper scans, some orders are dropped.
    let mut told: Vec<&Voyage> = voyages.iter().collect();
    told.shuffle(dice);
    for voyage in &told {
        sea.tell(&created(&voyage.order)).await;
        jobs += 1;
    }
    sea.until_done(jobs, dice, &mut kills).await;
    for (place, voyage) in voyages.iter().enumerate() {
        for piece in &voyage.pieces {
            sea.scan(&voyage.order, &code(GTIN, *piece)).await;
        }
        if voyage.order.line(8).is_some() {
            sea.scan(&voyage.order, &code(OTHER_GTIN, place)).await;
        }
    }

    // Orders leave or are dropped; what is undone or returned may overtake its shipment.
    told.shuffle(dice);
    for voyage in &told {
        let fact = match voyage.fate {
            Fate::Dropped => cancelled(&voyage.order),
            Fate::Left | Fate::Undone | Fate::Back(..) => shipped(&voyage.order),
        };
        sea.tell(&fact).await;
        jobs += 1;
    }
    sea.until_done(jobs, dice, &mut kills).await;

    // Some come back: a part first, told by its scans, then all that is left of the line.
    told.shuffle(dice);
    for voyage in &told {
        match voyage.fate {
            Fate::Undone => sea.tell(&cancelled(&voyage.order)).await,
            Fate::Back(first, _) => {
                sea.scan_back(voyage, first).await;
                sea.tell(&returned(&voyage.order, 1, &[(7, first)])).await;
            }
            Fate::Dropped | Fate::Left => continue,
        }
        jobs += 1;
    }
    sea.until_done(jobs, dice, &mut kills).await;
    for voyage in &told {
        if let Fate::Back(_, more) = voyage.fate
            && more > 0
        {
            sea.tell(&returned(&voyage.order, 2, &[(7, more)])).await;
            jobs += 1;
        }
    }
    sea.until_done(jobs, dice, &mut kills).await;
    (jobs, kills)
}

#[tokio::test(flavor = "multi_thread")]
async fn chaos_registry_and_stock_agree_code_for_code() {
    let seed = seed();
    eprintln!("PAROM_SEED={seed}");
    let mut dice = StdRng::seed_from_u64(seed);
    let mut sea = Sea::new().await;
    let voyages = voyages(&mut dice, OffsetDateTime::now_utc() - time::Duration::hours(1));
    let shirts = voyages.iter().map(|voyage| voyage.pieces.len()).sum::<usize>();
    sea.stock(GTIN, "lp", shirts + 20).await;
    sea.stock(OTHER_GTIN, "shoes", orders()).await;
    let began = Instant::now();
    for kind in [Kind::Reset, Kind::Status, Kind::Refuse] {
        let mut fault = Fault::new(System::Gismt, kind).chance(0.02, seed);
        if kind == Kind::Status {
            (fault.code, fault.apply) = (Some(503), Some(dice.random()));
        }
        sea.running.emulator.faults.add(fault).unwrap();
    }

    let (jobs, kills) = sail(&mut sea, &voyages, &mut dice).await;
    let took = began.elapsed();
    sea.running.emulator.faults.clear();
    check(&sea, &voyages).await;
    let summary = sea.running.emulator.gismt.books().summary();
    eprintln!(
        "{} orders, {jobs} jobs, {kills} kills, {} documents ({} refused): {:.1} s",
        orders(),
        summary.documents,
        summary.rejected,
        took.as_secs_f64()
    );
    assert!(kills > 0);
    sea.end().await;
}

/// Each code was withdrawn exactly once and returned exactly when it should, and both sides know it.
async fn check(sea: &Sea, voyages: &[Voyage]) {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT ki, status FROM codes").fetch_all(&sea.pool).await.unwrap();
    agree(&sea.running, &rows);
    let stock: BTreeMap<String, String> = rows.into_iter().collect();
    let books = sea.running.emulator.gismt.books();
    let done = |ki: &str| -> Vec<String> {
        books.codes()[ki].effects.iter().map(|effect| effect.what.clone()).collect()
    };
    let mut seen = BTreeSet::new();
    let mut expect = |ki: String, effects: &[&str], status: &str| {
        assert_eq!(done(&ki), effects, "{status}");
        assert_eq!(stock[&ki], status);
        seen.insert(ki);
    };
    for (place, voyage) in voyages.iter().enumerate() {
        for (nth, piece) in (0_u64..).zip(&voyage.pieces) {
            let (effects, status): (&[&str], &str) = match voyage.fate {
                Fate::Dropped => (&[], "in_stock"),
                Fate::Left => (&["withdrawn"], "sold"),
                Fate::Undone => (&["withdrawn", "cancelled"], "in_stock"),
                Fate::Back(first, more) if nth < first + more => {
                    (&["withdrawn", "returned"], "in_stock")
                }
                Fate::Back(..) => (&["withdrawn"], "sold"),
            };
            expect(ki(GTIN, *piece), effects, status);
        }
        if voyage.order.line(8).is_some() {
            let (effects, status): (&[&str], &str) = match voyage.fate {
                Fate::Dropped => (&[], "in_stock"),
                Fate::Undone => (&["withdrawn", "cancelled"], "in_stock"),
                Fate::Left | Fate::Back(..) => (&["withdrawn"], "sold"),
            };
            expect(ki(OTHER_GTIN, place), effects, status);
        }
    }
    for (ki, code) in books.codes() {
        assert!(seen.contains(ki) || code.effects.is_empty(), "a code that no order has was moved");
    }
}
