use jobs::ports::{Address, Forms};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// A mail server on loopback for one mail: it answers a line that begins with a key with that key's reply, and every other
/// command with 250. "." is the end of the mail, "" the greeting.
async fn server(replies: &'static [(&'static str, &'static str)]) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        // The client may hang up at any time.
        let _ = talk(stream, replies).await;
    });
    format!("smtp://127.0.0.1:{port}")
}

async fn talk(stream: TcpStream, replies: &[(&str, &str)]) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut reply = reply_to("", replies);
    write.write_all(format!("{reply}\r\n").as_bytes()).await?;
    while let Some(line) = lines.next_line().await? {
        let in_mail = reply.starts_with("354");
        if in_mail && line != "." {
            continue;
        }
        reply = reply_to(line.get(..4).unwrap_or(&line), replies);
        write.write_all(format!("{reply}\r\n").as_bytes()).await?;
    }
    Ok(())
}

fn reply_to<'a>(command: &str, replies: &[(&str, &'a str)]) -> &'a str {
    let usual = match command {
        "" => "220 test",
        "DATA" => "354 go on",
        _ => "250 ok",
    };
    let own = replies.iter().find(|(key, _)| *key == command);
    own.map_or(usual, |(_, reply)| reply)
}

async fn send(url: &str) -> Delivery {
    let settings = SmtpSettings { url: url.to_owned().into(), from: "Telltale <alarms@example.com>".to_owned() };
    let letter = Letter {
        id: "n1".to_owned(),
        address: Address::Email { to: "ann@example.org".to_owned() },
        subject: "Pump is hot".to_owned(),
        text: "It is 90 °C.\n.\nLook at it.".to_owned(),
        data: Value::Null,
        forms: Forms::default(),
    };
    EmailChannel::new(&settings).unwrap().send(&letter, "ann@example.org", Timestamp(0)).await
}

#[tokio::test]
async fn the_servers_last_word_is_the_receipt() {
    let url = server(&[(".", "250 2.0.0 Ok: queued as 4XYZ")]).await;
    assert_eq!(send(&url).await, Delivery::Sent(Receipt("250 2.0.0 Ok: queued as 4XYZ".to_owned())));
}

#[tokio::test]
async fn a_permanent_error_at_any_step_is_a_refusal_in_the_servers_words() {
    for replies in [
        &[("MAIL", "553 5.7.1 not your address")][..],
        &[("RCPT", "550 5.1.1 no such mailbox")],
        &[("DATA", "554 5.6.0 no mail today")],
        &[(".", "552 5.2.2 mailbox full for good")],
    ] {
        let delivery = send(&server(replies).await).await;
        let Delivery::Refused { why } = delivery else { panic!("{replies:?}: {delivery:?}") };
        assert!(why.contains(&replies[0].1[4..]), "{why}");
    }
}

#[tokio::test]
async fn a_transient_error_at_any_step_is_for_later() {
    for replies in [
        &[("", "421 4.3.2 too busy")][..],
        &[("RCPT", "450 4.2.0 greylisted")],
        &[("DATA", "451 4.3.0 try again")],
        &[(".", "452 4.3.1 disk full")],
    ] {
        let delivery = send(&server(replies).await).await;
        let Delivery::TryLater { why, .. } = delivery else { panic!("{replies:?}: {delivery:?}") };
        assert!(why.contains(&replies[0].1[4..]), "{why}");
    }
}

#[tokio::test]
async fn a_server_that_is_away_is_for_later() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("smtp://127.0.0.1:{}", listener.local_addr().unwrap().port());
    drop(listener);
    let delivery = send(&url).await;
    assert!(matches!(delivery, Delivery::TryLater { .. }), "{delivery:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_left_after_ten_seconds() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let started = tokio::time::Instant::now();
    let delivery = send(&format!("smtp://127.0.0.1:{}", listener.local_addr().unwrap().port())).await;
    assert!(matches!(delivery, Delivery::TryLater { .. }), "{delivery:?}");
    assert!(started.elapsed() <= TIME_LIMIT + Duration::from_secs(1), "{:?}", started.elapsed());
}

#[test]
fn settings_that_cannot_work_are_told_without_the_password() {
    for (url, from, expected) in [
        ("smtp://mail.example", "a@example.com", None),
        ("smtps://u:hunter2@mail.example:465", "Telltale <a@example.com>", None),
        ("smtp://u:hunter2@mail.example:587?tls=required", "a@example.com", None),
        ("", "a@example.com", Some(NotifySettingsError::SmtpUrl)),
        ("u:hunter2@mail.example:25", "a@example.com", Some(NotifySettingsError::SmtpUrl)),
        ("http://u:hunter2@mail.example", "a@example.com", Some(NotifySettingsError::SmtpUrl)),
        ("smtp://mail.example?tls=hunter2", "a@example.com", Some(NotifySettingsError::SmtpUrl)),
        ("smtp://mail.example", "nobody", Some(NotifySettingsError::From("nobody".to_owned()))),
    ] {
        let settings = SmtpSettings { url: url.to_owned().into(), from: from.to_owned() };
        let error = EmailChannel::new(&settings).err();
        assert!(error.iter().all(|error| !error.to_string().contains("hunter2")), "{error:?}");
        assert_eq!(error, expected, "{url} {from}");
    }
}
