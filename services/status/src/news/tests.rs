//! The order among statuses, and what of them is news.

use events::{OrderRef, Text};
use proptest::prelude::*;
use time::Duration;

use super::*;

fn said(id: u128, service: &str, cause: u128, phase: Phase, at: i64) -> Said {
    let order = OrderRef { shop: "a".parse().unwrap(), id: 236, number: "392".into(), site: false };
    Said {
        id: Uuid::from_u128(id),
        at: OffsetDateTime::UNIX_EPOCH + Duration::seconds(at),
        status: Status {
            service: service.into(),
            order,
            cause: Uuid::from_u128(cause),
            step: id.to_string(),
            phase,
            code: "x".into(),
            text: Text::new("ru", "en"),
            properties: BTreeMap::new(),
            links: BTreeMap::new(),
        },
        written: false,
        done: BTreeSet::new(),
    }
}

fn with(mut said: Said, code: &str, value: &str) -> Said {
    said.status.properties.insert(code.into(), value.into());
    said
}

fn written(mut said: Said) -> Said {
    said.written = true;
    said
}

fn rules(lines: &str) -> Writeback {
    let shop =
        format!("{lines}\n[order_status]\n\"fiscal.failed\" = \"ER\"\n\"fiscal.done\" = \"OK\"");
    toml::from_str(&shop).unwrap()
}

fn ids(said: &[&Said]) -> Vec<u128> {
    said.iter().map(|one| one.id.as_u128()).collect()
}

#[test]
fn a_job_that_is_done_has_said_its_last_word_whatever_the_clocks_say() {
    let book = [
        said(1, "fiscal", 9, Phase::Done, 10),
        said(2, "fiscal", 9, Phase::Retrying, 12),
        said(3, "fiscal", 9, Phase::Working, 5),
        said(4, "marking", 9, Phase::Working, 1),
    ];
    let writeback = rules("comment = [\"working\", \"retrying\", \"done\"]");
    let news = news(&book, &writeback);
    assert_eq!(ids(&news.words), [4, 1]);
    assert_eq!(ids(&news.comments), [4, 1]);
    assert_eq!(news.order_status.map(StatusCode::as_str), Some("OK"));
}

#[test]
fn a_late_retrying_after_a_written_done_says_nothing() {
    let late = with(said(2, "fiscal", 9, Phase::Retrying, 12), "FN", "0");
    let book = [with(written(said(1, "fiscal", 9, Phase::Done, 10)), "FN", "1"), late];
    let writeback = rules("comment = [\"retrying\"]\nnotify = [\"retrying\"]");
    let news = news(&book, &writeback);
    assert!(news.is_silent() && news.words.is_empty(), "{news:?}");
}

#[test]
fn a_failure_that_was_mended_before_it_could_be_told_alarms_nobody() {
    let book = [said(1, "fiscal", 9, Phase::Failed, 10), said(2, "fiscal", 9, Phase::Done, 20)];
    let writeback = Writeback::default();
    let news = news(&book, &writeback);
    assert!(news.notices.is_empty());
    assert_eq!(ids(&news.comments), [2]);
}

#[test]
fn two_jobs_of_a_service_are_told_apart_and_the_later_value_stays() {
    let first = with(said(1, "fiscal", 8, Phase::Done, 10), "FD", "1");
    let second = with(said(2, "fiscal", 9, Phase::Done, 20), "FD", "2");
    let writeback = Writeback::default();
    let both = [second.clone(), first.clone()];
    let both = news(&both, &writeback);
    assert_eq!(ids(&both.comments), [1, 2]);
    assert_eq!(both.properties.get("FD"), Some(&"2"));
    let overtaken = [written(second), first];
    assert!(news(&overtaken, &writeback).properties.is_empty(), "an older value is no news");
}

#[test]
fn a_job_that_is_done_in_two_ways_keeps_both() {
    let book = [
        with(said(1, "marking", 9, Phase::Done, 10), "A", "1"),
        with(said(2, "marking", 9, Phase::Done, 11), "B", "2"),
    ];
    let writeback = Writeback::default();
    let news = news(&book, &writeback);
    assert_eq!((news.properties.len(), ids(&news.words)), (2, vec![1, 2]));
}

#[test]
fn an_order_is_given_a_status_once_for_a_cause() {
    let failed = |id, at| said(id, "fiscal", 9, Phase::Failed, at);
    let writeback = rules("");
    let status = |book: &[Said]| {
        news(book, &writeback).order_status.map(StatusCode::as_str).map(str::to_owned)
    };
    assert_eq!(status(&[failed(1, 10)]).as_deref(), Some("ER"));
    assert_eq!(
        status(&[written(failed(1, 10)), failed(2, 20)]),
        None,
        "a manager may have moved on"
    );
    let other_cause = said(3, "fiscal", 7, Phase::Failed, 30);
    assert_eq!(status(&[written(failed(1, 10)), other_cause]).as_deref(), Some("ER"));
    let done = said(4, "fiscal", 9, Phase::Done, 40);
    assert_eq!(status(&[written(failed(1, 10)), done.clone()]).as_deref(), Some("OK"));
    assert_eq!(status(&[written(done), failed(5, 10)]), None, "overtaken");
    let unmoved = said(6, "marking", 9, Phase::Failed, 50);
    assert_eq!(status(&[unmoved]), None, "nothing is configured for it");
}

