//! The way of an order's alcohol: out, back, and everything that comes between.

use std::time::Duration;

use emulator::{Fault, Kind, Listen, System};
use events::{Fact, Phase};
use runtime::testing::{End, Job};

use crate::{
    order::{BEER, F2, beer, cancelled, mark, order, returned, shipped, wine},
    world::{World, told},
};

#[tokio::test]
async fn a_shipped_order_is_written_off_by_an_act_for_each_group() {
    let world = World::new().await;
    let order = order(1, world.now(), &[wine(&[1, 2]), beer(3)]);
    let mut job = Job::new(shipped(&order));
    let way = world.carry(&mut job).await;
    // The check's ticket is not the end: the operation's is.
    assert_eq!(way, ["wait 60s", "wait 60s", "wait 60s", "wait 60s", "done"]);
    assert_eq!(
        told(&job),
        [(Phase::Working, "documents_made"), (Phase::Done, "egais_written_off")]
    );
    let Fact::StatusChanged(last) = &job.told.last().unwrap().fact else { panic!("a status") };
    assert_eq!(
        last.properties["EGAIS_WRITE_OFF"],
        "acme-p1-s9.1-beer-1 (REG-0000000001), acme-p1-s9.1-wine-1 (REG-0000000002)"
    );
    let states = |kind: &str| (kind.to_owned(), "done".to_owned());
    assert_eq!(world.sent(), [states("ActWriteOff_v4"), states("ActWriteOff_v3")]);
    for number in [1, 2] {
        assert_eq!(world.bottle(&mark(number)), ["written off"]);
    }
    {
        let books = world.running.emulator.utm.books();
        assert_eq!(books[crate::world::OWNER].quantities()[F2][0].quantity.to_string(), "3");
    }
    // The bottle's line, product, act and EGAIS's number are on record.
    let row: (i64, String, String, String) = sqlx::query_as(
        "SELECT line_id, alco_code, status, egais_quant_id FROM egais_alcocodes WHERE mark = $1",
    )
    .bind(mark(1))
    .fetch_one(world.tables.pool())
    .await
    .unwrap();
    let wanted = (7, crate::order::WINE.to_owned(), "written_off".to_owned());
    assert_eq!((row.0, row.1, row.2), wanted);
    assert_eq!(row.3, "REG-0000000002");
    // The history of a document can be read.
    let documents = world.egais.store().documents(Some("A-1")).await.unwrap();
    let wine = documents.iter().find(|document| document.kind == "ActWriteOff_v3").unwrap();
    let history: Vec<&str> = wine.history.iter().map(|step| step.state.as_str()).collect();
    let wanted = ["made", "sending", "sent", "check accepted", "operation accepted", "done"];
    assert_eq!(history, wanted);
    // The inbox is empty: what was kept was deleted.
    assert_eq!(world.summary().waiting, 0);
    world.agrees().await;
}

#[tokio::test]
async fn told_again_and_again_changes_nothing() {
    let world = World::new().await;
    let order = order(1, world.now(), &[wine(&[1])]);
    let mut job = Job::new(shipped(&order));
    world.carry(&mut job).await;
    assert_eq!(world.carry(&mut job).await, ["done"]);
    assert_eq!(world.sent().len(), 1);
    world.agrees().await;
}

#[tokio::test]
async fn an_order_without_alcohol_is_none_of_our_business() {
    let world = World::new().await;
    let mut order = order(1, world.now(), &[wine(&[1])]);
    order.lines[0].properties.clear();
    order.lines[0].marks.clear();
    assert_eq!(world.tell(shipped(&order)).await, "done");
    assert_eq!(world.sent(), []);
}

#[tokio::test]
async fn a_lost_receipt_is_looked_for_and_nothing_is_sent_again() {
    for fault in [Kind::Hang, Kind::Reset, Kind::Garbage] {
        let world = World::new().await;
        world.on_post("ActWriteOff_v3", fault);
        let order = order(1, world.now(), &[wine(&[1])]);
        let way = world.carry(&mut Job::new(shipped(&order))).await;
        assert_eq!(way[0], "wait 20s", "{fault:?}");
        assert_eq!(way.last().unwrap(), "done", "{fault:?}: {way:?}");
        assert_eq!(world.sent().len(), 1, "{fault:?}");
        world.agrees().await;
    }
}

