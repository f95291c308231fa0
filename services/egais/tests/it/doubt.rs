//! What could double a write-off or lose one: doubts, mended orders, facts that overtake each other, inboxes that are
//! ill.

use std::time::Duration;

use emulator::{Fault, Kind, System};
use events::{Event, Fact, Order, ShipmentFact};
use runtime::testing::{End, Job};

use crate::{
    order::{Goods, beer, cancelled, mark, order, returned, shipped, wine},
    story::stock,
    world::{OWNER, World, told},
};

/// Beer and another group without marks.
fn ale() -> Goods {
    Goods(9, "ale", 1, 12_000, Vec::new())
}

/// The same shipment leaves once more after it was undone.
fn shipped_anew(order: &Order) -> Event {
    let mut order = order.clone();
    order.updated_at += time::Duration::minutes(5);
    let at = order.updated_at;
    let fact = ShipmentFact { order, shipment: 9, occurrence: 2 };
    Event::new(Fact::OrderShipped(Box::new(fact)), at)
}

#[tokio::test]
async fn what_a_person_finds_out_is_about_the_one_document_that_he_was_asked_about() {
    let world = World::new().await;
    let path = "/opt/in/ActWriteOff_v4";
    world.fault(Fault::new(System::Utm, Kind::HangBefore).on(path).times(2));
    let mut job = Job::new(shipped(&order(1, world.now(), &[beer(2), ale()])));
    // Neither arrived; he is asked for the first, and says that it is there.
    assert_eq!(world.carry(&mut job).await.last().unwrap(), "dead unknown document_unknown");
    job.found::<egais::Egais>();
    assert_eq!(world.carry(&mut job).await.last().unwrap(), "dead unknown document_unknown");
    job.absent::<egais::Egais>();
    assert_eq!(world.carry(&mut job).await.last().unwrap(), "done");
    let names: Vec<String> = world.papers().into_iter().map(|sent| sent.identity).collect();
    assert_eq!(names, ["acme-p1-s9.1-beer-1"]);
}

#[tokio::test]
async fn a_document_refused_after_a_doubt_goes_out_anew_once_a_person_has_not_found_the_first() {
    let world = World::new().await;
    world.on_post("ActWriteOff_v3", Kind::HangBefore);
    world.fault(Fault::new(System::Utm, Kind::Expires).on("/opt/in/ActWriteOff_v3").times(1));
    let mut job = Job::new(shipped(&order(1, world.now(), &[wine(&[1])])));
    assert_eq!(world.carry(&mut job).await.last().unwrap(), "dead unknown document_refused_again");
    job.absent::<egais::Egais>();
    assert_eq!(world.carry(&mut job).await.last().unwrap(), "dead document_refused");
    assert_eq!(world.carry(&mut job).await.last().unwrap(), "done");
    assert_eq!(world.bottle(&mark(1)), ["written off"]);
    world.agrees().await;
}

#[tokio::test]
async fn a_cancellation_that_overtakes_the_shipment_keeps_it_from_being_written_off() {
    let world = World::new().await;
    let order = order(1, world.now(), &[wine(&[1])]);
    assert_eq!(world.tell(cancelled(&order)).await, "done");
    assert_eq!(world.tell(shipped(&order)).await, "done");
    assert_eq!(world.sent(), []);
    // What leaves after that is written off.
    assert_eq!(world.tell(shipped_anew(&order)).await, "done");
    assert_eq!(world.bottle(&mark(1)), ["written off"]);
    world.agrees().await;
}

#[tokio::test]
async fn an_order_that_is_cancelled_and_whose_shipment_is_undone_comes_back_once() {
    for cancel_first in [true, false] {
        let world = World::new().await;
        let order = order(1, world.now(), &[wine(&[1, 2])]);
        assert_eq!(world.tell(shipped(&order)).await, "done");
        // Both come of one look at the order.
        let mut now = order.clone();
        now.canceled = true;
        let mut both = [cancelled(&order), returned(&now, 1, &[(7, 2)], &[])];
        if !cancel_first {
            both.reverse();
        }
        for event in both {
            assert_eq!(world.tell(event).await, "done", "cancel first: {cancel_first}");
        }
        assert_eq!(world.bottle(&mark(1)), ["written off", "returned"]);
        world.agrees().await;
    }
}

