//! `charsets`: sets of characters of one's own, and the longest passwords.

use serde_json::{Value, json};

use crate::support::{Answer, Deployment, Request, check_all};

async fn generate(deployment: &Deployment, key: &str, body: &Value) -> Answer {
    deployment.send(Request::post(body.to_string()).key(key)).await
}

#[tokio::test]
async fn charsets_are_counted_exactly_and_drawn() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    // The last number is the count, worked out by hand.
    let cases = [
        (json!([{ "characters": "ab" }]), 4, 16),
        (json!([{ "characters": "a" }, { "characters": "b" }]), 4, 16),
        (json!([{ "characters": "a " }]), 4, 16),
        (json!([{ "characters": "ab", "min": 1 }, { "characters": "01" }]), 4, 256 - 16),
        // A character counts for every set that has it: one of ab, two of bc.
        (json!([{ "characters": "ab", "min": 1 }, { "characters": "bc", "min": 2 }]), 4, 81 - 1 - 9),
        (json!([{ "characters": " ", "min": 2 }, { "characters": "x" }]), 4, 6 + 4 + 1),
        (json!([{ "characters": "aab" }, { "characters": "ba", "min": 0 }]), 4, 16),
    ];
    check_all(cases, async |(charsets, length, count)| {
        let body = json!({ "charsets": charsets, "length": length });
        let description = deployment.send(Request::post(body.to_string()).path("/api/policy").key(&key)).await.ok();
        assert_eq!(description["combinations"], count.to_string());
        if let Some(rules) = description["passwordrules"].as_str() {
            let rules = json!({ "passwordrules": rules }).to_string();
            let again = deployment.send(Request::post(rules).path("/api/policy").key(&key)).await.ok();
            assert_eq!(again["combinations"], description["combinations"]);
        } else {
            assert!(description["passwordrules_reason"].is_string(), "{description}");
        }
        let answer = generate(&deployment, &key, &body).await;
        let again = generate(&deployment, &key, &answer.json()["policy"]).await;
        assert_eq!(again.json()["policy"], answer.json()["policy"]);
        let regex = regress::Regex::new(description["regex"].as_str().unwrap()).unwrap();
        assert!(regex.find(&answer.password()).is_some(), "{}", answer.body);
        let verdict = json!({ "charsets": charsets, "password": answer.password() }).to_string();
        assert_eq!(deployment.send(Request::post(verdict).path("/api/validate").key(&key)).await.ok()["valid"], true);
    })
    .await;
    assert!(!deployment.log.text().contains("characters"), "the sets are in no log");
}

#[tokio::test]
async fn other_parameters_add_to_charsets() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let charsets = json!([{ "characters": "abcdefghij" , "min": 2 }, { "characters": "0123456789", "min": 1 }]);
    let body = json!({ "charsets": charsets, "min_entropy": 30, "exclude": "ace", "exclude_similar": true, "start": "digit",
        "max_repeating": 1, "max_sequential": 1, "count": 20 });
    let answer = generate(&deployment, &key, &body).await;
    for password in answer.passwords() {
        assert!(
            password.starts_with(|one: char| one.is_ascii_digit()) && !password.contains(['a', 'c', 'e', '0', '1'])
        );
        assert!(password.as_bytes().windows(2).all(|pair| pair[0].abs_diff(pair[1]) > 1), "{password}");
    }
    assert!(answer.json()["entropy_bits"].as_f64().unwrap() >= 30.0);
}

/// The default length has room for the minima.
#[tokio::test]
async fn default_length_is_enough_for_the_minima_of_charsets() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    for (min, length) in [(3, 16), (20, 25)] {
        let charsets = json!([{ "characters": "ab", "min": min }, { "characters": "01", "min": 5 }]);
        assert_eq!(generate(&deployment, &key, &json!({ "charsets": charsets })).await.ok()["length"], length);
    }
}