#[tokio::test]
async fn a_document_that_did_not_arrive_goes_out_after_the_doubt_where_marks_guard_it() {
    let world = World::new().await;
    world.on_post("ActWriteOff_v3", Kind::HangBefore);
    let order = order(1, world.now(), &[wine(&[1])]);
    let began = world.now();
    let way = world.carry(&mut Job::new(shipped(&order))).await;
    assert_eq!(way.last().unwrap(), "done", "{way:?}");
    assert!(world.now() - began > Duration::from_secs(600));
    let papers = world.papers();
    assert_eq!(papers.len(), 1);
    assert_eq!(papers[0].identity, "acme-p1-s9.1-wine-1");
    world.agrees().await;
}

#[tokio::test]
async fn unmarked_goods_in_doubt_are_for_a_person_who_says_that_they_are_not_there() {
    let world = World::new().await;
    world.on_post("ActWriteOff_v4", Kind::HangBefore);
    let order = order(1, world.now(), &[beer(2)]);
    let mut job = Job::new(shipped(&order));
    let way = world.carry(&mut job).await;
    assert_eq!(way.last().unwrap(), "dead unknown document_unknown", "{way:?}");
    assert_eq!(world.sent(), []);
    job.absent::<egais::Egais>();
    assert_eq!(world.carry(&mut job).await.last().unwrap(), "done");
    assert_eq!(world.sent().len(), 1);
    world.agrees().await;
}

#[tokio::test]
async fn a_person_who_found_the_document_closes_the_job_and_the_books() {
    let world = World::new().await;
    world.on_post("ActWriteOff_v4", Kind::HangBefore);
    let order = order(1, world.now(), &[beer(2)]);
    let mut job = Job::new(shipped(&order));
    world.carry(&mut job).await;
    job.found::<egais::Egais>();
    assert_eq!(world.carry(&mut job).await, ["done"]);
    let status = "SELECT count(*) FROM egais_alcocodes WHERE status = 'written_off'";
    assert_eq!(world.tables.number(status).await, 1);
    assert_eq!(world.sent(), []);
}

#[tokio::test]
async fn a_utm_that_reboots_costs_nothing() {
    let world = World::new().await;
    world.running.emulator.listen(Listen::Closed);
    let order = order(1, world.now(), &[wine(&[1])]);
    let mut job = Job::new(shipped(&order));
    // Connections that were kept open end with the port.
    let mut end = job.run(world.egais.as_ref()).await;
    for _ in 0..50 {
        if matches!(end, End::Down(_)) {
            break;
        }
        end = job.run(world.egais.as_ref()).await;
    }
    assert!(matches!(&end, End::Down(reason) if reason.code == "utm_away"), "{end:?}");
    world.running.emulator.listen(Listen::Open);
    let client = world.egais.utm("office").unwrap();
    while client.health().await.is_err() {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.carry(&mut job).await.last().unwrap(), "done");
    assert_eq!(world.sent().len(), 1);
    world.agrees().await;
}

#[tokio::test]
async fn an_expired_key_stops_the_worker_and_not_the_order() {
    let world = World::with(|file| file, |settings| settings.utm.key_holds = false).await;
    let order = order(1, world.now(), &[wine(&[1])]);
    let mut job = Job::new(shipped(&order));
    let end = job.run(world.egais.as_ref()).await;
    assert!(matches!(&end, End::Down(reason) if reason.code == "utm_key"), "{end:?}");
    world.running.emulator.change(|settings| settings.utm.key_holds = true);
    assert_eq!(world.carry(&mut job).await.last().unwrap(), "done");
    assert_eq!(world.sent().len(), 1);
}

