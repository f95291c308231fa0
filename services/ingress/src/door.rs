//! Who may call: the portals' tokens and the sites' keys, compared in constant time.

use std::collections::HashMap;

use bitrix::{
    Shops,
    signature::{self, Key, SignatureError, Signed},
    webhook::Call,
};
use events::ShopId;
use runtime::{Secret, StartError};

/// Compared with when no portal has the caller's id, so that the answer takes as long.
const NOBODY: &str = "00000000000000000000000000000000";

/// All who may call.
#[derive(Debug)]
pub(crate) struct Door {
    portals: HashMap<String, (ShopId, Vec<Secret>)>,
    sites: Vec<(ShopId, Vec<Key>)>,
}

impl Door {
    pub(crate) fn new(shops: &Shops) -> Result<Self, StartError> {
        let portals = shops.portals().map(|(shop, _, portal)| {
            (portal.member_id.clone(), (shop.clone(), portal.application_tokens.clone()))
        });
        let mut sites = Vec::new();
        for (shop, _, site) in shops.sites() {
            let keys = site.webhook_secrets.iter().map(|secret| Key::parse(secret.expose()));
            let keys: Vec<Key> = keys.collect::<Result<_, _>>().map_err(|error| {
                StartError(format!("the shop {shop}: site.webhook_secrets: {error}"))
            })?;
            sites.push((shop.clone(), keys));
        }
        Ok(Self { portals: portals.collect(), sites })
    }

    /// The shop whose portal calls, if it is one and shows its token. Every token is compared.
    pub(crate) fn portal(&self, call: &Call) -> Option<&ShopId> {
        let portal = call.member_id.as_ref().and_then(|member| self.portals.get(member));
        let (shop, fits) = match portal {
            Some((shop, tokens)) => {
                let any = |fits, token: &Secret| call.token_is(token.expose()) | fits;
                (Some(shop), tokens.iter().fold(false, any))
            }
            None => (None, call.token_is(NOBODY)),
        };
        shop.filter(|_| fits)
    }

    /// The shop whose site signed the call; `named` is the shop that it says it is, if it says so.
    pub(crate) fn site(
        &self,
        named: Option<&str>,
        signed: Signed<'_>,
        body: &[u8],
        now: i64,
    ) -> Result<&ShopId, SignatureError> {
        let mut refusal = SignatureError::Wrong;
        for (shop, keys) in &self.sites {
            if named.is_none_or(|named| named == shop.as_str()) {
                match signature::verify(keys, signed, body, now) {
                    Ok(()) => return Ok(shop),
                    Err(error) => refusal = error,
                }
            }
        }
        Err(refusal)
    }
}
