//! The only place where secrets leave as text.

use lambda_http::http::StatusCode;
use serde_json::Error;

use super::headers::{self, JSON, Response};
use super::negotiation::Format;
use crate::password::{Entropy, Secret};

/// Generated secrets, and how the caller requested them.
pub(crate) struct Generated {
    /// The passwords or passphrases.
    pub(crate) secrets: Vec<Secret>,
    /// How many were requested; `None` requests one that is not in a list.
    pub(crate) count: Option<u16>,
    /// The entropy of each.
    pub(crate) entropy: Entropy,
    /// The format that the caller prefers.
    pub(crate) format: Format,
}

/// The text of generated secrets, lent to the writer of a body.
pub(crate) enum Texts<'a> {
    One(&'a str),
    Several(Vec<&'a str>),
}

impl<'a> Texts<'a> {
    /// The member of a body that holds the secret, and the one that holds the list; one of them is `None`.
    pub(crate) fn members(&self) -> (Option<&'a str>, Option<&[&'a str]>) {
        match self {
            Self::One(text) => (Some(text), None),
            Self::Several(texts) => (None, Some(texts)),
        }
    }
}

impl Generated {
    /// The answer with the secrets: as plain text, or as the JSON that `write` makes of them.
    pub(crate) fn response(
        &self,
        request_id: &str,
        write: impl FnOnce(&Texts<'_>) -> Result<String, Error>,
    ) -> Result<Response, Error> {
        let texts = self.secrets.iter().map(Secret::expose);
        if self.format == Format::Text {
            let body: String = texts.flat_map(|text| [text, "\n"]).collect();
            return Ok(headers::new(StatusCode::OK, "text/plain; charset=utf-8", body, request_id));
        }
        let texts = match (self.count, self.secrets.as_slice()) {
            (None, [secret]) => Texts::One(secret.expose()),
            _ => Texts::Several(texts.collect()),
        };
        Ok(headers::new(StatusCode::OK, JSON, write(&texts)?, request_id))
    }
}

/// The text of a secret that the caller itself presented.
pub(crate) fn presented(secret: &Secret) -> &str {
    secret.expose()
}
