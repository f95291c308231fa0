//! Two UTMs, and two processes on one of them.

use std::time::{Duration, Instant};

use emulator::{Emulator, Fault, Kind, Listen, Running, System};
use events::Order;
use runtime::testing::{End, Job};

use crate::{
    order::{order, shipped, wine},
    world::{OWNER, World, told},
};

const BRANCH: &str = "030000000077";

/// Two shops, each with a UTM of its own.
async fn two() -> (World, Running) {
    let settings = emulator::Settings { hang_s: 5, ..emulator::Settings::default() };
    let branch = Emulator::start(settings).await.unwrap();
    let url = branch.utm_url(BRANCH);
    let second = format!(
        r#"
[utms.branch]
url = "{url}"
fsrar_id = "{BRANCH}"
[shops.branch]
utm = "branch"
[shops.branch.groups.wine]
sale = "ActWriteOff_v3"
marks = "each"
back = "RequestRepealAWO"
"#
    );
    (World::with(|file| file + &second, |_| {}).await, branch)
}

fn of_branch(mut order: Order) -> Order {
    order.key.shop = "branch".parse().unwrap();
    order
}

fn identities(running: &Running, owner: &str) -> Vec<String> {
    let books = running.emulator.utm.books();
    let sent = books.get(owner).map(|books| books.sent().to_vec()).unwrap_or_default();
    sent.into_iter().map(|sent| sent.identity).collect()
}

#[tokio::test]
async fn each_order_goes_to_its_own_utm_and_one_that_is_away_holds_up_nobody() {
    let (world, branch) = two().await;
    branch.emulator.listen(Listen::Closed);
    let mut there = Job::new(shipped(&of_branch(order(1, world.now(), &[wine(&[1])]))));
    let mut here = Job::new(shipped(&order(1, world.now(), &[wine(&[2])])));
    let end = there.run(world.egais.as_ref()).await;
    assert!(matches!(end, End::Wait(_)), "the worker goes on: {end:?}");
    assert_eq!(world.carry(&mut here).await.last().unwrap(), "done");
    for _ in 0..3 {
        world.pass(Duration::from_secs(60));
        assert!(matches!(there.run(world.egais.as_ref()).await, End::Wait(_)));
    }
    // The shop hears of it, once.
    let codes: Vec<&str> = told(&there).into_iter().map(|(_, code)| code).collect();
    assert_eq!(codes, ["documents_made", "utm_away"]);
    branch.emulator.listen(Listen::Open);
    let client = world.egais.utm("branch").unwrap();
    while client.health().await.is_err() {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.carry(&mut there).await.last().unwrap(), "done");
    assert_eq!(identities(&world.running, OWNER), ["acme-p1-s9.1-wine-1"]);
    assert_eq!(identities(&branch, BRANCH), ["branch-p1-s9.1-wine-1"]);
    assert_eq!(identities(&world.running, BRANCH), Vec::<String>::new());
}

#[tokio::test]
async fn a_utm_that_hangs_is_left_alone_for_a_while_by_all_its_orders() {
    let (world, branch) = two().await;
    let fault = Fault::new(System::Utm, Kind::HangBefore).on("/diagnosis");
    branch.emulator.faults.add(fault).unwrap();
    let mut jobs: Vec<Job> = (1..=5)
        .map(|n| {
            Job::new(shipped(&of_branch(order(
                n,
                world.now(),
                &[wine(&[usize::try_from(n).unwrap()])],
            ))))
        })
        .collect();
    let began = Instant::now();
    for job in &mut jobs {
        assert!(matches!(job.run(world.egais.as_ref()).await, End::Wait(_)));
    }
    // The first waits for the answer; the others know.
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    branch.emulator.faults.clear();
    for job in &mut jobs {
        assert_eq!(world.carry(job).await.last().unwrap(), "done");
    }
    assert_eq!(identities(&branch, BRANCH).len(), 5);
}

