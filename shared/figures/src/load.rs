//! Sends calls: as fast as they are answered, or at a fixed pace whatever the answers do.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bitrix::signature::{ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use bytes::Bytes;
use futures_util::future::try_join_all;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, StatusCode,
    client::conn::http1::{self, SendRequest},
    header,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::Instant};

use crate::{Fallible, calls::Call, door::PATH, numbers};

/// What came of it.
#[derive(Debug)]
pub(crate) struct Answers {
    /// From the first call to the last answer.
    pub took: Duration,
    /// How long each call took, in rising order; at a pace, from the moment when it was due.
    pub latencies: Vec<Duration>,
}

impl Answers {
    /// Answers per second.
    pub(crate) fn rate(&self) -> f64 {
        numbers::rate(u64::try_from(self.latencies.len()).unwrap_or(u64::MAX), self.took)
    }

    /// A percentile of the latencies, in milliseconds.
    pub(crate) fn millis(&self, percent: usize) -> f64 {
        numbers::percentile(&self.latencies, percent).as_secs_f64() * 1_000.0
    }
}

/// The calls that are not yet sent, each with the moment when it is due.
type Queue = Mutex<std::vec::IntoIter<(Option<Instant>, Request<Full<Bytes>>)>>;

/// Sends `calls` over so many connections, one every `pace` if there is one. Every answer must be
/// 202.
pub(crate) async fn send(
    address: SocketAddr,
    calls: Vec<Call>,
    connections: usize,
    pace: Option<Duration>,
) -> Fallible<Answers> {
    let requests: Vec<_> = calls.into_iter().map(request).collect::<Fallible<_>>()?;
    let senders = try_join_all((0..connections).map(|_| connect(address))).await?;
    let began = Instant::now();
    let due = |place: usize| {
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        pace.map(|pace| began + pace.saturating_mul(place))
    };
    let queue: Vec<_> =
        requests.into_iter().enumerate().map(|(place, request)| (due(place), request)).collect();
    let queue: Arc<Queue> = Arc::new(Mutex::new(queue.into_iter()));
    let lanes = senders.into_iter().map(|sender| tokio::spawn(lane(sender, Arc::clone(&queue))));
    let mut latencies = Vec::new();
    for lane in lanes.collect::<Vec<_>>() {
        latencies.extend(lane.await??);
    }
    let took = began.elapsed();
    latencies.sort_unstable();
    Ok(Answers { took, latencies })
}

/// Sends what is next until nothing is left.
async fn lane(mut sender: SendRequest<Full<Bytes>>, queue: Arc<Queue>) -> Fallible<Vec<Duration>> {
    let mut latencies = Vec::new();
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        let Some((due, request)) = next else { return Ok(latencies) };
        if let Some(due) = due {
            tokio::time::sleep_until(due).await;
        }
        let since = due.unwrap_or_else(Instant::now);
        sender.ready().await?;
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        answer.into_body().collect().await?;
        if status != StatusCode::ACCEPTED {
            return Err(format!("a webhook was answered {status}").into());
        }
        latencies.push(since.elapsed());
    }
}

async fn connect(address: SocketAddr) -> Fallible<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // It ends with its sender; what goes wrong on it, the sender tells.
    tokio::spawn(async move { connection.await.ok() });
    Ok(sender)
}

fn request(call: Call) -> Fallible<Request<Full<Bytes>>> {
    let request = Request::post(PATH)
        .header(header::HOST, "bench")
        .header(header::CONTENT_TYPE, "application/json")
        .header(ID_HEADER, call.id)
        .header(TIMESTAMP_HEADER, call.timestamp)
        .header(SIGNATURE_HEADER, call.signature);
    Ok(request.body(Full::new(call.body))?)
}
