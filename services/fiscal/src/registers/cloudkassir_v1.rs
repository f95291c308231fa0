//! The contract "`CloudKassir` v1" of the customer's brief: `POST /receipts`, `GET /receipts/{id}`,
//! `POST /receipts/correction`, a callback. No such service was found; it is kept as a dialect.
//!
//! The brief does not say what a repeated `external_id` does. We ask for it to be the same receipt:
//! without that no request without an answer could be sent again.

mod answer;
pub mod body;
mod client;

use std::time::Duration;

use runtime::Secret;
use serde::Deserialize;

use super::{
    Accepted, Answer, Line, Naming, Register, RegisterName, Request, Standing, Unwritable,
};
use crate::{receipt::Receipt, subject::Subject};

/// An account of the service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The login.
    pub login: String,
    /// The password.
    pub password: Secret,
}

/// The register on one account.
#[derive(Debug)]
pub struct CloudKassirV1 {
    line: Line,
    account: Account,
    callback_url: Option<String>,
}

impl CloudKassirV1 {
    pub(crate) fn new(line: Line, account: Account, callback_url: Option<String>) -> Self {
        Self { line, account, callback_url }
    }
}

impl Register for CloudKassirV1 {
    fn name(&self) -> RegisterName {
        RegisterName::CloudKassirV1
    }

    fn title(&self) -> &'static str {
        "CloudKassir v1"
    }

    fn resend_within(&self) -> Option<Duration> {
        None
    }

    fn write(&self, receipt: &Receipt, naming: &Naming<'_>) -> Result<String, Unwritable> {
        body::write(receipt, naming, self.callback_url.as_deref())
    }

    fn is_away(&self) -> bool {
        self.line.is_away()
    }

    fn ping<'a>(&'a self, subject: &'a Subject) -> Answer<'a, ()> {
        Box::pin(async {
            let accepted =
                Accepted { name: String::new(), id: "0".into(), path: super::Path::Sell };
            let standing = self.standing(&accepted).await;
            standing.map(drop).map_err(|what| self.line.error(subject, what))
        })
    }

    fn register<'a>(&'a self, subject: &'a Subject, request: &'a Request) -> Answer<'a, String> {
        Box::pin(async {
            self.create(request).await.map_err(|what| self.line.error(subject, what))
        })
    }

    fn look<'a>(&'a self, subject: &'a Subject, accepted: &'a Accepted) -> Answer<'a, Standing> {
        Box::pin(async {
            self.standing(accepted).await.map_err(|what| self.line.error(subject, what))
        })
    }

    fn bears<'a>(&'a self, subject: &'a Subject, id: &'a str, name: &'a str) -> Answer<'a, bool> {
        Box::pin(async {
            let accepted = Accepted { name: name.into(), id: id.into(), path: super::Path::Sell };
            let standing = self.standing(&accepted).await;
            let standing = standing.map_err(|what| self.line.error(subject, what))?;
            Ok(!matches!(standing, Standing::Foreign | Standing::NotFound))
        })
    }
}
