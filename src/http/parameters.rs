//! Names and values out of a query string or a JSON body. Nothing is clamped, coerced or ignored.

use std::fmt;

use lambda_http::http::{HeaderMap, Method, header};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value as Json;

use super::event::{Incoming, Query};
use super::request::RequestError;

/// Largest body, in bytes.
const MAX_BODY: usize = 16 * 1024;

/// A value as it came.
pub(super) enum Value {
    /// The text behind a name in a query; `None` for a name alone.
    Query(Option<String>),
    /// A member of a JSON object.
    Json(Json),
}

impl Value {
    pub(super) fn boolean(&self, parameter: &'static str) -> Result<bool, RequestError> {
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

    pub(super) fn integer(&self, parameter: &'static str, least: u16, most: u16) -> Result<u16, RequestError> {
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

    /// One of the things that have a name.
    pub(super) fn one_of<T: Copy>(
        self,
        parameter: &'static str,
        all: impl Iterator<Item = (&'static str, T)> + Clone,
    ) -> Result<T, RequestError> {
        let found = self.string(parameter).ok().and_then(|name| all.clone().find(|(known, _)| *known == name));
        found.map(|(_, one)| one).ok_or_else(|| {
            let names = all.map(|(name, _)| name).collect::<Vec<_>>().join(", ");
            RequestError::NotAName { parameter, names }
        })
    }

    /// The text itself, not a copy of it.
    pub(super) fn string(self, parameter: &'static str) -> Result<String, RequestError> {
        match self {
            Self::Query(text) => Ok(text.unwrap_or_default()),
            Self::Json(Json::String(text)) => Ok(text),
            Self::Json(_) => Err(RequestError::NotAString(parameter)),
        }
    }
}

/// JSON knows one kind of number: 16.0 is 16 (JSON Schema 2020-12, section 6.1.1 of Validation).
fn whole(number: f64) -> Option<u64> {
    (number.fract() == 0.0).then(|| format!("{number:.0}").parse().ok())?
}

/// The parameters of a request, in their order.
pub(super) fn parameters(incoming: &Incoming) -> Result<Vec<(String, Value)>, RequestError> {
    let query = match &incoming.query {
        Query::Encoded(text) => decode_query(text).ok_or(RequestError::QueryEncoding)?,
        Query::Decoded(pairs) => pairs.iter().map(|(name, value)| (name.clone(), Some(value.clone()))).collect(),
    };
    let body = incoming.body.as_deref().ok_or(RequestError::BodyEncoding)?;
    if incoming.method != Method::POST {
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
    let mut types =
        headers.get_all(header::CONTENT_TYPE).iter().map(|value| value.to_str().unwrap_or_default()).peekable();
    let is_json =
        |text: &str| text.split(';').next().is_some_and(|one| one.trim().eq_ignore_ascii_case("application/json"));
    types.peek().is_some() && types.all(is_json)
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
