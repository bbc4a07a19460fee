//! Shapes so small that all their texts can be listed.

use passloom::password::{CharSet, Requirement, Shape, Variety, verify};

/// Texts of some length over a pool, without any constraint.
pub fn plain(length: u16, pool: &str) -> Shape {
    Shape {
        length,
        pool: CharSet::of(pool),
        requirements: Vec::new(),
        variety: None,
        max_consecutive: None,
        no_repeats: false,
        start: None,
        end: None,
    }
}

/// Ways to say what a shape demands, for tests that read well.
pub trait Demanding {
    fn least(self, minimum: u16, characters: &str) -> Self;
    fn classes(self, least: usize, classes: &[&str]) -> Self;
    fn runs(self, longest: u16) -> Self;
    fn differing(self) -> Self;
    fn start(self, characters: &str) -> Self;
    fn end(self, characters: &str) -> Self;
}

impl Demanding for Shape {
    fn least(mut self, minimum: u16, characters: &str) -> Self {
        self.requirements.push(Requirement { characters: CharSet::of(characters), minimum });
        self
    }

    fn classes(self, least: usize, classes: &[&str]) -> Self {
        let classes = classes.iter().map(|class| CharSet::of(class)).collect();
        Self { variety: Some(Variety { classes, least }), ..self }
    }

    fn runs(self, longest: u16) -> Self {
        Self { max_consecutive: Some(longest), ..self }
    }

    fn differing(self) -> Self {
        Self { no_repeats: true, ..self }
    }

    fn start(self, characters: &str) -> Self {
        Self { start: Some(CharSet::of(characters)), ..self }
    }

    fn end(self, characters: &str) -> Self {
        Self { end: Some(CharSet::of(characters)), ..self }
    }
}

/// Between them every constraint, alone and with others, and each way of drawing.
pub fn tiny() -> Vec<(&'static str, Shape)> {
    vec![
        ("nothing demanded", plain(4, "abA0!")),
        ("two classes, one free", plain(4, "ab01").least(1, "ab")),
        ("one of each of two", plain(4, "ab01").least(1, "ab").least(1, "01")),
        ("three of different size", plain(5, "aB01").least(1, "a").least(1, "B").least(1, "01")),
        ("four in four places", plain(4, "abcAB0!@").least(1, "abc").least(1, "AB").least(1, "0").least(1, "!@")),
        ("mostly digits", plain(5, "ab01").least(1, "ab").least(3, "01")),
        ("uneven minima", plain(6, "aAB01!").least(2, "a").least(2, "01").least(1, "!")),
        ("no two alike side by side", plain(6, "abc").runs(1)),
        ("runs of two, two digits", plain(5, "abDE01").least(2, "01").runs(2)),
        ("runs of one, most of a kind", plain(5, "ab01").least(3, "ab").runs(1)),
        ("runs of three", plain(6, "a01").least(1, "a").runs(3)),
        ("no character twice", plain(4, "abAB01").differing()),
        ("no character twice, one of each", plain(4, "abcAB01").least(1, "AB").least(2, "01").differing()),
        ("a letter first", plain(4, "abcDE01").least(1, "01").start("abcDE")),
        ("a digit first, all but one of them", plain(4, "ab012").least(3, "012").start("012")),
        ("a letter first, runs of one", plain(5, "abD01").least(2, "01").runs(1).start("abD")),
        ("a letter first, none twice", plain(4, "abcD01").least(2, "01").start("abcD").differing()),
        ("some letters first, none twice", plain(4, "abcd01").least(2, "abcd").start("ab").differing()),
        ("two of three classes", plain(4, "abAB01").classes(2, &["ab", "AB", "01"])),
        ("three of four, one of them at least twice", {
            plain(4, "abAB01!").classes(3, &["ab", "AB", "01", "!"]).least(2, "01")
        }),
        ("two of three, runs of one, a digit first", {
            plain(5, "abA01").classes(2, &["ab", "A", "01"]).runs(1).start("01")
        }),
        ("overlapping sets", plain(4, "abcd01").least(2, "abc").least(2, "cd0")),
        ("nested sets", plain(5, "abc01").least(1, "a").least(3, "abc")),
        ("overlapping sets, runs of one", plain(5, "ab01").least(1, "ab").least(1, "b0").runs(1)),
        ("no blank at the ends", plain(4, "ab1 ").least(1, "1 ").start("ab1").end("ab1")),
        ("no blank at the ends, runs of one", plain(5, "ab ").least(1, " ").runs(1).start("ab").end("ab")),
        ("a digit last, none twice", plain(4, "abc012").least(2, "012").end("012").differing()),
        ("a letter first, a digit last, two of three", {
            plain(4, "abA01").classes(2, &["ab", "A", "01"]).start("abA").end("01")
        }),
        ("overlapping sets, none twice, a start", {
            plain(4, "abcd01").least(1, "abc").least(2, "cd0").start("ac0").differing()
        }),
    ]
}

/// Every text over the pool that satisfies.
pub fn members(shape: &Shape) -> Vec<String> {
    let pool: Vec<char> = shape.pool.bytes().map(char::from).collect();
    let mut texts = vec![String::new()];
    for _ in 0..shape.length {
        texts = texts.iter().flat_map(|text| pool.iter().map(move |one| format!("{text}{one}"))).collect();
    }
    texts.retain(|text| verify(shape, text).is_ok());
    texts
}
