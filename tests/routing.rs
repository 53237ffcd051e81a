//! Who is told what and when: plays for a clock that is turned by hand, over the jobs as they are.
//!
//! A play says what happens, and what each person gets by mail, each in a window of time. Whatever else anybody gets, or does not,
//! fails it.

mod attended;
mod backtest;
mod begun;
mod ends;
mod escalation;
mod explained;
mod first_step;
mod flapping;
mod grouping;
mod in_place;
mod muting;
mod once;
mod outage;
mod play;
mod policies;
mod rotas;
mod times;
mod together;
mod ways;
