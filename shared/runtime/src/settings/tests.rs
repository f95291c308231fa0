//! What is taken and what stops the start.

use std::{collections::BTreeMap, ffi::OsString, io::Write, time::Duration};

use secrecy::ExposeSecret;

use super::{Settings, file, parse};

#[derive(Debug, clap::Args)]
struct Own {
    /// How long a call may take.
    #[arg(long, env, default_value = "5s", value_parser = humantime::parse_duration)]
    parcel_timeout: Duration,
}

fn read(arguments: &[&str], environment: &[(&str, &str)]) -> Result<Settings<Own>, String> {
    let needed = ["parcel", "--database-url=postgres://x/y", "--amqp-url=amqp://x"];
    let arguments = needed.iter().chain(arguments).map(OsString::from);
    let environment: BTreeMap<String, String> =
        environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    parse::<Own>("parcel", arguments, &environment).map_err(|error| error.to_string())
}

#[test]
fn defaults_are_enough_beside_the_two_addresses() {
    let settings = read(&[], &[]).unwrap();
    assert_eq!(settings.own.parcel_timeout, Duration::from_secs(5));
    assert_eq!(settings.common.amqp_prefix, "parom");
}

#[test]
fn a_misspelt_variable_of_ours_stops_the_start() {
    let error = read(&[], &[("PARCEL_TIMEOUTS", "1s")]).unwrap_err();
    assert!(error.contains("PARCEL_TIMEOUTS is no setting of parcel"), "{error}");
    let error = read(&[], &[("AMQP_URI", "amqp://x")]).unwrap_err();
    assert!(error.contains("AMQP_URI"), "{error}");
}

#[test]
fn a_misspelt_flag_stops_the_start() {
    assert!(read(&["--parcel-timeouts=1s"], &[]).unwrap_err().contains("--parcel-timeout"));
}

#[test]
fn other_programs_variables_are_theirs() {
    let others = [("PATH", "/bin"), ("CARGO_HOME", "x"), ("HTTP_PROXY", "x"), ("LOG_DIR", "x")];
    read(&[], &others).unwrap();
    read(&[], &[("PARCEL_SERVICE_HOST", "10.0.0.1"), ("PARCEL_PORT", "tcp://10.0.0.1:80")])
        .unwrap();
}

#[test]
fn a_secret_comes_from_a_file_without_its_line_end() {
    let mut file = tempfile();
    writeln!(file.1, "postgres://from/file").unwrap();
    let arguments = [OsString::from("parcel"), OsString::from("--amqp-url=amqp://x")];
    let environment = [("DATABASE_URL_FILE".to_owned(), file.0.clone())].into();
    let settings = parse::<Own>("parcel", arguments, &environment).unwrap();
    assert_eq!(settings.common.database_url.expose_secret(), "postgres://from/file");
    std::fs::remove_file(file.0).unwrap();
}

#[test]
fn a_secrets_file_that_is_not_there_stops_the_start_by_name() {
    let error = read(&[], &[("PARCEL_TIMEOUT_FILE", "/nowhere/at/all")]).unwrap_err();
    assert!(error.contains("PARCEL_TIMEOUT_FILE") && error.contains("/nowhere/at/all"), "{error}");
}

#[test]
fn a_file_with_an_unknown_name_is_refused_with_its_line_and_without_its_values() {
    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Shop {
        #[expect(dead_code, reason = "only its name matters")]
        inn: String,
    }
    let mut file_ = tempfile();
    write!(file_.1, "inn = \"1\"\napi_secert = \"plain:hush\"\n").unwrap();
    let error = file::<Shop>(std::path::Path::new(&file_.0)).unwrap_err().to_string();
    assert!(error.contains("line 2") && error.contains("api_secert"), "{error}");
    assert!(!error.contains("hush"), "{error}");
    std::fs::remove_file(file_.0).unwrap();
}

fn tempfile() -> (String, std::fs::File) {
    let path = std::env::temp_dir().join(format!("parom-{}", uuid::Uuid::new_v4()));
    let file = std::fs::File::create(&path).unwrap();
    (path.display().to_string(), file)
}
