//! Generates passphrases.

use serde::Serialize;

use crate::admission::{Admitted, BoundKeyError, Failure, Operation, Performed};
use crate::audit::Event;
use crate::http::negotiation::Format;
use crate::http::parameters::{MAX_COUNT, ParameterName, Value};
use crate::http::request_error::RequestError;
use crate::http::secrets::{Generated, Texts};
use crate::password::{Count, Passphrase, PassphraseConstraints, Wordlist, limits};

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
pub(crate) struct PassphraseRequest {
    passphrase: Passphrase,
    /// How many passphrases, 1 to 100; `None` requests one that is not in a list.
    count: Option<u16>,
    format: Format,
}

impl PassphraseRequest {
    /// A request with these parameters.
    pub(crate) fn new(parameters: Vec<(PassphraseParameter, Value)>, format: Format) -> Result<Self, RequestError> {
        let mut constraints = PassphraseConstraints::default();
        let mut count = None;
        for (parameter, value) in parameters {
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
        Ok(Self { passphrase: Passphrase::new(&constraints)?, count, format })
    }
}

/// Passphrases, and what they are like.
pub(crate) struct Passphrases {
    pub(crate) generated: Generated,
    passphrase: Passphrase,
}

/// Generates passphrases.
pub(crate) struct GeneratePassphrase;

impl Operation for GeneratePassphrase {
    const NAME: &'static str = "passphrase";
    type Request = PassphraseRequest;
    type Answer = Passphrases;

    async fn perform(
        request: PassphraseRequest,
        admitted: &mut Admitted<'_>,
    ) -> Result<Performed<Passphrases>, Failure> {
        let binding = admitted.binding();
        if let Some(policy) = binding.policy {
            return Err(BoundKeyError::Passphrases { bound: policy.name().to_owned() }.into());
        }
        let PassphraseRequest { passphrase, count, format } = request;
        let mut passphrase = passphrase.with_entropy().map_err(RequestError::from)?;
        if let Some(bits) = binding.min_entropy {
            let needs = Count::of_bits(bits.into()).entropy();
            let too_little = |most: Count| BoundKeyError::TooLittleEntropy { has: most.entropy(), needs };
            passphrase = passphrase.with_at_least(bits).map_err(too_little)?;
        }
        let entropy = passphrase.count().entropy();
        let draw = |generator: &mut _| passphrase.draw(generator);
        let secrets = admitted.draw(count.unwrap_or(1), draw, |text| passphrase.matches(text))?;
        let record = admitted.record();
        record.words = Some(passphrase.words);
        record.entropy_bits = Some(entropy.rounded_down());
        let generated = Generated { secrets, count, entropy, format };
        Ok(Performed::Now(Event::PassphraseGenerated, Passphrases { generated, passphrase }))
    }
}

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
    policy: ResolvedPassphrase<'a>,
}

/// The parameters of passphrases: sent back in a request, they make the same passphrases.
#[derive(Serialize)]
struct ResolvedPassphrase<'a> {
    words: u16,
    wordlist: &'static str,
    separator: &'a str,
    capitalize: bool,
    number: bool,
}

impl Passphrases {
    /// The members of the answer.
    pub(crate) fn body<'a>(&'a self, texts: &'a Texts<'_>) -> impl Serialize + 'a {
        let Passphrase { words, wordlist, separator, capitalize, number, .. } = &self.passphrase;
        let (passphrase, passphrases) = texts.members();
        Body {
            passphrase,
            passphrases,
            count: self.generated.count,
            words: *words,
            entropy_bits: self.generated.entropy.rounded_down(),
            policy: ResolvedPassphrase {
                words: *words,
                wordlist: wordlist.name(),
                separator,
                capitalize: *capitalize,
                number: *number,
            },
        }
    }
}
