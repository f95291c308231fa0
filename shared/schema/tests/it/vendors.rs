//! The official sets and samples, with the verdicts that were found for them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use schema::Schema;

use crate::{vendor, verdict};

fn set(folder: &Path, name: &str) -> Schema {
    Schema::read(&folder.join(name).join("WB_DOC_SINGLE_01.xsd")).unwrap()
}

#[test]
fn every_sample_of_egais_has_its_verdict() {
    let Some(folder) = vendor("egais") else { return };
    let sets = ["xsd-2024-06", "xsd-kirsa-pre2024", "xsd-2017-utm205"];
    let sets = sets.map(|name| (name, set(&folder, name)));
    let table = fs::read_to_string(folder.join("VALIDATION.tsv")).unwrap();
    let mut checked = 0;
    for line in table.lines() {
        let [sample, set, wanted] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let Ok(document) = fs::read(folder.join(sample)) else {
            println!("MISSING: ../shared/vendors/egais/{sample}");
            continue;
        };
        let schema = &sets.iter().find(|(name, _)| *name == set).unwrap().1;
        let verdict = verdict(schema, &document);
        assert_eq!(verdict == "ok", wanted == "OK", "{sample} on {set}: {verdict}");
        checked += 1;
    }
    assert!(checked >= 140, "{checked} verdicts");
}

#[test]
fn every_schema_of_the_tax_service_and_the_operator_is_read() {
    let Some(folder) = vendor("edo") else { return };
    for set in ["xsd-fts", "xsd-diadoc-usercontract"] {
        let files = fs::read_dir(folder.join(set)).unwrap().map(|entry| entry.unwrap().path());
        let files: Vec<PathBuf> =
            files.filter(|path| path.extension().is_some_and(|end| end == "xsd")).collect();
        assert!(files.len() >= 17, "{} schemas in {set}", files.len());
        for path in files {
            Schema::read(&path).unwrap();
        }
    }
}

#[test]
fn documents_broken_on_purpose_are_found_out() {
    let Some(folder) = vendor("egais") else { return };
    let schema = set(&folder, "xsd-2024-06");
    let good =
        fs::read_to_string(folder.join("samples-synthetic/ActWriteOff_v3.sale.xml")).unwrap();
    assert_eq!(verdict(&schema, good.as_bytes()), "ok");
    let day = good.split("ActDate>").nth(1).unwrap();
    let date = format!("ActDate>{day}");
    for (part, instead) in [
        (date.as_str(), date.replace("</", "+03:00</")),
        ("Реализация", "Продажа".to_owned()),
        (":Quantity>2<", ":Quantity>0<".to_owned()),
        (":Quantity>2<", ":Quantity>1,5<".to_owned()),
        ("<ns:Documents ", "<ns:Documents version=\"2\" ".to_owned()),
        (":Header>", ":Heading>".to_owned()),
    ] {
        assert!(good.contains(part), "{part} is not in the sample");
        let broken = good.replacen(part, &instead, 1);
        let verdict = verdict(&schema, broken.as_bytes());
        assert_ne!(verdict, "ok", "{part} became {instead}");
    }
}
