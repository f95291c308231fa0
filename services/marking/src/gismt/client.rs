//! The wire of True API.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use reqwest::{Method, StatusCode};
use runtime::{Metrics, StartError};
use serde_json::json;
use signing::{Form, Signer};
use sqlx::PgPool;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    CisInfo, DocId, DocInfo, GismtArgs, Group, answer, code,
    documents::DocumentType,
    error::{Error, What},
    line::{Call, Line, understood},
    token,
};

/// Codes in one request (documentation of True API).
const CHUNK: usize = 1_000;
/// Groups whose codes are told only to whoever names the group, as clients of True API have found.
const NAMED: [&str; 2] = ["milk", "water"];
/// Documents on a page of a list (documentation of True API).
const PAGE: usize = 1_000;
/// The most pages of a list that are read.
const PAGES: usize = 20;

/// A participant's way to the register. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    line: Arc<Line>,
}

/// Which documents are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Of this product group.
    pub group: Group,
    /// Of this type.
    pub kind: DocumentType,
    /// Dated from then on.
    pub from: OffsetDateTime,
    /// And until then.
    pub to: Option<OffsetDateTime>,
}

impl Client {
    /// The participant that the settings name. Makes no call yet.
    ///
    /// # Errors
    /// [`StartError`] names the setting that is wrong.
    pub fn new(
        args: &GismtArgs,
        signer: &Signer,
        pool: &PgPool,
        metrics: &Metrics,
    ) -> Result<Self, StartError> {
        Ok(Self { line: Arc::new(Line::new(args, signer, pool, metrics)?) })
    }

    /// The participant's INN.
    #[must_use]
    pub fn inn(&self) -> &str {
        &self.line.inn
    }

    /// What the register says of these KIs, in their order, one for each. `group` narrows it; without one, groups
    /// that are told only when named (milk, water) are asked about as well.
    ///
    /// # Errors
    /// [`Error`]; reading has no effect.
    pub async fn cises_info<K: AsRef<str>>(
        &self,
        kis: &[K],
        group: Option<Group>,
    ) -> Result<Vec<CisInfo>, Error> {
        let mut asked: Vec<String> = kis.iter().map(|ki| ki.as_ref().to_owned()).collect();
        let order = asked.clone();
        asked.sort_unstable();
        asked.dedup();
        let mut known = HashMap::with_capacity(asked.len());
        for chunk in asked.chunks(CHUNK) {
            for info in self.codes(chunk, group).await? {
                known.insert(info.requested.clone(), info);
            }
        }
        for group in NAMED.into_iter().filter_map(Group::from_code).filter(|_| group.is_none()) {
            let unknown = known.values().filter(|info| info.code.is_none());
            let unknown: Vec<String> = unknown.map(|info| info.requested.clone()).collect();
            for chunk in unknown.chunks(CHUNK) {
                let found = match self.codes(chunk, Some(group)).await {
                    // A participant without a contract for the group has no codes of it.
                    Err(What::Forbidden(_) | What::Rejected { .. }) => break,
                    found => found?,
                };
                let found = found.into_iter().filter(|info| info.code.is_some());
                known.extend(found.map(|info| (info.requested.clone(), info)));
            }
        }
        let told: Option<Vec<CisInfo>> = order.iter().map(|ki| known.get(ki).cloned()).collect();
        told.ok_or_else(|| What::Garbled("codes: one is not answered".to_owned()).into())
    }

    /// A detached signature over a document's exact bytes, in base64 as `create` takes it. It is another
    /// one each time: make it once and keep it with the bytes.
    ///
    /// # Errors
    /// [`Error`] with [`What::Signing`].
    pub async fn sign(&self, body: &[u8]) -> Result<String, Error> {
        let signed = self.line.signer.sign(body, Form::Detached).await;
        Ok(token::base64(&signed.map_err(What::Signing)?))
    }

