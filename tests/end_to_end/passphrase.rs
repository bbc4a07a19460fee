//! `/api/passphrase`.

use std::collections::BTreeSet;

use diceware_wordlists::{EFF_LONG_WORDLIST, EFF_SHORT_WORDLIST_1, EFF_SHORT_WORDLIST_2_0};
use serde_json::{Value, json};

use crate::support::{Answer, Deployment, Request, check_all};

async fn passphrase(deployment: &Deployment, key: &str, query: &str) -> Answer {
    deployment.send(Request::get(query).path("/api/passphrase").key(key)).await
}

/// The passphrases of an answer with status 200.
fn passphrases(answer: &Answer) -> Vec<String> {
    answer.ok()["passphrases"].as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn no_parameters_return_six_words_of_the_large_list() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let mut body = passphrase(&deployment, &key, "").await.ok();
    let text = body["passphrase"].take();
    let expected = json!({
        "passphrase": null,
        "words": 6,
        "entropy_bits": 77.54,
        "policy": { "words": 6, "wordlist": "eff-large", "separator": "-", "capitalize": false, "number": false }
    });
    assert_eq!(body, expected);
    assert_eq!(text.as_str().unwrap().split('-').count(), 6, "no word contains the separator");
    let line = deployment.log.last();
    assert_eq!((&line["event"], &line["operation"]), (&json!("passphrase.generated"), &json!("passphrase")));
    assert_eq!((&line["words"], &line["count"], &line["length"]), (&json!(6), &json!(1), &Value::Null));
    assert!(!deployment.log.text().contains(text.as_str().unwrap()));
}

#[tokio::test]
async fn returned_policy_reproduces_itself() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    check_all(
        ["", "words=4&wordlist=eff-short-2&separator=%20&capitalize=true&number=true", "min_entropy=90"],
        async |query| {
            let first = passphrase(&deployment, &key, query).await.ok();
            let again = Request::post(first["policy"].to_string()).path("/api/passphrase").key(&key);
            assert_eq!(deployment.send(again).await.ok()["policy"], first["policy"]);
        },
    )
    .await;
}

#[tokio::test]
async fn accept_text_plain_returns_passphrases_line_by_line() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let request = Request::get("count=3").path("/api/passphrase").key(&key).header("accept", "text/plain");
    let answer = deployment.send(request).await;
    assert_eq!((answer.header("content-type"), answer.body.lines().count()), ("text/plain; charset=utf-8", 3));
}

/// `number` multiplies the number of passphrases by ten digits and by the number of words; `capitalize` does not
/// change it.
#[tokio::test]
async fn entropy_includes_the_number() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let (large, short) = (7_772_f64.log2(), 1_295_f64.log2());
    let cases = [
        ("words=3", 3.0 * large),
        ("words=20&wordlist=eff-short-1", 20.0 * short),
        ("words=4&wordlist=eff-short-2&separator=", 4.0 * short),
        ("words=5&capitalize=true", 5.0 * large),
        ("words=5&number=yes", 5.0 * large + 50_f64.log2()),
        ("words=7&number=true&capitalize=true&wordlist=eff-short-1&separator=%20", 7.0 * short + 70_f64.log2()),
    ];
    check_all(cases, async |(query, bits)| {
        let reported = passphrase(&deployment, &key, query).await.ok()["entropy_bits"].as_f64().unwrap();
        assert!(reported <= bits + 1e-9 && bits - reported < 0.01 + 1e-9, "{reported}");
    })
    .await;
}

#[tokio::test]
async fn min_entropy_chooses_the_smallest_number_of_words() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let cases = [("min_entropy=77", 6), ("min_entropy=78", 7), ("min_entropy=1", 3), ("min_entropy=80&number=true", 6)];
    check_all(cases, async |(query, words)| {
        assert_eq!(passphrase(&deployment, &key, query).await.ok()["words"], words);
    })
    .await;
}

