//! The buyer's box: from our directory, or by INN and KPP; invited where he is no partner yet.

use events::OrderRef;
use runtime::Failure;

use super::Job;
use crate::{
    Edo,
    diadoc::{Invited, Organization, Partner},
    plan::Buyer,
    store::PartnerBox,
    words,
};

/// What is known of the buyer.
pub(super) enum Found {
    /// He takes our documents.
    Ready(PartnerBox),
    /// He has not accepted our invitation yet.
    Waits(PartnerBox),
    /// He has invited us, and that is accepted: Diadoc makes partners of us soon.
    Soon,
}

impl Edo {
    /// The buyer's box.
    pub(super) async fn partner(&self, job: Job<'_>, buyer: &Buyer) -> Result<Found, Failure> {
        let inn = buyer.party.who.inn().to_string();
        let kpp = buyer.kpp().map(|kpp| kpp.to_string());
        let known = kpp.as_deref().unwrap_or_default();
        let kept = self.store.partner(&inn, known, self.config.edo_partner_keep).await;
        if let Some(kept) = kept.map_err(|error| job.store(&error))? {
            return Ok(Found::Ready(kept));
        }
        let found = self.diadoc.organizations(&inn, kpp.as_deref()).await;
        let found = found.map_err(|error| job.failure(error))?;
        let chosen = choose(job.order, found, &inn, kpp.as_deref(), job.shop.rules.test_signature)?;
        let found = PartnerBox {
            box_id: chosen.boxes.first().map(|own| own.box_id_guid.clone()).unwrap_or_default(),
            participant: chosen.fns_participant_id.clone().unwrap_or_default(),
            name: chosen.short_name.clone().unwrap_or_default(),
        };
        match self.is_partner(job, &chosen, &found).await? {
            Stands::Partner => {}
            Stands::Invited => return Ok(Found::Waits(found)),
            Stands::Accepted => return Ok(Found::Soon),
        }
        let kept = self.store.keep_partner(&inn, known, &found).await;
        kept.map_err(|error| job.store(&error))?;
        Ok(Found::Ready(found))
    }

    /// Whether he takes our documents; invites him where the shop says so.
    async fn is_partner(
        &self,
        job: Job<'_>,
        chosen: &Organization,
        found: &PartnerBox,
    ) -> Result<Stands, Failure> {
        let rules = &job.shop.rules;
        let stands = self.diadoc.partner(&found.box_id).await;
        let stands = stands.map_err(|error| job.failure(error))?;
        let takes_all = rules.to_strangers && !chosen.takes_from_partners_alone();
        let refused = |ru: &str, en: &str| words::not_partner(job.order, &found.name, ru, en);
        match stands {
            Partner::Ours => Ok(Stands::Partner),
            Partner::RefusesUs => Err(refused(
                "отклонил приглашение в Диадоке",
                "has declined the invitation at Diadoc",
            )),
            Partner::Refused => {
                Err(refused("заблокирован нами в Диадоке", "is blocked by us at Diadoc"))
            }
            Partner::InvitesUs if rules.invite => {
                self.invite(job, found).await?;
                Ok(Stands::Accepted)
            }
            _ if takes_all => Ok(Stands::Partner),
            Partner::Invited => Ok(Stands::Invited),
            Partner::Stranger | Partner::Unknown if rules.invite => {
                self.invite(job, found).await?;
                Ok(Stands::Invited)
            }
            Partner::InvitesUs => Err(refused(
                "приглашает вас в Диадоке, и приглашение не принято",
                "invites you at Diadoc, and that is not accepted",
            )),
            Partner::Stranger | Partner::Unknown => Err(refused(
                "не в списке контрагентов в Диадоке, и документ ему не отправляется",
                "is no partner at Diadoc, and gets no document",
            )),
        }
    }

