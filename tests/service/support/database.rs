//! An embedded DynamoDB behind a wire that counts the calls and can be cut.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use passloom::access::{self, Endpoint};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::{endpoint_at, limits, new_key};

pub const TABLE: &str = "passloom";

pub struct Database {
    engine: dynoxide::Database,
    server: SocketAddr,
    wire: SocketAddr,
    sent: Arc<Mutex<Vec<u8>>>,
    /// What becomes of the next calls, one after the other.
    faults: Arc<Mutex<VecDeque<Fault>>>,
    hold: Arc<Hold>,
    /// The listening task, and what ends the connections it has made.
    line: Mutex<Option<(JoinHandle<()>, watch::Sender<bool>)>>,
}

impl Database {
    pub async fn start() -> Self {
        let engine = dynoxide::Database::memory().unwrap();
        let table = json!({
            "TableName": TABLE,
            "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
            "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
            "BillingMode": "PAY_PER_REQUEST"
        });
        engine.create_table(serde_json::from_value(table).unwrap()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = listener.local_addr().unwrap();
        tokio::spawn(dynoxide::server::serve_on(listener, engine.clone()));

        Self::behind_wire(engine, server).await
    }

    /// Where the function reaches it.
    pub fn endpoint(&self) -> Endpoint {
        endpoint_at(self.url())
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.wire)
    }

    /// A client past the wire, whose calls do not count.
    pub async fn client(&self) -> Client {
        let endpoint = endpoint_at(format!("http://{}", self.server));
        access::connect(endpoint, Duration::from_secs(1)).await.unwrap()
    }

    /// Makes a key as `passloom-keys create` does.
    pub async fn key(&self, name: &str, per_minute: u32, per_day: u32) -> String {
        let (text, record) = new_key(name, limits(per_minute, per_day));
        let item = record.to_new_item();
        self.client().await.put_item().table_name(TABLE).set_item(Some(item)).send().await.unwrap();
        text
    }

    /// All that went over the wire to the database.
    pub fn sent(&self) -> Vec<u8> {
        self.sent.lock().unwrap().clone()
    }

    /// How many calls the database was sent.
    pub fn calls(&self) -> usize {
        self.calls_of("")
    }

    /// How many calls of one operation the database was sent.
    pub fn calls_of(&self, operation: &str) -> usize {
        let sent = String::from_utf8_lossy(&self.sent()).to_ascii_lowercase();
        sent.matches(&format!("x-amz-target: dynamodb_20120810.{}", operation.to_ascii_lowercase())).count()
    }

    /// The bodies of the calls of one operation.
    pub fn requests_of(&self, operation: &str) -> Vec<serde_json::Value> {
        let sent = String::from_utf8(self.sent()).unwrap();
        let calls = sent.split("POST / HTTP/1.1").filter(|call| call.contains(&format!(".{operation}\r\n")));
        calls.map(|call| serde_json::from_str(call.split_once("\r\n\r\n").unwrap().1).unwrap()).collect()
    }

    /// Makes a call once more, past the wire.
    pub fn replay(&self, update: &serde_json::Value) -> Result<serde_json::Value, String> {
        let update = serde_json::from_value(update.clone()).unwrap();
        let answer = self.engine.update_item(update).map_err(|error| error.to_string())?;
        Ok(serde_json::to_value(answer).unwrap())
    }

    /// Waits until a call is held.
    pub async fn held(&self) {
        self.hold.arrived.notified().await;
    }

    /// Ends the connection of a call that is held.
    pub fn release(&self) {
        self.hold.released.notify_one();
    }

    /// Every item, past the wire.
    pub fn items(&self) -> Vec<serde_json::Value> {
        let scan = serde_json::from_value(json!({ "TableName": TABLE })).unwrap();
        let answer = serde_json::to_value(self.engine.scan(scan).unwrap()).unwrap();
        answer["Items"].as_array().cloned().unwrap_or_default()
    }

    /// Stops answering: connections end, new ones are refused.
    pub async fn stop(&self) {
        let line = self.line.lock().unwrap().take();
        if let Some((listening, cut)) = line {
            listening.abort();
            let _ = listening.await;
            cut.send_replace(true);
            cut.closed().await;
        }
    }

    /// Answers again, where it did before.
    pub fn resume(&self) {
        self.listen(self.rebind());
    }

