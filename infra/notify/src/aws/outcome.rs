//! What an answer of SNS or SES means for a letter.

use std::{error::Error, time::Duration};

use aws_sdk_sns::error::{ProvideErrorMetadata, SdkError};
use engine_aws::explain;
use jobs::ports::{Delivery, Receipt};
use tokio::time::timeout;

/// How long a call may take: with what is asked before, 10 s are not exceeded. Mostly the SDK's own limit on an attempt comes
/// first, since there is one attempt alone; this one counts what goes before it as well, such as asking for credentials.
const TIME_LIMIT: Duration = Duration::from_secs(8);

/// What is wrong with the letter itself: a number or an address that there is not, a text that is too long. Everything else
/// passes, or an operator puts it right: a limit on spending, a missing right, a sender or a receiver that is not verified (a
/// sandbox: SES calls that `MessageRejected`).
const WRONG_LETTER: [&str; 5] = [
    "InvalidParameter",
    "InvalidParameterValue",
    "ParameterValueInvalid",
    "ValidationException",
    "BadRequestException",
];

/// Makes the call, which gives the message's id.
pub(super) async fn of_call<E, F>(call: F) -> Delivery
where
    E: ProvideErrorMetadata + Error + 'static,
    F: Future<Output = Result<Option<String>, SdkError<E>>>,
{
    match timeout(TIME_LIMIT, call).await {
        Ok(Ok(id)) => Delivery::Sent(Receipt(id.unwrap_or_default())),
        Ok(Err(error)) => of_error(error.code(), explain(&error)),
        Err(_) => Delivery::TryLater { after: None, why: format!("no answer within {TIME_LIMIT:?}") },
    }
}

fn of_error(code: Option<&str>, why: String) -> Delivery {
    if code.is_some_and(|code| WRONG_LETTER.contains(&code)) {
        Delivery::Refused { why }
    } else {
        Delivery::TryLater { after: None, why }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_wrong_with_the_letter_is_final() {
        let is_final = |code| matches!(of_error(code, String::new()), Delivery::Refused { .. });
        for code in WRONG_LETTER {
            assert!(is_final(Some(code)), "{code}");
        }
        for code in ["Throttling", "AuthorizationError", "KMSAccessDenied", "SendingPausedException", "MessageRejected"]
        {
            assert!(!is_final(Some(code)), "{code}");
        }
        assert!(!is_final(None), "no answer");
    }
}
