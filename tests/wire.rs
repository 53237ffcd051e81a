//! The outside world as it is: gateway programs, devices, browsers, mail and webhooks, played on genuine libraries of
//! other people against the `telltale` program itself.

mod alarms;
mod browsers;
mod field;
mod gateways;
mod routes;
mod site;
mod values;
