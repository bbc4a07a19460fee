//! Creates and administers policies.

use std::error::Error;
use std::io::{self, Read};

use passloom::CheckedPolicy;
use passloom::access::{BoundPolicy, PolicyBook, PolicyChange, StoredPolicy};
use passloom::clock::{Clock, rfc3339};
use passloom::password::PolicyName;
use passloom::settings;
use passloom::store::{Changed, change_policies, read_policies};
use serde_json::{Value, json};

use super::arguments::{self, PoliciesCommand};
use super::output::{print_json, print_line};
use super::table::{Key, Table};
use super::{Outcome, confirm, new_write_token};

pub(crate) async fn run(command: PoliciesCommand) -> Outcome {
    match command {
        PoliciesCommand::Put { common, name, file, by } => {
            let by = by.map_or_else(user_name, Ok)?;
            let policy = read_policy(&name, &file)?;
            let table = Table::open(common.table).await?;
            let book = book(&table).await?;
            let (revision, updated_at) = (book.revision + 1, rfc3339(Clock::system().now()));
            let stored = StoredPolicy { revision, updated_at, updated_by: by, ..policy.stored };
            book.check_room(&name, &stored).map_err(|full| full.to_string())?;
            change(&table, &book, &name, Some(stored.clone())).await?;
            print(&described(&name, &stored, &table.all().await?)?, common.json)
        }
        PoliciesCommand::List { common } => {
            let table = Table::open(common.table).await?;
            let (book, keys) = (book(&table).await?, table.all().await?);
            let policies = book.policies.iter().map(|(name, stored)| described(name, stored, &keys));
            let policies = policies.collect::<Result<Vec<_>, _>>()?;
            if common.json {
                return print(&json!({ "policies": policies }), true);
            }
            if policies.is_empty() {
                print_line("No policies.")?;
            }
            for policy in &policies {
                let (name, keys) = (text(&policy["name"]), text(&policy["keys"]));
                print_line(&format!("{name}: revision {}, {}", policy["revision"], bound_keys(&keys)))?;
            }
            Ok(())
        }
        PoliciesCommand::Show { common, name } => {
            let table = Table::open(common.table).await?;
            let book = book(&table).await?;
            print(&described(&name, find(&book, &name, &table)?, &table.all().await?)?, common.json)
        }
        PoliciesCommand::Delete { common, name, yes } => {
            let table = Table::open(common.table).await?;
            let book = book(&table).await?;
            let described = described(&name, find(&book, &name, &table)?, &table.all().await?)?;
            let keys = bound_keys(&text(&described["keys"]));
            confirm(&format!("Delete policy {name}, {keys}, permanently?"), yes)?;
            change(&table, &book, &name, None).await?;
            print(&described, common.json)
        }
    }
}

/// The policy that a key is to be bound to, which must exist.
pub(crate) async fn bound(table: &Table, name: Option<String>) -> Result<Option<BoundPolicy>, Box<dyn Error>> {
    let Some(name) = name else { return Ok(None) };
    if let Some(PolicyName::Preset(_)) = PolicyName::parse(&name) {
        return Ok(Some(BoundPolicy::Preset(name)));
    }
    find(&book(table).await?, &name, table)?;
    Ok(Some(BoundPolicy::Stored(name)))
}

/// Reads a policy, with the same checks as the API.
fn read_policy(name: &str, file: &str) -> Result<CheckedPolicy, Box<dyn Error>> {
    let mut json = Vec::new();
    if file == "-" {
        io::stdin().read_to_end(&mut json)?;
    } else {
        json = std::fs::read(file).map_err(|error| format!("{file}: {error}"))?;
    }
    Ok(CheckedPolicy::parse(name, &json)?)
}

/// A policy as the tool prints it.
fn described(name: &str, stored: &StoredPolicy, keys: &[Key]) -> Result<Value, Box<dyn Error>> {
    let StoredPolicy { parameters, description, hcl, revision, updated_at, updated_by } = stored;
    let CheckedPolicy { length, entropy_bits, .. } = CheckedPolicy::parse(name, parameters.as_bytes())?;
    let is_bound = |key: &&Key| key.record.binding.policy == Some(BoundPolicy::Stored(name.to_owned()));
    let keys: Vec<&str> = keys.iter().filter(is_bound).map(|key| key.record.name.as_str()).collect();
    Ok(json!({
        "name": name,
        "description": description,
        "hcl": hcl,
        "parameters": serde_json::from_str::<Value>(parameters)?,
        "length": length,
        "entropy_bits": entropy_bits,
        "revision": revision,
        "updated_at": updated_at,
        "updated_by": updated_by,
        "keys": keys,
    }))
}

fn print(policy: &Value, as_json: bool) -> Outcome {
    if as_json {
        return Ok(print_json(policy)?);
    }
    let changed = format!("{} by {}", text(&policy["updated_at"]), text(&policy["updated_by"]));
    for (name, value) in [
        ("name", text(&policy["name"])),
        ("description", text(&policy["description"])),
        ("parameters", policy["parameters"].to_string()),
        ("passwords", format!("{} characters, {} bits", policy["length"], policy["entropy_bits"])),
        ("revision", policy["revision"].to_string()),
        ("changed", changed),
        ("keys", bound_keys(&text(&policy["keys"]))),
    ] {
        print_line(&format!("{name:<11} {value}"))?;
    }
    Ok(())
}

/// A text, or the texts of a list.
fn text(value: &Value) -> String {
    match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        other => other.as_str().unwrap_or_default().to_owned(),
    }
}

fn bound_keys(keys: &str) -> String {
    if keys.is_empty() { "no key is bound to it".to_owned() } else { format!("bound keys: {keys}") }
}

async fn book(table: &Table) -> Result<PolicyBook, Box<dyn Error>> {
    let read = read_policies(&table.client, &table.name).await;
    Ok(read.map_err(|error| format!("the policies cannot be read: {}", error.cause))?)
}

fn find<'b>(book: &'b PolicyBook, name: &str, table: &Table) -> Result<&'b StoredPolicy, Box<dyn Error>> {
    let unknown = || format!("the table {} has no policy {name}", table.name);
    Ok(book.policies.get(name).ok_or_else(unknown)?)
}

async fn change(table: &Table, book: &PolicyBook, name: &str, policy: Option<StoredPolicy>) -> Outcome {
    let write_token = new_write_token()?;
    let change = PolicyChange { name: name.to_owned(), policy };
    match change_policies(&table.client, &table.name, book.revision, &change, write_token).await {
        Ok(Changed::Yes) => Ok(()),
        Ok(Changed::Overtaken) => Err("the policies were changed at the same time; check them and try again".into()),
        Ok(Changed::Unknown { cause }) => {
            Err(format!("the database did not tell whether the policy was changed ({cause}); check it, or try again")
                .into())
        }
        Err(error) => Err(format!("the policies cannot be changed: {}", error.cause).into()),
    }
}

/// The operating system's name of the user: `LOGNAME`, which POSIX defines, or `USER`.
fn user_name() -> Result<String, String> {
    let mut set = ["LOGNAME", "USER"].into_iter().filter_map(|name| Some((name, settings::from_process(name)?)));
    let Some((variable, user)) = set.find(|(_, user)| !user.is_empty()) else {
        return Err("pass --by with your name, because neither LOGNAME nor USER is set".into());
    };
    arguments::name(&user).map_err(|error| format!("pass --by with your name, because {variable} {error}"))
}
