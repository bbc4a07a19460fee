//! What HTTP and browsers ask of a service, and the contract that is published.

use std::collections::BTreeSet;

use passloom::http::request::{COUNT, PASSWORD, PHRASE_PARAMETERS, POLICY_PARAMETERS};
use passloom::http::routes::ROUTES;
use passloom::password::{PRESETS, Start, Wordlist};
use serde_json::{Value, json};

use crate::support::{Database, Deployment, Function, ORIGIN, Request};

async fn published() -> Value {
    let deployment = Deployment::new().await;
    let answer = deployment.send(Request::get("").path("/openapi.json")).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    assert_eq!(deployment.log.last()["event"], "contract.read");
    answer.json()
}

fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    names.into_iter().map(str::to_owned).collect()
}

fn members(object: &Value) -> BTreeSet<String> {
    names(object.as_object().unwrap().keys().map(String::as_str))
}

/// Paths, methods, parameters and names are those of the code.
#[tokio::test]
async fn the_contract_names_what_the_code_knows() {
    let contract = published().await;
    assert_eq!(contract["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(members(&contract["paths"]), names(ROUTES.map(|route| route.0)));
    for (path, _, allow) in ROUTES {
        let said: BTreeSet<String> = members(&contract["paths"][path]).iter().map(|name| name.to_uppercase()).collect();
        let answered = names(allow.split(", ").filter(|method| !["HEAD", "OPTIONS"].contains(method)));
        assert_eq!(said, answered, "{path}");
    }
    let count = || [COUNT];
    for (path, schema, parameters) in [
        ("/api/generate", "GenerateRequest", names(POLICY_PARAMETERS.into_iter().chain(count()))),
        ("/api/policy", "GenerateRequest", names(POLICY_PARAMETERS.into_iter().chain(count()))),
        ("/api/passphrase", "PassphraseRequest", names(PHRASE_PARAMETERS.into_iter().chain(count()))),
    ] {
        let said = contract["paths"][path]["get"]["parameters"].as_array().unwrap();
        assert_eq!(names(said.iter().map(|one| one["name"].as_str().unwrap())), parameters, "{path}");
        assert_eq!(members(&contract["components"]["schemas"][schema]["properties"]), parameters, "{schema}");
    }
    let validated = members(&contract["components"]["schemas"]["ValidateRequest"]["properties"]);
    assert_eq!(validated, names(POLICY_PARAMETERS.into_iter().chain([PASSWORD])));
    let parameters = &contract["components"]["schemas"]["GenerateRequest"]["properties"];
    assert_eq!(parameters["policy"]["enum"], json!(PRESETS.each_ref().map(|preset| preset.name)));
    assert_eq!(parameters["start"]["enum"], json!(Start::ALL.map(Start::name)));
    let lists = &contract["components"]["schemas"]["PassphraseRequest"]["properties"]["wordlist"]["enum"];
    assert_eq!(lists, &json!(Wordlist::ALL.map(Wordlist::name)));
}

/// A value just outside each range that is published is refused, the ends of the range are of its type.
#[tokio::test]
async fn the_ranges_of_the_contract_are_those_of_the_code() {
    let contract = published().await;
    let deployment = Deployment::new().await;
    let key = deployment.key(10_000, 10_000).await;
    let mut ranges = 0;
    for path in ["/api/generate", "/api/passphrase"] {
        for parameter in contract["paths"][path]["get"]["parameters"].as_array().unwrap() {
            let name = parameter["name"].as_str().unwrap();
            let schema = &parameter["schema"];
            let (Some(least), Some(most)) = (schema["minimum"].as_u64(), schema["maximum"].as_u64()) else { continue };
            ranges += 1;
            let wanted = format!("{name} must be a whole number from {least} to {most}.");
            let outside = [least.checked_sub(1), Some(most + 1)];
            for value in outside.into_iter().flatten() {
                let answer = deployment.send(Request::get(&format!("{name}={value}")).path(path).key(&key)).await;
                assert_eq!(answer.assert_problem(400)["detail"], wanted.as_str(), "{path} {name}={value}");
            }
            for value in [least, most] {
                let answer = deployment.send(Request::get(&format!("{name}={value}")).path(path).key(&key)).await;
                assert!(!answer.body.contains(&wanted), "{path} {name}={value}: {}", answer.body);
            }
        }
    }
    assert_eq!(ranges, 12);
}

/// What is published as an example is what is answered, but for what is drawn.
#[tokio::test]
async fn the_examples_of_the_contract_are_real_answers() {
    let contract = published().await;
    let deployment = Deployment::new().await;
    let key = deployment.key(1_000, 1_000).await;
    let mut examples = 0;
    for (path, operations) in contract["paths"].as_object().unwrap() {
        for operation in operations.as_object().unwrap().values() {
            let published = &operation["responses"]["200"]["content"]["application/json"]["examples"];
            for example in published.as_object().into_iter().flat_map(|all| all.values()) {
                let asked = example["summary"].as_str().unwrap();
                let (method, rest) = asked.split_once(' ').unwrap();
                let request = match method {
                    "GET" => Request::get(rest.split_once('?').map_or("", |(_, query)| query)),
                    _ => Request::post(rest.split_once(' ').unwrap().1),
                };
                let answer = deployment.send(request.path(path).key(&key)).await;
                assert_eq!(answer.status, 200, "{asked}: {}", answer.body);
                assert_eq!(undrawn(answer.json()), undrawn(example["value"].clone()), "{asked}");
                examples += 1;
            }
        }
    }
    assert!(examples >= 11, "{examples}");
}

/// As shipped, no page may read anything, and nothing says that one could.
#[tokio::test]
async fn without_named_origins_there_is_no_cors() {
    let database = Database::start().await;
    let plain = Function::start(&database.url(), &[]).await;
    let named = Function::start(&database.url(), &[("ALLOWED_ORIGINS", ORIGIN)]).await;
    let event = Request::get("").path("/api/health").header("origin", ORIGIN).event();
    let answer = plain.send(&event).await.answer();
    assert!(answer.headers.keys().all(|name| !name.starts_with("access-control") && name != "vary"), "{answer:?}");
    assert_eq!(named.send(&event).await.answer().header("access-control-allow-origin"), ORIGIN);
}

/// An answer without what is drawn at random, of which the form is left.
fn undrawn(mut answer: Value) -> Value {
    let form = |text: &Value| json!(text.as_str().unwrap().is_ascii());
    for name in ["password", "passphrase"] {
        if let Some(text) = answer.get_mut(name) {
            *text = form(text);
        }
    }
    for name in ["passwords", "passphrases"] {
        if let Some(texts) = answer.get_mut(name) {
            *texts = texts.as_array().unwrap().iter().map(form).collect();
        }
    }
    answer
}

/// SECURITY.md names the tests that show what it says.
#[test]
fn the_threat_model_names_tests_that_exist() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut named = 0;
    for part in include_str!("../../SECURITY.md").split('`').filter(|part| part.starts_with("tests/")) {
        let Some((file, test)) = part.split_once(": ") else { continue };
        let source = std::fs::read_to_string(root.join(file)).unwrap();
        assert!([format!("fn {test}("), format!("def {test}(")].iter().any(|head| source.contains(head)), "{part}");
        named += 1;
    }
    assert!(named >= 30, "{named}");
}

/// Every status that a problem can have is published for the operations that can answer it.
#[tokio::test]
async fn every_status_is_published() {
    let contract = published().await;
    for (path, operations) in contract["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let said = members(&operation["responses"]);
            let open = operation["security"] == json!([]);
            let mut expected = vec!["200", "400", "405", "500"];
            if !open {
                expected.extend(["401", "403", "429", "503"]);
            }
            if method == "post" {
                expected.extend(["413", "415"]);
            }
            assert_eq!(said, names(expected), "{method} {path}");
        }
    }
}

