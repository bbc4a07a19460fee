//! The function as Lambda runs it: a process that polls a Runtime API.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Mutex as AsyncMutex, oneshot};
use tokio::task::JoinHandle;

use super::{ACCESS_KEY, Answer, REGION, SIGNING_SECRET, Table};

/// What the function posted for an invocation.
#[derive(Debug)]
pub enum Invocation {
    /// An answer.
    Answered(Answer),
    /// An error of the Lambda runtime.
    Failed(String),
}

impl Invocation {
    #[track_caller]
    pub fn answer(self) -> Answer {
        match self {
            Self::Answered(answer) => answer,
            Self::Failed(error) => panic!("the function posted an error: {error}"),
        }
    }
}

pub struct Function {
    child: Child,
    readers: Vec<JoinHandle<()>>,
    pub stdout: Output,
    pub stderr: Output,
    events: UnboundedSender<String>,
    outcomes: AsyncMutex<UnboundedReceiver<Invocation>>,
    /// Everything that the function posted, except answers with status 200.
    posted: Arc<Mutex<Vec<u8>>>,
}

/// What a process has printed.
#[derive(Clone, Default)]
pub struct Output(Arc<Mutex<Vec<u8>>>);

impl Output {
    pub fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }
}

struct Api {
    events: AsyncMutex<UnboundedReceiver<String>>,
    outcomes: UnboundedSender<Invocation>,
    posted: Arc<Mutex<Vec<u8>>>,
    polled: Mutex<Option<oneshot::Sender<()>>>,
}

/// The most memory that the function may ever hold, in kB: 32 MB for the release build. The debug build, which is not
/// made for size, gets half as much again.
pub fn max_peak_kilobytes() -> u64 {
    if Function::path().starts_with(env!("CARGO_MANIFEST_DIR")) && Function::path().ends_with("bootstrap") {
        32 << 10
    } else {
        48 << 10
    }
}

impl Function {
    /// The program: `PASSLOOM_FUNCTION`, which `make verify` sets to the release build, or the build of this test.
    #[expect(clippy::disallowed_methods, reason = "the Makefile sets the variable")]
    pub fn path() -> PathBuf {
        std::env::var("PASSLOOM_FUNCTION").map_or_else(|_| env!("CARGO_BIN_EXE_passloom").into(), PathBuf::from)
    }

    /// A command with the environment variables of the function, and no others.
    pub fn command(program: impl AsRef<std::ffi::OsStr>, table: &Table) -> Command {
        let mut command = Command::new(program);
        command.env_clear().kill_on_drop(true).stdin(Stdio::null());
        command.envs([
            ("AWS_LAMBDA_FUNCTION_NAME", "passloom"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_ENDPOINT_URL_DYNAMODB", &table.url),
            ("TABLE_NAME", &table.name),
            ("KEY_SIGNING_SECRET", SIGNING_SECRET),
        ]);
        command
    }

    /// Starts the function, and waits until it polls for its first event.
    pub async fn start(table: &Table, variables: &[(&str, &str)]) -> Self {
        let mut command = Self::command(Self::path(), table);
        command.envs(variables.iter().copied()).stdout(Stdio::piped());
        Self::run(command).await
    }

    /// Starts a command, and waits until it polls for its first event.
    pub async fn run(mut command: Command) -> Self {
        let (events, queued_events) = unbounded_channel();
        let (outcomes, queued_outcomes) = unbounded_channel();
        let (polled, first_poll) = oneshot::channel();
        let posted = Arc::<Mutex<Vec<u8>>>::default();
        let api = Api {
            events: AsyncMutex::new(queued_events),
            outcomes,
            posted: posted.clone(),
            polled: Mutex::new(Some(polled)),
        };
        let routes = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/{kind}", post(outcome))
            .with_state(Arc::new(api));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        command.env("AWS_LAMBDA_RUNTIME_API", listener.local_addr().unwrap().to_string());
        tokio::spawn(async move { axum::serve(listener, routes).await });

        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let (stdout, stderr) = (Output::default(), Output::default());
        let readers = [
            child.stdout.take().map(|pipe| collect(pipe, stdout.clone())),
            child.stderr.take().map(|pipe| collect(pipe, stderr.clone())),
        ];
        let readers = readers.into_iter().flatten().collect();
        first_poll.await.unwrap();
        Self { child, readers, stdout, stderr, events, outcomes: AsyncMutex::new(queued_outcomes), posted }
    }

    /// Sends an event, and waits for the outcome.
    pub async fn send(&self, event: &Value) -> Invocation {
        self.send_only(event);
        self.outcome().await
    }

    /// Sends an event without waiting for the outcome.
    pub fn send_only(&self, event: &Value) {
        self.events.send(event.to_string()).unwrap();
    }

    /// Waits for the next outcome.
    pub async fn outcome(&self) -> Invocation {
        self.outcomes.lock().await.recv().await.unwrap()
    }

    /// The memory that the process holds, in kB.
    pub fn resident_kilobytes(&self) -> u64 {
        self.kilobytes("VmRSS:")
    }

    /// The most memory that the process has held, in kB.
    pub fn peak_kilobytes(&self) -> u64 {
        self.kilobytes("VmHWM:")
    }

    fn kilobytes(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id().unwrap())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Everything that the function posted, except answers with status 200.
    pub fn posted(&self) -> Vec<u8> {
        self.posted.lock().unwrap().clone()
    }

    /// Ends the process, and reads what it has printed.
    pub async fn stop(&mut self) {
        self.child.kill().await.unwrap();
        for reader in self.readers.drain(..) {
            reader.await.unwrap();
        }
    }
}

fn collect(mut pipe: impl AsyncRead + Unpin + Send + 'static, output: Output) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = pipe.read(&mut buffer).await {
            output.0.lock().unwrap().extend_from_slice(&buffer[..read]);
        }
    })
}

async fn next(State(api): State<Arc<Api>>) -> Response {
    if let Some(polled) = api.polled.lock().unwrap().take() {
        let _ = polled.send(());
    }
    let Some(event) = api.events.lock().await.recv().await else {
        return axum::http::StatusCode::GONE.into_response();
    };
    let headers = [
        ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"),
        ("lambda-runtime-deadline-ms", "4102444800000"),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-central-1:123456789012:function:passloom"),
        ("lambda-runtime-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700"),
    ];
    (headers, event).into_response()
}

async fn outcome(State(api): State<Arc<Api>>, Path((_, kind)): Path<(String, String)>, body: Bytes) -> Response {
    let text = String::from_utf8(body.to_vec()).unwrap();
    let outcome = if kind == "response" {
        let answer = Answer::of(&serde_json::from_str(&text).unwrap());
        if answer.status != 200 {
            api.posted.lock().unwrap().extend_from_slice(&body);
        }
        Invocation::Answered(answer)
    } else {
        api.posted.lock().unwrap().extend_from_slice(&body);
        Invocation::Failed(text)
    };
    api.outcomes.send(outcome).unwrap();
    axum::http::StatusCode::ACCEPTED.into_response()
}
