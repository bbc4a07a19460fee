"""The service on this machine, as `make run` starts it, and the commands that use it.

LOCAL is the program that `make run` starts, CARGO_LAMBDA the program cargo-lambda. Both run in a copy of the repository.
"""

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import unittest
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
        shutil.copytree(ROOT, self.folder, dirs_exist_ok=True, ignore=created)
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
        process = self.start(LOCAL, str(self.port))
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


if __name__ == "__main__":
    unittest.main()
