//! A table in a DynamoDB behind a proxy that counts the calls, and can fail them or stop.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use passloom::access::{Binding, KeyRecord};
use passloom::store::item::{Item, new_key_item};
use passloom::store::{self, Endpoint};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::{ACCESS_KEY, REGION, endpoint_at, engine, limits, new_key};

/// Where a function finds its table.
#[derive(Clone, Debug)]
pub struct Table {
    /// The URL of the database.
    pub url: String,
    pub name: String,
}

impl Table {
    /// A table of a database that cannot be reached.
    pub fn unreachable() -> Self {
        Self { url: "http://127.0.0.1:1".into(), name: "passloom".into() }
    }
}

pub struct Database {
    server: SocketAddr,
    table: String,
    proxy: SocketAddr,
    sent: Arc<Mutex<Vec<u8>>>,
    /// The faults of the next calls, in their order.
    faults: Arc<Mutex<VecDeque<Fault>>>,
    hold: Arc<Hold>,
    /// The listening task of the proxy, and the sender that ends its connections.
    running: Mutex<Option<(JoinHandle<()>, watch::Sender<bool>)>>,
}

impl Database {
    /// Creates a table that no other test uses.
    pub async fn start() -> Self {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let table = format!("passloom-{}", STARTED.fetch_add(1, Ordering::Relaxed));
        let database = Self::behind_proxy(engine::start().await, table).await;
        let definition = json!({
            "TableName": database.table,
            "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
            "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
            "BillingMode": "PAY_PER_REQUEST"
        });
        database.call("CreateTable", &definition).await.unwrap();
        database
    }

    /// The same table behind another proxy, for another function.
    pub async fn sibling(&self) -> Self {
        Self::behind_proxy(self.server, self.table.clone()).await
    }

    async fn behind_proxy(server: SocketAddr, table: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = listener.local_addr().unwrap();
        let (sent, faults, hold, running) = (Arc::default(), Arc::default(), Arc::default(), Mutex::default());
        let database = Self { server, table, proxy, sent, faults, hold, running };
        database.listen(listener);
        database
    }

    /// The table, behind the proxy.
    pub fn table(&self) -> Table {
        Table { url: format!("http://{}", self.proxy), name: self.table.clone() }
    }

    /// The endpoint of the proxy.
    pub fn endpoint(&self) -> Endpoint {
        endpoint_at(self.table().url)
    }

    /// A client that bypasses the proxy, so that its calls are not counted.
    pub async fn client(&self) -> Client {
        let endpoint = endpoint_at(format!("http://{}", self.server));
        store::connect(endpoint, Duration::from_secs(1)).await.unwrap()
    }

    /// Creates a key as `passloom-admin keys create` does.
    pub async fn key(&self, name: &str, per_minute: u32, per_day: u32) -> String {
        let (text, record) = new_key(name, limits(per_minute, per_day));
        let item = new_key_item(&record);
        self.client().await.put_item().table_name(&self.table).set_item(Some(item)).send().await.unwrap();
        text
    }

    /// Creates a key that is bound, or that may manage policies.
    pub async fn bound_key(&self, name: &str, binding: Binding) -> String {
        let (text, record) = new_key(name, limits(10_000, 10_000));
        let item = new_key_item(&KeyRecord { binding, ..record });
        self.client().await.put_item().table_name(&self.table).set_item(Some(item)).send().await.unwrap();
        text
    }

    /// Sets attributes of the item of the policies.
    pub async fn set_policies(&self, item: Item) {
        let pk = ("pk".to_owned(), AttributeValue::S("policies".into()));
        let item = item.into_iter().chain([pk]).collect();
        self.client().await.put_item().table_name(&self.table).set_item(Some(item)).send().await.unwrap();
    }

    /// Changes attributes of the only key as `passloom-admin keys update` does: the version increases by one.
    pub async fn change_key(&self, set: &str, values: &[(&str, AttributeValue)]) {
        let pk = self.items().await[0]["pk"]["S"].as_str().unwrap().to_owned();
        let client = self.client().await;
        let call = client.update_item().table_name(&self.table).key("pk", AttributeValue::S(pk));
        let call = call.update_expression(format!("SET {set}, v = v + :one REMOVE c"));
        let call = call.expression_attribute_values(":one", AttributeValue::N("1".into()));
        let call =
            values.iter().fold(call, |call, (name, value)| call.expression_attribute_values(*name, value.clone()));
        call.send().await.unwrap();
    }

