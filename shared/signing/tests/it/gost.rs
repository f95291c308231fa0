//! OpenSSL's GOST engine: what comes out holds, and what goes wrong has a name.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, future::join_all, stream};
use runtime::Metrics;
use signing::{
    Certificate, Form, SignError, Signer, VerifyError,
    testing::{Pair, Subject},
};
use time::OffsetDateTime;

use crate::scene::{BYTES, Program, signer, verifier};

#[tokio::test]
async fn both_forms_hold_over_exactly_these_bytes_and_name_their_signer() {
    let pair = Pair::make(&Subject::of("7708806062"));
    let signer = signer(&pair.args());
    let detached = signer.sign(BYTES, Form::Detached).await.unwrap();
    let attached = signer.sign(BYTES, Form::Attached).await.unwrap();
    let verified = verifier().verify(&detached, Some(BYTES)).await.unwrap();
    assert_eq!(verified.certificate.inn.as_deref(), Some("7708806062"));
    assert_eq!(verified.certificate.name, "ООО Пример (ТЕСТ)");
    assert_eq!(verified.certificate.gost_bits, Some(256));
    assert_eq!(verifier().verify(&attached, None).await.unwrap().content, BYTES);
    assert!(attached.len() > detached.len());
    // With the certificate as authority the chain holds, with another it does not.
    let own = verifier().trusting(pair.certificate());
    assert!(own.verify(&detached, Some(BYTES)).await.is_ok());
    let other = verifier().trusting(Pair::make(&Subject::of("7708806062")).certificate());
    assert!(matches!(
        other.verify(&detached, Some(BYTES)).await,
        Err(VerifyError::NotChecked(_) | VerifyError::Wrong(_))
    ));
    let mut altered = BYTES.to_vec();
    altered[3] ^= 1;
    for wrong in [&altered[..], b"", &BYTES[1..]] {
        let verified = verifier().verify(&detached, Some(wrong)).await;
        assert!(matches!(verified, Err(VerifyError::Wrong(_))), "{verified:?}");
    }
}

#[tokio::test]
async fn a_longer_key_with_a_password_signs_and_the_wrong_password_is_named() {
    let subject =
        Subject {
            bits: 512, password: Some("открой"), inn: "770000000012", ..Subject::of("")
        };
    let pair = Pair::make(&subject);
    let mut args = pair.args();
    args.signer_key_password = Some("открой".into());
    let own = signer(&args);
    let signed = own.sign(BYTES, Form::Detached).await.unwrap();
    let certificate = verifier().verify(&signed, Some(BYTES)).await.unwrap().certificate;
    assert_eq!(
        (certificate.gost_bits, certificate.inn.as_deref()),
        (Some(512), Some("770000000012"))
    );
    for password in [Some("не тот".into()), None] {
        args.signer_key_password = password;
        let failed = signer(&args).sign(BYTES, Form::Detached).await.unwrap_err();
        assert!(matches!(failed, SignError::KeyUnusable(_)), "{failed:?}");
        assert!(!failed.to_string().contains("не тот"), "{failed}");
    }
}

#[tokio::test]
async fn what_is_wrong_has_a_name() {
    let pair = Pair::make(&Subject::of("7708806062"));
    let mut args = pair.args();
    args.signer_openssl_engine = "nosuchengine".to_owned();
    let failed = signer(&args).sign(BYTES, Form::Detached).await.unwrap_err();
    assert!(matches!(failed, SignError::Missing(_)), "{failed:?}");
    let mut args = pair.args();
    args.signer_openssl = "/nowhere/openssl".into();
    let failed = signer(&args).sign(BYTES, Form::Detached).await.unwrap_err();
    assert!(matches!(failed, SignError::Missing(_)), "{failed:?}");
    // Another key's certificate.
    let mut args = pair.args();
    args.signer_key_path = Some(Pair::make(&Subject::of("7708806062")).key());
    let failed = signer(&args).sign(BYTES, Form::Detached).await.unwrap_err();
    assert!(matches!(failed, SignError::KeyUnusable(_)), "{failed:?}");
    let other = Pair::make(&Subject::of("7708806062"));
    args.signer_key_path = Some(other.key());
    let failed = signer(&args).sign(BYTES, Form::Detached).await.unwrap_err();
    assert!(matches!(failed, SignError::KeyUnusable(_)), "{failed:?}");
    args.signer_certificate_path = None;
    let refused = Signer::new(&args, &Metrics::new().unwrap()).unwrap_err();
    assert!(refused.to_string().contains("SIGNER_CERTIFICATE_PATH"), "{refused}");
}

#[tokio::test]
async fn a_certificate_that_has_ended_signs_nothing() {
    let pair = Pair::make(&Subject { days: -1, ..Subject::of("7708806062") });
    let signer = signer(&pair.args());
    let own = signer.certificate().unwrap();
    assert!(own.not_after < OffsetDateTime::now_utc(), "{own:?}");
    let failed = signer.sign(BYTES, Form::Detached).await.unwrap_err();
    assert_eq!(failed, SignError::Expired(own.not_after));
}

