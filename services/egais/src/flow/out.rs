//! Goods leave: their bottles are taken, and documents are made that write them off.

use std::collections::BTreeMap;

use events::Fact;
use runtime::{Failure, Step};
use rust_decimal::Decimal;

use super::{Job, Next, nothing};
use crate::{
    Egais,
    config::{Group, Marks},
    documents::{self, Act, Cheque, Document, Position},
    mark::{Form, Mark},
    plan::{self, Fault, Leaving, identity},
    state::{Goods, New, Paper, Stage, State},
    store::{BottleStatus, FormAsked, Taken},
    utm::Client,
    words,
};

/// Between two questions for the bottles of a form B: EGAIS limits how often it answers them.
const CODES_EVERY: time::Duration = time::Duration::minutes(35);
/// After that long a list of bottles is asked for anew.
const CODES_OLD: time::Duration = time::Duration::days(7);

impl Egais {
    pub(super) async fn leave(&self, job: Job<'_>, new: New, shipment: u64) -> Next {
        if job.snapshot.canceled {
            return Ok(nothing("the order is cancelled"));
        }
        let leaving = plan::leaving(job.snapshot, job.shop, shipment);
        let leaving = leaving.map_err(|fault| job.fault(&fault))?;
        if leaving.is_empty() {
            return Ok(nothing("no alcohol"));
        }
        if let Some(wait) = self.left_before(job, &new, &leaving).await? {
            return Ok(wait);
        }
        if let Some(wait) = self.forms_wait(job, &new, &leaving).await? {
            return Ok(wait);
        }
        let mut groups: BTreeMap<String, Vec<Goods>> = BTreeMap::new();
        for line in leaving.iter().filter(|line| !new.done.contains(&line.group)) {
            let goods = self.goods(job, line).await?;
            groups.entry(line.group.clone()).or_default().extend(goods);
        }
        let mut papers = Vec::new();
        for (name, goods) in groups {
            papers.push(self.sale(job, &new, &name, goods).await?);
        }
        let times = (job.event.time(), self.now());
        let book = (job.book(), &job.order.number);
        let taken = self.store.take((&book.0, book.1), &job.own(), &papers, times).await;
        match taken.map_err(|error| job.store(&error))? {
            Taken::All => self.set_out(job, new, papers, Vec::new()).await,
            Taken::Cancelled => Ok(nothing("the order was cancelled after that")),
            Taken::Used(used) => Ok(Step::stop(State::New(new), words::used(job.order, &used))),
        }
    }

    /// A shipment that was undone and leaves anew waits until its bottles have come back.
    async fn left_before(
        &self,
        job: Job<'_>,
        new: &New,
        leaving: &[Leaving],
    ) -> Result<Option<Step<State>>, Failure> {
        let Fact::OrderShipped(fact) = &job.event.fact else { return Ok(None) };
        let bottles = self.store.bottles(&job.book()).await.map_err(|error| job.store(&error))?;
        let before: Vec<plan::Own> = (1..fact.occurrence)
            .map(|times| plan::own(job.order, &format!("s{}.{times}", fact.shipment)))
            .collect();
        let marks: Vec<&str> =
            leaving.iter().flat_map(|line| &line.marks).map(Mark::as_str).collect();
        let is_out = bottles.iter().any(|bottle| {
            !bottle.is(BottleStatus::Returned)
                && bottle.mark.as_deref().is_some_and(|mark| marks.contains(&mark))
                && before.iter().any(|own| own.is(&bottle.document))
        });
        Ok(is_out.then(|| self.wait_earlier(new.clone(), words::return_open(job.order))))
    }

