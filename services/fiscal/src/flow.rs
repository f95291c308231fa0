//! The steps of a receipt.

use std::time::Duration;

use events::{Event, Fact, OrderRef, PaymentFact};
use runtime::{Class, Failure, Reason, Step, Worker as _};
use time::OffsetDateTime;

use crate::{
    Fiscal,
    client::{Account, Caller, Error, Standing, What, body},
    key,
    marks::Doubt,
    receipt::{self, Rules},
    state::{Done, Held, New, Sending, Sent, State},
    words,
};

/// Looks in a row that may miss an accepted receipt.
const MISSING_LOOKS: u32 = 10;
/// Attempts without a connection after which a job does not go on at once.
const HASTY_TRIES: u32 = 3;

/// What a job is about.
#[derive(Clone, Copy)]
struct Sale<'a> {
    event: &'a Event,
    paid: &'a PaymentFact,
    account: &'a Account,
    rules: &'a Rules,
}

impl<'a> Sale<'a> {
    fn order(self) -> &'a OrderRef {
        &self.paid.order.key
    }

    fn caller(self) -> Caller<'a> {
        Caller { account: self.account, order: self.order() }
    }
}

impl Fiscal {
    pub(crate) async fn go(&self, event: &Event, state: State) -> Result<Step<State>, Failure> {
        let Fact::OrderPaid(paid) = &event.fact else {
            return Err(words::fact_unexpected(event));
        };
        let order = &paid.order.key;
        let Some((account, rules)) = self.shops.get(&order.shop) else {
            return Err(words::shop_unknown(order));
        };
        let sale = Sale { event, paid, account, rules };
        match state {
            State::New(new) => self.begin(sale, new).await,
            State::Sending(sending) => self.send(sale, sending).await,
            State::Sent(sent) => self.look(sale, sent).await,
            State::Done(done) => Ok(Step::done(State::Done(done))),
        }
    }

    /// Makes the receipt and writes it down.
    async fn begin(&self, sale: Sale<'_>, new: New) -> Result<Step<State>, Failure> {
        let now = self.now();
        if let Some(held) = new.held.filter(|held| now < held.until) {
            return Err(Failure::Retry(held.reason, Some(until(held.until, now))));
        }
        self.reach(sale).await?;
        let order = &sale.paid.order;
        let receipt = receipt::sale(order, sale.paid.payment, sale.rules).map_err(|refusal| {
            let text = refusal.text(&order.key);
            Failure::Dead(Reason::new(Class::Invalid, refusal.code(), text.ru, text.en))
        })?;
        let invoice_id = key::invoice_id(sale.paid, new.revision);
        let body = body::sale(&receipt, &invoice_id, order.buyer.id)
            .map_err(|error| words::unwritable(&order.key, &error))?;
        let sending = Sending {
            revision: new.revision,
            tries: new.tries,
            request_id: key::request_id(&invoice_id),
            invoice_id: invoice_id.clone(),
            body,
            first_sent: now,
            mark: self.marks.set(),
        };
        Ok(Step::again(State::Sending(sending)).known_as(invoice_id))
    }

    /// While the register was last found away, nothing is begun before it answers.
    async fn reach(&self, sale: Sale<'_>) -> Result<(), Failure> {
        if !self.client.is_away() {
            return Ok(());
        }
        match self.client.ping(sale.caller()).await {
            Err(error @ Error { what: What::NotSent(_) | What::NoAnswer(_), .. }) => {
                Err(error.into())
            }
            _ => Ok(()),
        }
    }

    /// Sends what is written down; asks first where it may have been sent before.
    async fn send(&self, sale: Sale<'_>, sending: Sending) -> Result<Step<State>, Failure> {
        let doubt = self.marks.take(sending.mark);
        if doubt == Doubt::Sent
            && let Some(id) = self.hinted(sale, &sending).await?
        {
            return Ok(self.accepted(sale, sending, id));
        }
        // Also where this process has sent nothing: it may have been stopped for an hour, and
        // another have sent meanwhile what the register no longer knows again.
        if self.is_too_late(&sending) {
            return Err(words::outcome_unknown(sale.order(), &sending.invoice_id));
        }
        let request_id = sending.request_id.to_string();
        match self.client.register(sale.caller(), &sending.body, &request_id).await {
            Ok(id) => Ok(self.accepted(sale, sending, id)),
            Err(error) => self.not_accepted(&sending, doubt, error),
        }
    }

