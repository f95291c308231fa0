//! What happens to a document when its job is over: a buyer asks to revoke or to correct what he has signed, or a person
//! has made the correcting document (УКД) at Diadoc. The feed tells that something happened; the document is read again.

use std::collections::BTreeMap;

use events::{Phase, Text};

use crate::{
    Edo,
    diadoc::{Document, Error, Revocation, What},
    feed::Trouble,
    store::{Settled, State},
    words,
};

/// What is new of a document.
struct News {
    /// How it stands now.
    state: State,
    phase: Phase,
    code: &'static str,
    text: Text,
}

impl Edo {
    /// Looks at a document of ours whose job is over, and tells the shop what is new.
    pub(crate) async fn look_afterwards(&self, message: &str) -> Result<(), Trouble> {
        let Some(settled) = self.store.settled(message).await? else { return Ok(()) };
        let document = match self.diadoc.document(&settled.posted).await {
            Ok(document) => document,
            // Deleted with us: what the buyer has stays as it is.
            Err(Error { what: What::NotFound(_), .. }) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let Some(news) = news(&settled, &document) else { return Ok(()) };
        let said = match news.code {
            "correction_asked" => self.diadoc.outcome(&settled.posted).await?.correction,
            _ => None,
        };
        let about = words::About { cause: settled.id, order: &settled.order, revision: 1 };
        let text = words::with_quote(news.text, said.as_deref());
        let event = about.status((news.phase, news.code), text, BTreeMap::new(), self.now());
        // Told first: what is marked is not told again.
        if !(self.outside.tell)(event).await {
            return Err(Trouble::Told);
        }
        let detail = said.as_deref().unwrap_or(news.code);
        self.store.mark(settled.id, news.state, detail).await?;
        Ok(())
    }
}

/// The gravest first; nothing where it was told.
fn news(settled: &Settled, document: &Document) -> Option<News> {
    let (order, number) = (&settled.order, settled.number.as_str());
    let news = if document.revocation == Revocation::Done {
        let text = words::revoked_afterwards(order, number);
        News { state: State::Revoked, phase: Phase::Failed, code: "upd_revoked", text }
    } else if document.is_corrected {
        let text = words::corrected_afterwards(order, number);
        News { state: State::Corrected, phase: Phase::Working, code: "upd_corrected", text }
    } else if document.revocation == Revocation::AskedOfUs {
        let text = words::revocation_asked(order);
        News { state: State::Signed, phase: Phase::Failed, code: "revocation_asked", text }
    } else if document.wants_correction {
        let text = words::correction_asked_afterwards(order, number);
        News { state: State::ToCorrect, phase: Phase::Failed, code: "correction_asked", text }
    } else {
        return None;
    };
    let is_known = settled.state == news.state.word()
        && (settled.detail == news.code || settled.state != State::Signed.word());
    (!is_known).then_some(news)
}
