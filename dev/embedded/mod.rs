//! The embedded DynamoDB of these programs: a server, a table and API keys.

#![allow(dead_code, reason = "each program uses a part of this module")]

use std::error::Error;
use std::fmt::Write;
use std::net::Ipv4Addr;
use std::num::NonZeroU32;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Credentials;
use passloom::access::{ApiKey, Binding, KeyRecord, Limits, SigningSecrets};
use passloom::clock::{Clock, rfc3339};
use passloom::store::item;
use passloom::store::{self, Endpoint};
use rand::TryRng;
#[expect(clippy::disallowed_types, reason = "the generator of the function")]
use rand::rngs::{SysError, SysRng};
use serde_json::json;
use tokio::net::TcpListener;

pub(crate) const TABLE: &str = "passloom";

/// An empty database in memory, and a key whose limits no test reaches.
pub(crate) struct Embedded {
    pub(crate) url: String,
    pub(crate) client: Client,
    pub(crate) signing_secret: String,
    pub(crate) key: String,
    /// A key with a valid tag that is not in the table.
    pub(crate) unknown: String,
}

impl Embedded {
    pub(crate) async fn start() -> Result<Self, Box<dyn Error>> {
        let url = serve(dynoxide::Database::memory()?, 0).await?;
        let client = connect(&url).await?;
        let signing_secret = new_signing_secret()?;
        let secrets = parse_signing_secret(&signing_secret)?;
        let limits = Limits { per_minute: NonZeroU32::MAX, per_day: NonZeroU32::MAX };
        let key = create_key(&client, &secrets, "tests", limits).await?;
        let (_, unknown) = ApiKey::generate(&mut SysRng, &secrets)?;
        Ok(Self { url, client, signing_secret, key, unknown: unknown.to_string() })
    }
}

/// Creates the table if it does not exist, serves the database on a port, or on a free one if that is in use or 0, and
/// returns its URL.
pub(crate) async fn serve(database: dynoxide::Database, port: u16) -> Result<String, Box<dyn Error>> {
    if database.get_table_metadata(TABLE)?.is_none() {
        database.create_table(serde_json::from_value(json!({
            "TableName": TABLE,
            "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
            "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
            "BillingMode": "PAY_PER_REQUEST"
        }))?)?;
    }
    let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
        Ok(listener) => listener,
        Err(_) => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?,
    };
    let address = listener.local_addr()?;
    tokio::spawn(dynoxide::server::serve_on(listener, database));
    Ok(format!("http://{address}"))
}

/// Connects to a database that [`serve`] has started.
pub(crate) async fn connect(url: &str) -> Result<Client, Box<dyn Error>> {
    let credentials = Credentials::new("local", "local", None, None, "local");
    let endpoint = Endpoint { region: "local".into(), credentials, url: Some(url.to_owned()), trusted: None };
    Ok(store::connect(endpoint, Duration::from_secs(1)).await?)
}

/// Generates a signing secret: 32 random bytes, in hexadecimal.
pub(crate) fn new_signing_secret() -> Result<String, SysError> {
    let mut secret = String::new();
    for _ in 0..4 {
        let _ = write!(secret, "{:016x}", SysRng.try_next_u64()?);
    }
    Ok(secret)
}

/// Reads a signing secret.
pub(crate) fn parse_signing_secret(text: &str) -> Result<SigningSecrets, &'static str> {
    SigningSecrets::parse(text).map_err(|_| "the signing secret must be 64 hexadecimal digits")
}

/// Creates a key as `passloom-admin keys create --admin` does, and returns its text.
pub(crate) async fn create_key(
    client: &Client,
    secrets: &SigningSecrets,
    name: &str,
    limits: Limits,
) -> Result<String, Box<dyn Error>> {
    let (key, text) = ApiKey::generate(&mut SysRng, secrets)?;
    let created_at = rfc3339(Clock::system().now());
    let binding = Binding { admin: true, ..Binding::default() };
    let record = KeyRecord { binding, ..KeyRecord::new(&key, name.to_owned(), limits, created_at) };
    let item = item::new_key_item(&record);
    client.put_item().table_name(TABLE).set_item(Some(item)).send().await?;
    Ok(text.to_string())
}
