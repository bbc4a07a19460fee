//! A policy with a name, to which a request may add, but which it must not weaken.

use super::Policy;
use super::constraints::Constraints;
use super::error::PolicyError;
use super::presets::{PRESETS, Preset};
use super::tighten::Base;

/// The most characters of a name.
const MAX_NAME: usize = 128;

/// The name of a policy.
#[derive(Clone, Debug)]
pub enum PolicyName {
    /// A preset.
    Preset(&'static Preset),
    /// Perhaps a stored policy.
    Other(String),
}

impl PolicyName {
    /// The name.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Preset(preset) => preset.name,
            Self::Other(name) => name,
        }
    }

    /// A preset, or a name that a stored policy may have: `[A-Za-z0-9_][A-Za-z0-9._-]{0,127}`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let begins_well = text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric() || first == b'_');
        let preset = PRESETS.iter().find(|preset| preset.name == text).map(Self::Preset);
        let may_be_stored = begins_well && text.len() <= MAX_NAME && text.bytes().all(is_inner);
        preset.or_else(|| may_be_stored.then(|| Self::Other(text.to_owned())))
    }
}

/// A policy with a name: a preset, or a stored policy, which may be built on a preset.
#[derive(Clone, Debug, Default)]
pub(crate) struct NamedPolicy {
    pub(crate) name: String,
    /// The constraints of a stored policy; none for a preset.
    pub(crate) constraints: Option<Constraints>,
    /// The preset that it is, or that it is built on.
    pub(crate) preset: Option<&'static Preset>,
    /// Whether the length of a stored policy is the only one, as in Vault's policies.
    pub(crate) has_exact_length: bool,
    /// The revision of a stored policy, which answers and audit lines name.
    pub(crate) revision: Option<u64>,
}

impl NamedPolicy {
    /// A preset.
    pub(crate) fn preset(preset: &'static Preset) -> Self {
        Self { name: preset.name.to_owned(), preset: Some(preset), ..Self::default() }
    }

    /// The requirements of the policy, with the constraints of a request that add to them. Fails if one weakens a
    /// requirement.
    pub(crate) fn tighten(&self, request: &Constraints) -> Result<Constraints, PolicyError> {
        let add_to_preset = |constraints: &Constraints| {
            self.preset.map_or_else(|| Ok(constraints.clone()), |preset| preset.apply(constraints))
        };
        let Some(stored) = &self.constraints else { return add_to_preset(request) };
        let own = add_to_preset(stored)?;
        Base { name: &self.name, own: &own, has_exact_length: self.has_exact_length }.add(request)
    }

    /// The policy with the constraints of a request that add to it.
    pub(crate) fn policy(&self, request: &Constraints) -> Result<Policy, PolicyError> {
        Policy::new(&self.tighten(request)?, self.preset)
    }

