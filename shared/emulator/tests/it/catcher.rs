//! A stand-in for Parom's own endpoints: it keeps every request and answers as told.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use tokio::net::TcpListener;

use crate::stage::eventually;

/// A request that came.
#[derive(Debug, Clone)]
pub(crate) struct Caught {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Caught {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// The body as pairs of a form.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(&self.body).into_owned().collect()
    }

    pub(crate) fn field(&self, name: &str) -> String {
        let form = self.form();
        form.iter().find(|(own, _)| own == name).expect(name).1.clone()
    }
}

#[derive(Clone)]
pub(crate) struct Catcher {
    pub(crate) url: String,
    caught: Arc<Mutex<Vec<Caught>>>,
}

impl Catcher {
    /// Answers every request with this status and body.
    pub(crate) async fn answering(status: u16, body: &'static str) -> Self {
        let caught = Arc::new(Mutex::new(Vec::new()));
        let status = StatusCode::from_u16(status).unwrap();
        let keep = move |State(caught): State<Arc<Mutex<Vec<Caught>>>>,
                         headers: HeaderMap,
                         bytes: Bytes| async move {
            caught.lock().unwrap().push(Caught { headers, body: bytes });
            (status, body)
        };
        let router = Router::new().fallback(keep).with_state(Arc::clone(&caught));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/here", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, caught }
    }

    pub(crate) fn caught(&self) -> Vec<Caught> {
        self.caught.lock().unwrap().clone()
    }

    /// Waits until so many requests have come.
    pub(crate) async fn wait(&self, count: usize) -> Vec<Caught> {
        let look = || async { Some(self.caught()).filter(|caught| caught.len() >= count) };
        eventually("the requests came", look).await
    }
}
