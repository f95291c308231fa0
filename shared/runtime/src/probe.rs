//! `--probe`: the health check of an image that has no shell.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    time::Duration,
};

/// How long the service may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Version 1.0: the answer ends with the connection.
const REQUEST: &[u8] = b"GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n";

/// Whether the service that listens at `listen` on this machine says that it is ready.
///
/// # Errors
/// When it does not answer, or not with 200: its words are in the error.
pub(crate) fn ready(listen: SocketAddr) -> io::Result<()> {
    let mut line = TcpStream::connect_timeout(&near(listen), PATIENCE)?;
    line.set_read_timeout(Some(PATIENCE))?;
    line.set_write_timeout(Some(PATIENCE))?;
    line.write_all(REQUEST)?;
    let mut answer = String::new();
    line.take(64 * 1024).read_to_string(&mut answer)?;
    let status = answer.split_whitespace().nth(1);
    if status == Some("200") { Ok(()) } else { Err(io::Error::other(answer)) }
}

/// Who listens everywhere is asked here.
fn near(listen: SocketAddr) -> SocketAddr {
    let address = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        other => other,
    };
    SocketAddr::new(address, listen.port())
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread};

    use super::*;

    /// What the probe says of a service that answers so.
    fn probed(answer: &'static str) -> io::Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let service = thread::spawn(move || {
            let (mut line, _) = listener.accept().unwrap();
            // All of it: a connection closed over unread bytes is reset, and the answer with it.
            let mut asked = [0; REQUEST.len()];
            line.read_exact(&mut asked).unwrap();
            assert_eq!(asked, REQUEST);
            line.write_all(answer.as_bytes()).unwrap();
        });
        let told = ready(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port));
        service.join().unwrap();
        told
    }

    #[test]
    fn ready_is_200_and_nothing_else() {
        probed("HTTP/1.0 200 OK\r\n\r\nready\n").unwrap();
        let error = probed("HTTP/1.0 503 Service Unavailable\r\n\r\nstarting\n").unwrap_err();
        assert!(error.to_string().contains("starting"), "{error}");
        probed("").unwrap_err();
    }

    #[test]
    fn nobody_there_is_not_ready() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        ready(address).unwrap_err();
    }
}
