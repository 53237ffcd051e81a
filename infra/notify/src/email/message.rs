//! The mail a letter becomes.

use std::fmt::Write;
use std::time::{Duration, UNIX_EPOCH};

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{
    Attachment, Mailbox, Message, MessageBuilder, MultiPart, MultiPartBuilder, MultiPartKind, SinglePart,
};
use sha2::{Digest, Sha256};

use domain::Timestamp;
use jobs::ports::{Forms, Inline, Letter};

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
    let mail = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, recipient))
        .subject(one_line(&letter.subject))
        .message_id(Some(message_id(&letter.id, from)))
        .date(UNIX_EPOCH + Duration::from_millis(u64::try_from(now.0).unwrap_or(0)))
        // So that holiday replies do not answer an alarm (RFC 3834).
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()));
    bodied(mail, letter).map_err(|error| MessageError::Parts(error.to_string()))
}

/// The text; with a page, either of them; with a page that shows something, that beside it (RFC 2387).
fn bodied(mail: MessageBuilder, letter: &Letter) -> Result<Message, lettre::error::Error> {
    let Forms { html, inline, .. } = &letter.forms;
    let Some(html) = html else {
        return mail.header(ContentType::TEXT_PLAIN).body(letter.text.clone());
    };
    let (text, page) = (SinglePart::plain(letter.text.clone()), SinglePart::html(html.clone()));
    let shown: Vec<SinglePart> = inline.iter().filter_map(shown).collect();
    let kind = |builder: MultiPartBuilder, part| builder.boundary(boundary(&letter.id, part));
    let either = kind(MultiPart::builder().kind(MultiPartKind::Alternative), "either").singlepart(text);
    if shown.is_empty() {
        return mail.multipart(either.singlepart(page));
    }
    let related = kind(MultiPart::builder().kind(MultiPartKind::Related), "related").singlepart(page);
    let related = shown.into_iter().fold(related, MultiPart::singlepart);
    mail.multipart(either.multipart(related))
}

/// What stands between the parts: the same each time the letter is sent. No encoding of a part brings `=_` forth.
fn boundary(id: &str, part: &str) -> String {
    let digest = Sha256::digest(id.as_bytes());
    digest.iter().take(16).fold(format!("=_{part}_"), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Something that the page shows; none when its type is none.
fn shown(inline: &Inline) -> Option<SinglePart> {
    let mime = inline.mime.parse().ok()?;
    Some(Attachment::new_inline(inline.content_id.clone()).body(inline.bytes.clone(), mime))
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
            forms: Forms::default(),
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

    fn with_page(id: &str, inline: Vec<Inline>) -> Letter {
        let html = Some("<p>It is 90 °C.</p>".to_owned());
        Letter { forms: Forms { html, inline, short: None }, ..letter(id, "s", "It is 90 °C.") }
    }

    fn picture() -> Inline {
        Inline {
            content_id: "last-hours".to_owned(),
            mime: "image/png".to_owned(),
            bytes: vec![0x89, b'P', b'N', b'G'],
        }
    }

    #[test]
    fn a_page_is_beside_the_text_and_what_it_shows_beside_the_page() {
        let mail = written(&with_page("id", vec![picture()]));
        let places = [
            "multipart/alternative",
            "text/plain",
            "multipart/related",
            "text/html",
            "image/png",
            "Content-ID: <last-hours>",
            "Content-Disposition: inline",
        ];
        let found: Vec<usize> =
            places.iter().map(|part| mail.find(part).unwrap_or_else(|| panic!("{part}: {mail}"))).collect();
        assert!(found[..5].is_sorted(), "{mail}");
        assert!(!written(&with_page("id", vec![])).contains("multipart/related"));
    }

    #[test]
    fn a_mail_with_parts_is_the_same_each_time_and_no_id_breaks_it() {
        for id in ["n1", "n\r\nBcc: eve@example.net", &"a".repeat(300), "\"--=_"] {
            let mail = written(&with_page(id, vec![picture()]));
            assert_eq!(mail, written(&with_page(id, vec![picture()])));
            assert_eq!(header_names(&mail), header_names(&written(&with_page("id", vec![picture()]))), "{mail}");
        }
    }

    #[test]
    fn what_is_shown_and_has_no_type_is_left_out() {
        let odd = Inline { mime: "a picture".to_owned(), ..picture() };
        assert_eq!(written(&with_page("id", vec![odd])), written(&with_page("id", vec![])));
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
