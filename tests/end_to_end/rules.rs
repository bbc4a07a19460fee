//! `passwordrules`: the password rules of real sites.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::support::{Answer, Deployment, Request, check_all};

async fn generate(deployment: &Deployment, key: &str, body: Value) -> Answer {
    deployment.send(Request::post(body.to_string()).key(key)).await
}

/// The rules of a site. This reader is as simple as possible, because the samples are well formed.
#[derive(Debug, Default)]
struct Site {
    min_length: usize,
    max_length: Option<usize>,
    required: Vec<String>,
    allowed: String,
    max_repeating: Option<usize>,
    max_sequential: Option<usize>,
}

impl Site {
    fn read(rules: &str) -> Self {
        let mut site = Self::default();
        for rule in split_outside_brackets(rules, ';') {
            let Some((name, value)) = rule.split_once(':') else { continue };
            let (name, value) = (name.trim(), value.trim());
            let characters =
                || split_outside_brackets(value, ',').iter().map(|class| characters_of(class.trim())).collect();
            match name {
                "minlength" => site.min_length = value.parse().unwrap(),
                "maxlength" => site.max_length = Some(value.parse().unwrap()),
                "max-consecutive" => {
                    site.max_repeating = Some(value.parse().unwrap());
                    site.max_sequential = Some(value.parse().unwrap());
                }
                "required" => site.required.push(characters()),
                "allowed" => site.allowed.push_str(&characters()),
                other => panic!("{other}"),
            }
        }
        site
    }

