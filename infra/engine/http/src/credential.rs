//! What a request brings to say who sends it.

use axum::http::{HeaderMap, header};

/// A token, and how it came: only a program sends a header on purpose, a browser sends a cookie with whatever asks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Credential<'a> {
    /// In `Authorization: Bearer`.
    Bearer(&'a str),
    /// In the cookie `token`. A request that changes something counts only from the [`same_origin`].
    Cookie(&'a str),
}

impl<'a> Credential<'a> {
    /// The token.
    pub fn token(self) -> &'a str {
        match self {
            Self::Bearer(token) | Self::Cookie(token) => token,
        }
    }
}

// A token may not reach a log through a debug print.
impl std::fmt::Debug for Credential<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Bearer(_) => "Bearer(..)",
            Self::Cookie(_) => "Cookie(..)",
        })
    }
}

/// The request's credential: the `Authorization: Bearer` header, else the cookie `token`.
pub fn credential_of(headers: &HeaderMap) -> Option<Credential<'_>> {
    bearer(headers).map(Credential::Bearer).or_else(|| cookie(headers).map(Credential::Cookie))
}

/// The request's token, however it came.
pub fn token_of(headers: &HeaderMap) -> Option<&str> {
    credential_of(headers).map(Credential::token)
}

/// Whether the page that sends this request was served by the host it is sent to. False without an `Origin`. A proxy
/// in front must pass `Host` on.
pub fn same_origin(headers: &HeaderMap) -> bool {
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    match (origin.and_then(|origin| origin.split_once("://")), host) {
        (Some((_, authority)), Some(host)) => authority.eq_ignore_ascii_case(host),
        _ => false,
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|cookie| cookie.to_str().ok());
    let token = pairs.flat_map(|cookie| cookie.split(';')).find_map(|pair| pair.trim().strip_prefix("token="))?;
    (!token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn the_header_goes_before_the_cookie() {
        let both = headers(&[("authorization", "bearer abc"), ("cookie", "token=def")]);
        assert_eq!(credential_of(&both), Some(Credential::Bearer("abc")));
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let found = headers(&[("cookie", "xtoken=no; theme=dark; token=a.b.c"), ("authorization", "Basic eDp5")]);
        assert_eq!(credential_of(&found), Some(Credential::Cookie("a.b.c")));
        assert_eq!(token_of(&found), Some("a.b.c"));
    }

    #[test]
    fn an_empty_token_is_none() {
        assert_eq!(token_of(&headers(&[("authorization", "Bearer "), ("cookie", "token=")])), None);
        assert_eq!(token_of(&HeaderMap::new()), None);
    }

    #[test]
    fn a_credential_does_not_print_its_token() {
        assert_eq!(format!("{:?}", Credential::Bearer("secret")), "Bearer(..)");
    }

    #[test]
    fn only_the_host_itself_is_the_same_origin() {
        let from = |origin| same_origin(&headers(&[("host", "site.test:8000"), ("origin", origin)]));
        assert!(from("http://site.test:8000"));
        assert!(from("https://SITE.test:8000"));
        assert!(!from("http://site.test"));
        assert!(!from("http://evil.test"));
        assert!(!from("null"));
        assert!(!same_origin(&headers(&[("host", "site.test")])));
    }
}
