//! `fiscal correct`, `fiscal refund`, `fiscal receipt`: the interface from a shell. Everything else
//! is the service itself.

use std::{io::Read as _, path::PathBuf, process::ExitCode, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use reqwest::Method;
use runtime::{Metrics, http::Client};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};

use crate::Fiscal;

/// Ask for a receipt by name, and see how it stands.
///
/// Ends with 0 when it is done, 1 when it is refused or fails, 2 when it was not understood.
#[derive(Debug, Parser)]
#[command(name = "fiscal", version)]
struct Command {
    /// Where the service listens.
    #[arg(long, env = "PAROM_FISCAL_URL", default_value = "http://127.0.0.1:8080", global = true)]
    url: String,
    /// The token of the service's interface.
    #[arg(long, env = "FISCAL_API_TOKEN", hide_env_values = true, global = true)]
    token: Option<SecretString>,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Asks for a correction receipt.
    Correct(Correct),
    /// Asks for a refund of what an order's ledger says was sold.
    Refund(Refund),
    /// Shows how a receipt stands that was asked for.
    Receipt {
        /// The name that was answered when it was asked for.
        name: String,
    },
}

/// Which order.
#[derive(Debug, Args)]
struct Order {
    /// Bitrix's order id.
    #[arg(long)]
    order: Option<u64>,
    /// The number that people use.
    #[arg(long, requires = "order")]
    number: Option<String>,
    /// The site's module keeps the order, and not a portal.
    #[arg(long, requires = "order")]
    site: bool,
}

#[derive(Debug, Args)]
struct Correct {
    #[arg(long)]
    shop: String,
    #[command(flatten)]
    order: Order,
    /// What is corrected: a sale or a refund that has no receipt. A wrong receipt is taken back as
    /// its opposite.
    #[arg(long, value_enum)]
    kind: Kind,
    /// Who found it: the shop itself, or the tax service by its order.
    #[arg(long, value_enum)]
    basis: Basis,
    /// The number of the document that asks for it.
    #[arg(long)]
    document: String,
    /// The day of the settlement, as in 2026-01-04.
    #[arg(long)]
    date: String,
    /// Why, in words.
    #[arg(long)]
    reason: String,
    /// Which one, where the document asks for several.
    #[arg(long, default_value_t = 1)]
    part: u32,
    /// JSON with `positions`, `payments` and `email` or `phone`; `-` is standard input.
    #[arg(long)]
    file: PathBuf,
}