    /// Why the site would reject a generated password, or why it should not have been generated.
    fn objection(&self, password: &str) -> Option<String> {
        let length = password.chars().count();
        if length < self.min_length || self.max_length.is_some_and(|max| length > max) {
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
        if self.max_repeating.is_some_and(|max| longest > max) {
            return Some(format!("{longest} in a row"));
        }
        // Every text of one neighbour more than allowed, upwards and downwards.
        let too_long = |kind: &str, length: usize| {
            let kind: Vec<char> = characters_of(kind).chars().collect();
            let upwards: Vec<String> = kind.windows(length).map(|window| window.iter().collect()).collect();
            let downwards = upwards.iter().map(|text| text.chars().rev().collect()).collect::<Vec<String>>();
            [upwards, downwards].concat()
        };
        if let Some(max) = self.max_sequential
            && let Some(found) = ["lower", "upper", "digit"]
                .iter()
                .flat_map(|kind| too_long(kind, max + 1))
                .find(|text| password.contains(text.as_str()))
        {
            return Some(found);
        }
        let requires_space = self.required.iter().any(|set| set == " ");
        (password.contains(' ') && !requires_space).then(|| "a space that is not required".into())
    }
}

/// Splits a text at a separator outside of brackets. If two closing brackets follow each other, the first is a
/// character of the set.
fn split_outside_brackets(text: &str, separator: char) -> Vec<String> {
    let (mut parts, mut inside) = (vec![String::new()], false);
    let characters: Vec<char> = text.chars().collect();
    for (at, &one) in characters.iter().enumerate() {
        if one == separator && !inside {
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

fn characters_of(class: &str) -> String {
    match class {
        "lower" => ('a'..='z').collect(),
        "upper" => ('A'..='Z').collect(),
        "digit" => ('0'..='9').collect(),
        // As in Apple's documentation. Other implementations accept more characters.
        "special" => "-~!@#$%^&*_+=`|(){}[:;\"'<>,.?] ".into(),
        "ascii-printable" | "unicode" => (' '..='~').collect(),
        set => set.strip_prefix('[').and_then(|set| set.strip_suffix(']')).unwrap_or_else(|| panic!("{set}")).into(),
    }
}

/// The rules of 217 sites, with two hundred passwords for each.
#[tokio::test]
async fn each_site_accepts_its_passwords() {
    let samples: BTreeMap<String, Value> =
        serde_json::from_str(include_str!("../data/password-rules-sample.json")).unwrap();
    assert_eq!(samples.len(), 217);
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    check_all(samples, async |(_, sample)| {
        let rules = sample["password-rules"].as_str().unwrap();
        let site = Site::read(rules);
        let answer = generate(&deployment, &key, json!({ "passwordrules": rules, "count": 100 })).await;
        let more = generate(&deployment, &key, json!({ "passwordrules": rules, "count": 100 })).await;
        let passwords = [answer.passwords(), more.passwords()].concat();
        assert_eq!(passwords.len(), 200);
        for password in passwords {
            assert_eq!(site.objection(&password), None, "{password}");
        }
        let answer = answer.json();
        let default_length = 16.clamp(site.min_length, site.max_length.unwrap_or(256));
        assert_eq!(answer["length"], default_length);
        let again = generate(&deployment, &key, answer["policy"].clone()).await.ok();
        assert_eq!((&again["policy"], &again["entropy_bits"]), (&answer["policy"], &answer["entropy_bits"]));
    })
    .await;
}

/// Each `required` rule requires a character of its own; a comma inside of a rule means any of its sets.
#[tokio::test]
async fn required_and_allowed_sets_are_counted_exactly() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    // Six characters of 52 letters and 10 digits.
    let all = 62_f64.powi(6);
    // Without those that have no letter, and those that have no digit.
    let both = all - 10_f64.powi(6) - 52_f64.powi(6);
    // All printable ASCII characters except the space.
    let printable = 94_f64.powi(6);
    let cases = [
        ("required: lower, upper; required: digit;", both),
        ("required: lower, upper, digit;", all),
        ("REQUIRED : Lower , UPPER ;; Required:digit", both),
        ("allowed: lower, upper; allowed: digit;", all),
        ("required: digit; required: digit; allowed: lower, upper", all - 52_f64.powi(6)),
        ("", printable),
        ("allowed: unicode", printable),
        ("required: [ ]; allowed: [ab];", 3_f64.powi(6) - 2_f64.powi(6)),
        ("required: [ ]; allowed: [a]; max-consecutive: 1;", 2.0),
        ("required: [ ]", 1.0),
    ];
    check_all(cases, async |(rules, count)| {
        let answer = generate(&deployment, &key, json!({ "passwordrules": rules, "length": 6 })).await.ok();
        let (reported, bits) = (answer["entropy_bits"].as_f64().unwrap(), count.log2());
        assert!((bits - reported).abs() < 0.011 && reported <= bits + 1e-9, "{reported}, {bits}");
    })
    .await;
}

/// Two hundred passwords of six characters.
async fn two_hundred(deployment: &Deployment, key: &str, rules: &str) -> Vec<String> {
    let body = json!({ "passwordrules": rules, "length": 6, "count": 100 });
    let mut passwords = generate(deployment, key, body.clone()).await.passwords();
    passwords.extend(generate(deployment, key, body).await.passwords());
    passwords
}

/// A space is easily lost when a password is copied.
#[tokio::test]
async fn space_that_no_set_requires_never_appears() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let cases = [
        "",
        "minlength: 6; max-consecutive: 2",
        "required: special",
        "required: special; required: digit",
        "required: ascii-printable",
        "required: lower, [ ]",
        "required: [- ]; required: lower",
        "required: lower; allowed: [ ]",
        "required: lower; allowed: special",
        "allowed: lower, [ ]",
        "allowed: ascii-printable",
        "allowed: unicode",
    ];
    check_all(cases, async |rules| {
        let passwords = two_hundred(&deployment, &key, rules).await;
        assert_eq!(passwords.len(), 200);
        let with_space: Vec<&String> = passwords.iter().filter(|one| one.contains(' ')).collect();
        assert!(with_space.is_empty(), "{with_space:?}");
    })
    .await;
}

/// A set that has only the space requires it. Then the space may be first, last or anywhere between.
#[tokio::test]
async fn required_space_always_appears_at_any_position() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let cases = [
        "required: [ ]; required: lower;",
        "required: [ ]; allowed: lower;",
        "required: lower; required: [ ]; allowed: [ ];",
        "required: [ ]; required: special;",
    ];
    check_all(cases, async |rules| {
        let passwords = two_hundred(&deployment, &key, rules).await;
        assert!(passwords.iter().all(|one| one.contains(' ')), "{passwords:?}");
        let positions = passwords.iter().flat_map(|one| one.match_indices(' ').map(|(position, _)| position));
        // At a given position, two hundred passwords lack a space with a probability below 10^-14.
        assert_eq!(positions.collect::<BTreeSet<_>>(), BTreeSet::from([0, 1, 2, 3, 4, 5]));
    })
    .await;
}

#[tokio::test]
async fn rules_that_allow_only_the_space_return_400() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    check_all(["allowed: [ ]", "minlength: 8; allowed: [ ]; allowed: [ ]"], async |rules| {
        let problem = generate(&deployment, &key, json!({ "passwordrules": rules })).await.assert_problem(400);
        let detail = "passwordrules allow only the space, which is used only if a required set has no other character.";
        assert_eq!((&problem["detail"], &problem["parameter"]), (&json!(detail), &json!("passwordrules")));
    })
    .await;
}

#[tokio::test]
async fn more_than_sixteen_required_sets_return_400() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let body = |sets| json!({ "passwordrules": required_sets(sets), "length": 64 });
    let problem = generate(&deployment, &key, body(17)).await.assert_problem(400);
    assert_eq!(problem["detail"], "passwordrules may require at most 16 different sets.");
    generate(&deployment, &key, body(16)).await.password();
}

