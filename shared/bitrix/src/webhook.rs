//! What a Bitrix24 outgoing webhook says: a form with PHP brackets, read within strict bounds.
//!
//! The call is a signal: it names an event and an entity, and nothing in it tells what changed.
//! Unknown keys are ignored (the `auth` block of an application carries tokens that we do not
//! want), broken ones refuse the whole form.

use std::{borrow::Cow, fmt};

use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

/// The longest form, in bytes.
pub const MAX_BODY: usize = 64 * 1024;
/// The most `key=value` pairs.
pub const MAX_PAIRS: usize = 200;
/// The most brackets of a key.
pub const MAX_DEPTH: usize = 5;
/// The longest key, in bytes as sent.
pub const MAX_KEY: usize = 256;

/// A call of a portal, not yet trusted: check [`Call::token_is`] first.
#[derive(Clone)]
pub struct Call {
    /// The event's name in upper case, such as `ONSALEORDERSAVED`.
    pub event: String,
    /// What the event is about.
    pub concern: Concern,
    /// When the portal queued the event, in Unix seconds. May be old; no replay guard.
    pub ts: Option<i64>,
    /// The portal's domain. It may change; the key is [`Call::member_id`].
    pub domain: Option<String>,
    /// The portal's lasting id.
    pub member_id: Option<String>,
    token: Option<SecretString>,
}

/// What a call is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concern {
    /// The order with this id was saved.
    Order(u64),
    /// The order with this id is about to be deleted.
    OrderDeleted(u64),
    /// The payment with this id was saved; which order it belongs to must be asked.
    Payment(u64),
    /// The shipment with this id was saved; which order it belongs to must be asked.
    Shipment(u64),
    /// Nothing that changes what we know of an order.
    Nothing,
}

/// Why a body is no call. Never quotes the body: it holds tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormError {
    /// The body is longer than [`MAX_BODY`].
    #[error("the form is longer than {MAX_BODY} bytes")]
    TooLong,
    /// More than [`MAX_PAIRS`] pairs.
    #[error("the form has more than {MAX_PAIRS} fields")]
    TooManyPairs,
    /// A key longer than [`MAX_KEY`].
    #[error("the form has a field whose name is longer than {MAX_KEY} bytes")]
    KeyTooLong,
    /// More than [`MAX_DEPTH`] brackets in a key.
    #[error("the form has a field nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// A key whose brackets do not pair up.
    #[error("the form has a field whose brackets do not pair up")]
    Brackets,
    /// A `%` without two hexadecimal digits, or bytes that are not UTF-8.
    #[error("the form is not percent-encoded UTF-8")]
    Encoding,
    /// A field that we need is there twice.
    #[error("the form has the field {0} twice")]
    Repeated(&'static str),
    /// A field that we need is not there.
    #[error("the form has no field {0}")]
    Missing(&'static str),
    /// A field that we need is no number or an impossible one.
    #[error("the form's field {0} is not a number that it can be")]
    NotANumber(&'static str),
    /// The event's name is no name.
    #[error("the form's field event is not a name of Latin letters")]
    Name,
}

const EVENT: &str = "event";
const ID: &str = "data[FIELDS][ID]";
const TS: &str = "ts";
const DOMAIN: &str = "auth[domain]";
const MEMBER: &str = "auth[member_id]";
const TOKEN: &str = "auth[application_token]";

impl Call {
    /// Reads a call from the body of a request.
    ///
    /// # Errors
    /// [`FormError`] tells what is wrong with the form. A form without an `auth` block is none:
    /// it is read, and [`Call::token_is`] is false for every token.
    pub fn parse(body: &[u8]) -> Result<Self, FormError> {
        let fields = Fields::read(body)?;
        let event = fields.event.ok_or(FormError::Missing(EVENT))?;
        let event = event.to_ascii_uppercase();
        if !is_event_name(&event) {
            return Err(FormError::Name);
        }
        let ts =
            fields.ts.map(|ts| ts.parse().map_err(|_| FormError::NotANumber(TS))).transpose()?;
        Ok(Self {
            concern: concern(&event, fields.id.as_deref())?,
            event,
            ts,
            domain: fields.domain.map(Cow::into_owned),
            member_id: fields.member.map(Cow::into_owned),
            token: fields.token.map(|token| token.into_owned().into()),
        })
    }

    /// Whether the call carries this `application_token`. Takes the same time wherever they
    /// differ.
    #[must_use]
    pub fn token_is(&self, expected: &str) -> bool {
        let given = self.token.as_ref().map_or("", |token| token.expose_secret());
        !expected.is_empty() && bool::from(given.as_bytes().ct_eq(expected.as_bytes()))
    }
}

/// Shows no token and no domain.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("event", &self.event)
            .field("concern", &self.concern)
            .field("ts", &self.ts)
            .finish_non_exhaustive()
    }
}

