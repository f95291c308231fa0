//! Back into circulation: `LP_RETURN`, and which return may follow which withdrawal.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::Date;

use super::{
    Primary, PrimaryKind, Reason, Refusal, codes, inn, json, primary::PrimaryFields, text, words,
    written,
};

words! {
    /// How a code comes back.
    ReturnType {
        /// From a sale at a distance.
        RemoteSale = "REMOTE_SALE_RETURN",
        /// From a sale at a till.
        Retail = "RETAIL_RETURN",
        /// From own use.
        OwnUse = "OWN_USE_RETURN",
        /// From a state contract.
        StateContract = "STATE_CONTRACT_RETURN",
        /// From what was no sale.
        NotForSale = "NOT_FOR_SALE_RETURN",
    }
}

words! {
    /// What a certificate is (the only kind on record).
    CertificateKind {
        /// A declaration of conformity.
        Declaration = "CONFORMITY_DECLARATION",
        /// A certificate of conformity.
        Certificate = "CONFORMITY_CERTIFICATE",
    }
}

/// Which return may follow which withdrawal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Matrix(BTreeMap<ReturnType, Vec<Reason>>);

impl Default for Matrix {
    /// The published one: that of the group `lp`. For other groups it is taken to be the same, which nobody
    /// has published; settings may say otherwise.
    fn default() -> Self {
        use Reason::{
            BySamples, Distance, Donation, MedicalUse, OwnUse, ProductionUse, Retail,
            StateContract, StateSecret, VeterinaryUse,
        };
        Self(BTreeMap::from([
            (ReturnType::RemoteSale, vec![Distance, BySamples]),
            (ReturnType::Retail, vec![Retail, BySamples, Distance]),
            (ReturnType::OwnUse, vec![OwnUse, ProductionUse, MedicalUse, VeterinaryUse]),
            (ReturnType::StateContract, vec![StateSecret]),
            (ReturnType::NotForSale, vec![Donation, OwnUse, ProductionUse, StateContract]),
        ]))
    }
}

impl Matrix {
    /// Whether this return may follow a withdrawal for this reason.
    #[must_use]
    pub fn allows(&self, return_type: ReturnType, reason: Reason) -> bool {
        self.0.get(&return_type).is_some_and(|reasons| reasons.contains(&reason))
    }

    /// The returns that may follow a withdrawal for this reason, the closest first: a shop's distance
    /// sale comes back as one.
    pub fn after(&self, reason: Reason) -> impl Iterator<Item = ReturnType> {
        ReturnType::ALL.iter().copied().filter(move |kind| self.allows(*kind, reason))
    }
}

/// What comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Return {
    /// The participant's INN.
    pub inn: String,
    /// How.
    pub return_type: ReturnType,
    /// Whether the buyer had paid: of [`ReturnType::RemoteSale`] alone, and must be said there, for all
    /// codes here or for each.
    pub paid: Option<bool>,
    /// The primary document of all codes.
    pub primary: Option<Primary>,
    /// The certificate of all codes.
    pub certificate: Option<Certificate>,
    /// The codes.
    pub products: Vec<Returned>,
}

/// A code that comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    /// Its KI, without the crypto tail.
    pub ki: String,
    /// Why it is out of circulation, as the register says just now.
    pub reason: Reason,
    /// As [`Return::paid`], of this code.
    pub paid: Option<bool>,
    /// A primary document of its own.
    pub primary: Option<Primary>,
    /// A certificate of its own.
    pub certificate: Option<Certificate>,
}

/// A document of conformity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// What it is.
    pub kind: CertificateKind,
    /// Its number.
    pub number: String,
    /// Its date.
    pub date: Date,
}

#[derive(Serialize)]
struct Wire<'a> {
    trade_participant_inn: &'a str,
    return_type: ReturnType,
    #[serde(skip_serializing_if = "Option::is_none")]
    paid: Option<bool>,
    #[serde(flatten)]
    primary: PrimaryFields<'a>,
    #[serde(flatten)]
    certificate: CertificateFields<'a>,
    products_list: Vec<WireProduct<'a>>,
}

