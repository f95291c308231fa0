//! A service's life: settings, tables, work, drain.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use lapin::uri::AMQPUri;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    breaker::Breaker,
    bus::{Connector, Consumer, Ladder, Line, Names, Publisher, Subscription},
    database::Database,
    desk::Desk,
    engine::Engine,
    kit::Kit,
    metrics::Metrics,
    outbound::Outbound,
    pause::pause,
    probe, renew,
    serve::{self, Health},
    settings::{self, Common, Settings, StartError},
    store::Store,
    subscribers::Subscribers,
    sweeper::Sweeper,
    telemetry::Telemetry,
    worker::Worker,
};

/// The worker that takes what goes straight to a queue: webhooks.
const READER: &str = "webhooks";

/// What a process returns when its settings are wrong (`EX_USAGE`).
const USAGE: u8 = 64;

/// Runs the service of worker `W` until SIGTERM: the whole of its `main`.
#[must_use]
pub fn run<W: Worker>() -> ExitCode {
    let environment: BTreeMap<String, String> = std::env::vars().collect();
    let settings = match settings::parse::<W::Config>(W::SERVICE, std::env::args_os(), &environment)
    {
        Ok(settings) => settings,
        Err(error) => {
            error.print().ok();
            return if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
        }
    };
    if settings.common.probe {
        return match probe::ready(settings.common.http_listen) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => complain(&StartError::new(error), ExitCode::FAILURE),
        };
    }
    let runtime = match executor(settings.common.threads) {
        Ok(runtime) => runtime,
        Err(error) => return complain(&StartError::new(error), ExitCode::from(USAGE)),
    };
    match runtime.block_on(life::<W>(settings)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&error, ExitCode::from(USAGE)),
    }
}

/// One thread spares every job several wake-ups of another one.
fn executor(threads: usize) -> std::io::Result<tokio::runtime::Runtime> {
    use tokio::runtime::Builder;

    match threads {
        0 | 1 => Builder::new_current_thread().enable_all().build(),
        more => Builder::new_multi_thread().worker_threads(more).enable_all().build(),
    }
}

#[expect(clippy::print_stderr, reason = "the start failed, perhaps before there are logs")]
fn complain(error: &StartError, code: ExitCode) -> ExitCode {
    eprintln!("{error}");
    code
}

async fn life<W: Worker>(settings: Settings<W::Config>) -> Result<(), StartError> {
    let Settings { common, own } = settings;
    install_tls();
    // The exporter's client blocks and refuses to be made where it must not.
    let telemetry = {
        let common = common.clone();
        tokio::task::spawn_blocking(move || Telemetry::begin(W::SERVICE, &common))
            .await
            .map_err(StartError::new)??
    };
    let outcome = match stop_signal() {
        Ok(shutdown) => work::<W>(common, own, shutdown).await,
        Err(error) => Err(error),
    };
    telemetry.end().await;
    outcome
}

/// Everything between the settings and the end; `shutdown` begins the drain.
pub(crate) async fn work<W: Worker>(
    common: Common,
    own: W::Config,
    shutdown: CancellationToken,
) -> Result<(), StartError> {
    check(&common)?;
    install_tls();
    let database = Database::new(&common.database_url, W::SERVICE)?;
    if common.migrate_only {
        database.migrate(W::MIGRATIONS, &shutdown).await?;
        return Ok(());
    }
    let parts = Parts::<W>::new(common, database, shutdown)?;
    let worker = Arc::new(W::build(own, parts.kit.clone()).await?);
    let server = parts.serve(&worker).await?;
    // HTTP is up from here: ingress takes webhooks although PostgreSQL or the broker is away.
    if parts.set_up().await? {
        parts.ready.store(true, Ordering::Relaxed);
        let background = tokio::spawn(Arc::clone(&worker).background());
        let sweeper = tokio::spawn(parts.sweeper().run());
        tracing::info!(version = env!("CARGO_PKG_VERSION"), "{} is at work", W::SERVICE);
        parts.consumer(worker).run().await;
        parts.ready.store(false, Ordering::Relaxed);
        let rest = async { tokio::join!(background, sweeper, parts.store.settled()) };
        tokio::time::timeout(Duration::from_secs(5), rest).await.ok();
    }
    server.await.map_err(StartError::new)
}

/// One provider for the broker, PostgreSQL, the vendors and the collector; a second call changes
/// nothing.
fn install_tls() {
    rustls::crypto::ring::default_provider().install_default().ok();
}

