//! The calls to one UTM (protocol of UTM 2.0.5 to 4.x, as its clients use it).

use std::{
    collections::{HashSet, VecDeque},
    io::BufReader,
    time::Duration,
};

use reqwest::{
    Method, RequestBuilder, StatusCode,
    header::CONTENT_TYPE,
    multipart::{Form, Part},
};
use runtime::{Metrics, StartError, http};
use serde::Deserialize;
use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset, macros::format_description};

use super::{
    answer::{self, Entry, Incoming, Receipt, Rest},
    error::{Error, What},
    feed::feed,
};
use crate::{config::Utm, documents::Kind, xml::XmlError};

/// The most sent documents that are read in search of one.
const READS_MOST: usize = 100;
/// The most entries of a list that are in hand at a time.
const ENTRIES_MOST: usize = 100_000;
/// The longest wait for the page that says whose key is in.
pub(crate) const DIAGNOSIS: Duration = Duration::from_secs(10);

/// A UTM. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    name: String,
    utm: Utm,
    http: http::Client,
    slow: http::Client,
    timeout: Duration,
}

/// A document of ours in a UTM's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed {
    /// It has it, under this name.
    There(Option<String>),
    /// It does not.
    Absent,
    /// It has documents of this type and does not show them.
    Hidden,
}

/// What an inbox holds.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    /// Entries that were known; as they are met they go over to `still`.
    pub(crate) known: HashSet<String>,
    /// Known ones that are still there.
    pub(crate) still: HashSet<String>,
    /// The others.
    pub(crate) fresh: Vec<Entry>,
    /// Whether there are more of them than are taken in hand at a time.
    pub(crate) is_cut: bool,
}

impl Inbox {
    fn meet(&mut self, entry: Entry) {
        if let Some(path) = self.known.take(&entry.path) {
            self.still.insert(path);
        } else if self.fresh.len() < ENTRIES_MOST {
            self.fresh.push(entry);
        } else {
            self.is_cut = true;
        }
    }
}

/// How a UTM is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// The organisation in its key.
    pub owner: String,
    /// When its keys end, by name (`rsa`, `gost`), where it tells.
    pub keys: Vec<(&'static str, OffsetDateTime)>,
}

impl Client {
    /// A client of the UTM with this name in the settings.
    ///
    /// # Errors
    /// [`StartError`] when the system's certificates cannot be read.
    pub fn new(
        name: &str,
        utm: &Utm,
        (timeout, slow): (Duration, Duration),
        metrics: &Metrics,
    ) -> Result<Self, StartError> {
        Ok(Self {
            name: name.to_owned(),
            utm: utm.clone(),
            http: http::Client::new("utm", timeout, metrics)?,
            slow: http::Client::new("utm", slow, metrics)?,
            timeout,
        })
    }

