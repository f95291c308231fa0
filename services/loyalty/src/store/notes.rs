//! What of the ledger's work a person must see.

use serde_json::json;

use super::{
    Group,
    exceptions::{self, kinds},
};
use crate::ledger::{Answer, Content, Outcome, Request, Waits};

/// Notes what answers a person must see.
pub(super) async fn answers<'a>(
    group: &mut Group,
    given: impl Iterator<Item = (&'a Request, &'a Answer)>,
) -> sqlx::Result<()> {
    for (request, answer) in given {
        let key = request.key.to_string();
        match answer {
            Answer::Conflict { recorded, given } => {
                let details = json!({"recorded": said(recorded), "given": said(given)});
                exceptions::open(group, kinds::CONFLICT, &key, &details).await?;
            }
            Answer::Parked(Waits::Decision) => {
                let phone = request.phone.map(|phone| phone.to_string()).unwrap_or_default();
                exceptions::open(group, kinds::AMBIGUOUS_PHONE, &phone, &json!({"operation": key}))
                    .await?;
            }
            Answer::Decided(known) if known.outcome == Outcome::OkOverdraft => {
                let details =
                    json!({"applied_kopecks": known.applied, "store": request.note.store});
                exceptions::open(group, kinds::OVERDRAFT, &key, &details).await?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Notes what became of operations that had waited: their senders hear of a refusal only when
/// they repeat them.
pub(super) async fn woken(group: &mut Group, those: &[(Request, Answer)]) -> sqlx::Result<()> {
    for (request, answer) in those {
        let Answer::Decided(known) = answer else { continue };
        let harmless = matches!(
            known.outcome,
            Outcome::NothingToUndo | Outcome::AlreadyReleased | Outcome::AlreadyReversed
        );
        if !known.outcome.is_done() && !harmless {
            let (refusal, store) = (known.outcome.as_str(), &request.note.store);
            let details =
                json!({"operation": said(&known.content), "refusal": refusal, "store": store});
            exceptions::open(group, kinds::REFUSED_LATER, &request.key.to_string(), &details)
                .await?;
        }
    }
    answers(group, those.iter().map(|(request, answer)| (request, answer))).await
}

fn said(content: &Content) -> serde_json::Value {
    json!({
        "type": content.kind.as_str(),
        "amount_kopecks": content.amount,
        "phone": content.phone,
        "reference": content.of.as_ref().map(|of| &of.external_id),
    })
}

/// Notes phones that several customers have.
pub(super) async fn shared_phones(group: &mut Group, phones: &[String]) -> sqlx::Result<()> {
    let shared = sqlx::query!(
        r#"SELECT phone, array_agg(customer_id ORDER BY customer_id) AS "customers!" FROM phones
           WHERE phone = ANY($1) GROUP BY phone HAVING count(*) > 1 ORDER BY phone"#,
        phones,
    )
    .fetch_all(&mut **group)
    .await?;
    for row in shared {
        let details = json!({"customers": row.customers});
        exceptions::open(group, kinds::AMBIGUOUS_PHONE, &row.phone, &details).await?;
    }
    Ok(())
}