    /// Every item.
    pub async fn items(&self) -> Vec<Value> {
        let answer = self.call("Scan", &json!({ "TableName": self.table, "ConsistentRead": true })).await.unwrap();
        answer["Items"].as_array().unwrap().clone()
    }

    /// The admissions in the only item.
    pub async fn admissions(&self) -> u64 {
        self.items().await[0]["n"]["N"].as_str().unwrap().parse().unwrap()
    }

    /// Everything that was sent to the database through the proxy.
    pub fn sent(&self) -> Vec<u8> {
        self.sent.lock().unwrap().clone()
    }

    /// The number of calls through the proxy.
    pub fn calls(&self) -> usize {
        self.calls_of("")
    }

    /// The number of calls of one operation through the proxy.
    pub fn calls_of(&self, operation: &str) -> usize {
        let sent = String::from_utf8_lossy(&self.sent()).to_ascii_lowercase();
        sent.matches(&format!("x-amz-target: dynamodb_20120810.{}", operation.to_ascii_lowercase())).count()
    }

    /// The bodies of the calls of one operation through the proxy.
    pub fn requests_of(&self, operation: &str) -> Vec<Value> {
        let sent = String::from_utf8(self.sent()).unwrap();
        let calls = sent.split("POST / HTTP/1.1").filter(|call| call.contains(&format!(".{operation}\r\n")));
        calls.map(|call| serde_json::from_str(call.split_once("\r\n\r\n").unwrap().1).unwrap()).collect()
    }

    /// Applies an update again, without the proxy. The error is the answer of the database.
    pub async fn replay(&self, update: &Value) -> Result<Value, Value> {
        self.call("UpdateItem", update).await
    }

    /// Calls an operation without the proxy. The error is the answer of the database.
    async fn call(&self, operation: &str, body: &Value) -> Result<Value, Value> {
        let body = body.to_string();
        // No engine checks signatures. DynamoDB Local has separate tables for each access key and region.
        let request = format!(
            "POST / HTTP/1.1\r\n\
             host: {}\r\n\
             content-type: application/x-amz-json-1.0\r\n\
             content-length: {}\r\n\
             x-amz-target: DynamoDB_20120810.{operation}\r\n\
             x-amz-date: 20260101T000000Z\r\n\
             authorization: AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/20260101/{REGION}/dynamodb/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature=0\r\n\
             \r\n\
             {body}",
            self.server,
            body.len(),
        );
        let mut connection = TcpStream::connect(self.server).await.unwrap();
        connection.write_all(request.as_bytes()).await.unwrap();
        let answer = String::from_utf8(message(&mut connection).await.unwrap().unwrap()).unwrap();
        let body = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
        if answer.starts_with("HTTP/1.1 200 ") { Ok(body) } else { Err(body) }
    }

    /// Sets the faults of the next calls. The calls after them are answered.
    pub fn fail(&self, faults: impl IntoIterator<Item = Fault>) {
        *self.faults.lock().unwrap() = faults.into_iter().collect();
    }

    /// Waits until a call with [`Reply::Held`] or [`Reply::Delayed`] has arrived.
    pub async fn held(&self) {
        self.hold.arrived.notified().await;
    }

    /// Closes the connection of the held call, or answers the delayed one.
    pub fn release(&self) {
        self.hold.released.notify_one();
    }

    /// Stops the proxy: its connections are closed, and new ones are refused.
    pub async fn stop(&self) {
        let running = self.running.lock().unwrap().take();
        if let Some((listening, end)) = running {
            listening.abort();
            let _ = listening.await;
            end.send_replace(true);
            end.closed().await;
        }
    }

    /// Starts the proxy again, at the same address.
    pub fn resume(&self) {
        self.listen(self.rebind());
    }

