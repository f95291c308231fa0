//! A receipt that the shop composed itself goes into the shop's journal of receipts.

use bitrix::rest::{Call, RestErrorKind};
use events::CheckIssued;
use runtime::{Failure, Step};

use crate::{StatusWriter, words};

impl StatusWriter {
    /// Enters an issued receipt into the portal's journal. Entering it twice is the same as once, so
    /// a call without an answer is made again.
    pub(crate) async fn enter(&self, issued: &CheckIssued) -> Result<Step<()>, Failure> {
        let Some(portal) = self.portals.get(&issued.shop) else {
            // A site's Bitrix asks for itself, at CHECK_URL.
            return Ok(Step::done(()));
        };
        let Call { method, params } = Call::check_apply(issued);
        match portal.call(method, params).await {
            Ok(_) => Ok(Step::done(())),
            Err(error) => match error.kind {
                RestErrorKind::Busy { after } => Ok(Step::wait((), after)),
                _ => Err(words::about_check(issued, error.into())),
            },
        }
    }
}
