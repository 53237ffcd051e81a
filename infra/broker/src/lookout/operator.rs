//! The operator of the platform, who is told by a webhook of their own: by this process itself, and by nothing that may be away.

use std::{sync::Arc, time::Duration};

use domain::Timestamp;
use jobs::ports::{Address, Delivery, Forms, Letter, Notifier};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep},
};

use super::{
    Outage, PlatformWebhook,
    words::{self, Words},
};

/// How long to wait before a letter is sent again, at first and at most, and for how long it is tried.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
const PATIENCE: Duration = Duration::from_hours(10);

/// Tells the operator one letter after the other.
#[derive(Clone)]
pub struct Operator {
    letters: Option<mpsc::UnboundedSender<Waiting>>,
}

struct Waiting {
    words: Words,
    _told: oneshot::Sender<()>,
}

impl Operator {
    /// The operator at `webhook`; nobody where there is none. What is still to be told when the process ends is not.
    pub fn at(webhook: Option<&PlatformWebhook>, notifier: Arc<dyn Notifier>) -> Self {
        let letters = webhook.map(|webhook| {
            let (letters, waiting) = mpsc::unbounded_channel();
            let PlatformWebhook { url, secret } = webhook.clone();
            tokio::spawn(send(waiting, Address::Webhook { url, secret, retired: None }, notifier));
            letters
        });
        Self { letters }
    }

    /// Tells that something is away, or is back since an instant. The end is when that was taken, or refused for good.
    pub fn tell(&self, outage: &Outage, back_at: Option<Timestamp>) -> impl Future<Output = ()> + Send + use<> {
        let (told, end) = oneshot::channel::<()>();
        let words = words::letter(outage, back_at);
        let _ = self.letters.as_ref().map(|letters| letters.send(Waiting { words, _told: told }));
        async move {
            // Nothing is ever said: the sender is dropped.
            let _ = end.await;
        }
    }
}

async fn send(mut waiting: mpsc::UnboundedReceiver<Waiting>, address: Address, notifier: Arc<dyn Notifier>) {
    while let Some(next) = waiting.recv().await {
        let Words { id, subject, text, data } = next.words;
        let letter = Letter { id, address: address.clone(), subject, text, data, forms: Forms::default() };
        let (began, mut pause) = (Instant::now(), FIRST_PAUSE);
        loop {
            match notifier.send(&letter).await {
                Delivery::Sent(_) => break tracing::info!(letter.id, letter.subject, "the operator was told"),
                Delivery::TryLater { after, why } if began.elapsed() < PATIENCE => {
                    tracing::warn!(letter.id, letter.subject, why, "the operator could not be told, and will be");
                    sleep(after.unwrap_or(pause).min(LONGEST_PAUSE)).await;
                    pause = (2 * pause).min(LONGEST_PAUSE);
                }
                Delivery::TryLater { why, .. } | Delivery::Refused { why } => {
                    break tracing::error!(letter.id, letter.subject, why, "the operator cannot be told");
                }
            }
        }
    }
}
