//! `passloom-admin`, run as an administrator runs it: the commands for keys, and what all commands have in common.

use std::process::Output;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use passloom::access::Binding;
use passloom::invisible::is_invisible;
use serde_json::{Value, json};

use crate::support::{Database, Deployment, Fault, Function, Reply, Request, SIGNING_SECRET, check_all, error};

/// Runs the tool.
pub async fn run(database: &Database, arguments: &[&str]) -> Output {
    let mut command = Function::command(env!("CARGO_BIN_EXE_passloom-admin"), &database.table());
    command.args(arguments).output().await.unwrap()
}

/// Runs the tool with `--json`, and reads what it prints.
pub async fn run_json(database: &Database, arguments: &[&str]) -> Value {
    let output = run(database, &[arguments, &["--json"]].concat()).await;
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Runs the tool, which must fail, and returns its error message.
pub async fn run_failing(database: &Database, arguments: &[&str]) -> String {
    let output = run(database, arguments).await;
    assert!(!output.status.success() && output.stdout.is_empty(), "{arguments:?}: {}", text(&output.stdout));
    text(&output.stderr).to_owned()
}

pub fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// The status of a request to a new function, which has nothing cached.
async fn status(database: &Database, key: &Value) -> u64 {
    let function = Function::start(&database.table(), &[]).await;
    function.send(&Request::get("").key(key.as_str().unwrap()).event()).await.answer().status
}

#[tokio::test]
async fn created_key_is_admitted_within_its_limits() {
    let deployment = Deployment::start().await;
    let arguments = ["keys", "create", "--name", "ci runner", "--per-minute", "2", "--per-day", "5"];
    let created = run_json(&deployment.database, &arguments).await;
    assert_eq!(
        (&created["name"], &created["per_minute"], &created["per_day"]),
        (&json!("ci runner"), &json!(2), &json!(5))
    );
    let key = created["key"].as_str().unwrap();
    let answers = [deployment.generate(key, "").await, deployment.generate(key, "").await];
    assert_eq!(answers[1].header("ratelimit-policy"), "\"minute\";q=2;w=60, \"day\";q=5;w=86400");
    assert_eq!(deployment.generate(key, "").await.status, 429);
    let line = deployment.log.last();
    assert_eq!((&line["key_name"], &line["key_id"]), (&created["name"], &created["id"]));
    let stored = Value::from(deployment.database.items().await).to_string();
    assert!(!stored.contains(key) && !stored.contains(&key[4..]), "only the hash is stored");
}

#[tokio::test]
async fn created_key_is_accepted_by_a_running_function() {
    let database = Database::start().await;
    let function = Function::start(&database.table(), &[]).await;
    let created = run(&database, &["keys", "create", "--name", "late"]).await;
    let key = text(&created.stdout).lines().next().unwrap();
    assert_eq!(function.send(&Request::get("").key(key).event()).await.answer().status, 200);
}

#[tokio::test]
async fn created_key_has_the_requested_expiry_and_addresses() {
    let database = Database::start().await;
    let arguments = ["keys", "create", "--name", "ci", "--allow", "192.0.2.9/24", "--expires-at", "2100-01-01"];
    let mut created = run_json(&database, &arguments).await;
    for varying in ["key", "id", "created_at"] {
        assert!(created[varying].take().is_string(), "{varying}");
    }
    let expected = json!({
        "key": null,
        "id": null,
        "name": "ci",
        "state": "active",
        "per_minute": 60,
        "per_day": 10_000,
        "expires_at": "2100-01-01T00:00:00Z",
        "allowed": ["192.0.2.0/24"],
        "policy": null,
        "min_entropy": null,
        "admin": false,
        "created_at": null,
        "admissions": 0,
        "today": 0,
        "last_use": null
    });
    assert_eq!(created, expected);
}

#[tokio::test]
async fn list_is_sorted_and_contains_no_secrets() {
    let database = Database::start().await;
    let empty = run(&database, &["keys", "list"]).await;
    assert_eq!(text(&empty.stdout), "No keys.\n");
    let mut created = Vec::new();
    for name in ["zeta", "alpha"] {
        let output = run(&database, &["keys", "create", "--name", name]).await;
        assert!(output.status.success());
        created.push(text(&output.stdout).lines().next().unwrap().to_owned());
    }
    let table = run(&database, &["keys", "list"]).await;
    let lines: Vec<&str> = text(&table.stdout).lines().collect();
    assert!(lines[0].starts_with("NAME   ID"), "{lines:?}");
    assert!(lines[1].starts_with("alpha  ") && lines[2].starts_with("zeta   "), "{lines:?}");
    let listed = run_json(&database, &["keys", "list"]).await;
    assert_eq!(listed["keys"].as_array().unwrap().len(), 2);
    assert_eq!((&listed["keys"][0]["name"], &listed["keys"][0]["admissions"]), (&json!("alpha"), &json!(0)));
    for key in created {
        assert!(key.starts_with("plk_") && !text(&table.stdout).contains(&key) && !listed.to_string().contains(&key));
    }
}

#[tokio::test]
async fn show_reports_state_and_usage_without_the_secret() {
    let database = Database::start().await;
    let created = run_json(&database, &["keys", "create", "--name", "ci"]).await;
    assert_eq!(status(&database, &created["key"]).await, 200);
    let shown = run_json(&database, &["keys", "show", "ci"]).await;
    assert_eq!((&shown["admissions"], &shown["today"], &shown["id"]), (&json!(1), &json!(1), &created["id"]));
    assert!(shown["last_use"].is_string() && shown.get("key").is_none());
    let by_id = run_json(&database, &["keys", "show", created["id"].as_str().unwrap()]).await;
    assert_eq!(by_id, shown);
    let table = run(&database, &["keys", "show", "ci"]).await;
    let lines: Vec<&str> = text(&table.stdout).lines().collect();
    assert_eq!((lines[0], lines[2]), ("name       ci", "state      active"));
}

#[tokio::test]
async fn updated_key_takes_effect_with_the_next_request() {
    let database = Database::start().await;
    let function = Function::start(&database.table(), &[]).await;
    let created = run_json(&database, &["keys", "create", "--name", "ci", "--expires-at", "2100-01-01"]).await;
    let (key, id) = (created["key"].as_str().unwrap(), created["id"].as_str().unwrap());
    let event = Request::get("").key(key).event();
    assert_eq!(function.send(&event).await.answer().status, 200);

    let arguments = ["keys", "update", id, "--per-minute", "2", "--name", "build", "--no-expiry"];
    let updated = run_json(&database, &arguments).await;
    assert_eq!(
        (&updated["per_minute"], &updated["name"], &updated["expires_at"]),
        (&json!(2), &json!("build"), &Value::Null)
    );
    let statuses = [function.send(&event).await.answer().status, function.send(&event).await.answer().status];
    assert_eq!(statuses, [200, 429]);

    run_json(&database, &["keys", "update", "build", "--per-minute", "100", "--allow", "198.51.100.7"]).await;
    assert_eq!(status(&database, &created["key"]).await, 403);
    run_json(&database, &["keys", "update", "build", "--allow-any"]).await;
    assert_eq!(status(&database, &created["key"]).await, 200);
}

/// The ceiling in the item is that of the higher limit, and the function has not read the item.
#[tokio::test]
async fn lowered_limit_applies_to_the_first_request_in_another_function() {
    let database = Database::start().await;
    let created = run_json(&database, &["keys", "create", "--name", "ci"]).await;
    assert_eq!(status(&database, &created["key"]).await, 200);
    run_json(&database, &["keys", "update", "ci", "--per-minute", "1"]).await;
    assert!(database.items().await[0].get("c").is_none());
    assert_eq!(status(&database, &created["key"]).await, 429);
    assert_eq!(database.admissions().await, 1);
}

#[tokio::test]
async fn rotated_key_accepts_the_old_secret_for_the_overlap() {
    let database = Database::start().await;
    let function = Function::start(&database.table(), &[]).await;
    let status =
        async |key: &Value| function.send(&Request::get("").key(key.as_str().unwrap()).event()).await.answer().status;
    let created = run_json(&database, &["keys", "create", "--name", "ci"]).await;
    let rotated = run_json(&database, &["keys", "rotate", "ci", "--overlap", "1h"]).await;
    assert_eq!(rotated["id"], created["id"]);
    assert_eq!([status(&created["key"]).await, status(&rotated["key"]).await], [200, 200]);
    // A second rotation would end the secret that clients still use.
    let error = run_failing(&database, &["keys", "rotate", "ci", "--overlap", "0s"]).await;
    assert!(error.starts_with("passloom-admin: the previous secret of ci is valid until "), "{error}");
    assert_eq!([status(&created["key"]).await, status(&rotated["key"]).await], [200, 200]);
    let again = run_json(&database, &["keys", "rotate", "ci", "--overlap", "0s", "--force"]).await;
    let keys = [&created["key"], &rotated["key"], &again["key"]];
    assert_eq!([status(keys[0]).await, status(keys[1]).await, status(keys[2]).await], [401, 401, 200]);
}

#[tokio::test]
async fn revoked_key_is_refused_and_cannot_be_rotated() {
    let database = Database::start().await;
    let function = Function::start(&database.table(), &[]).await;
    let created = run_json(&database, &["keys", "create", "--name", "ci"]).await;
    let event = Request::get("").key(created["key"].as_str().unwrap()).event();
    assert_eq!(function.send(&event).await.answer().status, 200);
    assert_eq!(run_json(&database, &["keys", "revoke", "ci", "--yes"]).await["state"], "revoked");
    assert_eq!(function.send(&event).await.answer().status, 401);
    let error = run_failing(&database, &["keys", "rotate", "ci"]).await;
    assert_eq!(error, "passloom-admin: ci is revoked; create a new key\n");
}

#[tokio::test]
async fn deleted_key_leaves_no_item() {
    let database = Database::start().await;
    run_json(&database, &["keys", "create", "--name", "ci"]).await;
    run_json(&database, &["keys", "delete", "ci", "--yes"]).await;
    assert!(database.items().await.is_empty());
}

#[tokio::test]
async fn revoke_and_delete_without_a_terminal_require_yes() {
    let database = Database::start().await;
    let created = run_json(&database, &["keys", "create", "--name", "ci"]).await;
    check_all(["revoke", "delete"], async |command| {
        let error = run_failing(&database, &["keys", command, "ci"]).await;
        assert_eq!(error, "passloom-admin: not a terminal; pass --yes to confirm\n");
    })
    .await;
    assert_eq!(status(&database, &created["key"]).await, 200);
}

#[tokio::test]
async fn name_of_another_key_is_rejected() {
    let database = Database::start().await;
    let first = run_json(&database, &["keys", "create", "--name", "one"]).await;
    run_json(&database, &["keys", "create", "--name", "two"]).await;
    let id = first["id"].as_str().unwrap();
    check_all(
        [&["keys", "create", "--name", "one"][..], &["keys", "update", "two", "--name", "one"]],
        async |arguments| {
            let error = run_failing(&database, arguments).await;
            assert_eq!(error, format!("passloom-admin: the key {id} already has the name one\n"));
        },
    )
    .await;
    assert_eq!(run_json(&database, &["keys", "update", "one", "--name", "one"]).await["name"], "one", "its own name");
    assert_eq!(database.items().await.len(), 2);
}

#[tokio::test]
async fn unknown_key_is_reported_by_every_command() {
    let database = Database::start().await;
    let cases = [
        &["keys", "show", "three"][..],
        &["keys", "update", "three", "--per-minute", "1"],
        &["keys", "rotate", "three"],
        &["keys", "revoke", "three", "--yes"],
        &["keys", "delete", "three", "--yes"],
    ];
    check_all(cases, async |arguments| {
        let error = run_failing(&database, arguments).await;
        assert_eq!(error, format!("passloom-admin: the table {} has no key three\n", database.table().name));
    })
    .await;
}

#[tokio::test]
async fn invalid_arguments_are_rejected_with_what_is_expected() {
    let database = Database::start().await;
    let cases = [
        (&["keys", "create", "--name", "x", "--per-minute", "0"][..], "--per-minute"),
        (&["keys", "create", "--name", ""], "must have 1 to 64 characters"),
        (&["keys", "create", "--name", "0123456789abcdef01234567"], "must not be 24 hexadecimal digits"),
        (&["keys", "create", "--name", "x", "--allow", "198.51.100.0/33"], "must be an address, or a range"),
        (&["keys", "create", "--name", "x", "--expires-at", "tomorrow"], "must be a date such as"),
        (&["keys", "rotate", "one", "--overlap", "1w"], "must be a number and s, m, h or d"),
        (&["keys", "update", "one"], "required"),
        (&["keys", "update", "one", "--allow", "192.0.2.1", "--allow-any"], "cannot be used with"),
    ];
    check_all(cases, async |(arguments, expected)| {
        let error = run_failing(&database, arguments).await;
        assert!(error.contains(expected), "{error}");
    })
    .await;
    assert!(database.items().await.is_empty());
}

/// The table can have texts that the tool does not accept, and a command line can have any.
#[tokio::test]
async fn invisible_characters_of_any_source_are_printed_as_escapes() {
    const HIDDEN: &str = "a\u{202e}b\u{9b}2J\u{200b}\n\u{e0041}";
    const VISIBLE: &str = "a\\u{202e}b\\u{9b}2J\\u{200b}\\u{a}\\u{e0041}";
    let database = Database::start().await;
    database.bound_key(HIDDEN, Binding::default()).await;
    let id = database.items().await[0]["pk"]["S"].as_str().unwrap().to_owned();
    let policy = json!({
        "parameters": json!({ "length": 20 }).to_string(),
        "description": HIDDEN,
        "hcl": HIDDEN,
        "revision": 1,
        "updated_at": HIDDEN,
        "updated_by": HIDDEN,
    });
    let item = [
        ("rev", AttributeValue::N("1".into())),
        ("rid", AttributeValue::B(Blob::new([0; 16]))),
        ("p:ci", AttributeValue::S(policy.to_string())),
    ];
    database.set_policies(item.map(|(name, value)| (name.to_owned(), value)).into()).await;
    for (arguments, printed) in [
        (&["keys", "list"][..], VISIBLE),
        (&["keys", "show", &id], VISIBLE),
        (&["keys", "show", HIDDEN], VISIBLE),
        (&["keys", "show", "b\u{202e}a"], "has no key b\\u{202e}a"),
        (&["keys", "list", "b\u{202e}a"], "unexpected argument 'b\\u{202e}a'"),
        // The engines answer a name that no table can have in their own words, which need not have it.
        (&["keys", "list", "--table", "b\u{202e}a"], "passloom-admin: "),
        (&["policies", "list"], "revision 1"),
        (&["policies", "show", "ci"], VISIBLE),
        (&["policies", "put", "ci", "--by", "x", "--file", "/b\u{202e}a"], "/b\\u{202e}a: "),
        (&["keys", "list", "--json"], "a\\u202eb\\u009b2J\\u200b\\n\\udb40\\udc41"),
        (&["policies", "show", "ci", "--json"], "a\\u202eb\\u009b2J\\u200b\\n\\udb40\\udc41"),
    ] {
        let output = run(&database, arguments).await;
        let all = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert!(all.contains(printed), "{arguments:?}: {all:?}");
        assert!(!all.contains(|one| one != '\n' && is_invisible(one)), "{arguments:?}: {all:?}");
    }
    assert_eq!(run_json(&database, &["keys", "show", &id]).await["name"], HIDDEN);
    assert_eq!(run_json(&database, &["policies", "show", "ci"]).await["description"], HIDDEN);
}

#[tokio::test]
async fn missing_setting_table_or_database_is_reported() {
    let database = Database::start().await;
    let error = run_failing(&database, &["keys", "list", "--table", "nowhere"]).await;
    assert_eq!(error, "passloom-admin: this region has no table nowhere\n");

    let mut unconfigured = Function::command(env!("CARGO_BIN_EXE_passloom-admin"), &database.table());
    let output =
        unconfigured.env_remove("KEY_SIGNING_SECRET").args(["keys", "create", "--name", "x"]).output().await.unwrap();
    assert_eq!(text(&output.stderr), "passloom-admin: KEY_SIGNING_SECRET is not set\n");

    database.stop().await;
    let error = run_failing(&database, &["keys", "list"]).await;
    let expected = "DynamoDB cannot be reached: check AWS_REGION and AWS_ENDPOINT_URL_DYNAMODB";
    assert_eq!(error, format!("passloom-admin: {expected}\n"));
}

#[tokio::test]
async fn help_shows_no_secret_of_the_environment() {
    let database = Database::start().await;
    let help = run(&database, &["keys", "create", "--help"]).await;
    assert!(help.status.success() && !text(&help.stdout).contains(SIGNING_SECRET));
}

/// The administrator must learn which secret is valid: a repetition would end the one that clients hold.
#[tokio::test]
async fn rotation_with_a_lost_answer_is_read_back() {
    let database = Database::start().await;
    let created = run_json(&database, &["keys", "create", "--name", "ci"]).await;
    // The tool reads the key first.
    database.fail([Fault::after_call(Reply::Unchanged), Fault::after_call(Reply::Reset)]);
    let rotated = run_json(&database, &["keys", "rotate", "ci"]).await;
    assert_eq!([status(&database, &created["key"]).await, status(&database, &rotated["key"]).await], [200, 200]);
}

#[tokio::test]
async fn rotation_that_was_not_applied_reports_the_valid_secret() {
    let database = Database::start().await;
    let created = run_json(&database, &["keys", "create", "--name", "ci"]).await;
    database.fail([
        Fault::after_call(Reply::Unchanged),
        Fault::instead_of_call(error("500 Internal Server Error", "InternalServerError")),
    ]);
    let error = run_failing(&database, &["keys", "rotate", "ci"]).await;
    assert!(error.ends_with("; the key was not rotated, and its secret is still valid\n"), "{error}");
    assert_eq!(status(&database, &created["key"]).await, 200);
}

#[tokio::test]
async fn key_that_is_changed_at_the_same_time_is_not_rotated() {
    let database = Database::start().await;
    run_json(&database, &["keys", "create", "--name", "ci"]).await;
    database.fail([Fault::after_call(Reply::Delayed)]);
    let (error, ()) = tokio::join!(run_failing(&database, &["keys", "rotate", "ci"]), async {
        database.held().await;
        database.change_key("per_minute = :limit", &[(":limit", AttributeValue::N("5".into()))]).await;
        database.release();
    });
    assert!(error.contains("the key was changed or deleted at the same time"), "{error}");
}

/// Two administrators can create keys with one name at the same time.
#[tokio::test]
async fn ambiguous_name_is_an_error_that_lists_the_ids() {
    let database = Database::start().await;
    database.key("ci", 1, 1).await;
    database.key("ci", 1, 1).await;
    let error = run_failing(&database, &["keys", "show", "ci"]).await;
    assert!(error.starts_with("passloom-admin: several keys have the name ci: "), "{error}");
    for item in database.items().await {
        let id = item["pk"]["S"].as_str().unwrap();
        assert!(error.contains(id), "{error}");
        assert_eq!(run_json(&database, &["keys", "show", id]).await["id"], id);
    }
}

#[tokio::test]
async fn name_with_an_invisible_character_is_rejected() {
    let database = Database::start().await;
    check_all(["a\u{200b}b", "a\u{202e}b", "a\u{ad}b", "a\u{7}b", "a\u{2028}b", "\u{feff}ci"], async |name| {
        let error = run_failing(&database, &["keys", "create", "--name", name]).await;
        assert!(error.contains("no control or format characters"), "{error}");
    })
    .await;
    for name in ["Büro 3", "連携", "🔑 ci"] {
        assert_eq!(run_json(&database, &["keys", "create", "--name", name]).await["name"], name);
    }
}
