//! The OpenAPI document and the lists in `docs/api.md` are compared with the code; and what HTTP and browsers require:
//! HEAD, OPTIONS and CORS.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use passloom::contract::{
    GenerateParameter, Kind, MAX_COUNT, ParameterName, PassphraseParameter, PolicyParameter, ROUTES,
    StoredPolicyParameter, ValidateParameter,
};
use passloom::password::{PRESETS, Start, Wordlist};
use serde_json::{Value, json};

use crate::named_policies::{administrator, put};
use crate::support::{Answer, Database, Deployment, Function, ORIGIN, Request, START, check_all};

/// The OpenAPI document that the function returns.
async fn document() -> Value {
    let deployment = Deployment::start().await;
    let answer = deployment.send(Request::get("").path("/openapi.json")).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    assert_eq!(deployment.log.last()["event"], "contract.read");
    answer.json()
}

/// The value of each schema in a part of the document, with the path to it.
fn schemas<'d>(part: &'d Value, path: &str, found: &mut Vec<(String, &'d Value)>) {
    let members = part.as_object().into_iter().flatten().filter(|(name, _)| !name.starts_with("example"));
    let members = members.map(|(name, value)| (name.clone(), value));
    let items = part.as_array().into_iter().flatten().enumerate().map(|(index, value)| (index.to_string(), value));
    if part.get("type").is_some_and(|kind| kind.is_string() || kind.is_array()) {
        found.push((path.to_owned(), part));
    }
    for (name, value) in members.chain(items) {
        schemas(value, &format!("{path}/{name}"), found);
    }
}

/// The cells of the table in `docs/api.md` that has this first row.
fn documented(first_row: &str) -> Vec<Vec<&'static str>> {
    let table = include_str!("../../docs/api.md").split_once(first_row).unwrap().1;
    // The rest of the first row, and the row of hyphens, come before the cells.
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect()).collect()
}

/// The rows of the table of statuses: the status, the name of the problem, and whether such an answer is counted.
fn documented_statuses() -> Vec<(u64, &'static str, &'static str)> {
    let rows = documented("| Status | Name | Counted | Condition | Action |").into_iter();
    rows.map(|cells| (cells[0].parse().unwrap(), cells[1], cells[2])).collect()
}

fn set<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    names.into_iter().map(str::to_owned).collect()
}

/// The names of the members of an object.
fn members(object: &Value) -> BTreeSet<String> {
    set(object.as_object().unwrap().keys().map(String::as_str))
}

/// The parameters in the query of an operation, wherever they are described.
fn query_parameters<'d>(document: &'d Value, operation: &'d Value) -> impl Iterator<Item = &'d Value> {
    operation["parameters"].as_array().into_iter().flatten().map(|one| match one["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => one,
    })
}

/// The names of the parameters of an operation.
fn parameters<P: ParameterName>() -> BTreeSet<String> {
    set(P::all().map(P::name))
}

#[tokio::test]
async fn published_paths_and_methods_are_those_of_the_code() {
    let document = document().await;
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(members(&document["paths"]), set(ROUTES.map(|route| route.0)));
    check_all(ROUTES, async |(path, _, allow)| {
        let published = members(&document["paths"][path]).iter().map(|name| name.to_uppercase()).collect();
        let supported = set(allow.split(", ").filter(|method| !["HEAD", "OPTIONS"].contains(method)));
        assert_eq!(supported, published);
    })
    .await;
}

#[tokio::test]
async fn published_parameters_are_those_of_the_code() {
    let document = document().await;
    let schemas = &document["components"]["schemas"];
    let cases = [
        ("/api/generate", "GenerateParameters", parameters::<GenerateParameter>()),
        ("/api/policy", "GenerateParameters", parameters::<GenerateParameter>()),
        ("/api/passphrase", "PassphraseParameters", parameters::<PassphraseParameter>()),
    ];
    check_all(cases, async |(path, schema, parameters)| {
        let published = query_parameters(&document, &document["paths"][path]["get"]);
        // A list cannot be written in a query.
        let in_query = parameters.iter().filter(|one| *one != "charsets").cloned().collect();
        assert_eq!(set(published.map(|one| one["name"].as_str().unwrap())), in_query);
        assert_eq!(members(&schemas[schema]["properties"]), parameters);
    })
    .await;
    assert_eq!(members(&schemas["ValidateParameters"]["properties"]), parameters::<ValidateParameter>());
    assert_eq!(members(&schemas["PolicyDocument"]["properties"]), parameters::<StoredPolicyParameter>());
    // A verdict can name any parameter of a policy except the preset, whose requirements are parameters.
    let constraints = &schemas["Violation"]["properties"]["constraint"]["x-extensible-enum"];
    let published = set(constraints.as_array().unwrap().iter().map(|one| one.as_str().unwrap()));
    assert_eq!(
        published,
        set(PolicyParameter::ALL.map(PolicyParameter::name).into_iter().filter(|&one| one != "policy"))
    );
}

