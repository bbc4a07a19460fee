//! The cost of a draw, compared with one call of the operating system's generator for as many bytes, and with
//! generators that guarantee less. `make bench-draw` prints the times.

#![expect(clippy::expect_used, reason = "a benchmark stops at unexpected errors")]

use divan::Bencher;
use passloom::password::{Constraints, Policy, Sampler, Start, WorkBudget};
#[expect(clippy::disallowed_types, reason = "the generator of the function")]
use rand::rngs::{SmallRng, SysRng};
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng, TryCryptoRng, TryRng};

fn main() {
    divan::main();
}

/// Policies by name, with the approximate number of random bytes of a draw.
const POLICIES: [(&str, usize); 6] = [
    ("default, 16", 40),
    ("special, 16", 40),
    ("special, 32", 72),
    ("special, 128", 264),
    ("hard: 20, ten of four symbols", 144),
    ("special, 32, no identical neighbours", 72),
];

fn constraints(name: &str) -> Constraints {
    let mut constraints = Constraints::default();
    if name != POLICIES[0].0 {
        constraints.classes[3].in_use = Some(true);
    }
    constraints.length = Some(match name {
        "special, 32" | "special, 32, no identical neighbours" => 32,
        "special, 128" => 128,
        "hard: 20, ten of four symbols" => 20,
        _ => 16,
    });
    if name.starts_with("hard") {
        constraints.symbols = Some("!@#$".into());
        constraints.classes[3].min = Some(10);
    }
    constraints.max_repeating = name.contains("identical").then_some(1);
    constraints
}

fn policy(constraints: &Constraints) -> Policy {
    Policy::new(constraints, None).expect("a valid policy")
}

fn sampler(name: &str) -> Sampler {
    Sampler::new(policy(&constraints(name)).spec().clone(), &mut WorkBudget::new(1))
        .expect("a policy that can be drawn")
}

/// The draw alone, with random bytes that cost almost nothing.
#[divan::bench(args = POLICIES.map(|policy| policy.0))]
fn draw_alone(bencher: Bencher<'_, '_>, name: &str) {
    let sampler = sampler(name);
    let mut random = Fast(SmallRng::seed_from_u64(1));
    bencher.bench_local(move || sampler.draw(&mut random));
}

/// The draw as in the service.
#[divan::bench(args = POLICIES.map(|policy| policy.0))]
fn draw_with_system_randomness(bencher: Bencher<'_, '_>, name: &str) {
    let sampler = sampler(name);
    bencher.bench_local(move || sampler.draw(&mut SysRng));
}

/// The reference: one call of getrandom for as many bytes.
#[divan::bench(args = POLICIES.map(|policy| policy.0))]
fn getrandom_alone(bencher: Bencher<'_, '_>, name: &str) {
    let bytes = POLICIES.iter().find(|policy| policy.0 == name).map_or(0, |policy| policy.1);
    let mut buffer = vec![0_u8; bytes];
    bencher.bench_local(move || SysRng.try_fill_bytes(&mut buffer));
}

/// Counting and the tables, if there are any: once per policy.
#[divan::bench(args = POLICIES.map(|policy| policy.0))]
fn count_and_make_tables(bencher: Bencher<'_, '_>, name: &str) {
    let policy = policy(&constraints(name));
    bencher.bench_local(move || Sampler::new(policy.spec().clone(), &mut WorkBudget::new(1)));
}

/// The most expensive policies that are not rejected.
#[divan::bench(args = [
    "256, minima of 64",
    "256, minima of 64, a start",
    "256, minima of 12, no identical neighbours",
    "256, two classes of four, half of it digits, a start",
])]
fn count_the_most_expensive(bencher: Bencher<'_, '_>, name: &str) {
    let mut constraints = constraints("special, 32");
    constraints.length = Some(256);
    for class in &mut constraints.classes {
        class.min = Some(if name.contains("12") { 12 } else { 64 });
    }
    if name.contains("identical") {
        constraints.max_repeating = Some(1);
    }
    if name.contains("start") {
        constraints.classes[0].min = Some(63);
        constraints.start = Some(Start::Alphanumeric);
    }
    if name.contains("two classes") {
        constraints.classes = Default::default();
        constraints.classes[3].in_use = Some(true);
        constraints.classes[2].min = Some(128);
        constraints.min_classes = Some(2);
    }
    let policy = policy(&constraints);
    bencher.bench_local(move || {
        Sampler::new(policy.spec().clone(), &mut WorkBudget::new(1)).map_err(|error| format!("{error:?}"))
    });
}

#[divan::bench]
fn a_thousand_with_system_randomness(bencher: Bencher<'_, '_>) {
    let sampler = sampler(POLICIES[1].0);
    bencher.bench_local(move || (0..1000).filter_map(|_| sampler.draw(&mut SysRng).ok()).count());
}

/// The crate `passwords` in its strict mode: at least one character of each class.
#[divan::bench]
fn other_crate_passwords_strict_16(bencher: Bencher<'_, '_>) {
    let generator = passwords::PasswordGenerator::new()
        .length(16)
        .lowercase_letters(true)
        .uppercase_letters(true)
        .numbers(true)
        .symbols(true)
        .strict(true);
    bencher.bench_local(move || generator.generate_one());
}

/// `rand` with its own generator, over a pool, without any guarantee.
#[divan::bench]
fn other_crate_rand_unconstrained_16(bencher: Bencher<'_, '_>) {
    let pool: Vec<u8> = (b'!'..=b'~').collect();
    #[expect(clippy::disallowed_methods, reason = "as users of `rand` call it")]
    bencher.bench_local(move || {
        let mut random = rand::rng();
        (0..16).filter_map(|_| pool.choose(&mut random)).map(|&byte| char::from(byte)).collect::<String>()
    });
}

/// A fast generator that is not suitable for passwords, to measure the draw without the cost of randomness.
struct Fast(SmallRng);

impl TryRng for Fast {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(self.0.next_u32())
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(self.0.next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.0.fill_bytes(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Fast {}