    /// Which of several forms B a bottle belongs to, EGAIS knows: it is asked for the bottles of each, one question in
    /// [`CODES_EVERY`], for it limits how often.
    async fn forms_wait(
        &self,
        job: Job<'_>,
        new: &New,
        leaving: &[Leaving],
    ) -> Result<Option<Step<State>>, Failure> {
        let away = |error: sqlx::Error| job.store(&error);
        let utm = job.shop.utm.as_str();
        let is_open = |line: &&Leaving| {
            !new.done.contains(&line.group) && line.f2.is_none() && wants_form_b(job, line)
        };
        for line in leaving.iter().filter(is_open) {
            for mark in &line.marks {
                let Ok(alc_code) = alc_code(line, Some(mark)) else { continue };
                let forms = self.store.forms(utm, &alc_code).await.map_err(away)?;
                let known = self.store.known_bottle(utm, mark.as_str()).await.map_err(away)?;
                if forms.len() < 2 || known.is_some() {
                    continue;
                }
                let asked = self.store.forms_asked(utm).await.map_err(away)?;
                let fresh = |form: &&FormAsked| self.now() - form.asked_at < CODES_OLD;
                let open: Vec<&String> = forms
                    .iter()
                    .filter(|form| {
                        let known = asked.iter().filter(fresh).find(|known| known.f2 == **form);
                        known.is_none_or(|known| known.answered_at.is_none())
                    })
                    .collect();
                if open.is_empty() {
                    continue;
                }
                let rests =
                    asked.first().is_none_or(|last| self.now() - last.asked_at >= CODES_EVERY);
                let next = open
                    .iter()
                    .find(|form| !asked.iter().filter(fresh).any(|known| known.f2 == ***form));
                if let (Some(form), Some(client), true) = (next, self.utms.get(utm), rests) {
                    self.ask_codes(client, form).await.map_err(away)?;
                }
                let fault = Fault::FormB(line.name.clone(), forms.len());
                let reason = words::fault(job.order, &fault).reason().clone();
                return Ok(Some(self.wait_earlier(new.clone(), reason)));
            }
        }
        Ok(None)
    }

    async fn ask_codes(&self, client: &Client, form: &str) -> sqlx::Result<()> {
        let parameter = Some(("ФОРМА2", form.to_owned()));
        match self.ask(client, documents::Kind::QueryRestBCode, parameter, self.now()).await {
            Ok(Some(_)) => self.store.form_asked(client.name(), form, self.now()).await,
            Ok(None) => Ok(()),
            Err(error) => {
                tracing::debug!(%error, "the bottles of a form B are asked for later");
                Ok(())
            }
        }
    }

    /// The exact bottles of a line: their marks, products and references.
    async fn goods(&self, job: Job<'_>, line: &Leaving) -> Result<Vec<Goods>, Failure> {
        let marks = match job.shop.groups.get(&line.group).map(|group| group.marks) {
            Some(Marks::Each) => self.own_marks(job, line).await?.into_iter().map(Some).collect(),
            Some(Marks::None) | None => vec![None],
        };
        let mut goods = Vec::new();
        for mark in marks {
            let alc_code = alc_code(line, mark.as_ref()).map_err(|fault| job.fault(&fault))?;
            let f2 = self.form_b(job, line, mark.as_ref(), &alc_code).await?;
            goods.push(Goods {
                line: line.line,
                alc_code,
                quantity: if mark.is_some() { Decimal::ONE } else { line.quantity },
                mark,
                f2,
                price: line.price,
                row: None,
            });
        }
        Ok(goods)
    }

    /// The marks that leave now: those of the line without the ones that left before.
    async fn own_marks(&self, job: Job<'_>, line: &Leaving) -> Result<Vec<Mark>, Failure> {
        let bottles = self.store.bottles(&job.book()).await.map_err(|error| job.store(&error))?;
        let own = job.own();
        let gone: Vec<&str> = bottles
            .iter()
            .filter(|bottle| bottle.line == line.line && !own.is(&bottle.document))
            .filter(|bottle| !bottle.is(BottleStatus::Returned))
            .filter_map(|bottle| bottle.mark.as_deref())
            .collect();
        let left: Vec<Mark> =
            line.marks.iter().filter(|mark| !gone.contains(&mark.as_str())).cloned().collect();
        if Decimal::from(left.len()) == line.quantity {
            return Ok(left);
        }
        let missing = line.quantity - Decimal::from(left.len());
        Err(job.fault(&Fault::Missing(line.name.clone(), missing)))
    }

