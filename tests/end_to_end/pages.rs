//! The pages for browsers, as the front ends receive them. `tests/browser` tests them in a browser.

use std::collections::BTreeSet;
use std::io::Read;

use flate2::read::GzDecoder;
use serde_json::{Value, json};

use crate::support::{Answer, Database, Deployment, Function, ORIGIN, Request, check_all};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Largest size of the generator, its assets and the start of the reference together, in bytes.
const MAX_SIZE: usize = 60 * 1024;

/// The files of Swagger UI.
const SWAGGER_UI: [&str; 2] = ["swagger-ui-bundle.js", "swagger-ui.css"];

fn get(path: &str) -> Request {
    Request::get("").path(path)
}

/// The event of a request through each front end, without a key.
fn events(path: &str, accept_encoding: &str) -> [(&'static str, Value); 4] {
    ["http-api.json", "function-url.json", "rest-api.json", "load-balancer.json"].map(|name| {
        let file = format!("{}/events/{name}", env!("CARGO_MANIFEST_DIR"));
        let mut event: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        for member in ["path", "rawPath"] {
            if event.get(member).is_some() {
                event[member] = json!(path);
            }
        }
        for (member, value) in [("headers", json!(accept_encoding)), ("multiValueHeaders", json!([accept_encoding]))] {
            if let Some(headers) = event[member].as_object_mut() {
                headers.retain(|name, _| !["accept-encoding", "x-api-key"].contains(&name.to_lowercase().as_str()));
                headers.insert("accept-encoding".into(), value);
            }
        }
        (name, event)
    })
}

/// The content of an answer's body, and whether it is in gzip.
fn content(reply: &Value) -> (String, bool) {
    let body = reply["body"].as_str().unwrap();
    if reply["isBase64Encoded"] == false {
        return (body.to_owned(), false);
    }
    let mut text = String::new();
    let bytes = aws_smithy_types::base64::decode(body).unwrap();
    GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap();
    (text, true)
}

/// The texts between two texts.
fn between<'a>(text: &'a str, begin: &str, end: &str) -> Vec<&'a str> {
    text.split(begin).skip(1).filter_map(|rest| rest.split(end).next()).collect()
}

/// The path of each asset that the pages and their modules refer to.
async fn all_assets(deployment: &Deployment) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for page in ["/", "/docs"] {
        let html = deployment.send(get(page)).await.body;
        let targets = ["href=\"", "src=\""].into_iter().flat_map(|attribute| between(&html, attribute, "\""));
        found.extend(targets.filter(|target| target.starts_with("assets/")).map(|target| format!("/{target}")));
    }
    let mut unread: Vec<String> = found.iter().cloned().collect();
    while let Some(path) = unread.pop() {
        let (folder, name) = path.rsplit_once('/').unwrap();
        if SWAGGER_UI.contains(&name) {
            continue;
        }
        let code = deployment.send(get(&path)).await.body;
        for name in between(&code, "from \"./", "\"") {
            let module = format!("{folder}/{name}");
            if found.insert(module.clone()) {
                unread.push(module);
            }
        }
    }
    assert!(found.len() >= 10, "{found:?}");
    found
}

#[tokio::test]
async fn page_returns_headers_without_a_key_or_a_call() {
    let deployment = Deployment::start().await;
    let cases = [("/", format!("{POLICY}; require-trusted-types-for 'script'")), ("/docs", POLICY.to_owned())];
    check_all(cases, async |(path, policy)| {
        let answer = deployment.send(get(path)).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, "text/html; charset=utf-8"));
        assert_eq!(answer.header("content-security-policy"), policy);
        assert_eq!(answer.header("cache-control"), "no-cache");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin");
        assert!(answer.header("permissions-policy").contains("clipboard-write=(self)"));
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("vary"), "Accept-Encoding, Origin");
        let line = deployment.log.last();
        assert_eq!(
            (&line["event"], &line["operation"], &line["level"]),
            (&json!("page.read"), &json!("page"), &json!("INFO"))
        );
    })
    .await;
    assert_eq!(deployment.database.calls(), 0);
}

