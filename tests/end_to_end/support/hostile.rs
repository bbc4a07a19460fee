//! Requests that are made to cost as much as possible, in all three APIs and for every reader of foreign text.
//!
//! The tests send them, and `make bench-hostile` measures them.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The largest body of this service's own API and of Vault's; queries and headers are as long.
const BODY: usize = 16 << 10;
/// The largest body of AWS's API.
const AWS_BODY: usize = 32 << 10;
/// The longest text of a policy in Vault's language.
const VAULT_POLICY: usize = 4 << 10;
/// The deepest nesting that the JSON reader accepts.
const DEPTH: usize = 127;

/// The beginning of a text, the part that is repeated until the text is long enough, and its end.
type Pattern = (&'static str, &'static str, &'static str);

/// Texts of Apple's rules: nested, unclosed, wrong at the end, or with many parts.
const RULES: [Pattern; 16] = [
    ("", "required: [a];", ""),
    ("", "required: [a];", "required: [a"),
    ("required: [", "a", ""),
    ("required: [", "é", "]"),
    ("required: [", "]", ""),
    ("required: ", "[", ""),
    ("required: ", "[a],", "[-"),
    ("required: ", "lower, ", "lowe"),
    ("allowed: ", "ascii-printable, ", "unicode;"),
    ("", "required:", ""),
    ("", "minlength: 8;", "minlength"),
    ("minlength: ", "1", ";"),
    ("max-consecutive: ", "9", ";"),
    ("", ";", "x"),
    ("", " ", "x"),
    ("", "a", ": 1"),
];

/// Texts of Vault's language, some of them valid, and of its JSON form.
const VAULT_POLICIES: [Pattern; 40] = [
    ("a = ", "1+(", "\""),
    ("a = ", "[", ""),
    ("a = ", "[", "]"),
    ("a = ", "{ b = ", ""),
    ("a = [", "1, ", ""),
    ("", "a { ", ""),
    ("", "a {} ", "{"),
    ("", "\"a\" ", "{"),
    ("", "rule \"charset\" { ", ""),
    ("length = 20 rule \"charset\" { charset = \"", "${", "\" }"),
    ("length = 20 rule \"charset\" { charset = \"", "${\"", ""),
    ("length = 20 rule \"charset\" { charset = \"", "${}", "\" }"),
    ("length = 20 rule \"charset\" { charset = \"", "$", "\" }"),
    ("length = 20 rule \"charset\" { charset = \"", "abc", "\" }"),
    ("length = 20 rule \"charset\" { charset = \"", "abc", ""),
    ("length = 20 rule \"charset\" { charset = \"", "\\\"", "\" }"),
    ("length = 20 rule \"charset\" { charset = \"", "\\u0041", "\" }"),
    ("length = 20 rule \"charset\" { charset = \"", "é", "\" }"),
    ("length = 20\n", "rule \"charset\" { charset = \"ab\" }\n", ""),
    ("", "length = 20\n", ""),
    ("length = ", "1", ""),
    ("length = 0x", "f", ""),
    ("length = 1e", "9", ""),
    ("length = ", "-", "1"),
    ("", "a", ""),
    ("", "a.", "a"),
    ("/*", "*", ""),
    ("", "/**/", "/*"),
    ("/*", "/*", "*/"),
    ("", "#\n", "length"),
    ("//", "/", ""),
    ("", "\n", "}"),
    ("a = <<", "E", ""),
    ("a = <<E\n", "E \n", ""),
    (r#"{"length":20,"rule":"#, "[", ""),
    (r#"{"length":20,"rule":["#, r#"{"charset":{"charset":"a"}},"#, "{}]}"),
    (r#"{"rule":"#, r#"{"charset":"#, ""),
    (r#"{"rule":{"charset":{"charset":""#, r"\u0041", r#""}}}"#),
    (r#"{"length":20,"rule":{"charset":{"charset":""#, "${", r#""}}}"#),
    ("{", r#""length":20,"#, r#""rule":[]}"#),
];

/// Queries.
const QUERIES: [Pattern; 9] = [
    ("", "length=16&", ""),
    ("", "&", "length"),
    ("", "=", ""),
    ("exclude=", "%21", ""),
    ("exclude=", "%C3%A9", "%"),
    ("exclude=", "+", "%2"),
    ("", "lenght", "=1"),
    ("length=", "1", ""),
    ("passwordrules=", "required:[a];", "required:[a"),
];

/// Headers, each with the values that it has in turn.
const HEADERS: [(&str, &[Pattern]); 6] = [
    ("accept", &[("", "text/plain;q=0.1,", ""), ("", ",", "text/plain"), ("text/plain", ";a", ";q="), ("", "a", "/")]),
    ("accept-encoding", &[("", "gzip;q=0,", "*"), ("gzip", ";", "q=1"), ("gzip;q=0.", "0", "")]),
    ("content-type", &[("application/json", ";", ""), ("", "a", "")]),
    ("if-match", &[("", "\"a\",", "\"a\""), ("", "\"a\",", ""), ("\"", ",", "\"")]),
    ("authorization", &[("AWS4-HMAC-SHA256 ", "Credential=", "/"), ("Basic ", " ", "a"), ("", "Bearer", "")]),
    ("x-forwarded-for", &[("", "192.0.2.7,", "192.0.2.7"), ("", " ", ""), ("", "f:", "")]),
];

/// A request as an event, without its key.
pub(crate) struct Hostile {
    /// The API, and what the request asks of it.
    pub(crate) route: &'static str,
    key_header: &'static str,
    event: Value,
}

impl Hostile {
    /// The event with a key.
    pub(crate) fn event(&self, key: &str) -> Value {
        let mut event = self.event.clone();
        event["headers"][self.key_header] = key.into();
        event
    }

    fn new(route: &'static str, method: &str, path: &str) -> Self {
        let key_header = match route.split_once(' ') {
            Some(("aws", _)) => "x-amz-security-token",
            Some(("vault", _)) => "x-vault-token",
            _ => "x-api-key",
        };
        let event = json!({
            "version": "2.0",
            "rawPath": path,
            "rawQueryString": "",
            "headers": { "content-type": "application/json", "x-forwarded-proto": "https" },
            "requestContext": { "http": { "method": method, "path": path, "sourceIp": "192.0.2.7" } },
            "body": null,
            "isBase64Encoded": false,
        });
        Self { route, key_header, event }
    }

    fn aws(body: impl Into<String>) -> Self {
        let request = Self::new("aws GetRandomPassword", "POST", "/");
        request.header("x-amz-target", "secretsmanager.GetRandomPassword").body(body)
    }

    fn body(mut self, body: impl Into<String>) -> Self {
        self.event["body"] = body.into().into();
        self
    }

    fn query(mut self, query: String) -> Self {
        self.event["rawQueryString"] = query.into();
        self
    }

    fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.event["headers"][name] = value.into().into();
        self
    }

    /// The same request with its body in base64.
    fn in_base64(mut self) -> Self {
        let body = STANDARD.encode(self.event["body"].as_str().unwrap_or_default());
        self.event["isBase64Encoded"] = true.into();
        self.body(body)
    }

    /// The same request with other members of the event, as a REST API or a load balancer sends it.
    fn through(mut self, context: Value, query: Value) -> Self {
        let http = self.event["requestContext"].take()["http"].take();
        self.event["httpMethod"] = http["method"].clone();
        self.event["path"] = http["path"].clone();
        self.event["requestContext"] = context;
        self.event["queryStringParameters"] = query;
        self
    }
}

impl fmt::Debug for Hostile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = ["rawQueryString", "headers", "body"].map(|part| self.event[part].to_string());
        write!(f, "{}: {:.200} {:.200} {:.200}", self.route, parts[0], parts[1], parts[2])
    }
}

/// All of them.
pub(crate) fn hostile_requests() -> Vec<Hostile> {
    let post = |(route, body): (&'static str, Value)| own(route).body(body.to_string());
    let validated = combine(&[sequential().into(), each("password", ["aB3$".repeat(16)])]);
    let generated = [policies_to_generate(), sequential(), long()].concat();
    let mut all: Vec<Hostile> = several().into_iter().map(post).collect();
    all.extend(generated.into_iter().map(|body| post(("own generate", body))));
    all.extend(long().into_iter().map(|body| post(("own policy", body))));
    all.extend([validated, passwords()].concat().into_iter().map(|body| post(("own validate", body))));
    all.extend(
        RULES.map(|rules| own("own generate").body(json!({ "passwordrules": fill(rules, 16_000) }).to_string())),
    );
    all.extend(vault_policies());
    all.extend(aws());
    // What the readers of JSON find in each place that has one.
    for (route, method, path, member) in [
        ("own generate", "POST", "/api/generate", "exclude"),
        ("own policy", "POST", "/api/policy", "passwordrules"),
        ("own passphrase", "POST", "/api/passphrase", "separator"),
        ("own validate", "POST", "/api/validate", "password"),
        ("own named policy", "PUT", "/api/policies/hostile", "description"),
        ("vault write", "PUT", "/v1/sys/policies/password/hostile", "policy"),
        ("vault generate", "POST", "/v1/sys/policies/password/hostile/generate", "policy"),
        ("vault random", "POST", "/v1/sys/tools/random", "format"),
    ] {
        all.extend(json_texts(member, BODY).into_iter().map(|body| Hostile::new(route, method, path).body(body)));
    }
    all.extend(queries());
    all.extend(headers());
    all.extend(events());
    all
}

/// A request of this service's own API. Its route ends with the path's last part, perhaps after a comma with a remark.
fn own(route: &'static str) -> Hostile {
    let operation = route.trim_start_matches("own ").split(',').next().unwrap_or_default();
    Hostile::new(route, "POST", &format!("/api/{operation}"))
}

/// A text of at most `length` bytes.
fn fill((begin, part, end): Pattern, length: usize) -> String {
    let times = length.saturating_sub(begin.len() + end.len()) / part.len();
    format!("{begin}{}{end}", part.repeat(times))
}

/// Objects with one member of this name, which has each of the values in turn.
fn each<T: Into<Value>>(name: &str, values: impl IntoIterator<Item = T>) -> Value {
    values.into_iter().map(|value| json!({ name: value.into() })).collect()
}

/// Every combination of an object of each list: an object with the members of all of them.
fn combine(lists: &[Value]) -> Vec<Value> {
    let objects = |list: &Value| list.as_array().cloned().unwrap_or_default();
    let join = |one: &Value, other: &Value| {
        let members = [one, other].into_iter().filter_map(Value::as_object).flatten();
        members.map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    lists.iter().fold(vec![json!({})], |all, list| {
        all.iter().flat_map(|one| objects(list).into_iter().map(move |other| join(one, &other))).collect()
    })
}

/// Character sets that overlap.
fn overlapping(sets: u8, characters: u8, step: u8) -> Vec<String> {
    let letter = |set, character| char::from(b'a' + (3 * set + step * character) % 26);
    (0..sets).map(|set| (0..characters).map(|character| letter(set, character)).collect()).collect()
}

/// Apple's rules that require a character of each set.
fn required(sets: &[String]) -> String {
    format!("required: [{}];", sets.join("];required: ["))
}

/// The same minimum for each class.
fn minima(min: u16) -> Value {
    json!({ "special": true, "min_lowercase": min, "min_uppercase": min, "min_digits": min, "min_special": min })
}

/// Policies that are expensive to count or to draw.
fn policies_to_generate() -> Vec<Value> {
    let sixteen = overlapping(16, 5, 7);
    let character = |number| char::from(b'!' + u8::try_from(number % 90).unwrap_or_default());
    let pair = |set| [character(set), character(7 * set)].into_iter().collect::<String>().replace(['-', ']'], "x");
    let rules = [
        required(&sixteen),
        required(&overlapping(16, 9, 5)),
        required(&overlapping(10, 6, 7)),
        "required: [ ]; required: lower; required: [ a]; allowed: special;".to_owned()
            + &required(&overlapping(8, 5, 7)),
    ];
    let limits = ["max-consecutive: 1", "max-sequential: 1; required: digit; required: lower"];
    let charsets = [[1, 2, 3], [1, 1, 1]].map(|minima| {
        let sets = sixteen.iter().zip(minima.into_iter().cycle());
        sets.map(|(set, min)| json!({ "characters": set, "min": min })).collect::<Value>()
    });
    let no_repeats = |length: u16| json!({ "length": length, "min_lowercase": (length / 4).min(10) });
    [
        combine(&[
            each("passwordrules", rules.clone()),
            each("length", [4, 16, 64, 256]),
            json!([{}, { "max_repeating": 1 }, { "start": "letter" }, { "max_repeating": 2, "start": "lowercase" }]),
        ]),
        combine(&[each("passwordrules", rules), each("min_entropy", [20, 300, 1500])]),
        combine(&[
            each("passwordrules", limits.map(|limit| required(&sixteen) + limit)),
            each("length", [64, 128, 256]),
        ]),
        combine(&[each("passwordrules", [required(&(0..900).map(pair).collect::<Vec<_>>())])]),
        combine(&[
            [8, 13, 16, 32, 60, 64].map(minima).into_iter().collect(),
            json!([{ "length": 256 }, { "min_entropy": 1500 }]),
            json!([
                {}, { "max_repeating": 1 }, { "start": "letter" }, { "max_repeating": 2, "start": "alphanumeric" },
                { "no_repeats": true },
            ]),
        ]),
        combine(&[
            each("special", [true]),
            each("min_classes", [1, 2, 3, 4]),
            each("min_digits", [0, 16, 100]),
            json!([
                { "length": 256 }, { "length": 256, "start": "alphanumeric" }, { "length": 256, "max_repeating": 2 },
                { "length": 256, "max_repeating": 1, "start": "digit" }, { "min_entropy": 1600 },
            ]),
        ]),
        combine(&[
            each("special", [true]),
            [20, 40, 62, 80].map(no_repeats).into_iter().collect(),
            each("max_sequential", [1, 2]),
            json!([{ "no_repeats": true, "min_digits": 4, "start": "alphanumeric" }]),
        ]),
        combine(&[
            each("charsets", charsets),
            each("length", [16, 64, 256, 4096]),
            json!([
                {}, { "max_sequential": 1 }, { "max_repeating": 1 }, { "no_repeats": true },
                { "max_repeating": 2, "max_sequential": 2 },
            ]),
        ]),
        combine(&[
            each("min_entropy", [1000, 2048]),
            json!([
                { "charsets": [{ "characters": "0" }] },
                { "charsets": [{ "characters": "01", "min": 100 }, { "characters": "ab", "min": 100 }] },
                { "charsets": [{ "characters": "abcdef" }], "max_sequential": 1 },
                { "special": true },
            ]),
        ]),
        vec![json!({ "exclude": "\u{1}".repeat(1_200), "symbols": "!".repeat(8_000) })],
    ]
    .concat()
}

/// Policies whose passwords have long sequences.
fn sequential() -> Vec<Value> {
    let lengths =
        [(32, 8), (48, 12), (61, 15), (64, 16), (96, 8), (128, 5), (128, 20), (200, 2), (256, 1), (256, 30), (290, 1)];
    let policies = lengths.map(|(length, min)| combine(&[json!([minima(min)]), each("length", [length])])).concat();
    combine(&[
        policies.into(),
        json!([
            { "max_sequential": 1 }, { "max_sequential": 2, "max_repeating": 1 }, { "max_sequential": 3, "start": "letter" },
        ]),
    ])
}

/// Long passwords, whose descriptions are long, too.
fn long() -> Vec<Value> {
    let of = |length: u16| {
        combine(&[
            json!([{ "special": true, "length": length }]),
            json!([
                {}, { "max_repeating": 2 }, { "max_sequential": 2 }, { "min_digits": 2 }, { "min_digits": length / 2 },
                { "start": "digit" }, { "exclude_similar": true, "min_classes": 2 },
            ]),
        ])
    };
    [64, 290, 1000, 4096].map(of).concat()
}

/// Requests for as many passwords or passphrases as possible.
fn several() -> Vec<(&'static str, Value)> {
    const PASSWORDS: &str = "own generate, up to 100 passwords";
    let binary = |bits| (PASSWORDS, json!({ "charsets": [{ "characters": "01" }], "count": 64, "min_entropy": bits }));
    vec![
        binary(1000),
        binary(2048),
        (PASSWORDS, json!({ "length": 256, "special": true, "count": 100 })),
        (PASSWORDS, json!({ "length": 256, "special": true, "max_repeating": 1, "count": 100 })),
        (PASSWORDS, json!({ "length": 128, "special": true, "min_special": 60, "count": 100 })),
        (PASSWORDS, json!({ "length": 62, "no_repeats": true, "count": 100 })),
        (PASSWORDS, json!({ "length": 256, "passwordrules": required(&overlapping(16, 5, 7)), "count": 100 })),
        (
            "own passphrase, up to 100 passphrases",
            json!({ "words": 20, "number": true, "capitalize": true, "separator": "12345678", "count": 100 }),
        ),
        ("own passphrase", json!({ "min_entropy": 2048 })),
    ]
}

/// Passwords that are expensive to check.
fn passwords() -> Vec<Value> {
    let passwords = [
        "abc def 4@8({[<3690!1|05$7+%2".to_owned(),
        "4@8({[<3690!1|05$7+%2".repeat(2),
        "4@8({[<369".repeat(4),
        "{[<(".repeat(10),
        "aA4@".repeat(4_000),
        "x".repeat(16_000),
        "é".repeat(5_000),
        ('Ā'..).take(5_000).collect(),
        "20112".repeat(160),
        "qwertyuiop".repeat(100),
    ];
    combine(&[
        each("password", passwords),
        json!([
            { "passwordrules": required(&overlapping(16, 9, 5)) },
            { "no_repeats": true, "exclude_similar": true, "special": true, "max_repeating": 1 },
        ]),
    ])
}

/// Bodies that are nested, unclosed, or have long or many parts. The text of one is the value of `member`.
fn json_texts(member: &str, length: usize) -> Vec<String> {
    let value = |begin: &str, part: &str, end: &str| {
        let (begin, end) = (format!("{{\"{member}\":{begin}"), format!("{end}}}"));
        let times = (length - begin.len() - end.len()) / part.len();
        format!("{begin}{}{end}", part.repeat(times))
    };
    let nested = |open: &str, inner: &str, close: &str| {
        format!("{{\"{member}\":{}{inner}{}}}", open.repeat(DEPTH - 1), close.repeat(DEPTH - 1))
    };
    let numbered: Vec<String> = (0..1_500).map(|number| format!("\"{number}\":{number}")).collect();
    let mut texts = vec![
        value("\"", "a", "\""),
        value("\"", "a", ""),
        value("\"", "\\u0041", "\""),
        value("\"", "\\ud83d\\ude00", "\""),
        value("\"", "\\ud83d", "\""),
        value("\"", "\\\\", "\\\""),
        value("", "1", ""),
        value("-0.", "1", "e-9"),
        value("1e", "9", ""),
        value("[", "0,", "0]"),
        value("[", "[],", "0]"),
        value("[", "{\"characters\":\"a\"},", "{}]"),
        value("{", "\"a\":0,", "\"a\":0}"),
        value("", " ", "null"),
        nested("[", "", "]"),
        nested("{\"a\":", "0", "}"),
        nested("[[0],", "\"", "]"),
        format!("{{{}}}", numbered.join(",")),
    ];
    texts.extend(
        [
            ("", "[", ""),
            ("", "{\"a\":", ""),
            ("", "[{\"a\":", ""),
            ("{\"", "a", "\":1}"),
            ("{\"", "\\u0061", "\":1}"),
            ("{", "\"length\":16,", "\"length\":16}"),
            ("{}", " ", ""),
            ("", "\u{0}", ""),
        ]
        .map(|pattern| fill(pattern, length)),
    );
    texts
}

/// Texts of policies, plain and in base64; a valid one is stored.
fn vault_policies() -> Vec<Hostile> {
    let texts = VAULT_POLICIES.map(|pattern| fill(pattern, VAULT_POLICY));
    let encoded = texts.each_ref().map(|text| STANDARD.encode(text));
    let write = |text| {
        let request = Hostile::new("vault write", "PUT", "/v1/sys/policies/password/hostile");
        request.body(json!({ "policy": text }).to_string())
    };
    let random = |body: Value| Hostile::new("vault random", "POST", "/v1/sys/tools/random").body(body.to_string());
    let mut all: Vec<Hostile> = texts.into_iter().chain(encoded).map(write).collect();
    all.push(Hostile::new("vault generate", "GET", "/v1/sys/policies/password/hostile/generate"));
    all.push(random(json!({ "bytes": 131_072, "format": "hex" })));
    for end in ["", "/generate"] {
        let path = fill(("/v1/sys/policies/password/", "a/", end), BODY);
        all.push(Hostile::new("vault generate", "GET", &path));
    }
    all
}

/// Requests of AWS's API: what may be excluded, with every length, and what its readers find in a body.
fn aws() -> Vec<Hostile> {
    let printable: String = (' '..='~').collect();
    let without_a = printable.replace('a', "");
    let mut all = Vec::new();
    for excluded in ["é", "a", "!\"#$%&'()*+,-./", &without_a, &printable, "\u{0}", "😀"] {
        let excluded: String = excluded.chars().cycle().take(4_096).collect();
        for length in [32, 4_096] {
            let body = json!({
                "PasswordLength": length, "ExcludeCharacters": excluded, "IncludeSpace": true,
                "RequireEachIncludedType": false,
            });
            all.push(Hostile::aws(body.to_string()));
        }
        // Each character as an escape has six bytes.
        let escaped: Vec<String> = excluded.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        all.push(Hostile::aws(format!("{{\"ExcludeCharacters\":\"{}\"}}", escaped.concat())));
    }
    for body in json_texts("ExcludeCharacters", AWS_BODY) {
        all.push(Hostile::aws(&body));
        all.push(Hostile::aws(body).in_base64());
    }
    all.push(Hostile::aws("{}").header("x-amz-target", "a".repeat(BODY)));
    all
}

fn queries() -> Vec<Hostile> {
    let routes = [
        ("own generate", "/api/generate"),
        ("own passphrase", "/api/passphrase"),
        ("own policy", "/api/policy"),
        ("vault list", "/v1/sys/policies/password"),
    ];
    let mut all = Vec::new();
    for (route, path) in routes {
        let get = || Hostile::new(route, "GET", path);
        for pattern in QUERIES {
            let query = fill(pattern, BODY);
            all.push(get().query(query.clone()));
            all.push(get().through(json!({ "elb": { "targetGroupArn": "" } }), json!({ query.clone(): query })));
        }
        let many: Value = (0..2_000).map(|number| (number.to_string(), Value::from("16"))).collect();
        all.push(get().through(json!({ "httpMethod": "GET" }), many));
    }
    all
}

fn headers() -> Vec<Hostile> {
    let mut all = Vec::new();
    for (name, values) in HEADERS {
        for value in values.iter().map(|&pattern| fill(pattern, BODY)) {
            let put = Hostile::new("own named policy", "PUT", "/api/policies/absent").body(r#"{"length":16}"#);
            all.extend(
                [
                    own("own generate").body("{}"),
                    Hostile::new("own page", "GET", "/docs"),
                    put.header("if-none-match", "*"),
                    Hostile::aws("{}"),
                    Hostile::new("vault list", "GET", "/v1/sys/policies/password"),
                    Hostile::new("own generate", "GET", "/api/generate").through(json!({ "elb": {} }), json!({})),
                ]
                .map(|request| request.header(name, value.clone())),
            );
        }
    }
    all
}

/// Events that their reader reads more than once, and bodies that are not what the event says.
fn events() -> Vec<Hostile> {
    let mut invalid = own("own generate").body("{}");
    for number in 0..500 {
        invalid = invalid.header(&format!("not a name {number}"), "a\nb");
    }
    let mut not_base64 = own("own generate").body("!".repeat(BODY));
    not_base64.event["isBase64Encoded"] = true.into();
    let mut nested = own("own generate").body("{}");
    nested.event["more"] = (0..DEPTH - 5).fold(json!([]), |inner, _| json!([inner]));
    vec![
        invalid,
        not_base64,
        nested,
        own("own generate").body("\u{0}".repeat(2 * BODY)),
        own("own generate").body("x".repeat(BODY + 1)),
        own("own generate").body("x".repeat(20 * BODY)),
        own("own generate").body("x".repeat(2 * BODY)).in_base64(),
        Hostile::aws("x".repeat(AWS_BODY + 1)),
    ]
}
