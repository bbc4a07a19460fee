//! Reads the parts of Markdown that the checks need: code blocks, links, headings and their anchors.

use std::collections::{HashMap, HashSet};

/// The lines outside code blocks, with their numbers.
pub(crate) fn prose(text: &str) -> Vec<(usize, &str)> {
    let mut fence: Option<&str> = None;
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim_start();
        let marker = ["```", "~~~"].into_iter().find(|marker| trimmed.starts_with(marker));
        match (fence, marker) {
            (None, Some(_)) => fence = marker,
            (Some(open), Some(marker)) if open == marker => fence = None,
            (Some(_), _) => {}
            (None, None) => lines.push((index + 1, line)),
        }
    }
    lines
}

/// The parts of a line between backticks.
pub(crate) fn code_spans(line: &str) -> Vec<&str> {
    line.split('`').skip(1).step_by(2).collect()
}

/// A line without its code spans.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("``")
}

/// The targets of the links and images of a line: `[text](target)`, `[name]: target`, `href="target"`, `src="target"`.
pub(crate) fn link_targets(line: &str) -> Vec<String> {
    let line = without_code(line);
    let mut targets = Vec::new();
    for (opening, closing) in [("](", ')'), ("href=\"", '"'), ("src=\"", '"')] {
        let parts = line.split(opening).skip(1);
        targets.extend(parts.filter_map(|rest| rest.split(closing).next()));
    }
    if let Some((name, target)) = line.split_once("]: ")
        && name.starts_with('[')
    {
        targets.push(target);
    }
    // A title may follow the target.
    let target = |text: &str| text.split_whitespace().next().unwrap_or_default().trim_matches(['<', '>']).to_owned();
    targets.into_iter().map(target).filter(|target| !target.is_empty()).collect()
}

/// A line without its links and images.
pub(crate) fn without_links(line: &str) -> String {
    let mut rest = line.to_owned();
    // The innermost link first, because an image can be the text of a link.
    while let Some(middle) = rest.find("](") {
        let Some(end) = rest[middle..].find(')') else { break };
        let Some(begin) = rest[..middle].rfind('[') else { break };
        rest.replace_range(begin..=middle + end, "");
    }
    rest
}

/// The anchors of a document, by GitHub's rule, and those of its `id` and `name` attributes.
pub(crate) fn anchors(text: &str) -> HashSet<String> {
    let mut anchors = HashSet::new();
    let mut headings: HashMap<String, usize> = HashMap::new();
    for (_, line) in prose(text) {
        for attribute in ["id=\"", "name=\""] {
            anchors.extend(line.split(attribute).skip(1).filter_map(|rest| Some(rest.split('"').next()?.to_owned())));
        }
        let level = line.bytes().take_while(|byte| *byte == b'#').count();
        if let (1..=6, Some(heading)) = (level, line[level..].strip_prefix(' ')) {
            let anchor = heading_anchor(heading);
            let repeated = headings.entry(anchor.clone()).or_default();
            anchors.insert(if *repeated == 0 { anchor } else { format!("{anchor}-{repeated}") });
            *repeated += 1;
        }
    }
    anchors
}

/// The anchor of a heading: its text in lowercase, without punctuation, with hyphens for spaces.
fn heading_anchor(heading: &str) -> String {
    let mut text = heading.trim().trim_end_matches('#').trim_end().to_owned();
    // Of a link, only the text counts.
    while let Some(middle) = text.find("](") {
        let Some(end) = text[middle..].find(')') else { break };
        text.replace_range(middle..=middle + end, "");
    }
    let kept = |character: &char| character.is_alphanumeric() || matches!(character, ' ' | '-' | '_');
    text.to_lowercase().chars().filter(kept).map(|character| if character == ' ' { '-' } else { character }).collect()
}

#[test]
fn heading_anchor_follows_the_rule_of_github() {
    for (heading, anchor) in [
        ("Rate limiting", "rate-limiting"),
        ("What `min_entropy` does", "what-min_entropy-does"),
        ("Load balancer, HTTP API & REST API", "load-balancer-http-api--rest-api"),
        ("OWASP ASVS 5.0.0", "owasp-asvs-500"),
        ("[Links](docs/a.md) count by text", "links-count-by-text"),
        ("0006: No limit?", "0006-no-limit"),
    ] {
        assert_eq!(heading_anchor(heading), anchor, "{heading}");
    }
}

#[test]
fn anchors_of_repeated_headings_are_numbered() {
    let found = anchors("# A\n## B\n```\n# not a heading\n```\n## B\n<a id=\"c\"></a>\n#no heading\n");
    assert_eq!(found, ["a", "b", "b-1", "c"].map(str::to_owned).into());
}

#[test]
fn link_targets_of_line_are_found_outside_code() {
    for (line, targets) in [
        ("see [a](a.md) and [b](b.md#c).", vec!["a.md", "b.md#c"]),
        ("[![image](x.svg)](y.md \"title\")", vec!["x.svg", "y.md"]),
        ("`[a](a.md)` is code", vec![]),
        ("[`a`](a.md)", vec!["a.md"]),
        ("[a]: https://example.com", vec!["https://example.com"]),
        ("<img src=\"a.svg\" alt=\"\">", vec!["a.svg"]),
    ] {
        assert_eq!(link_targets(line), targets, "{line}");
    }
}

#[test]
fn without_links_of_nested_links_leaves_the_rest() {
    assert_eq!(without_links("[![image](x.svg)](y.md) | [a](a.md), b"), " | , b");
}
