//! Writes a policy in Vault's language.

use crate::password::charset::CharSet;
use crate::password::policy::{Policy, limits};
use crate::password::spec::Requirement;

/// A policy in Vault's language. Reading the text gives the same policy.
/// Fails with the reason if that language cannot say it: a text that loses a constraint is never written.
pub(crate) fn write_hcl(policy: &Policy) -> Result<String, String> {
    let spec = policy.spec();
    let unsupported = [
        spec.no_repeats.then_some("no_repeats"),
        spec.limits_repetitions().then_some("max_repeating"),
        spec.limits_sequences().then_some("max_sequential"),
        spec.start.map(|_| "start"),
        spec.min_classes.as_ref().map(|_| "min_classes"),
        (spec.length < limits::MIN_LENGTH).then_some("length below 4"),
    ];
    if let Some(name) = unsupported.into_iter().flatten().next() {
        return Err(format!("Vault's language has no {name}"));
    }
    let named = spec.requirements.iter().fold(CharSet::default(), |all, one| all.union(one.characters));
    let rest = Requirement { characters: spec.pool.without(named), min: 0 };
    let rules = spec.requirements.iter().copied().chain([rest]);
    let rules: Vec<Requirement> = rules.filter(|rule| !rule.characters.is_empty()).collect();
    if rules.len() > limits::MAX_SETS {
        return Err(format!("in Vault's language the policy would have more than {} rules", limits::MAX_SETS));
    }
    // Vault adds the minima, also of sets that overlap.
    if rules.iter().map(|rule| u32::from(rule.min)).sum::<u32>() > u32::from(spec.length) {
        return Err("in Vault's language the minima together must not exceed the length".into());
    }
    let blocks = rules.into_iter().map(|Requirement { characters, min }| {
        let quoted: String = ordered(characters).chars().flat_map(escaped).collect();
        let min = if min > 0 { format!("  min-chars = {min}\n") } else { String::new() };
        format!("\nrule \"charset\" {{\n  charset = \"{quoted}\"\n{min}}}\n")
    });
    Ok(format!("length = {}\n{}", spec.length, blocks.collect::<String>()))
}

/// The characters, in an order in which `${` does not begin an interpolation.
fn ordered(characters: CharSet) -> String {
    let text = characters.to_string();
    if text.contains("${") { format!("{{{}", text.replace('{', "")) } else { text }
}

fn escaped(character: char) -> impl Iterator<Item = char> {
    let escape = ['"', '\\'].contains(&character).then_some('\\');
    escape.into_iter().chain([character])
}
