//! Reads names and values from a query string or a JSON body, and matches the names with an operation's parameters.

use std::fmt;

use lambda_http::http::{HeaderMap, Method, header};
use num_traits::ToPrimitive;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Serialize, Serializer};

use super::lambda::{HttpRequest, Query};
use super::request_error::{MAX_BODY, RequestError};
use crate::access::Authenticated;

/// Most passwords or passphrases in one answer.
pub const MAX_COUNT: u16 = 100;
/// The largest Damerau-Levenshtein distance at which an unknown name is taken for a misspelt parameter.
const MAX_DISTANCE: usize = 2;
/// The most names, or items of a list, that are read. It is more than any operation has parameters or any list has items,
/// so if a request has more, one of them is unknown, repeated or too many.
const MAX_NAMES: usize = 32;
/// Longer names are not compared: they are no misspelling, and the comparison takes time.
const MAX_COMPARED_NAME: usize = 32;

/// The parameters of an operation. An operation matches on them exhaustively.
pub trait ParameterName: Copy + PartialEq + 'static {
    /// Every parameter of the operation, in the order of the documentation.
    fn all() -> impl Iterator<Item = Self> + Clone;

    /// The name in queries, bodies and messages.
    fn name(self) -> &'static str;

    /// Other names that users of other generators bring along, each with the parameter that it means.
    #[must_use]
    fn aliases() -> &'static [(&'static str, Self)] {
        &[]
    }
}

/// A value as it was sent.
pub(crate) enum Value {
    /// The text after a name in a query; `None` for a name without `=`.
    Query(Option<String>),
    /// A member of a JSON object.
    Json(Json),
}

/// The value of a member of a JSON object.
#[derive(Clone, Serialize)]
#[serde(untagged)]
pub(crate) enum Json {
    /// True or false.
    Boolean(bool),
    /// A whole number that is not negative.
    Integer(u64),
    /// Any other number.
    Number(f64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Json>),
    /// The members in their order, including repeated ones. A map would keep only the last.
    #[serde(serialize_with = "as_object")]
    Object(Vec<(String, Json)>),
    /// Null.
    Null,
}

impl Value {
    /// True or false.
    pub(crate) fn boolean(&self, parameter: &'static str) -> Result<bool, RequestError> {
        match self {
            // What pydantic reads as a boolean, because clients of services with FastAPI send it.
            Self::Query(text) => match text.as_deref().unwrap_or_default().to_ascii_lowercase().as_str() {
                "true" | "t" | "yes" | "y" | "on" | "1" => Ok(true),
                "false" | "f" | "no" | "n" | "off" | "0" => Ok(false),
                _ => Err(RequestError::NotABoolean(parameter)),
            },
            Self::Json(Json::Boolean(value)) => Ok(*value),
            Self::Json(_) => Err(RequestError::NotABoolean(parameter)),
        }
    }

    /// A whole number in a range.
    pub(crate) fn integer(&self, parameter: &'static str, min: u16, max: u16) -> Result<u16, RequestError> {
        let integer = match self {
            Self::Query(Some(text)) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
            Self::Json(Json::Integer(number)) => Some(*number),
            Self::Json(Json::Number(number)) => whole(*number),
            Self::Query(_) | Self::Json(_) => None,
        };
        integer
            .and_then(|integer| u16::try_from(integer).ok())
            .filter(|integer| (min..=max).contains(integer))
            .ok_or(RequestError::NotInRange { parameter, min, max })
    }

