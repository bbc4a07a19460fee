//! One request in, one answer out: the only place that turns an error into an answer and writes the
//! audit line.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::{Instant, SystemTime};

use lambda_http::http::{HeaderMap, Method, header};
use rand::TryRng;
use rand::rngs::SysRng;

use crate::access::{Admission, ApiKey, Caller, KeyError, Peppers, Refusal, Store};
use crate::audit::{AuditLog, Event, Record};
use crate::http::body::{self, Drawn};
use crate::http::request::{Generate, Passphrases, RequestError, Validate};
use crate::http::response::{self, Format};
use crate::http::routes::{self, Operation};
use crate::http::{Incoming, Origin, Origins, Problem, Reply, Response, event};
use crate::password::{self, Phrase, Policy, Sampler, Secret, verify};
use crate::settings::Auth;

/// Samplers kept for the next request with the same policy. The tables of one take up to 8 MiB.
const SAMPLERS: usize = 4;

/// Tells the time.
pub type Clock = Box<dyn Fn() -> SystemTime + Send + Sync>;

/// Everything a request needs that outlives it.
pub struct App {
    auth: Auth,
    allow_http: bool,
    origins: Origins,
    store: Store,
    audit: AuditLog,
    clock: Clock,
    warm: AtomicBool,
    /// The last that were used, the latest first.
    samplers: Mutex<Vec<Arc<Sampler>>>,
}

/// The system's clock, for [`App::new`].
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place where the clock is read")]
pub fn system_clock() -> Clock {
    Box::new(SystemTime::now)
}

impl App {
    /// An app that has answered nothing yet.
    #[must_use]
    pub fn new(auth: Auth, allow_http: bool, origins: Origins, store: Store, audit: AuditLog, clock: Clock) -> Self {
        let (warm, samplers) = (AtomicBool::new(false), Mutex::default());
        Self { auth, allow_http, origins, store, audit, clock, warm, samplers }
    }

    /// Answers one event. `invocation` is Lambda's id of it.
    ///
    /// Whatever happens on the way, the audit line is written first; when it cannot be, the answer is
    /// 500 and nothing else leaves.
    pub async fn handle(&self, event: &str, invocation: &str) -> Reply {
        let began = Instant::now();
        let now = (self.clock)();
        let cold_start = !self.warm.swap(true, Ordering::Relaxed);
        let mut record = Record { request_id: invocation.to_owned(), cold_start, ..Record::default() };

        let (incoming, outcome) = match event::decode(event) {
            Ok(incoming) => {
                describe(&incoming, &mut record);
                let outcome = catch_panic(self.answer(&incoming, now, &mut record)).await;
                (Some(incoming), outcome.unwrap_or_else(|| Err(Problem::internal("panic"))))
            }
            Err(_) => (None, Err(Problem::unknown_event())),
        };
        let (event, response) = match outcome {
            Ok((event, response)) => (event, response),
            Err(problem) => {
                record.reason = Some(problem.reason());
                let event = if problem.status().is_server_error() { Event::Failed } else { Event::Refused };
                (event, problem.to_response(&record.request_id))
            }
        };
        record.status = response.status().as_u16();
        record.duration_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let written = catch_unwind(AssertUnwindSafe(|| self.audit.write(event, now, &record)));
        let unaudited = || Problem::internal("audit").to_response(&record.request_id);
        let mut response = if matches!(written, Ok(Ok(()))) { response } else { unaudited() };
        if let Some(incoming) = &incoming {
            self.origins.admit(&incoming.headers, &mut response);
            if incoming.method == Method::HEAD {
                response::without_body(&mut response);
            }
        }
        // Every front end reads the form of an HTTP API's reply.
        Reply::new(incoming.map_or(Origin::HttpApi, |incoming| incoming.origin), response)
    }

    async fn answer(
        &self,
        incoming: &Incoming,
        now: SystemTime,
        record: &mut Record,
    ) -> Result<(Event, Response), Problem> {
        if !self.allow_http && came_over_http(&incoming.headers) {
            return Err(Problem::https_required());
        }
        let operation = routes::find(&incoming.method, &incoming.path)?;
        record.operation = Some(operation.name());
        let request_id = &record.request_id;
        let response = match operation {
            Operation::Health => body::health(request_id),
            Operation::OpenApi => body::openapi(request_id),
            Operation::Options { allow } => body::options(allow, request_id),
            Operation::Policies => body::policies(request_id).map_err(|_| Problem::internal("serialisation"))?,
            Operation::Generate | Operation::Policy => self.generate(operation, incoming, now, record).await?,
            Operation::Passphrase => self.passphrase(incoming, now, record).await?,
            Operation::Validate => self.validate(incoming, now, record).await?,
        };
        Ok((succeeded(operation), response))
    }

