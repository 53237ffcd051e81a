//! The outside world as it is: gateway programs, devices, browsers, mail and webhooks, played on genuine libraries of
//! other people against the `telltale` program itself.

mod alarms;
mod browsers;
mod channels;
mod events;
mod faults;
pub(crate) mod field;
mod garbage;
mod gateways;
mod heartbeat;
mod lines;
mod links;
mod notifications;
mod operations;
mod own_channels;
mod routes;
pub(crate) mod site;
mod sockets;
mod stand;
mod uploads;
mod values;