/// HEAD is GET without the body; OPTIONS asks for no key and no database.
#[tokio::test]
async fn head_and_options_are_answered_as_the_standard_says() {
    let deployment = Deployment::new().await;
    let key = deployment.key(1_000, 1_000).await;
    let get = deployment.generate(&key, "").await;
    let head = deployment.send(Request::get("").method("HEAD").key(&key)).await;
    assert_eq!((head.status, head.body.as_str(), deployment.log.last()["sequence"].as_u64()), (200, "", Some(2)));
    assert_eq!(head.headers.keys().collect::<Vec<_>>(), get.headers.keys().collect::<Vec<_>>());
    let refused = deployment.send(Request::get("lenght=1").method("HEAD").key(&key)).await;
    assert_eq!((refused.status, refused.body.as_str()), (400, ""));
    assert_eq!(deployment.send(Request::get("").method("HEAD").path("/api/health")).await.status, 200);
    deployment.send(Request::post("").method("HEAD").path("/api/validate")).await;
    assert_eq!(deployment.log.last()["status"], 405);

    let calls = deployment.database.calls();
    for (path, _, allow) in ROUTES {
        let answer = deployment.send(Request::get("").method("OPTIONS").path(path)).await;
        assert_eq!((answer.status, answer.header("allow"), answer.body.as_str()), (204, allow, ""), "{path}");
        assert_eq!(deployment.log.last()["event"], "options.read");
    }
    deployment.send(Request::get("").method("OPTIONS").path("/api/nothing")).await.assert_problem(404);
    for method in ["PUT", "DELETE", "PATCH", "TRACE", "BREW"] {
        let answer = deployment.send(Request::get("").method(method).key(&key)).await;
        answer.assert_problem(405);
        assert_eq!(answer.header("allow"), "GET, HEAD, POST, OPTIONS");
    }
    assert_eq!(deployment.database.calls(), calls);
}

