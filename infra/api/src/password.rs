//! Passwords: Argon2id, at the crate's recommended cost.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use jobs::ports::Dice;

const LEAST_BYTES: usize = 8;
/// The most bytes a password has: longer ones are refused before any work is done.
pub(crate) const MOST_BYTES: usize = 1024;

/// What nobody's password is checked against, so that a name nobody has takes as long as a wrong password.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IHNhbHQgb2YgMTY$vO0kV1wv1BWm8p6mYmpFPaCk1ltXWXJk5N3mWqzOeys";

/// Why a password has no hash.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// It is too short or too long.
    #[error("a password has {LEAST_BYTES} to {MOST_BYTES} bytes")]
    Length,
    /// Argon2 failed.
    #[error("the password could not be hashed: {0}")]
    Hashing(argon2::password_hash::Error),
}

/// Whether a password may be one.
pub fn check_password(password: &str) -> Result<(), PasswordError> {
    if (LEAST_BYTES..=MOST_BYTES).contains(&password.len()) { Ok(()) } else { Err(PasswordError::Length) }
}

/// A password's hash, as users' records keep it (a PHC string). Takes tens of milliseconds of a processor.
pub fn hash_password(password: &str, dice: &dyn Dice) -> Result<String, PasswordError> {
    check_password(password)?;
    let salt = [dice.roll().to_le_bytes(), dice.roll().to_le_bytes()].concat();
    let hash: PasswordHash =
        Argon2::default().hash_password_with_salt(password.as_bytes(), &salt).map_err(PasswordError::Hashing)?;
    Ok(hash.to_string())
}

/// Whether a password is the one of this hash. Takes as long as hashing it.
pub fn verify_password(password: &str, hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else {
        tracing::error!("A user's stored password hash is no PHC string; set the password again");
        return false;
    };
    Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()
}

/// Whether a password is somebody's, who may be nobody: then it is not, after the same work.
pub(crate) fn is_password_of(hash: Option<&str>, password: &str) -> bool {
    verify_password(password, hash.unwrap_or(NOBODY)) && hash.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Loaded(u64);

    impl Dice for Loaded {
        fn roll(&self) -> u64 {
            self.0
        }
    }

    #[test]
    fn a_hash_knows_its_password_and_no_other() {
        let hash = hash_password("correct horse", &Loaded(1)).unwrap();
        assert!(verify_password("correct horse", &hash));
        assert!(!verify_password("correct mule", &hash));
        assert!(!verify_password("correct horse", "plain"));
    }

    #[test]
    fn the_same_password_with_another_salt_has_another_hash() {
        let [one, two] = [1, 2].map(|salt| hash_password("correct horse", &Loaded(salt)).unwrap());
        assert_ne!(one, two);
    }

    #[test]
    fn nobodys_password_costs_what_anybodys_costs() {
        let somebody = hash_password("correct horse", &Loaded(1)).unwrap();
        let cost = |hash: &str| {
            let hash = PasswordHash::new(hash).unwrap();
            (hash.algorithm, hash.version, hash.params, hash.hash.unwrap().len())
        };
        assert_eq!(cost(NOBODY), cost(&somebody));
        assert!(!is_password_of(None, "correct horse"));
    }

    #[test]
    fn a_password_that_is_too_short_or_too_long_is_refused() {
        for password in ["", "1234567", &"x".repeat(1025)] {
            assert!(matches!(hash_password(password, &Loaded(1)), Err(PasswordError::Length)));
        }
    }
}
