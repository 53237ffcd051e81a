//! What the platform says of itself: its parts of what they need, and what takes its letters.

use serde::Serialize;

use super::{Sight, read::time};

/// Why something is away, or what comes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Why {
    /// It was not answered in time.
    NoAnswer {
        /// In which time, as it was said: `5s`.
        within: String,
    },
    /// What was spooled is on its way.
    Takes,
    /// What lies in a spool.
    Waits {
        /// How many batches.
        batches: u64,
        /// How much of it is full, in KiB.
        kib: u64,
        /// How much it may hold.
        most: u64,
    },
    /// What gateways say is refused once the spool is full.
    RefusesOnceFull,
    /// What gateways say is refused, since the disk takes no more.
    Refuses,
    /// The same when the queue is away.
    RefusesWithoutQueue,
    /// The clock is apart from that of redis.
    ClockApart {
        /// By so many seconds.
        seconds: String,
        /// Whether it is ahead.
        ahead: bool,
    },
    /// The queue was set otherwise, and may lose what it is given.
    Forgets {
        /// What is set so.
        said: String,
    },
    /// In the words of something else.
    Said {
        /// The words.
        words: String,
    },
}

/// A sentence of the platform's.
pub(super) fn read(text: &str) -> Option<Sight> {
    of_channel(text).or_else(|| gone(text)).or_else(|| back(text)).or_else(|| away(text))
}

fn of_channel(text: &str) -> Option<Sight> {
    let is_name = |name: &str| !name.is_empty() && !name.contains([' ', ',']);
    if let Some((name, after)) = text.split_once(" takes letters again after ") {
        let after = time(after)?;
        return is_name(name).then(|| Sight::Back { needs: name.to_owned(), channel: true, after });
    }
    let (name, rest) = text.split_once(" takes no letters since ")?;
    let (since, why) = rest.split_once(": ")?;
    let why = vec![Why::Said { words: why.to_owned() }];
    is_name(name).then(|| Sight::Away { needs: name.to_owned(), channel: true, since: since.to_owned(), why })
}

fn gone(text: &str) -> Option<Sight> {
    let rest = text.strip_prefix("the broker is no more")?;
    let reaches = rest.strip_prefix("; another one reaches the ").map(str::to_owned);
    (rest.is_empty() || reaches.is_some()).then_some(Sight::Gone { reaches })
}

fn back(text: &str) -> Option<Sight> {
    let (what, after) = text.strip_prefix("the ")?.rsplit_once(" after ")?;
    let ends = [
        " has room again",
        " of the queue is given again",
        " is right again",
        " is back, and nothing waits for it any more,",
        " is back",
    ];
    let needs = ends.into_iter().find_map(|end| what.strip_suffix(end))?;
    Some(Sight::Back { needs: needs.to_owned(), channel: false, after: span(after)? })
}

/// `2 min 5 s`.
fn span(text: &str) -> Option<u64> {
    let words: Vec<&str> = text.split(' ').collect();
    let parts = words.chunks(2).map(|part| time(&part.join(" ")));
    parts.sum()
}

fn away(text: &str) -> Option<Sight> {
    let (what, rest) = text.split_once(" since ")?;
    let (since, why) = rest.split_once(": ")?;
    let needs = match what {
        "the spool is nearly full" => "spool",
        "the queue may lose what it is given" => "durability",
        "the clock is wrong" => "clock",
        what => what.strip_prefix("the ")?.strip_suffix(" is away").filter(|needs| !needs.contains(' '))?,
    };
    let why = why.split("; ").map(self::why).collect();
    Some(Sight::Away { needs: needs.to_owned(), channel: false, since: since.to_owned(), why })
}

fn why(text: &str) -> Why {
    match text {
        "it takes what was spooled" => return Why::Takes,
        "what gateways say is refused once it is full" => return Why::RefusesOnceFull,
        "its disk takes no more, and what gateways say is refused" => return Why::Refuses,
        "its disk takes no more (full, or read-only), and what gateways say is refused when the queue is away" => {
            return Why::RefusesWithoutQueue;
        }
        _ => {}
    }
    if let Some(within) = text.strip_prefix("it does not answer within ") {
        return Why::NoAnswer { within: within.to_owned() };
    }
    if let Some(said) = text.strip_prefix("this redis may lose jobs since its settings changed: ") {
        return Why::Forgets { said: said.to_owned() };
    }
    waits(text).or_else(|| clock(text)).unwrap_or_else(|| Why::Said { words: text.to_owned() })
}

fn waits(text: &str) -> Option<Why> {
    let (batches, room) = text.split_once(" batches of results wait in the spool, ")?;
    let (kib, most) = room.strip_suffix(" KiB")?.split_once(" of ")?;
    Some(Why::Waits { batches: batches.parse().ok()?, kib: kib.parse().ok()?, most: most.parse().ok()? })
}

fn clock(text: &str) -> Option<Why> {
    let text = text.strip_prefix("the clock here is ")?;
    let (seconds, rest) = text.split_once(" s ")?;
    let way = rest.strip_suffix(" that of redis: see which of both is wrong, and set it (NTP)")?;
    let ahead = match way {
        "ahead of" => true,
        "behind" => false,
        _ => return None,
    };
    Some(Why::ClockApart { seconds: seconds.to_owned(), ahead })
}

#[cfg(test)]
mod tests;
