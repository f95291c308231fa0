//! Diadoc's own signature: `DssSign` makes a task, `DssSignResult` tells how it stands.

use std::{collections::HashMap, sync::Arc};

use axum::{
    body::Bytes,
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::json;

use super::{breach, parameters, read::own_box, refused, uuid};
use crate::{Emulator, answer::json_answer, gismt::cms};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Asked {
    files: Vec<File>,
    sign_data_source: String,
    certificate_data: Option<CertificateData>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct File {
    content: Content,
    file_name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Content {
    content: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct CertificateData {
    thumbprint: String,
}

/// A signing under way.
#[derive(Debug, Clone)]
pub(super) struct Task {
    content: Vec<u8>,
    /// For how many more asks it is under way.
    runs: u32,
    /// How it ends.
    ends: String,
}

/// `POST /V2/DssSign`.
pub(super) async fn sign(
    State(emulator): State<Arc<Emulator>>,
    Query(query): Query<HashMap<String, String>>,
    body: Bytes,
) -> Response {
    let asked = parameters(&emulator, &query, &["boxId"], &[]);
    if let Err(refused) = asked.and_then(|()| own_box(&emulator, &query)) {
        return *refused;
    }
    let asked: Asked = match serde_json::from_slice(&body) {
        Ok(asked) => asked,
        Err(error) => return breach(&emulator, &format!("DssSign: {error}")),
    };
    let [File { content, file_name }] = asked.files.as_slice() else {
        return breach(&emulator, "DssSign: one file is wanted");
    };
    if asked.sign_data_source != "CertificateSign" || file_name.is_empty() {
        return breach(&emulator, "DssSign: SignDataSource or FileName");
    }
    let Ok(content) = BASE64_STANDARD.decode(&content.content) else {
        return breach(&emulator, "DssSign: Content is no base64");
    };
    let settings = emulator.settings();
    let own = &settings.diadoc;
    let known = asked.certificate_data.is_none_or(|data| data.thumbprint == own.cloud_thumbprint);
    if own.cloud_key.is_none() || !known {
        return refused(404, "Http.NotFound", "no such certificate");
    }
    let mut books = emulator.diadoc.books();
    let ends = books.cloud_ends.pop_front().unwrap_or_else(|| "Completed".to_owned());
    let id = uuid();
    books.cloud.insert(id.clone(), Task { content, runs: own.cloud_asks, ends });
    json_answer(StatusCode::OK, json!({"TaskId": id}).to_string())
}

/// `GET /DssSignResult`.
pub(super) async fn result(
    State(emulator): State<Arc<Emulator>>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let asked = parameters(&emulator, &query, &["boxId", "taskId"], &[]);
    if let Err(refused) = asked.and_then(|()| own_box(&emulator, &query)) {
        return *refused;
    }
    let id = query.get("taskId").cloned().unwrap_or_default();
    let told = |status: &str, results: serde_json::Value| {
        let body = json!({"OperationStatus": status, "FileSigningResults": results,
            "ConfirmType": "MyDss", "Operator": "Kontur"});
        json_answer(StatusCode::OK, body.to_string())
    };
    let task = {
        let mut books = emulator.diadoc.books();
        let Some(task) = books.cloud.get_mut(&id) else {
            return refused(404, "Http.NotFound", "no such task");
        };
        if task.runs > 0 {
            task.runs -= 1;
            return told("InProgress", json!([]));
        }
        task.clone()
    };
    if task.ends != "Completed" {
        return told(&task.ends, json!([]));
    }
    let settings = emulator.settings();
    let (certificate, key) = (&settings.diadoc.cloud_certificate, &settings.diadoc.cloud_key);
    let (Some(certificate), Some(key)) = (certificate, key) else {
        return told("Crashed", json!([]));
    };
    match cms::sign(&settings.gismt, certificate, key, &task.content).await {
        Ok(signature) => {
            let signature = BASE64_STANDARD.encode(signature);
            told(
                "Completed",
                json!([{"FileSigningStatus": "SigningCompleted", "Signature": signature}]),
            )
        }
        Err(error) => {
            tracing::error!(error, "the emulated cloud cannot sign");
            told("Crashed", json!([{"FileSigningStatus": "SigningError"}]))
        }
    }
}
