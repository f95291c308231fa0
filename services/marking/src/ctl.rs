//! `markingctl`: imports suppliers' files from a shell, over the service's own interface.

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tokio_util::io::ReaderStream;

/// Import suppliers' files with marking codes, and see how codes stand.
///
/// Ends with 0 when it is done, 1 when it is refused or fails, 2 when it was not understood.
#[derive(Debug, Parser)]
#[command(name = "markingctl", version)]
struct Command {
    /// Where `marking` listens.
    #[arg(long, env = "MARKINGCTL_URL", default_value = "http://127.0.0.1:8080", global = true)]
    url: String,
    /// The key of a person in `MARKING_FILE`.
    #[arg(long, env = "MARKINGCTL_KEY", hide_env_values = true)]
    key: SecretString,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Import a file (XLSX or CSV): all of it, or nothing.
    Import {
        /// The file.
        file: PathBuf,
    },
    /// Codes by status, documents under way by state.
    Counts,
    /// Codes that a person must look at, and why.
    Quarantine,
    /// Put a code back from quarantine into stock, if the register has it in circulation.
    Release {
        /// The code, as it is scanned.
        code: String,
        /// Why it may be sold: the code's history keeps it.
        #[arg(long)]
        reason: String,
    },
}

/// The whole of its `main`.
#[must_use]
pub fn run() -> ExitCode {
    let command = Command::parse();
    rustls::crypto::ring::default_provider().install_default().ok();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(command.carry_out()),
        Err(error) => Err(error.to_string()),
    };
    match done {
        Ok(text) => say(&text),
        Err(why) => complain(&why),
    }
}

#[expect(clippy::print_stdout, reason = "what was asked for")]
fn say(text: &str) -> ExitCode {
    println!("{text}");
    ExitCode::SUCCESS
}

#[expect(clippy::print_stderr, reason = "why it was not done")]
fn complain(why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::FAILURE
}

impl Command {
    async fn carry_out(self) -> Result<String, String> {
        let say = |error: &dyn std::error::Error| error.to_string();
        let http = reqwest::Client::builder().build().map_err(|error| say(&error))?;
        let base = self.url.trim_end_matches('/');
        let request = match &self.what {
            What::Counts => http.get(format!("{base}/counts")),
            What::Quarantine => http.get(format!("{base}/quarantine")),
            What::Release { code, reason } => http
                .post(format!("{base}/quarantine/release"))
                .json(&serde_json::json!({"code": code, "reason": reason})),
            What::Import { file } => {
                let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let opened = tokio::fs::File::open(file).await;
                let opened = opened.map_err(|error| format!("{}: {error}", file.display()))?;
                let query: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
                let body = reqwest::Body::wrap_stream(ReaderStream::new(opened));
                http.post(format!("{base}/imports?name={query}")).body(body)
            }
        };
        let request = request.header("x-api-key", self.key.expose_secret());
        let answer = request.send().await.map_err(|error| say(&error))?;
        let status = answer.status();
        let body: Value = answer.json().await.map_err(|error| say(&error))?;
        if status.is_success() {
            return Ok(told(&body));
        }
        let word = |path: &str| body.pointer(path).and_then(Value::as_str);
        let message = word("/message/en").or_else(|| word("/error"));
        Err(format!("{status}: {}", message.unwrap_or("refused")))
    }
}

/// What an answer says, one a line.
fn told(body: &Value) -> String {
    if let Value::Array(rows) = body {
        return rows.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    }
    let Value::Object(fields) = body else { return body.to_string() };
    let line = |(name, value): (&String, &Value)| format!("{name}: {value}");
    fields.iter().map(line).collect::<Vec<_>>().join("\n")
}