#[tokio::test]
async fn passphrases_use_every_word_digit_and_position() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let lists = [("eff-short-1", &EFF_SHORT_WORDLIST_1), ("eff-short-2", &EFF_SHORT_WORDLIST_2_0)];
    for (name, list) in lists {
        let (mut words, mut numbers) = (BTreeSet::new(), BTreeSet::new());
        for _ in 0..8 {
            let query = format!("count=100&words=20&separator=%7C&number=true&wordlist={name}");
            for text in passphrases(&passphrase(&deployment, &key, &query).await) {
                let parts: Vec<&str> = text.split('|').collect();
                assert_eq!(parts.len(), 20);
                let is_digit = |one: char| one.is_ascii_digit();
                let position = parts.iter().position(|part| part.ends_with(is_digit)).unwrap();
                numbers.insert((position, parts[position].chars().last().unwrap()));
                words.extend(parts.iter().map(|part| part.trim_end_matches(is_digit).to_owned()));
            }
        }
        // 16,000 words of 1,295: all of them appear with a probability of 99.4 %.
        assert!(words.len() >= 1_289 && words.iter().all(|word| list.contains(&word.as_str())), "{name}");
        // 1,600 digits at 200 combinations of a position and a digit.
        assert!(numbers.len() >= 180, "{name}: {}", numbers.len());
    }
}

#[tokio::test]
async fn capitalize_changes_the_first_letter_of_every_word() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let answer = passphrase(&deployment, &key, "count=100&words=20&separator=.&capitalize=true").await;
    for text in passphrases(&answer) {
        for word in text.split('.') {
            assert!(word.starts_with(|one: char| one.is_ascii_uppercase()), "{word}");
            assert!(EFF_LONG_WORDLIST.contains(&word.to_ascii_lowercase().as_str()), "{word}");
        }
    }
}

#[tokio::test]
async fn invalid_parameter_returns_400_naming_it() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let separator = "separator must have at most 8 printable ASCII characters.";
    let cases = [
        ("words=2", "words", "words must be a whole number from 3 to 20."),
        ("words=21", "words", "words must be a whole number from 3 to 20."),
        ("wordlist=eff", "wordlist", "wordlist must be one of eff-large, eff-short-1, eff-short-2."),
        ("separator=123456789", "separator", separator),
        ("separator=%C3%A9", "separator", separator),
        ("separator=%0A", "separator", separator),
        ("count=101", "count", "count must be a whole number from 1 to 100."),
        ("word=5", "word", "Unknown parameter \"word\"; did you mean \"words\"?"),
        ("length=16", "length", "Unknown parameter \"length\"."),
        ("capitalise=true", "capitalise", "Unknown parameter \"capitalise\"; did you mean \"capitalize\"?"),
    ];
    check_all(cases, async |(query, parameter, detail)| {
        let problem = passphrase(&deployment, &key, query).await.assert_problem(400);
        assert_eq!((&problem["parameter"], &problem["detail"]), (&json!(parameter), &json!(detail)));
    })
    .await;
    assert_eq!(deployment.database.calls(), 0, "an invalid request causes no call");
}

#[tokio::test]
async fn entropy_out_of_reach_returns_400_and_is_counted() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let cases = [
        (
            "words=3&min_entropy=39",
            "3 words have 38.77 bits of entropy, less than min_entropy 39; increase or omit words.",
        ),
        (
            "wordlist=eff-short-1&min_entropy=300",
            "20 words of this list, the largest number, have 206.77 bits of entropy, less than min_entropy 300.",
        ),
    ];
    let mut counted = 0;
    check_all(cases, async |(query, detail)| {
        let problem = passphrase(&deployment, &key, query).await.assert_problem(400);
        assert_eq!((&problem["parameter"], &problem["detail"]), (&json!("min_entropy"), &json!(detail)));
        counted += 1;
        assert_eq!(deployment.log.last()["sequence"], counted);
    })
    .await;
}

#[tokio::test]
async fn passphrase_requires_a_key() {
    let deployment = Deployment::start().await;
    passphrase(&deployment, "no-key", "").await.assert_problem(401);
}
