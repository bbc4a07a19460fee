//! Files of the project, by their path relative to its root, with `/` as separator.

use std::fs;
use std::path::{Path, PathBuf};

/// The absolute path of a file.
pub(crate) fn absolute(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The text of a file.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(absolute(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The files and folders in a folder: the path, and whether it is a folder.
fn entries(folder: &str) -> Vec<(String, bool)> {
    let entry = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap();
        let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        (path, entry.file_type().unwrap().is_dir())
    };
    fs::read_dir(absolute(folder)).unwrap().map(|found| entry(found.unwrap())).collect()
}

/// The files in a folder and its subfolders, in order.
pub(crate) fn list(folder: &str) -> Vec<String> {
    let entries = entries(folder).into_iter();
    let mut files: Vec<String> =
        entries.flat_map(|(path, is_folder)| if is_folder { list(&path) } else { vec![path] }).collect();
    files.sort();
    files
}

/// The files with an extension, in a folder and its subfolders.
pub(crate) fn list_by_extension(folder: &str, extension: &str) -> Vec<String> {
    let mut files = list(folder);
    files.retain(|path| Path::new(path).extension().is_some_and(|found| found == extension));
    files
}

/// Resolves `.` and `..` in a path; `None` if it leaves the project.
pub(crate) fn normalize(path: &str) -> Option<String> {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[test]
fn normalize_of_path_with_dots_resolves_them() {
    for (path, normalized) in [
        ("docs/a.md", Some("docs/a.md")),
        ("docs/./a.md", Some("docs/a.md")),
        ("docs/decisions/../a.md", Some("docs/a.md")),
        ("docs/..", Some("")),
        ("docs/../../a.md", None),
    ] {
        assert_eq!(normalize(path).as_deref(), normalized, "{path}");
    }
}
