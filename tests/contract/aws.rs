//! What only the adapters on AWS promise: to try again what AWS left undone, and what SQS can hold.

mod people;
mod sqs;
mod throttling;
