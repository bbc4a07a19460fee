//! Password rules of real sites.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{Answer, Deployment, Request};

async fn by_rules(deployment: &Deployment, key: &str, body: Value) -> Answer {
    deployment.send(Request::post(body.to_string()).key(key)).await
}

/// What a site's rules say, read as simply as can be: the samples are known to be well formed.
#[derive(Debug, Default)]
struct Site {
    least: usize,
    most: Option<usize>,
    required: Vec<String>,
    allowed: String,
    consecutive: Option<usize>,
}

impl Site {
    fn of(rules: &str) -> Self {
        let mut site = Self::default();
        for rule in outside_brackets(rules, ';') {
            let Some((name, value)) = rule.split_once(':') else { continue };
            let (name, value) = (name.trim(), value.trim());
            let characters =
                || outside_brackets(value, ',').iter().map(|class| characters(class.trim())).collect::<String>();
            match name {
                "minlength" => site.least = value.parse().unwrap(),
                "maxlength" => site.most = Some(value.parse().unwrap()),
                "max-consecutive" => site.consecutive = Some(value.parse().unwrap()),
                "required" => site.required.push(characters()),
                "allowed" => site.allowed.push_str(&characters()),
                other => panic!("{other}"),
            }
        }
        site
    }

    /// Why a password would be turned away.
    fn objection(&self, password: &str) -> Option<String> {
        let length = password.chars().count();
        if length < self.least || self.most.is_some_and(|most| length > most) {
            return Some(format!("{length} characters"));
        }
        if let Some(missing) = self.required.iter().find(|set| !password.chars().any(|one| set.contains(one))) {
            return Some(format!("none of {missing}"));
        }
        let known = format!("{}{}", self.allowed, self.required.concat());
        if !known.is_empty() && password.chars().any(|one| !known.contains(one)) {
            return Some("a character that is not allowed".into());
        }
        let characters: Vec<char> = password.chars().collect();
        let longest = characters.chunk_by(|one, next| one == next).map(<[char]>::len).max().unwrap_or_default();
        if self.consecutive.is_some_and(|most| longest > most) {
            return Some(format!("{longest} in a row"));
        }
        (password != password.trim()).then(|| "a space at an end".into())
    }
}

/// Cuts a text where a sign stands outside brackets. A bracket that closes twice belongs to the set.
fn outside_brackets(text: &str, sign: char) -> Vec<String> {
    let (mut parts, mut inside) = (vec![String::new()], false);
    let characters: Vec<char> = text.chars().collect();
    for (at, &one) in characters.iter().enumerate() {
        if one == sign && !inside {
            parts.push(String::new());
            continue;
        }
        parts.last_mut().unwrap().push(one);
        inside = match one {
            '[' => true,
            ']' => inside && characters.get(at + 1) == Some(&']'),
            _ => inside,
        };
    }
    parts
}

fn characters(class: &str) -> String {
    match class {
        "lower" => ('a'..='z').collect(),
        "upper" => ('A'..='Z').collect(),
        "digit" => ('0'..='9').collect(),
        // As Apple's documentation lists them, which is less than other implementations take.
        "special" => "-~!@#$%^&*_+=`|(){}[:;\"'<>,.?] ".into(),
        "ascii-printable" | "unicode" => (' '..='~').collect(),
        set => set.strip_prefix('[').and_then(|set| set.strip_suffix(']')).unwrap_or_else(|| panic!("{set}")).into(),
    }
}

/// 217 sites, a hundred passwords each, held against the site's rules by a reader of its own.
#[tokio::test]
async fn every_site_would_take_every_password() {
    let samples: BTreeMap<String, Value> =
        serde_json::from_str(include_str!("../data/password-rules-sample.json")).unwrap();
    assert_eq!(samples.len(), 217);
    let deployment = Deployment::new().await;
    let key = deployment.key(1_000, 1_000).await;
    for (name, sample) in samples {
        let rules = sample["password-rules"].as_str().unwrap();
        let answer = by_rules(&deployment, &key, json!({ "passwordrules": rules, "count": 100 })).await;
        assert_eq!(answer.status, 200, "{name}: {rules}: {}", answer.body);
        let answer = answer.json();
        let site = Site::of(rules);
        let drawn = answer["passwords"].as_array().unwrap();
        assert_eq!(drawn.len(), 100);
        for password in drawn {
            let password = password.as_str().unwrap();
            assert_eq!(site.objection(password), None, "{name}: {rules}: {password}");
        }
        let length = answer["length"].as_u64().unwrap();
        let most = u64::try_from(site.most.unwrap_or(256)).unwrap();
        assert_eq!(length, 16.clamp(u64::try_from(site.least).unwrap(), most), "{name}: {rules}");
        // What the answer says of the policy makes it again.
        let again = by_rules(&deployment, &key, answer["policy"].clone()).await;
        assert_eq!(again.status, 200, "{name}: {}", again.body);
        let again = again.json();
        assert_eq!((&again["policy"], &again["entropy_bits"]), (&answer["policy"], &answer["entropy_bits"]), "{name}");
    }
}

