//! Which operations follow from an order's fact.
//!
//! Their names are made of what happened: the order, the kind, the occurrence, and the number of
//! the attempt where a person has replayed. So a fact told twice asks for nothing new.

use events::{Money, Order, PaymentState, Phone, ReturnFact};
use runtime::{Failure, Reason};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    bank::Bank,
    config::{Program, Shop},
    ledger::{Beyond, CustomerId, Key, Note, Request, What},
    rules::{proportion, value},
    store::{Done, Person},
    words,
};

/// Attempts and occurrences whose operations are looked for.
const NAMES: u32 = 20;

/// What is to be done.
pub(crate) enum Plan {
    /// Nothing.
    Nothing,
    /// An earlier fact of the order comes first: look again later.
    Wait,
    /// A person must look.
    Stop(Reason),
    /// These operations, in order.
    Ask(Vec<Request>),
}

type Planned = Result<Plan, Failure>;

/// Plans for one shop.
pub(crate) struct Planner<'a> {
    pub bank: &'a Bank,
    pub program: &'a Program,
    pub shop: &'a Shop,
    pub revision: u32,
}

/// Whose points.
#[derive(Debug, Clone, Copy)]
struct Who {
    customer: Option<CustomerId>,
    phone: Option<Phone>,
}

impl Planner<'_> {
    /// The order promises points: they are held.
    pub(crate) async fn created(&self, order: &Order) -> Planned {
        let points = self.points(order)?;
        if points == 0 {
            return Ok(Plan::Nothing);
        }
        let who = self.who(order).await?.ok_or_else(|| words::buyer_unknown(&order.key))?;
        Ok(Plan::Ask(vec![self.hold(order, who, points)]))
    }

    /// The money is here: held points are spent. Until all of it is, they stay held.
    pub(crate) async fn paid(&self, order: &Order) -> Planned {
        let points = self.points(order)?;
        if points == 0 || paid(order) < order.price.kopecks() {
            return Ok(Plan::Nothing);
        }
        let who = self.who(order).await?.ok_or_else(|| words::buyer_unknown(&order.key))?;
        let hold = self.latest(order, &["hold"]).await?;
        let mut ask = Vec::new();
        let of = match hold {
            Some(hold) if points > hold.applied => {
                return Ok(Plan::Stop(words::points_changed(&order.key, points, hold.applied)));
            }
            Some(hold) => hold.key,
            // Payment was quicker than the order, or the hold was refused.
            None => {
                let hold = self.hold(order, who, points);
                let key = hold.key.clone();
                ask.push(hold);
                key
            }
        };
        let what = What::Capture { of, amount: Some(points) };
        ask.push(self.request(order, who, "capture", self.revision, what));
        Ok(Plan::Ask(ask))
    }

    /// The buyer has the goods: points are earned on the money paid, and pending until the time
    /// for returns is over.
    pub(crate) async fn completed(
        &self,
        order: &Order,
        occurrence: u32,
        at: OffsetDateTime,
    ) -> Planned {
        let Some(who) = self.who(order).await? else { return Ok(Plan::Nothing) };
        let mut money = order.clone();
        money.price = order.price.min(Money::from_kopecks(paid(order)));
        let earned = self.shop.accrual.earned(&money).map_err(|_| words::sums_wrong(&order.key))?;
        if earned == 0 {
            return Ok(Plan::Nothing);
        }
        let matures_at = at + self.program.return_window;
        let what = What::Accrual {
            amount: earned,
            matures_at: Some(matures_at),
            expires_at: self.program.expires_after.map(|life| matures_at + life),
        };
        Ok(Plan::Ask(vec![self.request(order, who, "accrual", occurrence, what)]))
    }

    /// The order is cancelled: what is held is released, what was spent or earned is undone.
    pub(crate) async fn cancelled(&self, order: &Order, occurrence: u32) -> Planned {
        let spent = self.latest(order, &["spend"]).await?;
        let hold = self.latest(order, &["hold"]).await?;
        let accrual = self.latest(order, &["accrual"]).await?;
        let promised = self.points(order).unwrap_or(0) > 0;
        let who = Who { customer: None, phone: None };
        let mut ask = Vec::new();
        if let Some(spent) = spent {
            let what = What::Reversal { of: spent.key, amount: None };
            ask.push(self.request(order, who, "cancel-spend", occurrence, what));
        } else if hold.is_some() || promised {
            // Of a hold that is not there yet the release waits, and undoes it when it comes.
            let of = hold.map_or_else(|| self.key(order, "hold", 0), |hold| hold.key);
            let what = What::Release { of, amount: None };
            ask.push(self.request(order, who, "release", occurrence, what));
        }
        if let Some(accrual) = accrual {
            let what = What::Reversal { of: accrual.key, amount: None };
            ask.push(self.request(order, who, "cancel-accrual", occurrence, what));
        }
        Ok(if ask.is_empty() { Plan::Nothing } else { Plan::Ask(ask) })
    }

    /// Goods came back: earned points are taken back and spent ones given back in proportion to
    /// the goods' price. A return may overtake the completion, so it waits a while for it.
    pub(crate) async fn returned(&self, fact: &ReturnFact, patient: bool) -> Planned {
        let order = &fact.order;
        let accrual = self.latest(order, &["accrual"]).await?;
        if accrual.is_none() && patient {
            return Ok(Plan::Wait);
        }
        let unclear = || words::return_unclear(&order.key);
        let back = fact.lines.iter().map(|part| value(order.line(part.line)?, part.quantity));
        let back = back.sum::<Option<i64>>().ok_or_else(unclear)?;
        let all = order.lines.iter().map(|line| value(line, line.quantity));
        let all = all.sum::<Option<i64>>().ok_or_else(unclear)?;
        let spent = self.latest(order, &["spend", "capture"]).await?;
        let who = Who { customer: None, phone: None };
        let mut ask = Vec::new();
        let named = [("return-accrual", accrual), ("return-spend", spent)];
        for (name, done) in named.into_iter().filter_map(|(name, done)| Some((name, done?))) {
            let amount = proportion(done.applied, back, all);
            if amount > 0 {
                // The last return takes whatever is left.
                let amount = Some(amount).filter(|amount| *amount < done.applied);
                let what = What::Reversal { of: done.key, amount };
                ask.push(self.request(order, who, name, fact.occurrence, what));
            }
        }
        Ok(if ask.is_empty() { Plan::Nothing } else { Plan::Ask(ask) })
    }

    /// Kopecks of points in the order's property.
    fn points(&self, order: &Order) -> Result<i64, Failure> {
        let property = &self.shop.points_property;
        let Some(text) = order.properties.get(property) else { return Ok(0) };
        match text.trim().parse::<Money>() {
            Ok(points) if !points.is_negative() => Ok(points.kopecks()),
            _ => Err(words::points_invalid(&order.key, property)),
        }
    }

    async fn who(&self, order: &Order) -> Result<Option<Who>, Failure> {
        let phone = order.buyer.phone.as_deref().and_then(|phone| phone.parse::<Phone>().ok());
        let user = order.buyer.id.and_then(|id| i64::try_from(id).ok());
        let Some(user) = user else {
            return Ok(phone.map(|phone| Who { customer: None, phone: Some(phone) }));
        };
        let person = Person {
            shop: order.key.shop.to_string(),
            user,
            phones: phone.into_iter().collect(),
            all_phones: false,
        };
        let customer = self.bank.store().meet(&person).await;
        let customer = customer.map_err(|error| {
            tracing::debug!(%error, "a buyer cannot be written");
            words::store_away(&order.key)
        })?;
        Ok(Some(Who { customer: Some(customer), phone }))
    }

    /// The last operation of the order under one of these names that was carried out.
    async fn latest(&self, order: &Order, kinds: &[&str]) -> Result<Option<Done>, Failure> {
        let names = kinds
            .iter()
            .flat_map(|kind| (0..NAMES).map(|number| self.key(order, kind, number).external_id));
        let source = source(order);
        let found = self.bank.store().latest(&source, &names.collect::<Vec<_>>()).await;
        found.map_err(|error| {
            tracing::debug!(%error, "an order's operations cannot be read");
            words::store_away(&order.key)
        })
    }

    fn hold(&self, order: &Order, who: Who, points: i64) -> Request {
        let until = self.now() + self.program.hold_for;
        let what = What::Hold { amount: points, until };
        self.request(order, who, "hold", self.revision, what)
    }

    fn key(&self, order: &Order, kind: &str, number: u32) -> Key {
        let side = if order.key.site { "site" } else { "portal" };
        Key::new(source(order), format!("{side}-{}:{kind}:{number}", order.key.id))
    }

    fn request(&self, order: &Order, who: Who, kind: &str, number: u32, what: What) -> Request {
        let note = Note { order: Some(order.key.number.clone()), ..Note::default() };
        Request {
            id: Uuid::now_v7(),
            key: self.key(order, kind, number),
            what,
            phone: who.phone,
            customer: who.customer,
            effective_at: self.now(),
            note,
        }
    }

    fn now(&self) -> OffsetDateTime {
        self.bank.store().now()
    }
}

