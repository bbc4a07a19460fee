//! The answer of passphrase.

use serde::Serialize;
use serde_json::Error;

use super::headers::Response;
use super::secrets::Generated;
use crate::password::Passphrase;

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    passphrase: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    passphrases: Option<&'a [&'a str]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u16>,
    words: u16,
    entropy_bits: f64,
    policy: PassphraseParameters<'a>,
}

/// The parameters of passphrases: sent back in a request, they make the same passphrases.
#[derive(Serialize)]
struct PassphraseParameters<'a> {
    words: u16,
    wordlist: &'static str,
    separator: &'a str,
    capitalize: bool,
    number: bool,
}

/// The answer with passphrases.
///
/// # Errors
/// The error of the JSON writer.
pub fn passphrases(generated: &Generated<'_>, passphrase: &Passphrase, request_id: &str) -> Result<Response, Error> {
    let Passphrase { words, wordlist, separator, capitalize, number, .. } = passphrase;
    generated.response(request_id, |texts| {
        let (passphrase, passphrases) = texts.members();
        serde_json::to_string(&Body {
            passphrase,
            passphrases,
            count: generated.count,
            words: *words,
            entropy_bits: generated.entropy.rounded_down(),
            policy: PassphraseParameters {
                words: *words,
                wordlist: wordlist.name(),
                separator,
                capitalize: *capitalize,
                number: *number,
            },
        })
    })
}
