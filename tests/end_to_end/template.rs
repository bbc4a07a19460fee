//! `template.yaml`: its metric filters and saved queries match what the audit log writes, and its throttles are
//! documented.

use std::collections::BTreeSet;

use passloom::audit::{Event, Reason};

const TEMPLATE: &str = include_str!("../../template.yaml");

/// The texts in double quotes that directly follow an operand, such as `$.reason = `.
fn compared_with(operand: &str) -> BTreeSet<&'static str> {
    let rest = TEMPLATE.split(operand).skip(1);
    rest.filter_map(|rest| rest.strip_prefix('"')?.split('"').next()).collect()
}

/// The texts in the lists that a saved query compares a field with: `filter event in ["…", "…"]`.
fn listed_for(field: &str) -> BTreeSet<&'static str> {
    let operand = format!("filter {field} in [");
    let lists = TEMPLATE.split(&operand).skip(1);
    let lists = lists.filter_map(|rest| rest.split(']').next());
    lists.flat_map(|list| list.split(',').map(|one| one.trim().trim_matches('"'))).collect()
}

/// Whether a pattern matches audit lines. The text of a line is the name of a reason, or the name, ": " and a detail.
/// In a pattern, `*` at the end stands for any text.
fn matches_a_reason(pattern: &str) -> bool {
    let mut names = Reason::ALL.into_iter().map(Reason::name);
    match pattern.strip_suffix('*') {
        Some(prefix) => match prefix.split_once(':') {
            Some((name, _)) => names.any(|known| known == name),
            None => names.any(|known| known.starts_with(prefix)),
        },
        None => names.any(|known| known == pattern.split(": ").next().unwrap_or_default()),
    }
}

#[test]
fn each_reason_in_the_template_is_written_by_the_function() {
    let patterns = compared_with("$.reason = ");
    assert!(patterns.len() >= 5, "{patterns:?}");
    let unknown: Vec<_> = patterns.iter().filter(|pattern| !matches_a_reason(pattern)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn each_event_in_the_template_is_written_by_the_function() {
    let names = compared_with("$.event = ").into_iter().chain(listed_for("event")).collect::<BTreeSet<_>>();
    assert!(names.len() >= 4, "{names:?}");
    let known = Event::ALL.map(Event::name);
    let unknown: Vec<_> = names.iter().filter(|name| !known.contains(name)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn secrets_are_counted_and_listed_by_the_events_that_have_them() {
    let secrets = Event::SECRETS.map(Event::name);
    let metric = TEMPLATE.split_once("  GeneratedMetric:\n").unwrap().1.split_once("FilterPattern: ").unwrap().1;
    let pattern = secrets.map(|name| format!("$.event = \"{name}\"")).join(" || ");
    assert!(metric.starts_with(&format!("'{{ {pattern} }}'\n")), "{pattern}");
    let listed = format!("filter event in [\"{}\"]\n", secrets.join("\", \""));
    assert_eq!(TEMPLATE.matches(&listed).count(), 2);
    assert_eq!(TEMPLATE.matches("filter event in [").count(), 2);
}

/// The throttles of `docs/operations.md`: a route, the requests a second, the burst.
fn documented_throttles() -> BTreeSet<String> {
    let operations = include_str!("../../docs/operations.md");
    let table = operations.split_once("| Requests | A second | Burst |").unwrap().1;
    // The rest of the first row, and the row of hyphens, come before the cells.
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let mut throttles = BTreeSet::new();
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let routes = cells[1].split('`').skip(1).step_by(2);
        throttles.extend(routes.map(|route| format!("{route}: {}, {}", cells[2], cells[3])));
    }
    throttles
}

#[test]
fn each_throttle_in_the_template_is_documented() {
    let settings = TEMPLATE.split_once("      RouteSettings:\n").unwrap().1;
    let lines = settings.lines().take_while(|line| line.starts_with("        ")).map(str::trim);
    let throttles = lines.filter(|line| !line.starts_with('#')).map(|line| {
        let (route, limits) = line.split_once(": { ThrottlingRateLimit: ").unwrap();
        let (rate, burst) = limits.trim_end_matches(" }").split_once(", ThrottlingBurstLimit: ").unwrap();
        format!("{}: {rate}, {burst}", route.trim_start_matches("ANY ").replace("{proxy+}", "…"))
    });
    assert_eq!(documented_throttles(), throttles.collect());
}

#[test]
fn reason_pattern_matches_only_known_names() {
    for (pattern, matches) in [
        ("rate-limited", true),
        ("store:*", true),
        ("store: no connection", true),
        ("malformed*", true),
        ("rate-limit", false),
        ("stores:*", false),
        ("unknown:*", false),
        ("nothing*", false),
    ] {
        assert_eq!(matches_a_reason(pattern), matches, "{pattern}");
    }
}
