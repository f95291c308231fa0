//! A look into a CMS signature, before it is given out: is it what was asked for?

use base64::{Engine, prelude::BASE64_STANDARD};
use cms::{
    cert::CertificateChoices,
    content_info::ContentInfo,
    signed_data::{SignedData, SignerIdentifier, SignerInfo},
};
use der::{Decode, Encode, asn1::ObjectIdentifier, asn1::OctetString};

use crate::{Certificate, Form, SignError};

const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const SIGNING_TIME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.5");

/// The DER of a signature that came as DER, base64 or PEM.
pub(crate) fn der_of(bytes: Vec<u8>) -> Result<Vec<u8>, SignError> {
    if bytes.first() == Some(&0x30) {
        return Ok(bytes);
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| SignError::Malformed("no CMS"))?;
    let text: String =
        text.lines().filter(|line| !line.starts_with("-----")).flat_map(str::chars).collect();
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    BASE64_STANDARD.decode(text).map_err(|_| SignError::Malformed("neither DER nor base64"))
}

/// Reads a signature and checks that it has the form that was asked for: over these bytes where they
/// are attached, with the signer's certificate, which is answered, and the signing time.
pub(crate) fn check(der: &[u8], content: &[u8], form: Form) -> Result<Certificate, SignError> {
    let data = signed_data(der)?;
    match (form, &data.encap_content_info.econtent) {
        (Form::Detached, None) => {}
        (Form::Detached, Some(_)) => return Err(SignError::Malformed("not detached")),
        (Form::Attached, None) => return Err(SignError::Malformed("nothing attached")),
        (Form::Attached, Some(attached)) => {
            let attached = attached.to_der().and_then(|der| OctetString::from_der(&der));
            if attached.ok().is_none_or(|attached| attached.as_bytes() != content) {
                return Err(SignError::Malformed("something else is attached"));
            }
        }
    }
    let [signer] = data.signer_infos.0.as_slice() else {
        return Err(SignError::Malformed("not exactly one signer"));
    };
    let mut signed = signer.signed_attrs.iter().flat_map(|attributes| attributes.iter());
    if !signed.any(|attribute| attribute.oid == SIGNING_TIME) {
        return Err(SignError::Malformed("no signing time"));
    }
    signers_certificate(&data, signer)
}

fn signed_data(der: &[u8]) -> Result<SignedData, SignError> {
    let info = ContentInfo::from_der(der).map_err(|_| SignError::Malformed("no CMS in DER"))?;
    if info.content_type != SIGNED_DATA {
        return Err(SignError::Malformed("no SignedData"));
    }
    let inner = info.content.to_der().map_err(|_| SignError::Malformed("no SignedData"))?;
    SignedData::from_der(&inner).map_err(|_| SignError::Malformed("no SignedData"))
}

fn signers_certificate(data: &SignedData, signer: &SignerInfo) -> Result<Certificate, SignError> {
    let all = data.certificates.iter().flat_map(|set| set.0.iter());
    let mut all = all.filter_map(|choice| match choice {
        CertificateChoices::Certificate(certificate) => Some(certificate),
        CertificateChoices::Other(_) => None,
    });
    let found = match &signer.sid {
        SignerIdentifier::IssuerAndSerialNumber(id) => all.find(|certificate| {
            let own = &certificate.tbs_certificate;
            own.issuer == id.issuer && own.serial_number == id.serial_number
        }),
        // By its key's identifier; there is one certificate to choose from, or it cannot be told.
        SignerIdentifier::SubjectKeyIdentifier(_) => all.next(),
    };
    let found = found.ok_or(SignError::Malformed("the signer's certificate is not in it"))?;
    Certificate::of(found).map_err(|_| SignError::Malformed("its certificate cannot be read"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_and_pem_are_read_and_rubbish_is_not() {
        let der = vec![0x30, 0x03, 0x02, 0x01, 0x05];
        assert_eq!(der_of(der.clone()), Ok(der.clone()));
        let text = BASE64_STANDARD.encode(&der);
        let (begin, end) = text.split_at(4);
        assert_eq!(der_of(format!("{begin}\r\n{end}\n").into()), Ok(der.clone()));
        let pem = format!("-----BEGIN CMS-----\n{text}\n-----END CMS-----\n");
        assert_eq!(der_of(pem.into()), Ok(der.clone()));
        assert!(der_of(b"Error: no licence".to_vec()).is_err());
        assert!(der_of(vec![0xff]).is_err());
        let checked = check(&der, b"", Form::Detached);
        assert_eq!(checked, Err(SignError::Malformed("no CMS in DER")));
    }
}
