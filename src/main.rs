//! The Lambda function: everything that happens once, before the first request.

// The futures of the runtime and the SDK are nested more deeply than the compiler's default of 128.
#![recursion_limit = "256"]

use std::io::{self, Write};
use std::panic;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use passloom::App;
use passloom::audit::AuditLog;
use passloom::clock::Clock;
use passloom::settings::{self, Settings};
use passloom::store::{self, Store};
use serde_json::value::RawValue;
use tokio::runtime;

/// Longest wait for the first connection to the database.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    panic::set_hook(Box::new(|info| match info.location() {
        Some(location) => report(&format!("panic at {}:{}", location.file(), location.line())),
        None => report("panic"),
    }));
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

/// Runs one thread, because an environment handles one request at a time.
fn start() -> Result<(), Error> {
    runtime::Builder::new_current_thread().enable_all().build()?.block_on(serve())
}

async fn serve() -> Result<(), Error> {
    let Settings { table, auth, origins, apis, allow_http, pages, endpoint } = Settings::read(settings::from_process)?;
    let client = store::connect(endpoint, CONNECT_TIMEOUT).await?;
    let clock = Clock::system();
    let store = Store::new(client, table, clock.now());
    let app = App::new(auth, allow_http, origins, store, AuditLog::stdout(), clock);
    let app = Arc::new(app.with_apis(apis).with_pages(pages));
    run(service_fn(move |event: LambdaEvent<Box<RawValue>>| {
        let app = app.clone();
        async move { Ok::<_, Error>(app.handle(event.payload.get(), &event.context.request_id).await) }
    }))
    .await
}

/// Reports start-up errors and panics on the standard error, without values.
fn report(message: &str) {
    // A failed write is ignored; there is nowhere left to report it.
    let _ = writeln!(io::stderr(), "passloom: {message}");
}