/// Settings that are each right and together wrong.
fn check(common: &Common) -> Result<(), StartError> {
    is_amqp(&common.amqp_url)?;
    if common.job_lease < Duration::from_secs(2) {
        return Err(StartError::new("--job-lease must be at least 2s"));
    }
    if common.amqp_rung.is_zero() || common.job_prefetch == Some(0) {
        return Err(StartError::new("--amqp-rung and --job-prefetch must be above zero"));
    }
    Ok(())
}

/// Told at the start and in our own words: the library's quote the address, and in it the password.
fn is_amqp(url: &SecretString) -> Result<(), StartError> {
    match url.expose_secret().parse::<AMQPUri>() {
        Ok(_) => Ok(()),
        Err(_) => Err(StartError::new("--amqp-url must be amqp://user:password@host:port/vhost")),
    }
}

/// A step ends well before its lease.
fn longest_step(common: &Common) -> Duration {
    common.job_lease.mul_f32(0.8)
}

fn stop_signal() -> Result<CancellationToken, StartError> {
    let asked = asked_to_stop()?;
    let shutdown = CancellationToken::new();
    let token = shutdown.clone();
    tokio::spawn(async move {
        asked.await;
        tracing::info!("stopping; what is in hand is finished first");
        token.cancel();
    });
    Ok(shutdown)
}

/// Comes back when the process is asked to stop.
#[cfg(unix)]
fn asked_to_stop() -> Result<impl Future<Output = ()> + Send, StartError> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate()).map_err(StartError::new)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(StartError::new)?;
    Ok(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    })
}

/// Comes back when the process is asked to stop: at the console, or because the machine shuts down.
#[cfg(windows)]
fn asked_to_stop() -> Result<impl Future<Output = ()> + Send, StartError> {
    use tokio::signal::windows::{ctrl_c, ctrl_close, ctrl_shutdown};

    let mut interrupt = ctrl_c().map_err(StartError::new)?;
    let mut close = ctrl_close().map_err(StartError::new)?;
    let mut shutdown = ctrl_shutdown().map_err(StartError::new)?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {},
            _ = close.recv() => {},
            _ = shutdown.recv() => {},
        }
    })
}

/// The pieces of a running service.
struct Parts<W> {
    common: Common,
    database: Database,
    names: Names,
    store: Store,
    subscribers: Subscribers,
    outbound: Outbound,
    metrics: Metrics,
    kit: Kit,
    breaker: Arc<Breaker>,
    shutdown: CancellationToken,
    ready: Arc<AtomicBool>,
    worker: std::marker::PhantomData<W>,
}

impl<W: Worker> Parts<W> {
    fn new(
        common: Common,
        database: Database,
        shutdown: CancellationToken,
    ) -> Result<Self, StartError> {
        let metrics = Metrics::new()?;
        let names = Names::new(common.amqp_prefix.as_str());
        let give_up = common.give_up.unwrap_or(W::GIVE_UP);
        let store =
            Store::new(&database.pool, &database.relaxed, W::NAME, common.job_lease, give_up);
        let subscribers = Subscribers::new(&database.pool, &common.amqp_prefix);
        let publisher = Publisher::spawn(Line {
            connector: Connector::new(common.amqp_url.clone(), W::SERVICE),
            names: names.clone(),
            ladder: ladder(&common),
            subscription: subscription::<W>(),
            subscribers: subscribers.clone(),
            metrics: metrics.clone(),
            shutdown: shutdown.clone(),
        });
        let outbound = Outbound {
            publisher,
            names: names.clone(),
            ladder: ladder(&common),
            worker: W::NAME,
            direct: READER,
        };
        let desk = Desk {
            connector: Connector::new(common.amqp_url.clone(), W::SERVICE),
            outbound: outbound.clone(),
            subscribers: subscribers.clone(),
            metrics: metrics.clone(),
            shutdown: shutdown.clone(),
        };
        let kit = Kit {
            desk,
            pool: database.pool.clone(),
            metrics: metrics.clone(),
            outbound: outbound.clone(),
            store: store.clone(),
            shutdown: shutdown.clone(),
            longest_step: longest_step(&common),
        };
        let breaker = Arc::new(Breaker::new(
            common.breaker_threshold,
            common.breaker_probe,
            metrics.breaker_open.clone(),
        ));
        let ready = Arc::new(AtomicBool::new(false));
        let worker = std::marker::PhantomData;
        Ok(Self {
            common,
            database,
            names,
            store,
            subscribers,
            outbound,
            metrics,
            kit,
            breaker,
            shutdown,
            ready,
            worker,
        })
    }

