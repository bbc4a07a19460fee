//! Keys that are bound to a policy or to a least entropy.

use aws_sdk_dynamodb::types::AttributeValue;
use passloom::access::{Binding, BoundPolicy};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::named_policies::{administrator, bound, put, read};
use crate::support::{Deployment, Request, check_all};

#[tokio::test]
async fn bound_key_is_held_to_its_policy() {
    let deployment = Deployment::start().await;
    let admin = administrator(&deployment).await;
    put(&deployment, &admin, "ci", &json!({ "length": 20, "special": true, "symbols": "-_" })).await;
    let key = bound(&deployment, Some("ci"), None).await;
    for query in ["", "policy=ci", "length=25"] {
        let answer = deployment.generate(&key, query).await.ok();
        assert_eq!((&answer["policy_name"], &answer["policy"]["symbols"]), (&json!("ci"), &json!("-_")), "{query}");
    }
    let described = read(&deployment, &key, "/api/policy").await.ok();
    assert_eq!(described["policy_name"], "ci");
    let verdict = Request::post(r#"{"password":"abc"}"#).path("/api/validate").key(&key);
    assert_eq!(deployment.send(verdict).await.ok()["policy_name"], "ci");
    let forbidden = [
        ("policy=cis", "This API key is bound to policy ci; omit policy."),
        ("policy=nothing", "This API key is bound to policy ci; omit policy."),
    ];
    check_all(forbidden, async |(query, detail)| {
        assert_eq!(deployment.generate(&key, query).await.assert_problem(403)["detail"], detail);
        assert_eq!(deployment.log.last()["reason"], "key-bound: another policy");
    })
    .await;
    let phrase = deployment.send(Request::get("").path("/api/passphrase").key(&key)).await.assert_problem(403);
    assert_eq!(phrase["detail"], "This API key is bound to policy ci, and a policy has no passphrases.");
    read(&deployment, &key, "/api/policies/cis").await.assert_problem(403);
    read(&deployment, &key, "/api/policies/ci").await.ok();
    let weaker = [
        ("length=19", "length", "length is 20 or more"),
        ("special=false", "special", "special is true"),
        ("min_special=0", "min_special", "min_special is 1 or more"),
        ("symbols=!", "symbols", "symbols is a subset of -_"),
    ];
    check_all(weaker, async |(query, parameter, requirement)| {
        let answer = deployment.generate(&key, query).await;
        let problem = answer.assert_problem(400);
        let detail =
            format!("policy ci requires that {requirement}; parameters may add to a policy, but must not weaken it.");
        assert_eq!((&problem["detail"], &problem["parameter"]), (&json!(detail), &json!(parameter)));
    })
    .await;
    // A subset of the symbols has less entropy than the policy alone, which one more character makes up for.
    assert_eq!(deployment.generate(&key, "symbols=-").await.ok()["length"], 21);
    let problem = deployment.generate(&key, "symbols=-&length=20").await.assert_problem(403);
    assert!(problem["detail"].as_str().unwrap().contains("this API key requires "), "{problem}");
    // It fails closed.
    let delete = Request::get("").method("DELETE").path("/api/policies/ci").key(&admin);
    assert_eq!(deployment.send(delete).await.status, 204);
    let problem = deployment.generate(&key, "").await.assert_problem(403);
    assert!(problem["detail"].as_str().unwrap().contains("policy ci, which does not exist"), "{problem}");
}

/// A preset that is added later never takes the place of a stored policy, and the other way round.
#[tokio::test]
async fn binding_names_a_preset_or_a_stored_policy() {
    let deployment = Deployment::start().await;
    let stored = Binding { policy: Some(BoundPolicy::Stored("cis".into())), ..Binding::default() };
    let preset = Binding { policy: Some(BoundPolicy::Preset("future".into())), ..Binding::default() };
    for binding in [stored, preset] {
        let key = deployment.database.bound_key("bound", binding).await;
        deployment.generate(&key, "").await.assert_problem(403);
        assert_eq!(deployment.log.last()["reason"], "key-bound: the policy does not exist");
    }
}

#[tokio::test]
async fn entropy_floor_of_a_key_is_never_undercut() {
    let deployment = Deployment::start().await;
    let key = bound(&deployment, None, Some(120)).await;
    let cases = [
        ("", 21),
        ("length=30", 30),
        ("special=true", 19),
        ("min_entropy=100", 21),
        ("min_entropy=140", 24),
        ("lowercase=false&uppercase=false", 37),
    ];
    check_all(cases, async |(query, length)| {
        let answer = deployment.generate(&key, query).await.ok();
        assert!(answer["entropy_bits"].as_f64().unwrap() >= 120.0);
        assert_eq!(answer["length"], length);
    })
    .await;
    let problem = deployment.generate(&key, "length=16").await.assert_problem(403);
    let detail = "The request has 95.17 bits of entropy, and this API key requires 120; increase or omit length or words, \
                  or omit what lowers it.";
    assert_eq!(problem["detail"], detail);
    let phrase = async |query: &str| deployment.send(Request::get(query).path("/api/passphrase").key(&key)).await;
    assert_eq!(phrase("").await.ok()["policy"]["words"], 10);
    assert_eq!(phrase("words=12").await.ok()["policy"]["words"], 12);
    assert!(phrase("words=6").await.assert_problem(403)["detail"].as_str().unwrap().contains("requires 120"));
    // A floor never shortens.
    let low = bound(&deployment, None, Some(20)).await;
    assert_eq!(deployment.generate(&low, "").await.password().len(), 16);
}

/// One search finds the length for both.
#[tokio::test]
async fn entropy_floor_of_a_key_is_answered_as_min_entropy_is() {
    let deployment = Deployment::start().await;
    let held = bound(&deployment, None, Some(512)).await;
    let free = deployment.ample_key().await;
    let cases = [
        "max_sequential=2",
        "max_repeating=1&max_sequential=1",
        "lowercase=false&uppercase=false&max_sequential=1",
        "min_digits=150",
        "min_classes=2&start=letter",
    ];
    check_all(cases, async |query| {
        let expected = deployment.generate(&free, &format!("{query}&min_entropy=512")).await.ok();
        let answer = deployment.generate(&held, query).await.ok();
        let facts =
            |answer: &Value| (answer["length"].clone(), answer["entropy_bits"].clone(), answer["policy"].clone());
        assert_eq!(facts(&answer), facts(&expected));
        assert!(answer["entropy_bits"].as_f64().unwrap() >= 512.0, "{answer}");
        let line = deployment.log.last();
        assert_eq!((&line["event"], &line["status"]), (&json!("password.generated"), &json!(200)));
        assert_eq!((&line["length"], &line["entropy_bits"]), (&answer["length"], &answer["entropy_bits"]));
    })
    .await;
    // What cannot have as much is refused with the most that it can have.
    let refused = [
        ("max_sequential=2&length=85", "506.05"),
        ("no_repeats=true&lowercase=false&uppercase=false&length=8", "20.79"),
        ("no_repeats=true&exclude=abc", "266.22"),
    ];
    check_all(refused, async |(query, has)| {
        let problem = deployment.generate(&held, query).await.assert_problem(403);
        let detail = format!("The request has {has} bits of entropy, and this API key requires 512; ");
        assert!(problem["detail"].as_str().unwrap().starts_with(&detail), "{problem}");
        let line = deployment.log.last();
        assert_eq!(
            (&line["event"], &line["reason"]),
            (&json!("request.refused"), &json!("key-bound: too little entropy"))
        );
    })
    .await;
}

/// A bound key holds from the next request, because the write pins what the key is bound to.
#[tokio::test]
async fn binding_a_key_holds_from_the_next_request() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    deployment.generate(&key, "length=8").await.ok();
    let binding = AttributeValue::M([("min_entropy".to_owned(), AttributeValue::N("100".into()))].into());
    deployment.database.change_key("binding = :binding", &[(":binding", binding)]).await;
    deployment.generate(&key, "length=8").await.assert_problem(403);
    let unknown = AttributeValue::M([("max_uses".to_owned(), AttributeValue::N("1".into()))].into());
    deployment.database.change_key("binding = :binding", &[(":binding", unknown)]).await;
    deployment.generate(&key, "").await.assert_problem(503);
    assert_eq!(deployment.log.last()["reason"], "store: attribute binding is missing or malformed");
}

