//! Writes password rules.

use std::fmt;

use super::password_rules::{PasswordRules, RuleSet};
use crate::password::charset::{CharSet, Class, printable};
use crate::password::policy::Policy;

/// Writes a policy as password rules, or says which of its constraints they cannot express.
///
/// # Errors
/// The reason, in words.
pub fn password_rules(policy: &Policy) -> Result<String, String> {
    let spec = policy.spec();
    if let Some(start) = policy.start() {
        return Err(format!("password rules cannot express start {}", start.name()));
    }
    if spec.no_repeats {
        return Err("password rules cannot express no_repeats".into());
    }
    if let Some(min) = policy.min_classes() {
        return Err(format!("password rules cannot express min_classes {min}"));
    }
    if let Some(one) = policy.classes().iter().find(|one| one.min > 1) {
        let (name, min) = (one.class.min_name(), one.min);
        return Err(format!("password rules can require only one character of a class, not {name} {min}"));
    }
    if let Some(one) = spec.requirements.iter().find(|one| one.min > 1) {
        return Err(format!("password rules can require only one character of a set, not {}", one.min));
    }
    let required: Vec<CharSet> = spec.requirements.iter().map(|one| one.characters).collect();
    let named = required.iter().fold(CharSet::default(), |all, set| all.union(*set));
    Ok(PasswordRules {
        min_length: Some(spec.length),
        max_length: Some(spec.length),
        required: required.into_iter().map(RuleSet::from).collect(),
        allowed: spec.pool.without(named).into(),
        max_repeating: spec.limits_repetitions().then_some(spec.max_repeating).flatten(),
        max_sequential: spec.limits_sequences().then_some(spec.max_sequential).flatten(),
    }
    .to_string())
}

/// Parsing the text gives the same rules.
impl fmt::Display for PasswordRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |name: &str, value: Option<u16>| value.map(|value| format!("{name}: {value};"));
        let set = |name: &str, set: RuleSet| (!set.drawn.is_empty()).then(|| format!("{name}: {};", set_text(set)));
        let mut rules = vec![number("minlength", self.min_length), number("maxlength", self.max_length)];
        rules.extend(self.required.iter().map(|one| set("required", *one)));
        rules.push(set("allowed", self.allowed));
        rules.extend([number("max-repeating", self.max_repeating), number("max-sequential", self.max_sequential)]);
        f.write_str(&rules.into_iter().flatten().collect::<Vec<_>>().join(" "))
    }
}

/// Complete classes by name, and the rest of the set in brackets.
fn set_text(set: RuleSet) -> String {
    let mut rest = set;
    let mut words = Vec::new();
    for (name, class) in [
        ("unicode", RuleSet::unicode()),
        ("ascii-printable", printable().into()),
        ("lower", Class::Lowercase.characters().into()),
        ("upper", Class::Uppercase.characters().into()),
        ("digit", Class::Digits.characters().into()),
        ("special", RuleSet::special()),
    ] {
        if rest.contains(class) {
            rest = rest.without(class);
            words.push(name.to_owned());
        }
    }
    let rest = rest.drawn.union(rest.accepted);
    if !rest.is_empty() {
        // In brackets a hyphen must be first and a closing bracket last.
        let [hyphen, bracket] = ["-", "]"].map(|one| rest.intersection(CharSet::from_text(one)));
        words.push(format!("[{hyphen}{}{bracket}]", rest.without(CharSet::from_text("-]"))));
    }
    words.join(", ")
}
