//! Settings: what the README shows works, and what cannot be right stops the start.

use std::{collections::BTreeMap, fs, path::PathBuf};

use fiscal::{
    config::{Config, shops},
    registers::orangedata,
};
use runtime::settings::parse;
use uuid::Uuid;

use crate::world::World;

const README: &str = include_str!("../../README.md");

/// The block of TOML in the README that has this table.
fn block(table: &str) -> String {
    let blocks = README.split("```toml\n").skip(1).map(|rest| rest.split_once("```").unwrap().0);
    let mut fitting = blocks.filter(|block| block.contains(table));
    fitting.next().unwrap().replace("env:ACME_API_SECRET", "plain:secret")
}

fn example() -> String {
    block("[shops.acme.receipt]")
}

fn config(arguments: &[&str], environment: &[(&str, &str)]) -> Result<Config, String> {
    let common = ["fiscal", "--database-url", "postgres://x", "--amqp-url", "amqp://x"];
    let arguments = common.iter().chain(arguments).map(Into::into);
    let environment: BTreeMap<String, String> =
        environment.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    parse::<Config>("fiscal", arguments, &environment)
        .map(|settings| settings.own)
        .map_err(|error| error.to_string())
}

/// What comes of a file of shops with this text.
fn read(text: &str) -> Result<usize, String> {
    let path = std::env::temp_dir().join(format!("fiscal-{}.toml", Uuid::new_v4()));
    fs::write(&path, text).unwrap();
    let config = config(&["--fiscal-shops-file", path.to_str().unwrap()], &[]).unwrap();
    let shops = shops(&config).map(|shops| shops.len());
    fs::remove_file(&path).unwrap();
    shops.map_err(|error| error.to_string().replace(path.to_str().unwrap(), "FILE"))
}

#[test]
fn the_readmes_example_works() {
    assert_eq!(read(&example()), Ok(1));
    let composed = block("[shops.acme.cashbox]");
    let composed = composed.replace("env:ACME_CASHBOX_SECRET", "plain:0123456789abcdef");
    assert_eq!(read(&composed), Ok(1));
    let (_, cashbox) = composed.split_once("[shops.acme.cashbox]").unwrap();
    let both = format!("{}[shops.acme.cashbox]{cashbox}", example());
    let refused = read(&both).unwrap_err();
    assert!(refused.contains("shop acme: it has both [receipt] and [cashbox]"), "{refused}");
}

#[test]
fn the_demonstrations_settings_work() {
    assert_eq!(read(include_str!("../../../../deploy/demo/fiscal.toml")), Ok(2));
}

#[test]
fn what_cannot_be_right_is_named_with_file_and_place() {
    let change = |from: &str, to: &str| {
        assert!(example().contains(from), "{from}");
        read(&example().replace(from, to)).unwrap_err()
    };
    for (from, to, message) in [
        ("settlement = ", "setlement = ", "line 5: unknown field `setlement`"),
        ("\"prepayment\"", "\"prepaid\"", "unknown variant `prepaid`"),
        ("closes_on = \"shipped\"", "", "closes_on must say when"),
        ("\"7708806062\"", "\"7708806063\"", "check digits"),
        ("[shops.acme", "[shops.Acme", "shop Acme: a shop's name is"),
        ("plain:secret", "plain:", "public_id and api_secret must not be empty"),
        ("plain:secret", "very secret", "a secret is written as"),
        ("cash = [5]", "cash = [2]", "pay system 2 stands under electronic and under cash"),
        ("\"osn\"", "\"envd\"", "unknown variant `envd`"),
    ] {
        let refused = change(from, to);
        assert!(refused.starts_with("the configuration file FILE") || refused.starts_with("FILE"));
        assert!(refused.contains(message), "{refused}");
        assert!(!refused.contains("very secret"), "{refused}");
    }
    assert_eq!(read("[shops]").unwrap_err(), "FILE: there are no shops");
}

