//! How it is said: the only room that knows Lambda's events and JSON.
//!
//! [`event::decode`] makes one [`Incoming`] of the events of four front ends, [`routes::find`] says
//! which operation is meant, [`request`] reads its parameters, [`response`] and [`problem`] write the
//! answer, and [`event::Reply`] puts it into the form that the front end reads.

pub mod event;
pub mod problem;
pub mod request;
pub mod response;
pub mod routes;

pub use event::{Incoming, Origin, Reply};
pub use problem::Problem;
pub use response::Response;
