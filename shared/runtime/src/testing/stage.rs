//! A stage for one test: a database and a set of broker names that nobody else has, and services
//! on it that can be stopped or killed.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use events::Event;
use lapin::{
    Channel, Connection, ConnectionProperties,
    options::{BasicGetOptions, QueueDeclareOptions, QueueDeleteOptions},
    types::FieldTable,
};
use secrecy::{ExposeSecret, SecretString};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    bus::Names,
    run,
    settings::{Common, LogFormat},
    worker::Worker,
};

/// A database and broker names of one test, at `DATABASE_URL` and `AMQP_URL`.
pub struct Stage {
    common: Common,
    server: String,
    database: String,
    channel: Channel,
    connection: Connection,
}

/// How long a busy machine may take for what an idle one does at once.
const PATIENCE: Duration = Duration::from_secs(120);

/// A message read from a queue of the stage.
#[derive(Debug)]
pub struct Letter {
    /// The body's text.
    pub body: String,
    /// The body to the byte.
    pub bytes: Vec<u8>,
    /// Headers with a text value.
    pub headers: BTreeMap<String, String>,
}

#[expect(clippy::expect_used, reason = "a test fails by panicking")]
impl Stage {
    /// Sets a stage up. Pauses are short: a rung of the delay ladder is 20 ms, a lease 3 s.
    ///
    /// # Panics
    /// When PostgreSQL or the broker is away.
    pub async fn set() -> Self {
        let server = std::env::var("DATABASE_URL")
            .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned());
        let amqp = std::env::var("AMQP_URL")
            .unwrap_or_else(|_| "amqp://guest:guest@127.0.0.1:5672/%2f".to_owned());
        let id = Uuid::new_v4().simple().to_string();
        let name = server.rsplit('/').next().and_then(|name| name.split('?').next());
        let run = name.filter(|name| name.starts_with("parom_test")).unwrap_or("parom_test");
        let database = format!("{run}_{id}");
        let mut connection = PgConnection::connect(&server).await.expect("PostgreSQL");
        let create = AssertSqlSafe(format!("CREATE DATABASE {database}"));
        sqlx::query(create).execute(&mut connection).await.expect("a database of its own");
        let address = server.rsplit_once('/').map_or(server.as_str(), |(address, _)| address);
        let mut common = common(format!("{address}/{database}"), amqp.clone());
        common.amqp_prefix = format!("parom-{id}");
        let properties = ConnectionProperties::default();
        let connection = Connection::connect(&amqp, properties).await.expect("the broker");
        let channel = connection.create_channel().await.expect("a channel");
        Self { common, server, database, channel, connection }
    }

    /// The settings of services on this stage, to be changed by the test.
    #[must_use]
    pub fn common(&self) -> Common {
        self.common.clone()
    }

    /// Names of queues and exchanges on this stage.
    #[must_use]
    pub fn names(&self) -> Names {
        Names::new(self.common.amqp_prefix.as_str())
    }

    /// The broker's address.
    #[must_use]
    pub fn amqp_url(&self) -> String {
        self.common.amqp_url.expose_secret().to_owned()
    }

    /// The address of the stage's database.
    #[must_use]
    pub fn database_url(&self) -> String {
        self.common.database_url.expose_secret().to_owned()
    }

    /// The stage's database, with `schema` as search path.
    ///
    /// # Panics
    /// When the address is none.
    #[must_use]
    pub fn pool(&self, schema: &'static str) -> PgPool {
        crate::database::Database::new(&self.common.database_url, schema).expect("an address").pool
    }

    /// Puts an event where its listeners hear it.
    ///
    /// # Panics
    /// When the broker does not take it.
    pub async fn tell(&self, event: &Event) {
        let topic = event.topic();
        let (exchange, key) = match self.names().exchange(&topic) {
            Some(exchange) => (exchange, topic),
            None => (String::new(), self.names().queue("webhooks")),
        };
        self.put(&exchange, &key, event.to_json().expect("JSON").as_bytes(), &[]).await;
    }

    /// Puts bytes on the bus with text headers.
    ///
    /// # Panics
    /// When the broker does not take them.
    pub async fn put(&self, exchange: &str, key: &str, body: &[u8], headers: &[(&str, &str)]) {
        let mut table = FieldTable::default();
        for (name, value) in headers {
            let value = lapin::types::AMQPValue::LongString((*value).into());
            table.insert((*name).into(), value);
        }
        let properties =
            lapin::BasicProperties::default().with_delivery_mode(2).with_headers(table);
        self.channel
            .basic_publish(
                exchange.into(),
                key.into(),
                lapin::options::BasicPublishOptions::default(),
                body,
                properties,
            )
            .await
            .expect("published")
            .await
            .expect("taken");
    }

    /// Whether there is such a queue.
    pub async fn exists(&self, queue: &str) -> bool {
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let Ok(channel) = self.connection.create_channel().await else { return false };
        channel.queue_declare(queue.into(), options, FieldTable::default()).await.is_ok()
    }

    /// Whether a worker hears what is told from now on: its queue is there and bound.
    pub async fn hears(&self, worker: &str) -> bool {
        self.exists(&self.names().dead_queue(worker)).await
    }

    /// A queue that hears what `key` matches on `exchange`.
    ///
    /// # Panics
    /// When the broker refuses.
    pub async fn listen(&self, queue: &str, exchange: &str, key: &str) {
        let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        let none = FieldTable::default;
        self.channel.queue_declare(queue.into(), options, none()).await.expect("declared");
        let options = lapin::options::QueueBindOptions::default();
        self.channel
            .queue_bind(queue.into(), exchange.into(), key.into(), options, none())
            .await
            .expect("bound");
    }

    /// How many messages wait in a queue; 0 when there is no such queue.
    pub async fn waiting(&self, queue: &str) -> u32 {
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let Ok(channel) = self.connection.create_channel().await else { return 0 };
        let declared = channel.queue_declare(queue.into(), options, FieldTable::default()).await;
        declared.map_or(0, |queue| queue.message_count())
    }

    /// Takes one message out of a queue.
    ///
    /// # Panics
    /// When the broker is away.
    pub async fn take(&self, queue: &str) -> Option<Letter> {
        let options = BasicGetOptions { no_ack: true };
        let got = self.channel.basic_get(queue.into(), options).await.expect("the broker")?;
        let headers = got.properties.headers().clone().unwrap_or_default();
        let headers = headers
            .inner()
            .iter()
            .filter_map(|(k, v)| Some((k.to_string(), v.as_long_string()?.to_string())))
            .collect();
        let bytes = got.delivery.data;
        Some(Letter { body: String::from_utf8_lossy(&bytes).into_owned(), bytes, headers })
    }

    /// Deletes queues, as an accident would.
    ///
    /// # Panics
    /// When the broker is away.
    pub async fn delete_queues(&self, queues: &[String]) {
        for queue in queues {
            let options = QueueDeleteOptions::default();
            self.channel.queue_delete(queue.as_str().into(), options).await.expect("deleted");
        }
    }

    /// Every queue that a worker of this name declares.
    #[must_use]
    pub fn queues(&self, worker: &str) -> Vec<String> {
        let names = self.names();
        let ladder = (0..self.common.amqp_levels).map(|level| names.delay(level));
        let own = [names.queue(worker), names.dead_queue(worker), names.unrouted()];
        own.into_iter().chain(ladder).collect()
    }

    /// Waits until `condition` holds, at most `limit` (and never less than two minutes: a busy
    /// machine is no failure).
    ///
    /// # Panics
    /// When it does not hold in time; `what` says what was waited for.
    #[expect(clippy::disallowed_methods, reason = "a test waits for a condition")]
    pub async fn until<F: Future<Output = bool>>(
        &self,
        what: &str,
        limit: Duration,
        mut condition: impl FnMut() -> F,
    ) {
        let limit = limit.max(PATIENCE);
        let end = tokio::time::Instant::now() + limit;
        while !condition().await {
            assert!(tokio::time::Instant::now() < end, "not in {limit:?}: {what}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Takes the stage down: its database, and the queues of these workers.
    ///
    /// # Panics
    /// When PostgreSQL is away.
    pub async fn clear(self, workers: &[&str]) {
        for worker in workers {
            self.delete_queues(&self.queues(worker)).await;
        }
        let mut connection = PgConnection::connect(&self.server).await.expect("PostgreSQL");
        let drop = AssertSqlSafe(format!("DROP DATABASE {} WITH (FORCE)", self.database));
        sqlx::query(drop).execute(&mut connection).await.expect("dropped");
    }
}

fn common(database_url: String, amqp_url: String) -> Common {
    Common {
        database_url: SecretString::from(database_url),
        amqp_url: SecretString::from(amqp_url),
        amqp_prefix: String::new(),
        amqp_rung: Duration::from_millis(20),
        // Enough for five seconds; each level is a queue, and each test has a ladder of its own.
        amqp_levels: 8,
        http_listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        log: "info".to_owned(),
        log_format: LogFormat::Text,
        otel_exporter_otlp_endpoint: None,
        job_lease: Duration::from_secs(3),
        job_prefetch: Some(64),
        threads: 2,
        sweep_every: Duration::from_millis(300),
        sweep_grace: Duration::from_secs(1),
        keep_data: Duration::from_secs(3_600),
        retry_first: Some(Duration::from_millis(20)),
        retry_longest: Some(Duration::from_millis(200)),
        retry_growth: None,
        retry_attempts: None,
        give_up: None,
        breaker_threshold: 3,
        breaker_probe: Duration::from_millis(200),
        drain_grace: Duration::from_secs(5),
        migrate_only: false,
        probe: false,
        crash: crate::testing::CrashPoint::default(),
    }
}

/// A service on a thread of its own, so that it can be killed.
pub struct Service {
    shutdown: CancellationToken,
    kill: CancellationToken,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[expect(clippy::expect_used, reason = "a test fails by panicking")]
impl Service {
    /// Starts worker `W`.
    ///
    /// # Panics
    /// Not here: a service that does not start panics on its thread, and [`Service::stop`] tells.
    #[must_use]
    pub fn start<W: Worker>(common: Common, own: W::Config) -> Self {
        let (shutdown, kill) = (CancellationToken::new(), CancellationToken::new());
        let (stop, killed) = (shutdown.clone(), kill.clone());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                tokio::select! {
                    ended = run::work::<W>(common, own, stop) => ended.expect("the service starts"),
                    () = killed.cancelled() => {}
                }
            });
            runtime.shutdown_background();
        });
        Self { shutdown, kill, thread: Some(thread) }
    }

    /// Drains and stops, as on SIGTERM.
    ///
    /// # Panics
    /// When the service had panicked.
    pub async fn stop(mut self) {
        self.shutdown.cancel();
        if let Some(thread) = self.thread.take() {
            let joined = tokio::task::spawn_blocking(|| thread.join()).await;
            joined.expect("a thread").expect("the service did not panic");
        }
    }

    /// Ends at once, wherever it is, as on SIGKILL: nothing is drained, released or said.
    ///
    /// # Panics
    /// When the service had panicked.
    pub async fn kill(mut self) {
        self.kill.cancel();
        if let Some(thread) = self.thread.take() {
            let joined = tokio::task::spawn_blocking(|| thread.join()).await;
            joined.expect("a thread").expect("the service did not panic");
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.kill.cancel();
    }
}
