//! Searches the shortest length that has enough passwords.
//!
//! A count takes time, so the search leaps over lengths that cannot have enough: it knows by how many bits the number of
//! passwords grows at most with each character. It begins where this bound alone reaches the number, as if there were one
//! text of no characters, and leaps by the bits that a count lacks. The bound, for a pool of k characters and the step to
//! length m (for `no_repeats`, k is the characters that the others leave, k - m + 1):
//!
//! - Without minima: log2 k. The first m - 1 characters of a password are a password, and at most k can follow it.
//! - With minima and without limits on runs: log2 (k · m / (m - r)), where r characters are enough for the minima and, if
//!   `start` restricts it, the first. Each of the other m - r can be removed, and what is left is a password. Each password
//!   of m - 1 characters results at most k · m times: m positions, k characters.
//!
//! With limits on runs, one table has the counts of all lengths up to its own, so the search reads those of the lengths that
//! a leap passes, and a leap may be too long. With minima, too, no bound holds: the last character may be needed, and
//! another one may separate two runs.
//!
//! With minima, log2 k would be wrong: of the pool `ab` with one of each there are 2 passwords of two characters, and 6 of
//! three, more than twice as many.
//!
//! The bounds hold for counts of 0, too, so a search ends if no longer length can have a password. Every leap is at least
//! one length, and none passes a length that has enough without reading its count, so the first one found is the shortest.

use super::limits::LengthRange;
use crate::password::entropy::{Count, log2};
use crate::password::sampling::sampler::CountError;
use crate::password::spec::PasswordSpec;

/// More than the rounding errors of the bounds, in bits. A leap that is too short by one costs one count.
const ROUNDING: f64 = 1e-6;

/// The counting at a length would take too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooExpensiveAt(pub(super) u16);

