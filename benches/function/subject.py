"""A function that is measured: starts it, sends events to it, and ends it."""

import atexit
import json
import os
import signal
import subprocess
import time
from pathlib import Path

from runtime_api import RuntimeApi

FUNCTION_CORE = max(os.sched_getaffinity(0))
OTHER_CORES = os.sched_getaffinity(0) - {FUNCTION_CORE} or {FUNCTION_CORE}

PATH = "/api/generate"


def event(key, query=""):
    """The event of an HTTP API."""
    headers = {"host": "passloom.example.com", "user-agent": "bench/1", "x-forwarded-for": "192.0.2.7",
               "x-forwarded-port": "443", "x-forwarded-proto": "https", "accept": "*/*", "x-api-key": key}
    return json.dumps({
        "version": "2.0", "routeKey": "$default", "rawPath": PATH, "rawQueryString": query, "headers": headers,
        "requestContext": {
            "accountId": "123456789012", "apiId": "api", "domainName": "passloom.example.com", "domainPrefix": "passloom",
            "http": {"method": "GET", "path": PATH, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.7", "userAgent": "bench/1"},
            "requestId": "JKJaXmPLvHcESHA=", "routeKey": "$default", "stage": "$default",
            "time": "01/Jan/2026:00:00:00 +0000", "timeEpoch": 1767225600000,
        },
        "isBase64Encoded": False,
    }).encode()


def processor_nanoseconds(process):
    """Processor time of all threads of a process so far."""
    tasks = Path(f"/proc/{process.pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks)


class Subject:
    """A program with its variables, the Runtime API that it polls, and the file with its output."""

    def __init__(self, name, command, variables, logs):
        self.name, self.command, self.log = name, command, Path(logs) / f"{name.replace(' ', '-')}.log"
        own = {"AWS_LAMBDA_FUNCTION_NAME": "measured", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
               "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "local",
               "AWS_SECRET_ACCESS_KEY": "local", "PATH": os.environ["PATH"]}
        self.variables = own | variables
        self.api = RuntimeApi()
        self.process = None
        # A process that outlives the run would distort the next one.
        atexit.register(lambda: self.process and self.process.kill())

    def start(self, more=None, wrapper=(), cgroup=None):
        """Starts it on the core for functions, and records the time."""
        environment = self.variables | {"AWS_LAMBDA_RUNTIME_API": self.api.address} | (more or {})
        with open(self.log, "wb") as log:
            # A child inherits the core and the group of the thread that creates it.
            os.sched_setaffinity(0, {FUNCTION_CORE})
            if cgroup:
                cgroup.enter()
            self.began = time.perf_counter_ns()
            self.process = subprocess.Popen([*wrapper, *self.command], env=environment, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=subprocess.STDOUT)
            if cgroup:
                cgroup.leave()
            os.sched_setaffinity(0, OTHER_CORES)
        self.polling = None

    def poll(self):
        """Waits until it polls, and returns the time."""
        self.polling, polls, _, arrived = self.api.request()
        assert polls, "a function answered without an event"
        return arrived

    def ask(self, event):
        """Sends it an event, and returns the duration in nanoseconds and the answer."""
        if self.polling is None:
            self.poll()
        began = time.perf_counter_ns()
        self.api.hand_over(self.polling, event)
        self.polling = None
        connection, polls, body, arrived = self.api.request()
        assert not polls, "a function polled without an answer"
        self.api.accept(connection)
        return arrived - began, json.loads(body)

    def ask_well(self, event):
        """As `ask`; any status except 200 is an error of the benchmark."""
        took, answer = self.ask(event)
        assert answer["statusCode"] == 200, f"{self.name}: {answer}"
        return took

    def peak_kilobytes(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1])

    def end(self, by=signal.SIGKILL):
        self.process.send_signal(by)
        self.process.wait()
        self.api.forget()


class Quota:
    """A control group with a share of one core, as Lambda allocates it by memory."""

    PERIOD = 20_000

    def __init__(self, share):
        old = Path("/sys/fs/cgroup/cpu")
        if (old / "cpu.cfs_quota_us").exists():
            self.root, self.members = old, "tasks"
            limits = {"cpu.cfs_period_us": self.PERIOD, "cpu.cfs_quota_us": int(self.PERIOD * share)}
        else:
            self.root, self.members = Path("/sys/fs/cgroup"), "cgroup.procs"
            limits = {"cpu.max": f"{int(self.PERIOD * share)} {self.PERIOD}"}
        self.group = self.root / "passloom-bench"
        self.group.mkdir(exist_ok=True)
        for name, value in limits.items():
            (self.group / name).write_text(str(value))

    def enter(self):
        (self.group / self.members).write_text("0")

    def leave(self):
        (self.root / self.members).write_text("0")

    def remove(self):
        self.group.rmdir()
