//! How long a thousand documents of fifty lines take, written, validated and signed with the GOST engine.
//! Few of them by default, to see that they are valid and signed; the thousand and its bound with
//! `PAROM_SPEED=1000`.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use edo::{
    Formats,
    upd::{Format, Function},
};
use events::Vat;
use futures_util::{StreamExt as _, stream};
use runtime::Metrics;
use signing::{
    Form, Signer,
    testing::{Pair, Subject},
};

use crate::{conformance::facts, world::schemas};

/// The issue's: so many in less than this, on two cores.
const WHOLE: u32 = 1_000;
const BOUND: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_are_written_validated_and_signed_quickly() {
    let count: u32 =
        std::env::var("PAROM_SPEED").ok().and_then(|count| count.parse().ok()).unwrap_or(20);
    let formats = Arc::new(Formats::read(schemas().as_deref()).unwrap());
    let pair = Pair::make(&Subject::of(crate::world::INN));
    let signer = Signer::new(&pair.args(), &Metrics::new().unwrap()).unwrap();
    let began = Instant::now();
    let one = |number: u32| {
        let (formats, signer) = (Arc::clone(&formats), signer.clone());
        tokio::spawn(async move {
            let mut upd = facts(Function::InvoiceAndTransfer, Vat::V22, 122_000);
            upd.number = number.to_string();
            upd.lines = vec![upd.lines[0].clone(); 50];
            let bytes = tokio::task::spawn_blocking(move || {
                let tree = Format::V503.write(&upd);
                let bytes = tree.windows_1251();
                formats.check(Format::V503, &tree, &bytes).unwrap();
                bytes
            });
            let bytes = bytes.await.unwrap();
            signer.sign(&bytes, Form::Detached).await.unwrap().len()
        })
    };
    let lengths: Vec<_> = stream::iter(0..count).map(one).buffer_unordered(4).collect().await;
    assert!(lengths.into_iter().all(|length| length.unwrap() > 500));
    let took = began.elapsed();
    eprintln!("{count} documents of 50 lines: {:.1} s", took.as_secs_f64());
    if count >= WHOLE {
        assert!(took < BOUND, "{count} documents took {took:?}");
    }
}
