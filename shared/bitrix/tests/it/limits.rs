//! The rate limit, kept by several processes together.

use std::time::{Duration, Instant};

use bitrix::rest::{Call, Portal, RestErrorKind};
use emulator::{Fault, Kind, System};
use futures_util::future::join_all;
use serde_json::json;

use crate::scene::Scene;

/// Calls that fill a request, so that each unit is a request of its own.
async fn full_request(portal: &Portal) -> usize {
    let call = |_| Call { method: "sale.order.get", params: json!({"id": 1}) };
    let replies = portal.together((0..50).map(call).collect()).await;
    replies.into_iter().filter(Result::is_ok).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_keep_two_requests_a_second_together() {
    let scene = Scene::set(2, 10).await;
    scene.put(1, "").await;
    let clients = [scene.client("ingress"), scene.client("status")];
    let began = Instant::now();
    let done = join_all((0..16).zip(clients.iter().cycle()).map(|(_, c)| full_request(c))).await;
    assert!(done.iter().all(|calls| *calls == 50), "{done:?}");
    let summary = scene.summary();
    assert_eq!((summary.hits, summary.over_limit), (16, 0), "nobody was refused");
    // Nine at once (a tenth of the burst is left to others), then two a second.
    let least = Duration::from_millis(7 * 500 - 100);
    assert!(began.elapsed() >= least, "{:?}", began.elapsed());
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_calls_at_once_are_few_requests() {
    let scene = Scene::set(2, 50).await;
    for order in 1..=100 {
        scene.put(order, "").await;
    }
    let portal = scene.client("status");
    let orders = join_all((1..=100).map(|id| portal.order(id))).await;
    for (id, order) in (1..=100).zip(orders) {
        assert!(order.unwrap().get().contains(&format!(r#""id":{id},"#)), "to each its own");
    }
    assert!(scene.summary().hits <= 8, "{} requests for 100 calls", scene.summary().hits);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_for_the_rate_empties_the_bucket_for_everyone() {
    let scene = Scene::set(2, 50).await;
    scene.put(1, "").await;
    let (one, other) = (scene.client("ingress"), scene.client("status"));
    let mut fault = Fault::new(System::Bitrix, Kind::Limit).times(1);
    fault.limit = Some("QUERY_LIMIT_EXCEEDED".into());
    scene.running.emulator.faults.add(fault).unwrap();
    one.order(1).await.unwrap();
    let began = Instant::now();
    other.order(1).await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(300), "{:?}", began.elapsed());
    scene.end().await;
}

#[tokio::test]
async fn callers_who_would_wait_long_are_told_to_come_back_and_nothing_is_sent() {
    let scene = Scene::set(2, 50).await;
    scene.put(1, "").await;
    let portal = scene.client("status");
    portal.order(1).await.unwrap();
    let far = "UPDATE bitrix.buckets SET full_at = now() + interval '60 s'";
    sqlx::query(far).execute(&scene.stage.pool("status")).await.unwrap();
    let replies = join_all((0..100).map(|_| portal.order(1))).await;
    for reply in replies {
        let error = reply.expect_err("no room for a minute");
        assert!(matches!(error.kind, RestErrorKind::Busy { .. }), "{error}");
    }
    assert_eq!(scene.summary().hits, 1);
    scene.end().await;
}

#[tokio::test]
async fn without_the_database_nothing_is_sent() {
    let scene = Scene::set(2, 50).await;
    scene.put(1, "").await;
    let pool = scene.stage.pool("status");
    pool.close().await;
    let portal = scene.client_on(&pool);
    let error = portal.order(1).await.unwrap_err();
    assert!(matches!(error.kind, RestErrorKind::Limiter(_)), "{error}");
    assert_eq!(scene.summary().hits, 0);
    scene.end().await;
}