#[tokio::test]
async fn published_values_are_those_of_the_code() {
    let document = document().await;
    let schemas = &document["components"]["schemas"];
    let generate = &schemas["GenerateParameters"]["properties"];
    // A stored policy may have another name.
    assert_eq!(generate["policy"]["examples"], json!(PRESETS.each_ref().map(|preset| preset.name)));
    assert!(generate["policy"].get("enum").is_none());
    let kinds = &schemas["Problem"]["properties"]["type"]["x-extensible-enum"];
    let kinds = kinds.as_array().unwrap().iter().map(|kind| kind.as_str().unwrap());
    assert_eq!(set(kinds), Kind::ALL.map(|kind| format!("urn:passloom:problem:{}", kind.name())).into());
    assert_eq!(generate["start"]["enum"], json!(Start::ALL.map(Start::name)));
    assert_eq!(generate["count"]["maximum"], MAX_COUNT);
    let passphrase = &schemas["PassphraseParameters"]["properties"];
    assert_eq!(passphrase["wordlist"]["enum"], json!(Wordlist::ALL.map(Wordlist::name)));
}

/// A parameter has one description, wherever it is published.
#[tokio::test]
async fn parameter_descriptions_of_query_and_body_are_equal() {
    let document = document().await;
    let schemas = &document["components"]["schemas"];
    let cases = [
        ("/api/generate", "GenerateParameters"),
        ("/api/policy", "GenerateParameters"),
        ("/api/passphrase", "PassphraseParameters"),
    ];
    check_all(cases, async |(path, schema)| {
        for parameter in query_parameters(&document, &document["paths"][path]["get"]) {
            let name = parameter["name"].as_str().unwrap();
            assert_eq!(parameter["description"], schemas[schema]["properties"][name]["description"], "{name}");
        }
    })
    .await;
}

/// A value just outside of a published range is rejected, and the ends of the range are accepted as values.
#[tokio::test]
async fn published_ranges_are_those_of_the_code() {
    let document = document().await;
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let mut ranges = Vec::new();
    for path in ["/api/generate", "/api/passphrase"] {
        for parameter in query_parameters(&document, &document["paths"][path]["get"]) {
            let schema = &parameter["schema"];
            if let (Some(min), Some(max)) = (schema["minimum"].as_u64(), schema["maximum"].as_u64()) {
                ranges.push((path, parameter["name"].as_str().unwrap().to_owned(), min, max));
            }
        }
    }
    assert_eq!(ranges.len(), 13);
    check_all(ranges, async |(path, name, min, max)| {
        let detail = format!("{name} must be a whole number from {min} to {max}.");
        let send =
            async |value: u64| deployment.send(Request::get(&format!("{name}={value}")).path(path).key(&key)).await;
        for value in [min.checked_sub(1), Some(max + 1)].into_iter().flatten() {
            assert_eq!(send(value).await.assert_problem(400)["detail"], detail, "{value}");
        }
        for value in [min, max] {
            let answer = send(value).await;
            assert!(!answer.body.contains(&detail), "{value}: {}", answer.body);
        }
    })
    .await;
}

