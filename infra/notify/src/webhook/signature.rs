//! The Standard Webhooks signature: HMAC-SHA256 over `id.timestamp.body`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::mac::hmac_sha256;

/// The `webhook-signature` header for a body sent as `id` at `timestamp` (seconds since 1970).
/// None when the secret is not `whsec_` and the base64 of a key.
pub(super) fn sign(secret: &str, id: &str, timestamp: i64, body: &str) -> Option<String> {
    let key = STANDARD.decode(secret.strip_prefix("whsec_")?).ok().filter(|key| !key.is_empty())?;
    let mac = hmac_sha256(&key, format!("{id}.{timestamp}.{body}").as_bytes())?;
    Some(format!("v1,{}", STANDARD.encode(mac)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    #[test]
    fn the_published_example_comes_out() {
        let signature = sign(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn every_part_counts() {
        let signature = sign(SECRET, "id", 1, "body");
        assert_ne!(sign(SECRET, "other", 1, "body"), signature);
        assert_ne!(sign(SECRET, "id", 2, "body"), signature);
        assert_ne!(sign(SECRET, "id", 1, "other"), signature);
        assert_ne!(sign("whsec_AAAA", "id", 1, "body"), signature);
    }

    #[test]
    fn a_secret_that_is_none_signs_nothing() {
        for secret in ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_not base64"] {
            assert_eq!(sign(secret, "id", 1, "body"), None, "{secret}");
        }
    }
}