#[tokio::test]
async fn a_bottle_that_came_back_leaves_anew_with_the_same_order() {
    let world = World::new().await;
    let order = order(1, world.now(), &[wine(&[1])]);
    assert_eq!(world.tell(shipped(&order)).await, "done");
    // The second leaving may be heard of before the return.
    let mut anew = Job::new(shipped_anew(&order));
    assert!(matches!(anew.run(world.egais.as_ref()).await, End::Wait(_)));
    assert_eq!(world.tell(returned(&order, 1, &[(7, 1)], &[])).await, "done");
    assert_eq!(world.carry(&mut anew).await.last().unwrap(), "done");
    assert_eq!(world.bottle(&mark(1)), ["written off", "returned", "written off"]);
    world.agrees().await;
}

#[tokio::test]
async fn what_a_mended_order_names_no_more_is_free_again() {
    let world = World::new().await;
    assert_eq!(world.tell(shipped(&order(2, world.now(), &[wine(&[2])]))).await, "done");
    let till = |number: usize| Goods(7, "till", 1, 99_500, vec![number]);
    let bottle = |number: usize| Goods(9, "wine", 1, 99_500, vec![number]);
    let wrong = order(1, world.now(), &[till(1), bottle(2)]);
    let mut job = Job::new(shipped(&wrong));
    assert_eq!(world.carry(&mut job).await, ["dead mark_used"]);
    job.renew(shipped(&order(1, world.now(), &[till(3), bottle(4)])));
    assert_eq!(world.carry(&mut job).await.last().unwrap(), "done");
    assert_eq!(world.tables.number("SELECT count(*) FROM egais_alcocodes").await, 3);
    world.agrees().await;
    // The bottle that the order named by mistake is sold with another one.
    assert_eq!(world.tell(shipped(&order(3, world.now(), &[wine(&[1])]))).await, "done");
    world.agrees().await;
}

#[tokio::test]
async fn a_line_that_left_in_two_parts_comes_back_whole() {
    let world = World::new().await;
    stock(&world).await;
    let mut order = order(1, world.now(), &[beer(3)]);
    let part = |units: u64| vec![(8, events::Quantity::from_units(units))];
    let mut second = order.shipments[0].clone();
    (order.shipments[0].items, second.id, second.items) = (part(1), 10, part(2));
    order.shipments.push(second);
    assert_eq!(world.tell(shipped(&order)).await, "done");
    let fact = ShipmentFact { order: order.clone(), shipment: 10, occurrence: 1 };
    let event = Event::new(Fact::OrderShipped(Box::new(fact)), world.now());
    assert_eq!(world.tell(event).await, "done");
    assert_eq!(world.tell(returned(&order, 1, &[(8, 3)], &[])).await, "done");
    let back =
        "SELECT count(*) FROM egais_alcocodes WHERE status = 'returned' AND returned = quantity";
    assert_eq!(world.tables.number(back).await, 2);
}

#[tokio::test]
async fn a_return_of_which_a_part_was_refused_is_finished_by_a_replay() {
    let world = World::new().await;
    stock(&world).await;
    let till = Goods(7, "till", 1, 99_500, vec![1]);
    let order = order(1, world.now(), &[till, beer(3)]);
    assert_eq!(world.tell(shipped(&order)).await, "done");
    world.on_post("ChequeV3", Kind::FailsLater);
    let mut job = Job::new(returned(&order, 1, &[(7, 1), (8, 2)], &[1]));
    assert_eq!(world.carry(&mut job).await.last().unwrap(), "dead document_refused");
    assert_eq!(world.carry(&mut job).await.last().unwrap(), "done");
    assert_eq!(world.bottle(&mark(1)), ["written off", "returned"]);
    {
        let books = world.running.emulator.utm.books();
        assert_eq!(
            books[OWNER].quantities()[crate::order::BEER].len(),
            1,
            "the beer came back once"
        );
    }
    world.agrees().await;
}

/// A ticket that says all and does not name the UTM's document.
fn bare_ticket(identity: &str) -> String {
    format!(
        "<n:Documents xmlns:n=\"n\"><n:Document><n:Ticket><n:Identity>{identity}</n:Identity><n:TransportId/>\
         <n:RegID>REG-{identity}</n:RegID><n:Result><n:Conclusion>Accepted</n:Conclusion></n:Result>\
         <n:OperationResult><n:OperationResult>Accepted</n:OperationResult></n:OperationResult>\
         </n:Ticket></n:Document></n:Documents>"
    )
}

