//! From a query string or a JSON body to a typed request. Unknown names, repeated names and values
//! that are not of their type are refused; nothing is clamped, coerced or ignored.

use std::fmt;

use lambda_http::http::{HeaderMap, Method, header};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value as Json;

use super::event::{Incoming, Query};
use crate::password::{Constraints, Policy, PolicyError, Start};

/// Largest body, in bytes.
const MAX_BODY: usize = 16 * 1024;
/// Most passwords in one answer.
const MAX_COUNT: u16 = 100;
/// A name that is this close to a parameter's (Damerau-Levenshtein) was probably meant to be it.
const NEAR_MISS: usize = 2;

/// The parameters of generate.
const PARAMETERS: [&str; 18] = [
    "length",
    "lowercase",
    "uppercase",
    "digits",
    "special",
    "min_lowercase",
    "min_uppercase",
    "min_digits",
    "min_special",
    "symbols",
    "exclude",
    "exclude_similar",
    "max_consecutive",
    "no_repeats",
    "start",
    "min_classes",
    "min_entropy",
    "count",
];

/// A request for passwords.
#[derive(Debug)]
pub struct Generate {
    /// What they must be like.
    pub policy: Policy,
    /// How many, 1 to 100; `None` asks for one, not in a list.
    pub count: Option<u16>,
}

