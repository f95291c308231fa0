//! What each service costs: memory at rest and under load, processor time for what it does.

use std::time::Duration;

use serde_json::Value;
use sqlx::AssertSqlSafe;
use voyage::{Fleet, SERVICES};

use crate::{
    Fallible, Plan,
    bars::Bar,
    calls, load,
    numbers::{float, median},
    place::{Place, beside, free_address},
    process::{self, Usage},
    report::{Row, progress},
    role::Process,
    wait,
};

/// How long a service that is ready has nothing to do before it counts as at rest.
const REST: Duration = Duration::from_secs(2);
/// Between two looks at the books of the outside systems.
const LOOK: Duration = Duration::from_millis(500);

/// One service in one round.
#[derive(Debug, Clone, Copy)]
struct Cost {
    service: &'static str,
    /// MB.
    rest: f64,
    /// MB.
    peak: f64,
    /// Seconds of processor time for 1 000 events that it took up.
    cpu: f64,
}

/// Measures each round with services freshly started.
pub(crate) async fn measure(place: &Place, plan: &Plan) -> Fallible<Vec<Row>> {
    let mut costs = Vec::new();
    for round in 1..=plan.rounds {
        progress(&format!("services, round {round} of {}", plan.rounds));
        // Numbers that no other part uses.
        let first = 1_000_000_000 + u64::from(round) * plan.orders;
        costs.extend(voyage(place, plan, first).await?);
    }
    let rows = SERVICES.iter().flat_map(|service| {
        let of = |what: fn(&Cost) -> f64| {
            median(costs.iter().filter(|cost| cost.service == *service).map(what))
        };
        [
            Row::new(format!("{service}: memory at rest, MB"), of(|cost| cost.rest), 1)
                .bar(Bar::Below(40.0)),
            Row::new(format!("{service}: peak memory under load, MB"), of(|cost| cost.peak), 1),
            Row::new(format!("{service}: CPU s for 1 000 events"), of(|cost| cost.cpu), 2),
        ]
    });
    Ok(rows.collect())
}

/// Orders go the whole way, from the webhook to the status in the site.
async fn voyage(place: &Place, plan: &Plan, first: u64) -> Fallible<Vec<Cost>> {
    let outside = Outside::start()?;
    let mut fleet = place.fleet(&outside.url)?;
    for service in SERVICES {
        fleet.start(service)?;
    }
    for service in SERVICES {
        fleet.wait_ready(service, Duration::from_secs(60)).await?;
    }
    wait::pause(REST).await;
    let rest = look(&fleet)?;
    let taken_before = taken(place).await?;
    let address = fleet.url("ingress").trim_start_matches("http://").parse()?;
    let calls = calls::paid(first..first + plan.orders)?;
    load::send(address, calls, plan.connections, None).await?;
    wait::until("all orders are home", LOOK, async || outside.all_home(plan.orders).await).await?;
    let (end, taken) = (look(&fleet)?, taken(place).await?);
    let costs = SERVICES.into_iter().enumerate().map(|(place, service)| {
        let at = |row: &[Usage]| row.get(place).copied().ok_or("a service is not there");
        let count = |row: &[u64]| row.get(place).copied().unwrap_or_default();
        let (rest, end) = (at(&rest)?, at(&end)?);
        let events = count(&taken) - count(&taken_before);
        Ok(Cost {
            service,
            rest: float(rest.rss) / 1_024.0,
            peak: float(end.peak) / 1_024.0,
            cpu: (end.cpu - rest.cpu).as_secs_f64() * 1_000.0 / float(events),
        })
    });
    costs.collect()
}

fn look(fleet: &Fleet) -> Fallible<Vec<Usage>> {
    let usage = |service| Ok(process::usage(fleet.pid(service).ok_or("a service is not there")?)?);
    SERVICES.into_iter().map(usage).collect()
}

/// How many events each service has taken up so far.
async fn taken(place: &Place) -> Fallible<Vec<u64>> {
    let mut taken = Vec::new();
    for service in SERVICES {
        let count = AssertSqlSafe(format!("SELECT count(*) FROM {service}.jobs"));
        let count: i64 = sqlx::query_scalar(count).fetch_one(&place.pool).await?;
        taken.push(u64::try_from(count)?);
    }
    Ok(taken)
}

/// The outside systems, as a process of their own.
struct Outside {
    url: String,
    client: reqwest::Client,
    _process: Process,
}

impl Outside {
    fn start() -> Fallible<Self> {
        rustls::crypto::ring::default_provider().install_default().ok();
        let address = free_address()?.to_string();
        let process = Process::start(
            &beside("emulator")?,
            &[
                ("EMULATOR_LISTEN", &address),
                ("EMULATOR_CLOUDKASSIR_CONCURRENCY", "0"),
                ("RUST_LOG", "warn"),
            ],
        )?;
        let client = reqwest::Client::builder().build()?;
        Ok(Self { url: format!("http://{address}"), client, _process: process })
    }

    /// Whether the site knows the receipts of so many orders.
    async fn all_home(&self, orders: u64) -> Fallible<bool> {
        let url = format!("{}/_books/site", self.url);
        let books = self.client.get(url).send().await?.text().await?;
        let books: Value = serde_json::from_str(&books)?;
        let books = books.get("orders").and_then(Value::as_object).ok_or("no books")?;
        let home = books.values().filter(|order| {
            order.pointer("/properties/CLOUDKASSIR_FPD").is_some_and(Value::is_string)
        });
        Ok(u64::try_from(home.count())? >= orders)
    }
}
