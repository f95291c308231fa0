//! Documents: held against the payloads that lie beside the workspace, and against what may not be.

use std::{fs, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use marking::gismt::{
    DocId, Group,
    documents::{
        Certificate, CertificateKind, DocumentType, Matrix, Party, Primary, PrimaryKind, Product,
        Reason, Refusal, Return, ReturnType, Returned, Withdrawal, cancel, return_, withdrawal,
    },
};
use serde_json::Value;
use time::{Date, macros::date};
use uuid::uuid;

const ONE: &str = "0104669000322220215t*NH>t:ngCfH";
const OTHER: &str = "0104630199251318215QTSRh>4sVc+.";
const TODAY: Date = date!(2026 - 11 - 21);

/// A file beside the workspace, or a loud word that it is not there.
fn vendor(path: &str) -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut places = root.ancestors().map(|up| up.join("shared/vendors/marking").join(path));
    let found = places.find(|path| path.exists());
    if found.is_none() {
        println!(
            "MISSING: ../shared/vendors/marking/{path} - this conformance test checks nothing"
        );
    }
    found.map(|path| fs::read_to_string(path).unwrap())
}

fn sample(name: &str) -> Option<Value> {
    Some(serde_json::from_str(&vendor(&format!("payloads/{name}.product_document.json"))?).unwrap())
}

