//! Documents on their way in: proven, compared with what is there, stored.

use std::{collections::BTreeSet, sync::Arc};

use domain::protocol::{ConstantsDocument, Protocol, ProtocolDocument};
use engine_http::Problem;
use records::{MOST_IN_A_TRANSACTION, protocols};
use serde::{Deserialize, Serialize};
use tokio::task;

use super::Taken;
use crate::{error::ApiError, site::Site};

/// The most bytes a document may have: what an item of the store holds, with room to spare.
const MOST_DOCUMENT_BYTES: usize = 300 * 1024;

/// Documents that somebody wants stored.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Offered {
    #[serde(default)]
    pub(super) protocols: Vec<ProtocolDocument>,
    #[serde(default)]
    pub(super) constants: Vec<ConstantsDocument>,
}

/// Documents that can be stored.
pub(super) struct Proven(Offered);

/// What would become of each document.
pub(super) struct Compared {
    pub(super) protocols: Vec<Taken>,
    pub(super) constants: Vec<Taken>,
}

/// That a document belongs where it is put.
pub(super) fn name_is(path: &str, document: &str) -> Result<(), Problem> {
    if path == document {
        return Ok(());
    }
    let why = format!("The document's Protocol is {document:?}, the address says {path:?}: they must be the same.");
    Err(Problem::bad_request("other-name", why))
}

impl Offered {
    /// Checks every document, and tells everything that is wrong.
    pub(super) async fn proven(self, site: &Site) -> Result<Proven, ApiError> {
        let count = self.protocols.len() + self.constants.len();
        if !(1..=MOST_IN_A_TRANSACTION).contains(&count) {
            let how = format!("Give 1 to {MOST_IN_A_TRANSACTION} documents at once, not {count}.");
            return Err(Problem::bad_request("bad-count", how).into());
        }
        let scripts = Arc::clone(&site.scripts);
        // Compiling runs scripts: bounded, but too long for a thread that others wait for.
        let proof = task::spawn_blocking(move || (self.faults(scripts.as_ref()), self)).await;
        let (mut faults, offered) = proof.map_err(|_| Problem::internal())?;
        faults.extend(offered.strays(site).await?);
        if faults.is_empty() {
            return Ok(Proven(offered));
        }
        Err(Problem::faults("bad-protocol", "Nothing was stored: the documents are wrong, errors says where.", faults)
            .into())
    }

    fn faults(&self, scripts: &dyn domain::script::ScriptEngine) -> Vec<String> {
        let mut faults = Vec::new();
        for document in &self.protocols {
            let told = |why: String| format!("protocol {}: {why}", document.protocol);
            faults.extend(Protocol::compile(document, scripts).err().map(|error| told(error.to_string())));
            faults.extend(too_large(document).map(told));
        }
        for document in &self.constants {
            let told = |why: String| format!("constants of {}: {why}", document.protocol);
            faults.extend(document.rules().err().map(|error| told(error.to_string())));
            faults.extend(document.check_operations().err().map(|error| told(error.to_string())));
            faults.extend(too_large(document).map(told));
        }
        faults.extend(badly_named("protocol", self.protocols.iter().map(|document| &document.protocol)));
        faults.extend(badly_named("constants", self.constants.iter().map(|document| &document.protocol)));
        faults
    }

    /// Constants of protocols that are neither here nor there.
    async fn strays(&self, site: &Site) -> Result<Vec<String>, ApiError> {
        let mut strays = Vec::new();
        for ConstantsDocument { protocol: name, .. } in &self.constants {
            let is_here = self.protocols.iter().any(|document| document.protocol == *name);
            if domain::is_name(name) && !is_here && protocols::get(&*site.table, name).await?.is_none() {
                strays.push(format!("constants of {name}: there is no such protocol"));
            }
        }
        Ok(strays)
    }
}

impl Proven {
    /// What storing them would change.
    pub(super) async fn compared(&self, site: &Site) -> Result<Compared, ApiError> {
        let mut compared = Compared { protocols: Vec::new(), constants: Vec::new() };
        for document in &self.0.protocols {
            let stored = protocols::get(&*site.table, &document.protocol).await?;
            let taken = Taken::new(&document.protocol, stored.as_ref(), document);
            compared.protocols.push(Taken { warnings: self.left_blind(site, document).await?, ..taken });
        }
        for document in &self.0.constants {
            let stored = protocols::constants(&*site.table, &document.protocol).await?;
            let taken = Taken::new(&document.protocol, stored.as_ref(), document);
            compared.constants.push(Taken { warnings: self.blind_spots(site, document).await?, ..taken });
        }
        Ok(compared)
    }

    /// What a protocol leaves blind of the constants that are stored and not offered anew.
    async fn left_blind(&self, site: &Site, document: &ProtocolDocument) -> Result<Vec<String>, ApiError> {
        if self.0.constants.iter().any(|constants| constants.protocol == document.protocol) {
            return Ok(Vec::new());
        }
        let stored = protocols::constants(&*site.table, &document.protocol).await?;
        Ok(stored.map_or_else(Vec::new, |constants| constants.blind_spots(document)))
    }

    async fn blind_spots(&self, site: &Site, document: &ConstantsDocument) -> Result<Vec<String>, ApiError> {
        if let Some(protocol) = self.0.protocols.iter().find(|here| here.protocol == document.protocol) {
            return Ok(document.blind_spots(protocol));
        }
        let stored = protocols::get(&*site.table, &document.protocol).await?;
        Ok(stored.map_or_else(Vec::new, |protocol| document.blind_spots(&protocol)))
    }

    /// Stores them, all or none.
    pub(super) async fn store(&self, site: &Site) -> Result<(), ApiError> {
        protocols::put_all(&*site.table, &self.0.protocols, &self.0.constants).await?;
        let names: Vec<_> = self.0.protocols.iter().map(|document| document.protocol.as_str()).collect();
        tracing::info!(protocol.names = ?names, constants = self.0.constants.len(), "Protocols were stored");
        Ok(())
    }
}

fn too_large(document: &impl Serialize) -> Option<String> {
    let bytes = serde_json::to_vec(document).map_or(usize::MAX, |json| json.len());
    (bytes > MOST_DOCUMENT_BYTES)
        .then(|| format!("it has {bytes} bytes, more than the {MOST_DOCUMENT_BYTES} there may be"))
}

fn badly_named<'a>(what: &str, names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut faults = Vec::new();
    for name in names {
        if !domain::is_name(name) {
            faults.push(format!("{what} {name:?}: a name is 1 to 200 bytes without control characters"));
        }
        if !seen.insert(name) {
            faults.push(format!("{what} {name}: it is there twice"));
        }
    }
    faults
}
