//! What is read of a certificate: whose it is, and until when.

use std::fmt::Write as _;

use der::{Decode, DecodePem, Tag, Tagged, asn1::ObjectIdentifier};
use time::OffsetDateTime;
use x509_cert::{Certificate as X509, attr::AttributeTypeAndValue};

/// INN of a legal entity (ИННЮЛ, order 795 of the FSB).
const INN_ENTITY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.643.100.4");
/// INN (12 digits; of a legal entity with two zeros before, in certificates of before 2022).
const INN: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.643.3.131.1.1");
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const ORGANISATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");
/// GOST R 34.10-2012 with a key of 256 bits, and of 512.
const GOST_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.643.7.1.1.1.1");
const GOST_512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.643.7.1.1.1.2");

/// A signer's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Whose it is (CN).
    pub name: String,
    /// The organisation (O), if any.
    pub organisation: Option<String>,
    /// The INN of the organisation, else of the person: 10 or 12 digits.
    pub inn: Option<String>,
    /// The person's own INN, 12 digits.
    pub person_inn: Option<String>,
    /// The serial number in hexadecimal digits.
    pub serial: String,
    /// From when it holds.
    pub not_before: OffsetDateTime,
    /// Until when it holds.
    pub not_after: OffsetDateTime,
    /// Bits of its GOST R 34.10-2012 key: 256 or 512; `None` for any other algorithm.
    pub gost_bits: Option<u16>,
}

/// Why a certificate cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an X.509 certificate: {0}")]
pub struct CertificateError(String);

impl Certificate {
    /// Reads a certificate, PEM or DER.
    ///
    /// # Errors
    /// [`CertificateError`] when it is none.
    pub fn read(bytes: &[u8]) -> Result<Self, CertificateError> {
        let read = if bytes.starts_with(b"-----") || bytes.starts_with(b"Bag ") {
            X509::from_pem(bytes)
        } else {
            X509::from_der(bytes)
        };
        Self::of(&read.map_err(|error| CertificateError(error.to_string()))?)
    }

    pub(crate) fn of(x509: &X509) -> Result<Self, CertificateError> {
        let own = &x509.tbs_certificate;
        let subject = |oid| find(x509, oid);
        let moment = |time: x509_cert::time::Time| {
            let seconds = i64::try_from(time.to_unix_duration().as_secs()).ok();
            seconds
                .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
                .ok_or_else(|| CertificateError("its dates cannot be told".to_owned()))
        };
        let algorithm = own.subject_public_key_info.algorithm.oid;
        let person = subject(INN);
        Ok(Self {
            name: subject(COMMON_NAME).unwrap_or_default(),
            organisation: subject(ORGANISATION),
            inn: subject(INN_ENTITY).or_else(|| person.as_deref().map(without_zeros)),
            person_inn: person.filter(|inn| !inn.starts_with("00")),
            serial: hex(own.serial_number.as_bytes()),
            not_before: moment(own.validity.not_before)?,
            not_after: moment(own.validity.not_after)?,
            gost_bits: match algorithm {
                GOST_256 => Some(256),
                GOST_512 => Some(512),
                _ => None,
            },
        })
    }
}

/// `007700000016` is the organisation 7700000016.
fn without_zeros(inn: &str) -> String {
    inn.strip_prefix("00").filter(|rest| rest.len() == 10).unwrap_or(inn).to_owned()
}

/// The first value of an attribute of the subject.
fn find(x509: &X509, oid: ObjectIdentifier) -> Option<String> {
    let mut attributes = x509.tbs_certificate.subject.0.iter().flat_map(|name| name.0.iter());
    attributes.find(|attribute| attribute.oid == oid).and_then(text)
}

/// Text in whichever of the string types it was written.
fn text(attribute: &AttributeTypeAndValue) -> Option<String> {
    let value = attribute.value.value();
    match attribute.value.tag() {
        Tag::BmpString => {
            let units = value.chunks_exact(2);
            let units =
                units.map(|pair| pair.iter().fold(0, |unit, byte| unit << 8 | u16::from(*byte)));
            char::decode_utf16(units).collect::<Result<String, _>>().ok()
        }
        // The others hold their bytes as text: UTF-8 or a part of ASCII.
        _ => std::str::from_utf8(value).ok().map(str::to_owned),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        if write!(text, "{byte:02X}").is_err() {
            tracing::error!("a string could not be written to");
        }
        text
    })
}
