//! What the shop does in a test: saves orders, calls, fails.

use emulator::Fault;
use serde_json::Value;

use crate::quay::{MEMBER, NEW, Quay, TOKEN, answer};

impl Quay {
    /// The shop saves an order and its portal tells so, this many times at once.
    pub(crate) async fn save(&self, order: &Value, times: u32) {
        let url = format!("{}/_bitrix/orders/{}", self.shop.base_url, order["id"]);
        let notify = format!("{url}?notify=1&times={times}");
        let (status, text) = answer(self.http.put(notify).body(order.to_string())).await;
        assert_eq!(status, 200, "{text}");
        assert!(times == 0 || text.contains("\"status\":202"), "{text}");
    }

    pub(crate) async fn portal_calls(&self, event: &str, id: u64) {
        let form = format!(
            "event={event}&data[FIELDS][ID]={id}&auth[member_id]={MEMBER}\
             &auth[application_token]={TOKEN}"
        );
        assert_eq!(answer(self.form(form)).await.0, 202);
    }

    pub(crate) async fn site_sends(&self, snapshot: &Value) {
        let (status, text) = answer(self.snapshot(NEW, &snapshot.to_string())).await;
        assert_eq!(status, 202, "{text}");
    }

    pub(crate) fn strike(&self, fault: &Value) {
        let fault: Fault = serde_json::from_value(fault.clone()).unwrap();
        self.shop.emulator.faults.add(fault).unwrap();
    }

    pub(crate) fn hits(&self) -> u64 {
        serde_json::to_value(self.shop.emulator.bitrix.portal().summary()).unwrap()["hits"]
            .as_u64()
            .unwrap()
    }
}