    /// The same as [`tighten`](Self::tighten) for a password that is checked: the special characters that a preset has on
    /// request are allowed, too.
    pub(crate) fn tighten_for_check(&self, request: &Constraints) -> Result<Constraints, PolicyError> {
        let mut request = request.clone();
        if self.constraints.is_none() && self.preset.is_some_and(Preset::has_special_on_request) {
            let [.., special] = &mut request.classes;
            special.in_use.get_or_insert(true);
        }
        self.tighten(&request)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::password::charset::{CharSet, Class};
    use crate::password::entropy::Count;
    use crate::password::policy::constraints::{ClassOptions, Start};
    use crate::password::policy::resolve::{Origin, ResolvedRules};
    use crate::password::rules::parse::parse;
    use crate::password::sampling::budget::WorkBudget;
    use crate::password::sampling::sampler::{CountError, count};
    use crate::password::spec::{MinClasses, PasswordSpec, Requirement};

    #[test]
    fn policy_name_is_1_to_128_letters_digits_and_marks() {
        let long = "a".repeat(128);
        for (name, is_valid) in [
            ("ci", true),
            ("0", true),
            ("team.db-prod_2", true),
            (long.as_str(), true),
            (&"a".repeat(129), false),
            ("", false),
            ("-ci", false),
            (".ci", false),
            ("validatedPatternDefaultPolicy", true),
            ("_ci", true),
            ("a/b", false),
            ("c i", false),
            ("é", false),
        ] {
            assert_eq!(PolicyName::parse(name).is_some(), is_valid, "{name}");
        }
    }

    /// Every parameter, each with a chance to be sent. The literal names all of them.
    fn any_constraints(defines_characters: bool) -> impl Strategy<Value = Constraints> {
        let chance = 0.2;
        let class = (prop::option::weighted(chance, any::<bool>()), prop::option::weighted(chance, 0..4_u16))
            .prop_map(|(in_use, min)| ClassOptions { in_use, min });
        let limit = || prop::option::weighted(chance, 1..5_u16);
        let flag = || prop::option::weighted(chance, any::<bool>());
        let texts =
            (prop::option::weighted(chance, "[-_!/ ]{0,4}"), prop::option::weighted(chance, "[a-dA-D0-3!-/ ]{0,20}"));
        let set = ("[ a-cA-C0-2!-/]{1,6}", 0..2_u16)
            .prop_map(|(text, min)| Requirement { characters: CharSet::from_text(&text), min });
        let rules = prop::sample::select(vec![
            "",
            "minlength: 6; maxlength: 9; required: lower; required: digit; max-repeating: 2",
            "required: [ ]; allowed: lower, [- ]",
            "required: special; allowed: lower; max-consecutive: 2",
            "allowed: unicode; required: [a ]",
        ])
        .prop_map(|text| parse(text).unwrap());
        let weight = if defines_characters { 0.25 } else { 0.03 };
        let sources =
            (prop::option::weighted(weight, rules), prop::option::weighted(weight, prop::collection::vec(set, 1..4)));
        let lengths = (prop::option::weighted(0.5, 4..12_u16), prop::option::weighted(chance, 4..8_u16));
        (
            (lengths, prop::array::uniform4(class), texts, (limit(), limit()), (flag(), flag())),
            (prop::option::weighted(chance, prop::sample::select(&Start::ALL)), prop::option::weighted(0.3, 1..=4_u16)),
            (prop::option::weighted(chance, 1..60_u16), sources),
        )
            .prop_map(move |(first, (start, min_classes), (min_entropy, (rules, charsets)))| {
                let ((length, min_length), classes, (symbols, exclude), limits, (exclude_similar, no_repeats)) = first;
                let has_source = defines_characters && (rules.is_some() || charsets.is_some());
                Constraints {
                    length,
                    min_length,
                    classes: if has_source { Default::default() } else { classes },
                    symbols: symbols.filter(|_| !has_source),
                    exclude,
                    exclude_similar,
                    max_repeating: limits.0,
                    max_sequential: limits.1,
                    no_repeats,
                    start,
                    min_classes: min_classes.filter(|_| !has_source),
                    min_entropy,
                    charsets: charsets.filter(|_| rules.is_none()),
                    rules,
                }
            })
    }

    fn any_named() -> impl Strategy<Value = NamedPolicy> {
        let preset = || prop::sample::select(PRESETS.iter().collect::<Vec<_>>());
        let stored = (any_constraints(true), prop::option::weighted(0.3, preset()), prop::bool::weighted(0.2));
        prop_oneof![
            preset().prop_map(NamedPolicy::preset),
            stored.prop_map(|(constraints, preset, has_exact_length)| NamedPolicy {
                name: "stored".into(),
                constraints: Some(constraints),
                preset,
                has_exact_length,
                revision: None,
            }),
        ]
    }

    /// What the policy alone accepts of passwords of a length that somebody chose, or what is drawn for it.
    fn alone(named: &NamedPolicy, origin: Origin, length: u16) -> Result<PasswordSpec, PolicyError> {
        let mut own = match origin {
            Origin::Generated => named.tighten(&Constraints::default())?,
            Origin::Chosen => named.tighten_for_check(&Constraints::default())?,
        };
        if let Some(preset) = named.preset {
            own = preset.apply(&own)?;
        }
        let spec = ResolvedRules::new(&own, origin)?.spec(length);
        let accepts_any = origin == Origin::Chosen && named.preset.is_some_and(|preset| preset.accepts_any_character);
        Ok(if accepts_any { PasswordSpec { pool: (0..128).collect(), ..spec } } else { spec })
    }

    /// What the parameters of a request say by themselves.
    fn requested(request: &Constraints, length: u16) -> PasswordSpec {
        let of_class = |class| match class {
            Class::Special => CharSet::punctuation().with(b' '),
            other => other.characters(),
        };
        let mut pool = Class::ALL.into_iter().map(of_class).fold(CharSet::default(), CharSet::union);
        pool = pool.without(request.excluded());
        let mut requirements = Vec::new();
        for (class, ClassOptions { in_use, min }) in Class::ALL.into_iter().zip(request.classes) {
            if in_use == Some(false) {
                pool = pool.without(of_class(class));
            }
            requirements.extend(min.map(|min| Requirement { characters: of_class(class), min }));
        }
        if let Some(symbols) = &request.symbols {
            pool = pool.without(of_class(Class::Special)).union(pool.intersection(CharSet::from_text(symbols)));
        }
        let min_classes = request
            .min_classes
            .map(|min| MinClasses { classes: Class::ALL.into_iter().map(of_class).collect(), min: usize::from(min) });
        PasswordSpec {
            length,
            pool,
            requirements,
            min_classes,
            max_repeating: request.max_repeating,
            max_sequential: request.max_sequential,
            no_repeats: request.no_repeats == Some(true),
            start: request.start.map(Start::characters),
        }
    }

    /// The number of texts that satisfy both specifications.
    fn count_both(one: &PasswordSpec, other: &PasswordSpec) -> Result<Count, CountError> {
        let mut total = num_bigint::BigUint::ZERO;
        for one in one.cases() {
            for other in other.cases() {
                let pool = one.pool.intersection(other.pool);
                let mut requirements: Vec<Requirement> = Vec::new();
                for new in one.requirements.iter().chain(&other.requirements) {
                    let new = Requirement { characters: new.characters.intersection(pool), ..*new };
                    let implies = |one: &Requirement, other: &Requirement| {
                        one.characters.without(other.characters).is_empty() && one.min >= other.min
                    };
                    if !requirements.iter().any(|known| implies(known, &new)) {
                        requirements.retain(|known| !implies(&new, known));
                        requirements.push(new);
                    }
                }
                let smaller = |one: Option<u16>, other: Option<u16>| one.into_iter().chain(other).min();
                let both = PasswordSpec {
                    length: one.length,
                    pool,
                    requirements,
                    min_classes: None,
                    max_repeating: smaller(one.max_repeating, other.max_repeating),
                    max_sequential: smaller(one.max_sequential, other.max_sequential),
                    no_repeats: one.no_repeats || other.no_repeats,
                    start: match (one.start, other.start) {
                        (Some(one), Some(other)) => Some(one.intersection(other)),
                        (one, other) => one.or(other),
                    },
                };
                match count(&both, &mut WorkBudget::new(1)) {
                    Ok(count) => total += count.as_biguint(),
                    Err(CountError::Unsatisfiable) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(Count::new(total))
    }

    /// The symbols of the class are dropped with it.
    #[test]
    fn special_without_minimum_can_be_turned_off_under_a_policy_with_symbols() {
        let mut own = Constraints { symbols: Some("-_".into()), ..Constraints::default() };
        own.classes[3].min = Some(0);
        let named = NamedPolicy {
            name: "ci".into(),
            constraints: Some(own),
            preset: None,
            has_exact_length: false,
            revision: None,
        };
        let mut request = Constraints::default();
        request.classes[3].in_use = Some(false);
        let policy = Policy::new(&named.tighten(&request).unwrap(), None).unwrap();
        assert_eq!(policy.class_names(), ["lowercase", "uppercase", "digits"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

        /// Every password of a request under a policy is one of the policy alone.
        #[test]
        fn request_tightens_its_policy_or_is_refused(named in any_named(), request in any_constraints(false)) {
            // A policy without passwords is not stored.
            let Ok(own) = named.tighten(&Constraints::default()) else { return Ok(()) };
            let Ok(own_policy) = Policy::new(&own, named.preset) else { return Ok(()) };
            let Ok(tightened) = named.tighten(&request) else { return Ok(()) };
            let Ok(policy) = Policy::new(&tightened, named.preset) else { return Ok(()) };
            let spec = policy.spec();
            let Ok(count) = count(spec, &mut WorkBudget::new(1)) else { return Ok(()) };

            let accepted = alone(&named, Origin::Chosen, spec.length).unwrap();
            if let Ok(both) = count_both(spec, &accepted) {
                prop_assert_eq!(&both, &count, "passwords that the policy alone accepts");
            }
            // A preset can allow more characters on request; a stored policy cannot.
            if named.constraints.is_some() {
                let drawn = alone(&named, Origin::Generated, spec.length).unwrap();
                if let Ok(both) = count_both(spec, &drawn) {
                    prop_assert_eq!(&both, &count, "passwords that the policy alone draws");
                }
            }
            if let Some(constraints) = &named.constraints {
                prop_assert!(Some(spec.length) >= constraints.length.max(constraints.min_length));
                if named.has_exact_length && constraints.length.is_some() {
                    prop_assert_eq!(spec.length, own_policy.length());
                }
            }
            prop_assert!(policy.min_entropy() >= own_policy.min_entropy());

            // What was sent is kept.
            prop_assert!(request.length.is_none_or(|length| length == spec.length));
            prop_assert!(request.min_length.is_none_or(|length| length <= spec.length));
            prop_assert!(request.rules.is_none() && request.charsets.is_none());
            prop_assert!(policy.min_entropy() >= request.min_entropy);
            for (class, options) in Class::ALL.into_iter().zip(request.classes) {
                prop_assert!(options.in_use.is_none_or(|in_use| in_use == policy.class(class).is_some()));
            }
            if let Ok(both) = count_both(spec, &requested(&request, spec.length)) {
                prop_assert_eq!(&both, &count, "passwords that satisfy what was sent");
            }
        }
    }
}
