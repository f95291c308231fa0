//! Passwords, hashed with argon2id and a salt each (OWASP Password Storage Cheat Sheet: 19 MiB,
//! 2 passes, 1 lane, which are the crate's defaults).

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::sync::Semaphore;

/// The least that a password must have (NIST SP 800-63B-4, section 3.1.1.2: 15 for a password
/// that stands alone; ours is bounded in guesses, so 12).
pub(crate) const SHORTEST: usize = 12;
/// Longer ones cost nobody anything but us.
const LONGEST: usize = 1_000;

/// Each hash takes memory and a core: no more at once.
static AT_ONCE: Semaphore = Semaphore::const_new(2);

/// Why a password is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PasswordError {
    #[error("a password has {SHORTEST} to {LONGEST} characters")]
    Length,
    #[error("the password cannot be hashed: {0}")]
    Hash(String),
}

/// The PHC string of a password.
pub(crate) fn hash(password: &str) -> Result<String, PasswordError> {
    if !(SHORTEST..=LONGEST).contains(&password.chars().count()) {
        return Err(PasswordError::Length);
    }
    let hash = Argon2::default().hash_password(password.as_bytes());
    Ok(hash.map_err(|error| PasswordError::Hash(error.to_string()))?.to_string())
}

/// Whether this is the password; takes as long when it is not.
pub(crate) async fn verify(password: String, hash: String) -> bool {
    let Ok(_permit) = AT_ONCE.acquire().await else { return false };
    if password.chars().count() > LONGEST {
        return false;
    }
    let check = tokio::task::spawn_blocking(move || {
        let Ok(hash) = PasswordHash::new(&hash) else { return false };
        Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()
    });
    check.await.unwrap_or(false)
}

/// A hash of nobody's password: who guesses logins waits as long for a wrong one.
pub(crate) fn dummy() -> String {
    "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$\
     WQ3Uo5nqFYd4V0uQ6pDyL3o0mH2o7qTmmYyqk0mC8bA"
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::{dummy, hash, verify};

    #[tokio::test]
    async fn a_password_fits_its_own_hash_alone() {
        let made = hash("correct horse battery").unwrap();
        assert!(made.starts_with("$argon2id$"));
        assert_ne!(made, hash("correct horse battery").unwrap(), "a salt each");
        assert!(verify("correct horse battery".to_owned(), made.clone()).await);
        assert!(!verify("correct horse batterz".to_owned(), made).await);
        assert!(!verify("correct horse battery".to_owned(), dummy()).await);
        assert!(!verify("correct horse battery".to_owned(), "nonsense".to_owned()).await);
    }

    #[test]
    fn the_dummy_is_a_hash_that_costs_as_much() {
        let dummy = dummy();
        let parsed = argon2::password_hash::phc::PasswordHash::new(&dummy).unwrap();
        let made = hash("correct horse battery").unwrap();
        let real = argon2::password_hash::phc::PasswordHash::new(&made).unwrap();
        assert_eq!(parsed.params, real.params);
    }

    #[test]
    fn short_and_endless_passwords_are_not_taken() {
        assert!(hash("eleven char").is_err());
        assert!(hash(&"x".repeat(1_001)).is_err());
    }
}
