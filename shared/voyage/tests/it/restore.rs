//! The restore drill: everything burns, and a dump of PostgreSQL that is older than some effects is put into an empty
//! database beside an empty broker. Waiting jobs go on, and nothing is doubled.

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use emulator::{Fault, Kind, System};
use sqlx::{Connection, PgConnection};
use voyage::{Harbour, SERVICES, Shop, snapshot};

use crate::crew::{Berth, Crew, SECRET, START};

const ORDERS: u32 = 60;

/// Runs one of the scripts that operators run.
fn script(name: &str, database_url: &str, file: &Path) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(name);
    let output = Command::new(script).arg(file).env("DATABASE_URL", database_url).output().unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
}

async fn until(what: &str, mut look: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + START;
    while !look().await {
        assert!(Instant::now() < end, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// How many orders fiscal has taken up.
async fn taken_up(database: &mut PgConnection) -> i64 {
    let count = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM fiscal.jobs");
    count.fetch_one(database).await.unwrap()
}

fn receipts(crew: &Crew) -> u32 {
    u32::try_from(crew.emulator.emulator.cloudkassir.summary().receipts).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_a_dump_and_an_empty_broker_bring_everything_back() {
    let burnt = Harbour::open("burnt").unwrap();
    // The register is slow and takes few calls at once, so most jobs wait.
    let more = [("CLOUDKASSIR_CONCURRENCY", "4".to_owned())];
    let mut crew = Crew::board(&Berth::of(&burnt), &more).await;
    let slow = Fault { ms: Some(300), ..Fault::new(System::CloudKassir, Kind::Slow) };
    crew.emulator.emulator.faults.add(slow).unwrap();
    let shop = Shop::new(SECRET, &crew.fleet.url("ingress"));
    for order in 1..=ORDERS {
        let taken =
            shop.call(&format!("msg-{order}"), &snapshot(u64::from(order), 1).to_string()).await;
        assert_eq!(taken, Some(202));
    }
    let mut database = PgConnection::connect(&burnt.database_url).await.unwrap();
    until("all orders are taken up", async || taken_up(&mut database).await == i64::from(ORDERS))
        .await;

    // The night's backup, while everything is at work.
    let dump = burnt.folder().join("parom.dump");
    script("backup.sh", &burnt.database_url, &dump);
    let at_the_dump = receipts(&crew);
    // Receipts are made that the dump knows nothing of.
    until("receipts beyond the dump", async || receipts(&crew) > at_the_dump + 5).await;
    for name in SERVICES {
        crew.fleet.kill(name).unwrap();
    }
    let beyond = receipts(&crew) - at_the_dump;
    assert!(receipts(&crew) < ORDERS, "nothing is left to go on with");

    // New servers, empty both; the shop and the registers are the same.
    let rebuilt = Harbour::open("rebuilt").unwrap();
    script("restore.sh", &rebuilt.database_url, &dump);
    crew.fleet.tell("DATABASE_URL", rebuilt.database_url.as_str());
    crew.fleet.tell("AMQP_URL", rebuilt.amqp_url.as_str());
    crew.emulator.emulator.faults.clear();
    for name in SERVICES {
        crew.fleet.start(name).unwrap();
    }
    for name in SERVICES {
        crew.fleet.wait_ready(name, START).await.unwrap();
    }
    until("all orders are home", async || home(&crew) == ORDERS).await;
    let summary = crew.emulator.emulator.cloudkassir.summary();
    eprintln!(
        "restore: {at_the_dump} receipts at the dump, {beyond} after it, {} in the end",
        summary.receipts
    );
    assert_eq!(receipts(&crew), ORDERS, "one receipt for each order");
    assert!(summary.duplicated.is_empty(), "{:?}", summary.duplicated);
    assert_eq!(summary.violations.violation_count, 0, "{:?}", summary.violations.violations);
}

/// Orders on which the receipt's numbers stand.
fn home(crew: &Crew) -> u32 {
    let books = crew.emulator.emulator.site.books();
    let home =
        books.orders.values().filter(|order| order.properties.contains_key("CLOUDKASSIR_FPD"));
    u32::try_from(home.count()).unwrap()
}