#[tokio::test]
async fn the_certificates_end_is_a_metric() {
    let pair = Pair::make(&Subject::of("7708806062"));
    let metrics = Metrics::new().unwrap();
    let signer = Signer::new(&pair.args(), &metrics).unwrap();
    let families = metrics.registry.gather();
    let family = families.iter().find(|f| f.name() == "signer_certificate_not_after_seconds");
    let shown = family.unwrap().get_metric()[0].get_gauge().get_value();
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
    let days = (shown - now) / 86_400.0;
    assert!((89.0..90.5).contains(&days), "{days}");
    assert_eq!(signer.certificate().unwrap().inn.as_deref(), Some("7708806062"));
}

#[tokio::test]
async fn a_program_that_hangs_is_killed_in_time() {
    let pair = Pair::make(&Subject::of("7708806062"));
    let hangs = Program::new("#!/bin/sh\necho $$ > \"$(dirname \"$0\")/pid\"\nexec sleep 600\n");
    let mut args = pair.args();
    args.signer_openssl = hangs.path();
    args.signer_timeout = Duration::from_millis(700);
    let began = Instant::now();
    let failed = signer(&args).sign(BYTES, Form::Detached).await.unwrap_err();
    assert_eq!(failed, SignError::TimedOut(Duration::from_millis(700)));
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    let pid = std::fs::read_to_string(hangs.folder.path().join("pid")).unwrap();
    let status = format!("/proc/{}/status", pid.trim());
    let deadline = Instant::now() + Duration::from_secs(10);
    // A killed child may stay for a moment as a zombie.
    while Path::new(&status).exists()
        && !std::fs::read_to_string(&status).unwrap_or_default().contains("zombie")
    {
        assert!(Instant::now() < deadline, "the child lives on");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn no_more_at_once_than_allowed_and_who_waits_too_long_is_told() {
    let pair = Pair::make(&Subject::of("7708806062"));
    let hangs = Program::new("#!/bin/sh\nexec sleep 600\n");
    let mut args = pair.args();
    args.signer_openssl = hangs.path();
    args.signer_concurrency = 1;
    args.signer_timeout = Duration::from_millis(300);
    let signer = signer(&args);
    let mut failed: Vec<SignError> = Vec::new();
    for result in join_all((0..3).map(|_| signer.sign(BYTES, Form::Detached))).await {
        failed.push(result.unwrap_err());
    }
    let slow = SignError::TimedOut(Duration::from_millis(300));
    assert!(failed.contains(&slow) && failed.contains(&SignError::Busy), "{failed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_documents_are_signed_within_the_time_there_is() {
    let pair = Pair::make(&Subject::of("7708806062"));
    let signer = signer(&pair.args());
    // As large as a UPD of 50 lines.
    let document = vec![b'x'; 30_000];
    let began = Instant::now();
    let signed = stream::iter(0..1_000).map(|_| signer.sign(&document, Form::Detached));
    let signed: Vec<_> = signed.buffer_unordered(8).collect().await;
    let took = began.elapsed();
    println!("1000 detached signatures of 30 kB, 4 at once: {took:?}");
    assert!(signed.iter().all(Result::is_ok));
    // The bar is 20 s on a quiet machine; tests run beside others.
    assert!(took < Duration::from_secs(40), "{took:?}");
}

#[tokio::test]
async fn the_password_is_on_no_command_line_and_nothing_else_of_ours_is_passed_on() {
    let pair = Pair::make(&Subject::of("7708806062"));
    let notes = Program::new(
        "#!/bin/sh\nhere=$(dirname \"$0\")\necho \"$@\" >\"$here/arguments\"\nenv >\"$here/environment\"\nexit 1\n",
    );
    let mut args = pair.args();
    args.signer_openssl = notes.path();
    args.signer_key_password = Some("открой".into());
    assert!(!format!("{args:?}").contains("открой"));
    signer(&args).sign(BYTES, Form::Detached).await.unwrap_err();
    let noted = |name| std::fs::read_to_string(notes.folder.path().join(name)).unwrap();
    assert!(!noted("arguments").contains("открой"), "{}", noted("arguments"));
    let environment = noted("environment");
    assert!(environment.contains("=открой"));
    assert!(!environment.contains("CARGO_"), "{environment}");
}

#[test]
fn an_organisation_is_read_from_older_certificates_too() {
    // Before 2022 an organisation's INN stood with two zeros before it, where a person's stands.
    let read = |inn| {
        let pair = Pair::make(&Subject::of(inn));
        Certificate::read(&std::fs::read(pair.certificate()).unwrap()).unwrap()
    };
    let old = read("007708806062");
    assert_eq!((old.inn.as_deref(), old.person_inn), (Some("7708806062"), None));
    let person = read("770000000012");
    assert_eq!(person.inn, person.person_inn);
    assert_eq!(person.inn.as_deref(), Some("770000000012"));
    assert!(Certificate::read(b"-----BEGIN CERTIFICATE-----\nno\n").is_err());
    assert!(Certificate::read(b"").is_err());
}
