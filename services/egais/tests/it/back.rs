//! Returns by waybill, and what is asked of EGAIS when it is needed.

use std::time::Duration;

use emulator::{
    Kind,
    utm::{Rest, WaybillLine},
};
use events::Order;
use runtime::testing::{End, Job};

use crate::{
    order::{F2, WINE, beer, mark, order, returned, shipped, wine},
    world::{OWNER, World},
};

const WAYBILL: &str = "TTN-0999999901";

/// A shop whose wine comes back by waybills that are answered with this act.
async fn by_waybill(act: &str) -> World {
    let back = format!("back = \"{act}\"");
    World::with(|file| file.replacen("back = \"RequestRepealAWO\"", &back, 1), |_| {}).await
}

fn named(mut order: Order) -> Order {
    order.properties.insert("EGAIS_WBREGID".to_owned(), WAYBILL.to_owned());
    order
}

fn put(world: &World, marks: &[usize], is_sent: bool) {
    let line = WaybillLine {
        alc_code: WINE.to_owned(),
        quantity: marks.len().into(),
        marks: marks.iter().map(|number| mark(*number)).collect(),
    };
    let mut books = world.running.emulator.utm.books();
    let books = books.entry(OWNER.to_owned()).or_default();
    books.put_waybill(WAYBILL, vec![line]);
    if is_sent {
        books.send_waybill(WAYBILL);
    }
}

#[tokio::test]
async fn a_waybill_of_return_is_accepted_as_a_whole_or_its_difference_is_named() {
    for act in ["WayBillAct_v3", "WayBillAct_v4"] {
        for missing in [false, true] {
            let world = by_waybill(act).await;
            let order = named(order(1, world.now(), &[wine(&[1, 2, 3])]));
            assert_eq!(world.tell(shipped(&order)).await, "done");
            // The buyer writes that two come back; one of them may be missing from the parcel.
            put(&world, &[1, 2], true);
            let came: &[usize] = if missing { &[1] } else { &[1, 2] };
            let count = u64::try_from(came.len()).unwrap();
            let event = returned(&order, 1, &[(7, count)], came);
            assert_eq!(world.tell(event).await, "done", "{act} {missing}");
            assert_eq!(world.sent().last().unwrap(), &(act.to_owned(), "done".to_owned()));
            assert_eq!(world.bottle(&mark(1)), ["written off", "returned"]);
            let second: &[&str] =
                if missing { &["written off"] } else { &["written off", "returned"] };
            assert_eq!(world.bottle(&mark(2)), second);
            assert_eq!(world.bottle(&mark(3)), ["written off"]);
            // Others at the shop may read the waybill too.
            assert_eq!(world.summary().waiting, 2);
            world.agrees().await;
        }
    }
}

#[tokio::test]
async fn a_waybill_of_two_orders_is_for_a_person_and_calls_nothing_missing() {
    let world = by_waybill("WayBillAct_v4").await;
    let first = named(order(1, world.now(), &[wine(&[1])]));
    let second = named(order(2, world.now(), &[wine(&[2])]));
    for order in [&first, &second] {
        assert_eq!(world.tell(shipped(order)).await, "done");
    }
    put(&world, &[1, 2], true);
    for order in [&first, &second] {
        assert_eq!(world.tell(returned(order, 1, &[(7, 1)], &[])).await, "dead waybill_shared");
    }
    assert_eq!(world.sent().len(), 2);
}

#[tokio::test]
async fn waybills_of_two_senders_may_have_one_number_and_day() {
    let world = by_waybill("WayBillAct_v4").await;
    let order = named(order(1, world.now(), &[wine(&[1])]));
    assert_eq!(world.tell(shipped(&order)).await, "done");
    let other = "TTN-0999999902";
    {
        let line = |number: usize| WaybillLine {
            alc_code: WINE.to_owned(),
            quantity: 1.into(),
            marks: vec![mark(number)],
        };
        let mut books = world.running.emulator.utm.books();
        let books = books.entry(OWNER.to_owned()).or_default();
        books.put_waybill_of("010000000001", "1", WAYBILL, vec![line(1)]);
        books.put_waybill_of("010000000002", "1", other, vec![line(9)]);
        // The two documents of each come mixed.
        books.send_waybill(WAYBILL);
        books.send_waybill(other);
    }
    assert_eq!(world.tell(returned(&order, 1, &[(7, 1)], &[])).await, "done");
    assert_eq!(world.bottle(&mark(1)), ["written off", "returned"]);
    world.agrees().await;
}

#[tokio::test]
async fn more_than_the_waybill_says_is_for_a_person() {
    let world = by_waybill("WayBillAct_v4").await;
    let order = named(order(1, world.now(), &[wine(&[1, 2])]));
    assert_eq!(world.tell(shipped(&order)).await, "done");
    put(&world, &[1], true);
    assert_eq!(world.tell(returned(&order, 1, &[(7, 2)], &[])).await, "dead waybill_less");
    assert_eq!(world.sent().len(), 1);
}

#[tokio::test]
async fn a_waybill_that_was_lost_is_asked_for_again_once() {
    let world = by_waybill("WayBillAct_v4").await;
    let order = named(order(1, world.now(), &[wine(&[1])]));
    assert_eq!(world.tell(shipped(&order)).await, "done");
    put(&world, &[1], false);
    assert_eq!(world.tell(returned(&order, 1, &[(7, 1)], &[])).await, "done");
    let kinds: Vec<String> = world.sent().into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["ActWriteOff_v3", "QueryResendDoc", "WayBillAct_v4"]);
    assert_eq!(world.bottle(&mark(1)), ["written off", "returned"]);
    world.agrees().await;
}

