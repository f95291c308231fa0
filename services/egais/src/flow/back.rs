//! Goods come back: which bottles, and the documents that credit them.

use std::collections::BTreeMap;

use runtime::{Failure, Step};
use rust_decimal::Decimal;

use super::{BY_HAND, Job, Next, nothing, out};
use crate::{
    Egais,
    config::Back,
    documents::{Act, Document, Kind},
    mark::Mark,
    plan::{Fault, Returning, identity},
    state::{Goods, New, Paper, State},
    store::{Bottle, BottleStatus},
    waybill::{Accept, NoAct, accept},
    words,
};

/// A waybill that has not come for so long is asked for again.
const RESEND_AFTER: time::Duration = time::Duration::minutes(5);

/// What comes back of a bottle or a quantity.
struct Part<'a> {
    bottle: &'a Bottle,
    quantity: Decimal,
}

impl Egais {
    /// So many of each line come back; of a cancelled order all that was sold.
    pub(super) async fn come_back(
        &self,
        job: Job<'_>,
        new: New,
        back: Option<Vec<Returning>>,
    ) -> Next {
        let away = |error: sqlx::Error| job.store(&error);
        let book = job.book();
        if back.is_none() {
            self.store.cancel(&book, job.event.time()).await.map_err(away)?;
        }
        // Nothing of this attempt was sent: what it had set aside, it chooses anew.
        self.store.release(&book, &job.own()).await.map_err(away)?;
        let bottles = self.store.bottles(&book).await.map_err(away)?;
        let is_open = |bottle: &Bottle| bottle.is(BottleStatus::Taken);
        if bottles.iter().any(is_open) {
            return Ok(self.wait_earlier(new, words::sale_open(job.order)));
        }
        let Some(back) = back else { return self.undo(job, new, &bottles).await };
        let alcohol: Vec<Returning> = back
            .into_iter()
            .filter(|back| self.may_be_alcohol(job, back, &bottles))
            .map(|back| Returning { quantity: back.quantity - new.credited(back.line), ..back })
            .collect();
        if alcohol.is_empty() {
            return Ok(nothing("no alcohol"));
        }
        let mut parts = Vec::new();
        for line in alcohol.iter().filter(|line| line.quantity > Decimal::ZERO) {
            match which(line, &bottles) {
                Ok(found) => parts.extend(found),
                Err(Which::Few) => {
                    // What is cancelled, the cancellation has brought back.
                    let at = job.event.time();
                    let is_cancelled = job.snapshot.canceled
                        || self.store.is_cancelled(&book, at).await.map_err(away)?;
                    if is_cancelled {
                        return Ok(nothing("the order is cancelled"));
                    }
                    // The sale may not have been heard of yet.
                    return Ok(self.wait_earlier(new, words::not_sold(job.order)));
                }
                Err(Which::Any) => {
                    return Ok(Step::stop(State::New(new), words::which(job.order)));
                }
            }
        }
        self.credit(job, new, parts).await
    }

    fn may_be_alcohol(&self, job: Job<'_>, back: &Returning, bottles: &[Bottle]) -> bool {
        let line = u64::try_from(back.line).ok().and_then(|line| job.snapshot.line(line));
        let sold = bottles.iter().any(|bottle| bottle.line == back.line);
        sold || line.is_some_and(|line| crate::plan::is_alcohol(line, job.shop))
    }

    async fn undo(&self, job: Job<'_>, new: New, bottles: &[Bottle]) -> Next {
        // A return that is on its way may be refused yet.
        if bottles.iter().any(|bottle| bottle.is(BottleStatus::Returning)) {
            return Ok(self.wait_earlier(new, words::return_open(job.order)));
        }
        let parts: Vec<Part<'_>> = bottles
            .iter()
            .filter(|bottle| out::is_sold(bottle))
            .map(|bottle| Part { bottle, quantity: bottle.quantity - bottle.returned })
            .collect();
        // A person's part may be all that is left of it.
        if parts.is_empty() && !new.done.iter().any(|part| part == BY_HAND) {
            return Ok(nothing("nothing was written off"));
        }
        self.credit(job, new, parts).await
    }

