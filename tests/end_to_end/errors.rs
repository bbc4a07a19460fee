//! Errors: each says what is wrong, names the parameter, and says what would be right.

use serde_json::json;

use crate::support::{Deployment, Request, SIGNING_SECRET, check_all, unknown_key};

#[tokio::test]
async fn invalid_parameter_returns_400_naming_it() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let cases = [
        ("lenght=20", "lenght", "Unknown parameter \"lenght\"; did you mean \"length\"?"),
        ("Length=20", "Length", "Unknown parameter \"Length\"; did you mean \"length\"?"),
        ("min-digits=2", "min-digits", "Unknown parameter \"min-digits\"; did you mean \"min_digits\"?"),
        ("colour=red", "colour", "Unknown parameter \"colour\"."),
        ("length=20&length=20", "length", "length is given more than once."),
        ("digits=yes&numbers=yes", "digits", "digits is given more than once."),
        ("special=perhaps", "special", "special must be true or false."),
        ("count=0", "count", "count must be a whole number from 1 to 100."),
        ("count=101", "count", "count must be a whole number from 1 to 100."),
        ("min_digits=-1", "min_digits", "min_digits must be a whole number from 0 to 4096."),
        ("min_digits=ten", "min_digits", "min_digits must be a whole number from 0 to 4096."),
        ("symbols=", "symbols", "symbols must have at least one character."),
        ("symbols=a!", "symbols", "symbols must be ASCII punctuation; letters and digits have their own parameters."),
        ("symbols=!&special=false", "symbols", "symbols requires special, but special is false; omit one."),
        ("start=symbol", "start", "start must be one of letter, lowercase, uppercase, digit, alphanumeric."),
        ("max_repeating=0", "max_repeating", "max_repeating must be a whole number from 1 to 4096."),
        ("min_classes=5", "min_classes", "min_classes must be a whole number from 1 to 4."),
    ];
    check_all(cases, async |(query, parameter, detail)| {
        let problem = deployment.generate(&key, query).await.assert_problem(400);
        assert_eq!((&problem["parameter"], &problem["detail"]), (&json!(parameter), &json!(detail)));
        assert_eq!(problem["error"], problem["detail"]);
    })
    .await;
    assert_eq!(deployment.database.calls(), 0, "an invalid request causes no call");
}

#[tokio::test]
async fn malformed_query_encoding_returns_400() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    check_all(["exclude=%C3%28", "exclude=%zz", "exclude=%4", "%FF=1"], async |query| {
        let problem = deployment.generate(&key, query).await.assert_problem(400);
        assert_eq!(problem["detail"], "The query must be UTF-8 in percent-encoding.");
    })
    .await;
}

/// A text that does not look like a name may be a secret in the wrong place.
#[tokio::test]
async fn unknown_parameter_that_is_not_a_name_is_not_repeated() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let answer = deployment.generate(&key, &format!("{key}=1")).await;
    let problem = answer.assert_problem(400);
    assert_eq!((&problem["detail"], problem.get("parameter")), (&json!("Unknown parameter."), None));
    assert!(!answer.body.contains(&key) && !deployment.log.text().contains(&key));
}

