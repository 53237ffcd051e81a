//! A server under load: a virtual field that is asked each second or two and answers badly enough for alarms all the
//! time, and three people who are told: two by webhooks, one by mail.

mod asked;
mod home;

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use field::{Acknowledged, FaultRates, Field, FieldCounters, FieldSettings, TruthSink};
use serde_json::{Value, json};
use telltale_tests::{Delivery, Mail, Mailbox, Session, WebhookReceiver, eventually, eventually_within};
use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::timeout,
};

pub(crate) use self::home::{
    Bears, ClocksApart, ClocksJump, Home, Kind, NODES, OnApalisRedis, OnDynamoDb, OnSmallDisk, SECONDS_APART, Several,
    Tapped, Usual,
};

pub(crate) const PASSWORD: &str = "tests are no secret";

/// Devices are asked as often as their lines allow.
const QUICK: &str = r"
    [schedule]
    window_ms = 1000
    lead_ms = 500
    minimum_interval_ms = 1000
";

/// Devices are asked once in five seconds.
const SLOW: &str = r"
    [schedule]
    window_ms = 5000
    lead_ms = 2500
    minimum_interval_ms = 1000
";

/// An answer without a proof raises an alarm at once, the next good one
/// clears it, and nothing else does. A node is missed that is away for longer than any fault lasts.
const SETTINGS: &str = r#"
    [alarms]
    misses_allowed = 0
    offline_debounce_ms = 15000
    # Each of them is counted.
    flapping_more_than = 0
    [notify.webhook]
    allowed_nets = ["127.0.0.0/8"]
"#;

/// The settings, with where mail goes.
pub(crate) fn settings(mailbox: &Mailbox) -> String {
    at_a_pace(QUICK, mailbox)
}

/// The same, where devices are asked less often.
fn slow_settings(mailbox: &Mailbox) -> String {
    at_a_pace(SLOW, mailbox)
}

fn at_a_pace(schedule: &str, mailbox: &Mailbox) -> String {
    let url = mailbox.url();
    format!("{schedule}{SETTINGS}\n[notify.smtp]\nurl = \"{url}\"\nfrom = \"telltale@example.org\"\n")
}

/// Settings for an operator who soon hears that something is away.
pub(crate) fn told_of_the_platform(operator: &WebhookReceiver) -> String {
    let (url, secret) = (operator.url(), WebhookReceiver::secret());
    format!("[platform]\naway_after_ms = 2000\n[platform.webhook]\nurl = '{url}'\nsecret = '{secret}'\n")
}

/// A home, those it tells, and the field that keeps it busy.
pub(crate) struct Load<H> {
    pub home: H,
    pub people: [Person; 3],
    field: Field,
    acknowledgements: UnboundedReceiver<Acknowledged>,
    acknowledged: Vec<Acknowledged>,
}

/// Somebody who is told.
pub(crate) struct Person {
    pub name: &'static str,
    pub session: Session,
    pub inbox: Inbox,
}

/// How somebody is told.
pub(crate) enum Inbox {
    Webhook(WebhookReceiver),
    Mail(Box<Mailbox>),
}

impl Person {
    /// What their webhooks come to, if they are told so.
    pub(crate) fn webhook(&self) -> Option<&WebhookReceiver> {
        match &self.inbox {
            Inbox::Webhook(receiver) => Some(receiver),
            Inbox::Mail(_) => None,
        }
    }

    /// The webhooks that came to them.
    pub(crate) fn deliveries(&self) -> Vec<Delivery> {
        match &self.inbox {
            Inbox::Webhook(receiver) => receiver.deliveries(""),
            Inbox::Mail(_) => Vec::new(),
        }
    }

    /// The mails that came to them.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        match &self.inbox {
            Inbox::Webhook(_) => Vec::new(),
            Inbox::Mail(mailbox) => mailbox.mails(""),
        }
    }
}

/// What is left when the field is gone.
pub(crate) struct Aftermath<H> {
    pub home: H,
    /// The first is an administrator, who sees everything.
    pub people: [Person; 3],
    pub acknowledged: Vec<Acknowledged>,
    pub field: FieldCounters,
    /// When its gateways began to go: of what was taken just then, silence says nothing.
    pub ended: Instant,
    /// Whether each is missed then.
    pub nodes_are_missed: bool,
}

impl<H: Home> Load<H> {
    pub(crate) async fn start() -> Result<Self> {
        let (webhook_of_root, webhook_of_ann, mailbox_of_ben) =
            tokio::try_join!(WebhookReceiver::start(), WebhookReceiver::start(), Mailbox::start())?;
        let (told, acknowledgements) = unbounded_channel();
        let field = a_field::<H>(TruthSink::Channel(told))?;
        let site = with_people(field::site(&field), &webhook_of_root, &webhook_of_ann);
        let home = H::start(&site, &mailbox_of_ben).await?;
        let person = async |name, inbox| anyhow::Ok(Person { name, session: home.sign_in(name).await?, inbox });
        let people = [
            person("root", Inbox::Webhook(webhook_of_root)).await?,
            person("ann", Inbox::Webhook(webhook_of_ann)).await?,
            person("ben", Inbox::Mail(Box::new(mailbox_of_ben))).await?,
        ];
        let field = Field::start(FieldSettings { server: home.gateways().parse()?, ..field })?;
        // Whoever was never there is not missed.
        until_all_are_there::<H>(&field).await;
        Ok(Self { home, people, field, acknowledgements, acknowledged: Vec::new() })
    }