#[tokio::test]
async fn a_utm_that_refuses_is_asked_again_every_ten_minutes_five_times() {
    let world = World::new().await;
    let refusal = Fault::new(System::Utm, Kind::Refusal).on("/opt/in/ActWriteOff_v3").code(1);
    world.fault(refusal.clone().times(4));
    let first = order(1, world.now(), &[wine(&[1])]);
    let way = world.carry(&mut Job::new(shipped(&first))).await;
    assert!(
        way[..4].iter().all(|wait| ["wait 599s", "wait 600s"].contains(&wait.as_str())),
        "{way:?}"
    );
    assert_eq!(way.last().unwrap(), "done");
    world.fault(refusal.times(5));
    let second = order(2, world.now(), &[wine(&[2])]);
    let mut job = Job::new(shipped(&second));
    let way = world.carry(&mut job).await;
    assert_eq!(way.last().unwrap(), "dead document_refused", "{way:?}");
    // A replay is the next revision.
    assert_eq!(world.carry(&mut job).await.last().unwrap(), "done");
    assert_eq!(world.papers().last().unwrap().identity, "acme-p2-s9.1-wine-2");
    world.agrees().await;
}

#[tokio::test]
async fn a_refusal_of_the_utm_is_not_called_egaiss() {
    let world = World::new().await;
    world.fault(Fault::new(System::Utm, Kind::Refusal).on("/opt/in/ActWriteOff_v3").code(1));
    let mut job = Job::new(shipped(&order(1, world.now(), &[wine(&[1])])));
    let mut end = job.run(world.egais.as_ref()).await;
    while let End::Wait(pause) = end {
        world.pass(pause);
        end = job.run(world.egais.as_ref()).await;
    }
    let End::Dead(reason) = end else { panic!("{end:?}") };
    assert!(reason.text.ru.starts_with("УТМ не принял документ"), "{}", reason.text.ru);
    assert!(reason.text.en.starts_with("The UTM refused"), "{}", reason.text.en);
}

#[tokio::test]
async fn a_refusal_of_either_ticket_is_for_a_person_with_egaiss_words() {
    for (fault, words) in
        [(Kind::Expires, "не прошёл проверку"), (Kind::FailsLater, "Операция отклонена")]
    {
        let world = World::new().await;
        world.on_post("ActWriteOff_v3", fault);
        let order = order(1, world.now(), &[wine(&[1])]);
        let mut job = Job::new(shipped(&order));
        let mut end = job.run(world.egais.as_ref()).await;
        while let End::Wait(pause) = end {
            world.pass(pause);
            world.egais.poll("office").await.unwrap();
            end = job.run(world.egais.as_ref()).await;
        }
        let End::Dead(reason) = end else { panic!("{end:?}") };
        assert!(reason.text.ru.contains(words), "{}", reason.text.ru);
        assert_eq!(world.bottle(&mark(1)), Vec::<&str>::new());
        // After the repair a new document goes out, and the bottle is written off once.
        assert_eq!(world.carry(&mut job).await.last().unwrap(), "done");
        assert_eq!(world.bottle(&mark(1)), ["written off"]);
        world.agrees().await;
    }
}

#[tokio::test]
async fn tickets_may_come_twice_and_lists_need_not_name_the_document() {
    let world = World::with(
        |file| file,
        |settings| {
            settings.utm.names_replies = false;
            settings.utm.host = "http://192.168.0.7:8080".to_owned();
        },
    )
    .await;
    world.on_post("ActWriteOff_v3", Kind::Duplicate);
    let order = order(1, world.now(), &[wine(&[1])]);
    assert_eq!(world.tell(shipped(&order)).await, "done");
    assert_eq!(world.tables.number("SELECT count(*) FROM tickets").await, 2);
    world.egais.poll("office").await.unwrap();
    assert_eq!(world.summary().waiting, 0);
    world.agrees().await;
}

#[tokio::test]
async fn silence_is_told_after_a_quarter_of_an_hour_and_after_a_day_and_never_answered_by_sending()
{
    let world = World::new().await;
    world.on_post("ActWriteOff_v3", Kind::Lose);
    let order = order(1, world.now(), &[wine(&[1])]);
    let mut job = Job::new(shipped(&order));
    for _ in 0..30 {
        assert!(matches!(job.run(world.egais.as_ref()).await, End::Wait(_)));
        world.pass(Duration::from_secs(3_600));
        world.egais.poll("office").await.unwrap();
    }
    let codes: Vec<&str> = told(&job).into_iter().map(|(_, code)| code).collect();
    assert_eq!(codes, ["documents_made", "egais_silent", "egais_silent_long"]);
    assert_eq!(world.sent().len(), 1);
}

