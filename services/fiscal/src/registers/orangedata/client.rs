//! The wire of OrangeData: signed documents, and looks at them.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::{Method, StatusCode, header::CONTENT_TYPE};

use super::{OrangeData, answer};
use crate::registers::{Standing, What, error::by_status, text::words_of};

impl OrangeData {
    /// Asks for a document. 409 says that it is there already.
    pub(super) async fn create(&self, body: &str) -> Result<(), What> {
        let signature = BASE64_STANDARD.encode(self.sign(body.as_bytes())?);
        let request = self
            .line
            .request(Method::POST, "/api/v2/documents/")
            .header(CONTENT_TYPE, "application/json; charset=utf-8")
            .header("X-Signature", signature)
            .body(body.to_owned());
        let answer = self.line.send("documents", request).await?;
        match answer.status {
            StatusCode::CREATED | StatusCode::CONFLICT => Ok(()),
            StatusCode::BAD_REQUEST => {
                let message = words_of(&answer);
                Err(What::Refused { code: 400, message, passing: false })
            }
            // Nothing was taken: the queue of the group is full.
            StatusCode::SERVICE_UNAVAILABLE => {
                Err(What::RateLimited { after: answer.retry_after() })
            }
            StatusCode::OK => Err(What::Garbled("a document was answered 200".to_owned())),
            _ => by_status(answer).map(drop),
        }
    }

    /// Asks how a document stands.
    pub(super) async fn status(&self, id: &str) -> Result<Standing, What> {
        let path = format!("/api/v2/documents/{}/status/{id}", self.inn);
        let request = self.line.request(Method::GET, &path);
        answer::standing(self.line.send("status", request).await?)
    }
}
