//! How it is said: the only room that knows Lambda's events and JSON.
//!
//! [`event::decode`] makes one [`Incoming`] of the events of four front ends, [`routes::find`] says
//! which operation is meant, [`request`] reads its parameters, [`body`] and [`problem`] write the
//! answer, [`Origins`] lets browsers read it, and [`event::Reply`] puts it into the form that the front end reads.

pub mod body;
mod cors;
pub mod event;
mod openapi;
mod parameters;
pub mod problem;
pub mod request;
pub mod response;
pub mod routes;

pub use cors::Origins;
pub use event::{Incoming, Origin, Reply};
pub use problem::Problem;
pub use response::Response;
