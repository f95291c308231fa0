//! What a failed call means for its effect, against sockets that misbehave.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::{Answer, CallError, Client};
use crate::metrics::Metrics;

fn client() -> Client {
    rustls::crypto::ring::default_provider().install_default().ok();
    Client::new("test", Duration::from_millis(400), &Metrics::new().unwrap()).unwrap()
}

/// Calls a server that reads the request and then does `reply` with its bytes.
async fn call(reply: Option<&'static [u8]>) -> Result<Answer, CallError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/secret-path", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 4096];
        let read = socket.read(&mut buffer).await.unwrap();
        assert!(read > 0);
        match reply {
            Some(reply) => {
                socket.write_all(reply).await.unwrap();
                socket.shutdown().await.ok();
            }
            None => std::future::pending().await,
        }
    });
    let client = client();
    client.send("try", client.request(reqwest::Method::POST, &url).body("{}")).await
}

#[tokio::test]
async fn only_a_refused_connection_proves_that_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/secret-path", listener.local_addr().unwrap());
    drop(listener);
    let client = client();
    let error = client.send("try", client.request(reqwest::Method::POST, &url)).await.unwrap_err();
    assert!(matches!(error, CallError::NotSent(_)), "{error}");
    assert!(!error.to_string().contains("secret-path"), "the address may be a secret: {error}");
}

#[tokio::test]
async fn silence_a_cut_and_half_an_answer_leave_the_effect_open() {
    let half: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf";
    for reply in [None, Some(&b""[..]), Some(half), Some(&b"garbage\r\n\r\n"[..])] {
        let error = call(reply).await.unwrap_err();
        assert!(matches!(error, CallError::Unknown(_)), "{reply:?}: {error}");
        assert!(!error.to_string().contains("secret-path"), "{error}");
    }
}

#[tokio::test]
async fn the_vendors_wish_to_be_left_alone_is_read_in_both_forms() {
    let seconds = b"HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n";
    let answer = call(Some(seconds)).await.unwrap();
    assert_eq!(answer.retry_after(), Some(Duration::from_secs(7)));
    let past = b"HTTP/1.1 503 X\r\nRetry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(call(Some(past)).await.unwrap().retry_after(), Some(Duration::ZERO));
    let junk = b"HTTP/1.1 503 X\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(call(Some(junk)).await.unwrap().retry_after(), None);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let moved = b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(call(Some(moved)).await.unwrap().status, 302);
}
