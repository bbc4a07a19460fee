//! `passloom-keys`, run as an administrator does.

use std::process::Output;

use serde_json::Value;

use crate::support::{Database, Deployment, Function, Request, TABLE};

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
    assert_eq!(text(&empty.stdout), format!("No keys in {TABLE}.\n"));
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
