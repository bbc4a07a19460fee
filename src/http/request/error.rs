//! Why a request is not valid.

use crate::http::lambda::BodyError;
use crate::invisible::Invisible;
use crate::password::{PassphraseError, PolicyError};

/// Why a request is not valid.
#[derive(Clone, Debug, PartialEq)]
pub enum RequestError {
    /// No parameter has this name.
    UnknownParameter {
        /// The name.
        name: String,
        /// The parameter with the most similar name.
        suggestion: Option<&'static str>,
    },
    /// A stored policy cannot have this name.
    PolicyName,
    /// The description of a policy is too long.
    Description,
    /// A text that is stored has a character that is not visible.
    Invisible {
        /// The parameter.
        parameter: &'static str,
        /// The character.
        character: Invisible,
    },
    /// `If-Match` or `If-None-Match` has another form than this service compares.
    Precondition,
    /// The request has a parameter twice.
    RepeatedParameter(&'static str),
    /// The value is not true or false.
    NotABoolean(&'static str),
    /// The value is not a whole number in the range.
    NotInRange {
        /// The parameter.
        parameter: &'static str,
        /// The smallest valid value.
        min: u16,
        /// The largest valid value.
        max: u16,
    },
    /// The value is not a string.
    NotAString(&'static str),
    /// The value cannot be written in a query.
    OnlyInJson(&'static str),
    /// The value is not a list of objects.
    NotAListOfObjects(&'static str),
    /// One of `charsets` is wrong.
    Charset {
        /// Its position, counted from 1.
        position: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The passwords of an answer have too many characters together.
    AnswerTooLong {
        /// The number of passwords.
        count: u16,
        /// The characters of each.
        length: u16,
    },
    /// The value is not one of the valid names.
    NotAName {
        /// The parameter.
        parameter: &'static str,
        /// The valid names, separated by commas.
        names: String,
    },
    /// A required parameter is missing.
    Missing(&'static str),
    /// The query is not UTF-8 in percent-encoding.
    QueryEncoding,
    /// The body is declared as base64 and is not.
    BodyEncoding,
    /// The body is not a JSON object.
    BodyNotAnObject,
    /// A GET request has a body.
    BodyWithGet,
    /// A POST request has a query.
    QueryWithPost,
    /// The body is larger than 16 KiB.
    BodyTooLarge,
    /// The body is not declared as `application/json`.
    MediaType,
    /// It is not valid in AWS's API.
    Aws(AwsError),
    /// It is not valid in Vault's API, for this reason.
    Vault(String),
    /// The parameters do not make a policy.
    Policy {
        /// Why not.
        error: PolicyError,
        /// The parameter that is wrong, if it is one.
        parameter: Option<&'static str>,
    },
    /// The parameters do not make a passphrase.
    Passphrase(PassphraseError),
}

impl From<BodyError> for RequestError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::NotBase64 => Self::BodyEncoding,
            BodyError::TooLarge => Self::BodyTooLarge,
        }
    }
}

impl From<AwsError> for RequestError {
    fn from(error: AwsError) -> Self {
        Self::Aws(error)
    }
}

impl From<PolicyError> for RequestError {
    fn from(error: PolicyError) -> Self {
        Self::Policy { parameter: error.parameters().first().copied(), error }
    }
}

impl From<PassphraseError> for RequestError {
    fn from(error: PassphraseError) -> Self {
        Self::Passphrase(error)
    }
}

/// An error in AWS's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsError {
    /// The name of the exception.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
}

impl AwsError {
    /// An error with a name and a text.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// A value that is out of its range.
    #[must_use]
    pub fn constraint(value: &str, member: &str, constraint: &str) -> Self {
        Self::new(
            "ValidationException",
            format!(
                "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must \
                 have {constraint}"
            ),
        )
    }
}