/// A published example is the answer to the request in its summary, except for what is drawn at random.
#[tokio::test]
async fn published_answers_are_real() {
    let document = document().await;
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let mut examples = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for operation in operations.as_object().unwrap().values() {
            let published = &operation["responses"]["200"]["content"]["application/json"]["examples"];
            for example in published.as_object().into_iter().flat_map(|all| all.values()) {
                examples.push((path, example["summary"].as_str().unwrap(), &example["value"]));
            }
        }
    }
    assert!(examples.len() >= 11, "{}", examples.len());
    check_all(examples, async |(path, summary, value)| {
        let (method, rest) = summary.split_once(' ').unwrap();
        let request = match method {
            "GET" => Request::get(rest.split_once('?').map_or("", |(_, query)| query)),
            _ => Request::post(rest.split_once(' ').unwrap().1),
        };
        let answer = deployment.send(request.path(path).key(&key)).await.ok();
        assert_eq!(without_secrets(answer), without_secrets(value.clone()));
    })
    .await;
}

/// An answer in which a marker replaces each generated secret.
fn without_secrets(mut answer: Value) -> Value {
    let marker = |text: &Value| json!(text.as_str().unwrap().is_ascii());
    for name in ["password", "passphrase"] {
        if let Some(text) = answer.get_mut(name) {
            *text = marker(text);
        }
    }
    for name in ["passwords", "passphrases"] {
        if let Some(texts) = answer.get_mut(name) {
            *texts = texts.as_array().unwrap().iter().map(marker).collect();
        }
    }
    answer
}

#[tokio::test]
async fn published_problems_are_real() {
    let document = document().await;
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let responses = &document["components"]["responses"];
    let example = |name: &str| &responses[name]["content"]["application/problem+json"]["example"];
    let cases = [
        ("BadRequest", Request::get("lenght=20").key(&key)),
        ("Unauthorized", Request::get("")),
        ("MethodNotAllowed", Request::post("").path("/api/health")),
        ("BodyTooLarge", Request::post("x".repeat(17_000)).key(&key)),
        ("UnsupportedMediaType", Request::post("{}").header("content-type", "text/plain").key(&key)),
    ];
    // These need a fault, or a state that other tests produce; a test beside the code compares them.
    let compared =
        ["Forbidden", "NotFound", "Conflict", "PreconditionFailed", "RateLimited", "InternalError", "Unavailable"];
    let published = members(responses).into_iter().filter(|name| !example(name).is_null());
    let checked = cases.iter().map(|(name, _)| *name).chain(compared);
    assert_eq!(published.collect::<BTreeSet<_>>(), set(checked));
    check_all(cases, async |(name, request)| {
        let mut problem = deployment.send(request).await.json();
        assert_eq!(problem["instance"], "urn:passloom:request:gateway-id");
        problem["instance"] = example(name)["instance"].clone();
        assert_eq!(problem, *example(name));
    })
    .await;
}

/// What a reference needs: tags, descriptions, and an example of each value and answer.
#[tokio::test]
async fn published_operations_are_described_with_examples() {
    let document = document().await;
    let tags: BTreeSet<&str> =
        document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        operations.extend(methods.as_object().unwrap().iter().map(|(method, operation)| (path, method, operation)));
    }
    check_all(operations, async |(_, _, operation)| {
        assert!(tags.contains(operation["tags"][0].as_str().unwrap()));
        assert!(operation["description"].is_string() && operation["summary"].is_string());
        for parameter in query_parameters(&document, operation) {
            assert!(parameter["description"].is_string(), "{}", parameter["name"]);
            assert!(!parameter["schema"]["examples"][0].is_null(), "{}", parameter["name"]);
            // Swagger UI would send it, and all examples together contradict each other.
            assert!(parameter["example"].is_null() && parameter["examples"].is_null(), "{}", parameter["name"]);
        }
        for (status, answer) in operation["responses"].as_object().unwrap() {
            let reference = answer["$ref"].as_str().map(|one| one.trim_start_matches('#'));
            let answer = reference.map_or(answer, |one| document.pointer(one).unwrap());
            assert!(answer["description"].is_string(), "{status}");
            for content in answer["content"].as_object().into_iter().flat_map(|all| all.values()) {
                assert!(!content["example"].is_null() || !content["examples"].is_null(), "{status}");
            }
        }
    })
    .await;
    let schemas = &document["components"]["schemas"];
    for name in ["GenerateParameters", "PassphraseParameters", "ValidateParameters"] {
        for (parameter, schema) in schemas[name]["properties"].as_object().unwrap() {
            assert!(schema["description"].is_string() && !schema["examples"][0].is_null(), "{name} {parameter}");
        }
    }
    let deployment = Deployment::start().await;
    let listed = deployment.send(Request::get("").path("/api/presets")).await.ok();
    let example = document["paths"]["/api/presets"]["get"]["responses"]["200"]["content"]["application/json"]
        .get("example")
        .unwrap();
    assert_eq!(example["presets"][0], listed["presets"][0]);
}

