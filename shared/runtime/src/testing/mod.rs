//! For tests: a job without the runtime, tables of its own, and a service of its own broker names and database.

mod job;
mod proxy;
mod said;
mod stage;
mod tables;

pub use crate::crash::CrashPoint;
pub use job::{End, Job};
pub use proxy::Proxy;
pub use said::{ORDER, Said};
pub use stage::{Letter, Service, Stage};
pub use tables::Tables;
