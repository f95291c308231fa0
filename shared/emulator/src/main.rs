//! The program `emulator`: the outside systems on one port until it is told to stop.

use clap::Parser;
use emulator::{Emulator, Settings};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// The outside systems (Bitrix, the site module, CloudKassir, 1C) for demonstration, tests and load. Never in production.
#[derive(Debug, Parser)]
#[command(name = "emulator", version)]
struct Arguments {
    #[command(flatten)]
    settings: Settings,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).json().init();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let running = Emulator::start(arguments.settings).await?;
    tracing::info!(url = running.base_url, "the emulator serves");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    running.shutdown().await;
    Ok(())
}
