//! What WeChat says: 200 and an `errcode`.

use std::time::Duration;

use domain::Timestamp;
use jobs::ports::{Delivery, Receipt};
use serde_json::Value;

use crate::{guard::Answer, webhook};

/// The token is invalid, has ended, or is of another account.
const OF_THE_TOKEN: [i64; 3] = [40_001, 40_014, 42_001];
/// Wrong with the letter itself: no such openid; they do not follow the account; they refused its messages; data that the
/// template does not take.
const WRONG_LETTER: [i64; 4] = [40_003, 43_004, 43_101, 47_003];
/// The account sent as much as it may.
const TOO_MUCH: [i64; 2] = [45_009, 45_011];

pub(super) struct Said {
    pub(super) value: Value,
}

impl Said {
    /// What an answer says; where it is none of WeChat's, what becomes of the letter.
    pub(super) fn read(answer: &Answer, now: Timestamp) -> Result<Self, Delivery> {
        if let Ok(value @ Value::Object(_)) = serde_json::from_slice(&answer.body) {
            return Ok(Self { value });
        }
        Err(match webhook::outcome::of_answer(answer, now) {
            Delivery::Sent(_) => {
                let why = format!("the answer is not WeChat's: {}", webhook::outcome::said(answer));
                Delivery::TryLater { after: None, why }
            }
            other => other,
        })
    }

    fn code(&self) -> Option<i64> {
        self.value["errcode"].as_i64()
    }

    pub(super) fn is_of_the_token(&self) -> bool {
        self.code().is_some_and(|code| OF_THE_TOKEN.contains(&code))
    }

    pub(super) fn words(&self) -> String {
        format!("{} {}", self.value["errcode"], self.value["errmsg"].as_str().unwrap_or_default())
    }

    pub(super) fn delivery(&self) -> Delivery {
        let why = format!("WeChat answered {}", self.words());
        match self.code() {
            Some(0) => Delivery::Sent(Receipt(format!("msgid {}", self.value["msgid"]))),
            Some(code) if WRONG_LETTER.contains(&code) => Delivery::Refused { why },
            Some(code) if TOO_MUCH.contains(&code) => Delivery::TryLater { after: Some(Duration::from_hours(1)), why },
            // It is busy, or the operator puts it right: the template, the addresses that may call.
            Some(_) | None => Delivery::TryLater { after: None, why },
        }
    }
}
