//! Named policies.

use serde_json::{Value, json};

use crate::support::{Deployment, Request};

/// Every preset by itself: listed with its source, drawn, and what the answer says of it makes it again.
#[tokio::test]
async fn every_preset_is_listed_with_its_source_and_drawn() {
    let deployment = Deployment::new().await;
    let key = deployment.key(1_000, 1_000).await;
    let listed = deployment.send(Request::get("").path("/api/policies")).await;
    assert_eq!(listed.status, 200, "without a key");
    assert_eq!(deployment.database.calls(), 0);
    assert_eq!(deployment.log.last()["event"], "policies.listed");
    let listed = listed.json();
    let listed = listed["policies"].as_array().unwrap();
    for name in [
        "nist-800-63b",
        "owasp-asvs-5",
        "pci-dss-4",
        "cis",
        "aws-iam",
        "active-directory",
        "aws-rds",
        "redshift",
        "wpa2",
        "url-safe",
        "shell-safe",
        "yaml-safe",
        "connection-string",
    ] {
        assert!(listed.iter().any(|preset| preset["name"] == name), "{name}");
    }
    let documented = include_str!("../../docs/policies.md");
    for preset in listed {
        let name = preset["name"].as_str().unwrap();
        let row = documented.lines().find(|line| line.starts_with(&format!("| `{name}` |"))).unwrap();
        for member in ["standard", "section", "url"] {
            let text = preset["source"][member].as_str().unwrap();
            assert!(!text.is_empty() && row.contains(text), "{member} of {name}");
        }
        assert!(row.contains(&preset["summary"].as_str().unwrap().replace('|', "\\|")), "{name}");
        assert!(row.contains(preset["source"]["date"].as_str().unwrap_or_default()), "{name}");
        let answer = deployment.generate(&key, &format!("policy={name}&count=100")).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.body);
        assert_eq!(deployment.log.last()["policy"], name);
        let answer = answer.json();
        assert_eq!(answer["policy"], preset["policy"], "{name}");
        let again = deployment.send(Request::post(answer["policy"].to_string()).key(&key)).await.json();
        assert_eq!((&again["policy"], &again["entropy_bits"]), (&answer["policy"], &answer["entropy_bits"]), "{name}");
        // What is drawn validates, and the lengths are those that are listed.
        let body = json!({ "password": answer["passwords"][0], "policy": name });
        let verdict = deployment.send(Request::post(body.to_string()).path("/api/validate").key(&key)).await.json();
        assert_eq!((&verdict["valid"], &verdict["violations"]), (&json!(true), &json!([])), "{name}");
        let (least, most) = (preset["min_length"].as_u64().unwrap(), preset["max_length"].as_u64().unwrap());
        for (length, status) in [(least - 1, 400), (least, 200), (most, 200), (most + 1, 400)] {
            let answer = deployment.generate(&key, &format!("policy={name}&length={length}")).await;
            assert_eq!(answer.status, status, "{name}, {length}: {}", answer.body);
        }
    }
}

/// The demands, one by one, on many passwords with everything that may be switched on.
#[tokio::test]
async fn what_a_system_does_not_take_is_never_drawn() {
    let deployment = Deployment::new().await;
    let key = deployment.key(1_000, 1_000).await;
    for (query, forbidden) in [
        ("policy=aws-rds&special=true&length=30", "/'\"@& "),
        ("policy=aws-rds-postgresql&special=true&length=128", "/'\"@ "),
        ("policy=redshift&special=true&length=64", "'\"\\/@ "),
        ("policy=active-directory&length=256", "\\ "),
        ("policy=aws-iam&length=128", "\",./:;<>?\\`~ "),
        ("policy=url-safe&length=256", "!*'();:@&=+$,/?#[]% "),
        ("policy=shell-safe&length=256", "|&;<>()$`\\\"' *?[]^!#~=%{,}\t"),
        ("policy=yaml-safe&length=256", ":?,[]{} #&*!|>'\"`\\$"),
        ("policy=connection-string&length=256", "[]{}(),;?*=!@:/%&+$#'\"\\ "),
    ] {
        let answer = deployment.generate(&key, &format!("{query}&count=100")).await.json();
        for password in answer["passwords"].as_array().unwrap() {
            let password = password.as_str().unwrap();
            assert!(!password.contains(|one| forbidden.contains(one)), "{query}: {password}");
            if query.contains("shell") || query.contains("yaml") {
                assert!(password.starts_with(|one: char| one.is_ascii_alphabetic()), "{query}: {password}");
            }
        }
    }
}

#[tokio::test]
async fn parameters_add_to_a_preset_and_do_not_weaken_it() {
    let deployment = Deployment::new().await;
    let key = deployment.key(1_000, 1_000).await;
    for query in [
        "policy=aws-iam&min_digits=3&length=20&exclude_similar",
        "policy=aws-iam&symbols=!@",
        "policy=nist-800-63b&special=true&symbols=~",
        "policy=active-directory&min_classes=4",
        "policy=active-directory&special=no&min_digits=2",
        "policy=shell-safe&start=lowercase&no_repeats",
        "policy=cis&min_entropy=120",
        "policy=wpa2&lowercase=no&uppercase=no&length=63",
    ] {
        assert_eq!(deployment.generate(&key, query).await.status, 200, "{query}");
    }
    for (query, parameter, demand) in [
        ("policy=aws-iam&special=false", "special", "policy aws-iam demands that special is true"),
        ("policy=pci-dss-4&digits=no", "digits", "policy pci-dss-4 demands that digits is true"),
        ("policy=aws-iam&min_digits=0", "min_digits", "policy aws-iam demands that min_digits is 1 or more"),
        ("policy=redshift&symbols=@", "symbols", "policy redshift demands that symbols is of "),
        (
            "policy=active-directory&min_classes=2",
            "min_classes",
            "policy active-directory demands that min_classes is 3 or more",
        ),
        ("policy=yaml-safe&start=digit", "start", "policy yaml-safe demands that start is letter"),
        ("policy=yaml-safe&start=alphanumeric", "start", "policy yaml-safe demands that start is letter"),
        ("policy=cis&length=13", "length", "length must be a whole number from 14 to 256, by cis"),
        ("policy=CIS", "policy", "policy must be one of nist-800-63b, "),
    ] {
        let problem = deployment.generate(&key, query).await.assert_problem(400);
        assert_eq!(problem["parameter"], parameter, "{query}");
        assert!(problem["detail"].as_str().unwrap().starts_with(demand), "{query}: {problem}");
    }
    let described = deployment.send(Request::get("policy=redshift").path("/api/policy").key(&key)).await.json();
    assert_eq!(described["policy"]["length"], 16);
    assert_ne!(described["passwordrules"], Value::Null);
}
