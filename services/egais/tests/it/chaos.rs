//! Orders with alcohol, returns and cancellations, everything told twice, while the service is killed again and
//! again, the UTM goes away for long and loses answers: EGAIS's books and ours agree bottle for bottle. Short by
//! default; a thousand orders and outages of minutes with `PAROM_CHAOS=long`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use egais::{Egais, config::Config};
use emulator::{Emulator, Fault, Kind, Listen, Running, System};
use events::{Event, Order};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};
use runtime::{
    settings::Common,
    testing::{Service, Stage},
};
use sqlx::PgPool;
use time::OffsetDateTime;

use crate::{
    order::{Goods, beer, cancelled, mark, order, returned, shipped},
    world::{OWNER, config, file},
};

const LONG: Duration = Duration::from_secs(600);

fn long() -> bool {
    std::env::var("PAROM_CHAOS").is_ok_and(|value| value == "long")
}

fn orders() -> u64 {
    if long() { 1_000 } else { 30 }
}

/// What becomes of an order after it has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Nothing.
    Left,
    /// Its first bottle comes back.
    Back,
    /// It is cancelled.
    Undone,
}

struct Voyage {
    order: Order,
    fate: Fate,
    marks: Vec<usize>,
    has_beer: bool,
}

impl Voyage {
    /// Its first bottle comes back, or all of it.
    fn back(&self) -> Event {
        let first: Vec<usize> = self.marks.iter().take(1).copied().collect();
        match self.fate {
            Fate::Left | Fate::Back => returned(&self.order, 1, &[(7, 1)], &first),
            Fate::Undone => cancelled(&self.order),
        }
    }
}

struct Sea {
    stage: Stage,
    common: Common,
    config: Config,
    running: Running,
    file: PathBuf,
    pool: PgPool,
    service: Option<Service>,
    /// What the dice of faults begin with, and whether a 503 takes effect.
    strikes: (u64, bool),
    /// How long the UTM was away in all.
    away: Duration,
    found: usize,
    absent: usize,
    /// Deaths that the person has answered: a letter may come twice.
    answered: BTreeSet<String>,
}

