//! The queries that clients of the tutorials' services send (`docs/compare.md`): `GET /api/generate` with `length`,
//! `lowercase`, `uppercase`, `digits`, `special` and `exclude`.

use serde_json::{Value, json};

use crate::support::{Deployment, check_all};

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";
const SPECIAL: &str = "!@#$%^&*()_+-=[]{}|;:,.<>?";
/// All 62 letters and digits, as the value of `exclude`.
const ALL: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// The classes that appear in a password, and its length; or the parameter and the beginning of the detail of a 400.
#[derive(Debug)]
enum Expected {
    Classes(usize, &'static str),
    Refused(Option<&'static str>, &'static str),
}

use Expected::{Classes, Refused};

fn cases() -> Vec<(String, Expected)> {
    let boolean = "must be true or false.";
    let mut cases: Vec<(String, Expected)> = [
        ("", Classes(16, "lud")),
        ("length=4", Classes(4, "lud")),
        ("length=24", Classes(24, "lud")),
        ("length=128", Classes(128, "lud")),
        ("length=129", Classes(129, "lud")),
        ("length=4096", Classes(4096, "lud")),
        ("length=3", Refused(Some("length"), "length must be a whole number from 4 to 4096.")),
        ("length=4097", Refused(Some("length"), "length must be a whole number from 4 to 4096.")),
        ("length=abc", Refused(Some("length"), "length must be a whole number from 4 to 4096.")),
        ("length=16.5", Refused(Some("length"), "length must be a whole number from 4 to 4096.")),
        ("length=", Refused(Some("length"), "length must be a whole number from 4 to 4096.")),
        ("length=-1", Refused(Some("length"), "length must be a whole number from 4 to 4096.")),
        ("length=8&length=9", Refused(Some("length"), "length is given more than once.")),
        ("special=true", Classes(16, "luds")),
        ("special=false", Classes(16, "lud")),
        ("lowercase=false", Classes(16, "ud")),
        ("uppercase=false", Classes(16, "ld")),
        ("digits=false", Classes(16, "lu")),
        ("lowercase=false&uppercase=false", Classes(16, "d")),
        ("lowercase=false&uppercase=false&special=true", Classes(16, "ds")),
        ("lowercase=false&uppercase=false&digits=false&special=true", Classes(16, "s")),
        (
            "lowercase=false&uppercase=false&digits=false",
            Refused(None, "No characters available: at least one of lowercase, uppercase, digits and special must be"),
        ),
        ("lowercase=true&uppercase=true&digits=true&special=true&length=20", Classes(20, "luds")),
        ("exclude=0123456789", Classes(16, "lu")),
        ("exclude=0123456789&digits=true", Classes(16, "lu")),
        ("exclude=abcdefghijklmnopqrstuvwxyz", Classes(16, "ud")),
        ("exclude=0O1lI", Classes(16, "lud")),
        ("exclude=", Classes(16, "lud")),
        ("exclude=%5E", Classes(16, "lud")),
        ("special=true&exclude=%5E%5D%5C-", Classes(16, "luds")),
        (
            "special=true&exclude=%21%40%23%24%25%5E%26%2A%28%29_%2B-%3D%5B%5D%7B%7D%7C%3B%3A%2C.%3C%3E%3F",
            Classes(16, "lud"),
        ),
        ("exclude=%C3%A9", Classes(16, "lud")),
        ("min_digits=1&exclude=0123456789", Refused(Some("exclude"), "exclude and exclude_similar remove every")),
        ("policy=pci-dss-4&exclude=0123456789", Refused(Some("exclude"), "exclude and exclude_similar remove every")),
        ("min_classes=1&length=64", Classes(64, "lud")),
        ("numbers=false", Classes(16, "lu")),
        ("symbols=%21", Classes(16, "luds")),
        ("upper=false", Refused(Some("upper"), "Unknown parameter \"upper\"")),
        ("Length=8", Refused(Some("Length"), "Unknown parameter \"Length\"; did you mean \"length\"?")),
        ("size=8", Refused(Some("size"), "Unknown parameter \"size\"")),
        ("special=1.0", Refused(Some("special"), "special must be true or false.")),
        ("special=null", Refused(Some("special"), "special must be true or false.")),
    ]
    .map(|(query, expected)| (query.to_owned(), expected))
    .into();
    cases.push((
        format!("exclude={ALL}"),
        Refused(Some("exclude"), "No characters available: exclude and exclude_similar remove every character"),
    ));
    // What pydantic reads as a boolean.
    for (values, classes) in [
        (["true", "t", "yes", "y", "on", "1", "TRUE", "Yes"].as_slice(), "luds"),
        (&["false", "f", "no", "n", "off", "0", "False", "OFF"], "lud"),
    ] {
        cases.extend(values.iter().map(|value| (format!("length=64&special={value}"), Classes(64, classes))));
    }
    for parameter in ["lowercase", "uppercase", "digits", "special"] {
        for query in [format!("{parameter}="), parameter.to_owned()] {
            cases.push((query, Refused(Some(parameter), boolean)));
        }
    }
    cases
}

/// The letter of each class that a password has.
fn classes(password: &str) -> String {
    let all = [('l', LOWER), ('u', UPPER), ('d', DIGITS), ('s', SPECIAL)];
    all.iter().filter(|(_, set)| password.contains(|one| set.contains(one))).map(|(name, _)| name).collect()
}

#[tokio::test]
async fn queries_of_the_tutorials_are_answered_as_documented() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let cases = cases();
    assert!(cases.len() >= 40);
    check_all(cases, async |(query, expected)| {
        let answer = deployment.generate(&key, &query).await;
        let body = answer.json();
        match expected {
            Classes(length, possible) => {
                assert_eq!(answer.status, 200, "{body}");
                let password = body["password"].as_str().unwrap();
                assert_eq!((password.len(), &body["length"]), (length, &json!(length)));
                let found = classes(password);
                assert!(found.chars().all(|one| possible.contains(one)), "{password} has {found}");
                for (name, class) in [("lowercase", 'l'), ("uppercase", 'u'), ("digits", 'd'), ("special", 's')] {
                    assert_eq!(body["policy"][name], possible.contains(class), "{body}");
                }
            }
            Refused(parameter, detail) => {
                assert_eq!(answer.status, 400, "{body}");
                assert_eq!(body.get("parameter").and_then(Value::as_str), parameter);
                let found = body["detail"].as_str().unwrap();
                assert!(found.starts_with(detail) || found.ends_with(detail), "{found}");
                // The one tutorial's clients read `error`, the other's `detail`.
                assert_eq!(body["error"], body["detail"]);
            }
        }
    })
    .await;
}

/// Each class that is in use appears, as a client of the tutorials may rely on after it has changed.
#[tokio::test]
async fn class_of_the_tutorials_appears_unless_no_class_must() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    for password in deployment.generate(&key, "length=4&special=true&count=100").await.passwords() {
        assert_eq!(classes(&password), "luds", "{password}");
    }
    let open = deployment.generate(&key, "length=4&special=true&min_classes=1").await.ok();
    assert_eq!(open["entropy_bits"], 25.83, "4 characters of 88, as in the tutorials");
}
