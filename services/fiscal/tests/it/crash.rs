//! Receipts whose service dies at each place of each step, a hundred at once.

use std::time::Duration;

use emulator::{Emulator, Running, Settings};
use events::{Event, Fact};
use fiscal::{Fiscal, config::Config};
use runtime::testing::{CrashPoint, Service, Stage};

use crate::order::{order, paid};

const JOBS: usize = 100;
const LONG: Duration = Duration::from_secs(60);

const SHOPS: &str = r#"
[shops.acme]
public_id = "pk_emulator"
api_secret = "plain:emulator_api_secret"
[shops.acme.receipt]
inn = "7708806062"
taxation = "osn"
place = "https://acme.example"
settlement = "full_payment"
payments = { electronic = [2], cash = [5] }
"#;

struct Sea {
    stage: Stage,
    emulator: Running,
    file: std::path::PathBuf,
}

impl Sea {
    async fn begin() -> Self {
        let mut settings = Settings::default();
        settings.cloudkassir.concurrency = 0;
        let file = std::env::temp_dir().join(format!("parom-{}.toml", uuid::Uuid::new_v4()));
        std::fs::write(&file, SHOPS).unwrap();
        let emulator = Emulator::start(settings).await.unwrap();
        Self { stage: Stage::set().await, emulator, file }
    }

    fn service(&self, crash: &CrashPoint) -> Service {
        let mut common = self.stage.common();
        common.job_prefetch = Some(128);
        common.crash = crash.clone();
        let own = Config {
            fiscal_shops_file: self.file.clone(),
            cloudkassir_base_url: self.emulator.cloudkassir_url().parse().unwrap(),
            atol_base_url: format!("{}/atol", self.emulator.base_url).parse().unwrap(),
            orangedata_base_url: self.emulator.orangedata_url().parse().unwrap(),
            cloudkassir_v1_base_url: self.emulator.cloudkassir_v1_url().parse().unwrap(),
            fiscal_api_token: None,
            fiscal_keep_ledger: None,
            fiscal_overdue_after: Duration::from_secs(600),
            fiscal_callback_base_url: None,
            cloudkassir_timeout: Duration::from_secs(2),
            cloudkassir_concurrency: 128,
            cloudkassir_poll: Duration::from_millis(20),
            cloudkassir_poll_longest: Duration::from_millis(100),
            cloudkassir_resend_within: Duration::from_secs(50 * 60),
        };
        Service::start::<Fiscal>(common, own)
    }

    async fn done(&self) -> i64 {
        let pool = self.stage.pool("fiscal");
        let sql = "SELECT count(*) FROM jobs WHERE phase = 'done' AND told";
        sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap_or(0)
    }
}

/// Has a hundred receipts die at the `nth` passage of `place`, and another service finish them.
async fn die_at(place: &'static str, nth: u32) {
    let sea = Sea::begin().await;
    let crash = CrashPoint::default();
    crash.arm(place, nth);
    let doomed = sea.service(&crash);
    let queue = sea.stage.names().queue("fiscal");
    sea.stage.until("the queue", LONG, || sea.stage.hears("fiscal")).await;
    for number in 1..=JOBS {
        let mut order = order();
        order.key.id = number.try_into().unwrap();
        order.key.number = number.to_string();
        let time = order.updated_at;
        let event = Event::new(Fact::OrderPaid(Box::new(paid(order))), time);
        sea.stage.put("", &queue, event.to_json().unwrap().as_bytes(), &[]).await;
    }
    sea.stage.until("all to stand still", LONG, || async { crash.stuck() == JOBS }).await;
    doomed.kill().await;

    let heir = sea.service(&CrashPoint::default());
    sea.stage.until("all done", LONG, || async { sea.done().await == 100 }).await;
    heir.stop().await;
    let summary = sea.emulator.emulator.cloudkassir.summary();
    assert_eq!(summary.receipts, JOBS, "{place} {nth}: none missing, none doubled");
    assert_eq!(summary.processed, JOBS, "{place} {nth}");
    assert_eq!(summary.distinct_invoices, JOBS, "{place} {nth}");
    assert_eq!(summary.violations.violation_count, 0, "{:?}", summary.violations.violations);
    assert_eq!(sea.stage.waiting(&sea.stage.names().dead_queue("fiscal")).await, 0);
    sea.stage.clear(&["fiscal"]).await;
    std::fs::remove_file(&sea.file).unwrap();
}

/// The steps of a receipt are: written down (1), sent (2), looked at (3 and on). Between two
/// that follow at once nothing is published or acknowledged.
macro_rules! deaths {
    ($($name:ident: $place:literal $nth:literal;)*) => {$(
        #[tokio::test]
        async fn $name() {
            die_at($place, $nth).await;
        }
    )*};
}

deaths! {
    before_it_is_written_down: "before_step" 1;
    before_the_call: "before_step" 2;
    after_the_vendors_answer: "after_step" 2;
    after_the_commit_of_the_writing: "after_save" 1;
    after_the_commit_of_the_answer: "after_save" 2;
    after_the_publication: "after_publish" 1;
    before_the_acknowledgement: "before_ack" 1;
    after_the_last_look: "after_step" 4;
}
