//! What people do with dead letters. Each action is in the audit log with who, when and why.

use std::collections::BTreeMap;

use events::Event;
use runtime::Looked;
use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    Admin,
    choice::{Choice, ReplayWish, Trial, chosen, looked},
    store::{Letter, Started, Wish},
    verdict::{Verdict, verdict},
    web::Problem,
    words,
};

/// How many letters were given up; none at all is no success.
pub(crate) fn some_gone(gone: usize) -> Result<usize, Problem> {
    match gone {
        0 => Err(Problem::conflict(
            "Отбрасывать нечего: среди выбранного нет открытых остановок.",
            "There is nothing to discard: none of these letters is open.",
        )),
        gone => Ok(gone),
    }
}

/// What a replay would do.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct DryRun {
    /// How many open letters fit.
    pub letters: i64,
    /// How many of them the replay takes up: of unknown ones those that somebody has looked for.
    pub safe: i64,
    /// How many of each verdict.
    pub verdicts: BTreeMap<&'static str, i64>,
}

/// The longest reason or note that is kept.
const LONGEST: usize = 2_000;

/// The reason, which must be given.
fn reason(why: &str) -> Result<String, Problem> {
    let why = why.trim().replace('\0', "");
    match why.chars().count() {
        1..=LONGEST => Ok(why),
        _ => Err(Problem::wrong("Напишите причину.", "Say why.")),
    }
}

impl Admin {
    /// What a replay of this choice would do.
    pub(crate) async fn dry_run(&self, trial: &Trial) -> Result<DryRun, Problem> {
        let Trial { choice, unknown, looked: named } = trial;
        choice.filter.check()?;
        let looked = looked(choice, *unknown, named)?;
        let rows = self.store.dry_run(&choice.filter, choice.ids.as_deref(), &looked).await?;
        let mut run = DryRun { letters: 0, safe: 0, verdicts: BTreeMap::new() };
        for row in rows {
            run.letters += row.count;
            if row.taken {
                run.safe += row.count;
            }
            let verdict = verdict(&row.class, row.last_phase.as_deref());
            *run.verdicts.entry(verdict.name()).or_default() += row.count;
        }
        Ok(run)
    }

    /// Begins a replay, once however often it is asked for.
    pub(crate) async fn replay(&self, who: &str, wish: &ReplayWish) -> Result<Started, Problem> {
        let why = reason(&wish.why)?;
        chosen(wish.choice.ids.as_deref(), &wish.choice.filter)?;
        let looked = looked(&wish.choice, wish.unknown, &wish.looked)?;
        let rate = wish.rate.unwrap_or(self.config.admin_replay_rate).clamp(1, 1_000);
        let started = self
            .store
            .start_replay(&Wish {
                id: wish.id,
                who,
                why: &why,
                rate,
                filter: &wish.choice.filter,
                ids: wish.choice.ids.as_deref(),
                looked: &looked,
            })
            .await?;
        if started.letters == 0 && self.store.replays(Some(wish.id)).await?.is_empty() {
            return Err(Problem::conflict(
                "Повторять нечего: это уже повторено, закрыто или требует решения.",
                "There is nothing to replay: these letters are replayed, closed or need a decision.",
            ));
        }
        Ok(started)
    }

    /// Pauses, resumes or cancels a replay.
    pub(crate) async fn turn(&self, who: &str, id: Uuid, turn: &str) -> Result<(), Problem> {
        let (from, to): (&[&str], &str) = match turn {
            "pause" => (&["running"], "paused"),
            "resume" => (&["paused"], "running"),
            "cancel" => (&["running", "paused"], "cancelled"),
            _ => return Err(Problem::NotFound),
        };
        let from: Vec<String> = from.iter().map(|state| (*state).to_owned()).collect();
        if !self.store.turn_replay(who, turn, id, &from, to).await? {
            return Err(Problem::conflict(
                "Этот повтор уже не в том состоянии.",
                "This replay is no longer in a state for that.",
            ));
        }
        tracing::info!(who, turn, replay = %id, "done by a person");
        Ok(())
    }

    /// Gives letters up for good.
    pub(crate) async fn discard(
        &self,
        who: &str,
        choice: &Choice,
        why: &str,
    ) -> Result<usize, Problem> {
        let why = reason(why)?;
        chosen(choice.ids.as_deref(), &choice.filter)?;
        let gone = self.store.discard(who, &choice.filter, choice.ids.as_deref(), &why).await?;
        tracing::info!(who, letters = gone.len(), "discarded by a person");
        Ok(gone.len())
    }

