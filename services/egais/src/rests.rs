//! RestBal: both registers of stock are asked for on schedule.

use time::OffsetDateTime;

use crate::{
    Egais,
    documents::{self, Document, Kind},
    store::{Note, Task},
    utm::Error,
};

impl Egais {
    /// Asks a UTM for both registers of stock when it is time; whether it was asked.
    ///
    /// # Errors
    /// [`Error`] when a question was not taken: the next run asks anew. A question has no effect.
    pub async fn ask_rests(&self, name: &str) -> Result<bool, Error> {
        let every = self.config.egais_rests_every;
        let Some(utm) = self.utms.get(name).filter(|_| !every.is_zero()) else {
            return Ok(false);
        };
        let turn = self.store.turn(name, Task::Rests, std::time::Duration::from_secs(120)).await;
        let Some(turn) = turn.ok().flatten() else { return Ok(false) };
        let last = self.store.last_run(name).await.ok().flatten();
        let due = last.is_none_or(|last| self.now() - last >= every);
        let asked = if due { self.ask_both(utm).await } else { Ok(false) };
        if let Err(error) = self.store.give_back(turn, None).await {
            tracing::debug!(%error, "a turn ends by itself");
        }
        asked
    }

    async fn ask_both(&self, utm: &crate::utm::Client) -> Result<bool, Error> {
        let at = self.now();
        let Ok(run) = self.store.begin_run(utm.name(), at).await else { return Ok(false) };
        for (kind, shop) in [(Kind::QueryRestsV2, false), (Kind::QueryRestsShopV2, true)] {
            let Some(reply_id) = self.ask(utm, kind, None, at).await? else { return Ok(false) };
            if let Err(error) = self.store.asked(run, shop, &reply_id).await {
                tracing::debug!(%error, "a run of RestBal is not noted");
            }
        }
        Ok(true)
    }

    /// Asks a question; the UTM's name for it, or `None` while another one sends.
    ///
    /// # Errors
    /// [`Error`] when it was not taken for certain; it has no effect.
    pub async fn ask(
        &self,
        utm: &crate::utm::Client,
        kind: Kind,
        parameter: Option<(&'static str, String)>,
        at: OffsetDateTime,
    ) -> Result<Option<String>, Error> {
        let document = Document::Query(parameter);
        let Ok(body) = documents::write(kind, utm.owner(), &document) else { return Ok(None) };
        let turn = self.store.turn(utm.name(), Task::Send, std::time::Duration::from_secs(90));
        let Some(turn) = turn.await.ok().flatten() else { return Ok(None) };
        let posted = utm.post(kind, &body).await;
        if let Err(error) = self.store.give_back(turn, Some(at)).await {
            tracing::debug!(%error, "a turn ends by itself");
        }
        let reply_id = posted?;
        // Its ticket is then known as ours.
        let entered = self.store.enter_query(&reply_id, utm.name(), (kind, &body), at).await;
        let note = Note { reply_id: Some(&reply_id), is_end: true, ..Note::new("sent", at) };
        if entered.is_err() || self.store.note(&reply_id, note).await.is_err() {
            tracing::debug!("a question is not entered; its ticket stays in the UTM");
        }
        Ok(Some(reply_id))
    }
}