#[test]
fn a_register_needs_an_account_and_a_fallback_is_another_one() {
    let with = |more: &str| {
        let table = format!("[shops.acme]\n{more}\n");
        read(&example().replacen("[shops.acme]\n", &table, 1))
    };
    assert_eq!(with("pace = '1s'"), Ok(1));
    for (more, message) in [
        ("register = 'atol'", "shop acme: atol must not be empty"),
        ("register = 'orangedata'", "shop acme: orangedata must not be empty"),
        ("register = 'cloudkassir-v1'", "shop acme: cloudkassir-v1 must not be empty"),
        ("register = 'kassa'", "unknown variant `kassa`"),
        ("fallback = { register = 'atol', after = '10m' }", "shop acme: atol must not be empty"),
        (
            "fallback = { register = 'cloudkassir', after = '10m' }",
            "shop acme: fallback must be another register",
        ),
        ("fallback = { register = 'atol', after = 'soon' }", "expected number at 0"),
        ("pace = 1", "invalid type"),
        (
            "atol = { login = 'a', password = 'plain:b', group = 'c', version = 'v6' }",
            "unknown variant `v6`",
        ),
    ] {
        let refused = with(more).unwrap_err();
        assert!(refused.contains(message), "{more}: {refused}");
    }
}

#[tokio::test]
async fn keys_that_cannot_be_read_stop_the_start() {
    let world = World::new().await;
    let account = |key: &str, certificate: Option<&str>| orangedata::Account {
        group: "Main".into(),
        key: "1".into(),
        signing_key: format!("plain:{key}").try_into().unwrap(),
        client_certificate: certificate.map(|pem| format!("plain:{pem}").try_into().unwrap()),
        authorities: None,
        vat22: None,
        vat122: None,
    };
    let client = include_str!("../vectors/client.pem");
    let key = emulator::orangedata::PRIVATE_KEY;
    assert_eq!(world.start_with(&account(key, Some(client))), Ok(()));
    let refused = world.start_with(&account("no key", None)).unwrap_err();
    assert_eq!(refused, "orangedata: signing_key is no RSA key in PKCS#8 PEM");
    let refused = world.start_with(&account(key, Some("no certificate"))).unwrap_err();
    assert_eq!(refused, "client_certificate must be a certificate and its key, PEM");
}

#[test]
fn there_is_no_default_for_what_the_law_asks() {
    for line in ["inn = ", "taxation = ", "place = ", "settlement = "] {
        let text: Vec<String> =
            example().lines().filter(|row| !row.starts_with(line)).map(str::to_owned).collect();
        let refused = read(&text.join("\n")).unwrap_err();
        assert!(refused.contains("missing field"), "{line}: {refused}");
    }
}

#[test]
fn environment_and_flags_are_known_by_name() {
    let read = config(&[], &[]).unwrap_err();
    assert!(read.contains("--fiscal-shops-file"), "{read}");
    let shops = ["--fiscal-shops-file", "shops.toml"];
    let refused = config(&shops, &[("CLOUDKASSIR_BASE_UR", "https://x")]).unwrap_err();
    assert!(refused.contains("CLOUDKASSIR_BASE_UR is no setting"), "{refused}");
    let config = config(&shops, &[("FISCAL_SHOPS_FILE", "other")]).unwrap();
    assert_eq!(config.fiscal_shops_file, PathBuf::from("shops.toml"));
    assert_eq!(config.cloudkassir_base_url.as_str(), "https://api.cloudpayments.ru/");
    assert_eq!(config.cloudkassir_resend_within.as_secs(), 3_000);
    assert!(config.check().is_ok());
}

#[test]
fn a_request_is_not_sent_again_when_the_register_may_have_forgotten_it() {
    let with = |name: &str, value: &str| {
        let config = config(&["--fiscal-shops-file", "x", name, value], &[]).unwrap();
        config.check().map_err(|error| error.to_string())
    };
    assert!(with("--cloudkassir-resend-within", "58m").is_ok());
    assert!(with("--cloudkassir-resend-within", "59m").unwrap_err().contains("below 59m"));
    assert!(with("--cloudkassir-timeout", "10m").unwrap_err().contains("below 59m"));
    assert!(with("--cloudkassir-concurrency", "0").unwrap_err().contains("above zero"));
}

#[test]
fn a_ledger_is_never_forgotten_before_a_refund_may_need_it() {
    let config = |more: &[&str]| {
        let arguments: Vec<&str> =
            ["--fiscal-shops-file", "x"].iter().chain(more).copied().collect();
        config(&arguments, &[]).unwrap()
    };
    assert_eq!(config(&[]).fiscal_keep_ledger, None, "for ever");
    assert!(config(&["--fiscal-keep-ledger", "1830d"]).check().is_ok());
    let short = config(&["--fiscal-keep-ledger", "1800d"]).check().unwrap_err().to_string();
    assert!(short.contains("at least five years"), "{short}");
}
