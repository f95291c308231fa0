//! The services as processes that can be killed and started again.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// The services of the whole way.
pub const SERVICES: [&str; 3] = ["ingress", "fiscal", "status"];

/// The service that withdraws marking codes, for stories that have some.
pub const MARKING: &str = "marking";

/// Processes of one run.
#[derive(Debug)]
pub struct Fleet {
    binaries: PathBuf,
    logs: PathBuf,
    environment: BTreeMap<String, String>,
    ports: BTreeMap<&'static str, u16>,
    ships: BTreeMap<&'static str, Child>,
    /// Further replicas, in the order of their joining.
    more: Vec<(String, Child)>,
}

impl Fleet {
    /// A fleet at anchor: nothing runs yet. `environment` is what all services are told.
    ///
    /// # Errors
    /// When there is no free port, or the programs are not built.
    pub fn new(logs: &Path, environment: BTreeMap<String, String>) -> io::Result<Self> {
        let binaries = binaries()?;
        let mut ports = BTreeMap::new();
        // All listeners at once, so that no two get the same port.
        let mut held = Vec::new();
        for name in SERVICES.into_iter().chain([MARKING]) {
            let listener = TcpListener::bind(("127.0.0.1", 0))?;
            ports.insert(name, listener.local_addr()?.port());
            held.push(listener);
        }
        drop(held);
        Ok(Self {
            binaries,
            logs: logs.to_owned(),
            environment,
            ports,
            ships: BTreeMap::new(),
            more: Vec::new(),
        })
    }

    /// Adds to what all services are told from their next start on.
    pub fn tell(&mut self, name: &str, value: impl Into<String>) {
        self.environment.insert(name.to_owned(), value.into());
    }

    /// Where a service is.
    #[must_use]
    pub fn url(&self, name: &str) -> String {
        format!("http://127.0.0.1:{}", self.ports.get(name).copied().unwrap_or_default())
    }

    /// Starts a service.
    ///
    /// # Errors
    /// When its program is not there.
    pub fn start(&mut self, name: &'static str) -> io::Result<()> {
        let port = self.ports.get(name).copied().unwrap_or_default();
        let ship = self.launch(name, port)?;
        self.ships.insert(name, ship);
        Ok(())
    }

    /// Starts one more replica of a service, at any port.
    ///
    /// # Errors
    /// When its program is not there.
    pub fn join(&mut self, name: &str) -> io::Result<()> {
        let ship = self.launch(name, 0)?;
        self.more.push((name.to_owned(), ship));
        Ok(())
    }

    /// How many further replicas of a service there are.
    #[must_use]
    pub fn joined(&self, name: &str) -> usize {
        self.more.iter().filter(|(joined, _)| joined == name).count()
    }

    /// Takes the replica of a service that joined first out again: with SIGTERM as a deployment does, which waits until
    /// it has drained, or with SIGKILL.
    ///
    /// # Errors
    /// When there is none, it could not be told, or it does not end well.
    pub fn leave(&mut self, name: &str, kill: bool) -> io::Result<()> {
        let Some(at) = self.more.iter().position(|(joined, _)| joined == name) else {
            return Err(io::Error::other(format!("no further replica of {name}")));
        };
        let (_, mut ship) = self.more.remove(at);
        if kill {
            ship.kill()?;
            return ship.wait().map(drop);
        }
        let told = Command::new("kill").args(["-TERM", &ship.id().to_string()]).status()?;
        let ended = ship.wait()?;
        if told.success() && ended.success() {
            Ok(())
        } else {
            Err(io::Error::other(format!("{name} ended with {ended}")))
        }
    }

    /// Kills a service with SIGKILL.
    ///
    /// # Errors
    /// When it could not be killed.
    pub fn kill(&mut self, name: &str) -> io::Result<()> {
        if let Some(mut ship) = self.ships.remove(name) {
            ship.kill()?;
            ship.wait()?;
        }
        Ok(())
    }

    /// The process number of a service that runs.
    #[must_use]
    pub fn pid(&self, name: &str) -> Option<u32> {
        self.ships.get(name).map(Child::id)
    }

    /// Waits until a service says that it is ready.
    ///
    /// # Errors
    /// When it does not within `limit`; the end of its log is in the error.
    pub async fn wait_ready(&mut self, name: &str, limit: Duration) -> io::Result<()> {
        let url = format!("{}/readyz", self.url(name));
        let client = crate::shop::client();
        let end = Instant::now() + limit;
        while Instant::now() < end && self.ships.get_mut(name).is_some_and(runs) {
            if client.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            pause().await;
        }
        let log = std::fs::read_to_string(self.logs.join(format!("{name}.log")))?;
        let tail: Vec<&str> = log.lines().rev().take(10).collect();
        Err(io::Error::other(format!("{name} is not ready within {limit:?}: {tail:#?}")))
    }

    fn launch(&self, name: &str, port: u16) -> io::Result<Child> {
        let log = self.log(name)?;
        let mut command = Command::new(self.binaries.join(name));
        command.env_clear();
        for kept in ["PATH", "HOME", "RUST_BACKTRACE"] {
            if let Ok(value) = std::env::var(kept) {
                command.env(kept, value);
            }
        }
        command
            .envs(self.environment.iter().filter(|(key, _)| concerns(name, key)))
            .env("HTTP_LISTEN", format!("127.0.0.1:{port}"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
    }

    fn log(&self, name: &str) -> io::Result<File> {
        std::fs::create_dir_all(&self.logs)?;
        OpenOptions::new().create(true).append(true).open(self.logs.join(format!("{name}.log")))
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for ship in self.ships.values_mut().chain(self.more.iter_mut().map(|(_, ship)| ship)) {
            ship.kill().ok();
            ship.wait().ok();
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "between two looks at a process")]
async fn pause() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}

fn runs(ship: &mut Child) -> bool {
    ship.try_wait().is_ok_and(|ended| ended.is_none())
}

/// A service refuses settings that begin like its own and are none, so each gets its own only.
fn concerns(service: &str, variable: &str) -> bool {
    let only =
        |prefix: &str, owner: &[&str]| !variable.starts_with(prefix) || owner.contains(&service);
    only("FISCAL_", &["fiscal"])
        && only("CLOUDKASSIR_", &["fiscal"])
        && only("BITRIX_", &["ingress", "status"])
        && only("RECONCILE_", &["ingress"])
        && only("INGRESS_", &["ingress"])
        && only("STATUS_", &["status"])
        && only("MARKING_", &[MARKING])
        && only("GISMT_", &[MARKING])
        && only("SIGNER_", &[MARKING])
}

/// Where the services' programs are: beside this one or, for a test, beside the tests' folder; or
/// where `PAROM_BINARIES` says.
fn binaries() -> io::Result<PathBuf> {
    let folders: Vec<PathBuf> = match std::env::var_os("PAROM_BINARIES") {
        Some(folder) => vec![PathBuf::from(folder)],
        // target/<profile>/<program> and target/<profile>/deps/<test>
        None => std::env::current_exe()?.ancestors().skip(1).take(2).map(Path::to_owned).collect(),
    };
    let complete = |folder: &&PathBuf| SERVICES.iter().all(|name| folder.join(name).is_file());
    folders.iter().find(complete).cloned().ok_or_else(|| {
        io::Error::other(format!(
            "the programs {SERVICES:?} are not all in one of {folders:?}: cargo build --workspace --bins"
        ))
    })
}
