//! What a draw costs, beside one call of the operating system's generator for as many bytes, and
//! beside generators that promise less. `make bench-draw` prints the ratios.

#![expect(clippy::expect_used, reason = "a benchmark stops at what it did not expect")]

use divan::Bencher;
use passloom::password::{Constraints, Policy, Sampler};
use rand::rngs::{SmallRng, SysRng};
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng, TryCryptoRng, TryRng};

fn main() {
    divan::main();
}

/// Policies by name, and about how many random bytes a draw takes.
const POLICIES: [(&str, usize); 6] = [
    ("default, 16", 40),
    ("special, 16", 40),
    ("special, 32", 72),
    ("special, 128", 264),
    ("hard: 20, ten of four symbols", 144),
    ("special, 32, no two alike in a row", 72),
];

fn constraints(name: &str) -> Constraints {
    let mut asked = Constraints::default();
    if name != POLICIES[0].0 {
        asked.classes[3].in_use = Some(true);
    }
    asked.length = Some(match name {
        "special, 32" | "special, 32, no two alike in a row" => 32,
        "special, 128" => 128,
        "hard: 20, ten of four symbols" => 20,
        _ => 16,
    });
    if name.starts_with("hard") {
        asked.symbols = Some("!@#$".into());
        asked.classes[3].minimum = Some(10);
    }
    asked.max_consecutive = name.contains("alike").then_some(1);
    asked
}

fn sampler(name: &str) -> Sampler {
    let policy = Policy::new(&constraints(name)).expect("a good policy");
    Sampler::new(policy.shape().clone()).expect("a policy that can be drawn")
}

/// The draw alone: random bytes cost next to nothing.
#[divan::bench(args = POLICIES.map(|policy| policy.0))]
fn draw_alone(bencher: Bencher<'_, '_>, name: &str) {
    let sampler = sampler(name);
    let mut random = Cheap(SmallRng::seed_from_u64(1));
    bencher.bench_local(move || sampler.draw(&mut random));
}

/// The draw as the service does it.
#[divan::bench(args = POLICIES.map(|policy| policy.0))]
fn draw_with_system_randomness(bencher: Bencher<'_, '_>, name: &str) {
    let sampler = sampler(name);
    bencher.bench_local(move || sampler.draw(&mut SysRng));
}

/// The reference: one getrandom call of as many bytes.
#[divan::bench(args = POLICIES.map(|policy| policy.0))]
fn getrandom_alone(bencher: Bencher<'_, '_>, name: &str) {
    let bytes = POLICIES.iter().find(|policy| policy.0 == name).map_or(0, |policy| policy.1);
    let mut buffer = vec![0_u8; bytes];
    bencher.bench_local(move || SysRng.try_fill_bytes(&mut buffer));
}

/// Counting, and the tables where there are any: once per policy.
#[divan::bench(args = POLICIES.map(|policy| policy.0))]
fn count_and_make_tables(bencher: Bencher<'_, '_>, name: &str) {
    let policy = Policy::new(&constraints(name)).expect("a good policy");
    bencher.bench_local(move || Sampler::new(policy.shape().clone()));
}

/// The worst that is not refused.
#[divan::bench(args = [
    "256, minima of 64",
    "256, minima of 64, a start",
    "256, minima of 12, no two alike",
    "256, two classes of four, half of it digits, a start",
])]
fn count_the_worst(bencher: Bencher<'_, '_>, name: &str) {
    let mut asked = constraints("special, 32");
    asked.length = Some(256);
    for class in &mut asked.classes {
        class.minimum = Some(if name.contains("12") { 12 } else { 64 });
    }
    if name.contains("alike") {
        asked.max_consecutive = Some(1);
    }
    if name.contains("start") {
        asked.classes[0].minimum = Some(63);
        asked.start = Some(passloom::password::Start::Alphanumeric);
    }
    if name.contains("two classes") {
        asked.classes = Default::default();
        asked.classes[3].in_use = Some(true);
        asked.classes[2].minimum = Some(128);
        asked.min_classes = Some(2);
    }
    let policy = Policy::new(&asked).expect("a good policy");
    bencher.bench_local(move || Sampler::new(policy.shape().clone()).map_err(|error| format!("{error:?}")));
}

#[divan::bench]
fn a_thousand_with_system_randomness(bencher: Bencher<'_, '_>) {
    let sampler = sampler(POLICIES[1].0);
    bencher.bench_local(move || (0..1000).filter_map(|_| sampler.draw(&mut SysRng).ok()).count());
}

/// The crate `passwords`, in its strict mode: at least one of each class.
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

/// What `rand` makes of a pool, with its own generator, nothing guaranteed.
#[divan::bench]
fn other_crate_rand_unguaranteed_16(bencher: Bencher<'_, '_>) {
    let pool: Vec<u8> = (b'!'..=b'~').collect();
    #[expect(clippy::disallowed_methods, reason = "the reference uses what its users use")]
    bencher.bench_local(move || {
        let mut random = rand::rng();
        (0..16).filter_map(|_| pool.choose(&mut random)).map(|&byte| char::from(byte)).collect::<String>()
    });
}

/// A fast generator that is no good for passwords, to see what drawing costs without randomness.
struct Cheap(SmallRng);

impl TryRng for Cheap {
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

impl TryCryptoRng for Cheap {}
