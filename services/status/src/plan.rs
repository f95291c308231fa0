//! What is written on an order in one go: decided once, kept, and carried out until it is done.

use std::collections::BTreeMap;

use bitrix::{
    rest::OrderHead,
    shops::PortalSettings,
    site::{StatusLine, WriteBack},
};
use events::OrderRef;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    news::{News, Said},
    words::{self, Language, Missing},
};

/// What is to be written, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "to", rename_all = "snake_case")]
pub(crate) enum Plan {
    /// Calls of a portal's REST methods.
    Portal(PortalPlan),
    /// One call of a site's module: its exact body, because a repeat must be the same.
    Site { body: String },
}

/// What is written on a portal's order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PortalPlan {
    /// Order properties by code: id and value.
    pub properties: BTreeMap<String, (u64, String)>,
    pub order_status: Option<StatusChange>,
    pub comment: Option<Comment>,
    pub notices: Vec<Notice>,
}

/// The order's status is changed from one to another, and left alone if it is a third by then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StatusChange {
    pub from: String,
    pub to: String,
}

/// A comment, and what stands in it by which it is known again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Comment {
    pub text: String,
    pub mark: String,
}

/// A notification of one user; a later one with the same tag takes its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Notice {
    pub user: u64,
    pub text: String,
    pub tag: String,
}

/// What a portal's plan is made from, beside the news.
#[derive(Debug)]
pub(crate) struct PortalFacts<'a> {
    /// The order as it stands.
    pub head: &'a OrderHead,
    /// Ids of the order properties that exist, by code.
    pub ids: &'a BTreeMap<String, u64>,
    pub settings: &'a PortalSettings,
    pub language: Language,
}

impl PortalPlan {
    /// What is to be written so that the shop knows the news: nothing that stands there already.
    pub(crate) fn new(
        write: Uuid,
        order: &OrderRef,
        said: &[Said],
        news: &News<'_>,
        facts: &PortalFacts<'_>,
    ) -> Self {
        let mark = mark(write);
        let missing = missing(said, news, facts);
        let comment = words::comment(facts.language, &news.comments, &missing, &mark);
        Self {
            properties: changed(news, facts),
            order_status: news.order_status.map(|code| code.as_str()).and_then(|to| {
                let from = facts.head.status.clone();
                (from != to).then(|| StatusChange { from, to: to.to_owned() })
            }),
            comment: comment.map(|text| Comment { text, mark }),
            notices: notices(order, news, facts),
        }
    }

    /// Whether everything stands there already.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Plan {
    /// What a site's module is told.
    pub(crate) fn site(
        order: &OrderRef,
        news: &News<'_>,
        language: Language,
    ) -> Result<Self, serde_json::Error> {
        let owned = |(code, value): (&&str, &&str)| ((*code).to_owned(), (*value).to_owned());
        let properties = news.properties.iter().map(owned).collect();
        let mut write = WriteBack::new(order, &properties);
        write.status_id = news.order_status.map(|code| code.as_str());
        write.comments =
            news.comments.iter().map(|said| words::paragraph(language, said)).collect();
        write.statuses = news
            .words
            .iter()
            .map(|said| StatusLine {
                service: &said.status.service,
                phase: said.status.phase,
                text: language.of(&said.status.text),
            })
            .collect();
        Ok(Self::Site { body: write.body()? })
    }
}

/// A comment's mark: who wrote it, and the beginning of the write's id.
fn mark(write: Uuid) -> String {
    let id = write.simple().to_string();
    format!("Parom {}", id.get(..10).unwrap_or(&id))
}

fn changed(news: &News<'_>, facts: &PortalFacts<'_>) -> BTreeMap<String, (u64, String)> {
    let stands = |code: &str, value: &str| {
        facts.head.properties.get(code).is_some_and(|present| present == value)
    };
    news.properties
        .iter()
        .filter(|(code, value)| !stands(code, value))
        .filter_map(|(code, value)| {
            Some(((*code).to_owned(), (*facts.ids.get(*code)?, (*value).to_owned())))
        })
        .collect()
}

fn missing<'a>(said: &'a [Said], news: &News<'a>, facts: &PortalFacts<'_>) -> Missing<'a> {
    let absent = |code: &&str| !facts.ids.contains_key(*code);
    let values = news.properties.iter().filter(|(code, _)| absent(code)).map(|(c, v)| (*c, *v));
    let values: BTreeMap<&str, &str> = values.collect();
    let told =
        |code: &str| said.iter().any(|one| one.written && one.status.properties.contains_key(code));
    let news = values.keys().any(|code| !told(code));
    Missing { values, news }
}

fn notices(order: &OrderRef, news: &News<'_>, facts: &PortalFacts<'_>) -> Vec<Notice> {
    let Some(user) = facts.head.responsible.or(facts.settings.notify_user) else {
        return Vec::new();
    };
    let notice = |said: &&Said| Notice {
        user,
        text: facts.language.of(&said.status.text).to_owned(),
        tag: format!("PAROM|{}|{}|{}", order.shop, order.id, said.status.service),
    };
    news.notices.iter().map(notice).collect()
}
