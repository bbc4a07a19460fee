//! The policies of an organisation, from creation to deletion.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use passloom::access::{Binding, BoundPolicy};
use serde_json::{Value, json};

use crate::support::{Answer, Deployment, Fault, Reply, Request, check_all, error};

pub async fn put(deployment: &Deployment, key: &str, name: &str, body: &Value) -> Answer {
    let request = Request::post(body.to_string()).method("PUT").path(&format!("/api/policies/{name}"));
    deployment.send(request.key(key)).await
}

pub async fn read(deployment: &Deployment, key: &str, path: &str) -> Answer {
    deployment.send(Request::get("").path(path).key(key)).await
}

pub async fn administrator(deployment: &Deployment) -> String {
    deployment.database.bound_key("admin", Binding { admin: true, ..Binding::default() }).await
}

pub async fn bound(deployment: &Deployment, policy: Option<&str>, min_entropy: Option<u16>) -> String {
    let policy = policy.map(|name| BoundPolicy::Stored(name.to_owned()));
    deployment.database.bound_key("bound", Binding { policy, min_entropy, admin: false }).await
}

#[tokio::test]
async fn policy_is_created_read_used_replaced_and_deleted() {
    let deployment = Deployment::start().await;
    let (admin, user) = (administrator(&deployment).await, deployment.ample_key().await);
    let body = json!({ "length": 20, "special": true, "symbols": "-_", "exclude": "xyz", "description": "for builds" });
    let created = put(&deployment, &admin, "ci", &body).await;
    assert_eq!((created.status, created.header("etag")), (201, "\"1\""));
    let line = deployment.log.last();
    assert_eq!(
        (&line["event"], &line["policy"], &line["policy_revision"]),
        (&json!("policy.created"), &json!("ci"), &json!(1))
    );

    let described = read(&deployment, &user, "/api/policies/ci").await;
    assert_eq!(described.header("etag"), "\"1\"");
    let mut described = described.ok();
    assert_eq!(described["description"], "for builds");
    assert_eq!(
        (&described["policy"]["length"], &described["updated_at"]),
        (&json!(20), &json!("2026-01-01T00:00:00Z"))
    );
    described["updated_by"] = "admin".into();
    assert_eq!(described, created.json());

    let answer = deployment.generate(&user, "policy=ci&min_digits=3").await.ok();
    assert_eq!((&answer["policy_name"], &answer["policy_revision"]), (&json!("ci"), &json!(1)));
    let password = answer["password"].as_str().unwrap();
    assert!(password.len() == 20 && password.contains(['-', '_']) && !password.contains(['x', 'y', 'z']), "{password}");
    let line = deployment.log.last();
    assert_eq!((&line["policy"], &line["policy_revision"]), (&json!("ci"), &json!(1)));

    let updated = put(&deployment, &admin, "ci", &json!({ "length": 30 })).await;
    assert_eq!((updated.status, updated.header("etag")), (200, "\"2\""));
    assert_eq!(deployment.log.last()["event"], "policy.updated");
    assert_eq!(deployment.generate(&user, "policy=ci").await.password().len(), 30);

    let delete = Request::get("").method("DELETE").path("/api/policies/ci").key(&admin);
    let deleted = deployment.send(delete.clone()).await;
    assert_eq!((deleted.status, deleted.header("content-type")), (204, ""));
    assert_eq!(deployment.log.last()["event"], "policy.deleted");
    deployment.send(delete).await.assert_problem(404);
    read(&deployment, &user, "/api/policies/ci").await.assert_problem(404);
    let problem = deployment.generate(&user, "policy=ci").await.assert_problem(400);
    assert!(problem["detail"].as_str().unwrap().starts_with("policy must be one of nist-800-63b, "), "{problem}");
    // A revision is never used again.
    assert_eq!(put(&deployment, &admin, "ci", &body).await.header("etag"), "\"4\"");
    let log = deployment.log.text();
    assert!(!log.contains("xyz") && !log.contains("for builds"), "the content of a policy is in no log");
}

