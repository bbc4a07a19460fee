//! Creates and lists API keys.
//!
//! Region, credentials and endpoint come from the same environment variables as the function's.

use std::error::Error;
use std::io::{self, Write};
use std::num::NonZeroU32;
use std::process::ExitCode;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use clap::{Args, Parser, Subcommand};
use passloom::access::{self, ApiKey, KeyRecord, Limits};
use passloom::settings;
use rand::rngs::SysRng;
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Longest wait for the database, in one call.
const PATIENCE: Duration = Duration::from_secs(10);

/// Creates and lists the API keys of a Passloom deployment.
///
/// Region, credentials and endpoint come from the environment, as for the function: `AWS_REGION`,
/// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, and `AWS_ENDPOINT_URL_DYNAMODB` or
/// `AWS_ENDPOINT_URL`.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a key and print it. It is shown this once only.
    ///
    /// Needs the deployment's `KEY_PEPPER`; with two peppers the key is made under the first.
    Create {
        #[command(flatten)]
        common: Common,
        /// What you call the key.
        #[arg(long, value_parser = name)]
        name: String,
        /// Most requests in any 60 seconds.
        #[arg(long, default_value = "60")]
        per_minute: NonZeroU32,
        /// Most requests in one UTC day.
        #[arg(long, default_value = "10000")]
        per_day: NonZeroU32,
    },
    /// Show every key, without its secret.
    List {
        #[command(flatten)]
        common: Common,
    },
}

#[derive(Args)]
struct Common {
    /// The table of keys.
    #[arg(long, env = "TABLE_NAME")]
    table: String,
    /// Print JSON, for scripts.
    #[arg(long)]
    json: bool,
}

/// 1 to 64 characters, none of them a control character.
fn name(text: &str) -> Result<String, String> {
    let length = text.chars().count();
    if (1..=64).contains(&length) && !text.chars().any(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err("1 to 64 characters, no control characters".into())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "passloom-keys: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    match arguments.command {
        Command::Create { common, name, per_minute, per_day } => {
            create(common, name, Limits { per_minute, per_day }).await
        }
        Command::List { common } => list(common).await,
    }
}

async fn client() -> Result<Client, Box<dyn Error>> {
    let endpoint = settings::endpoint(settings::from_process)?;
    Ok(access::connect(endpoint, PATIENCE).await?)
}

async fn create(common: Common, name: String, limits: Limits) -> Result<(), Box<dyn Error>> {
    let peppers = settings::peppers(settings::from_process)?;
    let client = client().await?;
    let (key, text) = ApiKey::generate(&mut SysRng, &peppers)?;
    let created_at = OffsetDateTime::now_utc().replace_nanosecond(0)?.format(&Rfc3339)?;
    let record = KeyRecord::new(&key, name, limits, created_at);
    let call = client
        .put_item()
        .table_name(&common.table)
        .set_item(Some(record.to_new_item()))
        .condition_expression("attribute_not_exists(pk)")
        .send();
    tokio::time::timeout(PATIENCE, call).await.map_err(|_| silence())?.map_err(|error| plain(&error, &common.table))?;

    let mut out = io::stdout();
    if common.json {
        let object = json!({
            "key": text.as_str(),
            "id": record.id,
            "name": record.name,
            "per_minute": limits.per_minute,
            "per_day": limits.per_day,
            "created_at": record.created_at,
        });
        writeln!(out, "{object}")?;
    } else {
        writeln!(out, "{}\n", text.as_str())?;
        writeln!(out, "Keep it now: only its hash is stored, and it cannot be shown again.\n")?;
        writeln!(out, "name    {}", record.name)?;
        writeln!(out, "id      {}", record.id)?;
        writeln!(out, "limits  {} in any 60 seconds, {} a UTC day", limits.per_minute, limits.per_day)?;
    }
    Ok(out.flush()?)
}

async fn list(common: Common) -> Result<(), Box<dyn Error>> {
    let client = client().await?;
    let mut keys = Vec::new();
    let scan = client.scan().table_name(&common.table).filter_expression("attribute_exists(h)");
    let mut pages = scan.into_paginator().items().send();
    while let Some(item) = tokio::time::timeout(PATIENCE, pages.next()).await.map_err(|_| silence())? {
        let item = item.map_err(|error| plain(&error, &common.table))?;
        keys.push((KeyRecord::from_item(&item)?, KeyRecord::admissions(&item)?));
    }
    keys.sort_by(|one, other| one.0.name.cmp(&other.0.name).then_with(|| one.0.id.cmp(&other.0.id)));

    let mut out = io::stdout();
    if common.json {
        let keys: Vec<_> = keys
            .iter()
            .map(|(key, admissions)| {
                json!({
                    "id": key.id,
                    "name": key.name,
                    "per_minute": key.limits.per_minute,
                    "per_day": key.limits.per_day,
                    "admissions": admissions,
                    "created_at": key.created_at,
                })
            })
            .collect();
        writeln!(out, "{}", json!({ "keys": keys }))?;
    } else if keys.is_empty() {
        writeln!(out, "No keys in {}.", common.table)?;
    } else {
        let width = keys.iter().map(|(key, _)| key.name.chars().count()).max().unwrap_or_default().max(4);
        writeln!(
            out,
            "{:width$}  {:24}  {:>10}  {:>10}  {:>10}  CREATED",
            "NAME", "ID", "PER MINUTE", "PER DAY", "ADMITTED"
        )?;
        for (key, admissions) in keys {
            let Limits { per_minute, per_day } = key.limits;
            writeln!(
                out,
                "{:width$}  {:24}  {per_minute:>10}  {per_day:>10}  {admissions:>10}  {}",
                key.name, key.id, key.created_at
            )?;
        }
    }
    Ok(out.flush()?)
}

fn silence() -> Box<dyn Error> {
    format!("no answer from DynamoDB within {} seconds", PATIENCE.as_secs()).into()
}

/// What a person can act on.
fn plain<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>, table: &str) -> Box<dyn Error> {
    let SdkError::ServiceError(answer) = error else {
        return "DynamoDB cannot be reached: check AWS_REGION and AWS_ENDPOINT_URL_DYNAMODB".into();
    };
    match (answer.err().code(), answer.err().message()) {
        (Some("ResourceNotFoundException"), _) => format!("there is no table {table} in this region").into(),
        (Some(code), message) => format!("DynamoDB answered {code}: {}", message.unwrap_or_default()).into(),
        (None, _) => "DynamoDB gave an answer that cannot be read".into(),
    }
}
