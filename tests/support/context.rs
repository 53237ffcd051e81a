//! What jobs work with where only their table and their queue matter.

use std::sync::Arc;

use jobs::{
    Catalog, Context, Settings, Stationery,
    ports::{Clock, Dice, Enqueue, Table},
};
use notify::recording::RecordingNotifier;

/// A context whose link leads to no broker, and whose letters are only recorded.
pub fn context(table: Arc<dyn Table>, queue: Arc<dyn Enqueue>, clock: Arc<dyn Clock>, dice: Arc<dyn Dice>) -> Context {
    let (link, _) = link::in_process("no broker");
    Context {
        table,
        queue,
        link: Arc::new(link),
        notifier: Arc::new(RecordingNotifier::new()),
        clock,
        dice,
        settings: Arc::new(Settings::default()),
        catalog: Arc::new(Catalog::new(Arc::new(script::JavaScript))),
        stationery: Stationery::default(),
    }
}
