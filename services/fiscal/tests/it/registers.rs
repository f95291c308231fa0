//! ATOL Online, OrangeData and the brief's contract: the same faults, the same promise.

use std::time::Duration;

use emulator::{
    Fault, Kind, System,
    settings::Notify,
    till::{Receipt, Summary},
};
use events::MarkCode;
use fiscal::{receipt::Rules, registers::RegisterName};
use runtime::{Class, testing::End};

use crate::{
    order::{order, priced, rules_with},
    world::{Changes, World, dead, job},
};

/// A register: its name, and the version of ATOL's interface.
type Own = (RegisterName, &'static str);

const ATOL: Own = (RegisterName::Atol, "v5");
const ATOL_V4: Own = (RegisterName::Atol, "v4");
const ORANGEDATA: Own = (RegisterName::OrangeData, "v5");
const CLOUDKASSIR_V1: Own = (RegisterName::CloudKassirV1, "v5");

/// The registers with the emulator's names for them, and where documents are made.
const ALL: [(Own, System, &str); 4] = [
    (ATOL, System::Atol, "/v5/group/sell"),
    (ATOL_V4, System::Atol, "/v4/group/sell"),
    (ORANGEDATA, System::OrangeData, "/api/v2/documents/"),
    (CLOUDKASSIR_V1, System::CloudKassirV1, "/receipts"),
];

fn rules() -> Rules {
    rules_with("seller_email = 'shop@acme.example'")
}

async fn world((register, version): Own) -> World {
    let timeout = Some(Duration::from_millis(1500));
    let changes = Changes { register, timeout, rules: Some(rules()), ..Changes::default() };
    World::with(Changes { atol_version: Some(version), ..changes }).await
}

fn books(world: &World, system: System) -> (Summary, Vec<Receipt>) {
    let till = world.emulator.emulator.till(system).unwrap();
    (till.summary(), till.books().receipts().to_vec())
}

/// The only receipt that is a fiscal document, and that the register had nothing to complain about.
fn only(world: &World, system: System) -> Receipt {
    let (summary, receipts) = books(world, system);
    assert_eq!((summary.receipts, summary.processed), (1, 1), "{summary:?}");
    assert_eq!(summary.violations.violation_count, 0, "{summary:?}");
    receipts.into_iter().find(|receipt| receipt.fiscal.is_some()).unwrap()
}

#[tokio::test]
async fn a_paid_order_gets_its_receipt_at_each_register() {
    for (register, system, _) in ALL {
        let world = world(register).await;
        let mut job = job(order());
        assert_eq!(world.carry(&mut job).await, ["wait 5s", "wait 10s", "done"], "{register:?}");
        let receipt = only(&world, system);
        assert_eq!(receipt.total_kopecks, 148_100);
        assert_eq!(receipt.positions.len(), 2);
        let done = crate::world::statuses(&job).pop().unwrap().clone();
        let fiscal = receipt.fiscal.unwrap();
        assert_eq!(done.properties["CLOUDKASSIR_FD"], fiscal.document.to_string());
        assert_eq!(done.properties["CLOUDKASSIR_FPD"], fiscal.sign.to_string());
        assert_eq!(world.carry(&mut job).await, ["done"], "told again");
    }
}

/// Each register has numbers and words of its own; the same number means different things.
#[tokio::test]
async fn kinds_of_money_and_rates_are_each_registers_own() {
    let mut order = order();
    order.payments[0].system = Some(5);
    for (register, system, cash, electronic, vat) in [
        (ATOL, System::Atol, "0", "1", "vat22"),
        (ATOL_V4, System::Atol, "0", "1", "vat22"),
        (ORANGEDATA, System::OrangeData, "1", "2", "11"),
        (CLOUDKASSIR_V1, System::CloudKassirV1, "1", "2", "vat22"),
    ] {
        let world = world(register).await;
        world.carry(&mut job(order.clone())).await;
        let receipt = only(&world, system);
        assert_eq!(receipt.payments, [(cash.to_owned(), 148_100)]);
        assert_eq!(receipt.positions[0].vat, vat);
        let mut card = crate::order::order();
        card.key.id = 7;
        world.carry(&mut job(card)).await;
        let (_, receipts) = books(&world, system);
        assert_eq!(receipts[1].payments, [(electronic.to_owned(), 148_100)]);
    }
}

#[tokio::test]
async fn whatever_becomes_of_the_answer_there_is_one_receipt() {
    let apply = |kind, apply| {
        move |system| {
            let mut fault = Fault::new(system, kind);
            fault.apply = apply;
            if kind == Kind::Status { fault.code(500) } else { fault }
        }
    };
    let kinds: [Box<dyn Fn(System) -> Fault>; 8] = [
        Box::new(apply(Kind::Hang, None)),
        Box::new(apply(Kind::HangBefore, None)),
        Box::new(apply(Kind::Reset, Some(true))),
        Box::new(apply(Kind::Reset, Some(false))),
        Box::new(apply(Kind::Garbage, Some(true))),
        Box::new(apply(Kind::Garbage, Some(false))),
        Box::new(apply(Kind::Status, Some(true))),
        Box::new(apply(Kind::Status, Some(false))),
    ];
    for (register, system, path) in ALL {
        for fault in &kinds {
            let world = world(register).await;
            let fault = fault(system).on(path).times(1);
            let shown = format!("{register:?} {fault:?}");
            world.fault(fault);
            let way = world.carry(&mut job(order())).await;
            assert!(way[0].starts_with("retry "), "{shown}: {way:?}");
            assert_eq!(way.last().unwrap(), "done", "{shown}: {way:?}");
            only(&world, system);
        }
    }
}

/// A document that is known under our name is ours: error 33, 409, the same id.
#[tokio::test]
async fn a_day_after_a_lost_answer_the_first_document_is_found_again() {
    for (register, system, path) in ALL {
        let world = world(register).await;
        world.fault(Fault::new(system, Kind::Reset).on(path).times(1));
        let mut job = job(order());
        assert!(matches!(job.run(&*world.fiscal).await, End::Retry(..)));
        world.pass(Duration::from_secs(25 * 3600));
        assert_eq!(world.carry(&mut job).await.last().unwrap(), "done");
        // OrangeData is asked by the document's id before anything is sent again.
        let requested = if system == System::OrangeData { 1 } else { 2 };
        assert_eq!(only(&world, system).requested, requested, "{register:?}");
    }
}

#[tokio::test]
async fn a_refusal_after_a_lost_answer_settles_nothing() {
    for (register, system, path) in ALL {
        for apply in [true, false] {
            let world = world(register).await;
            let reset = Fault::new(system, Kind::Reset).on(path).times(1);
            world.fault(Fault { apply: Some(apply), ..reset });
            world.fault(Fault::new(system, Kind::Refusal).on(path).code(32).times(1));
            let mut job = job(order());
            let way = world.carry(&mut job).await;
            let found = system == System::OrangeData && apply;
            let end = if found { "done" } else { "dead receipt_unknown" };
            assert_eq!(way.last().unwrap(), end, "{register:?} {apply}: {way:?}");
            assert_eq!(world.carry(&mut job).await.last().unwrap(), "done", "{register:?} {apply}");
            only(&world, system);
        }
    }
}

/// OrangeData's 400 for a wrong signature is about the key that signed this sending.
#[tokio::test]
async fn a_signing_key_that_changed_between_two_sendings_makes_no_second_receipt() {
    for apply in [true, false] {
        let world = world(ORANGEDATA).await;
        let reset = Fault::new(System::OrangeData, Kind::Reset).on("/api/v2/documents/").times(1);
        world.fault(Fault { apply: Some(apply), ..reset });
        let mut job = job(order());
        assert!(matches!(job.run(&*world.fiscal).await, End::Retry(..)));
        world.pass(Duration::from_secs(60));
        let mistaken = world.signing_with(include_str!("../vectors/other_signing_key.pem"));
        let way = world.carry_with(&mistaken, &mut job).await;
        let end = if apply { "done" } else { "dead receipt_unknown" };
        assert_eq!(way.last().unwrap(), end, "{way:?}");
        assert_eq!(world.carry(&mut job).await.last().unwrap(), "done");
        let (summary, receipts) = books(&world, System::OrangeData);
        assert_eq!((summary.receipts, summary.processed), (1, 1), "{summary:?}");
        assert_eq!(receipts[0].requested, 1);
    }
}

#[tokio::test]
async fn a_register_that_asks_for_patience_gets_it() {
    for (register, system, path) in ALL {
        let code = if system == System::OrangeData { 503 } else { 429 };
        let world = world(register).await;
        let mut fault = Fault::new(system, Kind::Status).on(path).code(code).times(2);
        fault.retry_after = Some("1800".into());
        world.fault(fault);
        let mut job = job(order());
        let End::Retry(reason, after) = job.run(&*world.fiscal).await else { panic!("no retry") };
        assert_eq!(reason.code, "register_busy", "{register:?}");
        assert!((1795..=1800).contains(&after.unwrap().as_secs()));
        assert_eq!(world.carry(&mut job).await.last().unwrap(), "done");
        assert_eq!(only(&world, system).requested, 1);
    }
}

#[tokio::test]
async fn a_refusal_stops_and_its_replay_bears_another_name() {
    for (register, system, path) in ALL {
        let world = world(register).await;
        world.fault(Fault::new(system, Kind::Refusal).on(path).code(32).times(1));
        let mut job = job(order());
        let end = job.run(&*world.fiscal).await;
        assert_eq!(dead(&end), (Class::Refused, "receipt_refused"), "{register:?}");
        assert_eq!(world.carry(&mut job).await.last().unwrap(), "done");
        only(&world, system);
    }
}

#[tokio::test]
async fn a_receipt_that_fails_at_the_register_stops_and_its_replay_bears_another_name() {
    for (register, system, path) in ALL {
        let world = world(register).await;
        world.fault(Fault::new(system, Kind::FailsLater).on(path).times(1));
        let mut job = job(order());
        let way = world.carry(&mut job).await;
        assert_eq!(way.last().unwrap(), "dead receipt_failed", "{register:?}");
        assert_eq!(world.carry(&mut job).await.last().unwrap(), "done");
        let names: Vec<String> = books(&world, system).1.into_iter().map(|r| r.name).collect();
        assert_ne!(names[0], names[1]);
        only(&world, system);
    }
}

#[tokio::test]
async fn what_ran_out_of_time_in_the_queue_is_asked_for_anew_by_itself() {
    let world = world(ORANGEDATA).await;
    world.fault(Fault::new(System::OrangeData, Kind::Expires).on("/api/v2/documents/").times(1));
    assert_eq!(world.carry(&mut job(order())).await.last().unwrap(), "done");
    only(&world, System::OrangeData);
    assert_eq!(books(&world, System::OrangeData).1.len(), 2);
}

#[tokio::test]
async fn a_token_of_yesterday_is_renewed_without_a_word() {
    let world = world(ATOL).await;
    world.carry(&mut job(order())).await;
    world.pass(Duration::from_secs(25 * 3600));
    let mut second = order();
    second.key.id = 2;
    assert_eq!(world.carry(&mut job(second)).await, ["wait 5s", "wait 10s", "done"]);
}

#[tokio::test]
async fn callbacks_nudge_and_are_never_believed() {
    for ((register, version), system, _) in ALL {
        for notify in [Notify::Twice, Notify::Before, Notify::Forged] {
            let changes =
                Changes { register, callbacks: true, rules: Some(rules()), ..Changes::default() };
            let changes = Changes { atol_version: Some(version), ..changes };
            let world = World::with(changes).await;
            world.emulator.emulator.change(|settings| settings.registers.notify = notify);
            let mut job = job(order());
            assert_eq!(world.carry(&mut job).await.last().unwrap(), "done");
            let receipt = only(&world, system);
            while world.nudged.lock().unwrap().is_empty() {
                tokio::task::yield_now().await;
            }
            let nudged = world.nudged.lock().unwrap()[0].clone();
            assert_eq!(Some(&nudged), job.alias.as_ref(), "{register:?} {notify:?}");
            let done = crate::world::statuses(&job).pop().unwrap().clone();
            assert_eq!(
                done.properties["CLOUDKASSIR_FD"],
                receipt.fiscal.unwrap().document.to_string()
            );
        }
    }
}

#[tokio::test]
async fn marked_goods_bear_their_codes_where_the_register_has_words_for_them() {
    let mut order = priced(order(), "1481.00");
    order.lines[0].marked = true;
    order.lines[0].marks = ["0104600001\u{1d}93abc", "0104600002\u{1d}93\"<"]
        .map(|code| MarkCode::from_text(code).unwrap())
        .to_vec();
    for (register, system, code, object) in [
        (ATOL, System::Atol, "MDEwNDYwMDAwMR05M2FiYw==", "33"),
        (ORANGEDATA, System::OrangeData, "0104600001\u{1d}93abc", "33"),
    ] {
        let world = world(register).await;
        assert_eq!(world.carry(&mut job(order.clone())).await.last().unwrap(), "done");
        let receipt = only(&world, system);
        assert_eq!(receipt.positions[0].mark.as_deref(), Some(code));
        assert_eq!((receipt.positions[0].object.as_str(), receipt.positions.len()), (object, 3));
    }
    let world = world(CLOUDKASSIR_V1).await;
    let end = job(order.clone()).run(&*world.fiscal).await;
    assert_eq!(dead(&end), (Class::Invalid, "receipt_unwritable"));
    let world = self::world(ATOL_V4).await;
    let end = job(order.clone()).run(&*world.fiscal).await;
    assert_eq!(dead(&end), (Class::Invalid, "receipt_unwritable"));
    // CloudKassir has them too.
    let world = World::new().await;
    assert_eq!(world.carry(&mut job(order)).await.last().unwrap(), "done");
    world.only_receipt();
}

/// FFD 1.05 has no object for marked goods without their code.
#[tokio::test]
async fn an_old_register_refuses_marked_goods_also_where_a_document_withdraws_their_codes() {
    let mut order = order();
    order.lines[0].marked = true;
    order.marks_by = events::MarksBy::Document;
    let world = world(ATOL_V4).await;
    let end = job(order.clone()).run(&*world.fiscal).await;
    assert_eq!(dead(&end), (Class::Invalid, "receipt_unwritable"));
    let End::Dead(reason) = end else { unreachable!() };
    assert_eq!(
        reason.text.ru,
        "Чек по заказу № A-1001 для АТОЛ Онлайн не составить: API версии 4 не передаёт маркировку, \
         нужна версия 5. Исправьте заказ или настройки магазина и повторите."
    );
    let (summary, receipts) = books(&world, System::Atol);
    assert_eq!(
        (receipts.len(), summary.refused, summary.violations.violation_count),
        (0, vec![], 0)
    );
    // With the version that the sentence names the same order is receipted, without a code.
    let world = self::world(ATOL).await;
    assert_eq!(world.carry(&mut job(order)).await.last().unwrap(), "done");
    let receipt = only(&world, System::Atol);
    assert_eq!((receipt.positions[0].object.as_str(), &receipt.positions[0].mark), ("32", &None));
}

#[tokio::test]
async fn a_fallback_takes_new_receipts_when_the_first_register_is_long_away() {
    let changes = Changes {
        register: RegisterName::Atol,
        fallback: Some((RegisterName::CloudKassir, Duration::from_secs(600))),
        rules: Some(rules()),
        ..Changes::default()
    };
    let world = World::with(changes).await;
    // One receipt is with the first register when it goes away.
    let mut with_first = job(order());
    assert!(matches!(with_first.run(&*world.fiscal).await, End::Wait(_)));
    let without_first = world.without_atol();
    let mut second = order();
    second.key.id = 2;
    let mut second = job(second);
    for minute in 0..=11 {
        let end = crate::world::name(&second.run(&*without_first).await);
        let expected = if minute < 10 { "retry register_away" } else { "wait 5s" };
        assert!(end == expected || minute == 11, "minute {minute}: {end}");
        let end = crate::world::name(&with_first.run(&*without_first).await);
        assert_eq!(end, "retry register_away", "what was handed over does not move");
        world.pass(Duration::from_secs(60));
    }
    assert_eq!(world.carry_with(&without_first, &mut second).await.last().unwrap(), "done");
    assert_eq!(world.only_receipt().invoice_id, "acme:2:55:sell:1:1");
    assert_eq!(world.carry(&mut with_first).await.last().unwrap(), "done");
    assert_eq!(only(&world, System::Atol).name, "acme:1001:55:sell:1:1");
}

/// Callbacks come in any order, long after the job is done, for jobs that are not there, and as
/// anything at all: whatever they say, each order has its one receipt.
#[tokio::test]
async fn callbacks_out_of_order_late_and_strange_change_nothing() {
    for ((register, version), system, _) in ALL {
        let changes =
            Changes { register, callbacks: true, rules: Some(rules()), ..Changes::default() };
        let world = World::with(Changes { atol_version: Some(version), ..changes }).await;
        world.emulator.emulator.change(|settings| settings.registers.notify = Notify::Never);
        let mut jobs: Vec<_> = (1..=3)
            .map(|id| {
                let mut order = order();
                order.key.id = id;
                job(order)
            })
            .collect();
        for job in &mut jobs {
            while job.alias.is_none() {
                assert!(matches!(job.run(&*world.fiscal).await, End::Wait(_)), "{register:?}");
                world.pass(Duration::from_secs(2));
            }
        }
        let path = match register {
            RegisterName::Atol => "/callbacks/atol",
            RegisterName::OrangeData => "/callbacks/orangedata",
            _ => "/callbacks/cloudkassir-v1",
        };
        let tell = async |name: &str| {
            let body = serde_json::json!({"external_id": name, "id": name, "status": "done",
                "payload": {"fn_number": "666", "fiscal_document_number": 666}, "fn": "666"});
            crate::asked::call(&world, "POST", path, Some(&body)).await.0.as_u16()
        };
        let names: Vec<String> = jobs.iter().map(|job| job.alias.clone().unwrap()).collect();
        for name in names.iter().rev().chain(&names) {
            assert_eq!(tell(name).await, 200);
        }
        assert_eq!(tell("nobody's").await, 200);
        for job in jobs.iter_mut().rev() {
            assert_eq!(world.carry(job).await.last().unwrap(), "done", "{register:?}");
        }
        assert_eq!(tell(&names[0]).await, 200, "after the end");
        let (summary, receipts) = books(&world, system);
        assert_eq!((summary.receipts, summary.processed), (3, 3), "{summary:?}");
        let issued: std::collections::BTreeSet<_> =
            receipts.iter().map(|r| r.name.clone()).collect();
        assert_eq!(issued.len(), 3);
        for job in &jobs {
            let done = crate::world::statuses(job).pop().unwrap().clone();
            assert_ne!(done.properties["CLOUDKASSIR_FD"], "666");
        }
    }
}