/// Rules that require a number of sets, of one letter each.
fn required_sets(number: u8) -> String {
    let rules = (b'A'..b'A' + number).map(|byte| format!("required: [{}];", char::from(byte)));
    rules.collect::<Vec<_>>().concat()
}

/// Rules that are expensive to count are counted within the budget of every policy, or rejected.
#[tokio::test]
async fn hostile_rules_are_answered_or_return_400() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let cases = [
        (required_sets(16), 256),
        (required_sets(16) + "allowed: ascii-printable; max-consecutive: 1;", 256),
        (required_sets(10), 16),
    ];
    check_all(cases, async |(rules, length)| {
        let answer = generate(&deployment, &key, json!({ "passwordrules": rules, "length": length })).await;
        if answer.status == 200 {
            assert_eq!(Site::read(&rules).objection(&answer.password()), None);
        } else {
            answer.assert_problem(400);
        }
    })
    .await;
    // `min_entropy` counts the passwords of many lengths, with one budget.
    let body = json!({ "passwordrules": required_sets(2) + "max-consecutive: 1", "min_entropy": 200 });
    let problem = generate(&deployment, &key, body).await.assert_problem(400);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("min_entropy 200") || detail.contains("too expensive"), "{detail}");
}

#[tokio::test]
async fn upper_limit_beyond_65535_is_no_limit() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let rules = ["maxlength: 65536; max-consecutive: 99999999999999999999", "maxlength: 1000000; maxlength: 70000"];
    check_all(rules, async |rules| {
        let answer = generate(&deployment, &key, json!({ "passwordrules": rules, "length": 200 })).await.ok();
        let policy = &answer["policy"];
        assert_eq!(answer["length"], 200);
        assert_eq!((&policy["max_repeating"], &policy["max_sequential"]), (&Value::Null, &Value::Null));
    })
    .await;
}

/// The reference implementation ignores rules that it does not understand, even a `minlength`.
#[tokio::test]
async fn invalid_rules_return_400_with_the_position() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let cases = [
        (
            "minlenght: 12",
            "passwordrules, character 1: unknown rule; the rules are minlength, maxlength, required, allowed, \
             max-repeating, max-sequential, max-consecutive.",
        ),
        (
            "minlength: 8; required: hexadecimal;",
            "passwordrules, character 25: unknown class; the classes are upper, lower, digit, special, \
             ascii-printable, unicode and sets in brackets.",
        ),
        ("required: digits", "passwordrules, character 11: unknown class; write \"digit\" instead."),
        ("allowed: letters", "passwordrules, character 10: unknown class; write \"lower, upper\" instead."),
        ("minlength: 65536", "passwordrules, character 12: the value must be a whole number from 0 to 65535."),
        ("maxlength: 00", "passwordrules, character 12: the value must be a whole number from 1 to 65535."),
        ("minlength 12", "passwordrules, character 11: a colon is missing."),
        ("minlength: ; maxlength: 5", "passwordrules, character 12: a value is missing."),
        ("minlength: twelve", "passwordrules, character 12: the value must be a whole number from 0 to 65535."),
        ("max-consecutive: 0", "passwordrules, character 18: the value must be a whole number from 1 to 65535."),
        ("minlength: 12.5", "passwordrules, character 14: a semicolon is missing."),
        ("minlength: 12; maxlength: 8", "passwordrules, character 27: minlength exceeds maxlength."),
        ("required: [abc", "passwordrules, character 11: the set has no closing bracket."),
        ("required: []", "passwordrules, character 11: the set has no printable ASCII character."),
        ("required: [é]", "passwordrules, character 11: the set has no printable ASCII character."),
        (
            "required: [a-z]",
            "passwordrules, character 13: a hyphen must be the first character of its set; ranges such as a-z are not \
             supported.",
        ),
        ("required: lower digit", "passwordrules, character 17: a semicolon is missing."),
        ("minlength: 4097", "passwordrules require at least 4097 characters, but this service supports 4 to 4096."),
        ("maxlength: 3", "passwordrules require at most 3 characters, but this service supports 4 to 4096."),
    ];
    check_all(cases, async |(rules, detail)| {
        let problem = generate(&deployment, &key, json!({ "passwordrules": rules })).await.assert_problem(400);
        assert_eq!((&problem["detail"], &problem["parameter"]), (&json!(detail), &json!("passwordrules")));
    })
    .await;
    assert_eq!(deployment.database.calls(), 0, "an invalid request causes no call");
}

