//! `telltale demo`: the whole path on one machine, on temporary data.

mod receiver;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::Context as _;
use boot::SystemDice;
use field::{FaultRates, Field};
use jobs::ports::Dice;
use serde_json::{Value, json};

use crate::{
    cli::DemoArguments,
    config::Config,
    field_command::until,
    serve::{Role, Server},
    summary,
};
use receiver::Receiver;

/// The sign-in that the demo prints.
const USER: &str = "demo";
const PASSWORD: &str = "telltale-demo";

/// `telltale demo`.
pub(crate) async fn command(arguments: DemoArguments) -> anyhow::Result<()> {
    boot::init_log("warn");
    let folder = Folder::new()?;
    let receiver = Receiver::start().await?;
    let listen = SocketAddr::from(([127, 0, 0, 1], arguments.port));
    let address = format!("http://{listen}");
    let faults = FaultRates { dead_devices: 0.05, damaged_replies: 0.01, ..FaultRates::default() };
    let field = arguments.field.settings(address.parse().context("the demo's own address is a URL")?, faults);
    field.check()?;
    let site = folder.0.join("site.json");
    std::fs::write(&site, site_with_people(field::site(&field), &receiver.url).to_string())?;
    let server = Server::start(config(&folder, listen, site)?, Role::Everything, None).await?;
    let field = Field::start(field)?;

    println!(
        "Telltale demo: {} nodes × {} terminals, on temporary data",
        arguments.field.nodes, arguments.field.terminals
    );
    println!("  API        {address}/api/docs   (document: {address}/api/openapi.json)");
    println!("  sign-in    {USER} / {PASSWORD}   (POST {address}/api/auth/login)");
    println!("  sockets    {address}/client   (namespaces /node and /web)");
    println!("  notices    to a webhook receiver of this process at {}", receiver.url);
    println!("  stop       Ctrl-C\n");

    let stop = until(arguments.field.seconds);
    tokio::pin!(stop);
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            ended = &mut stop => {
                ended?;
                break;
            }
            _ = ticks.tick() => println!("{}   webhooks {}", summary::line(&server).await?, receiver.received()),
        }
    }
    println!("stopping: finishing what was begun");
    let counters = field.stop().await;
    let last = summary::line(&server).await?;
    server.stop().await?;
    println!("{last}\nthe field had {} results acknowledged", counters.posts_acknowledged);
    Ok(())
}

fn config(folder: &Folder, listen: SocketAddr, site: PathBuf) -> anyhow::Result<Config> {
    let mut config = Config { data: folder.0.join("data"), listen, import: Some(site), ..Config::default() };
    // The one receiver that the demo tells lives on this machine.
    config.notify.webhook.allowed_nets.push("127.0.0.0/8".parse()?);
    Ok(config)
}

fn site_with_people(mut site: Value, webhook: &str) -> Value {
    // "telltale" and sixteen more bytes, in base64: any key does, since sender and receiver are this process.
    let secret = "whsec_dGVsbHRhbGUtZGVtby1zaWduaW5nLWtleQ==";
    site["users"] = json!([{
        "user": USER,
        "name": "Demo",
        "passwd": PASSWORD,
        "userGroup": "admin",
        "webhook": { "url": webhook, "secret": secret },
    }]);
    site
}

/// A folder that is there as long as the demo runs.
struct Folder(PathBuf);

impl Folder {
    fn new() -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("telltale-demo-{:016x}", SystemDice.roll()));
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, "the demo's data in {} could not be removed", self.0.display());
        }
    }
}
