//! `CloudKassir`, which is the KKT interface of `CloudPayments` (API documentation 3.4.5).
//!
//! It knows a repeated `X-Request-ID` for one hour and offers no search by `InvoiceId`. Its
//! notification tells its own id together with our name: see [`crate::store::Hints`].

pub(crate) mod answer;
pub mod body;
mod client;

use std::time::Duration;

use runtime::Secret;
use serde::Deserialize;

use super::{
    Accepted, Answer, Error, Line, Naming, Path, Register, RegisterName, Request, Standing,
    Unwritable, What,
};
use crate::{key, receipt::Receipt, subject::Subject};
use answer::Progress;

/// A site in the cabinet of `CloudPayments`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Its public id.
    pub public_id: String,
    /// Its API secret: the calls' password and the callbacks' key.
    pub api_secret: Secret,
}

/// The register on one account.
#[derive(Debug)]
pub struct CloudKassir {
    line: Line,
    account: Account,
    resend_within: Duration,
}

impl CloudKassir {
    pub(crate) fn new(line: Line, account: Account, resend_within: Duration) -> Self {
        Self { line, account, resend_within }
    }

    /// Asks for the status, and for the details of what is processed.
    async fn standing(&self, accepted: &Accepted) -> Result<Standing, What> {
        let (status, details) = addresses(accepted.path);
        let failed = match self.progress(status, &accepted.id).await? {
            Progress::Queued => return Ok(Standing::Queued),
            Progress::NotFound => return Ok(Standing::NotFound),
            Progress::Failed(message) => Some(message),
            Progress::Processed => None,
        };
        if let Some(message) = failed {
            return Ok(Standing::Failed(message));
        }
        let details = self.details(details, &accepted.id).await?;
        if details.invoice_id.is_some_and(|name| name != accepted.name) {
            return Ok(Standing::Foreign);
        }
        let fiscal = details
            .fiscal
            .ok_or_else(|| What::Garbled("a processed receipt has no fiscal data".to_owned()))?;
        Ok(Standing::Issued(Box::new(fiscal)))
    }
}

/// Where a receipt's status and details are asked for.
const fn addresses(path: Path) -> (&'static str, &'static str) {
    if path.is_correction() {
        ("/kkt/correction-receipt/status/get", "/kkt/correction-receipt/get")
    } else {
        ("/kkt/receipt/status/get", "/kkt/receipt/get")
    }
}

impl Register for CloudKassir {
    fn name(&self) -> RegisterName {
        RegisterName::CloudKassir
    }

    fn title(&self) -> &'static str {
        "CloudKassir"
    }

    fn is_paced(&self) -> bool {
        false
    }

    fn resend_within(&self) -> Option<Duration> {
        Some(self.resend_within)
    }

    fn write(&self, receipt: &Receipt, naming: &Naming<'_>) -> Result<String, Unwritable> {
        body::write(receipt, naming).map_err(|_| Unwritable {
            ru: "в нём есть код маркировки, который не записывается текстом",
            en: "it has a mark code that is no text",
        })
    }

    fn is_away(&self) -> bool {
        self.line.is_away()
    }

    fn ping<'a>(&'a self, subject: &'a Subject) -> Answer<'a, ()> {
        Box::pin(async {
            let answer = self.call("/test", "{}".to_owned(), None).await;
            answer.map(drop).map_err(|what| self.line.error(subject, what))
        })
    }

    fn register<'a>(&'a self, subject: &'a Subject, request: &'a Request) -> Answer<'a, String> {
        Box::pin(async {
            let correction = request.path.is_correction();
            let path = if correction { "/kkt/correction-receipt" } else { "/kkt/receipt" };
            let request_id = key::request_id(&request.name).to_string();
            let id = self.create(path, &request.body, &request_id).await;
            id.map_err(|what| self.line.error(subject, what))
        })
    }

    fn look<'a>(&'a self, subject: &'a Subject, accepted: &'a Accepted) -> Answer<'a, Standing> {
        Box::pin(async {
            self.standing(accepted).await.map_err(|what| self.line.error(subject, what))
        })
    }

    fn bears<'a>(&'a self, subject: &'a Subject, id: &'a str, name: &'a str) -> Answer<'a, bool> {
        Box::pin(async {
            let details = self.details("/kkt/receipt/get", id).await;
            let details =
                details.map_err(|what: What| -> Error { self.line.error(subject, what) })?;
            Ok(details.invoice_id.as_deref() == Some(name))
        })
    }
}
