//! What the registers beside CloudKassir have in common: books of receipts by the caller's own names, looks that
//! process, a pace, callbacks.

pub mod books;
pub(crate) mod check;
mod control;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde_json::Value;

pub use self::books::{Books, Fiscal, Position, Receipt, Status, Summary};
pub(crate) use self::{
    books::{Asked, Checked, Outcome},
    control::router as control,
};
use crate::{
    Emulator, System,
    faults::Drawn,
    outgoing::{Delivery, Post},
    settings::Notify,
};

/// The state of one register.
#[derive(Debug, Default)]
pub struct Till {
    books: Mutex<Books>,
}

/// How a register shows a receipt, in a report and in a callback.
pub(crate) type Report = fn(&Receipt) -> Value;

impl Till {
    /// The books, locked: drop the guard before the next request.
    pub fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The books in a few numbers.
    pub fn summary(&self) -> Summary {
        self.books().summary()
    }

    pub(crate) fn reset(&self) {
        *self.books() = Books::default();
    }
}

/// Takes a request for a receipt.
pub(crate) async fn ask(
    emulator: &Arc<Emulator>,
    system: System,
    drawn: &Drawn,
    checked: Checked,
    report: Report,
) -> Outcome {
    let Some(till) = emulator.till(system) else { return Outcome::TooFast };
    let settings = emulator.settings();
    let own = &settings.registers;
    let asked = Asked {
        at: emulator.clock.now(),
        pace_ms: own.pace_ms,
        fails: drawn.fails_later,
        expires: drawn.expires,
    };
    let outcome = till.books().ask(checked, &asked);
    if let Outcome::New(place) = outcome {
        match own.notify {
            Notify::Before => process(emulator, system, place, drawn.copies, report).await,
            Notify::Forged => forge(emulator, system, place, report),
            _ => {}
        }
    }
    outcome
}

/// One look at a receipt by its id: as it stands, and processed afterwards if it is due.
pub(crate) async fn look(
    emulator: &Arc<Emulator>,
    system: System,
    id: &str,
    report: Report,
) -> Option<Receipt> {
    let till = emulator.till(system)?;
    let looks = emulator.settings().registers.looks;
    let (place, receipt, due) = till.books().look(id, looks)?;
    if due {
        process(emulator, system, place, 1, report).await;
    }
    Some(receipt)
}

/// Issues a queued receipt and tells it; waits for the callback only in [`Notify::Before`].
async fn process(
    emulator: &Arc<Emulator>,
    system: System,
    place: usize,
    copies: u32,
    report: Report,
) {
    let Some(till) = emulator.till(system) else { return };
    let notify = emulator.settings().registers.notify;
    let receipt = till.books().process(place, emulator.clock.now());
    let Some(receipt) = receipt else { return };
    let times = match notify {
        Notify::Never | Notify::Forged => 0,
        Notify::Twice => 2,
        Notify::Once | Notify::Before => copies,
    };
    for _ in 0..times {
        tell(emulator, system, &receipt, report, notify == Notify::Before).await;
    }
}

/// A callback that nobody should believe: fiscal data that do not exist.
fn forge(emulator: &Arc<Emulator>, system: System, place: usize, report: Report) {
    let Some(till) = emulator.till(system) else { return };
    let receipt = till.books().receipts().get(place).cloned();
    let Some(mut receipt) = receipt else { return };
    receipt.status = Status::Done;
    receipt.fiscal = Some(Fiscal { document: 666_666, sign: 6_666_666_666, at: receipt.at });
    let emulator = Arc::clone(emulator);
    tokio::spawn(async move { tell(&emulator, system, &receipt, report, true).await });
}

async fn tell(
    emulator: &Arc<Emulator>,
    system: System,
    receipt: &Receipt,
    report: Report,
    wait: bool,
) {
    let Some(url) = receipt.callback_url.clone() else { return };
    let post = Post {
        url,
        content_type: "application/json",
        agent: "register",
        headers: Vec::new(),
        body: Bytes::from(report(receipt).to_string()),
    };
    let emulator = Arc::clone(emulator);
    let deliver = async move {
        let delivery = emulator.outgoing.post(post).await;
        let taken = matches!(&delivery, Delivery::Answered { status: 200, .. });
        if let Some(till) = emulator.till(system) {
            till.books().callbacks.add(&delivery, taken);
        }
    };
    if wait {
        deliver.await;
    } else {
        tokio::spawn(deliver);
    }
}