/// What generators of clients need: names for objects, formats of numbers, bounds of lists; and what keeps their clients
/// working when an answer gets a member or a value.
#[tokio::test]
async fn published_schemas_are_closed_in_requests_and_open_in_answers() {
    let document = document().await;
    let requests = ["GenerateParameters", "PassphraseParameters", "ValidateParameters", "PolicyDocument", "Charset"];
    let mut found = Vec::new();
    schemas(&document["components"]["schemas"], "", &mut found);
    check_all(found, async |(path, schema)| {
        let kinds = schema["type"].as_array().cloned().unwrap_or_else(|| vec![schema["type"].clone()]);
        let is_request = requests.contains(&path.split('/').nth(1).unwrap());
        let is_open = (schema.get("additionalProperties"), schema.get("enum")) == (None, None);
        if kinds.contains(&json!("object")) {
            assert_eq!(path.matches('/').count(), 1, "an object without a name");
            assert_eq!(schema["additionalProperties"] == false, is_request);
            assert!(schema["description"].is_string());
        }
        assert!(is_request || is_open);
        assert!(!is_request || schema.get("x-extensible-enum").is_none());
        assert_eq!(kinds.contains(&json!("integer")), ["int32", "int64"].iter().any(|one| schema["format"] == *one));
        assert_eq!(kinds.contains(&json!("array")), schema["maxItems"].is_u64());
        assert_eq!(path.ends_with("_at"), schema["format"] == "date-time");
    })
    .await;
    for schema in document["components"]["securitySchemes"].as_object().unwrap().values() {
        assert!(schema["description"].is_string());
    }
}

/// A collection of requests that is made of the document has all parameters with their examples. `passwordrules` cannot be
/// combined with the others.
#[tokio::test]
async fn published_examples_of_an_operation_make_one_request() {
    let document = document().await;
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    check_all(["/api/generate", "/api/policy", "/api/passphrase"], async |path| {
        let operation = &document["paths"][path]["get"];
        let pairs = query_parameters(&document, operation).filter(|one| one["name"] != "passwordrules").map(|one| {
            let example = &one["schema"]["examples"][0];
            let text = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
            format!(
                "{}={}",
                one["name"].as_str().unwrap(),
                text.replace('%', "%25").replace('#', "%23").replace('&', "%26")
            )
        });
        let query = pairs.collect::<Vec<_>>().join("&");
        deployment.send(Request::get(&query.replace('+', "%2B")).path(path).key(&key)).await.ok();
    })
    .await;
}

/// Every header that only some answers have is published for the operation and the status.
#[tokio::test]
async fn published_headers_are_those_of_answers() {
    let document = document().await;
    let deployment = Deployment::start().await;
    let (key, admin) = (deployment.ample_key().await, administrator(&deployment).await);
    let used_up = deployment.key(1, 1).await;
    deployment.generate(&used_up, "").await.ok();
    put(&deployment, &admin, "ci", &json!({})).await;
    let named = |method: &'static str| Request::post("{}").method(method).path("/api/policies/ci");
    let read = |path: &str| Request::get("").path(path).key(&key);
    let cases = [
        ("/api/generate", "get", Request::get("").key(&key)),
        ("/api/generate", "get", Request::get("policy=nothing").key(&key)),
        ("/api/generate", "get", Request::get("")),
        ("/api/generate", "get", Request::get("").key(&used_up)),
        ("/api/policies", "get", read("/api/policies")),
        ("/api/policies/{name}", "get", read("/api/policies/ci")),
        ("/api/policies/{name}", "get", read("/api/policies/ci").header("if-none-match", "\"1\"")),
        ("/api/policies/{name}", "get", read("/api/policies/none")),
        ("/api/policies/{name}", "put", named("PUT").key(&key)),
        ("/api/policies/{name}", "put", named("PUT").key(&admin)),
        ("/api/policies/{name}", "put", named("PUT").key(&admin).header("if-none-match", "*")),
        ("/openapi.json", "get", read("/openapi.json")),
    ];
    check_all(cases, async |(path, method, request)| {
        let answer = deployment.send(request).await;
        let published = &document["paths"][path][method]["responses"][answer.status.to_string()];
        let reference = published["$ref"].as_str().map(|one| one.trim_start_matches('#'));
        let published = reference.map_or(published, |one| document.pointer(one).unwrap());
        let some = ["etag", "ratelimit", "ratelimit-policy", "retry-after", "www-authenticate", "x-request-id"];
        let sent = some.into_iter().filter(|name| answer.headers.contains_key(*name));
        let published: BTreeSet<String> =
            members(&published["headers"]).into_iter().map(|name| name.to_lowercase()).collect();
        assert!(set(sent).is_subset(&published), "{}: {published:?}", answer.status);
    })
    .await;
}

