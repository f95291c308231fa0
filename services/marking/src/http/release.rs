//! The way out of quarantine: a person says why, and the register that the code may be sold.

use axum::http::StatusCode;
use events::Label;

use super::{api::Refused, texts};
use crate::Marking;

/// The shortest and the longest reason, in characters.
const REASON: std::ops::RangeInclusive<usize> = 3..=500;

/// Puts a code back into stock.
pub(super) async fn release(
    marking: &Marking,
    code: &str,
    reason: &str,
    person: &str,
) -> Result<(), Refused> {
    let label = Label::parse(code).map_err(|error| {
        let word = error.code();
        Refused::new(StatusCode::CONFLICT, &word, texts::unreadable(&word))
    })?;
    let reason: String = reason.trim().chars().filter(|letter| !letter.is_control()).collect();
    if !REASON.contains(&reason.chars().count()) {
        return Err(Refused::new(StatusCode::BAD_REQUEST, "reason_missing", texts::no_reason()));
    }
    // What the register does not let out comes straight back here with the next order.
    let infos = marking.register.cises_info(&[label.ki().as_str()], None).await;
    let infos = infos.map_err(|error| {
        tracing::warn!(%error, "the register cannot be asked about a code in quarantine");
        Refused::new(StatusCode::SERVICE_UNAVAILABLE, "register_away", texts::register_away())
    })?;
    let sellable = infos.first().map(|info| info.sellable(marking.register.inn()));
    if let Some(Err(why)) = sellable {
        let text = texts::not_sellable(&why);
        return Err(Refused::new(StatusCode::CONFLICT, "not_sellable", text));
    }
    let released = marking.store.release(&label, person, &reason).await;
    match released.map_err(|error| Refused::away(&error))? {
        true => Ok(()),
        false => {
            let text = texts::not_quarantined();
            Err(Refused::new(StatusCode::CONFLICT, "not_quarantined", text))
        }
    }
}