#[tokio::test]
async fn tickets_that_do_not_name_the_utms_document_are_each_kept() {
    let world = World::new().await;
    world.fault(Fault::new(System::Utm, Kind::Lose).on("/opt/in/ActWriteOff_v3"));
    let mut jobs: Vec<Job> = [1, 2]
        .map(|n| Job::new(shipped(&order(n, world.now(), &[wine(&[usize::try_from(n).unwrap()])]))))
        .into();
    for job in &mut jobs {
        assert!(matches!(job.run(world.egais.as_ref()).await, End::Wait(_)));
    }
    for n in [1, 2] {
        let ticket = bare_ticket(&format!("acme-p{n}-s9.1-wine-1"));
        world.running.emulator.utm.books().get_mut(OWNER).unwrap().put_incoming("Ticket", ticket);
    }
    for job in &mut jobs {
        assert_eq!(world.carry(job).await.last().unwrap(), "done");
    }
}

#[tokio::test]
async fn a_document_that_the_utm_never_gives_out_is_in_nobodys_way() {
    let world = World::new().await;
    let waybill = "<Documents><Document><WayBill_v4/></Document></Documents>".to_owned();
    {
        let mut books = world.running.emulator.utm.books();
        books.entry(OWNER.to_owned()).or_default().put_incoming("WayBill_v4", waybill);
    }
    world.fault(Fault::new(System::Utm, Kind::Hang).on("/opt/out/WayBill_v4"));
    let order = order(1, world.now(), &[wine(&[1])]);
    assert_eq!(world.tell(shipped(&order)).await, "done");
    world.agrees().await;
}

#[tokio::test]
async fn what_could_not_be_read_before_a_document_was_sent_does_not_prolong_its_doubt() {
    let world = World::new().await;
    {
        let mut books = world.running.emulator.utm.books();
        let books = books.entry(OWNER.to_owned()).or_default();
        books.put_incoming("Ticket", "<!DOCTYPE a><a/>".to_owned());
    }
    assert_eq!(world.egais.poll("office").await.unwrap().unwrap().later, 1);
    world.pass(Duration::from_secs(60));
    world.on_post("ActWriteOff_v3", Kind::HangBefore);
    let began = world.now();
    let order = order(1, world.now(), &[wine(&[1])]);
    assert_eq!(world.tell(shipped(&order)).await, "done");
    assert!(world.now() - began < Duration::from_secs(900), "{}", world.now() - began);
    world.agrees().await;
}

#[tokio::test]
async fn what_cannot_be_read_after_a_document_was_sent_is_for_a_person_and_not_for_the_next_day() {
    let world = World::new().await;
    world.on_post("ActWriteOff_v3", Kind::HangBefore);
    let began = world.now();
    let mut job = Job::new(shipped(&order(1, world.now(), &[wine(&[1])])));
    assert!(matches!(job.run(world.egais.as_ref()).await, End::Wait(_)));
    world.pass(Duration::from_secs(60));
    {
        let mut books = world.running.emulator.utm.books();
        let books = books.entry(OWNER.to_owned()).or_default();
        books.put_incoming("Ticket", "<!DOCTYPE a><a/>".to_owned());
    }
    assert_eq!(world.carry(&mut job).await.last().unwrap(), "dead unknown document_unknown");
    assert!(world.now() - began < Duration::from_secs(3_600), "{}", world.now() - began);
    assert_eq!(world.sent(), []);
}

#[tokio::test]
async fn a_utm_with_another_organisations_key_is_sent_nothing() {
    let other = "fsrar_id = \"030000000001\"";
    let fsrar_id = format!("fsrar_id = \"{OWNER}\"");
    let world = World::with(|file| file.replace(&fsrar_id, other), |_| {}).await;
    let mut job = Job::new(shipped(&order(1, world.now(), &[wine(&[1])])));
    let end = job.run(world.egais.as_ref()).await;
    assert!(matches!(&end, End::Down(reason) if reason.code == "utm_stranger"), "{end:?}");
    assert_eq!(world.summary().violations.violation_count, 0);
}

#[tokio::test]
async fn a_restart_while_the_utm_is_away_leaves_nothing_in_doubt() {
    let world = World::new().await;
    world.fault(Fault::new(System::Utm, Kind::Refuse).times(1));
    let mut job = Job::new(shipped(&order(1, world.now(), &[beer(1)])));
    assert!(matches!(job.run(world.egais.as_ref()).await, End::Down(_)));
    let next = world.another();
    assert_eq!(world.carry_with(&next, &mut job).await.last().unwrap(), "done");
    assert_eq!(world.sent().len(), 1);
}

