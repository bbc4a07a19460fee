//! What is refused, and that the refusal says what is wrong and what would be right.

use serde_json::json;

use crate::support::{Deployment, Request};

#[tokio::test]
async fn a_query_that_is_wrong_is_refused_by_name() {
    let deployment = Deployment::new().await;
    let key = deployment.key(1000, 1000).await;
    let cases = [
        ("lenght=20", "lenght", "there is no parameter lenght; length may be meant."),
        ("Length=20", "Length", "there is no parameter Length; length may be meant."),
        ("min-digits=2", "min-digits", "there is no parameter min-digits; min_digits may be meant."),
        ("colour=red", "colour", "there is no parameter colour."),
        ("length=20&length=20", "length", "length is given more than once."),
        ("special=perhaps", "special", "special must be true or false."),
        ("count=0", "count", "count must be a whole number from 1 to 100."),
        ("count=101", "count", "count must be a whole number from 1 to 100."),
        ("min_digits=-1", "min_digits", "min_digits must be a whole number from 0 to 256."),
        ("min_digits=ten", "min_digits", "min_digits must be a whole number from 0 to 256."),
        ("symbols=", "symbols", "symbols must name at least one character."),
        (
            "symbols=a!",
            "symbols",
            "symbols may hold ASCII punctuation only; letters and digits have parameters of their own.",
        ),
        (
            "symbols=!&special=false",
            "symbols",
            "symbols turns special on, but special is false: leave one of the two out.",
        ),
        ("start=symbol", "start", "start must be one of letter, lowercase, uppercase, digit, alphanumeric."),
        ("max_consecutive=0", "max_consecutive", "max_consecutive must be a whole number from 1 to 256."),
        ("min_classes=5", "min_classes", "min_classes must be a whole number from 1 to 4."),
    ];
    for (query, parameter, detail) in cases {
        let answer = deployment.generate(&key, query).await;
        let problem = answer.assert_problem(400);
        assert_eq!((&problem["parameter"], &problem["detail"]), (&json!(parameter), &json!(detail)), "{query}");
        assert_eq!(problem["error"], problem["detail"]);
    }
    for query in ["exclude=%C3%28", "exclude=%zz", "exclude=%4", "%FF=1"] {
        let problem = deployment.generate(&key, query).await.assert_problem(400);
        assert_eq!(problem["detail"], "the query must be UTF-8 in percent-encoding.", "{query}");
    }
    // What is no name is not repeated: it may be a secret in the wrong place.
    let problem = deployment.generate(&key, &format!("{key}=1")).await.assert_problem(400);
    assert_eq!((&problem["detail"], problem.get("parameter")), (&json!("there is no such parameter."), None));
    assert_eq!(deployment.database.calls(), 0, "nothing of this reaches the database");
}

/// What fits together in no way is said in the words of the parameters.
#[tokio::test]
async fn a_policy_that_contradicts_itself_is_refused_in_words() {
    let deployment = Deployment::new().await;
    let key = deployment.key(1000, 1000).await;
    let cases = [
        (
            "min_special=2",
            "min_special",
            "min_special is 2, but special is not in use: set special to true, or leave min_special out.",
        ),
        (
            "length=6&special=true&min_digits=4&min_special=3&min_lowercase=0&min_uppercase=0",
            "length",
            "length 6 cannot hold min_digits 4 and min_special 3.",
        ),
        ("length=6&min_digits=6", "length", "length 6 cannot hold min_lowercase 1, min_uppercase 1 and min_digits 6."),
        (
            "exclude=0123456789",
            "exclude",
            "exclude and exclude_similar leave none of digits, of which min_digits is 1: exclude less, or set digits to \
             false.",
        ),
        (
            "digits=yes&lowercase=no&uppercase=no&min_digits=0&exclude=0123456789",
            "exclude",
            "exclude and exclude_similar leave no character to draw from.",
        ),
        ("start=digit&digits=no", "start", "start digit has no character left to begin with."),
        ("max_consecutive=17", "max_consecutive", "max_consecutive must be a whole number from 1 to 16."),
        (
            "length=30&no_repeats&uppercase=no&digits=no",
            "no_repeats",
            "no_repeats with length 30 needs 30 different characters, 26 remain.",
        ),
        (
            "no_repeats=1&min_digits=11&length=20",
            "no_repeats",
            "no_repeats with min_digits 11 needs 11 different characters of digits, 10 remain.",
        ),
        ("min_classes=4", "min_classes", "min_classes 4 needs characters of 4 classes, 3 remain."),
        ("length=4&min_classes=3&min_digits=3", "length", "length 4 cannot hold min_digits 3 and min_classes 3."),
        (
            "length=8&min_entropy=80",
            "min_entropy",
            "length 8 has 47.18 bits of entropy, less than min_entropy 80: ask for more, or leave length out.",
        ),
        (
            "min_entropy=400&no_repeats",
            "min_entropy",
            "no length up to 256 has min_entropy 400 with these constraints.",
        ),
    ];
    for (query, parameter, detail) in cases {
        let answer = deployment.generate(&key, query).await;
        let problem = answer.assert_problem(400);
        assert_eq!((&problem["parameter"], &problem["detail"]), (&json!(parameter), &json!(detail)), "{query}");
        assert_eq!(problem["error"], problem["detail"]);
    }
    let problem = deployment.generate(&key, "lowercase=0&uppercase=0&digits=0").await.assert_problem(400);
    assert_eq!(problem["detail"], "at least one of lowercase, uppercase, digits and special must be true.");
    for (query, detail) in [
        (
            "length=6&min_lowercase=4&uppercase=no&exclude=bcdefghijklmnopqrstuvwxyz&max_consecutive=1",
            "no password of length 6 satisfies min_lowercase 4, min_digits 1 and max_consecutive 1 together.",
        ),
        (
            "length=4&min_lowercase=4&uppercase=no&min_digits=0&start=digit",
            "no password of length 4 satisfies min_lowercase 4 and start digit together.",
        ),
        (
            "length=256&min_lowercase=100&min_digits=100&max_consecutive=1",
            "length 256 with min_lowercase 100, min_uppercase 1, min_digits 100 and max_consecutive 1 is too hard to draw \
             exactly: ask for a shorter password, or for less of these.",
        ),
    ] {
        let problem = deployment.generate(&key, query).await.assert_problem(400);
        assert_eq!((&problem["detail"], problem.get("parameter")), (&json!(detail), None), "{query}");
    }
    assert_eq!(deployment.database.calls(), 0, "nothing of this reaches the database");
}

