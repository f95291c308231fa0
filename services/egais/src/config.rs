//! Settings: the UTMs, the shops behind them, and which document says what of which goods.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use clap::Args;
use events::ShopId;
use runtime::{Secret, StartError};
use serde::Deserialize;
use url::Url;

use crate::{documents::Kind, utm::DIAGNOSIS};

/// How `egais` is told about UTMs and shops.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// UTMs and shops: a TOML file, see the service's README.
    #[arg(long, env = "EGAIS_FILE")]
    pub egais_file: PathBuf,
    /// The root of the official schemas (`WB_DOC_SINGLE_01.xsd`), see the service's README. Without it only the
    /// service's own rules are checked.
    #[arg(long, env)]
    pub egais_xsd: Option<PathBuf>,
    /// Pause between two looks at a UTM's inbox.
    #[arg(long, env, default_value = "10s", value_parser = humantime::parse_duration)]
    pub egais_poll: Duration,
    /// Longest time for one call to a UTM; the answer with all stock may take longer.
    #[arg(long, env, default_value = "30s", value_parser = humantime::parse_duration)]
    pub egais_timeout: Duration,
    /// Longest time for the answer with all stock.
    #[arg(long, env, default_value = "60m", value_parser = humantime::parse_duration)]
    pub egais_rests_timeout: Duration,
    /// How long a replica that died keeps its turn at a UTM; more than twice the longest call.
    #[arg(long, env, default_value = "90s", value_parser = humantime::parse_duration)]
    pub egais_turn: Duration,
    /// Pause before a document that the UTM itself refused is offered again.
    #[arg(long, env, default_value = "10m", value_parser = humantime::parse_duration)]
    pub egais_refused_pause: Duration,
    /// How often a document is offered to a UTM that refuses it or never answers, before the administrator is told.
    #[arg(long, env, default_value_t = 5)]
    pub egais_refused_attempts: u32,
    /// How long a document whose receipt was lost is looked for before it may be offered again.
    #[arg(long, env, default_value = "10m", value_parser = humantime::parse_duration)]
    pub egais_doubt: Duration,
    /// After how long without an answer of EGAIS the shop is warned.
    #[arg(long, env, default_value = "15m", value_parser = humantime::parse_duration)]
    pub egais_silence_warning: Duration,
    /// After how long without an answer of EGAIS a person must look.
    #[arg(long, env, default_value = "24h", value_parser = humantime::parse_duration)]
    pub egais_silence_alarm: Duration,
    /// How often stock is asked for (RestBal); 0 for never.
    #[arg(long, env, default_value = "24h", value_parser = humantime::parse_duration)]
    pub egais_rests_every: Duration,
}

/// The file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// UTMs by name.
    pub utms: BTreeMap<String, Utm>,
    /// Shops by name.
    pub shops: BTreeMap<String, Shop>,
    /// The key of calls to this service (`X-API-Key`): documents, stock, catalogue. Nothing is served without.
    pub key: Option<Secret>,
}

/// One transport module.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Utm {
    /// Its address; what its lists say of their host is not followed.
    pub url: Url,
    /// The organisation in its key (FSRAR_ID).
    pub fsrar_id: String,
    /// Where cheques are posted, if not `/opt/in/<Type>`: that is not settled among clients.
    #[serde(default)]
    pub cheque_path: Option<String>,
    /// A header for what stands before the UTM, such as `Authorization`.
    #[serde(default)]
    pub header: Option<Header>,
}

/// See [`Utm::header`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Secret,
}

