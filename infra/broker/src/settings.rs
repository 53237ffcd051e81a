//! The broker's part of the configuration.

use std::time::Duration;

use engine_http::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What can be set about the sockets.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BrokerSettings {
    /// The proxies whose word about a client's address counts (`x-real-ip`, `x-forwarded-for`), as networks.
    #[schemars(with = "Vec<String>")]
    pub trusted_proxies: Vec<IpNet>,
    /// How long a gateway program waits for the reply to one instruction, in milliseconds (10 seconds are built into
    /// the programs in the field).
    pub instruction_timeout_ms: u64,
    /// How much longer than its instructions may take a query is waited for, in milliseconds.
    pub query_grace_ms: u64,
    /// How long the answer to an operation is waited for, in milliseconds: it waits behind the query that is on the line,
    /// and takes an instruction's time itself. At most five minutes.
    pub operation_timeout_ms: u64,
    /// How long what gateways say is gathered before it is written, in milliseconds. 0 writes it at once. Each write takes a
    /// share of the machine, and where it is paid for, of the bill: a second is best there.
    pub gather_ms: u64,
    /// With how many reports a batch has gathered enough. Where each write is paid for, as many as a batch takes: 200.
    pub gather_reports: usize,
    /// How much of what gateways say is kept on this machine while the queue is away, in megabytes; what comes then is refused,
    /// and gateways say it again. Only where the queue is not on this machine's own store.
    pub spool_mb: u64,
}

/// The longest that an operation is waited for.
const LONGEST_OPERATION: Duration = Duration::from_mins(5);

impl Default for BrokerSettings {
    fn default() -> Self {
        Self {
            trusted_proxies: Vec::new(),
            instruction_timeout_ms: 10_000,
            query_grace_ms: 5_000,
            operation_timeout_ms: 40_000,
            gather_ms: 60,
            gather_reports: 12,
            spool_mb: 256,
        }
    }
}

impl BrokerSettings {
    /// How long the answer to an operation is waited for.
    pub(crate) fn operation_patience(&self) -> Duration {
        Duration::from_millis(self.operation_timeout_ms).min(LONGEST_OPERATION)
    }

    /// How long a query of so many instructions is waited for.
    pub(crate) fn patience(&self, instructions: usize) -> Duration {
        let instructions = u64::try_from(instructions).unwrap_or(u64::MAX);
        Duration::from_millis(
            self.instruction_timeout_ms.saturating_mul(instructions).saturating_add(self.query_grace_ms),
        )
    }
}
