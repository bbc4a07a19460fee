//! `passloom-keys`, run as an administrator does.

use std::process::Output;

use serde_json::Value;

use crate::support::{Database, Deployment, Function, Request};

/// Runs the tool against a database.
async fn keys(database: &Database, arguments: &[&str]) -> Output {
    let mut command = Function::command(env!("CARGO_BIN_EXE_passloom-keys"), &database.url());
    command.args(arguments).output().await.unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn a_created_key_admits_within_its_limits() {
    let deployment = Deployment::new().await;
    let arguments = ["create", "--name", "ci runner", "--per-minute", "2", "--per-day", "5", "--json"];
    let output = keys(&deployment.database, &arguments).await;
    assert!(output.status.success(), "{}", text(&output.stderr));
    let made: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&made["name"], &made["per_minute"], &made["per_day"]), (&"ci runner".into(), &2.into(), &5.into()));
    let key = made["key"].as_str().unwrap();
    let answers = [deployment.generate(key, "").await, deployment.generate(key, "").await];
    assert_eq!(answers[1].header("ratelimit-policy"), "\"minute\";q=2;w=60, \"day\";q=5;w=86400");
    assert_eq!(deployment.generate(key, "").await.status, 429);
    let line = deployment.log.last();
    assert_eq!((&line["key_name"], &line["key_id"]), (&made["name"], &made["id"]));
    let stored = Value::from(deployment.database.items()).to_string();
    assert!(!stored.contains(key) && !stored.contains(&key[4..]), "only the hash is stored");
}

#[tokio::test]
async fn keys_are_listed_without_their_secrets() {
    let database = Database::start().await;
    let empty = keys(&database, &["list"]).await;
    assert_eq!(text(&empty.stdout), "No keys.\n");
    let mut created = Vec::new();
    for name in ["zeta", "alpha"] {
        let output = keys(&database, &["create", "--name", name]).await;
        assert!(output.status.success());
        created.push(text(&output.stdout).lines().next().unwrap().to_owned());
    }
    let table = keys(&database, &["list"]).await;
    let lines: Vec<&str> = text(&table.stdout).lines().collect();
    assert!(lines[0].starts_with("NAME   ID"), "{lines:?}");
    assert!(lines[1].starts_with("alpha  ") && lines[2].starts_with("zeta   "), "{lines:?}");
    let json = keys(&database, &["list", "--json"]).await;
    let listed: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(listed["keys"].as_array().unwrap().len(), 2);
    assert_eq!((&listed["keys"][0]["name"], &listed["keys"][0]["admissions"]), (&"alpha".into(), &0.into()));
    for key in created {
        assert!(key.starts_with("plk_") && !text(&table.stdout).contains(&key) && !text(&json.stdout).contains(&key));
    }
}

#[tokio::test]
async fn what_goes_wrong_is_said_in_words() {
    let database = Database::start().await;
    let missing = keys(&database, &["list", "--table", "nowhere"]).await;
    assert_eq!(text(&missing.stderr), "passloom-keys: there is no table nowhere in this region\n");
    assert!(!missing.status.success() && missing.stdout.is_empty());
    let zero = keys(&database, &["create", "--name", "x", "--per-minute", "0"]).await;
    assert!(!zero.status.success() && text(&zero.stderr).contains("--per-minute"));
    let unnamed = keys(&database, &["create", "--name", ""]).await;
    assert!(text(&unnamed.stderr).contains("1 to 64 characters"));
    assert!(database.items().is_empty());

    let mut unconfigured = Function::command(env!("CARGO_BIN_EXE_passloom-keys"), &database.url());
    let output = unconfigured.env_remove("KEY_PEPPER").args(["create", "--name", "x"]).output().await.unwrap();
    assert_eq!(text(&output.stderr), "passloom-keys: KEY_PEPPER is not set\n");
    let help = keys(&database, &["create", "--help"]).await;
    assert!(!text(&help.stdout).contains(crate::support::PEPPER), "help shows no secret of the environment");
    database.stop().await;
    let away = keys(&database, &["list"]).await;
    assert!(text(&away.stderr).contains("DynamoDB cannot be reached"), "{}", text(&away.stderr));
}

/// A key whose text went through the tool works for a function that is already running.
#[tokio::test]
async fn a_key_made_while_the_function_runs_is_good_at_once() {
    let database = Database::start().await;
    let function = Function::start(&database.url(), &[]).await;
    let made = keys(&database, &["create", "--name", "late"]).await;
    let key = text(&made.stdout).lines().next().unwrap();
    assert_eq!(function.send(&Request::get("").key(key).event()).await.answer().status, 200);
}

