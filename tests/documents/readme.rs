//! The size of the README and of all documents together, and what the README says about dependencies.

use crate::files::{list_by_extension, read};
use crate::markdown::{prose, without_links};

const MAX_LINES: usize = 150;
const MAX_WIDTH: usize = 100;
const MAX_WORDS: usize = 29_000;

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

/// The crates that the README names are used under their own names.
#[test]
fn named_crates_are_direct_dependencies() {
    let (readme, manifest) = (read("README.md"), read("Cargo.toml"));
    let dependencies = manifest.split("\n[dependencies]\n").nth(1).unwrap().split("\n[").next().unwrap();
    for name in ["lambda_http", "lambda_runtime", "tokio", "rand", "serde", "serde_json", "aws-sdk-dynamodb"] {
        assert!(readme.contains(&format!("`{name}`")), "{name}");
        assert!(dependencies.lines().any(|line| line.starts_with(&format!("{name} = "))), "{name}");
    }
    for path in list_by_extension("src", "rs") {
        assert!(!read(&path).contains("lambda_http::lambda_runtime"), "{path}");
    }
}

#[test]
fn earlier_name_of_the_random_generator_is_explained() {
    for document in ["README.md", "docs/sampling.md"] {
        let text = read(document).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("`SysRng`, which was called `OsRng` before rand 0.10"), "{document}");
    }
}

/// Each item of the design card is in the table, with a file. `links.rs` checks that the files exist.
#[test]
fn design_card_names_a_file_for_each_item() {
    let text = read("docs/architecture.md");
    let section = text.split("## The design card and this code\n").nth(1).and_then(|rest| rest.split("\n## ").next());
    let rows: Vec<Vec<&str>> = section
        .unwrap()
        .lines()
        .map(|line| line.split(" | ").collect())
        .filter(|row: &Vec<_>| row.len() == 3)
        .collect();
    for item in [
        "`GET /api/generate`",
        "`length`",
        "`lowercase`, `uppercase`, `digits`, `special`",
        "`exclude`",
        "`lambda_http`",
        "`lambda_runtime`",
        "`OsRng`",
        "cargo-lambda",
    ] {
        let row = rows.iter().find(|row| row[0].contains(item));
        assert!(row.is_some_and(|row| row[1].contains("`src/") || row[1].contains("`dev/")), "{item}");
    }
}

/// Except the decisions and the OWASP lists, which are looked up and not read.
#[test]
fn documents_have_at_most_29000_words() {
    let pages = list_by_extension("docs", "md").into_iter();
    let pages = pages.filter(|path| !path.starts_with("docs/decisions/") && path != "docs/asvs.md");
    let documents = ["README.md", "SECURITY.md", "CONTRIBUTING.md"].map(str::to_owned).into_iter().chain(pages);
    let words: usize = documents.map(|path| read(&path).split_whitespace().count()).sum();
    assert!(words <= MAX_WORDS, "the documents have {words} words");
}
