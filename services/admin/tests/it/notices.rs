//! People are told of what is new: grouped, not in a storm.

use std::sync::{Arc, Mutex};

use axum::{Json, Router, extract::State, routing::post};
use runtime::Class;
use serde_json::Value;

use crate::{desk::Desk, ferry::LONG};

type Told = Arc<Mutex<Vec<Value>>>;

/// A place that takes notifications.
async fn listener() -> (String, Told) {
    let told = Told::default();
    let take = |State(told): State<Told>, Json(body): Json<Value>| async move {
        told.lock().unwrap().push(body);
    };
    let router = Router::new()
        .route("/hook", post(take))
        .route("/botT0KEN/sendMessage", post(take))
        .route("/rest/1/secret/im.notify.system.add.json", post(take))
        .with_state(Arc::clone(&told));
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", socket.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(socket, router).await });
    (address, told)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_letters_of_two_kinds_are_few_messages_on_every_way() {
    let (address, told) = listener().await;
    let flags = [
        format!("--admin-notify-webhook={address}/hook"),
        format!("--admin-notify-telegram-url={address}"),
        "--admin-notify-telegram=T0KEN".to_owned(),
        "--admin-notify-telegram-chat=-100".to_owned(),
        format!("--admin-notify-bitrix={address}/rest/1/secret/"),
        "--admin-notify-bitrix-user=7".to_owned(),
        "--admin-notify-every=200ms".to_owned(),
        "--admin-public-url=http://parom.example".to_owned(),
    ];
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let desk = Desk::set(&flags).await;
    for order in 1..=100 {
        let class = if order % 2 == 0 { Class::Unknown } else { Class::Refused };
        desk.books.with(|books| books.wrong.insert(order, (class, "stuck".to_owned())));
        desk.send(order).await;
    }
    desk.until_letters("open", 100).await;
    let both = || async {
        let told = told.lock().unwrap();
        let text: String = told.iter().map(|body| body.to_string()).collect();
        text.contains("отказ сервиса") && text.contains("неизвестно, выполнено ли")
    };
    desk.stage.until("both kinds are told", LONG, both).await;
    let told = told.lock().unwrap().clone();
    // Two kinds, three ways: however the letters fell, each kind is told once within the quiet.
    assert!(told.len() <= 6, "{} messages: {told:?}", told.len());
    assert!(told.iter().any(|body| body["url"] == "http://parom.example/groups"));
    assert!(told.iter().any(|body| body["USER_ID"] == 7));
    assert!(told.iter().any(|body| body["chat_id"] == "-100"));
    desk.end().await;
}
