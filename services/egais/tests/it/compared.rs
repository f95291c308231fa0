//! Where stock differs, and since when, for people who look.

use egais::store::CatalogueRow;
use time::Duration;

use crate::{
    order::{BEER, WINE},
    story::stock,
    world::World,
};

fn row(code: &str, quantity: u32) -> CatalogueRow {
    CatalogueRow {
        alc_code: code.to_owned(),
        name: format!("Товар {code}"),
        quantity: quantity.into(),
    }
}

#[tokio::test]
async fn a_difference_is_there_since_the_first_comparison_without_a_break() {
    let world = World::new().await;
    let store = world.egais.store();
    let nothing = store.compared("office").await.unwrap();
    assert_eq!((nothing.compared_at, nothing.count), (None, 0), "nothing was compared yet");
    // EGAIS has 12 of wine and 20 of beer. Beer differs from the first day on, wine on the first and third alone.
    // PostgreSQL keeps microseconds.
    let began = world.now().replace_nanosecond(0).unwrap();
    for (day, wine, beer) in [(0, 11, 19), (1, 12, 18), (2, 10, 19)] {
        store
            .keep_catalogue("office", &[row(WINE, wine), row(BEER, beer)], world.now())
            .await
            .unwrap();
        if day == 0 {
            stock(&world).await;
        } else {
            // The registers say the same; the comparison is of that day, after a question that nobody answered.
            let at = began + Duration::days(day);
            store.begin_run("office", at).await.unwrap();
            let run = store.begin_run("office", at).await.unwrap();
            assert!(!store.rests_came(run.id, false, at).await.unwrap());
            assert!(store.rests_came(run.id, true, at).await.unwrap());
            store.compare("office", run.id, at).await.unwrap();
        }
    }
    let found = store.compared("office").await.unwrap();
    assert_eq!((found.count, found.compared_at), (2, Some(began + Duration::days(2))));
    let told: Vec<(&str, String, bool)> = found
        .differences
        .iter()
        .map(|row| {
            (row.alc_code.as_str(), row.difference.to_string(), row.since < began + Duration::HOUR)
        })
        .collect();
    assert_eq!(
        told,
        [(WINE, "2".to_owned(), false), (BEER, "1".to_owned(), true)],
        "the largest first"
    );
    assert_eq!(found.differences[0].since, began + Duration::days(2));
}
