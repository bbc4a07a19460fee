//! Vault's language of password policies, as far as this service can draw what it says.
//! <https://developer.hashicorp.com/vault/docs/concepts/password-policies>
//!
//! Vault reads HCL 1; the library reads HCL 2. Where the two differ, the library decides, and the error says so.

use hcl::structure::{Block, Structure};
use hcl::{Body, Expression};
use serde_json::{Value, json};

use crate::password::{CharSet, Policy, Requirement, limits};

/// The longest text of a policy, in bytes.
const MAX_TEXT: usize = 2048;
/// The most brackets of a kind, in charsets and elsewhere. The parser calls itself for each level of nesting.
const MAX_BRACKETS: usize = 64;

/// What a text says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultPolicy {
    length: u16,
    rules: Vec<Requirement>,
}

/// A rule as it was written.
#[derive(Default)]
struct Rule {
    charset: Option<String>,
    min: Option<i64>,
}

impl VaultPolicy {
    /// Reads a text: HCL or its JSON form.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_TEXT {
            return Err(format!("the policy has more than {MAX_TEXT} bytes"));
        }
        if ['(', '[', '{'].into_iter().any(|bracket| text.matches(bracket).count() > MAX_BRACKETS) {
            return Err(format!("the policy has more than {MAX_BRACKETS} brackets of a kind"));
        }
        let (length, rules) = if text.trim_start().starts_with('{') { from_json(text)? } else { from_hcl(text)? };
        Self::new(length, rules)
    }

    fn new(length: Option<i64>, rules: Vec<Rule>) -> Result<Self, String> {
        let (min, max) = (limits::MIN_LENGTH, limits::MAX_LENGTH);
        let length = length.ok_or("missing length")?;
        let length = u16::try_from(length).ok().filter(|length| (min..=max).contains(length));
        let length = length.ok_or_else(|| format!("passwords must be between {min} and {max} characters"))?;
        let rules = rules.into_iter().map(Rule::requirement).collect::<Result<Vec<_>, _>>()?;
        if !(1..=limits::MAX_SETS).contains(&rules.len()) {
            return Err(format!("a policy must have 1 to {} rules", limits::MAX_SETS));
        }
        let needed: u32 = rules.iter().map(|rule| u32::from(rule.min)).sum();
        if needed > u32::from(length) {
            return Err(format!("specified rules require at least {needed} characters but {length} is specified"));
        }
        Ok(Self { length, rules })
    }

    /// The parameters of this service that mean the same.
    #[must_use]
    pub fn parameters(&self) -> String {
        let charset = |rule: &Requirement| json!({ "characters": rule.characters.to_string(), "min": rule.min });
        let charsets: Vec<Value> = self.rules.iter().map(charset).collect();
        json!({ "charsets": charsets, "length": self.length }).to_string()
    }
}

impl Rule {
    fn requirement(self) -> Result<Requirement, String> {
        let charset = self.charset.filter(|charset| !charset.is_empty()).ok_or("a rule must have a charset")?;
        if let Some(other) = charset.chars().find(|one| !(' '..='~').contains(one)) {
            return Err(format!("the charset has {other:?}, and this service draws only printable ASCII characters"));
        }
        let min = self.min.unwrap_or(0);
        let min = u16::try_from(min).map_err(|_| "min-chars must be a whole number that is not negative".to_owned())?;
        Ok(Requirement { characters: CharSet::from_text(&charset), min })
    }

    fn set(&mut self, name: &str, text: Option<String>, number: Option<i64>) -> Result<(), String> {
        match name {
            "charset" if self.charset.is_none() => self.charset = Some(text.ok_or("charset must be a string")?),
            "min-chars" if self.min.is_none() => self.min = Some(number.ok_or("min-chars must be a whole number")?),
            "charset" | "min-chars" => return Err(format!("{name} is given more than once")),
            _ => return Err("a rule has charset and min-chars, and nothing else".into()),
        }
        Ok(())
    }
}