#[tokio::test]
async fn each_asset_is_cached_for_a_year_under_a_name_with_its_hash() {
    let deployment = Deployment::start().await;
    let assets = all_assets(&deployment).await;
    let folders: BTreeSet<&str> = assets.iter().map(|path| path.rsplit_once('/').unwrap().0).collect();
    assert_eq!(folders.len(), 1, "{folders:?}");
    check_all(assets, async |path| {
        let answer = deployment.send(get(&path)).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(answer.header("content-security-policy"), POLICY);
        let extension = path.rsplit_once('.').unwrap().1;
        let media_type = match extension {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            _ => "image/svg+xml",
        };
        assert_eq!(answer.header("content-type"), media_type);
        assert_eq!(deployment.log.last()["event"], "page.read");
    })
    .await;
    deployment.send(get("/assets/0000000000000000/app.js")).await.assert_problem(404);
    deployment.send(get("/assets/")).await.assert_problem(404);
    assert_eq!(deployment.database.calls(), 0);
}

#[tokio::test]
async fn unchanged_page_returns_304_without_a_body() {
    let deployment = Deployment::start().await;
    let etag = deployment.send(get("/")).await.header("etag").to_owned();
    assert!(etag.starts_with("W/\""));
    let cases = [
        (etag.clone(), 304),
        (etag.trim_start_matches("W/").to_owned(), 304),
        (format!("\"other\", {etag}"), 304),
        ("*".to_owned(), 304),
        ("\"other\"".to_owned(), 200),
        (String::new(), 200),
    ];
    check_all(cases, async |(known, status)| {
        let request = get("/").header("if-none-match", &known).header("accept-encoding", "gzip");
        let answer = deployment.send(request).await;
        assert_eq!((answer.status, answer.body.is_empty()), (status, status == 304));
        assert_eq!(answer.header("etag"), etag);
        assert_eq!(answer.header("content-encoding"), if status == 304 { "" } else { "gzip" });
    })
    .await;
    assert_ne!(deployment.send(get("/docs")).await.header("etag"), etag);
}

