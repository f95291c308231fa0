//! The wire of CloudKassir: the KKT interface of CloudPayments.

use reqwest::{Method, header::CONTENT_TYPE};
use runtime::http::Answer;
use serde_json::json;

use super::{
    CloudKassir,
    answer::{self, Details, Progress},
};
use crate::registers::{What, error::by_status};

impl CloudKassir {
    /// Asks for a receipt; answers its id.
    pub(super) async fn create(
        &self,
        path: &'static str,
        body: &str,
        request_id: &str,
    ) -> Result<String, What> {
        answer::accepted(&self.call(path, body.to_owned(), Some(request_id)).await?)
    }

    /// Asks how an accepted receipt stands.
    pub(super) async fn progress(&self, path: &'static str, id: &str) -> Result<Progress, What> {
        answer::progress(&self.call(path, json!({"Id": id}).to_string(), None).await?)
    }

    /// Asks for a receipt's details.
    pub(super) async fn details(&self, path: &'static str, id: &str) -> Result<Details, What> {
        answer::details(&self.call(path, json!({"Id": id}).to_string(), None).await?)
    }

    pub(super) async fn call(
        &self,
        path: &'static str,
        body: String,
        request_id: Option<&str>,
    ) -> Result<Answer, What> {
        let mut request = self
            .line
            .request(Method::POST, path)
            .basic_auth(&self.account.public_id, Some(self.account.api_secret.expose()))
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        if let Some(id) = request_id {
            request = request.header("X-Request-ID", id);
        }
        by_status(self.line.send(path, request).await?)
    }
}
