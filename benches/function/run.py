"""Measures the function and its references, and writes docs/performance.md, its chart and figures.json.

usage: run.py <folder with the built and installed subjects> [quick]

One run measures all subjects in turn, because the speed of a machine drifts. `quick` takes a tenth of the samples,
prints the result, and writes nothing.
"""

import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

import report
from subject import OTHER_CORES, Quota, Subject, event

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
# Lambda allocates one core for each 1769 MB: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
SHARE_OF_128_MB = 128 / 1769


class Database:
    """The embedded DynamoDB of examples/database.rs."""

    def __init__(self, program):
        os.sched_setaffinity(0, OTHER_CORES)
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        reached = json.loads(self.process.stdout.readline())
        self.__dict__.update(reached)

    def calls(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def subjects(made, database):
    """Passloom first; the references in other languages only if they are installed."""
    authority = made / "authority.pem"
    authority.write_text(database.authority)
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
    if (node := shutil.which("node")) and (made / "express/node_modules").exists():
        everything["Express"] = ([node, made / "express/runtime.js"], {"NODE_ENV": "production"})
    if (made / "fastapi/awslambdaric").exists():
        # Python's own executable: the wrapper of a version manager would be measured too.
        everything["FastAPI"] = ([os.path.realpath(sys.executable), "-m", "awslambdaric", "app.handler"],
                                 {"PYTHONPATH": str(made / "fastapi"), "LAMBDA_TASK_ROOT": str(made / "fastapi"),
                                  "_HANDLER": "app.handler"})
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
    took, cost, first, calls = ({name: [] for name in subjects} for _ in range(4))
    for name, subject in subjects.items():
        subject.start()
        subject.ask_well(request)
        first[name] = subject.peak_kilobytes()
        for _ in range(warming):
            subject.ask_well(request)
        subject.poll()
    for _ in range(blocks):
        for name, subject in subjects.items():
            processor, before = subject.processor_nanoseconds(), database.calls()
            took[name] += [subject.ask_well(request) / 1e3 for _ in range(requests // blocks)]
            cost[name].append((subject.processor_nanoseconds() - processor) / (requests // blocks) / 1e3)
            calls[name].append((database.calls() - before) / (requests // blocks))
    result = {}
    for name, subject in subjects.items():
        result[name] = {"microseconds": spread(took[name]), "processor_microseconds": statistics.median(cost[name]),
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
    before = passloom.processor_nanoseconds()
    for _ in range(requests):
        passloom.ask_well(hundred)
    after = passloom.processor_nanoseconds()
    passloom.end()
    return (after - before) / requests / 1e3


def refusals(passloom, database):
    """Calls to the database for requests that need none."""
    passloom.start()
    forged = event(database.key[:-1] + ("a" if database.key[-1] != "a" else "b"))
    unknown = event(database.unknown)
    counted = {}
    for name, request in [("forged key", forged), ("cached refusal", unknown)]:
        passloom.ask(request)
        before = database.calls()
        statuses = {passloom.ask(request)[1]["statusCode"] for _ in range(100)}
        assert statuses == {401}, statuses
        counted[name] = (database.calls() - before) / 100
    passloom.end()
    return counted


def instructions(subject, request, made, requests):
    """Instructions of a warm request in the function's own code and libraries, by callgrind."""
    counts = []
    for many in (100, 100 + requests):
        out = made / "callgrind.out"
        subject.start(wrapper=["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--quiet"])
        for _ in range(many):
            subject.ask_well(request)
        subject.poll()
        subject.end(signal.SIGTERM)
        text = out.read_text()
        counts.append(int(next(line for line in text.splitlines() if line.startswith(("totals:", "summary:"))).split()[1]))
    return round((counts[1] - counts[0]) / requests)


def throughput(passloom, request, requests):
    """Requests per second, by the number of requests in flight."""
    result = {}
    for many in (1, 8, 64):
        passloom.start({"AWS_LAMBDA_MAX_CONCURRENCY": str(many)})
        passloom.flood(request, requests // 10, many)
        result[many] = requests / (passloom.flood(request, requests, many) / 1e9)
        passloom.end()
    return result


def spread(values):
    percentiles = statistics.quantiles(values, n=100, method="inclusive")
    return {"p50": statistics.median(values), "p90": percentiles[89], "p99": percentiles[98], "n": len(values)}


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    made, quick = Path(sys.argv[1]).resolve(), sys.argv[2:] == ["quick"]
    database = Database(ROOT / "target/release/database")
    all_ = subjects(made, database)
    request = event(database.key)
    scale = 10 if quick else 1
    print("starts …", flush=True)
    figures = {"starts": starts(all_, request, dict.fromkeys(all_, 60 // scale))}
    print("warm requests …", flush=True)
    figures["warm"], figures["audit_bytes"] = warm(all_, request, 5_000 // scale, database)
    figures["batch_processor_microseconds"] = batch(all_["Passloom"], database.key, 1_000 // scale)
    figures["refusals"] = refusals(all_["Passloom"], database)
    print("concurrent requests …", flush=True)
    figures["throughput"] = throughput(all_["Passloom"], request, 5_000 // scale)
    rust = {name: all_[name] for name in ("Passloom", "empty", "one UpdateItem")}
    if shutil.which("valgrind"):
        print("instructions …", flush=True)
        figures["instructions"] = {name: instructions(one, request, made, 1_000 // scale) for name, one in rust.items()}
    try:
        quota = Quota(SHARE_OF_128_MB)
    except OSError as error:
        figures["quota"] = {"missing": f"no control group could be created ({error.strerror})"}
    else:
        print("starts with the processor share of 128 MB …", flush=True)
        figures["quota"] = starts(all_, request, {name: 20 if name in rust and not quick else 3 for name in all_}, quota)
        time.sleep(0.1)
        quota.remove()
    database.end()
    figures["zip_bytes"] = {name: (made / f"{name.replace(' ', '-')}.zip").stat().st_size for name in all_}
    figures["machine"] = report.machine()
    print(report.table(figures))
    if not quick:
        report.write(figures, ROOT / "docs", HERE / "figures.json")


if __name__ == "__main__":
    main()
