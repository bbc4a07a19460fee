//! Administers API keys and policies.

mod arguments;
mod output;
mod policies;
mod table;

use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::Parser;
use passloom::access::{ApiKey, Binding, BoundPolicy, KeyRecord, Limits, Usage, WriteToken};
use passloom::clock::{Clock, rfc3339, rfc3339_of_seconds};
use passloom::settings;
use rand::TryRng;
#[expect(clippy::disallowed_types, reason = "the tool draws keys and write tokens")]
use rand::rngs::SysRng;
use serde_json::{Value, json};

use arguments::{Arguments, Command, Common, KeysCommand};
use output::{ask, print_error, print_json, print_line, visible};
use table::{CallError, Change, Key, Table};

type Outcome = Result<(), Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() => {
            let _ = error.to_string().lines().try_for_each(print_error);
            return ExitCode::from(2);
        }
        // A help text or the version.
        Err(help) => help.exit(),
    };
    match run(arguments.command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = print_error(&format!("passloom-admin: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Outcome {
    match command {
        Command::Keys(command) => run_keys(command).await,
        Command::Policies(command) => policies::run(command).await,
    }
}

async fn run_keys(command: KeysCommand) -> Outcome {
    let now = Clock::system().now();
    match command {
        KeysCommand::Create { common, name, per_minute, per_day, expires_at, allow, binding } => {
            let secrets = settings::signing_secrets(settings::from_process)?;
            let table = Table::open(common.table).await?;
            let (key, text) = ApiKey::generate(&mut SysRng, &secrets)?;
            let mut record = KeyRecord::new(&key, name, Limits { per_minute, per_day }, rfc3339(now));
            (record.expires_at, record.allowed) = (expires_at, allow);
            record.binding = Binding {
                policy: policies::bound(&table, binding.policy).await?,
                min_entropy: binding.min_entropy,
                admin: binding.admin,
            };
            table.insert(&record).await?;
            print_secret(&text, &Key::unused(record), now, common.json)
        }
        KeysCommand::List { common } => print_all(&Table::open(common.table).await?.all().await?, now, common.json),
        KeysCommand::Show { common, key } => {
            print_one(&Table::open(common.table).await?.find(&key).await?, now, common.json)
        }
        KeysCommand::Update {
            common,
            key,
            name,
            per_minute,
            per_day,
            expires_at,
            no_expiry,
            allow,
            allow_any,
            policy,
            no_policy,
            min_entropy,
            no_min_entropy,
            admin,
            no_admin,
        } => {
            let table = Table::open(common.table).await?;
            let found = table.find(&key).await?.record;
            if let Some(name) = &name {
                table.check_name(name, Some(&found.id)).await?;
            }
            let change = Change::default()
                .text("name", name)
                .number("per_minute", per_minute.map(|limit| limit.get().into()))
                .number("per_day", per_day.map(|limit| limit.get().into()))
                .number("expires_at", expires_at)
                .remove_if(no_expiry, &["expires_at"])
                .ranges("cidrs", &allow)
                .remove_if(allow_any, &["cidrs"]);
            let mut binding = found.binding.clone();
            if policy.is_some() || no_policy {
                binding.policy = policies::bound(&table, policy).await?;
            }
            if min_entropy.is_some() || no_min_entropy {
                binding.min_entropy = min_entropy;
            }
            binding.admin = admin || binding.admin && !no_admin;
            if binding.admin && (binding.policy.is_some() || binding.min_entropy.is_some()) {
                let name = &found.name;
                return Err(format!(
                    "{name} would be an administrator's key and bound; pass --no-admin, or both \
                                    --no-policy and --no-min-entropy"
                )
                .into());
            }
            let change = if binding == found.binding { change } else { change.binding(&binding) };
            print_one(&table.change(&found, change).await?, now, common.json)
        }
        KeysCommand::Rotate { common, key, overlap, force } => rotate(common, &key, overlap, force, now).await,
        KeysCommand::Revoke { common, key, yes } => {
            let table = Table::open(common.table).await?;
            let found = table.find(&key).await?;
            confirm(&format!("Revoke {} permanently?", found.record.name), yes)?;
            let change = Change::default().number("revoked_at", Some(seconds(now)));
            print_one(&table.change(&found.record, change).await?, now, common.json)
        }
        KeysCommand::Delete { common, key, yes } => {
            let table = Table::open(common.table).await?;
            let found = table.find(&key).await?;
            confirm(&format!("Delete {} and its counters permanently?", found.record.name), yes)?;
            table.delete(&found.record.id).await?;
            print_one(&found, now, common.json)
        }
    }
}

/// Creates a new secret for a key, and prints it.
async fn rotate(common: Common, key: &str, overlap: Duration, force: bool, now: SystemTime) -> Outcome {
    let secrets = settings::signing_secrets(settings::from_process)?;
    let table = Table::open(common.table).await?;
    let found = table.find(key).await?;
    if found.record.revoked_at.is_some() {
        return Err(format!("{} is revoked; create a new key", found.record.name).into());
    }
    if let Some((_, until)) = found.record.previous.filter(|(_, until)| *until > seconds(now))
        && !force
    {
        let (name, until) = (&found.record.name, rfc3339_of_seconds(until));
        return Err(format!(
            "the previous secret of {name} is valid until {until}, and rotating now invalidates it; wait, or \
             pass --force"
        )
        .into());
    }
    let id = found.record.id.parse().map_err(|_| "the id of the key is malformed")?;
    let (rotated, text) = ApiKey::generate_for(id, &mut SysRng, &secrets)?;
    let until = (!overlap.is_zero()).then(|| seconds(now + overlap));
    let change = Change::default()
        .copy_if(until.is_some(), "h2", "h")
        .number("h2_until", until)
        .remove_if(until.is_none(), &["h2", "h2_until"])
        .bytes("h", &rotated.secret_hash());
    let changed = match table.change(&found.record, change).await {
        Err(error) if matches!(error.downcast_ref(), Some(CallError::Unanswered(_))) => {
            let current = table.find(&found.record.id).await?;
            if current.record.secret_hash == rotated.secret_hash() {
                current
            } else if current.record.version == found.record.version {
                return Err(format!("{error}; the key was not rotated, and its secret is still valid").into());
            } else {
                return Err(format!("{error}; the key was changed at the same time; check it").into());
            }
        }
        changed => changed?,
    };
    print_secret(&text, &changed, now, common.json)
}

/// Asks for confirmation of a change that cannot be undone.
fn confirm(question: &str, yes: bool) -> Outcome {
    if yes {
        return Ok(());
    }
    match ask(&format!("{question} Type yes to confirm:"))?.as_deref().map(str::trim) {
        Some("yes") => Ok(()),
        Some(_) => Err("nothing was changed".into()),
        None => Err("not a terminal; pass --yes to confirm".into()),
    }
}

fn print_secret(text: &str, key: &Key, now: SystemTime, as_json: bool) -> Outcome {
    if as_json {
        let mut object = described(key, now);
        object["key"] = text.into();
        return Ok(print_json(&object)?);
    }
    for line in [text, "", "Save it now: only its hash is stored, so it cannot be shown again.", ""] {
        print_line(line)?;
    }
    print_one(key, now, false)
}

fn print_one(key: &Key, now: SystemTime, as_json: bool) -> Outcome {
    if as_json {
        return Ok(print_json(&described(key, now))?);
    }
    let Key { record, usage } = key;
    let Limits { per_minute, per_day } = record.limits;
    let ranges: Vec<String> = record.allowed.iter().map(ToString::to_string).collect();
    let rows = [
        ("name", record.name.clone()),
        ("id", record.id.clone()),
        ("state", state(record, now).into()),
        ("limits", format!("{per_minute} in any 60 seconds, {per_day} a UTC day")),
        ("expires", record.expires_at.map_or("never".into(), rfc3339_of_seconds)),
        ("bound to", bound_to(&record.binding)),
        ("allowed", if ranges.is_empty() { "any address".into() } else { ranges.join(", ") }),
        ("created", record.created_at.clone()),
        ("used", format!("{} times, {} today", usage.admissions, usage.today)),
        ("last use", usage.last_use.map_or("never".into(), |when| rfc3339_of_seconds(seconds(when)))),
    ];
    for (name, value) in rows {
        print_line(&format!("{name:<10} {value}"))?;
    }
    if let Some((_, until)) = record.previous.filter(|(_, until)| *until > seconds(now)) {
        print_line(&format!("{:<10} valid until {}", "old secret", rfc3339_of_seconds(until)))?;
    }
    Ok(())
}

/// What a key is bound to, in words.
fn bound_to(binding: &Binding) -> String {
    let Binding { policy, min_entropy, admin } = binding;
    let policy = policy.as_ref().map(|policy| format!("policy {}", policy.name()));
    let entropy = min_entropy.map(|bits| format!("{bits} bits"));
    let words: Vec<String> = [policy, entropy].into_iter().flatten().collect();
    match (admin, words.is_empty()) {
        (true, _) => "nothing; it may manage policies".to_owned(),
        (false, true) => "nothing".to_owned(),
        (false, false) => words.join(", "),
    }
}

fn print_all(keys: &[Key], now: SystemTime, as_json: bool) -> Outcome {
    if as_json {
        let keys: Vec<Value> = keys.iter().map(|key| described(key, now)).collect();
        return Ok(print_json(&json!({ "keys": keys }))?);
    }
    if keys.is_empty() {
        return Ok(print_line("No keys.")?);
    }
    // Escaped before they are counted, so that the columns are straight.
    let names: Vec<String> = keys.iter().map(|key| visible(&key.record.name)).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or_default().max(4);
    print_line(&format!(
        "{:width$}  {:24}  {:7}  {:>10}  {:>10}  {:>10}  {:>10}  LAST USE",
        "NAME", "ID", "STATE", "PER MINUTE", "PER DAY", "USED", "TODAY"
    ))?;
    for (Key { record, usage }, name) in keys.iter().zip(names) {
        let Limits { per_minute, per_day } = record.limits;
        let Usage { admissions, today, last_use } = usage;
        let last_use = last_use.map_or("never".into(), |when| rfc3339_of_seconds(seconds(when)));
        let (id, state) = (&record.id, state(record, now));
        print_line(&format!(
            "{name:width$}  {id:24}  {state:7}  {per_minute:>10}  {per_day:>10}  {admissions:>10}  {today:>10}  {last_use}"
        ))?;
    }
    Ok(())
}

fn described(Key { record, usage }: &Key, now: SystemTime) -> Value {
    json!({
        "id": record.id,
        "name": record.name,
        "state": state(record, now),
        "per_minute": record.limits.per_minute,
        "per_day": record.limits.per_day,
        "expires_at": record.expires_at.map(rfc3339_of_seconds),
        "allowed": record.allowed.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "policy": record.binding.policy.as_ref().map(BoundPolicy::name),
        "min_entropy": record.binding.min_entropy,
        "admin": record.binding.admin,
        "created_at": record.created_at,
        "admissions": usage.admissions,
        "today": usage.today,
        "last_use": usage.last_use.map(|when| rfc3339_of_seconds(seconds(when))),
    })
}

/// A token that no write has had before.
fn new_write_token() -> Result<WriteToken, Box<dyn Error>> {
    let mut token = WriteToken::default();
    SysRng.try_fill_bytes(&mut token)?;
    Ok(token)
}

fn state(record: &KeyRecord, now: SystemTime) -> &'static str {
    if record.revoked_at.is_some() {
        "revoked"
    } else if record.expires_at.is_some_and(|end| end <= seconds(now)) {
        "expired"
    } else {
        "active"
    }
}

fn seconds(when: SystemTime) -> u64 {
    when.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}
