//! The body of each operation's answer.

use lambda_http::http::StatusCode;
use lambda_http::http::header::{self, HeaderValue};
use serde::Serialize;
use serde_json::Error;

use super::openapi::OPENAPI;
use super::response::{self, Format, Response};
use crate::password::{
    Assessment, Class, Count, Entropy, PRESETS, Phrase, Policy, Preset, Secret, Start, Strength, password_rules,
    regular_expression,
};

const JSON: &str = "application/json";

/// The function runs.
#[must_use]
pub fn health(request_id: &str) -> Response {
    let body = format!(r#"{{"status":"ok","version":"{}"}}"#, env!("CARGO_PKG_VERSION"));
    response::new(StatusCode::OK, JSON, body, request_id)
}

/// The contract.
#[must_use]
pub fn openapi(request_id: &str) -> Response {
    response::new(StatusCode::OK, JSON, OPENAPI.to_owned(), request_id)
}

/// Which methods a path has.
#[must_use]
pub fn options(allow: &'static str, request_id: &str) -> Response {
    let mut answer = response::new(StatusCode::NO_CONTENT, JSON, String::new(), request_id);
    answer.headers_mut().remove(header::CONTENT_TYPE);
    answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
    answer
}

/// A policy in the parameters that make it: sent back, they make the same policy.
#[derive(Serialize)]
#[serde(untagged)]
enum Normalised<'a> {
    ByClasses(ByClasses<'a>),
    ByRules(ByRules),
}

#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "they are the parameters")]
struct ByClasses<'a> {
    length: u16,
    lowercase: bool,
    uppercase: bool,
    digits: bool,
    special: bool,
    min_lowercase: u16,
    min_uppercase: u16,
    min_digits: u16,
    min_special: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    symbols: Option<&'a str>,
    exclude: String,
    exclude_similar: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_consecutive: Option<u16>,
    no_repeats: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_classes: Option<u16>,
}

#[derive(Serialize)]
struct ByRules {
    length: u16,
    passwordrules: String,
    exclude: String,
    exclude_similar: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_consecutive: Option<u16>,
    no_repeats: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<&'static str>,
}

/// The special characters of a policy, none where they are not in use.
fn symbols(policy: &Policy) -> Option<String> {
    policy.class(Class::Special).map(|one| one.characters.to_string())
}

fn normalised<'a>(policy: &Policy, symbols: Option<&'a str>) -> Normalised<'a> {
    let length = policy.length();
    let (exclude, exclude_similar) = (policy.exclude().to_string(), policy.exclude_similar());
    let (max_consecutive, no_repeats) = (policy.shape().max_consecutive, policy.shape().no_repeats);
    let start = policy.start().map(Start::name);
    if let Some(rules) = policy.rules() {
        let passwordrules = rules.to_string();
        return Normalised::ByRules(ByRules {
            length,
            passwordrules,
            exclude,
            exclude_similar,
            max_consecutive,
            no_repeats,
            start,
        });
    }
    let minimum = |class| policy.class(class).map_or(0, |one| one.minimum);
    let in_use = |class| policy.class(class).is_some();
    Normalised::ByClasses(ByClasses {
        length,
        lowercase: in_use(Class::Lowercase),
        uppercase: in_use(Class::Uppercase),
        digits: in_use(Class::Digits),
        special: in_use(Class::Special),
        min_lowercase: minimum(Class::Lowercase),
        min_uppercase: minimum(Class::Uppercase),
        min_digits: minimum(Class::Digits),
        min_special: minimum(Class::Special),
        symbols,
        exclude,
        exclude_similar,
        max_consecutive,
        no_repeats,
        start,
        min_classes: policy.min_classes(),
    })
}

/// What a policy amounts to.
#[derive(Serialize)]
struct Description<'a> {
    policy: Normalised<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u16>,
    combinations: String,
    entropy_bits: f64,
    regex: String,
    passwordrules: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    passwordrules_reason: Option<String>,
}

/// The answer to a request for what a policy amounts to.
///
/// # Errors
/// That of the JSON writer.
pub fn described(policy: &Policy, asked: Option<u16>, passwords: &Count, request_id: &str) -> Result<Response, Error> {
    let rules = password_rules(policy);
    let symbols = symbols(policy);
    let body = serde_json::to_string(&Description {
        policy: normalised(policy, symbols.as_deref()),
        count: asked,
        combinations: passwords.to_decimal(),
        entropy_bits: passwords.entropy().rounded_down(),
        regex: regular_expression(policy.shape()),
        passwordrules_reason: rules.as_ref().err().cloned(),
        passwordrules: rules.ok(),
    })?;
    Ok(response::new(StatusCode::OK, JSON, body, request_id))
}

/// What was drawn, and how it is asked for.
pub struct Drawn<'a> {
    /// The passwords or passphrases.
    pub secrets: &'a [Secret],
    /// How many were asked for; `None` asks for one, not in a list.
    pub count: Option<u16>,
    /// The entropy of each.
    pub entropy: Entropy,
    /// The form that the caller prefers.
    pub format: Format,
}

