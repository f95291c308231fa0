//! Somebody mends the order in the shop, and the job that died of it goes on by itself.

use std::{
    collections::{BTreeMap, HashMap},
    convert::Infallible,
    sync::{Arc, Mutex},
};

use events::{
    Buyer, Event, Fact, MarksBy, Money, Order, OrderFact, OrderRef, Payment, PaymentFact,
    PaymentState,
};
use runtime::{
    Class, Failure, Kit, Reason, StartError, Step, Worker,
    testing::{Service, Stage},
};
use time::{Duration, OffsetDateTime, macros::datetime};

use crate::trip::LONG;

/// Whom receipts went to, by order; each as often as it happened.
#[derive(Debug, Clone, Default)]
struct Sent(Arc<Mutex<HashMap<u64, Vec<String>>>>);

impl Sent {
    fn of(&self, order: u64) -> Vec<String> {
        self.0.lock().unwrap().get(&order).cloned().unwrap_or_default()
    }
}

impl std::str::FromStr for Sent {
    type Err = Infallible;

    fn from_str(_: &str) -> Result<Self, Infallible> {
        Ok(Self::default())
    }
}

#[derive(clap::Args)]
struct Config {
    #[arg(long, default_value = "")]
    sent: Sent,
}

/// Sends a receipt to the buyer's address, and stops where there is none.
struct Post {
    sent: Sent,
}

impl Worker for Post {
    const NAME: &'static str = "post";
    const TOPICS: &'static [&'static str] = &["order.paid"];
    type Config = Config;
    type State = ();

    async fn build(config: Config, _: Kit) -> Result<Self, StartError> {
        Ok(Self { sent: config.sent })
    }

    async fn step(&self, event: &Event, (): ()) -> Result<Step<()>, Failure> {
        let order = event.fact.snapshot().unwrap();
        match order.buyer.email.as_deref() {
            Some("refused") => Ok(Step::stop((), reason(Class::Refused))),
            Some("lost") => Err(Failure::Dead(reason(Class::Unknown))),
            Some(email) => {
                let mut sent = self.sent.0.lock().unwrap();
                sent.entry(order.key.id).or_default().push(email.to_owned());
                Ok(Step::done(()))
            }
            None => Err(Failure::Dead(reason(Class::Invalid))),
        }
    }
}

fn reason(class: Class) -> Reason {
    Reason::new(class, "contact", "Нет адреса.", "There is no address.")
}

const NOON: OffsetDateTime = datetime!(2026-11-20 12:00 +3);

/// Order `id` as it is `minutes` after noon.
fn order(id: u64, email: Option<&str>, minutes: i64) -> Order {
    Order {
        key: OrderRef { shop: "main".parse().unwrap(), id, number: format!("N{id}"), site: false },
        version: None,
        status: "P".to_owned(),
        canceled: false,
        created_at: NOON,
        updated_at: NOON + Duration::minutes(minutes),
        price: Money::from_kopecks(100),
        buyer: Buyer { email: email.map(str::to_owned), ..Buyer::default() },
        lines: vec![],
        delivery: None,
        payments: vec![Payment {
            id: 1,
            system: None,
            sum: Money::from_kopecks(100),
            state: PaymentState::Paid,
            paid_at: Some(NOON),
        }],
        shipments: vec![],
        marks_by: MarksBy::default(),
        properties: BTreeMap::new(),
    }
}

fn paid(order: Order) -> Event {
    let fact = PaymentFact { order, payment: 1, occurrence: 1 };
    Event::new(Fact::OrderPaid(Box::new(fact)), NOON)
}

fn changed(order: Order, occurrence: u32) -> Event {
    let at = order.updated_at;
    Event::new(Fact::OrderChanged(Box::new(OrderFact { order, occurrence })), at)
}

struct Office {
    stage: Stage,
    sent: Sent,
    service: Service,
}

impl Office {
    async fn open() -> Self {
        let (stage, sent) = (Stage::set().await, Sent::default());
        let service = Service::start::<Post>(stage.common(), Config { sent: sent.clone() });
        stage.until("queues", LONG, || stage.hears("post")).await;
        Self { stage, sent, service }
    }

    async fn tell(&self, event: &Event) {
        let (names, text) = (self.stage.names(), event.to_json().unwrap());
        self.stage.put(&names.orders(), &event.topic(), text.as_bytes(), &[]).await;
    }

    async fn dead(&self, count: u64) {
        let dead = self.stage.names().dead_queue("post");
        self.stage
            .until("dead letters", LONG, || async {
                u64::from(self.stage.waiting(&dead).await) == count
            })
            .await;
    }

    async fn sent(&self, order: u64) {
        self.stage.until("sent", LONG, || async { !self.sent.of(order).is_empty() }).await;
    }

    /// What was told before is dealt with when a later order's receipt is out.
    async fn settled(&self) {
        let last = 1_000 + u64::from(rand::random::<u16>());
        self.tell(&paid(order(last, Some("last@example.com"), 0))).await;
        self.sent(last).await;
        let queue = self.stage.names().queue("post");
        self.stage
            .until("nothing waits", LONG, || async { self.stage.waiting(&queue).await == 0 })
            .await;
    }