    /// Hands in a document: its exact bytes and the signature over them, both as they were stored.
    ///
    /// The register has no key by which it knows a document again. On an error with
    /// [`What::had_no_effect`] nothing was taken; after any other look for the document
    /// ([`Client::doc_list`], [`Client::doc_cises`]) and at its codes before anything is sent again.
    ///
    /// # Errors
    /// [`Error`] tells which of both it is.
    pub async fn create(
        &self,
        group: Group,
        kind: DocumentType,
        body: &[u8],
        signature: &str,
    ) -> Result<DocId, Error> {
        let request = json!({
            "document_format": "MANUAL",
            "type": kind.word(),
            "product_document": token::base64(body),
            "signature": signature,
        });
        let call = Call {
            name: "lk/documents/create",
            method: Method::POST,
            path: "/api/v3/true-api/lk/documents/create",
            query: &[("pg", group.code())],
            body: Some(request.to_string()),
        };
        let answer = understood(self.line.call(call).await?)?;
        Ok(answer::created(&answer)?)
    }

    /// How a document stands; `None` when the register does not show it, which it may not for a while
    /// after it took it.
    ///
    /// # Errors
    /// [`Error`]; reading has no effect.
    pub async fn doc_info(&self, group: Group, id: &DocId) -> Result<Option<DocInfo>, Error> {
        let path = format!("/api/v4/true-api/doc/{id}/info");
        let query = [("pg", group.code()), ("body", "false"), ("content", "false")];
        let answer = self.line.call(Call::get("doc/info", &path, &query)).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        Ok(Some(answer::info(&understood(answer)?, id)?))
    }

    /// Documents of the participant, oldest first.
    ///
    /// # Errors
    /// [`Error`]; reading has no effect. More than twenty pages are [`What::Garbled`]: narrow the filter.
    pub async fn doc_list(&self, filter: &Filter) -> Result<Vec<DocInfo>, Error> {
        let limit = PAGE.to_string();
        let written = |at: OffsetDateTime| at.format(&Rfc3339).unwrap_or_default();
        let (from, to) = (written(filter.from), filter.to.map(written));
        let mut all: Vec<DocInfo> = Vec::new();
        let mut known = HashSet::new();
        for _ in 0..PAGES {
            let last = all.last().and_then(|last| last.date.clone());
            let mut query = vec![
                ("pg", filter.group.code()),
                ("documentType", filter.kind.word()),
                ("dateFrom", from.as_str()),
                ("limit", limit.as_str()),
                ("order", "ASC"),
                ("orderColumn", "docDate"),
            ];
            query.extend(to.as_deref().map(|to| ("dateTo", to)));
            if let Some(last) = &last {
                query.extend([("orderedColumnValue", last.as_str()), ("pageDir", "NEXT")]);
            }
            let call = Call::get("doc/list", "/api/v4/true-api/doc/list", &query);
            let page = answer::page(&understood(self.line.call(call).await?)?)?;
            let before = all.len();
            // Pages may overlap where dates are equal.
            all.extend(page.documents.into_iter().filter(|doc| known.insert(doc.id.clone())));
            if !page.more {
                return Ok(all);
            }
            if all.len() == before {
                break;
            }
        }
        Err(What::Garbled("documents: the list does not end".to_owned()).into())
    }

    /// The KIs in a document; `None` when the register does not show it.
    ///
    /// # Errors
    /// [`Error`]; reading has no effect.
    pub async fn doc_cises(&self, group: Group, id: &DocId) -> Result<Option<Vec<String>>, Error> {
        let query = [("documentId", id.as_str()), ("productGroup", group.code())];
        let call = Call::get("doc/cises", "/api/v3/true-api/doc/cises", &query);
        let answer = self.line.call(call).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        Ok(Some(answer::codes(&understood(answer)?, id)?))
    }

    async fn codes(&self, chunk: &[String], group: Option<Group>) -> Result<Vec<CisInfo>, What> {
        let query: Vec<_> = group.iter().map(|group| ("pg", group.code())).collect();
        let call = Call {
            name: "cises/info",
            method: Method::POST,
            path: "/api/v3/true-api/cises/info",
            query: &query,
            body: Some(json!(chunk).to_string()),
        };
        let answer = self.line.call(call).await?;
        // When it knows none of them the register answers 404, with the same list in the body.
        if answer.status == StatusCode::NOT_FOUND && answer.body.first() == Some(&b'[') {
            return code::read(&answer.body, chunk);
        }
        code::read(&understood(answer)?.body, chunk)
    }
}
