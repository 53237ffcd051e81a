//! Who is told what, and when: what lies between a change of an alarm and a notice.

pub mod incident;
pub mod rota;
