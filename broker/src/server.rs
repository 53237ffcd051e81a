//! The broker's parts, started in order, and ended without loss.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context as _, ensure};
use boot::{SystemClock, SystemDice};
use broker::{
    BrokerParts, Forgetful, LookoutParts, Looks, Member, MemberParts, Operator, WatchedQueue, part_of_member,
};
use engine_http::Tokens;
use futures::FutureExt;
use jobs::ports::{Clock, Dice, Table};
use link::{AwsInbox, AwsInboxes, AwsLink};
use queue::SqsQueue;
use records::meeting_point::{self, ON_AWS, PLACE};
use table::DynamoDbTable;
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::config::Config;

/// For how long the parts may finish what they hold. Less than the time that ECS gives a task that it stops.
const DRAIN: Duration = Duration::from_secs(25);

/// How much of what it was told may wait for it. More stays in the inbox queue.
const WAITING: usize = 1000;

/// A broker that runs.
pub(crate) struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    member: Member,
    sockets: CancellationToken,
    web: JoinHandle<std::io::Result<()>>,
}

impl Server {
    /// Starts every part, the port last. What is wrong with the configuration ends it before anything is made.
    pub(crate) async fn start(config: Config) -> anyhow::Result<Self> {
        let tokens = Arc::new(Tokens::new(config.signing_key.as_bytes()).context("TELLTALE_SIGNING_KEY")?);
        let aws = engine_aws::load().await;
        let (clock, dice): (Arc<dyn Clock>, Arc<dyn Dice>) = (Arc::new(SystemClock), Arc::new(SystemDice));
        let listener = TcpListener::bind(config.listen)
            .await
            .with_context(|| format!("cannot listen on {} (is another server there?)", config.listen))?;
        let address = listener.local_addr()?;

        let table = DynamoDbTable::new(&aws, config.table, Arc::clone(&clock), Arc::clone(&dice));
        let table: Arc<dyn Table> = Arc::new(table);
        let meets = meeting_point::agree(table.as_ref(), ON_AWS).await.context("cannot write to the table")?;
        ensure!(
            meets == ON_AWS,
            "this table belongs to processes that meet over a redis: what they work on is nothing to Telltale on AWS. (If they are \
             gone for good, delete the item {PLACE:?} of the table.)"
        );
        let queue = Arc::new(SqsQueue::new(&aws, config.queues, Arc::clone(&clock), Arc::clone(&dice)));
        let looks = Arc::<Looks>::default();
        let queue = Arc::new(WatchedQueue::new(queue, Arc::clone(&looks)));
        let post = notify::Post::new(config.notify, Arc::clone(&clock), Arc::new(notify::SystemResolver))?;
        let operator = Operator::at(config.platform.webhook.as_ref(), Arc::new(post));
        let id = Member::begin(table.as_ref(), clock.as_ref(), dice.as_ref(), None).await;
        let id = id.context("cannot write to the table")?;
        let inbox = AwsInbox::open(&aws, &config.link, &id).await.context("cannot open the broker's inbox")?;
        let ((sender, told), sockets) = (mpsc::channel(WAITING), CancellationToken::new());
        let lookout = LookoutParts {
            part: part_of_member(&id),
            settings: config.platform,
            looks,
            probes: Vec::new(),
            // Each count of a queue on AWS is a call to be paid, and CloudWatch counts.
            queue: None,
            meeting: None,
            operator,
            memory: Arc::new(Forgetful),
        };
        let broker = BrokerParts {
            id,
            table,
            queue,
            clock,
            dice,
            tokens,
            settings: config.broker,
            // The disk of a container goes with it.
            spool: None,
            link: Arc::new(AwsLink::new(&aws, config.link.clone())),
            inbox: told,
        };
        let (member, router) = Member::start(MemberParts {
            broker,
            inbox: inbox.run(sender, sockets.clone()).boxed(),
            inboxes: Arc::new(AwsInboxes::new(&aws, config.link)),
            patience: Duration::from_millis(config.dead_after_ms),
            lookout,
            // Under its own name, which nobody takes again.
            is_mourned: true,
            stop: sockets.clone(),
        });
        let most = boot::most_connections(config.max_connections);
        let web = tokio::spawn(engine_http::serve(listener, router.merge(member.health()), most, sockets.clone()));
        Ok(Self { address, member, sockets, web })
    }

    /// Is cancelled when other brokers took this one for dead.
    pub(crate) fn taken_for_dead(&self) -> CancellationToken {
        self.member.taken_for_dead()
    }

    /// Ends the sockets and the inbox, and finishes what was taken.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.sockets.cancel();
        let drained = tokio::time::timeout(DRAIN, async {
            self.member.finish().await.context("the broker ended badly")?;
            self.web.await.context("the web server ended badly")??;
            self.member.leave().await.context("it is still in the list of brokers")
        });
        drained.await.context("not everything could be finished in time")?
    }
}
