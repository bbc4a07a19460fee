//! Specifications, and a list of those that are small enough to list all their passwords.

use passloom::password::{CharSet, MinClasses, PasswordSpec, Requirement, verify};

/// All texts of a length over a pool, without constraints.
pub fn unconstrained(length: u16, pool: &str) -> PasswordSpec {
    PasswordSpec {
        length,
        pool: CharSet::from_text(pool),
        requirements: Vec::new(),
        min_classes: None,
        max_repeating: None,
        max_sequential: None,
        no_repeats: false,
        start: None,
    }
}

/// Adds constraints to a specification, one at a time.
pub trait Constrain {
    /// At least `min` of the characters.
    fn require(self, min: u16, characters: &str) -> Self;
    /// At least `min` of the classes.
    fn min_classes(self, min: usize, classes: &[&str]) -> Self;
    /// At most `max` identical characters in a row.
    fn max_repeating(self, max: u16) -> Self;
    /// At most `max` neighbours in a row.
    fn max_sequential(self, max: u16) -> Self;
    /// No character twice.
    fn no_repeats(self) -> Self;
    /// One of the characters first.
    fn start(self, characters: &str) -> Self;
}

impl Constrain for PasswordSpec {
    fn require(mut self, min: u16, characters: &str) -> Self {
        self.requirements.push(Requirement { characters: CharSet::from_text(characters), min });
        self
    }

    fn min_classes(self, min: usize, classes: &[&str]) -> Self {
        let classes = classes.iter().map(|class| CharSet::from_text(class)).collect();
        Self { min_classes: Some(MinClasses { classes, min }), ..self }
    }

    fn max_repeating(self, max: u16) -> Self {
        Self { max_repeating: Some(max), ..self }
    }

    fn max_sequential(self, max: u16) -> Self {
        Self { max_sequential: Some(max), ..self }
    }

    fn no_repeats(self) -> Self {
        Self { no_repeats: true, ..self }
    }

    fn start(self, characters: &str) -> Self {
        Self { start: Some(CharSet::from_text(characters)), ..self }
    }
}

/// Small specifications with every constraint, alone and with others. Together they use every generator of the sampler.
pub fn small_specs() -> Vec<(&'static str, PasswordSpec)> {
    let any = unconstrained;
    vec![
        ("no constraint", any(4, "abA0!")),
        ("a minimum of one class of two", any(4, "ab01").require(1, "ab")),
        ("minima of two classes", any(4, "ab01").require(1, "ab").require(1, "01")),
        ("minima of three classes of different size", any(5, "aB01").require(1, "a").require(1, "B").require(1, "01")),
        ("minima that fill the length", {
            any(4, "abcAB0!@").require(1, "abc").require(1, "AB").require(1, "0").require(1, "!@")
        }),
        ("a large minimum", any(5, "ab01").require(1, "ab").require(3, "01")),
        ("different minima", any(6, "aAB01!").require(2, "a").require(2, "01").require(1, "!")),
        ("a required space", any(5, "ab ").require(1, " ")),
        ("no identical neighbours", any(6, "abc").max_repeating(1)),
        ("runs of two, two digits", any(5, "abDE01").require(2, "01").max_repeating(2)),
        ("no identical neighbours, a large minimum", any(5, "ab01").require(3, "ab").max_repeating(1)),
        ("runs of three", any(6, "a01").require(1, "a").max_repeating(3)),
        ("no neighbours", any(4, "abcd0").max_sequential(1)),
        (
            "two neighbours, no identical ones, a minimum",
            any(5, "abc01").require(2, "01").max_repeating(1).max_sequential(2),
        ),
        ("no neighbours, a letter first", any(4, "abcAB").max_sequential(1).start("abc")),
        ("two of three classes, no neighbours", any(4, "abA01").min_classes(2, &["ab", "A", "01"]).max_sequential(1)),
        ("no repeats", any(4, "abAB01").no_repeats()),
        ("no repeats, minima", any(4, "abcAB01").require(1, "AB").require(2, "01").no_repeats()),
        ("a letter first", any(4, "abcDE01").require(1, "01").start("abcDE")),
        ("a digit first, a minimum of digits", any(4, "ab012").require(3, "012").start("012")),
        ("a letter first, no identical neighbours", any(5, "abD01").require(2, "01").max_repeating(1).start("abD")),
        ("a letter first, no repeats", any(4, "abcD01").require(2, "01").start("abcD").no_repeats()),
        ("some of a class first, no repeats", any(4, "abcd01").require(2, "abcd").start("ab").no_repeats()),
        ("two of three classes", any(4, "abAB01").min_classes(2, &["ab", "AB", "01"])),
        ("three of four classes, two digits", {
            any(4, "abAB01!").min_classes(3, &["ab", "AB", "01", "!"]).require(2, "01")
        }),
        ("two of three classes, a letter first", any(4, "abA01").min_classes(2, &["ab", "A", "01"]).start("abA")),
        ("two of three classes, no identical neighbours, a digit first", {
            any(5, "abA01").min_classes(2, &["ab", "A", "01"]).max_repeating(1).start("01")
        }),
        ("overlapping sets", any(4, "abcd01").require(2, "abc").require(2, "cd0")),
        ("nested sets", any(5, "abc01").require(1, "a").require(3, "abc")),
        ("overlapping sets, no identical neighbours", {
            any(5, "ab01").require(1, "ab").require(1, "b0").max_repeating(1)
        }),
        ("overlapping sets, no repeats, a start", {
            any(4, "abcd01").require(1, "abc").require(2, "cd0").start("ac0").no_repeats()
        }),
    ]
}

/// Every password of a specification, found by checking all texts over its pool.
pub fn list_passwords(spec: &PasswordSpec) -> Vec<String> {
    let pool: Vec<char> = spec.pool.bytes().map(char::from).collect();
    let mut texts = vec![String::new()];
    for _ in 0..spec.length {
        texts = texts.iter().flat_map(|text| pool.iter().map(move |one| format!("{text}{one}"))).collect();
    }
    texts.retain(|text| verify(spec, text).is_ok());
    texts
}
