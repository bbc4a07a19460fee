//! The wire: Lambda events to requests, parameters, problems, headers, secrets as text, and the pages for browsers.
//! Only this module knows Lambda's events.

pub(crate) mod headers;
pub(crate) mod lambda;
pub(crate) mod negotiation;
pub(crate) mod page;
pub(crate) mod pages;
pub(crate) mod parameters;
pub(crate) mod precondition;
pub(crate) mod problem;
pub(crate) mod request_error;
pub(crate) mod routes;
pub(crate) mod secrets;
