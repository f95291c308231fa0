//! Settings: Diadoc, the signer, and for each shop who sells, who signs and where the order's details are.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use clap::Args;
use events::{Inn, InnKind, Kpp, ShopId, Vat};
use runtime::StartError;
use secrecy::SecretString;
use serde::Deserialize;
use signing::SignerArgs;

use crate::{
    diadoc::DiadocArgs,
    upd::{Address, Authority, Format, Function, Party, PersonName, Signatory, Who},
};

/// How `edo` is told about Diadoc and the shops.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// Shops: a TOML file, see the service's README.
    #[arg(long, env = "EDO_FILE")]
    pub edo_file: PathBuf,
    /// The folder with the tax service's schemas (`ON_NSCHFDOPPR_1_997_01_05_03_05.xsd`, …): documents are held
    /// against them before they are signed. Without it only our own rules hold.
    #[arg(long, env)]
    pub edo_xsd_dir: Option<PathBuf>,
    /// How often a document on its way is looked at when the event feed tells nothing of it.
    #[arg(long, env, default_value = "1h", value_parser = humantime::parse_duration)]
    pub edo_look: Duration,
    /// The first pause between two looks, right after sending; each further one is twice as long, up to `--edo-look`.
    #[arg(long, env, default_value = "30s", value_parser = humantime::parse_duration)]
    pub edo_look_first: Duration,
    /// How often the event feed is read.
    #[arg(long, env, default_value = "15s", value_parser = humantime::parse_duration)]
    pub edo_feed: Duration,
    /// How far back the feed is read again each time: two events of one moment across a page's border would be lost.
    #[arg(long, env, default_value = "5m", value_parser = humantime::parse_duration)]
    pub edo_feed_overlap: Duration,
    /// How often a buyer who has not accepted our invitation is looked for.
    #[arg(long, env, default_value = "15m", value_parser = humantime::parse_duration)]
    pub edo_partner_look: Duration,
    /// How long a found box of a buyer is taken for true.
    #[arg(long, env, default_value = "24h", value_parser = humantime::parse_duration)]
    pub edo_partner_keep: Duration,
    /// After how long without the buyer's signature the shop is told once.
    #[arg(long, env, default_value = "5d", value_parser = humantime::parse_duration)]
    pub edo_remind_after: Duration,
    /// The token of the interface with history, files and signatures; without it the interface is off.
    #[arg(long, env, hide_env_values = true)]
    pub edo_api_token: Option<SecretString>,
    /// Diadoc.
    #[command(flatten)]
    pub diadoc: DiadocArgs,
    /// Who signs.
    #[command(flatten)]
    pub signer: SignerArgs,
}

/// The file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Shops by name.
    pub shops: BTreeMap<String, ShopFile>,
}

/// One shop, as the file says it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShopFile {
    /// The seller.
    pub seller: SellerFile,
    /// Who signs.
    pub signer: Signatory,
    /// All else.
    #[serde(flatten)]
    pub rules: Rules,
}

/// The seller, as the file says it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SellerFile {
    /// INN.
    pub inn: Inn,
    /// KPP of a company.
    pub kpp: Option<Kpp>,
    /// A company's name.
    pub name: Option<String>,
    /// An entrepreneur's name.
    pub person: Option<PersonName>,
    /// The address.
    pub address: Address,
    /// The identifier as a participant of exchange (`FnsParticipantId`), such as `2BM-7700000016-…`.
    pub participant: String,
}

/// One shop.
#[derive(Debug, Clone)]
pub struct Shop {
    /// Who sells.
    pub seller: Party,
    /// The seller's identifier as a participant of exchange.
    pub participant: String,
    /// Who signs.
    pub signer: Signatory,
    /// All else.
    pub rules: Rules,
}