#[derive(Serialize)]
struct WireProduct<'a> {
    ki: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    paid: Option<bool>,
    #[serde(flatten)]
    primary: PrimaryFields<'a>,
    #[serde(flatten)]
    certificate: CertificateFields<'a>,
}

#[derive(Serialize)]
struct CertificateFields<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_type: Option<CertificateKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_date: Option<String>,
}

impl<'a> CertificateFields<'a> {
    fn of(certificate: Option<&'a Certificate>) -> Self {
        Self {
            certificate_type: certificate.map(|certificate| certificate.kind),
            certificate_number: certificate.map(|certificate| certificate.number.as_str()),
            certificate_date: certificate.map(|certificate| written(certificate.date)),
        }
    }
}

/// The bytes of a return.
///
/// # Errors
/// [`Refusal`] is the first thing that the register would not take.
pub fn return_(asked: &Return, matrix: &Matrix) -> Result<Vec<u8>, Refusal> {
    codes(asked.products.iter().map(|product| product.ki.as_str()))?;
    for product in &asked.products {
        check(asked, product, matrix)?;
    }
    let products = asked.products.iter().map(|product| WireProduct {
        ki: &product.ki,
        paid: product.paid,
        primary: PrimaryFields::of(product.primary.as_ref()),
        certificate: CertificateFields::of(product.certificate.as_ref()),
    });
    json(&Wire {
        trade_participant_inn: inn(&asked.inn)?,
        return_type: asked.return_type,
        paid: asked.paid,
        primary: PrimaryFields::of(asked.primary.as_ref()),
        certificate: CertificateFields::of(asked.certificate.as_ref()),
        products_list: products.collect(),
    })
}

fn check(asked: &Return, product: &Returned, matrix: &Matrix) -> Result<(), Refusal> {
    let (return_type, reason) = (asked.return_type, product.reason);
    if !matrix.allows(return_type, reason) {
        return Err(Refusal::Follows { return_type, reason });
    }
    let primary = product.primary.as_ref().or(asked.primary.as_ref());
    // What the code says for itself goes before what the document says for all.
    let paid = product.paid.or(asked.paid);
    match (return_type, paid, primary) {
        (ReturnType::RemoteSale, None, _) => return Err(Refusal::NoPaid),
        (ReturnType::RemoteSale, Some(true), None) => return Err(Refusal::NoPrimary),
        (ReturnType::RemoteSale, Some(false), Some(_)) => return Err(Refusal::Primary),
        (ReturnType::RemoteSale, ..) => {}
        (_, Some(_), _) => return Err(Refusal::Paid),
        (ReturnType::Retail, _, None) => return Err(Refusal::NoPrimary),
        (ReturnType::OwnUse | ReturnType::StateContract, _, Some(_)) => {
            return Err(Refusal::Primary);
        }
        _ => {}
    }
    if let Some(primary) = primary {
        primary.check(Some(kinds(return_type)))?;
    }
    certificate(asked, product)
}

/// Kinds of primary documents that go with a return.
const fn kinds(return_type: ReturnType) -> &'static [PrimaryKind] {
    match return_type {
        ReturnType::RemoteSale | ReturnType::Retail => {
            &[PrimaryKind::Receipt, PrimaryKind::SalesReceipt, PrimaryKind::Other]
        }
        ReturnType::NotForSale => &[PrimaryKind::Other],
        ReturnType::OwnUse | ReturnType::StateContract => &[],
    }
}

fn certificate(asked: &Return, product: &Returned) -> Result<(), Refusal> {
    if asked.certificate.is_some() && product.certificate.is_some() {
        return Err(Refusal::CertificateTwice);
    }
    match asked.certificate.as_ref().or(product.certificate.as_ref()) {
        Some(certificate) => text("the number of the certificate", &certificate.number),
        None => Ok(()),
    }
}