#[tokio::test]
async fn list_has_the_stored_policies_that_the_key_may_use() {
    let deployment = Deployment::start().await;
    let (admin, user) = (administrator(&deployment).await, deployment.ample_key().await);
    put(&deployment, &admin, "ci", &json!({ "length": 20 })).await;
    put(&deployment, &admin, "db", &json!({ "policy": "aws-rds" })).await;
    let list = read(&deployment, &user, "/api/policies").await.ok();
    let entries = list["policies"].as_array().unwrap().iter().map(|one| json!([one["name"], one["kind"]]));
    assert_eq!(entries.collect::<Vec<_>>(), [json!(["ci", "stored"]), json!(["db", "stored"])]);
    assert_eq!(read(&deployment, &user, "/api/policies/db").await.ok()["kind"], "stored");
    assert_eq!(read(&deployment, &user, "/api/policies/cis").await.ok()["kind"], "preset");
    let presets = read(&deployment, &user, "/api/presets").await.ok();
    assert!(presets["presets"].as_array().unwrap().iter().all(|one| one["kind"] == "preset"));
    read(&deployment, &user, "/api/policies").await.ok();
    let line = deployment.log.last();
    assert_eq!((&line["event"], &line["key_name"]), (&json!("policies.listed"), &json!("test")));
    deployment.send(Request::get("").path("/api/policies")).await.assert_problem(401);
    read(&deployment, "wrong", "/api/policies").await.assert_problem(401);
    let open = Deployment::builder().by_address(100, 100).start().await;
    assert_eq!(open.send(Request::get("").path("/api/policies")).await.ok(), json!({ "policies": [] }));
    assert_eq!(open.log.last()["sequence"], 1, "counted by address");

    let key = bound(&deployment, Some("ci"), None).await;
    let own = read(&deployment, &key, "/api/policies").await.ok();
    assert_eq!(own["policies"][0]["name"], "ci");
    assert_eq!(own["policies"].as_array().unwrap().len(), 1);
    let preset = Binding { policy: Some(BoundPolicy::Preset("cis".into())), ..Binding::default() };
    let own = read(&deployment, &deployment.database.bound_key("preset", preset).await, "/api/policies").await.ok();
    assert_eq!(own["policies"], json!([]));
}

#[tokio::test]
async fn author_of_a_policy_is_shown_to_administrators_only() {
    let deployment = Deployment::start().await;
    let open = Deployment::builder().by_address(100, 100).database(deployment.database.sibling().await).start().await;
    let (admin, user) = (administrator(&deployment).await, deployment.ample_key().await);
    assert_eq!(put(&deployment, &admin, "ci", &json!({})).await.json()["updated_by"], "admin");
    assert_eq!(put(&deployment, &admin, "ci", &json!({})).await.ok()["updated_by"], "admin");
    let bound = bound(&deployment, Some("ci"), None).await;
    let author = Some(json!("admin"));
    for (deployment, key, author) in
        [(&deployment, &*admin, author), (&deployment, &user, None), (&deployment, &bound, None), (&open, "", None)]
    {
        let one = read(deployment, key, "/api/policies/ci").await.ok();
        let list = read(deployment, key, "/api/policies").await.ok();
        for stored in [&one, &list["policies"][0]] {
            assert_eq!((&stored["revision"], stored.get("updated_by")), (&json!(2), author.as_ref()), "{stored}");
        }
    }
}

#[tokio::test]
async fn only_administrators_change_policies() {
    let deployment = Deployment::start().await;
    let user = deployment.ample_key().await;
    put(&deployment, &user, "ci", &json!({})).await.assert_problem(403);
    assert_eq!(deployment.log.last()["reason"], "not-administrator");
    let delete = Request::get("").method("DELETE").path("/api/policies/ci").key(&user);
    deployment.send(delete).await.assert_problem(403);
    let open = Deployment::builder().by_address(100, 100).start().await;
    let request = Request::post("{}").method("PUT").path("/api/policies/ci");
    open.send(request).await.assert_problem(403);
}

