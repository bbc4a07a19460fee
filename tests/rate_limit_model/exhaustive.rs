//! Checks every state that a few requests on two functions can reach, in configurations that keep their number finite.

use std::collections::BTreeSet;

use stateright::{Checker, Expectation, HasDiscoveries, Model, Property};

use crate::function::MAX_CLOCK_SKEW;
use crate::rules::{Rules, ceiling_too_low, short_window, wrong_rules};
use crate::state_space::{Action, Configuration, LimitModel, State};

/// Two requests, and a clock that is ahead by as much as permitted.
const BASE: Configuration = Configuration {
    requests: 2,
    concurrent: 2,
    per_minute: 1,
    stored: true,
    connected: false,
    new_limit: None,
    clock_lead: MAX_CLOCK_SKEW,
    short_steps: 1,
    long_steps: 1,
    failures: 0,
};

/// Each bound is large in some of them. All at once there would be too many states.
const CONFIGURATIONS: [Configuration; 17] = [
    Configuration { short_steps: 2, failures: 1, ..BASE },
    Configuration { clock_lead: 0, short_steps: 2, ..BASE },
    Configuration { long_steps: 2, ..BASE },
    // An administrator raises or lowers the limit.
    Configuration { new_limit: Some(2), ..BASE },
    Configuration { per_minute: 2, new_limit: Some(1), short_steps: 0, failures: 1, ..BASE },
    Configuration { requests: 3, per_minute: 2, new_limit: Some(1), long_steps: 0, failures: 1, ..BASE },
    // The functions write without reading the item.
    Configuration { connected: true, short_steps: 2, failures: 1, ..BASE },
    Configuration { connected: true, per_minute: 2, new_limit: Some(1), short_steps: 0, failures: 1, ..BASE },
    Configuration { connected: true, requests: 3, per_minute: 2, new_limit: Some(1), long_steps: 0, ..BASE },
    Configuration { connected: true, requests: 3, per_minute: 2, short_steps: 0, failures: 1, ..BASE },
    Configuration { connected: true, requests: 3, ..BASE },
    // The item does not exist.
    Configuration { stored: false, failures: 1, ..BASE },
    Configuration { stored: false, per_minute: 2, long_steps: 0, failures: 2, ..BASE },
    // More requests.
    Configuration { requests: 3, ..BASE },
    Configuration { requests: 3, per_minute: 2, short_steps: 0, failures: 1, ..BASE },
    Configuration { requests: 3, per_minute: 3, long_steps: 0, failures: 2, ..BASE },
    Configuration { requests: 4, per_minute: 3, short_steps: 0, ..BASE },
];

/// The first property that does not hold, and the actions after which it does not.
fn counterexample(model: LimitModel, checker: &impl Checker<LimitModel>) -> Option<(&'static str, Vec<Action>)> {
    let properties = model.properties();
    let mut violated = properties.iter().filter(|property| property.expectation == Expectation::Always);
    let (property, path) = violated.find_map(|property| Some((property, checker.discovery(property.name)?)))?;
    let holds = |state: &State| (property.condition)(&model, state);
    // The checker may follow a path past the state that it looks for.
    let steps = path.into_vec().into_iter().take_while(|(state, _)| holds(state));
    Some((property.name, steps.filter_map(|(_, action)| action).collect()))
}

#[test]
#[expect(clippy::print_stdout, reason = "shows the figures of the model")]
fn limit_holds_in_every_reachable_state() {
    let mut states = 0;
    let mut reached = BTreeSet::new();
    for configuration in CONFIGURATIONS {
        let model = LimitModel { rules: Rules::default(), configuration };
        let checker = model.checker().threads(2).finish_when(HasDiscoveries::AnyFailures).spawn_dfs().join();
        let count = checker.unique_state_count();
        println!("{count} states: {configuration:?}");
        assert_eq!(counterexample(model, &checker), None, "{configuration:?}");
        states += count;
        reached.extend(checker.discoveries().into_keys());
    }
    println!("{states} states");
    assert!(states >= 100_000, "{states} states");
    let properties = LimitModel { rules: Rules::default(), configuration: BASE }.properties();
    for Property { name, .. } in properties.iter().filter(|property| property.expectation == Expectation::Sometimes) {
        assert!(reached.contains(name), "in no state {name}");
    }
}

/// A window of 61 seconds is wrong too, so the model contains the worst case: clocks that differ by a second and an
/// answer after a second. A ceiling that is too low breaks no limit, but refuses a request that must be admitted.
#[test]
#[expect(clippy::print_stdout, reason = "shows what the model finds")]
fn wrong_rules_have_a_counterexample() {
    let more = [
        ("a window of 61 seconds", Rules { decide: short_window, ..Rules::default() }),
        ("a ceiling that is too low by one", Rules { decide: ceiling_too_low, ..Rules::default() }),
    ];
    // One request is enough to be counted twice, and two to be admitted in one minute.
    let one = Configuration { requests: 1, per_minute: 2, long_steps: 0, failures: 1, ..BASE };
    let two = Configuration { short_steps: 2, ..BASE };
    let blind = Configuration { connected: true, ..one };
    let lowered = Configuration { connected: true, per_minute: 2, new_limit: Some(1), long_steps: 0, ..BASE };
    for (name, rules) in wrong_rules().into_iter().chain(more) {
        let found = [one, two, blind, lowered].into_iter().find_map(|configuration| {
            let model = LimitModel { rules, configuration };
            // Breadth first, so that the counterexample is short.
            let checker = model.checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
            counterexample(model, &checker)
        });
        let (property, actions) = found.unwrap_or_else(|| panic!("{name} breaks nothing"));
        println!("{name}: not \"{property}\" after {actions:?}");
    }
}
