//! Who is told what, and when: what lies between a change of an alarm and a notice. Incidents gather what belongs together;
//! silences, inhibitions, quiet hours, preferences and limits decide of each person and channel.
//!
//! What is not told at once is held, and told as one notice when what held it is over.

mod digest;
pub mod incident;
mod inhibition;
mod limits;
mod preferences;
pub mod rota;
mod silence;
mod topics;
mod verdict;
mod zone;

pub use digest::{Held, Line, Summary};
pub use inhibition::{Inhibition, Same};
pub use limits::{SMS_A_DAY, Tally};
pub use preferences::{Category, INBOX, Preferences, Quiet, Way};
pub use silence::{Matcher, Silence, Subject, Window};
pub use topics::Topics;
pub use verdict::{Moment, Verdict, Why, decide};
pub use zone::{TimeOfDay, Zone};

/// How long what never ends holds until it is looked at again.
const A_DAY: std::time::Duration = std::time::Duration::from_hours(24);

#[cfg(test)]
mod tests;
