//! Writes password rules.

use std::fmt;

use super::password_rules::{PasswordRules, RuleSet, classes};
use crate::password::charset::CharSet;
use crate::password::policy::Policy;
use crate::password::policy::limits::MIN_LENGTH;

/// Writes a policy as password rules, or says which of its constraints they cannot express. The rules, sent back alone,
/// have exactly the passwords of the policy.
pub(crate) fn password_rules(policy: &Policy) -> Result<String, String> {
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
    if spec.length < MIN_LENGTH {
        return Err(format!("password rules of fewer than {MIN_LENGTH} characters are not supported"));
    }
    // What requires nothing is only allowed.
    let required: Vec<CharSet> = spec.requirements.iter().filter(|one| one.min > 0).map(|one| one.characters).collect();
    // Otherwise a space of the rules would not be drawn.
    if spec.pool.contains(b' ') && !required.contains(&CharSet::space()) {
        return Err("password rules can express a space only with a required set of nothing else".into());
    }
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
    for (name, class) in classes() {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::password::policy::constraints::{ClassOptions, Constraints};
    use crate::password::rules::parse::parse;
    use crate::password::sampling::budget::WorkBudget;
    use crate::password::sampling::sampler::count;
    use crate::password::spec::Requirement;

    fn of_charsets(sets: &[(&str, u16)]) -> Policy {
        let set = |&(characters, min): &(&str, u16)| Requirement { characters: CharSet::from_text(characters), min };
        let charsets = Some(sets.iter().map(set).collect());
        Policy::new(&Constraints { length: Some(4), charsets, ..Constraints::default() }, None).unwrap()
    }

    #[test]
    fn charsets_are_written_as_required_or_allowed_or_not_at_all() {
        let no_space = Err("password rules can express a space only with a required set of nothing else");
        let cases = [
            (vec![("a", 0), ("b", 0)], Ok("allowed: [ab];")),
            (vec![("a", 1), ("b", 0)], Ok("required: [a]; allowed: [b];")),
            (vec![("ab", 1), ("bc", 0)], Ok("required: [ab]; allowed: [c];")),
            (vec![("a", 2)], Err("password rules can require only one character of a set, not 2")),
            (vec![("a ", 1), ("b", 1)], no_space),
            (vec![("a", 1), (" ", 0)], no_space),
            (vec![("a", 1), (" ", 1)], Ok("required: [a]; required: [ ];")),
            (vec![("a ", 1), (" ", 1), ("]-", 0)], Ok("required: [ a]; required: [ ]; allowed: [-]];")),
        ];
        for (sets, expected) in cases {
            let written = password_rules(&of_charsets(&sets));
            let expected = expected.map(|rules| format!("minlength: 4; maxlength: 4; {rules}"));
            assert_eq!(written, expected.map_err(str::to_owned), "{sets:?}");
        }
    }

    /// Constraints that rules often can express.
    fn any_constraints() -> impl Strategy<Value = Constraints> {
        let charset = (prop_oneof!["[ -~]{1,6}", Just(" ".to_owned()), Just("]".to_owned()), "[ -~]{60,90}"], 0..2_u16)
            .prop_map(|(text, min)| Requirement { characters: CharSet::from_text(&text), min });
        let class = (proptest::option::of(any::<bool>()), proptest::option::of(0..2_u16))
            .prop_map(|(in_use, min)| ClassOptions { in_use, min });
        let set = prop_oneof![
            Just("lower".to_owned()),
            Just("special".to_owned()),
            Just("ascii-printable".to_owned()),
            Just("unicode".to_owned()),
            "\\[[ -,.-Z\\^-~]{1,8}\\]",
        ];
        let rule =
            (prop_oneof![Just("required"), Just("allowed")], set).prop_map(|(name, set)| format!("{name}: {set};"));
        let sources = (
            proptest::option::weighted(0.4, proptest::collection::vec(charset, 1..5)),
            proptest::array::uniform4(class),
            proptest::option::of("[!-/:-@]{1,6}"),
            proptest::option::weighted(0.4, proptest::collection::vec(rule, 0..5)),
        );
        let others = (
            proptest::option::of(1..20_u16),
            proptest::option::weighted(0.3, "[ -~]{0,4}"),
            proptest::option::weighted(0.3, any::<bool>()),
            (proptest::option::weighted(0.3, 1..5_u16), proptest::option::weighted(0.3, 1..5_u16)),
        );
        (sources, others).prop_map(
            |(
                (charsets, classes, symbols, rules),
                (length, exclude, exclude_similar, (max_repeating, max_sequential)),
            )| {
                let has_classes = charsets.is_none() && rules.is_none();
                Constraints {
                    length,
                    classes: if has_classes { classes } else { Default::default() },
                    symbols: symbols.filter(|_| has_classes),
                    rules: rules.filter(|_| charsets.is_none()).map(|rules| parse(&rules.concat()).unwrap()),
                    charsets,
                    exclude,
                    exclude_similar,
                    max_repeating,
                    max_sequential,
                    ..Constraints::default()
                }
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn rules_sent_back_have_the_passwords_of_the_policy(constraints in any_constraints()) {
            let Ok(policy) = Policy::new(&constraints, None) else { return Ok(()) };
            let Ok(rules) = password_rules(&policy) else { return Ok(()) };
            let rules = Some(parse(&rules).unwrap());
            let again = Policy::new(&Constraints { rules, ..Constraints::default() }, None).unwrap();
            let count = |policy: &Policy| count(policy.spec(), &mut WorkBudget::new(1));
            prop_assert_eq!(again.length(), policy.length());
            prop_assert_eq!(again.spec().pool, policy.spec().pool);
            prop_assert_eq!(count(&again), count(&policy));
        }
    }
}
