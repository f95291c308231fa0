//! Keys and certificates for tests, made on the spot by OpenSSL's GOST engine. Whoever needs them
//! needs the package `libengine-gost-openssl`, which `make test` installs.
#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::{path::PathBuf, process::Command};

use clap::{Command as Cli, FromArgMatches};
use tempfile::TempDir;

use crate::SignerArgs;

/// Whose certificate is made.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The name (CN).
    pub name: &'static str,
    /// The organisation's INN (10 digits), or a person's (12).
    pub inn: &'static str,
    /// How long it holds from now; negative for one that has ended.
    pub days: i32,
    /// Bits of the key: 256 or 512.
    pub bits: u16,
    /// The key's password.
    pub password: Option<&'static str>,
}

impl Subject {
    /// A certificate for 90 days with this INN.
    #[must_use]
    pub const fn of(inn: &'static str) -> Self {
        Self { name: "ООО Пример (ТЕСТ)", inn, days: 90, bits: 256, password: None }
    }
}

/// A key and its self-signed certificate, as files that are gone when this is dropped.
#[derive(Debug)]
pub struct Pair {
    folder: TempDir,
}

impl Pair {
    /// Makes both.
    ///
    /// # Panics
    /// When OpenSSL has no GOST engine.
    #[must_use]
    pub fn make(subject: &Subject) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let pair = Self { folder };
        let algorithm = format!("gost2012_{}", subject.bits);
        let digest = format!("-md_gost12_{}", subject.bits);
        let set = if subject.bits == 256 { "paramset:TCA" } else { "paramset:A" };
        let config = pair.file("req.cnf");
        std::fs::write(&config, request(subject)).expect("a file");
        let mut key = openssl(&["genpkey", "-engine", "gost", "-algorithm", &algorithm]);
        key.args(["-pkeyopt", set]).arg("-out").arg(pair.key());
        if let Some(password) = subject.password {
            key.args(["-aes256", "-pass", &format!("pass:{password}")]);
        }
        done(key);
        let days = subject.days.max(1).to_string();
        let mut made =
            openssl(&["req", "-engine", "gost", "-new", "-x509", &digest, "-utf8", "-days", &days]);
        made.arg("-config")
            .arg(&config)
            .arg("-key")
            .arg(pair.key())
            .arg("-out")
            .arg(pair.certificate());
        if let Some(password) = subject.password {
            made.args(["-passin", &format!("pass:{password}")]);
        }
        done(made);
        if subject.days <= 0 {
            pair.backdate(&digest, subject);
        }
        pair
    }

    /// Where the certificate is, PEM.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.file("certificate.pem")
    }

    /// Where the key is, PEM.
    #[must_use]
    pub fn key(&self) -> PathBuf {
        self.file("key.pem")
    }

    /// The settings of a signer with this key: those of the command line's defaults.
    #[must_use]
    pub fn args(&self) -> SignerArgs {
        let path = |path: PathBuf| path.display().to_string();
        args(&[
            "--signer-kind=gost".to_owned(),
            format!("--signer-certificate-path={}", path(self.certificate())),
            format!("--signer-key-path={}", path(self.key())),
        ])
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A certificate that ended yesterday: `req` knows days from now only, `ca` knows dates.
    fn backdate(&self, digest: &str, subject: &Subject) {
        let (index, serial) = (self.file("index.txt"), self.file("serial"));
        std::fs::write(&index, "").expect("a file");
        std::fs::write(&serial, "01").expect("a file");
        let wanted = self.file("request.pem");
        let mut ask = openssl(&["req", "-engine", "gost", "-new", digest, "-utf8"]);
        ask.arg("-config")
            .arg(self.file("req.cnf"))
            .arg("-key")
            .arg(self.key())
            .arg("-out")
            .arg(&wanted);
        done(ask);
        let folder = self.folder.path().display();
        let config = format!(
            "oid_section = oids\n[oids]\ninnle = 1.2.643.100.4\n[ca]\ndefault_ca = own\n[own]\ndatabase = {folder}/index.txt\nserial = {folder}/serial\n\
             new_certs_dir = {folder}\npolicy = any\nunique_subject = no\nx509_extensions = v3\n\
             [any]\n{ANY}\n{V3}"
        );
        let file = self.file("ca.cnf");
        std::fs::write(&file, config).expect("a file");
        let mut made = openssl(&[
            "ca",
            "-engine",
            "gost",
            "-selfsign",
            "-batch",
            "-notext",
            "-utf8",
            "-preserveDN",
        ]);
        made.args(["-md", digest.trim_start_matches('-')]);
        let ended =
            time::OffsetDateTime::now_utc() + time::Duration::days(i64::from(subject.days) - 1);
        let began = ended - time::Duration::days(30);
        made.args(["-startdate", &stamp(began), "-enddate", &stamp(ended)]);
        made.arg("-config").arg(&file).arg("-keyfile").arg(self.key());
        made.arg("-in").arg(&wanted).arg("-out").arg(self.certificate());
        done(made);
    }
}

const ANY: &str =
    "commonName = supplied\norganizationName = optional\ninnle = optional\nINN = optional\n";
const V3: &str = "[v3]\nbasicConstraints = critical,CA:FALSE\nkeyUsage = critical,digitalSignature,nonRepudiation\n";

fn stamp(at: time::OffsetDateTime) -> String {
    let format = time::macros::format_description!("[year][month][day][hour][minute][second]Z");
    at.format(format).expect("a date")
}

fn request(subject: &Subject) -> String {
    let (name, inn) = (subject.name, subject.inn);
    // OpenSSL cuts the first number off, as it does for names that stand twice.
    let oid = if inn.len() == 10 { "1.1.2.643.100.4" } else { "1.1.2.643.3.131.1.1" };
    format!(
        "[req]\ndistinguished_name = dn\nprompt = no\nx509_extensions = v3\nutf8 = yes\nstring_mask = utf8only\n\
         [dn]\nCN = {name}\nO = {name}\n{oid} = {inn}\n{V3}"
    )
}

/// Settings as from the command line.
///
/// # Panics
/// When they are none.
#[must_use]
pub fn args(arguments: &[String]) -> SignerArgs {
    let command = <SignerArgs as clap::Args>::augment_args(Cli::new("signer"));
    let command = command.mut_args(|arg| arg.env(clap::builder::Resettable::Reset));
    let all = std::iter::once("signer".to_owned()).chain(arguments.iter().cloned());
    let matches = command.try_get_matches_from(all).expect("settings");
    SignerArgs::from_arg_matches(&matches).expect("settings")
}

fn openssl(arguments: &[&str]) -> Command {
    let mut command = Command::new("openssl");
    command.args(arguments);
    command
}

fn done(mut command: Command) {
    let output = command.output().expect("openssl");
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        panic!("OpenSSL's GOST engine (package libengine-gost-openssl): {said}");
    }
}
