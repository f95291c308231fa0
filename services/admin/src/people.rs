//! Who may: passwords, sessions, tokens, roles.

mod admit;
mod password;
mod secret;

pub(crate) use admit::{Person, Stranger, address, cookie, cookie_name, is_https, only_looks};
pub(crate) use password::{dummy, hash, verify};
pub(crate) use secret::{Fresh, digest};

/// What a login is.
pub(crate) const LOGIN: &str =
    "a login is made of a-z, 0-9 and . _ @ -, begins with a letter or digit, and has 64 at most";

/// A login as the table takes it; `None` when this is none.
pub(crate) fn login(text: &str) -> Option<String> {
    let login = text.trim().to_lowercase();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let fits = (1..=64).contains(&login.len())
        && login.starts_with(plain)
        && login.chars().all(|c| plain(c) || "._@-".contains(c));
    fits.then_some(login)
}

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

    /// The words of all roles that reach further.
    pub(crate) fn above(self) -> Vec<String> {
        let all = [Self::Viewer, Self::Operator, Self::Admin].into_iter();
        all.filter(|other| *other > self).map(|role| role.name().to_owned()).collect()
    }

    /// The role of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Viewer, Self::Operator, Self::Admin].into_iter().find(|role| role.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::{Role, login};

    #[test]
    fn a_login_fits_the_table_or_is_none() {
        assert_eq!(login(" Anna@Shop.Example ").as_deref(), Some("anna@shop.example"));
        for odd in ["", "Анна", "a b", "-a", "a'; drop", &"x".repeat(65)] {
            assert_eq!(login(odd), None, "{odd}");
        }
    }

    #[test]
    fn roles_above_are_those_that_reach_further() {
        assert_eq!(Role::Viewer.above(), ["operator", "admin"]);
        assert!(Role::Admin.above().is_empty());
    }
}