/// Pages of the origin that is named may call and read; others are answered as if there were no CORS.
#[tokio::test]
async fn pages_of_the_named_origins_may_read_answers() {
    let deployment = Deployment::new().await;
    let key = deployment.key(1_000, 1_000).await;
    let preflight = |origin: &str, path: &str| {
        let request = Request::get("").method("OPTIONS").path(path).header("origin", origin);
        request.header("access-control-request-method", "POST").header("access-control-request-headers", "x-api-key")
    };
    let answer = deployment.send(preflight(ORIGIN, "/api/validate")).await;
    assert_eq!((answer.status, deployment.database.calls()), (204, 0));
    for (name, value) in [
        ("access-control-allow-origin", ORIGIN),
        ("access-control-allow-methods", "POST, OPTIONS"),
        ("access-control-allow-headers", "Accept, Authorization, Content-Type, X-Api-Key"),
        ("access-control-max-age", "7200"),
        ("vary", "Origin"),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    for answer in [
        deployment.send(Request::get("").key(&key).header("origin", ORIGIN)).await,
        deployment.send(Request::get("lenght=1").key(&key).header("origin", ORIGIN)).await,
        deployment.send(Request::get("").header("origin", ORIGIN)).await,
    ] {
        assert_eq!(answer.header("access-control-allow-origin"), ORIGIN);
        assert!(answer.header("access-control-expose-headers").contains("RateLimit, "));
        assert_eq!(answer.header("access-control-allow-credentials"), "");
    }
    for origin in
        ["https://app.example.com.evil.example", "http://app.example.com", "null", "https://APP.example.com", "*"]
    {
        for request in [preflight(origin, "/api/generate"), Request::get("").key(&key).header("origin", origin)] {
            let answer = deployment.send(request).await;
            let allowed: Vec<&String> =
                answer.headers.keys().filter(|name| name.starts_with("access-control")).collect();
            assert!(allowed.is_empty() && answer.header("vary") == "Origin", "{origin}: {allowed:?}");
        }
    }
}
