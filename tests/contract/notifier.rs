//! The notifier's suite: a letter that is said to be sent was delivered, once and whole; one that was not says whether to
//! try again.

mod pages;
mod services;

use std::{future, sync::Arc};

use domain::alarm::Severity;
use futures::{FutureExt, future::BoxFuture};
use jobs::ports::{Address, Delivery, Forms, Letter, Notifier};
use notify::{
    AwsChannels, NotifySettings, Post, SesSettings, SmsSettings, SystemResolver, TopicSettings,
    recording::RecordingNotifier,
};
use serde_json::json;
use telltale_tests::{Aws, Mailbox, ManualClock, Sent, WebhookReceiver};
use tokio::sync::Mutex;

suite!(async [
    email, webhook, ses, sms, topic, aliyun_sms, wechat, dingtalk, feishu, slack, telegram
]; [
    a_letter_that_is_sent_is_delivered_once_and_whole,
    the_same_letter_again_has_the_same_name,
    every_letter_says_what_became_of_it,
    an_address_where_nobody_listens_is_tried_later,
]);
suite!([recording]; [
    a_letter_that_is_sent_is_delivered_once_and_whole,
    the_same_letter_again_has_the_same_name,
    every_letter_says_what_became_of_it,
    an_address_where_nobody_listens_is_tried_later,
]);

/// A notifier, the address of somebody, and what they have got: the ids and texts of their letters.
pub(super) struct Fixture {
    notifier: Arc<dyn Notifier>,
    address: Address,
    received: Box<dyn Fn() -> BoxFuture<'static, Vec<IdAndText>> + Send + Sync>,
    /// The same channel with nobody at its end.
    nobody: (Arc<dyn Notifier>, Address),
}

type IdAndText = (String, String);

/// Nothing listens there.
const NOWHERE: &str = "127.0.0.1:9";

impl Fixture {
    fn recording() -> Self {
        let notifier = Arc::new(RecordingNotifier::new());
        let away = Arc::new(RecordingNotifier::new());
        away.fail_next(1, &Delivery::TryLater { after: None, why: "nobody listens".to_owned() });
        let kept = Arc::clone(&notifier);
        let address = Address::Email { to: "ann@example.org".to_owned() };
        let received = move || {
            let letters = kept.sent().into_iter().map(|letter| (letter.id, letter.text)).collect();
            future::ready(letters).boxed()
        };
        Self { notifier, address: address.clone(), received: Box::new(received), nobody: (away, address) }
    }

    async fn email() -> Self {
        let mailbox = Mailbox::start().await.unwrap();
        let address = Address::Email { to: "ann@example.org".to_owned() };
        let smtp = |url: &str| post(json!({ "smtp": { "url": url, "from": "Telltale <alarms@example.org>" } }));
        let (notifier, away) = (smtp(&mailbox.url()), smtp(&format!("smtp://{NOWHERE}")));
        let received = move || {
            let mails = mailbox.mails("").into_iter().map(|mail| (id_of(&mail.message_id), mail.forms.text)).collect();
            future::ready(mails).boxed()
        };
        Self { notifier, address: address.clone(), received: Box::new(received), nobody: (away, address) }
    }

    async fn webhook() -> Self {
        let listener = WebhookReceiver::start().await.unwrap();
        let hook = |url: String| Address::Webhook { url, secret: WebhookReceiver::secret(), retired: None };
        let notifier = post(json!({ "webhook": { "allowed_nets": ["127.0.0.0/8"] } }));
        let (address, nowhere) = (hook(listener.url()), hook(format!("http://{NOWHERE}/hook")));
        let received = move || {
            let deliveries = listener.deliveries("").into_iter().filter(|delivery| delivery.genuine);
            let got = deliveries.map(|got| (got.id, got.body["data"]["text"].as_str().unwrap_or_default().to_owned()));
            future::ready(got.collect()).boxed()
        };
        let nobody = (Arc::clone(&notifier), nowhere);
        Self { notifier, address, received: Box::new(received), nobody }
    }

    async fn ses() -> Self {
        let mut aws = Aws::start().await.unwrap();
        aws.verify_sender("alarms@example.org").await.unwrap();
        let ses = SesSettings { from: "Telltale <alarms@example.org>".to_owned(), configuration_set: None };
        let channels = AwsChannels { ses: Some(ses), ..AwsChannels::default() };
        let address = Address::Email { to: "ann@example.org".to_owned() };
        let read = |sent: Sent| sent.mails.into_iter().map(|mail| (id_of(&mail.message_id), mail.forms.text)).collect();
        Self::on_aws(aws, &channels, address, read).await
    }

