//! One scenario, two homes: a box, where apalis workers take jobs from the embedded queue, and AWS, where the functions' real
//! programs get them from SQS. What is remembered, who is told what, and what becomes of each message is the same.
//!
//! To add a scenario: a test here that says what happens to a [`Home`](home::Home), and what is to come of it.

mod batches;
mod broker;
mod crashes;
mod duplicates;
mod home;
mod leases;
mod limits;
mod normal;
mod on_aws;
mod on_box;
mod order;
mod outcome;
mod poison;
mod scene;
mod ticks;