    /// Documents for what comes back: one for each group, or for each act that is undone.
    async fn credit(&self, job: Job<'_>, new: New, parts: Vec<Part<'_>>) -> Next {
        let away = |error: sqlx::Error| job.store(&error);
        let all = self.store.bottles(&job.book()).await.map_err(away)?;
        let (papers, by_hand) = grouped(job, parts)?;
        if let Some(wait) = self.waybill_wait(job, &new, papers.values()).await? {
            return Ok(wait);
        }
        let (mut made, mut bottles) = (Vec::new(), Vec::new());
        for (name, parts) in papers {
            let (paper, own) = self.back_paper(job, &new, &name, &parts, &all).await?;
            bottles.push((paper.identity.clone(), own));
            made.push(paper);
        }
        // Nothing that can fail for the order's own data comes after this.
        if !by_hand.is_empty() {
            bottles.push((hand(job), by_hand.iter().map(|part| part.bottle.id).collect()));
        }
        for (document, bottles) in bottles {
            let moved = self.store.bring_back(&job.book(), &document, &bottles, self.now()).await;
            if !moved.map_err(away)? {
                return Ok(self.wait_earlier(new, words::sale_open(job.order)));
            }
        }
        self.set_back(job, new, made, by_hand.iter().map(goods).collect()).await
    }

    /// The documents go on their way; what a person does is saved with them, and noted in the books after that.
    async fn set_back(
        &self,
        job: Job<'_>,
        mut new: New,
        papers: Vec<Paper>,
        by_hand: Vec<Goods>,
    ) -> Next {
        if !by_hand.is_empty() {
            new.done.push(BY_HAND.to_owned());
            new.credit(&by_hand);
        }
        if papers.is_empty() && !new.done.iter().any(|part| part == BY_HAND) {
            return Ok(nothing("nothing comes back"));
        }
        self.set_out(job, new, papers, by_hand).await
    }

    /// Goods whose return a person enters in EGAIS: with us they are back, so that their marks are free.
    pub(super) async fn note_by_hand(&self, job: Job<'_>, goods: &[Goods]) -> Result<(), Failure> {
        let noted = self.store.came_back(&job.book(), &hand(job), goods, self.now()).await;
        noted.map_err(|error| job.store(&error))
    }

