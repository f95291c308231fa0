//! What each worker says when it gives up reaches the screen in whole sentences, and nothing of a program with it.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    sync::Arc,
};

use events::{Event, Fact};
use runtime::{
    Class, Failure, Kit, Reason, StartError, Step, Worker,
    testing::{ORDER, Service},
};

use crate::{
    desk::{Browser, Desk},
    ferry::{LONG, placed},
};

/// The reasons of a worker, as its own test holds them.
#[derive(Debug, Clone, Default)]
struct Table(Arc<Vec<Reason>>);

impl std::str::FromStr for Table {
    type Err = Infallible;

    fn from_str(_: &str) -> Result<Self, Infallible> {
        Ok(Self::default())
    }
}

#[derive(clap::Args)]
struct Config {
    #[arg(long, default_value = "")]
    table: Table,
}

/// Reads `tests/reasons.tsv` of a crate.
fn table(folder: &str) -> Vec<Reason> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let path = format!("{root}/{folder}/tests/reasons.tsv");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    text.lines()
        .map(|line| {
            let parts: Vec<&str> = line.split('\t').collect();
            let [class, code, ru, en] = parts[..] else { panic!("{path}: {line}") };
            let class = serde_json::from_value(class.into()).unwrap();
            Reason::new(class, code, ru, en).evidence("HTTP 400")
        })
        .collect()
}

/// A worker of this name that gives each order up for the reason in its turn.
macro_rules! workers {
    ($($type:ident = $name:literal),+) => {
        $(
            struct $type(Table);

            impl Worker for $type {
                const NAME: &'static str = $name;
                const TOPICS: &'static [&'static str] = &["order.created"];
                type Config = Config;
                type State = ();

                async fn build(config: Config, _: Kit) -> Result<Self, StartError> {
                    Ok(Self(config.table))
                }

                async fn step(&self, event: &Event, (): ()) -> Result<Step<()>, Failure> {
                    let place = usize::try_from(event.order().unwrap().id).unwrap();
                    Err(Failure::Dead(self.0.0[place].clone()))
                }
            }
        )+

        const WORKERS: &[&str] = &[$($name),+];

        fn start(desk: &Desk, tables: &BTreeMap<&str, Table>) -> Vec<Service> {
            vec![$(Service::start::<$type>(desk.stage.common(), Config { table: tables[$name].clone() })),+]
        }
    };
}

workers!(
    Ingress = "ingress",
    Fiscal = "fiscal",
    Marking = "marking",
    Egais = "egais",
    Edo = "edo",
    Loyalty = "loyalty",
    Status = "status"
);

/// As maud writes a text into a page.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// All pages of a worker's open letters.
async fn lists(browser: &Browser<'_>, worker: &str) -> String {
    let mut all = String::new();
    for page in 0..3 {
        let path = format!("/letters?state=open&worker={worker}&page={page}");
        all.push_str(&browser.page(&path).await);
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn each_workers_failures_of_every_class_reach_the_screen_as_sentences() {
    let own = table("shared/runtime");
    let tables: BTreeMap<&str, Table> = WORKERS
        .iter()
        .map(|worker| {
            let mut all = table(&format!("services/{worker}"));
            // What the runtime says stands for any worker.
            all.extend(own.clone());
            (*worker, Table(Arc::new(all)))
        })
        .collect();
    let desk = Desk::set(&[]).await;
    let services = start(&desk, &tables);
    for worker in WORKERS {
        desk.stage.until("it listens", LONG, || desk.stage.hears(worker)).await;
    }
    let mut count = 0;
    for (worker, table) in &tables {
        let queue = desk.stage.names().queue(worker);
        for place in 0..table.0.len() {
            let mut event = placed(u64::try_from(place).unwrap(), None);
            if let Fact::OrderCreated(fact) = &mut event.fact {
                fact.order.key.number = ORDER.to_owned();
            }
            desk.stage.put("", &queue, event.to_json().unwrap().as_bytes(), &[]).await;
            count += 1;
        }
    }
    desk.until_letters("open", count).await;
    for (language, lead) in [("ru", "Что случилось"), ("en", "What happened")] {
        let mut browser = Browser::sign_in(&desk, "operator").await;
        browser.speak(language);
        for (worker, table) in &tables {
            let list = lists(&browser, worker).await;
            assert!(list.contains(lead));
            for reason in table.0.iter() {
                let text = if language == "ru" { &reason.text.ru } else { &reason.text.en };
                assert!(list.contains(&escaped(text)), "{worker} {}: {text}", reason.code);
            }
        }
        one_of_each_class(&desk, &browser, language).await;
    }
    for service in services {
        service.stop().await;
    }
    for worker in WORKERS {
        desk.stage
            .delete_queues(&[
                desk.stage.names().queue(worker),
                desk.stage.names().dead_queue(worker),
            ])
            .await;
    }
    desk.end().await;
}

/// The letter's own page of one of each worker and class: the sentence leads it, and words say what the class means.
async fn one_of_each_class(desk: &Desk, browser: &Browser<'_>, language: &str) {
    let some: Vec<(uuid::Uuid, String, String, String, String)> = sqlx::query_as(
        "SELECT DISTINCT ON (worker, class) id, worker, class, reason_ru, reason_en FROM letters ORDER BY worker, class, id",
    )
    .fetch_all(&desk.pool)
    .await
    .unwrap();
    let classes: BTreeSet<&str> = some.iter().map(|letter| letter.2.as_str()).collect();
    assert_eq!(classes.len(), 5, "every class is produced: {classes:?}");
    for (id, worker, class, ru, en) in &some {
        let page = browser.page(&format!("/letters/{id}")).await;
        let (_, card) = page.split_once("<section class=\"card alert\">").expect("the card");
        let (heading, rest) = card.split_once("</h2>").unwrap();
        let (lead, advice) = rest.split_once("</p>").unwrap();
        let sentence = if language == "ru" { ru } else { en };
        assert!(lead.ends_with(&escaped(sentence)), "{worker} {class}: {lead}");
        let word = class_word(language, class);
        assert!(heading.ends_with(word), "{worker} {class}: {heading}");
        let advice = advice.split("</p>").next().unwrap();
        assert!(advice.ends_with('.') && advice.len() > 60, "{worker} {class}: {advice}");
    }
}

/// The word of a class, as people read it.
fn class_word(language: &str, class: &str) -> &'static str {
    let known = [
        (Class::Invalid, "ошибка в заказе или настройках", "wrong order or settings"),
        (Class::Refused, "отказ сервиса", "refused by the register"),
        (Class::Unavailable, "сервис недоступен", "register away"),
        (Class::Unknown, "неизвестно, выполнено ли", "nobody knows whether it is done"),
        (Class::Internal, "сбой программы", "our own failure"),
    ];
    let (_, ru, en) = known
        .into_iter()
        .find(|(known, ..)| serde_json::to_value(known).unwrap() == class)
        .unwrap_or((Class::Internal, "", ""));
    if language == "ru" { ru } else { en }
}