    /// One of several named values.
    pub(crate) fn one_of<T: Copy>(
        self,
        parameter: &'static str,
        all: impl Iterator<Item = (&'static str, T)> + Clone,
    ) -> Result<T, RequestError> {
        let found = self.string(parameter).ok().and_then(|name| all.clone().find(|(known, _)| *known == name));
        found.map(|(_, value)| value).ok_or_else(|| {
            let names = all.map(|(name, _)| name).collect::<Vec<_>>().join(", ");
            RequestError::NotAName { parameter, names }
        })
    }

    /// Any whole number of a JSON body.
    pub(crate) fn whole_number(&self) -> Option<i64> {
        match self {
            Self::Json(Json::Integer(number)) => i64::try_from(*number).ok(),
            Self::Json(Json::Number(number)) if number.fract() == 0.0 => number.to_i64(),
            Self::Query(_) | Self::Json(_) => None,
        }
    }

    /// The text itself, not a copy of it.
    pub(crate) fn string(self, parameter: &'static str) -> Result<String, RequestError> {
        match self {
            Self::Query(text) => Ok(text.unwrap_or_default()),
            Self::Json(Json::Text(text)) => Ok(text),
            Self::Json(_) => Err(RequestError::NotAString(parameter)),
        }
    }

    /// A list of objects, each as its members.
    pub(crate) fn list_of_objects(self, parameter: &'static str) -> Result<Vec<Vec<(String, Self)>>, RequestError> {
        let Self::Json(value) = self else { return Err(RequestError::OnlyInJson(parameter)) };
        let Json::List(items) = value else { return Err(RequestError::NotAListOfObjects(parameter)) };
        let objects = items.into_iter().map(|item| match item {
            Json::Object(members) => Ok(members.into_iter().map(|(name, value)| (name, Self::Json(value))).collect()),
            _ => Err(RequestError::NotAListOfObjects(parameter)),
        });
        objects.collect()
    }
}

/// JSON has one kind of number: 16.0 is 16 (JSON Schema 2020-12, section 6.1.1 of Validation).
fn whole(number: f64) -> Option<u64> {
    (number.fract() == 0.0).then(|| number.to_u64())?
}

/// The parameters of a request in their order, each at most once.
pub(crate) fn read<P: ParameterName>(
    request: &HttpRequest,
    caller: &Authenticated,
) -> Result<Vec<(P, Value)>, RequestError> {
    resolve(names_and_values(request, caller)?)
}

/// The parameters with these names, each at most once.
pub(crate) fn resolve<P: ParameterName>(named: Vec<(String, Value)>) -> Result<Vec<(P, Value)>, RequestError> {
    let mut parameters: Vec<(P, Value)> = Vec::new();
    for (name, value) in named {
        let alias = || P::aliases().iter().find(|(alias, _)| *alias == name).map(|(_, parameter)| *parameter);
        let Some(parameter) = P::all().find(|one| one.name() == name).or_else(alias) else {
            let suggestion = similar_name(&name, P::all().map(P::name));
            return Err(RequestError::UnknownParameter { name, suggestion });
        };
        if parameters.iter().any(|(seen, _)| *seen == parameter) {
            return Err(RequestError::RepeatedParameter(parameter.name()));
        }
        parameters.push((parameter, value));
    }
    Ok(parameters)
}

/// Reads a request of an operation without parameters.
pub(crate) fn read_nothing(request: &HttpRequest, caller: &Authenticated) -> Result<(), RequestError> {
    read::<NoParameter>(request, caller).map(drop)
}

/// Reads a request of an operation that has no parameters and needs no caller, so that its body is not read.
pub(crate) fn read_no_query(request: &HttpRequest) -> Result<(), RequestError> {
    let query = query(request)?.into_iter().map(|(name, value)| (name, Value::Query(value)));
    resolve::<NoParameter>(query.collect()).map(drop)
}

/// The parameters of an operation that has none.
#[derive(Clone, Copy, PartialEq)]
enum NoParameter {}

impl ParameterName for NoParameter {
    fn all() -> impl Iterator<Item = Self> + Clone {
        std::iter::empty()
    }

    fn name(self) -> &'static str {
        match self {}
    }
}

fn similar_name(name: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    if name.len() > MAX_COMPARED_NAME {
        return None;
    }
    let name = name.to_ascii_lowercase().replace('-', "_");
    let distance = |known: &str| strsim::damerau_levenshtein(known, &name);
    known.min_by_key(|known| distance(known)).filter(|known| distance(known) <= MAX_DISTANCE)
}

