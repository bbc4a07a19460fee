//! The size of the README.

use crate::files::read;
use crate::markdown::{prose, without_links};

const MAX_LINES: usize = 150;
const MAX_WIDTH: usize = 100;

#[test]
fn readme_has_at_most_150_lines() {
    let lines = read("README.md").lines().count();
    assert!(lines <= MAX_LINES, "README.md has {lines} lines");
}

/// Except tables, code blocks, and lines that consist of links.
#[test]
fn readme_has_no_line_over_100_characters() {
    let text = read("README.md");
    let is_table = |line: &str| line.starts_with('|');
    let is_links_only = |line: &str| !without_links(line).chars().any(char::is_alphanumeric);
    let wide: Vec<String> = prose(&text)
        .into_iter()
        .filter(|(_, line)| line.chars().count() > MAX_WIDTH && !is_table(line) && !is_links_only(line))
        .map(|(number, line)| format!("README.md:{number}: {line}"))
        .collect();
    assert!(wide.is_empty(), "{}", wide.join("\n"));
}
