//! The office that nobody reaches from outside: the program itself, with nothing but outgoing connections over TLS to the
//! broker and to the database, each held against a certificate authority of the test's own.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use emulator::Emulator;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use runtime::testing::Stage;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use time::OffsetDateTime;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
};
use tokio_rustls::TlsAcceptor;

use crate::{
    order::{mark, order, shipped, wine},
    world::{OWNER, file},
};

/// What stands before the broker or PostgreSQL at head office: TLS outside, the plain server behind.
struct Front {
    address: SocketAddr,
    /// Who trusted its certificate.
    trusted: Arc<AtomicUsize>,
    /// Who did not.
    refused: Arc<AtomicUsize>,
}

impl Front {
    async fn before(plain: String, acceptor: TlsAcceptor, is_postgres: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let front = Self { address, trusted: Arc::default(), refused: Arc::default() };
        let counts = (Arc::clone(&front.trusted), Arc::clone(&front.refused));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (plain, acceptor, counts) = (plain.clone(), acceptor.clone(), counts.clone());
                tokio::spawn(carry(stream, plain, acceptor, is_postgres, counts));
            }
        });
        front
    }

    fn counts(&self) -> (usize, usize) {
        (self.trusted.load(Ordering::Relaxed), self.refused.load(Ordering::Relaxed))
    }
}

async fn carry(
    mut near: TcpStream,
    plain: String,
    acceptor: TlsAcceptor,
    is_postgres: bool,
    (trusted, refused): (Arc<AtomicUsize>, Arc<AtomicUsize>),
) {
    if is_postgres {
        // SSLRequest; who does not ask for TLS is not let in.
        let mut head = [0; 8];
        near.read_exact(&mut head).await.ok();
        if head != [0, 0, 0, 8, 4, 210, 22, 47] {
            return;
        }
        near.write_all(b"S").await.ok();
    }
    let Ok(mut near) = acceptor.accept(near).await else {
        refused.fetch_add(1, Ordering::Relaxed);
        return;
    };
    let Ok(mut far) = TcpStream::connect(plain).await else { return };
    trusted.fetch_add(1, Ordering::Relaxed);
    copy_bidirectional(&mut near, &mut far).await.ok();
}

/// An authority, and a server certificate of it for `localhost`.
fn authority() -> (String, TlsAcceptor) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let own = own.signed_by(&key, &issuer).unwrap();
    let chain = vec![CertificateDer::from(own.der().to_vec())];
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let server = rustls::ServerConfig::builder().with_no_client_auth();
    let server = server.with_single_cert(chain, key).unwrap();
    (issuer.pem(), TlsAcceptor::from(Arc::new(server)))
}

/// `scheme://login@host:port/tail` in its three parts.
fn parts(url: &str) -> (String, String, String) {
    let (head, rest) = url.split_once("://").unwrap().1.split_once('@').unwrap();
    let (host, tail) = rest.split_once('/').unwrap();
    (head.to_owned(), host.to_owned(), tail.to_owned())
}

struct Office {
    stage: Stage,
    broker: Front,
    database: Front,
    folder: PathBuf,
}

impl Office {
    async fn new(utm: &str) -> Self {
        let stage = Stage::set().await;
        let (pem, acceptor) = authority();
        let broker = Front::before(parts(&stage.amqp_url()).1, acceptor.clone(), false).await;
        let database = Front::before(parts(&stage.database_url()).1, acceptor, true).await;
        let folder = std::env::temp_dir().join(format!("egais-office-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("ca.pem"), pem).unwrap();
        fs::write(folder.join("stranger.pem"), authority().0).unwrap();
        fs::write(folder.join("egais.toml"), file(utm)).unwrap();
        Self { stage, broker, database, folder }
    }

    /// The program beside the UTM, which trusts this authority.
    fn program(&self, authority: &str) -> Child {
        let ca = self.folder.join(authority);
        let (login, _, vhost) = parts(&self.stage.amqp_url());
        let broker = format!("amqps://{login}@localhost:{}/{vhost}", self.broker.address.port());
        let (login, _, name) = parts(&self.stage.database_url());
        let database = format!(
            "postgres://{login}@localhost:{}/{name}?sslmode=verify-full&sslrootcert={}",
            self.database.address.port(),
            ca.display()
        );
        Command::new(Path::new(env!("CARGO_BIN_EXE_egais")))
            .env_clear()
            .env("AMQP_URL", broker)
            .env("AMQP_PREFIX", self.stage.common().amqp_prefix)
            .env("DATABASE_URL", database)
            .env("SSL_CERT_FILE", &ca)
            .env("HTTP_LISTEN", "127.0.0.1:0")
            .env("EGAIS_FILE", self.folder.join("egais.toml"))
            .env("EGAIS_POLL", "200ms")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    }
}

#[tokio::test]
async fn an_office_without_a_route_works_through_outgoing_tls_alone() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let mut settings = emulator::Settings::default();
    settings.utm.looks = 1;
    let running = Emulator::start(settings).await.unwrap();
    let office = Office::new(&running.utm_url(OWNER)).await;
    // A certificate that the office does not trust is not spoken to.
    let mut stranger = office.program("stranger.pem");
    let limit = Duration::from_secs(120);
    office
        .stage
        .until("both are refused", limit, || async {
            // The broker is turned to once the tables are there: PostgreSQL alone is refused.
            office.database.counts().1 > 0
        })
        .await;
    stranger.kill().await.unwrap();
    assert_eq!((office.broker.counts().0, office.database.counts().0), (0, 0));
    let mut program = office.program("ca.pem");
    office.stage.until("the queue", limit, || office.stage.hears("egais")).await;
    let order = order(1, OffsetDateTime::now_utc() - time::Duration::hours(1), &[wine(&[1])]);
    office.stage.tell(&shipped(&order)).await;
    let is_gone = || async {
        let books = running.emulator.utm.books();
        books.get(OWNER).is_some_and(|books| books.bottles().contains_key(&mark(1)))
    };
    office.stage.until("the bottle is written off", limit, is_gone).await;
    let pool = office.stage.pool("egais");
    let is_done = || async {
        let sql = "SELECT count(*) FROM jobs WHERE phase = 'done' AND told";
        sqlx::query_scalar::<_, i64>(sql).fetch_one(&pool).await.unwrap_or(0) == 1
    };
    office.stage.until("the job is done", limit, is_done).await;
    assert!(office.broker.counts().0 > 0 && office.database.counts().0 > 0);
    program.kill().await.unwrap();
    pool.close().await;
    fs::remove_dir_all(&office.folder).unwrap();
    office.stage.clear(&["egais"]).await;
}
