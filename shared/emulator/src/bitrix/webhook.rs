//! The outgoing webhook: a form with PHP brackets that names the order and nothing else. Fired once, never retried.

use std::sync::Arc;

use bytes::Bytes;
use form_urlencoded::Serializer;
use secrecy::ExposeSecret;
use time::OffsetDateTime;

use crate::{
    Emulator,
    outgoing::{Delivery, Post},
    settings::BitrixSettings,
};

/// What happened to the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    Saved,
    Deleted,
}

impl Event {
    fn name(self) -> &'static str {
        match self {
            Self::Saved => "ONSALEORDERSAVED",
            Self::Deleted => "ONSALEBEFOREORDERDELETE",
        }
    }

    fn action(self) -> &'static str {
        match self {
            Self::Saved => "save",
            Self::Deleted => "delete",
        }
    }
}

/// Tells that REST has saved these orders, in the background.
pub(super) fn saved(emulator: &Arc<Emulator>, orders: Vec<u64>, copies: u32) {
    let settings = emulator.settings();
    let times = settings.bitrix.webhook_copies.saturating_mul(copies);
    for order in orders {
        for _ in 0..times {
            let emulator = Arc::clone(emulator);
            tokio::spawn(async move { tell(&emulator, order, Event::Saved).await });
        }
    }
}

/// Tells an event once and books how that went; `None` if there is nobody to tell.
pub(super) async fn tell(emulator: &Emulator, order: u64, event: Event) -> Option<Delivery> {
    let settings = emulator.settings();
    let url = settings.bitrix.webhook_url.as_deref()?;
    let xml_id = {
        let portal = emulator.bitrix.portal();
        portal.orders.get(&order).and_then(|order| order.text("xmlId")).unwrap_or_default()
    };
    let form = form(&settings.bitrix, order, &xml_id, event, emulator.clock.now());
    let delivery = emulator.outgoing.post(post(url, form)).await;
    emulator.bitrix.portal().webhooks.add(&delivery, delivery.accepted());
    Some(delivery)
}

fn post(url: &str, form: String) -> Post {
    Post {
        url: url.to_owned(),
        content_type: "application/x-www-form-urlencoded",
        agent: "Bitrix24 Webhook Engine",
        headers: Vec::new(),
        body: Bytes::from(form),
    }
}

fn form(
    settings: &BitrixSettings,
    order: u64,
    xml_id: &str,
    event: Event,
    at: OffsetDateTime,
) -> String {
    let domain = &settings.domain;
    let mut form = Serializer::new(String::new());
    form.append_pair("event", event.name())
        .append_pair("event_handler_id", "975")
        .append_pair("data[FIELDS][ID]", &order.to_string())
        .append_pair("data[FIELDS][XML_ID]", xml_id)
        .append_pair("data[FIELDS][ACTION]", event.action())
        .append_pair("ts", &at.unix_timestamp().to_string())
        .append_pair("auth[domain]", domain)
        .append_pair("auth[client_endpoint]", &format!("https://{domain}/rest/"))
        .append_pair("auth[server_endpoint]", "https://oauth.bitrix24.tech/rest/")
        .append_pair("auth[member_id]", &settings.member_id)
        .append_pair("auth[application_token]", settings.application_token.expose_secret());
    form.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;

    #[test]
    fn the_form_has_percent_encoded_brackets() {
        let at = OffsetDateTime::from_unix_timestamp(1_766_047_124).unwrap();
        let settings = Settings::default().bitrix;
        let expected = "event=ONSALEORDERSAVED&event_handler_id=975&data%5BFIELDS%5D%5BID%5D=236\
            &data%5BFIELDS%5D%5BXML_ID%5D=bx_1&data%5BFIELDS%5D%5BACTION%5D=save&ts=1766047124\
            &auth%5Bdomain%5D=shop.bitrix24.example\
            &auth%5Bclient_endpoint%5D=https%3A%2F%2Fshop.bitrix24.example%2Frest%2F\
            &auth%5Bserver_endpoint%5D=https%3A%2F%2Foauth.bitrix24.tech%2Frest%2F\
            &auth%5Bmember_id%5D=00000000000000000000000000000002\
            &auth%5Bapplication_token%5D=00000000000000000000000000000003";
        assert_eq!(form(&settings, 236, "bx_1", Event::Saved, at), expected);
    }
}
