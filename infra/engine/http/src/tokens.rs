//! Tokens that say who signed in: JWTs that only this installation signs and only this installation believes.

use std::{fmt, time::Duration};

use domain::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

const ALGORITHM: Algorithm = Algorithm::HS256;
const ISSUER: &str = "telltale";
const AUDIENCE: &str = "telltale";
const LEAST_SECRET_BYTES: usize = 32;

/// Issues and verifies tokens. Time comes in through the arguments.
pub struct Tokens {
    signing: EncodingKey,
    verifying: DecodingKey,
    validation: Validation,
}

/// What a verified token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The sign-in name.
    pub user: String,
    /// The role they had when they signed in.
    pub role: String,
}

/// The secret could be guessed.
#[derive(Debug, thiserror::Error)]
#[error("the token secret has {0} bytes: give at least {LEAST_SECRET_BYTES} random ones")]
pub struct WeakSecret(usize);

/// Why there is no token, or no trust in one.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It was good once.
    #[error("the token has expired: sign in again")]
    Expired,
    /// It is not one of ours.
    #[error("the token is not valid: sign in again")]
    Invalid,
    /// Signing failed.
    #[error("the token could not be signed: {0}")]
    Unsigned(jsonwebtoken::errors::Error),
}

#[derive(Serialize, Deserialize)]
struct Payload {
    iss: String,
    aud: String,
    sub: String,
    role: String,
    iat: i64,
    exp: i64,
}

impl Tokens {
    /// Tokens signed with this secret, of 32 bytes at least.
    pub fn new(secret: &[u8]) -> Result<Self, WeakSecret> {
        if secret.len() < LEAST_SECRET_BYTES {
            return Err(WeakSecret(secret.len()));
        }
        let mut validation = Validation::new(ALGORITHM);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        // The library would look at the ambient clock; `verify` looks at its argument.
        validation.validate_exp = false;
        let (signing, verifying) = (EncodingKey::from_secret(secret), DecodingKey::from_secret(secret));
        Ok(Self { signing, verifying, validation })
    }

    /// A token for a user, good from `now` on for as long as `lives`, to the second.
    pub fn issue(&self, user: &str, role: &str, now: Timestamp, lives: Duration) -> Result<String, TokenError> {
        let payload = Payload {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: user.to_owned(),
            role: role.to_owned(),
            iat: seconds(now),
            exp: seconds(now.plus(lives)),
        };
        jsonwebtoken::encode(&Header::new(ALGORITHM), &payload, &self.signing).map_err(TokenError::Unsigned)
    }

    /// What a token says, if we signed it and it has not expired.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, TokenError> {
        let decoded = jsonwebtoken::decode::<Payload>(token, &self.verifying, &self.validation);
        let payload = decoded.map_err(|_| TokenError::Invalid)?.claims;
        if payload.exp <= seconds(now) {
            return Err(TokenError::Expired);
        }
        Ok(Claims { user: payload.sub, role: payload.role })
    }
}

// The secret may not reach a log through a debug print.
impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

fn seconds(at: Timestamp) -> i64 {
    at.0.div_euclid(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);
    const HOUR: Duration = Duration::from_hours(1);

    fn tokens(secret: u8) -> Tokens {
        Tokens::new(&[secret; 32]).unwrap()
    }

    fn payload() -> Payload {
        let text = || "telltale".to_owned();
        let (iat, exp) = (seconds(NOW), seconds(NOW.plus(HOUR)));
        Payload { iss: text(), aud: text(), sub: "ann".to_owned(), role: "user".to_owned(), iat, exp }
    }

    fn signed(header: &Header, payload: &Payload) -> String {
        jsonwebtoken::encode(header, payload, &EncodingKey::from_secret(&[1; 32])).unwrap()
    }

    #[test]
    fn a_token_says_whom_it_was_issued_to() {
        let token = tokens(1).issue("ann", "user", NOW, HOUR).unwrap();
        let claims = tokens(1).verify(&token, NOW).unwrap();
        assert_eq!(claims, Claims { user: "ann".to_owned(), role: "user".to_owned() });
    }

    #[test]
    fn a_token_is_good_until_its_time_is_over_and_no_longer() {
        let token = tokens(1).issue("ann", "user", NOW, HOUR).unwrap();
        assert!(tokens(1).verify(&token, NOW.plus(HOUR).minus(Duration::from_secs(1))).is_ok());
        assert!(matches!(tokens(1).verify(&token, NOW.plus(HOUR)), Err(TokenError::Expired)));
    }

    #[test]
    fn a_token_of_another_installation_is_not_believed() {
        let token = tokens(2).issue("ann", "admin", NOW, HOUR).unwrap();
        assert!(matches!(tokens(1).verify(&token, NOW), Err(TokenError::Invalid)));
    }

    #[test]
    fn a_token_for_something_else_is_not_believed() {
        let ours = signed(&Header::default(), &payload());
        assert!(tokens(1).verify(&ours, NOW).is_ok());
        let other_audience = Payload { aud: "billing".to_owned(), ..payload() };
        let other_issuer = Payload { iss: "billing".to_owned(), ..payload() };
        for foreign in [other_audience, other_issuer] {
            let token = signed(&Header::default(), &foreign);
            assert!(matches!(tokens(1).verify(&token, NOW), Err(TokenError::Invalid)));
        }
    }

    #[test]
    fn a_token_cannot_choose_its_algorithm() {
        let stronger = signed(&Header::new(Algorithm::HS512), &payload());
        let unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ.";
        for token in [stronger.as_str(), unsigned, "", "a.b.c"] {
            assert!(matches!(tokens(1).verify(token, NOW), Err(TokenError::Invalid)), "{token}");
        }
    }

    #[test]
    fn a_short_secret_is_refused_and_none_is_printed() {
        assert!(Tokens::new(b"short").is_err());
        assert_eq!(format!("{:?}", tokens(1)), "Tokens { .. }");
    }
}
