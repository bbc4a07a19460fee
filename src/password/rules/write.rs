//! Writes password rules.

use std::fmt;

use super::super::alphabet::{CharSet, Class, printable};
use super::super::policy::Policy;
use super::{PasswordRules, SPECIAL};

/// Writes the password rules of a policy, or says which of its constraints they have no words for.
///
/// # Errors
/// The reason, in words.
pub fn password_rules(policy: &Policy) -> Result<String, String> {
    let shape = policy.shape();
    if let Some(start) = policy.start() {
        return Err(format!("password rules have no words for start {}", start.name()));
    }
    if shape.no_repeats {
        return Err("password rules have no words for no_repeats".into());
    }
    if let Some(least) = policy.min_classes() {
        return Err(format!("password rules have no words for min_classes {least}"));
    }
    if let Some(one) = policy.classes().iter().find(|one| one.minimum > 1) {
        let (name, minimum) = (one.class.minimum_name(), one.minimum);
        return Err(format!("password rules can require one character of a class, not {name} {minimum}"));
    }
    let required: Vec<CharSet> = shape.requirements.iter().map(|one| one.characters).collect();
    let named = required.iter().fold(CharSet::default(), |all, set| all.union(*set));
    Ok(PasswordRules {
        min_length: Some(shape.length),
        max_length: Some(shape.length),
        required,
        allowed: shape.pool.without(named),
        max_consecutive: shape.limits_runs().then_some(shape.max_consecutive).flatten(),
    }
    .to_string())
}

/// Read again, the text makes the same rules.
impl fmt::Display for PasswordRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |name: &str, value: Option<u16>| value.map(|value| format!("{name}: {value};"));
        let set = |name: &str, set: CharSet| (!set.is_empty()).then(|| format!("{name}: {};", words(set)));
        let mut rules = vec![number("minlength", self.min_length), number("maxlength", self.max_length)];
        rules.extend(self.required.iter().map(|one| set("required", *one)));
        rules.extend([set("allowed", self.allowed), number("max-consecutive", self.max_consecutive)]);
        f.write_str(&rules.into_iter().flatten().collect::<Vec<_>>().join(" "))
    }
}

/// Classes that are whole, by name, and the rest of the set in brackets.
fn words(set: CharSet) -> String {
    if set == printable() {
        return "ascii-printable".into();
    }
    let mut rest = set;
    let mut words = Vec::new();
    for (name, class) in [
        ("lower", Class::Lowercase.characters()),
        ("upper", Class::Uppercase.characters()),
        ("digit", Class::Digits.characters()),
        ("special", CharSet::of(SPECIAL)),
    ] {
        if class.without(rest).is_empty() {
            rest = rest.without(class);
            words.push(name.to_owned());
        }
    }
    if !rest.is_empty() {
        // A hyphen stands first there, and a closing bracket last.
        let [hyphen, bracket] = ["-", "]"].map(|one| rest.intersection(CharSet::of(one)));
        words.push(format!("[{hyphen}{}{bracket}]", rest.without(CharSet::of("-]"))));
    }
    words.join(", ")
}
