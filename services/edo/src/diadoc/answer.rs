//! What Diadoc answers, as far as we look at it. Names are `PascalCase`; words that nobody knows are told as such.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;
use time::OffsetDateTime;

/// 100 ns from the year 1 to 1970.
const EPOCH_TICKS: i64 = 621_355_968_000_000_000;

/// A moment in ticks of .NET (100 ns since 0001-01-01); zero is none.
#[must_use]
pub(crate) fn moment(ticks: i64) -> Option<OffsetDateTime> {
    let nanos = i128::from(ticks.checked_sub(EPOCH_TICKS).filter(|since| *since > 0)?) * 100;
    OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()
}

/// The ticks of a moment.
#[must_use]
pub(crate) fn ticks(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 100).unwrap_or(0).saturating_add(EPOCH_TICKS)
}

/// An organisation with its boxes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Organization {
    /// INN.
    pub inn: String,
    /// KPP of a company.
    #[serde(default)]
    pub kpp: Option<String>,
    /// Its name.
    #[serde(default)]
    pub short_name: Option<String>,
    /// Its identifier as a participant of exchange.
    #[serde(default)]
    pub fns_participant_id: Option<String>,
    /// Its boxes.
    #[serde(default)]
    pub boxes: Vec<OrganizationBox>,
    /// Whether it works.
    #[serde(default)]
    pub is_active: bool,
    /// Whether it is with another operator.
    #[serde(default)]
    pub is_roaming: bool,
    /// Whether it is for tests.
    #[serde(default)]
    pub is_test: bool,
    /// Whether it is a branch.
    #[serde(default)]
    pub is_branch: bool,
    /// From whom it takes documents.
    #[serde(default)]
    pub sociability: Option<String>,
}

/// A box.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OrganizationBox {
    /// Its GUID.
    pub box_id_guid: String,
}

