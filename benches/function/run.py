"""Measures the function and its references, and writes docs/performance.md, its chart and figures.json.

usage: run.py <folder with the built and installed subjects> [quick]

One run measures all subjects in turn, because the speed of a machine drifts. `quick` takes a tenth of the samples and
writes nothing. It fails if the instructions of a warm request have grown.
"""

import json
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

import hostile
import instructions
import report
from database import Database
from subject import Quota, Subject, event, processor_nanoseconds

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
# Lambda allocates one core for each 1769 MB: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
SHARE_OF_128_MB = 128 / 1769
LIMITS_TABLE = "limits"
RUST = ("Passloom", "empty", "one UpdateItem")


def subjects(made, database):
    """Passloom first; the references in other languages only if they are installed."""
    authority = made / "authority.pem"
    authority.write_text(database.authority)
    sha256 = database.prepare_references(LIMITS_TABLE)
    at_database = {"AWS_ENDPOINT_URL_DYNAMODB": database.tls, "AWS_CA_BUNDLE": str(authority),
                   "TABLE_NAME": database.table}
    logs = made / "logs"
    logs.mkdir(exist_ok=True)
    built = ROOT / "target"
    everything = {
        "Passloom": ([built / "lambda/passloom/bootstrap"], at_database | {"KEY_SIGNING_SECRET": database.signing_secret}),
        "empty": ([built / "references/empty/bootstrap"], {}),
        "one UpdateItem": ([built / "references/one-update/bootstrap"], at_database),
    }
    # More than a run asks for, so that every request is admitted.
    limit = {"PER_MINUTE": "1000000"}

    def express(folder, variables):
        return [shutil.which("node"), made / folder / "runtime.js"], {"NODE_ENV": "production"} | variables

    def fastapi(folder, variables):
        path = str(made / folder)
        # Python's own executable: the wrapper of a version manager would be measured too.
        return ([os.path.realpath(sys.executable), "-m", "awslambdaric", "app.handler"],
                {"PYTHONPATH": path, "LAMBDA_TASK_ROOT": path, "_HANDLER": "app.handler"} | variables)

    if shutil.which("node") and (made / "express/node_modules").exists():
        everything["Express + DynamoDB"] = express(
            "express-dynamodb",
            at_database | limit | {"NODE_EXTRA_CA_CERTS": str(authority), "LIMITS_TABLE": LIMITS_TABLE, "API_KEY_SHA256": sha256})
    everything["FastAPI + DynamoDB"] = fastapi(
        "fastapi-dynamodb", at_database | limit | {"AWS_DEFAULT_REGION": "eu-central-1"})
    if "Express + DynamoDB" in everything:
        everything["Express"] = express("express", {})
    everything["FastAPI"] = fastapi("fastapi", {})
    return {name: Subject(name, list(map(str, command)), variables, logs)
            for name, (command, variables) in everything.items()}


def starts(subjects, request, times, cgroup=None):
    """Milliseconds from exec to the first poll and to the first answer, with `times[name]` starts of each subject."""
    measured = {name: {"poll": [], "answer": []} for name in subjects}
    rounds = range(max(times.values()))
    order = [name for round_ in rounds for name in random.sample(list(subjects), len(subjects)) if round_ < times[name]]
    for name in order:
        subject = subjects[name]
        subject.start(cgroup=cgroup)
        polled = subject.poll()
        subject.ask_well(request)
        measured[name]["poll"].append((polled - subject.began) / 1e6)
        measured[name]["answer"].append((time.perf_counter_ns() - subject.began) / 1e6)
        subject.end()
    return {name: {stage: spread(values) for stage, values in stages.items()} for name, stages in measured.items()}


def warm(subjects, request, requests, database):
    """Latency on one core, memory and calls to the database, measured in blocks, the subjects in turn."""
    blocks, warming = 10, requests // 10
    took, cost, database_cost, first, calls = ({name: [] for name in subjects} for _ in range(5))
    each = requests // blocks
    database.fill_window()
    for name, subject in subjects.items():
        subject.start()
        subject.ask_well(request)
        first[name] = subject.peak_kilobytes()
        for _ in range(warming):
            subject.ask_well(request)
        subject.poll()
    for _ in range(blocks):
        for name, subject in subjects.items():
            database.fill_window()
            before = database.calls()
            own, other = (processor_nanoseconds(process) for process in (subject.process, database.process))
            took[name] += [subject.ask_well(request) / 1e3 for _ in range(each)]
            cost[name].append((processor_nanoseconds(subject.process) - own) / each / 1e3)
            database_cost[name].append((processor_nanoseconds(database.process) - other) / each / 1e3)
            calls[name].append((database.calls() - before) / each)
    result = {}
    for name, subject in subjects.items():
        result[name] = {"microseconds": spread(took[name]), "processor_microseconds": spread(cost[name]),
                        "database_microseconds": spread(database_cost[name]),
                        "first_kilobytes": first[name], "last_kilobytes": subject.peak_kilobytes(),
                        "calls": statistics.mean(calls[name])}
        subject.end()
    log = subjects["Passloom"].log.read_bytes()
    lines = log.count(b"\n")
    assert lines == 1 + warming + requests, f"{lines} audit lines"
    return result, len(log) / lines