    /// The organisation that the settings name.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.utm.fsrar_id
    }

    /// Its name in the settings.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn request(&self, client: &http::Client, method: Method, path: &str) -> RequestBuilder {
        let base = self.utm.url.as_str().trim_end_matches('/');
        let request = client.request(method, &format!("{base}{path}"));
        match &self.utm.header {
            Some(header) => request.header(&header.name, header.value.expose()),
            None => request,
        }
    }

    async fn send(
        &self,
        call: &'static str,
        method: Method,
        path: &str,
    ) -> Result<http::Answer, Error> {
        let request = self.request(&self.http, method, path);
        let answer = self.http.send(call, request).await;
        answer.map_err(|error| self.error(What::from(error)))
    }

    fn error(&self, what: What) -> Error {
        Error { utm: self.name.clone(), what }
    }

    fn garbled(&self, error: &XmlError) -> Error {
        self.error(What::Garbled(error.to_string()))
    }

    /// A good status, or what it means.
    fn good(&self, status: StatusCode) -> Result<(), Error> {
        match status {
            StatusCode::OK => Ok(()),
            StatusCode::FORBIDDEN => Err(self.error(What::Key)),
            StatusCode::NOT_FOUND => Err(self.error(What::Absent)),
            status => Err(self.error(What::Garbled(format!("status {}", status.as_u16())))),
        }
    }

    /// Sends a document. The UTM's name for it comes back.
    ///
    /// # Errors
    /// [`Error`]; [`What::had_no_effect`] says whether it can have been taken.
    pub async fn post(&self, kind: Kind, body: &str) -> Result<String, Error> {
        let path = match (&self.utm.cheque_path, kind.is_cheque()) {
            (Some(path), true) => path.clone(),
            _ => format!("/opt/in/{}", kind.word()),
        };
        let part = Part::text(body.to_owned()).file_name("document.xml").mime_str("text/xml");
        let part = part.map_err(|error| self.error(What::NotSent(error.to_string())))?;
        let form = Form::new().part("xml_file", part);
        let request = self.request(&self.http, Method::POST, &path);
        let request = if kind == Kind::Brief {
            request.header(CONTENT_TYPE, "application/xml").body(body.to_owned())
        } else {
            request.multipart(form)
        };
        let answer = self.http.send("opt/in", request).await;
        let answer = answer.map_err(|error| self.error(What::from(error)))?;
        if answer.status == StatusCode::FORBIDDEN {
            return Err(self.error(What::Key));
        }
        // Which status comes with a refusal is not settled: the body is read with any.
        match answer::receipt(&answer.body) {
            Ok(Receipt::Taken(name)) if answer.status.is_success() => Ok(name),
            Ok(Receipt::Refused(words)) => Err(self.error(What::Refused(words))),
            Ok(Receipt::Taken(_)) | Err(_) => {
                let what = format!("status {}", answer.status.as_u16());
                Err(self.error(What::Garbled(what)))
            }
        }
    }

    /// Documents of this type that it lists as sent and has not forgotten, the newest first.
    ///
    /// # Errors
    /// [`Error`]; reading has no effect.
    pub async fn outbox(&self, kind: Kind) -> Result<Vec<Entry>, Error> {
        let is_it = move |entry: &Entry| entry.path.split('/').next() == Some(kind.word());
        let newest = |newest: &mut VecDeque<Entry>, entry: Entry| {
            if newest.len() >= ENTRIES_MOST {
                newest.pop_front();
            }
            newest.push_back(entry);
        };
        let take = move |entries: &mut VecDeque<Entry>, entry: Entry| {
            if is_it(&entry) {
                newest(entries, entry);
            }
        };
        let (entries, ended) = self.list("opt/in list", "/opt/in", VecDeque::new(), take).await;
        ended.map(|()| entries.into_iter().rev().collect())
    }

    /// Looks for a document of ours among these, by its Identity. A list may hold years: no more than
    /// a hundred are read, and what lies behind them counts as hidden.
    ///
    /// # Errors
    /// [`Error`]; reading has no effect.
    pub async fn find(&self, entries: &[Entry], identity: &str) -> Result<Listed, Error> {
        let mut hidden = entries.len() > READS_MOST;
        for Entry { path, reply_id } in entries.iter().take(READS_MOST) {
            let path = format!("/opt/in/{path}");
            let answer = self.send("opt/in document", Method::GET, &path).await?;
            let own = (answer.status == StatusCode::OK)
                .then(|| answer::identity(&answer.body).ok().flatten())
                .flatten();
            match own {
                Some(own) if own == identity => return Ok(Listed::There(reply_id.clone())),
                Some(_) => {}
                None => hidden = true,
            }
        }
        Ok(if hidden { Listed::Hidden } else { Listed::Absent })
    }

    /// What lies in the inbox.
    ///
    /// # Errors
    /// [`Error`]; reading has no effect.
    pub async fn inbox(&self) -> Result<Vec<Entry>, Error> {
        let (inbox, ended) = self.look(HashSet::new()).await;
        ended.map(|()| inbox.fresh)
    }

    /// What lies in the inbox beside what is known.
    pub(crate) async fn look(&self, known: HashSet<String>) -> (Inbox, Result<(), Error>) {
        let inbox = Inbox { known, ..Inbox::default() };
        self.list("opt/out list", "/opt/out", inbox, Inbox::meet).await
    }

    /// Reads a list as it comes, whatever its size; each piece of it has the time of a call.
    async fn list<T: Default + Send + 'static>(
        &self,
        call: &'static str,
        path: &'static str,
        mut taken: T,
        take: impl Fn(&mut T, Entry) + Send + 'static,
    ) -> (T, Result<(), Error>) {
        let request = self.request(&self.slow, Method::GET, path);
        let opened = tokio::time::timeout(self.timeout, self.slow.open(call, request)).await;
        let late = || self.error(What::NoAnswer("the list does not come".to_owned()));
        let opened = match opened {
            Ok(opened) => opened.map_err(|error| self.error(What::from(error))),
            Err(_) => Err(late()),
        };
        let mut answer = match opened.and_then(|answer| self.good(answer.status()).map(|()| answer))
        {
            Ok(answer) => answer,
            Err(error) => return (taken, Err(error)),
        };
        let (send, feed) = feed();
        let reading = tokio::task::spawn_blocking(move || {
            let feed = BufReader::with_capacity(64 * 1024, feed);
            let read =
                answer::list(feed, &format!("{path}/"), &mut |entry| take(&mut taken, entry));
            (taken, read)
        });
        let broken = loop {
            let piece = match tokio::time::timeout(self.timeout, answer.chunk()).await {
                Ok(Ok(Some(piece))) => Ok(piece.to_vec()),
                Ok(Ok(None)) => break None,
                Ok(Err(error)) => break Some(self.broken(error)),
                Err(_) => break Some(late()),
            };
            if send.send(piece).await.is_err() {
                break None;
            }
        };
        drop(send);
        match reading.await {
            Ok((taken, read)) => {
                let read = read.map_err(|error| self.garbled(&error));
                (taken, broken.map_or(read, Err))
            }
            Err(error) => (T::default(), Err(self.error(What::Garbled(error.to_string())))),
        }
    }

    /// Reads a document of the inbox and leaves it there. `None` when it is gone, or not yet a document.
    ///
    /// # Errors
    /// [`Error`]; reading has no effect.
    pub async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Error> {
        let answer = self.send("opt/out", Method::GET, &format!("/opt/out/{path}")).await?;
        match self.good(answer.status) {
            Ok(()) if answer.body.trim_ascii_start().starts_with(b"<") => Ok(Some(answer.body)),
            Ok(_) | Err(Error { what: What::Absent, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads a document of the inbox as it comes, whatever its size.
    ///
    /// # Errors
    /// [`Error`]; reading has no effect.
    pub async fn read_rests(
        &self,
        path: &str,
        mut position: impl FnMut(Rest) -> Result<(), XmlError> + Send + 'static,
    ) -> Result<Incoming, Error> {
        let request = self.request(&self.slow, Method::GET, &format!("/opt/out/{path}"));
        let answer = request.send().await.map_err(|error| self.broken(error))?;
        if answer.status() != StatusCode::OK {
            let what = What::Garbled(format!("status {}", answer.status().as_u16()));
            return Err(self.error(what));
        }
        let (send, feed) = feed();
        let reading = tokio::task::spawn_blocking(move || {
            answer::incoming(BufReader::with_capacity(64 * 1024, feed), &mut position)
        });
        let mut answer = answer;
        loop {
            let piece = match answer.chunk().await {
                Ok(Some(piece)) => Ok(piece.to_vec()),
                Ok(None) => break,
                Err(error) => Err(std::io::Error::other(error.without_url().to_string())),
            };
            let failed = piece.is_err();
            if send.send(piece).await.is_err() || failed {
                break;
            }
        }
        drop(send);
        let read = reading.await.map_err(|error| self.error(What::Garbled(error.to_string())))?;
        read.map_err(|error| self.garbled(&error))
    }

    fn broken(&self, error: reqwest::Error) -> Error {
        self.error(What::NoAnswer(error.without_url().to_string()))
    }

    /// Takes a document off the inbox. One that is gone is as good.
    ///
    /// # Errors
    /// [`Error`]; it may be off.
    pub async fn delete(&self, path: &str) -> Result<(), Error> {
        let answer =
            self.send("opt/out delete", Method::DELETE, &format!("/opt/out/{path}")).await?;
        match answer.status {
            StatusCode::NOT_FOUND => Ok(()),
            status if status.is_success() => Ok(()),
            status => Err(self.error(What::Garbled(format!("status {}", status.as_u16())))),
        }
    }

    /// Whether it is there with the key of the organisation that the settings name. Asked before a document is sent:
    /// a UTM that hangs or boots is found out by a question that has no effect.
    ///
    /// # Errors
    /// [`Error`]; [`What::Stranger`] when the key is another organisation's.
    pub async fn diagnose(&self) -> Result<String, Error> {
        let request = self.request(&self.http, Method::GET, "/diagnosis");
        let request = request.timeout(self.timeout.min(DIAGNOSIS));
        let answer = self.http.send("diagnosis", request).await;
        let answer = answer.map_err(|error| self.error(What::from(error)))?;
        self.good(answer.status)?;
        let owner = answer::owner(&answer.body).map_err(|error| self.garbled(&error))?;
        if owner == self.utm.fsrar_id { Ok(owner) } else { Err(self.error(What::Stranger(owner))) }
    }

    /// Whose key it has and until when.
    ///
    /// # Errors
    /// As [`Client::diagnose`].
    pub async fn health(&self) -> Result<Health, Error> {
        let owner = self.diagnose().await?;
        // Modules before 4.0 do not have it.
        let info = self.send("api/info", Method::GET, "/api/info/list").await?;
        let info: Info = serde_json::from_slice(&info.body).unwrap_or_default();
        let keys = [("rsa", info.rsa), ("gost", info.gost)].into_iter();
        let keys = keys.filter_map(|(name, key)| Some((name, moment(&key?.expire_date?)?)));
        Ok(Health { owner, keys: keys.collect() })
    }
}

#[derive(Debug, Default, Deserialize)]
struct Info {
    rsa: Option<Key>,
    gost: Option<Key>,
}

#[derive(Debug, Deserialize)]
struct Key {
    #[serde(rename = "expireDate")]
    expire_date: Option<String>,
}

/// `2027-01-01 00:00:00` and what may follow, Moscow's.
fn moment(text: &str) -> Option<OffsetDateTime> {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    let at = PrimitiveDateTime::parse(text.trim().get(..19)?, format).ok()?;
    Some(at.assume_offset(UtcOffset::from_hms(3, 0, 0).ok()?))
}