#[tokio::test]
async fn invalid_charsets_return_400_with_the_reason() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let set = json!({ "characters": "ab", "min": 1 });
    let charsets = |charsets: Value| json!({ "charsets": charsets });
    let cases = [
        (charsets(json!("ab")), "charsets", "charsets must be a list of objects."),
        (charsets(json!(["ab"])), "charsets", "charsets must be a list of objects."),
        (charsets(json!([])), "charsets", "charsets must have 1 to 16 sets."),
        (charsets(json!(vec![set.clone(); 17])), "charsets", "charsets must have 1 to 16 sets."),
        (charsets(json!([set, {}])), "charsets", "charsets, set 2: characters is missing."),
        (
            charsets(json!([{ "characters": "ab", "max": 2 }])),
            "charsets",
            "charsets, set 1: unknown member; a set has characters and min.",
        ),
        (
            charsets(json!([{ "characters": "aé" }])),
            "charsets",
            "charsets, set 1: characters must be printable ASCII, at least one.",
        ),
        (
            charsets(json!([{ "characters": "" }])),
            "charsets",
            "charsets, set 1: characters must be printable ASCII, at least one.",
        ),
        (
            charsets(json!([{ "characters": "ab", "min": -1 }])),
            "charsets",
            "charsets, set 1: min must be a whole number from 0 to 4096.",
        ),
        (
            charsets(json!([{ "characters": "ab", "min": 3000 }, { "characters": "cd", "min": 3000 }])),
            "charsets",
            "the minimums need 6000 characters, but a password has at most 4096.",
        ),
        (
            json!({ "charsets": [set], "length": 4, "exclude": "ab" }),
            "exclude",
            "exclude and exclude_similar remove every character of a set that charsets require; exclude fewer.",
        ),
        (
            json!({ "charsets": [{ "characters": "O0", "min": 1 }, { "characters": "x" }], "exclude_similar": true }),
            "exclude_similar",
            "exclude and exclude_similar remove every character of a set that charsets require; exclude fewer.",
        ),
        (
            json!({ "charsets": [set], "digits": true }),
            "digits",
            "digits cannot be combined with charsets, which define the characters.",
        ),
        (
            json!({ "charsets": [set], "min_classes": 1 }),
            "min_classes",
            "min_classes cannot be combined with charsets, which define the characters.",
        ),
        (
            json!({ "charsets": [set], "passwordrules": "required: digit" }),
            "charsets",
            "charsets cannot be combined with passwordrules, which define the characters, too.",
        ),
        (
            json!({ "charsets": [set], "policy": "cis" }),
            "policy",
            "policy and charsets cannot be combined; send one of them.",
        ),
    ];
    check_all(cases, async |(body, parameter, detail)| {
        let problem = generate(&deployment, &key, &body).await.assert_problem(400);
        assert_eq!((&problem["detail"], &problem["parameter"]), (&json!(detail), &json!(parameter)));
    })
    .await;
    let twice = r#"{"charsets":[{"characters":"ab","characters":"cd"}]}"#;
    let problem = deployment.send(Request::post(twice).key(&key)).await.assert_problem(400);
    assert_eq!(problem["detail"], "charsets, set 1: a member is given more than once.");
    let problem = deployment.generate(&key, "charsets=ab").await.assert_problem(400);
    assert_eq!(problem["detail"], "charsets must be sent in the JSON body of a POST.");
    assert_eq!(deployment.database.calls(), 0, "an invalid request causes no call");
}

/// A set with a minimum above 1 that has some letters of the alphabet and not their neighbours.
#[tokio::test]
async fn charsets_that_cut_the_alphabet_are_refused_with_limits_on_neighbours() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let charsets = |min| json!([{ "characters": "abc", "min": min }, { "characters": "defghi" }]);
    let body = json!({ "charsets": charsets(2), "max_sequential": 2 });
    let problem = generate(&deployment, &key, &body).await.assert_problem(400);
    let detail =
        "length 16 with charsets and max_sequential 2 is too expensive to count; shorten it or relax constraints.";
    assert_eq!(problem["detail"], detail);
    generate(&deployment, &key, &json!({ "charsets": charsets(1), "max_sequential": 2 })).await.password();
    generate(&deployment, &key, &json!({ "charsets": charsets(2), "max_repeating": 2 })).await.password();
}

/// Where closed forms exist, counting the longest passwords costs next to nothing.
#[tokio::test]
async fn longest_passwords_are_drawn_and_their_answers_have_a_limit() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    for query in
        ["length=4096&count=32", "length=4096&special=true&start=digit", "length=1310&count=100&exclude_similar=true"]
    {
        let answer = deployment.generate(&key, query).await;
        answer.ok();
        assert!(answer.body.len() < 1_000_000);
    }
    let digits = json!({ "charsets": [{ "characters": "0123456789" }], "length": 4096 });
    let answer = generate(&deployment, &key, &digits).await;
    // 4096 · log2(10) = 13606.61…
    assert_eq!((answer.password().len(), &answer.json()["entropy_bits"]), (4096, &json!(13606.61)));
    // With 64 characters it is a whole number of bits.
    let power = json!({ "length": 4096, "symbols": "-_", "min_lowercase": 0, "min_uppercase": 0, "min_digits": 0,
        "min_special": 0 });
    assert_eq!(generate(&deployment, &key, &power).await.ok()["entropy_bits"], 24576.0);
    let problem = deployment.generate(&key, "length=4096&count=33").await.assert_problem(400);
    let detail = "33 passwords of length 4096 are 135168 characters, more than the 131072 of an answer; decrease count or \
                  length.";
    assert_eq!((&problem["detail"], &problem["parameter"]), (&json!(detail), &json!("count")));
    // The length that `min_entropy` chooses is known only after counting.
    let two = json!({ "charsets": [{ "characters": "01" }], "min_entropy": 2048, "count": 65 });
    let problem = generate(&deployment, &key, &two).await.assert_problem(400);
    assert!(problem["detail"].as_str().unwrap().starts_with("65 passwords of length 2048 are "), "{problem}");
}
