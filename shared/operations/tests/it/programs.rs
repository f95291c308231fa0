//! The services as programs: what they say of themselves without a broker and a database.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU8, Ordering},
    time::{Duration, Instant},
};

use operations::{files, services};
use serde_json::Value;
use tempfile::TempDir;

/// Services whose crates are in this tree.
pub(crate) fn built() -> Vec<String> {
    let all = services::all();
    all.into_iter().filter(|(_, service)| service.is_built()).map(|(name, _)| name).collect()
}

/// The program of a service, beside the tests.
pub(crate) fn program(name: &str) -> PathBuf {
    let folders: Vec<PathBuf> = match std::env::var_os("PAROM_BINARIES") {
        Some(folder) => vec![PathBuf::from(folder)],
        None => {
            let here = std::env::current_exe().unwrap();
            here.ancestors().skip(1).take(2).map(Path::to_owned).collect()
        }
    };
    let found = folders.iter().map(|folder| folder.join(name)).find(|program| program.is_file());
    found.unwrap_or_else(|| {
        panic!("{name} is in none of {folders:?}: cargo build --workspace --bins")
    })
}

/// The settings that a program knows, from its `--help`.
pub(crate) fn known(name: &str) -> BTreeSet<String> {
    let output = Command::new(program(name)).arg("--help").env_clear().output().unwrap();
    assert!(output.status.success(), "{name} --help: {output:?}");
    let help = String::from_utf8(output.stdout).unwrap();
    let named = help.split("[env: ").skip(1).map(|rest| {
        let end = rest.find(|letter: char| {
            !letter.is_ascii_uppercase() && letter != '_' && !letter.is_ascii_digit()
        });
        rest.split_at(end.unwrap()).0.to_owned()
    });
    named.collect()
}

/// A copy of `deploy/production` whose secrets are there.
pub(crate) struct Production {
    folder: TempDir,
}

impl Production {
    pub(crate) fn copy() -> Self {
        let production = Self { folder: tempfile::tempdir().unwrap() };
        for file in files::folder("deploy/production", "") {
            let text = files::text(&file);
            production.make_secrets(&text);
            let name = file.rsplit('/').next().unwrap();
            fs::write(production.folder.path().join(name), production.moved(&text)).unwrap();
        }
        production
    }

    /// What a service is told, as Compose, Kubernetes and systemd tell it.
    pub(crate) fn environment(&self, service: &str) -> BTreeMap<String, String> {
        let mut told = files::settings("deploy/production/common.env");
        told.extend(files::settings(&format!("deploy/production/{service}.env")));
        told.into_iter().map(|(name, value)| (name, self.moved(&value))).collect()
    }

    fn moved(&self, text: &str) -> String {
        let here = self.folder.path().display().to_string();
        text.replace("/run/secrets", &here).replace("/etc/parom", &here)
    }

    fn make_secrets(&self, text: &str) {
        let word = |letter: char| !letter.is_ascii_alphanumeric() && letter != '-';
        for rest in text.split("/run/secrets/").skip(1) {
            let name = rest.split(word).next().unwrap();
            fs::write(self.folder.path().join(name), secret(name) + "\n").unwrap();
        }
    }
}

/// A secret of the right form. Nobody listens at these addresses: what a service says of itself needs neither.
fn secret(name: &str) -> String {
    match name {
        "database-url" => "postgres://nobody:none@127.0.0.1:9/none".to_owned(),
        "amqp-url" => "amqp://nobody:none@127.0.0.1:9/none".to_owned(),
        "bitrix-webhook-url" => "https://shop.bitrix24.example/rest/1/code/".to_owned(),
        "site-webhook-secret" => "whsec_cGFyb20gb3BlcmF0aW9ucyBzZWNyZXQgMDE=".to_owned(),
        other => format!("{other}-of-a-test"),
    }
}

/// An address that nobody else takes before the service does: services that start beside each other would otherwise be
/// given one port, and one would answer for the other. Linux has sixteen million loopback addresses.
fn free() -> SocketAddr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let [.., high, low] = std::process::id().to_be_bytes();
    let own = Ipv4Addr::new(127, high | 1, low, NEXT.fetch_add(1, Ordering::Relaxed));
    let listener = TcpListener::bind((own, 0)).or_else(|_| TcpListener::bind("127.0.0.1:0"));
    listener.unwrap().local_addr().unwrap()
}

/// A service that runs.
pub(crate) struct Running {
    process: Child,
    address: SocketAddr,
}

impl Running {
    /// Starts a service with the settings of production.
    pub(crate) fn start(name: &str, production: &Production) -> Self {
        let address = free();
        let process = Command::new(program(name))
            .env_clear()
            .envs(production.environment(name))
            .env("HTTP_LISTEN", address.to_string())
            .env("LOG", "off")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self { process, address }
    }

    /// What it answers to a GET, as soon as it answers at all.
    pub(crate) fn get(&mut self, path: &str) -> Value {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(body) = self.try_get(path) {
                return serde_json::from_str(&body).unwrap();
            }
            if let Some(status) = self.process.try_wait().unwrap() {
                let mut said = String::new();
                self.process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
                panic!("the service ended with {status}: {said}");
            }
            assert!(Instant::now() < end, "no answer from {}", self.address);
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn try_get(&self, path: &str) -> Option<String> {
        let mut line = TcpStream::connect(self.address).ok()?;
        line.write_all(format!("GET {path} HTTP/1.0\r\nHost: here\r\n\r\n").as_bytes()).ok()?;
        let mut answer = String::new();
        line.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        head.contains(" 200 ").then(|| body.to_owned())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