fn read(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

fn sale() -> Withdrawal {
    let party = Party {
        inn: "7700000000".into(),
        kpp: Some("770001001".into()),
        fias_id: uuid!("550e8400-e29b-41d4-a716-446655440000"),
    };
    Withdrawal {
        party,
        reason: Reason::Distance,
        other_reason: None,
        date: TODAY,
        buyer_inn: None,
        primary: None,
        products: vec![priced(ONE, 550_400)],
    }
}

fn priced(cis: &str, kopecks: u64) -> Product {
    Product { cis: cis.into(), kopecks: Some(kopecks), primary: None }
}

fn primary(kind: PrimaryKind, number: &str) -> Primary {
    let name = (kind == PrimaryKind::Other).then(|| "Заказ интернет-магазина".to_owned());
    Primary { kind, number: number.into(), date: TODAY, name }
}

fn back(return_type: ReturnType, reason: Reason) -> Return {
    let product = Returned { ki: ONE.into(), reason, paid: None, primary: None, certificate: None };
    Return {
        inn: "7700000000".into(),
        return_type,
        paid: None,
        primary: None,
        certificate: None,
        products: vec![product],
    }
}

#[test]
fn a_withdrawal_is_the_sample_to_the_byte() {
    let bytes = withdrawal(&sale(), TODAY).unwrap();
    if let Some(wanted) = sample("LK_RECEIPT.DISTANCE.min") {
        assert_eq!(read(&bytes), wanted);
    }
    if let Some(request) = vendor("payloads/documents_create.request.json") {
        let request: Value = serde_json::from_str(&request).unwrap();
        assert_eq!(BASE64_STANDARD.encode(&bytes), request["product_document"].as_str().unwrap());
    }
    let text = String::from_utf8(bytes).unwrap();
    let own = concat!(
        r#"{"inn":"7700000000","action":"DISTANCE","action_date":"2026-11-21","#,
        r#""fias_id":"550e8400-e29b-41d4-a716-446655440000","kpp":"770001001","#,
        r#""products":[{"cis":"0104669000322220215t*NH>t:ngCfH","product_cost":550400}]}"#
    );
    assert_eq!(text, own);
}

#[test]
fn withdrawals_with_primary_documents_are_those_of_the_samples() {
    let mut asked = sale();
    asked.primary = Some(primary(PrimaryKind::Receipt, "12345"));
    if let Some(wanted) = sample("LK_RECEIPT.DISTANCE.with_primary_document") {
        assert_eq!(read(&withdrawal(&asked, TODAY).unwrap()), wanted);
    }
    let order = primary(PrimaryKind::Other, "ORDER-1001");
    asked.party = Party { inn: "770000000000".into(), kpp: None, ..asked.party };
    asked.primary = Some(order.clone());
    asked.products[0].primary = Some(order);
    asked.products.push(priced(OTHER, 199_900));
    if let Some(mut wanted) = sample("LK_RECEIPT.DISTANCE.other_document") {
        // Three clients send it empty; the contract has it with the reason OTHER alone.
        wanted.as_object_mut().unwrap().remove("withdrawal_type_other");
        assert_eq!(read(&withdrawal(&asked, TODAY).unwrap()), wanted);
    }
    let mut free = sale();
    free.party = Party {
        inn: "1111111111".into(),
        kpp: None,
        fias_id: uuid!("0bcec0d0-00bc-0e00-b00c-ba0c6f0a0c00"),
    };
    free.buyer_inn = Some("7777777777".into());
    free.reason = Reason::Other;
    free.other_reason = Some("Any text up to 255 characters".into());
    free.date = date!(2000 - 01 - 01);
    let name = Some("Also any text up to 255 characters".to_owned());
    let date = date!(2000 - 01 - 20);
    free.primary = Some(Primary { kind: PrimaryKind::Other, number: "00000".into(), date, name });
    free.products = vec![
        priced("010111111111111111lBEtVuGyhA0HO", 10_000),
        priced("010111111111111111JUbiOuE9=NuEG", 200_000),
        priced("010111111111111111%IfhPcJ/fQxsS", 300_000),
    ];
    if let Some(wanted) = sample("LK_RECEIPT.OTHER.all_fields") {
        assert_eq!(read(&withdrawal(&free, date!(2000 - 01 - 20)).unwrap()), wanted);
    }
}

#[test]
fn a_cancellation_is_the_sample() {
    let id = DocId::new("5b3ac2f1-7d6e-4a0e-9a6f-2f4c5e0d1a11").unwrap();
    let bytes = cancel("7700000000", &id).unwrap();
    if let Some(wanted) = sample("LK_RECEIPT_CANCEL") {
        assert_eq!(read(&bytes), wanted);
    }
    assert_eq!(cancel("77", &id), Err(Refusal::Inn));
    for wrong in ["", "a b", "../x", &"x".repeat(65)] {
        assert_eq!(DocId::new(wrong), None, "{wrong}");
    }
}

#[test]
fn returns_are_those_of_the_samples() {
    let made = |asked: &Return| read(&return_(asked, &Matrix::default()).unwrap());
    let mut remote = back(ReturnType::RemoteSale, Reason::Distance);
    remote.paid = Some(false);
    if let Some(wanted) = sample("LP_RETURN.REMOTE_SALE.not_paid") {
        assert_eq!(made(&remote), wanted);
    }
    let mut mixed = remote.clone();
    let certificate = Certificate {
        kind: CertificateKind::Declaration,
        number: "ЕАЭС N RU Д-RU.РА05.В.88154/22".into(),
        date: date!(2022 - 08 - 29),
    };
    mixed.products.push(Returned {
        ki: OTHER.into(),
        reason: Reason::BySamples,
        paid: Some(true),
        primary: Some(primary(PrimaryKind::SalesReceipt, "I-1")),
        certificate: Some(certificate),
    });
    if let Some(wanted) = sample("LP_RETURN.REMOTE_SALE.item_override") {
        assert_eq!(made(&mixed), wanted);
    }
    remote.paid = Some(true);
    remote.primary = Some(primary(PrimaryKind::Receipt, "12345"));
    if let Some(wanted) = sample("LP_RETURN.REMOTE_SALE.paid") {
        assert_eq!(made(&remote), wanted);
    }
    let mut retail = back(ReturnType::Retail, Reason::Retail);
    retail.primary = Some(primary(PrimaryKind::Receipt, "12345"));
    if let Some(wanted) = sample("LP_RETURN.RETAIL") {
        assert_eq!(made(&retail), wanted);
    }
}

#[test]
fn a_withdrawal_that_the_register_would_refuse_is_not_made() {
    type Change = Box<dyn Fn(&mut Withdrawal)>;
    let cases: Vec<(&str, Change, Refusal)> = vec![
        ("no codes", Box::new(|w| w.products.clear()), Refusal::Empty),
        ("twice", Box::new(|w| w.products.push(priced(ONE, 1))), Refusal::Twice(ONE.into())),
        (
            "a tail",
            Box::new(|w| w.products[0].cis.push_str("\u{1d}91FFD0")),
            Refusal::NotKi(ONE[..16].into()),
        ),
        ("INN", Box::new(|w| w.party.inn = "77000".into()), Refusal::Inn),
        ("buyer", Box::new(|w| w.buyer_inn = Some("x".into())), Refusal::Inn),
        ("no KPP", Box::new(|w| w.party.kpp = None), Refusal::NoKpp),
        ("KPP of a trader", Box::new(|w| w.party.inn = "770000000000".into()), Refusal::Kpp),
        (
            "tomorrow",
            Box::new(|w| w.date = date!(2026 - 11 - 22)),
            Refusal::Date(date!(2026 - 11 - 22)),
        ),
        ("old", Box::new(|w| w.date = date!(2021 - 11 - 20)), Refusal::Date(date!(2021 - 11 - 20))),
        ("no price", Box::new(|w| w.products[0].kopecks = None), Refusal::NoPrice(ONE.into())),
        (
            "price",
            Box::new(|w| w.products[0].kopecks = Some(u64::MAX)),
            Refusal::NoPrice(ONE.into()),
        ),
        ("words", Box::new(|w| w.other_reason = Some("так".into())), Refusal::OtherReason),
        ("no words", Box::new(|w| w.reason = Reason::Other), Refusal::OtherReason),
        (
            "an act",
            Box::new(|w| w.primary = Some(primary(PrimaryKind::DestructionAct, "1"))),
            Refusal::PrimaryKind(PrimaryKind::DestructionAct),
        ),
        (
            "a name",
            Box::new(|w| {
                let name = Some("Чек".to_owned());
                w.primary = Some(Primary { name, ..primary(PrimaryKind::Receipt, "1") });
            }),
            Refusal::PrimaryName,
        ),
        (
            "no number",
            Box::new(|w| w.primary = Some(primary(PrimaryKind::Receipt, " "))),
            Refusal::Text("the number of the primary document"),
        ),
    ];
    for (what, change, refusal) in cases {
        let mut asked = sale();
        change(&mut asked);
        assert_eq!(withdrawal(&asked, TODAY), Err(refusal), "{what}");
    }
    let mut many = sale();
    many.products =
        (0..=30_000).map(|n| priced(&format!("0104669000322220215{n:012}"), 1)).collect();
    assert_eq!(withdrawal(&many, TODAY), Err(Refusal::TooLarge));
    many.products.pop();
    assert!(withdrawal(&many, TODAY).is_ok());
}

#[test]
fn the_matrix_is_the_published_one() {
    let Some(enums) = vendor("enums.json") else { return };
    let enums: Value = serde_json::from_str(&enums).unwrap();
    let matrix = Matrix::default();
    let known = enums["withdraw_reason_v726_seen"].as_array().unwrap();
    assert_eq!(known.len(), Reason::ALL.len());
    for reason in known {
        let reason = Reason::from_word(reason.as_str().unwrap()).unwrap();
        for return_type in ReturnType::ALL {
            let wanted = enums["return_type_matrix_lp"][return_type.word()].as_array().unwrap();
            let wanted = wanted.iter().any(|word| word == reason.word());
            assert_eq!(matrix.allows(*return_type, reason), wanted, "{return_type} {reason}");
            let mut asked = back(*return_type, reason);
            let remote = *return_type == ReturnType::RemoteSale;
            asked.paid = remote.then_some(false);
            let with = *return_type == ReturnType::Retail;
            asked.primary = with.then(|| primary(PrimaryKind::Receipt, "1"));
            let made = return_(&asked, &matrix);
            let refusal = Refusal::Follows { return_type: *return_type, reason };
            assert!(
                if wanted { made.is_ok() } else { made == Err(refusal) },
                "{return_type} {reason}"
            );
        }
    }
    for old in enums["withdraw_reason_legacy_do_not_use"].as_array().unwrap() {
        assert_eq!(Reason::from_word(old.as_str().unwrap()), None);
    }
    assert_eq!(matrix.after(Reason::Distance).next(), Some(ReturnType::RemoteSale));
    assert_eq!(matrix.after(Reason::Retail).collect::<Vec<_>>(), [ReturnType::Retail]);
    assert_eq!(matrix.after(Reason::Destruction).count(), 0);
}

#[test]
fn groups_and_kinds_are_the_published_ones() {
    let Some(enums) = vendor("enums.json") else { return };
    let enums: Value = serde_json::from_str(&enums).unwrap();
    let groups = enums["product_group"].as_object().unwrap();
    assert_eq!(groups.len(), Group::all().count());
    for (code, id) in groups {
        let group = Group::from_code(code).unwrap();
        assert_eq!(group.id().map(u64::from), id.as_u64(), "{code}");
    }
    assert_eq!(Group::from_code("shirts"), None);
    let kinds = enums["primary_document_type"].as_object().unwrap();
    assert!(kinds.keys().all(|kind| PrimaryKind::from_word(kind).is_some()));
    for kind in DocumentType::ALL {
        assert!(enums["document_types"].get(kind.word()).is_some(), "{kind}");
    }
}

#[test]
fn whether_the_buyer_had_paid_must_be_said_and_shown() {
    let matrix = Matrix::default();
    let mut remote = back(ReturnType::RemoteSale, Reason::Distance);
    assert_eq!(return_(&remote, &matrix), Err(Refusal::NoPaid));
    remote.paid = Some(true);
    assert_eq!(return_(&remote, &matrix), Err(Refusal::NoPrimary));
    remote.primary = Some(primary(PrimaryKind::Utd, "1"));
    assert_eq!(return_(&remote, &matrix), Err(Refusal::PrimaryKind(PrimaryKind::Utd)));
    remote.primary = Some(primary(PrimaryKind::Receipt, "1"));
    assert!(return_(&remote, &matrix).is_ok());
    remote.paid = Some(false);
    assert_eq!(return_(&remote, &matrix), Err(Refusal::Primary));
    let mut retail = back(ReturnType::Retail, Reason::Distance);
    assert_eq!(return_(&retail, &matrix), Err(Refusal::NoPrimary));
    retail.primary = Some(primary(PrimaryKind::Receipt, "1"));
    retail.paid = Some(true);
    assert_eq!(return_(&retail, &matrix), Err(Refusal::Paid));
    let certificate =
        Certificate { kind: CertificateKind::Declaration, number: "1".into(), date: TODAY };
    let mut twice = back(ReturnType::OwnUse, Reason::OwnUse);
    twice.certificate = Some(certificate.clone());
    twice.products[0].certificate = Some(certificate);
    assert_eq!(return_(&twice, &matrix), Err(Refusal::CertificateTwice));
}
