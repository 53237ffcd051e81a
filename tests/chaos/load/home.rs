//! What can be put under load.

use std::{marker::PhantomData, time::Duration};

use anyhow::Result;
use field::Cooling;
use serde_json::Value;
use telltale_tests::{Cluster, Mailbox, PATIENCE, Server, Session, Size, TableAt, WebhookReceiver};

use super::{
    super::{ACKNOWLEDGED, DELIVERED},
    PASSWORD, settings, slow_settings, told_of_the_platform,
};

/// How many gateways the field has where much can be borne.
pub(crate) const NODES: u16 = 6;

/// What a home can be asked to bear.
pub(crate) struct Bears {
    /// How many gateways the field has, and how large they are.
    pub nodes: u16,
    pub terminals_per_node: u16,
    /// How many of its replies are damaged, of all.
    pub damaged_replies: f64,
    /// How its rooms get warm.
    pub cooling: Cooling,
    /// What must have happened since the start before something goes wrong.
    pub acknowledged: usize,
    pub delivered: usize,
    /// How long nothing may be heard of what goes on.
    pub goes_on_within: Duration,
    /// Whether all takes so long that nobody knows at any time what is worked off in its order, and a node that is back seems to be away.
    pub is_slow: bool,
}

impl Bears {
    pub(crate) const MUCH: Self = Self {
        nodes: NODES,
        terminals_per_node: 20,
        damaged_replies: 0.4,
        // Warm for some four seconds at a time: there is always a room that gets warm as something dies, and one that is.
        cooling: Cooling { fails: 0.5, lasts: Duration::from_secs(12) },
        acknowledged: ACKNOWLEDGED,
        delivered: DELIVERED,
        goes_on_within: PATIENCE,
        is_slow: false,
    };

    /// What the emulator of AWS bears, which does one thing at a time, with a third of a core: what takes longer than its lease is given
    /// again, and once all of that is more than is done meanwhile, nothing is done any more.
    pub(crate) const LITTLE: Self = Self {
        nodes: 2,
        terminals_per_node: 2,
        damaged_replies: 0.05,
        // Each is asked once in five seconds, so at least twice while it is warm.
        cooling: Cooling { fails: 0.25, lasts: Duration::from_secs(36) },
        acknowledged: 6,
        delivered: 2,
        goes_on_within: Duration::from_mins(3),
        is_slow: true,
    };
}

/// What is under load: one process, or several.
pub(crate) trait Home: Sized {
    const BEARS: Bears = Bears::MUCH;

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

/// Several processes, of which each may die.
pub(crate) struct Several<K> {
    pub cluster: Cluster,
    kind: PhantomData<K>,
}

/// How several processes are set up.
pub(crate) trait Kind {
    const BEARS: Bears = Bears::MUCH;
    const SIZE: Size = Size { brokers: 2, workers: 2, seconds_apart: 0, clocks_jump: false, are_tapped: false };
    const QUEUE: &str = "streams";
    const TABLE: TableAt = TableAt::Owner;
}

impl<K: Kind> Home for Several<K> {
    const BEARS: Bears = K::BEARS;

    async fn start(site: &Value, mailbox: &Mailbox) -> Result<Self> {
        let settings = if K::BEARS.is_slow { slow_settings(mailbox) } else { settings(mailbox) };
        let cluster = Cluster::start_at(K::TABLE, K::SIZE, K::QUEUE, site, &settings).await?;
        Ok(Self { cluster, kind: PhantomData })
    }

    fn gateways(&self) -> String {
        self.cluster.balancer.url().to_owned()
    }

    async fn sign_in(&self, user: &str) -> Result<Session> {
        self.cluster.sign_in(user, PASSWORD).await
    }
}

/// As they are deployed.
pub(crate) enum Usual {}

impl Kind for Usual {}

/// Two of them have clocks that are wrong.
pub(crate) enum ClocksApart {}

/// By how much. What is further in the future than twice this counts as of a clock that was set back.
pub(crate) const SECONDS_APART: u32 = 4;

impl Kind for ClocksApart {
    const SIZE: Size = Size { seconds_apart: SECONDS_APART, ..Usual::SIZE };
}

/// Brokers and workers can be caught at what they do.
pub(crate) enum Tapped {}

impl Kind for Tapped {
    const SIZE: Size = Size { are_tapped: true, ..Usual::SIZE };
}

/// The clocks of the workers can be set.
pub(crate) enum ClocksJump {}

impl Kind for ClocksJump {
    const SIZE: Size = Size { clocks_jump: true, ..Usual::SIZE };
}

/// Their jobs go through apalis-redis.
pub(crate) enum OnApalisRedis {}

impl Kind for OnApalisRedis {
    const QUEUE: &str = "apalis-redis";
}

/// Their table is on DynamoDB.
pub(crate) enum OnDynamoDb {}

impl Kind for OnDynamoDb {
    const BEARS: Bears = Bears::LITTLE;
    const TABLE: TableAt = TableAt::DynamoDb;
}
