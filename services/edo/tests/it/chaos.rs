//! Orders of companies, everything told twice, while the services are killed again and again, Diadoc loses answers, and its
//! feed repeats and reorders: one document each, and the right status in Bitrix at the end, written by the real `status`.
//! Short by default, the five hundred orders with `PAROM_CHAOS=long`.

use std::time::Instant;

use emulator::{Fault, Kind, System, diadoc::Answered};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use time::OffsetDateTime;

use crate::{
    order::{order, shipped},
    sea::{FAILED, SIGNED, Sea},
    world::BUYER_BOX,
};

fn long() -> bool {
    std::env::var("PAROM_CHAOS").is_ok_and(|value| value == "long")
}

fn orders() -> u64 {
    if long() { 500 } else { 24 }
}

fn seed() -> u64 {
    let given = std::env::var("PAROM_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| rand::rng().random())
}

/// Every fifth buyer refuses.
fn refuses(order: u64) -> bool {
    order.is_multiple_of(5)
}

/// Kills now this service and now that, whenever so much more is done.
struct Killer {
    dice: StdRng,
    last: i64,
    kills: usize,
}

impl Killer {
    async fn look(&mut self, sea: &mut Sea, done: i64) {
        let step = if long() { 60 } else { 8 };
        if done - self.last < step + self.dice.random_range(0..step) {
            return;
        }
        (self.last, self.kills) = (done, self.kills + 1);
        if self.dice.random_ratio(1, 3) {
            sea.kill_status().await;
        } else {
            sea.kill_edo().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn chaos_each_order_has_one_document_and_the_right_status_in_bitrix() {
    let seed = seed();
    eprintln!("PAROM_SEED={seed}");
    let mut killer = Killer { dice: StdRng::seed_from_u64(seed), last: 0, kills: 0 };
    let mut sea = Sea::new().await;
    let began = Instant::now();
    strike(&sea, seed, &mut killer.dice);
    let at = OffsetDateTime::now_utc() - time::Duration::hours(1);
    for id in 1..=orders() {
        let order = order(id, at);
        sea.put(&order).await;
        let event = shipped(&order);
        sea.stage.tell(&event).await;
        sea.stage.tell(&event).await;
    }
    let all = i64::try_from(orders()).unwrap();
    let sent = "SELECT count(*) FROM documents WHERE message_id IS NOT NULL";
    let kill = async |sea: &mut Sea, done| killer.look(sea, done).await;
    sea.until("documents at Diadoc", all, async |sea| sea.number(sent).await, kill).await;
    answer(&sea, &mut killer);
    killer.last = 0;
    let over = |sea: &Sea| {
        let standing = sea.standing();
        let over =
            [SIGNED, FAILED].into_iter().filter_map(|status| standing.get(status)).sum::<usize>();
        i64::try_from(over).unwrap()
    };
    let kill = async |sea: &mut Sea, done| killer.look(sea, done).await;
    sea.until("orders at their end in Bitrix", all, async |sea| over(sea), kill).await;
    let took = began.elapsed();
    sea.running.emulator.faults.clear();
    eprintln!("{all} orders, {} kills: {:.1} s", killer.kills, took.as_secs_f64());
    assert!(killer.kills > 0);
    check(&sea);
    sea.end().await;
}

/// Answers are lost, refused and unkind from now on.
fn strike(sea: &Sea, seed: u64, dice: &mut StdRng) {
    for kind in [Kind::Reset, Kind::Status, Kind::Refuse] {
        let mut fault = Fault::new(System::Diadoc, kind).chance(0.03, seed);
        if kind == Kind::Status {
            (fault.code, fault.apply) = (Some(503), Some(dice.random()));
        }
        sea.running.emulator.faults.add(fault).unwrap();
    }
}

/// The buyers answer, each in the form he likes.
fn answer(sea: &Sea, killer: &mut Killer) {
    let messages = sea.running.emulator.diadoc.books().messages().to_vec();
    for message in &messages {
        let order = message.number.trim_start_matches("A-").parse().unwrap();
        let answered = if refuses(order) {
            Answered::Rejected {
                text: "Не та цена".to_owned(), universal: killer.dice.random()
            }
        } else {
            Answered::Signed
        };
        let mut books = sea.running.emulator.diadoc.books();
        assert!(books.answer(&message.id, answered, OffsetDateTime::now_utc()));
    }
}

/// One document each, nothing to complain about, and in Bitrix what a manager must see.
fn check(sea: &Sea) {
    let summary = sea.running.emulator.diadoc.books().summary();
    assert_eq!(summary.documents, usize::try_from(orders()).unwrap());
    assert_eq!((&summary.doubled, &summary.violations.violations), (&vec![], &vec![]));
    assert_eq!(summary.refused, Vec::<String>::new());
    for id in 1..=orders() {
        let book = sea.book(id);
        let (status, words) = if refuses(id) {
            (FAILED, "покупатель отказал в подписи: «Не та цена».".to_owned())
        } else {
            (SIGNED, format!("Документы по заказу № A-{id} подписаны покупателем."))
        };
        assert_eq!(book.status_history, [status], "order {id}");
        assert_eq!(book.properties["DIADOC_BOX_ID"], BUYER_BOX, "order {id}");
        let said = book.timeline.iter().filter(|comment| comment.contains(&words)).count();
        assert_eq!(said, 1, "order {id}: {:?}", book.timeline);
    }
}
