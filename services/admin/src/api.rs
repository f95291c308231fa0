//! The same as JSON, under `/api/v1`: for `paromctl`, scripts and other screens.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path, RawQuery, State, rejection::JsonRejection},
    http::StatusCode,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Admin,
    actions::{DryRun, some_gone},
    choice::{Choice, ReplayWish, Trial},
    filter::Fields,
    mask,
    people::{Person, Role},
    store::{COUNTED, EntryRow, GroupRow, LetterRow, OrderFound, ReplayRow, Started},
    verdict::verdict,
    web::{Problem, search},
};

type App = State<Arc<Admin>>;
type Answer<T> = Result<Json<T>, Problem>;
/// A body, or the problem with it.
type Body<T> = Result<Json<T>, JsonRejection>;

/// The most letters of one answer.
const MOST: i64 = 1_000;

pub(crate) fn router() -> Router<Arc<Admin>> {
    Router::new()
        .route("/overview", get(overview))
        .route("/orders", get(orders))
        .route("/orders/{key}", get(order))
        .route("/groups", get(groups))
        .route("/letters", get(letters))
        .route("/letters/discard", post(discard))
        .route("/letters/{id}", get(letter))
        .route("/letters/{id}/settle", post(settle))
        .route("/letters/{id}/restore", post(restore))
        .route("/letters/{id}/note", post(note))
        .route("/replays", get(replays).post(replay))
        .route("/replays/dry-run", post(dry_run))
        .route("/replays/{id}", get(one_replay))
        .route("/replays/{id}/{turn}", post(turn))
        .route("/queues", get(queues))
        .layer(DefaultBodyLimit::max(4 * 1024 * 1024))
}

fn body<T>(given: Body<T>) -> Result<T, Problem> {
    given.map(|Json(value)| value).map_err(|error| {
        let text = error.body_text();
        Problem::wrong(&text, &text)
    })
}

/// Which part of a list is asked for: `limit` and `offset`.
fn part(asked: &Fields) -> (i64, i64) {
    let number = |name: &str, or: i64| {
        asked.one(name).and_then(|text| text.parse::<i64>().ok()).unwrap_or(or)
    };
    (number("limit", 100).clamp(1, MOST), number("offset", 0).max(0))
}

async fn overview(State(admin): App, _: Person) -> Answer<Value> {
    let picture = admin.picture().await?;
    Ok(Json(json!({ "services": picture.services, "hours": picture.hours })))
}

async fn orders(
    State(admin): App,
    _: Person,
    RawQuery(query): RawQuery,
) -> Answer<Vec<OrderFound>> {
    let asked = Fields::read(query.unwrap_or_default().as_bytes());
    let found = search(asked.one("q").unwrap_or(""), asked.one("day").unwrap_or(""));
    let (limit, offset) = part(&asked);
    Ok(Json(admin.store.find_orders(&found, limit, offset).await?))
}

/// An order with its way.
#[derive(Serialize)]
struct OrderWhole {
    order: OrderFound,
    timeline: Vec<EntryRow>,
    letters: Vec<LetterRow>,
}

async fn order(State(admin): App, _: Person, Path(key): Path<String>) -> Answer<OrderWhole> {
    let key = key.replace('\0', "");
    let order = admin.store.order(&key).await?.ok_or(Problem::NotFound)?;
    let timeline = admin.store.timeline(&key).await?;
    let letters = admin.store.letters_of(&key).await?;
    Ok(Json(OrderWhole { order, timeline, letters }))
}

async fn groups(State(admin): App, _: Person) -> Answer<Vec<GroupRow>> {
    Ok(Json(admin.store.groups().await?))
}

async fn letters(State(admin): App, _: Person, RawQuery(query): RawQuery) -> Answer<Value> {
    let asked = Fields::read(query.unwrap_or_default().as_bytes());
    let (limit, offset) = part(&asked);
    let filter = asked.filter()?;
    let letters = admin.store.letters(&filter, limit, offset).await?;
    let count = admin.store.count_letters(&filter).await?;
    let letters: Vec<Value> = letters.iter().map(listed).collect();
    let more = count > COUNTED;
    Ok(Json(json!({ "count": count.min(COUNTED), "count_or_more": more, "letters": letters })))
}

