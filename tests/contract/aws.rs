//! What only the adapters on AWS promise: to try again what AWS left undone, what comes of a lost answer, and what SQS can hold.

mod lost_answers;
mod people;
mod sqs;
mod throttling;
