//! A private broker and a private database, set up by the scripts that `make up` uses.

use std::{
    io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Which of the two servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wharf {
    /// `RabbitMQ`.
    Broker,
    /// PostgreSQL.
    Database,
}

/// Both servers, in a folder of their own. They stop when this is dropped.
#[derive(Debug)]
pub struct Harbour {
    root: PathBuf,
    folder: PathBuf,
    /// Where the broker is.
    pub amqp_url: String,
    /// Where the database is.
    pub database_url: String,
}

impl Harbour {
    /// Starts both servers; `name` tells this harbour from others on the machine.
    ///
    /// # Errors
    /// When a script fails; it has said why on standard error.
    pub fn open(name: &str) -> io::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
        let folder = root.join(".dev").join(format!("{name}-{}", std::process::id()));
        let mut harbour =
            Self { root, folder, amqp_url: String::new(), database_url: String::new() };
        harbour.amqp_url = harbour.start(Wharf::Broker)?;
        harbour.database_url = harbour.start(Wharf::Database)?;
        Ok(harbour)
    }

    /// Where services may write their logs.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Starts a server, at the same address as before, and tells the address.
    ///
    /// # Errors
    /// When the script fails.
    pub fn start(&self, wharf: Wharf) -> io::Result<String> {
        let said = self.script(wharf, &["use", "parom_voyage"])?;
        let name = match wharf {
            Wharf::Broker => "export AMQP_URL=",
            Wharf::Database => "export DATABASE_URL=",
        };
        let line = said.lines().find_map(|line| line.strip_prefix(name));
        let url = line.ok_or_else(|| io::Error::other("the script told no address"))?;
        // The script quotes for the shell.
        Ok(url.replace('\\', ""))
    }

    /// Kills a server with SIGKILL.
    ///
    /// # Errors
    /// When its process is not found.
    pub fn kill(&self, wharf: Wharf) -> io::Result<()> {
        let pid = self.script(wharf, &["pid"])?;
        let status = Command::new("kill").args(["-KILL", pid.trim()]).status()?;
        if status.success() { Ok(()) } else { Err(io::Error::other("there was nothing to kill")) }
    }

    fn script(&self, wharf: Wharf, arguments: &[&str]) -> io::Result<String> {
        let script = match wharf {
            Wharf::Broker => "deploy/dev/broker.sh",
            Wharf::Database => "deploy/dev/database.sh",
        };
        let output = Command::new(self.root.join(script))
            .args(arguments)
            .current_dir(&self.root)
            .env_remove("AMQP_URL")
            .env_remove("DATABASE_URL")
            .env("PAROM_DEV", &self.folder)
            .env("PAROM_PRIVATE", "1")
            .stderr(Stdio::inherit())
            .output()?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(io::Error::other(format!("{script} {arguments:?} failed")))
        }
    }
}

impl Drop for Harbour {
    fn drop(&mut self) {
        for wharf in [Wharf::Broker, Wharf::Database] {
            self.script(wharf, &["stop"]).ok();
        }
        if !std::thread::panicking() {
            std::fs::remove_dir_all(&self.folder).ok();
        }
    }
}
