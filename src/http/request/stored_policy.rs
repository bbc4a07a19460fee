//! A policy that an administrator writes, and the same policy as it was stored.

use lambda_http::http::{HeaderMap, header};

use super::error::RequestError;
use super::parameters::{self, Json, ParameterName, Value};
use super::policy::{PolicyName, PolicyParameter, PolicyRequest, unknown_policy};
use crate::access::{Authenticated, MAX_DESCRIPTION};
use crate::http::lambda::HttpRequest;
use crate::invisible::{self, Invisible};
use crate::password::NamedPolicy;

/// A parameter of a policy that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoredPolicyParameter {
    /// What the policy is for.
    Description,
    /// A parameter of the policy.
    Policy(PolicyParameter),
}

impl ParameterName for StoredPolicyParameter {
    fn all() -> impl Iterator<Item = Self> + Clone {
        [Self::Description].into_iter().chain(PolicyParameter::ALL.into_iter().map(Self::Policy))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Description => "description",
            Self::Policy(parameter) => parameter.name(),
        }
    }
}

/// A policy that an administrator writes.
#[derive(Debug)]
pub struct PolicyDocument {
    /// What the parameters say. They have no contradiction that shows without counting.
    pub policy: PolicyRequest,
    /// The parameters as JSON, in the order of their names.
    pub parameters: String,
    /// What the policy is for.
    pub description: String,
}

impl PolicyDocument {
    /// Reads the body of a PUT.
    ///
    /// # Errors
    /// A [`RequestError`] that names what is wrong.
    pub fn read(request: &HttpRequest, caller: &Authenticated) -> Result<Self, RequestError> {
        Self::new(parameters::read(request, caller)?)
    }

    /// Reads a JSON object with the same members.
    ///
    /// # Errors
    /// A [`RequestError`] that names what is wrong.
    pub fn parse(json: &[u8]) -> Result<Self, RequestError> {
        Self::new(parameters::resolve(parameters::members(json)?)?)
    }

    /// The policy with its name.
    #[must_use]
    pub fn named(&self, name: &str) -> NamedPolicy {
        let preset = match self.policy.named {
            Some(PolicyName::Preset(preset)) => Some(preset),
            _ => None,
        };
        NamedPolicy {
            name: name.to_owned(),
            constraints: Some(self.policy.constraints.clone()),
            preset,
            has_exact_length: false,
            revision: None,
        }
    }

    fn new(parameters: Vec<(StoredPolicyParameter, Value)>) -> Result<Self, RequestError> {
        let mut policy = PolicyRequest::default();
        let mut description = String::new();
        let mut members = Vec::new();
        for (parameter, value) in parameters {
            match parameter {
                StoredPolicyParameter::Description => {
                    description = value.string(parameter.name())?;
                    if description.chars().count() > MAX_DESCRIPTION {
                        return Err(RequestError::Description);
                    }
                    if let Some(character) = invisible::find_in_line(&description) {
                        return Err(RequestError::Invisible { parameter: parameter.name(), character });
                    }
                }
                StoredPolicyParameter::Policy(name) => {
                    if let Value::Json(json) = &value {
                        if let Some(character) = find_invisible(json) {
                            return Err(RequestError::Invisible { parameter: parameter.name(), character });
                        }
                        members.push((parameter.name().to_owned(), json.clone()));
                    }
                    policy.set(name, value)?;
                }
            }
        }
        // A stored policy is not built on another one, so that a change of one changes no other.
        if let Some(PolicyName::Other(_)) = policy.named {
            return Err(unknown_policy([]));
        }
        policy.check_unless_stored(|named| policy.policy(named).map(drop))?;
        members.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        let parameters = serde_json::to_string(&Json::Object(members)).map_err(|_| RequestError::BodyNotAnObject)?;
        Ok(Self { policy, parameters, description })
    }
}

/// The first invisible character in the texts of a value, except line breaks and tabs.
fn find_invisible(value: &Json) -> Option<Invisible> {
    match value {
        Json::Text(text) => invisible::find_in_text(text),
        Json::List(items) => items.iter().find_map(find_invisible),
        Json::Object(members) => members.iter().find_map(|(_, value)| find_invisible(value)),
        Json::Boolean(_) | Json::Integer(_) | Json::Number(_) | Json::Null => None,
    }
}

/// What must hold for a policy to be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// Nothing.
    None,
    /// `If-Match`: it exists, with one of these tags; with any, if there are none.
    Match(Vec<String>),
    /// `If-None-Match: *`: it does not exist.
    Absent,
}

impl Precondition {
    /// Reads the headers of a request.
    ///
    /// # Errors
    /// [`RequestError::Precondition`] for anything that this service does not compare.
    pub fn read(headers: &HeaderMap) -> Result<Self, RequestError> {
        let values = |name| {
            let values = headers.get_all(name).iter().flat_map(|value| value.to_str().unwrap_or_default().split(','));
            #[cfg(test)]
            let values = values.inspect(|tag| crate::steps::count(tag.len() + 1));
            values.map(|tag| tag.trim().to_owned()).collect::<Vec<String>>()
        };
        let (tags, none) = (values(header::IF_MATCH), values(header::IF_NONE_MATCH));
        let is_tag = |tag: &String| tag.len() >= 2 && tag.starts_with('"') && tag.ends_with('"');
        match (tags.as_slice(), none.as_slice()) {
            ([], []) => Ok(Self::None),
            ([], [any]) if any == "*" => Ok(Self::Absent),
            ([any], []) if any == "*" => Ok(Self::Match(Vec::new())),
            (_, []) if tags.iter().all(is_tag) => Ok(Self::Match(tags)),
            _ => Err(RequestError::Precondition),
        }
    }

    /// Whether it holds for a policy with this tag, or for one that does not exist.
    #[must_use]
    pub fn holds(&self, tag: Option<&str>) -> bool {
        match (self, tag) {
            (Self::None, _) | (Self::Absent, None) => true,
            (Self::Match(tags), Some(tag)) => tags.is_empty() || tags.iter().any(|one| one == tag),
            (Self::Match(_), None) | (Self::Absent, Some(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use lambda_http::http::{HeaderMap, HeaderValue, header};

    use super::Precondition;
    use crate::steps::assert_linear;

    #[test]
    fn hostile_precondition_is_read_in_steps_proportional_to_its_length() {
        for (begin, part, end) in
            [("", "\"a\",", "\"a\""), ("", "\"a\",", "a"), ("\"", ",", "\""), ("\"", "a", "\""), ("", " ", "*")]
        {
            for name in [header::IF_MATCH, header::IF_NONE_MATCH] {
                let value = format!("{begin}{}{end}", part.repeat(10_000 / part.len()));
                let headers = HeaderMap::from_iter([(name, HeaderValue::from_str(&value).unwrap())]);
                assert_linear(&value, 1, || Precondition::read(&headers));
            }
        }
    }
}
