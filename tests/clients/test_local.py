"""The service on this machine, as `make run` and cargo-lambda start it, and the commands that use it.

LOCAL is the program that `make run` starts, CARGO_LAMBDA the program cargo-lambda. Both run in a copy of the repository.
"""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import unittest
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
LOCAL = ROOT / os.environ.get("LOCAL", "target/debug/local")
CARGO_LAMBDA = ROOT / os.environ["CARGO_LAMBDA"]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Clone(unittest.TestCase):
    """A copy of the repository without what commands have created in it, and without the settings of its user."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        created = shutil.ignore_patterns(".aws-sam", ".git", ".local", ".tools", "__pycache__", "target")
        # With new modification times, so that cargo compiles it.
        shutil.copytree(ROOT, self.folder, dirs_exist_ok=True, ignore=created, copy_function=shutil.copy)
        (self.folder / ".tools").symlink_to(ROOT / ".tools")
        self.local = self.folder / ".local"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MAKE", "MFLAGS"))}
        self.environment = {**kept, "PATH": f"{CARGO_LAMBDA.parent}:{os.environ['PATH']}"}

    def start(self, *command):
        """Starts a program that runs until the end of the test."""
        process = subprocess.Popen(command, cwd=self.folder, env=self.environment, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, umask=0o022)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.send_signal, signal.SIGINT)
        return process

    def read_until(self, process, text):
        """Reads what a program prints until a line has the text."""
        lines = []
        for line in process.stdout:
            lines.append(line)
            if text in line:
                return
        self.fail("".join(lines))

    def output(self, *command):
        done = subprocess.run(command, cwd=self.folder, env=self.environment, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def modes(self):
        """The modes of `.local` and of everything in it."""
        entries = [self.local, *self.local.rglob("*")]
        return {str(entry.relative_to(self.folder)): stat.S_IMODE(entry.stat().st_mode) for entry in entries}


class Run(Clone):
    """`make run` and `make invoke`."""

    def setUp(self):
        super().setUp()
        self.port = free_port()

    def run_service(self):
        process = self.start(LOCAL, "run", str(self.port))
        self.read_until(process, "Ctrl-C stops everything")

    def test_files_are_readable_by_their_owner_only(self):
        # As earlier versions created them.
        self.local.mkdir(mode=0o755)
        (self.local / "api-key").touch(mode=0o644)
        self.run_service()
        modes = self.modes()
        for path, mode in modes.items():
            self.assertEqual(mode, 0o700 if (self.folder / path).is_dir() else 0o600, path)
        events = {f".local/events/{path.name}" for path in (ROOT / "events").iterdir()}
        self.assertLess(events | {".local/api-key", ".local/signing-secret", ".local/dynamodb.sqlite"}, set(modes))

    def test_event_is_invoked_at_the_default_address_of_cargo_lambda(self):
        self.run_service()
        command = ["cargo", "lambda", "invoke", "--invoke-port", str(self.port), "--data-file"]
        reply = json.loads(self.output(*command, ".local/events/http-api.json"))
        self.assertIn("password", json.loads(reply["body"]))

    def test_event_is_invoked_without_the_key_on_a_command_line(self):
        self.run_service()
        key = (self.local / "api-key").read_text()
        command = ["make", "--no-print-directory", "invoke", f"PORT={self.port}"]
        for event in sorted(path.name for path in (ROOT / "events").iterdir()):
            reply = json.loads(self.output(*command, f"EVENT=events/{event}"))
            self.assertEqual(reply["statusCode"], 200, event)
        self.assertIn("password", json.loads(json.loads(self.output(*command))["body"]))
        self.assertNotRegex(self.output("make", "--dry-run", "invoke"), r"\$\(|api-key")
        for arguments in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                self.assertNotIn(key, arguments.read_text())
            except OSError:
                # The process has ended.
                continue


class CargoLambda(Clone):
    """The commands of the README."""

    def setUp(self):
        super().setUp()
        block, = [block for block in re.findall("^```sh\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)
                  if "cargo lambda" in block]
        commands = [re.sub(" +#.*", "", line) for line in block.splitlines()]
        database, self.watch, self.invoke, self.list_keys = commands
        self.assertEqual(database, "make database")
        # `make database` builds what is in LOCAL.
        self.database = f"{LOCAL} database"
        # The ports of the README can be in use. The dependencies are compiled once, also for the next run of this test.
        self.port = free_port()
        self.environment |= {"CARGO_TARGET_DIR": str(ROOT / "target/clone")}
        self.environment["PATH"] = f"{LOCAL.parent}:{self.environment['PATH']}"

    def started(self, command, text):
        process = self.start(*shlex.split(command))
        self.read_until(process, text)
        return process

    def invoked(self):
        return json.loads(self.output(*shlex.split(self.invoke), "--invoke-port", str(self.port)))

    def test_function_is_watched_invoked_and_reloaded(self):
        self.started(self.database, "Ctrl-C stops the database")
        watch = self.started(f"{self.watch} --invoke-port {self.port}", "starting Runtime server")
        self.assertEqual(len(json.loads(self.invoked()["body"])["password"]), 24)
        self.read_until(watch, '"event":"password.generated"')
        # The only function of the workspace needs no name in the path.
        with urllib.request.urlopen(f"http://localhost:{self.port}/api/health") as health:
            self.assertEqual(health.status, 200)
        self.read_until(watch, '"event":"health.checked"')
        self.assertIn("local", self.output("bash", "-c", self.list_keys))
        source = self.folder / "src/password/policy/limits.rs"
        source.write_text(source.read_text().replace("MAX_LENGTH: u16 = 4096", "MAX_LENGTH: u16 = 20"))
        self.read_until(watch, "Finished")
        self.assertIn("length must be a whole number from 4 to 20", self.invoked()["body"])

    def test_database_keeps_its_port_and_its_keys(self):
        first = self.started(self.database, "Ctrl-C stops the database")
        self.assertEqual({mode for path, mode in self.modes().items() if (self.folder / path).is_file()}, {0o600})
        environment = (self.local / "env").read_text()
        key = (self.local / "api-key").read_text()
        first.send_signal(signal.SIGINT)
        first.wait()
        self.started(self.database, "Ctrl-C stops the database")
        self.assertEqual((self.local / "env").read_text(), environment)
        self.assertEqual((self.local / "api-key").read_text(), key)
        self.assertIn("local", self.output("bash", "-c", self.list_keys))


if __name__ == "__main__":
    unittest.main()
