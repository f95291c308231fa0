//! The UTM: strict about what it takes, and true to its traps.

use emulator::utm::Summary;
use reqwest::{StatusCode, multipart::Form};

use crate::stage::Stage;

const OWNER: &str = "030000999999";

fn act(owner: &str, kind: &str, mark: &str, quantity: u32) -> String {
    format!(
        "<Documents><Owner><FSRAR_ID>{owner}</FSRAR_ID></Owner><Document><{kind}><Identity>a-1</Identity>\
         <Header><TypeWriteOff>Реализация</TypeWriteOff></Header><Content><Position><Quantity>{quantity}</Quantity>\
         <SumSale>1.00</SumSale><MarkCodeInfo><amc>{mark}</amc></MarkCodeInfo></Position></Content></{kind}></Document></Documents>"
    )
}

struct Module {
    stage: Stage,
}

impl Module {
    async fn new() -> Self {
        Self { stage: Stage::new().await }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.stage.running.utm_url(OWNER))
    }

    async fn post(&self, kind: &str, field: &'static str, body: String) -> String {
        let form = Form::new().text(field, body);
        let sent =
            self.stage.client.post(self.url(&format!("/opt/in/{kind}"))).multipart(form).send();
        sent.await.unwrap().text().await.unwrap()
    }

    async fn get(&self, path: &str) -> String {
        self.stage.client.get(self.url(path)).send().await.unwrap().text().await.unwrap()
    }

    fn summary(&self) -> Summary {
        self.stage.running.emulator.utm.books()[OWNER].summary()
    }
}

#[tokio::test]
async fn a_document_must_be_the_paths_the_owners_and_in_its_field() {
    let utm = Module::new().await;
    let good = act(OWNER, "ActWriteOff_v3", "1", 1);
    for (kind, field, body) in [
        ("ActWriteOff_v4", "xml_file", good.clone()),
        ("ActWriteOff_v3", "file", good.clone()),
        ("ActWriteOff_v3", "xml_file", act("1", "ActWriteOff_v3", "1", 1)),
        ("ActWriteOff_v3", "xml_file", "<Documents/>".to_owned()),
        ("ActWriteOff_v3", "xml_file", format!("<!DOCTYPE a>{good}")),
    ] {
        let answer = utm.post(kind, field, body).await;
        assert!(answer.contains("<error>"), "{answer}");
    }
    assert_eq!((utm.summary().taken, utm.summary().violations.violation_count), (0, 5));
    let answer = utm.post("ActWriteOff_v3", "xml_file", good).await;
    assert!(answer.contains("<url>") && answer.contains("<sign>"), "{answer}");
}

#[tokio::test]
async fn two_tickets_come_by_and_by_and_a_mark_is_written_off_once() {
    let utm = Module::new().await;
    for _ in 0..2 {
        utm.post("ActWriteOff_v3", "xml_file", act(OWNER, "ActWriteOff_v3", "M", 1)).await;
    }
    let mut most = 0;
    for _ in 0..6 {
        let list = utm.get("/opt/out").await;
        most = most.max(list.matches("http://localhost:8080/opt/out/Ticket/").count());
    }
    assert_eq!(most, 4);
    let summary = utm.summary();
    assert_eq!((summary.done, summary.rejected, summary.doubled.len()), (1, 1, 0));
    assert_eq!(summary.violations.violation_count, 0);
    // What is not read is not deleted.
    let list = utm.get("/opt/out").await;
    let path = list.split("http://localhost:8080").nth(1).unwrap().split('<').next().unwrap();
    let delete = || utm.stage.client.delete(utm.url(path)).send();
    assert!(utm.get(path).await.contains("Ticket"));
    assert_eq!(delete().await.unwrap().status(), StatusCode::OK);
    assert_eq!(delete().await.unwrap().status(), StatusCode::NOT_FOUND);
    assert_eq!(utm.summary().violations.violation_count, 0);
}