    /// Accepts connections at the address of the stopped proxy, and never answers.
    pub fn accept_silently(&self) -> JoinHandle<()> {
        let listener = self.rebind();
        tokio::spawn(async move {
            let mut connections = Vec::new();
            while let Ok(connection) = listener.accept().await {
                connections.push(connection);
            }
        })
    }

    fn rebind(&self) -> TcpListener {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind(self.proxy).unwrap();
        socket.listen(64).unwrap()
    }

    fn listen(&self, listener: TcpListener) {
        let (end, ended) = watch::channel(false);
        let (server, sent, faults, hold) = (self.server, self.sent.clone(), self.faults.clone(), self.hold.clone());
        let listening = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (mut ended, sent, faults, hold) = (ended.clone(), sent.clone(), faults.clone(), hold.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        _ = forward(near, server, &sent, &faults, &hold) => {}
                        _ = ended.wait_for(|ended| *ended) => {}
                    }
                });
            }
        });
        *self.running.lock().unwrap() = Some((listening, end));
    }
}

/// Tells a test that a call is held, and the proxy that the test releases it.
#[derive(Default)]
struct Hold {
    arrived: Notify,
    released: Notify,
}

/// How a call fails.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Whether the call reaches the database.
    pub reaches_database: bool,
    /// What the function receives.
    pub reply: Reply,
}

impl Fault {
    /// The call reaches the database, and its answer is replaced.
    pub fn after_call(reply: Reply) -> Self {
        Self { reaches_database: true, reply }
    }

    /// The call does not reach the database.
    pub fn instead_of_call(reply: Reply) -> Self {
        Self { reaches_database: false, reply }
    }
}

/// What the function receives for a call that fails.
#[derive(Clone, Debug)]
pub enum Reply {
    /// The answer: this call does not fail, but one after it.
    Unchanged,
    /// Nothing: the connection is closed.
    Reset,
    /// Nothing: the connection is closed when the test says so.
    Held,
    /// The answer, when the test says so.
    Delayed,
    /// The first half of the answer; then the connection is closed.
    Half,
    /// The answer, when the client no longer waits for it.
    Late,
    /// These bytes.
    Bytes(String),
}

/// An error of DynamoDB. Its message is "canary", which must not appear in any output.
pub fn error(status: &str, code: &str) -> Reply {
    let body = format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"canary"}}"#);
    let length = body.len();
    Reply::Bytes(format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {length}\r\n\r\n{body}"
    ))
}

/// Forwards the calls of one connection.
async fn forward(
    mut near: TcpStream,
    server: SocketAddr,
    sent: &Mutex<Vec<u8>>,
    faults: &Mutex<VecDeque<Fault>>,
    hold: &Hold,
) -> io::Result<()> {
    let mut far = TcpStream::connect(server).await?;
    while let Some(request) = message(&mut near).await? {
        sent.lock().unwrap().extend_from_slice(&request);
        // The GET that opens the connection is not a call.
        let fault = if request.starts_with(b"POST") { faults.lock().unwrap().pop_front() } else { None };
        let mut answer = Vec::new();
        if fault.as_ref().is_none_or(|fault| fault.reaches_database) {
            far.write_all(&request).await?;
            answer = message(&mut far).await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        }
        match fault.map(|fault| fault.reply) {
            None | Some(Reply::Unchanged) => near.write_all(&answer).await?,
            Some(Reply::Reset) => return Ok(()),
            Some(reply @ (Reply::Held | Reply::Delayed)) => {
                hold.arrived.notify_one();
                hold.released.notified().await;
                if matches!(reply, Reply::Held) {
                    return Ok(());
                }
                near.write_all(&answer).await?;
            }
            Some(Reply::Half) => return near.write_all(&answer[..answer.len() / 2]).await,
            Some(Reply::Late) => {
                // A client that no longer waits closes the connection.
                while near.read(&mut [0; 64]).await? > 0 {}
                return near.write_all(&answer).await;
            }
            Some(Reply::Bytes(bytes)) => near.write_all(bytes.as_bytes()).await?,
        }
    }
    Ok(())
}

/// Reads one HTTP message with a `Content-Length`; `None` at the end of the connection.
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