#[tokio::test]
async fn a_waybill_that_never_comes_is_told_and_not_invented() {
    let world = by_waybill("WayBillAct_v4").await;
    let order = named(order(1, world.now(), &[wine(&[1])]));
    assert_eq!(world.tell(shipped(&order)).await, "done");
    assert_eq!(world.tell(returned(&order, 1, &[(7, 1)], &[])).await, "dead waybill_missing");
    assert_eq!(world.sent().len(), 2);
}

#[tokio::test]
async fn which_form_b_a_bottle_belongs_to_is_asked_of_egais_and_slowly() {
    let world = World::new().await;
    let forms = ["FB-000000000000001", "FB-000000000000002", F2];
    let rest = |f2: &str| Rest {
        alc_code: WINE.to_owned(),
        name: "Вино".to_owned(),
        f1: Some("FA-000000000000001".to_owned()),
        f2: Some(f2.to_owned()),
        quantity: 6.into(),
    };
    {
        let mut books = world.running.emulator.utm.books();
        let books = books.entry(OWNER.to_owned()).or_default();
        books.put_rests(forms.iter().map(|form| rest(form)).collect(), Vec::new());
        // EGAIS may name a bottle twice.
        books.put_marks(forms[1], vec![mark(1), mark(1)]);
    }
    assert!(world.egais.ask_rests("office").await.unwrap());
    for _ in 0..4 {
        world.egais.poll("office").await.unwrap();
    }
    let mut order = order(1, world.now(), &[wine(&[1])]);
    order.lines[0].properties.remove("EGAIS_F2");
    let began = world.now();
    let mut job = Job::new(shipped(&order));
    assert_eq!(world.carry(&mut job).await.last().unwrap(), "done");
    assert!(world.now() - began > Duration::from_secs(35 * 60));
    let asked = world.sent().iter().filter(|(kind, _)| kind == "QueryRestBCode").count();
    assert_eq!(asked, 2, "the second one has the bottle");
    let body = &world.egais.store().documents(Some("A-1")).await.unwrap()[0].body;
    assert!(body.contains(forms[1]) && !body.contains(forms[0]));
    world.agrees().await;
}

#[tokio::test]
async fn a_list_of_bottles_that_others_asked_for_is_left_to_them() {
    let world = World::new().await;
    let body = "<Documents><Document><ReplyRestBCode><Inform2RegId>FB-1</Inform2RegId></ReplyRestBCode></Document></Documents>";
    world
        .running
        .emulator
        .utm
        .books()
        .entry(OWNER.to_owned())
        .or_default()
        .put_incoming("ReplyRestBCode", body.to_owned());
    assert_eq!(world.egais.poll("office").await.unwrap().unwrap().taken, 0);
    assert_eq!(world.summary().waiting, 1);
}

#[tokio::test]
async fn an_order_whose_bottle_is_in_no_form_b_is_for_a_person() {
    let world = World::new().await;
    let mut order = order(1, world.now(), &[wine(&[1])]);
    order.lines[0].properties.remove("EGAIS_F2");
    let mut job = Job::new(shipped(&order));
    assert!(matches!(job.run(world.egais.as_ref()).await, End::Dead(_)));
}

#[tokio::test]
async fn the_briefs_dialect_is_sent_as_the_brief_shows_it_and_its_answer_is_the_end() {
    let sale = "sale = \"TTNInformF2Reg\"";
    let world = World::with(
        |file| {
            file.replacen("sale = \"ActWriteOff_v4\"", sale, 1)
                .replace("ActChargeOnShop_v2", "person")
        },
        |_| {},
    )
    .await;
    let mut order = order(1, world.now(), &[beer(2)]);
    order.lines[0].properties.insert("EGAIS_F1".to_owned(), "TEST-TTN123456".to_owned());
    assert_eq!(world.tell(shipped(&order)).await, "done");
    assert_eq!(world.sent(), [("TTNInformF2Reg".to_owned(), "done".to_owned())]);
    let number: String = sqlx::query_scalar("SELECT egais_quant_id FROM egais_alcocodes")
        .fetch_one(world.tables.pool())
        .await
        .unwrap();
    assert_eq!(number, "REG-0000000001");
    let sent = &world.egais.store().documents(Some("A-1")).await.unwrap()[0].body;
    for part in [
        "<ns:Documents xmlns:ns=\"urn:TNInformF2Reg:Documents\" xmlns:oref=\"urn:TNInformF2:OrgInfo\" version=\"2\">",
        "<ns:IsSSMark>0</ns:IsSSMark>",
        "<ns:Identity>1</ns:Identity><ns:ProductCode>0370000000001234567</ns:ProductCode><ns:Quantity>2.000</ns:Quantity>",
        "<ns:InformF1RegId>TEST-TTN123456</ns:InformF1RegId>",
    ] {
        assert!(sent.contains(part), "{part}: {sent}");
    }
    assert_eq!(world.summary().waiting, 0);
    assert_eq!(world.summary().violations.violation_count, 0);
    // Nothing in it tells it from another one: when its receipt is lost, a person looks.
    world.on_post("TTNInformF2Reg", Kind::Hang);
    let mut second = order.clone();
    (second.key.id, second.key.number) = (2, "A-2".to_owned());
    assert_eq!(world.tell(shipped(&second)).await, "dead unknown document_unknown");
    assert_eq!(world.sent().len(), 2);
}