/// What holds for a shop's documents.
#[derive(Debug, Clone, Deserialize)]
pub struct Rules {
    /// From which fact on a document is made.
    #[serde(default)]
    pub on: Trigger,
    /// What documents are for.
    pub function: Function,
    /// Their format.
    #[serde(default)]
    pub format: Format,
    /// Codes of the order properties that say who buys.
    #[serde(default)]
    pub buyer: BuyerProperties,
    /// Codes of the product properties that say what is bought.
    #[serde(default)]
    pub goods: GoodsProperties,
    /// Units beside the known ones: code by OKEI and short name.
    #[serde(default)]
    pub units: BTreeMap<String, String>,
    /// The flags in a file's name.
    #[serde(default)]
    pub file_id: FileFlags,
    /// Delivery as a line.
    #[serde(default)]
    pub delivery: DeliveryRules,
    /// The ground of the rate 0 % where the product names none.
    #[serde(default)]
    pub zero_ground: Option<String>,
    /// Marked goods leave circulation with the document, for the buyer's own use (`СвВыбытияМАРК`: 1 or 3).
    #[serde(default)]
    pub withdraws_marks: Option<u8>,
    /// The order property into which the buyer's box at Diadoc is written; without it nothing is written.
    #[serde(default)]
    pub box_property: Option<String>,
    /// Whether buyers who are no partners yet are invited.
    #[serde(default)]
    pub invite: bool,
    /// What an invitation says.
    #[serde(default = "invitation")]
    pub invitation: String,
    /// Whether documents go to buyers who are no partners, where they take from all.
    #[serde(default = "yes")]
    pub to_strangers: bool,
    /// The signature is made by Diadoc for test organisations (`SignWithTestSignature`): no key at all.
    #[serde(default)]
    pub test_signature: bool,
    /// The signature is made at Diadoc, with a certificate that it keeps (`DssSign`); `SIGNER_KIND` is then `none`.
    #[serde(default)]
    pub cloud_signature: Option<CloudSignature>,
    /// The machine-readable power of attorney that goes with the signature.
    #[serde(default)]
    pub power_of_attorney: Option<PowerOfAttorney>,
    /// Diadoc's words for documents.
    #[serde(default)]
    pub types: Types,
}

/// What makes a document.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// A shipment has left.
    #[default]
    Shipped,
    /// A payment came in.
    Paid,
}

/// See [`Rules::buyer`]. The defaults are those of Bitrix's person type "legal entity".
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BuyerProperties {
    /// The company's name.
    pub company: String,
    /// Its legal address.
    pub address: String,
    /// The address where goods go, if it is another one.
    pub consignee_address: Option<String>,
    /// The contract's number.
    pub contract_number: Option<String>,
    /// Its date, `yyyy-mm-dd` or `dd.mm.yyyy`.
    pub contract_date: Option<String>,
    /// The company's number in the state register, checked if it is there.
    pub ogrn: String,
}

impl Default for BuyerProperties {
    fn default() -> Self {
        Self {
            company: "COMPANY".to_owned(),
            address: "COMPANY_ADR".to_owned(),
            consignee_address: None,
            contract_number: None,
            contract_date: None,
            ogrn: "OGRN".to_owned(),
        }
    }
}

/// See [`Rules::goods`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GoodsProperties {
    /// The seller's code of the product; its external code without one.
    pub code: Option<String>,
    /// GTIN.
    pub gtin: String,
    /// Country of origin by OKSM, three digits.
    pub country: String,
    /// Its short name.
    pub country_name: String,
    /// Number of the customs declaration.
    pub declaration: String,
    /// Why the rate is 0 %.
    pub zero_ground: String,
    /// The property that alcohol has.
    pub alcohol: String,
}

impl Default for GoodsProperties {
    fn default() -> Self {
        Self {
            code: None,
            gtin: "GTIN".to_owned(),
            country: "COUNTRY_CODE".to_owned(),
            country_name: "COUNTRY_NAME".to_owned(),
            declaration: "CUSTOMS_DECLARATION".to_owned(),
            zero_ground: "VAT0_GROUND".to_owned(),
            alcohol: "ALCCODE".to_owned(),
        }
    }
}

/// The flags in a file's name, by what is in it. Those for plain and marked goods were seen in files of
/// 2026; for alcohol none was, so a document with alcohol is refused until the flags are set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FileFlags {
    /// Nothing special.
    pub plain: String,
    /// Marked goods.
    pub marked: String,
    /// Alcohol.
    pub alcohol: Option<String>,
    /// Nothing special, in 5.01.
    pub plain_5_01: String,
    /// Marked goods, in 5.01.
    pub marked_5_01: String,
}

impl Default for FileFlags {
    fn default() -> Self {
        Self {
            plain: "0_0_0_0_0_00".to_owned(),
            marked: "0_1_0_0_0_00".to_owned(),
            alcohol: None,
            plain_5_01: String::new(),
            marked_5_01: "MARK".to_owned(),
        }
    }
}

