//! The public vector, a vector over our own snapshot, and everything that must not pass.

use proptest::prelude::*;

use super::*;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
/// Id, time, body, signature.
const VECTORS: [(&str, i64, &[u8], &str); 2] = [
    (
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1_614_265_330,
        b"{\"test\": 2432232314}",
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    ),
    (
        "8d3b0e2e-5a64-4c6e-9a8e-2f1f4b6f8c10",
        1_795_259_109,
        include_bytes!("../order/order_snapshot.v1.example.json"),
        "v1,f5nXhHbm2Gob/fJzYSUqf/njNVmdYl/q1JdBONRAnos=",
    ),
];

fn key(secret: &str) -> Key {
    Key::parse(secret).unwrap()
}

fn check(keys: &[&str], timestamp: &str, signatures: &str, now: i64) -> Result<(), SignatureError> {
    let keys: Vec<Key> = keys.iter().map(|secret| key(secret)).collect();
    let (id, _, body, _) = VECTORS[0];
    verify(&keys, Signed { id, timestamp, signatures }, body, now)
}

#[test]
fn the_vectors_are_made_and_accepted() {
    for (id, time, body, signature) in VECTORS {
        assert_eq!(key(SECRET).sign(id, time, body), signature);
        let signed = Signed { id, timestamp: &time.to_string(), signatures: signature };
        assert_eq!(verify(&[key(SECRET)], signed, body, time), Ok(()));
    }
}

#[test]
fn a_rotation_works_from_either_side() {
    let (_, time, _, good) = VECTORS[0];
    let at = time.to_string();
    assert_eq!(check(&[OTHER, SECRET], &at, good, time), Ok(()));
    let both = format!("v1,AAAA v1a,xyz {good}");
    assert_eq!(check(&[SECRET], &at, &both, time), Ok(()));
    assert_eq!(check(&[OTHER], &at, good, time), Err(SignatureError::Wrong));
    assert_eq!(check(&[], &at, good, time), Err(SignatureError::Wrong));
}

#[test]
fn five_minutes_are_allowed_either_way_and_no_more() {
    let (_, time, _, good) = VECTORS[0];
    let at = time.to_string();
    for (now, expected) in [
        (time + 300, Ok(())),
        (time - 300, Ok(())),
        (time + 301, Err(SignatureError::Stale)),
        (time - 301, Err(SignatureError::Stale)),
    ] {
        assert_eq!(check(&[SECRET], &at, good, now), expected, "{now}");
    }
}

#[test]
fn malformed_headers_are_refused() {
    let (_, time, body, good) = VECTORS[0];
    for at in ["", "soon", "1614265330.0", "9999999999999999999999"] {
        assert_eq!(check(&[SECRET], at, good, time), Err(SignatureError::Malformed), "{at}");
    }
    assert_eq!(check(&[SECRET], &i64::MIN.to_string(), good, time), Err(SignatureError::Stale));
    for id in ["", &"x".repeat(MAX_ID + 1)] {
        let signed = Signed { id, timestamp: "1614265330", signatures: good };
        assert_eq!(verify(&[key(SECRET)], signed, body, time), Err(SignatureError::Malformed));
    }
    for signatures in
        ["", "v1", "v1,", "v1,not base64", "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="]
    {
        let checked = check(&[SECRET], &time.to_string(), signatures, time);
        assert_eq!(checked, Err(SignatureError::Wrong), "{signatures}");
    }
}

#[test]
fn weak_and_foreign_secrets_are_no_keys() {
    for secret in ["", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_?"] {
        assert_eq!(Key::parse(secret).unwrap_err(), KeyError, "{secret}");
    }
}

proptest! {
    #[test]
    fn what_is_signed_is_accepted_and_any_other_byte_is_not(
        id in "[ -~]{1,60}", time in 0_i64..4_000_000_000, body: Vec<u8>, place: usize, flip in 1_u8..,
    ) {
        let key = key(SECRET);
        let signature = key.sign(&id, time, &body);
        let signed = Signed { id: &id, timestamp: &time.to_string(), signatures: &signature };
        prop_assert_eq!(verify(std::slice::from_ref(&key), signed, &body, time), Ok(()));
        let mut other = body.clone();
        match other.len() {
            0 => other.push(flip),
            len => other[place % len] ^= flip,
        }
        prop_assert_eq!(verify(&[key], signed, &other, time), Err(SignatureError::Wrong));
    }

    #[test]
    fn any_headers_are_refused_without_a_panic(id: String, timestamp: String, signatures: String) {
        let signed = Signed { id: &id, timestamp: &timestamp, signatures: &signatures };
        prop_assert!(verify(&[key(SECRET)], signed, b"", 1_700_000_000).is_err());
    }
}
