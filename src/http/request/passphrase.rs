//! A request for passphrases.

use super::error::RequestError;
use super::parameters::{self, MAX_COUNT, ParameterName};
use crate::access::Authenticated;
use crate::http::lambda::HttpRequest;
use crate::password::{Passphrase, PassphraseConstraints, Wordlist, limits};

named_enum! {
    /// A parameter of passphrase.
    pub enum PassphraseParameter {
        /// The number of words.
        Words = "words",
        /// The list of words.
        Wordlist = "wordlist",
        /// The text between two words.
        Separator = "separator",
        /// Whether each word begins with a capital letter.
        Capitalize = "capitalize",
        /// Whether a digit follows one of the words.
        Number = "number",
        /// The least entropy, in bits.
        MinEntropy = "min_entropy",
        /// The number of passphrases.
        Count = "count",
    }
}

impl ParameterName for PassphraseParameter {
    fn all() -> impl Iterator<Item = Self> + Clone {
        Self::ALL.into_iter()
    }

    fn name(self) -> &'static str {
        Self::name(self)
    }
}

/// A request for passphrases.
#[derive(Debug)]
pub struct PassphraseRequest {
    /// What the passphrases are like.
    pub passphrase: Passphrase,
    /// How many passphrases, 1 to 100; `None` requests one that is not in a list.
    pub count: Option<u16>,
}

impl PassphraseRequest {
    /// Reads the parameters of a GET or a POST.
    ///
    /// # Errors
    /// A [`RequestError`] that names what is wrong.
    pub fn read(request: &HttpRequest, caller: &Authenticated) -> Result<Self, RequestError> {
        let mut constraints = PassphraseConstraints::default();
        let mut count = None;
        for (parameter, value) in parameters::read::<PassphraseParameter>(request, caller)? {
            let name = parameter.name();
            match parameter {
                PassphraseParameter::Words => {
                    constraints.words = Some(value.integer(name, Passphrase::MIN_WORDS, Passphrase::MAX_WORDS)?);
                }
                PassphraseParameter::Wordlist => {
                    let lists = Wordlist::ALL.into_iter().map(|list| (list.name(), list));
                    constraints.wordlist = Some(value.one_of(name, lists)?);
                }
                PassphraseParameter::Separator => constraints.separator = Some(value.string(name)?),
                PassphraseParameter::Capitalize => constraints.capitalize = Some(value.boolean(name)?),
                PassphraseParameter::Number => constraints.number = Some(value.boolean(name)?),
                PassphraseParameter::MinEntropy => {
                    constraints.min_entropy = Some(value.integer(name, 1, limits::MAX_ENTROPY)?);
                }
                PassphraseParameter::Count => count = Some(value.integer(name, 1, MAX_COUNT)?),
            }
        }
        Ok(Self { passphrase: Passphrase::new(&constraints)?, count })
    }
}
