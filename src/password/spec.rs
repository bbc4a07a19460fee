//! What a password must be like, in sets of characters: the form in which policies are counted, drawn from and checked.

use super::charset::{CharSet, follows};

/// Constraints on a text of characters from a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordSpec {
    /// Characters in the text.
    pub length: u16,
    /// The characters that may appear.
    pub pool: CharSet,
    /// Sets that must appear. They may overlap; a character counts for each set that contains it.
    pub requirements: Vec<Requirement>,
    /// How many of several classes must appear.
    pub min_classes: Option<MinClasses>,
    /// The most identical characters in a row.
    pub max_repeating: Option<u16>,
    /// The most neighbours of a-z, A-Z or 0-9 in a row, upwards or downwards: `abc` and `321` have three.
    pub max_sequential: Option<u16>,
    /// No character appears twice.
    pub no_repeats: bool,
    /// The characters that the first one must be among.
    pub start: Option<CharSet>,
}

/// A minimum number of characters from a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The set.
    pub characters: CharSet,
    /// The fewest characters.
    pub min: u16,
}

/// A minimum number of classes that appear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MinClasses {
    /// The classes. No two share a character.
    pub classes: Vec<CharSet>,
    /// The fewest classes.
    pub min: usize,
}

impl PasswordSpec {
    /// The most identical characters in a row; the length, if there is no limit.
    pub(super) fn longest_repetition(&self) -> usize {
        usize::from(self.max_repeating.unwrap_or(self.length).min(self.length))
    }

    /// The most neighbours in a row; the length, if there is no limit.
    pub(super) fn longest_sequence(&self) -> usize {
        usize::from(self.max_sequential.unwrap_or(self.length).min(self.length))
    }

    /// Whether `max_repeating` excludes a text that the other constraints allow.
    pub(crate) fn limits_repetitions(&self) -> bool {
        self.longest_repetition() < usize::from(self.length) && !self.no_repeats
    }

    /// Whether `max_sequential` excludes a text over the pool.
    #[must_use]
    pub fn limits_sequences(&self) -> bool {
        let longest = self.longest_sequence();
        longest < usize::from(self.length) && self.pool.sequences().iter().any(|sequence| sequence.len() > longest)
    }

    /// Whether the order of the characters matters beyond the first.
    pub(super) fn limits_runs(&self) -> bool {
        self.limits_repetitions() || self.limits_sequences()
    }

    /// The characters that may be first.
    pub(super) fn first(&self) -> CharSet {
        self.start.map_or(self.pool, |start| start.intersection(self.pool))
    }

    /// Specifications without [`MinClasses`] that have no text in common and together have exactly the texts of this
    /// one: one for each choice of classes that appear while no others do.
    pub(super) fn cases(&self) -> Vec<Self> {
        let Some(MinClasses { classes, min }) = &self.min_classes else {
            return vec![Self { requirements: self.reduced_requirements(), ..self.clone() }];
        };
        let plain = Self { min_classes: None, ..self.clone() };
        let choices = 0..1_u32 << classes.len();
        let chosen = choices.filter(|choice| usize::try_from(choice.count_ones()).is_ok_and(|count| count >= *min));
        chosen
            .map(|choice| {
                let mut case = plain.clone();
                for (index, class) in classes.iter().enumerate() {
                    if choice >> index & 1 == 1 {
                        case.requirements.push(Requirement { characters: *class, min: 1 });
                    } else {
                        case.pool = case.pool.without(*class);
                    }
                }
                case.requirements = case.reduced_requirements();
                case
            })
            .collect()
    }

    /// The requirements over the pool, each set once, without those whose minimum is 0.
    fn reduced_requirements(&self) -> Vec<Requirement> {
        let mut reduced: Vec<Requirement> = Vec::new();
        for requirement in self.requirements.iter().filter(|one| one.min > 0) {
            let characters = requirement.characters.intersection(self.pool);
            match reduced.iter_mut().find(|one| one.characters == characters) {
                Some(known) => known.min = known.min.max(requirement.min),
                None => reduced.push(Requirement { characters, ..*requirement }),
            }
        }
        reduced
    }

    /// Whether a text of the right length over the pool satisfies the constraints.
    pub(super) fn matches(&self, text: &[u8]) -> bool {
        let count = |set: CharSet| text.iter().filter(|byte| set.contains(**byte)).count();
        self.requirements.iter().all(|one| count(one.characters) >= usize::from(one.min))
            && self.max_repeating.is_none_or(|max| longest_run(text, |one, next| one == next) <= usize::from(max))
            && self.max_sequential.is_none_or(|max| {
                let (up, down) = (longest_run(text, follows), longest_run(text, |one, next| follows(next, one)));
                up.max(down) <= usize::from(max)
            })
            && (!self.no_repeats || has_no_repeats(text))
            && self.start.is_none_or(|start| text.first().is_some_and(|first| start.contains(*first)))
            && self.min_classes.as_ref().is_none_or(|min_classes| {
                min_classes.classes.iter().filter(|class| count(**class) > 0).count() >= min_classes.min
            })
    }
}

/// The most characters in a row of which each is related to the next.
fn longest_run(text: &[u8], is_related: impl Fn(u8, u8) -> bool) -> usize {
    text.chunk_by(|one, next| is_related(*one, *next)).map(<[u8]>::len).max().unwrap_or_default()
}

fn has_no_repeats(text: &[u8]) -> bool {
    let mut seen = CharSet::default();
    text.iter().all(|&byte| {
        let new = !seen.contains(byte);
        seen = seen.with(byte);
        new
    })
}
