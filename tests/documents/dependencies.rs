//! Dependencies between the source files: no cycles, one direction between modules, and proofs made only where they may be.
//!
//! A file depends on another if its code has a path to it: `crate::…`, `super::…`, `self::…`, or `child::…` in a file
//! with child modules. The path leads to the file of the deepest module on it, so a path that ends in a re-export
//! leads to the `mod.rs` with the re-export. A module of tests at the end of a file is ignored.

use std::collections::{BTreeMap, BTreeSet};

use crate::files::{list_by_extension, read};

/// The files that each file depends on.
type Graph = BTreeMap<String, BTreeSet<String>>;

/// The module of a file in `src`, as the names from the crate to it.
fn module_of(path: &str) -> Vec<String> {
    let path = path.strip_prefix("src/").unwrap().strip_suffix(".rs").unwrap();
    let mut names: Vec<String> = path.split('/').map(str::to_owned).collect();
    if names.last().is_some_and(|name| name == "mod") || names == ["lib"] {
        names.pop();
    }
    names
}

/// The code of a file without comments, its module of tests at the end, and `in` paths of visibilities.
fn code(source: &str) -> String {
    let code = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = code.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n").replace("pub(in crate::", "pub(in ")
}

/// Every path of the code, as a list of names. `use a::{b, c::d}` gives `a::b` and `a::c::d`. The `use<…>` of a return
/// type has none.
fn paths(code: &str) -> Vec<Vec<String>> {
    let mut tokens = Vec::new();
    let mut rest = code;
    while let Some(character) = rest.chars().next() {
        let is_name = |character: char| character.is_alphanumeric() || character == '_';
        let length = if is_name(character) {
            rest.find(|character| !is_name(character)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            character.len_utf8()
        };
        if !character.is_whitespace() {
            tokens.push(&rest[..length]);
        }
        rest = &rest[length..];
    }
    let mut paths = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at] == "use" && tokens.get(at + 1) != Some(&"<") {
            at += 1;
            read_tree(&tokens, &mut at, &[], &mut paths);
        } else if tokens.get(at + 1) == Some(&"::") {
            let mut path = vec![tokens[at].to_owned()];
            while tokens.get(at + 1) == Some(&"::") && at + 2 < tokens.len() {
                path.push(tokens[at + 2].to_owned());
                at += 2;
            }
            paths.push(path);
        }
        at += 1;
    }
    paths
}

/// Reads one path of a `use` declaration, with the paths in its braces.
fn read_tree(tokens: &[&str], at: &mut usize, prefix: &[String], paths: &mut Vec<Vec<String>>) {
    let mut path = prefix.to_vec();
    while let Some(&token) = tokens.get(*at) {
        match token {
            "{" => {
                *at += 1;
                while tokens.get(*at).is_some_and(|token| !["}", ";"].contains(token)) {
                    read_tree(tokens, at, &path, paths);
                    if tokens.get(*at) == Some(&",") {
                        *at += 1;
                    }
                }
                *at += 1;
                return;
            }
            "," | "}" | ";" => break,
            "as" => *at += 1,
            "::" => {}
            name => path.push(name.to_owned()),
        }
        *at += 1;
    }
    paths.push(path);
}

/// The file that a path leads to: that of the deepest module on it.
fn resolve(path: &[String], module: &[String], modules: &BTreeMap<Vec<String>, String>) -> Option<String> {
    let mut current = module.to_vec();
    let mut names = path.iter().map(String::as_str).peekable();
    match names.peek().copied()? {
        "crate" | "passloom" => {
            current = Vec::new();
            names.next();
        }
        "self" => {
            names.next();
        }
        "super" => {
            while names.next_if_eq(&"super").is_some() {
                current.pop();
            }
        }
        // A child module, or else a type, a function or another crate.
        name => {
            let child = [module, &[name.to_owned()]].concat();
            modules.get(&child)?;
        }
    }
    for name in names {
        let child = [current.as_slice(), &[name.to_owned()]].concat();
        if !modules.contains_key(&child) {
            break;
        }
        current = child;
    }
    modules.get(&current).cloned()
}

fn graph(sources: &BTreeMap<String, String>) -> Graph {
    let modules: BTreeMap<Vec<String>, String> = sources.keys().map(|path| (module_of(path), path.clone())).collect();
    let dependencies = |path: &String, source: &str| {
        let module = module_of(path);
        let targets = paths(&code(source)).into_iter().filter_map(|found| resolve(&found, &module, &modules));
        targets.filter(|target| target != path).collect()
    };
    sources.iter().map(|(path, source)| (path.clone(), dependencies(path, source))).collect()
}

fn graph_of_project() -> Graph {
    // The binaries are crates of their own, on which no file of the library depends.
    let files = list_by_extension("src", "rs").into_iter();
    let files = files.filter(|path| !path.starts_with("src/bin/") && path != "src/main.rs");
    graph(&files.map(|path| (path.clone(), read(&path))).collect())
}

/// The files of a cycle, the first one again at its end.
fn find_cycle(graph: &Graph) -> Option<Vec<String>> {
    fn visit(file: &str, graph: &Graph, stack: &mut Vec<String>, done: &mut BTreeSet<String>) -> Option<Vec<String>> {
        if let Some(begin) = stack.iter().position(|open| open == file) {
            return Some([&stack[begin..], &[file.to_owned()]].concat());
        }
        if done.contains(file) {
            return None;
        }
        stack.push(file.to_owned());
        let cycle = graph[file].iter().find_map(|next| visit(next, graph, stack, done));
        stack.pop();
        done.insert(file.to_owned());
        cycle
    }
    let mut done = BTreeSet::new();
    graph.keys().find_map(|file| visit(file, graph, &mut Vec::new(), &mut done))
}

#[test]
fn source_files_have_no_dependency_cycle() {
    let graph = graph_of_project();
    let dependencies: usize = graph.values().map(BTreeSet::len).sum();
    assert!(graph.len() >= 50 && dependencies >= 100, "only {dependencies} dependencies of {} files", graph.len());
    let cycle = find_cycle(&graph);
    assert!(cycle.is_none(), "{}", cycle.unwrap_or_default().join("\n -> "));
}

/// The modules that a module may use. `docs/architecture.md` draws them.
fn uses(module: &str) -> &'static [&'static str] {
    match module {
        "service" => &["dialects", "operations", "admission", "http", "store", "password", "access", "audit", "clock"],
        "dialects" => &["operations", "admission", "http", "password", "access", "clock", "invisible"],
        "operations" => &["admission", "http", "password", "access", "audit", "clock", "invisible"],
        "admission" => &["store", "http", "password", "access", "audit", "clock"],
        "http" => &["password", "access", "audit", "invisible"],
        "store" => &["access", "clock"],
        "settings" => &["http", "store", "access"],
        _ => &[],
    }
}

