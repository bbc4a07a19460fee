//! Regular expressions accept exactly the passwords of their policy. Two engines evaluate them: `regress`, a crate,
//! and Node.js.

use std::io::Write;
use std::process::{Command, Stdio};

use passloom::password::{Constraints, PasswordSpec, Policy, Sampler, WorkBudget, regular_expression, verify};
use proptest::prelude::*;
#[expect(clippy::disallowed_types, reason = "the generator of the function")]
use rand::rngs::SysRng;
use regress::Regex;
use serde_json::json;

use crate::counting::any_constraints;
use crate::specs::small_specs;

fn accepts(expression: &str, text: &str) -> bool {
    Regex::new(expression).unwrap().find(text).is_some()
}

/// A text, and texts that differ from it slightly: one character is changed, repeated, moved, removed or added.
fn similar_texts(text: &str, at: usize, other: char) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    let at = at % characters.len();
    let change = |change: &dyn Fn(&mut Vec<char>)| {
        let mut changed = characters.clone();
        change(&mut changed);
        changed.into_iter().collect()
    };
    vec![
        text.to_owned(),
        change(&|text| text[at] = other),
        change(&|text| text[0] = other),
        change(&|text| text[at] = text[(at + 1) % text.len()]),
        change(&|text| {
            let last = text.len() - 1;
            text.swap(at, last);
        }),
        change(&|text| text.rotate_left(at)),
        change(&|text| {
            text.remove(at);
        }),
        change(&|text| text.insert(at, other)),
    ]
}

/// All texts over the pool, up to one character longer than the password.
#[test]
fn expression_of_a_small_spec_accepts_exactly_its_passwords() {
    for (name, spec) in small_specs() {
        let expression = Regex::new(&regular_expression(&spec)).unwrap();
        let pool: Vec<char> = spec.pool.to_string().chars().collect();
        let mut texts = vec![String::new()];
        for _ in 0..=spec.length {
            for text in &texts {
                assert_eq!(expression.find(text).is_some(), verify(&spec, text).is_ok(), "{name}: {text}");
            }
            if texts.len() > 20_000 {
                break;
            }
            texts = texts.iter().flat_map(|text| pool.iter().map(move |one| format!("{text}{one}"))).collect();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn expression_accepts_what_verify_accepts(
        constraints in any_constraints(),
        at in 0..300_usize,
        other in proptest::char::range(' ', '~'),
    ) {
        if let Ok(policy) = Policy::new(&constraints, None)
            && let Ok(sampler) = Sampler::new(policy.spec().clone(), &mut WorkBudget::new(1))
        {
            let expression = regular_expression(policy.spec());
            let drawn = sampler.draw(&mut SysRng).unwrap();
            prop_assert!(accepts(&expression, drawn.expose()), "{expression}");
            for text in similar_texts(drawn.expose(), at, other) {
                let valid = verify(policy.spec(), &text).is_ok();
                prop_assert_eq!(accepts(&expression, &text), valid, "{} {}", &expression, text);
            }
        }
    }
}

/// Without flags, with `u` and with `v`.
#[test]
#[expect(clippy::print_stderr, clippy::disallowed_methods, reason = "skipped without Node.js, unless REQUIRE lists it")]
fn expression_in_node_accepts_what_verify_accepts() {
    const SCRIPT: &str = "
        const cases = JSON.parse(require('fs').readFileSync(0, 'utf8'));
        for (const { expression, text, valid } of cases)
            for (const flags of ['', 'u', 'v'])
                if (new RegExp(expression, flags).test(text) !== valid) {
                    console.log(expression, flags, text, valid);
                    process.exit(1);
                }
        console.log(cases.length);";
    let Ok(mut node) = Command::new("node").args(["-e", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()
    else {
        let required = std::env::var("REQUIRE").unwrap_or_default();
        assert!(!required.split(',').any(|program| program == "node"), "node is not installed");
        eprintln!("skipped: regular expressions in Node.js: node is not installed");
        return;
    };
    let mut specs: Vec<PasswordSpec> = small_specs().into_iter().map(|(_, spec)| spec).collect();
    let punctuation = (b'!'..=b'~').filter(u8::is_ascii_punctuation).map(char::from);
    let constraints = Constraints {
        symbols: Some(punctuation.collect()),
        max_repeating: Some(2),
        min_classes: Some(3),
        ..Constraints::default()
    };
    specs.push(Policy::new(&constraints, None).unwrap().spec().clone());
    let mut cases = Vec::new();
    for spec in specs {
        let expression = regular_expression(&spec);
        let sampler = Sampler::new(spec.clone(), &mut WorkBudget::new(1)).unwrap();
        for at in 0..20 {
            let drawn = sampler.draw(&mut SysRng).unwrap();
            for text in similar_texts(drawn.expose(), at, ['a', '!', '0', ']'][at % 4]) {
                let valid = verify(&spec, &text).is_ok();
                cases.push(json!({ "expression": expression, "text": text, "valid": valid }));
            }
        }
    }
    node.stdin.take().unwrap().write_all(json!(cases).to_string().as_bytes()).unwrap();
    let output = node.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), cases.len().to_string());
}
