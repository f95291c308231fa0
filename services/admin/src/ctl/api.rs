//! The commands that go over the API.

use std::time::Duration;

use reqwest::Method;
use runtime::{Metrics, http::Client};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Dead, Failed, Order, Replay, Which, table::print};

/// The way to `admin`.
pub(super) struct Api {
    client: Client,
    url: String,
    token: SecretString,
    json: bool,
}

const LETTER: [&str; 7] =
    ["id", "worker", "class", "verdict", "order_number", "state", "reason_ru"];
const REPLAY: [&str; 8] = ["id", "state", "total", "sent", "resolved", "again", "rate", "why"];

impl Api {
    pub(super) fn open(url: &str, token: Option<SecretString>, json: bool) -> Result<Self, Failed> {
        let token = token.ok_or_else(|| {
            Failed::new("PAROM_ADMIN_TOKEN is not set; `paromctl token make` makes one")
        })?;
        let metrics = Metrics::new().map_err(Failed::new)?;
        let client = Client::new("admin", Duration::from_secs(30), &metrics);
        let client = client.map_err(Failed::new)?;
        let url = format!("{}/api/v1", url.trim_end_matches('/'));
        Ok(Self { client, url, token, json })
    }

    pub(super) async fn dead(&self, command: Dead) -> Result<(), Failed> {
        match command {
            Dead::List { which, state, limit } => {
                let mut query = url::form_urlencoded::Serializer::new(String::new());
                for (name, value) in filter(&which) {
                    query.append_pair(&name, value.as_str().unwrap_or_default());
                }
                query.append_pair("state", &state).append_pair("limit", &limit.to_string());
                let answer = self.get(&format!("/letters?{}", query.finish())).await?;
                print(self.json, &answer, answer.get("letters"), &LETTER);
            }
            Dead::Groups => {
                let answer = self.get("/groups").await?;
                print(self.json, &answer, None, &["id", "open", "worker", "class", "pattern_ru"]);
            }
            Dead::Show { id } => {
                let answer = self.get(&format!("/letters/{id}")).await?;
                print(self.json, &answer, None, &[]);
            }
            Dead::Replay { ids, which, dry_run, unknown, rate, why, id } => {
                let mut wish = choice(ids, &which)?;
                if let Some(fields) = wish.as_object_mut() {
                    fields.insert("unknown".to_owned(), json!(unknown));
                }
                if dry_run {
                    let answer = self.post("/replays/dry-run", &wish).await?;
                    print(self.json, &answer, None, &[]);
                    return Ok(());
                }
                if let Some(fields) = wish.as_object_mut() {
                    fields.insert("id".to_owned(), json!(id.unwrap_or_else(Uuid::new_v4)));
                    fields.insert("why".to_owned(), json!(why));
                    fields.insert("rate".to_owned(), json!(rate));
                }
                let answer = self.post("/replays", &wish).await?;
                print(self.json, &answer, None, &["id", "letters"]);
            }
            Dead::Discard { ids, which, why } => {
                let body = json!({ "choice": choice(ids, &which)?, "why": why });
                let answer = self.post("/letters/discard", &body).await?;
                print(self.json, &answer, None, &["discarded"]);
            }
            Dead::Restore { id } => {
                self.post(&format!("/letters/{id}/restore"), &json!({})).await?;
            }
            Dead::Settle { id, document } => {
                self.post(&format!("/letters/{id}/settle"), &json!({ "text": document })).await?;
            }
            Dead::Note { id, text } => {
                self.post(&format!("/letters/{id}/note"), &json!({ "text": text })).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn order(&self, command: Order) -> Result<(), Failed> {
        let (text, limit) = match &command {
            Order::Find { text, limit } => (text, *limit),
            Order::Show { number } => (number, 100),
        };
        let asked: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let found = self.get(&format!("/orders?q={asked}&limit={limit}")).await?;
        if matches!(command, Order::Find { .. }) {
            print(self.json, &found, None, &["number", "shop", "stuck", "last_at"]);
            return Ok(());
        }
        let mut all = Vec::new();
        for key in of_number(&found, text) {
            all.push(self.get(&format!("/orders/{}", key.replace(' ', "%20"))).await?);
        }
        if all.is_empty() {
            return Err(Failed(format!("no order {text} has been heard of")));
        }
        show(self.json, &all);
        Ok(())
    }

    pub(super) async fn replay(&self, command: Replay) -> Result<(), Failed> {
        let turn = match command {
            Replay::List => {
                let answer = self.get("/replays").await?;
                print(self.json, &answer, None, &REPLAY);
                return Ok(());
            }
            Replay::Status { id } => {
                let answer = self.get(&format!("/replays/{id}")).await?;
                print(self.json, &answer, None, &REPLAY);
                return Ok(());
            }
            Replay::Pause { id } => format!("/replays/{id}/pause"),
            Replay::Resume { id } => format!("/replays/{id}/resume"),
            Replay::Cancel { id } => format!("/replays/{id}/cancel"),
        };
        self.post(&turn, &json!({})).await.map(drop)
    }

    pub(super) async fn jobs(&self) -> Result<(), Failed> {
        let answer = self.get("/overview").await?;
        let columns =
            ["service", "done_hour", "retrying", "unknown", "dead", "oldest_dead", "last_at"];
        print(self.json, &answer, answer.get("services"), &columns);
        Ok(())
    }

    pub(super) async fn queues(&self) -> Result<(), Failed> {
        let answer = self.get("/queues").await?;
        print(self.json, &answer, None, &["queue", "waiting"]);
        Ok(())
    }

    async fn get(&self, path: &str) -> Result<Value, Failed> {
        self.call(Method::GET, path, None).await
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value, Failed> {
        self.call(Method::POST, path, Some(body)).await
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Failed> {
        let mut request = self.client.request(method, &format!("{}{path}", self.url));
        request = request.bearer_auth(self.token.expose_secret());
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = self.client.send("api", request).await;
        let answer = answer.map_err(|error| Failed(format!("admin does not answer: {error}")))?;
        let value = serde_json::from_slice::<Value>(&answer.body);
        if answer.status.is_success() {
            return value.map_err(|_| {
                Failed(format!(
                    "{} is not admin: its answer is no JSON; nothing was done",
                    self.url
                ))
            });
        }
        let value = value.unwrap_or_default();
        let why = value.get("error").and_then(Value::as_str).unwrap_or("no reason given");
        Err(Failed(format!("{}: {why}", answer.status)))
    }
}

/// The keys of the orders with this number: others have a phone or a document that is like it.
fn of_number<'a>(found: &'a Value, number: &str) -> Vec<&'a str> {
    let number = number.trim().trim_start_matches(['№', '#']).trim().to_lowercase();
    let named = |order: &&Value| {
        let own = order.get("number").and_then(Value::as_str);
        own.is_some_and(|own| own.to_lowercase() == number)
    };
    let orders = found.as_array().into_iter().flatten().filter(named);
    orders.filter_map(|order| order.get("key")?.as_str()).collect()
}

/// Orders with their ways: one JSON text, or a heading and a table for each.
fn show(json: bool, all: &[Value]) {
    if json {
        return print(true, &json!(all), None, &[]);
    }
    for whole in all {
        print(false, whole, whole.get("order"), &["number", "shop", "stuck", "last_at"]);
        let columns = ["at", "service", "phase", "text_ru"];
        print(false, whole, whole.get("timeline"), &columns);
    }
}

fn filter(which: &Which) -> Map<String, Value> {
    let group = which.group.map(|group| group.to_string());
    let all = [
        ("worker", which.worker.clone()),
        ("class", which.class.clone()),
        ("group", group),
        ("order", which.order.clone()),
        ("text", which.text.clone()),
    ];
    let given = all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value?))));
    given.collect()
}

/// These letters, or all that fit; never all there are because nothing was said.
fn choice(ids: Vec<Uuid>, which: &Which) -> Result<Value, Failed> {
    let filter = filter(which);
    if ids.is_empty() && filter.is_empty() {
        return Err(Failed::new(
            "say which letters: ids, --group, --worker, --class, --order or --text",
        ));
    }
    let ids = (!ids.is_empty()).then_some(ids);
    Ok(json!({ "ids": ids, "filter": filter }))
}
