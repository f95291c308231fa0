//! ATOL Online, interface versions 4 (FFD 1.05) and 5 (FFD 1.2).
//!
//! It knows a repeated `external_id` for good: error 33 tells the uuid of the first document, so
//! a request without an answer is safely sent again.

mod answer;
pub mod body;
mod client;

use std::{sync::Mutex, time::Duration};

use runtime::Secret;
use serde::Deserialize;

use super::{
    Accepted, Answer, Line, Naming, Register, RegisterName, Request, Standing, Unwritable,
};
use crate::{receipt::Receipt, subject::Subject};

/// A group of registers in the cabinet.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The login of the integration.
    pub login: String,
    /// Its password.
    pub password: Secret,
    /// The code of the group.
    pub group: String,
    /// The version of the interface.
    pub version: Version,
}

/// A version of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Version {
    /// FFD 1.05: no mark codes.
    V4,
    /// FFD 1.2.
    V5,
}

/// The register on one account.
#[derive(Debug)]
pub struct Atol {
    line: Line,
    account: Account,
    callback_url: Option<String>,
    /// Holds for a day; anew when the register does not know it any more.
    token: Mutex<Option<String>>,
}

impl Atol {
    pub(crate) fn new(line: Line, account: Account, callback_url: Option<String>) -> Self {
        Self { line, account, callback_url, token: Mutex::default() }
    }
}

impl Version {
    /// The part of the path that names it.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::V4 => "v4",
            Self::V5 => "v5",
        }
    }
}

impl Register for Atol {
    fn name(&self) -> RegisterName {
        RegisterName::Atol
    }

    fn title(&self) -> &'static str {
        "АТОЛ Онлайн"
    }

    fn resend_within(&self) -> Option<Duration> {
        None
    }

    fn write(&self, receipt: &Receipt, naming: &Naming<'_>) -> Result<String, Unwritable> {
        body::write(receipt, naming, self.account.version, self.callback_url.as_deref())
    }

    fn is_away(&self) -> bool {
        self.line.is_away()
    }

    fn ping<'a>(&'a self, subject: &'a Subject) -> Answer<'a, ()> {
        Box::pin(async {
            self.log_in().await.map(drop).map_err(|what| self.line.error(subject, what))
        })
    }

    fn register<'a>(&'a self, subject: &'a Subject, request: &'a Request) -> Answer<'a, String> {
        Box::pin(async {
            self.create(request).await.map_err(|what| self.line.error(subject, what))
        })
    }

    fn look<'a>(&'a self, subject: &'a Subject, accepted: &'a Accepted) -> Answer<'a, Standing> {
        Box::pin(async {
            self.report(accepted).await.map_err(|what| self.line.error(subject, what))
        })
    }

    fn bears<'a>(&'a self, subject: &'a Subject, id: &'a str, name: &'a str) -> Answer<'a, bool> {
        Box::pin(async {
            let accepted = Accepted { name: name.into(), id: id.into(), path: super::Path::Sell };
            let standing = self.report(&accepted).await;
            let standing = standing.map_err(|what| self.line.error(subject, what))?;
            Ok(!matches!(standing, Standing::Foreign | Standing::NotFound))
        })
    }
}
