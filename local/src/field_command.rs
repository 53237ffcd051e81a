//! `telltale field`: the virtual field alone, against any server.

use std::time::Duration;

use anyhow::Context as _;
use field::Field;

use crate::cli::FieldArguments;

/// `telltale field`.
pub(crate) async fn command(arguments: FieldArguments) -> anyhow::Result<()> {
    boot::init_log("info");
    let server = arguments.server.parse().context("--server is a URL such as http://127.0.0.1:8080")?;
    let settings = arguments.field.settings(server, arguments.faults.rates());
    settings.check()?;
    if arguments.print_site {
        println!("{}", serde_json::to_string_pretty(&field::site(&settings))?);
        return Ok(());
    }
    let field = Field::start(settings)?;
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    let stop = until(arguments.field.seconds);
    tokio::pin!(stop);
    loop {
        tokio::select! {
            ended = &mut stop => {
                ended?;
                break;
            }
            _ = ticks.tick() => println!("{}", line(&field)),
        }
    }
    let counters = field.stop().await;
    println!("stopped: {} posts acknowledged, {} failed", counters.posts_acknowledged, counters.posts_failed);
    Ok(())
}

/// Returns at the stop signal, or after so many seconds.
pub(crate) async fn until(seconds: Option<u64>) -> std::io::Result<()> {
    match seconds {
        Some(seconds) => tokio::select! {
            stopped = boot::stop_signal() => stopped,
            () = tokio::time::sleep(Duration::from_secs(seconds)) => Ok(()),
        },
        None => boot::stop_signal().await,
    }
}

fn line(field: &Field) -> String {
    let counters = field.counters();
    format!(
        "nodes {}   queries {}   answered {}   missed {}   posts {} acknowledged / {} failed",
        counters.nodes_registered,
        counters.queries_received,
        counters.queries_answered,
        counters.queries_missed,
        counters.posts_acknowledged,
        counters.posts_failed,
    )
}
