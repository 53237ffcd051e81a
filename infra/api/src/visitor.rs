//! Who asks. A handler that takes none of these is open to everybody.

use std::sync::Arc;

use engine_http::{
    Credential, Problem, TokenError,
    axum::{
        extract::FromRequestParts,
        http::{HeaderMap, Method, request::Parts},
    },
    credential_of, same_origin,
};
use records::users::{self, Role, User};

use crate::{error::ApiError, site::Site};

/// Somebody who signed in. Role and rights are what they are now, not what they were when they signed in.
pub(crate) struct SignedIn(pub(crate) User);

/// A signed-in administrator.
pub(crate) struct Admin;

/// The same, where it matters who.
pub(crate) struct AdminUser(pub(crate) User);

impl FromRequestParts<Arc<Site>> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, ApiError> {
        let credential = credential_of(&parts.headers).ok_or_else(|| {
            let how = "Sign in at POST /api/auth/login and send the token as Authorization: Bearer.";
            Problem::unauthorized("not-signed-in", how)
        })?;
        refuse_foreign_page(&parts.method, &parts.headers, credential)?;
        let claims = site.tokens.verify(credential.token(), site.clock.now()).map_err(|error| match error {
            TokenError::Expired => Problem::unauthorized("token-expired", "The token has expired: sign in again."),
            TokenError::Invalid | TokenError::Unsigned(_) => invalid(),
        })?;
        let user = users::get(&*site.table, &claims.user).await?.ok_or_else(invalid)?;
        Ok(Self(user))
    }
}

impl FromRequestParts<Arc<Site>> for Admin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, ApiError> {
        AdminUser::from_request_parts(parts, site).await.map(|_| Self)
    }
}

impl FromRequestParts<Arc<Site>> for AdminUser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, ApiError> {
        let SignedIn(user) = SignedIn::from_request_parts(parts, site).await?;
        match user.role {
            Role::Admin => Ok(Self(user)),
            Role::User => Err(Problem::forbidden("admins-only", "Only an administrator may do this.").into()),
        }
    }
}

/// Refuses a change that a browser may have been tricked into: its cookie came along from a page of another site.
pub(crate) fn refuse_foreign_page(
    method: &Method,
    headers: &HeaderMap,
    credential: Credential<'_>,
) -> Result<(), Problem> {
    match credential {
        Credential::Cookie(_) if !method.is_safe() && !same_origin(headers) => {
            let why = "With the cookie, a change must come from a page of this host (Origin must match Host).";
            Err(Problem::forbidden("foreign-origin", why))
        }
        Credential::Cookie(_) | Credential::Bearer(_) => Ok(()),
    }
}

fn invalid() -> Problem {
    Problem::unauthorized("token-invalid", "The token is not valid: sign in again.")
}