#[tokio::test]
async fn contradictory_policy_returns_400_naming_the_parameter() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let cases = [
        (
            "min_special=2",
            "min_special",
            "min_special is 2, but special is false; set special to true, or omit min_special.",
        ),
        (
            "length=6&special=true&min_digits=4&min_special=3&min_lowercase=0&min_uppercase=0",
            "length",
            "length 6 is too short for min_digits 4 and min_special 3.",
        ),
        (
            "length=6&min_digits=6",
            "length",
            "length 6 is too short for min_lowercase 1, min_uppercase 1 and min_digits 6.",
        ),
        (
            "exclude=0123456789&min_digits=1",
            "exclude",
            "exclude and exclude_similar remove every character of digits, but min_digits is 1; exclude fewer \
             characters, or set digits to false.",
        ),
        (
            "digits=yes&lowercase=no&uppercase=no&min_digits=0&exclude=0123456789",
            "exclude",
            "No characters available: exclude and exclude_similar remove every character; exclude fewer.",
        ),
        ("start=digit&digits=no", "start", "start digit has no character that remains."),
        ("min_digits=4096", "min_digits", "the minimums need 4098 characters, but a password has at most 4096."),
        ("max_repeating=17", "max_repeating", "max_repeating must be a whole number from 1 to 16."),
        (
            "lowercase=no&uppercase=no&exclude=123456789&max_repeating=2&length=8",
            "max_repeating",
            "max_repeating 2 with length 8 requires two different characters, but only 1 remains.",
        ),
        (
            "length=30&no_repeats=true&uppercase=no&digits=no",
            "no_repeats",
            "no_repeats with length 30 requires 30 different characters, but only 26 remain.",
        ),
        (
            "no_repeats=1&min_digits=11&length=20",
            "no_repeats",
            "no_repeats with min_digits 11 requires 11 different characters of digits, but only 10 remain.",
        ),
        (
            "no_repeats=1&max_sequential=2",
            "no_repeats",
            "no_repeats cannot be combined with max_sequential, nor with max-sequential or max-consecutive of passwordrules; omit one.",
        ),
        ("min_classes=4", "min_classes", "min_classes 4 requires characters of 4 classes, but only 3 remain."),
        ("length=4&min_classes=3&min_digits=3", "length", "length 4 is too short for min_digits 3 and min_classes 3."),
        (
            "min_entropy=80&min_special=2",
            "min_special",
            "min_special is 2, but special is false; set special to true, or omit min_special.",
        ),
        (
            "lowercase=0&uppercase=0&digits=0",
            "",
            "No characters available: at least one of lowercase, uppercase, digits and special must be true.",
        ),
    ];
    check_all(cases, async |(query, parameter, detail)| {
        let problem = deployment.generate(&key, query).await.assert_problem(400);
        assert_eq!(problem["parameter"].as_str().unwrap_or_default(), parameter);
        assert_eq!((&problem["detail"], &problem["error"]), (&json!(detail), &json!(detail)));
    })
    .await;
    assert_eq!(deployment.database.calls(), 0, "an invalid request causes no call");
}

/// Counting costs processor time, so the request is counted against the limit first.
#[tokio::test]
async fn unsatisfiable_policy_returns_400_and_is_counted() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let cases = [
        (
            "length=8&min_entropy=80",
            "length 8 has 47.18 bits of entropy, less than min_entropy 80; increase or omit length.",
        ),
        ("min_entropy=400&no_repeats=true", "no length up to 4096 has min_entropy 400 with these constraints."),
        (
            "length=6&min_lowercase=4&uppercase=no&exclude=bcdefghijklmnopqrstuvwxyz&max_repeating=1",
            "no password of length 6 satisfies min_lowercase 4, min_digits 1 and max_repeating 1 together.",
        ),
        (
            "length=4&min_lowercase=4&uppercase=no&min_digits=0&start=digit",
            "no password of length 4 satisfies min_lowercase 4 and start digit together.",
        ),
        (
            "length=256&min_lowercase=100&min_digits=100&max_repeating=1",
            "length 256 with min_lowercase 100, min_uppercase 1, min_digits 100 and max_repeating 1 is too expensive \
             to count; shorten it or relax constraints.",
        ),
    ];
    let mut counted = 0;
    check_all(cases, async |(query, detail)| {
        for path in ["/api/generate", "/api/policy"] {
            let answer = deployment.send(Request::get(query).path(path).key(&key)).await;
            assert_eq!(answer.assert_problem(400)["detail"], detail);
            counted += 1;
            let line = deployment.log.last();
            assert_eq!((&line["sequence"], &line["event"]), (&json!(counted), &json!("request.refused")));
            assert!(!answer.header("ratelimit").is_empty(), "a counted request reports what is left");
        }
    })
    .await;
    assert_eq!(deployment.database.calls_of("UpdateItem"), counted);
}

/// What a revoked key sends costs no counting.
#[tokio::test]
async fn expensive_policy_of_an_unknown_key_returns_401_without_being_counted() {
    let deployment = Deployment::start().await;
    let key = unknown_key(SIGNING_SECRET);
    for query in ["length=256&min_lowercase=100&min_digits=100&max_repeating=1", "min_entropy=400&no_repeats=true"] {
        deployment.generate(&key, query).await.assert_problem(401);
        assert_eq!(deployment.log.last()["entropy_bits"], json!(null));
    }
}

