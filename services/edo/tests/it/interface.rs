//! The interface: an order's history, files and signatures.

use axum::body::Body;
use http_body_util::BodyExt as _;
use reqwest::Method;
use runtime::{Worker as _, testing::Job};
use serde_json::Value;
use std::sync::Arc;
use tower::ServiceExt as _;

use crate::{
    order::{order, shipped},
    world::World,
};

async fn get(world: &World, path: &str, token: &str) -> (u16, Vec<u8>) {
    let router = Arc::clone(&world.edo).routes();
    let request = axum::http::Request::builder()
        .method(Method::GET)
        .uri(path)
        .header("authorization", format!("Bearer {token}"))
        .body(Body::empty())
        .unwrap();
    let answer = router.oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.into_body().collect().await.unwrap().to_bytes().to_vec())
}

#[tokio::test]
async fn history_file_and_signature_are_there_for_who_has_the_token() {
    let world = World::new().await;
    world.send(&mut Job::new(shipped(&order(1, world.now())))).await;
    let path = "/v1/orders/1/documents?shop=acme";
    assert_eq!(get(&world, path, "wrong").await.0, 401);
    let (status, body) = get(&world, path, "history-token").await;
    assert_eq!(status, 200);
    let history: Value = serde_json::from_slice(&body).unwrap();
    let document = &history["documents"][0];
    assert_eq!((&document["state"], &document["number"]), (&"sent".into(), &"A-1".into()));
    assert_eq!(document["total_kopecks"], 122_000);
    let id = document["id"].as_str().unwrap();
    let (_, content) = get(&world, &format!("/v1/documents/{id}/content"), "history-token").await;
    assert_eq!(content, world.messages()[0].content);
    let (_, signature) =
        get(&world, &format!("/v1/documents/{id}/signature"), "history-token").await;
    let verifier = signing::Verifier::new("openssl", "gost");
    assert!(verifier.verify(&signature, Some(&content)).await.is_ok());
    let (_, states) = get(&world, &format!("/v1/documents/{id}/states"), "history-token").await;
    let states: Value = serde_json::from_slice(&states).unwrap();
    let words: Vec<&str> = states["states"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["state"].as_str().unwrap())
        .collect();
    assert_eq!(words, ["written", "sending", "sent"]);
    // Another order, another shop, nobody's document.
    for (path, status) in [
        ("/v1/orders/1/documents?shop=other", 200),
        ("/v1/documents/0f8fad5b-d9cb-469f-a165-70867728950e/content", 404),
        ("/v1/orders/1/documents?shop=acme&strange=1", 400),
    ] {
        assert_eq!(get(&world, path, "history-token").await.0, status, "{path}");
    }
}
