//! A stretch of network between ingress and its broker or database that can be cut.

use std::net::SocketAddr;

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// Carries connections to one address, until it is cut.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    whole: watch::Sender<bool>,
}

impl Proxy {
    /// A way to `target`, as `host:port`.
    pub(crate) async fn to(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (whole, watching) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(carry(near, target.clone(), watching.clone()));
            }
        });
        Self { address, whole }
    }

    /// The same URL by way of this proxy, and a proxy to where it led.
    pub(crate) async fn before(url: &str) -> (Self, String) {
        let (head, rest) = url.split_once('@').unwrap();
        let (target, tail) = rest.split_once('/').unwrap();
        let proxy = Self::to(target.to_owned()).await;
        let url = format!("{head}@{}/{tail}", proxy.address);
        (proxy, url)
    }

    /// Ends all connections and refuses new ones.
    pub(crate) fn cut(&self) {
        self.whole.send_replace(false);
    }

    /// Lets connections through again.
    pub(crate) fn mend(&self) {
        self.whole.send_replace(true);
    }
}

async fn carry(mut near: TcpStream, target: String, mut whole: watch::Receiver<bool>) {
    if !*whole.borrow_and_update() {
        return;
    }
    let Ok(mut far) = TcpStream::connect(&target).await else { return };
    tokio::select! {
        _ = copy_bidirectional(&mut near, &mut far) => {}
        _ = whole.changed() => {}
    }
}