#[tokio::test]
async fn one_looks_at_an_inbox_at_a_time_and_the_next_takes_over_from_the_dead() {
    let world = World::new().await;
    let second = world.another();
    // The answer with all stock takes longer than a turn: the turn is kept meanwhile.
    crate::story::stock(&world).await;
    world.pass(Duration::from_secs(24 * 3_600));
    assert!(world.egais.ask_rests("office").await.unwrap());
    for _ in 0..2 {
        world.running.emulator.utm.books().get_mut(OWNER).unwrap();
        reqwest_list(&world).await;
    }
    let fault =
        |path| Fault { ms: Some(7_000), ..Fault::new(System::Utm, Kind::Slow).on(path).times(1) };
    world.fault(fault("/opt/out/ReplyRests_v2"));
    let long = world.egais.poll("office");
    let meanwhile = async {
        taken(&world).await;
        let (began, mut refused) = (Instant::now(), 0);
        while began.elapsed() < Duration::from_secs(6) {
            refused += usize::from(second.poll("office").await.unwrap().is_none());
            breath(100).await;
        }
        refused
    };
    let (first, refused) = tokio::join!(long, meanwhile);
    assert_eq!(first.unwrap().unwrap().rests, 2);
    assert!(refused > 30, "{refused} looks were refused");
    // Whoever dies in the middle of a look keeps its turn for a while, and no longer.
    let order = order(1, world.now(), &[wine(&[1])]);
    let mut job = Job::new(shipped(&order));
    assert!(matches!(job.run(world.egais.as_ref()).await, End::Wait(_)));
    world.fault(Fault::new(System::Utm, Kind::Hang).on("/opt/out").times(1));
    tokio::select! {
        _ = world.egais.poll("office") => panic!("the UTM answers nobody"),
        () = taken(&world) => {}
    }
    assert!(second.poll("office").await.unwrap().is_none());
    let began = Instant::now();
    while !matches!(second.poll("office").await, Ok(Some(_))) {
        assert!(began.elapsed() < Duration::from_secs(60), "the turn of the dead never ends");
        breath(100).await;
    }
    assert_eq!(world.carry_with(&second, &mut job).await.last().unwrap(), "done");
    world.agrees().await;
}

#[tokio::test]
async fn two_processes_send_to_a_utm_one_after_the_other() {
    let world = World::new().await;
    let second = world.another();
    // A call that takes long shows who does not wait for it.
    let slow =
        Fault { ms: Some(300), ..Fault::new(System::Utm, Kind::Slow).on("/opt/in/ActWriteOff_v3") };
    world.fault(slow);
    let job =
        |n: u64| Job::new(shipped(&order(n, world.now(), &[wine(&[usize::try_from(n).unwrap()])])));
    let (mut here, mut there) = ([1, 3, 5].map(job), [2, 4, 6].map(job));
    let run = |egais: std::sync::Arc<egais::Egais>, jobs: &mut [Job; 3]| {
        let mut jobs = std::mem::replace(jobs, [0, 0, 0].map(job));
        async move {
            for _ in 0..20 {
                for job in &mut jobs {
                    job.run(egais.as_ref()).await;
                }
            }
            jobs
        }
    };
    let (first, other) = tokio::join!(run(world.egais.clone(), &mut here), run(second, &mut there));
    for mut job in first.into_iter().chain(other) {
        assert_eq!(world.carry(&mut job).await.last().unwrap(), "done");
    }
    assert_eq!(world.sent().len(), 6);
    // The emulated UTM counts two calls at a time as a breach.
    world.agrees().await;
}

/// Waits until somebody has a turn.
async fn taken(world: &World) {
    let sql = "SELECT count(*) FROM turns WHERE until > now()";
    let began = Instant::now();
    while world.tables.number(sql).await == 0 {
        assert!(began.elapsed() < Duration::from_secs(60), "nobody takes a turn");
        breath(20).await;
    }
}

/// A look at the list brings the emulated EGAIS on.
async fn reqwest_list(world: &World) {
    world.egais.utm("office").unwrap().inbox().await.unwrap();
}

#[expect(clippy::disallowed_methods, reason = "a test waits for a condition")]
async fn breath(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}
