//! One request in, one response out: decode, route, authenticate, admit, perform, audit, reply.

mod authentication;
mod describe;
mod error;
mod generate;
mod passphrase;
mod sampler_cache;
mod services;
mod validate;

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::{Instant, SystemTime};

use lambda_http::http::{HeaderMap, Method, header};

use self::authentication::authenticate;
use self::error::Failure;
use self::sampler_cache::SamplerCache;
use self::services::Services;
use crate::access::Store;
use crate::audit::{AuditLog, Event, Reason, Record};
use crate::clock::Clock;
use crate::http::response::{self, Response, headers};
use crate::http::routes::{self, Operation};
use crate::http::{AllowedOrigins, FrontEnd, HttpRequest, Problem, Reply, lambda};
use crate::settings::Auth;

/// Everything that outlives a request.
pub struct App {
    auth: Auth,
    allow_http: bool,
    origins: AllowedOrigins,
    services: Services,
    audit: AuditLog,
    clock: Clock,
    is_warm: AtomicBool,
}

impl App {
    /// An app that has not handled a request yet.
    #[must_use]
    pub fn new(
        auth: Auth,
        allow_http: bool,
        origins: AllowedOrigins,
        store: Store,
        audit: AuditLog,
        clock: Clock,
    ) -> Self {
        let services = Services { store, samplers: SamplerCache::default() };
        Self { auth, allow_http, origins, services, audit, clock, is_warm: AtomicBool::new(false) }
    }

    /// Handles one event. `invocation` is Lambda's id of it.
    ///
    /// The audit line is written before the reply is returned. If it cannot be written, the reply is a 500 without
    /// anything else.
    pub async fn handle(&self, event: &str, invocation: &str) -> Reply {
        let began = Instant::now();
        let now = (self.clock)();
        let cold_start = !self.is_warm.swap(true, Ordering::Relaxed);
        let mut record = Record { request_id: invocation.to_owned(), cold_start, ..Record::default() };

        let (request, outcome) = match lambda::decode(event) {
            Ok(request) => {
                record_request(&request, &mut record);
                let outcome = catch_panic(self.perform(&request, now, &mut record)).await;
                (Some(request), outcome.unwrap_or(Err(Failure::Internal(Reason::Panic))))
            }
            Err(_) => (None, Err(Failure::UnknownEvent)),
        };
        let (event, response) = match outcome {
            Ok(success) => success,
            Err(failure) => {
                record.reason = Some(failure.cause());
                let problem = failure.problem();
                let event = if problem.status().is_server_error() { Event::Failed } else { Event::Refused };
                (event, problem.to_response(&record.request_id))
            }
        };
        record.status = response.status().as_u16();
        record.duration_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let written = catch_unwind(AssertUnwindSafe(|| self.audit.write(event, now, &record)));
        let unaudited = || Problem::internal().to_response(&record.request_id);
        let mut response = if matches!(written, Ok(Ok(()))) { response } else { unaudited() };
        if let Some(request) = &request {
            self.origins.add_headers(&request.headers, &mut response);
            if request.method == Method::HEAD {
                headers::remove_body(&mut response);
            }
        }
        // Every front end understands the reply of an HTTP API.
        Reply::new(request.map_or(FrontEnd::HttpApi, |request| request.front_end), response)
    }

    async fn perform(
        &self,
        request: &HttpRequest,
        now: SystemTime,
        record: &mut Record,
    ) -> Result<(Event, Response), Failure> {
        if !self.allow_http && came_over_http(&request.headers) {
            return Err(Failure::HttpsRequired);
        }
        let operation = routes::find(&request.method, &request.path)?;
        record.operation = Some(operation.name());
        let response = match operation {
            Operation::Health => response::health(&record.request_id).map_err(Failure::from)?,
            Operation::OpenApi => response::openapi_document(&record.request_id),
            Operation::Options { allow } => response::methods(allow, &record.request_id),
            Operation::Policies => response::preset_list(&record.request_id).map_err(Failure::from)?,
            Operation::Generate => {
                let caller = authenticate(&self.auth, request, record)?;
                generate::generate(&self.services, &caller, request, now, record).await?
            }
            Operation::Policy => {
                let caller = authenticate(&self.auth, request, record)?;
                describe::describe(&self.services, &caller, request, now, record).await?
            }
            Operation::Passphrase => {
                let caller = authenticate(&self.auth, request, record)?;
                passphrase::generate(&self.services, &caller, request, now, record).await?
            }
            Operation::Validate => {
                let caller = authenticate(&self.auth, request, record)?;
                validate::validate(&self.services, &caller, request, now, record).await?
            }
        };
        Ok((success(operation), response))
    }
}

/// The event of an operation that succeeded.
const fn success(operation: Operation) -> Event {
    match operation {
        Operation::Generate => Event::Generated,
        Operation::Passphrase => Event::PassphraseGenerated,
        Operation::Policy => Event::PolicyDescribed,
        Operation::Validate => Event::Validated,
        Operation::Policies => Event::PoliciesListed,
        Operation::Health => Event::HealthChecked,
        Operation::OpenApi => Event::ContractRead,
        Operation::Options { .. } => Event::OptionsRead,
    }
}

/// Records what is known before the request is processed.
fn record_request(request: &HttpRequest, record: &mut Record) {
    if let Some(id) = &request.request_id {
        record.request_id.clone_from(id);
    }
    record.source_ip = request.source_ip;
    if let Some(agent) = request.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()) {
        record.set_user_agent(agent);
    }
}

/// Whether any hop reports that the request came over plain HTTP.
fn came_over_http(headers: &HeaderMap) -> bool {
    let values = headers.get_all("x-forwarded-proto").iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|protocol| protocol.trim().eq_ignore_ascii_case("http"))
}

/// `None` if the future panics. The message of the panic is dropped, because the runtime would return it to the caller.
async fn catch_panic<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    std::future::poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(value)) => Poll::Ready(Some(value)),
        Err(_) => Poll::Ready(None),
    })
    .await
}
