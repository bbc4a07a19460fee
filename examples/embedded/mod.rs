//! An embedded DynamoDB with the table in it, and a key that no run can use up.

use std::error::Error;
use std::fmt::Write;
use std::net::Ipv4Addr;
use std::num::NonZeroU32;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Credentials;
use passloom::access::{self, ApiKey, Endpoint, KeyRecord, Limits, Peppers};
use rand::TryRng;
use rand::rngs::SysRng;
use serde_json::json;
use tokio::net::TcpListener;

pub(crate) const TABLE: &str = "passloom";

#[allow(dead_code, reason = "each example needs a part of it")]
pub(crate) struct Embedded {
    pub(crate) url: String,
    pub(crate) client: Client,
    pub(crate) pepper: String,
    pub(crate) key: String,
    /// Of this deployment, and in no table.
    pub(crate) unknown: String,
}

impl Embedded {
    pub(crate) async fn start() -> Result<Self, Box<dyn Error>> {
        let engine = dynoxide::Database::memory()?;
        engine.create_table(serde_json::from_value(json!({
            "TableName": TABLE,
            "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
            "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
            "BillingMode": "PAY_PER_REQUEST"
        }))?)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        tokio::spawn(dynoxide::server::serve_on(listener, engine));
        let credentials = Credentials::new("local", "local", None, None, "local");
        let endpoint = Endpoint { region: "local".into(), credentials, url: Some(url.clone()), trusted: None };
        let client = access::connect(endpoint, Duration::from_secs(1)).await?;

        let mut pepper = String::new();
        for _ in 0..4 {
            write!(pepper, "{:016x}", SysRng.try_next_u64()?)?;
        }
        let peppers = Peppers::parse(&pepper).map_err(|_| "no pepper")?;
        let (key, text) = ApiKey::generate(&mut SysRng, &peppers)?;
        let (_, unknown) = ApiKey::generate(&mut SysRng, &peppers)?;
        let limits = Limits { per_minute: NonZeroU32::MAX, per_day: NonZeroU32::MAX };
        let item = KeyRecord::new(&key, "tests".into(), limits, "2026-01-01T00:00:00Z".into()).to_new_item();
        client.put_item().table_name(TABLE).set_item(Some(item)).send().await?;
        Ok(Self { url, client, pepper, key: text.to_string(), unknown: unknown.to_string() })
    }
}