    async fn back_paper(
        &self,
        job: Job<'_>,
        new: &New,
        name: &str,
        parts: &[Part<'_>],
        all: &[Bottle],
    ) -> Result<(Paper, Vec<i64>), Failure> {
        let goods: Vec<Goods> = parts.iter().map(goods).collect();
        let bottles: Vec<i64> = parts.iter().map(|part| part.bottle.id).collect();
        let group = parts.first().map(|part| part.bottle.group.clone()).unwrap_or_default();
        let Some(group) = job.shop.groups.get(&group) else {
            return Err(job.fault(&Fault::Group(group.clone(), group)));
        };
        let identity = identity(job.order, &job.what(), name, new.revision);
        let at = job.moment();
        let (kind, document) = match group.back {
            Back::Cheque => {
                let positions = self.positions(job, &goods).await?;
                let cheque = out::receipt(job, group, &identity, true, positions)?;
                (group.sale, Document::Cheque(cheque))
            }
            Back::Repeal => {
                let reg_id = whole_act(job, parts, all)?;
                let identity = identity.clone();
                (Kind::RequestRepealAwo, Document::Repeal { identity, at, reg_id })
            }
            Back::WayBillV3 | Back::WayBillV4 => {
                let kind = match group.back {
                    Back::WayBillV3 => Kind::WayBillActV3,
                    _ => Kind::WayBillActV4,
                };
                let waybill = waybill_number(job)?;
                let accept = self.accepted(job, &waybill, &goods).await?;
                let (identity, date) = (identity.clone(), at.date());
                (kind, Document::WayBillAct { identity, date, waybill, note: job.note(), accept })
            }
            Back::ChargeOn | Back::Person => {
                let act = Act {
                    identity: identity.clone(),
                    date: at.date(),
                    reason: "Излишки".to_owned(),
                    note: format!("Возврат. {}", job.note()),
                    // A charge has no marks: the schema has no place for them.
                    positions: self.unmarked(job, &goods).await?,
                };
                (Kind::ActChargeOnShopV2, Document::Act(act))
            }
        };
        let mut paper = self.paper(job, (identity, name), (kind, &document), goods).await?;
        // A charge names no bottle: a second one would count.
        paper.guarded = paper.guarded && kind != Kind::ActChargeOnShopV2;
        Ok((paper, bottles))
    }

    /// What our act says of a waybill. What it names beside these goods may be another order's: that is not missing.
    async fn accepted(
        &self,
        job: Job<'_>,
        waybill: &str,
        goods: &[Goods],
    ) -> Result<Accept, Failure> {
        let away = |error: sqlx::Error| job.store(&error);
        let known = self.store.waybill(&job.shop.utm, waybill).await.map_err(away)?;
        let known =
            known.ok_or_else(|| Failure::Dead(words::waybill_missing(job.order, waybill)))?;
        let accept = accept(&known.lines, &known.forms, goods).map_err(|no| {
            job.fault(&match no {
                NoAct::More => Fault::MoreThanWaybill(waybill.to_owned()),
                NoAct::Unclear => Fault::WaybillUnclear(waybill.to_owned()),
            })
        })?;
        let missing = accept.missing(&known.lines);
        match self.store.sold_in_another(&job.book(), &missing).await.map_err(away)? {
            Some(other) => Err(job.fault(&Fault::WaybillShared(waybill.to_owned(), other))),
            None => Ok(accept),
        }
    }

    /// A waybill that has not come is asked for once more, and waited for.
    async fn waybill_wait<'a>(
        &self,
        job: Job<'_>,
        new: &New,
        mut papers: impl Iterator<Item = &'a Vec<Part<'a>>>,
    ) -> Result<Option<Step<State>>, Failure> {
        let is_answer = |part: &Part<'_>| {
            let group = job.shop.groups.get(&part.bottle.group);
            group.is_some_and(|group| matches!(group.back, Back::WayBillV3 | Back::WayBillV4))
        };
        if !papers.any(|parts| parts.iter().any(is_answer)) {
            return Ok(None);
        }
        let away = |error: sqlx::Error| job.store(&error);
        let (utm, waybill) = (job.shop.utm.as_str(), waybill_number(job)?);
        if self.store.waybill(utm, &waybill).await.map_err(away)?.is_some() {
            return Ok(None);
        }
        // It may lie in the inbox and not have been read yet.
        let has_waited = new.waits_since.is_some_and(|since| self.now() - since >= RESEND_AFTER);
        let about = (None, waybill.as_str());
        let is_asked =
            self.store.has_asked(utm, Kind::QueryResendDoc, about).await.map_err(away)?;
        if let Some(client) = self.utms.get(utm).filter(|_| has_waited && !is_asked) {
            let parameter = Some(("WBREGID", waybill.clone()));
            if let Err(error) = self.ask(client, Kind::QueryResendDoc, parameter, self.now()).await
            {
                tracing::debug!(%error, "a waybill is asked for later");
            }
        }
        Ok(Some(self.wait_earlier(new.clone(), words::waybill_missing(job.order, &waybill))))
    }

    async fn unmarked(
        &self,
        job: Job<'_>,
        goods: &[Goods],
    ) -> Result<Vec<crate::documents::Position>, Failure> {
        let plain: Vec<Goods> =
            goods.iter().map(|one| Goods { mark: None, f2: None, ..one.clone() }).collect();
        self.positions(job, &plain).await
    }
}

/// The name that stands for what a person enters; no group has it.
fn hand(job: Job<'_>) -> String {
    identity(job.order, &job.what(), "by-hand", 1)
}

/// The number of the waybill that the order names.
fn waybill_number(job: Job<'_>) -> Result<String, Failure> {
    let property = &job.shop.waybill_property;
    let number = job.snapshot.properties.get(property).map(|text| text.trim().to_owned());
    number
        .filter(|text| !text.is_empty())
        .ok_or_else(|| job.fault(&Fault::Waybill(property.clone())))
}