    /// Sets the tables up and remembers this worker; `false` when the process is to stop first.
    async fn set_up(&self) -> Result<bool, StartError> {
        if !self.database.migrate(W::MIGRATIONS, &self.shutdown).await? {
            return Ok(false);
        }
        while let Err(error) = self.subscribers.enrol(&subscription::<W>()).await {
            tracing::warn!(%error, "PostgreSQL is away");
            if !pause(Duration::from_secs(1), &self.shutdown).await {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Begins to serve HTTP; the task ends when the process is to stop.
    async fn serve(&self, worker: &Arc<W>) -> Result<JoinHandle<()>, StartError> {
        let health = Health {
            metrics: self.metrics.clone(),
            pool: self.database.pool.clone(),
            publisher: self.outbound.publisher.clone(),
            listens: !W::TOPICS.is_empty(),
            ready: Arc::clone(&self.ready),
        };
        let router = serve::router(Arc::clone(worker).routes(), health);
        let address = self.common.http_listen;
        let listener = TcpListener::bind(address)
            .await
            .map_err(|error| StartError(format!("--http-listen {address}: {error}")))?;
        let (stop, limit) = (self.shutdown.clone(), self.common.drain_grace);
        Ok(tokio::spawn(async move {
            let graceful = stop.clone().cancelled_owned();
            // Who calls is known to the routes (`axum::extract::ConnectInfo`).
            let router = router.into_make_service_with_connect_info::<SocketAddr>();
            let serving =
                axum::serve(listener, router).with_graceful_shutdown(graceful).into_future();
            let bounded = async {
                stop.cancelled().await;
                pause_for(limit).await;
            };
            tokio::select! { served = serving => drop(served), () = bounded => {} }
        }))
    }

    fn sweeper(&self) -> Sweeper {
        Sweeper {
            breaker: Arc::clone(&self.breaker),
            store: self.store.clone(),
            outbound: self.outbound.clone(),
            metrics: self.metrics.clone(),
            worker: W::NAME,
            every: self.common.sweep_every,
            grace: self.common.sweep_grace,
            keep: self.common.keep_data,
            shutdown: self.shutdown.clone(),
        }
    }

    fn consumer(&self, worker: Arc<W>) -> Consumer<Engine<W>> {
        let common = &self.common;
        let breaker = Arc::clone(&self.breaker);
        let engine = Engine {
            worker,
            store: self.store.clone(),
            outbound: self.outbound.clone(),
            breaker: Arc::clone(&breaker),
            retry: common.retry(W::RETRY),
            step_limit: longest_step(common),
            metrics: self.metrics.clone(),
            #[cfg(feature = "testing")]
            crash: common.crash.clone(),
            #[cfg(not(feature = "testing"))]
            crash: crate::crash::CrashPoint,
        };
        Consumer {
            connector: Connector::new(common.amqp_url.clone(), W::SERVICE),
            names: self.names.clone(),
            ladder: ladder(common),
            subscription: subscription::<W>(),
            prefetch: common.job_prefetch.unwrap_or(W::AT_ONCE),
            breaker,
            metrics: self.metrics.clone(),
            shutdown: self.shutdown.clone(),
            drain_grace: common.drain_grace,
            handler: Arc::new(engine),
        }
    }
}

fn ladder(common: &Common) -> Ladder {
    Ladder { rung: common.amqp_rung, levels: common.amqp_levels }
}

fn subscription<W: Worker>() -> Subscription {
    let changes = renew::follows_orders(W::TOPICS).then_some(renew::CHANGED);
    let topics = W::TOPICS.iter().copied().chain(changes).map(str::to_owned).collect();
    Subscription { worker: W::NAME.to_owned(), topics }
}

async fn pause_for(limit: Duration) {
    pause(limit, &CancellationToken::new()).await;
}

#[cfg(test)]
mod tests {
    use super::is_amqp;

    #[test]
    fn an_address_that_is_none_stops_the_start_and_its_password_is_not_told() {
        for good in ["amqp://x", "amqp://parom:s3cret@rabbit:5672/%2f", "amqps://rabbit"] {
            is_amqp(&good.into()).unwrap();
        }
        for wrong in ["parom:s3cret@rabbit:5672", "http://parom:s3cret@rabbit", "s3cret"] {
            let error = is_amqp(&wrong.into()).unwrap_err().to_string();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