impl Drawn<'_> {
    /// The one place where passwords leave as text.
    fn answer(&self, names: [&str; 2], facts: &impl Serialize, request_id: &str) -> Result<Response, Error> {
        let texts = self.secrets.iter().map(Secret::expose);
        if self.format == Format::Text {
            let body = texts.flat_map(|text| [text, "\n"]).collect();
            return Ok(response::new(StatusCode::OK, "text/plain; charset=utf-8", body, request_id));
        }
        let drawn = match (self.count, self.secrets) {
            (None, [one]) => format!("\"{}\":{}", names[0], serde_json::to_string(one.expose())?),
            _ => format!("\"{}\":{}", names[1], serde_json::to_string(&texts.collect::<Vec<_>>())?),
        };
        let facts = serde_json::to_string(facts)?;
        // The passwords are no part of a struct that could be serialised elsewhere.
        let body = format!("{{{drawn},{}", facts.trim_start_matches('{'));
        Ok(response::new(StatusCode::OK, JSON, body, request_id))
    }
}

/// What an answer says beside the passwords.
#[derive(Serialize)]
struct PasswordFacts<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u16>,
    length: u16,
    entropy_bits: f64,
    policy: Normalised<'a>,
}

/// The answer to a request for passwords.
///
/// # Errors
/// That of the JSON writer.
pub fn passwords(drawn: &Drawn<'_>, policy: &Policy, request_id: &str) -> Result<Response, Error> {
    let symbols = symbols(policy);
    let facts = PasswordFacts {
        count: drawn.count,
        length: policy.length(),
        entropy_bits: drawn.entropy.rounded_down(),
        policy: normalised(policy, symbols.as_deref()),
    };
    drawn.answer(["password", "passwords"], &facts, request_id)
}

/// What an answer says beside the passphrases.
#[derive(Serialize)]
struct PhraseFacts<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u16>,
    words: u16,
    entropy_bits: f64,
    policy: NormalisedPhrase<'a>,
}

/// Sent back, it makes the same passphrases.
#[derive(Serialize)]
struct NormalisedPhrase<'a> {
    words: u16,
    wordlist: &'static str,
    separator: &'a str,
    capitalize: bool,
    number: bool,
}

/// The answer to a request for passphrases.
///
/// # Errors
/// That of the JSON writer.
pub fn passphrases(drawn: &Drawn<'_>, phrase: &Phrase, request_id: &str) -> Result<Response, Error> {
    let Phrase { words, wordlist, separator, capitalize, number } = phrase;
    let facts = PhraseFacts {
        count: drawn.count,
        words: *words,
        entropy_bits: drawn.entropy.rounded_down(),
        policy: NormalisedPhrase {
            words: *words,
            wordlist: wordlist.name(),
            separator,
            capitalize: *capitalize,
            number: *number,
        },
    };
    drawn.answer(["passphrase", "passphrases"], &facts, request_id)
}

#[derive(Serialize)]
struct Verdict<'a> {
    valid: bool,
    violations: Vec<BrokenConstraint<'a>>,
    entropy_bits: Option<f64>,
    strength: Estimate<'a>,
}

#[derive(Serialize)]
struct BrokenConstraint<'a> {
    constraint: &'static str,
    message: &'a str,
}

#[derive(Serialize)]
struct Estimate<'a> {
    score: u8,
    guesses: u64,
    feedback: Feedback<'a>,
}

#[derive(Serialize)]
struct Feedback<'a> {
    warning: Option<&'a str>,
    suggestions: &'a [String],
}

/// The answer to a request to look at a password. It says nothing of the password but what was asked.
///
/// # Errors
/// That of the JSON writer.
pub fn assessed(assessment: &Assessment, strength: &Strength, request_id: &str) -> Result<Response, Error> {
    let breaches = assessment.breaches.iter();
    let body = serde_json::to_string(&Verdict {
        valid: assessment.breaches.is_empty(),
        violations: breaches
            .map(|breach| BrokenConstraint { constraint: breach.constraint, message: &breach.message })
            .collect(),
        entropy_bits: assessment.entropy.map(Entropy::rounded_down),
        strength: Estimate {
            score: strength.score,
            guesses: strength.guesses,
            feedback: Feedback { warning: strength.warning.as_deref(), suggestions: &strength.suggestions },
        },
    })?;
    Ok(response::new(StatusCode::OK, JSON, body, request_id))
}

#[derive(Serialize)]
struct Listed<'a> {
    name: &'static str,
    summary: &'static str,
    source: Written,
    min_length: u16,
    max_length: u16,
    policy: Normalised<'a>,
}

#[derive(Serialize)]
struct Written {
    standard: &'static str,
    section: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<&'static str>,
    url: &'static str,
}

/// The presets, each with its source and, in the parameters of generate, what it makes by itself.
///
/// # Errors
/// That of the JSON writer.
pub fn policies(request_id: &str) -> Result<Response, Error> {
    let made: Vec<(&Preset, Policy, Option<String>)> = PRESETS
        .iter()
        .filter_map(|preset| {
            let policy = preset.policy().ok()?;
            let symbols = symbols(&policy);
            Some((preset, policy, symbols))
        })
        .collect();
    let listed: Vec<Listed<'_>> = made
        .iter()
        .map(|(preset, policy, symbols)| Listed {
            name: preset.name,
            summary: preset.summary,
            source: Written {
                standard: preset.source.standard,
                section: preset.source.section,
                date: preset.source.date,
                url: preset.source.url,
            },
            min_length: preset.lengths.0,
            max_length: preset.lengths.1,
            policy: normalised(policy, symbols.as_deref()),
        })
        .collect();
    let body = format!("{{\"policies\":{}}}", serde_json::to_string(&listed)?);
    Ok(response::new(StatusCode::OK, JSON, body, request_id))
}
