//! `paromctl`: what the pages do, from a shell. It speaks with `admin` over its API, and only to
//! make users and tokens with the database.

mod access;
mod api;
mod table;

use std::{iter::once, process::ExitCode};

use clap::{Args, Parser, Subcommand, builder::PossibleValuesParser};
use secrecy::SecretString;
use uuid::Uuid;

use crate::{filter::STATES, letter::CLASSES, people::Role};

/// See every order's way, mend what is stuck, replay it safely.
///
/// Ends with 0 when it is done, 1 when it is refused or fails, 2 when it was not understood.
#[derive(Debug, Parser)]
#[command(name = "paromctl", version)]
struct Command {
    /// Where `admin` listens.
    #[arg(long, env = "PAROM_ADMIN_URL", default_value = "http://127.0.0.1:8080", global = true)]
    url: String,
    /// An API token; `paromctl token make` makes one.
    #[arg(long, env = "PAROM_ADMIN_TOKEN", hide_env_values = true, global = true)]
    token: Option<SecretString>,
    /// JSON instead of tables.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Dead letters.
    #[command(subcommand)]
    Dead(Dead),
    /// Orders.
    #[command(subcommand)]
    Order(Order),
    /// Replays and their progress.
    #[command(subcommand)]
    Replay(Replay),
    /// Each service at a glance.
    Jobs,
    /// How many messages wait in each queue.
    Queues,
    /// Users, with the database at `DATABASE_URL`. The first admin is made here.
    #[command(subcommand)]
    User(User),
    /// API tokens, with the database at `DATABASE_URL`.
    #[command(subcommand)]
    Token(Token),
}

/// Which letters.
#[derive(Debug, Args)]
struct Which {
    /// The worker that gave them up.
    #[arg(long)]
    worker: Option<String>,
    /// Why.
    #[arg(long, value_parser = CLASSES)]
    class: Option<String>,
    /// A group's id.
    #[arg(long)]
    group: Option<Uuid>,
    /// An order's number.
    #[arg(long)]
    order: Option<String>,
    /// A part of the reason.
    #[arg(long)]
    text: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Dead {
    /// Lists them.
    List {
        #[command(flatten)]
        which: Which,
        /// Where they stand; wherever that is with "".
        #[arg(long, default_value = "open", value_parser = PossibleValuesParser::new(once("").chain(STATES)))]
        state: String,
        /// How many at most.
        #[arg(long, default_value_t = 50)]
        limit: u16,
    },
    /// Lists the causes, with how many letters each has.
    Groups,
    /// Shows one with its message.
    Show { id: Uuid },
    /// Hands open letters back to their workers: these, or all that fit.
    Replay {
        ids: Vec<Uuid>,
        #[command(flatten)]
        which: Which,
        /// Only tells what would be done.
        #[arg(long)]
        dry_run: bool,
        /// Also the unknown ones among these ids: you have looked at the register for each, and they
        /// are not there.
        #[arg(long, requires = "ids")]
        unknown: bool,
        /// Letters in a second.
        #[arg(long)]
        rate: Option<i32>,
        /// What has been mended.
        #[arg(long, default_value = "")]
        why: String,
        /// The replay's id: the same one told twice is one replay.
        #[arg(long)]
        id: Option<Uuid>,
    },
    /// Gives open letters up for good: these, or all that fit.
    Discard {
        ids: Vec<Uuid>,
        #[command(flatten)]
        which: Which,
        #[arg(long)]
        why: String,
    },
    /// Takes a discarded letter back.
    Restore { id: Uuid },
    /// Closes an unknown one: the effect is there, under this number.
    Settle {
        id: Uuid,
        #[arg(long)]
        document: String,
    },
    /// Writes a note beside a letter.
    Note { id: Uuid, text: String },
}

#[derive(Debug, Subcommand)]
enum Order {
    /// Finds orders by number, four digits of the phone, mark code or document.
    Find {
        text: String,
        /// How many at most, up to 1000.
        #[arg(long, default_value_t = 100)]
        limit: u16,
    },
    /// Shows an order's whole way, by its number.
    Show { number: String },
}

#[derive(Debug, Subcommand)]
enum Replay {
    /// The last fifty.
    List,
    /// One of them.
    Status { id: Uuid },
    /// Stops handing back for now.
    Pause { id: Uuid },
    /// Goes on.
    Resume { id: Uuid },
    /// Leaves the rest open.
    Cancel { id: Uuid },
}

#[derive(Debug, Subcommand)]
enum User {
    /// Makes a user, or gives one a new role and password. The password is read from standard
    /// input.
    Put {
        login: String,
        #[arg(long, value_enum)]
        role: Role,
    },
    /// Makes an admin, only if there is no user at all: safe to run at every start.
    First { login: String },
    /// Gives a user another role.
    Role {
        login: String,
        #[arg(value_enum)]
        role: Role,
    },
    /// Gives a user the password on standard input, and ends his sessions.
    Password { login: String },
    /// Locks a user out.
    Disable { login: String },
    /// Lets a user in again.
    Enable { login: String },
    /// Lists users.
    List,
}

#[derive(Debug, Subcommand)]
enum Token {
    /// Makes a token and prints it, once.
    Make {
        name: String,
        #[arg(long, value_enum)]
        role: Role,
    },
    /// Revokes a token.
    Revoke { id: Uuid },
    /// Lists tokens.
    List,
}

/// Why a command failed, in a sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Failed(String);

impl Failed {
    fn new(reason: impl std::fmt::Display) -> Self {
        Self(reason.to_string())
    }
}

/// Runs `paromctl`: the whole of its `main`.
#[must_use]
#[expect(clippy::print_stderr, reason = "a command line tells people what went wrong")]
pub fn run() -> ExitCode {
    let command = Command::parse();
    rustls::crypto::ring::default_provider().install_default().ok();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(carry_out(command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn carry_out(command: Command) -> Result<(), Failed> {
    let Command { url, token, json, what } = command;
    match what {
        What::User(user) => access::user(user, json).await,
        What::Token(token) => access::token(token, json).await,
        What::Dead(dead) => api::Api::open(&url, token, json)?.dead(dead).await,
        What::Order(order) => api::Api::open(&url, token, json)?.order(order).await,
        What::Replay(replay) => api::Api::open(&url, token, json)?.replay(replay).await,
        What::Jobs => api::Api::open(&url, token, json)?.jobs().await,
        What::Queues => api::Api::open(&url, token, json)?.queues().await,
    }
}
