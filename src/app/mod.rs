//! One request in, one response out: decode, route, authenticate, admit, perform, audit, reply.

mod aws;
mod describe;
mod error;
mod generate;
mod key;
mod named_policy;
mod passphrase;
mod policies;
mod sampler_cache;
mod services;
mod validate;
mod vault;

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use lambda_http::http::{HeaderMap, Method, header};

use self::error::Failure;
use self::sampler_cache::SamplerCache;
use self::services::{Progress, Services};
use crate::access::{Auth, Authenticated, Caller, CredentialsError, Store};
use crate::audit::{AuditLog, Event, Reason, Record};
use crate::clock::{Clock, Measurement};
use crate::http::dialects::vault::VaultRoute;
use crate::http::dialects::{CompatibleApis, Dialect};
use crate::http::response::{self, Response, headers};
use crate::http::routes::{self, NoRoute, Operation};
use crate::http::{AllowedOrigins, FrontEnd, HttpRequest, Problem, Reply, lambda};

/// Everything that outlives a request.
pub struct App {
    auth: Auth,
    allow_http: bool,
    origins: AllowedOrigins,
    apis: CompatibleApis,
    with_pages: bool,
    services: Services,
    audit: AuditLog,
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
        let services = Services { store, clock, samplers: SamplerCache::default() };
        let apis = CompatibleApis::default();
        Self { auth, allow_http, origins, apis, with_pages: true, services, audit, is_warm: AtomicBool::new(false) }
    }

    /// The same app, which answers these APIs of other services. By default it answers all of them.
    #[must_use]
    pub fn with_apis(self, apis: CompatibleApis) -> Self {
        Self { apis, ..self }
    }

    /// The same app, which serves the pages for browsers or not. By default it does.
    #[must_use]
    pub fn with_pages(self, with_pages: bool) -> Self {
        Self { with_pages, ..self }
    }

    /// Handles one event. `invocation` is Lambda's id of it.
    ///
    /// The audit line is written before the reply is returned. If it cannot be written, or the code panics outside an
    /// operation, the reply is a 500 without anything else.
    pub async fn handle(&self, event: &str, invocation: &str) -> Reply {
        // Boxed because the futures of all operations together are large.
        let handled = catch_panic(Box::pin(self.try_handle(event, invocation))).await;
        handled.unwrap_or_else(|| Reply::new(FrontEnd::HttpApi, Problem::internal().to_response(invocation)))
    }

    async fn try_handle(&self, event: &str, invocation: &str) -> Reply {
        let clock = &self.services.clock;
        let measurement = Measurement::begin(clock);
        let cold_start = !self.is_warm.swap(true, Ordering::Relaxed);
        let api = Dialect::Passloom.name();
        let record = Record { request_id: invocation.to_owned(), api, cold_start, ..Record::default() };
        let mut progress = Progress { record, time: clock.now(), quota: None, measurement };

        let decoded = lambda::decode(event);
        let dialect = decoded.as_ref().map_or(Dialect::Passloom, |request| self.apis.dialect(request));
        progress.record.api = dialect.name();
        let outcome = match &decoded {
            Ok(request) => {
                record_request(request, &mut progress.record);
                let caller = self.auth.authenticate(dialect.keys(&request.headers), request.certain_address());
                if let Ok(Caller::Key(key, _)) = caller.as_ref().map(Authenticated::caller) {
                    progress.record.key_id = Some(key.id().to_string());
                }
                let outcome = catch_panic(self.perform(request, dialect, caller, &mut progress)).await;
                outcome.unwrap_or(Err(Failure::Internal(Reason::Panic)))
            }
            Err(_) => Err(Failure::UnknownEvent),
        };
        let Progress { mut record, time, quota, measurement } = progress;
        let (event, mut response) = match outcome {
            Ok(success) => success,
            Err(failure) => {
                record.reason = Some(failure.cause());
                let problem = failure.problem();
                let event = if problem.status().is_server_error() { Event::Failed } else { Event::Refused };
                (event, dialect.error(&problem, &record.request_id))
            }
        };
        if let Some(quota) = &quota {
            headers::add_quota(&mut response, quota);
        }
        record.status = response.status().as_u16();
        record.duration_us = u64::try_from(measurement.duration(clock).as_micros()).unwrap_or(u64::MAX);
        let written = catch_unwind(AssertUnwindSafe(|| self.audit.write(event, time, &record)));
        if !matches!(written, Ok(Ok(()))) {
            response = dialect.error(&Problem::internal(), &record.request_id);
        }
        // Every front end understands the reply of an HTTP API.
        let Ok(request) = decoded else { return Reply::new(FrontEnd::HttpApi, response) };
        self.origins.add_headers(&request.headers, &mut response);
        if request.method == Method::HEAD {
            headers::remove_body(&mut response);
        }
        Reply::new(request.front_end, response)
    }

    async fn perform(
        &self,
        request: &HttpRequest,
        dialect: Dialect,
        caller: Result<Authenticated, CredentialsError>,
        progress: &mut Progress,
    ) -> Result<(Event, Response), Failure> {
        if !self.allow_http && came_over_http(&request.headers) {
            return Err(Failure::HttpsRequired);
        }
        match dialect {
            Dialect::Passloom => self.perform_own(request, caller, progress).await,
            Dialect::Aws => {
                progress.record.operation = Some(Operation::Generate.name());
                let response = aws::generate(&self.services, &caller?, request, progress).await?;
                Ok((Event::Generated, response))
            }
            Dialect::Vault => {
                let route = VaultRoute::find(request).ok_or(NoRoute::Path)?;
                progress.record.operation = Some(route.operation());
                match route {
                    VaultRoute::Status => vault::status(request, progress),
                    VaultRoute::Keyed(route) => {
                        let caller = caller?;
                        let request = route.read(request, &caller)?;
                        vault::perform(&self.services, &caller, request, progress).await
                    }
                }
            }
        }
    }

    async fn perform_own(
        &self,
        request: &HttpRequest,
        caller: Result<Authenticated, CredentialsError>,
        progress: &mut Progress,
    ) -> Result<(Event, Response), Failure> {
        let operation = routes::find(&request.method, &request.path, self.with_pages)?;
        progress.record.operation = Some(operation.name());
        let services = &self.services;
        let response = match operation {
            Operation::NamedPolicy => {
                let name = routes::last_part(&request.path);
                return policies::one(services, &caller?, request, name, progress).await;
            }
            Operation::Key => key::read(services, &caller?, request, progress).await?,
            Operation::Health => response::health(&progress.record.request_id)?,
            Operation::OpenApi => response::openapi_document(&progress.record.request_id),
            Operation::Page(page) => {
                let needs_key = matches!(self.auth, Auth::Key(_));
                let bodies = request.front_end.bodies();
                response::page(page, needs_key, bodies, &request.headers, &progress.record.request_id)?
            }
            Operation::Options { allow } => response::methods(allow, &progress.record.request_id),
            Operation::Presets => policies::presets(request, progress)?,
            Operation::Policies => policies::list(services, &caller?, request, progress).await?,
            Operation::Generate => generate::generate(services, &caller?, request, progress).await?,
            Operation::Policy => describe::describe(services, &caller?, request, progress).await?,
            Operation::Passphrase => passphrase::generate(services, &caller?, request, progress).await?,
            Operation::Validate => validate::validate(services, &caller?, request, progress).await?,
        };
        Ok((success(operation), response))
    }
}

/// The event of an operation that succeeded.
const fn success(operation: Operation) -> Event {
    match operation {
        Operation::Generate => Event::Generated,
        Operation::Passphrase => Event::PassphraseGenerated,
        Operation::Policy | Operation::NamedPolicy => Event::PolicyDescribed,
        Operation::Validate => Event::Validated,
        Operation::Presets => Event::PresetsListed,
        Operation::Policies => Event::PoliciesListed,
        Operation::Key => Event::KeyRead,
        Operation::Health => Event::HealthChecked,
        Operation::OpenApi => Event::ContractRead,
        Operation::Page(_) => Event::PageRead,
        Operation::Options { .. } => Event::OptionsRead,
    }
}

/// Records what is known before the request is processed.
fn record_request(request: &HttpRequest, record: &mut Record) {
    if let Some(id) = &request.request_id {
        record.request_id.clone_from(id);
    }
    record.source_ip = request.source_ip;
    if let Some(agent) = request.headers.get(header::USER_AGENT) {
        let escaped = || agent.as_bytes().escape_ascii().to_string();
        record.set_user_agent(&agent.to_str().map_or_else(|_| escaped(), str::to_owned));
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