#[tokio::test]
async fn warm_bound_key_costs_one_write_and_a_cold_policy_one_read() {
    let deployment = Deployment::start().await;
    put(&deployment, &administrator(&deployment).await, "ci", &json!({ "length": 20 })).await;
    let function = deployment.sibling().await;
    let key = bound(&deployment, Some("ci"), Some(60)).await;
    let calls = async || {
        let before = function.database.calls();
        function.generate(&key, "").await.password();
        function.database.calls() - before
    };
    assert_eq!(calls().await, 2, "the write, the policies");
    assert_eq!(calls().await, 1);
    function.clock.advance(std::time::Duration::from_secs(11));
    assert_eq!(calls().await, 2, "the policies are ten seconds old");
    assert_eq!(calls().await, 1);
}

#[tokio::test]
async fn key_tells_its_holder_about_itself() {
    let deployment = Deployment::start().await;
    let key = deployment.key(5, 100).await;
    let own = read(&deployment, &key, "/api/key").await.ok();
    let expected = json!({ "name": "test", "admin": false, "policy": null, "min_entropy": null, "expires_at": null,
        "limits": { "per_minute": 5, "per_day": 100 }, "remaining": { "per_minute": 4, "per_day": 99 } });
    assert_eq!(own, expected);
    assert_eq!(deployment.log.last()["event"], "key.read");
    let bound = bound(&deployment, Some("ci"), Some(80)).await;
    let own = read(&deployment, &bound, "/api/key").await.ok();
    assert_eq!((&own["policy"], &own["min_entropy"]), (&json!({ "name": "ci", "kind": "stored" }), &json!(80)));
    deployment.send(Request::get("a=1").path("/api/key").key(&key)).await.assert_problem(400);
    read(&deployment, "wrong", "/api/key").await.assert_problem(401);
}

