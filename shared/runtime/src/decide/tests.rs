//! The rules of retries, deadlines and dead letters, as a table of cases.

use std::{collections::BTreeMap, time::Duration};

use events::{Channel, Event, Fact, OrderRef, Status, Text, Webhook};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Rules, decide};
use crate::{
    Kit,
    retry::RetryPolicy,
    settings::StartError,
    store::{Job, Phase},
    words::Word,
    worker::{Class, Failure, Reason, Step, Worker},
};

struct Clerk;

#[derive(clap::Args)]
struct Nothing {}

impl Worker for Clerk {
    const NAME: &'static str = "clerk";
    const TOPICS: &'static [&'static str] = &[];
    type Config = Nothing;
    type State = u32;

    async fn build(_: Nothing, _: Kit) -> Result<Self, StartError> {
        Ok(Self)
    }

    async fn step(&self, _: &Event, state: u32) -> Result<Step<u32>, Failure> {
        Ok(Step::done(state))
    }
}

fn event() -> Event {
    let shop: events::ShopId = "main".parse().unwrap();
    let order = OrderRef { shop: shop.clone(), id: 5, number: "N5".to_owned(), site: true };
    let webhook = Webhook {
        call: Uuid::nil(),
        shop,
        channel: Channel::Site,
        name: String::new(),
        entity: None,
        order: Some(order),
        body: None,
    };
    Event::new(Fact::WebhookReceived(webhook), OffsetDateTime::UNIX_EPOCH)
}

const HOUR: Duration = Duration::from_secs(3600);

fn job() -> Job {
    Job {
        id: Uuid::nil(),
        fence: Uuid::from_u128(7),
        state: "3".to_owned(),
        attempts: 2,
        opens: 1,
        first_error: Some("the first".to_owned()),
        last_error: None,
        unsaid: None,
        deadline: OffsetDateTime::UNIX_EPOCH + HOUR,
        revived: false,
    }
}

fn rules() -> Rules {
    Rules {
        retry: RetryPolicy {
            first: Duration::from_secs(10),
            attempts: Some(4),
            ..RetryPolicy::DEFAULT
        },
        away: Duration::from_secs(15),
        now: OffsetDateTime::UNIX_EPOCH,
    }
}

fn why() -> Reason {
    Reason::new(Class::Refused, "no", "Отказ.", "A refusal.").evidence("HTTP 400")
}

/// Phase, attempts, state, and the words in short.
fn check(outcome: Result<Step<u32>, Failure>, job: &Job, rules: Rules) -> String {
    let decision = decide::<Clerk>(&event(), job, outcome, rules);
    let words: Vec<String> = decision.words.iter().map(short).collect();
    let state = decision.state.as_deref().unwrap_or("kept");
    let phase = match decision.phase {
        Phase::Waiting(wait) => format!("waiting {}s", wait.as_secs()),
        phase => format!("{phase:?}").to_lowercase(),
    };
    format!("{phase}, attempts {}, state {state}, {}", decision.attempts, words.join(" + "))
}

fn short(word: &Word) -> String {
    match word {
        Word::Tell { event, .. } => {
            let event = Event::from_json(event.as_bytes()).unwrap();
            let Fact::StatusChanged(status) = event.fact else { return "event".to_owned() };
            format!("status {:?} {}", status.phase, status.code)
        }
        Word::Bury { reason, attempts, first_error, .. } => {
            format!("letter {:?} {} {attempts} {first_error:?}", reason.class, reason.code)
        }
    }
}

#[test]
fn success_counts_attempts_anew_and_keeps_the_deadline() {
    let step = Step::wait(4, Duration::from_secs(60));
    assert_eq!(check(Ok(step), &job(), rules()), "waiting 60s, attempts 0, state 4, ");
    assert_eq!(check(Ok(Step::again(4)), &job(), rules()), "held, attempts 0, state 4, ");
    assert_eq!(check(Ok(Step::done(4)), &job(), rules()), "done, attempts 0, state 4, ");
}

/// What the worker itself says of its job: done.
fn done(service: &str) -> Event {
    let event = event();
    let status = Status {
        service: service.to_owned(),
        order: event.order().unwrap().clone(),
        cause: event.id(),
        step: "end".to_owned(),
        phase: events::Phase::Done,
        code: "receipt_done".to_owned(),
        text: Text::new("Готово.", "Done."),
        properties: BTreeMap::new(),
        links: BTreeMap::new(),
    };
    Event::new(Fact::StatusChanged(Box::new(status)), OffsetDateTime::UNIX_EPOCH)
}

#[test]
fn done_is_a_jobs_last_word_so_a_step_that_goes_on_or_stops_says_that_it_works() {
    let emit = |step: Step<u32>| check(Ok(step.emit(done("clerk"))), &job(), rules());
    assert_eq!(emit(Step::done(4)), "done, attempts 0, state 4, status Done receipt_done");
    assert_eq!(emit(Step::again(4)), "held, attempts 0, state 4, status Working receipt_done");
    assert_eq!(
        emit(Step::stop(4, why())),
        "dead, attempts 2, state 4, status Working receipt_done + status Failed no \
         + letter Refused no 2 Some(\"the first\")"
    );
    let other = Step::again(4).emit(done("somebody else"));
    assert_eq!(
        check(Ok(other), &job(), rules()),
        "held, attempts 0, state 4, status Done receipt_done"
    );
}

