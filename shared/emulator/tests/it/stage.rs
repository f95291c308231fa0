//! What every story stands on: an emulator on a free port and a client.

use std::{
    future::Future,
    sync::Once,
    time::{Duration, Instant},
};

use emulator::{Emulator, Fault, Running, Settings};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

/// An emulator and somebody who talks to it.
pub(crate) struct Stage {
    pub(crate) running: Running,
    pub(crate) client: Client,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::default();
        change(&mut settings);
        let running = Emulator::start(settings).await.unwrap();
        Self { running, client: client() }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.running.base_url)
    }

    pub(crate) fn fault(&self, fault: Fault) {
        self.running.emulator.faults.add(fault).unwrap();
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.client.get(self.url(path)).send().await.unwrap().json().await.unwrap()
    }

    pub(crate) async fn control(&self, path: &str, body: Value) -> Response {
        self.client.post(self.url(path)).json(&body).send().await.unwrap()
    }

    /// A request to CloudKassir with good credentials.
    pub(crate) fn kassir(&self, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.running.cloudkassir_url());
        self.client.post(url).basic_auth("pk_emulator", Some("emulator_api_secret"))
    }

    /// Asks for a receipt under a request id.
    pub(crate) fn ask(&self, request_id: &str, body: &Value) -> RequestBuilder {
        self.kassir("/kkt/receipt").header("X-Request-ID", request_id).json(body)
    }

    /// Asks for a receipt and answers its id.
    pub(crate) async fn receipt(&self, invoice: &str) -> String {
        let answer = json_of(self.ask(invoice, &receipt(invoice))).await;
        answer["Model"]["Id"].as_str().expect("accepted").to_owned()
    }

    /// One look at a receipt's status.
    pub(crate) async fn look(&self, id: &str) -> Value {
        json_of(self.kassir("/kkt/receipt/status/get").json(&json!({"Id": id}))).await["Model"]
            .clone()
    }

    /// A REST call with good credentials.
    pub(crate) async fn rest(&self, method: &str, params: Value) -> (StatusCode, Value) {
        let url = format!("{}{method}", self.running.bitrix_rest_url());
        let response = self.client.post(url).json(&params).send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    /// Puts an order as the shop saved it.
    pub(crate) async fn put(&self, id: u64, order: &Value, query: &str) -> Value {
        let url = self.url(&format!("/_bitrix/orders/{id}{query}"));
        let response = self.client.put(url).json(order).send().await.unwrap();
        assert_eq!(response.status(), 200);
        response.json().await.unwrap()
    }
}

pub(crate) async fn json_of(request: RequestBuilder) -> Value {
    request.send().await.unwrap().json().await.unwrap()
}

pub(crate) fn client() -> Client {
    static RING: Once = Once::new();
    RING.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().unwrap()
}

/// A receipt that CloudKassir takes.
pub(crate) fn receipt(invoice: &str) -> Value {
    json!({
        "Inn": "7708806062", "Type": "Income", "InvoiceId": invoice, "AccountId": "15",
        "CustomerReceipt": {
            "Items": [{"label": "Футболка «Огонь»", "price": 980, "quantity": 1, "amount": 980,
                "vat": 22, "method": 4, "object": 1, "unitCode": 0, "measurementUnit": "шт"}],
            "calculationPlace": "shop.example.ru", "taxationSystem": 0, "email": "ivan@example.ru",
            "phone": "", "isInternetPayment": true, "amounts": {"electronic": 980},
        },
    })
}

/// An order of ours in the shape of `sale.order.get`.
pub(crate) fn order(id: u64) -> Value {
    json!({
        "id": id, "accountNumber": (id + 156).to_string(), "xmlId": format!("bx_{id}"), "statusId": "N", "payed": "Y",
        "canceled": "N", "deducted": "N", "personTypeId": 1, "currency": "RUB", "price": 1480, "taxValue": 246.67,
        "comments": "", "userId": 15, "dateInsert": "2026-11-20T17:36:55+03:00", "clients": [],
        "basketItems": [{"id": "255", "orderId": id.to_string(), "name": "Футболка", "price": 980, "quantity": 1,
            "vatRate": 0.22, "vatIncluded": "Y"}],
        "payments": [{"id": id * 10 + 1, "orderId": id, "paid": "Y", "sum": 1480, "isReturn": "N"}],
        "shipments": [{"id": id * 10 + 2, "orderId": id, "deducted": "N", "priceDelivery": 500, "system": "N"}],
        "propertyValues": [{"id": 1514, "code": "EMAIL", "name": "E-Mail", "orderPropsId": 1002,
            "orderPropsXmlId": null, "value": "ivan@example.ru"}],
        "tradeBindings": [],
    })
}

/// Asks again and again until the answer is there; fails after 20 seconds.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut look: impl FnMut() -> F,
) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "never happened: {what}");
        tokio::task::yield_now().await;
    }
}
