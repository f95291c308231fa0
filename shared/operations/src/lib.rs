//! What operators are given, as data: the list of services, settings, manifests, alarms, dashboards.
//!
//! Nothing here runs in production. `tests/it` holds each of these against what the services say of
//! themselves: their `--help` and their `/metrics/names`.

pub mod files;
pub mod queries;
pub mod services;
