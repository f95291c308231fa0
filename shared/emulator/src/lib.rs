//! The outside systems as strict HTTP servers with books of effects and faults on command. Never in production.
//!
//! One process, one port: the Bitrix24 portal's REST under `/bitrix`, the site module's endpoint under `/site`,
//! CloudKassir under `/cloudkassir`, ATOL Online, OrangeData and the brief's contract under `/atol`, `/orangedata` and
//! `/cloudkassir-v1`, a 1C base under `/1c`, GIS MT under `/gismt`, UTMs of EGAIS under `/utm`, Diadoc under `/diadoc`,
//! the control interface under `/_…`. Tests embed it with [`Emulator::start`];
//! the program `emulator` serves it alone. It depends on none of Parom's crates, so that it mirrors none of their bugs.
//! What it serves, strikes and books is listed in the crate's README.

mod answer;
mod basic;
mod clock;
mod control;
mod faults;
mod outgoing;
mod page;
mod serve;
mod signature;
mod violations;

pub mod atol;
pub mod bitrix;
pub mod cloudkassir;
pub mod cloudkassir_v1;
pub mod diadoc;
pub mod gismt;
pub mod onec;
pub mod orangedata;
pub mod settings;
pub mod site;
pub mod till;
pub mod utm;

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use axum::{Router, extract::DefaultBodyLimit};
use tokio::{net::TcpListener, sync::watch};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use self::{
    bitrix::Bitrix, cloudkassir::CloudKassir, diadoc::Diadoc, gismt::Gismt, onec::OneC,
    outgoing::Outgoing, serve::Server, site::Site, till::Till, utm::Utm,
};
pub use self::{
    clock::Clock,
    faults::{Cut, Fault, FaultError, Faults, Kind, Standing, System},
    outgoing::{Deliveries, Delivery},
    settings::Settings,
    violations::Violations,
};

/// The largest body that is taken.
const BODY_MAX: usize = 48 * 1024 * 1024;

/// All outside systems and their books.
#[derive(Debug)]
pub struct Emulator {
    settings: RwLock<Arc<Settings>>,
    /// The vendors' time.
    pub clock: Clock,
    /// Faults in force.
    pub faults: Faults,
    /// The Bitrix24 portal.
    pub bitrix: Bitrix,
    /// The site module.
    pub site: Site,
    /// The fiscal cloud.
    pub cloudkassir: CloudKassir,
    /// The 1C base.
    pub onec: OneC,
    /// ATOL Online.
    pub atol: Till,
    /// OrangeData.
    pub orangedata: Till,
    /// The contract of the customer's brief.
    pub cloudkassir_v1: Till,
    /// The register behind Honest Sign.
    pub gismt: Gismt,
    /// The transport modules of EGAIS.
    pub utm: Utm,
    /// The operator of electronic documents.
    pub diadoc: Diadoc,
    pub(crate) outgoing: Outgoing,
    pub(crate) open: watch::Sender<bool>,
}

/// An emulator that serves. It stops when this is dropped.
#[derive(Debug)]
pub struct Running {
    /// Where it serves, as `http://127.0.0.1:8090`, without a slash at the end.
    pub base_url: String,
    /// Where it serves.
    pub address: SocketAddr,
    /// The systems: books, faults, clock and settings without a way through HTTP.
    pub emulator: Arc<Emulator>,
    connections: TaskTracker,
    stop: DropGuard,
}

impl Emulator {
    /// Starts to serve; answers once the port is bound.
    ///
    /// # Errors
    /// If the address cannot be bound.
    pub async fn start(settings: Settings) -> io::Result<Running> {
        let listener = TcpListener::bind(settings.listen).await?;
        let address = listener.local_addr()?;
        let emulator = Arc::new(Self::new(settings));
        let stop = CancellationToken::new();
        let connections = TaskTracker::new();
        let server = Server {
            emulator: Arc::clone(&emulator),
            router: router(&emulator),
            stop: stop.clone(),
            open: emulator.open.subscribe(),
            connections: connections.clone(),
        };
        connections.spawn(server.run(listener, address));
        connections.close();
        let base_url = format!("http://{address}");
        Ok(Running { base_url, address, emulator, connections, stop: stop.drop_guard() })
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the settings in force. The address and the time-out for sending stay as they were at the start.
    pub fn change(&self, change: impl FnOnce(&mut Settings)) {
        let mut current = self.settings.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut current));
    }

    /// Closes the port (connects are refused, idle connections end) or opens it again.
    pub fn listen(&self, listen: Listen) {
        self.open.send_replace(listen == Listen::Open);
    }

    /// Empties all books, ends all faults, sets the clock right. Settings stay.
    pub fn reset(&self) {
        self.faults.clear();
        self.clock.reset();
        self.bitrix.reset();
        self.site.reset();
        self.cloudkassir.reset();
        self.onec.reset();
        self.gismt.reset();
        self.utm.reset();
        self.diadoc.reset();
        for till in [&self.atol, &self.orangedata, &self.cloudkassir_v1] {
            till.reset();
        }
    }

    /// The books of a register beside CloudKassir; `None` for what is none.
    #[must_use]
    pub fn till(&self, system: System) -> Option<&Till> {
        match system {
            System::Atol => Some(&self.atol),
            System::OrangeData => Some(&self.orangedata),
            System::CloudKassirV1 => Some(&self.cloudkassir_v1),
            System::Bitrix
            | System::Site
            | System::CloudKassir
            | System::OneC
            | System::Gismt
            | System::Utm
            | System::Diadoc => None,
        }
    }

    fn new(settings: Settings) -> Self {
        Self {
            outgoing: Outgoing::new(Duration::from_secs(settings.send_timeout_s)),
            settings: RwLock::new(Arc::new(settings)),
            clock: Clock::default(),
            faults: Faults::default(),
            bitrix: Bitrix::default(),
            site: Site::default(),
            cloudkassir: CloudKassir::default(),
            onec: OneC::default(),
            atol: Till::default(),
            orangedata: Till::default(),
            cloudkassir_v1: Till::default(),
            gismt: Gismt::default(),
            utm: Utm::default(),
            diadoc: Diadoc::default(),
            open: watch::Sender::new(true),
        }
    }
}