#[test]
fn what_the_shop_has_taken_of_a_refused_write_is_not_repeated() {
    let mut one = with(said(1, "fiscal", 9, Phase::Failed, 10), "FN", "1");
    one.done = BTreeSet::from([Part::Comment, Part::Properties]);
    let (book, writeback) = ([one], rules(""));
    let news = news(&book, &writeback);
    assert!(news.comments.is_empty() && news.properties.is_empty());
    assert_eq!((ids(&news.notices), news.order_status.is_some()), (vec![1], true));
}

#[test]
fn a_service_notifies_with_its_last_word() {
    let book = [
        said(1, "fiscal", 8, Phase::Failed, 10),
        said(2, "fiscal", 9, Phase::Unknown, 20),
        said(3, "edo", 9, Phase::Failed, 5),
    ];
    let writeback = Writeback::default();
    let news = news(&book, &writeback);
    assert_eq!(ids(&news.notices), [3, 2]);
    assert_eq!(ids(&news.comments), [3, 1, 2]);
}

fn phase() -> impl Strategy<Value = Phase> {
    prop_oneof![Just(Phase::Working), Just(Phase::Retrying), Just(Phase::Done), Just(Phase::Failed),]
}

/// Statuses of two jobs: cause, phase, time, property.
fn lines() -> impl Strategy<Value = Vec<(u128, Phase, i64, u8)>> {
    prop::collection::vec((0..2_u128, phase(), 0..6_i64, 0..3_u8), 1..8)
}

fn arrival() -> impl Strategy<Value = Vec<usize>> {
    Just((0..8).collect::<Vec<usize>>()).prop_shuffle()
}

/// One job says `Done` once.
fn once(lines: Vec<(u128, Phase, i64, u8)>) -> Vec<(u128, Phase, i64, u8)> {
    let mut finished = BTreeSet::new();
    let keep = |line: &(u128, Phase, i64, u8)| line.1 != Phase::Done || finished.insert(line.0);
    lines.into_iter().filter(keep).collect()
}

/// What the shop has in the end when statuses come in this order and in groups of this size,
/// beside what it has when all come at once.
fn ends(all: &[Said], arrival: &[usize], group: usize) -> [BTreeMap<String, String>; 2] {
    let writeback = Writeback::default();
    let (mut book, mut shop) = (Vec::<Said>::new(), BTreeMap::new());
    let coming: Vec<&Said> = arrival.iter().filter_map(|place| all.get(*place)).collect();
    for come in coming.chunks(group) {
        book.extend(come.iter().copied().cloned());
        shop.extend(own(&news(&book, &writeback).properties));
        book.iter_mut().for_each(|one| one.written = true);
    }
    [shop, own(&news(all, &writeback).properties)]
}

proptest! {
    /// Clocks of replicas differ as they like: the words of one job end with the same properties.
    #[test]
    fn a_jobs_last_word_wins_in_whatever_order_its_words_come(
        lines in lines(), arrival in arrival(), group in 1..4_usize,
    ) {
        let all: Vec<Said> = (1..)
            .zip(once(lines))
            .map(|(id, (cause, phase, at, code))| {
                with(said(id, "fiscal", cause, phase, at), &format!("{cause}{code}"), &id.to_string())
            })
            .collect();
        let [shop, at_once] = ends(&all, &arrival, group);
        prop_assert_eq!(shop, at_once);
    }

    /// Clocks agree: jobs that write the same properties end with the same ones.
    #[test]
    fn the_last_job_wins_in_whatever_order_words_come(
        lines in lines(), arrival in arrival(), group in 1..4_usize,
    ) {
        let all: Vec<Said> = (1..)
            .zip(once(lines))
            .map(|(id, (cause, phase, at, code))| {
                let at = if phase == Phase::Done { at + 6 } else { at };
                with(said(id, "fiscal", cause, phase, at), &format!("P{code}"), &id.to_string())
            })
            .collect();
        let [shop, at_once] = ends(&all, &arrival, group);
        prop_assert_eq!(shop, at_once);
    }
}

fn own(properties: &BTreeMap<&str, &str>) -> BTreeMap<String, String> {
    properties.iter().map(|(code, value)| ((*code).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_bare_end_is_told_where_a_stop_was_and_sets_no_status_of_the_order() {
    let mut end = said(2, "fiscal", 9, Phase::Done, 20);
    Status::FINISHED.clone_into(&mut end.status.code);
    let writeback = rules("comment = [\"done\", \"failed\"]");
    let stopped = [written(said(1, "fiscal", 9, Phase::Failed, 10)), end.clone()];
    let after_a_stop = news(&stopped, &writeback);
    assert_eq!(ids(&after_a_stop.comments), [2]);
    assert_eq!(after_a_stop.order_status, None, "nothing was issued");
    let retried = [written(said(1, "fiscal", 9, Phase::Retrying, 10)), end];
    assert_eq!(ids(&news(&retried, &writeback).comments), [0_u128; 0]);
}
