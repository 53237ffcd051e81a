mod brake;
mod queues;
mod sent;

use std::{collections::HashMap, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use domain::Source;
use jobs::ports::{Link, NodeCommand, Operation, Order};
use link::{AwsInbox, AwsLink, AwsLinkSettings};
use queue::SqsQueue;
use records::Clock;
use serde_json::{Value, json};
use table::DynamoDbTable;

pub use self::{
    brake::Brake,
    queues::{Received, Taken},
    sent::{Published, Sent, SesMail, Sms},
};
use super::{Player, of};
use crate::{AT_ONCE, AwsBroker, LambdaHost, LoadedDice, Proxy};

/// Waits are short.
const LOW: LoadedDice = LoadedDice(1);

/// What brokers' inboxes begin with where the stack is called `telltale`.
const INBOX_PREFIX: &str = "telltale-inbox-";

/// The queue of each job that has one.
pub const QUEUES: [(&str, &str); 5] = [
    ("dispatch_queries", "DispatchQueriesQueue"),
    ("process_results", "ProcessResultsQueue"),
    ("evaluate_alarms", "EvaluateAlarmsQueue"),
    ("fan_out", "FanOutQueue"),
    ("deliver_notice", "DeliverNoticeQueue"),
];

/// AWS, as moto plays it: the table and the queues of `template.yaml`, and no account.
#[derive(Debug)]
pub struct Aws {
    player: Player,
    endpoint: String,
    /// What programs reach it through, if it is not reached straight.
    door: Option<Proxy>,
    resources: Value,
    functions: Value,
    /// What the broker's container is told.
    broker: Value,
    /// How long each function may take, in seconds, by its binary.
    timeouts: Value,
    /// How many transactions were to hang so far.
    holds: usize,
}

impl Aws {
    /// Starts one of its own, with nothing in the table and the queues.
    pub async fn start() -> Result<Self> {
        let mut player = Player::python("moto_locked", &json!({}))?;
        let endpoint = format!("http://127.0.0.1:{}", player.port().await?);
        player.order("create", json!({ "template": include_str!("../../../template.yaml") })).await?;
        let resources =
            player.until("done with the template", |reports| of(reports, "created").next().cloned()).await?;
        let functions =
            player.until("done with the functions", |reports| of(reports, "functions").next().cloned()).await?;
        let broker = player.until("done with the broker", |reports| of(reports, "broker").next().cloned()).await?;
        let timeouts =
            player.until("done with the timeouts", |reports| of(reports, "timeouts").next().cloned()).await?;
        Ok(Self { player, endpoint, door: None, resources, functions, broker, timeouts, holds: 0 })
    }

    /// The same, but functions and brokers reach it through a proxy, whose connections are theirs alone.
    pub async fn start_behind_a_door() -> Result<Self> {
        let aws = Self::start().await?;
        let server = aws.endpoint.trim_start_matches("http://").to_owned();
        Ok(Self { door: Some(Proxy::start(vec![server]).await?), ..aws })
    }

    /// Where it listens.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// What functions and brokers reach it through, if it has such a thing.
    pub fn door(&self) -> Option<&Proxy> {
        self.door.as_ref()
    }

    /// What stops it, and lets it go on.
    pub fn brake(&self) -> Result<Brake> {
        Brake::of(self.player.pid())
    }

    /// The template's table.
    pub async fn table(&self, clock: Arc<dyn Clock>) -> Result<DynamoDbTable> {
        let config = engine_aws::emulated(&self.endpoint).await;
        Ok(DynamoDbTable::new(&config, self.resource("Table")?, clock, Arc::new(LOW)))
    }

    /// The template's queues.
    pub async fn queues(&self, clock: Arc<dyn Clock>) -> Result<SqsQueue> {
        let config = engine_aws::emulated(&self.endpoint).await;
        let urls = QUEUES.map(|(job, queue)| Ok((job.to_owned(), self.resource(queue)?.to_owned())));
        let urls = urls.into_iter().collect::<Result<HashMap<_, _>>>()?;
        Ok(SqsQueue::new(&config, urls, clock, Arc::new(LOW)))
    }

    /// Starts the program of a function, wired as the template wires it, with `more` in its environment.
    pub async fn function(&self, name: &str, more: &[(&str, &str)]) -> Result<LambdaHost> {
        let told = told(&self.functions[name]).with_context(|| format!("template.yaml has no function {name}"))?;
        let at_once = AT_ONCE.into_iter().filter(|_| name == "fan_out");
        let variables: Vec<(&str, &str)> =
            told.chain(self.here(name)).chain(at_once).chain(more.iter().copied()).collect();
        let timeout = self.timeouts[name].as_u64().context("template.yaml says how long a function may take")?;
        LambdaHost::start(name, &variables, Duration::from_secs(timeout)).await
    }

    /// Starts a broker, wired as the template wires it, but that the dead are found soon.
    pub async fn broker(&self) -> Result<AwsBroker> {
        self.broker_told(&[]).await
    }

    /// The same, with `more` in its environment.
    pub async fn broker_told(&self, more: &[(&str, &str)]) -> Result<AwsBroker> {
        let soon = [("TELLTALE_DEAD_AFTER_MS", "2000")];
        let here = told(&self.broker)?.chain(self.here("broker"));
        let variables: Vec<(&str, &str)> = here.chain(soon).chain(more.iter().copied()).collect();
        AwsBroker::start(&variables).await
    }

    /// Whether a broker of that name has its inbox.
    pub async fn has_inbox(&self, broker: &str) -> Result<bool> {
        let link = AwsLink::new(&engine_aws::emulated(&self.endpoint).await, self.link_settings()?);
        let (node, id) = ("n1".to_owned(), "probe".to_owned());
        let probe = Operation { id, about: Source::Node(node.clone()), node, order: Order::Restart, until: None };
        Ok(link.command(broker, NodeCommand::Operate(probe)).await.is_ok())
    }

    fn link_settings(&self) -> Result<AwsLinkSettings> {
        let (inbox_prefix, topic) = (INBOX_PREFIX.to_owned(), self.resource("BrowserTopic")?.to_owned());
        Ok(AwsLinkSettings { inbox_prefix, topic })
    }

    /// What a program of ours is told by its environment that no role of the template binds, and that finds DynamoDB at `endpoint`.
    pub fn variables_at(endpoint: &str) -> Vec<(String, String)> {
        [
            ("AWS_ENDPOINT_URL_DYNAMODB", endpoint),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "whoever"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    /// Makes a table more, of these properties as a template would have them.
    pub async fn create_table(&mut self, name: &str, properties: &Value) -> Result<()> {
        self.player.order_done("create_table", json!({ "name": name, "properties": properties })).await
    }

    /// What the SDK is told by the environment: where AWS is, and who asks, whose rights count then.
    fn here<'a>(&'a self, who: &'a str) -> [(&'a str, &'a str); 4] {
        [
            ("AWS_ENDPOINT_URL", self.door().map_or(self.endpoint(), Proxy::url)),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", who),
            ("AWS_SECRET_ACCESS_KEY", "test"),
        ]
    }

    /// The link to the brokers of the template, and the inbox of one of them.
    pub async fn link(&self, broker: &str) -> Result<(AwsLink, AwsInbox)> {
        let config = engine_aws::emulated(&self.endpoint).await;
        let settings = self.link_settings()?;
        let inbox = AwsInbox::open(&config, &settings, broker).await?;
        Ok((AwsLink::new(&config, settings), inbox))
    }

    /// A resource of the template: the table's name, a queue's URL, a topic's ARN.
    pub fn resource(&self, name: &str) -> Result<&str> {
        self.resources[name].as_str().with_context(|| format!("template.yaml has no {name}"))
    }

    /// The next calls are answered as AWS does when it has too much to do.
    pub async fn be_busy(&mut self, times: u32) -> Result<()> {
        self.player.order_done("be_busy", json!({ "times": times })).await
    }

    /// The next writes to DynamoDB are done, and answered as if something had failed.
    pub async fn lose_answers(&mut self, times: u32) -> Result<()> {
        self.player.order_done("lose_answers", json!({ "times": times })).await
    }

    /// The next write to a partition whose name begins so hangs, alone or in a transaction, and is done once
    /// [`Aws::let_go`] is called.
    pub async fn hold(&mut self, partition: &str) -> Result<()> {
        self.holds += 1;
        self.player.order_done("hold", json!({ "partition": partition })).await
    }

    /// Waits until the write hangs that is to. Goes on beside whatever is done with this.
    pub fn until_held(&self) -> impl Future<Output = Result<()>> + use<> {
        self.player.until_reports("held", self.holds)
    }

    /// Does what hangs.
    pub async fn let_go(&mut self) -> Result<()> {
        self.player.order_done("let_go", json!({})).await
    }
}

/// What the template sets in an environment: names and values.
fn told(variables: &Value) -> Result<impl Iterator<Item = (&str, &str)>> {
    let variables = variables.as_object().context("template.yaml tells nothing")?;
    Ok(variables.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))))
}
