//! Phones that were typed into orders: they prove nothing, so they take nothing from anybody.

use emulator::Emulator;
use events::Order;
use loyalty::config::Config;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    order::{completed, created, order},
    world::{FILE, LONG, OFFICE, PHONE, SITE, TILL, World},
};

fn of_user(id: u64, user: u64, phone: &str) -> Order {
    let mut order = order(id);
    order.buyer.id = Some(user);
    order.buyer.phone = Some(phone.to_owned());
    order.properties.clear();
    order.updated_at = time::OffsetDateTime::now_utc();
    order
}

async fn earn(world: &World, id: &str, phone: &str, amount: u32) -> Value {
    let body = json!({"type": "accrual", "amount": amount, "external_id": id, "user_phone": phone});
    world.transact(body).await.body["status"].clone()
}

async fn of(world: &World, user: u64) -> Vec<String> {
    let said = world.post(OFFICE, "/v1/balance", json!({"user_id": user, "shop": "acme"})).await;
    ["balance", "pending"].map(|name| crate::world::exact(&said.text, name)).to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_typed_phone_takes_no_phone_from_its_owner() {
    let world = World::new().await;
    world.meet(42, PHONE).await;
    world.tell(completed(of_user(1, 43, PHONE))).await;
    world.until_jobs("done", 1).await;
    // The till still knows who is meant, and the buyer has the points of his order.
    assert_eq!(earn(&world, "a", PHONE, 10).await, "ok");
    assert_eq!(of(&world, 42).await, ["10.00", "0.00"]);
    assert_eq!(of(&world, 43).await, ["0.00", "65.33"]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_typed_phone_claims_nothing_that_waits_until_a_person_or_the_site_says_so() {
    let world = World::new().await;
    assert_eq!(earn(&world, "a", PHONE, 10).await, "parked_unknown_customer");
    world.tell(completed(of_user(1, 43, PHONE))).await;
    world.until_jobs("done", 1).await;
    assert_eq!(of(&world, 43).await, ["0.00", "65.33"]);
    assert_eq!(earn(&world, "b", PHONE, 5).await, "parked_unknown_customer");
    let unproven = ("phone_unproven".to_owned(), PHONE.to_owned());
    assert!(world.exceptions().await.contains(&unproven), "{:?}", world.exceptions().await);
    // The site has sent him a code: now it is his, with what waited.
    let body = json!({"shop": "acme", "user_id": 43, "phones": [PHONE]});
    world.call(Method::PUT, SITE, "/v1/customers", &body.to_string()).await;
    assert_eq!(of(&world, 43).await, ["15.00", "65.33"]);
    assert!(!world.exceptions().await.contains(&unproven), "it is settled by itself");
    world.end().await;
}

/// Nobody has the phone and nothing waits for it: the street knows the buyer by it from now on,
/// until somebody shows that it is his.
#[tokio::test(flavor = "multi_thread")]
async fn a_typed_phone_serves_the_street_and_yields_to_its_owner() {
    let world = World::new().await;
    world.tell(completed(of_user(1, 43, PHONE))).await;
    world.until_jobs("done", 1).await;
    assert_eq!(earn(&world, "a", PHONE, 10).await, "ok");
    assert_eq!(of(&world, 43).await, ["10.00", "65.33"]);
    // One typed phone is all he has: another is not his by typing.
    world.tell(completed(of_user(2, 43, "+79162222222"))).await;
    world.until_jobs("done", 2).await;
    assert_eq!(earn(&world, "b", "+79162222222", 10).await, "parked_unknown_customer");
    // Its owner comes, whom the site has proved: nobody is ambiguous, and a person sees what went
    // to the other one meanwhile.
    world.meet(42, PHONE).await;
    assert_eq!(earn(&world, "c", PHONE, 7).await, "ok");
    assert_eq!(
        (of(&world, 42).await, of(&world, 43).await),
        (vec!["7.00".to_owned(), "0.00".to_owned()], vec!["10.00".to_owned(), "130.66".to_owned()],)
    );
    let said = world.get(OFFICE, "/v1/exceptions").await;
    let items = said.body["items"].as_array().unwrap();
    let yielded = items.iter().find(|item| item["kind"] == "phone_yielded").unwrap();
    assert_eq!(
        (&yielded["subject"], &yielded["details"]["kopecks"]),
        (&json!(PHONE), &json!(1000))
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_listed_and_phones_are_masked() {
    let world = World::new().await;
    for (id, amount) in [("a", 10), ("b", 20), ("c", 30)] {
        assert_eq!(earn(&world, id, PHONE, amount).await, "parked_unknown_customer");
    }
    let release = json!({"type": "release", "external_id": "r", "reference": "later"});
    world.transact(release).await;
    let page = world.get(OFFICE, "/v1/parked?limit=3").await;
    assert_eq!(page.status, 200, "{page:?}");
    let items = page.body["items"].as_array().unwrap();
    let first = &items[0];
    assert_eq!(
        (&first["external_id"], &first["waits"], &first["reference"], &first["phone_ends"]),
        (&json!("r"), &json!("parked"), &json!("later"), &Value::Null)
    );
    let second = &items[1];
    assert_eq!(
        (&second["type"], &second["amount"], &second["phone_ends"], &second["store"]),
        (&json!("accrual"), &json!(30.0), &json!("4567"), &json!("tverskaya"))
    );
    let next = format!("/v1/parked?limit=3&before={}", page.body["next_before"]);
    let rest = world.get(OFFICE, &next).await;
    assert_eq!(rest.body["items"][0]["external_id"], "a");
    assert_eq!(rest.body["items"].as_array().unwrap().len(), 1);
    assert!(!page.text.contains("9161234567"), "{}", page.text);
    for key in [TILL, SITE] {
        assert_eq!(world.get(key, "/v1/parked").await.status, 403);
    }
    world.end().await;
}

/// An order with points: its hold is the user's own, whatever phone is typed.
#[tokio::test(flavor = "multi_thread")]
async fn a_user_spends_his_own_points_whatever_phone_he_types() {
    let world = World::new().await;
    world.meet(42, PHONE).await;
    world.meet(43, "+79162222222").await;
    earn(&world, "a", PHONE, 500).await;
    earn(&world, "b", "+79162222222", 500).await;
    let mut typed = of_user(1, 43, PHONE);
    typed.properties.insert("LOYALTY_POINTS".to_owned(), "100.00".to_owned());
    world.tell(created(typed)).await;
    world.until_jobs("done", 1).await;
    assert_eq!(
        (of(&world, 42).await[0].as_str(), of(&world, 43).await[0].as_str()),
        ("500.00", "400.00")
    );
    world.end().await;
}

const OWN: &str = "+79162222222";

/// With 1C as master: by a typed phone nobody gets what 1C has under it, nor spends it there.
#[tokio::test(flavor = "multi_thread")]
async fn a_typed_phone_gives_nothing_that_1c_has_under_it() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let onec = Emulator::start(emulator::Settings::default()).await.unwrap();
    let url = onec.onec_url();
    let file =
        FILE.replace("master = \"parom\"", "master = \"1c\"\n    when_1c_is_away = \"queue\"");
    let change = |config: &mut Config| {
        config.onec_base_url = Some(url.parse().unwrap());
        config.onec_password = "emulator_onec_password".to_owned().into();
    };
    let world = World::with(&file, change).await;
    for (phone, kopecks) in [(PHONE, 500_000), (OWN, 1_000)] {
        onec.emulator.onec.books().customers.insert(phone.to_owned(), kopecks);
    }
    // Nobody has the phone here; what the order earns is told to 1C under it.
    world.tell(completed(of_user(1, 43, PHONE))).await;
    world.until_jobs("done", 1).await;
    assert_eq!(onec.emulator.onec.books().customers[PHONE], 506_533);
    // Two rounds of comparisons, in which another customer's balance is brought to 1C's.
    world.meet(42, OWN).await;
    for (id, kopecks) in [("a", 1_000), ("b", 2_000)] {
        onec.emulator.onec.books().customers.insert(OWN.to_owned(), kopecks);
        earn(&world, id, OWN, 5).await;
        let same = json!([format!("{}.00", kopecks / 100), "0.00"]);
        let brought = || async { json!(of(&world, 42).await) == same };
        world.stage.until("the balance is brought to 1C's", LONG, brought).await;
    }
    assert_eq!(of(&world, 43).await, ["0.00", "65.33"]);
    // Points that he has here are not spent there.
    assert_eq!(earn(&world, "street", PHONE, 200).await, "ok");
    let mut spending = of_user(2, 43, PHONE);
    spending.properties.insert("LOYALTY_POINTS".to_owned(), "100.00".to_owned());
    world.tell(created(spending)).await;
    world.until_jobs("dead", 1).await;
    assert_eq!(of(&world, 43).await, ["200.00", "65.33"]);
    let queue = world.stage.names().dead_queue("loyalty");
    let there = || async { world.stage.waiting(&queue).await > 0 };
    world.stage.until("the letter", LONG, there).await;
    let letter = world.stage.take(&queue).await.unwrap();
    let headers = format!("{:?}", letter.headers);
    assert!(headers.contains("phone_missing"), "{headers}");
    {
        let books = onec.emulator.onec.books();
        let kinds: Vec<_> =
            books.operations.iter().map(|told| told.operation.kind.as_str()).collect();
        assert_eq!((kinds, books.customers[PHONE]), (vec!["accrual"], 506_533));
    }
    // Once he has shown that it is his, he spends what is there.
    world.meet(43, PHONE).await;
    let own = world.stage.names().queue("loyalty");
    world.stage.put("", &own, letter.body.as_bytes(), &[("x-parom-replay", "1")]).await;
    world.until_jobs("done", 2).await;
    assert_eq!(onec.emulator.onec.books().operations.last().unwrap().operation.kind, "hold");
    world.end().await;
}
