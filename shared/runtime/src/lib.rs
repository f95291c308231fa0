//! The worker runtime: queues, leases, retries, dead letters, outbox, metrics, traces, shutdown.
//!
//! A service is a [`Worker`]; its `main` is [`run`]. `docs/ARCHITECTURE.md` tells how a message
//! goes through this crate, and `docs/adding-a-worker.md` how to write the next service.

mod breaker;
mod bus;
mod crash;
mod database;
mod decide;
mod desk;
mod engine;
mod evidence;
mod gather;
pub mod http;
mod kit;
mod mail;
mod metrics;
mod outbound;
mod pause;
mod probe;
pub mod rate;
mod reasons;
mod registry;
mod renew;
mod retry;
mod run;
mod secret;
mod serve;
pub mod session;
pub mod settings;
mod store;
mod subscribers;
mod sweeper;
mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
mod withheld;
mod words;
mod worker;

pub use bus::{Letter, Names, PublishError};
pub use desk::{Desk, Looked};
pub use gather::{Gather, Lost};
pub use kit::Kit;
pub use metrics::Metrics;
pub use registry::{Described, Registry};
pub use retry::RetryPolicy;
pub use run::run;
pub use secret::{Secret, SecretError};
pub use settings::StartError;
pub use store::StoreError;
pub use telemetry::traceparent;
pub use withheld::Withheld;
pub use worker::{Class, Failure, Next, Parts, Reason, Step, Worker};
