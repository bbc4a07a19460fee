//! An embedded DynamoDB behind a wire that counts the calls and can be cut.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use passloom::access::{self, Endpoint};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{endpoint_at, limits, new_key};

pub const TABLE: &str = "passloom";

pub struct Database {
    engine: dynoxide::Database,
    server: SocketAddr,
    wire: SocketAddr,
    sent: Arc<Mutex<Vec<u8>>>,
    /// Whether the next answer is to be lost on its way.
    losing: Arc<AtomicBool>,
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

    /// Lets the next call through to the database, and cuts the connection in place of its answer.
    pub fn lose_next_answer(&self) {
        self.losing.store(true, Ordering::SeqCst);
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
        let (sent, losing, line) = (Arc::default(), Arc::default(), Mutex::default());
        let database = Self { engine, server, wire: address, sent, losing, line };
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
        let (server, sent, losing) = (self.server, self.sent.clone(), self.losing.clone());
        let listening = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (mut whole, sent, losing) = (whole.clone(), sent.clone(), losing.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        _ = carry(near, server, &sent, &losing) => {}
                        _ = whole.wait_for(|cut| *cut) => {}
                    }
                });
            }
        });
        *self.line.lock().unwrap() = Some((listening, cut));
    }
}

async fn carry(near: TcpStream, server: SocketAddr, sent: &Mutex<Vec<u8>>, losing: &AtomicBool) -> io::Result<()> {
    let far = TcpStream::connect(server).await?;
    let ((mut from_near, mut to_near), (mut from_far, mut to_far)) = (near.into_split(), far.into_split());
    let forth = async {
        let mut buffer = [0; 4096];
        loop {
            let read = from_near.read(&mut buffer).await?;
            if read == 0 {
                return to_far.shutdown().await;
            }
            sent.lock().unwrap().extend_from_slice(&buffer[..read]);
            to_far.write_all(&buffer[..read]).await?;
        }
    };
    let back = async {
        let mut buffer = [0; 4096];
        loop {
            let read = from_far.read(&mut buffer).await?;
            if read == 0 {
                return to_near.shutdown().await;
            }
            if losing.swap(false, Ordering::SeqCst) {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            to_near.write_all(&buffer[..read]).await?;
        }
    };
    tokio::try_join!(forth, back).map(drop)
}
