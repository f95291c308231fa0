//! Settings: the demonstration's work, and what cannot be right stops the start.

use std::{collections::BTreeMap, fs};

use loyalty::config::{Config, read};
use runtime::settings::parse;
use uuid::Uuid;

const DEMO: &str = include_str!("../../../../deploy/demo/loyalty.toml");

/// What comes of a file with this text: how many registers and shops.
fn with(text: &str) -> Result<(usize, usize), String> {
    with_also(text, &[])
}

/// The same with further arguments.
fn with_also(text: &str, also: &[&str]) -> Result<(usize, usize), String> {
    let path = std::env::temp_dir().join(format!("loyalty-{}.toml", Uuid::new_v4()));
    fs::write(&path, text).unwrap();
    let file = path.to_str().unwrap();
    let arguments = [
        "loyalty",
        "--database-url",
        "postgres://x",
        "--amqp-url",
        "amqp://x",
        "--loyalty-file",
        file,
    ];
    let arguments = arguments.iter().chain(also).map(Into::into);
    let config = parse::<Config>("loyalty", arguments, &BTreeMap::new()).unwrap().own;
    let found = read(&config).map(|file| (file.registers.len(), file.shops.len()));
    fs::remove_file(&path).unwrap();
    found.map_err(|error| error.to_string().replace(path.to_str().unwrap(), "FILE"))
}

#[test]
fn the_demonstrations_settings_work() {
    assert_eq!(with(DEMO), Ok((3, 1)));
}

#[test]
fn what_cannot_be_right_is_named() {
    for (from, to, message) in [
        ("master = \"parom\"", "master = \"1c\"", "ONEC_BASE_URL must say where it is"),
        ("master = \"parom\"", "master = \"both\"", "unknown variant `both`"),
        ("offline = { allow = \"300.00\" }", "offline = { allow = \"-1\" }", "below zero"),
        ("grace 14d", "grace", "\"burn\" or \"grace 14d\""),
        ("return_window", "return_windw", "unknown field `return_windw`"),
        ("plain:demonstration-till-key-1", "plain:short", "less than 16 characters"),
        ("plain:demonstration-site-key-1", "plain:demonstration-till-key-1", "the same key"),
        ("source = \"1c_retail\"", "source = \"shop:demo\"", "one of our own"),
        ("rate = 50", "rate = 0", "above zero"),
        ("rate = \"5\"", "rate = \"105\"", "between 0 and 100"),
        ("rate = \"5\"", "rate = \"5.125\"", "a rate is a percentage"),
        ("round_to = \"1.00\"", "round_to = \"0\"", "above zero"),
        ("+03:00", "MSK", "written as +03:00"),
        ("store = \"tverskaya\"\n", "", "silent_after needs a store"),
        ("category_property = \"CATEGORY\"", "", "categories need a category_property"),
        ("return_window = \"14d\"", "return_window = \"9000y\"", "longer than a hundred years"),
        ("expires_after = \"365d\"", "expires_after = \"9000y\"", "longer than a hundred years"),
        ("allow = \"300.00\"", "allow = \"92233720368547758.07\"", "above ten billion"),
    ] {
        assert!(DEMO.contains(from), "{from}");
        let refused = with(&DEMO.replacen(from, to, 1)).unwrap_err();
        assert!(refused.contains(message), "{from}: {refused}");
        assert!(!refused.contains("demonstration-till-key"), "{refused}");
    }
}

#[test]
fn times_that_cannot_be_meant_are_named() {
    for (argument, value, message) in [
        ("--loyalty-patience", "0s", "LOYALTY_PATIENCE is zero"),
        ("--loyalty-parked-keep", "9000y", "LOYALTY_PARKED_KEEP is longer than a hundred years"),
        ("--onec-refuse-after", "9000y", "ONEC_REFUSE_AFTER is longer than a hundred years"),
    ] {
        let refused = with_also(DEMO, &[argument, value]).unwrap_err();
        assert!(refused.contains(message), "{argument}: {refused}");
    }
}
