//! A desk with everything on it: admin, a ferry, a browser.

use std::{
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
};

use reqwest::{Client, RequestBuilder, Response, redirect::Policy};
use runtime::testing::{Service, Stage};
use secrecy::ExposeSecret;
use serde_json::Value;
use sqlx::PgPool;

use crate::ferry::{self, Books, Ferry, LONG, crossing};

/// A replica of `admin`: a process of its own, so that SIGKILL is SIGKILL.
pub(crate) struct Replica(Child);

impl Replica {
    /// Starts the program as it is deployed, with the stage's short pauses and these flags.
    fn start(stage: &Stage, address: SocketAddr, flags: &[String]) -> Self {
        let common = stage.common();
        let own = [
            format!("--database-url={}", common.database_url.expose_secret()),
            format!("--amqp-url={}", common.amqp_url.expose_secret()),
            format!("--amqp-prefix={}", common.amqp_prefix),
            "--amqp-rung=20ms".to_owned(),
            format!("--amqp-levels={}", common.amqp_levels),
            format!("--http-listen={address}"),
            "--log=warn".to_owned(),
            "--log-format=text".to_owned(),
            "--job-lease=3s".to_owned(),
            "--job-prefetch=64".to_owned(),
            "--threads=2".to_owned(),
            "--sweep-every=300ms".to_owned(),
            "--sweep-grace=1s".to_owned(),
            "--retry-first=20ms".to_owned(),
            "--retry-longest=200ms".to_owned(),
            "--drain-grace=5s".to_owned(),
        ];
        let child = Command::new(env!("CARGO_BIN_EXE_admin"))
            .args(own)
            .args(flags)
            .env_clear()
            .stdout(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }

    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// As a deployment does it.
    fn stop(&mut self) {
        let told = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status();
        assert!(told.unwrap().success());
        assert!(self.0.wait().unwrap().success(), "admin drains and ends well");
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A stage with admin and a ferry on it.
pub(crate) struct Desk {
    pub(crate) stage: Stage,
    pub(crate) books: Books,
    pub(crate) pool: PgPool,
    pub(crate) address: SocketAddr,
    /// What admin is told at its next start.
    pub(crate) flags: Vec<String>,
    admin: Option<Replica>,
    second: Option<Replica>,
    ferry: Option<Service>,
}

impl Desk {
    /// A desk whose admin has these flags.
    pub(crate) async fn set(flags: &[&str]) -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        let stage = Stage::set().await;
        let pool = stage.pool("admin");
        // Taken and let go: nobody else gets it within this moment.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut desk = Self {
            stage,
            books: Books::default(),
            pool,
            address,
            flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
            admin: None,
            second: None,
            ferry: None,
        };
        desk.start_admin();
        desk.start_ferry();
        desk.until_ready().await;
        desk
    }

    pub(crate) fn start_admin(&mut self) {
        self.admin = Some(Replica::start(&self.stage, self.address, &self.flags));
    }

    /// A second replica beside the first, and where it listens.
    pub(crate) fn start_second(&mut self) {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        self.second = Some(Replica::start(&self.stage, address, &self.flags));
    }

    pub(crate) fn start_ferry(&mut self) {
        let own = ferry::Config { books: self.books.clone() };
        self.ferry = Some(Service::start::<Ferry>(self.stage.common(), own));
    }

    /// As by SIGKILL: nothing is drained, released or said.
    pub(crate) async fn kill_ferry(&mut self) {
        self.ferry.take().unwrap().kill().await;
    }

    /// Waits until admin listens and both queues are there.
    pub(crate) async fn until_ready(&self) {
        let ready = || async {
            let ready = reqwest_client().get(self.url("/readyz")).send().await;
            ready.is_ok_and(|answer| answer.status() == 200) && self.stage.hears("ferry").await
        };
        self.stage.until("the desk is ready", LONG, ready).await;
    }

    /// SIGKILL.
    pub(crate) fn kill_admin(&mut self) {
        self.admin.take().unwrap().kill();
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Puts a crossing into the ferry's queue.
    pub(crate) async fn send(&self, order: u64) {
        let queue = self.stage.names().queue("ferry");
        let text = crossing(order).to_json().unwrap();
        self.stage.put("", &queue, text.as_bytes(), &[]).await;
    }

    /// How many letters stand so.
    pub(crate) async fn letters(&self, state: &str) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM letters WHERE state = $1")
            .bind(state)
            .fetch_one(&self.pool)
            .await
            .unwrap_or(-1)
    }

    pub(crate) async fn until_letters(&self, state: &str, count: i64) {
        let what = format!("{count} letters {state}");
        self.stage.until(&what, LONG, || async { self.letters(state).await == count }).await;
    }

    /// Runs `paromctl` and answers its output.
    pub(crate) fn ctl(&self, input: &str, words: &[&str]) -> Result<String, String> {
        use std::io::Write;

        let mut child = Command::new(env!("CARGO_BIN_EXE_paromctl"))
            .args(words)
            .env("DATABASE_URL", self.stage.database_url())
            .env("PAROM_ADMIN_URL", self.url(""))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    /// An API token of this role.
    pub(crate) fn token(&self, role: &str) -> String {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("test {}", COUNT.fetch_add(1, Ordering::Relaxed));
        self.ctl("", &["token", "make", &name, "--role", role]).unwrap()
    }

    /// A call with a token.
    pub(crate) fn get(&self, token: &str, path: &str) -> RequestBuilder {
        reqwest_client().get(self.url(path)).bearer_auth(token)
    }

    /// A call with a token and a body.
    pub(crate) async fn post(&self, token: &str, path: &str, body: &Value) -> Response {
        let request = reqwest_client().post(self.url(path)).bearer_auth(token).json(body);
        request.send().await.unwrap()
    }

    pub(crate) async fn end(mut self) {
        self.ferry.take().unwrap().stop().await;
        for mut replica in [self.admin.take(), self.second.take()].into_iter().flatten() {
            tokio::task::spawn_blocking(move || replica.stop()).await.unwrap();
        }
        let names = self.stage.names();
        for worker in ["admin"] {
            let own = [names.queue(worker), names.dead_queue(worker)];
            self.stage.delete_queues(&own).await;
        }
        self.stage.clear(&["ferry"]).await;
    }
}

/// Follows no redirects.
pub(crate) fn reqwest_client() -> Client {
    Client::builder().redirect(Policy::none()).build().unwrap()
}

/// Somebody at a browser.
pub(crate) struct Browser<'a> {
    desk: &'a Desk,
    client: Client,
    cookie: String,
    pub(crate) csrf: String,
}

impl<'a> Browser<'a> {
    /// Signs in as a new user of this role.
    pub(crate) async fn sign_in(desk: &'a Desk, role: &str) -> Browser<'a> {
        let password = "a long enough password";
        desk.ctl(password, &["user", "put", role, "--role", role]).unwrap();
        let client = reqwest_client();
        let form = format!("login={role}&password=a+long+enough+password");
        let answer = client
            .post(desk.url("/login"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 303);
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let mut browser = Self { desk, client, cookie, csrf: String::new() };
        let page = browser.page("/").await;
        let (_, rest) = page.split_once("name=\"csrf\" value=\"").expect("a form");
        browser.csrf = rest.split('"').next().unwrap().to_owned();
        browser
    }

    /// Chooses a language.
    pub(crate) fn speak(&mut self, language: &str) {
        self.cookie = format!("{}; parom_language={language}", self.cookie);
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        let request = self.client.get(self.desk.url(path)).header("cookie", &self.cookie);
        request.send().await.unwrap()
    }

    /// What a page that stands open asks for by itself.
    pub(crate) async fn live(&self, path: &str) -> Response {
        let request = self.client.get(self.desk.url(path)).header("cookie", &self.cookie);
        request.header("x-live", "1").send().await.unwrap()
    }

    /// The text of a page that is there.
    pub(crate) async fn page(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        answer.text().await.unwrap()
    }

    /// Sends a form as this page would.
    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Response {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(form);
        self.client
            .post(self.desk.url(path))
            .header("cookie", &self.cookie)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.finish())
            .send()
            .await
            .unwrap()
    }
}
