//! What an answer of the service means for a letter.

use std::time::Duration;

use domain::Timestamp;
use jobs::ports::{Delivery, Receipt};
use serde_json::Value;

use crate::{guard::Answer, webhook};

/// What is wrong with the letter itself: the number, or what it says. Everything else passes, or the operator puts it right:
/// the account's balance, a right that is missing, a template that is not approved yet.
const WRONG_LETTER: [&str; 9] = [
    "isv.MOBILE_NUMBER_ILLEGAL",
    "isv.MOBILE_COUNT_OVER_LIMIT",
    "isv.TEMPLATE_MISSING_PARAMETERS",
    "isv.TEMPLATE_PARAMS_ILLEGAL",
    "isv.INVALID_PARAMETERS",
    "isv.INVALID_JSON_PARAM",
    "isv.PARAM_LENGTH_LIMIT",
    "isv.PARAM_NOT_SUPPORT_URL",
    "isv.BLACK_KEY_CONTROL_LIMIT",
];

/// A number gets no more messages for a while: a minute, an hour or the day.
const LIMITED: &str = "isv.BUSINESS_LIMIT_CONTROL";

pub(super) fn of_answer(answer: &Answer, now: Timestamp) -> Delivery {
    let Ok(said) = serde_json::from_slice::<Value>(&answer.body) else { return not_understood(answer, now) };
    let Some(code) = said["Code"].as_str() else { return not_understood(answer, now) };
    let message = said["Message"].as_str().unwrap_or_default();
    let why = format!("Alibaba Cloud answered {code}: {message}");
    match code {
        "OK" => Delivery::Sent(Receipt(said["BizId"].as_str().unwrap_or("OK").to_owned())),
        LIMITED => limited(message, why),
        code if WRONG_LETTER.contains(&code) => Delivery::Refused { why },
        _ => Delivery::TryLater { after: None, why },
    }
}

/// The service says in words which limit was reached: 分钟级, 小时级, 天级.
fn limited(message: &str, why: String) -> Delivery {
    let hours = |hours| Some(Duration::from_hours(hours));
    match message {
        message if message.contains("天级") => Delivery::Refused { why: format!("{why} (no more today)") },
        message if message.contains("小时级") => Delivery::TryLater { after: hours(1), why },
        _ => Delivery::TryLater { after: Some(Duration::from_mins(1)), why },
    }
}

/// A proxy's answer, or none of ours.
fn not_understood(answer: &Answer, now: Timestamp) -> Delivery {
    match webhook::outcome::of_answer(answer, now) {
        Delivery::Sent(_) => {
            let why = format!("the answer is not Alibaba Cloud's: {}", webhook::outcome::said(answer));
            Delivery::TryLater { after: None, why }
        }
        other => other,
    }
}
