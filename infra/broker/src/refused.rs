//! Gateway connections that were turned away, for the operator to see.

use std::{
    collections::VecDeque,
    fmt,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use domain::{NodeName, Timestamp};

/// How many are kept.
const MOST: usize = 100;

/// Why a gateway connection was turned away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// No node has this token.
    UnknownToken,
    /// It brought no token, and no node is registered with its address.
    UnknownAddress,
    /// It brought no token, and another program stands for the node of its address already.
    Taken(NodeName),
    /// The store could not be asked.
    StoreAway,
}

impl Refusal {
    /// Its name; it never changes.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::UnknownToken => "unknown_token",
            Self::UnknownAddress => "unknown_address",
            Self::Taken(_) => "taken",
            Self::StoreAway => "store_away",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownToken => f.write_str("no node has this token: give the program the token of its node"),
            Self::UnknownAddress => f.write_str("no node is registered with this address, and it brings no token"),
            Self::Taken(node) => {
                write!(f, "another program at this address stands for node {node} already: give each node a token")
            }
            Self::StoreAway => f.write_str("the store could not be asked who this is"),
        }
    }
}

/// A gateway connection that was turned away; it comes back by itself, so repeats are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedNode {
    /// Where it came from.
    pub address: IpAddr,
    /// Why.
    pub reason: Refusal,
    /// When it came last.
    pub at: Timestamp,
    /// How often it came.
    pub times: u64,
}

/// The latest gateway connections that were turned away.
#[derive(Debug, Default)]
pub struct RefusedNodes(Mutex<VecDeque<RefusedNode>>);

impl RefusedNodes {
    /// The latest, newest first.
    pub fn latest(&self) -> Vec<RefusedNode> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().rev().cloned().collect()
    }

    /// Lists one, and says whether it was listed already.
    pub(crate) fn add(&self, address: IpAddr, reason: Refusal, at: Timestamp) -> Novelty {
        let mut listed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = listed.iter().position(|known| known.address == address && known.reason == reason);
        let times = known.and_then(|index| listed.remove(index)).map_or(0, |known| known.times);
        if listed.len() == MOST {
            listed.pop_front();
        }
        listed.push_back(RefusedNode { address, reason, at, times: times + 1 });
        if times == 0 { Novelty::New } else { Novelty::Repeat }
    }
}

/// Whether something was listed before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Novelty {
    New,
    Repeat,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn one_that_comes_again_is_counted_and_moves_to_the_front() {
        let refused = RefusedNodes::default();
        assert_eq!(refused.add(address(1), Refusal::UnknownAddress, Timestamp(1)), Novelty::New);
        assert_eq!(refused.add(address(2), Refusal::UnknownAddress, Timestamp(2)), Novelty::New);
        assert_eq!(refused.add(address(1), Refusal::UnknownAddress, Timestamp(3)), Novelty::Repeat);
        let latest = refused.latest();
        assert_eq!(latest.len(), 2);
        assert_eq!((latest[0].address, latest[0].at, latest[0].times), (address(1), Timestamp(3), 2));
    }

    #[test]
    fn only_the_latest_hundred_are_kept() {
        let refused = RefusedNodes::default();
        for last in 0..=255 {
            refused.add(address(last), Refusal::UnknownToken, Timestamp(last.into()));
        }
        let latest = refused.latest();
        assert_eq!(latest.len(), MOST);
        assert_eq!(latest[0].address, address(255));
    }
}