#[tokio::test]
async fn a_ticket_that_could_not_be_read_is_read_again() {
    for (fault, code) in [(Kind::Garbage, 0), (Kind::Status, 200), (Kind::Status, 500)] {
        let world = World::new().await;
        let fault = Fault::new(System::Utm, fault).on("/opt/out/Ticket").times(2).code(code);
        world.fault(fault);
        let order = order(1, world.now(), &[wine(&[1])]);
        assert_eq!(world.tell(shipped(&order)).await, "done");
        assert_eq!(world.summary().waiting, 0);
        world.agrees().await;
    }
}

#[tokio::test]
async fn a_ticket_that_nobody_here_waits_for_is_left_to_others() {
    let world = World::new().await;
    {
        let mut books = world.running.emulator.utm.books();
        let books = books.entry(crate::world::OWNER.to_owned()).or_default();
        books.put_incoming(
            "WayBill_v4",
            "<Documents><Document><WayBill_v4/></Document></Documents>".to_owned(),
        );
        books.put_incoming("Ticket", "not yet".to_owned());
        books.put_incoming("Ticket", "<!DOCTYPE a><a/>".to_owned());
    }
    for _ in 0..3 {
        assert_eq!(world.egais.poll("office").await.unwrap().unwrap().taken, 0);
    }
    assert_eq!(world.summary().waiting, 3);
}

#[tokio::test]
async fn a_mark_is_used_once() {
    let world = World::new().await;
    let first = order(1, world.now(), &[wine(&[1])]);
    let second = order(2, world.now(), &[wine(&[1])]);
    assert_eq!(world.tell(shipped(&first)).await, "done");
    assert_eq!(world.tell(shipped(&second)).await, "dead mark_used");
    assert_eq!(world.sent().len(), 1);
    world.agrees().await;
}

#[tokio::test]
async fn what_the_order_does_not_say_stops_it() {
    let world = World::new().await;
    let at = world.now();
    let with = |change: &dyn Fn(&mut events::Order)| {
        let mut order = order(1, at, &[wine(&[1])]);
        change(&mut order);
        shipped(&order)
    };
    let property = |name: &'static str, value: &'static str| {
        move |order: &mut events::Order| {
            order.lines[0].properties.insert(name.to_owned(), value.to_owned());
        }
    };
    let without = |name: &'static str| {
        move |order: &mut events::Order| {
            order.lines[0].properties.remove(name);
        }
    };
    type Change<'a> = &'a dyn Fn(&mut events::Order);
    let cases: [(Change<'_>, &str); 9] = [
        // A pack of twenty cans.
        (
            &|order: &mut events::Order| order.lines[0].unit = Some("778".to_owned()),
            "dead unit_unexpected",
        ),
        (&property("EGAIS_GROUP", "vodka"), "dead group_unknown"),
        (&property("EGAIS_GROUP", "beer"), "dead marks_unexpected"),
        (&without("EGAIS_GROUP"), "dead group_unknown"),
        (&without("EGAIS_F2"), "dead form_b_unknown"),
        (&without("ALCCODE"), "dead alc_code_unknown"),
        (&|order: &mut events::Order| order.lines[0].marks.clear(), "dead marks_missing"),
        (
            &|order: &mut events::Order| {
                order.lines[0].marks = vec![events::MarkCode::from_text("рога").unwrap()];
            },
            "dead mark_unreadable",
        ),
        (&|order: &mut events::Order| order.shipments.clear(), "dead shipment_unknown"),
    ];
    for (change, wanted) in cases {
        assert_eq!(world.tell(with(change)).await, wanted);
    }
    assert_eq!(world.sent(), []);
}

#[tokio::test]
async fn goods_are_counted_as_egais_counts_them_or_not_at_all() {
    let draught =
        |file: String| file.replacen("marks = \"none\"", "marks = \"none\"\nunit = \"112\"", 1);
    let draught = World::with(draught, |_| {}).await;
    let pieces = World::new().await;
    for (world, unit, wanted) in [
        (&pieces, None, "done"),
        (&pieces, Some("796"), "done"),
        (&pieces, Some("шт."), "done"),
        (&pieces, Some("778"), "dead unit_unexpected"),
        (&pieces, Some("112"), "dead unit_unexpected"),
        (&draught, Some("112"), "done"),
        (&draught, Some("796"), "dead unit_unexpected"),
        (&draught, None, "dead unit_unexpected"),
    ] {
        let id = u64::try_from(world.sent().len()).unwrap() + 1;
        let mut order = order(id, world.now(), &[beer(2)]);
        order.lines[0].unit = unit.map(str::to_owned);
        assert_eq!(world.tell(shipped(&order)).await, wanted, "{unit:?}");
    }
}