    /// Passwords, or what their policy amounts to. Cheap refusals first: neither a forged key nor a
    /// malformed request reaches the database.
    async fn generate(
        &self,
        operation: Operation,
        incoming: &Incoming,
        now: SystemTime,
        record: &mut Record,
    ) -> Result<Response, Problem> {
        let caller = self.caller(incoming, record)?;
        let Generate { policy, preset, count } = Generate::read(incoming)?;
        let sampler = self.sampler(&policy)?;
        record.policy = preset;
        record.length = Some(policy.length());
        record.classes = Some(policy.class_names());
        record.entropy_bits = Some(sampler.entropy().rounded_down());

        let admission = self.admit(&caller, now, record).await?;
        let answer = if operation == Operation::Policy {
            body::described(&policy, count, sampler.count(), &record.request_id)
        } else {
            let secrets = draw(&sampler, count)?;
            record.count = Some(secrets.len());
            let (entropy, format) = (sampler.entropy(), Format::preferred(&incoming.headers));
            body::passwords(&Drawn { secrets: &secrets, count, entropy, format }, &policy, &record.request_id)
        };
        finish(answer, &admission)
    }

    async fn passphrase(&self, incoming: &Incoming, now: SystemTime, record: &mut Record) -> Result<Response, Problem> {
        let caller = self.caller(incoming, record)?;
        let Passphrases { phrase, count } = Passphrases::read(incoming)?;
        let entropy = phrase.count().entropy();
        record.words = Some(phrase.words);
        record.entropy_bits = Some(entropy.rounded_down());

        let admission = self.admit(&caller, now, record).await?;
        let secrets = draw_phrases(&phrase, count)?;
        record.count = Some(secrets.len());
        let drawn = Drawn { secrets: &secrets, count, entropy, format: Format::preferred(&incoming.headers) };
        finish(body::passphrases(&drawn, &phrase, &record.request_id), &admission)
    }

    /// Nothing of the password, not even its length, is taken down.
    async fn validate(&self, incoming: &Incoming, now: SystemTime, record: &mut Record) -> Result<Response, Problem> {
        let caller = self.caller(incoming, record)?;
        let Validate { password, constraints } = Validate::read(incoming)?;
        record.policy = constraints.preset.map(|preset| preset.name);
        let assessment = password::assess(&constraints, password.expose()).map_err(RequestError::from)?;

        let admission = self.admit(&caller, now, record).await?;
        let strength = password::strength(password.expose());
        finish(body::assessed(&assessment, &strength, &record.request_id), &admission)
    }

    /// The sampler of a policy: one of the last few that were used, or a new one. Others need not wait
    /// while that is worked out.
    fn sampler(&self, policy: &Policy) -> Result<Arc<Sampler>, Problem> {
        let known = self.samplers().iter().find(|one| one.shape() == policy.shape()).cloned();
        let sampler = if let Some(sampler) = known {
            sampler
        } else {
            let sampler = Sampler::new(policy.shape().clone());
            Arc::new(sampler.map_err(|error| RequestError::from(policy.explain(error)))?)
        };
        let mut samplers = self.samplers();
        // Another request may have worked out the same one meanwhile.
        samplers.retain(|one| one.shape() != policy.shape());
        samplers.insert(0, sampler.clone());
        samplers.truncate(SAMPLERS);
        Ok(sampler)
    }

    fn samplers(&self) -> MutexGuard<'_, Vec<Arc<Sampler>>> {
        self.samplers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who asks, as far as can be said without the database.
    fn caller(&self, incoming: &Incoming, record: &mut Record) -> Result<Caller, Problem> {
        let address = incoming.source_ip.filter(|_| incoming.source_ip_is_certain);
        match &self.auth {
            Auth::Key(peppers) => {
                let key = presented_key(&incoming.headers, peppers)?;
                record.key_id = Some(key.id().to_string());
                Ok(Caller::Key(key, address))
            }
            Auth::Address(limits) => Ok(Caller::Address(address.ok_or_else(Problem::address_unknown)?.into(), *limits)),
        }
    }