fn listed(letter: &LetterRow) -> Value {
    let verdict = verdict(&letter.class, letter.last_phase.as_deref());
    let mut value = json!(letter);
    if let Some(fields) = value.as_object_mut() {
        fields.insert("verdict".to_owned(), json!(verdict));
        fields.insert("safe_to_replay".to_owned(), json!(verdict.is_safe()));
    }
    value
}

async fn letter(State(admin): App, person: Person, Path(id): Path<Uuid>) -> Answer<Value> {
    let letter = admin.letter(id).await?;
    let notes = admin.store.notes(id).await?;
    let way = admin.store.way(&letter).await?;
    let seen = person.role >= Role::Operator;
    Ok(Json(json!({
        "event_id": letter.event_id,
        "death": letter.death,
        "topic": letter.topic,
        "exchange": letter.exchange,
        "routing_key": letter.routing_key,
        "first_error": letter.first_error,
        "evidence": letter.evidence.filter(|_| seen).map(|text| mask::codes(&text)),
        "headers": seen.then_some(letter.headers),
        "message": seen.then(|| mask::body(&letter.body)),
        "edited": letter.edited.is_some(),
        "state_note": letter.state_note,
        "notes": notes,
        "way": way,
        "letter": listed(&letter.row),
    })))
}

async fn dry_run(State(admin): App, person: Person, trial: Body<Trial>) -> Answer<DryRun> {
    person.may_change(&admin, Role::Operator, "replay", "", None).await?;
    Ok(Json(admin.dry_run(&body(trial)?).await?))
}

async fn replay(
    State(admin): App,
    person: Person,
    wish: Body<ReplayWish>,
) -> Result<(StatusCode, Json<Started>), Problem> {
    person.may_change(&admin, Role::Operator, "replay", "", None).await?;
    let started = admin.replay(&person.who, &body(wish)?).await?;
    Ok((StatusCode::ACCEPTED, Json(started)))
}

/// A choice with a reason.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Discarded {
    choice: Choice,
    why: String,
}

async fn discard(State(admin): App, person: Person, given: Body<Discarded>) -> Answer<Value> {
    person.may_change(&admin, Role::Operator, "discard", "", None).await?;
    let given = body(given)?;
    let gone = some_gone(admin.discard(&person.who, &given.choice, &given.why).await?)?;
    Ok(Json(json!({ "discarded": gone })))
}

/// One word of text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    text: String,
}

async fn settle(
    State(admin): App,
    person: Person,
    Path(id): Path<Uuid>,
    said: Body<Said>,
) -> Answer<Value> {
    person.may_change(&admin, Role::Operator, "settle", &id.to_string(), None).await?;
    admin.settle(&person.who, id, &body(said)?.text).await?;
    Ok(Json(json!({})))
}

async fn note(
    State(admin): App,
    person: Person,
    Path(id): Path<Uuid>,
    said: Body<Said>,
) -> Answer<Value> {
    person.may_change(&admin, Role::Operator, "note", &id.to_string(), None).await?;
    admin.annotate(&person.who, id, &body(said)?.text).await?;
    Ok(Json(json!({})))
}

async fn restore(State(admin): App, person: Person, Path(id): Path<Uuid>) -> Answer<Value> {
    person.may_change(&admin, Role::Operator, "restore", &id.to_string(), None).await?;
    admin.restore(&person.who, id).await?;
    Ok(Json(json!({})))
}

async fn replays(State(admin): App, _: Person) -> Answer<Vec<ReplayRow>> {
    Ok(Json(admin.store.replays(None).await?))
}

async fn one_replay(State(admin): App, _: Person, Path(id): Path<Uuid>) -> Answer<ReplayRow> {
    let found = admin.store.replays(Some(id)).await?;
    Ok(Json(found.into_iter().next().ok_or(Problem::NotFound)?))
}

async fn turn(
    State(admin): App,
    person: Person,
    Path((id, turn)): Path<(Uuid, String)>,
) -> Answer<Value> {
    person.may_change(&admin, Role::Operator, "turn replay", &id.to_string(), None).await?;
    admin.turn(&person.who, id, &turn).await?;
    Ok(Json(json!({})))
}

async fn queues(State(admin): App, _: Person) -> Answer<Value> {
    let workers = admin.kit.desk().workers().await?;
    let all = workers.iter().map(|worker| {
        json!({ "worker": worker, "queue": admin.kit.desk().names().queue(worker), "waiting": admin.waiting(worker) })
    });
    Ok(Json(all.collect()))
}
