//! `template.yaml`, as AWS is given it: each job has all of its parts there, nobody has more rights than they need,
//! and what goes wrong is told. The linters let much of that pass, and an emulator says yes to almost anything.

mod alarms;
mod api;
mod broker;
mod dashboard;
mod docs;
mod functions;
mod numbers;
mod queues;
mod rights;
mod secrets;
mod stack;
