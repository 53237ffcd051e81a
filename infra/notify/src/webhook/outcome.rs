//! What an answer means for the letter.

use std::time::Duration;

use jiff::fmt::rfc2822;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use domain::Timestamp;
use jobs::ports::{Delivery, Receipt};

use crate::guard::{Answer, GuardError};

/// How much of a receiver's explanation is passed on, in characters.
const MOST_WORDS: usize = 200;

/// 2xx has taken it and 410 wants no more (Standard Webhooks); everything else may pass: a receiver that is being replaced
/// answers 404, one whose rights are being set 401.
pub(crate) fn of_answer(answer: &Answer, now: Timestamp) -> Delivery {
    let status = answer.status;
    let said = format!("the receiver answered {}", said(answer));
    match status {
        _ if status.is_success() => Delivery::Sent(Receipt(status.to_string())),
        StatusCode::GONE => Delivery::Refused { why: said },
        _ if status.is_redirection() => Delivery::TryLater {
            after: retry_after(&answer.headers, now),
            why: format!("{said}; redirects are not followed, so give the final URL"),
        },
        _ => Delivery::TryLater { after: retry_after(&answer.headers, now), why: said },
    }
}

/// A receiver that is away may come back; an address that must not be called never gets better.
pub(crate) fn of_error(error: &GuardError) -> Delivery {
    match error {
        GuardError::Transport(why) => Delivery::TryLater { after: None, why: why.clone() },
        other => Delivery::Refused { why: other.to_string() },
    }
}

/// The status, and the beginning of the body.
pub(crate) fn said(answer: &Answer) -> String {
    format!("{}{}", answer.status, explanation(&answer.body))
}

/// `Retry-After` comes as seconds or as a date; a date gone by means now.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(Timestamp(date.as_millisecond()).since(now))
}

/// The beginning of the body on one line, for the person who has to find out why.
fn explanation(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST_WORDS).collect();
    match line.trim() {
        "" => String::new(),
        words => format!(": {words}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(784_111_777_000); // Sun, 06 Nov 1994 08:49:37 GMT

    fn answer(status: u16, retry_after: Option<&'static str>, body: &str) -> Answer {
        let headers = retry_after.map(|value| (RETRY_AFTER, value.parse().unwrap()));
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: headers.into_iter().collect(),
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn every_success_is_sent_with_its_status_as_the_receipt() {
        for (status, receipt) in [(200, "200 OK"), (201, "201 Created"), (204, "204 No Content")] {
            assert_eq!(of_answer(&answer(status, None, "thanks"), NOW), Delivery::Sent(Receipt(receipt.to_owned())));
        }
    }

    #[test]
    fn what_may_pass_is_tried_later() {
        for status in [300, 301, 302, 307, 308, 400, 401, 403, 404, 408, 422, 425, 429, 500, 502, 503, 504] {
            let delivery = of_answer(&answer(status, None, "not\r\nnow"), NOW);
            let Delivery::TryLater { after: None, why } = delivery else { panic!("{status}: {delivery:?}") };
            assert!(why.contains(&status.to_string()) && why.contains("not  now"), "{why}");
            assert_eq!(why.contains("give the final URL"), status < 400, "{why}");
        }
    }

    #[test]
    fn a_receiver_that_is_gone_for_good_is_not_called_again() {
        let delivery = of_answer(&answer(410, None, "go away"), NOW);
        assert_eq!(delivery, Delivery::Refused { why: "the receiver answered 410 Gone: go away".to_owned() });
    }

    #[test]
    fn the_receivers_words_are_cut_short() {
        let Delivery::Refused { why } = of_answer(&answer(410, None, &"é".repeat(60_000)), NOW) else { panic!() };
        assert!(why.chars().count() < 300, "{why}");
    }

    #[test]
    fn retry_after_is_honoured_as_seconds_and_as_a_date() {
        for (header, expected) in [
            ("100", Some(Duration::from_secs(100))),
            ("0", Some(Duration::ZERO)),
            ("Sun, 06 Nov 1994 08:51:17 GMT", Some(Duration::from_secs(100))),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(Duration::ZERO)),
            ("soon", None),
            ("-5", None),
            ("99999999999999999999999", None),
        ] {
            let delivery = of_answer(&answer(429, Some(header), ""), NOW);
            let Delivery::TryLater { after, .. } = delivery else { panic!("{header}: {delivery:?}") };
            assert_eq!(after, expected, "{header}");
        }
    }
}
