//! The order of a request, in one place: decode, route, authenticate, read, admit, perform, record, reply. Nothing depends
//! on this module.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use lambda_http::http::{HeaderMap, Method, header};

use crate::access::{Auth, Authenticated, Caller, CredentialsError};
use crate::admission::{Failure, Line, Operation, Performed, Services};
use crate::audit::{AuditLog, Event, Reason, Record};
use crate::clock::Clock;
use crate::dialects::Dialect;
use crate::dialects::aws::{self, Aws};
use crate::dialects::own::{self, Own};
use crate::dialects::vault::{self, Vault, VaultRoute};
use crate::http::headers::{self, AllowedOrigins, Response};
use crate::http::lambda::{self, FrontEnd, HttpRequest, Reply};
use crate::http::page::page;
use crate::http::precondition::not_modified;
use crate::http::problem::Problem;
use crate::http::routes::{self, Api, CompatibleApis, NoRoute, Route};
use crate::operations::generate::Generate;
use crate::operations::key::ReadKey;
use crate::operations::passphrase::GeneratePassphrase;
use crate::operations::policy::Describe;
use crate::operations::random::Random;
use crate::operations::stored_policies::{Delete, List, ReadPolicy, Write};
use crate::operations::validate::Validate;
use crate::store::Store;

/// Everything that outlives a request.
pub struct App {
    auth: Auth,
    allow_http: bool,
    origins: AllowedOrigins,
    apis: CompatibleApis,
    with_pages: bool,
    services: Services,
    is_warm: AtomicBool,
}

/// How a request ended, and its answer.
type Outcome = Result<(Event, Response), Failure>;

