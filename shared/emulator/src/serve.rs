//! The accept loop. It keeps the bare connection, because some faults are made of it.

use std::{
    convert::Infallible,
    error::Error as _,
    io,
    mem::MaybeUninit,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::{Router, body::Body, response::Response};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower_service::Service;

use crate::{
    Emulator,
    faults::{Cut, Moment, Strike, System},
};

/// What the accept loop and its connections share.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) emulator: Arc<Emulator>,
    pub(crate) router: Router,
    /// Ends everything.
    pub(crate) stop: CancellationToken,
    /// False while the port is closed.
    pub(crate) open: watch::Receiver<bool>,
    pub(crate) connections: TaskTracker,
}

impl Server {
    /// Serves until stopped. While the port is closed nothing listens: a client's connect is refused.
    pub(crate) async fn run(self, listener: TcpListener, address: SocketAddr) {
        let mut listener = Some(listener);
        let mut open = self.open.clone();
        while !self.stop.is_cancelled() {
            match &listener {
                Some(bound) => tokio::select! {
                    () = self.stop.cancelled() => return,
                    () = turned(&mut open, false) => listener = None,
                    accepted = bound.accept() => self.take(accepted),
                },
                None => tokio::select! {
                    () = self.stop.cancelled() => return,
                    () = turned(&mut open, true) => listener = rebind(address).await,
                },
            }
        }
    }

    fn take(&self, accepted: io::Result<(TcpStream, SocketAddr)>) {
        match accepted {
            Ok((stream, _)) => drop(self.connections.spawn(self.clone().connection(stream))),
            Err(error) => tracing::warn!(%error, "a connection could not be accepted"),
        }
    }

    async fn connection(mut self, stream: TcpStream) {
        let wire = Wire { stream, emulator: Arc::clone(&self.emulator), fresh: true };
        let router = self.router.clone();
        let service = service_fn(move |request| answer(router.clone(), request));
        let mut connection = http1::Builder::new().serve_connection(TokioIo::new(wire), service);
        let mut closing = false;
        let ended = loop {
            tokio::select! {
                ended = &mut connection => break ended,
                () = self.stop.cancelled() => return,
                () = turned(&mut self.open, false), if !closing => {
                    closing = true;
                    Pin::new(&mut connection).graceful_shutdown();
                }
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended early");
            if error.source().and_then(|cause| cause.downcast_ref()) == Some(&Cut::Reset) {
                connection.into_parts().io.into_inner().reset();
            }
        }
    }
}

/// Waits until the port is to be open, or closed.
async fn turned(open: &mut watch::Receiver<bool>, wanted: bool) {
    if open.wait_for(|open| *open == wanted).await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn rebind(address: SocketAddr) -> Option<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound
        .inspect_err(|error| tracing::error!(%error, %address, "the port could not be reopened"))
        .ok()
}

async fn answer(mut router: Router, request: hyper::Request<Incoming>) -> Result<Response, Cut> {
    let answered: Result<Response, Infallible> = router.call(request.map(Body::new)).await;
    let Ok(response) = answered;
    match response.extensions().get::<Cut>() {
        Some(cut) => Err(*cut),
        None => Ok(response),
    }
}

/// A connection that looks at a request before reading it, while a fault asks for that.
#[derive(Debug)]
struct Wire {
    stream: TcpStream,
    emulator: Arc<Emulator>,
    /// The next bytes to come begin a request.
    fresh: bool,
}

impl Wire {
    /// Closes with RST instead of FIN.
    fn reset(self) {
        if let Err(error) = self.stream.set_zero_linger() {
            tracing::warn!(%error, "a connection could not be reset");
        }
    }

    /// Whether the request that waits unread is to be refused.
    fn refused(&self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut space = [MaybeUninit::uninit(); 512];
        let mut head = ReadBuf::uninit(&mut space);
        ready!(self.stream.poll_peek(cx, &mut head))?;
        let path = path(head.filled()).and_then(System::at);
        let drawn = path
            .and_then(|(system, method)| self.emulator.faults.draw(system, method, Moment::Unread));
        Poll::Ready(Ok(matches!(drawn, Some(Strike::Refuse))))
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.fresh && self.emulator.faults.refuses() && ready!(self.refused(cx))? {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        self.fresh = self.fresh && buf.filled().len() == before;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.fresh = true;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.fresh = true;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The path in the first line of an HTTP request.
fn path(head: &[u8]) -> Option<&str> {
    let line = head.split(|byte| *byte == b'\r').next()?;
    let target = std::str::from_utf8(line).ok()?.split(' ').nth(1)?;
    target.split('?').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_read_from_the_first_line() {
        assert_eq!(path(b"POST /a/b?c=d HTTP/1.1\r\nHost: x\r\n"), Some("/a/b"));
        assert_eq!(path(b""), None);
        assert_eq!(path(b"\xff\xfe /"), None);
    }
}
