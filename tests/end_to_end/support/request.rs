//! A request as an event of an HTTP API, and the answer to it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::START;

/// A request to `/api/generate`, unless `path` changes it.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: &'static str,
    pub path: String,
    pub query: String,
    pub headers: BTreeMap<String, String>,
    pub body: Option<String>,
    pub source_ip: &'static str,
}

impl Request {
    pub fn get(query: &str) -> Self {
        Self {
            method: "GET",
            path: "/api/generate".into(),
            query: query.into(),
            headers: BTreeMap::from([
                ("host".into(), "passloom.example".into()),
                ("x-forwarded-proto".into(), "https".into()),
                ("user-agent".into(), "tests/1".into()),
            ]),
            body: None,
            source_ip: "192.0.2.7",
        }
    }

    pub fn post(body: impl Into<String>) -> Self {
        let mut request = Self::get("").header("content-type", "application/json");
        (request.method, request.body) = ("POST", Some(body.into()));
        request
    }

    pub fn key(self, key: &str) -> Self {
        self.header("x-api-key", key)
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    pub fn path(mut self, path: &str) -> Self {
        self.path = path.into();
        self
    }

    pub fn method(mut self, method: &'static str) -> Self {
        self.method = method;
        self
    }

    pub fn from(mut self, address: &'static str) -> Self {
        self.source_ip = address;
        self
    }

    pub fn event(&self) -> Value {
        json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": self.path,
            "rawQueryString": self.query,
            "headers": self.headers,
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "api-id",
                "domainName": "passloom.example",
                "domainPrefix": "passloom",
                "http": {
                    "method": self.method,
                    "path": self.path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": self.source_ip,
                    "userAgent": "tests/1"
                },
                "requestId": "gateway-id",
                "routeKey": "$default",
                "stage": "$default",
                "time": "01/Jan/2026:00:00:00 +0000",
                "timeEpoch": START * 1_000
            },
            "body": self.body,
            "isBase64Encoded": false
        })
    }
}

/// What the front end returns to the caller.
#[derive(Debug)]
pub struct Answer {
    pub status: u64,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Answer {
    /// Reads a reply in the form of any front end.
    pub fn of(reply: &Value) -> Self {
        let single = reply["headers"].as_object().into_iter().flatten();
        let several = reply["multiValueHeaders"].as_object().into_iter().flatten();
        let headers = several.chain(single).map(|(name, value)| {
            let value = value.as_array().and_then(|values| values.first()).unwrap_or(value);
            (name.to_ascii_lowercase(), value.as_str().unwrap().to_owned())
        });
        Self {
            status: reply["statusCode"].as_u64().unwrap(),
            headers: headers.collect(),
            body: reply["body"].as_str().unwrap_or_default().to_owned(),
        }
    }

    /// The value of a header, or an empty text if it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    /// The body of an answer with status 200.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.json()
    }

    /// The password of an answer with status 200.
    #[track_caller]
    pub fn password(&self) -> String {
        self.ok()["password"].as_str().unwrap().to_owned()
    }

    /// The passwords of an answer with status 200.
    #[track_caller]
    pub fn passwords(&self) -> Vec<String> {
        let body = self.ok();
        body["passwords"].as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
    }

    /// Checks that the answer is a problem with this status, in the form that every problem has.
    #[track_caller]
    pub fn assert_problem(&self, status: u64) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        let problem = self.json();
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(problem["status"], status);
        for member in ["type", "title", "detail", "error"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{member} in {problem}");
        }
        assert!(problem["instance"].as_str().is_some_and(|text| text.starts_with("urn:")), "{problem}");
        assert!(problem.get("password").is_none() && problem.get("passwords").is_none());
        problem
    }
}
