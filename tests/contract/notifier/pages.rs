//! A letter with a page, on the channels that can show one.

use jobs::ports::{Forms, Inline, Letter, Notifier};
use telltale_tests::MailForms;

use super::*;

const PAGE: &str = "<!doctype html>\n<p>冷库 25.3 ℃</p>\n<img src=\"cid:last-hours\" alt=\"\">\n";

/// Every byte there is, so that no encoding can change one unseen.
fn picture() -> Inline {
    Inline { content_id: "last-hours".to_owned(), mime: "image/png".to_owned(), bytes: (0..=255).collect() }
}

fn with_page(inline: Vec<Inline>) -> Letter {
    let forms = Forms { html: Some(PAGE.to_owned()), inline, short: Some("short".to_owned()) };
    Letter { forms, ..letter("n1", Address::Email { to: "ann@example.org".to_owned() }) }
}

fn arrived_whole(forms: &MailForms, letter: &Letter) {
    assert_eq!(forms.text.trim(), letter.text.trim());
    // The lines of a mail end as its standard says.
    assert_eq!(forms.html.as_deref().map(|html| html.lines().collect::<Vec<_>>()), Some(PAGE.lines().collect()));
    let shown: Vec<_> = forms.inline.iter().map(|it| (it.content_id.as_str(), it.mime.as_str(), &it.bytes)).collect();
    let sent: Vec<_> =
        letter.forms.inline.iter().map(|it| (it.content_id.as_str(), it.mime.as_str(), &it.bytes)).collect();
    assert_eq!(shown, sent);
    assert!(forms.inline.iter().all(|it| it.disposition.as_deref() == Some("inline")), "{:?}", forms.inline);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_and_what_it_shows_arrive_by_smtp() {
    let mailbox = Mailbox::start().await.unwrap();
    let smtp = post(json!({ "smtp": { "url": mailbox.url(), "from": "Telltale <alarms@example.org>" } }));
    for (letter, types) in [
        (with_page(vec![]), &["multipart/alternative", "text/plain", "text/html"][..]),
        (
            with_page(vec![picture()]),
            &["multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png"][..],
        ),
    ] {
        assert!(is_sent(&smtp.send(&letter).await));
        let mail = mailbox.mails("Alarm: 冷库").pop().unwrap();
        assert_eq!(mail.forms.types, types);
        arrived_whole(&mail.forms, &letter);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_and_what_it_shows_arrive_by_ses() {
    let mut aws = Aws::start().await.unwrap();
    aws.verify_sender("alarms@example.org").await.unwrap();
    let ses = SesSettings { from: "Telltale <alarms@example.org>".to_owned(), configuration_set: None };
    let config = engine_aws::emulated(aws.endpoint()).await;
    let post = Post::new(NotifySettings::default(), Arc::new(ManualClock::new()), Arc::new(SystemResolver)).unwrap();
    let post = post.with_aws(&config, AwsChannels { ses: Some(ses), ..AwsChannels::default() }).unwrap();
    let letter = with_page(vec![picture()]);
    assert!(is_sent(&post.send(&letter).await));
    arrived_whole(&aws.sent().await.unwrap().mails[0].forms, &letter);
}
