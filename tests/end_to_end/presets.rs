//! Presets: `/api/presets` and the parameter `policy`.

use passloom::password::PRESETS;
use serde_json::{Value, json};

use crate::support::{Deployment, Request, check_all};

/// The presets as `/api/presets` lists them.
async fn listed(deployment: &Deployment) -> Vec<Value> {
    let listed = deployment.send(Request::get("").path("/api/presets")).await.ok();
    listed["presets"].as_array().unwrap().clone()
}

#[tokio::test]
async fn presets_lists_every_preset_without_a_key() {
    let deployment = Deployment::start().await;
    let listed = listed(&deployment).await;
    let names: Vec<&str> = listed.iter().map(|preset| preset["name"].as_str().unwrap()).collect();
    assert_eq!(names, PRESETS.each_ref().map(|preset| preset.name));
    assert_eq!(deployment.database.calls(), 0);
    assert_eq!(deployment.log.last()["event"], "presets.listed");
}

#[tokio::test]
async fn each_listed_preset_is_documented_with_its_source() {
    let deployment = Deployment::start().await;
    let document = include_str!("../../docs/policies.md");
    check_all(listed(&deployment).await, async |preset| {
        let name = preset["name"].as_str().unwrap();
        let row = document.lines().find(|line| line.starts_with(&format!("| `{name}` |"))).unwrap();
        for member in ["standard", "section", "url"] {
            let text = preset["source"][member].as_str().unwrap();
            assert!(!text.is_empty() && row.contains(text), "{member}");
        }
        assert!(row.contains(&preset["summary"].as_str().unwrap().replace('|', "\\|")), "summary");
        assert!(row.contains(preset["source"]["date"].as_str().unwrap_or_default()), "date");
    })
    .await;
}

/// The returned policy is the listed one, and sent back it makes itself. The preset accepts the passwords.
#[tokio::test]
async fn each_preset_generates_passwords_that_it_accepts() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    check_all(listed(&deployment).await, async |preset| {
        let name = preset["name"].as_str().unwrap();
        let answer = deployment.generate(&key, &format!("policy={name}&count=100")).await.ok();
        assert_eq!(deployment.log.last()["policy"], name);
        assert_eq!(answer["policy"], preset["policy"]);
        let again = deployment.send(Request::post(answer["policy"].to_string()).key(&key)).await.ok();
        assert_eq!((&again["policy"], &again["entropy_bits"]), (&answer["policy"], &answer["entropy_bits"]));
        let body = json!({ "password": answer["passwords"][0], "policy": name });
        let verdict = deployment.send(Request::post(body.to_string()).path("/api/validate").key(&key)).await.ok();
        assert_eq!((&verdict["valid"], &verdict["violations"]), (&json!(true), &json!([])));
    })
    .await;
}

#[tokio::test]
async fn each_preset_accepts_exactly_its_listed_lengths() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    check_all(listed(&deployment).await, async |preset| {
        let name = preset["name"].as_str().unwrap();
        let (min, max) = (preset["min_length"].as_u64().unwrap(), preset["max_length"].as_u64().unwrap());
        for (length, status) in [(min - 1, 400), (min, 200), (max, 200), (max + 1, 400)] {
            let answer = deployment.generate(&key, &format!("policy={name}&length={length}")).await;
            assert_eq!(answer.status, status, "length {length}: {}", answer.body);
        }
    })
    .await;
}

/// Many passwords with every permitted class in use.
#[tokio::test]
async fn preset_never_uses_characters_that_its_system_rejects() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let cases = [
        ("policy=aws-rds&special=true&length=30", "/'\"@& "),
        ("policy=aws-rds-postgresql&special=true&length=128", "/'\"@ "),
        ("policy=redshift&special=true&length=64", "'\"\\/@ "),
        ("policy=active-directory&length=256", "\\ "),
        ("policy=aws-iam&length=128", "\",./:;<>?\\`~ "),
        ("policy=url-safe&length=256", "!*'();:@&=+$,/?#[]% "),
        ("policy=shell-safe&length=256", "|&;<>()$`\\\"' *?[]^!#~=%{,}\t"),
        ("policy=yaml-safe&length=256", ":?,[]{} #&*!|>'\"`\\$"),
        ("policy=connection-string&length=256", "[]{}(),;?*=!@:/%&+$#'\"\\ "),
    ];
    check_all(cases, async |(query, rejected)| {
        for password in deployment.generate(&key, &format!("{query}&count=100")).await.passwords() {
            assert!(!password.contains(|one| rejected.contains(one)), "{password}");
            if query.contains("shell") || query.contains("yaml") {
                assert!(password.starts_with(|one: char| one.is_ascii_alphabetic()), "{password}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn parameters_may_add_to_a_preset() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let queries = [
        "policy=aws-iam&min_digits=3&length=20&exclude_similar=true",
        "policy=aws-iam&symbols=!@",
        "policy=nist-800-63b&special=true&symbols=~",
        "policy=active-directory&min_classes=4",
        "policy=active-directory&special=no&min_digits=2",
        "policy=shell-safe&start=lowercase&no_repeats=true",
        "policy=cis&min_entropy=120",
        "policy=wpa2&lowercase=no&uppercase=no&length=63",
    ];
    check_all(queries, async |query| {
        deployment.generate(&key, query).await.password();
    })
    .await;
}

#[tokio::test]
async fn parameter_that_weakens_a_preset_returns_400() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let cases = [
        ("policy=aws-iam&special=false", "special", "policy aws-iam requires that special is true; "),
        ("policy=pci-dss-4&digits=no", "digits", "policy pci-dss-4 requires that digits is true; "),
        ("policy=aws-iam&min_digits=0", "min_digits", "policy aws-iam requires that min_digits is 1 or more; "),
        ("policy=redshift&symbols=@", "symbols", "policy redshift requires that symbols is a subset of !#$%&()"),
        (
            "policy=active-directory&min_classes=2",
            "min_classes",
            "policy active-directory requires that min_classes is 3 or more; parameters may add to a policy, but must \
             not weaken it.",
        ),
        ("policy=yaml-safe&start=digit", "start", "policy yaml-safe requires that start is letter; "),
        ("policy=yaml-safe&start=alphanumeric", "start", "policy yaml-safe requires that start is letter; "),
        ("policy=cis&length=13", "length", "length must be a whole number from 14 to 4096, according to cis."),
        ("policy=CIS", "policy", "policy must be one of nist-800-63b, "),
    ];
    check_all(cases, async |(query, parameter, detail)| {
        let problem = deployment.generate(&key, query).await.assert_problem(400);
        assert_eq!(problem["parameter"], parameter);
        assert!(problem["detail"].as_str().unwrap().starts_with(detail), "{problem}");
    })
    .await;
}

#[tokio::test]
async fn preset_is_described_by_policy() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let described = deployment.send(Request::get("policy=redshift").path("/api/policy").key(&key)).await.ok();
    assert_eq!(described["policy"]["length"], 16);
    assert!(described["passwordrules"].as_str().unwrap().starts_with("minlength: 16; "));
    assert_eq!(deployment.log.last()["policy"], "redshift");
}
