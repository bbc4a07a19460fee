//! The regular expression accepts exactly the passwords of its policy, by engines that are not ours.

use std::io::Write;
use std::process::{Command, Stdio};

use passloom::password::{Policy, Sampler, Shape, regular_expression, verify};
use proptest::prelude::*;
use rand::rngs::SysRng;
use regress::Regex;
use serde_json::json;

use crate::counting::any_constraints;
use crate::shapes::tiny;

fn accepts(pattern: &str, text: &str) -> bool {
    Regex::new(pattern).unwrap().find(text).is_some()
}

/// A text, and others that differ a little: a character changed, doubled, swapped, lost or added.
fn neighbours(text: &str, at: usize, other: char) -> Vec<String> {
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

/// Every text over the pool, one character longer and shorter ones too: accepted if it satisfies.
#[test]
fn the_expression_of_a_tiny_shape_accepts_its_members_only() {
    for (name, shape) in tiny() {
        let expression = Regex::new(&regular_expression(&shape)).unwrap();
        let pool: Vec<char> = shape.pool.to_string().chars().collect();
        let mut texts = vec![String::new()];
        for _ in 0..=shape.length {
            for text in &texts {
                assert_eq!(expression.find(text).is_some(), verify(&shape, text).is_ok(), "{name}: {text}");
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
    fn the_expression_accepts_what_the_checker_accepts(asked in any_constraints(), at in 0..300_usize, other in "[ -~]") {
        if let Ok(policy) = Policy::new(&asked)
            && let Ok(sampler) = Sampler::new(policy.shape().clone())
        {
            let pattern = regular_expression(policy.shape());
            let drawn = sampler.draw(&mut SysRng).unwrap();
            prop_assert!(accepts(&pattern, drawn.expose()), "{pattern}");
            for text in neighbours(drawn.expose(), at, other.chars().next().unwrap()) {
                prop_assert_eq!(accepts(&pattern, &text), verify(policy.shape(), &text).is_ok(), "{} {}", &pattern, text);
            }
        }
    }
}

/// What browsers and Node run, where it is installed: with no flag, with `u` and with `v`.
#[test]
fn node_agrees() {
    const SCRIPT: &str = "
        const cases = JSON.parse(require('fs').readFileSync(0, 'utf8'));
        for (const { pattern, text, good } of cases)
            for (const flags of ['', 'u', 'v'])
                if (new RegExp(pattern, flags).test(text) !== good) {
                    console.log(pattern, flags, text, good);
                    process.exit(1);
                }
        console.log(cases.length);";
    let Ok(mut node) = Command::new("node").args(["-e", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()
    else {
        return;
    };
    let mut shapes: Vec<Shape> = tiny().into_iter().map(|(_, shape)| shape).collect();
    let all = passloom::password::Constraints {
        symbols: Some((b'!'..=b'/').chain(b':'..=b'@').chain(b'['..=b'`').chain(b'{'..=b'~').map(char::from).collect()),
        max_consecutive: Some(2),
        min_classes: Some(3),
        ..Default::default()
    };
    shapes.push(Policy::new(&all).unwrap().shape().clone());
    let mut cases = Vec::new();
    for shape in shapes {
        let pattern = regular_expression(&shape);
        let sampler = Sampler::new(shape.clone()).unwrap();
        for at in 0..20 {
            let drawn = sampler.draw(&mut SysRng).unwrap();
            for text in neighbours(drawn.expose(), at, ['a', '!', '0', ']'][at % 4]) {
                let good = verify(&shape, &text).is_ok();
                cases.push(json!({ "pattern": pattern, "text": text, "good": good }));
            }
        }
    }
    node.stdin.take().unwrap().write_all(json!(cases).to_string().as_bytes()).unwrap();
    let output = node.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), cases.len().to_string());
}