/// See [`Rules::delivery`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeliveryRules {
    /// Its VAT where the order tells none; without it such orders are refused.
    pub vat: Option<Vat>,
    /// Its unit, by OKEI.
    pub unit: String,
}

impl Default for DeliveryRules {
    fn default() -> Self {
        Self { vat: None, unit: "876".to_owned() }
    }
}

/// See [`Rules::cloud_signature`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloudSignature {
    /// The certificate's SHA-1 thumbprint; the one that is bound to the employee at Diadoc without it.
    pub thumbprint: Option<String>,
}

/// A power of attorney that goes beside the signature (`SignedContent.PowerOfAttorney`).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum PowerOfAttorney {
    /// The one that the signing employee has at Diadoc by default.
    Default,
    /// The one that the document names.
    InDocument,
    /// This one.
    Known {
        /// Its registration number.
        number: String,
        /// INN of who gave it.
        issuer_inn: String,
        /// INN of who has it.
        representative_inn: String,
    },
}

/// Diadoc's words for documents (`TypeNamedId`, `Version`), as its method `GetDocumentTypes` lists them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Types {
    /// The type of a first document.
    pub document: String,
    /// The type of a corrected one.
    pub revision: String,
    /// The version of 5.03.
    pub version_5_03: String,
    /// The version of 5.01.
    pub version_5_01: String,
}

impl Default for Types {
    fn default() -> Self {
        Self {
            document: "UniversalTransferDocument".to_owned(),
            revision: "UniversalTransferDocumentRevision".to_owned(),
            version_5_03: "utd970_05_03_01".to_owned(),
            version_5_01: "utd820_05_01_02_hyphen".to_owned(),
        }
    }
}

impl Types {
    /// The version of a format.
    #[must_use]
    pub fn version(&self, format: Format) -> &str {
        match format {
            Format::V503 => &self.version_5_03,
            Format::V501 => &self.version_5_01,
        }
    }
}

const fn yes() -> bool {
    true
}

fn invitation() -> String {
    "Приглашаем вас к обмену электронными документами.".to_owned()
}

/// Reads the file and looks for what cannot be right.
///
/// # Errors
/// [`StartError`] names the file and the shop.
pub fn read(config: &Config) -> Result<BTreeMap<ShopId, Shop>, StartError> {
    let path = &config.edo_file;
    let file: File = runtime::settings::file(path)?;
    shops(file).map_err(|(what, why)| StartError::new(format!("{}: {what}: {why}", path.display())))
}

/// The shops of a file.
///
/// # Errors
/// What is wrong, and why.
pub fn shops(file: File) -> Result<BTreeMap<ShopId, Shop>, (String, String)> {
    if file.shops.is_empty() {
        return Err(("shops".to_owned(), "there are none".to_owned()));
    }
    let mut shops = BTreeMap::new();
    for (name, shop) in file.shops {
        let id: ShopId = name.parse().map_err(|error| (name.clone(), format!("{error}")))?;
        shops.insert(id, one(shop).map_err(|why| (name, why))?);
    }
    Ok(shops)
}

fn one(shop: ShopFile) -> Result<Shop, String> {
    let SellerFile { inn, kpp, name, person, address, participant } = shop.seller;
    let who = match (inn.kind(), name, kpp, person) {
        (InnKind::Organisation, Some(name), Some(kpp), None) => Who::Company { name, inn, kpp },
        (InnKind::Person, None, None, Some(name)) => Who::Entrepreneur { name, inn },
        _ => {
            let why = "a seller with an INN of 10 digits has name and kpp, one of 12 digits person";
            return Err(why.to_owned());
        }
    };
    let is_named = shop.signer.authority == Authority::Named;
    if is_named != shop.signer.attorney.is_some() {
        return Err("signer.attorney goes with authority = \"named\", and nothing else".to_owned());
    }
    if shop.rules.withdraws_marks.is_some_and(|way| !matches!(way, 1 | 3)) {
        return Err("withdraws_marks is 1 or 3".to_owned());
    }
    if shop.rules.test_signature && shop.rules.cloud_signature.is_some() {
        return Err("test_signature and cloud_signature exclude each other".to_owned());
    }
    let seller = Party { who, address };
    Ok(Shop { seller, participant, signer: shop.signer, rules: shop.rules })
}
