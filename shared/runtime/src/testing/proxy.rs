//! A stretch of network that can be cut, or fall silent.

use std::net::SocketAddr;

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// What the network does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Whole,
    Cut,
    Silent,
}

/// Carries connections to one address, until it is cut.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    way: watch::Sender<Way>,
}

impl Proxy {
    /// The same URL by way of a new proxy, and the proxy to where it led.
    ///
    /// # Panics
    /// When the URL is not `scheme://login@host:port/path`.
    #[expect(clippy::expect_used, reason = "a test fails by panicking")]
    pub async fn before(url: &str) -> (Self, String) {
        let (head, rest) = url.split_once('@').expect("a login");
        let (target, tail) = rest.split_once('/').expect("a path");
        let proxy = Self::to(target.to_owned()).await;
        let url = format!("{head}@{}/{tail}", proxy.address);
        (proxy, url)
    }

    #[expect(clippy::expect_used, reason = "a test fails by panicking")]
    async fn to(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (way, watching) = watch::channel(Way::Whole);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(carry(near, target.clone(), watching.clone()));
            }
        });
        Self { address, way }
    }

    /// Ends all connections and refuses new ones.
    pub fn cut(&self) {
        self.way.send_replace(Way::Cut);
    }

    /// Nothing comes through any more, and nobody is told.
    pub fn fall_silent(&self) {
        self.way.send_replace(Way::Silent);
    }

    /// Lets new connections through again.
    pub fn mend(&self) {
        self.way.send_replace(Way::Whole);
    }
}

async fn carry(mut near: TcpStream, target: String, mut way: watch::Receiver<Way>) {
    if *way.borrow_and_update() == Way::Cut {
        return;
    }
    let Ok(mut far) = TcpStream::connect(&target).await else { return };
    tokio::select! {
        biased;
        _ = way.changed() => {}
        _ = copy_bidirectional(&mut near, &mut far) => return,
    }
    // Both ends stay open until the silence ends.
    while *way.borrow_and_update() == Way::Silent {
        if way.changed().await.is_err() {
            return;
        }
    }
}