#[tokio::test]
async fn several_required_are_all_of_them_and_a_comma_is_any() {
    let deployment = Deployment::new().await;
    let key = deployment.key(1_000, 1_000).await;
    // 26 + 26 letters and 10 digits in 6 places, less those without a letter, less those without a digit.
    let all = 62_f64.powi(6);
    let both = all - 10_f64.powi(6) - 52_f64.powi(6);
    for (rules, count) in [
        ("required: lower, upper; required: digit;", both),
        ("required: lower, upper, digit;", all),
        ("REQUIRED : Lower , UPPER ;; Required:digit", both),
        ("allowed: lower, upper; allowed: digit;", all),
        ("required: digit; required: digit; allowed: lower, upper", all - 52_f64.powi(6)),
        // Nothing given: all of printable ASCII, without a space at an end.
        ("", 94_f64.powi(2) * 95_f64.powi(4)),
        ("allowed: unicode", 94_f64.powi(2) * 95_f64.powi(4)),
        ("required: [ ]; allowed: [ab];", 2_f64.powi(2) * (3_f64.powi(4) - 2_f64.powi(4))),
    ] {
        let answer = by_rules(&deployment, &key, json!({ "passwordrules": rules, "length": 6 })).await;
        assert_eq!(answer.status, 200, "{rules}: {}", answer.body);
        let bits = answer.json()["entropy_bits"].as_f64().unwrap();
        assert!(
            (count.log2() - bits).abs() < 0.011 && bits <= count.log2() + 1e-9,
            "{rules}: {bits}, {}",
            count.log2()
        );
    }
    // Nothing but spaces is possible: then there are spaces at the ends too.
    let blank = by_rules(&deployment, &key, json!({ "passwordrules": "required: [ ]", "length": 6 })).await;
    assert_eq!(blank.password(), " ".repeat(6));
    let one =
        by_rules(&deployment, &key, json!({ "passwordrules": "allowed: [a ]; max-consecutive: 1", "length": 6 })).await;
    assert!([" a a a", "a a a "].contains(&one.password().as_str()));
}

/// Rules that are made to take long are counted within the bound of every policy, or refused.
#[tokio::test]
async fn hostile_rules_are_answered_or_refused() {
    let deployment = Deployment::new().await;
    let key = deployment.key(1_000, 1_000).await;
    let sets = |many: u8| {
        (b'A'..b'A' + many)
            .map(|byte| ["required: [", &char::from(byte).to_string(), "];"].concat())
            .collect::<String>()
    };
    let many = by_rules(&deployment, &key, json!({ "passwordrules": sets(33), "length": 64 })).await;
    assert_eq!(many.assert_problem(400)["detail"], "passwordrules may require 16 different sets at most.");
    for (rules, length) in
        [(sets(16), 256), (sets(16) + "allowed: ascii-printable; max-consecutive: 1;", 256), (sets(10), 16)]
    {
        let answer = by_rules(&deployment, &key, json!({ "passwordrules": rules, "length": length })).await;
        assert!([200, 400].contains(&answer.status), "{}", answer.body);
        if answer.status == 200 {
            assert_eq!(Site::of(&rules).objection(&answer.password()), None);
        }
    }
    // Every length is counted twice, out of one budget.
    let body = json!({ "passwordrules": "required: [ ]; required: [a]; max-consecutive: 1", "min_entropy": 200 });
    let problem = by_rules(&deployment, &key, body).await.assert_problem(400);
    assert!(
        problem["detail"].as_str().unwrap().contains("min_entropy 200")
            || problem["detail"].as_str().unwrap().contains("too hard")
    );
}