#[tokio::test]
async fn each_front_end_receives_gzip_only_if_it_passes_bytes_on() {
    let deployment = Deployment::start().await;
    let assets = all_assets(&deployment).await;
    let paths = assets.into_iter().chain(["/".to_owned(), "/docs".to_owned()]);
    check_all(paths, async |path| {
        let plain = deployment.send(get(&path)).await.body;
        for accept in ["gzip, deflate, br", "identity"] {
            for (front_end, event) in events(&path, accept) {
                let reply = serde_json::to_value(deployment.app.handle(&event.to_string(), "id").await).unwrap();
                let answer = Answer::of(&reply);
                let accepts = accept != "identity";
                if front_end == "load-balancer.json" && !accepts && path.starts_with("/assets/") {
                    let problem = answer.assert_problem(406);
                    assert_eq!(problem["type"], "urn:passloom:problem:not-acceptable");
                    assert_eq!(deployment.log.last()["reason"], "not-acceptable");
                    continue;
                }
                assert_eq!(answer.status, 200, "{front_end}");
                let (text, in_gzip) = content(&reply);
                assert!(text == plain, "{front_end}: another content");
                assert_eq!(in_gzip, accepts && front_end != "rest-api.json", "{front_end}");
                assert_eq!(answer.header("content-encoding"), if in_gzip { "gzip" } else { "" }, "{front_end}");
                // A load balancer passes at most 1 MB on, and base64 counts.
                assert!(front_end != "load-balancer.json" || reply.to_string().len() < 1_000_000);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn head_of_a_page_returns_headers_without_a_body() {
    let deployment = Deployment::start().await;
    check_all(["/", "/docs"], async |path| {
        let get_answer = deployment.send(get(path).header("accept-encoding", "gzip")).await;
        let head = deployment.send(get(path).method("HEAD").header("accept-encoding", "gzip")).await;
        assert_eq!((head.status, head.body.as_str()), (200, ""));
        let length = aws_smithy_types::base64::decode(&get_answer.body).unwrap().len();
        let mut expected = get_answer.headers;
        expected.insert("content-length".into(), length.to_string());
        assert_eq!(head.headers, expected);
    })
    .await;
}

#[tokio::test]
async fn other_methods_of_a_page_return_405_and_options_204() {
    let deployment = Deployment::start().await;
    let asset = all_assets(&deployment).await.pop_first().unwrap();
    check_all(["/", "/docs", asset.as_str()], async |path| {
        let answer = deployment.send(get(path).method("POST")).await;
        answer.assert_problem(405);
        assert_eq!(answer.header("allow"), "GET, HEAD, OPTIONS");
        let answer = deployment.send(get(path).method("OPTIONS").header("origin", ORIGIN)).await;
        assert_eq!((answer.status, answer.header("allow")), (204, "GET, HEAD, OPTIONS"));
    })
    .await;
}

#[tokio::test]
async fn pages_off_returns_404_and_leaves_the_api() {
    let database = Database::start().await;
    let on = Function::start(&database.table(), &[]).await;
    let off = Function::start(&database.table(), &[("PAGES", "off")]).await;
    let page = on.send(&get("/").event()).await.answer();
    assert_eq!(page.status, 200);
    let asset =
        format!("/{}", between(&page.body, "href=\"", "\"").into_iter().find(|one| one.contains("style")).unwrap());
    for path in ["/", "/docs", &asset] {
        assert_eq!(on.send(&get(path).event()).await.answer().status, 200, "{path}");
        off.send(&get(path).event()).await.answer().assert_problem(404);
    }
    for path in ["/api/health", "/openapi.json", "/api/presets"] {
        assert_eq!(off.send(&get(path).event()).await.answer().status, 200, "{path}");
    }
}

/// The page learns from its own markup whether it must ask for a key, so that loading it costs no further request.
#[tokio::test]
async fn generator_says_whether_a_key_is_needed() {
    let with_key = Deployment::start().await.send(get("/")).await;
    let without_key = Deployment::builder().by_address(60, 1_000).start().await.send(get("/")).await;
    assert!(with_key.body.contains("data-auth=\"key\""));
    assert!(without_key.body.contains("data-auth=\"none\""));
    assert_ne!(with_key.header("etag"), without_key.header("etag"));
}

#[tokio::test]
async fn page_and_its_assets_have_at_most_60_kib() {
    let deployment = Deployment::start().await;
    let mut size = 0;
    for path in all_assets(&deployment).await.into_iter().chain(["/".to_owned(), "/docs".to_owned()]) {
        if !SWAGGER_UI.iter().any(|name| path.ends_with(name)) {
            size += deployment.send(get(&path)).await.body.len();
        }
    }
    assert!(size <= MAX_SIZE, "{size} bytes");
}

/// Nothing inline, no address of another service, and only relative ones, so that a stage in front of the path works.
#[tokio::test]
async fn pages_load_only_relative_files_and_have_nothing_inline() {
    let deployment = Deployment::start().await;
    check_all(["/", "/docs"], async |path| {
        let html = deployment.send(get(path)).await.body;
        for target in ["href=\"", "src=\""].into_iter().flat_map(|attribute| between(&html, attribute, "\"")) {
            assert!(!target.starts_with('/') && !target.contains(':'), "{target}");
        }
        let inline = ["<style", "style=\"", "onclick=", "onload=", "onsubmit="];
        assert!(!inline.iter().any(|one| html.contains(one)), "{html}");
        assert!(between(&html, "<script", "</script>").iter().all(|script| script.ends_with('>')), "{html}");
        assert!(!html.contains("{{"), "{html}");
    })
    .await;
}