/// Why a request is no good.
#[derive(Clone, Debug, PartialEq)]
pub enum RequestError {
    /// No parameter has that name.
    UnknownParameter {
        /// The name.
        name: String,
        /// The parameter whose name is nearly the same.
        meant: Option<&'static str>,
    },
    /// A parameter stands in the request twice.
    RepeatedParameter(&'static str),
    /// The value is not true or false.
    NotABoolean(&'static str),
    /// The value is not a whole number in the range.
    NotInRange {
        /// The parameter.
        parameter: &'static str,
        /// The smallest good value.
        least: u16,
        /// The largest.
        most: u16,
    },
    /// The value is not a string.
    NotAString(&'static str),
    /// The value names no kind of first character.
    NotAStart(&'static str),
    /// The query is not UTF-8 in percent-encoding.
    QueryEncoding,
    /// The body is said to be base64 and is not.
    BodyEncoding,
    /// The body is not a JSON object.
    BodyNotAnObject,
    /// A body came with a GET.
    BodyWithGet,
    /// A query came with a POST.
    QueryWithPost,
    /// The body is larger than 16 KiB.
    BodyTooLarge,
    /// The body is not said to be `application/json`.
    MediaType,
    /// Together the parameters make no policy.
    Policy(PolicyError),
}

impl From<PolicyError> for RequestError {
    fn from(error: PolicyError) -> Self {
        Self::Policy(error)
    }
}

impl Generate {
    /// Reads the parameters of a GET or a POST.
    ///
    /// # Errors
    /// A [`RequestError`] that names what is wrong.
    pub fn read(incoming: &Incoming) -> Result<Self, RequestError> {
        Self::of(parameters(incoming)?)
    }

    fn of(parameters: Vec<(String, Value)>) -> Result<Self, RequestError> {
        let mut asked = Constraints::default();
        let mut count = None;
        let mut seen = Vec::with_capacity(PARAMETERS.len());
        for (name, value) in parameters {
            let Some(&parameter) = PARAMETERS.iter().find(|known| **known == name) else {
                let meant = near_miss(&name);
                return Err(RequestError::UnknownParameter { name, meant });
            };
            if seen.contains(&parameter) {
                return Err(RequestError::RepeatedParameter(parameter));
            }
            seen.push(parameter);
            let [lowercase, uppercase, digits, special] = &mut asked.classes;
            let minimum = || value.integer(parameter, 0, Policy::MAX_LENGTH).map(Some);
            match parameter {
                "length" => asked.length = Some(value.integer(parameter, Policy::MIN_LENGTH, Policy::MAX_LENGTH)?),
                "lowercase" => lowercase.in_use = Some(value.boolean(parameter)?),
                "uppercase" => uppercase.in_use = Some(value.boolean(parameter)?),
                "digits" => digits.in_use = Some(value.boolean(parameter)?),
                "special" => special.in_use = Some(value.boolean(parameter)?),
                "min_lowercase" => lowercase.minimum = minimum()?,
                "min_uppercase" => uppercase.minimum = minimum()?,
                "min_digits" => digits.minimum = minimum()?,
                "min_special" => special.minimum = minimum()?,
                "symbols" => asked.symbols = Some(value.string(parameter)?),
                "exclude" => asked.exclude = Some(value.string(parameter)?),
                "exclude_similar" => asked.exclude_similar = Some(value.boolean(parameter)?),
                "max_consecutive" => asked.max_consecutive = Some(value.integer(parameter, 1, Policy::MAX_LENGTH)?),
                "no_repeats" => asked.no_repeats = Some(value.boolean(parameter)?),
                "start" => asked.start = Some(value.start(parameter)?),
                "min_classes" => asked.min_classes = Some(value.integer(parameter, 1, 4)?),
                "min_entropy" => asked.min_entropy = Some(value.integer(parameter, 1, Policy::MAX_ENTROPY)?),
                _ => count = Some(value.integer(parameter, 1, MAX_COUNT)?),
            }
        }
        Ok(Self { policy: Policy::new(&asked)?, count })
    }
}

fn near_miss(name: &str) -> Option<&'static str> {
    // Longer names are no slip of the finger, and comparing them would cost time.
    if name.len() > 32 {
        return None;
    }
    let name = name.to_ascii_lowercase().replace('-', "_");
    let distance = |known: &&'static str| strsim::damerau_levenshtein(known, &name);
    PARAMETERS.into_iter().min_by_key(distance).filter(|known| distance(known) <= NEAR_MISS)
}

/// A value as it came.
enum Value {
    /// The text behind a name in a query; `None` for a name alone.
    Query(Option<String>),
    /// A member of a JSON object.
    Json(Json),
}

impl Value {
    fn boolean(&self, parameter: &'static str) -> Result<bool, RequestError> {
        match self {
            // Two of the four front ends do not tell `?special` from `?special=`.
            Self::Query(text) => match text.as_deref().unwrap_or_default().to_ascii_lowercase().as_str() {
                "" | "true" | "1" | "yes" | "on" => Ok(true),
                "false" | "0" | "no" | "off" => Ok(false),
                _ => Err(RequestError::NotABoolean(parameter)),
            },
            Self::Json(Json::Bool(value)) => Ok(*value),
            Self::Json(_) => Err(RequestError::NotABoolean(parameter)),
        }
    }

    fn integer(&self, parameter: &'static str, least: u16, most: u16) -> Result<u16, RequestError> {
        let integer = match self {
            Self::Query(Some(text)) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
            Self::Json(Json::Number(number)) => number.as_u64().or_else(|| whole(number.as_f64()?)),
            Self::Query(_) | Self::Json(_) => None,
        };
        integer
            .and_then(|integer| u16::try_from(integer).ok())
            .filter(|integer| (least..=most).contains(integer))
            .ok_or(RequestError::NotInRange { parameter, least, most })
    }

    fn start(&self, parameter: &'static str) -> Result<Start, RequestError> {
        let name = self.string(parameter).map_err(|_| RequestError::NotAStart(parameter))?;
        Start::ALL.into_iter().find(|start| start.name() == name).ok_or(RequestError::NotAStart(parameter))
    }

    fn string(&self, parameter: &'static str) -> Result<String, RequestError> {
        match self {
            Self::Query(text) => Ok(text.clone().unwrap_or_default()),
            Self::Json(Json::String(text)) => Ok(text.clone()),
            Self::Json(_) => Err(RequestError::NotAString(parameter)),
        }
    }
}

/// JSON knows one kind of number: 16.0 is 16 (JSON Schema 2020-12, section 6.1.1 of Validation).
fn whole(number: f64) -> Option<u64> {
    (number.fract() == 0.0).then(|| format!("{number:.0}").parse().ok())?
}

fn parameters(incoming: &Incoming) -> Result<Vec<(String, Value)>, RequestError> {
    let query = match &incoming.query {
        Query::Encoded(text) => decode_query(text).ok_or(RequestError::QueryEncoding)?,
        Query::Decoded(pairs) => pairs.iter().map(|(name, value)| (name.clone(), Some(value.clone()))).collect(),
    };
    let body = incoming.body.as_deref().ok_or(RequestError::BodyEncoding)?;
    if incoming.method == Method::GET {
        if !body.is_empty() {
            return Err(RequestError::BodyWithGet);
        }
        return Ok(query.into_iter().map(|(name, value)| (name, Value::Query(value))).collect());
    }
    if body.len() > MAX_BODY {
        return Err(RequestError::BodyTooLarge);
    }
    if !query.is_empty() {
        return Err(RequestError::QueryWithPost);
    }
    if body.is_empty() {
        return Ok(Vec::new());
    }
    if !is_json(&incoming.headers) {
        return Err(RequestError::MediaType);
    }
    let Members(members) = serde_json::from_slice(body).map_err(|_| RequestError::BodyNotAnObject)?;
    Ok(members.into_iter().map(|(name, value)| (name, Value::Json(value))).collect())
}

fn is_json(headers: &HeaderMap) -> bool {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    media_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

/// Names and values of a query, `None` if some are not UTF-8 in percent-encoding.
///
/// Crates that do this put a replacement character where the text is wrong: an `exclude` that
/// excludes something else than what was sent.
fn decode_query(query: &str) -> Option<Vec<(String, Option<String>)>> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| match pair.split_once('=') {
            Some((name, value)) => Some((percent_decode(name)?, Some(percent_decode(value)?))),
            None => Some((percent_decode(pair)?, None)),
        })
        .collect()
}

fn percent_decode(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(decoded).ok()
}

/// The members of a JSON object in their order, repeated ones included: a map would keep the last.
struct Members(Vec<(String, Json)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}
