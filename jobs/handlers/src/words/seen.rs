//! What was seen, as the templates see it: the words of others in it are cut and on one line, its times are the reader's.

use domain::alarm::{Against, Change, Sight, Why};

use super::{
    Reader,
    clean::cleaned,
    view::{MOST, MOST_DETAIL, MOST_NAME},
};

/// What was seen of a change.
pub(super) fn sights(change: &Change, reader: &Reader) -> Vec<Sight> {
    change.sights().into_iter().take(MOST).map(|sight| shown(sight, reader)).collect()
}

fn shown(sight: Sight, reader: &Reader) -> Sight {
    let name = |text: String| cleaned(&text, MOST_NAME);
    match sight {
        Sight::Value { what, over, against } => Sight::Value { what: clean(&what), over, against: limits(against) },
        Sight::Bit { name: of, bit, on, normal } => Sight::Bit { name: name(of), bit, on, normal },
        Sight::Rate { what, per } => Sight::Rate { what: clean(&what), per },
        Sight::Times { count, within, of } => {
            Sight::Times { count, within, of: of.into_iter().take(MOST).map(|sight| shown(sight, reader)).collect() }
        }
        Sight::Lost { cause } => Sight::Lost { cause: clean(&cause) },
        Sight::Stuck { what, after } => Sight::Stuck { what: clean(&what), after },
        Sight::Moves { what } => Sight::Moves { what: clean(&what) },
        Sight::WordEnded { by } => Sight::WordEnded { by: name(by) },
        Sight::Flaps { count, swings, since, calm } => {
            Sight::Flaps { count, swings, since: since.map(|since| clean(&reader.time_of(&since))), calm }
        }
        Sight::Calm { count, swings, since, over } => {
            Sight::Calm { count, swings, since: clean(&reader.time_of(&since)), over }
        }
        Sight::Away { needs, channel, since, why } => {
            let (needs, since) = (name(needs), clean(&reader.time_of(&since)));
            Sight::Away { needs, channel, since, why: why.into_iter().take(MOST).map(reason).collect() }
        }
        Sight::Back { needs, channel, after } => Sight::Back { needs: name(needs), channel, after },
        Sight::Gone { reaches } => Sight::Gone { reaches: reaches.map(name) },
        Sight::Other { words } => Sight::Other { words: clean(&words) },
        Sight::Missed { .. }
        | Sight::Answers
        | Sight::Seen
        | Sight::NoData { .. }
        | Sight::Data
        | Sight::RuleRemoved
        | Sight::Stands
        | Sight::Stood
        | Sight::Over
        | Sight::Reset
        | Sight::ServiceEnded
        | Sight::UntilOver => sight,
    }
}

fn limits(against: Against) -> Against {
    match against {
        Against::Limits { range } => Against::Limits { range: clean(&range) },
        Against::AtLeast { limit } => Against::AtLeast { limit: clean(&limit) },
        Against::AtMost { limit } => Against::AtMost { limit: clean(&limit) },
        Against::When { what } => Against::When { what: clean(&what) },
        Against::Not { what } => Against::Not { what: clean(&what) },
        Against::Normal { what } => Against::Normal { what: clean(&what) },
        Against::Inside | Against::Nothing => against,
    }
}

fn reason(why: Why) -> Why {
    match why {
        Why::NoAnswer { within } => Why::NoAnswer { within: clean(&within) },
        Why::ClockApart { seconds, ahead } => Why::ClockApart { seconds: clean(&seconds), ahead },
        Why::Forgets { said } => Why::Forgets { said: clean(&said) },
        Why::Said { words } => Why::Said { words: clean(&words) },
        Why::Takes | Why::Waits { .. } | Why::RefusesOnceFull | Why::Refuses | Why::RefusesWithoutQueue => why,
    }
}

fn clean(text: &str) -> String {
    cleaned(text, MOST_DETAIL)
}
