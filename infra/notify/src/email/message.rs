//! The mail a letter becomes.

use std::fmt::Write;
use std::time::{Duration, UNIX_EPOCH};

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};

use domain::Timestamp;
use jobs::ports::Letter;

/// Why no mail can be written.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MessageError {
    /// The recipient is not a mailbox.
    #[error("`{0}` is not an e-mail address")]
    To(String),
    /// The library cannot put the mail together.
    #[error("the mail cannot be written: {0}")]
    Parts(String),
}

/// The mail, the same for the same letter but for its date.
pub(crate) fn write(letter: &Letter, to: &str, from: &Mailbox, now: Timestamp) -> Result<Message, MessageError> {
    let recipient = to.parse().map_err(|_| MessageError::To(to.to_owned()))?;
    Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, recipient))
        .subject(one_line(&letter.subject))
        .message_id(Some(message_id(&letter.id, from)))
        .date(UNIX_EPOCH + Duration::from_millis(u64::try_from(now.0).unwrap_or(0)))
        // So that holiday replies do not answer an alarm (RFC 3834).
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()))
        .header(ContentType::TEXT_PLAIN)
        .body(letter.text.clone())
        .map_err(|error| MessageError::Parts(error.to_string()))
}

/// Whether a letter can be sent there.
pub fn is_mail_address(text: &str) -> bool {
    text.parse::<lettre::Address>().is_ok()
}

/// No line break of a subject may begin a header.
fn one_line(subject: &str) -> String {
    subject.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// `<id@domain>`; what a Message-ID cannot hold is percent-encoded, so two letters never share one.
fn message_id(id: &str, from: &Mailbox) -> String {
    let mut local = String::with_capacity(id.len());
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_".contains(&byte) {
            local.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(local, "%{byte:02X}");
        }
    }
    format!("<{local}@{}>", from.email.domain())
}

#[cfg(test)]
mod tests {
    use jobs::ports::Address;
    use serde_json::Value;

    use super::*;

    const NOW: Timestamp = Timestamp(784_111_777_000);

    fn letter(id: &str, subject: &str, text: &str) -> Letter {
        Letter {
            id: id.to_owned(),
            address: Address::Email { to: "ann@example.org".to_owned() },
            subject: subject.to_owned(),
            text: text.to_owned(),
            data: Value::Null,
        }
    }

    fn written(letter: &Letter) -> String {
        let from = "Telltale <alarms@example.com>".parse().unwrap();
        let message = write(letter, "ann@example.org", &from, NOW).unwrap();
        String::from_utf8(message.formatted()).unwrap()
    }

    fn header_names(mail: &str) -> Vec<&str> {
        let (head, _) = mail.split_once("\r\n\r\n").unwrap();
        head.lines().filter(|line| !line.starts_with(' ')).map(|line| line.split_once(':').unwrap().0).collect()
    }

    #[test]
    fn a_mail_says_who_to_whom_when_and_that_a_machine_wrote_it() {
        let mail = written(&letter("01J-a_b", "Pump is hot", "It is 90 °C.\nLook at it.\n"));
        for line in [
            "From: Telltale <alarms@example.com>",
            "To: ann@example.org",
            "Subject: Pump is hot",
            "Message-ID: <01J-a_b@example.com>",
            "Date: Sun, 06 Nov 1994 08:49:37 +0000",
            "Auto-Submitted: auto-generated",
            "Content-Type: text/plain; charset=utf-8",
        ] {
            assert!(mail.lines().any(|found| found == line), "{line} is not in\n{mail}");
        }
        assert!(mail.ends_with("It is 90 =C2=B0C.\r\nLook at it.\r\n"), "{mail}");
    }

    #[test]
    fn the_same_letter_is_the_same_mail_and_another_has_another_message_id() {
        let first = written(&letter("n/1:ann", "s", "t"));
        assert_eq!(first, written(&letter("n/1:ann", "s", "t")));
        assert!(first.contains("Message-ID: <n%2F1%3Aann@example.com>"), "{first}");
        assert!(!written(&letter("n/2:ann", "s", "t")).contains("<n%2F1%3Aann@"));
    }

    #[test]
    fn nothing_in_a_letter_adds_a_header() {
        let plain = written(&letter("id", "s", "t"));
        for injection in
            ["\r\nBcc: eve@example.net", "\nBcc: eve@example.net", "\rBcc: eve", "\r\n\r\nbody", "é\r\nBcc: eve"]
        {
            let mail = written(&letter(&format!("id{injection}"), &format!("s{injection}"), "t"));
            assert_eq!(header_names(&mail), header_names(&plain), "{mail}");
        }
    }

    #[test]
    fn a_subject_stays_on_one_line() {
        let mail = written(&letter("id", "Pump\r\nis\thot", "t"));
        assert!(mail.contains("Subject: Pump  is hot\r\n"), "{mail}");
    }

    #[test]
    fn a_long_id_stays_in_one_piece() {
        let id = "a".repeat(300);
        assert!(written(&letter(&id, "s", "t")).contains(&format!("<{id}@example.com>")));
    }

    #[test]
    fn what_is_no_single_mailbox_is_refused() {
        let from = "alarms@example.com".parse().unwrap();
        for to in ["", "ann", "ann@", "a@b.c, d@e.f", "ann@example.org\r\nBcc: eve@example.net", "ann@example.org>"] {
            let error = write(&letter("id", "s", "t"), to, &from, NOW).unwrap_err();
            assert_eq!(error, MessageError::To(to.to_owned()));
        }
    }
}
