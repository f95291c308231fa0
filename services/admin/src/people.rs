//! Who may: passwords, sessions, tokens, roles.

mod admit;
mod password;
mod secret;

pub(crate) use admit::{Person, address, cookie, cookie_name, is_https};
pub(crate) use password::{dummy, hash, verify};
pub(crate) use secret::{Fresh, digest};

/// What somebody may, each with all before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Role {
    /// Sees everything but payloads.
    Viewer,
    /// Also sees payloads, replays, discards, settles and writes notes.
    Operator,
    /// Also edits payloads, manages users and tokens, reads the audit log.
    Admin,
}

impl Role {
    /// The word in tables and JSON.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// The role of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Viewer, Self::Operator, Self::Admin].into_iter().find(|role| role.name() == name)
    }
}
