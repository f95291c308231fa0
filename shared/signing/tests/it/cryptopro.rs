//! `CryptoPro`'s command line. The program itself cannot be had here: a stand-in checks every argument
//! against the usage that is on record and signs with the GOST engine.

use signing::{
    Form, SignError, Signer, SignerArgs,
    testing::{Pair, Subject, args},
};

use crate::scene::{BYTES, Program, signer, verifier};

const THUMBPRINT: &str = "0123456789ABCDEF0123456789abcdef01234567";

/// Wants exactly the arguments of `cryptcp -sign`; in, out and `-detached` as they come.
const CRYPTCP: &str = r#"#!/bin/bash
set -u
want() { [ "$1" = "$2" ] || { echo "expected $2, got $1 [ErrorCode: 0x00000057]"; exit 87; }; }
want "$1" -sign; want "$2" -thumbprint; want "$3" 0123456789ABCDEF0123456789abcdef01234567
want "$4" -nochain; want "$5" -der; want "$6" -cert; want "$7" -cadesbes
shift 7
attach=-nodetach
if [ "$1" = -detached ]; then attach=; shift; fi
if [ -n "@PIN@" ]; then want "$1" -pin; want "$2" "@PIN@"; shift 2; fi
want "$#" 2
[ -f "$1" ] || { echo "no file $1"; exit 2; }
openssl cms -sign -engine gost -binary -cades -md md_gost12_256 -signer @CERT@ -inkey @KEY@ -outform DER $attach -in "$1" -out "$2" 2>/dev/null
"#;

/// Wants exactly the arguments of `csptest -sfsign`, and answers base64 as it may do.
const CSPTEST: &str = r#"#!/bin/bash
set -u
want() { [ "$1" = "$2" ] || { echo "expected $2, got $1 [ErrorCode: 0x00000057]"; exit 87; }; }
want "$1" -sfsign; want "$2" -sign; shift 2
attach=-nodetach
if [ "$1" = -detached ]; then attach=; shift; fi
want "$1" -add; want "$2" -addsigtime; want "$3" -my; want "$4" 0123456789ABCDEF0123456789abcdef01234567
want "$5" -in; want "$7" -out; want "$#" 8
openssl cms -sign -engine gost -binary -cades -md md_gost12_256 -signer @CERT@ -inkey @KEY@ -outform DER $attach -in "$6" 2>/dev/null | base64 >"$8"
"#;

struct Csp {
    _pair: Pair,
    program: Program,
}

impl Csp {
    fn new(text: &str, pin: &str) -> Self {
        let pair = Pair::make(&Subject::of("7708806062"));
        let text = text.replace("@PIN@", pin);
        let text = text.replace("@CERT@", &pair.certificate().display().to_string());
        let program = Program::new(&text.replace("@KEY@", &pair.key().display().to_string()));
        Self { _pair: pair, program }
    }

    fn args(&self, more: &[&str]) -> SignerArgs {
        let program = format!("--signer-cryptopro-program={}", self.program.path().display());
        let thumbprint = format!("--signer-thumbprint={THUMBPRINT}");
        let mut all = vec!["--signer-kind=cryptopro".to_owned(), program, thumbprint];
        all.extend(more.iter().map(|&word| word.to_owned()));
        args(&all)
    }
}

async fn both_forms(signer: &Signer) {
    let detached = signer.sign(BYTES, Form::Detached).await.unwrap();
    let verified = verifier().verify(&detached, Some(BYTES)).await.unwrap();
    assert_eq!(Some(&verified.certificate), signer.certificate().as_deref());
    let attached = signer.sign(BYTES, Form::Attached).await.unwrap();
    assert_eq!(verifier().verify(&attached, None).await.unwrap().content, BYTES);
}

#[tokio::test]
async fn cryptcp_and_csptest_sign_in_both_forms() {
    let csp = Csp::new(CRYPTCP, "");
    let own = signer(&csp.args(&[]));
    assert_eq!(own.certificate(), None, "it is known from the first signature on");
    both_forms(&own).await;
    let csp = Csp::new(CRYPTCP, "12345678");
    both_forms(&signer(&csp.args(&["--signer-pin=12345678"]))).await;
    let csp = Csp::new(CSPTEST, "");
    both_forms(&signer(&csp.args(&["--signer-cryptopro-style=csptest"]))).await;
}

#[tokio::test]
async fn what_it_says_is_told_without_the_pin() {
    let csp = Csp::new(CRYPTCP, "другой");
    let own = signer(&csp.args(&["--signer-pin=12345678"]));
    let failed = own.sign(BYTES, Form::Detached).await.unwrap_err();
    let SignError::Failed(said) = &failed else { panic!("{failed:?}") };
    assert!(said.contains("ErrorCode: 0x00000057") && !said.contains("12345678"), "{said}");
    // Where the words are cut, half a PIN is no less secret.
    let long = "#!/bin/sh\nprintf '%0496d' 0; echo 12345678; exit 87\n";
    let csp = Csp::new(long, "");
    let own = signer(&csp.args(&["--signer-pin=12345678"]));
    let said = own.sign(BYTES, Form::Detached).await.unwrap_err().to_string();
    assert!(said.contains("000") && !said.contains("1234"), "{said}");
    let csp = Csp::new("#!/bin/sh\nexit 0\n", "");
    let failed = signer(&csp.args(&[])).sign(BYTES, Form::Detached).await;
    assert_eq!(failed, Err(SignError::Malformed("no file was written")));
    // It forgot -detached: nothing goes out that was not asked for.
    let forgets = CRYPTCP.replace("attach=;", "attach=-nodetach;");
    let failed = signer(&Csp::new(&forgets, "").args(&[])).sign(BYTES, Form::Detached).await;
    assert_eq!(failed, Err(SignError::Malformed("not detached")));
}

#[tokio::test]
async fn other_arguments_are_taken_when_they_are_whole() {
    let metrics = || runtime::Metrics::new().unwrap();
    let csp = Csp::new(CSPTEST, "");
    let whole = "--signer-cryptopro-arguments=-sfsign -sign {detached} -add -addsigtime -my {thumbprint} -in {in} -out {out}";
    both_forms(&signer(&csp.args(&[whole]))).await;
    let part = "--signer-cryptopro-arguments=-sign {in} {out} {thumbprint}";
    let refused = Signer::new(&csp.args(&[part]), &metrics()).unwrap_err();
    assert!(refused.to_string().contains("{detached}"), "{refused}");
    let refused = Signer::new(&args(&["--signer-kind=cryptopro".to_owned()]), &metrics());
    assert!(refused.unwrap_err().to_string().contains("SIGNER_THUMBPRINT"));
}