/// Parts by the document that is to credit them, and those that a person credits.
type Grouped<'a> = (BTreeMap<String, Vec<Part<'a>>>, Vec<Part<'a>>);

fn grouped<'a>(job: Job<'_>, parts: Vec<Part<'a>>) -> Result<Grouped<'a>, Failure> {
    let mut papers: BTreeMap<String, Vec<Part<'a>>> = BTreeMap::new();
    let (mut by_hand, mut acts) = (Vec::new(), Vec::<String>::new());
    for part in parts {
        let group = part.bottle.group.clone();
        let name = match job.shop.groups.get(&group).map(|group| group.back) {
            None => return Err(job.fault(&Fault::Group(group.clone(), group))),
            Some(Back::Person) => {
                by_hand.push(part);
                continue;
            }
            // An act is undone as a whole.
            Some(Back::Repeal) => {
                let act = &part.bottle.document;
                let place = acts.iter().position(|known| known == act).unwrap_or(acts.len());
                if place == acts.len() {
                    acts.push(act.clone());
                }
                format!("{group}{place}")
            }
            Some(_) => group,
        };
        papers.entry(name).or_default().push(part);
    }
    Ok((papers, by_hand))
}

fn goods(part: &Part<'_>) -> Goods {
    let bottle = part.bottle;
    Goods {
        line: bottle.line,
        alc_code: bottle.alc_code.clone(),
        mark: bottle.mark.as_deref().and_then(|mark| Mark::parse(mark).ok()),
        quantity: part.quantity,
        f2: bottle.f2.clone(),
        price: bottle.price,
        row: Some(bottle.id),
    }
}

/// EGAIS's number of the act whose goods all come back.
fn whole_act(job: Job<'_>, parts: &[Part<'_>], all: &[Bottle]) -> Result<String, Failure> {
    let act = parts.first().map(|part| part.bottle.document.as_str()).unwrap_or_default();
    let whole = all.iter().filter(|bottle| bottle.document == act).count();
    let is_whole =
        whole == parts.len() && parts.iter().all(|part| part.quantity == part.bottle.quantity);
    let number = parts.iter().find_map(|part| part.bottle.egais_quant_id.clone());
    match number {
        _ if !is_whole => Err(words::not_whole_act(job.order)),
        Some(number) => Ok(number),
        None => Err(words::act_without_number(job.order, act)),
    }
}

/// Why it cannot be said which goods come back.
enum Which {
    /// Fewer were sold.
    Few,
    /// It may be any of them.
    Any,
}

/// Which goods of a line come back: unmarked ones by quantity; bottles that the order no longer shows, or all.
fn which<'a>(line: &Returning, bottles: &'a [Bottle]) -> Result<Vec<Part<'a>>, Which> {
    let here = |bottle: &&Bottle| bottle.line == line.line && out::is_sold(bottle);
    let sold: Vec<&Bottle> = bottles.iter().filter(here).collect();
    let part = |bottle: &'a Bottle| Part { bottle, quantity: bottle.quantity - bottle.returned };
    let total: Decimal = sold.iter().map(|bottle| bottle.quantity - bottle.returned).sum();
    if total < line.quantity {
        return Err(Which::Few);
    }
    if total == line.quantity {
        return Ok(bottles.iter().filter(here).map(part).collect());
    }
    if sold.iter().all(|bottle| bottle.mark.is_none()) {
        return match bottles.iter().filter(here).collect::<Vec<_>>().as_slice() {
            [bottle] => Ok(vec![Part { bottle, quantity: line.quantity }]),
            _ => Err(Which::Any),
        };
    }
    let gone = |bottle: &&Bottle| {
        let mark = bottle.mark.as_ref();
        mark.is_some_and(|mark| !line.left.contains(mark))
    };
    let gone: Vec<Part<'a>> = bottles.iter().filter(here).filter(gone).map(part).collect();
    if Decimal::from(gone.len()) == line.quantity { Ok(gone) } else { Err(Which::Any) }
}
