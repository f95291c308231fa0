//! Orders of companies, everything told twice, while the service is killed again and again, Diadoc loses answers, and its
//! feed repeats and reorders: one document each, and the right word at the end. Short by default, the five
//! hundred orders with `PAROM_CHAOS=long`.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use edo::{Edo, config::Config};
use emulator::{
    Emulator, Fault, Kind, Running, System,
    diadoc::{Answered, Buyer},
};
use events::{Event, Fact, Phase};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use runtime::{
    settings::Common,
    testing::{Service, Stage},
};
use signing::testing::{Pair, Subject};
use sqlx::PgPool;
use time::OffsetDateTime;

use crate::{
    order::{BUYER_INN, BUYER_KPP, order, shipped},
    world::{BUYER_BOX, INN, SHOPS, arguments, config},
};

const LONG: Duration = Duration::from_secs(1500);

fn long() -> bool {
    std::env::var("PAROM_CHAOS").is_ok_and(|value| value == "long")
}

fn orders() -> u64 {
    if long() { 500 } else { 24 }
}

fn seed() -> u64 {
    let given = std::env::var("PAROM_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| rand::rng().random())
}

struct Sea {
    stage: Stage,
    common: Common,
    config: Config,
    running: Running,
    file: PathBuf,
    pool: PgPool,
    /// The queue of what the shop hears.
    told: String,
    service: Option<Service>,
    /// The key's files live as long as this.
    _pair: Pair,
}

impl Sea {
    async fn new() -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        let mut settings = emulator::Settings::default();
        settings.diadoc.rate = 0;
        settings.diadoc.page = 7;
        settings.diadoc.disorder = true;
        settings.diadoc.running_asks = 1;
        let running = Emulator::start(settings).await.unwrap();
        running.emulator.diadoc.books().put(Buyer::new(BUYER_INN, BUYER_KPP, BUYER_BOX));
        let (stage, pair) = (Stage::set().await, Pair::make(&Subject::of(INN)));
        let file = std::env::temp_dir().join(format!("edo-{}.toml", uuid::Uuid::new_v4()));
        fs::write(&file, SHOPS).unwrap();
        let mut config = config(&arguments(&running, file.to_str().unwrap(), &pair));
        // Waits are what is tested elsewhere; the feed is what brings the buyer's word here.
        config.edo_feed = Duration::from_millis(100);
        config.edo_look_first = Duration::from_secs(2);
        config.edo_look = Duration::from_secs(4);
        config.diadoc.diadoc_rate = 10_000.try_into().unwrap();
        config.diadoc.diadoc_timeout = Duration::from_secs(5);
        // Each check is a process; what it finds is tested elsewhere.
        config.edo_xsd_dir = None;
        let mut common = stage.common();
        common.job_lease = Duration::from_secs(15);
        let pool = stage.pool("edo");
        let told = format!("{}.told", common.amqp_prefix);
        let mut sea =
            Self { stage, common, config, running, file, pool, told, service: None, _pair: pair };
        sea.start().await;
        // Once the exchange is there.
        let exchange = sea.stage.names().exchange("status.edo").unwrap();
        sea.stage.listen(&sea.told, &exchange, "status.edo").await;
        sea
    }

    async fn start(&mut self) {
        self.service = Some(Service::start::<Edo>(self.common.clone(), self.config.clone()));
        self.stage.until("the queue", LONG, || self.stage.hears("edo")).await;
    }

    async fn kill(&mut self) {
        self.service.take().unwrap().kill().await;
        // What the dead one had in hand is free when its leases end; nobody waits that long here.
        for free in [
            "UPDATE jobs SET lease_until = now() WHERE phase = 'open'",
            "UPDATE diadoc_lanes SET held_until = 'epoch'",
            "UPDATE diadoc_tokens SET held_until = 'epoch'",
            "UPDATE feeds SET held_until = 'epoch'",
        ] {
            sqlx::query(free).execute(&self.pool).await.ok();
        }
        self.start().await;
    }

    async fn number(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap_or(-1)
    }

    /// Waits until `sql` comes to `wanted`, killing the service on the way.
    async fn until(
        &mut self,
        sql: &'static str,
        wanted: i64,
        kills: &mut usize,
        dice: &mut StdRng,
    ) {
        let (began, mut last) = (Instant::now(), 0);
        loop {
            let now = self.number(sql).await;
            if now >= wanted {
                assert_eq!(now, wanted);
                return;
            }
            assert!(began.elapsed() < LONG, "{now} of {wanted}");
            let step = if long() { 60 } else { 8 };
            if now - last >= step + dice.random_range(0..step) {
                last = now;
                *kills += 1;
                self.kill().await;
            }
            breath().await;
        }
    }

    /// The last words that the shop hears of each order.
    async fn told(&self) -> BTreeMap<u64, Vec<(Phase, String)>> {
        let mut told: BTreeMap<u64, Vec<(Phase, String)>> = BTreeMap::new();
        while let Some(letter) = self.stage.take(&self.told).await {
            let event = Event::from_json(letter.body.as_bytes()).unwrap();
            if let Fact::StatusChanged(status) = &event.fact {
                told.entry(status.order.id).or_default().push((status.phase, status.code.clone()));
            }
        }
        told
    }
}

