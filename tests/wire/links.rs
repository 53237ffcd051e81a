//! What a mail of an alarm says, and what its link does.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use boot::SystemClock;
use jobs::links::{Action, GOOD_FOR, Link, Links};
use records::Clock;
use serde_json::Value;
use telltale_tests::{Mail, MailInline, http_client};

use super::{field::Field, site::SENSOR};

const PUBLIC_URL: &str = "https://telltale.example";

/// The mail that tells Ann that the sensor is too hot.
async fn hot(field: &mut Field) -> Result<Mail> {
    field.until_sensor_shows("temperature", "25.3").await?;
    field.three_more_readings().await?;
    field.slave.set(SENSOR, &[352, 600, 1]).await?;
    field.until_told("Alarm").await?;
    field.mailbox.until_mail("Alarm").await
}

/// The path of the mail's one link.
fn path(mail: &Mail) -> Result<String> {
    let mut links = mail.forms.text.lines().filter_map(|line| line.strip_prefix(PUBLIC_URL));
    let path = links.next().with_context(|| format!("no link: {}", mail.forms.text))?;
    ensure!(links.count() == 2, "to snooze for an hour, and for a shift: {}", mail.forms.text);
    Ok(path.to_owned())
}

/// The status and the page of a request that follows a link.
async fn follow(field: &Field, method: &str, path: &str) -> Result<(u16, String)> {
    let request = http_client()?.request(method.parse()?, format!("{}{path}", field.server.url()));
    let answer = request.send().await?;
    Ok((answer.status().as_u16(), answer.text().await?))
}

async fn word(field: &Field) -> Result<Value> {
    Ok(field.until_alarms("active", 1).await?[0]["acknowledged"].clone())
}

#[tokio::test]
async fn the_mail_of_an_alarm_has_a_text_a_page_and_a_picture_of_the_last_hours() -> Result<()> {
    let mut field = Field::start().await?;
    let forms = hot(&mut field).await?.forms;
    assert_eq!(forms.types[..2], ["multipart/alternative", "text/plain"]);
    assert!(forms.text.contains("temperature 35.2 ℃, limits 10 ~ 30"), "{}", forms.text);
    let page = forms.html.context("it has a page")?;
    for said in ["temperature 35.2 ℃, limits 10 ~ 30", "cid:last-hours", "25.3 to 35.2", "Acknowledge</a>"] {
        assert!(page.contains(said), "{said} is not in {page}");
    }
    let [MailInline { content_id, mime, bytes, .. }] = &forms.inline[..] else { panic!("{:?}", forms.inline) };
    assert_eq!((content_id.as_str(), mime.as_str()), ("last-hours", "image/png"));
    assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n") && bytes.len() < 40_000, "{} bytes", bytes.len());
    Ok(())
}

#[tokio::test]
async fn whoever_looks_at_a_link_does_nothing_and_who_uses_it_acknowledges_once() -> Result<()> {
    let mut field = Field::start().await?;
    let path = path(&hot(&mut field).await?)?;
    for method in ["GET", "HEAD", "GET"] {
        assert_eq!(follow(&field, method, &path).await?.0, 200, "{method}");
        assert_eq!(word(&field).await?, Value::Null, "{method} changed something");
    }
    let (status, page) = follow(&field, "POST", &path).await?;
    assert!(status == 200 && page.contains("You have taken it on."), "{status} {page}");
    let acknowledged = word(&field).await?;
    assert_eq!((&acknowledged["by"], &acknowledged["note"]), (&"ann".into(), &"by link".into()));
    for method in ["POST", "GET"] {
        let (status, page) = follow(&field, method, &path).await?;
        assert!(status == 410 && page.contains("This link was used"), "{status} {page}");
    }
    assert_eq!(word(&field).await?, acknowledged);
    let token = path.rsplit('/').next().unwrap_or_default();
    let told = field.server.log().into_iter().find(|line| line.contains(token) || line.contains("/act/"));
    assert_eq!(told, None, "a token is in the log");
    Ok(())
}

#[tokio::test]
async fn a_token_that_is_not_whole_not_ours_or_too_old_does_nothing() -> Result<()> {
    let mut field = Field::start().await?;
    let path = path(&hot(&mut field).await?)?;
    let ours = Links::new(PUBLIC_URL, &field.server.signing_key()?)?;
    let elsewhere = Links::new(PUBLIC_URL, &[1; 32])?;
    let now = SystemClock.now();
    let token = path.trim_start_matches("/act/");
    let link = ours.read(token, now).ok().context("the link is good")?;
    let (head, tail) = path.split_at(path.len() / 2);
    let changed = format!("{head}{}{}", if tail.starts_with('x') { 'y' } else { 'x' }, &tail[1..]);
    let of = |links: &Links, link: &Link| format!("/act/{}", links.token(link));
    let old = Link::new(Action::Acknowledge, &link.user, &link.notice, now.minus(GOOD_FOR + Duration::from_secs(1)));
    let bens = Link { user: "ben".to_owned(), ..link.clone() };
    for (path, refused) in
        [(changed, 404), (of(&elsewhere, &link), 404), (of(&ours, &old), 410), (of(&ours, &bens), 403)]
    {
        for method in ["GET", "POST"] {
            let (status, page) = follow(&field, method, &path).await?;
            assert_eq!(status, refused, "{method} {path}: {page}");
        }
    }
    assert_eq!(word(&field).await?, Value::Null);
    assert_eq!(follow(&field, "POST", &path).await?.0, 200, "the mail's own link is good still");
    Ok(())
}
