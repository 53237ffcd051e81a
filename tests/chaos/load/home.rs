//! What can be put under load.

use std::time::Duration;

use anyhow::Result;
use field::Cooling;
use serde_json::Value;
use telltale_tests::{Cluster, Mailbox, PATIENCE, Server, Session, Size, TableAt, WebhookReceiver};

use super::{
    super::{ACKNOWLEDGED, DELIVERED},
    PASSWORD, settings, slow_settings, told_of_the_platform,
};

const SIZE: Size = Size { brokers: 2, workers: 2, seconds_apart: 0, clocks_jump: false, are_tapped: false };

/// What is under load: one process, or several.
pub(crate) trait Home: Sized {
    /// How large the field is that it can be asked to bear.
    const TERMINALS_PER_NODE: u16 = 20;
    /// How many of its replies are damaged, of all.
    const DAMAGED_REPLIES: f64 = 0.4;
    /// Rooms are warm for some four seconds at a time: there is always one that gets warm as something dies, and one that is.
    const COOLING: Cooling = Cooling { fails: 0.5, lasts: Duration::from_secs(12) };
    /// How long nothing may be heard of what goes on.
    const GOES_ON_WITHIN: Duration = PATIENCE;
    /// Whether nodes that are gone at the end are missed before the books are closed.
    const MISSES_NODES: bool = true;

    async fn start(site: &Value, mailbox: &Mailbox) -> Result<Self>;
    /// Where gateways and browsers come in.
    fn gateways(&self) -> String;
    async fn sign_in(&self, user: &str) -> Result<Session>;
}

impl Home for Server {
    async fn start(site: &Value, mailbox: &Mailbox) -> Result<Self> {
        Self::start(site, &settings(mailbox)).await
    }

    fn gateways(&self) -> String {
        self.url().to_owned()
    }

    async fn sign_in(&self, user: &str) -> Result<Session> {
        self.sign_in(user, PASSWORD).await
    }
}

/// One process whose data lie on a small disk, and the platform's operator.
pub(crate) struct OnSmallDisk(pub Server, pub WebhookReceiver);

/// Large enough for the store's own files, and soon full.
const SMALL_DISK_MB: u32 = 256;

impl Home for OnSmallDisk {
    async fn start(site: &Value, mailbox: &Mailbox) -> Result<Self> {
        let operator = WebhookReceiver::start().await?;
        let settings = format!("{}\n{}", settings(mailbox), told_of_the_platform(&operator));
        Ok(Self(Server::start_on_small_disk(site, &settings, SMALL_DISK_MB).await?, operator))
    }

    fn gateways(&self) -> String {
        self.0.url().to_owned()
    }

    async fn sign_in(&self, user: &str) -> Result<Session> {
        self.0.sign_in(user, PASSWORD).await
    }
}

impl Home for Cluster {
    async fn start(site: &Value, mailbox: &Mailbox) -> Result<Self> {
        Self::start(SIZE, "streams", site, &settings(mailbox)).await
    }

    fn gateways(&self) -> String {
        self.balancer.url().to_owned()
    }

    async fn sign_in(&self, user: &str) -> Result<Session> {
        self.sign_in(user, PASSWORD).await
    }
}

/// Several processes, two of which have clocks that are wrong.
pub(crate) struct ClocksApart(pub Cluster);

/// By how much. What is further in the future than twice this counts as of a clock that was set back.
pub(crate) const SECONDS_APART: u32 = 4;

impl Home for ClocksApart {
    async fn start(site: &Value, mailbox: &Mailbox) -> Result<Self> {
        let processes = Size { seconds_apart: SECONDS_APART, ..SIZE };
        Ok(Self(Cluster::start(processes, "streams", site, &settings(mailbox)).await?))
    }

    fn gateways(&self) -> String {
        self.0.balancer.url().to_owned()
    }

    async fn sign_in(&self, user: &str) -> Result<Session> {
        self.0.sign_in(user, PASSWORD).await
    }
}

/// Several processes, of which brokers and workers can be caught at what they do.
pub(crate) struct Tapped(pub Cluster);

impl Home for Tapped {
    async fn start(site: &Value, mailbox: &Mailbox) -> Result<Self> {
        let processes = Size { are_tapped: true, ..SIZE };
        Ok(Self(Cluster::start(processes, "streams", site, &settings(mailbox)).await?))
    }

    fn gateways(&self) -> String {
        self.0.balancer.url().to_owned()
    }

    async fn sign_in(&self, user: &str) -> Result<Session> {
        self.0.sign_in(user, PASSWORD).await
    }
}

/// Several processes, the clocks of whose workers can be set.
pub(crate) struct ClocksJump(pub Cluster);

impl Home for ClocksJump {
    async fn start(site: &Value, mailbox: &Mailbox) -> Result<Self> {
        let processes = Size { clocks_jump: true, ..SIZE };
        Ok(Self(Cluster::start(processes, "streams", site, &settings(mailbox)).await?))
    }

    fn gateways(&self) -> String {
        self.0.balancer.url().to_owned()
    }

    async fn sign_in(&self, user: &str) -> Result<Session> {
        self.0.sign_in(user, PASSWORD).await
    }
}

/// A home of several processes, of which each may die.
pub(crate) trait Clustered: Home {
    /// What must have happened since the start before something goes wrong.
    const ACKNOWLEDGED: usize = ACKNOWLEDGED;
    const DELIVERED: usize = DELIVERED;
    /// Whether all takes so long that nobody knows at any time what is worked off in its order.
    const IS_SLOW: bool = false;

    fn cluster(&mut self) -> &mut Cluster;
}

impl Clustered for Cluster {
    fn cluster(&mut self) -> &mut Cluster {
        self
    }
}

/// A cluster whose jobs go through apalis-redis.
pub(crate) struct OnApalisRedis(Cluster);

impl Clustered for OnApalisRedis {
    fn cluster(&mut self) -> &mut Cluster {
        &mut self.0
    }
}

impl Home for OnApalisRedis {
    async fn start(site: &Value, mailbox: &Mailbox) -> Result<Self> {
        Ok(Self(Cluster::start(SIZE, "apalis-redis", site, &settings(mailbox)).await?))
    }

    fn gateways(&self) -> String {
        self.0.balancer.url().to_owned()
    }

    async fn sign_in(&self, user: &str) -> Result<Session> {
        self.0.sign_in(user, PASSWORD).await
    }
}

/// A cluster whose table is on DynamoDB, as the emulator of AWS plays it, which does one thing at a time.
pub(crate) struct OnDynamoDb(Cluster);

impl Clustered for OnDynamoDb {
    const ACKNOWLEDGED: usize = 8;
    const DELIVERED: usize = 3;
    const IS_SLOW: bool = true;

    fn cluster(&mut self) -> &mut Cluster {
        &mut self.0
    }
}

impl Home for OnDynamoDb {
    const TERMINALS_PER_NODE: u16 = 2;
    const DAMAGED_REPLIES: f64 = 0.2;
    const COOLING: Cooling = Cooling { fails: 0.5, lasts: Duration::from_secs(36) };
    const GOES_ON_WITHIN: Duration = Duration::from_mins(3);
    const MISSES_NODES: bool = false;

    async fn start(site: &Value, mailbox: &Mailbox) -> Result<Self> {
        Ok(Self(Cluster::start_at(TableAt::DynamoDb, SIZE, "streams", site, &slow_settings(mailbox)).await?))
    }

    fn gateways(&self) -> String {
        self.0.balancer.url().to_owned()
    }

    async fn sign_in(&self, user: &str) -> Result<Session> {
        self.0.sign_in(user, PASSWORD).await
    }
}