    /// The register's id of what may have been sent, if a notification told it and the register
    /// confirms that it is ours.
    async fn hinted(&self, sale: Sale<'_>, sending: &Sending) -> Result<Option<String>, Failure> {
        let hint = self.outside.hints.get(&sending.invoice_id).await;
        let Some(id) = hint.map_err(|error| words::hints_away(sale.order(), &error))? else {
            return Ok(None);
        };
        match self.client.details(sale.caller(), &id).await {
            Ok(details) if details.invoice_id.as_deref() == Some(&sending.invoice_id) => {
                Ok(Some(id))
            }
            Ok(_) => {
                tracing::warn!("a notification named a receipt that is not this order's");
                Ok(None)
            }
            // The notification is signed: as long as it is not refuted, nothing is sent again.
            Err(_) if self.is_too_late(sending) => {
                Err(words::outcome_unknown(sale.order(), &sending.invoice_id))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn accepted(&self, sale: Sale<'_>, sending: Sending, id: String) -> Step<State> {
        let Sending { revision, invoice_id, .. } = sending;
        let working = words::working(sale.event, sale.order(), revision, self.now());
        let sent = Sent { revision, invoice_id, id, looks: 0, missing: 0 };
        Step::wait(State::Sent(sent), self.config.cloudkassir_poll).emit(working)
    }

    /// What follows from a request that was not accepted.
    ///
    /// A refusal of what the receipt says holds for every sending of the same bytes: this revision
    /// is settled. A refusal for the register's own condition holds for this sending only, as does
    /// everything else that was certainly not carried out: it leaves nothing behind unless
    /// something was sent before. The rest stays in doubt, under the same key.
    fn not_accepted(
        &self,
        sending: &Sending,
        doubt: Doubt,
        error: Error,
    ) -> Result<Step<State>, Failure> {
        let sure = doubt == Doubt::None;
        let revision = match &error.what {
            what @ What::Refused { .. } if sure || !what.is_passing() => {
                sending.revision.saturating_add(1)
            }
            what if sure && what.had_no_effect() => sending.revision,
            _ => return Err(error.into()),
        };
        let tries = sending.tries.saturating_add(1);
        let new = |held| State::New(New { revision, tries, held });
        let pause = Self::RETRY.pause(tries).unwrap_or(Self::RETRY.longest);
        Ok(match error.into() {
            Failure::Retry(reason, after) => {
                let until = self.now() + after.unwrap_or(pause);
                Step::again(new(Some(Held { reason, until })))
            }
            // The next step pings and tells that the register is away.
            Failure::Down(_) if tries <= HASTY_TRIES => Step::again(new(None)),
            Failure::Down(_) => Step::wait(new(None), pause),
            Failure::Dead(reason) => Step::stop(State::New(New::revision(revision)), reason),
        })
    }

    /// Looks how an accepted receipt stands.
    async fn look(&self, sale: Sale<'_>, sent: Sent) -> Result<Step<State>, Failure> {
        match self.client.status(sale.caller(), &sent.id).await? {
            Standing::Queued => {
                let pause = self.poll_pause(sent.looks);
                let looks = sent.looks.saturating_add(1);
                Ok(Step::wait(State::Sent(Sent { looks, missing: 0, ..sent }), pause))
            }
            Standing::Processed => self.finish(sale, sent).await,
            Standing::Failed(message) => {
                let next = New::revision(sent.revision.saturating_add(1));
                Ok(Step::stop(State::New(next), words::receipt_failed(sale.order(), &message)))
            }
            Standing::NotFound if sent.missing < MISSING_LOOKS => {
                let pause = self.poll_pause(sent.missing);
                let missing = sent.missing.saturating_add(1);
                Ok(Step::wait(State::Sent(Sent { missing, ..sent }), pause))
            }
            Standing::NotFound => Ok(Self::lost(sale, sent)),
        }
    }

    /// Fetches the fiscal data of a fiscalised receipt and tells them.
    async fn finish(&self, sale: Sale<'_>, sent: Sent) -> Result<Step<State>, Failure> {
        let details = self.client.details(sale.caller(), &sent.id).await?;
        if details.invoice_id.as_deref().is_some_and(|name| name != sent.invoice_id) {
            return Ok(Self::lost(sale, sent));
        }
        let Some(fiscal) = details.fiscal else {
            let what = What::Garbled("a processed receipt has no fiscal data".to_owned());
            return Err(Error { order: sale.order().number.clone(), what }.into());
        };
        let done = words::done(sale.event, sale.order(), sent.revision, &fiscal, self.now());
        let Sent { invoice_id, id, .. } = sent;
        Ok(Step::done(State::Done(Done { invoice_id, id, fiscal })).emit(done))
    }

    /// A replay looks again.
    fn lost(sale: Sale<'_>, sent: Sent) -> Step<State> {
        let reason = words::receipt_lost(sale.order(), &sent.id);
        Step::stop(State::Sent(Sent { missing: 0, ..sent }), reason)
    }

    /// Whether the register may have forgotten a request of this age.
    fn is_too_late(&self, sending: &Sending) -> bool {
        self.now() - sending.first_sent > self.config.cloudkassir_resend_within
    }

    fn poll_pause(&self, looks: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(looks.min(16).saturating_add(1));
        let pause = self.config.cloudkassir_poll.saturating_mul(doubled);
        pause.min(self.config.cloudkassir_poll_longest)
    }
}

fn until(then: OffsetDateTime, now: OffsetDateTime) -> Duration {
    Duration::try_from(then - now).unwrap_or_default()
}