#[tokio::test]
async fn invalid_body_returns_400() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let cases = [
        (r#"{"length":"16"}"#, "length must be a whole number from 4 to 4096."),
        (r#"{"length":16.5}"#, "length must be a whole number from 4 to 4096."),
        (r#"{"length":1e300}"#, "length must be a whole number from 4 to 4096."),
        (r#"{"length":null}"#, "length must be a whole number from 4 to 4096."),
        (r#"{"special":"true"}"#, "special must be true or false."),
        (r#"{"special":1}"#, "special must be true or false."),
        (r#"{"exclude":["a"]}"#, "exclude must be a string."),
        (r#"{"length":16,"length":20}"#, "length is given more than once."),
        (r#"[{"length":16}]"#, "The body must be a JSON object."),
        (r#"{"length":16"#, "The body must be a JSON object."),
        ("length=16", "The body must be a JSON object."),
    ];
    check_all(cases, async |(body, detail)| {
        let problem = deployment.send(Request::post(body).key(&key)).await.assert_problem(400);
        assert_eq!(problem["detail"], detail);
    })
    .await;
    assert_eq!(deployment.database.calls(), 0, "an invalid request causes no call");
}

#[tokio::test]
async fn body_above_16_kib_returns_413() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let of_size = |size: usize| {
        let rest = r#"{"exclude":""}"#.len();
        Request::post(format!(r#"{{"exclude":"{}"}}"#, "é".repeat((size - rest) / 2))).key(&key)
    };
    assert_eq!(deployment.send(of_size(16 * 1024)).await.status, 200);
    let problem = deployment.send(of_size(16 * 1024 + 2)).await.assert_problem(413);
    assert_eq!(problem["detail"], "The body must have at most 16384 bytes.");
}

#[tokio::test]
async fn body_of_another_media_type_returns_415() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let of_type = |media_type| Request::post("{}").key(&key).header("content-type", media_type);
    check_all(["application/x-www-form-urlencoded", "text/plain", "multipart/form-data", ""], async |media_type| {
        let problem = deployment.send(of_type(media_type)).await.assert_problem(415);
        assert_eq!(problem["detail"], "The body must be application/json.");
    })
    .await;
    assert_eq!(deployment.send(of_type("Application/JSON; charset=utf-8")).await.status, 200);
}

#[tokio::test]
async fn query_with_post_or_body_with_get_returns_400() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let mut query_with_post = Request::post("{}").key(&key);
    query_with_post.query = "length=16".into();
    let problem = deployment.send(query_with_post).await.assert_problem(400);
    assert_eq!(problem["detail"], "A POST request must have no query; use the JSON body.");
    let mut body_with_get = Request::get("").key(&key);
    body_with_get.body = Some("{}".into());
    let problem = deployment.send(body_with_get).await.assert_problem(400);
    assert_eq!(problem["detail"], "A GET request must have no body; use the query, or send a POST.");
}

#[tokio::test]
async fn unknown_path_returns_404() {
    let deployment = Deployment::start().await;
    check_all(
        ["/docs/", "/assets/", "/index.html", "/api", "/api/generate/", "/API/generate", "//api/generate", ""],
        async |path| {
            let problem = deployment.send(Request::get("").path(path)).await.assert_problem(404);
            assert_eq!(problem["detail"], "This path does not exist; /openapi.json lists all paths.");
        },
    )
    .await;
}

#[tokio::test]
async fn wrong_method_returns_405_with_allow() {
    let deployment = Deployment::start().await;
    let cases = [
        ("/api/generate", "PUT", "GET, HEAD, POST, OPTIONS"),
        ("/api/generate", "DELETE", "GET, HEAD, POST, OPTIONS"),
        ("/api/generate", "PATCH", "GET, HEAD, POST, OPTIONS"),
        ("/api/generate", "TRACE", "GET, HEAD, POST, OPTIONS"),
        ("/api/generate", "BREW", "GET, HEAD, POST, OPTIONS"),
        ("/api/health", "POST", "GET, HEAD, OPTIONS"),
        ("/api/validate", "GET", "POST, OPTIONS"),
        ("/api/validate", "HEAD", "POST, OPTIONS"),
    ];
    check_all(cases, async |(path, method, allow)| {
        let answer = deployment.send(Request::get("").method(method).path(path)).await;
        assert_eq!((answer.status, answer.header("allow")), (405, allow));
        if method != "HEAD" {
            assert_eq!(answer.assert_problem(405)["detail"], format!("This path supports {allow}."));
        }
    })
    .await;
}

#[tokio::test]
async fn plain_http_returns_400_unless_allowed() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    check_all(["http", "HTTP", "https, http"], async |protocol| {
        let answer = deployment.send(Request::get("").key(&key).header("x-forwarded-proto", protocol)).await;
        assert_eq!(answer.assert_problem(400)["type"], "urn:passloom:problem:https-required");
    })
    .await;
    let allowing = Deployment::builder().allow_http().start().await;
    let key = allowing.ample_key().await;
    assert_eq!(allowing.send(Request::get("").key(&key).header("x-forwarded-proto", "http")).await.status, 200);
}