/// Runs the tool with `--json` and reads what it prints.
async fn json(database: &Database, arguments: &[&str]) -> Value {
    let output = keys(database, &[arguments, &["--json"]].concat()).await;
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The life of a key, as an administrator and its holder see it.
#[tokio::test]
async fn a_key_is_made_used_changed_rotated_revoked_and_deleted() {
    let database = Database::start().await;
    let function = Function::start(&database.url(), &[]).await;
    let ask = async |key: &str| function.send(&Request::get("").key(key).event()).await.answer().status;

    let made =
        json(&database, &["create", "--name", "ci", "--allow", "192.0.2.0/24", "--expires-at", "2100-01-01"]).await;
    assert_eq!((&made["allowed"][0], &made["expires_at"]), (&"192.0.2.0/24".into(), &"2100-01-01T00:00:00Z".into()));
    assert_eq!((&made["state"], &made["last_use"]), (&"active".into(), &Value::Null));
    let (old, id) = (made["key"].as_str().unwrap(), made["id"].as_str().unwrap());
    assert_eq!(ask(old).await, 200);
    let shown = json(&database, &["show", "ci"]).await;
    assert_eq!((&shown["admissions"], &shown["today"], &shown["id"]), (&1.into(), &1.into(), &made["id"]));
    assert!(shown["last_use"].is_string() && shown.get("key").is_none());

    let changed = json(&database, &["update", id, "--per-minute", "2", "--name", "build", "--no-expiry"]).await;
    assert_eq!(
        (&changed["per_minute"], &changed["name"], &changed["expires_at"]),
        (&2.into(), &"build".into(), &Value::Null)
    );
    assert_eq!([ask(old).await, ask(old).await], [200, 429], "from the next request on");
    json(&database, &["update", "build", "--per-minute", "100", "--allow", "198.51.100.7"]).await;
    let answer = Function::start(&database.url(), &[]).await.send(&Request::get("").key(old).event()).await;
    assert_eq!(answer.answer().status, 403, "another function has no refusal to remember");
    json(&database, &["update", "build", "--allow-any"]).await;

    let function = Function::start(&database.url(), &[]).await;
    let ask = async |key: &str| function.send(&Request::get("").key(key).event()).await.answer().status;
    let rotated = json(&database, &["rotate", "build", "--overlap", "1h"]).await;
    let new = rotated["key"].as_str().unwrap();
    assert_eq!((&rotated["id"], [ask(old).await, ask(new).await]), (&made["id"], [200, 200]));
    let again = json(&database, &["rotate", "build", "--overlap", "0s"]).await;
    let newest = again["key"].as_str().unwrap();
    assert_eq!([ask(old).await, ask(new).await, ask(newest).await], [401, 401, 200]);

    let unasked = keys(&database, &["revoke", "build"]).await;
    assert_eq!(text(&unasked.stderr), "passloom-keys: this cannot be undone; say --yes where nobody can be asked\n");
    assert_eq!(ask(newest).await, 200);
    assert_eq!(json(&database, &["revoke", "build", "--yes"]).await["state"], "revoked");
    assert_eq!(ask(newest).await, 401, "at once");
    let refused = keys(&database, &["rotate", "build"]).await;
    assert_eq!(text(&refused.stderr), "passloom-keys: build is revoked; make a new key in its place\n");
    json(&database, &["delete", "build", "--yes"]).await;
    assert!(database.items().is_empty());
}

#[tokio::test]
async fn a_name_is_given_once_and_what_is_not_there_is_said_so() {
    let database = Database::start().await;
    let first = json(&database, &["create", "--name", "one"]).await;
    json(&database, &["create", "--name", "two"]).await;
    let id = first["id"].as_str().unwrap();
    for arguments in [&["create", "--name", "one"][..], &["update", "two", "--name", "one"]] {
        let taken = keys(&database, arguments).await;
        assert_eq!(text(&taken.stderr), format!("passloom-keys: the name one is taken by the key {id}\n"));
    }
    assert_eq!(json(&database, &["update", "one", "--name", "one"]).await["name"], "one", "its own name is its own");
    for arguments in [&["show", "three"][..], &["revoke", "three", "--yes"], &["delete", "three", "--yes"]] {
        let missing = keys(&database, arguments).await;
        assert_eq!(text(&missing.stderr), "passloom-keys: there is no key three in passloom\n", "{arguments:?}");
    }
    for (arguments, complaint) in [
        (&["update", "one"][..], "required"),
        (&["create", "--name", "x", "--allow", "198.51.100.0/33"], "an address, or a range"),
        (&["create", "--name", "x", "--expires-at", "tomorrow"], "a date such as"),
        (&["rotate", "one", "--overlap", "1w"], "a number and s, m, h or d"),
        (&["update", "one", "--allow", "192.0.2.1", "--allow-any"], "cannot be used with"),
    ] {
        let refused = keys(&database, arguments).await;
        assert!(!refused.status.success() && text(&refused.stderr).contains(complaint), "{}", text(&refused.stderr));
    }
    let person = keys(&database, &["show", "one"]).await;
    let lines: Vec<&str> = text(&person.stdout).lines().collect();
    assert_eq!((lines[0], lines[2]), ("name      one", "state     active"));
    assert_eq!(database.items().len(), 2);
}