#[tokio::test]
async fn second_of_two_administrators_gets_412() {
    let deployment = Deployment::start().await;
    let admin = administrator(&deployment).await;
    let send = async |name: &str, header: &str, value: &str| {
        let request = Request::post(r#"{"length":20}"#).method("PUT").path(&format!("/api/policies/{name}"));
        deployment.send(request.key(&admin).header(header, value)).await.status
    };
    assert_eq!(send("ci", "if-match", "*").await, 412);
    assert_eq!(send("ci", "if-none-match", "*").await, 201);
    assert_eq!(send("ci", "if-none-match", "*").await, 412);
    assert_eq!(deployment.log.last()["reason"], "precondition-failed");
    assert_eq!(send("ci", "if-match", "\"1\"").await, 200);
    assert_eq!(send("ci", "if-match", "\"1\"").await, 412, "another administrator was faster");
    assert_eq!(send("ci", "if-match", "\"1\", \"2\"").await, 200);
    assert_eq!(send("ci", "if-match", "2").await, 400);
    let delete = Request::get("").method("DELETE").path("/api/policies/ci").key(&admin);
    deployment.send(delete.clone().header("if-match", "\"2\"")).await.assert_problem(412);
    assert_eq!(deployment.send(delete.header("if-match", "\"3\"")).await.status, 204);
}

#[tokio::test]
async fn named_policy_with_the_current_tag_returns_304() {
    let deployment = Deployment::start().await;
    let (admin, user) = (administrator(&deployment).await, deployment.ample_key().await);
    put(&deployment, &admin, "ci", &json!({})).await;
    let cases = [
        ("GET", "ci", "\"1\"", 304),
        ("HEAD", "ci", "\"1\"", 304),
        ("GET", "ci", "\"0\", W/\"1\"", 304),
        ("GET", "ci", "*", 304),
        ("GET", "ci", "\"0\"", 200),
        ("GET", "ci", "1", 200),
        // A preset has no tag.
        ("GET", "cis", "\"1\"", 200),
        ("GET", "nothing", "*", 404),
    ];
    check_all(cases, async |(method, name, known, status)| {
        let request = Request::get("").method(method).path(&format!("/api/policies/{name}")).key(&user);
        let answer = deployment.send(request.header("if-none-match", known)).await;
        let line = deployment.log.last();
        assert_eq!((answer.status, &line["status"]), (status, &json!(status)));
        assert!(line["sequence"].is_u64() && !answer.header("ratelimit").is_empty());
        if status == 304 {
            assert_eq!((answer.body.as_str(), answer.header("etag")), ("", "\"1\""));
            assert_eq!((answer.header("content-type"), answer.header("content-length")), ("", ""));
            assert_eq!((&line["event"], &line["policy"]), (&json!("policy.described"), &json!("ci")));
        }
    })
    .await;
}

#[tokio::test]
async fn invalid_policy_returns_400_and_is_not_stored() {
    let deployment = Deployment::start().await;
    let admin = administrator(&deployment).await;
    let cases = [
        ("cis", json!({}), "The name of a policy has "),
        ("-ci", json!({}), "The name of a policy has "),
        ("ci", json!({ "count": 2 }), "Unknown parameter \"count\""),
        ("ci", json!({ "policy": "other" }), "policy must be one of nist-800-63b, "),
        ("ci", json!({ "length": 4, "min_digits": 5 }), "length 4 is too short"),
        ("ci", json!({ "description": "x".repeat(257) }), "description must have at most 256 characters"),
        ("ci", json!({ "description": "a\u{202e}b" }), "description must not have U+202E or another control, "),
        ("ci", json!({ "description": "a\nb" }), "description must not have U+000A "),
        ("ci", json!({ "passwordrules": "allowed: [ab\u{202e}]" }), "passwordrules must not have U+202E "),
        ("ci", json!({ "exclude": "a\u{200b}" }), "exclude must not have U+200B "),
        ("ci", json!({ "charsets": [{ "chars": "a\u{7}" }] }), "charsets must not have U+0007 "),
        (
            "ci",
            json!({ "lowercase": false, "uppercase": false, "exclude": "123456789", "max_repeating": 1 }),
            "max_repeating 1 ",
        ),
        ("ci", json!({ "min_entropy": 2048, "no_repeats": true }), "no length up to 4096 has min_entropy 2048"),
        ("ci", json!({ "length": 256, "special": true, "min_digits": 60, "max_repeating": 1 }), "length 256 with "),
    ];
    check_all(cases, async |(name, body, detail)| {
        let problem = put(&deployment, &admin, name, &body).await.assert_problem(400);
        assert!(problem["detail"].as_str().unwrap().starts_with(detail), "{problem}");
    })
    .await;
    read(&deployment, &admin, "/api/policies/ci").await.assert_problem(404);
    read(&deployment, &admin, "/api/policies/CI").await.assert_problem(404);
}

#[tokio::test]
async fn more_policies_than_64_or_64_kib_return_409() {
    let deployment = Deployment::start().await;
    let admin = administrator(&deployment).await;
    for number in 0..64 {
        assert_eq!(put(&deployment, &admin, &format!("p{number}"), &json!({})).await.status, 201, "{number}");
    }
    let problem = put(&deployment, &admin, "another", &json!({})).await.assert_problem(409);
    assert_eq!(problem["detail"], "This deployment has 64 policies, and may have no more; delete one first.");
    assert_eq!(deployment.log.last()["reason"], "policies-full");
    // A policy that exists can still be replaced, as long as there is room.
    let long = json!({ "exclude": "a".repeat(12_000) });
    for number in 0..4 {
        assert_eq!(put(&deployment, &admin, &format!("p{number}"), &long).await.status, 200, "{number}");
    }
    let problem = put(&deployment, &admin, "p5", &long).await.assert_problem(409);
    assert!(problem["detail"].as_str().unwrap().starts_with("All policies together may have 64 KiB"), "{problem}");
}

/// Anything unknown in the item could be a constraint.
#[tokio::test]
async fn unreadable_policies_return_503_and_harm_nothing_else() {
    let policy = |text: &str| AttributeValue::S(text.into());
    let revision = ("rev".to_owned(), AttributeValue::N("1".into()));
    let token = ("rid".to_owned(), AttributeValue::B(Blob::new([0; 16])));
    let valid = r#"{"parameters":"{}","revision":1,"updated_at":"x","updated_by":"x"}"#;
    let cases = [
        ("nothing", vec![]),
        ("text", vec![revision.clone(), token.clone(), ("p:ci".to_owned(), policy("nonsense"))]),
        (
            "unknown field",
            vec![
                revision.clone(),
                token.clone(),
                ("p:ci".to_owned(), policy(&valid.replace("{\"p", "{\"new\":1,\"p"))),
            ],
        ),
        ("unknown attribute", vec![revision.clone(), token.clone(), ("q".to_owned(), policy(valid))]),
        (
            "unknown parameter",
            vec![revision, token, ("p:ci".to_owned(), policy(&valid.replace("{}", "{\\\"max_words\\\":1}")))],
        ),
    ];
    check_all(cases, async |(_, item)| {
        let deployment = Deployment::start().await;
        let (user, key) = (deployment.ample_key().await, bound(&deployment, Some("ci"), None).await);
        deployment.database.set_policies(item.into_iter().collect()).await;
        for (key, query) in [(&user, "policy=ci"), (&key, "")] {
            deployment.generate(key, query).await.assert_problem(503);
            let reason = deployment.log.last()["reason"].as_str().unwrap().to_owned();
            assert!(reason.starts_with("policies: "), "{reason}");
        }
        deployment.generate(&user, "policy=cis").await.password();
        deployment.generate(&user, "").await.password();
    })
    .await;
}

/// After a change whose answer is lost, the item is read back: the token of the change tells whether it was made.
#[tokio::test]
async fn change_whose_answer_is_lost_is_made_once() {
    let lost = [
        Fault::after_call(Reply::Reset),
        Fault::instead_of_call(Reply::Reset),
        Fault::after_call(error("500 Internal Server Error", "InternalServerError")),
        Fault::instead_of_call(error("500 Internal Server Error", "InternalServerError")),
    ];
    check_all(lost, async |fault| {
        let deployment = Deployment::start().await;
        let admin = administrator(&deployment).await;
        put(&deployment, &admin, "ci", &json!({ "length": 20 })).await;
        // The write that counts the request and the read of the policies are answered.
        let answered = Fault::after_call(Reply::Unchanged);
        deployment.database.fail([answered.clone(), answered, fault]);
        let updated = put(&deployment, &admin, "ci", &json!({ "length": 30 })).await;
        assert_eq!((updated.status, updated.header("etag")), (200, "\"2\""), "{}", updated.body);
        assert_eq!(read(&deployment, &admin, "/api/policies/ci").await.ok()["policy"]["length"], 30);
    })
    .await;
}