impl Sea {
    async fn new() -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        let mut settings = emulator::Settings::default();
        settings.utm.looks = 1;
        settings.hang_s = 2;
        let running = Emulator::start(settings).await.unwrap();
        let stage = Stage::set().await;
        let path = std::env::temp_dir().join(format!("egais-{}.toml", uuid::Uuid::new_v4()));
        fs::write(&path, file(&running.utm_url(OWNER))).unwrap();
        let mut config = config(&[]);
        config.egais_file.clone_from(&path);
        // A look costs the emulated EGAIS a walk over all that was ever sent.
        config.egais_poll = Duration::from_millis(if long() { 500 } else { 100 });
        config.egais_turn = Duration::from_secs(5);
        config.egais_timeout = Duration::from_secs(1);
        config.egais_doubt = Duration::from_secs(2);
        config.egais_refused_pause = Duration::from_millis(500);
        config.egais_rests_every = Duration::ZERO;
        let mut common = stage.common();
        common.job_lease = Duration::from_secs(10);
        common.retry_attempts = Some(10_000);
        let pool = stage.pool("egais");
        let mut sea = Self {
            stage,
            common,
            config,
            running,
            file: path,
            pool,
            service: None,
            strikes: (0, false),
            away: Duration::ZERO,
            found: 0,
            absent: 0,
            answered: BTreeSet::new(),
        };
        sea.start().await;
        sea
    }

    async fn start(&mut self) {
        self.service = Some(Service::start::<Egais>(self.common.clone(), self.config.clone()));
        self.stage.until("the queue", LONG, || self.stage.hears("egais")).await;
    }

    async fn kill(&mut self) {
        self.service.take().unwrap().kill().await;
        // What the dead one had in hand is free when its lease ends; nobody waits that long here.
        for sql in [
            "UPDATE jobs SET lease_until = now() WHERE phase = 'open'",
            "UPDATE turns SET until = now()",
        ] {
            sqlx::query(sql).execute(&self.pool).await.ok();
        }
        self.start().await;
    }

    /// Tells an event twice: the second is absorbed.
    async fn tell(&self, event: &Event) {
        self.stage.tell(event).await;
        self.stage.tell(event).await;
    }

    async fn done(&self) -> i64 {
        let sql = "SELECT count(*) FROM jobs WHERE phase = 'done' AND told";
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap_or(-1)
    }

    /// What a person does with a job that stopped as unknown: he looks into EGAIS's cabinet and says whether the
    /// document is there.
    async fn person(&mut self) {
        let queue = self.stage.names().dead_queue("egais");
        while let Some(letter) = self.stage.take(&queue).await {
            let (class, code) = (&letter.headers["x-parom-class"], &letter.headers["x-parom-code"]);
            assert!(class == "unknown", "{code}: {:?}", letter.headers);
            if !self.answered.insert(letter.headers["x-parom-death"].clone()) {
                continue;
            }
            let event = Event::from_json(&letter.bytes).unwrap();
            let order = event.order().unwrap();
            let asked: Vec<String> = sqlx::query_scalar(
                "SELECT identity FROM documents WHERE cause = $1 AND state = 'unknown'",
            )
            .bind(event.id())
            .fetch_all(&self.pool)
            .await
            .unwrap();
            let [asked] = asked.as_slice() else { panic!("{code}: he is asked for {asked:?}") };
            assert!(asked.starts_with(&format!("acme-p{}-", order.id)));
            let is_there = {
                let books = self.running.emulator.utm.books();
                books[OWNER]
                    .sent()
                    .iter()
                    .any(|sent| sent.identity == *asked && sent.state != "rejected")
            };
            let word = if is_there { " found" } else { " absent" };
            self.found += usize::from(is_there);
            self.absent += usize::from(!is_there);
            let mark = format!("{}{word}", letter.headers["x-parom-death"]);
            let queue = self.stage.names().queue("egais");
            self.stage.put("", &queue, &letter.bytes, &[("x-parom-replay", &mark)]).await;
        }
    }

    /// Waits until so many jobs are done, killing the service and the UTM on the way, helping what stops.
    async fn until_done(&mut self, jobs: i64, dice: &mut StdRng, kills: &mut usize) {
        let began = Instant::now();
        let mut last = 0;
        loop {
            self.person().await;
            let done = self.done().await;
            if done >= jobs {
                assert_eq!(done, jobs);
                return;
            }
            assert!(began.elapsed() < LONG * 6, "{done} of {jobs} jobs are done");
            let step = if long() { 150 } else { 15 };
            if done - last >= step + dice.random_range(0..step) {
                last = done;
                *kills += 1;
                match *kills % 3 {
                    1 => self.reboot(dice).await,
                    2 => self.hang(dice).await,
                    _ => self.kill().await,
                }
            }
            breath(50).await;
        }
    }

    /// For how long the UTM is away.
    fn outage(&mut self, dice: &mut StdRng) -> Duration {
        let ms = if long() { 60_000..150_000 } else { 500..2_000 };
        let outage = Duration::from_millis(dice.random_range(ms));
        self.away += outage;
        outage
    }

    /// The UTM's computer reboots: connections are refused for a while.
    async fn reboot(&mut self, dice: &mut StdRng) {
        let outage = self.outage(dice);
        self.running.emulator.listen(Listen::Closed);
        pause(outage).await;
        self.running.emulator.listen(Listen::Open);
    }

    /// The UTM takes what is sent and answers nobody for a while.
    async fn hang(&mut self, dice: &mut StdRng) {
        let outage = self.outage(dice);
        let faults = &self.running.emulator.faults;
        faults.clear();
        faults.add(Fault::new(System::Utm, Kind::Hang).chance(0.5, self.strikes.0)).unwrap();
        faults.add(Fault::new(System::Utm, Kind::HangBefore)).unwrap();
        pause(outage).await;
        self.running.emulator.faults.clear();
        self.strikes.0 = self.strikes.0.wrapping_add(1);
        strike(&self.running, self.strikes.0, self.strikes.1);
    }

    async fn end(mut self) {
        self.service.take().unwrap().stop().await;
        self.pool.close().await;
        fs::remove_file(&self.file).unwrap();
        self.stage.clear(&["egais"]).await;
    }
}