    /// Waits until so many results are acknowledged from now on.
    pub(crate) async fn until_acknowledged(&mut self, more: usize) -> Result<()> {
        while let Ok(acknowledged) = self.acknowledgements.try_recv() {
            self.acknowledged.push(acknowledged);
        }
        for _ in 0..more {
            let next = timeout(H::BEARS.goes_on_within, self.acknowledgements.recv()).await;
            self.acknowledged.push(next.context("nothing is acknowledged any more")?.context("the field ended")?);
        }
        Ok(())
    }

    /// Waits until so many webhooks came from now on.
    pub(crate) async fn until_delivered(&self, more: usize) {
        let wanted = self.delivered() + more;
        let came = async || (self.delivered() >= wanted).then_some(());
        eventually_within(H::BEARS.goes_on_within, "more webhooks", came).await;
    }

    /// Waits until some post was refused from now on, and is tried again.
    pub(crate) async fn until_refused(&self) {
        let before = self.field.counters().posts_retried;
        eventually("a post is refused", async || (self.field.counters().posts_retried > before).then_some(())).await;
    }

    fn delivered(&self) -> usize {
        self.people.iter().map(|person| person.deliveries().len()).sum()
    }

    /// Ends the field, and gives what it knows to be acknowledged.
    pub(crate) async fn end(mut self) -> Aftermath<H> {
        if !H::BEARS.is_slow {
            // Who was on the way back after the last death is missed since then, and not since the end.
            until_all_are_there::<H>(&self.field).await;
        }
        let ended = Instant::now();
        let field = self.field.stop().await;
        while let Some(acknowledged) = self.acknowledgements.recv().await {
            self.acknowledged.push(acknowledged);
        }
        Aftermath {
            home: self.home,
            people: self.people,
            acknowledged: self.acknowledged,
            field,
            ended,
            nodes_are_missed: !H::BEARS.is_slow,
        }
    }
}

async fn until_all_are_there<H: Home>(field: &Field) {
    let are_there = || field.counters().nodes_registered >= u64::from(H::BEARS.nodes);
    eventually("its nodes are there", async || are_there().then_some(())).await;
}

/// Nodes of terminals with one sensor each; with several terminals, one has a UPS. The server is named later, when it is there.
fn a_field<H: Home>(truth: TruthSink) -> Result<FieldSettings> {
    Ok(FieldSettings {
        nodes: H::BEARS.nodes,
        terminals_per_node: H::BEARS.terminals_per_node,
        devices_per_terminal: 1,
        faults: FaultRates { damaged_replies: H::BEARS.damaged_replies, ..FaultRates::default() },
        cooling: H::BEARS.cooling,
        ready_delay: Duration::from_millis(50),
        answer_time: Duration::from_millis(20),
        truth: Some(truth),
        ..FieldSettings::new("http://127.0.0.1".parse()?)
    })
}

/// Root is told of everything, Ann and Ben of every other terminal.
fn with_people(mut site: Value, webhook_of_root: &WebhookReceiver, webhook_of_ann: &WebhookReceiver) -> Value {
    let of_ann: Vec<Value> = site["terminals"]
        .as_array()
        .into_iter()
        .flatten()
        .step_by(2)
        .map(|terminal| terminal["DevMac"].clone())
        .collect();
    // One instruction is asked more often than several.
    for protocol in site["protocols"].as_array_mut().into_iter().flatten() {
        protocol["instruct"].as_array_mut().into_iter().for_each(|instructions| instructions.truncate(1));
    }
    let hook = |receiver: &WebhookReceiver| json!({ "url": receiver.url(), "secret": WebhookReceiver::secret() });
    site["users"] = json!([
        { "user": "root", "name": "Root", "passwd": PASSWORD, "userGroup": "admin", "webhook": hook(webhook_of_root) },
        {
            "user": "ann", "name": "Ann", "passwd": PASSWORD, "userGroup": "user", "webhook": hook(webhook_of_ann),
            "terminals": of_ann,
        },
        {
            "user": "ben", "name": "Ben", "passwd": PASSWORD, "userGroup": "user", "mail": "ben@example.org",
            "terminals": of_ann,
        },
    ]);
    site
}

/// All items of a list of the API, which gives them a page at a time.
pub(crate) async fn all(session: &Session, path: &str) -> Result<Vec<Value>> {
    let mut items = Vec::new();
    let mut page = session.get(&format!("{path}?limit=200")).await?;
    loop {
        items.extend(page["items"].as_array().context("a list has items")?.iter().cloned());
        let Some(next) = page["next"].as_str() else { return Ok(items) };
        page = session.get(&format!("{path}?limit=200&after={next}")).await?;
    }
}

/// How long what was acknowledged may take to be told: the emulator of AWS does one thing at a time, and an alarm asks it for a
/// hundred; and a job that died with this and that nine times waits for up to five minutes.
const TOLD_WITHIN: Duration = Duration::from_mins(7);

/// Looks again and again until what is seen is complete; when that takes too long, gives what is seen then. Where it cannot look
/// while much is going on, it looks again.
pub(crate) async fn look_until<T>(
    mut look: impl AsyncFnMut() -> Result<T>,
    complete: impl Fn(&T) -> bool,
) -> Result<T> {
    let end = tokio::time::Instant::now() + TOLD_WITHIN;
    let mut looks = tokio::time::interval(Duration::from_millis(500));
    loop {
        looks.tick().await;
        let seen = look().await;
        if tokio::time::Instant::now() > end || seen.as_ref().is_ok_and(&complete) {
            return seen;
        }
    }
}