#[expect(clippy::disallowed_methods, reason = "a test waits for a condition")]
async fn breath() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chaos_each_order_has_one_document_and_the_right_word() {
    let seed = seed();
    eprintln!("PAROM_SEED={seed}");
    let mut dice = StdRng::seed_from_u64(seed);
    let (mut sea, mut kills) = (Sea::new().await, 0);
    let began = Instant::now();
    for kind in [Kind::Reset, Kind::Status, Kind::Refuse] {
        let mut fault = Fault::new(System::Diadoc, kind).chance(0.03, seed);
        if kind == Kind::Status {
            (fault.code, fault.apply) = (Some(503), Some(dice.random()));
        }
        sea.running.emulator.faults.add(fault).unwrap();
    }
    let at = OffsetDateTime::now_utc() - time::Duration::hours(1);
    for id in 1..=orders() {
        let event = shipped(&order(id, at));
        sea.stage.tell(&event).await;
        sea.stage.tell(&event).await;
    }
    let all = i64::try_from(orders()).unwrap();
    let sent = "SELECT count(*) FROM documents WHERE message_id IS NOT NULL";
    sea.until(sent, all, &mut kills, &mut dice).await;
    // Every fifth buyer refuses.
    let messages = sea.running.emulator.diadoc.books().messages().to_vec();
    let refuses =
        |number: &str| number.trim_start_matches("A-").parse::<u64>().unwrap().is_multiple_of(5);
    for message in &messages {
        let answered = if refuses(&message.number) {
            Answered::Rejected { text: "Не та цена".to_owned(), universal: dice.random() }
        } else {
            Answered::Signed
        };
        sea.running.emulator.diadoc.books().answer(
            &message.id,
            answered,
            OffsetDateTime::now_utc(),
        );
    }
    let over = "SELECT count(*) FROM jobs WHERE phase <> 'open' AND told";
    sea.until(over, all, &mut kills, &mut dice).await;
    let took = began.elapsed();
    sea.running.emulator.faults.clear();
    sea.service.take().unwrap().stop().await;

    eprintln!("{all} orders, {kills} kills: {:.1} s", took.as_secs_f64());
    check(&sea).await;
    assert!(kills > 0);
    sea.pool.close().await;
    fs::remove_file(&sea.file).unwrap();
    sea.stage.delete_queues(&[sea.told.clone()]).await;
    sea.stage.clear(&["edo"]).await;
}

/// One document each, nothing to complain about, and the right last word.
async fn check(sea: &Sea) {
    let summary = sea.running.emulator.diadoc.books().summary();
    assert_eq!(summary.documents, usize::try_from(orders()).unwrap());
    assert_eq!((&summary.doubled, &summary.violations.violations), (&vec![], &vec![]));
    assert_eq!(summary.refused, Vec::<String>::new());
    let told = sea.told().await;
    for id in 1..=orders() {
        let (phase, code) = if id.is_multiple_of(5) {
            (Phase::Failed, "upd_rejected")
        } else {
            (Phase::Done, "documents_signed")
        };
        let words = &told[&id];
        assert!(words.contains(&(phase, code.to_owned())), "order {id}: {words:?}");
    }
}