    /// Takes a discarded letter back.
    pub(crate) async fn restore(&self, who: &str, id: Uuid) -> Result<(), Problem> {
        if !self.store.restore(who, id).await? {
            return Err(closed());
        }
        Ok(())
    }

    /// A person has found the effect at the register, or has seen to it there by hand: the letter is closed, its job
    /// goes on from there, and the shop learns it.
    pub(crate) async fn settle(&self, who: &str, id: Uuid, document: &str) -> Result<(), Problem> {
        let document = document.trim().replace('\0', "");
        if !(1..=200).contains(&document.chars().count()) {
            return Err(Problem::wrong(
                "Напишите номер найденного документа.",
                "Give the number of what you found.",
            ));
        }
        let letter = self.letter(id).await?;
        if verdict(&letter.row.class, letter.row.last_phase.as_deref()) == Verdict::Accepted {
            return Err(closed());
        }
        // Held until the end: whoever says meanwhile that it is not there comes too late.
        let settling = self.store.begin_settling(id).await?.ok_or_else(closed)?;
        // Who says it is noted first, for the job may be done before we are. Then the shop and the worker: should we
        // die in between, the letter is still open, and both take the same word twice as once.
        let subject = id.to_string();
        self.store.audit(who, "settle", &subject, &document, "done").await?;
        if let Err(problem) = self.tell_settled(who, &letter, &document).await {
            settling.let_go().await?;
            self.store.audit(who, "settle", &subject, &document, "failed").await?;
            return Err(problem);
        }
        Ok(settling.finish(&document).await?)
    }

    /// Tells the worker and the shop what a person has found.
    async fn tell_settled(
        &self,
        who: &str,
        letter: &Letter,
        document: &str,
    ) -> Result<(), Problem> {
        // The shop before the worker, whose own words come after it.
        let worker = letter.row.worker.as_ref().filter(|_| letter.death.is_some());
        if let (Some(service), Ok(event)) = (&letter.service, Event::from_json(&letter.body)) {
            let (about, now) = ((service.as_str(), worker.is_some()), OffsetDateTime::now_utc());
            if let Some(news) = words::settled(about, &event, letter.death, document, who, now) {
                self.kit.tell(&news).await.map_err(|_| Problem::Away)?;
            }
        }
        if let Some(worker) = worker {
            let (id, death, body) = (letter.event_id, letter.death, letter.body.clone());
            let found = Some(Looked::Found);
            let told = self.kit.desk().replay(worker, id, death, found, body, None).await;
            told.map_err(|_| Problem::Away)?;
        }
        Ok(())
    }

    /// Writes a note beside a letter.
    pub(crate) async fn annotate(&self, who: &str, id: Uuid, text: &str) -> Result<(), Problem> {
        let text = reason(text)?;
        self.letter(id).await?;
        Ok(self.store.note(id, who, &text).await?)
    }

    /// Has a replay send something else, or the original again.
    pub(crate) async fn edit(
        &self,
        who: &str,
        id: Uuid,
        edited: Option<&str>,
        why: &str,
    ) -> Result<(), Problem> {
        if !self.config.admin_edit {
            return Err(Problem::conflict(
                "Правка сообщений выключена (ADMIN_EDIT).",
                "Editing messages is off (ADMIN_EDIT).",
            ));
        }
        let why = reason(why)?;
        let letter = self.letter(id).await?;
        if let Some(edited) = edited {
            check_edit(&letter, edited)?;
        }
        if !self.store.edit(who, id, edited, &why).await? {
            return Err(closed());
        }
        Ok(())
    }

    /// A letter that must be there.
    pub(crate) async fn letter(&self, id: Uuid) -> Result<Letter, Problem> {
        self.store.letter(id).await?.ok_or(Problem::NotFound)
    }
}

/// An edited message is an event of ours about the same fact: same type, same id.
fn check_edit(letter: &Letter, edited: &str) -> Result<(), Problem> {
    let event = Event::from_json(edited.as_bytes()).map_err(|error| {
        Problem::wrong(
            &format!("Это не событие, которое знает Паром: {error}."),
            &format!("This is no event that Parom knows: {error}."),
        )
    })?;
    if event.id() == letter.event_id {
        return Ok(());
    }
    Err(Problem::wrong(
        "Правка меняет сам факт (заказ, оплату или их номер), а не его содержание.",
        "The edit changes the fact itself (order, payment or their number), not what it says.",
    ))
}

fn closed() -> Problem {
    Problem::conflict("Эта остановка уже закрыта.", "This letter is closed already.")
}