#[tokio::test]
async fn a_return_repeals_the_act_and_the_bottle_may_be_sold_again() {
    let world = World::new().await;
    let first = order(1, world.now(), &[wine(&[1, 2])]);
    assert_eq!(world.tell(shipped(&first)).await, "done");
    assert_eq!(world.tell(returned(&first, 1, &[(7, 2)], &[])).await, "done");
    assert_eq!(world.bottle(&mark(1)), ["written off", "returned"]);
    let second = order(2, world.now(), &[wine(&[1])]);
    assert_eq!(world.tell(shipped(&second)).await, "done");
    world.agrees().await;
}

#[tokio::test]
async fn a_part_of_an_act_is_not_repealed() {
    let world = World::new().await;
    let order = order(1, world.now(), &[wine(&[1, 2])]);
    assert_eq!(world.tell(shipped(&order)).await, "done");
    assert_eq!(world.tell(returned(&order, 1, &[(7, 1)], &[2])).await, "dead act_not_whole");
    assert_eq!(world.bottle(&mark(2)), ["written off"]);
    world.agrees().await;
}

#[tokio::test]
async fn a_cheque_of_return_names_the_bottles_that_the_order_lost() {
    let world = World::new().await;
    let mut goods = wine(&[1, 2, 3]);
    goods.1 = "till";
    let order = order(1, world.now(), &[goods]);
    assert_eq!(world.tell(shipped(&order)).await, "done");
    // Which one of three came back is not said: a person must.
    assert_eq!(world.tell(returned(&order, 1, &[(7, 1)], &[])).await, "dead which_bottle");
    assert_eq!(world.tell(returned(&order, 2, &[(7, 1)], &[2])).await, "done");
    assert_eq!(world.bottle(&mark(2)), ["written off", "returned"]);
    assert_eq!(world.bottle(&mark(1)), ["written off"]);
    // The rest comes back by cancellation.
    assert_eq!(world.tell(cancelled(&order)).await, "done");
    assert_eq!(world.bottle(&mark(3)), ["written off", "returned"]);
    assert_eq!(world.bottle(&mark(2)).len(), 2);
    world.agrees().await;
}

#[tokio::test]
async fn a_cheque_of_return_is_one_of_its_own() {
    let world = World::new().await;
    let mut goods = wine(&[1]);
    goods.1 = "till";
    let order = order(1, world.now(), &[goods]);
    assert_eq!(world.tell(shipped(&order)).await, "done");
    let with = |shift: Option<&str>, number: Option<&str>| {
        let mut order = order.clone();
        for (name, value) in [("EGAIS_BACK_SHIFT", shift), ("EGAIS_BACK_CHEQUE", number)] {
            order.properties.remove(name);
            order.properties.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        }
        returned(&order, 1, &[(7, 1)], &[])
    };
    let mut job = Job::new(with(None, Some("7")));
    for (shift, number, wanted) in [
        (None, Some("7"), "dead receipt_unknown"),
        (Some("13"), None, "dead receipt_unknown"),
        (Some("12"), Some("345"), "dead receipt_same"),
        (Some("13"), Some("345"), "done"),
    ] {
        job.renew(with(shift, number));
        assert_eq!(world.carry(&mut job).await.last().unwrap(), wanted, "{shift:?} {number:?}");
    }
    let body = &world.egais.store().documents(Some("A-1")).await.unwrap()[0].body;
    assert!(body.contains("Возврат") && body.contains("13") && body.contains("345"), "{body}");
    world.agrees().await;
}