/// The caller of a request, or why it has none.
type Presented = Result<Authenticated, CredentialsError>;

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
        let services = Services::new(store, clock, audit);
        let apis = CompatibleApis::default();
        Self { auth, allow_http, origins, apis, with_pages: true, services, is_warm: AtomicBool::new(false) }
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
        handled.unwrap_or_else(|| Reply::internal_error(FrontEnd::HttpApi, |problem| problem.to_response(invocation)))
    }

    async fn try_handle(&self, event: &str, invocation: &str) -> Reply {
        let clock = self.services.clock();
        let cold_start = !self.is_warm.swap(true, Ordering::Relaxed);
        let api = Api::Passloom.name();
        let record = Record { request_id: invocation.to_owned(), api, cold_start, ..Record::default() };
        let mut line = Line::begin(clock, record);

        let decoded = lambda::decode(event);
        let api = decoded.as_ref().map_or(Api::Passloom, |request| self.apis.api(request));
        line.record.api = api.name();
        let outcome = match &decoded {
            Ok(request) => {
                record_request(request, &mut line.record);
                let caller = self.auth.authenticate(keys(api, &request.headers), request.certain_address());
                if let Ok(Caller::Key(key, _)) = caller.as_ref().map(Authenticated::caller) {
                    line.record.key_id = Some(key.id().to_string());
                }
                let outcome = catch_panic(self.answer(request, api, caller, &mut line)).await;
                outcome.unwrap_or(Err(Failure::Internal(Reason::Panic)))
            }
            Err(_) => Err(Failure::UnknownEvent),
        };
        let (event, mut response) = outcome.unwrap_or_else(|failure| {
            line.record.reason = Some(failure.cause());
            (failure.event(), error(api, &failure.problem(), Some(&failure), line.request_id()))
        });
        if let Ok(request) = &decoded {
            not_modified(request, &mut response);
        }
        if let Some(quota) = &line.quota {
            headers::add_quota(&mut response, quota);
        }
        line.record.status = Some(response.status().as_u16());
        line.record.duration_us = line.duration_us(clock);
        let write = || self.services.audit().write(event, line.time, &line.record);
        let written = catch_unwind(AssertUnwindSafe(write));

        // Every front end understands the reply of an HTTP API.
        let front_end = decoded.as_ref().map_or(FrontEnd::HttpApi, |request| request.front_end);
        let finish = |mut response| {
            if let Ok(request) = &decoded {
                self.origins.add_headers(&request.headers, &mut response);
                if request.method == Method::HEAD {
                    headers::remove_body(&mut response);
                }
            }
            response
        };
        match written {
            Ok(Ok(recorded)) => Reply::of(recorded, front_end, finish(response)),
            _ => Reply::internal_error(front_end, |problem| finish(error(api, problem, None, line.request_id()))),
        }
    }

    /// Finds what the request asks for. What needs no key is answered without it.
    async fn answer(&self, request: &HttpRequest, api: Api, caller: Presented, line: &mut Line) -> Outcome {
        if !self.allow_http && came_over_http(&request.headers) {
            return Err(Failure::HttpsRequired);
        }
        match api {
            Api::Passloom => {
                let route = routes::find(&request.method, &request.path, self.with_pages)?;
                self.answer_own(request, route, caller, line).await
            }
            Api::Aws => self.counted::<Generate, Aws>(request, caller, line).await,
            Api::Vault => match vault::route(request).ok_or(NoRoute::Path)? {
                VaultRoute::Status(route) => {
                    line.record.operation = Some(HEALTH);
                    Ok((Event::HealthChecked, vault::status(route, request, line)?))
                }
                VaultRoute::Token(instead) => {
                    line.record.operation = Some(ReadKey::NAME);
                    Err(vault::refuse(&caller?, instead))
                }
                VaultRoute::List => self.counted::<List, Vault>(request, caller, line).await,
                VaultRoute::Read => self.counted::<ReadPolicy, Vault>(request, caller, line).await,
                VaultRoute::Write => self.counted::<Write, Vault>(request, caller, line).await,
                VaultRoute::Delete => self.counted::<Delete, Vault>(request, caller, line).await,
                VaultRoute::Generate => self.counted::<Generate, Vault>(request, caller, line).await,
                VaultRoute::LookupSelf => self.counted::<ReadKey, Vault>(request, caller, line).await,
                VaultRoute::Random => self.counted::<Random, Vault>(request, caller, line).await,
            },
        }
    }

    async fn answer_own(&self, request: &HttpRequest, route: Route, caller: Presented, line: &mut Line) -> Outcome {
        let (name, event, response) = match route {
            Route::Generate => return self.counted::<Generate, Own>(request, caller, line).await,
            Route::Passphrase => return self.counted::<GeneratePassphrase, Own>(request, caller, line).await,
            Route::Policy => return self.counted::<Describe, Own>(request, caller, line).await,
            Route::Validate => return self.counted::<Validate, Own>(request, caller, line).await,
            Route::Policies => return self.counted::<List, Own>(request, caller, line).await,
            Route::NamedPolicy if request.method == Method::PUT => {
                return self.counted::<Write, Own>(request, caller, line).await;
            }
            Route::NamedPolicy if request.method == Method::DELETE => {
                return self.counted::<Delete, Own>(request, caller, line).await;
            }
            Route::NamedPolicy => return self.counted::<ReadPolicy, Own>(request, caller, line).await,
            Route::Key => return self.counted::<ReadKey, Own>(request, caller, line).await,
            Route::Presets => ("presets", Event::PresetsListed, own::list_presets(request, line)),
            Route::Health => (HEALTH, Event::HealthChecked, own::health(line)),
            Route::OpenApi => ("openapi", Event::ContractRead, own::openapi_document(request, line)),
            Route::Page(wanted) => {
                let needs_key = matches!(self.auth, Auth::Key(_));
                let bodies = request.front_end.bodies();
                let response = page(wanted, needs_key, bodies, &request.headers, line.request_id());
                ("page", Event::PageRead, response.map_err(Failure::from))
            }
            Route::Options { allow } => ("options", Event::OptionsRead, Ok(own::methods(allow, line))),
        };
        line.record.operation = Some(name);
        Ok((event, response?))
    }

    /// The order of every request that is counted. Another order does not compile: only authentication makes a caller, only
    /// admission lets an operation be performed, and only an audit line lets its answer leave.
    async fn counted<O: Operation, D: Dialect<O>>(
        &self,
        request: &HttpRequest,
        caller: Presented,
        line: &mut Line,
    ) -> Outcome {
        line.record.operation = Some(O::NAME);
        let caller = caller?;
        let request = D::read(request, &caller)?;
        let mut admitted = self.services.admit(&caller, O::ROLE, line).await?;
        let performed = O::perform(request, &mut admitted).await?;
        let (event, answer) = match performed {
            Performed::Now(event, answer) => (event, answer),
            Performed::Later(event, find) => (event, find(line.measurement.end(self.services.clock()))),
        };
        Ok((event, D::answer(answer, line)?))
    }
}

/// The name of health checks in audit lines.
const HEALTH: &str = "health";

/// The API keys that a request presents, right or wrong.
fn keys(api: Api, headers: &HeaderMap) -> Vec<&str> {
    match api {
        Api::Passloom => own::keys(headers),
        Api::Aws => aws::keys(headers),
        Api::Vault => vault::keys(headers),
    }
}

/// A problem in the form of an API. `failure` is its cause.
fn error(api: Api, problem: &Problem, failure: Option<&Failure>, request_id: &str) -> Response {
    match api {
        Api::Passloom => problem.to_response(request_id),
        Api::Aws => aws::error(problem, failure, request_id),
        Api::Vault => vault::error(problem, request_id),
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