    /// The reference of form B: as the product says, as EGAIS's list of bottles says, or the only one in stock.
    async fn form_b(
        &self,
        job: Job<'_>,
        line: &Leaving,
        mark: Option<&Mark>,
        alc_code: &str,
    ) -> Result<Option<String>, Failure> {
        let away = |error: sqlx::Error| job.store(&error);
        if let Some(mark) = mark {
            let known =
                self.store.known_bottle(&job.shop.utm, mark.as_str()).await.map_err(away)?;
            if known.is_some() {
                return Ok(known);
            }
        }
        if line.f2.is_some() {
            return Ok(line.f2.clone());
        }
        let mut forms = self.store.forms(&job.shop.utm, alc_code).await.map_err(away)?;
        if forms.len() == 1 {
            return Ok(forms.pop());
        }
        if wants_form_b(job, line) {
            return Err(job.fault(&Fault::FormB(line.name.clone(), forms.len())));
        }
        Ok(None)
    }

    /// The document of a sale of one group.
    async fn sale(
        &self,
        job: Job<'_>,
        new: &New,
        name: &str,
        goods: Vec<Goods>,
    ) -> Result<Paper, Failure> {
        let Some(group) = job.shop.groups.get(name) else {
            return Err(job.fault(&Fault::Group(name.to_owned(), name.to_owned())));
        };
        let identity = identity(job.order, &job.what(), name, new.revision);
        let positions = self.positions(job, &goods).await?;
        let at = job.moment();
        let document = if group.sale.is_cheque() {
            Document::Cheque(receipt(job, group, &identity, false, positions)?)
        } else {
            Document::Act(Act {
                identity: identity.clone(),
                date: at.date(),
                reason: group.reason.clone(),
                note: job.note(),
                positions,
            })
        };
        self.paper(job, (identity, name), (group.sale, &document), goods).await
    }

    /// Goods of a line, a form B and a price are one position.
    pub(super) async fn positions(
        &self,
        job: Job<'_>,
        goods: &[Goods],
    ) -> Result<Vec<Position>, Failure> {
        let mut positions: Vec<(i64, Position)> = Vec::new();
        for one in goods {
            let same = positions.iter_mut().find(|(line, position)| {
                *line == one.line && position.f2 == one.f2 && position.price == one.price
            });
            if let Some((_, position)) = same {
                position.quantity += one.quantity;
                position.marks.extend(one.mark.clone());
                continue;
            }
            let product = self.store.product(&one.alc_code).await;
            let line = u64::try_from(one.line).ok().and_then(|line| job.snapshot.line(line));
            let f1 = line.and_then(|line| line.properties.get(&job.shop.f1_property)).cloned();
            let f1 = match (f1, &one.f2) {
                (None, Some(f2)) => {
                    let known = self.store.form_a(&job.shop.utm, f2).await;
                    known.map_err(|error| job.store(&error))?
                }
                (f1, _) => f1,
            };
            let ean = line.and_then(|line| line.properties.get(&job.shop.ean_property)).cloned();
            positions.push((
                one.line,
                Position {
                    quantity: one.quantity,
                    price: one.price,
                    alc_code: one.alc_code.clone(),
                    f1,
                    f2: one.f2.clone(),
                    marks: one.mark.clone().into_iter().collect(),
                    product: product.map_err(|error| job.store(&error))?,
                    name: line.map_or_else(|| one.alc_code.clone(), |line| line.name.clone()),
                    ean: ean.map(|ean| ean.trim().to_owned()).filter(|ean| !ean.is_empty()),
                },
            ));
        }
        Ok(positions.into_iter().map(|(_, position)| position).collect())
    }