/// One shop.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shop {
    /// Its UTM.
    pub utm: String,
    /// The product's property with the group.
    #[serde(default = "group_property")]
    pub group_property: String,
    /// The group of alcohol whose property names none.
    #[serde(default)]
    pub default_group: Option<String>,
    /// The product's property with the AlcCode.
    #[serde(default = "alc_code_property")]
    pub alc_code_property: String,
    /// The product's property with the reference of form B (`FB-…`).
    #[serde(default = "f2_property")]
    pub f2_property: String,
    /// The product's property with the reference of form A (`FA-…`), for the brief's dialect.
    #[serde(default = "f1_property")]
    pub f1_property: String,
    /// The product's property with the EAN, for cheques.
    #[serde(default = "ean_property")]
    pub ean_property: String,
    /// The order's property with the number of a waybill by which goods come back.
    #[serde(default = "waybill_property")]
    pub waybill_property: String,
    /// The order's property with the shift of the receipt, for cheques.
    #[serde(default = "shift_property")]
    pub shift_property: String,
    /// The order's property with the number of the receipt, for cheques.
    #[serde(default = "cheque_property")]
    pub cheque_property: String,
    /// The order's property with the shift of the receipt of return, for cheques of return.
    #[serde(default = "back_shift_property")]
    pub back_shift_property: String,
    /// The order's property with the number of the receipt of return.
    #[serde(default = "back_cheque_property")]
    pub back_cheque_property: String,
    /// Groups of goods.
    pub groups: BTreeMap<String, Group>,
}

/// What is written of a group of goods.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// The document of a sale.
    pub sale: Kind,
    /// Why goods are written off (`TypeWriteOff`), a word of EGAIS.
    #[serde(default = "sold")]
    pub reason: String,
    /// Whether each bottle has a mark.
    pub marks: Marks,
    /// The document of a return.
    pub back: Back,
    /// The unit that EGAIS counts the goods in, by its OKEI code, such as `112` for litres: what is sold by draught. Pieces
    /// without one.
    #[serde(default)]
    pub unit: Option<String>,
    /// The serial number of the till, for cheques.
    #[serde(default)]
    pub till: Option<String>,
}

/// See [`Group::marks`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Marks {
    /// Every bottle has one, and it must be known.
    Each,
    /// None has.
    None,
}

/// See [`Group::back`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Back {
    /// A cheque of return of the sale's version, with the same marks.
    #[serde(rename = "cheque")]
    Cheque,
    /// A surplus on the shop floor.
    #[serde(rename = "ActChargeOnShop_v2")]
    ChargeOn,
    /// The whole act is undone.
    #[serde(rename = "RequestRepealAWO")]
    Repeal,
    /// The answer to a waybill of return, whose number the order names.
    #[serde(rename = "WayBillAct_v3")]
    WayBillV3,
    /// The same, version 4.
    #[serde(rename = "WayBillAct_v4")]
    WayBillV4,
    /// Nothing is sent: a person does it.
    #[serde(rename = "person")]
    Person,
}

fn group_property() -> String {
    "EGAIS_GROUP".to_owned()
}
fn alc_code_property() -> String {
    "ALCCODE".to_owned()
}
fn f2_property() -> String {
    "EGAIS_F2".to_owned()
}
fn f1_property() -> String {
    "EGAIS_F1".to_owned()
}
fn ean_property() -> String {
    "EAN".to_owned()
}
fn waybill_property() -> String {
    "EGAIS_WBREGID".to_owned()
}
fn shift_property() -> String {
    "EGAIS_SHIFT".to_owned()
}
fn cheque_property() -> String {
    "EGAIS_CHEQUE".to_owned()
}
fn back_shift_property() -> String {
    "EGAIS_BACK_SHIFT".to_owned()
}
fn back_cheque_property() -> String {
    "EGAIS_BACK_CHEQUE".to_owned()
}
fn sold() -> String {
    SOLD.to_owned()
}

/// The reason that wants a sum.
pub(crate) const SOLD: &str = "Реализация";

/// `TypeWriteOff` of the schemas of 2024.
const REASONS: [&str; 11] = [
    "Пересортица",
    "Недостача",
    "Уценка",
    "Порча",
    "Потери",
    "Проверки",
    "Арест",
    "Иные цели",
    SOLD,
    "Производственные потери",
    "Приготовление",
];

/// What the file says.
#[derive(Debug, Clone)]
pub struct Settings {
    /// UTMs by name.
    pub utms: BTreeMap<String, Utm>,
    /// Shops.
    pub shops: BTreeMap<ShopId, Shop>,
    /// The key of calls.
    pub key: Option<Secret>,
}

