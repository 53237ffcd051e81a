//! Silences as callers write them and see them.

use domain::{
    Timestamp,
    calendar::Calendar,
    routing::{self, Matcher, Window},
};
use engine_http::Problem;
use records::silences::Kept;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::moment::{self, Moment};

const MOST_WHY_CHARS: usize = 500;
/// How long a silence that holds once may last.
const LONGEST: std::time::Duration = std::time::Duration::from_hours(366 * 24);

/// What a silence is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SilenceForm {
    /// Whether it is everybody's: nobody is told. For administrators. Else it keeps you alone from being told.
    #[serde(default)]
    pub everybody: bool,
    /// What is not told; all that is named must fit: `source` (`{"device": {"mac": …, "pid": …}}`, `{"terminal": …}`,
    /// `{"node": …}`), `terminal` (with its devices), `node` (with its terminals), `rule` (its id, or a kind: `threshold`,
    /// `timeout`), `severity_at_most`. `{}` is everything.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub matcher: Matcher,
    /// When: `{"kind": "once", "from": …, "until": …}`, or at hours of each week, as the clocks of a place show them:
    /// `{"kind": "weekly", "calendar": {"zone": "Europe/Berlin", "hours": [{"days": ["sun"], "from": "22:00", "until":
    /// "04:00"}]}}`, between `from` and `until` if they are given.
    #[schema(value_type = Object)]
    window: WindowForm,
    /// Why, for others: at most 500 characters.
    #[serde(default)]
    pub why: String,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum WindowForm {
    Once { from: Option<String>, until: String },
    Weekly { calendar: Calendar, from: Option<String>, until: Option<String> },
}

impl SilenceForm {
    /// What is to be silenced, when.
    pub(super) fn silence(&self, now: Timestamp) -> Result<routing::Silence, Problem> {
        if self.why.chars().count() > MOST_WHY_CHARS {
            return Err(bad(format!("why has at most {MOST_WHY_CHARS} characters.")));
        }
        let window = self.window.read(now)?;
        if window.over().is_some_and(|over| over <= now) {
            return Err(bad("It would be over already: window.until must lie ahead."));
        }
        Ok(routing::Silence { matcher: self.matcher.clone(), window })
    }
}

impl WindowForm {
    fn read(&self, now: Timestamp) -> Result<Window, Problem> {
        let from = |text: &Option<String>| text.as_ref().map(|text| moment::parse("window.from", text)).transpose();
        match self {
            Self::Once { from: begins, until } => {
                let (from, until) = (from(begins)?.unwrap_or(now), moment::parse("window.until", until)?);
                if until <= from || until.since(from) > LONGEST {
                    return Err(bad("window.until must lie after window.from, by a year at most."));
                }
                Ok(Window::Once { from, until })
            }
            Self::Weekly { calendar, from: begins, until } => {
                let until = until.as_ref().map(|text| moment::parse("window.until", text)).transpose()?;
                if calendar.next_change(now).is_none() {
                    return Err(bad("window.calendar never ends: nobody would be told of anything again."));
                }
                Ok(Window::Weekly { calendar: calendar.clone(), from: from(begins)?, until })
            }
        }
    }
}

fn bad(why: impl Into<String>) -> Problem {
    Problem::bad_request("bad-silence", why)
}

/// A silence.
#[derive(Serialize, ToSchema)]
pub(super) struct Silence {
    /// Its id.
    id: String,
    /// Whose it is: it keeps them alone from being told. Null for everybody's.
    #[schema(required)]
    owner: Option<String>,
    /// What is not told.
    #[schema(value_type = Object)]
    matcher: Matcher,
    /// When.
    #[schema(value_type = Object)]
    window: Value,
    /// Why.
    why: String,
    /// Who made or changed it last.
    by: String,
    /// When they did.
    at: Moment,
    /// Whether it holds.
    state: State,
    /// Until when, while it holds: then what stands is told.
    #[schema(required)]
    until: Option<Moment>,
}

/// Whether a silence holds.
#[derive(Serialize, ToSchema)]
#[schema(as = SilenceState)]
#[serde(rename_all = "snake_case")]
enum State {
    /// It will.
    Pending,
    /// It does.
    Holds,
    /// It did, for the last time.
    Over,
}

impl Silence {
    pub(super) fn of(kept: Kept, now: Timestamp) -> Self {
        let window = &kept.silence.window;
        let state = match (window.holds(now), window.over()) {
            (true, _) => State::Holds,
            (false, Some(over)) if over <= now => State::Over,
            (false, _) => State::Pending,
        };
        Self {
            until: window.holds(now).then(|| Moment(window.ends(now))),
            window: shown(window),
            state,
            id: kept.id,
            owner: kept.owner,
            matcher: kept.silence.matcher,
            why: kept.why,
            by: kept.by,
            at: Moment(kept.at),
        }
    }
}

fn shown(window: &Window) -> Value {
    let moment = |at: &Option<Timestamp>| at.map(Timestamp::rfc3339);
    match window {
        Window::Once { from, until } => json!({ "kind": "once", "from": from.rfc3339(), "until": until.rfc3339() }),
        Window::Weekly { calendar, from, until } => {
            json!({ "kind": "weekly", "calendar": calendar, "from": moment(from), "until": moment(until) })
        }
    }
}
