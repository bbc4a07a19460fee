//! Does a password that somebody else made satisfy constraints, one by one?
//!
//! Nothing that is said here tells what the password is made of, beyond what the constraints ask.

use zxcvbn::feedback::Feedback;
use zxcvbn::zxcvbn;

use super::alphabet::{Class, similar};
use super::constraints::{Constraints, Start};
use super::contradiction::PolicyError;
use super::count::Entropy;
use super::frame::Lengths;
use super::policy::Policy;
use super::presets::Preset;
use super::sample::count;
use super::verify::{Violation, violations};
use super::work::Work;

/// Most characters whose strength is estimated. The time grows without measure where many letters can be
/// read as others: a text made for it takes a tenth of a second at 32 characters and two seconds at 100.
const MOST_ESTIMATED: usize = 32;

/// What a password does not satisfy, and what a drawn one in its place would be worth.
#[derive(Debug)]
pub struct Assessment {
    /// Every constraint that it breaks.
    pub breaches: Vec<Breach>,
    /// The entropy of passwords of this length that are drawn under the policy, where there are any.
    pub entropy: Option<Entropy>,
}

/// A constraint that a password breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// The parameter that states it.
    pub constraint: &'static str,
    /// What it asks for.
    pub message: String,
}

/// Holds a password against constraints. Without `length` any length does that the other constraints
/// leave.
///
/// # Errors
/// A [`PolicyError`] when the constraints themselves are no good, whatever the password.
pub fn assess(asked: &Constraints, password: &str) -> Result<Assessment, PolicyError> {
    let asked = &Preset::widened(asked);
    let lengths = Lengths::of(asked)?;
    let characters = u16::try_from(password.chars().count()).unwrap_or(u16::MAX);
    let of_length = |length| Policy::new(&Constraints { length: Some(length), min_entropy: None, ..asked.clone() });
    // The password's own length may be too short for the rest, which is its fault and not the constraints'.
    let own = asked.length.unwrap_or(characters.clamp(lengths.least, lengths.most));
    let policy = of_length(own).or_else(|fault| {
        let others = [lengths.usual, lengths.most].into_iter().filter(|_| asked.length.is_none());
        others.map(of_length).find_map(Result::ok).ok_or(fault)
    })?;
    let fits = match asked.length {
        Some(length) => characters == length,
        None => (lengths.least..=lengths.most).contains(&characters),
    };
    let counted = (fits && policy.length() == characters)
        .then(|| count(policy.shape(), &mut Work::of_one_policy()))
        .and_then(Result::ok);

    let mut breaches = Vec::new();
    if !fits {
        let wanted = match asked.length {
            Some(length) => format!("must have {length} characters"),
            None => format!("must have {} to {} characters", lengths.least, lengths.most),
        };
        breaches.push(Breach { constraint: "length", message: wanted });
    }
    let mut shape = policy.shape().clone();
    // A blank at an end is nothing that a site forbids.
    (shape.start, shape.end) = (policy.start().map(Start::characters), None);
    for violation in violations(&shape, password) {
        breaches.extend(breaches_of(asked, &policy, violation, password));
    }
    if let (Some(bits), Some(counted)) = (asked.min_entropy, &counted)
        && !counted.reaches(bits)
    {
        let message = format!("the policy must have {bits} bits of entropy, and has less at this length");
        breaches.push(Breach { constraint: "min_entropy", message });
    }
    Ok(Assessment { breaches, entropy: counted.map(|count| count.entropy()) })
}

