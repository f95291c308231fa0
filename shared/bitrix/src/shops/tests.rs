//! The file: what is read, and what stops the start.

use events::Phase;

use super::*;

const PORTAL: &str = r#"
    [shops.a.portal]
    domain = "a.example"
    member_id = "m1"
    application_tokens = ["plain:old", "plain:new"]
    webhook_url = "plain:https://a.example/rest/1/code/"
    [shops.a.statuses]
    completed = ["F"]
    neutral = ["N"]
"#;

fn read(text: &str) -> Result<Shops, String> {
    let File { shops } = toml::from_str(text).map_err(|error| error.to_string())?;
    check(&shops).map(|()| Shops(shops))
}

fn complaint(text: &str) -> String {
    read(text).expect_err("this file is wrong")
}

#[test]
fn the_example_is_read_and_means_what_it_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/demo/bitrix.toml");
    let shops = Shops::load(Path::new(path)).expect("the example is right");
    let (id, shop, portal) =
        shops.by_member_id("00000000000000000000000000000002").expect("the demo portal");
    assert_eq!((id.as_str(), portal.rate.get(), portal.burst.get()), ("demo", 2, 50));
    assert_eq!(shop.statuses.meaning("F"), Some(Meaning::Completed));
    assert_eq!(shop.statuses.meaning("N"), Some(Meaning::Neutral));
    assert_eq!(shop.statuses.meaning("ZZ"), None, "an unknown status has no meaning by default");
    let status = |phase| shop.writeback.status("fiscal", phase).map(StatusCode::as_str);
    assert_eq!((status(Phase::Failed), status(Phase::Done)), (Some("ER"), None));
    assert_eq!(shops.sites().count(), 1);
}

#[test]
fn what_is_left_out_has_the_usual_value() {
    let shops = read(PORTAL).unwrap();
    let (_, shop, portal) = shops.by_member_id("m1").unwrap();
    assert_eq!(
        (portal.rate.get(), portal.burst.get(), portal.client_id.as_str()),
        (2, 50, "parom")
    );
    assert_eq!(shop.properties.phone, "PHONE");
    assert!(shop.writeback.notify.contains(&Phase::Unknown));
    assert!(!shop.writeback.comment.contains(&Phase::Retrying));
}

#[test]
fn a_name_that_nobody_knows_is_refused_at_every_depth() {
    for (place, line) in [
        ("", "shopz = 1\n"),
        ("[shops.a.portal]", "[shops.a.portal]\nburts = 3"),
        ("[shops.a.statuses]", "[shops.a.statuses]\npaid = []"),
    ] {
        let text =
            if place.is_empty() { format!("{line}{PORTAL}") } else { PORTAL.replace(place, line) };
        assert!(complaint(&text).contains("unknown field"), "{line}");
    }
    let moment = format!("{PORTAL}\n[shops.a.writeback.order_status]\n\"fiscal.fialed\" = \"ER\"");
    assert!(complaint(&moment).contains("fiscal.fialed"));
}

#[test]
fn a_status_that_would_stop_its_own_order_is_not_set() {
    let order_status = "[shops.a.writeback.order_status]\n\"fiscal.failed\" = \"ER\"";
    assert!(complaint(&format!("{PORTAL}\n{order_status}")).contains("sets the status ER"));
}

#[test]
fn a_shop_that_would_sell_every_order_twice_is_refused() {
    let site = "[shops.a.site]\nwebhook_secrets = [\"plain:whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"]\n\
                writeback_url = \"https://shop.example/parom\"\n\
                writeback_secret = \"plain:whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"\n";
    let said = complaint(&format!("{PORTAL}\n{site}"));
    assert!(said.contains("both a portal and a site"), "{said}");
}

#[test]
fn what_would_mean_two_things_is_refused() {
    let twice = PORTAL.replace(r#"neutral = ["N"]"#, r#"neutral = ["N", "F"]"#);
    assert!(complaint(&twice).contains("F stands in two lists"));
    let twin = format!("{PORTAL}{}", PORTAL.replace("shops.a", "shops.b"));
    assert!(complaint(&twin).contains("the same portal.member_id"));
}

#[test]
fn a_shop_without_a_usable_address_or_secret_is_refused() {
    let cases = [
        ("https://a.example/rest/1/code/", "https://a.example/", "webhook_url"),
        (r#"["plain:old", "plain:new"]"#, "[]", "no token"),
        (r#""plain:old""#, r#""old""#, "plain:text"),
        (r#"["F"]"#, r#"["shipped"]"#, "one or two Latin letters"),
    ];
    for (right, wrong, said) in cases {
        let complaint = complaint(&PORTAL.replace(right, wrong));
        assert!(complaint.contains(said), "{complaint}");
    }
    let bare = "[shops.a.statuses]\ncompleted = [\"F\"]";
    assert!(complaint(bare).contains("neither [portal] nor [site]"));
    let unsigned = "[shops.a.site]\nwebhook_secrets = [\"plain:x\"]\nwriteback_url = \"https://s.example/\"\n\
                    writeback_secret = \"plain:whsec_eA==\"\n[shops.a.statuses]";
    assert!(complaint(unsigned).contains("whsec_"));
}

#[test]
fn no_secret_shows() {
    let shops = read(PORTAL).unwrap();
    let shown = format!("{shops:?}");
    assert!(!shown.contains("/rest/") && !shown.contains("old"), "{shown}");
}
