//! The Lambda function: everything that happens once, before the first request.

// The runtime's and the SDK's futures are nested deeper than the compiler's default of 128.
#![recursion_limit = "256"]

use std::io::{self, Write};
use std::panic;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use lambda_http::lambda_runtime::{Error, LambdaEvent, run_concurrent, service_fn};
use passloom::access::{self, Store};
use passloom::app::{App, system_clock};
use passloom::audit::AuditLog;
use passloom::settings::{self, Settings};
use serde_json::value::RawValue;
use tokio::runtime;

/// Longest wait for the first connection to the database.
const PATIENCE: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    panic::set_hook(Box::new(|info| match info.location() {
        Some(place) => complain(&format!("panic at {}:{}", place.file(), place.line())),
        None => complain("panic"),
    }));
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

/// One thread for the one request at a time that an environment has, unless Lambda says that it has more.
fn start() -> Result<(), Error> {
    let at_once = settings::from_process("AWS_LAMBDA_MAX_CONCURRENCY").and_then(|text| text.parse::<u32>().ok());
    let mut threads = match at_once {
        Some(2..) => runtime::Builder::new_multi_thread(),
        _ => runtime::Builder::new_current_thread(),
    };
    threads.enable_all().build()?.block_on(serve())
}

async fn serve() -> Result<(), Error> {
    let Settings { table, auth, audit, origins, lease, allow_http, endpoint } = Settings::read(settings::from_process)?;
    let client = access::connect(endpoint, PATIENCE).await?;
    let store = Store::new(client, table, lease);
    let app = App::new(auth, allow_http, origins, store, AuditLog::stdout(audit), system_clock());
    let app = Arc::new(app);
    run_concurrent(service_fn(move |event: LambdaEvent<Box<RawValue>>| {
        let app = app.clone();
        async move { Ok::<_, Error>(app.handle(event.payload.get(), &event.context.request_id).await) }
    }))
    .await
}

/// Start-up faults and panics go to the standard error, without values. Nobody is left to tell if
/// that fails.
fn complain(message: &str) {
    let _ = writeln!(io::stderr(), "passloom: {message}");
}
