//! Events carried: the runtime with a register that answers at once, beside the bare minimum.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use crate::{
    Fallible, Plan,
    bars::Bar,
    broker::Letter,
    numbers::{float, median, rate},
    place::{PREFIX, Place, free_address},
    process,
    prompt::{answer, payment},
    report::{Row, progress},
    role::{Process, Role},
    wait,
};

/// The queue of the bare carrier.
const BARE: &str = "bench.events";
/// Where what both tell arrives.
const SINK: &str = "bench.told";
/// Between two looks: the error of a measurement that takes seconds.
const LOOK: Duration = Duration::from_millis(10);

/// What one side did in one round.
#[derive(Debug, Clone, Copy)]
struct Round {
    /// Events per second.
    rate: f64,
    /// Seconds of processor time for 1 000 events.
    cpu: f64,
    /// The most memory, in MB.
    peak: f64,
}

/// Measures in turn, so that what else the machine does meets both.
pub(crate) async fn measure(place: &Place, plan: &Plan) -> Fallible<Vec<Row>> {
    set_up(place).await?;
    let (mut own, mut bare) = (Vec::new(), Vec::new());
    for round in 1..=plan.rounds {
        progress(&format!("worker, round {round} of {}", plan.rounds));
        let first = u64::from(round) * plan.events;
        let letters = (first..first + plan.events).map(letter).collect::<Fallible<Vec<_>>>()?;
        let queue = format!("{PREFIX}.prompt");
        own.push(carry(place, &queue, &letters, || prompt(place, free_address()?)).await?);
        bare.push(carry(place, BARE, &letters, || minimum(place)).await?);
        progress(&format!("{:?} beside {:?}", own.last(), bare.last()));
    }
    let of = |rounds: &[Round], what: fn(&Round) -> f64| median(rounds.iter().map(what));
    let row = |name: &str, digits, what: fn(&Round) -> f64| {
        Row::new(name, of(&own, what), digits).beside(of(&bare, what))
    };
    Ok(vec![
        row("worker: events/s", 0, |round| round.rate)
            .bar(Bar::AtLeast(3_000.0))
            .ratio_bar(Bar::AtLeast(0.5)),
        row("worker: CPU s for 1 000 events", 3, |round| round.cpu),
        row("worker: peak memory, MB", 1, |round| round.peak),
    ])
}

/// Queues and tables: the worker lays out its own in a short life.
async fn set_up(place: &Place) -> Fallible<()> {
    let address = free_address()?;
    let process = prompt(place, address)?;
    wait::ready(&format!("http://{address}/readyz")).await?;
    process.stop().await?;
    place.broker.declare(BARE).await?;
    place.broker.declare(SINK).await?;
    place.broker.bind(SINK, &format!("{PREFIX}.status"), "status.prompt").await?;
    let table = "CREATE TABLE carried (id uuid PRIMARY KEY)";
    sqlx::query(table).execute(&place.pool).await?;
    Ok(())
}

/// Fills a queue, then lets a process carry it; the clock runs from the first word it tells.
async fn carry(
    place: &Place,
    queue: &str,
    letters: &[Letter],
    start: impl Fn() -> Fallible<Process>,
) -> Fallible<Round> {
    let all = u64::try_from(letters.len())?;
    place.broker.empty(SINK).await?;
    place.broker.fill(queue, letters).await?;
    let mut process = start()?;
    let mut told = 0;
    wait::until("the first is told", LOOK, async || {
        process.check()?;
        told = place.broker.waiting(SINK).await?;
        Ok(told > 0)
    })
    .await?;
    let (began, before, already) = (Instant::now(), process::usage(process.pid())?, told);
    wait::until("all is told", LOOK, async || Ok(place.broker.waiting(SINK).await? >= all)).await?;
    let (took, after) = (began.elapsed(), process::usage(process.pid())?);
    process.stop().await?;
    let told = place.broker.waiting(SINK).await?;
    if told != all {
        return Err(format!("{all} events were put in, {told} were told").into());
    }
    place.broker.empty(queue).await?;
    let carried = all - already;
    let cpu = (after.cpu - before.cpu).as_secs_f64();
    Ok(Round {
        rate: rate(carried, took),
        cpu: cpu * 1_000.0 / float(carried),
        peak: float(after.peak) / 1_024.0,
    })
}

fn prompt(place: &Place, address: SocketAddr) -> Fallible<Process> {
    Ok(Role::Prompt.start(&[
        ("AMQP_URL", &place.harbour.amqp_url),
        ("AMQP_PREFIX", PREFIX),
        ("DATABASE_URL", &place.harbour.database_url),
        ("HTTP_LISTEN", &address.to_string()),
    ])?)
}

fn minimum(place: &Place) -> Fallible<Process> {
    let event = payment(1)?;
    let order = event.order().ok_or("an event without an order")?;
    let length = answer(order.clone(), event.id()).to_json()?.len();
    Ok(Role::BareCarrier.start(&[
        ("AMQP_URL", &place.harbour.amqp_url),
        ("DATABASE_URL", &place.harbour.database_url),
        ("QUEUE", BARE),
        ("EXCHANGE", &format!("{PREFIX}.status")),
        ("KEY", "status.prompt"),
        ("LENGTH", &length.to_string()),
    ])?)
}

fn letter(order: u64) -> Fallible<Letter> {
    let event = payment(order)?;
    Ok(Letter { id: event.id().to_string(), body: event.to_json()? })
}