#[test]
fn modules_use_only_the_modules_below_them() {
    let module = |path: &str| module_of(path).into_iter().next().unwrap_or_default();
    let permitted = |from: &str, to: &str| from == to || to == "steps" || uses(from).contains(&to);
    let graph = graph_of_project();
    let edges = graph.iter().filter(|(from, _)| *from != "src/lib.rs");
    let edges = edges.flat_map(|(from, targets)| targets.iter().map(move |to| (from, to)));
    let found: Vec<String> = edges
        .filter(|(from, to)| !permitted(&module(from), &module(to)))
        .map(|(from, to)| format!("{from} -> {to}"))
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
    let drawn = read("docs/architecture.md");
    for name in ["service", "dialects", "operations", "admission", "http", "store"] {
        let others = uses(name).iter().filter(|one| !["clock", "invisible"].contains(one));
        let arrow = format!("    {name} --> {}\n", others.copied().collect::<Vec<_>>().join(" & "));
        assert!(drawn.contains(&arrow), "docs/architecture.md does not draw\n{arrow}");
    }
}

/// What makes a proof, or goes around one, and the files that may name it.
const CONSTRUCTORS: [(&str, &[&str]); 8] = [
    ("Authenticated(", &["src/access/authentication.rs"]),
    (".authenticate(", &["src/service/mod.rs"]),
    ("Admitted {", &["src/admission/admitted.rs"]),
    (".admit(", &["src/admission/admitted.rs", "src/service/mod.rs"]),
    ("Recorded(", &["src/audit/log.rs"]),
    ("audit().write(", &["src/admission/change.rs", "src/service/mod.rs"]),
    ("change_policies(", &["src/admission/change.rs", "src/store/callers.rs", "src/store/policies.rs"]),
    ("SysRng", &["src/admission/admitted.rs"]),
];

#[test]
fn proofs_are_made_only_where_the_order_of_a_request_is_kept() {
    let files = list_by_extension("src", "rs").into_iter().filter(|path| !path.starts_with("src/bin/"));
    let sources: Vec<(String, String)> = files.map(|path| (path.clone(), code(&read(&path)))).collect();
    let documented = read("docs/architecture.md");
    for (name, permitted) in CONSTRUCTORS {
        let found = sources.iter().filter(|(_, code)| code.contains(name)).map(|(path, _)| path.as_str());
        assert_eq!(found.collect::<BTreeSet<_>>(), permitted.iter().copied().collect(), "{name}");
        let proof = name.trim_matches(|mark| "(.{ ".contains(mark));
        assert!(documented.contains(proof), "docs/architecture.md does not say who may name {proof}");
    }
}

#[test]
fn dependencies_of_example_are_found_and_its_cycle_too() {
    let sources: BTreeMap<String, String> = [
        ("src/lib.rs", "pub mod a;\npub mod b;\n"),
        ("src/a/mod.rs", "mod x;\nmod y;\npub use x::{Thing, y_is_no_module};\n"),
        ("src/a/x.rs", "use super::y::{self, f as g};\nfn f() { crate::b::f(\"crate::a::y\"); }\n"),
        (
            "src/a/y.rs",
            "// use crate::b;\npub(in crate::b) fn f() {}\n#[cfg(test)]\nmod tests {\n    use crate::b;\n}\n",
        ),
        ("src/b.rs", "use std::{fmt, io};\nconst QUOTE: char = '\"';\nuse crate::{\n    a::Thing,\n};\n"),
    ]
    .map(|(path, source)| (path.to_owned(), source.to_owned()))
    .into();
    let graph = graph(&sources);
    let targets = |path: &str| graph[path].iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(targets("src/lib.rs"), Vec::<&str>::new());
    assert_eq!(targets("src/a/mod.rs"), ["src/a/x.rs"]);
    assert_eq!(targets("src/a/x.rs"), ["src/a/y.rs", "src/b.rs"]);
    assert_eq!(targets("src/a/y.rs"), Vec::<&str>::new());
    assert_eq!(targets("src/b.rs"), ["src/a/mod.rs"]);
    let cycle = find_cycle(&graph).unwrap();
    assert_eq!(cycle, ["src/a/mod.rs", "src/a/x.rs", "src/b.rs", "src/a/mod.rs"]);
}
