//! Compiled protocols, kept at hand: compiling one takes longer than reading a reply with it.

mod setup;

use std::{
    collections::HashMap,
    iter,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use domain::{
    Timestamp,
    alarm::{Rule, RuleSet},
    protocol::Protocol,
    script::ScriptEngine,
};
use records::{Table, TableError, alarm_setups, protocols};

pub(crate) use setup::{Setup, concerns};

/// How long a protocol is used before the table is asked whether it changed.
const FRESH: Duration = Duration::from_secs(10);

/// A protocol, and what is normal for the devices that speak it.
#[derive(Debug)]
pub struct Model {
    /// The protocol.
    pub protocol: Protocol,
    /// The rules that its constants make.
    rules: Vec<Arc<Rule>>,
    /// What single people say instead.
    pub setups: Vec<Setup>,
    /// What is watched on every device that speaks it.
    everybodys: OnceLock<RuleSet>,
}

impl Model {
    /// What is watched on every device that speaks the protocol: what its constants make, after that it answers.
    pub(crate) fn everybodys(&self, timeout: impl FnOnce() -> Rule) -> &RuleSet {
        let rules = || RuleSet::new(iter::once(Arc::new(timeout())).chain(self.rules.iter().cloned()));
        self.everybodys.get_or_init(rules)
    }
}

/// The protocols that were used lately.
pub struct Catalog {
    scripts: Arc<dyn ScriptEngine>,
    models: Mutex<HashMap<String, Loaded>>,
}

/// What the table held under a protocol's name.
#[derive(Debug, Clone)]
struct Loaded {
    at: Timestamp,
    model: Option<Arc<Model>>,
}

impl Catalog {
    /// An empty one, whose protocols' programs run on `scripts`.
    pub fn new(scripts: Arc<dyn ScriptEngine>) -> Self {
        Self { scripts, models: Mutex::default() }
    }

    /// The protocol of that name; none when there is none, or when it cannot be understood (which is logged).
    pub async fn model(&self, table: &dyn Table, name: &str, now: Timestamp) -> Result<Option<Arc<Model>>, TableError> {
        let fresh = self.models().get(name).filter(|loaded| now.since(loaded.at) < FRESH).cloned();
        if let Some(loaded) = fresh {
            return Ok(loaded.model);
        }
        let model = load(table, self.scripts.as_ref(), name).await?.map(Arc::new);
        self.models().insert(name.to_owned(), Loaded { at: now, model: model.clone() });
        Ok(model)
    }

    fn models(&self) -> MutexGuard<'_, HashMap<String, Loaded>> {
        // A panic while the lock was held cannot have left the map half changed.
        self.models.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn load(table: &dyn Table, scripts: &dyn ScriptEngine, name: &str) -> Result<Option<Model>, TableError> {
    let Some(document) = protocols::get(table, name).await? else {
        return Ok(None);
    };
    let protocol = match Protocol::compile(&document, scripts) {
        Ok(protocol) => protocol,
        Err(error) => {
            tracing::error!(protocol.name = name, %error, "a stored protocol cannot be used");
            return Ok(None);
        }
    };
    let constants = protocols::constants(table, name).await?;
    let rules = constants.map_or(Ok(Vec::new()), |constants| constants.rules()).unwrap_or_else(|error| {
        tracing::error!(protocol.name = name, %error, "a protocol's stored constants cannot be used");
        Vec::new()
    });
    let rules = rules.into_iter().map(Arc::new).collect();
    Ok(Some(Model { protocol, rules, setups: setups(table, name).await?, everybodys: OnceLock::new() }))
}

async fn setups(table: &dyn Table, name: &str) -> Result<Vec<Setup>, TableError> {
    let stored = alarm_setups::of_protocol(table, name).await?;
    let usable = stored.into_iter().filter_map(|stored| {
        let user = stored.user.clone();
        let usable = Setup::of(stored);
        if let Err(error) = &usable {
            tracing::error!(protocol.name = name, user.name = user, %error, "a stored alarm setup cannot be used");
        }
        usable.ok()
    });
    Ok(usable.collect())
}
