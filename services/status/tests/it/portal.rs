//! What is written on a portal's order.

use events::Phase;
use runtime::testing::End;
use status::Language;

use crate::scene::{Scene, say};

fn dead_code(end: &End) -> (&str, &str) {
    let End::Dead(reason) = end else { panic!("not dead: {end:?}") };
    (&reason.code, &reason.text.en)
}

#[tokio::test]
async fn a_receipt_is_written_on_its_order() {
    let scene = Scene::set().await;
    scene.put(236).await;
    let receipt = say(236, Phase::Done)
        .text("Заказ 236A: чек пробит.")
        .link("qr", "https://receipt.example/1")
        .with("CLOUDKASSIR_FN", "9999078900006211")
        .with("CLOUDKASSIR_FD", "17");
    assert_eq!(receipt.told(&scene.worker()).await, End::Done);
    let book = scene.book(236);
    assert_eq!(book.properties["CLOUDKASSIR_FN"], "9999078900006211");
    assert_eq!(book.properties["CLOUDKASSIR_FD"], "17");
    assert_eq!(book.properties["EMAIL"], "a@b.example", "other properties stay");
    assert_eq!((book.status.as_str(), book.writes.saves), ("N", 1));
    let comment = &book.timeline[0];
    assert!(
        comment.starts_with("Заказ 236A: чек пробит.\nqr: https://receipt.example/1\n— Parom ")
    );
    assert_eq!((book.timeline.len(), book.notifications.len()), (1, 0));
    assert_eq!(scene.hits(), 3, "the order, the list of properties, one batch");
    scene.end().await;
}

#[tokio::test]
async fn a_repeated_status_writes_nothing() {
    let scene = Scene::set().await;
    scene.put(236).await;
    let (worker, receipt) = (scene.worker(), say(236, Phase::Done).with("CLOUDKASSIR_FN", "1"));
    receipt.told(&worker).await;
    let hits = scene.hits();
    assert_eq!(receipt.told(&worker).await, End::Done);
    assert_eq!((scene.hits(), scene.book(236).version), (hits, 2));
    scene.end().await;
}

#[tokio::test]
async fn a_failure_alarms_and_moves_the_order_once() {
    let scene = Scene::set().await;
    scene.put(236).await;
    let worker = scene.worker();
    say(236, Phase::Failed).at(10).text("Заказ 236A: нет телефона.").told(&worker).await;
    let book = scene.book(236);
    assert_eq!((book.status.as_str(), book.timeline.len()), ("ER", 1));
    assert_eq!(book.notifications, ["Заказ 236A: нет телефона."]);
    scene.move_to(236, "P").await;
    say(236, Phase::Failed).at(20).text("Заказ 236A: всё ещё нет.").told(&worker).await;
    let book = scene.book(236);
    assert_eq!(book.status, "P", "a manager is not fought");
    assert_eq!(book.status_history, ["ER"]);
    assert_eq!(book.notifications, ["Заказ 236A: всё ещё нет."], "the tag replaces");
    assert_eq!(book.timeline.len(), 2);
    scene.end().await;
}

#[tokio::test]
async fn an_order_that_stands_there_already_is_not_saved_again() {
    let scene = Scene::set().await;
    scene.put(236).await;
    scene.move_to(236, "ER").await;
    say(236, Phase::Failed).with("EMAIL", "a@b.example").told(&scene.worker()).await;
    let book = scene.book(236);
    assert_eq!((book.writes.saves, book.timeline.len()), (0, 1));
    scene.end().await;
}

#[tokio::test]
async fn working_and_retrying_are_not_shown_unless_asked_for() {
    let mut scene = Scene::set().await;
    scene.put(236).await;
    let worker = scene.worker();
    assert_eq!(say(236, Phase::Working).at(1).told(&worker).await, End::Done);
    assert_eq!(say(236, Phase::Retrying).at(2).told(&worker).await, End::Done);
    assert_eq!(scene.hits(), 0, "nothing to say costs no request");
    scene.reconfigure("[shops.demo.writeback]", "[shops.demo.writeback]\ncomment = [\"working\"]");
    say(236, Phase::Working).because(5).at(3).told(&scene.worker()).await;
    assert_eq!(scene.book(236).timeline.len(), 1);
    scene.end().await;
}

#[tokio::test]
async fn values_without_a_property_stand_in_the_comment_and_what_to_do_stands_there_once() {
    let scene = Scene::set_with(|settings| settings.bitrix.properties.clear()).await;
    scene.put(236).await;
    let worker = scene.worker();
    let receipt = |cause, value| say(236, Phase::Done).because(cause).with("CLOUDKASSIR_FN", value);
    assert_eq!(receipt(1, "111").told(&worker).await, End::Done);
    assert_eq!(receipt(2, "222").told(&worker).await, End::Done);
    let book = scene.book(236);
    assert!(book.timeline[0].contains("CLOUDKASSIR_FN = 111. Создайте свойства заказа"));
    assert!(book.timeline[1].contains("CLOUDKASSIR_FN = 222.\n"), "{}", book.timeline[1]);
    assert_eq!(book.writes.saves, 0);
    scene.end().await;
}

#[tokio::test]
async fn comments_are_english_where_that_is_the_language() {
    let mut scene = Scene::set().await;
    scene.config.status_language = Language::En;
    scene.put(236).await;
    say(236, Phase::Failed).told(&scene.worker()).await;
    let book = scene.book(236);
    assert!(book.timeline[0].starts_with("Order 236A: Failed."), "{}", book.timeline[0]);
    assert_eq!(book.notifications, ["Order 236A: Failed."]);
    scene.end().await;
}

#[tokio::test]
async fn an_order_without_a_responsible_user_alarms_the_configured_one() {
    let mut scene = Scene::set().await;
    let order = r#"{"id":236,"statusId":"N","personTypeId":3,"responsibleId":0}"#;
    scene.put_as(236, order.into()).await;
    say(236, Phase::Unknown).told(&scene.worker()).await;
    assert_eq!(scene.book(236).notifications.len(), 1);
    scene.reconfigure("notify_user = 7", "");
    say(236, Phase::Unknown).because(2).told(&scene.worker()).await;
    let book = scene.book(236);
    assert_eq!((book.notifications.len(), book.timeline.len()), (1, 2), "the comment is there");
    scene.end().await;
}

#[tokio::test]
async fn a_deleted_order_and_an_unknown_shop_stop_for_a_person() {
    let scene = Scene::set().await;
    scene.put(236).await;
    scene.delete(236).await;
    let worker = scene.worker();
    let end = say(236, Phase::Done).told(&worker).await;
    let (code, text) = dead_code(&end);
    assert_eq!(code, "bitrix_no_order");
    assert!(text.starts_with("Order 236A. Bitrix24 has no such order"), "{text}");
    let end = say(1, Phase::Done).of("stranger").told(&worker).await;
    let (code, text) = dead_code(&end);
    assert_eq!(code, "shop_unknown");
    assert!(text.contains("[shops.stranger.portal]"), "{text}");
    let end = say(1, Phase::Done).of("demo-site").told(&worker).await;
    assert!(dead_code(&end).1.contains("[shops.demo-site.portal]"));
    scene.end().await;
}