/// A debit in place of a capture whose hold is gone.
pub(crate) fn spend_instead(capture: &Request) -> Option<Request> {
    let amount = capture.what.amount()?;
    let what = What::Debit { amount, beyond: Beyond::Refuse };
    Some(instead(capture, ":capture:", ":spend:", what))
}

/// A reversal in place of a release whose hold is spent.
pub(crate) fn reverse_instead(release: &Request) -> Option<Request> {
    let of = release.what.of()?.clone();
    Some(instead(release, ":release:", ":reversal:", What::Reversal { of, amount: None }))
}

/// What takes a hold or a debit back.
pub(crate) fn undo(request: &Request) -> Request {
    let what = What::Release { of: request.key.clone(), amount: None };
    let mut undo = instead(request, "", "", what);
    undo.key.external_id = format!("undo:{}", request.key.external_id);
    undo
}

fn instead(request: &Request, from: &str, to: &str, what: What) -> Request {
    let external_id = match from.is_empty() {
        true => request.key.external_id.clone(),
        false => request.key.external_id.replace(from, to),
    };
    let key = Key::new(request.key.source.clone(), external_id);
    Request { id: Uuid::now_v7(), key, what, ..request.clone() }
}

fn source(order: &Order) -> String {
    format!("shop:{}", order.key.shop)
}

/// Money that is here, in kopecks.
fn paid(order: &Order) -> i64 {
    let here = order.payments.iter().filter(|payment| payment.state == PaymentState::Paid);
    Money::sum(here.map(|payment| payment.sum)).map_or(0, Money::kopecks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Kind;

    #[test]
    fn what_is_done_instead_has_a_name_of_its_own() {
        let of = Key::new("shop:acme", "portal-1:hold:0");
        let capture = Request {
            id: Uuid::nil(),
            key: Key::new("shop:acme", "portal-1:capture:0"),
            what: What::Capture { of: of.clone(), amount: Some(5) },
            phone: None,
            customer: Some(1),
            effective_at: OffsetDateTime::UNIX_EPOCH,
            note: Note::default(),
        };
        let debit = spend_instead(&capture).unwrap();
        assert_eq!(debit.key.external_id, "portal-1:spend:0");
        assert_eq!(debit.what.kind(), Kind::Debit);
        let undone = undo(&debit);
        assert_eq!(undone.key.external_id, "undo:portal-1:spend:0");
        assert_eq!(undone.what.of(), Some(&debit.key));
    }
}
