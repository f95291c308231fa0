//! The ways over HTTP: a plain webhook, a Bitrix24 notification, a Telegram message.

use reqwest::{Method, RequestBuilder};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{Message, Notifier};

impl Notifier {
    /// Tells by all ways; `false` when not one of them took it.
    pub(super) async fn tell(&self, message: &Message) -> bool {
        let mut taken = false;
        for (way, request) in self.requests(message) {
            taken |= self.call(way, request).await;
        }
        if let Some(mail) = &self.mail {
            match mail.send(message).await {
                Ok(()) => taken = true,
                Err(error) => tracing::warn!(%error, "a mail is not taken"),
            }
        }
        taken
    }

    fn requests(&self, message: &Message) -> Vec<(&'static str, RequestBuilder)> {
        let Message { title, text, url } = message;
        let mut all = Vec::new();
        if let Some(address) = &self.webhook {
            let body = json!({ "title": title, "text": text, "url": url });
            all.push(("webhook", self.post(address.expose_secret(), &body)));
        }
        // im.notify.system.add: USER_ID, MESSAGE (BB code); dev.1c-bitrix.ru/rest_help/im.
        if let Some((address, user)) = &self.bitrix {
            let address = address.expose_secret().trim_end_matches('/');
            let body =
                json!({ "USER_ID": user, "MESSAGE": format!("[B]{title}[/B]\n{text}\n{url}") });
            all.push(("bitrix", self.post(&format!("{address}/im.notify.system.add.json"), &body)));
        }
        // core.telegram.org/bots/api#sendmessage: at most 4096 characters.
        if let Some((token, chat, api)) = &self.telegram {
            let api = api.trim_end_matches('/');
            let address = format!("{api}/bot{}/sendMessage", token.expose_secret());
            let text: String = format!("{title}\n{text}").chars().take(3_900).collect();
            let body = json!({ "chat_id": chat, "text": format!("{text}\n{url}") });
            all.push(("telegram", self.post(&address, &body)));
        }
        all
    }

    fn post(&self, address: &str, body: &Value) -> RequestBuilder {
        self.client.request(Method::POST, address).json(body)
    }

    async fn call(&self, way: &'static str, request: RequestBuilder) -> bool {
        match self.client.send(way, request).await {
            Ok(answer) if answer.status.is_success() => true,
            Ok(answer) => {
                let status = answer.status.as_u16();
                tracing::warn!(way, status, "a notification is not taken");
                false
            }
            Err(error) => {
                tracing::warn!(way, %error, "a notification is not taken");
                false
            }
        }
    }
}
