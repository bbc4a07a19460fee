//! The commands of `passloom-admin` for policies, and the keys that are bound to them.

use std::process::{Output, Stdio};

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::admin_tool::{run, run_failing, run_json, text};
use crate::support::{Database, Deployment, Function, Request, check_all};

/// Runs the tool with a policy on its standard input, as the user `operator`.
async fn put_policy(database: &Database, name: &str, policy: &Value) -> Output {
    put_policy_as(database, name, policy, &[("LOGNAME", "operator")], &[]).await
}

async fn put_policy_as(
    database: &Database,
    name: &str,
    policy: &Value,
    variables: &[(&str, &str)],
    arguments: &[&str],
) -> Output {
    let mut command = Function::command(env!("CARGO_BIN_EXE_passloom-admin"), &database.table());
    command.envs(variables.iter().copied());
    command.args(["policies", "put", name, "--file", "-", "--json"]).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // The tool does not read a policy whose name it refuses.
    let _ = child.stdin.take().unwrap().write_all(policy.to_string().as_bytes()).await;
    child.wait_with_output().await.unwrap()
}

#[tokio::test]
async fn policy_is_put_listed_shown_bound_and_deleted() {
    let database = Database::start().await;
    let put = put_policy(&database, "ci", &json!({ "length": 20, "symbols": "-_", "description": "for builds" })).await;
    let stored: Value = serde_json::from_slice(&put.stdout).unwrap();
    assert_eq!(
        (&stored["revision"], &stored["length"], &stored["updated_by"]),
        (&json!(1), &json!(20), &json!("operator"))
    );
    assert_eq!(stored["parameters"], json!({ "length": 20, "symbols": "-_" }));
    run_json(&database, &["keys", "create", "--name", "build", "--policy", "ci", "--min-entropy", "80"]).await;
    let key = run_json(&database, &["keys", "create", "--name", "other", "--policy", "cis"]).await;
    assert_eq!((&key["policy"], &key["min_entropy"], &key["admin"]), (&json!("cis"), &Value::Null, &json!(false)));
    let shown = run_json(&database, &["policies", "show", "ci"]).await;
    assert_eq!((&shown["keys"], &shown["entropy_bits"]), (&json!(["build"]), &stored["entropy_bits"]));
    assert_eq!(run_json(&database, &["policies", "list"]).await["policies"], json!([shown]));
    let table = run(&database, &["policies", "list"]).await;
    assert_eq!(text(&table.stdout), "ci: revision 1, bound keys: build\n");
    let table = run(&database, &["policies", "show", "ci"]).await;
    assert!(text(&table.stdout).contains("keys        bound keys: build"), "{}", text(&table.stdout));

    let replaced = put_policy(&database, "ci", &json!({ "length": 30 })).await;
    assert_eq!(serde_json::from_slice::<Value>(&replaced.stdout).unwrap()["revision"], 2);
    let error = run_failing(&database, &["policies", "delete", "ci"]).await;
    assert_eq!(error, "passloom-admin: not a terminal; pass --yes to confirm\n");
    run_json(&database, &["policies", "delete", "ci", "--yes"]).await;
    assert_eq!(text(&run(&database, &["policies", "list"]).await.stdout), "No policies.\n");
}

#[tokio::test]
async fn invalid_policy_or_binding_is_explained() {
    let database = Database::start().await;
    let cases = [
        ("cis", json!({}), "The name of a policy has "),
        ("ci", json!({ "lenght": 8 }), "did you mean \"length\"?"),
        ("ci", json!({ "length": 4, "min_digits": 5 }), "length 4 is too short"),
        ("ci", json!({ "policy": "other" }), "policy must be one of nist-800-63b, "),
    ];
    check_all(cases, async |(name, policy, message)| {
        let output = put_policy(&database, name, &policy).await;
        assert!(!output.status.success() && text(&output.stderr).contains(message), "{}", text(&output.stderr));
    })
    .await;
    let cases = [
        (&["keys", "create", "--name", "x", "--policy", "ci"][..], "has no policy ci"),
        (&["keys", "create", "--name", "x", "--admin", "--policy", "cis"], "cannot be used with"),
        (&["keys", "create", "--name", "x", "--min-entropy", "0"], "--min-entropy"),
        (&["policies", "show", "ci"], "has no policy ci"),
        (&["policies", "delete", "ci", "--yes"], "has no policy ci"),
        (&["policies", "put", "ci", "--by", "ada", "--file", "/nowhere/policy.json"], "/nowhere/policy.json: "),
    ];
    check_all(cases, async |(arguments, message)| {
        let error = run_failing(&database, arguments).await;
        assert!(error.contains(message), "{error}");
    })
    .await;
}

#[tokio::test]
async fn author_is_the_user_of_the_system_or_by() {
    let database = Database::start().await;
    for (variables, arguments, author) in [
        (&[("LOGNAME", "ada"), ("USER", "grace")][..], &[][..], "ada"),
        (&[("LOGNAME", ""), ("USER", "grace")], &[], "grace"),
        (&[("USER", "grace")], &["--by", "Ada Lovelace"], "Ada Lovelace"),
    ] {
        let output = put_policy_as(&database, "ci", &json!({}), variables, arguments).await;
        let stored: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(stored["updated_by"], author, "{}", text(&output.stderr));
    }
    let id = "0123456789abcdef01234567";
    for (variables, arguments, message) in [
        (&[][..], &[][..], "pass --by with your name, because neither LOGNAME nor USER is set"),
        (&[("LOGNAME", id)], &[], "pass --by with your name, because LOGNAME must have 1 to 64 characters"),
        (&[], &["--by", "ada\u{202e}"], "must have 1 to 64 characters, no control or format characters"),
        (&[], &["--by", ""], "must have 1 to 64 characters"),
    ] {
        let output = put_policy_as(&database, "ci", &json!({}), variables, arguments).await;
        assert!(!output.status.success() && text(&output.stderr).contains(message), "{}", text(&output.stderr));
    }
    assert_eq!(run_json(&database, &["policies", "show", "ci"]).await["revision"], 3);
}

#[tokio::test]
async fn updated_key_is_bound_or_administers() {
    let deployment = Deployment::start().await;
    let database = &deployment.database;
    let created = run_json(database, &["keys", "create", "--name", "ci"]).await;
    let key = created["key"].as_str().unwrap();
    deployment.generate(key, "length=8").await.ok();
    let updated = run_json(database, &["keys", "update", "ci", "--policy", "cis", "--min-entropy", "90"]).await;
    assert_eq!((&updated["policy"], &updated["min_entropy"]), (&json!("cis"), &json!(90)));
    let answer = deployment.generate(key, "").await.ok();
    assert_eq!(answer["policy_name"], "cis");
    let error = run_failing(database, &["keys", "update", "ci", "--admin"]).await;
    assert!(error.contains("would be an administrator's key and bound"), "{error}");
    run_json(database, &["keys", "update", "ci", "--no-policy", "--no-min-entropy"]).await;
    deployment.generate(key, "length=8").await.ok();
    let admin = run_json(database, &["keys", "update", "ci", "--admin"]).await;
    assert_eq!(admin["admin"], true);
    let request = Request::post("{}").method("PUT").path("/api/policies/mine").key(key);
    assert_eq!(deployment.send(request.clone()).await.status, 201);
    run_json(database, &["keys", "update", "ci", "--no-admin"]).await;
    assert_eq!(deployment.send(request).await.status, 403);
}