/// Names and values of the query.
pub(crate) fn query(request: &HttpRequest) -> Result<Vec<(String, Option<String>)>, RequestError> {
    match &request.query {
        Query::Encoded(text) => decode_query(text).ok_or(RequestError::QueryEncoding),
        Query::Decoded(pairs) => {
            let pairs = pairs.iter().take(MAX_NAMES);
            Ok(pairs.map(|(name, value)| (name.clone(), Some(value.clone()))).collect())
        }
    }
}

fn names_and_values(request: &HttpRequest, caller: &Authenticated) -> Result<Vec<(String, Value)>, RequestError> {
    let query = query(request)?;
    let body = request.body(caller, MAX_BODY)?;
    if request.method != Method::POST && request.method != Method::PUT {
        if !body.is_empty() {
            return Err(RequestError::BodyWithGet);
        }
        return Ok(query.into_iter().map(|(name, value)| (name, Value::Query(value))).collect());
    }
    if !query.is_empty() {
        return Err(RequestError::QueryWithPost);
    }
    if body.is_empty() {
        return Ok(Vec::new());
    }
    if !is_json(&request.headers) {
        return Err(RequestError::MediaType);
    }
    members(&body)
}

/// The members of a JSON object.
pub(crate) fn members(json: &[u8]) -> Result<Vec<(String, Value)>, RequestError> {
    #[cfg(test)]
    crate::steps::count(json.len());
    let Ok(Json::Object(members)) = serde_json::from_slice(json) else { return Err(RequestError::BodyNotAnObject) };
    Ok(members.into_iter().map(|(name, value)| (name, Value::Json(value))).collect())
}

fn as_object<S: Serializer>(members: &[(String, Json)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(members.iter().map(|(name, value)| (name, value)))
}

fn is_json(headers: &HeaderMap) -> bool {
    let mut types =
        headers.get_all(header::CONTENT_TYPE).iter().map(|value| value.to_str().unwrap_or_default()).peekable();
    let is_json =
        |text: &str| text.split(';').next().is_some_and(|one| one.trim().eq_ignore_ascii_case("application/json"));
    types.peek().is_some() && types.all(is_json)
}

/// Names and values of a query; `None` if one of them is not UTF-8 in percent-encoding.
///
/// Crates that do this insert a replacement character for malformed text, so `exclude` would exclude other characters
/// than those that were sent.
fn decode_query(query: &str) -> Option<Vec<(String, Option<String>)>> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).take(MAX_NAMES);
    pairs
        .map(|pair| match pair.split_once('=') {
            Some((name, value)) => Some((percent_decode(name)?, Some(percent_decode(value)?))),
            None => Some((percent_decode(pair)?, None)),
        })
        .collect()
}

fn percent_decode(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let bytes = text.bytes();
    #[cfg(test)]
    let bytes = bytes.inspect(|_| crate::steps::count(1));
    let mut bytes = bytes;
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

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyValue;
        impl<'de> Visitor<'de> for AnyValue {
            type Value = Json;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
                Ok(Json::Boolean(value))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
                Ok(Json::Integer(value))
            }

            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Json, E> {
                // Only negative numbers arrive here.
                value.to_string().parse().map(Json::Number).map_err(E::custom)
            }

            fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
                Ok(Json::Number(value))
            }

            fn visit_str<E>(self, value: &str) -> Result<Json, E> {
                Ok(Json::Text(value.to_owned()))
            }

            fn visit_string<E>(self, value: String) -> Result<Json, E> {
                Ok(Json::Text(value))
            }

            fn visit_unit<E>(self) -> Result<Json, E> {
                Ok(Json::Null)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
                let mut items = Vec::new();
                while items.len() < MAX_NAMES
                    && let Some(item) = seq.next_element()?
                {
                    items.push(item);
                }
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Json::List(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
                let mut members = Vec::new();
                while members.len() < MAX_NAMES
                    && let Some(member) = map.next_entry()?
                {
                    members.push(member);
                }
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Json::Object(members))
            }
        }
        #[cfg(test)]
        crate::steps::count(1);
        deserializer.deserialize_any(AnyValue)
    }
}