/// Reads an attribute of the policy itself.
fn set(length: &mut Option<i64>, name: &str, number: Option<i64>, text: Option<&str>) -> Result<(), String> {
    match name {
        "length" if length.is_none() => *length = Some(number.ok_or("length must be a whole number")?),
        "length" => return Err("length is given more than once".into()),
        "entropy_source" if text.is_some_and(|source| ["", "platform"].contains(&source)) => {}
        "entropy_source" => return Err("entropy_source must be \"platform\": this service has no other".into()),
        _ => return Err("a policy has length, rule and entropy_source, and nothing else".into()),
    }
    Ok(())
}

fn from_hcl(text: &str) -> Result<(Option<i64>, Vec<Rule>), String> {
    let body: Body = hcl::parse(text).map_err(|error| match error {
        hcl::Error::Parse(error) => {
            let (line, column) = (error.location().line(), error.location().column());
            format!(
                "line {line}, column {column}: {} (HCL 2 is read: one attribute a line, and no ${{ or %{{)",
                error.message()
            )
        }
        _ => "the policy is not valid HCL".to_owned(),
    })?;
    let (mut length, mut rules) = (None, Vec::new());
    for structure in body {
        match structure {
            Structure::Attribute(attribute) => {
                let (number, text) = (whole(&attribute.expr), string(&attribute.expr));
                set(&mut length, attribute.key.as_str(), number, text.as_deref())?;
            }
            Structure::Block(block) => rules.push(rule_of_block(block)?),
        }
    }
    Ok((length, rules))
}

fn rule_of_block(block: Block) -> Result<Rule, String> {
    let labels: Vec<&str> = block.labels.iter().map(hcl::BlockLabel::as_str).collect();
    if block.identifier.as_str() != "rule" || labels != ["charset"] {
        return Err("the only block of a policy is rule \"charset\"".into());
    }
    let mut rule = Rule::default();
    for structure in block.body {
        let Structure::Attribute(attribute) = structure else { return Err("a rule has no blocks".into()) };
        rule.set(attribute.key.as_str(), string(&attribute.expr), whole(&attribute.expr))?;
    }
    Ok(rule)
}

fn whole(expression: &Expression) -> Option<i64> {
    if let Expression::Number(number) = expression { number.as_i64() } else { None }
}

fn string(expression: &Expression) -> Option<String> {
    if let Expression::String(text) = expression { Some(text.clone()) } else { None }
}