/// The committed document is readable, the one that is sent is small.
#[tokio::test]
async fn document_is_sent_small_and_only_to_clients_without_it() {
    let deployment = Deployment::start().await;
    let get = |encoding: &str| Request::get("").path("/openapi.json").header("accept-encoding", encoding);
    let answer = deployment.send(get("identity")).await;
    let committed: Value = serde_json::from_str(include_str!("../../src/http/openapi.json")).unwrap();
    assert_eq!(answer.ok(), committed);
    assert_eq!(answer.body.len(), committed.to_string().len());
    assert_eq!((answer.header("cache-control"), answer.header("vary")), ("no-cache", "Accept-Encoding, Origin"));
    let etag = answer.header("etag");
    assert!(etag.starts_with("W/\""));

    let compressed = deployment.send(get("gzip")).await;
    assert_eq!((compressed.header("content-encoding"), compressed.header("etag")), ("gzip", etag));
    assert!(compressed.body.len() < 30_000, "{} characters of base64", compressed.body.len());

    let known = deployment.send(get("gzip").header("if-none-match", etag)).await;
    assert_eq!((known.status, known.body.as_str(), known.header("etag")), (304, "", etag));
    assert_eq!((known.header("content-type"), known.header("content-encoding")), ("", ""));
    let line = deployment.log.last();
    assert_eq!((&line["event"], &line["status"]), (&json!("contract.read"), &json!(304)));
    assert_eq!(deployment.database.calls(), 0);
}

/// A preflight request has the query of the request that follows it.
#[tokio::test]
async fn unknown_parameters_return_400_except_on_health_and_static_files() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let paths = ROUTES.map(|(path, _, allow)| (path.replace("{name}", "cis"), allow.starts_with("GET")));
    let pages = [("/".to_owned(), true), ("/docs".to_owned(), true)];
    check_all(paths.into_iter().chain(pages), async |(path, has_get)| {
        let method = if has_get { "GET" } else { "POST" };
        let answer = deployment.send(Request::get("nothing=1").method(method).path(&path).key(&key)).await;
        if ["/api/health", "/", "/docs"].contains(&path.as_str()) {
            assert_eq!(answer.status, 200);
        } else {
            answer.assert_problem(400);
        }
        assert_eq!(deployment.send(Request::get("nothing=1").method("OPTIONS").path(&path)).await.status, 204);
    })
    .await;
}

#[tokio::test]
async fn published_statuses_are_complete() {
    let document = document().await;
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        operations.extend(methods.as_object().unwrap().iter().map(|(method, operation)| (path, method, operation)));
    }
    check_all(operations, async |(path, method, operation)| {
        let mut expected = vec!["400", "405", "500"];
        expected.extend(match method.as_str() {
            "put" => ["200", "201", "409", "412"].iter(),
            "delete" => ["204", "404", "412"].iter(),
            _ if path.ends_with("{name}") => ["200", "304", "404"].iter(),
            _ if path == "/openapi.json" => ["200", "304"].iter(),
            _ => ["200"].iter(),
        });
        if operation["security"] != json!([]) {
            expected.extend(["401", "403", "429", "503"]);
        }
        if ["post", "put"].contains(&method.as_str()) {
            expected.extend(["413", "415"]);
        }
        assert_eq!(members(&operation["responses"]), set(expected));
    })
    .await;
}