    /// Takes connections where the database was, and says nothing. Ends when dropped.
    pub fn swallow(&self) -> JoinHandle<()> {
        let listener = self.rebind();
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok(connection) = listener.accept().await {
                held.push(connection);
            }
        })
    }

    /// What becomes of the next calls; those after them are answered.
    pub fn fail(&self, faults: impl IntoIterator<Item = Fault>) {
        *self.faults.lock().unwrap() = faults.into_iter().collect();
    }

    /// Sets the `per_minute` of the only key, as an administrator's tool does: the version rises.
    pub async fn change_limit(&self, per_minute: &str) {
        let pk = self.items()[0]["pk"]["S"].as_str().unwrap().to_owned();
        let client = self.client().await;
        let call = client.update_item().table_name(TABLE).key("pk", AttributeValue::S(pk));
        let call = call.update_expression("SET per_minute = :limit, v = v + :one");
        let call = call.expression_attribute_values(":limit", AttributeValue::N(per_minute.into()));
        call.expression_attribute_values(":one", AttributeValue::N("1".into())).send().await.unwrap();
    }

    /// A wire of its own to the same database, for another function.
    pub async fn sibling(&self) -> Self {
        Self::behind_wire(self.engine.clone(), self.server).await
    }

    async fn behind_wire(engine: dynoxide::Database, server: SocketAddr) -> Self {
        let wire = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = wire.local_addr().unwrap();
        let (sent, faults, hold, line) = (Arc::default(), Arc::default(), Arc::default(), Mutex::default());
        let database = Self { engine, server, wire: address, sent, faults, hold, line };
        database.listen(wire);
        database
    }

    fn rebind(&self) -> TcpListener {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind(self.wire).unwrap();
        socket.listen(64).unwrap()
    }

    fn listen(&self, listener: TcpListener) {
        let (cut, whole) = watch::channel(false);
        let (server, sent, faults, hold) = (self.server, self.sent.clone(), self.faults.clone(), self.hold.clone());
        let listening = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (mut whole, sent, faults, hold) = (whole.clone(), sent.clone(), faults.clone(), hold.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        _ = carry(near, server, &sent, &faults, &hold) => {}
                        _ = whole.wait_for(|cut| *cut) => {}
                    }
                });
            }
        });
        *self.line.lock().unwrap() = Some((listening, cut));
    }
}

/// How a test holds a call.
#[derive(Default)]
struct Hold {
    arrived: Notify,
    released: Notify,
}

/// What becomes of a call.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Whether the database gets to see it.
    pub lands: bool,
    /// What comes back.
    pub answer: Outcome,
}

/// What comes back for a call.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Nothing: the connection ends.
    Reset,
    /// Nothing, when the test says so: the connection ends.
    Held,
    /// The first half of the answer, then nothing.
    Half,
    /// The answer, a second late.
    Late,
    /// These bytes.
    Bytes(String),
}

/// An answer of DynamoDB's that is an error.
pub fn error(status: &str, code: &str) -> Outcome {
    let body = format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"canary"}}"#);
    let length = body.len();
    Outcome::Bytes(format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {length}\r\n\r\n{body}"
    ))
}

async fn carry(
    mut near: TcpStream,
    server: SocketAddr,
    sent: &Mutex<Vec<u8>>,
    faults: &Mutex<VecDeque<Fault>>,
    hold: &Hold,
) -> io::Result<()> {
    let mut far = TcpStream::connect(server).await?;
    while let Some(request) = message(&mut near).await? {
        sent.lock().unwrap().extend_from_slice(&request);
        // Opening the connection is no call.
        let fault = if request.starts_with(b"POST") { faults.lock().unwrap().pop_front() } else { None };
        let mut answer = Vec::new();
        if fault.as_ref().is_none_or(|fault| fault.lands) {
            far.write_all(&request).await?;
            answer = message(&mut far).await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        }
        match fault.map(|fault| fault.answer) {
            None => near.write_all(&answer).await?,
            Some(Outcome::Reset) => return Ok(()),
            Some(Outcome::Held) => {
                hold.arrived.notify_one();
                hold.released.notified().await;
                return Ok(());
            }
            Some(Outcome::Half) => return near.write_all(&answer[..answer.len() / 2]).await,
            Some(Outcome::Late) => {
                tokio::time::sleep(Duration::from_secs(1)).await;
                near.write_all(&answer).await?;
            }
            Some(Outcome::Bytes(bytes)) => near.write_all(bytes.as_bytes()).await?,
        }
    }
    Ok(())
}

/// One HTTP message with a length, or nothing where the connection ends.
async fn message(stream: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    loop {
        if let Some(head) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
            if bytes.len() >= head + 4 + length {
                return Ok(Some(bytes));
            }
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    }
}
