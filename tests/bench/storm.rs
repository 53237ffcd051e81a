//! Every gateway comes back at once: how long it takes until all are registered.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Result;
use boot::SystemDice;
use futures::{StreamExt, TryStreamExt, stream};
use jobs::ports::Dice;
use telltale_tests::Server;
use tokio::{net::TcpStream, task::JoinSet, time::sleep};

use crate::{
    gateways::Gateway,
    site::{self, Scale},
};

/// How many connect at a time at first.
const AT_A_TIME: usize = 64;

/// How often it is looked whether the port is there.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What came of it.
pub(crate) struct Storm {
    /// From when the port took connections again until all were registered.
    pub(crate) took: Duration,
    /// How many tries were answered with an error of the server.
    pub(crate) errors: u32,
    /// How many tries failed in another way.
    pub(crate) failed: u32,
}

#[derive(Default)]
struct Tries {
    errors: AtomicU32,
    failed: AtomicU32,
}

/// A server dies and comes back, and with it so many gateways, each as a Socket.IO client does: after half a second to one and
/// a half, then after twice that, five seconds at most.
pub(crate) async fn blow(gateways: u32) -> Result<Storm> {
    let scale = Scale { gateways, terminals: gateways };
    let settings = "[schedule]\nminimum_interval_ms = 3600000\n";
    let mut server = Server::start(&site::site(scale)?, settings).await?;
    let url = server.url().to_owned();
    let connecting = (0..gateways).map(|number| {
        let url = url.clone();
        async move { Gateway::connect(&url, scale, number).await }
    });
    let connected: Vec<Gateway> = stream::iter(connecting).buffer_unordered(AT_A_TIME).try_collect().await?;
    let tries = Arc::<Tries>::default();
    let mut back = JoinSet::new();
    for (number, gateway) in (0..gateways).zip(connected) {
        let (url, tries) = (url.clone(), Arc::clone(&tries));
        back.spawn(async move {
            gateway.stay().await;
            let gateway = come_back(&url, scale, number, &tries).await;
            (gateway, Instant::now())
        });
    }
    server.kill().await?;
    let (listens, ()) = tokio::try_join!(listens(&url), server.restart())?;
    let mut last = listens;
    let mut held = Vec::new();
    while let Some(came) = back.join_next().await {
        let (gateway, at) = came?;
        held.push(gateway);
        last = last.max(at);
    }
    Ok(Storm {
        took: last - listens,
        errors: tries.errors.load(Ordering::Relaxed),
        failed: tries.failed.load(Ordering::Relaxed),
    })
}

/// When the port takes connections again: gateways come from then on, also while the server is not ready yet.
async fn listens(url: &str) -> Result<Instant> {
    let address = url.trim_start_matches("http://");
    while TcpStream::connect(address).await.is_err() {
        sleep(LOOK_EVERY).await;
    }
    Ok(Instant::now())
}

async fn come_back(url: &str, scale: Scale, number: u32, tries: &Tries) -> Gateway {
    let mut wait_ms = 1000;
    loop {
        let jitter = 0.5 + f64::from(u32::try_from(SystemDice.roll() % 1000).unwrap_or(0)) / 1000.0;
        sleep(Duration::from_millis(wait_ms).mul_f64(jitter)).await;
        match Gateway::connect(url, scale, number).await {
            Ok(gateway) => return gateway,
            Err(error) if format!("{error:#}").contains("HTTP error: 5") => {
                tries.errors.fetch_add(1, Ordering::Relaxed)
            }
            Err(_) => tries.failed.fetch_add(1, Ordering::Relaxed),
        };
        wait_ms = (2 * wait_ms).min(5000);
    }
}
