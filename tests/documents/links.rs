//! Links between the documents.

use crate::files::{absolute, list_by_extension, normalize, read};
use crate::markdown::{anchors, code_spans, link_targets, prose};

fn documents() -> Vec<String> {
    let mut documents = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"].map(str::to_owned).to_vec();
    documents.extend(list_by_extension("docs", "md"));
    documents
}

#[test]
fn every_relative_link_and_anchor_resolves() {
    let mut broken = Vec::new();
    let mut links = 0;
    for document in &documents() {
        let text = read(document);
        for (number, line) in prose(&text) {
            for target in link_targets(line) {
                if ["https://", "http://", "mailto:"].iter().any(|scheme| target.starts_with(scheme)) {
                    continue;
                }
                links += 1;
                if let Err(reason) = resolve(document, &target) {
                    broken.push(format!("{document}:{number}: {target}: {reason}"));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(links >= 30, "only {links} links found");
}

/// Code spans such as `src/lib.rs`, except in the changelog, which names files of the past.
#[test]
fn every_file_that_a_document_names_exists() {
    let folders = ["src/", "tests/", "docs/", "benches/", "dev/", "events/"];
    let mut missing = Vec::new();
    for document in documents().iter().filter(|document| *document != "CHANGELOG.md") {
        for (number, line) in prose(&read(document)) {
            for span in code_spans(line) {
                // A test can follow the file. A pattern is not a file.
                let path = span.split(": ").next().unwrap_or_default();
                let is_path = folders.iter().any(|folder| path.starts_with(folder));
                if is_path && !path.contains(['*', '<', '…', ' ']) && !absolute(path).exists() {
                    missing.push(format!("{document}:{number}: {path}"));
                }
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// Checks that a relative link in a document leads to a file or folder, and to a heading if it has an anchor.
fn resolve(document: &str, target: &str) -> Result<(), String> {
    let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let folder = document.rsplit_once('/').map_or("", |(folder, _)| folder);
    let path = if path.is_empty() {
        document.to_owned()
    } else {
        normalize(&format!("{folder}/{path}")).ok_or("outside the project")?
    };
    if !absolute(&path).exists() {
        return Err(format!("{path} does not exist"));
    }
    let is_markdown = path.rsplit_once('.').is_some_and(|(_, extension)| extension == "md");
    match anchor {
        None => Ok(()),
        Some(_) if !is_markdown => Err("an anchor of a file that is not Markdown".into()),
        Some(anchor) if anchors(&read(&path)).contains(anchor) => Ok(()),
        Some(anchor) => Err(format!("{path} has no heading with the anchor {anchor}")),
    }
}

#[test]
fn broken_link_or_anchor_is_rejected() {
    assert!(resolve("README.md", "docs/no-such-file.md").is_err());
    assert!(resolve("README.md", "../outside.md").is_err());
    assert!(resolve("SECURITY.md", "#no-such-heading").is_err());
    assert_eq!(resolve("SECURITY.md", "#threats"), Ok(()));
}
