//! Checks every state that a few requests on two functions can reach, in configurations that keep their number finite.

use std::collections::BTreeSet;

use passloom::access::limiter::admitting::Exact;
use stateright::{Checker, Expectation, HasDiscoveries, Model, Property};

use crate::rules::{
    BlindRepetition, CeilingTooHigh, CeilingTooLow, FixedWindow, HalfWindow, LateIsAdmitted, OldRefusal, RIGHT,
    SamePrecondition, ShortWindow, Surroundings, Tested,
};
use crate::state_space::{Action, Configuration, LimitModel, MAX_CLOCK_SKEW, State};

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
const CONFIGURATIONS: [Configuration; 18] = [
    Configuration { short_steps: 2, failures: 1, ..BASE },
    Configuration { clock_lead: 0, short_steps: 2, ..BASE },
    Configuration { long_steps: 2, ..BASE },
    // An administrator raises or lowers the limit.
    Configuration { new_limit: Some(2), ..BASE },
    Configuration { per_minute: 2, new_limit: Some(1), short_steps: 0, failures: 1, ..BASE },
    Configuration { requests: 3, per_minute: 2, new_limit: Some(1), long_steps: 0, failures: 1, ..BASE },
    // Three times another change comes before the write of a request.
    Configuration {
        requests: 3,
        per_minute: 2,
        new_limit: Some(3),
        short_steps: 0,
        long_steps: 0,
        failures: 2,
        ..BASE
    },
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
fn counterexample<R: Tested>(
    model: LimitModel<R>,
    checker: &impl Checker<LimitModel<R>>,
) -> Option<(&'static str, Vec<Action>)> {
    let properties = model.properties();
    let mut violated = properties.iter().filter(|property| property.expectation == Expectation::Always);
    let (property, path) = violated.find_map(|property| Some((property, checker.discovery(property.name)?)))?;
    let holds = |state: &State<R>| (property.condition)(&model, state);
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
        let model = LimitModel::<Exact>::new(RIGHT, configuration);
        let checker = model.checker().threads(2).finish_when(HasDiscoveries::AnyFailures).spawn_dfs().join();
        let count = checker.unique_state_count();
        println!("{count} states: {configuration:?}");
        assert_eq!(counterexample(model, &checker), None, "{configuration:?}");
        states += count;
        reached.extend(checker.discoveries().into_keys());
    }
    println!("{states} states");
    assert!(states >= 100_000, "{states} states");
    let properties = LimitModel::<Exact>::new(RIGHT, BASE).properties();
    for Property { name, .. } in properties.iter().filter(|property| property.expectation == Expectation::Sometimes) {
        assert!(reached.contains(name), "in no state {name}");
    }
}

/// Searches a counterexample of wrong rules in small configurations.
#[expect(clippy::print_stdout, reason = "shows what the model finds")]
fn assert_found<R: Tested>(_: R, name: &str, surroundings: Surroundings) {
    // One request is enough to be counted twice, and two to be admitted in one minute.
    let one = Configuration { requests: 1, per_minute: 2, long_steps: 0, failures: 1, ..BASE };
    let two = Configuration { short_steps: 2, ..BASE };
    let blind = Configuration { connected: true, ..one };
    let lowered = Configuration { connected: true, per_minute: 2, new_limit: Some(1), long_steps: 0, ..BASE };
    let raised = Configuration { new_limit: Some(2), ..BASE };
    let found = [one, two, blind, lowered, raised].into_iter().find_map(|configuration| {
        let model = LimitModel::<R>::new(surroundings, configuration);
        // Breadth first, so that the counterexample is short.
        let checker = model.checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
        counterexample(model, &checker)
    });
    let (property, actions) = found.unwrap_or_else(|| panic!("{name} breaks nothing"));
    println!("{name}: not \"{property}\" after {actions:?}");
}

/// A window of 61 seconds is wrong too, so the model contains the worst case: clocks that differ by a second and an
/// answer after a second. A ceiling that is too low breaks no limit, but refuses a request that must be admitted.
#[test]
fn wrong_rules_have_a_counterexample() {
    assert_found(FixedWindow, "a fixed window", RIGHT);
    assert_found(HalfWindow, "a window of half a minute", RIGHT);
    assert_found(ShortWindow, "a window of 61 seconds", RIGHT);
    assert_found(CeilingTooHigh, "a ceiling that is too high by one", RIGHT);
    assert_found(CeilingTooLow, "a ceiling that is too low by one", RIGHT);
    assert_found(SamePrecondition, "a repeated write with the precondition of the first", RIGHT);
    assert_found(BlindRepetition, "a blind write that is repeated", RIGHT);
    assert_found(LateIsAdmitted, "late answers that are admitted", RIGHT);
    assert_found(OldRefusal, "a refusal from the cache after its time", RIGHT);
    let epoch = Surroundings { repetition_raises_epoch: false, ..RIGHT };
    assert_found(Exact, "a repeated write that does not raise the epoch", epoch);
    let arrival = Surroundings { clock_read_before_write: false, ..RIGHT };
    assert_found(Exact, "a clock that is read on arrival", arrival);
    let ceiling = Surroundings { change_removes_ceiling: false, ..RIGHT };
    assert_found(Exact, "a ceiling that survives a change of the limit", ceiling);
}
