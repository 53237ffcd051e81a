//! Compiled protocols, kept at hand: compiling one takes longer than reading a reply with it.

mod alert_rules;
mod setup;

use std::{
    collections::{BTreeSet, HashMap},
    iter,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use domain::{
    Timestamp,
    alarm::{Rule, RuleSet},
    protocol::{ConstantsDocument, Protocol, ProtocolDocument},
    script::ScriptEngine,
};
use records::{
    Table, TableError,
    alarm_setups::{self, AlarmSetup},
    protocols,
};

use crate::heartbeat::Pulse;
use alert_rules::Known;
pub(crate) use alert_rules::{AlertRules, Watched};
pub(crate) use setup::{Setup, concerns};

/// How long a protocol is used before the table is asked whether it changed.
const FRESH: Duration = Duration::from_secs(10);

/// Whether what was read then need not be asked for again. A clock that was set back is no reason to ask no more.
fn is_fresh(read: Timestamp, now: Timestamp) -> bool {
    read <= now && now.since(read) < FRESH
}

/// A protocol, and what is normal for the devices that speak it.
#[derive(Debug)]
pub struct Model {
    /// The protocol.
    pub protocol: Protocol,
    /// The names of all values that it tells of, also by instructions that are not in use just now.
    values: BTreeSet<String>,
    /// The rules that its constants make, and what its devices tell of themselves.
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
    alert_rules: Mutex<Known>,
    pub(crate) pulse: Pulse,
}

/// What the table held under a protocol's name.
#[derive(Debug, Clone)]
struct Loaded {
    at: Timestamp,
    /// What the model was made of: while it is the same, so is the model, and what was made by it.
    stored: Option<Arc<Stored>>,
    model: Option<Arc<Model>>,
}

/// What the table holds of a protocol.
#[derive(Debug, PartialEq)]
struct Stored {
    protocol: ProtocolDocument,
    constants: Option<ConstantsDocument>,
    setups: Vec<AlarmSetup>,
}

impl Catalog {
    /// An empty one, whose protocols' programs run on `scripts`.
    pub fn new(scripts: Arc<dyn ScriptEngine>) -> Self {
        Self { scripts, models: Mutex::default(), alert_rules: Mutex::default(), pulse: Pulse::default() }
    }

    /// The rules that people made, as they were at most 10 seconds ago.
    pub(crate) async fn alert_rules(&self, table: &dyn Table, now: Timestamp) -> Result<Arc<AlertRules>, TableError> {
        Known::current(&self.alert_rules, table, now).await
    }

    /// The protocol of that name; none when there is none, or when it cannot be understood (which is logged).
    pub async fn model(&self, table: &dyn Table, name: &str, now: Timestamp) -> Result<Option<Arc<Model>>, TableError> {
        let known = self.models().get(name).cloned();
        if let Some(loaded) = known.as_ref().filter(|loaded| is_fresh(loaded.at, now)) {
            return Ok(loaded.model.clone());
        }
        let stored = stored(table, name).await?.map(Arc::new);
        let loaded = if let Some(known) = known.filter(|known| known.stored == stored) {
            Loaded { at: now, ..known }
        } else {
            let model = stored.as_ref().and_then(|stored| model(stored, self.scripts.as_ref()));
            Loaded { at: now, model: model.map(Arc::new), stored }
        };
        let model = loaded.model.clone();
        self.models().insert(name.to_owned(), loaded);
        Ok(model)
    }

    fn models(&self) -> MutexGuard<'_, HashMap<String, Loaded>> {
        // A panic while the lock was held cannot have left the map half changed.
        self.models.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn stored(table: &dyn Table, name: &str) -> Result<Option<Stored>, TableError> {
    let Some(protocol) = protocols::get(table, name).await? else {
        return Ok(None);
    };
    let constants = protocols::constants(table, name).await?;
    Ok(Some(Stored { protocol, constants, setups: alarm_setups::of_protocol(table, name).await? }))
}

fn model(stored: &Stored, scripts: &dyn ScriptEngine) -> Option<Model> {
    let name = &stored.protocol.protocol;
    let protocol = match Protocol::compile(&stored.protocol, scripts) {
        Ok(protocol) => protocol,
        Err(error) => {
            tracing::error!(protocol.name = name, %error, "a stored protocol cannot be used");
            return None;
        }
    };
    let constants = stored.constants.as_ref();
    let rules = constants.map_or(Ok(Vec::new()), ConstantsDocument::rules).unwrap_or_else(|error| {
        tracing::error!(protocol.name = name, %error, "a protocol's stored constants cannot be used");
        Vec::new()
    });
    let rules = protocol.fault_rule().into_iter().chain(rules).map(Arc::new).collect();
    let fields = stored.protocol.instruct.iter().flat_map(|instruct| &instruct.form_resize);
    let values = fields.map(|field| field.name.clone()).collect();
    Some(Model { protocol, values, rules, setups: setups(name, &stored.setups), everybodys: OnceLock::new() })
}

fn setups(name: &str, stored: &[AlarmSetup]) -> Vec<Setup> {
    let usable = stored.iter().filter_map(|stored| {
        let usable = Setup::of(stored.clone());
        if let Err(error) = &usable {
            tracing::error!(protocol.name = name, user.name = stored.user, %error, "a stored alarm setup cannot be used");
        }
        usable.ok()
    });
    usable.collect()
}