#[expect(clippy::disallowed_methods, reason = "a test waits for a condition")]
async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

async fn breath(ms: u64) {
    pause(Duration::from_millis(ms)).await;
}

fn voyages(dice: &mut StdRng, at: OffsetDateTime) -> Vec<Voyage> {
    let mut next = 1;
    (1..=orders())
        .map(|id| {
            let count = dice.random_range(1..=3_usize);
            let marks: Vec<usize> = (next..next + count).collect();
            next += count;
            let bottles = u64::try_from(count).unwrap();
            let mut goods = vec![Goods(7, "till", bottles, 99_500, marks.clone())];
            // A third has beer too, which nothing guards; what has it is not cancelled, for a charge needs
            // EGAIS's description.
            let has_beer = id.is_multiple_of(3);
            if has_beer {
                goods.push(beer(2));
            }
            let fate = match dice.random_range(0..10) {
                0..=2 => Fate::Back,
                3 | 4 if !has_beer => Fate::Undone,
                _ => Fate::Left,
            };
            Voyage { order: order(id, at, &goods), fate, marks, has_beer }
        })
        .collect()
}

/// What goes wrong, with seeded dice. Nothing is lost for ever: that would have no end.
fn strike(running: &Running, seed: u64, takes_effect: bool) {
    for kind in [Kind::Reset, Kind::Status, Kind::Refuse, Kind::Hang, Kind::Garbage] {
        let mut fault = Fault::new(System::Utm, kind).chance(0.01, seed);
        if kind == Kind::Status {
            (fault.code, fault.apply) = (Some(503), Some(takes_effect));
        }
        running.emulator.faults.add(fault).unwrap();
    }
    for path in ["/opt/in/ChequeV3", "/opt/in/ActWriteOff_v4"] {
        let fault = |kind| Fault::new(System::Utm, kind).on(path);
        let faults = &running.emulator.faults;
        faults.add(fault(Kind::HangBefore).chance(0.02, seed)).unwrap();
        faults.add(fault(Kind::Refusal).chance(0.02, seed).code(1)).unwrap();
        faults.add(fault(Kind::Duplicate).chance(0.05, seed)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn chaos_egais_and_our_books_agree_bottle_for_bottle() {
    let given = std::env::var("PAROM_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| rand::rng().random());
    eprintln!("PAROM_SEED={seed}");
    let mut dice = StdRng::seed_from_u64(seed);
    let mut sea = Sea::new().await;
    let voyages = voyages(&mut dice, OffsetDateTime::now_utc() - time::Duration::hours(1));
    sea.strikes = (seed, dice.random());
    strike(&sea.running, seed, sea.strikes.1);
    let began = Instant::now();
    let (mut jobs, mut kills) = (0, 0);
    let mut told: Vec<&Voyage> = voyages.iter().collect();
    told.shuffle(&mut dice);
    for voyage in &told {
        sea.tell(&shipped(&voyage.order)).await;
        jobs += 1;
    }
    sea.until_done(jobs, &mut dice, &mut kills).await;
    told.shuffle(&mut dice);
    for voyage in &told {
        if voyage.fate == Fate::Left {
            continue;
        }
        sea.tell(&voyage.back()).await;
        jobs += 1;
    }
    sea.until_done(jobs, &mut dice, &mut kills).await;
    let took = began.elapsed();
    sea.running.emulator.faults.clear();
    check(&sea, &voyages).await;
    let summary = sea.running.emulator.utm.books().get(OWNER).unwrap().summary();
    eprintln!(
        "{} orders, {jobs} jobs, {kills} kills and reboots, the UTM away for {:.0} s, {} documents taken, {} rejected, \
         a person found {} and missed {}: {:.1} s",
        orders(),
        sea.away.as_secs_f64(),
        summary.taken,
        summary.rejected,
        sea.found,
        sea.absent,
        took.as_secs_f64()
    );
    assert!(kills > 0);
    sea.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chaos_of_two_processes_on_one_utm_doubles_nothing_and_one_goes_on_alone() {
    let mut dice = StdRng::seed_from_u64(5);
    let mut sea = Sea::new().await;
    let second = Service::start::<Egais>(sea.common.clone(), sea.config.clone());
    let voyages = voyages(&mut dice, OffsetDateTime::now_utc() - time::Duration::hours(1));
    let slow = Fault { ms: Some(20), ..Fault::new(System::Utm, Kind::Slow).on("/opt/in/ChequeV3") };
    sea.running.emulator.faults.add(slow).unwrap();
    for voyage in &voyages {
        sea.tell(&shipped(&voyage.order)).await;
    }
    let half = i64::try_from(voyages.len()).unwrap() / 3;
    while sea.done().await < half {
        sea.person().await;
        breath(20).await;
    }
    // As long as nothing dies, nothing is in doubt, however long one waits for the other.
    assert_eq!((sea.found, sea.absent), (0, 0));
    // One dies with all that it has in hand; nobody ends its turns and leases for it.
    sea.service.take().unwrap().kill().await;
    let began = Instant::now();
    let mut told: Vec<&Voyage> = Vec::new();
    while sea.done().await < i64::try_from(voyages.len()).unwrap() {
        sea.person().await;
        assert!(began.elapsed() < LONG, "{} jobs are done", sea.done().await);
        breath(50).await;
    }
    for voyage in voyages.iter().filter(|voyage| voyage.fate != Fate::Left) {
        sea.tell(&voyage.back()).await;
        told.push(voyage);
    }
    let jobs = i64::try_from(voyages.len() + told.len()).unwrap();
    while sea.done().await < jobs {
        sea.person().await;
        assert!(began.elapsed() < LONG, "{} of {jobs} jobs are done", sea.done().await);
        breath(50).await;
    }
    sea.running.emulator.faults.clear();
    check(&sea, &voyages).await;
    sea.service = Some(second);
    sea.end().await;
}

/// Each bottle was written off exactly once and came back exactly when it should, and both sides know it; so was the
/// beer; and each document's history leads to an end.
async fn check(sea: &Sea, voyages: &[Voyage]) {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT mark, status FROM egais_alcocodes WHERE mark IS NOT NULL")
            .fetch_all(&sea.pool)
            .await
            .unwrap();
    let ours: BTreeMap<String, String> = rows.into_iter().collect();
    {
        let books = sea.running.emulator.utm.books();
        let books = &books[OWNER];
        let summary = books.summary();
        assert_eq!(summary.doubled, Vec::<String>::new());
        assert_eq!(summary.violations.violations, Vec::<String>::new());
        let mut bottles = 0;
        for voyage in voyages {
            for (place, number) in voyage.marks.iter().enumerate() {
                let back = match voyage.fate {
                    Fate::Left => false,
                    Fate::Back => place == 0,
                    Fate::Undone => true,
                };
                let wanted: &[&str] =
                    if back { &["written off", "returned"] } else { &["written off"] };
                let mark = mark(*number);
                let done: Vec<&str> =
                    books.bottles()[&mark].iter().map(|effect| effect.what).collect();
                assert_eq!(done, wanted, "order {}: {:?}", voyage.order.key.id, voyage.fate);
                assert_eq!(ours[&mark], if back { "returned" } else { "written_off" });
                bottles += 1;
            }
        }
        assert_eq!((books.bottles().len(), ours.len()), (bottles, bottles));
        let beer = voyages.iter().filter(|voyage| voyage.has_beer).count();
        let effects = books.quantities().values().flatten().count();
        assert_eq!(effects, beer, "acts of beer");
    }
    let open: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM documents d WHERE ended_at IS NULL
         OR NOT EXISTS (SELECT FROM document_moves m WHERE m.identity = d.identity AND m.state = 'made')
         OR NOT EXISTS (SELECT FROM document_moves m WHERE m.identity = d.identity AND m.state IN ('done', 'refused'))",
    )
    .fetch_one(&sea.pool)
    .await
    .unwrap();
    assert_eq!(open, 0, "documents whose history has no end");
}
