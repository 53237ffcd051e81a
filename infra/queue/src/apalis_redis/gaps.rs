//! What this queue does not do that the others do.

/// One thing that it does not do, or does otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// What others do, by the name of the suite's case.
    pub case: &'static str,
    /// What it does instead.
    pub instead: &'static str,
}

/// All that is known. The suite holds a proof of each, so that a version of apalis-redis that closes one makes itself known.
pub const GAPS: &[Gap] = &[
    Gap { case: "urgent_lanes_go_first", instead: "there are no lanes: what was due first goes first" },
    Gap {
        case: "a_message_is_not_given_before_it_is_due",
        instead: "delays and back-offs are rounded up to whole seconds",
    },
    Gap { case: "every_lease_counts_as_an_attempt", instead: "a run whose process dies is not counted" },
    Gap {
        case: "a_run_that_never_ends_becomes_a_dead_letter",
        instead: "a job that kills its process is run again for ever",
    },
    Gap {
        case: "a_lease_that_ran_out_is_given_again",
        instead: "there are no leases: what a worker holds is given again when it gave no sign of life for 10 seconds",
    },
    Gap {
        case: "a_stale_ticket_changes_nothing",
        instead: "the end of a run whose worker was taken for dead stops the worker, which is started again",
    },
    Gap {
        case: "a_key_that_waits_is_taken_once",
        instead: "a key holds for an hour; what waits longer may be taken once more",
    },
    Gap {
        case: "twenty_thousand_due_messages_are_drained",
        instead: "4,000 messages of a job may wait; the next are refused, and a broker spools them",
    },
    Gap {
        case: "a_redis_whose_memory_is_full_takes_no_more_and_what_it_holds_is_worked_off",
        instead: "a redis whose memory is full stands still until it has more: nothing is lost, and brokers spool",
    },
    Gap {
        case: "a_lease_is_as_long_for_a_worker_whose_clock_is_wrong",
        instead: "each machine's own clock counts; one that is 2 seconds wrong is refused at the start",
    },
    Gap { case: "what_waits_is_listed_in_the_order_it_is_given", instead: "what waits is counted, not listed" },
    Gap {
        case: "a_message_that_waits_is_cancelled_and_its_key_taken_again",
        instead: "what waits cannot be cancelled",
    },
];
