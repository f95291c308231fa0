//! The desk of the people on duty: dead letters are taken, and handed back once.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use events::Event;
use runtime::{Desk, Failure, Kit, Letter, StartError, Step, Worker, testing::Service};

use crate::{
    ferry::{Act, crossing},
    trip::{LONG, Trip},
};

/// What the clerk took, and the desk, once there is one.
#[derive(Clone, Default)]
struct Tray {
    letters: Arc<Mutex<Vec<Letter>>>,
    /// How large was what it took at once, in bytes.
    groups: Arc<Mutex<Vec<usize>>>,
    /// How often it fails to keep what it is given, at first.
    fails: Arc<Mutex<u32>>,
    desk: Arc<Mutex<Option<Desk>>>,
}

impl std::str::FromStr for Tray {
    type Err = Infallible;

    fn from_str(_: &str) -> Result<Self, Infallible> {
        Ok(Self::default())
    }
}

#[derive(clap::Args)]
struct Config {
    #[arg(long, default_value = "")]
    tray: Tray,
}

/// A service that does nothing but sit at the desk.
struct Clerk {
    tray: Tray,
    desk: Desk,
}

impl Worker for Clerk {
    const NAME: &'static str = "clerk";
    const TOPICS: &'static [&'static str] = &[];
    type Config = Config;
    type State = ();

    async fn build(config: Config, kit: Kit) -> Result<Self, StartError> {
        *config.tray.desk.lock().unwrap() = Some(kit.desk().clone());
        Ok(Self { tray: config.tray, desk: kit.desk().clone() })
    }

    async fn step(&self, _: &Event, (): ()) -> Result<Step<()>, Failure> {
        Ok(Step::done(()))
    }

    async fn background(self: Arc<Self>) {
        let keep = |letters: Arc<[Letter]>| {
            let mut fails = self.tray.fails.lock().unwrap();
            let kept = *fails == 0;
            *fails = fails.saturating_sub(1);
            if kept {
                let size = letters.iter().map(|letter| letter.body.len()).sum();
                self.tray.groups.lock().unwrap().push(size);
                self.tray.letters.lock().unwrap().extend(letters.iter().cloned());
            }
            std::future::ready(kept)
        };
        self.desk.drain(keep).await;
    }
}

#[tokio::test]
async fn a_replay_told_three_times_undoes_one_death() {
    let trip = Trip::begin().await;
    trip.set_up().await;
    trip.books.script(1, Act::Bury("It sinks.".to_owned()));
    trip.send(1).await;
    let service = trip.service();
    let dead = trip.dead();
    trip.stage.until("dead", LONG, || async { trip.stage.waiting(&dead).await == 1 }).await;
    let first = trip.stage.take(&dead).await.unwrap();
    let mark = [("x-parom-replay", first.headers["x-parom-death"].as_str())];
    for _ in 0..3 {
        trip.stage.put("", &trip.queue(), &first.bytes, &mark).await;
    }
    trip.stage.until("dead again", LONG, || async { trip.stage.waiting(&dead).await >= 1 }).await;
    // Whatever came before this one has been worked on when it is done.
    trip.send(2).await;
    trip.until_effects(2..=2).await;
    let queue = trip.queue();
    trip.stage
        .until("nothing waits", LONG, || async { trip.stage.waiting(&queue).await == 0 })
        .await;
    service.stop().await;
    let second = trip.stage.take(&dead).await.unwrap();
    assert_ne!(first.headers["x-parom-death"], second.headers["x-parom-death"]);
    // A replay that meets the letter on its way says it once more: the same death, and no other.
    while let Some(more) = trip.stage.take(&dead).await {
        assert_eq!(more.headers["x-parom-death"], second.headers["x-parom-death"]);
    }
    trip.end().await;
}

#[tokio::test]
async fn what_a_person_did_not_find_is_sent_anew_once() {
    let trip = Trip::begin().await;
    trip.set_up().await;
    trip.books.script(1, Act::Bury("Nobody knows.".to_owned()));
    trip.send(1).await;
    let service = trip.service();
    let dead = trip.dead();
    let mut deaths = std::collections::BTreeSet::new();
    // Without that word a replay stops again.
    for word in ["", " absent"] {
        // A letter may come twice: it is the next death that is answered.
        let letter = loop {
            trip.stage.until("dead", LONG, || async { trip.stage.waiting(&dead).await >= 1 }).await;
            let letter = trip.stage.take(&dead).await.unwrap();
            if deaths.insert(letter.headers["x-parom-death"].clone()) {
                break letter;
            }
        };
        assert_eq!(trip.books.effects(1), 0);
        let mark = format!("{}{word}", letter.headers["x-parom-death"]);
        for _ in 0..2 {
            let replay = [("x-parom-replay", mark.as_str())];
            trip.stage.put("", &trip.queue(), &letter.bytes, &replay).await;
        }
    }
    trip.until_done(1).await;
    service.stop().await;
    assert_eq!(trip.books.effects(1), 1);
    assert_eq!(deaths.len(), 2);
    while let Some(more) = trip.stage.take(&dead).await {
        assert!(deaths.contains(&more.headers["x-parom-death"]), "a third death");
    }
    trip.end().await;
}