#[derive(Debug, Args)]
struct Refund {
    #[arg(long)]
    shop: String,
    #[command(flatten)]
    order: Order,
    /// The number of the paper that asks for it, such as the buyer's application.
    #[arg(long)]
    document: String,
    /// Everything that is left.
    #[arg(long, conflicts_with_all = ["line", "delivery"])]
    all: bool,
    /// A line by Bitrix's basket item id and how much of it, as in 7=2.
    #[arg(long)]
    line: Vec<String>,
    /// The delivery too.
    #[arg(long)]
    delivery: bool,
    /// The mark code of a piece that came back, base64.
    #[arg(long)]
    code: Vec<String>,
    /// The goods came back as well.
    #[arg(long)]
    goods: bool,
    /// Bitrix's payment that is settled by it.
    #[arg(long)]
    payment: Option<u64>,
    /// As what the money goes back; as it came without it.
    #[arg(long, value_enum)]
    money: Option<Money>,
    /// Which one, where the document asks for several.
    #[arg(long, default_value_t = 1)]
    part: u32,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Sale,
    Refund,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Basis {
    /// The shop itself.
    #[value(name = "self")]
    Own,
    /// By order of the tax service.
    Order,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Money {
    Electronic,
    Cash,
}

/// The whole of `main`: a command, or the service.
#[must_use]
pub fn run() -> ExitCode {
    let word = std::env::args().nth(1).unwrap_or_default();
    if ["correct", "refund", "receipt"].contains(&word.as_str()) {
        return command();
    }
    runtime::run::<Fiscal>()
}

#[expect(clippy::print_stderr, clippy::print_stdout, reason = "a command line speaks to people")]
fn command() -> ExitCode {
    let command = Command::parse();
    rustls::crypto::ring::default_provider().install_default().ok();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = runtime.map_err(|error| error.to_string());
    match outcome.and_then(|runtime| runtime.block_on(carry_out(command))) {
        Ok(answer) => {
            println!("{answer:#}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

async fn carry_out(command: Command) -> Result<Value, String> {
    let Command { url, token, what } = command;
    let token = token.ok_or("FISCAL_API_TOKEN is not set; the service has the same")?;
    let (method, path, body) = match what {
        What::Correct(correct) => (Method::POST, "/v1/corrections".into(), Some(correct.body()?)),
        What::Refund(refund) => (Method::POST, "/v1/refunds".into(), Some(refund.body()?)),
        What::Receipt { name } => (Method::GET, format!("/v1/receipts/{name}"), None),
    };
    let metrics = Metrics::new().map_err(|error| error.to_string())?;
    let client = Client::new("fiscal", Duration::from_secs(30), &metrics);
    let client = client.map_err(|error| error.to_string())?;
    let url = format!("{}{path}", url.trim_end_matches('/'));
    let mut request = client.request(method, &url).bearer_auth(token.expose_secret());
    if let Some(body) = &body {
        request = request.json(body);
    }
    let answer = client.send("api", request).await;
    let answer = answer.map_err(|error| format!("fiscal does not answer: {error}"))?;
    let value: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    if answer.status.is_success() {
        return Ok(value);
    }
    let words = |language| value.pointer(language).and_then(Value::as_str).unwrap_or_default();
    Err(format!("{}: {}\n{}", answer.status, words("/error/ru"), words("/error/en")))
}

impl Order {
    fn json(&self) -> Option<Value> {
        let id = self.order?;
        Some(json!({"id": id, "number": self.number, "site": self.site}))
    }
}

impl Correct {
    fn body(self) -> Result<Value, String> {
        let Value::Object(mut body) = content(&self.file)? else {
            return Err("the file holds no JSON object".to_owned());
        };
        let kind = match self.kind {
            Kind::Sale => "sale",
            Kind::Refund => "refund",
        };
        let basis = match self.basis {
            Basis::Own => "own",
            Basis::Order => "prescribed",
        };
        let correction = json!({"basis": basis, "date": self.date, "document": self.document,
                                "reason": self.reason});
        let fields = [
            ("shop", json!(self.shop)),
            ("order", json!(self.order.json())),
            ("kind", json!(kind)),
            ("correction", correction),
            ("part", json!(self.part)),
        ];
        body.extend(fields.map(|(name, value)| (name.to_owned(), value)));
        Ok(Value::Object(body))
    }
}

impl Refund {
    fn body(self) -> Result<Value, String> {
        let order = self.order.json().ok_or("--order must name the order")?;
        let mut lines = Map::new();
        for line in &self.line {
            let (id, quantity) =
                line.split_once('=').ok_or_else(|| format!("--line {line} is not ID=QUANTITY"))?;
            lines.insert(id.to_owned(), json!(quantity));
        }
        let money = self.money.map(|money| match money {
            Money::Electronic => "electronic",
            Money::Cash => "cash",
        });
        let refund = json!({
            "document": self.document, "lines": lines, "delivery": self.delivery,
            "codes": self.code, "all": self.all, "goods": self.goods, "payment": self.payment,
            "money": money,
        });
        Ok(json!({"shop": self.shop, "order": order, "part": self.part, "refund": refund}))
    }
}

fn content(file: &PathBuf) -> Result<Value, String> {
    let mut text = String::new();
    let read = if file.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(file).map(|all| text = all)
    };
    read.map_err(|error| format!("{}: {error}", file.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))
}
