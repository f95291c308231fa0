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
        let turn = self.store.turn(name, Task::Rests, self.config.egais_turn).await;
        let Some(turn) = turn.ok().flatten() else { return Ok(false) };
        let asked = self.ask_what_is_due(utm, every).await;
        if let Err(error) = self.store.give_back(turn).await {
            tracing::debug!(%error, "a turn ends by itself");
        }
        asked
    }

    /// A run that was begun is asked to its end before the next one: a UTM that is away just then puts it off and no
    /// more.
    async fn ask_what_is_due(
        &self,
        utm: &crate::utm::Client,
        every: std::time::Duration,
    ) -> Result<bool, Error> {
        let at = self.now();
        let Ok(last) = self.store.last_run(utm.name()).await else { return Ok(false) };
        let run = match last {
            Some(run) if at - run.asked_at < every => run,
            last => {
                if last.is_some_and(|run| run.compared_at.is_none()) {
                    tracing::warn!(
                        utm = utm.name(),
                        "EGAIS has not answered how much stock there is; it is asked anew"
                    );
                }
                let Ok(run) = self.store.begin_run(utm.name(), at).await else { return Ok(false) };
                run
            }
        };
        let mut asked = false;
        for (kind, shop, reply) in [
            (Kind::QueryRestsV2, false, &run.first_reply),
            (Kind::QueryRestsShopV2, true, &run.shop_reply),
        ] {
            if reply.is_some() {
                continue;
            }
            let Some(reply_id) = self.ask(utm, kind, None, at).await? else { return Ok(false) };
            if let Err(error) = self.store.asked(run.id, shop, &reply_id).await {
                tracing::debug!(%error, "a run of RestBal is not noted");
            }
            asked = true;
        }
        Ok(asked)
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
        let turn = self.store.turn(utm.name(), Task::Send, self.config.egais_turn);
        let Some(turn) = turn.await.ok().flatten() else { return Ok(None) };
        let posted = match utm.diagnose().await {
            Ok(_) => utm.post(kind, &body).await,
            Err(error) => Err(error),
        };
        if let Err(error) = self.store.give_back(turn).await {
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
