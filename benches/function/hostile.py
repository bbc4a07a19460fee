"""Measures by route the processor time and the memory of requests that are made to cost as much as possible.

usage: hostile.py <folder for logs>

The requests are those of dev/hostile.rs, which the tests send, too. Each is sent with a key that does not exist, so
that it ends before admission, and with a valid key, which is an administrator's. Each route has a function of its own, so
that its memory is that of its requests. The limits are goals, not assertions: a shared machine is up to twice as slow at
times.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from database import Database
from subject import OTHER_CORES, Subject, event, processor_nanoseconds

TARGET = Path(__file__).parent.parent.parent / "target"
FUNCTION, PROGRAMS = TARGET / "lambda/passloom/bootstrap", TARGET / "release"
REPETITIONS = 5
SHOWN = 10


def corpus(key):
    """The events by route, with that key."""
    routes = {}
    printed = subprocess.run([PROGRAMS / "hostile"], input=key, check=True, capture_output=True, text=True).stdout
    for line in printed.splitlines():
        request = json.loads(line)
        routes.setdefault(request["route"], []).append(json.dumps(request["event"]).encode())
    return routes


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


def goal(route):
    """The most milliseconds with a valid key."""
    return 100 if "up to 100" in route else 25


def main():
    logs = Path(sys.argv[1])
    logs.mkdir(parents=True, exist_ok=True)
    database = Database(PROGRAMS / "database")
    authority = logs / "authority.pem"
    authority.write_text(database.authority)
    variables = {"AWS_ENDPOINT_URL_DYNAMODB": database.tls, "AWS_CA_BUNDLE": str(authority),
                 "TABLE_NAME": database.table, "KEY_SIGNING_SECRET": database.signing_secret}
    os.sched_setaffinity(0, OTHER_CORES)
    subject = Subject("Passloom", [str(FUNCTION)], variables, logs)
    unknown, slowest = corpus(database.unknown), []
    print("The most milliseconds of a request, with a key that does not exist (goal 1) and with a valid key, "
          "and the most memory (goal 32 MB)")
    print(f"{'route':40} {'requests':>8} {'no such key':>11} {'valid key':>9} {'goal':>4} {'MB':>5}")
    for route, events in corpus(database.key).items():
        subject.start()
        subject.ask_well(event(database.key))
        refused = max(processor_milliseconds(subject, sent)[0] for sent in unknown[route])
        results = [(*processor_milliseconds(subject, sent), route, sent) for sent in events]
        memory = subject.peak_kilobytes() / 1024
        subject.end()
        print(f"{route:40} {len(events):8} {refused:11.2f} {max(results)[0]:9.2f} {goal(route):4} {memory:5.1f}", flush=True)
        slowest = sorted(slowest + results, reverse=True)[:SHOWN]
    print("\nThe slowest requests with a valid key")
    for milliseconds, status, route, sent in slowest:
        request = json.loads(sent)
        print(f"{milliseconds:7.2f} ms  {status}  {route}: {request.get('rawQueryString', ''):.60} {request['body'] or '':.100}")
    database.end()


if __name__ == "__main__":
    main()