#[tokio::test]
async fn a_utm_that_hangs_is_found_out_before_a_document_is_sent() {
    let world = World::new().await;
    world.fault(Fault::new(System::Utm, Kind::HangBefore).on("/diagnosis").times(1));
    let mut job = Job::new(shipped(&order(1, world.now(), &[beer(1)])));
    let end = job.run(world.egais.as_ref()).await;
    assert!(matches!(&end, End::Down(reason) if reason.code == "utm_away"), "{end:?}");
    assert_eq!(world.carry(&mut job).await.last().unwrap(), "done");
    assert_eq!(world.sent().len(), 1);
}

#[tokio::test]
async fn a_document_that_never_gets_through_is_sent_five_times_and_then_a_person_is_told() {
    for (fault, code) in [(Kind::Status, 404), (Kind::HangBefore, 1)] {
        let world = World::new().await;
        let fault = Fault::new(System::Utm, fault).on("/opt/in/ActWriteOff_v3").code(code);
        world.fault(fault.clone());
        let began = world.now();
        let mut job = Job::new(shipped(&order(1, world.now(), &[wine(&[1])])));
        let way = world.carry(&mut job).await;
        assert_eq!(way.last().unwrap(), "dead unknown document_unknown", "{code}: {way:?}");
        assert!(world.now() - began < Duration::from_secs(2 * 3_600), "{}", world.now() - began);
        let struck = world.running.emulator.faults.standing()[0].struck;
        assert_eq!(struck, 5, "{code}");
        // The shop hears of the silence although nothing is known to have been sent.
        let codes: Vec<&str> = told(&job).into_iter().map(|(_, code)| code).collect();
        assert_eq!(codes, ["documents_made", "egais_silent"], "{code}");
        // Once the UTM is mended, a person's word brings it on its way.
        world.running.emulator.faults.clear();
        job.absent::<egais::Egais>();
        assert_eq!(world.carry(&mut job).await.last().unwrap(), "done");
        world.agrees().await;
    }
}

#[tokio::test]
async fn a_ticket_that_came_after_a_person_was_asked_outweighs_what_he_says() {
    let world = World::new().await;
    // Its receipt is lost, and the UTM forgets what it has sent.
    world.fault(Fault::new(System::Utm, Kind::Hang).on("/opt/in/ActWriteOff_v4").times(1));
    let list = Fault {
        body: Some("<A><ver>2</ver></A>".to_owned()),
        ..Fault::new(System::Utm, Kind::Status)
    };
    world.fault(list.on("/opt/in").code(200));
    world.running.emulator.change(|settings| settings.utm.looks = 1_000);
    let mut job = Job::new(shipped(&order(1, world.now(), &[beer(2)])));
    assert_eq!(world.carry(&mut job).await.last().unwrap(), "dead unknown document_unknown");
    // EGAIS answers late; the person has looked before that.
    let ticket = bare_ticket("acme-p1-s9.1-beer-1");
    world.running.emulator.utm.books().get_mut(OWNER).unwrap().put_incoming("Ticket", ticket);
    world.egais.poll("office").await.unwrap();
    job.absent::<egais::Egais>();
    assert_eq!(world.carry(&mut job).await.last().unwrap(), "done");
    assert_eq!(world.papers().len(), 1, "nothing is sent twice");
}

#[tokio::test]
async fn what_a_person_did_not_find_is_looked_for_once_more_before_it_is_sent() {
    let world = World::new().await;
    world.on_post("ActWriteOff_v4", Kind::Hang);
    let list = Fault {
        body: Some("<A><ver>2</ver></A>".to_owned()),
        ..Fault::new(System::Utm, Kind::Status)
    };
    world.fault(list.on("/opt/in").code(200));
    world.running.emulator.change(|settings| settings.utm.looks = 1_000);
    let mut job = Job::new(shipped(&order(1, world.now(), &[beer(2)])));
    assert_eq!(world.carry(&mut job).await.last().unwrap(), "dead unknown document_unknown");
    // The UTM shows it after all.
    world.running.emulator.faults.clear();
    job.absent::<egais::Egais>();
    assert!(matches!(job.run(world.egais.as_ref()).await, End::Wait(_)));
    assert_eq!(world.papers().len(), 1, "nothing is sent twice");
}

/// A bottle whose return a person enters, and beer that comes back by a charge.
async fn half_by_hand(world: &World) -> Order {
    let order = order(1, world.now(), &[Goods(7, "hand", 1, 99_500, vec![1]), beer(3)]);
    assert_eq!(world.tell(shipped(&order)).await, "done");
    order
}

