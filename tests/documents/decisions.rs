//! The decision records: each has a status, and the architecture lists it.

use crate::files::{list_by_extension, read};

/// The status of a record is its third line.
fn has_status(record: &str) -> bool {
    let status = record.lines().nth(2).and_then(|line| line.strip_prefix("Status: ")).unwrap_or_default();
    status == "accepted" || status.starts_with("superseded by [")
}

#[test]
fn each_decision_has_a_status_and_is_listed() {
    let architecture = read("docs/architecture.md");
    let records = list_by_extension("docs/decisions", "md");
    assert!(records.len() >= 6, "{records:?}");
    for path in records {
        assert!(has_status(&read(&path)), "{path} has no status");
        let link = path.trim_start_matches("docs/");
        assert!(architecture.contains(&format!("({link})")), "docs/architecture.md does not list {path}");
    }
}

#[test]
fn record_without_a_known_status_is_rejected() {
    assert!(has_status("# 1\n\nStatus: superseded by [0002](0002-other.md)\n"));
    for text in ["# 1\n\n## Context\n", "# 1\n\nStatus: proposed\n", "# 1\n"] {
        assert!(!has_status(text), "{text}");
    }
}