/// The shortest length of a range that has at least `fewest` passwords, or `None` if none has. `spec` returns the
/// specification of a length; those of all lengths differ in nothing else. `counts` counts the passwords of each length from
/// one to that of a specification.
pub(super) fn shortest(
    lengths: LengthRange,
    fewest: &Count,
    spec: impl Fn(u16) -> PasswordSpec,
    mut counts: impl FnMut(&PasswordSpec, u16) -> Result<Vec<Count>, CountError>,
) -> Result<Option<u16>, TooExpensiveAt> {
    let longest = spec(lengths.max);
    let pool = longest.pool.len();
    let max = if longest.no_repeats { lengths.max.min(u16::try_from(pool).unwrap_or(u16::MAX)) } else { lengths.max };
    let choices = |length: u16| f64::from(if longest.no_repeats { pool + 1 - u32::from(length) } else { pool });
    let by_appending = |length: u16| choices(length).log2();

    let minima: u32 = longest.requirements.iter().map(|one| u32::from(one.min)).sum();
    let classes = longest.min_classes.as_ref().map_or(0, |one| u32::try_from(one.min).unwrap_or(u32::MAX));
    let minima = minima.saturating_add(classes);
    let fixed = minima + u32::from(longest.start.is_some());
    let by_inserting = |length: u16| match u32::from(length).checked_sub(fixed) {
        None | Some(0) => f64::INFINITY,
        Some(removable) => (choices(length) * f64::from(length) / f64::from(removable)).log2(),
    };

    // The first length after `length` at which the growth adds up to so many bits.
    let leap = |length: u16, bits: f64, growth: &dyn Fn(u16) -> f64| {
        let mut sum = ROUNDING;
        (length + 1..=max).find(|next| {
            sum += growth(*next);
            sum >= bits
        })
    };
    let has_table = longest.limits_runs();
    let bits = log2(fewest.as_biguint());
    let mut next = leap(0, bits, &by_appending).map(|length| length.max(lengths.min));
    let mut unread = next.unwrap_or_default();
    while let Some(length) = next.filter(|length| *length <= max) {
        let from = if has_table { unread } else { length };
        let counts = counts(&spec(length), from).map_err(|_| TooExpensiveAt(length))?;
        if let Some((found, _)) = (from..).zip(&counts).find(|(_, count)| *count >= fewest) {
            return Ok(Some(found));
        }
        let lacks = match counts.last().map(Count::as_biguint) {
            Some(count) if count.bits() > 0 => bits - log2(count),
            _ => f64::INFINITY,
        };
        next = match (has_table, minima) {
            (_, 0) => leap(length, lacks, &by_appending),
            (false, _) => leap(length, lacks, &by_inserting),
            (true, _) if lacks.is_infinite() => Some(length + 1),
            (true, _) => leap(length, lacks, &by_appending).or((length < max).then_some(max)),
        };
        if has_table {
            // An eighth further, because the growth is less than the bound.
            next = next.map(|next| (next + (next - length) / 8 + 1).min(max.max(length + 1)));
        }
        unread = length + 1;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::password::charset::CharSet;
    use crate::password::sampling::budget::WorkBudget;
    use crate::password::sampling::sampler;
    use crate::password::spec::{MinClasses, Requirement};

    const LOWERCASE: &str = "abcdefghijklmnopqrstuvwxyz";
    const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const DIGITS: &str = "0123456789";

    fn spec(pool: &str, requirements: &[(&str, u16)]) -> PasswordSpec {
        let requirement = |&(set, min): &(&str, u16)| Requirement { characters: CharSet::from_text(set), min };
        PasswordSpec {
            length: 1,
            pool: CharSet::from_text(pool),
            requirements: requirements.iter().map(requirement).collect(),
            min_classes: None,
            max_repeating: None,
            max_sequential: None,
            no_repeats: false,
            start: None,
        }
    }

    fn of_length(spec: &PasswordSpec, length: u16) -> PasswordSpec {
        PasswordSpec { length, ..spec.clone() }
    }

    fn count(spec: &PasswordSpec) -> Result<Count, CountError> {
        sampler::count(spec, &mut WorkBudget::new(1))
    }

    fn counts(spec: &PasswordSpec, shortest: u16) -> Result<Vec<Count>, CountError> {
        sampler::counts(spec, shortest, &mut WorkBudget::new(1))
    }

    /// The result, and the longest length of each table that was computed.
    fn search(spec: &PasswordSpec, lengths: LengthRange, fewest: &Count) -> (Option<u16>, Vec<u16>) {
        let mut counted = Vec::new();
        let found = shortest(
            lengths,
            fewest,
            |length| of_length(spec, length),
            |spec, shortest| {
                counted.push(spec.length);
                counts(spec, shortest)
            },
        );
        (found.unwrap(), counted)
    }

    #[test]
    fn search_counts_few_lengths() {
        let pool = [LETTERS, DIGITS].concat();
        let (a, b) = (&DIGITS[..6], &LOWERCASE[..3]);
        let neighbours = |spec: PasswordSpec, max| PasswordSpec { max_sequential: Some(max), ..spec };
        let classes = [(LOWERCASE, 1), (&LETTERS[26..], 1), (DIGITS, 1)];
        let no_repeats = PasswordSpec { no_repeats: true, ..spec(&pool, &[]) };
        let no_ends = PasswordSpec { max_repeating: Some(1), ..neighbours(spec("ab", &[]), 1) };
        let cases = [
            ("no constraints", spec(&pool, &[]), 4, 512, Some(86), vec![86]),
            ("classes", spec(&pool, &classes), 4, 512, Some(86), vec![86]),
            ("classes and runs", neighbours(spec(&pool, &classes), 2), 4, 512, Some(86), vec![86]),
            ("digits, no neighbours", neighbours(spec(DIGITS, &[]), 1), 4, 512, Some(169), vec![155, 170]),
            (
                "sets, no neighbours",
                neighbours(spec("012345abc", &[(a, 9), (b, 9)]), 1),
                18,
                200,
                Some(69),
                vec![64, 70],
            ),
            ("a large minimum", spec(LOWERCASE, &[("a", 200)]), 200, 512, Some(266), vec![200, 265, 266]),
            ("no repeats", no_repeats.clone(), 4, 250, Some(49), vec![49]),
            ("no repeats, too many", no_repeats, 4, 300, None, vec![]),
            ("one character", spec("a", &[]), 4, 1, None, vec![]),
            ("texts that end early", no_ends, 4, 2, None, vec![4]),
        ];
        for (name, spec, min, bits, found, counted) in cases {
            assert_eq!(
                search(&spec, LengthRange { min, max: 4096 }, &Count::of_bits(bits)),
                (found, counted),
                "{name}"
            );
        }
    }

    fn any_spec() -> impl Strategy<Value = PasswordSpec> {
        let set = || proptest::sample::subsequence((*b"abcd01!").to_vec(), 1..5);
        let limit = || proptest::option::weighted(0.4, 1..4_u16);
        (
            (set(), proptest::collection::vec((set(), 0..4_u16), 0..4)),
            (limit(), limit(), proptest::bool::weighted(0.3)),
            (proptest::option::weighted(0.3, set()), proptest::option::weighted(0.3, 1..=2_usize)),
        )
            .prop_map(|((pool, sets), (max_repeating, max_sequential, no_repeats), (start, min_classes))| {
                let set = |bytes: Vec<u8>| bytes.into_iter().collect::<CharSet>();
                let pool = set(pool);
                let classes = ["ab", "cd", "01!"].map(|class| CharSet::from_text(class).intersection(pool));
                let requirements = sets
                    .into_iter()
                    .map(|(characters, min)| Requirement { characters: set(characters).intersection(pool), min });
                PasswordSpec {
                    length: 1,
                    pool,
                    requirements: requirements.collect(),
                    min_classes: min_classes.map(|min| MinClasses {
                        classes: classes.into_iter().filter(|class| !class.is_empty()).collect(),
                        min,
                    }),
                    max_repeating,
                    max_sequential,
                    no_repeats,
                    start: start.map(set),
                }
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        /// Every number of passwords of a length, and one more, is a number for which leaps could be too long.
        #[test]
        fn search_finds_the_length_that_counting_all_lengths_finds(spec in any_spec(), min in 1..5_u16) {
            let lengths = LengthRange { min, max: 14 };
            let counts: Vec<(u16, Result<Count, CountError>)> =
                (min..=14).map(|length| (length, count(&of_length(&spec, length)))).collect();
            prop_assume!(counts.iter().all(|(_, count)| *count != Err(CountError::TooExpensive)));
            for (_, count) in &counts {
                let Ok(count) = count else { continue };
                for fewest in [count.clone(), Count::new(count.as_biguint() + 1_u32)] {
                    let expected = counts.iter().find(|(_, count)| count.as_ref().is_ok_and(|count| *count >= fewest));
                    let (found, counted) = search(&spec, lengths, &fewest);
                    prop_assert_eq!(found, expected.map(|(length, _)| *length), "counted {:?}", counted);
                }
            }
        }
    }
}
