//! Several statuses of one order at the same time.

use std::time::Duration;

use emulator::{Fault, Kind, System};
use events::Phase;
use futures_util::future::join_all;
use runtime::testing::End;

use crate::scene::{Scene, say};

/// A portal that takes its time over an order.
fn slow(scene: &Scene) {
    let mut fault = Fault::new(System::Bitrix, Kind::Slow).on("sale.order.get").times(1);
    fault.ms = Some(400);
    scene.running.emulator.faults.add(fault).unwrap();
}

#[tokio::test]
async fn what_waits_while_one_is_written_is_written_in_one_go() {
    let scene = Scene::set().await;
    scene.put(236).await;
    slow(&scene);
    let worker = scene.worker();
    let first = say(236, Phase::Done).by("edo");
    let others: Vec<_> = (0..5_u32)
        .map(|n| {
            let say = say(236, Phase::Done).by(&format!("service-{n}")).at(i64::from(n));
            say.with("CLOUDKASSIR_FD", &n.to_string()).text(&format!("слово {n}"))
        })
        .collect();
    let later = async {
        // The first holds the order from the moment that the portal has been asked for it.
        scene
            .stage
            .until("the first has the order", Duration::from_secs(5), || async {
                scene.hits() == 1
            })
            .await;
        join_all(others.iter().map(|say| say.told(&worker))).await
    };
    let (end, ends) = tokio::join!(first.told(&worker), later);
    assert_eq!(end, End::Done);
    assert!(ends.iter().all(|end| matches!(end, End::Wait(_))), "{ends:?}");
    let ends = join_all(others.iter().map(|say| say.told(&worker))).await;
    let done = ends.iter().filter(|end| **end == End::Done).count();
    assert!(done >= 1, "{ends:?}");
    assert!(
        join_all(others.iter().map(|say| say.told(&worker)))
            .await
            .iter()
            .all(|end| *end == End::Done)
    );
    let book = scene.book(236);
    assert_eq!((book.timeline.len(), book.writes.saves), (2, 1), "{:?}", book.timeline);
    let lines: Vec<&str> = book.timeline[1].lines().collect();
    assert_eq!(lines[..5], ["слово 0", "слово 1", "слово 2", "слово 3", "слово 4"], "by time");
    assert_eq!(book.properties["CLOUDKASSIR_FD"], "4", "the last word");
    scene.end().await;
}

#[tokio::test]
async fn many_jobs_of_one_order_at_once_say_everything_once() {
    let scene = Scene::set().await;
    scene.put(236).await;
    let workers = [scene.worker(), scene.worker()];
    let says: Vec<_> = (0..40_u32)
        .map(|n| say(236, Phase::Done).because(n.into()).text(&format!("слово {n}.")))
        .collect();
    let mut open: Vec<_> = says.iter().zip(workers.iter().cycle()).collect();
    for _ in 0..100 {
        let ends = join_all(open.iter().map(|(say, worker)| say.told(worker))).await;
        let mut ends = ends.into_iter();
        open.retain(|_| ends.next() != Some(End::Done));
    }
    assert!(open.is_empty());
    let said = scene.book(236).timeline.join("\n");
    for n in 0..40 {
        assert_eq!(said.matches(&format!("слово {n}.")).count(), 1, "{said}");
    }
    scene.end().await;
}

#[tokio::test]
async fn a_word_that_was_overtaken_takes_nothing_back() {
    let scene = Scene::set().await;
    scene.put(236).await;
    let worker = scene.worker();
    say(236, Phase::Done).at(10).with("CLOUDKASSIR_FN", "1").told(&worker).await;
    let (hits, version) = (scene.hits(), scene.book(236).version);
    for late in [
        say(236, Phase::Retrying).at(5),
        say(236, Phase::Failed).at(12).with("CLOUDKASSIR_FN", ""),
        say(236, Phase::Working).at(30),
    ] {
        assert_eq!(late.told(&worker).await, End::Done);
    }
    let book = scene.book(236);
    assert_eq!((scene.hits(), book.version, book.status.as_str()), (hits, version, "N"));
    assert_eq!((book.properties["CLOUDKASSIR_FN"].as_str(), book.timeline.len()), ("1", 1));
    scene.end().await;
}

#[tokio::test]
async fn orders_do_not_wait_for_each_other_and_share_requests() {
    let scene = Scene::set().await;
    let worker = scene.worker();
    for order in 1..=40 {
        scene.put(order).await;
    }
    let says: Vec<_> =
        (1..=40).map(|order| say(order, Phase::Done).with("CLOUDKASSIR_FN", "1")).collect();
    let ends = join_all(says.iter().map(|say| say.told(&worker))).await;
    assert!(ends.iter().all(|end| *end == End::Done), "{ends:?}");
    for order in 1..=40 {
        assert_eq!(scene.book(order).timeline.len(), 1);
    }
    // One by one it would be 40 reads, 40 writes and a list.
    assert!(scene.hits() < 40, "{} requests", scene.hits());
    scene.end().await;
}
