//! Services beside admin: what they say at `/metrics` is what the test has them say.

use std::sync::{Arc, Mutex};

use axum::{Router, extract::State, routing::get};

/// A service that has nothing but metrics.
#[derive(Clone, Default)]
pub(crate) struct Metrics(Arc<Mutex<String>>);

impl Metrics {
    /// Says this from now on.
    pub(crate) fn say(&self, text: &str) {
        *self.0.lock().unwrap() = text.to_owned();
    }

    /// Where it listens.
    pub(crate) async fn open() -> (Self, String) {
        let metrics = Self::default();
        let say = |State(metrics): State<Self>| async move { metrics.0.lock().unwrap().clone() };
        let address = serve(Router::new().route("/metrics", get(say)).with_state(metrics.clone()));
        (metrics, address.await)
    }
}

/// Serves until the test ends, and answers where.
pub(crate) async fn serve(router: Router) -> String {
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", socket.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(socket, router).await });
    address
}
