//! Where it is measured: a broker and a database of our own, and the services' settings there.

use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Command,
};

use sqlx::PgPool;
use voyage::{Fleet, Harbour};

use crate::{Fallible, broker::Broker};

/// The first word of all queues' names.
pub(crate) const PREFIX: &str = "parom";

/// The place.
pub(crate) struct Place {
    pub harbour: Harbour,
    pub broker: Broker,
    pub pool: PgPool,
}

impl Place {
    /// Starts a broker and a database.
    pub(crate) async fn open() -> Fallible<Self> {
        let harbour = Harbour::open("bench")?;
        let broker = Broker::connect(&harbour.amqp_url).await?;
        let pool = PgPool::connect(&harbour.database_url).await?;
        Ok(Self { harbour, broker, pool })
    }

    /// A line that says where, when and of what; `load` is the machine's before the start.
    pub(crate) async fn setting(&self, load: String) -> Fallible<String> {
        let commit = Command::new("git").args(["describe", "--always", "--dirty"]).output()?;
        let commit = String::from_utf8_lossy(&commit.stdout).trim().to_owned();
        let processors = std::thread::available_parallelism()?;
        let broker = broker_version(&self.harbour.amqp_url)?;
        let postgres: String =
            sqlx::query_scalar("SHOW server_version").fetch_one(&self.pool).await?;
        let postgres = postgres.split(' ').next().unwrap_or_default();
        let today = time::OffsetDateTime::now_utc().date();
        Ok(format!(
            "Parom {commit}, {processors} CPUs, RabbitMQ {broker}, PostgreSQL {postgres}, \
             load {load} before the start, {today}. \
             Everything, the senders, the broker and the database too, runs on this one machine."
        ))
    }

    /// The services, all at anchor; `base` is where the outside systems are.
    pub(crate) fn fleet(&self, base: &str) -> Fallible<Fleet> {
        let folder = self.harbour.folder();
        let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/demo");
        for name in ["bitrix.toml", "fiscal.toml"] {
            let text = std::fs::read_to_string(demo.join(name))?;
            std::fs::write(folder.join(name), text.replace("http://127.0.0.1:8090", base))?;
        }
        let file = |name: &str| folder.join(name).display().to_string();
        let told = [
            ("AMQP_URL", self.harbour.amqp_url.clone()),
            ("AMQP_PREFIX", PREFIX.to_owned()),
            ("DATABASE_URL", self.harbour.database_url.clone()),
            ("BITRIX_SHOPS_FILE", file("bitrix.toml")),
            ("FISCAL_SHOPS_FILE", file("fiscal.toml")),
            ("CLOUDKASSIR_BASE_URL", format!("{base}/cloudkassir")),
            // The portal is not part of any of these journeys.
            ("RECONCILE_EVERY", "0s".to_owned()),
        ];
        let told: BTreeMap<String, String> =
            told.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Ok(Fleet::new(folder, told)?)
    }
}

/// The version that the broker names when one connects. lapin does not hand it on, the scripts
/// that started the broker know how to ask.
fn broker_version(url: &str) -> Fallible<String> {
    let url = url::Url::parse(url)?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/dev/amqp.sh");
    let output = Command::new("bash")
        .args(["-c", r#". "$0"; amqp_open "$@""#])
        .arg(script)
        .args([url.host_str().unwrap_or_default(), &url.port().unwrap_or(5672).to_string()])
        .args([url.username(), url.password().unwrap_or_default(), url.path().trim_matches('/')])
        .output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// An address at which nobody listens.
pub(crate) fn free_address() -> Fallible<SocketAddr> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?)
}

/// A program that was built beside this one.
pub(crate) fn beside(name: &str) -> Fallible<PathBuf> {
    let program = std::env::current_exe()?.with_file_name(name);
    match program.is_file() {
        true => Ok(program),
        false => Err(format!("there is no {}; `make bench` builds it", program.display()).into()),
    }
}
