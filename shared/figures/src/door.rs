//! Webhooks taken: ingress beside a server that does the bare minimum.

use std::{net::SocketAddr, time::Duration};

use tokio::net::TcpStream;
use voyage::Fleet;

use crate::{
    Fallible, Plan,
    bars::Bar,
    calls,
    load::{self, Answers},
    numbers::median,
    place::{PREFIX, Place, free_address},
    report::{Row, progress},
    role::Role,
    wait,
};

/// Where a site calls.
pub(crate) const PATH: &str = "/webhooks/site";

/// The fixed pace: 200 a second.
const PACE: Duration = Duration::from_millis(5);
/// Connections at that pace, so that a slow answer does not hold up the next call.
const PACED_CONNECTIONS: usize = 32;
/// Calls before the clock runs, in connections' worth.
const WARM_UP: u64 = 1_000;
/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);
/// The queue of the bare server.
const BARE: &str = "bench.webhooks";

/// What one side did in one round.
#[derive(Debug)]
struct Round {
    full: Answers,
    paced: Answers,
}

/// Measures in turn, so that what else the machine does meets both.
pub(crate) async fn measure(place: &Place, plan: &Plan) -> Fallible<Vec<Row>> {
    place.broker.declare(BARE).await?;
    let mut fleet = place.fleet("http://127.0.0.1:9")?;
    let mut orders = Orders(1);
    let (mut own, mut reading, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    let mut padding = None;
    for round in 1..=plan.rounds {
        progress(&format!("ingress, round {round} of {}", plan.rounds));
        let full = door_alone(place, plan, &mut fleet, &mut orders, &mut padding).await?;
        let (paced, both) = whole(place, plan, &mut fleet, &mut orders).await?;
        own.push(Round { full, paced });
        reading.push(both);
        bare.push(minimum(place, plan, &mut orders, padding.unwrap_or_default()).await?);
        let rates: Vec<f64> =
            [&own, &bare].into_iter().flat_map(|side| side.last()).map(|r| r.full.rate()).collect();
        progress(&format!("webhooks/s, Parom and the minimum: {rates:.0?}"));
    }
    let of = |rounds: &[Round], what: fn(&Round) -> f64| median(rounds.iter().map(what));
    let row = |name: &str, what: fn(&Round) -> f64| {
        Row::new(name, of(&own, what), 2).beside(of(&bare, what))
    };
    Ok(vec![
        Row::new("ingress: webhooks/s at full load", of(&own, |r| r.full.rate()), 0)
            .beside(of(&bare, |r| r.full.rate()))
            .ratio_bar(Bar::AtLeast(0.6)),
        Row::new(
            "ingress: webhooks/s at full load while it reads them as well",
            median(reading.iter().map(Answers::rate)),
            0,
        ),
        row("ingress: p50 at 200/s, ms, while it reads them as well", |r| r.paced.millis(50)),
        row("ingress: p99 at 200/s, ms, while it reads them as well", |r| r.paced.millis(99)),
    ])
}

/// Order numbers that were not used before.
struct Orders(u64);

impl Orders {
    fn next(&mut self, count: u64) -> std::ops::Range<u64> {
        let first = self.0;
        self.0 += count;
        first..self.0
    }
}

/// The door without the reader behind it, like the bare server: with PostgreSQL away ingress takes
/// webhooks and has nothing to read them into.
async fn door_alone(
    place: &Place,
    plan: &Plan,
    fleet: &mut Fleet,
    orders: &mut Orders,
    padding: &mut Option<usize>,
) -> Fallible<Answers> {
    let queue = format!("{PREFIX}.webhooks");
    fleet.tell("DATABASE_URL", "postgres://nobody@127.0.0.1:9/nothing");
    fleet.start("ingress")?;
    let address = address(fleet)?;
    open(address).await?;
    wait::until("ingress takes webhooks", LOOK, async || {
        let one = calls::paid(orders.next(1))?;
        Ok(load::send(address, one, 1, None).await.is_ok())
    })
    .await?;
    let answers = full(address, plan, orders).await?;
    fleet.kill("ingress")?;
    if padding.is_none() {
        let body = calls::paid(orders.next(1))?.first().map_or(0, |call| call.body.len());
        *padding = Some(place.broker.length_of_one(&queue).await?.saturating_sub(body));
    }
    place.broker.empty(&queue).await?;
    Ok(answers)
}

/// All of ingress: at the fixed pace, then at full load.
async fn whole(
    place: &Place,
    plan: &Plan,
    fleet: &mut Fleet,
    orders: &mut Orders,
) -> Fallible<(Answers, Answers)> {
    fleet.tell("DATABASE_URL", place.harbour.database_url.as_str());
    fleet.start("ingress")?;
    fleet.wait_ready("ingress", Duration::from_secs(60)).await?;
    let address = address(fleet)?;
    let paced = paced(address, plan, orders).await?;
    let full = full(address, plan, orders).await?;
    fleet.kill("ingress")?;
    place.broker.empty(&format!("{PREFIX}.webhooks")).await?;
    place.broker.empty(&format!("{PREFIX}.unrouted")).await?;
    Ok((paced, full))
}

async fn minimum(
    place: &Place,
    plan: &Plan,
    orders: &mut Orders,
    padding: usize,
) -> Fallible<Round> {
    let address = free_address()?;
    let mut process = Role::BareDoor.start(&[
        ("AMQP_URL", &place.harbour.amqp_url),
        ("HTTP_LISTEN", &address.to_string()),
        ("QUEUE", BARE),
        ("PADDING", &padding.to_string()),
    ])?;
    open(address).await?;
    let round = Round {
        paced: paced(address, plan, orders).await?,
        full: full(address, plan, orders).await?,
    };
    process.check()?;
    process.stop().await?;
    place.broker.empty(BARE).await?;
    Ok(round)
}

async fn full(address: SocketAddr, plan: &Plan, orders: &mut Orders) -> Fallible<Answers> {
    let warm_up = calls::paid(orders.next(WARM_UP))?;
    let calls = calls::paid(orders.next(plan.webhooks))?;
    load::send(address, warm_up, plan.connections, None).await?;
    load::send(address, calls, plan.connections, None).await
}

async fn paced(address: SocketAddr, plan: &Plan, orders: &mut Orders) -> Fallible<Answers> {
    let warm_up = calls::paid(orders.next(WARM_UP))?;
    let calls = calls::paid(orders.next(plan.paced))?;
    load::send(address, warm_up, PACED_CONNECTIONS, Some(PACE)).await?;
    load::send(address, calls, PACED_CONNECTIONS, Some(PACE)).await
}

async fn open(address: SocketAddr) -> Fallible<()> {
    let listens = async || Ok(TcpStream::connect(address).await.is_ok());
    wait::until("a server listens", LOOK, listens).await
}

fn address(fleet: &Fleet) -> Fallible<SocketAddr> {
    Ok(fleet.url("ingress").trim_start_matches("http://").parse()?)
}
