//! The wire of the brief's contract: Basic authentication, JSON.

use reqwest::{Method, StatusCode, header::CONTENT_TYPE};

use super::{CloudKassirV1, answer};
use crate::registers::{Accepted, Request, Standing, What, error::by_status, text::words_of};

impl CloudKassirV1 {
    /// Asks for a receipt; answers its id.
    pub(super) async fn create(&self, request: &Request) -> Result<String, What> {
        let correction = request.path.is_correction();
        let path = if correction { "/receipts/correction" } else { "/receipts" };
        let request = self
            .line
            .request(Method::POST, path)
            .basic_auth(&self.account.login, Some(self.account.password.expose()))
            .header(CONTENT_TYPE, "application/json")
            .body(request.body.clone());
        let answer = self.line.send(path, request).await?;
        if answer.status == StatusCode::BAD_REQUEST {
            let message = words_of(&answer);
            return Err(What::Refused { code: 400, message, passing: false });
        }
        answer::accepted(&by_status(answer)?)
    }

    /// Asks how a receipt stands.
    pub(super) async fn standing(&self, accepted: &Accepted) -> Result<Standing, What> {
        let request = self
            .line
            .request(Method::GET, &format!("/receipts/{}", accepted.id))
            .basic_auth(&self.account.login, Some(self.account.password.expose()));
        let answer = self.line.send("/receipts/{id}", request).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(Standing::NotFound);
        }
        answer::standing(&by_status(answer)?, &accepted.name)
    }
}