#[tokio::test]
async fn beer_comes_back_by_a_charge_once_egais_has_described_it() {
    let world = World::new().await;
    let order = order(1, world.now(), &[beer(3)]);
    assert_eq!(world.tell(shipped(&order)).await, "done");
    let mut job = Job::new(returned(&order, 1, &[(8, 2)], &[]));
    assert_eq!(world.carry(&mut job).await, ["dead product_unknown"]);
    stock(&world).await;
    assert_eq!(world.carry(&mut job).await.last().unwrap(), "done");
    {
        let books = world.running.emulator.utm.books();
        let back = &books[crate::world::OWNER].quantities()[BEER];
        assert_eq!((back[0].what, back[0].quantity.to_string()), ("returned", "2".to_owned()));
    }
    // More than was sold does not come back.
    let mut job = Job::new(returned(&order, 2, &[(8, 2)], &[]));
    assert_eq!(world.carry(&mut job).await.last().unwrap(), "dead not_written_off");
    world.agrees().await;
}

#[tokio::test]
async fn a_return_that_a_person_enters_is_told_and_frees_the_mark() {
    let world = World::new().await;
    let mut goods = wine(&[1]);
    goods.1 = "hand";
    let order = order(1, world.now(), &[goods]);
    assert_eq!(world.tell(shipped(&order)).await, "done");
    let mut job = Job::new(returned(&order, 1, &[(7, 1)], &[1]));
    assert_eq!(world.carry(&mut job).await, ["dead return_by_hand"]);
    assert_eq!(world.carry(&mut job).await, ["done"]);
    assert_eq!(world.sent().len(), 1);
}

#[tokio::test]
async fn a_return_waits_for_the_write_off() {
    let world = World::new().await;
    let order = order(1, world.now(), &[wine(&[1])]);
    let mut sale = Job::new(shipped(&order));
    let mut back = Job::new(returned(&order, 1, &[(7, 1)], &[1]));
    assert!(matches!(back.run(world.egais.as_ref()).await, End::Wait(_)));
    assert!(matches!(sale.run(world.egais.as_ref()).await, End::Wait(_)));
    assert!(matches!(back.run(world.egais.as_ref()).await, End::Wait(_)));
    assert_eq!(world.carry(&mut sale).await.last().unwrap(), "done");
    assert_eq!(world.carry(&mut back).await.last().unwrap(), "done");
    assert_eq!(world.bottle(&mark(1)), ["written off", "returned"]);
    world.agrees().await;
}

#[tokio::test]
async fn killed_at_each_step_it_goes_on_and_sends_once() {
    // After so many steps the process dies, and another one goes on from the saved state.
    for kill in 0..8 {
        let world = World::new().await;
        let order = order(1, world.now(), &[wine(&[1]), beer(1)]);
        let event = shipped(&order);
        let mut job = Job::new(event);
        let mut end = None;
        for _ in 0..kill {
            end = job.step(world.egais.as_ref()).await;
            if end.is_some() {
                break;
            }
        }
        drop(end);
        let next = world.another();
        let way = world.carry_with(&next, &mut job).await;
        let last = way.last().unwrap();
        if last == "dead unknown document_unknown" {
            // Written ahead and never sent: for beer nobody but a person can know.
            job.absent::<egais::Egais>();
            assert_eq!(world.carry_with(&next, &mut job).await.last().unwrap(), "done");
        } else {
            assert_eq!(last, "done", "after {kill}: {way:?}");
        }
        assert_eq!(world.sent().len(), 2, "after {kill}");
        world.agrees().await;
    }
}

/// EGAIS's stock of wine and beer comes in.
pub(crate) async fn stock(world: &World) {
    let rest = |code: &str, f2: Option<&str>, quantity: u32| emulator::utm::Rest {
        alc_code: code.to_owned(),
        name: format!("Товар {code}"),
        f1: f2.map(|_| "FA-000000099999901".to_owned()),
        f2: f2.map(str::to_owned),
        quantity: quantity.into(),
    };
    world
        .running
        .emulator
        .utm
        .books()
        .entry(crate::world::OWNER.to_owned())
        .or_default()
        .put_rests(vec![rest(crate::order::WINE, Some(F2), 12)], vec![rest(BEER, None, 20)]);
    assert!(world.egais.ask_rests("office").await.unwrap());
    for _ in 0..4 {
        world.egais.poll("office").await.unwrap();
    }
}
