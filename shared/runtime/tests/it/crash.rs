//! Jobs that die at each place of a step, a hundred at once.

use runtime::testing::Service;

use crate::{
    ferry::{Config, Ferry},
    trip::{LONG, Trip},
};

const JOBS: u64 = 100;

/// Kills `JOBS` jobs at the `nth` passage of `place`; another service brings them home.
async fn die_at(place: &'static str, nth: u32) {
    let trip = Trip::begin().await;
    trip.set_up().await;
    for order in 1..=JOBS {
        trip.send(order).await;
    }
    let mut common = trip.stage.common();
    common.job_prefetch = Some(128);
    let crash = common.crash.clone();
    crash.arm(place, nth);
    let own = Config { books: trip.books.clone() };
    let doomed = Service::start::<Ferry>(common, own);
    trip.stage.until("all stand still", LONG, || async { crash.stuck() == 100 }).await;
    doomed.kill().await;
    let heir = trip.service();
    trip.until_done(100).await;
    heir.stop().await;
    assert_eq!(trip.stage.waiting(&trip.dead()).await, 0, "{place} {nth}");
    // This register has no look-up: a job that died between the effect and its save is done
    // again, and nothing else ever is.
    let expected = if (place, nth) == ("after_step", 2) { 2 } else { 1 };
    for order in 1..=JOBS {
        assert_eq!(trip.books.effects(order), expected, "{place} {nth}, order {order}");
    }
    trip.end().await;
}

/// The ferry's first step writes ahead and says nothing, its second has the effect.
macro_rules! deaths {
    ($($name:ident: $place:literal $nth:literal;)*) => {$(
        #[tokio::test]
        async fn $name() {
            die_at($place, $nth).await;
        }
    )*};
}

deaths! {
    before_anything: "before_step" 1;
    after_the_first_step: "after_step" 1;
    after_the_write_ahead_mark: "after_save" 1;
    before_the_effect: "before_step" 2;
    after_the_effect: "after_step" 2;
    after_the_effect_was_saved: "after_save" 2;
    after_it_was_told: "after_publish" 1;
    before_the_acknowledgement: "before_ack" 1;
}
