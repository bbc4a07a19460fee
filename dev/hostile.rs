//! The requests of `make bench-hostile`, which the end-to-end tests send, too.
//!
//! Reads a key from its standard input. Prints one line of JSON for each request: its route, and its event with the key.

#[path = "../tests/end_to_end/support/hostile.rs"]
mod requests;

use std::io::{self, Write};

use serde_json::json;

fn main() -> io::Result<()> {
    let key = io::read_to_string(io::stdin())?;
    let mut out = io::stdout().lock();
    for request in requests::hostile_requests() {
        writeln!(out, "{}", json!({ "route": request.route, "event": request.event(key.trim()) }))?;
    }
    Ok(())
}