/// Reads the file and looks for what cannot be right.
///
/// # Errors
/// [`StartError`] names the file and what in it is wrong.
pub fn read(config: &Config) -> Result<Settings, StartError> {
    // A turn that ends during a call would let a second one send.
    if config.egais_turn <= config.egais_timeout * 2 {
        return Err(StartError::new("--egais-turn must be more than twice --egais-timeout"));
    }
    let path = &config.egais_file;
    let file: File = runtime::settings::file(path)?;
    checked(file).map_err(|why| StartError::new(format!("{}: {why}", path.display())))
}

/// Whether the longest calls of one step fit into the time that a step may take.
///
/// # Errors
/// [`StartError`] names the settings.
pub fn fits(config: &Config, step: Duration) -> Result<(), StartError> {
    // Before a question is sent, the UTM is asked who it is.
    let calls = config.egais_timeout + config.egais_timeout.min(DIAGNOSIS);
    if calls < step {
        return Ok(());
    }
    Err(StartError::new(
        "--egais-timeout is too long for --job-lease: a call and up to 10s before it must end within 0.8 of the lease",
    ))
}

/// The same for a file that was read.
///
/// # Errors
/// What is wrong in it.
pub fn checked(file: File) -> Result<Settings, String> {
    if file.utms.is_empty() || file.shops.is_empty() {
        return Err("there must be a UTM and a shop".to_owned());
    }
    for (name, utm) in &file.utms {
        let digits = utm.fsrar_id.bytes().all(|byte| byte.is_ascii_digit());
        if utm.fsrar_id.is_empty() || utm.fsrar_id.len() > 50 || !digits {
            return Err(format!("{name}: fsrar_id is 1 to 50 digits"));
        }
        if utm.cheque_path.as_ref().is_some_and(|path| !path.starts_with('/')) {
            return Err(format!("{name}: cheque_path begins with /"));
        }
        // Whose turn it is to send goes by the name: two names for one would let two send.
        if let Some((other, _)) = file.utms.iter().find(|(n, u)| *n < name && u.url == utm.url) {
            return Err(format!("{other} and {name} are one UTM: its address stands twice"));
        }
    }
    let mut shops = BTreeMap::new();
    for (name, shop) in file.shops {
        let wrong = |why: String| format!("{name}: {why}");
        if !file.utms.contains_key(&shop.utm) {
            return Err(wrong(format!("there is no UTM {}", shop.utm)));
        }
        if shop.default_group.as_ref().is_some_and(|group| !shop.groups.contains_key(group)) {
            return Err(wrong("default_group is no group".to_owned()));
        }
        for (group, settings) in &shop.groups {
            group_is_right(group, settings).map_err(|why| wrong(format!("{group}: {why}")))?;
        }
        shops.insert(name.parse::<ShopId>().map_err(|error| wrong(error.to_string()))?, shop);
    }
    Ok(Settings { utms: file.utms, shops, key: file.key })
}

fn group_is_right(name: &str, group: &Group) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if !(1..=12).contains(&name.len()) || !name.chars().all(allowed) {
        return Err("a group's name is 1 to 12 of a-z and 0-9".to_owned());
    }
    if !group.sale.sells() {
        return Err(format!("{} is no document of a sale", group.sale.word()));
    }
    if !REASONS.contains(&group.reason.as_str()) {
        return Err(format!("{} is no reason that EGAIS knows", group.reason));
    }
    let is_okei = |code: &String| {
        (3..=4).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_digit())
    };
    if group.unit.as_ref().is_some_and(|code| !is_okei(code)) {
        return Err("unit is a code of OKEI, three or four digits".to_owned());
    }
    if group.unit.is_some() && group.marks == Marks::Each {
        return Err("what is marked bottle by bottle is counted in pieces".to_owned());
    }
    let cheque = group.sale.is_cheque();
    if cheque && group.till.is_none() {
        return Err("a cheque names its till".to_owned());
    }
    if !cheque && group.back == Back::Cheque {
        return Err("a cheque of return follows a cheque".to_owned());
    }
    if group.sale == Kind::Brief && group.back == Back::Repeal {
        return Err("the brief's form is no act that can be repealed".to_owned());
    }
    if cheque && group.back == Back::Repeal {
        return Err("a cheque is not repealed: use a cheque of return".to_owned());
    }
    Ok(())
}