#[tokio::test]
async fn documented_statuses_are_the_published_ones() {
    let document = document().await;
    let operations = document["paths"].as_object().unwrap().values().flat_map(|all| all.as_object().unwrap().values());
    let published = operations.flat_map(|operation| members(&operation["responses"]));
    // That of the assets is not published.
    let published = published.chain(["406".into()]).collect::<BTreeSet<String>>();
    let documented = documented_statuses().into_iter().map(|(status, _, _)| status.to_string());
    assert_eq!(documented.collect::<BTreeSet<_>>(), published);
}

#[test]
fn documented_problems_are_those_of_the_code() {
    let documented = documented_statuses().into_iter().filter(|(_, name, _)| !name.is_empty());
    let documented: BTreeSet<(u64, &str)> = documented.map(|(status, name, _)| (status, name)).collect();
    let known = Kind::ALL.map(|kind| (u64::from(kind.status().as_u16()), kind.name()));
    assert_eq!(documented, BTreeSet::from(known));
}

#[tokio::test]
async fn answers_with_4xx_are_counted_as_documented() {
    let deployment = Deployment::start().await;
    let (key, admin) = (deployment.ample_key().await, administrator(&deployment).await);
    let used_up = deployment.key(1, 1).await;
    deployment.generate(&used_up, "").await.ok();
    // Five of these policies have room.
    let large = json!({ "exclude": "a".repeat(12_000) });
    for number in 0..5 {
        assert_eq!(put(&deployment, &admin, &format!("p{number}"), &large).await.status, 201, "{number}");
    }
    let change = |body: &str, name: &str| Request::post(body).method("PUT").path(&format!("/api/policies/{name}"));
    let requests = [
        Request::get("lenght=20").key(&key),
        Request::get("policy=nothing").key(&key),
        Request::get("").header("x-forwarded-proto", "http").key(&key),
        Request::get(""),
        change("{}", "ci").key(&key),
        Request::get("").path("/api/nothing").key(&key),
        Request::get("").path("/api/policies/nothing").key(&key),
        Request::post("").path("/api/health"),
        change(&large.to_string(), "p5").key(&admin),
        change("{}", "ci").header("if-match", "*").key(&admin),
        Request::post("x".repeat(17_000)).key(&key),
        Request::post("{}").header("content-type", "text/plain").key(&key),
        Request::get("").key(&used_up),
    ];
    let mut observed = BTreeSet::new();
    let mut observe = |answer: &Answer, line: &Value| {
        let name = answer.json()["type"].as_str().unwrap().replace("urn:passloom:problem:", "");
        observed.insert((answer.status, name, if line["sequence"].is_u64() { "yes" } else { "no" }));
    };
    for request in requests {
        let answer = deployment.send(request).await;
        observe(&answer, &deployment.log.last());
    }
    let page = deployment.send(Request::get("").path("/")).await.body;
    let asset = page.split('"').find(|text| text.starts_with("assets/")).unwrap();
    let mut event: Value = serde_json::from_str(include_str!("../../events/load-balancer.json")).unwrap();
    event["path"] = json!(format!("/{asset}"));
    let answer = deployment.send_event(&event.to_string()).await;
    observe(&answer, &deployment.log.last());
    let other = Deployment::start().await;
    let expired = other.ample_key().await;
    other.database.change_key("expires_at = :end", &[(":end", AttributeValue::N(START.to_string()))]).await;
    let answer = other.generate(&expired, "").await;
    observe(&answer, &other.log.last());

    let documented = documented_statuses().into_iter().filter(|(status, _, _)| (400..500).contains(status));
    let documented = documented.map(|(status, name, counted)| (status, name.to_owned(), counted));
    assert_eq!(observed, documented.collect());
}

#[tokio::test]
async fn head_returns_the_headers_of_get_without_a_body() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let get = deployment.generate(&key, "").await;
    let head = deployment.send(Request::get("").method("HEAD").key(&key)).await;
    assert_eq!((head.status, head.body.as_str(), deployment.log.last()["sequence"].as_u64()), (200, "", Some(2)));
    assert_eq!(head.header("content-length"), get.body.len().to_string());
    let others = head.headers.keys().filter(|name| *name != "content-length");
    assert_eq!(others.collect::<Vec<_>>(), get.headers.keys().collect::<Vec<_>>());
    let refused = deployment.send(Request::get("lenght=1").method("HEAD").key(&key)).await;
    assert_eq!((refused.status, refused.body.as_str()), (400, ""));
    assert_eq!(deployment.send(Request::get("").method("HEAD").path("/api/health")).await.status, 200);
}

