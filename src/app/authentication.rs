//! Headers to credentials to caller, without I/O. The database proves the caller later, in the write that counts.

use lambda_http::http::{HeaderMap, header};

use crate::access::{ApiKey, Caller, KeyError, SigningSecrets};
use crate::audit::Record;
use crate::http::HttpRequest;
use crate::http::dialects::{Dialect, aws, vault};
use crate::settings::Auth;

/// Why a request has no caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CredentialsError {
    /// It has no key.
    NoKey,
    /// It has several different keys.
    ConflictingKeys,
    /// Its key is not a key of this deployment.
    Key(KeyError),
    /// Callers are identified by address, and the address is not certain.
    AddressUnknown,
}

/// The caller of a request.
pub(super) fn authenticate(
    auth: &Auth,
    request: &HttpRequest,
    dialect: Dialect,
    record: &mut Record,
) -> Result<Caller, CredentialsError> {
    let address = request.source_ip.filter(|_| request.source_ip_is_certain);
    match auth {
        Auth::Key(secrets) => {
            let key = match dialect {
                Dialect::Passloom => presented_key(&request.headers, secrets)?,
                Dialect::Aws => parse_key(aws::key(&request.headers), secrets)?,
                Dialect::Vault => parse_key(vault::key(&request.headers), secrets)?,
            };
            record.key_id = Some(key.id().to_string());
            Ok(Caller::Key(key, address))
        }
        Auth::Address(limits) => Ok(Caller::Address(address.ok_or(CredentialsError::AddressUnknown)?.into(), *limits)),
    }
}

/// Whether a request presents a key, right or wrong.
pub(super) fn has_credentials(headers: &HeaderMap) -> bool {
    headers.contains_key("x-api-key") || headers.contains_key(header::AUTHORIZATION)
}

fn parse_key(text: Option<&str>, secrets: &SigningSecrets) -> Result<ApiKey, CredentialsError> {
    ApiKey::parse(text.ok_or(CredentialsError::NoKey)?, secrets).map_err(CredentialsError::Key)
}

/// The key in the headers, if it is a key of this deployment.
fn presented_key(headers: &HeaderMap, secrets: &SigningSecrets) -> Result<ApiKey, CredentialsError> {
    let plain = headers.get_all("x-api-key").iter().map(|value| value.to_str().unwrap_or_default());
    let bearer = headers.get_all(header::AUTHORIZATION).iter().filter_map(|value| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start())
    });
    let mut keys = plain.chain(bearer);
    let key = keys.next().ok_or(CredentialsError::NoKey)?;
    if keys.any(|other| other != key) {
        return Err(CredentialsError::ConflictingKeys);
    }
    ApiKey::parse(key, secrets).map_err(CredentialsError::Key)
}

#[cfg(test)]
mod tests {
    use lambda_http::http::{HeaderName, HeaderValue};
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    const SECRET: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    /// What is presented, the headers, and the result.
    type Case<'a> = (&'a str, Vec<(&'a str, String)>, Result<(), CredentialsError>);

    #[test]
    fn presented_key_is_read_from_either_header_and_must_be_unique() {
        let secrets = SigningSecrets::parse(SECRET).unwrap();
        let mut random = StdRng::seed_from_u64(1);
        let mut generate = || ApiKey::generate(&mut random, &secrets).unwrap();
        let ((key, text), (_, other)) = (generate(), generate());
        let (text, other) = (text.as_str(), other.as_str());
        let bearer = |token: &str| format!("Bearer {token}");
        let forged = {
            let secrets = SigningSecrets::parse(&SECRET.replace("00", "ff")).unwrap();
            ApiKey::generate(&mut StdRng::seed_from_u64(2), &secrets).unwrap().1
        };
        let cases: [Case<'_>; 11] = [
            ("no header", vec![], Err(CredentialsError::NoKey)),
            ("X-Api-Key", vec![("x-api-key", text.into())], Ok(())),
            ("bearer", vec![("authorization", bearer(text))], Ok(())),
            ("bearer in lower case, more spaces", vec![("authorization", format!("bearer   {text}"))], Ok(())),
            ("another scheme", vec![("authorization", format!("Basic {text}"))], Err(CredentialsError::NoKey)),
            ("no scheme", vec![("authorization", text.into())], Err(CredentialsError::NoKey)),
            ("the same key twice", vec![("x-api-key", text.into()), ("authorization", bearer(text))], Ok(())),
            (
                "two keys in both headers",
                vec![("x-api-key", text.into()), ("authorization", bearer(other))],
                Err(CredentialsError::ConflictingKeys),
            ),
            (
                "two keys in one header",
                vec![("x-api-key", text.into()), ("x-api-key", other.into())],
                Err(CredentialsError::ConflictingKeys),
            ),
            ("not ASCII", vec![("x-api-key", "é".into())], Err(CredentialsError::Key(KeyError::Malformed))),
            (
                "another deployment's key",
                vec![("x-api-key", forged.to_string())],
                Err(CredentialsError::Key(KeyError::Forged)),
            ),
        ];
        for (name, pairs, expected) in cases {
            let mut headers = HeaderMap::new();
            for (header, value) in pairs {
                headers.append(HeaderName::from_static(header), HeaderValue::from_bytes(value.as_bytes()).unwrap());
            }
            let found = presented_key(&headers, &secrets);
            assert_eq!(found.as_ref().map(ApiKey::id), expected.as_ref().map(|()| key.id()), "{name}");
        }
    }
}
