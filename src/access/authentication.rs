//! What a request presents to an authenticated caller, without I/O. The database proves the caller later, in the write
//! that counts.

use std::net::IpAddr;

use super::api_key::{ApiKey, KeyError, SigningSecrets};
use super::caller::Caller;
use super::limiter::window::Limits;

/// How callers are identified.
#[derive(Debug)]
pub enum Auth {
    /// By an API key, whose tag is made under these secrets.
    Key(SigningSecrets),
    /// By their address, with the limits of each address.
    Address(Limits),
}

/// Why a request has no caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialsError {
    /// It has no key.
    NoKey,
    /// It has several different keys.
    ConflictingKeys,
    /// Its key is not a key of this deployment.
    Key(KeyError),
    /// Callers are identified by address, and the address is not certain.
    AddressUnknown,
}

/// A caller whose key has this deployment's tag, or whose address is certain.
///
/// Only [`Auth::authenticate`] makes one. What an unknown caller must not cause is reachable only with it, such as the body of a
/// request.
#[derive(Debug)]
pub struct Authenticated(Caller);

impl Authenticated {
    /// The caller.
    #[must_use]
    pub const fn caller(&self) -> &Caller {
        &self.0
    }
}

impl Auth {
    /// The caller of a request that presents these keys and comes from this address, if that is certain.
    ///
    /// # Errors
    /// A [`CredentialsError`] if there is none.
    pub fn authenticate<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k str>,
        address: Option<IpAddr>,
    ) -> Result<Authenticated, CredentialsError> {
        match self {
            Self::Key(secrets) => {
                let mut keys = keys.into_iter();
                let key = keys.next().ok_or(CredentialsError::NoKey)?;
                if keys.any(|other| other != key) {
                    return Err(CredentialsError::ConflictingKeys);
                }
                let key = ApiKey::parse(key, secrets).map_err(CredentialsError::Key)?;
                Ok(Authenticated(Caller::Key(key, address)))
            }
            Self::Address(limits) => {
                let address = address.ok_or(CredentialsError::AddressUnknown)?;
                Ok(Authenticated(Caller::Address(address.into(), *limits)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    const SECRET: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    #[test]
    fn caller_has_one_key_of_this_deployment() {
        let auth = Auth::Key(SigningSecrets::parse(SECRET).unwrap());
        let generate = |secret: &str, seed| {
            let secrets = SigningSecrets::parse(secret).unwrap();
            ApiKey::generate(&mut StdRng::seed_from_u64(seed), &secrets).unwrap()
        };
        let ((key, text), (_, other)) = (generate(SECRET, 1), generate(SECRET, 2));
        let (_, forged) = generate(&SECRET.replace("00", "ff"), 3);
        let (text, other) = (text.as_str(), other.as_str());
        let cases: [(&[&str], Result<(), CredentialsError>); 6] = [
            (&[], Err(CredentialsError::NoKey)),
            (&[text], Ok(())),
            (&[text, text], Ok(())),
            (&[text, other], Err(CredentialsError::ConflictingKeys)),
            (&[""], Err(CredentialsError::Key(KeyError::Malformed))),
            (&[forged.as_str()], Err(CredentialsError::Key(KeyError::Forged))),
        ];
        for (keys, expected) in cases {
            let found = auth.authenticate(keys.iter().copied(), None);
            let id = found.as_ref().map(|found| found.caller().pk());
            assert_eq!(id, expected.as_ref().map(|()| key.id().to_string()), "{keys:?}");
        }
    }

    #[test]
    fn caller_of_a_deployment_without_keys_is_a_certain_address() {
        let limits = Limits { per_minute: 1.try_into().unwrap(), per_day: 1.try_into().unwrap() };
        let auth = Auth::Address(limits);
        let found = auth.authenticate(["a", "b"], Some([192, 0, 2, 1].into())).unwrap();
        assert_eq!(found.caller().pk(), "ip:192.0.2.1");
        assert_eq!(auth.authenticate([], None).unwrap_err(), CredentialsError::AddressUnknown);
    }
}