#[tokio::test]
async fn parameter_that_conflicts_with_rules_returns_400() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let cases = [
        (
            json!({ "passwordrules": "maxlength: 20", "length": 21 }),
            "length",
            "length must be a whole number from 4 to 20, according to passwordrules.",
        ),
        (
            json!({ "passwordrules": "minlength: 20", "length": 19 }),
            "length",
            "length must be a whole number from 20 to 4096, according to passwordrules.",
        ),
        (
            json!({ "passwordrules": "required: digit", "digits": true }),
            "digits",
            "digits cannot be combined with passwordrules, which define the characters.",
        ),
        (
            json!({ "passwordrules": "required: digit", "min_special": 1 }),
            "min_special",
            "min_special cannot be combined with passwordrules, which define the characters.",
        ),
        (
            json!({ "passwordrules": "required: digit; allowed: lower", "exclude": "0123456789" }),
            "exclude",
            "exclude and exclude_similar remove every character of a set that passwordrules require; exclude fewer.",
        ),
        (
            json!({ "passwordrules": "required: [ ]; allowed: lower", "exclude": " " }),
            "exclude",
            "exclude and exclude_similar remove every character of a set that passwordrules require; exclude fewer.",
        ),
        (
            json!({ "passwordrules": "required: digit", "policy": "cis" }),
            "policy",
            "policy and passwordrules cannot be combined; send one of them.",
        ),
    ];
    check_all(cases, async |(body, parameter, detail)| {
        let problem = generate(&deployment, &key, body).await.assert_problem(400);
        assert_eq!((&problem["detail"], &problem["parameter"]), (&json!(detail), &json!(parameter)));
    })
    .await;
    assert_eq!(deployment.database.calls(), 0, "an invalid request causes no call");
}

#[tokio::test]
async fn other_parameters_add_to_rules() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let rules = "minlength: 8; maxlength: 20; required: lower; required: digit; max-consecutive: 3;";
    let body = json!({ "passwordrules": rules, "min_entropy": 80, "exclude": "aeiou", "exclude_similar": true,
        "max_repeating": 2, "start": "letter" });
    let answer = generate(&deployment, &key, body).await;
    let password = answer.password();
    assert!(answer.json()["entropy_bits"].as_f64().unwrap() >= 80.0);
    assert!(password.starts_with(|one: char| one.is_ascii_lowercase()));
    assert!(!password.contains(['a', 'e', 'i', 'o', 'u', 'l', '1', '0']), "{password}");
    let written = "minlength: 8; maxlength: 20; required: lower; required: digit; max-repeating: 3; max-sequential: 3;";
    assert_eq!(answer.json()["policy"]["passwordrules"], written);
    assert_eq!(deployment.log.last()["classes"], json!(["lowercase", "digits"]));
}

/// Several rules that name one limit: the smallest counts.
#[tokio::test]
async fn rules_on_runs_are_read_and_written_with_the_new_names() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let cases = [
        ("max-consecutive: 2", (2, 2)),
        ("max-repeating: 2; max-sequential: 3", (2, 3)),
        ("max-consecutive: 3; max-repeating: 2; max-repeating: 4", (2, 3)),
        ("max-sequential: 1; max-consecutive: 2", (2, 1)),
    ];
    check_all(cases, async |(rules, (repeating, sequential))| {
        let answer = generate(&deployment, &key, json!({ "passwordrules": rules })).await.ok();
        let written = format!("max-repeating: {repeating}; max-sequential: {sequential};");
        assert_eq!(answer["policy"]["passwordrules"], written);
        let limits = (&answer["policy"]["max_repeating"], &answer["policy"]["max_sequential"]);
        assert_eq!(limits, (&json!(repeating), &json!(sequential)));
        let body = json!({ "passwordrules": rules }).to_string();
        let description = deployment.send(Request::post(body).path("/api/policy").key(&key)).await.ok();
        assert!(description["passwordrules"].as_str().unwrap().ends_with(&format!("; {written}")), "{description}");
    })
    .await;
}

/// The regular expression and the rules in the description are equivalent.
#[tokio::test]
async fn rules_are_described_as_regex_and_rules() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let query = "passwordrules=required:%20special;%20allowed:%20upper;&length=12";
    let answer = deployment.send(Request::get(query).path("/api/policy").key(&key)).await.ok();
    assert_eq!(
        answer["passwordrules"],
        "minlength: 12; maxlength: 12; required: [-!\"#$%&'()*+,.:;<=>?@[^_`{|}~]]; allowed: upper;"
    );
    let regex = regress::Regex::new(answer["regex"].as_str().unwrap()).unwrap();
    assert!(regex.find("ABCDEFGHIJK!").is_some() && regex.find("ABCDEFGHIJKL").is_none());
}