/// Parameters of a policy, or parameters that a caller adds.
fn any_parameters() -> impl Strategy<Value = Value> {
    let class = || prop::option::weighted(0.3, any::<bool>());
    let min = || prop::option::weighted(0.3, 0..5_u16);
    let limits = (prop::option::weighted(0.2, 1..4_u16), prop::option::weighted(0.2, 1..4_u16));
    let start = prop::option::weighted(0.2, prop::sample::select(vec!["letter", "lowercase", "digit", "alphanumeric"]));
    (
        (class(), class(), class(), class()),
        (min(), min(), min(), min()),
        (prop::option::weighted(0.3, 8..30_u16), prop::option::weighted(0.3, "[a-dA-D0-3]{0,6}"), limits, start),
        (class(), class(), prop::option::weighted(0.2, "[-_!#]{1,3}"), prop::option::weighted(0.2, 20..100_u16)),
    )
        .prop_map(|(classes, mins, (length, exclude, (repeating, sequential), start), others)| {
            let mut body = json!({
                "lowercase": classes.0, "uppercase": classes.1, "digits": classes.2, "special": classes.3,
                "min_lowercase": mins.0, "min_uppercase": mins.1, "min_digits": mins.2, "min_special": mins.3,
                "length": length, "exclude": exclude, "max_repeating": repeating, "max_sequential": sequential,
                "start": start, "exclude_similar": others.0, "no_repeats": others.1, "symbols": others.2,
                "min_entropy": others.3,
            });
            body.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            body
        })
}

/// Whatever a holder adds, what it gets satisfies the policy and has no less entropy than the policy alone, or the floor.
#[test]
fn bound_key_never_gets_less_than_its_policy() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let deployment = runtime.block_on(Deployment::start());
    let admin = runtime.block_on(administrator(&deployment));
    let free = runtime.block_on(deployment.ample_key());
    let mut runner =
        TestRunner::new(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() });
    let case = (any_parameters(), prop::collection::vec(any_parameters(), 4), prop::option::weighted(0.4, 30..110_u16));
    let drawn = std::cell::Cell::new(0);
    let result = runner.run(&case, |(policy, additions, floor)| {
        runtime.block_on(async {
            let name = "policy";
            let stored = put(&deployment, &admin, name, &policy).await;
            if stored.status != 201 {
                return;
            }
            let alone = stored.json()["entropy_bits"].as_f64().unwrap();
            let key = bound(&deployment, Some(name), floor).await;
            for addition in additions {
                let answer = deployment.send(Request::post(addition.to_string()).key(&key)).await;
                if answer.status != 200 {
                    assert!([400, 403].contains(&answer.status), "{}", answer.body);
                    continue;
                }
                let least = alone.max(floor.map_or(0.0, f64::from));
                let answer = answer.json();
                assert!(answer["entropy_bits"].as_f64().unwrap() >= least, "{policy} {addition} {floor:?}: {answer}");
                // The policy's own parameters, and not what the answer says of them.
                let mut check = policy.clone();
                let length = check.as_object_mut().unwrap().remove("length").and_then(|length| length.as_u64());
                check.as_object_mut().unwrap().remove("min_entropy");
                check["password"] = answer["password"].clone();
                let verdict = Request::post(check.to_string()).path("/api/validate").key(&free);
                let verdict = deployment.send(verdict).await.ok();
                assert_eq!(verdict["violations"], json!([]), "{policy} {addition}: {answer}");
                assert!(answer["length"].as_u64() >= length);
                drawn.set(drawn.get() + 1);
            }
            let delete = Request::get("").method("DELETE").path(&format!("/api/policies/{name}")).key(&admin);
            assert_eq!(deployment.send(delete).await.status, 204);
        });
        Ok(())
    });
    result.unwrap();
    assert!(drawn.get() > 50, "{}", drawn.get());
}
