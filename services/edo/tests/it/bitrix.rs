//! What a manager reads in Bitrix, written there by the real `status`.

use events::Order;
use serde_json::json;

use crate::{
    broken::{inn, line},
    order::{order, shipped, with_properties},
    sea::{FAILED, Sea},
};

/// The broken details, and the whole comment in the order's timeline.
fn broken(place: u64, order: Order) -> (Order, &'static str) {
    match place {
        1 => (
            inn(order, "7700000024"),
            "ИНН покупателя «7700000024» неверен: контрольная цифра не сходится, номер набран с ошибкой (свойство заказа INN)",
        ),
        2 => {
            let mut order = order;
            order.buyer.kpp = None;
            (order, "у организации-покупателя нет КПП (свойство заказа с КПП)")
        }
        3 => (
            with_properties(order, &[("COMPANY_ADR", None)]),
            "не указан юридический адрес покупателя (свойство заказа COMPANY_ADR)",
        ),
        4 => (
            line(order, "unit", json!("999")),
            "у товара «Крем для рук, 75 мл» неизвестная единица измерения «999»: нужен код ОКЕИ",
        ),
        _ => (
            line(order, "vat", json!("vat0")),
            "у товара «Крем для рук, 75 мл» ставка НДС 0 %, а основание для неё не указано (свойство товара VAT0_GROUND)",
        ),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_details_stand_in_the_order_as_whole_sentences() {
    let mut sea = Sea::new().await;
    let at = time::OffsetDateTime::now_utc() - time::Duration::hours(1);
    for id in 1..=5 {
        let (order, _) = broken(id, order(id, at));
        sea.put(&order).await;
        sea.stage.tell(&shipped(&order)).await;
    }
    let failed = |sea: &Sea| sea.standing().get(FAILED).copied().unwrap_or_default();
    let failed = async |sea: &Sea| i64::try_from(failed(sea)).unwrap();
    sea.until("orders that wait for a manager", 5, failed, async |_: &mut Sea, _| {}).await;
    for id in 1..=5 {
        let (book, (_, words)) = (sea.book(id), broken(id, order(id, at)));
        let whole = format!(
            "УПД по заказу № A-{id} не сделан: {words}. Исправьте и сохраните заказ; документ уйдёт сам."
        );
        let [comment] = book.timeline.as_slice() else { panic!("{:?}", book.timeline) };
        // The last line is the mark by which `status` knows its comment again.
        assert_eq!(comment.rsplit_once("\n— Parom ").unwrap().0, whole);
        assert_eq!(book.notifications, [whole], "order {id}: and the manager is called");
    }
    assert_eq!(sea.running.emulator.diadoc.books().summary().documents, 0);
    sea.end().await;
}
