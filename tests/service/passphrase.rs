//! Passphrases.

use std::collections::BTreeSet;

use diceware_wordlists::{EFF_LONG_WORDLIST, EFF_SHORT_WORDLIST_1, EFF_SHORT_WORDLIST_2_0};
use serde_json::{Value, json};

use crate::support::{Answer, Deployment, Request};

async fn phrase(deployment: &Deployment, key: &str, query: &str) -> Answer {
    deployment.send(Request::get(query).path("/api/passphrase").key(key)).await
}

#[tokio::test]
async fn six_words_of_the_large_list_unless_asked_otherwise() {
    let deployment = Deployment::new().await;
    let key = deployment.key(1_000, 1_000).await;
    let answer = phrase(&deployment, &key, "").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let mut body = answer.json();
    let text = body["passphrase"].take();
    let expected = json!({
        "passphrase": null,
        "words": 6,
        "entropy_bits": 77.54,
        "policy": { "words": 6, "wordlist": "eff-large", "separator": "-", "capitalize": false, "number": false }
    });
    assert_eq!(body, expected);
    assert!(text.as_str().unwrap().split('-').count() >= 6);
    let line = deployment.log.last();
    assert_eq!((&line["event"], &line["operation"]), (&json!("passphrase.generated"), &json!("passphrase")));
    assert_eq!((&line["words"], &line["count"], &line["length"]), (&json!(6), &json!(1), &Value::Null));
    assert!(!deployment.log.text().contains(text.as_str().unwrap()));

    let post = Request::post(body["policy"].to_string()).path("/api/passphrase").key(&key);
    assert_eq!(deployment.send(post).await.json()["policy"], body["policy"]);
    let plain = Request::get("count=3").path("/api/passphrase").key(&key).header("accept", "text/plain");
    let plain = deployment.send(plain).await;
    assert_eq!((plain.header("content-type"), plain.body.lines().count()), ("text/plain; charset=utf-8", 3));
}

/// The additions are in the entropy: ten digits at the end of one of the words.
#[tokio::test]
async fn entropy_is_exact_with_the_additions_too() {
    let deployment = Deployment::new().await;
    let key = deployment.key(1_000, 1_000).await;
    let (large, short) = (7_776_f64.log2(), 1_296_f64.log2());
    for (query, bits) in [
        ("words=3", 3.0 * large),
        ("words=20&wordlist=eff-short-1", 20.0 * short),
        ("words=4&wordlist=eff-short-2&separator=", 4.0 * short),
        ("words=5&capitalize=true", 5.0 * large),
        ("words=5&number=yes", 5.0 * large + 50_f64.log2()),
        ("words=7&number&capitalize&wordlist=eff-short-1&separator=%20", 7.0 * short + 70_f64.log2()),
    ] {
        let said = phrase(&deployment, &key, query).await.json()["entropy_bits"].as_f64().unwrap();
        assert!(said <= bits + 1e-9 && bits - said < 0.01 + 1e-9, "{query}: {said}, {bits}");
    }
    for (query, words) in
        [("min_entropy=77", 6), ("min_entropy=78", 7), ("min_entropy=1", 3), ("min_entropy=80&number", 6)]
    {
        assert_eq!(phrase(&deployment, &key, query).await.json()["words"], words, "{query}");
    }
}

/// Every word of the list, every digit and every place comes up, and nothing else.
#[tokio::test]
async fn passphrases_are_made_of_all_the_words_and_of_nothing_else() {
    let deployment = Deployment::new().await;
    let key = deployment.key(10_000, 10_000).await;
    for (name, list) in [("eff-short-1", &EFF_SHORT_WORDLIST_1), ("eff-short-2", &EFF_SHORT_WORDLIST_2_0)] {
        let (mut words, mut ends) = (BTreeSet::new(), BTreeSet::new());
        for _ in 0..8 {
            let query = format!("count=100&words=20&separator=|&number&wordlist={name}");
            let answer = phrase(&deployment, &key, &query.replace('|', "%7C")).await.json();
            for text in answer["passphrases"].as_array().unwrap() {
                let parts: Vec<&str> = text.as_str().unwrap().split('|').collect();
                assert_eq!(parts.len(), 20);
                let numbered = parts.iter().position(|part| part.ends_with(|one: char| one.is_ascii_digit())).unwrap();
                ends.insert((numbered, parts[numbered].chars().last().unwrap()));
                let plain = parts.iter().map(|part| part.trim_end_matches(|one: char| one.is_ascii_digit()).to_owned());
                words.extend(plain);
            }
        }
        // 16,000 words of 1,296: one is missing with a probability of 0.6 %.
        assert!(words.len() >= 1_290 && words.iter().all(|word| list.contains(&word.as_str())), "{name}");
        // 800 of 200 places and digits.
        assert!(ends.len() >= 180, "{name}: {}", ends.len());
    }
    let answer = phrase(&deployment, &key, "count=100&words=20&separator=.&capitalize=true").await.json();
    for text in answer["passphrases"].as_array().unwrap() {
        for word in text.as_str().unwrap().split('.') {
            assert!(word.starts_with(|one: char| one.is_ascii_uppercase()), "{word}");
            assert!(EFF_LONG_WORDLIST.contains(&word.to_ascii_lowercase().as_str()), "{word}");
        }
    }
}

#[tokio::test]
async fn what_makes_no_passphrase_is_named() {
    let deployment = Deployment::new().await;
    let key = deployment.key(1_000, 1_000).await;
    for (query, parameter, detail) in [
        ("words=2", "words", "words must be a whole number from 3 to 20."),
        ("words=21", "words", "words must be a whole number from 3 to 20."),
        ("wordlist=eff", "wordlist", "wordlist must be one of eff-large, eff-short-1, eff-short-2."),
        ("separator=123456789", "separator", "separator may have up to 8 printable ASCII characters."),
        ("separator=%C3%A9", "separator", "separator may have up to 8 printable ASCII characters."),
        ("separator=%0A", "separator", "separator may have up to 8 printable ASCII characters."),
        (
            "words=3&min_entropy=39",
            "min_entropy",
            "3 words have 38.77 bits of entropy, less than min_entropy 39: ask for more, or leave words out.",
        ),
        (
            "wordlist=eff-short-1&min_entropy=300",
            "min_entropy",
            "20 words of this list, the most there are, have 206.79 bits of entropy, less than min_entropy 300.",
        ),
        ("count=101", "count", "count must be a whole number from 1 to 100."),
        ("word=5", "word", "there is no parameter word; words may be meant."),
        ("length=16", "length", "there is no parameter length."),
        ("capitalise=true", "capitalise", "there is no parameter capitalise; capitalize may be meant."),
    ] {
        let problem = phrase(&deployment, &key, query).await.assert_problem(400);
        assert_eq!((&problem["parameter"], &problem["detail"]), (&json!(parameter), &json!(detail)), "{query}");
    }
    assert_eq!(deployment.database.calls(), 0);
    phrase(&deployment, "no-key", "").await.assert_problem(401);
}
