//! The DynamoDB of the tests: embedded in the test, or Amazon's DynamoDB Local.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use tokio::net::TcpListener;

/// The process that all tests of this binary use, if they run against DynamoDB Local.
static DYNAMODB_LOCAL: LazyLock<Option<DynamoDbLocal>> =
    LazyLock::new(|| folder().map(|folder| DynamoDbLocal::start(&folder)));

/// The folder of DynamoDB Local, if the tests run against it.
#[expect(clippy::disallowed_methods, reason = "the Makefile sets the variable")]
fn folder() -> Option<PathBuf> {
    std::env::var("DYNAMODB_LOCAL").ok().map(PathBuf::from)
}

/// The address of a DynamoDB: of DynamoDB Local, or of an embedded one, which ends with the test.
pub async fn start() -> SocketAddr {
    if let Some(local) = &*DYNAMODB_LOCAL {
        return local.address;
    }
    let engine = dynoxide::Database::memory().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(dynoxide::server::serve_on(listener, engine));
    address
}

struct DynamoDbLocal {
    address: SocketAddr,
    /// Has the write end of the standard input of Java. It is closed when the process of the tests ends, in whatever
    /// way, and `DynamoDbLocal.java` ends then.
    _java: Child,
}

impl DynamoDbLocal {
    fn start(folder: &Path) -> Self {
        let mut command = Command::new("java");
        // These two options shorten the start.
        command.args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]);
        command.arg(format!("-Djava.library.path={}", folder.join("DynamoDBLocal_lib").display()));
        command.arg("-cp").arg(folder.join("DynamoDBLocal.jar"));
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/end_to_end/support/DynamoDbLocal.java"));
        command.env("DDB_LOCAL_TELEMETRY", "0").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut java = command.spawn().unwrap();
        let mut port = String::new();
        BufReader::new(java.stdout.take().unwrap()).read_line(&mut port).unwrap();
        let port = port.trim().parse::<u16>().unwrap_or_else(|_| panic!("{command:?} did not print a port"));
        Self { address: (Ipv4Addr::LOCALHOST, port).into(), _java: java }
    }
}