/// The JSON form: `{"length":20,"rule":[{"charset":[{"charset":"abc","min-chars":1}]}]}`. Each list may be left out.
fn from_json(text: &str) -> Result<(Option<i64>, Vec<Rule>), String> {
    let policy: Value = serde_json::from_str(text).map_err(|error| format!("the policy is not valid JSON: {error}"))?;
    let (mut length, mut rules) = (None, Vec::new());
    for (name, value) in policy.as_object().into_iter().flatten() {
        if name != "rule" {
            set(&mut length, name, value.as_i64(), value.as_str())?;
            continue;
        }
        for kinds in items(value) {
            let kinds = kinds.as_object().ok_or("rule must be a list of objects")?;
            for (kind, bodies) in kinds {
                if kind != "charset" {
                    return Err("the only rule of a policy is charset".into());
                }
                for body in items(bodies) {
                    let mut rule = Rule::default();
                    for (name, value) in body.as_object().ok_or("charset must be a list of objects")? {
                        rule.set(name, value.as_str().map(str::to_owned), value.as_i64())?;
                    }
                    rules.push(rule);
                }
            }
        }
    }
    Ok((length, rules))
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

/// A policy in Vault's language.
///
/// # Errors
/// Why that language cannot say it. A text that loses a constraint is never written.
pub fn write(policy: &Policy) -> Result<String, String> {
    let spec = policy.spec();
    let unsupported = [
        spec.no_repeats.then_some("no_repeats"),
        spec.limits_repetitions().then_some("max_repeating"),
        spec.limits_sequences().then_some("max_sequential"),
        spec.start.map(|_| "start"),
        spec.min_classes.as_ref().map(|_| "min_classes"),
    ];
    if let Some(name) = unsupported.into_iter().flatten().next() {
        return Err(format!("Vault's language has no {name}"));
    }
    let named = spec.requirements.iter().fold(CharSet::default(), |all, one| all.union(one.characters));
    let rest = Requirement { characters: spec.pool.without(named), min: 0 };
    let rules = spec.requirements.iter().copied().chain((!rest.characters.is_empty()).then_some(rest));
    let blocks = rules.map(|Requirement { characters, min }| {
        let quoted: String = characters.to_string().chars().flat_map(escaped).collect();
        let min = if min > 0 { format!("  min-chars = {min}\n") } else { String::new() };
        format!("\nrule \"charset\" {{\n  charset = \"{quoted}\"\n{min}}}\n")
    });
    Ok(format!("length = {}\n{}", spec.length, blocks.collect::<String>()))
}

fn escaped(character: char) -> impl Iterator<Item = char> {
    let escape = ['"', '\\'].contains(&character).then_some('\\');
    escape.into_iter().chain([character])
}

#[cfg(test)]
mod tests {
    use super::VaultPolicy;

    #[test]
    fn policy_of_vault_is_read_in_hcl_and_json() {
        let hcl = "length = 20 # characters\n\nrule \"charset\" {\n  charset = \"ab\\\"c\\\\\"\n  min-chars = 2\n}\nrule \"charset\" {\n  \
                   charset = \"0 1\"\n}\n";
        let json =
            r#"{"length":20,"rule":[{"charset":[{"charset":"ab\"c\\","min-chars":2}]},{"charset":{"charset":"0 1"}}]}"#;
        let parameters = r#"{"charsets":[{"characters":"\"\\abc","min":2},{"characters":" 01","min":0}],"length":20}"#;
        for text in [hcl, json] {
            assert_eq!(VaultPolicy::parse(text).unwrap().parameters(), parameters, "{text}");
        }
    }

    /// The parser must not call itself until the stack ends, here on a stack as small as that of a worker thread.
    #[test]
    fn text_of_repeated_operators_is_refused() {
        for part in [
            "!",
            "-",
            "a?",
            "a?b:",
            "+a",
            "a.",
            "a[0",
            "(",
            "[",
            "{",
            "${",
            "\"${",
            "<<A\n",
            "f(",
            "*",
            "a=>",
            "{a=",
            "[for a in ",
            "/*",
        ] {
            let text = format!("a = {}", part.repeat(2_040 / part.len()));
            assert!(VaultPolicy::parse(&text).is_err(), "{part}");
        }
    }

    #[test]
    fn policy_that_cannot_be_drawn_is_refused_with_the_reason() {
        let rule = |inside: &str| format!("length = 8\nrule \"charset\" {{\n{inside}\n}}");
        for (text, reason) in [
            (String::new(), "missing length"),
            ("length = 8".into(), "a policy must have 1 to 16 rules"),
            ("length = 3".into(), "passwords must be between 4 and 4096 characters"),
            ("length = 8\nlength = 9".into(), "line "),
            ("length = \"8\"".into(), "length must be a whole number"),
            ("lenght = 8".into(), "a policy has length, rule and entropy_source, and nothing else"),
            ("length = 8\nentropy_source = \"seal\"".into(), "entropy_source must be \"platform\""),
            (rule("charset = \"é\""), "the charset has 'é', and this service draws only printable ASCII characters"),
            (rule("charset = \"\""), "a rule must have a charset"),
            (rule("charset = \"a\"\nmin-chars = -1"), "min-chars must be a whole number"),
            (
                rule("charset = \"a\"\nmin-chars = 9"),
                "specified rules require at least 9 characters but 8 is specified",
            ),
            (rule("charset = \"a\"\nmax-chars = 1"), "a rule has charset and min-chars, and nothing else"),
            (rule("charset = \"a${b}\""), "charset must be a string"),
            ("length = 8\nrule \"other\" {\n}".into(), "the only block of a policy is rule \"charset\""),
            ("length = 8\nrule \"charset\" { charset = \"a\" min-chars = 1 }".into(), "line 2, column "),
            ("x".repeat(2049), "the policy has more than 2048 bytes"),
            (format!("a = {}", "(".repeat(1_000)), "the policy has more than 64 brackets of a kind"),
            ("{".into(), "the policy is not valid JSON"),
            (r#"{"length":8,"rule":[{"other":[]}]}"#.into(), "the only rule of a policy is charset"),
        ] {
            let error = VaultPolicy::parse(&text).unwrap_err();
            assert!(error.starts_with(reason), "{text}: {error}");
        }
    }
}
