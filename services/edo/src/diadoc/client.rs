//! The wire of Diadoc.

use std::sync::Arc;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use runtime::{Metrics, StartError, http::Answer};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use super::{
    DiadocArgs,
    answer::{
        BoxEventList, Cloud, Counteragent, Docflows, Document, DocumentList, DocumentWire, Feed,
        Message, Organization, OrganizationList, Outcome, Partner, Posted, SigningResult, Task,
        Validation,
    },
    error::{Error, What},
    line::{Call, Line},
};

/// Events on a page (the most that are given).
const PAGE: usize = 100;

/// A box's way to Diadoc. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    line: Arc<Line>,
    own: Uuid,
}

/// Who gets what: enough to ask whether it may be sent.
#[derive(Debug, Clone)]
pub struct Outgoing<'a> {
    /// The receiver's box.
    pub to: &'a str,
    /// Our name for the document.
    pub custom: &'a str,
    /// `TypeNamedId`.
    pub kind: &'a str,
    /// `Function`.
    pub function: &'a str,
    /// `Version`.
    pub version: &'a str,
}

/// A document with its exact bytes and the signature over them, both as they were stored.
#[derive(Debug, Clone)]
pub struct Sending<'a> {
    /// Who gets what.
    pub outgoing: Outgoing<'a>,
    /// The key under which it is sent.
    pub operation: &'a str,
    /// The bytes.
    pub content: &'a [u8],
    /// The signature over them; none for Diadoc's own test signature.
    pub signature: Option<&'a [u8]>,
    /// The power of attorney beside the signature, if any.
    pub attorney: Option<Value>,
    /// What the receiver sees beside the document.
    pub comment: &'a str,
    /// The document that this one corrects: message and entity.
    pub corrects: Option<(&'a str, &'a str)>,
}

/// What came of an invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invited {
    /// It is on its way.
    Sent,
    /// The buyer is with another operator: roaming must be asked for by hand.
    NeedsRoaming,
}

impl Client {
    /// The box that the settings name. Makes no call yet.
    ///
    /// # Errors
    /// [`StartError`] names the setting that is wrong.
    pub fn new(args: &DiadocArgs, pool: &PgPool, metrics: &Metrics) -> Result<Self, StartError> {
        let line = Arc::new(Line::new(args, pool, metrics)?);
        Ok(Self { line, own: args.diadoc_box_id })
    }

    /// Organisations with this INN and KPP; branches and other operators' among them.
    ///
    /// # Errors
    /// [`Error`]; reading has no effect.
    pub async fn organizations(
        &self,
        inn: &str,
        kpp: Option<&str>,
    ) -> Result<Vec<Organization>, Error> {
        let mut query = vec![("inn", inn)];
        query.extend(kpp.map(|kpp| ("kpp", kpp)));
        let call = Call::get("GetOrganizationsByInnKpp", "/GetOrganizationsByInnKpp", &query);
        match self.read::<OrganizationList>(call).await {
            Ok(list) => Ok(list.organizations),
            Err(What::NotFound(_)) => Ok(Vec::new()),
            Err(what) => Err(what.into()),
        }
    }

    /// How we and the owner of a box stand.
    ///
    /// # Errors
    /// [`Error`]; reading has no effect.
    pub async fn partner(&self, other: &str) -> Result<Partner, Error> {
        let own = self.own();
        let query = [("myBoxId", own.as_str()), ("counteragentBoxId", other)];
        let call = Call::get("GetCounteragent", "/V3/GetCounteragent", &query);
        match self.read::<Counteragent>(call).await {
            Ok(counteragent) => Ok(Partner::of(&counteragent.current_status)),
            Err(What::NotFound(_)) => Ok(Partner::Stranger),
            Err(what) => Err(what.into()),
        }
    }

