//! What a document must say to be taken: by our own reading of the format, and by the official schema.

use std::{path::Path, process::Stdio, time::Duration};

use encoding_rs::WINDOWS_1251;
use quick_xml::{Reader, events::Event};
use rust_decimal::Decimal;
use tokio::{io::AsyncWriteExt as _, process::Command};

use crate::settings::DiadocSettings;

const LIMIT: Duration = Duration::from_secs(30);

/// Who sends what to whom.
pub(super) struct Wanted<'a> {
    pub(super) sender: &'a str,
    pub(super) sender_inn: &'a str,
    pub(super) receiver: &'a str,
    pub(super) receiver_inn: &'a str,
    pub(super) receiver_kpp: &'a str,
    pub(super) function: &'a str,
    pub(super) version: &'a str,
    pub(super) is_revision: bool,
}

/// What was read.
pub(super) struct Seen {
    pub(super) file_id: String,
    pub(super) number: String,
    pub(super) total: String,
}

/// An element as it was met: its way from the root, and its attributes.
struct Met {
    way: String,
    attributes: Vec<(String, String)>,
    text: String,
}

impl Met {
    fn get(&self, name: &str) -> &str {
        let found = self.attributes.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }
}

/// Whether there is such a type of document.
pub(super) fn is_type(kind: &str, function: &str, version: &str) -> Result<(), String> {
    let kinds = ["UniversalTransferDocument", "UniversalTransferDocumentRevision"];
    let versions = ["utd970_05_03_01", "utd820_05_01_02_hyphen"];
    if !kinds.contains(&kind) || !["СЧФДОП", "ДОП"].contains(&function) {
        return Err(format!("Тип {kind} {function} неизвестен"));
    }
    if !versions.contains(&version) {
        return Err(format!("Версия {version} не действует"));
    }
    Ok(())
}

fn read(content: &[u8]) -> Result<Vec<Met>, String> {
    let declaration = b"<?xml version=\"1.0\" encoding=\"windows-1251\"?>";
    if !content.starts_with(declaration) {
        return Err("the file does not declare windows-1251".to_owned());
    }
    let (text, _, broken) = WINDOWS_1251.decode(content);
    if broken {
        return Err("bytes that are not windows-1251".to_owned());
    }
    let text = text.split_once("?>").map_or("", |(_, rest)| rest);
    let (mut reader, mut way, mut met) = (Reader::from_str(text), Vec::<String>::new(), Vec::new());
    loop {
        let event = reader.read_event().map_err(|error| error.to_string())?;
        let (element, is_empty) = match &event {
            Event::Start(element) => (element, false),
            Event::Empty(element) => (element, true),
            Event::End(_) => {
                way.pop();
                continue;
            }
            Event::Text(text) => {
                let text = text.to_string();
                if let (Some(last), false) = (met.last_mut(), text.trim().is_empty()) {
                    let last: &mut Met = last;
                    last.text = text;
                }
                continue;
            }
            Event::DocType(_) => return Err("a document type".to_owned()),
            Event::Eof => return Ok(met),
            _ => continue,
        };
        way.push(element.name().as_ref().to_owned());
        let mut attributes = Vec::new();
        for attribute in element.attributes() {
            let attribute = attribute.map_err(|error| error.to_string())?;
            let value = quick_xml::escape::unescape(&attribute.value);
            let value = value.map_err(|error| error.to_string())?.into_owned();
            attributes.push((attribute.key.as_ref().to_owned(), value));
        }
        met.push(Met { way: way.join("/"), attributes, text: String::new() });
        if is_empty {
            way.pop();
        }
    }
}

/// Reads the document and holds it against who sends what to whom.
pub(super) fn check(content: &[u8], wanted: &Wanted<'_>) -> Result<Seen, String> {
    let met = read(content)?;
    let at = |way: &str| met.iter().find(|one| one.way == way);
    let must = |way: &str| at(way).ok_or_else(|| format!("{way} is missing"));
    let (file, document, invoice) =
        (must("Файл")?, must("Файл/Документ")?, must("Файл/Документ/СвСчФакт")?);
    let is_new = wanted.version == "utd970_05_03_01";
    let format = if is_new { "5.03" } else { "5.01" };
    if file.get("ВерсФорм") != format || document.get("КНД") != "1115131" {
        return Err("ВерсФорм or КНД is another".to_owned());
    }
    if document.get("Функция") != wanted.function {
        return Err("Функция is another than the attachment's".to_owned());
    }
    let has_marks = met.iter().any(|one| one.way.ends_with("/КИЗ"));
    file_id(file.get("ИдФайл"), wanted, is_new, has_marks)?;
    party(&met, "Файл/Документ/СвСчФакт/СвПрод", wanted.sender_inn, None)?;
    party(&met, "Файл/Документ/СвСчФакт/СвПокуп", wanted.receiver_inn, Some(wanted.receiver_kpp))?;
    let correction = if is_new { "ИспрДок" } else { "ИспрСчФ" };
    let corrects = at(&format!("Файл/Документ/СвСчФакт/{correction}")).is_some();
    if corrects != wanted.is_revision {
        return Err(format!("{correction} goes with a revision, and nothing else"));
    }
    totals(&met)?;
    let number = if is_new { "НомерДок" } else { "НомерСчФ" };
    let total = must("Файл/Документ/ТаблСчФакт/ВсегоОпл")?.get("СтТовУчНалВсего").to_owned();
    let file_id = file.get("ИдФайл").to_owned();
    Ok(Seen { file_id, number: invoice.get(number).to_owned(), total })
}