#[tokio::test]
async fn a_return_half_by_hand_goes_on_after_its_document_could_not_be_made() {
    let world = World::new().await;
    let order = half_by_hand(&world).await;
    let mut job = Job::new(returned(&order, 1, &[(7, 1), (8, 2)], &[1]));
    assert_eq!(world.carry(&mut job).await, ["dead product_unknown"]);
    stock(&world).await;
    assert_eq!(world.carry(&mut job).await.last().unwrap(), "dead return_by_hand");
    assert_eq!(world.carry(&mut job).await, ["done"]);
    {
        let books = world.running.emulator.utm.books();
        assert_eq!(books[OWNER].quantities()[crate::order::BEER].len(), 1);
    }
    let back =
        "SELECT count(*) FROM egais_alcocodes WHERE status = 'returned' AND mark IS NOT NULL";
    assert_eq!(world.tables.number(back).await, 1);
}

#[tokio::test]
async fn a_cancellation_half_by_hand_tells_the_person_also_after_its_document_could_not_be_made() {
    let world = World::new().await;
    let order = half_by_hand(&world).await;
    let mut job = Job::new(cancelled(&order));
    assert_eq!(world.carry(&mut job).await, ["dead product_unknown"]);
    stock(&world).await;
    assert_eq!(world.carry(&mut job).await.last().unwrap(), "dead return_by_hand");
    assert_eq!(world.carry(&mut job).await, ["done"]);
    let back = "SELECT count(*) FROM egais_alcocodes WHERE status = 'returned'";
    assert_eq!(world.tables.number(back).await, 2);
}

#[tokio::test]
async fn a_part_by_hand_is_noted_once_however_often_the_process_dies() {
    for kill in 0..6 {
        let world = World::new().await;
        stock(&world).await;
        let order = order(1, world.now(), &[ale(), beer(3)]);
        assert_eq!(world.tell(shipped(&order)).await, "done");
        let mut job = Job::new(cancelled(&order));
        for _ in 0..kill {
            job.step(world.egais.as_ref()).await;
        }
        let next = world.another();
        // A step whose state was not saved is done once more.
        job.clone().step(next.as_ref()).await;
        let mut way = world.carry_with(&next, &mut job).await;
        while way.last().unwrap() == "dead unknown document_unknown" {
            job.absent::<egais::Egais>();
            way = world.carry_with(&next, &mut job).await;
        }
        assert!(["dead return_by_hand", "done"].contains(&way.last().unwrap().as_str()), "{way:?}");
        let back = "SELECT count(*) FROM egais_alcocodes WHERE status = 'returned' AND returned = quantity";
        assert_eq!(world.tables.number(back).await, 2, "after {kill}: {way:?}");
    }
}

#[tokio::test]
async fn a_restart_while_another_one_sends_leaves_nothing_in_doubt() {
    let world = World::new().await;
    let store = world.egais.store();
    let turn = store.turn("office", egais::store::Task::Send, Duration::from_secs(600)).await;
    let turn = turn.unwrap().unwrap();
    let mut job = Job::new(shipped(&order(1, world.now(), &[beer(1)])));
    assert!(matches!(job.run(world.egais.as_ref()).await, End::Wait(_)));
    store.give_back(turn).await.unwrap();
    let next = world.another();
    assert_eq!(world.carry_with(&next, &mut job).await.last().unwrap(), "done");
    assert_eq!(world.sent().len(), 1);
}

#[tokio::test]
async fn a_restart_after_the_key_was_refused_leaves_nothing_in_doubt() {
    let world = World::new().await;
    let fault = Fault::new(System::Utm, Kind::Status).on("/opt/in/ActWriteOff_v4");
    world.fault(fault.times(1).code(403));
    let mut job = Job::new(shipped(&order(1, world.now(), &[beer(1)])));
    let end = job.run(world.egais.as_ref()).await;
    assert!(matches!(&end, End::Down(reason) if reason.code == "utm_key"), "{end:?}");
    let next = world.another();
    assert_eq!(world.carry_with(&next, &mut job).await.last().unwrap(), "done");
    assert_eq!(world.sent().len(), 1);
}

#[tokio::test]
async fn a_refusal_of_the_utm_is_known_although_it_goes_away_right_after() {
    let world = World::new().await;
    world.on_post("ActWriteOff_v4", Kind::Refusal);
    world.fault(Fault::new(System::Utm, Kind::HangBefore).on("/diagnosis").after(1).times(1));
    let mut job = Job::new(shipped(&order(1, world.now(), &[ale(), beer(1)])));
    assert_eq!(world.carry(&mut job).await.last().unwrap(), "done");
    assert_eq!(world.sent().len(), 2);
}

