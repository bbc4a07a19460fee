//! Apple's Password Rules, the text that web sites give to password managers
//! (<https://developer.apple.com/password-rules/>).

use super::alphabet::{CharSet, Class};
use super::policy::{ClassInUse, Policy};

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
    let length = shape.length;
    let mut rules = format!("minlength: {length}; maxlength: {length};");
    let mut allowed = Vec::new();
    for one in policy.classes().iter().filter(|one| !one.allowed.is_empty()) {
        match one.minimum {
            0 => allowed.push(words(one)),
            1 => rules.extend([" required: ", &words(one), ";"]),
            minimum => {
                let name = one.class.minimum_name();
                return Err(format!("password rules can require one character of a class, not {name} {minimum}"));
            }
        }
    }
    if !allowed.is_empty() {
        rules.extend([" allowed: ", &allowed.join(", "), ";"]);
    }
    if shape.limits_runs() {
        rules.extend([" max-consecutive: ", &shape.longest_run().to_string(), ";"]);
    }
    Ok(rules)
}

/// The rules' own name of a class that is whole, or its characters in brackets. Their `special` is
/// not ours.
fn words(one: &ClassInUse) -> String {
    match one.class {
        Class::Lowercase if one.allowed == one.class.characters() => "lower".into(),
        Class::Uppercase if one.allowed == one.class.characters() => "upper".into(),
        Class::Digits if one.allowed == one.class.characters() => "digit".into(),
        _ => {
            // A hyphen stands first there, and a closing bracket last.
            let (hyphen, bracket) =
                (one.allowed.intersection(CharSet::of("-")), one.allowed.intersection(CharSet::of("]")));
            format!("[{hyphen}{}{bracket}]", one.allowed.without(CharSet::of("-]")))
        }
    }
}