/// A wrong name of the file is not mended for a signed document.
fn file_id(id: &str, wanted: &Wanted<'_>, is_new: bool, has_marks: bool) -> Result<(), String> {
    let wrong = |why: &str| Err(format!("ИдФайл {id}: {why}"));
    let prefix = match (is_new, has_marks) {
        (false, true) => "ON_NSCHFDOPPRMARK",
        _ => "ON_NSCHFDOPPR",
    };
    let start = format!("{prefix}_{}_{}_", wanted.receiver, wanted.sender);
    let Some(rest) = id.strip_prefix(&start) else { return wrong("prefix, receiver or sender") };
    let parts: Vec<&str> = rest.split('_').collect();
    let digits = |text: &str, count: usize| {
        text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let [date, guid, flags @ ..] = parts.as_slice() else { return wrong("parts") };
    if !digits(date, 8) || guid.len() != 36 {
        return wrong("date or guid");
    }
    if !is_new {
        return if flags.is_empty() { Ok(()) } else { wrong("5.01 has no flags") };
    }
    let [n2, n3, n4, n5, n6, n7] = flags else { return wrong("six flags") };
    if ![n2, n3, n4, n5, n6].iter().all(|flag| digits(flag, 1)) || !digits(n7, 2) {
        return wrong("flags");
    }
    if (*n3 == "1") != has_marks {
        return wrong("the flag of marked goods");
    }
    Ok(())
}

fn party(met: &[Met], way: &str, inn: &str, kpp: Option<&str>) -> Result<(), String> {
    let company = met.iter().find(|one| one.way == format!("{way}/ИдСв/СвЮЛУч"));
    let person = met.iter().find(|one| one.way == format!("{way}/ИдСв/СвИП"));
    let (own_inn, own_kpp) = match (company, person) {
        (Some(company), _) => (company.get("ИННЮЛ"), company.get("КПП")),
        (_, Some(person)) => (person.get("ИННФЛ"), ""),
        _ => return Err(format!("{way}: nobody")),
    };
    if own_inn != inn || kpp.is_some_and(|kpp| kpp != own_kpp) {
        return Err(format!("{way}: another INN or KPP than the box's"));
    }
    if !met.iter().any(|one| one.way.starts_with(&format!("{way}/Адрес/Адр"))) {
        return Err(format!("{way}: no address"));
    }
    Ok(())
}

/// Lines come to the totals, and each line's tax to its difference.
fn totals(met: &[Met]) -> Result<(), String> {
    const LINE: &str = "Файл/Документ/ТаблСчФакт/СведТов";
    const ALL: &str = "Файл/Документ/ТаблСчФакт/ВсегоОпл";
    let number = |text: &str| text.parse::<Decimal>().map_err(|_| format!("{text:?} is no number"));
    let (mut net, mut total, mut tax) = (Decimal::ZERO, Decimal::ZERO, Decimal::ZERO);
    for one in met.iter().filter(|one| one.way == LINE) {
        let (own_net, own_total) =
            (number(one.get("СтТовБезНДС"))?, number(one.get("СтТовУчНал"))?);
        let product = number(one.get("ЦенаТов"))? * number(one.get("КолТов"))?;
        if (product - own_net).abs() > Decimal::new(1, 2) {
            return Err(format!("line {}: price by quantity is not the sum", one.get("НомСтр")));
        }
        net += own_net;
        total += own_total;
    }
    for one in met.iter().filter(|one| one.way == format!("{LINE}/СумНал/СумНал")) {
        tax += number(&one.text)?;
    }
    let all = met.iter().find(|one| one.way == ALL).ok_or("ВсегоОпл is missing")?;
    let said = (number(all.get("СтТовБезНДСВсего"))?, number(all.get("СтТовУчНалВсего"))?);
    if said != (net, total) || total - net != tax {
        return Err("the lines do not come to the totals".to_owned());
    }
    Ok(())
}

/// Holds a document against the official schema, if a folder with it is named: by xmllint, which is no part of Parom.
pub(super) async fn schema(
    settings: &DiadocSettings,
    version: &str,
    content: &[u8],
) -> Result<(), String> {
    let Some(folder) = &settings.xsd_dir else { return Ok(()) };
    let name = match version {
        "utd970_05_03_01" => "ON_NSCHFDOPPR_1_997_01_05_03_05.xsd",
        _ => "ON_NSCHFDOPPR_1_997_01_05_01_03.xsd",
    };
    let mut child = Command::new("xmllint")
        .args(["--nonet", "--noout", "--schema"])
        .arg(Path::new(folder).join(name))
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("xmllint: {error}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(content).await.map_err(|error| format!("xmllint: {error}"))?;
    }
    let ended = tokio::time::timeout(LIMIT, child.wait_with_output()).await;
    let ended = ended.map_err(|_| "xmllint takes too long")?.map_err(|error| error.to_string())?;
    if ended.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&ended.stderr);
    Err(said.chars().take(500).collect())
}
