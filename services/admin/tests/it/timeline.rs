//! An order's way is kept, and found by what people know of it.

use events::Phase;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    desk::Desk,
    ferry::{LONG, crossing, key, status},
};

#[tokio::test(flavor = "multi_thread")]
async fn the_way_of_an_order_is_found_by_number_and_document() {
    let desk = Desk::set(&[]).await;
    let event = crossing(7);
    // Told five times, as by anybody who is not sure.
    for _ in 0..5 {
        desk.stage.tell(&event).await;
    }
    let done = || async {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM entries WHERE phase = 'done'")
            .fetch_one(&desk.pool)
            .await
            .unwrap();
        count == 1
    };
    desk.stage.until("the ferry is done", LONG, done).await;
    let token = desk.token("viewer");
    let ask = async |path: &str| -> Value {
        desk.get(&token, path).send().await.unwrap().json().await.unwrap()
    };
    for by in ["N-7", "n-7", "7", "%E2%84%96+N-7", "T-crossed", "t-CROSSED"] {
        let found = ask(&format!("/api/v1/orders?q={by}")).await;
        assert_eq!(found.as_array().unwrap().len(), 1, "{by}: {found}");
        assert_eq!(found[0]["number"], "N-7");
        assert_eq!(found[0]["stuck"], Value::Null);
    }
    assert_eq!(ask("/api/v1/orders?q=N-8").await, Value::Array(vec![]));
    let whole = ask("/api/v1/orders/main%20site%207").await;
    let way: Vec<&str> = whole["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["code"].as_str().unwrap())
        .collect();
    assert_eq!(way, ["crossing", "crossed"]);
    desk.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_stuck_until_its_service_is_done() {
    let desk = Desk::set(&[]).await;
    let cause = Uuid::new_v4();
    let token = desk.token("viewer");
    let stuck = async || -> Value {
        let answer = desk.get(&token, "/api/v1/orders?q=N-3").send().await.unwrap();
        answer.json::<Value>().await.unwrap()[0]["stuck"].clone()
    };
    for (phase, code, expected) in [
        (Phase::Failed, "no", serde_json::json!(["fiscal"])),
        (Phase::Done, "yes", Value::Null),
        // Late: what was said before the end.
        (Phase::Retrying, "late", Value::Null),
    ] {
        desk.stage.tell(&status("fiscal", key(3), cause, phase, code)).await;
        let heard = || async {
            let row: Option<i32> = sqlx::query_scalar("SELECT 1 FROM entries WHERE code = $1")
                .bind(code)
                .fetch_optional(&desk.pool)
                .await
                .unwrap();
            row.is_some()
        };
        desk.stage.until("heard", LONG, heard).await;
        assert_eq!(stuck().await, expected, "{code}");
    }
    desk.end().await;
}