#[tokio::test]
async fn documents_that_cannot_be_read_do_not_end_a_look_however_many() {
    let world = World::new().await;
    {
        let mut books = world.running.emulator.utm.books();
        let books = books.entry(OWNER.to_owned()).or_default();
        for _ in 0..5 {
            books.put_incoming("Ticket", "<!DOCTYPE a><a/>".to_owned());
        }
    }
    for _ in 0..2 {
        assert_eq!(world.egais.poll("office").await.unwrap().unwrap().later, 5);
    }
    world.pass(Duration::from_secs(60));
    // What is known of the inbox lets a document that got lost go out anew.
    world.on_post("ActWriteOff_v3", Kind::HangBefore);
    let mut job = Job::new(shipped(&order(1, world.now(), &[wine(&[1])])));
    assert_eq!(world.carry(&mut job).await.last().unwrap(), "done");
    world.agrees().await;
}

#[tokio::test]
async fn a_utm_that_gives_out_nothing_is_left_alone_until_the_next_look() {
    let world = World::new().await;
    {
        let mut books = world.running.emulator.utm.books();
        let books = books.entry(OWNER.to_owned()).or_default();
        for _ in 0..5 {
            books.put_incoming("Ticket", "<!DOCTYPE a><a/>".to_owned());
        }
    }
    world.fault(Fault::new(System::Utm, Kind::Reset).on("/opt/out/Ticket"));
    assert!(world.egais.poll("office").await.is_err());
    assert_eq!(world.running.emulator.faults.standing()[0].struck, 3);
}

#[tokio::test]
async fn a_utm_that_shows_its_list_slowly_takes_no_longer_than_a_step_may() {
    let world = World::new().await;
    // Ten documents of another program, each of which takes the UTM long to show.
    let client = world.egais.utm("office").unwrap();
    let theirs = |number: usize| {
        format!(
            "<ns:Documents xmlns:ns=\"n\"><ns:Owner><ns:FSRAR_ID>{OWNER}</ns:FSRAR_ID></ns:Owner><ns:Document>\
             <ns:ActWriteOff_v3><ns:Identity>{number}</ns:Identity></ns:ActWriteOff_v3></ns:Document></ns:Documents>"
        )
    };
    world.running.emulator.change(|settings| settings.utm.xsd = None);
    for number in 0..10 {
        client.post(egais::documents::Kind::ActWriteOffV3, &theirs(number)).await.unwrap();
    }
    world.on_post("ActWriteOff_v3", Kind::HangBefore);
    let mut job = Job::new(shipped(&order(1, world.now(), &[wine(&[1])])));
    assert!(matches!(job.run(world.egais.as_ref()).await, End::Wait(_)));
    let slow = Fault { ms: Some(700), ..Fault::new(System::Utm, Kind::Slow) };
    world.fault(slow.on("/opt/in/ActWriteOff_v3"));
    let began = std::time::Instant::now();
    assert!(matches!(job.run(world.egais.as_ref()).await, End::Wait(_)));
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    let config = crate::world::config(&[]);
    assert!(egais::config::fits(&config, Duration::from_secs(48)).is_ok());
    assert!(egais::config::fits(&config, Duration::from_secs(24)).is_err());
}

#[tokio::test]
async fn what_a_person_found_has_egaiss_number_where_a_ticket_came_meanwhile() {
    let world = World::new().await;
    world.on_post("ActWriteOff_v4", Kind::HangBefore);
    let mut job = Job::new(shipped(&order(1, world.now(), &[beer(2)])));
    assert_eq!(world.carry(&mut job).await.last().unwrap(), "dead unknown document_unknown");
    let ticket = bare_ticket("acme-p1-s9.1-beer-1");
    world.running.emulator.utm.books().get_mut(OWNER).unwrap().put_incoming("Ticket", ticket);
    world.egais.poll("office").await.unwrap();
    job.found::<egais::Egais>();
    assert_eq!(world.carry(&mut job).await, ["done"]);
    let number: Option<String> = sqlx::query_scalar("SELECT egais_quant_id FROM egais_alcocodes")
        .fetch_one(world.tables.pool())
        .await
        .unwrap();
    assert_eq!(number.as_deref(), Some("REG-acme-p1-s9.1-beer-1"));
}