impl Organization {
    /// Whether it takes documents from its partners alone.
    #[must_use]
    pub fn takes_from_partners_alone(&self) -> bool {
        self.sociability.as_deref() == Some("CounteragentsOnly")
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OrganizationList {
    #[serde(default)]
    pub(super) organizations: Vec<Organization>,
}

/// How we and a buyer stand (`CurrentStatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Partner {
    /// Partners.
    Ours,
    /// He invites us.
    InvitesUs,
    /// We invite him.
    Invited,
    /// He does not want us.
    RefusesUs,
    /// We do not want him.
    Refused,
    /// Nothing between us.
    Stranger,
    /// A word that nobody knows.
    Unknown,
}

impl Partner {
    pub(super) fn of(word: &str) -> Self {
        match word {
            "IsMyCounteragent" => Self::Ours,
            "InvitesMe" => Self::InvitesUs,
            "IsInvitedByMe" => Self::Invited,
            "RejectsMe" => Self::RefusesUs,
            "IsRejectedByMe" => Self::Refused,
            "NotInCounteragentList" => Self::Stranger,
            _ => Self::Unknown,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Counteragent {
    pub(super) current_status: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Task {
    pub(super) task_id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Validation {
    #[serde(default)]
    pub(super) errors: Vec<ValidationError>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ValidationError {
    pub(super) severity: String,
    pub(super) user_message: String,
}

/// What came of a sending.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, Deserialize)]
pub struct Posted {
    /// The message.
    pub message: String,
    /// The document in it.
    pub entity: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Message {
    pub(super) message_id: String,
    #[serde(default)]
    pub(super) entities: Vec<Entity>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Entity {
    pub(super) entity_type: String,
    pub(super) entity_id: String,
    #[serde(default)]
    pub(super) parent_entity_id: Option<String>,
    #[serde(default)]
    pub(super) document_info: Option<Named>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Named {
    #[serde(default)]
    pub(super) custom_document_id: Option<String>,
}

impl Message {
    /// The message and our document in it: the attachment without a parent that has our name.
    pub(super) fn posted(self, custom: &str) -> Option<Posted> {
        let is_ours = |entity: &&Entity| {
            let named = entity.document_info.as_ref();
            let named = named.and_then(|info| info.custom_document_id.as_deref());
            entity.entity_type == "Attachment"
                && entity.parent_entity_id.as_deref().unwrap_or_default().is_empty()
                && named.is_none_or(|named| named.eq_ignore_ascii_case(custom))
        };
        let entity = self.entities.iter().find(is_ours)?.entity_id.clone();
        Some(Posted { message: self.message_id, entity })
    }
}

/// A document as it stands: its states, never the texts that Diadoc shows to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Whether our signature was found wrong.
    pub own_signature_wrong: bool,
    /// What the buyer did.
    pub response: Response,
    /// Whether it is being revoked.
    pub revocation: Revocation,
    /// Whether the buyer asks for a correction.
    pub wants_correction: bool,
    /// Whether a correcting document (УКД) to it was sent.
    pub is_corrected: bool,
    /// When it reached the buyer.
    pub delivered_at: Option<OffsetDateTime>,
    /// When it last changed.
    pub changed_at: Option<OffsetDateTime>,
    /// Another operator could not take it: why.
    pub roaming_error: Option<String>,
    /// Whether somebody has deleted it.
    pub is_deleted: bool,
}

/// `RecipientResponseStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Response {
    /// The buyer has not answered.
    Waiting,
    /// He has signed.
    Signed,
    /// He has signed a part (`WithRecipientPartiallySignature`).
    PartlySigned,
    /// He has refused.
    Refused,
    /// His signature is wrong.
    WrongSignature,
    /// No signature is wanted.
    NotWanted,
}

/// `RevocationStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revocation {
    /// Nobody wants to.
    None,
    /// We want to.
    AskedByUs,
    /// The buyer wants to.
    AskedOfUs,
    /// It is revoked.
    Done,
    /// It was asked for and refused.
    Refused,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DocumentWire {
    #[serde(default)]
    sender_signature_status: Option<String>,
    #[serde(default)]
    recipient_response_status: Option<String>,
    #[serde(default)]
    revocation_status: Option<String>,
    #[serde(default)]
    amendment_request_metadata: Option<Amendment>,
    #[serde(default)]
    delivery_timestamp_ticks: i64,
    #[serde(default)]
    last_modification_timestamp_ticks: i64,
    #[serde(default)]
    roaming_notification_status: Option<String>,
    #[serde(default)]
    roaming_notification_status_description: Option<String>,
    #[serde(default)]
    is_deleted: bool,
    pub(super) message_id: String,
    pub(super) entity_id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Amendment {
    #[serde(default)]
    amendment_flags: i32,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DocumentList {
    #[serde(default)]
    pub(super) documents: Vec<DocumentWire>,
}

/// `InvoiceAmendmentFlags` is a set: the buyer asks for a correction.
const AMENDMENT_REQUESTED: i32 = 1;
/// And: a correcting document was sent. The others tell of revisions and powers of attorney.
const CORRECTED: i32 = 4;

impl From<DocumentWire> for Document {
    fn from(wire: DocumentWire) -> Self {
        let word = |text: &Option<String>| text.clone().unwrap_or_default();
        // A word that is new to us changes nothing: the document is looked at again.
        let response = match word(&wire.recipient_response_status).as_str() {
            "WithRecipientSignature" => Response::Signed,
            "WithRecipientPartiallySignature" => Response::PartlySigned,
            "RecipientSignatureRequestRejected" => Response::Refused,
            "InvalidRecipientSignature" => Response::WrongSignature,
            "RecipientResponseStatusNotAcceptable" => Response::NotWanted,
            _ => Response::Waiting,
        };
        let revocation = match word(&wire.revocation_status).as_str() {
            "RevocationIsRequestedByMe" => Revocation::AskedByUs,
            "RequestsMyRevocation" => Revocation::AskedOfUs,
            "RevocationAccepted" => Revocation::Done,
            "RevocationRejected" => Revocation::Refused,
            _ => Revocation::None,
        };
        let flags = wire.amendment_request_metadata.map_or(0, |amended| amended.amendment_flags);
        let roaming = word(&wire.roaming_notification_status);
        let roaming_error = (roaming == "RoamingNotificationStatusError")
            .then(|| word(&wire.roaming_notification_status_description));
        Self {
            own_signature_wrong: word(&wire.sender_signature_status)
                == "SenderSignatureCheckedAndInvalid",
            response,
            revocation,
            wants_correction: flags & AMENDMENT_REQUESTED != 0,
            is_corrected: flags & CORRECTED != 0,
            delivered_at: moment(wire.delivery_timestamp_ticks),
            changed_at: moment(wire.last_modification_timestamp_ticks),
            roaming_error,
            is_deleted: wire.is_deleted,
        }
    }
}

/// What the buyer says to a document, in his own words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Why he refuses.
    pub refusal: Option<String>,
    /// What he wants corrected.
    pub correction: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Docflows {
    #[serde(default)]
    pub(super) documents: Vec<WithDocflow>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WithDocflow {
    #[serde(default)]
    docflow: Docflow,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Docflow {
    #[serde(default)]
    recipient_response: Option<RecipientResponse>,
    #[serde(default)]
    amendment_request: Option<Said>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RecipientResponse {
    #[serde(default)]
    rejection: Option<Said>,
}

/// Words in either form: the XML's text, or a universal message.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Said {
    #[serde(default)]
    plain_text: Option<String>,
    #[serde(default)]
    universal_message: Option<UniversalMessage>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UniversalMessage {
    message_info: MessageInfo,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MessageInfo {
    #[serde(default)]
    events: Vec<MessageEvent>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MessageEvent {
    #[serde(default)]
    plain_text: Option<String>,
}

impl Said {
    fn words(self) -> Option<String> {
        let events = self.universal_message.map(|message| message.message_info.events);
        let said = events.into_iter().flatten().filter_map(|event| event.plain_text);
        let all = self.plain_text.into_iter().chain(said).map(|text| text.trim().to_owned());
        let mut all: Vec<String> = all.filter(|text| !text.is_empty()).collect();
        all.dedup();
        (!all.is_empty()).then(|| all.join("; ").chars().take(1_000).collect())
    }
}

impl From<WithDocflow> for Outcome {
    fn from(document: WithDocflow) -> Self {
        let Docflow { recipient_response, amendment_request } = document.docflow;
        let refusal = recipient_response.and_then(|response| response.rejection);
        Self {
            refusal: refusal.and_then(Said::words),
            correction: amendment_request.and_then(Said::words),
        }
    }
}

/// How a signing at Diadoc stands (`DssSignResult`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cloud {
    /// It goes on.
    Running {
        /// Whether the certificate's owner has to confirm it.
        is_to_confirm: bool,
    },
    /// The signature, DER.
    Signed(Vec<u8>),
    /// The owner has another one to confirm first.
    Busy,
    /// It is to be asked for once more.
    Again,
    /// It came to nothing: Diadoc's word.
    Failed(String),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SigningResult {
    operation_status: String,
    #[serde(default)]
    file_signing_results: Vec<FileSigning>,
    #[serde(default)]
    confirm_type: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FileSigning {
    #[serde(default)]
    signature: Option<String>,
}

impl From<SigningResult> for Cloud {
    fn from(result: SigningResult) -> Self {
        let confirm = result.confirm_type.unwrap_or_default();
        match result.operation_status.as_str() {
            "InProgress" => Self::Running {
                is_to_confirm: !matches!(confirm.as_str(), "" | "None" | "ConfirmTypeUnknown"),
            },
            "Completed" => {
                let made = result.file_signing_results.into_iter().find_map(|file| file.signature);
                let made = made.and_then(|text| BASE64_STANDARD.decode(text).ok());
                made.map_or_else(
                    || Self::Failed("Completed, no signature".to_owned()),
                    Self::Signed,
                )
            }
            "UserHasUnconfirmedOperation" => Self::Busy,
            "OperationRetryRequired" => Self::Again,
            other => Self::Failed(other.to_owned()),
        }
    }
}

/// A page of the event feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// Its events.
    pub events: Vec<Event>,
}

/// An event: a nudge to look at a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its own name.
    pub id: String,
    /// Where it stands in the feed; two may stand at one place.
    pub index: String,
    /// The message.
    pub message: String,
    /// When it happened, in ticks.
    pub ticks: i64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BoxEventList {
    #[serde(default)]
    pub(super) events: Vec<BoxEvent>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BoxEvent {
    event_id: String,
    #[serde(default)]
    index_key: Option<String>,
    #[serde(default)]
    message: Option<Changed>,
    #[serde(default)]
    patch: Option<Changed>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Changed {
    message_id: String,
    #[serde(default)]
    timestamp_ticks: i64,
}

impl From<BoxEventList> for Feed {
    fn from(list: BoxEventList) -> Self {
        let event = |event: BoxEvent| {
            let changed = event.message.or(event.patch);
            let (message, ticks) = changed.map_or((String::new(), 0), |changed| {
                (changed.message_id, changed.timestamp_ticks)
            });
            Event { id: event.event_id, index: event.index_key.unwrap_or_default(), message, ticks }
        };
        Self { events: list.events.into_iter().map(event).collect() }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn ticks_are_whole_and_come_back() {
        let at = datetime!(2026-01-05 12:00:00.123_456_7 UTC);
        assert_eq!(moment(ticks(at)), Some(at));
        assert_eq!(ticks(datetime!(1970-01-01 00:00 UTC)), EPOCH_TICKS);
        assert_eq!((moment(0), moment(-1), moment(i64::MIN)), (None, None, None));
    }

    #[test]
    fn a_refusal_is_read_in_both_forms() {
        let outcome = |rejection: serde_json::Value| {
            let docflow = serde_json::json!({
                "Docflow": {"RecipientResponse": {"IsFinished": true, "Rejection": rejection}}
            });
            Outcome::from(serde_json::from_value::<WithDocflow>(docflow).unwrap()).refusal
        };
        let text = serde_json::json!({"IsFormal": false, "PlainText": " Не та цена "});
        assert_eq!(outcome(text).as_deref(), Some("Не та цена"));
        let message = serde_json::json!({"IsFormal": false, "UniversalMessage": {"MessageInfo": {
            "CodeGroup": "Rejection",
            "Events": [{"StatusCode": "3999", "PlainText": "Не та цена"}, {"StatusCode": "3999"}],
        }}});
        assert_eq!(outcome(message).as_deref(), Some("Не та цена"));
        assert_eq!(outcome(serde_json::json!({"IsFormal": true})), None);
    }

    #[test]
    fn words_that_nobody_knows_change_nothing() {
        let wire = serde_json::json!({
            "MessageId": "1", "EntityId": "2", "RecipientResponseStatus": "SomethingOf2027",
            "RevocationStatus": "SomethingElse",
        });
        let document = Document::from(serde_json::from_value::<DocumentWire>(wire).unwrap());
        assert_eq!((document.response, document.revocation), (Response::Waiting, Revocation::None));
    }

    #[test]
    fn of_the_amendment_flags_one_asks_and_one_says_that_it_is_done() {
        // 2: a revision was sent. 8: the buyer asks for the signer's powers.
        for (flags, asks, is_done) in [
            (0, false, false),
            (1, true, false),
            (2, false, false),
            (4, false, true),
            (5, true, true),
            (8, false, false),
        ] {
            let wire = serde_json::json!({
                "MessageId": "1", "EntityId": "2",
                "AmendmentRequestMetadata": {"AmendmentFlags": flags},
            });
            let document = Document::from(serde_json::from_value::<DocumentWire>(wire).unwrap());
            assert_eq!(
                (document.wants_correction, document.is_corrected),
                (asks, is_done),
                "{flags}"
            );
        }
    }
}