    /// Authenticates and counts.
    async fn admit(&self, caller: &Caller, now: SystemTime, record: &mut Record) -> Result<Admission, Problem> {
        let mut mark = [0; 16];
        SysRng.try_fill_bytes(&mut mark).map_err(|_| Problem::internal("randomness"))?;
        // On the heap: the SDK's future is twenty times as large as the rest of a request.
        match Box::pin(self.store.admit(caller, now, mark)).await {
            Ok(admission) => {
                record.sequence = Some(admission.sequence);
                record.key_name.clone_from(&admission.key_name);
                record.remaining = Some(admission.quota.minute);
                Ok(admission)
            }
            Err(Refusal::UnknownKey) => Err(Problem::unauthorized("unknown-key")),
            Err(Refusal::Barred { key_name, bar }) => {
                record.key_name = Some(key_name);
                Err(bar.into())
            }
            Err(Refusal::RateLimited { key_name, quota, retry_after }) => {
                record.key_name = key_name;
                record.remaining = Some(quota.minute);
                Err(Problem::rate_limited(&quota, retry_after))
            }
            Err(Refusal::Unavailable { cause }) => Err(Problem::unavailable(&cause)),
        }
    }
}

/// Adds to an answer what is left of the caller's limits.
fn finish(answer: serde_json::Result<Response>, admission: &Admission) -> Result<Response, Problem> {
    let mut answer = answer.map_err(|_| Problem::internal("serialisation"))?;
    response::add_quota(&mut answer, &admission.quota);
    Ok(answer)
}

/// How an operation that was answered is called in the log.
const fn succeeded(operation: Operation) -> Event {
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

/// Draws passphrases, each read again word by word.
fn draw_phrases(phrase: &Phrase, count: Option<u16>) -> Result<Vec<Secret>, Problem> {
    let drawn = (0..count.unwrap_or(1)).map(|_| phrase.draw(&mut SysRng)).collect::<Result<Vec<_>, _>>();
    let drawn = drawn.map_err(|_| Problem::internal("randomness"))?;
    if drawn.iter().all(|secret| phrase.admits(secret.expose())) {
        Ok(drawn)
    } else {
        Err(Problem::internal("verification"))
    }
}

/// Draws passwords, each checked against its shape by code that is not the sampler's.
fn draw(sampler: &Sampler, count: Option<u16>) -> Result<Vec<Secret>, Problem> {
    let drawn = (0..count.unwrap_or(1)).map(|_| sampler.draw(&mut SysRng)).collect::<Result<Vec<_>, _>>();
    let drawn = drawn.map_err(|_| Problem::internal("randomness"))?;
    if drawn.iter().any(|secret| verify(sampler.shape(), secret.expose()).is_err()) {
        return Err(Problem::internal("verification"));
    }
    Ok(drawn)
}

/// Takes down what is known before anything is decided.
fn describe(incoming: &Incoming, record: &mut Record) {
    if let Some(id) = &incoming.request_id {
        record.request_id.clone_from(id);
    }
    record.source_ip = incoming.source_ip;
    if let Some(agent) = incoming.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()) {
        record.set_user_agent(agent);
    }
}

/// Whether any hop says that the request came over plain HTTP.
fn came_over_http(headers: &HeaderMap) -> bool {
    let values = headers.get_all("x-forwarded-proto").iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|protocol| protocol.trim().eq_ignore_ascii_case("http"))
}

/// The key in the headers, if it is one of this deployment.
fn presented_key(headers: &HeaderMap, peppers: &Peppers) -> Result<ApiKey, Problem> {
    let plain = headers.get_all("x-api-key").iter().map(|value| value.to_str().unwrap_or_default());
    let bearer = headers.get_all(header::AUTHORIZATION).iter().filter_map(|value| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start())
    });
    let mut keys = plain.chain(bearer);
    let key = keys.next().ok_or_else(|| Problem::unauthorized("no-key"))?;
    if keys.any(|other| other != key) {
        return Err(Problem::conflicting_keys());
    }
    ApiKey::parse(key, peppers).map_err(|error| {
        Problem::unauthorized(match error {
            KeyError::Malformed => "malformed-key",
            KeyError::Forged => "forged-key",
        })
    })
}

/// `None` where the future panics. The panic's message stays here: the runtime would hand it on.
async fn catch_panic<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    std::future::poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(value)) => Poll::Ready(Some(value)),
        Err(_) => Poll::Ready(None),
    })
    .await
}
