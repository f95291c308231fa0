#![doc = include_str!("../README.md")]
#![expect(
    clippy::float_arithmetic,
    reason = "rates, ratios and medians of measurements; nothing here is money or a quantity"
)]

mod bare;
mod bars;
mod broker;
mod calls;
mod carrying;
mod door;
mod load;
mod numbers;
mod place;
mod process;
mod prompt;
mod report;
mod role;
mod upkeep;
mod wait;

use std::process::ExitCode;

use clap::Parser;

use crate::{place::Place, report::Report, role::Role};

/// Why a measurement could not be made. It is for the person who started it.
type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// How the measurement is made.
#[derive(Debug, Clone, Parser)]
#[command(name = "bench", version, about = "How fast and how small Parom is.")]
struct Plan {
    /// How often each figure is taken; the median is printed.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=99))]
    rounds: u32,
    /// Only these parts.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["ingress", "worker", "services"])]
    only: Vec<Part>,
    /// Webhooks at full load, each round.
    #[arg(long, default_value_t = 20_000)]
    webhooks: u64,
    /// Connections that send them.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Webhooks at 200 a second, each round.
    #[arg(long, default_value_t = 1_600)]
    paced: u64,
    /// Events that a worker carries, each round.
    #[arg(long, default_value_t = 20_000)]
    events: u64,
    /// Orders that go through all services, each round.
    #[arg(long, default_value_t = 2_000)]
    orders: u64,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Webhooks taken.
    Ingress,
    /// Events carried by the runtime.
    Worker,
    /// Memory and processor time of each service.
    Services,
}

fn main() -> ExitCode {
    match Role::of_this_process() {
        Some(role) => role.play(),
        None => measure(&Plan::parse()),
    }
}

/// 0 when all bars hold, 1 when one does not, 2 when nothing could be measured.
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "the figures are what this is for")]
fn measure(plan: &Plan) -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("bench: {error}");
            return ExitCode::from(2);
        }
    };
    // Also when it is interrupted, what it started is stopped.
    let figures = async {
        tokio::select! {
            figures = figures(plan) => figures,
            stopped = wait::told_to_stop() => stopped.and(Err("interrupted".into())),
        }
    };
    match runtime.block_on(figures) {
        Ok(report) => {
            println!("{report}");
            for missed in report.missed() {
                eprintln!("bench: {missed}");
            }
            ExitCode::from(u8::from(report.missed().next().is_some()))
        }
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::from(2)
        }
    }
}

async fn figures(plan: &Plan) -> Fallible<Report> {
    let load = process::load();
    let place = Place::open().await?;
    let mut report = Report::new(place.setting(load).await?);
    if plan.only.contains(&Part::Ingress) {
        report.add(door::measure(&place, plan).await?);
    }
    if plan.only.contains(&Part::Worker) {
        report.add(carrying::measure(&place, plan).await?);
    }
    if plan.only.contains(&Part::Services) {
        report.add(upkeep::measure(&place, plan).await?);
    }
    Ok(report)
}
