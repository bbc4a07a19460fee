"""Measures the processor time and the memory of the function for requests that are made to cost as much as possible.

usage: hostile.py <folder for logs>

The requests are those of tests/data/hostile-requests.json, which the tests send, too. Each is sent with a key that
does not exist, so that it ends before admission, and with a valid key. The limits are goals, not assertions: a shared
machine is up to twice as slow at times.
"""

import json
import os
import statistics
import sys
from pathlib import Path

from database import Database
from subject import OTHER_CORES, Subject, event, processor_nanoseconds

ROOT = Path(__file__).parent.parent.parent
REPETITIONS = 5


def hostile_event(request, key):
    """The event of a POST request."""
    result = json.loads(event(key))
    result["rawPath"] = result["requestContext"]["http"]["path"] = request["path"]
    result["requestContext"]["http"]["method"] = "POST"
    result["headers"]["content-type"] = "application/json"
    result["body"] = json.dumps(request["body"], ensure_ascii=False)
    return json.dumps(result).encode()


def processor_milliseconds(subject, sent):
    """The least processor time of several equal requests, and the status of their answer."""
    times = []
    for _ in range(REPETITIONS):
        if subject.polling is None:
            subject.poll()
        before = processor_nanoseconds(subject.process)
        _, answer = subject.ask(sent)
        subject.poll()
        times.append((processor_nanoseconds(subject.process) - before) / 1e6)
    return min(times), answer["statusCode"]


def measure(subject, requests, key):
    results = []
    for request in requests:
        milliseconds, status = processor_milliseconds(subject, hostile_event(request, key))
        results.append((milliseconds, status, json.dumps(request)[:100]))
    return sorted(results, reverse=True)


def report(title, results, goal):
    times = [milliseconds for milliseconds, *_ in results]
    print(f"{title}: median {statistics.median(times):.2f} ms, maximum {times[0]:.2f} ms, goal {goal} ms")
    for milliseconds, status, request in results[:5]:
        print(f"  {milliseconds:7.2f} ms  {status}  {request}")


def corpus():
    return json.loads((ROOT / "tests/data/hostile-requests.json").read_text())


def main():
    logs = Path(sys.argv[1])
    logs.mkdir(parents=True, exist_ok=True)
    requests = corpus()
    database = Database(ROOT / "target/release/database")
    authority = logs / "authority.pem"
    authority.write_text(database.authority)
    variables = {"AWS_ENDPOINT_URL_DYNAMODB": database.tls, "AWS_CA_BUNDLE": str(authority),
                 "TABLE_NAME": database.table, "KEY_SIGNING_SECRET": database.signing_secret}
    os.sched_setaffinity(0, OTHER_CORES)
    subject = Subject("Passloom", [str(ROOT / "target/lambda/passloom/bootstrap")], variables, logs)
    subject.start()
    subject.ask_well(event(database.key))
    single = [request for request in requests if "count" not in request["body"]]
    several = [request for request in requests if "count" in request["body"]]
    report("before admission", measure(subject, requests, database.unknown), 1)
    report("admitted, one password", measure(subject, single, database.key), 25)
    report("admitted, up to 100 passwords", measure(subject, several, database.key), 100)
    print(f"peak memory: {subject.peak_kilobytes() / 1024:.1f} MB, goal 32 MB")
    subject.end()
    database.end()


if __name__ == "__main__":
    main()
