use domain::Timestamp;
use jobs::ports::Forms;
use serde_json::Value;

use super::*;
use crate::guard::SystemResolver;
use crate::receiver::Receiver;
use crate::webhook::WebhookSettings;

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp(43_200_000)
    }
}

async fn send(allowed_nets: &[&str], address: Address) -> Delivery {
    let allowed_nets = allowed_nets.iter().map(|net| net.parse().unwrap()).collect();
    let settings = NotifySettings { webhook: WebhookSettings { allowed_nets }, ..NotifySettings::default() };
    let post = Post::new(settings, Arc::new(Noon), Arc::new(SystemResolver)).unwrap();
    let (subject, text) = ("s".to_owned(), "t".to_owned());
    post.send(&Letter { id: "n1".to_owned(), address, subject, text, data: Value::Null, forms: Forms::default() }).await
}

fn hook(port: u16) -> Address {
    Address::Webhook { url: format!("http://localhost:{port}/"), secret: "whsec_AAAA".to_owned(), retired: None }
}

#[tokio::test]
async fn a_mail_without_a_server_is_refused_and_says_what_to_configure() {
    let delivery = send(&[], Address::Email { to: "ann@example.org".to_owned() }).await;
    assert_eq!(
        delivery,
        Delivery::Refused { why: "no server that takes mail is configured (notify.smtp.url)".to_owned() }
    );
}

#[tokio::test]
async fn a_webhook_reaches_a_network_that_the_operator_opened() {
    let receiver = Receiver::answering("200 OK", "").await;
    let delivery = send(&["127.0.0.0/8", "::1/128"], hook(receiver.port)).await;
    assert!(matches!(delivery, Delivery::Sent(_)), "{delivery:?}");
    assert!(receiver.requests()[0].contains("webhook-timestamp: 43200\r\n"));
}

#[tokio::test]
async fn a_heartbeat_is_posted_without_a_signature_and_one_that_is_refused_is_no_end() {
    let beat = |port: u16| Address::Heartbeat { url: format!("http://localhost:{port}/beat") };
    let receiver = Receiver::answering("200 OK", "").await;
    let delivery = send(&["127.0.0.0/8", "::1/128"], beat(receiver.port)).await;
    assert!(matches!(delivery, Delivery::Sent(_)), "{delivery:?}");
    let request = receiver.requests().remove(0);
    assert!(request.starts_with("POST /beat ") && !request.contains("webhook-signature"), "{request}");
    let receiver = Receiver::answering("404 Not Found", "no such check").await;
    let delivery = send(&["127.0.0.0/8", "::1/128"], beat(receiver.port)).await;
    assert!(matches!(delivery, Delivery::TryLater { .. }), "{delivery:?}");
    assert!(matches!(send(&[], beat(receiver.port)).await, Delivery::TryLater { .. }), "nor is our own network");
    assert_eq!(receiver.requests().len(), 1);
}

#[tokio::test]
async fn a_webhook_reaches_no_other_internal_network() {
    let receiver = Receiver::answering("200 OK", "").await;
    let delivery = send(&["10.0.0.0/8"], hook(receiver.port)).await;
    let Delivery::Refused { why } = delivery else { panic!("{delivery:?}") };
    assert!(why.contains("notify.webhook.allowed_nets"), "{why}");
    assert!(receiver.requests().is_empty());
}
