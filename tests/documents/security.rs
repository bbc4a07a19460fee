//! The references of `SECURITY.md` and `docs/asvs.md` to source files, tests and settings.

use crate::files::{absolute, read};
use crate::markdown::{code_spans, prose};

const DOCUMENTS: [&str; 2] = ["SECURITY.md", "docs/asvs.md"];

/// Checks a reference: `path`, or `path: test`.
fn resolve(reference: &str) -> Result<(), String> {
    let (path, test) = reference.split_once(": ").map_or((reference, None), |(path, test)| (path, Some(test)));
    if !absolute(path).is_file() {
        return Err(format!("{path} does not exist"));
    }
    let Some(test) = test else { return Ok(()) };
    let source = read(path);
    let heads = [format!("fn {test}("), format!("def {test}("), format!("test(\"{test}\",")];
    let is_test = heads.iter().any(|head| source.contains(head));
    if is_test { Ok(()) } else { Err(format!("{path} has no test {test}")) }
}

#[test]
fn every_file_and_test_that_the_documents_name_exists() {
    let (mut tests, mut sources) = (0, 0);
    let mut broken = Vec::new();
    for document in DOCUMENTS {
        for (number, line) in prose(&read(document)) {
            for span in code_spans(line) {
                let is_test = span.starts_with("tests/");
                let is_file = ["src/", "docs/", "dev/", "benches/"].iter().any(|folder| span.starts_with(folder));
                let is_root_file = ["Cargo.toml", "Cargo.lock", "deny.toml", "template.yaml"].contains(&span);
                if is_test || is_file || is_root_file {
                    *(if is_test { &mut tests } else { &mut sources }) += 1;
                    if let Err(reason) = resolve(span) {
                        broken.push(format!("{document}:{number}: {reason}"));
                    }
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(tests >= 60 && sources >= 20, "only {tests} tests and {sources} other files found");
}

/// "configuration: FILE, NAME" refers to a part of the template.
#[test]
fn every_configuration_that_the_documents_name_exists() {
    let text = DOCUMENTS.map(read).concat();
    let mut found = 0;
    for reference in text.split("| configuration: ").skip(1) {
        let reference = reference.split(" |").next().unwrap();
        let (file, name) = reference.split_once(", ").unwrap();
        let is_key = |line: &str| line.trim_start().strip_prefix(name).is_some_and(|rest| rest.starts_with(':'));
        assert!(read(file).lines().any(is_key), "{file} has no {name}");
        found += 1;
    }
    assert!(found >= 3, "only {found} references found");
}

#[test]
fn reference_to_missing_file_or_test_is_rejected() {
    assert!(resolve("src/no_such_file.rs").is_err());
    assert!(resolve("tests/documents/security.rs: no_such_test").is_err());
    let this_test = "tests/documents/security.rs: reference_to_missing_file_or_test_is_rejected";
    assert_eq!(resolve(this_test), Ok(()));
}
