//! Words that were replaced do not come back.

use crate::files::{list, list_project, numbered_lines};

/// This file contains the words, so it is not checked.
const THIS_FILE: &str = "tests/documents/wording.rs";

/// Old names of types, functions and settings, and words of the old style.
const REPLACED: [&str; 12] = [
    "ladder",
    "rungs",
    "said_of_classes",
    "badly_ended",
    "let_blanks_out",
    "pepper",
    "peppers",
    "strangers",
    "barred",
    "doublets",
    "whoever",
    "nobody",
];

/// The removed second way of counting, which only its decision record and the changelog mention.
const LEASES: [&str; 4] = ["lease", "leases", "leased", "leasing"];

/// The words of a line in lowercase: identifiers, and their parts by underscore and capital letter.
fn words(line: &str) -> Vec<String> {
    let is_separator = |character: char| !character.is_alphanumeric() && character != '_';
    let mut words = Vec::new();
    for identifier in line.split(is_separator).filter(|word| !word.is_empty()) {
        words.push(identifier.to_lowercase());
        let mut part = String::new();
        let mut after_lowercase = false;
        for character in identifier.chars() {
            if character == '_' || (character.is_uppercase() && after_lowercase) {
                words.push(std::mem::take(&mut part));
            }
            after_lowercase = character.is_lowercase();
            part.extend(character.to_lowercase().filter(|character| *character != '_'));
        }
        words.push(part);
    }
    words
}

/// Where files contain one of the words, as `path:line: word`.
fn find(paths: impl IntoIterator<Item = String>, searched: &[&str], is_exempt: fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for path in paths {
        for (number, line) in numbered_lines(&path).into_iter().filter(|(_, line)| !is_exempt(line)) {
            let mut words = words(&line);
            words.retain(|word| searched.contains(&word.as_str()));
            if let Some(word) = words.first() {
                found.push(format!("{path}:{number}: {word}"));
            }
        }
    }
    found
}

#[test]
fn replaced_words_appear_in_no_source_test_or_document() {
    let mut paths: Vec<String> = ["src", "tests", "docs"].into_iter().flat_map(list).collect();
    paths.extend(["README.md", "template.yaml", "Makefile"].map(str::to_owned));
    paths.retain(|path| path != THIS_FILE);
    let found = find(paths, &REPLACED, |_| false);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn leases_appear_only_in_their_decision_record_and_the_changelog() {
    let is_record = |path: &str| path.starts_with("docs/decisions/") && path.contains("lease");
    let paths =
        list_project().into_iter().filter(|path| path != THIS_FILE && path != "CHANGELOG.md" && !is_record(path));
    // A list of the decision records may name this one, and the answers of Vault's API have such members.
    let is_permitted =
        |line: &str| ["no-lease.md", "lease_id", "lease_duration"].iter().any(|name| line.contains(name));
    let found = find(paths, &LEASES, is_permitted);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn words_of_line_are_whole_words_and_parts_of_identifiers() {
    assert_eq!(words("KEY_SECRET, read"), ["key_secret", "key", "secret", "read", "read"]);
    assert_eq!(words("SecretReading"), ["secretreading", "secret", "reading"]);
    assert_eq!(words("a release"), ["a", "a", "release", "release"]);
}