    /// Invites the owner of a box, or accepts his invitation. Twice is once.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn invite(&self, other: &str, text: &str) -> Result<Invited, Error> {
        let own = self.own();
        let body = json!({"BoxId": other, "MessageToCounteragent": text});
        let query = [("myBoxId", own.as_str())];
        let call = Call::post("AcquireCounteragent", "/V3/AcquireCounteragent", &query, &body);
        match self.read::<Task>(call).await {
            Ok(task) => {
                tracing::info!(task = task.task_id, "a buyer is invited");
                Ok(Invited::Sent)
            }
            Err(What::Conflict(_)) => Ok(Invited::NeedsRoaming),
            Err(what) => Err(what.into()),
        }
    }

    /// What stands against sending this, in Diadoc's words; warnings are logged.
    ///
    /// # Errors
    /// [`Error`]; asking has no effect.
    pub async fn can_post(&self, outgoing: &Outgoing<'_>) -> Result<Vec<String>, Error> {
        let body = json!({
            "FromBoxId": self.own(),
            "ToBoxId": outgoing.to,
            "DocumentPrototypes": [{
                "CustomDocumentId": outgoing.custom,
                "TypeNamedId": outgoing.kind,
                "Function": outgoing.function,
                "Version": outgoing.version,
            }],
        });
        let call = Call::post("CanPostMessage", "/CanPostMessage", &[], &body);
        let told: Validation = self.read(call).await?;
        let (errors, warnings): (Vec<_>, Vec<_>) =
            told.errors.into_iter().partition(|error| error.severity != "Warning");
        for warning in warnings {
            tracing::info!(warning = warning.user_message, "Diadoc warns of a document");
        }
        Ok(errors.into_iter().map(|error| error.user_message).collect())
    }

    /// Asks Diadoc to sign bytes with a certificate that it keeps; answers its name for the signing.
    ///
    /// # Errors
    /// [`Error`]; signing changes nothing.
    pub async fn ask_signature(
        &self,
        content: &[u8],
        name: &str,
        thumbprint: Option<&str>,
    ) -> Result<String, Error> {
        let content = BASE64_STANDARD.encode(content);
        let mut body = json!({
            "Files": [{"Content": {"Content": content}, "FileName": name}],
            "SignDataSource": "CertificateSign",
        });
        if let (Some(fields), Some(thumbprint)) = (body.as_object_mut(), thumbprint) {
            fields.insert("CertificateData".to_owned(), json!({"Thumbprint": thumbprint}));
        }
        let own = self.own();
        let query = [("boxId", own.as_str())];
        let task: Task = self.read(Call::post("DssSign", "/V2/DssSign", &query, &body)).await?;
        Ok(task.task_id)
    }

    /// How a signing at Diadoc stands.
    ///
    /// # Errors
    /// [`Error`]; reading has no effect.
    pub async fn asked_signature(&self, task: &str) -> Result<Cloud, Error> {
        let own = self.own();
        let query = [("boxId", own.as_str()), ("taskId", task)];
        let call = Call::get("DssSignResult", "/DssSignResult", &query);
        Ok(self.read::<SigningResult>(call).await?.into())
    }

    /// Sends a document. The same key brings back the first result, so a lost answer is asked for by doing exactly
    /// the same again.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn post(&self, sending: &Sending<'_>) -> Result<Posted, Error> {
        let query = [("operationId", sending.operation)];
        let body = self.message(sending);
        let call = Call::post("PostMessage", "/V3/PostMessage", &query, &body);
        let message: Message = self.read(call).await?;
        let posted = message.posted(sending.outgoing.custom);
        posted.ok_or_else(|| What::Garbled("no document in the message".to_owned()).into())
    }

    fn message(&self, sending: &Sending<'_>) -> Value {
        let Sending { outgoing, content, signature, attorney, comment, corrects, .. } = sending;
        let mut signed = json!({"Content": BASE64_STANDARD.encode(content)});
        if let Some(fields) = signed.as_object_mut() {
            match signature {
                Some(signature) => {
                    fields.insert("Signature".to_owned(), json!(BASE64_STANDARD.encode(signature)));
                }
                None => {
                    fields.insert("SignWithTestSignature".to_owned(), json!(true));
                }
            }
            if let Some(attorney) = attorney {
                fields.insert("PowerOfAttorney".to_owned(), attorney.clone());
            }
        }
        let initial: Vec<Value> = corrects
            .iter()
            .map(|(message, entity)| json!({"MessageId": message, "EntityId": entity}))
            .collect();
        let mut attachment = json!({
            "SignedContent": signed,
            "TypeNamedId": outgoing.kind,
            "Function": outgoing.function,
            "Version": outgoing.version,
            "CustomDocumentId": outgoing.custom,
            "Comment": comment,
        });
        if let (Some(fields), false) = (attachment.as_object_mut(), initial.is_empty()) {
            fields.insert("InitialDocumentIds".to_owned(), json!(initial));
        }
        json!({"FromBoxId": self.own(), "ToBoxId": outgoing.to, "DocumentAttachments": [attachment]})
    }

    /// The document that we have sent under this name of ours, if there is one.
    ///
    /// # Errors
    /// [`Error`]; reading has no effect.
    pub async fn by_custom(&self, custom: &str) -> Result<Option<Posted>, Error> {
        let own = self.own();
        let query = [("boxId", own.as_str()), ("customDocumentId", custom)];
        let call = Call::get("GetDocumentsByCustomId", "/GetDocumentsByCustomId", &query);
        match self.read::<DocumentList>(call).await {
            Ok(list) => Ok(list.documents.into_iter().next().map(|document| Posted {
                message: document.message_id,
                entity: document.entity_id,
            })),
            Err(What::NotFound(_)) => Ok(None),
            Err(what) => Err(what.into()),
        }
    }

    /// How a document stands.
    ///
    /// # Errors
    /// [`Error`]; reading has no effect.
    pub async fn document(&self, posted: &Posted) -> Result<Document, Error> {
        let own = self.own();
        let query = [
            ("boxId", own.as_str()),
            ("messageId", posted.message.as_str()),
            ("entityId", posted.entity.as_str()),
            ("injectEntityContent", "false"),
        ];
        let call = Call::get("GetDocument", "/V3/GetDocument", &query);
        Ok(self.read::<DocumentWire>(call).await?.into())
    }

    /// What the buyer says to a document.
    ///
    /// # Errors
    /// [`Error`]; reading has no effect.
    pub async fn outcome(&self, posted: &Posted) -> Result<Outcome, Error> {
        let own = self.own();
        let id = json!({"MessageId": posted.message, "EntityId": posted.entity});
        let body = json!({"Requests": [{"DocumentId": id, "InjectEntityContent": false}]});
        let query = [("boxId", own.as_str())];
        let call = Call::post("GetDocflows", "/V4/GetDocflows", &query, &body);
        let found: Docflows = self.read(call).await?;
        Ok(found.documents.into_iter().next().map(Outcome::from).unwrap_or_default())
    }

    /// A page of events: those after `index`, or those since a moment.
    ///
    /// # Errors
    /// [`Error`]; [`What::Rejected`] may mean that the place in the feed is not known any more.
    pub async fn events(
        &self,
        after: Option<&str>,
        since_ticks: Option<i64>,
    ) -> Result<Feed, Error> {
        let (own, limit) = (self.own(), PAGE.to_string());
        let since = since_ticks.map(|ticks| ticks.to_string());
        let mut query =
            vec![("boxId", own.as_str()), ("messageType", "Letter"), ("limit", limit.as_str())];
        query.extend(after.map(|after| ("afterIndexKey", after)));
        query.extend(since.as_deref().map(|since| ("timestampFromTicks", since)));
        let call = Call::get("GetNewEvents", "/V8/GetNewEvents", &query);
        Ok(self.read::<BoxEventList>(call).await?.into())
    }

    fn own(&self) -> String {
        self.own.to_string()
    }

    async fn read<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, What> {
        let name = call.name;
        let answer: Answer = self.line.call(call).await?;
        // The place, not the words: an answer has names in it.
        serde_json::from_slice(&answer.body).map_err(|error| {
            What::Garbled(format!("{name}, line {}, column {}", error.line(), error.column()))
        })
    }
}