#[cfg(test)]
mod tests {
    use super::{decode_query, members, percent_decode, similar_name, whole};
    use crate::steps::assert_linear;

    #[test]
    fn percent_decode_of_valid_text_is_its_utf8() {
        for (text, decoded) in
            [("", ""), ("a+b", "a b"), ("a%20b", "a b"), ("%26%3c%3E", "&<>"), ("%C3%A9", "é"), ("<>&=é", "<>&=é")]
        {
            assert_eq!(percent_decode(text).as_deref(), Some(decoded), "{text}");
        }
    }

    #[test]
    fn percent_decode_of_malformed_text_is_none() {
        for text in ["%", "%2", "%g0", "%0g", "a%", "%é0", "%FF", "%C3", "%C3%28"] {
            assert_eq!(percent_decode(text), None, "{text}");
        }
    }

    #[test]
    fn query_is_decoded_pair_by_pair() {
        let pairs = |query| {
            decode_query(query)
                .unwrap()
                .into_iter()
                .map(|(name, value)| format!("{name}:{}", value.unwrap_or("-".into())))
                .collect::<Vec<_>>()
        };
        assert_eq!(pairs("length=8&special&exclude="), ["length:8", "special:-", "exclude:"]);
        assert_eq!(pairs("&&a=1=2&"), ["a:1=2"]);
        assert_eq!(pairs("a%3D=b%26"), ["a=:b&"]);
        assert!(decode_query("a=%").is_none());
    }

    #[test]
    fn hostile_query_is_read_in_steps_proportional_to_its_length() {
        for (begin, part, end) in [
            ("", "a=1&", "a"),
            ("", "&", "a"),
            ("", "=", "&a"),
            ("a=", "%41", ""),
            ("a=", "%C3%A9", "%"),
            ("a=", "%ff", ""),
            ("a=", "+", "%4"),
            ("", "a", "=%zz"),
        ] {
            for length in [0, 100, 10_000] {
                let query = format!("{begin}{}{end}", part.repeat(length / part.len()));
                assert_linear(&query, 1, || decode_query(&query));
            }
        }
    }

    /// `serde_json` passes over a text once, and no value is built twice.
    #[test]
    fn hostile_body_is_read_in_steps_proportional_to_its_length() {
        for (begin, part, end) in [
            ("{\"a\":", "[", ""),
            ("{\"a\":", "[0,", ""),
            ("{\"a\":", "{\"a\":", "\""),
            ("{\"a\":[", "[],", "[\"]}"),
            ("{\"a\":[", "[[],[],[],[]],", "0]}"),
            ("{\"a\":[", "{\"a\":0,\"a\":0},", "0]"),
            ("{\"a\":\"", "\\u0041", "\"}"),
            ("{\"a\":\"", "\\ud83d", "\"}"),
            ("{\"a\":\"", "\\\"", ""),
            ("{\"a\":", "1", "}"),
            ("{\"a\":1e", "9", "}"),
            ("{", "\"a\":0,", "\"a\":0}"),
            ("{\"a\":0}", " ", "x"),
            ("{\"", "a", "\":0}"),
        ] {
            for length in [0, 100, 10_000] {
                let body = format!("{begin}{}{end}", part.repeat(length / part.len()));
                assert_linear(&body, 2, || members(body.as_bytes()));
            }
        }
    }

    #[test]
    fn similar_name_is_within_two_edits() {
        let known = || ["length", "min_digits", "count"].into_iter();
        for (name, suggestion) in [
            ("lenght", Some("length")),
            ("Length", Some("length")),
            ("min-digits", Some("min_digits")),
            ("cuont", Some("count")),
            ("len", None),
            ("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxlength", None),
        ] {
            assert_eq!(similar_name(name, known()), suggestion, "{name}");
        }
    }

    #[test]
    fn whole_accepts_integral_numbers_only() {
        for (number, integer) in [(16.0, Some(16)), (0.0, Some(0)), (16.5, None), (-1.0, None), (1e300, None)] {
            assert_eq!(whole(number), integer, "{number}");
        }
    }
}
