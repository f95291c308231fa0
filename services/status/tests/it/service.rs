//! The whole service, with the broker.

use std::time::Duration;

use events::Phase;
use runtime::testing::Service;
use status::StatusWriter;

use crate::scene::{Scene, say};

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_killed_again_and_again_says_everything_once() {
    let mut scene = Scene::set().await;
    scene.config.status_lease = Duration::from_secs(1);
    let orders = 1..=30_u64;
    for order in orders.clone() {
        scene.put(order).await;
    }
    let common = scene.stage.common();
    let mut service = Service::start::<StatusWriter>(common.clone(), scene.config.clone());
    scene.stage.until("its queue", Duration::from_secs(20), || scene.stage.hears("status")).await;
    let hears = || async {
        scene.stage.tell(&say(1, Phase::Working).event()).await;
        let heard = sqlx::query("SELECT FROM statuses").fetch_all(&scene.pool).await;
        !heard.expect("rows").is_empty()
    };
    scene.stage.until("the service hears", Duration::from_secs(20), hears).await;
    for order in orders.clone() {
        let done = say(order, Phase::Done).at(20).with("CLOUDKASSIR_FN", "1");
        for say in [say(order, Phase::Working).at(10), done.clone(), done] {
            scene.stage.tell(&say.event()).await;
        }
        if order % 10 == 0 {
            service.kill().await;
            service = Service::start::<StatusWriter>(common.clone(), scene.config.clone());
        }
    }
    let all = || async {
        orders.clone().all(|order| {
            let book = scene.book(order);
            book.timeline.len() == 1 && book.properties.contains_key("CLOUDKASSIR_FN")
        })
    };
    scene.stage.until("all orders are written", Duration::from_secs(60), all).await;
    let names = scene.stage.names();
    let quiet = || async { scene.stage.waiting(&names.queue("status")).await == 0 };
    scene.stage.until("nothing waits", Duration::from_secs(30), quiet).await;
    service.stop().await;
    assert_eq!(scene.stage.waiting(&names.dead_queue("status")).await, 0, "no dead letters");
    for order in orders {
        let book = scene.book(order);
        assert_eq!(
            (book.timeline.len(), book.writes.saves),
            (1, 1),
            "order {order}: {:?}",
            book.timeline
        );
    }
    let queues = scene.stage.queues("status");
    scene.stage.delete_queues(&queues).await;
    scene.end().await;
}