#[tokio::test]
async fn what_a_person_found_ends_the_job_and_sends_nothing() {
    let trip = Trip::begin().await;
    trip.set_up().await;
    trip.books.script(1, Act::Bury("Nobody knows.".to_owned()));
    trip.send(1).await;
    let service = trip.service();
    let dead = trip.dead();
    trip.stage.until("dead", LONG, || async { trip.stage.waiting(&dead).await == 1 }).await;
    let letter = trip.stage.take(&dead).await.unwrap();
    let death = &letter.headers["x-parom-death"];
    // Whoever presses "it is not there" after that finds a finished job.
    for word in ["found", "found", "absent"] {
        let replay = format!("{death} {word}");
        let mark = [("x-parom-replay", replay.as_str())];
        trip.stage.put("", &trip.queue(), &letter.bytes, &mark).await;
    }
    trip.until_done(1).await;
    trip.send(2).await;
    trip.until_effects(2..=2).await;
    service.stop().await;
    assert_eq!(trip.books.effects(1), 0);
    assert!(trip.stage.take(&dead).await.is_none());
    trip.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_and_stray_letters_are_taken_and_handed_back() {
    let trip = Trip::begin().await;
    trip.set_up().await;
    let tray = Tray::default();
    *tray.fails.lock().unwrap() = 2;
    let clerk = Service::start::<Clerk>(trip.stage.common(), Config { tray: tray.clone() });
    let ferry = trip.service();
    trip.books.script(1, Act::RefuseOnce);
    trip.send(1).await;
    let stray = crossing(2).to_json().unwrap();
    trip.stage.put(&trip.stage.names().orders(), "order.nobody", stray.as_bytes(), &[]).await;
    let two = || async { tray.letters.lock().unwrap().len() >= 2 };
    trip.stage.until("two letters", LONG, two).await;
    let letters = tray.letters.lock().unwrap().clone();
    let stray = letters.iter().find(|letter| letter.worker.is_none()).unwrap();
    assert_eq!(
        (stray.exchange.as_str(), stray.key.as_str()),
        (trip.stage.names().orders().as_str(), "order.nobody")
    );
    let dead = letters.iter().find(|letter| letter.worker.is_some()).unwrap();
    assert_eq!(dead.headers["x-parom-code"], "refused");
    assert_eq!(dead.body, crossing_of(&dead.body));

    let desk = tray.desk.lock().unwrap().clone().unwrap();
    assert_eq!(desk.workers().await.unwrap(), ["clerk", "ferry"]);
    let id = Event::from_json(&dead.body).unwrap().id();
    let death = dead.headers["x-parom-death"].parse().ok();
    for _ in 0..2 {
        desk.replay("ferry", id, death, None, dead.body.clone(), None).await.unwrap();
    }
    trip.until_effects(1..=1).await;
    ferry.stop().await;
    clerk.stop().await;
    assert_eq!(trip.books.effects(1), 1);
    for queue in trip.stage.queues("clerk").iter().take(2) {
        trip.stage.delete_queues(std::slice::from_ref(queue)).await;
    }
    trip.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_letters_are_taken_a_few_at_a_time() {
    const MEBIBYTE: usize = 1 << 20;
    let trip = Trip::begin().await;
    trip.set_up().await;
    let (names, body) = (trip.stage.names(), vec![b'x'; MEBIBYTE]);
    for _ in 0..24 {
        trip.stage.put("", &names.unrouted(), &body, &[]).await;
    }
    let tray = Tray::default();
    // While it cannot keep them, all the others have come in.
    *tray.fails.lock().unwrap() = 4;
    let clerk = Service::start::<Clerk>(trip.stage.common(), Config { tray: tray.clone() });
    let all = || async { tray.letters.lock().unwrap().len() >= 24 };
    trip.stage.until("all are taken", LONG, all).await;
    clerk.stop().await;
    let groups = tray.groups.lock().unwrap().clone();
    assert!(groups.iter().all(|size| *size <= 8 * MEBIBYTE), "{groups:?}");
    for queue in trip.stage.queues("clerk").iter().take(2) {
        trip.stage.delete_queues(std::slice::from_ref(queue)).await;
    }
    trip.end().await;
}

fn crossing_of(body: &[u8]) -> Vec<u8> {
    Event::from_json(body).unwrap().to_json().unwrap().into_bytes()
}