/// What the reference implementation drops, and a `minlength` with it, is refused here, by its place.
#[tokio::test]
async fn what_is_wrong_with_rules_is_named_by_its_place() {
    let deployment = Deployment::new().await;
    let key = deployment.key(1_000, 1_000).await;
    for (rules, detail) in [
        (
            "minlenght: 12",
            "passwordrules, character 1: there is no such rule; the rules are minlength, maxlength, required, allowed, max-consecutive.",
        ),
        (
            "minlength: 8; required: lowercase;",
            "passwordrules, character 25: there is no such class; the classes are upper, lower, digit, special, ascii-printable, unicode and sets in brackets.",
        ),
        ("minlength 12", "passwordrules, character 11: a colon is missing."),
        ("minlength: ; maxlength: 5", "passwordrules, character 12: a value is missing."),
        ("minlength: twelve", "passwordrules, character 12: this must be a whole number from 0 to 65535."),
        ("max-consecutive: 0", "passwordrules, character 18: this must be a whole number from 1 to 65535."),
        ("minlength: 12.5", "passwordrules, character 14: a semicolon is missing."),
        ("minlength: 12; maxlength: 8", "passwordrules, character 27: minlength is above maxlength."),
        ("required: [abc", "passwordrules, character 11: this set has no closing bracket."),
        ("required: []", "passwordrules, character 11: this set holds no printable ASCII character."),
        ("required: [é]", "passwordrules, character 11: this set holds no printable ASCII character."),
        (
            "required: [a-z]",
            "passwordrules, character 13: a hyphen must stand first in its set; ranges such as a-z are not known here.",
        ),
        ("required: lower digit", "passwordrules, character 17: a semicolon is missing."),
        ("minlength: 300", "passwords here have 4 to 256 characters, and passwordrules ask for 300 at least."),
        ("maxlength: 3", "passwords here have 4 to 256 characters, and passwordrules ask for 3 at most."),
    ] {
        let answer = by_rules(&deployment, &key, json!({ "passwordrules": rules })).await;
        let problem = answer.assert_problem(400);
        assert_eq!((&problem["detail"], &problem["parameter"]), (&json!(detail), &json!("passwordrules")), "{rules}");
    }
    for (body, parameter, detail) in [
        (
            json!({ "passwordrules": "maxlength: 20", "length": 21 }),
            "length",
            "length must be a whole number from 4 to 20, by passwordrules.",
        ),
        (
            json!({ "passwordrules": "minlength: 20", "length": 19 }),
            "length",
            "length must be a whole number from 20 to 256, by passwordrules.",
        ),
        (
            json!({ "passwordrules": "required: digit", "digits": true }),
            "digits",
            "digits cannot stand beside passwordrules, which say what characters there are.",
        ),
        (
            json!({ "passwordrules": "required: digit", "min_special": 1 }),
            "min_special",
            "min_special cannot stand beside passwordrules, which say what characters there are.",
        ),
        (
            json!({ "passwordrules": "required: digit; allowed: lower", "exclude": "0123456789" }),
            "exclude",
            "what is excluded leaves none of the characters that passwordrules require.",
        ),
        (
            json!({ "passwordrules": "required: digit", "policy": "cis" }),
            "policy",
            "policy and passwordrules cannot stand together: give one of them.",
        ),
    ] {
        let problem = by_rules(&deployment, &key, body.clone()).await.assert_problem(400);
        assert_eq!((&problem["detail"], &problem["parameter"]), (&json!(detail), &json!(parameter)), "{body}");
    }
    assert_eq!(deployment.database.calls(), 0);
}

#[tokio::test]
async fn other_parameters_add_to_rules() {
    let deployment = Deployment::new().await;
    let key = deployment.key(1_000, 1_000).await;
    let rules = "minlength: 8; maxlength: 20; required: lower; required: digit; max-consecutive: 3;";
    let body = json!({ "passwordrules": rules, "min_entropy": 80, "exclude": "aeiou", "exclude_similar": true,
        "max_consecutive": 2, "no_repeats": true, "start": "letter" });
    let answer = by_rules(&deployment, &key, body).await;
    let password = answer.password();
    assert!(answer.json()["entropy_bits"].as_f64().unwrap() >= 80.0);
    assert!(password.starts_with(|one: char| one.is_ascii_lowercase()));
    assert!(!password.contains(['a', 'e', 'i', 'o', 'u', 'l', '1', '0']), "{password}");
    assert_eq!(answer.json()["policy"]["passwordrules"], rules);
    let line = deployment.log.last();
    assert_eq!(line["classes"], json!(["lowercase", "digits"]));

    // The regular expression and the rules of the answer say the same.
    let query = "passwordrules=required:%20special;%20allowed:%20upper;&length=12&exclude=%20";
    let answer = deployment.send(Request::get(query).path("/api/policy").key(&key)).await.json();
    assert_eq!(
        answer["passwordrules"],
        "minlength: 12; maxlength: 12; required: [-!\"#$%&'()*+,.:;<=>?@[^_`{|}~]]; allowed: upper;"
    );
    let pattern = regress::Regex::new(answer["regex"].as_str().unwrap()).unwrap();
    assert!(pattern.find("ABCDEFGHIJK!").is_some() && pattern.find("ABCDEFGHIJKL").is_none());
}
