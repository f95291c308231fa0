//! A strict mail server: it takes mails only in the order and the form of RFC 5321 and RFC 5322.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// A mail that was taken.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mail {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    data: String,
}

/// The server.
#[derive(Clone)]
pub(crate) struct Postbox {
    pub(crate) address: SocketAddr,
    mails: Arc<Mutex<Vec<Mail>>>,
    to_refuse: Arc<AtomicU32>,
    refused: Arc<AtomicU32>,
}

impl Postbox {
    pub(crate) async fn open() -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let postbox = Self {
            address: socket.local_addr().unwrap(),
            mails: Arc::default(),
            to_refuse: Arc::default(),
            refused: Arc::default(),
        };
        let server = postbox.clone();
        tokio::spawn(async move {
            while let Ok((line, _)) = socket.accept().await {
                let server = server.clone();
                tokio::spawn(async move { server.talk(line).await });
            }
        });
        postbox
    }

    /// Has no room for the next so many mails.
    pub(crate) fn refuse(&self, mails: u32) {
        self.to_refuse.store(mails, Ordering::SeqCst);
    }

    pub(crate) fn refused(&self) -> u32 {
        self.refused.load(Ordering::SeqCst)
    }

    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap().clone()
    }

    async fn talk(&self, line: TcpStream) -> std::io::Result<()> {
        let (read, mut write) = line.into_split();
        let mut lines = BufReader::new(read).split(b'\n');
        let mut mail = Mail::default();
        let mut greeted = false;
        write.write_all(b"220 postbox.example ESMTP\r\n").await?;
        while let Some(line) = lines.next_segment().await? {
            let Some(line) = line.strip_suffix(b"\r") else {
                return write.write_all(b"500 a bare line feed\r\n").await;
            };
            let line = String::from_utf8_lossy(line).into_owned();
            let answer = match line.split_once(' ').unwrap_or((&line, "")) {
                ("EHLO", host) if !host.is_empty() => {
                    greeted = true;
                    "250-postbox.example\r\n250 8BITMIME"
                }
                ("MAIL", rest) if greeted && mail.from.is_empty() => match path(rest, "FROM:") {
                    Some(from) => {
                        mail.from = from;
                        "250 ok"
                    }
                    None => "501 no sender",
                },
                ("RCPT", rest) if !mail.from.is_empty() => match path(rest, "TO:") {
                    Some(to) => {
                        mail.to.push(to);
                        "250 ok"
                    }
                    None => "501 no recipient",
                },
                ("DATA", "") if !mail.to.is_empty() => {
                    write.write_all(b"354 go on\r\n").await?;
                    loop {
                        let Some(line) = lines.next_segment().await? else { return Ok(()) };
                        assert!(line.len() <= 999, "RFC 5322: at most 998 letters and CRLF");
                        assert!(line.is_ascii(), "the body is encoded for any server");
                        let line = line.strip_suffix(b"\r").expect("lines end with CRLF");
                        if line == b"." {
                            break;
                        }
                        let line = line.strip_prefix(b".").unwrap_or(line);
                        mail.data.push_str(std::str::from_utf8(line).unwrap());
                        mail.data.push('\n');
                    }
                    self.take(std::mem::take(&mut mail))
                }
                ("QUIT", "") => {
                    return write.write_all(b"221 bye\r\n").await;
                }
                ("RSET", "") => {
                    mail = Mail::default();
                    "250 ok"
                }
                ("NOOP", _) => "250 ok",
                _ => "503 not now",
            };
            write.write_all(format!("{answer}\r\n").as_bytes()).await?;
        }
        Ok(())
    }

    fn take(&self, mail: Mail) -> &'static str {
        let less = |left: u32| left.checked_sub(1);
        if self.to_refuse.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok() {
            self.refused.fetch_add(1, Ordering::SeqCst);
            return "452 no room";
        }
        for header in ["From", "To", "Subject", "Date", "Content-Type", "Content-Transfer-Encoding"]
        {
            if mail.header(header).is_empty() {
                return "554 a header is missing";
            }
        }
        self.mails.lock().unwrap().push(mail);
        "250 taken"
    }
}

/// The address of `FROM:<address> …`.
fn path(text: &str, name: &str) -> Option<String> {
    let rest = text.strip_prefix(name)?.strip_prefix('<')?;
    let (address, _) = rest.split_once('>')?;
    address.contains('@').then(|| address.to_owned())
}

impl Mail {
    /// A header's value, unfolded and decoded (RFC 2047).
    pub(crate) fn header(&self, name: &str) -> String {
        let (head, _) = self.data.split_once("\n\n").expect("a head and a body");
        let head = head.replace("\n ", " ").replace("\n\t", " ");
        let value = head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        });
        let value = value.unwrap_or_default();
        let mut text = String::new();
        let mut after_word = false;
        for word in value.split(' ') {
            let inner = word
                .strip_prefix("=?utf-8?b?")
                .or_else(|| word.strip_prefix("=?UTF-8?B?"))
                .and_then(|rest| rest.strip_suffix("?="));
            // Blanks between encoded words are no part of the text.
            if !(text.is_empty() || after_word && inner.is_some()) {
                text.push(' ');
            }
            match inner {
                Some(inner) => {
                    text.push_str(&String::from_utf8(STANDARD.decode(inner).unwrap()).unwrap());
                }
                None => text.push_str(word),
            }
            after_word = inner.is_some();
        }
        text
    }

    /// The body, decoded as its header says.
    pub(crate) fn text(&self) -> String {
        let (_, body) = self.data.split_once("\n\n").unwrap();
        match self.header("Content-Transfer-Encoding").as_str() {
            "base64" => {
                let joined: String = body.split_whitespace().collect();
                String::from_utf8(STANDARD.decode(joined).unwrap()).unwrap()
            }
            "quoted-printable" => quoted_printable(body),
            "7bit" => body.to_owned(),
            other => panic!("an encoding that this server does not know: {other}"),
        }
    }
}

/// RFC 2045, section 6.7.
fn quoted_printable(body: &str) -> String {
    let joined = body.replace("=\n", "");
    let mut bytes = Vec::new();
    let mut rest = joined.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'=' => {
                let hex = [rest.next().unwrap(), rest.next().unwrap()];
                let hex = std::str::from_utf8(&hex).unwrap();
                bytes.push(u8::from_str_radix(hex, 16).unwrap());
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap()
}