#[tokio::test]
async fn options_returns_allow_without_a_key_or_a_call() {
    let deployment = Deployment::start().await;
    check_all(ROUTES, async |(path, _, allow)| {
        let answer = deployment.send(Request::get("").method("OPTIONS").path(path)).await;
        assert_eq!((answer.status, answer.header("allow"), answer.body.as_str()), (204, allow, ""));
        assert_eq!(answer.header("content-type"), "");
        assert_eq!(deployment.log.last()["event"], "options.read");
    })
    .await;
    deployment.send(Request::get("").method("OPTIONS").path("/api/nothing")).await.assert_problem(404);
    assert_eq!(deployment.database.calls(), 0);
}

/// A preflight for POST, with the header of the API key.
fn preflight(origin: &str, path: &str) -> Request {
    let request = Request::get("").method("OPTIONS").path(path).header("origin", origin);
    request.header("access-control-request-method", "POST").header("access-control-request-headers", "x-api-key")
}

#[tokio::test]
async fn preflight_of_a_configured_origin_is_permitted() {
    let deployment = Deployment::start().await;
    let answer = deployment.send(preflight(ORIGIN, "/api/validate")).await;
    assert_eq!((answer.status, deployment.database.calls()), (204, 0));
    for (name, value) in [
        ("access-control-allow-origin", ORIGIN),
        ("access-control-allow-methods", "POST, OPTIONS"),
        ("access-control-allow-headers", "Accept, Authorization, Content-Type, If-Match, If-None-Match, X-Api-Key"),
        ("access-control-max-age", "7200"),
        ("vary", "Origin"),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
}

#[tokio::test]
async fn documented_cors_headers_are_those_of_the_code() {
    let deployment = Deployment::start().await;
    let answer = deployment.send(preflight(ORIGIN, "/api/generate")).await;
    let sent = ["access-control-allow-headers", "access-control-expose-headers"].map(|name| answer.header(name));
    let documented = documented("| Pages may | Headers |").into_iter().map(|cells| cells[1].replace('`', ""));
    assert_eq!(documented.collect::<Vec<_>>(), sent);
}

#[tokio::test]
async fn configured_origin_may_read_every_answer() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let cases = [
        (200, Request::get("").key(&key).header("origin", ORIGIN)),
        (400, Request::get("lenght=1").key(&key).header("origin", ORIGIN)),
        (401, Request::get("").header("origin", ORIGIN)),
    ];
    check_all(cases, async |(status, request)| {
        let answer = deployment.send(request).await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (status, ORIGIN));
        assert!(answer.header("access-control-expose-headers").contains("RateLimit, "));
        assert_eq!(answer.header("access-control-allow-credentials"), "");
    })
    .await;
}

#[tokio::test]
async fn other_origin_receives_no_cors_headers() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let origins =
        ["https://app.example.com.evil.example", "http://app.example.com", "null", "https://APP.example.com", "*"];
    check_all(origins, async |origin| {
        for request in [preflight(origin, "/api/generate"), Request::get("").key(&key).header("origin", origin)] {
            let answer = deployment.send(request).await;
            let cors: Vec<&String> = answer.headers.keys().filter(|name| name.starts_with("access-control")).collect();
            assert!(cors.is_empty() && answer.header("vary") == "Origin", "{cors:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn cors_headers_are_sent_only_if_an_origin_is_configured() {
    let database = Database::start().await;
    let default = Function::start(&database.table(), &[]).await;
    let configured = Function::start(&database.table(), &[("ALLOWED_ORIGINS", ORIGIN)]).await;
    let event = Request::get("").path("/api/health").header("origin", ORIGIN).event();
    let answer = default.send(&event).await.answer();
    assert!(answer.headers.keys().all(|name| !name.starts_with("access-control") && name != "vary"), "{answer:?}");
    assert_eq!(configured.send(&event).await.answer().header("access-control-allow-origin"), ORIGIN);
}
