"""Breaks a rule of admission, one at a time, in a copy of the project, and sees the tests fail for it."""

import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPY = ROOT / "target" / "mutants"

# What is broken, where, what stands there, what is put in its place, and the tests that must fail.
MUTANTS = [
    (
        "the lookback is half a minute",
        "src/access/limit.rs",
        "const LOOKBACK: u64 = 62_000;",
        "const LOOKBACK: u64 = 32_000;",
        ["--test", "admission"],
    ),
    (
        "the ceiling is that of a fixed window",
        "src/access/limit.rs",
        ".filter(move |&(slot, _)| leaves(slot) > now)",
        ".filter(move |&(slot, _)| slot / 30 >= now / 60_000)",
        ["--test", "admission"],
    ),
    (
        "the version is no part of the condition",
        "src/access/update.rs",
        'condition.extend([" AND v = :v AND ", attribute, " = :h"]);',
        'condition.extend([" AND :v = :v AND ", attribute, " = :h"]);',
        ["--test", "service", "a_changed_limit"],
    ),
    (
        "the secret is no part of the condition",
        "src/access/update.rs",
        'condition.extend([" AND v = :v AND ", attribute, " = :h"]);',
        'condition.extend([" AND v = :v AND ", "h", " <> :nothing"]);\n'
        '        call = call.expression_attribute_values(":nothing", record::bytes(&[0]));',
        ["--test", "service", "keys"],
    ),
    (
        "the SDK repeats calls by itself",
        "src/access/client.rs",
        ".retry_config(RetryConfig::disabled())",
        ".retry_config(RetryConfig::standard())",
        ["--test", "service", "a_fault_costs"],
    ),
    (
        "a repetition takes place whoever wrote meanwhile",
        "src/access/update.rs",
        '"n = :bound AND e = :e"',
        '"n >= :bound AND e = :e"',
        ["--test", "service", "a_lost_answer"],
    ),
    (
        "a repetition is sent as the write was",
        "src/access/store.rs",
        "self.send(caller, view, &claim.repeated(), now)",
        "self.send(caller, view, claim, now)",
        ["--test", "service", "a_lost_answer"],
    ),
    (
        "a repetition leaves the epoch as it is",
        "src/access/update.rs",
        '(":one", record::number(1))',
        '(":one", record::number(0))',
        ["--test", "service", "a_write_that_arrives"],
    ),
    (
        "a lease outlives its slot",
        "src/access/lease.rs",
        "if slot != self.slot {",
        "if slot > self.slot + 10 {",
        ["--test", "admission"],
    ),
    (
        "an answer counts whatever it says",
        "src/access/store.rs",
        "Some(after) if after.key == view.key && claim.fits(&after.counters) => {",
        "Some(after) if after.key == view.key || claim.fits(&after.counters) => {",
        ["--test", "service", "an_answer_to"],
    ),
]


def main() -> int:
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\n")
    for name in filter(None, files):
        (COPY / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, COPY / name)
    survivors = 0
    for name, path, before, after, tests in MUTANTS:
        file = COPY / path
        whole = file.read_text()
        if whole.count(before) != 1:
            sys.exit(f"{path} does not hold this once: {before}")
        file.write_text(whole.replace(before, after))
        built = subprocess.run(["cargo", "test", "--locked", "--no-run", *tests[:2]], cwd=COPY, capture_output=True)
        if built.returncode != 0:
            sys.exit(f"{name}: does not compile\n{built.stderr.decode()}")
        caught = subprocess.run(["cargo", "test", "--locked", *tests], cwd=COPY, capture_output=True).returncode != 0
        print(f"{'caught' if caught else 'SURVIVED'}: {name}", flush=True)
        survivors += not caught
        file.write_text(whole)
    return survivors


if __name__ == "__main__":
    sys.exit(main())