def batch(passloom, key, requests):
    """Processor time of a request for a hundred passwords, in microseconds."""
    passloom.start()
    hundred = event(key, query="count=100")
    passloom.ask_well(hundred)
    before = processor_nanoseconds(passloom.process)
    for _ in range(requests):
        passloom.ask_well(hundred)
    after = processor_nanoseconds(passloom.process)
    passloom.end()
    return (after - before) / requests / 1e3


def calls(passloom, database):
    """Calls to the database per request, for requests of several kinds. Leaves the key bound to a preset."""
    forged = event(database.key[:-1] + ("a" if database.key[-1] != "a" else "b"))
    counted = {}

    def count(name, request, status, first=1, requests=100):
        for _ in range(first):
            passloom.ask(request)
        before = database.calls()
        statuses = {passloom.ask(request)[1]["statusCode"] for _ in range(requests)}
        assert statuses == {status}, f"{name}: {statuses}"
        counted[name] = (database.calls() - before) / requests

    passloom.start()
    count("first request of a key", event(database.key), 200, first=0, requests=1)
    count("admitted warm request", event(database.key), 200)
    count("forged key", forged, 401)
    count("cached refusal", event(database.unknown), 401)
    database.bind_key("nist-800-63b")
    count("warm request of a bound key", event(database.key), 200)
    passloom.end()
    return counted


def hostile_kilobytes(passloom, database):
    """The peak of memory after the requests that are made to cost much."""
    passloom.start()
    for events in hostile.corpus(database.key).values():
        for sent in events:
            passloom.ask(sent)
    peak = passloom.peak_kilobytes()
    passloom.end()
    return peak


def draw():
    """A draw of the default policy in multiples of one getrandom call for as many bytes, by benches/draw.rs."""
    command = ["cargo", "bench", "--locked", "--bench", "draw", "--", "--sample-count", "1000",
               "draw_with_system_randomness", "getrandom_alone"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    units = {"ns": 1, "µs": 1e3, "ms": 1e6}
    medians = []
    for line in printed.splitlines():
        if "default, 16" in line:
            # name and fastest, slowest, median, mean
            number, unit = re.search(r"([\d.]+) (ns|µs|ms)", line.split("│")[-4]).groups()
            medians.append(float(number) * units[unit])
    drawn, asked = medians
    return drawn / asked


def spread(values):
    """Percentiles of all values, and of the first and the second half."""
    def percentiles(values):
        cut = statistics.quantiles(values, n=100, method="inclusive")
        return {"p50": statistics.median(values), "p90": cut[89], "p99": cut[98]}

    middle = len(values) // 2
    halves = [percentiles(half) for half in (values[:middle], values[middle:])]
    return percentiles(values) | {"halves": halves, "n": len(values)}


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    made, quick = Path(sys.argv[1]).resolve(), sys.argv[2:] == ["quick"]
    began = time.monotonic()

    def step(name):
        print(f"{time.monotonic() - began:4.0f} s  {name} …", flush=True)

    database = Database(ROOT / "target/release/database")
    all_ = subjects(made, database)
    passloom = all_["Passloom"]
    request = event(database.key)
    scale = 10 if quick else 1
    step("starts")
    many = {name: max(4, (100 if name in RUST else 20) // scale) for name in all_}
    figures = {"starts": starts(all_, request, many)}
    step("warm requests")
    figures["warm"], figures["audit_bytes"] = warm(all_, request, 5_000 // scale, database)
    figures["batch_processor_microseconds"] = batch(passloom, database.key, 1_000 // scale)
    step("concurrent requests")
    step("hostile requests")
    figures["hostile_kilobytes"] = hostile_kilobytes(passloom, database)
    step("draws")
    figures["draw"] = draw()
    if shutil.which("valgrind"):
        step("instructions")
        figures["instructions"] = {
            name: instructions.count(all_[name], request, made, database.fill_window) for name in RUST}
    try:
        quota = Quota(SHARE_OF_128_MB)
    except OSError as error:
        figures["quota"] = {"missing": f"no control group could be created ({error.strerror})"}
    else:
        step("starts with the processor share of 128 MB")
        many = {name: 20 if name in RUST and not quick else 4 for name in all_}
        figures["quota"] = starts(all_, request, many, quota)
        time.sleep(0.1)
        quota.remove()
    figures["calls"] = calls(passloom, database)
    database.end()
    figures["zip_bytes"] = {name: (made / f"{name.replace(' ', '-')}.zip").stat().st_size for name in all_}
    figures["machine"] = report.machine()
    step("end")
    print(report.tables(figures))
    counted = figures.get("instructions", {}).get("Passloom")
    if not quick:
        report.write(figures, ROOT / "docs", HERE / "figures.json")
        if counted:
            instructions.write(counted, figures["machine"])
    elif counted:
        instructions.check(counted, figures["machine"])


if __name__ == "__main__":
    main()