#[tokio::test]
async fn a_body_that_is_wrong_is_refused() {
    let deployment = Deployment::new().await;
    let key = deployment.key(1000, 1000).await;
    let cases = [
        (r#"{"length":"16"}"#, 400, "length must be a whole number from 4 to 256."),
        (r#"{"length":16.5}"#, 400, "length must be a whole number from 4 to 256."),
        (r#"{"length":1e300}"#, 400, "length must be a whole number from 4 to 256."),
        (r#"{"length":null}"#, 400, "length must be a whole number from 4 to 256."),
        (r#"{"special":"true"}"#, 400, "special must be true or false."),
        (r#"{"special":1}"#, 400, "special must be true or false."),
        (r#"{"exclude":["a"]}"#, 400, "exclude must be a string."),
        (r#"{"length":16,"length":20}"#, 400, "length is given more than once."),
        (r#"[{"length":16}]"#, 400, "the body must be a JSON object."),
        (r#"{"length":16"#, 400, "the body must be a JSON object."),
        ("length=16", 400, "the body must be a JSON object."),
    ];
    for (body, status, detail) in cases {
        let problem = deployment.send(Request::post(body).key(&key)).await.assert_problem(status);
        assert_eq!(problem["detail"], detail, "{body}");
    }
    let large = format!(r#"{{"exclude":"{}"}}"#, "a".repeat(16 * 1024));
    deployment.send(Request::post(large).key(&key)).await.assert_problem(413);
    let form = Request::post("length=16").key(&key).header("content-type", "application/x-www-form-urlencoded");
    deployment.send(form).await.assert_problem(415);
    let charset = Request::post("{}").key(&key).header("content-type", "Application/JSON; charset=utf-8");
    assert_eq!(deployment.send(charset).await.status, 200);

    let mut both = Request::post("{}").key(&key);
    both.query = "length=16".into();
    let problem = deployment.send(both).await.assert_problem(400);
    assert_eq!(problem["detail"], "POST takes its parameters in the JSON body, not in the query.");
    let mut body_with_get = Request::get("").key(&key);
    body_with_get.body = Some("{}".into());
    deployment.send(body_with_get).await.assert_problem(400);
}

#[tokio::test]
async fn what_is_not_there_is_said_to_be_not_there() {
    let deployment = Deployment::new().await;
    for path in ["/", "/api", "/api/generate/", "/API/generate", "//api/generate", ""] {
        deployment.send(Request::get("").path(path)).await.assert_problem(404);
    }
    let answer = deployment.send(Request::get("").method("DELETE")).await;
    answer.assert_problem(405);
    assert_eq!(answer.header("allow"), "GET, HEAD, POST, OPTIONS");
    let answer = deployment.send(Request::get("").method("POST").path("/api/health")).await;
    answer.assert_problem(405);
    assert_eq!(answer.header("allow"), "GET, HEAD, OPTIONS");
}

#[tokio::test]
async fn plain_http_is_refused_unless_allowed() {
    let deployment = Deployment::new().await;
    let key = deployment.key(10, 10).await;
    for protocol in ["http", "HTTP", "https, http"] {
        let problem = deployment.send(Request::get("").key(&key).header("x-forwarded-proto", protocol)).await;
        assert_eq!(problem.assert_problem(400)["type"], "urn:passloom:problem:https-required");
    }
    let allowing = Deployment::with(
        passloom::settings::Auth::Key(passloom::access::Peppers::parse(crate::support::PEPPER).unwrap()),
        true,
    )
    .await;
    let key = allowing.key(10, 10).await;
    assert_eq!(allowing.send(Request::get("").key(&key).header("x-forwarded-proto", "http")).await.status, 200);
}
