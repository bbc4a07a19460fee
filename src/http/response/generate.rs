//! The answer of generate.

use serde::Serialize;
use serde_json::Error;

use super::headers::Response;
use super::policy::{ResolvedPolicy, Title};
use super::secrets::Generated;
use crate::password::{NamedPolicy, Policy};

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    passwords: Option<&'a [&'a str]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u16>,
    length: u16,
    entropy_bits: f64,
    policy: ResolvedPolicy,
    #[serde(flatten)]
    title: Option<Title<'a>>,
}

/// The answer with passwords of a policy.
///
/// # Errors
/// The error of the JSON writer.
pub fn passwords(
    generated: &Generated<'_>,
    policy: &Policy,
    named: Option<&NamedPolicy>,
    request_id: &str,
) -> Result<Response, Error> {
    generated.response(request_id, |texts| {
        let (password, passwords) = texts.members();
        serde_json::to_string(&Body {
            password,
            passwords,
            count: generated.count,
            length: policy.length(),
            entropy_bits: generated.entropy.rounded_down(),
            policy: policy.into(),
            title: named.map(Title::from),
        })
    })
}