impl Concern {
    /// What the event named `event` says about the entity `id`; [`Concern::Nothing`] for events
    /// that are not about orders.
    ///
    /// The deletion of a payment or a shipment and the saving of a property are left out on
    /// purpose: each of them comes with the saving of its order (`ONSALEORDERSAVED`), and of a
    /// deleted part nobody can ask any more which order it belonged to.
    #[must_use]
    pub fn of(event: &str, id: u64) -> Self {
        match event {
            "ONSALEORDERSAVED" | "ONORDERENTITYSAVED" => Self::Order(id),
            "ONSALEBEFOREORDERDELETE" | "ONORDERDELETED" => Self::OrderDeleted(id),
            "ONPAYMENTENTITYSAVED" => Self::Payment(id),
            "ONSHIPMENTENTITYSAVED" => Self::Shipment(id),
            _ => Self::Nothing,
        }
    }

    /// The id of the entity, where there is one.
    #[must_use]
    pub const fn entity(self) -> Option<u64> {
        match self {
            Self::Order(id) | Self::OrderDeleted(id) | Self::Payment(id) | Self::Shipment(id) => {
                Some(id)
            }
            Self::Nothing => None,
        }
    }
}

/// An id is asked for only where the event is ours: other events have ids of other forms.
fn concern(event: &str, id: Option<&str>) -> Result<Concern, FormError> {
    if Concern::of(event, 0) == Concern::Nothing {
        return Ok(Concern::Nothing);
    }
    let id = id.ok_or(FormError::Missing(ID))?;
    match id.parse() {
        Ok(id) if (1..=i64::MAX.unsigned_abs()).contains(&id) => Ok(Concern::of(event, id)),
        _ => Err(FormError::NotANumber(ID)),
    }
}

fn is_event_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=64).contains(&name.len()) && name.bytes().all(allowed)
}

/// The fields that we know, decoded.
#[derive(Default)]
struct Fields<'a> {
    event: Option<Cow<'a, str>>,
    id: Option<Cow<'a, str>>,
    ts: Option<Cow<'a, str>>,
    domain: Option<Cow<'a, str>>,
    member: Option<Cow<'a, str>>,
    token: Option<Cow<'a, str>>,
}

impl<'a> Fields<'a> {
    fn read(body: &'a [u8]) -> Result<Self, FormError> {
        if body.len() > MAX_BODY {
            return Err(FormError::TooLong);
        }
        let mut fields = Self::default();
        let pairs = body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
        for (count, pair) in pairs.enumerate() {
            if count >= MAX_PAIRS {
                return Err(FormError::TooManyPairs);
            }
            fields.take(pair)?;
        }
        Ok(fields)
    }

    fn take(&mut self, pair: &'a [u8]) -> Result<(), FormError> {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let (key, value) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
        if key.len() > MAX_KEY {
            return Err(FormError::KeyTooLong);
        }
        let key = decode(key)?;
        check_brackets(&key)?;
        let value = decode(value)?;
        let (name, place) = match &*key {
            EVENT => (EVENT, &mut self.event),
            ID => (ID, &mut self.id),
            TS => (TS, &mut self.ts),
            DOMAIN => (DOMAIN, &mut self.domain),
            MEMBER => (MEMBER, &mut self.member),
            TOKEN => (TOKEN, &mut self.token),
            _ => return Ok(()),
        };
        match place.replace(value) {
            Some(_) => Err(FormError::Repeated(name)),
            None => Ok(()),
        }
    }
}

/// A key is a name and up to [`MAX_DEPTH`] brackets after it: `data[FIELDS][ID]`.
fn check_brackets(key: &str) -> Result<(), FormError> {
    let Some((_, brackets)) = key.split_once('[') else {
        return if key.contains(']') { Err(FormError::Brackets) } else { Ok(()) };
    };
    let inside = brackets.strip_suffix(']').ok_or(FormError::Brackets)?;
    for (depth, part) in inside.split("][").enumerate() {
        if depth >= MAX_DEPTH {
            return Err(FormError::TooDeep);
        }
        if part.contains(['[', ']']) {
            return Err(FormError::Brackets);
        }
    }
    Ok(())
}

/// Percent-decodes strictly; borrows where nothing is encoded.
fn decode(text: &[u8]) -> Result<Cow<'_, str>, FormError> {
    if !text.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return std::str::from_utf8(text).map(Cow::Borrowed).map_err(|_| FormError::Encoding);
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'+' => b' ',
            b'%' => hex(bytes.next())? << 4 | hex(bytes.next())?,
            byte => *byte,
        });
    }
    String::from_utf8(plain).map(Cow::Owned).map_err(|_| FormError::Encoding)
}

fn hex(digit: Option<&u8>) -> Result<u8, FormError> {
    match digit {
        Some(digit @ b'0'..=b'9') => Ok(digit - b'0'),
        Some(digit @ b'a'..=b'f') => Ok(digit - b'a' + 10),
        Some(digit @ b'A'..=b'F') => Ok(digit - b'A' + 10),
        _ => Err(FormError::Encoding),
    }
}

#[cfg(test)]
mod tests;
