//! What a password must be like, in sets of characters: the form in which policies are counted,
//! drawn from and checked.

use super::alphabet::CharSet;

/// Constraints on a text of characters from a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Characters in the text.
    pub length: u16,
    /// The characters that may appear.
    pub pool: CharSet,
    /// What must appear. The sets may overlap; a character counts for each that holds it.
    pub requirements: Vec<Requirement>,
    /// How many of some sets must appear, whichever they are.
    pub variety: Option<Variety>,
    /// At most this many of one character in a row.
    pub max_consecutive: Option<u16>,
    /// No character twice.
    pub no_repeats: bool,
    /// The characters that may stand first.
    pub start: Option<CharSet>,
    /// The characters that may stand last.
    pub end: Option<CharSet>,
}

/// At least so many characters of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The set.
    pub characters: CharSet,
    /// How many.
    pub minimum: u16,
}

/// Characters of at least so many of the classes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variety {
    /// The classes. No two share a character.
    pub classes: Vec<CharSet>,
    /// How many of them.
    pub least: usize,
}

impl Shape {
    /// At most this many of one character in a row, said as a number in any case.
    pub(super) fn longest_run(&self) -> usize {
        usize::from(self.max_consecutive.unwrap_or(self.length)).min(usize::from(self.length))
    }

    /// Whether the order of the characters matters beyond the first.
    pub(super) fn limits_runs(&self) -> bool {
        self.longest_run() < usize::from(self.length) && !self.no_repeats
    }

    /// The characters that may stand first.
    pub(super) fn first(&self) -> CharSet {
        self.start.map_or(self.pool, |start| start.intersection(self.pool))
    }

    /// The characters that may not stand last, though they may stand elsewhere.
    pub(super) fn never_last(&self) -> CharSet {
        self.end.map_or(CharSet::default(), |end| self.pool.without(end))
    }

    /// What is left to meet in front of `run` characters at the end that are all `byte`, if something is.
    pub(super) fn before(&self, byte: u8, run: u16) -> Option<Self> {
        let mut rest = Self { length: self.length.checked_sub(run)?, end: None, ..self.clone() };
        for requirement in rest.requirements.iter_mut().filter(|one| one.characters.contains(byte)) {
            requirement.minimum = requirement.minimum.saturating_sub(run);
        }
        rest.requirements.retain(|one| one.minimum > 0);
        if self.no_repeats {
            rest.pool = rest.pool.without(CharSet::default().with(byte));
        }
        Some(rest)
    }

    /// Shapes without [`Variety`] that share no text and together hold exactly the texts of this one:
    /// one for each choice of classes that appear, no others appearing.
    pub(super) fn cases(&self) -> Vec<Self> {
        let Some(Variety { classes, least }) = &self.variety else {
            return vec![Self { requirements: self.demands(), ..self.clone() }];
        };
        let plain = Self { variety: None, ..self.clone() };
        let choices = 0..1_u32 << classes.len();
        let chosen = choices.filter(|choice| usize::try_from(choice.count_ones()).is_ok_and(|count| count >= *least));
        chosen
            .map(|choice| {
                let mut case = plain.clone();
                for (index, class) in classes.iter().enumerate() {
                    if choice >> index & 1 == 1 {
                        case.requirements.push(Requirement { characters: *class, minimum: 1 });
                    } else {
                        case.pool = case.pool.without(*class);
                    }
                }
                case.requirements = case.demands();
                case
            })
            .collect()
    }

    /// The requirements over the pool alone, each set once, without those that demand nothing.
    fn demands(&self) -> Vec<Requirement> {
        let mut demands: Vec<Requirement> = Vec::new();
        for requirement in self.requirements.iter().filter(|one| one.minimum > 0) {
            let characters = requirement.characters.intersection(self.pool);
            match demands.iter_mut().find(|one| one.characters == characters) {
                Some(known) => known.minimum = known.minimum.max(requirement.minimum),
                None => demands.push(Requirement { characters, ..*requirement }),
            }
        }
        demands
    }

    /// Whether a text over the pool satisfies the constraints, for a text of the right length.
    pub(super) fn fits(&self, text: &[u8]) -> bool {
        let count = |set: CharSet| text.iter().filter(|byte| set.contains(**byte)).count();
        self.requirements.iter().all(|one| count(one.characters) >= usize::from(one.minimum))
            && (!self.limits_runs() || longest_run(text) <= self.longest_run())
            && (!self.no_repeats || all_differ(text))
            && self.start.is_none_or(|start| text.first().is_some_and(|first| start.contains(*first)))
            && self.end.is_none_or(|end| text.last().is_some_and(|last| end.contains(*last)))
            && self.variety.as_ref().is_none_or(|variety| {
                variety.classes.iter().filter(|class| count(**class) > 0).count() >= variety.least
            })
    }
}

fn longest_run(text: &[u8]) -> usize {
    text.chunk_by(|one, next| one == next).map(<[u8]>::len).max().unwrap_or_default()
}

fn all_differ(text: &[u8]) -> bool {
    let mut seen = CharSet::default();
    text.iter().all(|&byte| {
        let new = !seen.contains(byte);
        seen = seen.with(byte);
        new
    })
}
