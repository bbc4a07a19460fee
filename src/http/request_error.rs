//! Why a request is not valid, in the words that its caller reads.

use thiserror::Error;

use crate::access::MAX_DESCRIPTION;
use crate::invisible::Invisible;
use crate::password::{PRESETS, PassphraseError, PolicyError};

/// The largest body of this service's own API and of Vault's, in bytes.
pub(crate) const MAX_BODY: usize = 16 * 1024;
/// The most characters of all passwords of an answer together: with the JSON around them, the answer stays below the 1 MB
/// that a load balancer passes on.
pub(crate) const MAX_CHARACTERS: u32 = 131_072;

/// Why a request is not valid.
#[derive(Clone, Debug, Error, PartialEq)]
pub(crate) enum RequestError {
    #[error("{}", unknown(.name, .suggestion.as_deref()))]
    UnknownParameter { name: String, suggestion: Option<&'static str> },
    #[error("{0} is given more than once")]
    RepeatedParameter(&'static str),
    #[error("{0} must be true or false")]
    NotABoolean(&'static str),
    #[error("{parameter} must be a whole number from {min} to {max}")]
    NotInRange { parameter: &'static str, min: u16, max: u16 },
    #[error("{0} must be a string")]
    NotAString(&'static str),
    #[error("{0} must be sent in the JSON body of a POST")]
    OnlyInJson(&'static str),
    #[error("{0} must be a list of objects")]
    NotAListOfObjects(&'static str),
    #[error("{parameter} must be one of {names}")]
    NotAName { parameter: &'static str, names: String },
    #[error("{0} is missing")]
    Missing(&'static str),
    /// One of `charsets` is wrong. The position counts from 1.
    #[error("charsets, set {position}: {problem}")]
    Charset { position: usize, problem: &'static str },
    #[error(
        "{count} passwords of length {length} are {} characters, more than the {MAX_CHARACTERS} of an answer; decrease \
         count or length",
        u32::from(*count) * u32::from(*length)
    )]
    AnswerTooLong { count: u16, length: u16 },
    #[error(
        "The name of a policy has 1 to 128 letters, digits, ., _ and -, begins with a letter, a digit or _, and is not \
         that of a preset"
    )]
    PolicyName,
    #[error("description must have at most {MAX_DESCRIPTION} characters")]
    Description,
    #[error("{parameter} must not have {character} or another control, format or bidirectional character")]
    Invisible { parameter: &'static str, character: Invisible },
    #[error("Send If-Match with the tag of the policy, or If-None-Match: * for a new policy, and not both")]
    Precondition,
    #[error("The query must be UTF-8 in percent-encoding")]
    QueryEncoding,
    #[error("The body must be valid base64")]
    BodyEncoding,
    #[error("The body must be a JSON object")]
    BodyNotAnObject,
    #[error("A GET request must have no body; use the query, or send a POST")]
    BodyWithGet,
    #[error("A POST request must have no query; use the JSON body")]
    QueryWithPost,
    #[error("The body must have at most {MAX_BODY} bytes")]
    BodyTooLarge,
    #[error("The body must be application/json")]
    MediaType,
    /// It is not valid in AWS's API, in AWS's words: the name of the exception, and the message.
    #[error("{message}")]
    Aws { code: &'static str, message: String },
    /// It is not valid in Vault's API.
    #[error("{0}")]
    Vault(String),
    /// The parameters do not make a policy. One of them is wrong, unless it is their combination.
    #[error("{error}")]
    Policy { error: PolicyError, parameter: Option<&'static str> },
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
}

impl RequestError {
    /// An error in AWS's words.
    pub(crate) fn aws(code: &'static str, message: impl Into<String>) -> Self {
        Self::Aws { code, message: message.into() }
    }

    /// The error for the name of a policy that does not exist, where these stored policies do.
    pub(crate) fn unknown_policy<'n>(stored: impl IntoIterator<Item = &'n str>) -> Self {
        let names = PRESETS.iter().map(|preset| preset.name).chain(stored).collect::<Vec<_>>().join(", ");
        Self::NotAName { parameter: "policy", names }
    }

    /// The parameter that is wrong, if it is one.
    pub(crate) fn parameter(&self) -> Option<&str> {
        match self {
            Self::UnknownParameter { name, .. } => is_plain(name).then_some(name),
            Self::RepeatedParameter(name)
            | Self::NotABoolean(name)
            | Self::NotAString(name)
            | Self::OnlyInJson(name)
            | Self::NotAListOfObjects(name)
            | Self::Missing(name) => Some(name),
            Self::NotInRange { parameter, .. }
            | Self::NotAName { parameter, .. }
            | Self::Invisible { parameter, .. } => Some(parameter),
            Self::Charset { .. } => Some("charsets"),
            Self::AnswerTooLong { .. } => Some("count"),
            Self::Description => Some("description"),
            Self::Policy { parameter, .. } => *parameter,
            Self::Passphrase(error) => Some(error.parameter()),
            Self::PolicyName
            | Self::Precondition
            | Self::QueryEncoding
            | Self::BodyEncoding
            | Self::BodyNotAnObject
            | Self::BodyWithGet
            | Self::QueryWithPost
            | Self::BodyTooLarge
            | Self::MediaType
            | Self::Aws { .. }
            | Self::Vault(_) => None,
        }
    }
}

fn unknown(name: &str, suggestion: Option<&str>) -> String {
    let unknown = if is_plain(name) { format!("Unknown parameter \"{name}\"") } else { "Unknown parameter".to_owned() };
    suggestion.map_or_else(|| unknown.clone(), |known| format!("{unknown}; did you mean \"{known}\"?"))
}

/// Whether a text looks like the name of a parameter. Another may be anything, for example a secret in the wrong place.
fn is_plain(name: &str) -> bool {
    name.len() <= 32 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

impl From<PolicyError> for RequestError {
    fn from(error: PolicyError) -> Self {
        Self::Policy { parameter: error.parameters().first().copied(), error }
    }
}