    /// Invites the buyer, or accepts his invitation.
    async fn invite(&self, job: Job<'_>, found: &PartnerBox) -> Result<(), Failure> {
        let invited = self.diadoc.invite(&found.box_id, &job.shop.rules.invitation).await;
        match invited.map_err(|error| job.failure(error))? {
            Invited::Sent => Ok(()),
            Invited::NeedsRoaming => Err(words::not_partner(
                job.order,
                &found.name,
                "у другого оператора, и роуминг с ним не настроен",
                "is with another operator, and there is no roaming",
            )),
        }
    }
}

/// How a buyer stands with us.
enum Stands {
    /// He takes our documents.
    Partner,
    /// He is invited.
    Invited,
    /// His invitation is accepted.
    Accepted,
}

/// The right row among several: active, with a box and a name in exchange, of this very KPP, here before elsewhere, no
/// branch before a branch, a test organisation exactly where the shop is one. Two that are equally right are an exception.
fn choose(
    order: &OrderRef,
    found: Vec<Organization>,
    inn: &str,
    kpp: Option<&str>,
    is_test: bool,
) -> Result<Organization, Failure> {
    let fits = |one: &Organization| {
        one.is_active
            && one.inn == inn
            && !one.boxes.is_empty()
            && one.fns_participant_id.as_deref().is_some_and(|own| !own.is_empty())
            && (one.is_test == is_test)
            && (kpp.is_none() || one.kpp.as_deref() == kpp)
    };
    let rank = |one: &Organization| (one.is_roaming, one.is_branch);
    let mut fitting: Vec<Organization> = found.into_iter().filter(fits).collect();
    fitting.sort_by_key(rank);
    let best = fitting.first().map(rank);
    let equal = fitting.iter().filter(|one| Some(rank(one)) == best).count();
    match equal {
        0 => Err(words::buyer_missing(order, inn, kpp)),
        1 => Ok(fitting.swap_remove(0)),
        count => Err(words::buyer_ambiguous(order, inn, count)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(participant: &str, change: &serde_json::Value) -> Organization {
        let mut row = json!({
            "Inn": "7700000023", "Kpp": "773601001", "FnsParticipantId": participant,
            "Boxes": [{"BoxIdGuid": "b"}], "IsActive": true, "IsRoaming": false, "IsTest": false,
            "IsBranch": false,
        });
        for (name, value) in change.as_object().unwrap() {
            row[name] = value.clone();
        }
        serde_json::from_value(row).unwrap()
    }

    fn chosen(rows: Vec<Organization>) -> String {
        let order = OrderRef {
            shop: "acme".parse().unwrap(),
            id: 1,
            number: "A-1".to_owned(),
            site: false,
        };
        match choose(&order, rows, "7700000023", Some("773601001"), false) {
            Ok(row) => row.fns_participant_id.unwrap(),
            Err(failure) => failure.reason().code.clone(),
        }
    }

    #[test]
    fn the_right_row_is_chosen_among_several_and_never_guessed() {
        let plain = || row("own", &json!({}));
        let roaming = || row("roaming", &json!({"IsRoaming": true}));
        assert_eq!(chosen(vec![roaming(), plain()]), "own");
        assert_eq!(chosen(vec![row("branch", &json!({"IsBranch": true})), plain()]), "own");
        assert_eq!(chosen(vec![roaming()]), "roaming");
        let others = [
            json!({"IsActive": false}),
            json!({"Kpp": "770101001"}),
            json!({"Boxes": []}),
            json!({"IsTest": true}),
            json!({"FnsParticipantId": ""}),
            json!({"Inn": "7700000016"}),
        ];
        for other in others {
            assert_eq!(chosen(vec![row("other", &other), plain()]), "own");
            assert_eq!(chosen(vec![row("other", &other)]), "counterparty_missing");
        }
        assert_eq!(chosen(vec![plain(), row("twin", &json!({}))]), "counterparty_ambiguous");
        assert_eq!(chosen(vec![]), "counterparty_missing");
    }
}
