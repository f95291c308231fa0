//! Settings: the shops, how their codes leave and come back, and the people of the warehouse.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use clap::Args;
use events::ShopId;
use runtime::{Secret, StartError};
use serde::Deserialize;
use signing::SignerArgs;
use uuid::Uuid;

use crate::gismt::{
    GismtArgs,
    documents::{Matrix, Reason},
};

/// How `marking` is told about shops and people.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// Shops and people: a TOML file, see the service's README.
    #[arg(long, env = "MARKING_FILE")]
    pub marking_file: PathBuf,
    /// First pause between two looks at a document; each further one is twice as long.
    #[arg(long, env, default_value = "5s", value_parser = humantime::parse_duration)]
    pub marking_poll: Duration,
    /// Longest pause between two looks.
    #[arg(long, env, default_value = "10m", value_parser = humantime::parse_duration)]
    pub marking_poll_longest: Duration,
    /// How long a document whose answer was lost is looked for before the job stops as unknown.
    #[arg(long, env, default_value = "30m", value_parser = humantime::parse_duration)]
    pub marking_doubt: Duration,
    /// The largest file that is imported, in bytes.
    #[arg(long, env, default_value_t = 512 * 1024 * 1024)]
    pub marking_import_limit: usize,
    /// How long a person stays signed in at the storekeeper's page.
    #[arg(long, env, default_value = "12h", value_parser = humantime::parse_duration)]
    pub marking_session: Duration,
    /// Whether the page is reached over HTTPS: the cookie is then sent over nothing else.
    #[arg(long, env, default_value_t = true, action = clap::ArgAction::Set)]
    pub marking_https: bool,
    /// Where the address of a caller stands behind a proxy, such as `x-forwarded-for` (its last entry
    /// counts): wrong keys are bounded by address. Without it the connection's own address counts.
    #[arg(long, env)]
    pub marking_address_header: Option<String>,
    /// The register.
    #[command(flatten)]
    pub gismt: GismtArgs,
    /// Who signs.
    #[command(flatten)]
    pub signer: SignerArgs,
}

/// The file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Shops by name.
    pub shops: BTreeMap<String, Shop>,
    /// People and programs that may call, by name.
    #[serde(default)]
    pub people: BTreeMap<String, Person>,
    /// Which return may follow which withdrawal, where it is not the published table.
    #[serde(default)]
    pub returns: Matrix,
}

/// One shop.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shop {
    /// From which fact on codes are set aside.
    #[serde(default)]
    pub reserve_on: ReserveOn,
    /// Whose word it takes that a code is on the very piece that leaves.
    #[serde(default)]
    pub confirm: Confirm,
    /// The reason of a withdrawal (`action`), a word of the register.
    #[serde(default = "distance")]
    pub action: Reason,
    /// The reason in words; of `OTHER` alone.
    #[serde(default)]
    pub other_reason: Option<String>,
    /// Within what time after dispatch the law wants codes withdrawn. Three days: it is said to give three
    /// working days for distance sales, and some product groups have less.
    #[serde(default = "three_days", deserialize_with = "duration")]
    pub withdraw_within: Duration,
    /// The place of activity, as it is registered in the cabinet (`fias_id`): withdrawals by document name it.
    #[serde(default)]
    pub fias_id: Uuid,
    /// The reason code of a company; entrepreneurs have none.
    #[serde(default)]
    pub kpp: Option<String>,
    /// The product's property with the GTIN.
    #[serde(default = "gtin_property")]
    pub gtin_property: String,
    /// What is alcohol, which is not withdrawn here.
    #[serde(default)]
    pub alcohol: Alcohol,
    /// Where codes of returned goods go.
    #[serde(default)]
    pub returned_to: ReturnedTo,
    /// Whether a scan of a code that nobody has imported is taken.
    #[serde(default)]
    pub takes_unknown: bool,
}

/// How a product of alcohol is known: by the properties that `egais` goes by, under the names that they have there.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Alcohol {
    /// The product's property with the AlcCode.
    pub alc_code_property: String,
    /// The product's property with the group of alcohol.
    pub group_property: String,
    /// Groups whose pieces have codes of this register as well, as beer's do.
    pub also_marked: Vec<String>,
}

impl Default for Alcohol {
    fn default() -> Self {
        Self {
            alc_code_property: "ALCCODE".to_owned(),
            group_property: "EGAIS_GROUP".to_owned(),
            also_marked: vec!["beer".to_owned()],
        }
    }
}

/// See [`Shop::reserve_on`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReserveOn {
    /// The order is there.
    #[default]
    Created,
    /// A payment came in.
    Paid,
}

/// See [`Shop::confirm`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confirm {
    /// A scan, or the shop that names the code.
    #[default]
    Scan,
    /// The reservation is enough: pieces are picked by the reserved codes.
    Reservation,
}

/// See [`Shop::returned_to`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnedTo {
    /// Free for the next order.
    #[default]
    Stock,
    /// Kept apart until a person has looked at the goods.
    Quarantine,
}

const fn distance() -> Reason {
    Reason::Distance
}

const fn three_days() -> Duration {
    Duration::from_secs(3 * 24 * 3600)
}

fn duration<'de, D: serde::Deserializer<'de>>(text: D) -> Result<Duration, D::Error> {
    humantime::parse_duration(&String::deserialize(text)?).map_err(serde::de::Error::custom)
}

fn gtin_property() -> String {
    "GTIN".to_owned()
}

/// Who may call.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The password at the page, and the key of calls (`X-API-Key`).
    pub key: Secret,
    /// What he may.
    #[serde(default)]
    pub role: Role,
}

/// What somebody may.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Scans and imports.
    #[default]
    Storekeeper,
    /// Also fetches full codes, with their tails: the shop's own program, for receipts.
    Site,
}

/// What the file says.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Shops.
    pub shops: BTreeMap<ShopId, Shop>,
    /// People and programs.
    pub people: BTreeMap<String, Person>,
    /// Which return may follow which withdrawal.
    pub returns: Matrix,
}

/// The shortest key.
const KEY: usize = 16;

/// Reads the file and looks for what cannot be right.
///
/// # Errors
/// [`StartError`] names the file and the shop or person.
pub fn read(config: &Config) -> Result<Settings, StartError> {
    let path = &config.marking_file;
    let file: File = runtime::settings::file(path)?;
    let wrong = |what: &str, why: &dyn std::fmt::Display| {
        StartError::new(format!("{}: {what}: {why}", path.display()))
    };
    if file.shops.is_empty() {
        return Err(wrong("shops", &"there are none"));
    }
    let mut shops = BTreeMap::new();
    for (name, shop) in file.shops {
        let id: ShopId = name.parse().map_err(|error| wrong(&name, &error))?;
        if shop.withdraw_within.is_zero() {
            return Err(wrong(&name, &"withdraw_within must be above zero"));
        }
        shops.insert(id, shop);
    }
    for (name, person) in &file.people {
        if person.key.expose().chars().count() < KEY {
            return Err(wrong(name, &format!("the key has fewer than {KEY} characters")));
        }
    }
    if config.marking_poll.is_zero() || config.marking_poll > config.marking_poll_longest {
        return Err(StartError::new(
            "--marking-poll must be above zero and at most --marking-poll-longest",
        ));
    }
    Ok(Settings { shops, people: file.people, returns: file.returns })
}
