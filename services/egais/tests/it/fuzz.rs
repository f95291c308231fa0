//! What a UTM says, broken in every way: it is refused or read, and nothing panics or grows. Two seconds by default,
//! `PAROM_FUZZ_SECONDS` for longer; the seed is printed, and `PAROM_SEED` repeats a run.

use std::{
    io::Read as _,
    time::{Duration, Instant},
};

use egais::{
    mark::Mark,
    utm::answer::{identity, incoming, list, owner, receipt},
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

const SEEDS: [&str; 6] = [
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?><A><url>4f564b2b-5f36-4ac0</url><sign>58</sign><ver>2</ver></A>",
    "<A><error>no &lt;key&gt;</error><ver>2</ver></A>",
    "<A><url replyId=\"4f56\" timestamp=\"2026-11-20T14:05:03.583+0300\">http://localhost:8080/opt/out/Ticket/7758</url></A>",
    "<n:Documents xmlns:n=\"a\"><n:Document><n:Ticket><t:Identity>b-1</t:Identity><t:TransportId>3-4</t:TransportId>\
     <t:RegID>R</t:RegID><t:Result><t:Conclusion>Accepted</t:Conclusion><t:Comments>да</t:Comments></t:Result>\
     <t:OperationResult><t:OperationResult>Rejected</t:OperationResult></t:OperationResult></n:Ticket></n:Document></n:Documents>",
    "<n:Documents><n:Document><n:ReplyRests_v2><r:Products><r:StockPosition><r:Product><p:AlcCode>1</p:AlcCode>\
     <p:Producer><o:UL><o:INN>7</o:INN><o:address><o:Country>643</o:Country></o:address></o:UL></p:Producer></r:Product>\
     <r:Quantity>12.000</r:Quantity></r:StockPosition></r:Products></n:ReplyRests_v2></n:Document></n:Documents>",
    "<CERTIFICATE><CN>030000999999</CN></CERTIFICATE>",
];

/// Pieces that break readers.
const PIECES: [&[u8]; 14] = [
    b"<!DOCTYPE a [<!ENTITY b \"c\">]>",
    b"&b;",
    b"&#0;",
    b"&#xD800;",
    b"<![CDATA[",
    b"]]>",
    b"<!--",
    b"<?xml version=\"1.0\" encoding=\"windows-1251\"?>",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"<a><a><a><a><a><a><a><a>",
    b"</a>",
    b"/opt/out/../../",
    b"99999999999999999999999999999999999999",
];

fn mutated(dice: &mut StdRng) -> Vec<u8> {
    let mut text = SEEDS[dice.random_range(0..SEEDS.len())].as_bytes().to_vec();
    for _ in 0..dice.random_range(1..6) {
        let at = dice.random_range(0..=text.len());
        match dice.random_range(0..5) {
            0 => text.truncate(at),
            1 => {
                let piece = PIECES[dice.random_range(0..PIECES.len())];
                text.splice(at..at, piece.iter().copied());
            }
            2 if at < text.len() => text[at] = dice.random(),
            3 if at < text.len() => {
                text.remove(at);
            }
            _ => {
                let other = SEEDS[dice.random_range(0..SEEDS.len())].as_bytes();
                text.splice(at..at, other.iter().copied());
            }
        }
    }
    text
}

#[test]
fn what_a_utm_says_is_read_or_refused() {
    let given = std::env::var("PAROM_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| rand::rng().random());
    eprintln!("PAROM_SEED={seed}");
    let mut dice = StdRng::seed_from_u64(seed);
    let seconds = std::env::var("PAROM_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    let (began, limit) = (Instant::now(), Duration::from_secs(seconds.unwrap_or(2)));
    let (mut cases, mut read) = (0_u64, 0_u64);
    while began.elapsed() < limit {
        let text = mutated(&mut dice);
        let mut count = 0;
        let taken = incoming(text.as_slice(), &mut |_| {
            count += 1;
            Ok(())
        });
        read += u64::from(taken.is_ok());
        let mut entries = Vec::new();
        list(text.as_slice(), "/opt/out/", &mut |entry| entries.push(entry)).ok();
        for entry in entries {
            // A path never leaves its folder.
            let (kind, number) = entry.path.split_once('/').unwrap();
            assert!(!kind.is_empty() && !number.contains('/') && !entry.path.contains(".."));
        }
        receipt(&text).ok();
        identity(&text).ok();
        owner(&text).ok();
        Mark::parse(&String::from_utf8_lossy(&text)).ok();
        cases += 1;
    }
    eprintln!("{cases} cases, {read} read");
    assert!(cases > 1_000 && read > 0);
}

#[test]
fn attacks_are_refused() {
    let laughs: String = (1..10)
        .map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10)))
        .collect();
    let documents = |inner: &str| format!("<Documents><Document>{inner}</Document></Documents>");
    let deep = "<a>".repeat(1_000_000);
    let long = documents(&format!(
        "<Ticket><Identity>{}</Identity></Ticket>",
        "x".repeat(100 * 1024 * 1024)
    ));
    for attack in [
        format!("<!DOCTYPE a [<!ENTITY l0 \"ha\">{laughs}]>{}", documents("<Ticket>&l9;</Ticket>")),
        "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/hostname\">]><a>&x;</a>".to_owned(),
        documents("<Ticket><Identity>&x;</Identity></Ticket>"),
        documents(&deep),
        long,
        documents(&"<Ticket><Identity>1</Identity></Ticket>".repeat(10_000)),
        format!("<?xml version=\"1.0\" encoding=\"UTF-16\"?>{}", documents("<Ticket/>")),
        format!("<?xml version=\"1.0\" encoding=\"windows-1251\"?>{}", documents("<Ticket/>")),
        "<A><url>".repeat(100),
        "<html>504</html>".to_owned(),
        String::new(),
    ] {
        let began = Instant::now();
        let start: String = attack.chars().take(60).collect();
        assert!(incoming(attack.as_bytes(), &mut |_| Ok(())).is_err(), "{start}");
        assert!(receipt(attack.as_bytes()).is_err(), "{start}");
        assert!(list(attack.as_bytes(), "/opt/out/", &mut |_| ()).is_err(), "{start}");
        assert!(began.elapsed() < Duration::from_secs(10), "{start}: {:?}", began.elapsed());
    }
    // A tag, a comment or a text without an end: it is not waited for.
    for beginning in ["<!--", "<a", "x", "<a b='"] {
        let beginning = format!("<Documents><Document><ReplyRests_v2>{beginning}");
        let endless = beginning.as_bytes().chain(std::io::repeat(b'x'));
        assert!(incoming(std::io::BufReader::new(endless), &mut |_| Ok(())).is_err());
    }
    // UTF-16 is no UTF-8, whatever it says.
    let wide: Vec<u8> = "<A/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(receipt(&wide).is_err() && incoming(wide.as_slice(), &mut |_| Ok(())).is_err());
}
