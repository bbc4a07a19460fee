"""Counts the instructions of a warm request with callgrind, and compares them with the committed figure.

Instructions are the figure for regressions, because they repeat within one percent where times do not. They depend on
the compiler, on valgrind and on the processor, so the committed figure names all three.
"""

import json
import signal
import subprocess
from pathlib import Path

COMMITTED = Path(__file__).parent / "instructions.json"
GROWTH = 1.05
FEW, MANY = 100, 600


def count(subject, request, made, prepare):
    """Instructions of a warm request in the function's own code and libraries. `prepare` runs before each start."""
    counts = []
    for requests in (FEW, MANY):
        out = made / "callgrind.out"
        prepare()
        subject.start(wrapper=["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--quiet"])
        # Under valgrind the first request may take longer than the function waits for the database.
        for _ in range(5):
            if subject.ask(request)[1]["statusCode"] == 200:
                break
        for _ in range(requests):
            subject.ask_well(request)
        subject.poll()
        subject.end(signal.SIGTERM)
        lines = out.read_text().splitlines()
        counts.append(int(next(line for line in lines if line.startswith(("totals:", "summary:"))).split()[1]))
    return round((counts[1] - counts[0]) / (MANY - FEW))


def conditions(machine):
    return {name: machine[name] for name in ("rustc", "valgrind", "processor")}


def write(counted, machine):
    COMMITTED.write_text(json.dumps({"instructions": counted} | conditions(machine), indent=1) + "\n", encoding="utf-8")


def check(counted, machine):
    """Fails if the figure has grown by more than five percent."""
    committed = json.loads(COMMITTED.read_text(encoding="utf-8"))
    expected = committed.pop("instructions")
    if committed != conditions(machine):
        print(f"skipped: the comparison of instructions: the committed figure is from {', '.join(committed.values())}")
    elif counted > GROWTH * expected:
        raise SystemExit(f"A warm request has {counted:,} instructions, {counted / expected - 1:.1%} more than the committed "
                         f"{expected:,}. If that is intended, commit the figure that `make bench` writes.")
    else:
        print(f"OK, a warm request has {counted:,} instructions, {counted / expected - 1:+.1%} of the committed figure.")
