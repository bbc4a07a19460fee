//! The HTTP layer: Lambda events in, responses out. Only this module knows Lambda's events.
//!
//! [`lambda`] decodes the events of four front ends into one [`HttpRequest`]. [`routes`] finds the operation,
//! [`request`] reads its parameters, [`response`] writes its answer, [`AllowedOrigins`] lets browsers read it, and
//! [`Reply`] gives it the form that the front end reads. [`pages`] has the pages for browsers.

mod cors;
pub mod dialects;
pub mod lambda;
pub mod pages;
pub mod request;
pub mod response;
pub mod routes;

pub use cors::AllowedOrigins;
pub use lambda::{BodyError, FrontEnd, HttpRequest, Reply};
pub use response::Response;
pub use response::problem::Problem;