/// Whether the port is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listen {
    /// Connections are accepted.
    Open,
    /// Nothing listens.
    Closed,
}

impl Running {
    /// Stops and waits until every connection has ended.
    pub async fn shutdown(self) {
        drop(self.stop);
        self.connections.wait().await;
    }

    /// The address of the portal's REST with its code, as Parom's settings want it, with a slash at the end.
    #[must_use]
    pub fn bitrix_rest_url(&self) -> String {
        let settings = self.emulator.settings();
        bitrix::rest_url(&self.base_url, &settings.bitrix)
    }

    /// The address of the site module's endpoint.
    #[must_use]
    pub fn site_url(&self) -> String {
        format!("{}/site/parom/status", self.base_url)
    }

    /// The base address of ATOL Online, `v4` or `v5`.
    #[must_use]
    pub fn atol_url(&self, version: &str) -> String {
        format!("{}/atol/{version}", self.base_url)
    }

    /// The base address of OrangeData.
    #[must_use]
    pub fn orangedata_url(&self) -> String {
        format!("{}/orangedata", self.base_url)
    }

    /// The base address of the brief's contract.
    #[must_use]
    pub fn cloudkassir_v1_url(&self) -> String {
        format!("{}/cloudkassir-v1", self.base_url)
    }

    /// The base address of CloudKassir.
    #[must_use]
    pub fn cloudkassir_url(&self) -> String {
        format!("{}/cloudkassir", self.base_url)
    }

    /// The base address of GIS MT; `/api/v3/true-api` follows.
    #[must_use]
    pub fn gismt_url(&self) -> String {
        format!("{}/gismt", self.base_url)
    }

    /// The base address of the UTM whose key has this FSRAR_ID; `/opt/in` follows.
    #[must_use]
    pub fn utm_url(&self, fsrar_id: &str) -> String {
        format!("{}/utm/{fsrar_id}", self.base_url)
    }

    /// The base address of Diadoc.
    #[must_use]
    pub fn diadoc_url(&self) -> String {
        format!("{}/diadoc", self.base_url)
    }

    /// The base address of Diadoc's provider of tokens.
    #[must_use]
    pub fn diadoc_identity_url(&self) -> String {
        format!("{}/diadoc-identity", self.base_url)
    }

    /// The base address of 1C's HTTP service.
    #[must_use]
    pub fn onec_url(&self) -> String {
        format!("{}/1c/hs/parom", self.base_url)
    }
}

fn router(emulator: &Arc<Emulator>) -> Router {
    Router::new()
        .nest("/bitrix/rest", bitrix::router(emulator))
        .nest("/site", site::router(emulator))
        .nest("/cloudkassir", cloudkassir::router(emulator))
        .nest("/atol", atol::router(emulator))
        .nest("/orangedata", orangedata::router(emulator))
        .nest("/cloudkassir-v1", cloudkassir_v1::router(emulator))
        .nest("/1c/hs/parom", onec::router(emulator))
        .nest("/gismt", gismt::router(emulator))
        .nest("/utm", utm::router(emulator))
        .nest("/diadoc", diadoc::router(emulator))
        .nest("/diadoc-identity", diadoc::identity(emulator))
        .merge(bitrix::control())
        .merge(bitrix::cashbox())
        .merge(site::control())
        .merge(cloudkassir::control())
        .merge(till::control())
        .merge(onec::control())
        .merge(gismt::control())
        .merge(utm::control())
        .merge(diadoc::control())
        .merge(faults::control())
        .merge(control::router())
        .merge(page::router())
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .with_state(Arc::clone(emulator))
}