    async fn close(self) {
        self.service.stop().await;
        self.stage.clear(&["post"]).await;
    }
}

#[tokio::test]
async fn a_mended_order_goes_on_by_itself_once() {
    let office = Office::open().await;
    for (id, email) in [(1, None), (2, Some("refused"))] {
        office.tell(&paid(order(id, email, 0))).await;
    }
    office.dead(2).await;
    for id in [1, 2] {
        let mended = changed(order(id, Some("buyer@example.com"), 5), 1);
        for _ in 0..3 {
            office.tell(&mended).await;
        }
    }
    office.sent(1).await;
    office.sent(2).await;
    office.settled().await;
    assert_eq!(office.sent.of(1), ["buyer@example.com"]);
    assert_eq!(office.sent.of(2), ["buyer@example.com"]);
    // Whoever tells the job again from now on (sweeper, callback) tells the mended order.
    let kept: String = sqlx::query_scalar("SELECT event FROM jobs WHERE subject = 'main 1'")
        .fetch_one(&office.stage.pool("post"))
        .await
        .unwrap();
    assert!(kept.contains("buyer@example.com"));
    office.close().await;
}

#[tokio::test]
async fn a_fact_that_comes_after_the_mending_finds_it() {
    let office = Office::open().await;
    office.tell(&changed(order(1, Some("buyer@example.com"), 5), 1)).await;
    office.settled().await;
    // It was on its way for long: it carries the order as it was.
    office.tell(&paid(order(1, None, 0))).await;
    office.sent(1).await;
    office.settled().await;
    assert_eq!(office.sent.of(1), ["buyer@example.com"]);
    office.close().await;
}

#[tokio::test]
async fn the_latest_change_counts_and_an_older_one_wakes_nothing() {
    let office = Office::open().await;
    office.tell(&changed(order(1, Some("second@example.com"), 9), 2)).await;
    office.settled().await;
    office.tell(&changed(order(1, Some("first@example.com"), 5), 1)).await;
    office.settled().await;
    office.tell(&paid(order(1, None, 0))).await;
    office.sent(1).await;
    assert_eq!(office.sent.of(1), ["second@example.com"]);
    // A change that is older than what the job has seen.
    office.tell(&paid(order(2, None, 30))).await;
    office.dead(2).await;
    office.tell(&changed(order(2, Some("old@example.com"), 5), 1)).await;
    office.settled().await;
    assert!(office.sent.of(2).is_empty(), "it went on with the past");
    office.close().await;
}

#[tokio::test]
async fn what_may_have_happened_waits_for_a_person() {
    let office = Office::open().await;
    office.tell(&paid(order(1, Some("lost"), 0))).await;
    office.dead(1).await;
    office.tell(&changed(order(1, Some("buyer@example.com"), 5), 1)).await;
    office.settled().await;
    assert!(office.sent.of(1).is_empty());
    office.close().await;
}

/// Somebody has dealt with it by hand and said so: a second receipt for it would be one too many.
#[tokio::test]
async fn what_a_person_has_given_up_goes_on_by_a_replay_alone() {
    let office = Office::open().await;
    office.tell(&paid(order(1, None, 0))).await;
    office.dead(1).await;
    let names = office.stage.names();
    let letter = office.stage.take(&names.dead_queue("post")).await.unwrap();
    let death = letter.headers["x-parom-death"].as_str();
    let queue = names.queue("post");
    for _ in 0..2 {
        let headers = [("x-parom-given-up", death)];
        office.stage.put("", &queue, &letter.bytes, &headers).await;
    }
    office.settled().await;
    office.tell(&changed(order(1, Some("buyer@example.com"), 5), 1)).await;
    office.settled().await;
    assert!(office.sent.of(1).is_empty(), "it was done by hand");
    // One that was on its way before, and waited for a register that was away.
    let changed = format!("{death} changed");
    office.stage.put("", &queue, &letter.bytes, &[("x-parom-replay", &changed)]).await;
    office.settled().await;
    assert!(office.sent.of(1).is_empty(), "it was done by hand");
    office.stage.put("", &queue, &letter.bytes, &[("x-parom-replay", death)]).await;
    office.sent(1).await;
    office.close().await;
}

#[tokio::test]
async fn a_change_that_does_not_mend_it_is_one_more_death_and_no_loop() {
    let office = Office::open().await;
    office.tell(&paid(order(1, None, 0))).await;
    office.dead(1).await;
    office.tell(&changed(order(1, None, 5), 1)).await;
    office.dead(2).await;
    office.tell(&changed(order(1, Some("buyer@example.com"), 9), 2)).await;
    office.sent(1).await;
    office.settled().await;
    assert_eq!(office.sent.of(1), ["buyer@example.com"]);
    office.dead(2).await;
    office.close().await;
}
