//! What tests across crates stand on: a server of their own, and the outside world it serves.

mod apart;
mod api_gateway;
mod at_once;
mod aws_broker;
mod clock;
mod cluster;
mod context;
mod dice;
mod environment;
mod eventually;
pub mod flow;
pub mod lambda_events;
mod lambda_host;
mod players;
mod process;
mod proxy;
mod refusal;
mod server;
mod session;
mod small_disk;
mod tap;
mod template;
mod webhook;

use std::time::Duration;

pub use apart::Apart;
pub use api_gateway::ApiGateway;
pub use at_once::{AT_ONCE, told_at_once};
pub use aws_broker::AwsBroker;
pub use clock::ManualClock;
pub use cluster::{Caught, Cluster, DynamoDb, Member, Size, TableAt};
pub use context::context;
pub use dice::LoadedDice;
pub use environment::{promtool, telltale_command, told};
pub use eventually::{eventually, eventually_within};
pub use lambda_host::{Invoked, LambdaHost};
pub use players::{
    Aws, Brake, Browser, Dtu, Gateway, GatewaySettings, Habits, LiveClient, Mail, MailForms, MailInline, Mailbox,
    Pipeline, Posted, Published, QUEUES, Received, RedisServer, Sent, Services, SesMail, Slave, Sms, Socket, Taken,
    Ups, Variant, Verified, Verifier, dynamodb_local, dynamodb_on_aws,
};
pub use proxy::Proxy;
pub use refusal::{refusal, refusal_of, starts};
pub use server::{Server, http_client};
pub use session::Session;
pub use tap::{Effect, Moment, Ways};
pub use template::translated_template;
pub use webhook::{Delivery, WebhookReceiver};

/// How long a test waits for what must happen. Far longer than it takes: a slow machine is no failure.
pub const PATIENCE: Duration = Duration::from_mins(1);