#[test]
fn what_was_told_to_be_stuck_is_told_to_be_over_also_by_a_worker_that_ends_in_silence() {
    let failed = Job { last_error: Some("A refusal.".to_owned()), ..job() };
    assert_eq!(
        check(Ok(Step::done(4)), &failed, rules()),
        "done, attempts 0, state 4, status Done finished"
    );
    let own = Step::done(4).emit(done("clerk"));
    assert_eq!(
        check(Ok(own), &failed, rules()),
        "done, attempts 0, state 4, status Done receipt_done"
    );
}

#[test]
fn trouble_that_the_worker_itself_has_told_is_over_at_its_end() {
    let mut wrong = done("clerk");
    if let Fact::StatusChanged(status) = &mut wrong.fact {
        status.phase = events::Phase::Failed;
    }
    let wrong = Event::new(wrong.fact, OffsetDateTime::UNIX_EPOCH);
    let decision = decide::<Clerk>(&event(), &job(), Ok(Step::again(4).emit(wrong)), rules());
    assert_eq!(decision.trouble.as_deref(), Some("Done."), "kept as the job's last error");
    assert!(decision.reason.is_none(), "no step has failed");
}

#[test]
fn waiting_for_our_own_limit_burns_no_attempt_and_is_not_told_but_ends_with_the_deadline() {
    let later = |after| Err(Failure::Later(Box::new(why()), after));
    assert_eq!(
        check(later(Duration::ZERO), &job(), rules()),
        "waiting 0s, attempts 2, state kept, "
    );
    assert!(check(later(HOUR * 2), &job(), rules()).starts_with("dead, attempts 2, state kept"));
}

#[test]
fn waiting_beyond_the_deadline_is_death() {
    let step = Step::wait(4, HOUR * 2);
    assert_eq!(
        check(Ok(step), &job(), rules()),
        "dead, attempts 2, state 4, status Failed no_answer_in_time \
         + letter Unavailable no_answer_in_time 2 Some(\"the first\")"
    );
}

#[test]
fn a_failure_that_may_pass_keeps_the_state_and_is_told() {
    let asked = Failure::Retry(why(), Some(Duration::from_secs(77)));
    assert_eq!(
        check(Err(asked), &job(), rules()),
        "waiting 77s, attempts 3, state kept, status Retrying no"
    );
}

#[test]
fn a_vendor_that_asks_for_more_time_than_there_is_gets_what_there_is() {
    let asked = Failure::Retry(why(), Some(HOUR * 2));
    assert_eq!(
        check(Err(asked), &job(), rules()),
        "waiting 3600s, attempts 3, state kept, status Retrying no"
    );
    let late = Rules { now: OffsetDateTime::UNIX_EPOCH + HOUR, ..rules() };
    let asked = Failure::Retry(why(), Some(HOUR * 2));
    assert!(check(Err(asked), &job(), late).starts_with("dead"));
}

#[test]
fn the_last_attempt_is_death_with_the_last_reason() {
    let job = Job { attempts: 3, ..job() };
    assert_eq!(
        check(Err(Failure::Retry(why(), None)), &job, rules()),
        "dead, attempts 3, state kept, status Failed attempts_exhausted \
         + letter Unavailable attempts_exhausted 3 Some(\"the first\")"
    );
}

#[test]
fn an_unknown_effect_stays_unknown_when_attempts_run_out() {
    let unknown = Reason { class: Class::Unknown, ..why() };
    let job = Job { attempts: 3, ..job() };
    let text = check(Err(Failure::Retry(unknown, None)), &job, rules());
    assert!(text.contains("status Unknown") && text.contains("letter Unknown"), "{text}");
}

#[test]
fn a_register_that_is_away_burns_no_attempt_and_is_told_once() {
    let down = || Err(Failure::Down(why()));
    assert_eq!(
        check(down(), &job(), rules()),
        "waiting 15s, attempts 2, state kept, status Retrying no"
    );
    let told = Job { last_error: Some("A refusal.".to_owned()), ..job() };
    assert_eq!(check(down(), &told, rules()), "waiting 15s, attempts 2, state kept, ");
    let late = Rules { now: OffsetDateTime::UNIX_EPOCH + HOUR, ..rules() };
    assert!(check(down(), &job(), late).starts_with("dead, attempts 2"));
}

#[test]
fn a_stop_keeps_the_state_for_the_replay() {
    assert_eq!(
        check(Ok(Step::stop(9, why())), &job(), rules()),
        "dead, attempts 2, state 9, status Failed no + letter Refused no 2 Some(\"the first\")"
    );
    assert!(check(Err(Failure::Dead(why())), &job(), rules()).contains("state kept"));
}

#[test]
fn the_evidence_goes_into_the_letter_and_a_replays_failure_is_a_new_status() {
    let ids = |fence: u128| {
        let job = Job { fence: Uuid::from_u128(fence), ..job() };
        let decision = decide::<Clerk>(&event(), &job, Err(Failure::Dead(why())), rules());
        let Word::Tell { id, .. } = &decision.words[0] else { panic!("a status first") };
        let Word::Bury { reason, .. } = &decision.words[1] else { panic!("then the letter") };
        assert_eq!(reason.evidence.as_deref(), Some("HTTP 400"));
        *id
    };
    assert_eq!(ids(1), ids(1));
    assert_ne!(ids(1), ids(2));
}