fn breaches_of(asked: &Constraints, policy: &Policy, violation: Violation, password: &str) -> Vec<Breach> {
    let one = |constraint, message: String| vec![Breach { constraint, message }];
    let shape = policy.shape();
    match violation {
        // Said above, for any length may do.
        Violation::Length | Violation::End => Vec::new(),
        Violation::Character => strangers(asked, policy, password),
        Violation::Requirement(index) => {
            let requirement = shape.requirements[index];
            match policy.classes().iter().find(|one| one.allowed == requirement.characters) {
                Some(class) => {
                    let (name, minimum) = (class.class.name(), class.minimum);
                    one(class.class.minimum_name(), format!("must have at least {minimum} of {name}"))
                }
                None => one("passwordrules", format!("must have one of {}", requirement.characters)),
            }
        }
        Violation::Variety => {
            let least = policy.min_classes().unwrap_or_default();
            one("min_classes", format!("must have characters of at least {least} of the classes in use"))
        }
        Violation::MaxConsecutive => {
            let most = shape.longest_run();
            let constraint = if policy.rules().is_some_and(|rules| rules.max_consecutive.map(usize::from) == Some(most))
            {
                "passwordrules"
            } else {
                "max_consecutive"
            };
            one(constraint, format!("must not have one character more than {most} times in a row"))
        }
        Violation::NoRepeats => one("no_repeats", "must not have a character twice".into()),
        Violation::Start => {
            let start = policy.start().map(Start::name).unwrap_or_default();
            one("start", format!("must begin with: {start}"))
        }
    }
}

/// Which constraints keep out the characters that may not appear.
fn strangers(asked: &Constraints, policy: &Policy, password: &str) -> Vec<Breach> {
    let takes_any = asked.preset.is_some_and(|preset| preset.takes_any) && asked.symbols.is_none();
    let mut breaches: Vec<Breach> = Vec::new();
    for character in password.chars() {
        let byte = u8::try_from(character).unwrap_or(u8::MAX);
        if policy.shape().pool.contains(byte) {
            continue;
        }
        let class = Class::ALL[..3].iter().find(|class| class.characters().contains(byte)).copied();
        let class = class.or(byte.is_ascii_punctuation().then_some(Class::Special));
        let (constraint, message) = if policy.exclude().contains(byte) {
            ("exclude", "has a character that is excluded".to_owned())
        } else if policy.exclude_similar() && similar().contains(byte) {
            ("exclude_similar", "has a character that looks like another".to_owned())
        } else if policy.rules().is_some() {
            ("passwordrules", "has a character that is not allowed".to_owned())
        } else {
            match class {
                Some(class) if takes_any && policy.class(class).is_some() => continue,
                None if takes_any => continue,
                Some(class) if policy.class(class).is_none() => {
                    (class.name(), format!("must not have {}", class.name()))
                }
                Some(Class::Special) => ("symbols", "has a symbol that is not among them".to_owned()),
                _ => ("special", "has a character that belongs to no class".to_owned()),
            }
        };
        if breaches.iter().all(|known| known.constraint != constraint) {
            breaches.push(Breach { constraint, message });
        }
    }
    breaches
}

/// How hard a password would be to guess for somebody who tries words, names, dates, keyboard patterns
/// and what is left, in this order.
#[derive(Clone, Debug, PartialEq)]
pub struct Strength {
    /// 0 to 4: fewer than 10^3, 10^6, 10^8, 10^10 guesses, and more.
    pub score: u8,
    /// About how many guesses it takes.
    pub guesses: u64,
    /// What is wrong with it.
    pub warning: Option<String>,
    /// What would be better.
    pub suggestions: Vec<String>,
}

/// Estimates the strength of a password by its first 32 characters: what follows makes it no weaker.
#[must_use]
pub fn strength(password: &str) -> Strength {
    let end = password.char_indices().nth(MOST_ESTIMATED).map_or(password.len(), |(at, _)| at);
    let estimate = zxcvbn(&password[..end], &[]);
    let feedback = estimate.feedback();
    let suggestions = feedback.map(|feedback| feedback.suggestions().iter().map(ToString::to_string).collect());
    Strength {
        score: estimate.score().into(),
        guesses: estimate.guesses(),
        warning: feedback.and_then(Feedback::warning).map(|warning| warning.to_string()),
        suggestions: suggestions.unwrap_or_default(),
    }
}
