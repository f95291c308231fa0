//! What stands against a document, and what is done when nothing does.

use super::{
    Books, Document,
    check::{Asked, Returned},
};

impl Books {
    /// What stands against a document. One code that is wrong refuses all of it.
    pub(super) fn against(
        &self,
        document: &Document,
        asked: &Asked,
    ) -> Vec<(Option<String>, String)> {
        match asked {
            Asked::Withdrawal { inn, products, .. } => products
                .iter()
                .filter_map(|(cis, _)| {
                    let why = self.not_owned(cis, &document.group, inn, "INTRODUCED")?;
                    Some((Some(cis.clone()), why))
                })
                .collect(),
            Asked::Return { inn, return_type, products } => products
                .iter()
                .filter_map(|returned| {
                    let why = self.not_back(returned, &document.group, inn, return_type)?;
                    Some((Some(returned.ki.clone()), why))
                })
                .collect(),
            Asked::Cancel { of } => {
                self.not_cancelled(of).map(|why| (None, why)).into_iter().collect()
            }
        }
    }

    fn not_owned(&self, cis: &str, group: &str, inn: &str, status: &str) -> Option<String> {
        let Some(code) = self.codes.get(cis) else {
            return Some("код не найден".to_owned());
        };
        let checks = [
            (code.owner_inn == inn, "код принадлежит другому участнику"),
            (code.group == group, "код другой товарной группы"),
            (code.status == status, "недопустимый статус кода"),
            (code.status_ex == "EMPTY", "код в особом состоянии"),
            (code.package == "UNIT", "код не единицы товара"),
        ];
        checks.iter().find(|(holds, _)| !holds).map(|(_, why)| (*why).to_owned())
    }

    fn not_back(&self, returned: &Returned, group: &str, inn: &str, kind: &str) -> Option<String> {
        if let Some(why) = self.not_owned(&returned.ki, group, inn, "RETIRED") {
            return Some(why);
        }
        let reason = self.codes.get(&returned.ki).and_then(|code| code.reason.clone());
        let allowed: &[&str] = match kind {
            "REMOTE_SALE_RETURN" => &["DISTANCE", "BY_SAMPLES"],
            "RETAIL_RETURN" => &["RETAIL", "BY_SAMPLES", "DISTANCE"],
            "OWN_USE_RETURN" => &["OWN_USE", "PRODUCTION_USE", "MEDICAL_USE", "VETERINARY_USE"],
            "STATE_CONTRACT_RETURN" => &["STATE_SECRET"],
            "NOT_FOR_SALE_RETURN" => &["DONATION", "OWN_USE", "PRODUCTION_USE", "STATE_CONTRACT"],
            _ => &[],
        };
        let follows = reason.is_some_and(|reason| allowed.contains(&reason.as_str()));
        (!follows).then(|| "вид возврата не соответствует причине выбытия".to_owned())
    }

    /// Only a withdrawal that was carried out and is the last thing that happened to its codes.
    fn not_cancelled(&self, of: &str) -> Option<String> {
        let Some(document) = self.document(of) else {
            return Some("документ не найден".to_owned());
        };
        if document.kind != "LK_RECEIPT" || document.status != "CHECKED_OK" {
            return Some("документ нельзя отменить".to_owned());
        }
        let last = |cis: &String| {
            let code = self.codes.get(cis);
            code.and_then(|code| code.effects.last()).is_some_and(|effect| effect.by == of)
        };
        let latest = document.codes.iter().all(last);
        (!latest).then(|| "документ не последний для своих кодов".to_owned())
    }

    pub(super) fn carry_out(&mut self, document: &Document, asked: &Asked, lag: u32) {
        match asked {
            Asked::Withdrawal { action, .. } => {
                self.affect(&document.codes, &document.id, "withdrawn", action, lag);
            }
            Asked::Return { return_type, .. } => {
                self.affect(&document.codes, &document.id, "returned", return_type, lag);
            }
            Asked::Cancel { of } => {
                let place = self.by_id.get(of).copied();
                let Some(undone) = place.and_then(|place| self.documents.get_mut(place)) else {
                    return;
                };
                "CANCELLED".clone_into(&mut undone.status);
                let codes = undone.codes.clone();
                self.affect(&codes, &document.id, "cancelled", "LK_RECEIPT_CANCEL", lag);
            }
        }
    }
}
