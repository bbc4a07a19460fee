//! A change of a stored policy: the line before it, the line after it, and nothing without them.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::audit::Full;
use crate::named_policies::{administrator, put};
use crate::support::{Answer, Deployment, Fault, Lines, Reply, Request, check_all, error};
use crate::vault::HCL;

/// The changes of both APIs: of a policy that exists, or of one that does not.
const CHANGES: [(&str, &str); 4] = [
    ("PUT", "/api/policies/"),
    ("DELETE", "/api/policies/"),
    ("PUT", "/v1/sys/policies/password/"),
    ("DELETE", "/v1/sys/policies/password/"),
];

async fn change(deployment: &Deployment, key: &str, (method, folder): (&'static str, &str), name: &str) -> Answer {
    let body = match (method, folder) {
        ("PUT", "/api/policies/") => Some(json!({ "length": 30 })),
        ("PUT", _) => Some(json!({ "policy": HCL })),
        _ => None,
    };
    let request = body.map_or_else(|| Request::get(""), |body| Request::post(body.to_string()));
    let request = request.method(method).path(&format!("{folder}{name}"));
    deployment.send(request.key(key).header("x-vault-token", key)).await
}

/// Some fields of each line.
fn lines(lines: &Lines) -> Vec<[Value; 5]> {
    let fields = ["event", "change", "policy", "policy_revision", "sequence"];
    lines.all().iter().map(|line| fields.map(|field| line[field].clone())).collect()
}

#[tokio::test]
async fn change_is_announced_and_its_result_is_told() {
    let deployment = Deployment::start().await;
    let admin = administrator(&deployment).await;
    let (own, vault) = ("/api/policies/", "/v1/sys/policies/password/");
    for (change_of, status) in [(("PUT", own), 201), (("PUT", vault), 204), (("DELETE", vault), 204)] {
        assert_eq!(change(&deployment, &admin, change_of, "ci").await.status, status);
    }
    assert_eq!(change(&deployment, &admin, ("DELETE", vault), "ci").await.status, 204);
    change(&deployment, &admin, ("DELETE", own), "ci").await.assert_problem(404);
    let expected = json!([
        ["policy.changing", "create", "ci", 0, null],
        ["policy.created", "create", "ci", 1, 1],
        ["policy.changing", "update", "ci", 1, null],
        ["policy.updated", "update", "ci", 2, 2],
        ["policy.changing", "delete", "ci", 2, null],
        ["policy.deleted", "delete", "ci", 2, 3],
        ["policy.unchanged", null, "ci", null, 4],
        ["request.refused", null, "ci", null, 5],
    ]);
    assert_eq!(json!(lines(&deployment.log)), expected);
    let all = deployment.log.all();
    assert_eq!((&all[0]["status"], &all[0]["key_name"]), (&Value::Null, &json!("admin")));
    assert_eq!(all[0]["request_id"], all[1]["request_id"]);
}

#[tokio::test]
async fn change_without_a_line_is_not_made() {
    check_all(CHANGES, async |change_of| {
        // The log accepts nothing, or only the lines after the announcement, as a disk does that is full for a moment.
        let deployment = Deployment::builder().log_to(Full { accepted: 0, lines: Lines::default() }).start().await;
        let admin = administrator(&deployment).await;
        let sibling = deployment.sibling().await;
        put(&sibling, &admin, "ci", &json!({ "length": 20 })).await.json();
        let before = deployment.database.items().await;
        for name in ["ci", "new"] {
            let answer = change(&deployment, &admin, change_of, name).await;
            if (change_of.0, name) == ("DELETE", "new") {
                continue;
            }
            assert_eq!(answer.status, 500, "{}", answer.body);
            assert!(answer.body.contains("Internal error"), "{}", answer.body);
        }
        let policies = |items: &[Value]| items.iter().find(|item| item["pk"]["S"] == "policies").cloned();
        assert_eq!(policies(&deployment.database.items().await), policies(&before));
    })
    .await;
}

#[tokio::test]
async fn change_whose_outcome_is_unknown_is_named_in_the_line() {
    let lost = [Fault::after_call(Reply::Reset), Fault::instead_of_call(Reply::Reset)];
    check_all(lost, async |fault| {
        for change_of in CHANGES {
            let deployment = Deployment::start().await;
            let admin = administrator(&deployment).await;
            put(&deployment, &admin, "ci", &json!({ "length": 20 })).await;
            // The write that counts the request and the read of the policies are answered, and then nothing is.
            let answered = Fault::after_call(Reply::Unchanged);
            let silence = std::iter::repeat_n(Fault::instead_of_call(Reply::Reset), 8);
            deployment.database.fail([answered.clone(), answered, fault.clone()].into_iter().chain(silence));
            let answer = change(&deployment, &admin, change_of, "ci").await;
            assert_eq!(answer.status, 503, "{}", answer.body);
            assert!(answer.body.contains("did not tell whether the policy was changed"), "{}", answer.body);
            let line = deployment.log.last();
            let kind = if change_of.0 == "PUT" { "update" } else { "delete" };
            let found = ["event", "level", "change", "policy", "policy_revision", "sequence"].map(|field| &line[field]);
            assert_eq!(json!(found), json!(["policy.change_unknown", "ERROR", kind, "ci", 1, 2]));
        }
    })
    .await;
}

#[tokio::test]
async fn change_that_the_database_rejects_has_failed() {
    let deployment = Deployment::start().await;
    let admin = administrator(&deployment).await;
    let answered = Fault::after_call(Reply::Unchanged);
    let denied = Fault::instead_of_call(error("400 Bad Request", "AccessDeniedException"));
    deployment.database.fail([answered.clone(), answered, denied]);
    put(&deployment, &admin, "ci", &json!({})).await.assert_problem(503);
    let line = deployment.log.last();
    assert_eq!((&line["event"], &line["policy"]), (&json!("policy.change_failed"), &json!("ci")));
    assert_eq!(line["reason"], "policies: DynamoDB answered AccessDeniedException");
}

/// Another administrator's change between the read and the write.
#[tokio::test]
async fn overtaken_change_is_announced_again() {
    let deployment = Deployment::start().await;
    let admin = administrator(&deployment).await;
    put(&deployment, &admin, "ci", &json!({})).await;
    let answered = Fault::after_call(Reply::Unchanged);
    deployment.database.fail([answered.clone(), answered, Fault::instead_of_call(Reply::Held)]);
    let body = json!({ "length": 30 });
    let request = put(&deployment, &admin, "ci", &body);
    let other = async {
        deployment.database.held().await;
        let item = deployment.database.items().await.into_iter().find(|item| item["pk"]["S"] == "policies").unwrap();
        let text = item["p:ci"]["S"].as_str().unwrap();
        let (rev, token) = (AttributeValue::N("7".into()), AttributeValue::B(vec![7; 16].into()));
        let policy = ("p:ci".to_owned(), AttributeValue::S(text.to_owned()));
        deployment.database.set_policies([("rev".to_owned(), rev), ("rid".to_owned(), token), policy].into()).await;
        deployment.database.release();
    };
    let (answer, ()) = tokio::join!(request, other);
    assert_eq!(answer.status, 503, "the first write may have been made and overwritten: {}", answer.body);
    assert_eq!(deployment.log.last()["event"], "policy.change_unknown");
    // A write that is rejected is certain.
    let rejected = Fault::instead_of_call(error("400 Bad Request", "ConditionalCheckFailedException"));
    let answered = Fault::after_call(Reply::Unchanged);
    deployment.database.fail([answered.clone(), answered, rejected]);
    assert_eq!(put(&deployment, &admin, "ci", &json!({ "length": 30 })).await.status, 200);
    let lines = lines(&deployment.log);
    let events: Vec<_> = lines[lines.len() - 3..].iter().map(|line| (&line[0], &line[3])).collect();
    assert_eq!(json!(events), json!([["policy.changing", 7], ["policy.changing", 7], ["policy.updated", 8]]));
    // Forever overtaken.
    let rejected = || Fault::instead_of_call(error("400 Bad Request", "ConditionalCheckFailedException"));
    let answered = || Fault::after_call(Reply::Unchanged);
    let attempts = (0..4).flat_map(|_| [answered(), rejected()]);
    deployment.database.fail([answered()].into_iter().chain(attempts));
    put(&deployment, &admin, "ci", &json!({})).await.assert_problem(503);
    assert_eq!(deployment.log.last()["event"], "policy.change_failed");
}

/// What a caller may send: the API, method, path, body or query.
const REQUESTS: &[(&str, &str, &str, &str)] = &[
    ("own", "GET", "/api/generate", ""),
    ("own", "GET", "/api/generate", "count=3&length=12"),
    ("own", "GET", "/api/generate", "policy=marker-name"),
    ("own", "GET", "/api/generate", "policy=unknown-name"),
    ("own", "GET", "/api/generate", "length=3"),
    ("own", "GET", "/api/generate", "max_repeating=1&no_repeats=true&charsets=1"),
    ("own", "GET", "/api/passphrase", "words=5"),
    ("own", "GET", "/api/passphrase", "min_entropy=2048"),
    ("own", "GET", "/api/policy", "length=9"),
    ("own", "POST", "/api/validate", r#"{"password":"Marker-sent-1","length":13}"#),
    ("own", "GET", "/api/key", ""),
    ("own", "GET", "/api/policies", ""),
    ("own", "GET", "/api/policies/marker-name", ""),
    ("own", "GET", "/api/policies/cis", ""),
    ("own", "PUT", "/api/policies/marker-name", r#"{"exclude":"Marker-content","description":"Marker-content"}"#),
    ("own", "PUT", "/api/policies/marker-name", r#"{"min_digits":4096,"length":9}"#),
    ("own", "DELETE", "/api/policies/marker-name", ""),
    ("own", "GET", "/api/presets", ""),
    ("own", "GET", "/api/health", ""),
    ("own", "GET", "/api/nothing", ""),
    ("aws", "POST", "/", r#"{"PasswordLength":20}"#),
    ("aws", "POST", "/", r#"{"ExcludeCharacters":"Marker-content","ExcludePunctuation":true}"#),
    ("aws", "POST", "/", r#"{"PasswordLength":1}"#),
    ("vault", "LIST", "/v1/sys/policies/password", ""),
    ("vault", "GET", "/v1/sys/policies/password/marker-name", ""),
    ("vault", "GET", "/v1/sys/policies/password/marker-name/generate", ""),
    (
        "vault",
        "PUT",
        "/v1/sys/policies/password/marker-name",
        r#"{"policy":"length=9 rule \"charset\" { charset = \"Marker-content\" }"}"#,
    ),
    ("vault", "PUT", "/v1/sys/policies/password/marker-name", r#"{"policy":"Marker-content"}"#),
    ("vault", "DELETE", "/v1/sys/policies/password/marker-name", ""),
    ("vault", "POST", "/v1/sys/tools/random/9", ""),
    ("vault", "GET", "/v1/auth/token/lookup-self", ""),
    ("vault", "GET", "/v1/sys/health", ""),
];

fn request((api, method, path, content): (&'static str, &'static str, &str, &str), key: &str) -> Request {
    let is_get = ["GET", "LIST", "DELETE"].contains(&method);
    let request = if is_get { Request::get(content) } else { Request::post(content) };
    let request = request.method(method).path(path);
    match api {
        "own" => request.key(key),
        "vault" => request.header("x-vault-token", key),
        _ => {
            let request = request.header("x-amz-target", "secretsmanager.GetRandomPassword");
            request.header("x-amz-security-token", key)
        }
    }
}

/// The secrets in an answer.
fn secrets(answer: &Answer) -> BTreeSet<String> {
    let Ok(body) = serde_json::from_str::<Value>(&answer.body) else { return BTreeSet::new() };
    let members = [&body["password"], &body["passphrase"], &body["RandomPassword"], &body["data"]["password"]];
    let one = members.into_iter().chain([&body["data"]["random_bytes"]]).filter_map(Value::as_str);
    let many = body["passwords"].as_array().into_iter().flatten().filter_map(Value::as_str);
    one.chain(many).map(str::to_owned).collect()
}

/// Over all operations of all APIs, in any order, by an administrator and by others.
#[tokio::test]
async fn each_admitted_request_has_one_line_with_its_sequence_and_no_secret() {
    let sequences = prop::collection::vec((0..REQUESTS.len(), 0..3_usize), 1..60);
    let mut runner = TestRunner::default();
    let mut samples: Vec<_> = (0..12).map(|_| sequences.new_tree(&mut runner).unwrap().current()).collect();
    // The administrator sends each twice, so that policies are updated, too.
    let every = (0..REQUESTS.len()).flat_map(|one| [(one, 0), (one, 0), (one, 1), (one, 2)]).collect();
    samples.push(every);
    let mut events = BTreeSet::new();
    for sample in samples {
        let deployment = Deployment::start().await;
        let bound = crate::named_policies::bound(&deployment, Some("marker-name"), None).await;
        let keys = [administrator(&deployment).await, deployment.ample_key().await, bound];
        let mut found = BTreeSet::new();
        for (one, key) in &sample {
            found.extend(secrets(&deployment.send(request(REQUESTS[*one], &keys[*key])).await));
        }
        let mut counted: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        let lines = deployment.log.all();
        for line in &lines {
            events.insert(line["event"].as_str().unwrap().to_owned());
            if let Some(sequence) = line["sequence"].as_u64() {
                counted.entry(line["key_id"].as_str().unwrap().to_owned()).or_default().push(sequence);
            }
        }
        for item in deployment.database.items().await {
            let Some(admissions) = item["n"]["N"].as_str() else { continue };
            let admissions: u64 = admissions.parse().unwrap();
            let sequences = counted.remove(item["pk"]["S"].as_str().unwrap()).unwrap_or_default();
            assert_eq!(sequences, (1..=admissions).collect::<Vec<_>>(), "{sample:?}");
        }
        let answers = lines.iter().filter(|line| line["event"] != "policy.changing").count();
        assert_eq!(answers, sample.len(), "{sample:?}");
        let log = deployment.log.text();
        assert!(!log.contains("Marker-"), "{sample:?}");
        assert!(found.iter().all(|secret| !log.contains(secret.as_str())), "{sample:?}");
        for line in lines.iter().filter(|line| line["event"] == "random.generated") {
            assert_eq!((&line["count"], &line["entropy_bits"]), (&json!(1), &json!(72.0)));
        }
    }
    let unseen = [
        "policy.change_failed",
        "policy.change_unknown",
        "page.read",
        "contract.read",
        "options.read",
        "request.failed",
    ];
    let all: BTreeSet<_> = passloom::audit::Event::ALL.map(passloom::audit::Event::name).map(str::to_owned).into();
    let unseen = unseen.map(str::to_owned).into();
    assert_eq!(all.difference(&events).cloned().collect::<BTreeSet<_>>(), unseen);
}