    async fn sms() -> Self {
        let sms = SmsSettings { enabled: true, sender_id: Some("Telltale".to_owned()) };
        let channels = AwsChannels { sms: Some(sms), ..AwsChannels::default() };
        let address = Address::Sms { to: "+8613800138000".to_owned() };
        // A text message has no place for its letter's name but the text.
        let read = |sent: Sent| sent.sms.into_iter().map(|sms| named_by_text(&sms.text)).collect();
        Self::on_aws(Aws::start().await.unwrap(), &channels, address, read).await
    }

    async fn topic() -> Self {
        let aws = Aws::start().await.unwrap();
        let topic = |name| aws.resource(name).unwrap().to_owned();
        let topics = TopicSettings {
            critical: topic("CriticalAlarmTopic"),
            warning: topic("WarningAlarmTopic"),
            info: topic("InfoAlarmTopic"),
        };
        let channels = AwsChannels { topics: Some(topics), ..AwsChannels::default() };
        let address = Address::Topic { severity: Severity::Warning };
        let read = |sent: Sent| {
            let told = sent.published.into_iter().filter(|told| told.topic == "WarningAlarmTopic");
            told.map(|told| (told.attributes["notice"].clone(), named_by_text(&told.message).1)).collect()
        };
        Self::on_aws(aws, &channels, address, read).await
    }

    async fn on_aws(
        aws: Aws,
        channels: &AwsChannels,
        address: Address,
        read: fn(Sent) -> Vec<(String, String)>,
    ) -> Self {
        let on = async |endpoint: &str| {
            let config = engine_aws::emulated(endpoint).await;
            let post = Post::new(NotifySettings::default(), Arc::new(ManualClock::new()), Arc::new(SystemResolver));
            Arc::new(post.unwrap().with_aws(&config, channels.clone()).unwrap()) as Arc<dyn Notifier>
        };
        let (notifier, away) = (on(aws.endpoint()).await, on(&format!("http://{NOWHERE}")).await);
        let aws = Arc::new(Mutex::new(aws));
        let received = move || {
            let aws = Arc::clone(&aws);
            async move { read(aws.lock().await.sent().await.unwrap()) }.boxed()
        };
        Self { notifier, address: address.clone(), received: Box::new(received), nobody: (away, address) }
    }

    fn letter(&self, id: &str) -> Letter {
        letter(id, self.address.clone())
    }
}

fn post(settings: serde_json::Value) -> Arc<dyn Notifier> {
    let settings: NotifySettings = serde_json::from_value(settings).unwrap();
    Arc::new(Post::new(settings, Arc::new(ManualClock::new()), Arc::new(SystemResolver)).unwrap())
}

/// What a letter's text says of its name, and the line that does.
fn named_by_text(text: &str) -> (String, String) {
    let line = text.lines().find(|line| line.ends_with('℃')).unwrap_or_default();
    (line.split(':').next().unwrap_or_default().to_owned(), line.to_owned())
}

/// The letter that a `Message-ID` names.
fn id_of(message_id: &str) -> String {
    message_id.trim_start_matches('<').split('@').next().unwrap_or_default().to_owned()
}

fn letter(id: &str, address: Address) -> Letter {
    let text = format!("{id}: 冷库 25.3 ℃\n");
    let data = json!({ "subject": "Alarm: 冷库", "text": text });
    Letter { id: id.to_owned(), address, subject: "Alarm: 冷库".to_owned(), text, data, forms: Forms::default() }
}

fn is_sent(delivery: &Delivery) -> bool {
    matches!(delivery, Delivery::Sent(_))
}

async fn a_letter_that_is_sent_is_delivered_once_and_whole(fixture: Fixture) {
    let letter = fixture.letter("n1");
    assert!(is_sent(&fixture.notifier.send(&letter).await));
    let received = (fixture.received)().await;
    assert_eq!(received.len(), 1);
    assert_eq!((received[0].0.as_str(), received[0].1.trim()), ("n1", letter.text.trim()));
}

async fn the_same_letter_again_has_the_same_name(fixture: Fixture) {
    for _ in 0..2 {
        assert!(is_sent(&fixture.notifier.send(&fixture.letter("n1")).await));
    }
    let names: Vec<String> = (fixture.received)().await.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["n1", "n1"]);
}

async fn every_letter_says_what_became_of_it(fixture: Fixture) {
    for number in 0..20 {
        let name = format!("n{number}");
        assert!(is_sent(&fixture.notifier.send(&fixture.letter(&name)).await), "{name}");
        assert_eq!((fixture.received)().await.last().map(|(name, _)| name.clone()), Some(name));
    }
}

async fn an_address_where_nobody_listens_is_tried_later(fixture: Fixture) {
    let (notifier, address) = &fixture.nobody;
    let delivery = notifier.send(&letter("n1", address.clone())).await;
    assert!(matches!(delivery, Delivery::TryLater { .. }), "{delivery:?}");
    assert_eq!((fixture.received)().await, []);
}
