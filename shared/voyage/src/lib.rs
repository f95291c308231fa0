//! The whole way in one run: real processes, a broker and a database of their own, and whatever
//! happens to them.
//!
//! [`Harbour`] is a private broker and database that may be killed, [`Fleet`] the services as
//! processes, [`Shop`] a site that calls ingress as the site module does. The stories are in
//! `tests/it`.

mod fleet;
mod harbour;
mod shop;

pub use fleet::{Fleet, MARKING, SERVICES};
pub use harbour::{Harbour, Wharf};
pub use shop::{Shop, snapshot};
