//! A browser, driven over `WebDriver` (W3C).

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::desk::reqwest_client;

/// One headless browser without a past.
pub(crate) struct Browser {
    client: Client,
    driver: Child,
    session: String,
    base: String,
    /// The browser's own process while it runs: it outlives a driver that is killed.
    process: Option<u64>,
}

impl Browser {
    /// A browser for the pages at `base`.
    pub(crate) async fn open(base: String) -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .spawn()
            .expect("chromedriver (package chromium-driver) is installed");
        let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines
            .map_while(Result::ok)
            .find_map(|line| {
                line.split_once("started successfully on port ")?
                    .1
                    .strip_suffix('.')
                    .map(str::to_owned)
            })
            .expect("chromedriver says its port");
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ];
        let wishes = json!({ "capabilities": { "alwaysMatch": {
            "goog:loggingPrefs": { "browser": "ALL" },
            "goog:chromeOptions": { "args": arguments },
        }}});
        let session = format!("http://127.0.0.1:{port}/session");
        let mut browser = Self { client: reqwest_client(), driver, session, base, process: None };
        let made = browser.call(Method::POST, "", wishes).await;
        let id = made["sessionId"].as_str().expect("a session").to_owned();
        browser.session = format!("{}/{id}", browser.session);
        browser.process = made["capabilities"]["goog:processID"].as_u64();
        browser
    }

    async fn call(&self, method: Method, path: &str, body: Value) -> Value {
        let mut request = self.client.request(method.clone(), format!("{}{path}", self.session));
        if method == Method::POST {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("chromedriver answers");
        let (status, mut body) = (answer.status(), answer.json::<Value>().await.unwrap());
        assert!(status.is_success(), "{path}: {body}");
        body["value"].take()
    }

    /// Goes to a page.
    pub(crate) async fn go(&self, path: &str) {
        let url = format!("{}{path}", self.base);
        self.call(Method::POST, "/url", json!({ "url": url })).await;
    }

    async fn find(&self, css: &str) -> String {
        let body = json!({ "using": "css selector", "value": css });
        let found = self.call(Method::POST, "/element", body).await;
        let id = found.as_object().and_then(|all| all.values().next()).and_then(Value::as_str);
        id.unwrap_or_else(|| panic!("no {css}")).to_owned()
    }

    /// Types into a field.
    pub(crate) async fn fill(&self, css: &str, text: &str) {
        let path = format!("/element/{}/value", self.find(css).await);
        self.call(Method::POST, &path, json!({ "text": text })).await;
    }

    /// Clicks; a page that follows is there when this returns.
    pub(crate) async fn click(&self, css: &str) {
        let path = format!("/element/{}/click", self.find(css).await);
        self.call(Method::POST, &path, json!({})).await;
    }

    /// What a script of the test says about the page.
    pub(crate) async fn ask(&self, script: &str) -> Value {
        let body = json!({ "script": format!("return {script}"), "args": [] });
        self.call(Method::POST, "/execute/sync", body).await
    }

    /// All text that can be seen.
    pub(crate) async fn text(&self) -> String {
        self.ask("document.body.innerText").await.as_str().unwrap_or_default().to_owned()
    }

    /// The window's size in pixels.
    pub(crate) async fn size(&self, width: u32, height: u32) {
        self.call(Method::POST, "/window/rect", json!({ "width": width, "height": height })).await;
    }

    /// Dark or light, whatever the system says.
    pub(crate) async fn scheme(&self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        let body =
            json!({ "cmd": "Emulation.setEmulatedMedia", "params": { "features": features } });
        self.call(Method::POST, "/goog/cdp/execute", body).await;
    }

    /// Keeps a picture of the whole page in the folder `PAROM_SHOTS`, if that is set.
    pub(crate) async fn picture(&self, name: &str) {
        let Ok(folder) = std::env::var("PAROM_SHOTS") else { return };
        let params = json!({ "captureBeyondViewport": true });
        let body = json!({ "cmd": "Page.captureScreenshot", "params": params });
        let taken = self.call(Method::POST, "/goog/cdp/execute", body).await;
        let picture = STANDARD.decode(taken["data"].as_str().unwrap()).unwrap();
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(format!("{folder}/{name}.png"), picture).unwrap();
    }

    /// What the console complained of since the last time.
    pub(crate) async fn complaints(&self) -> Vec<Value> {
        let log = self.call(Method::POST, "/se/log", json!({ "type": "browser" })).await;
        log.as_array().cloned().unwrap_or_default()
    }

    /// Ends the browser.
    pub(crate) async fn close(mut self) {
        self.call(Method::DELETE, "", Value::Null).await;
        self.process = None;
    }
}

/// Also when the test fails: nothing stays behind.
impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(process) = self.process {
            Command::new("kill").args(["-KILL", &process.to_string()]).status().ok();
        }
        self.driver.kill().ok();
        self.driver.wait().ok();
    }
}