    /// A document, written once, held against the schemas.
    pub(super) async fn paper(
        &self,
        job: Job<'_>,
        (identity, part): (String, &str),
        (kind, document): (documents::Kind, &Document),
        goods: Vec<Goods>,
    ) -> Result<Paper, Failure> {
        let Some(utm) = self.utms.get(&job.shop.utm) else {
            return Err(words::utm_gone(job.order, &job.shop.utm));
        };
        let body = documents::write(kind, utm.owner(), document)
            .map_err(|breach| words::breach(job.order, kind, &breach))?;
        // The brief's dialect has no schema.
        let checked = if kind == documents::Kind::Brief { Ok(()) } else { self.valid(&body).await };
        checked.map_err(|faults| words::invalid(job.order, kind, &faults))?;
        let is_once = matches!(kind, documents::Kind::RequestRepealAwo)
            || matches!(document, Document::WayBillAct { .. });
        // Beer is counted by quantity: its codes are not known to keep a second act out.
        let is_kept = |one: &Goods| one.mark.as_ref().is_some_and(|mark| mark.form() != Form::Beer);
        let is_brief = kind == documents::Kind::Brief;
        let guarded = is_once || !is_brief && (!goods.is_empty() && goods.iter().all(is_kept));
        Ok(Paper {
            identity,
            part: part.to_owned(),
            utm: job.shop.utm.clone(),
            kind,
            body,
            goods,
            guarded,
            resent: false,
            asked: false,
            cleared: false,
            away: false,
            doubts: 0,
            first_at: None,
            told: 0,
            stage: Stage::ready(),
        })
    }
}

/// Only acts of register 1 name a form B.
fn wants_form_b(job: Job<'_>, line: &Leaving) -> bool {
    use documents::Kind::{ActWriteOffV3, ActWriteOffV4, Brief};
    let group = job.shop.groups.get(&line.group);
    group.is_some_and(|group| matches!(group.sale, ActWriteOffV3 | ActWriteOffV4 | Brief))
}

/// AlcCode of a bottle: its mark's own, which must be the product's.
fn alc_code(line: &Leaving, mark: Option<&Mark>) -> Result<String, Fault> {
    let marked = mark.and_then(Mark::alc_code);
    match (marked, &line.alc_code) {
        (Some(marked), Some(product)) if marked != *product => {
            Err(Fault::OtherProduct(line.name.clone()))
        }
        (Some(code), _) => Ok(code),
        (None, Some(code)) => Ok(code.clone()),
        (None, None) => Err(Fault::AlcCode(line.name.clone())),
    }
}

/// A cheque of the till whose receipt the order names; a return has a receipt of its own.
pub(super) fn receipt(
    job: Job<'_>,
    group: &Group,
    identity: &str,
    back: bool,
    positions: Vec<Position>,
) -> Result<Cheque, Failure> {
    let said = |name: &String| {
        let value = job.snapshot.properties.get(name).map(|value| value.trim().to_owned());
        value.filter(|value| !value.is_empty())
    };
    let named = |name: &String| said(name).ok_or_else(|| job.fault(&Fault::Receipt(name.clone())));
    let shop = job.shop;
    let (shift, number) = if back {
        let own = (named(&shop.back_shift_property)?, named(&shop.back_cheque_property)?);
        let sale = (said(&shop.shift_property), said(&shop.cheque_property));
        if sale == (Some(own.0.clone()), Some(own.1.clone())) {
            return Err(job.fault(&Fault::SameReceipt(shop.back_cheque_property.clone())));
        }
        own
    } else {
        (named(&shop.shift_property)?, named(&shop.cheque_property)?)
    };
    Ok(Cheque {
        identity: identity.to_owned(),
        at: job.moment(),
        till: group.till.clone().unwrap_or_default(),
        shift,
        number,
        back,
        positions,
    })
}

/// Whether a bottle is with the buyer.
pub(super) fn is_sold(bottle: &crate::store::Bottle) -> bool {
    bottle.is(BottleStatus::WrittenOff)
}
