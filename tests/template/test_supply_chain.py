"""Tests of what builds and deploys the function: the tools that make installs, the workflow, and updates.

The tools run with the credentials of a deployment, or build the function.
"""

import pathlib
import re
import subprocess
import unittest

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "tests/requirements"
TOOLS = {"cargo-lambda", "cfn-lint", "checkov", "cloud", "fastapi", "fastapi-dynamodb", "generators", "sam", "schemathesis", "uv"}
MAKEFILE = "".join((ROOT / name).read_text() for name in ("Makefile", "tests/tools.mk", "tests/tests.mk", "benches/benches.mk"))
# `name==version`, perhaps with extras and a marker, and its hashes.
LOCKED = re.compile(r"([a-z0-9-]+)(?:\[[a-z]+\])?==([0-9a-z.]+)(?: ; [^\\]+?)?((?: \\\n    --hash=sha256:[0-9a-f]{64})+)\n")


def requested(tool: str) -> dict:
    """The packages that a tool consists of, with their versions."""
    lines = (REQUIREMENTS / f"{tool}.in").read_text().splitlines()
    return dict(re.sub(r"\[.*\]", "", line).split("==") for line in lines)


class Requirements(unittest.TestCase):
    """The files in tests/requirements."""

    def test_each_tool_has_a_locked_file(self):
        for suffix in ("in", "txt"):
            self.assertEqual({path.stem for path in REQUIREMENTS.glob(f"*.{suffix}")}, TOOLS, suffix)

    def test_locked_file_consists_of_versions_and_hashes_only(self):
        for tool in TOOLS:
            text = (REQUIREMENTS / f"{tool}.txt").read_text()
            # No option, no URL, no path: a host of a registry would be one.
            self.assertEqual(LOCKED.sub("", text), "", tool)

    def test_locked_file_contains_the_requested_versions(self):
        for tool in TOOLS:
            locked = {}
            for name, version, _ in LOCKED.findall((REQUIREMENTS / f"{tool}.txt").read_text()):
                locked.setdefault(name, set()).add(version)
            for name, version in requested(tool).items():
                self.assertEqual(locked.get(name), {version}, tool)

    def test_makefile_installs_locked_files_only(self):
        installations = re.findall(r"pip install((?:.*\\\n)*.*)", MAKEFILE)
        self.assertTrue(installations)
        for arguments in installations:
            for option in ("--require-hashes", "--only-binary :all:", "--requirement "):
                self.assertIn(option, arguments)
            self.assertNotRegex(arguments, "==")

    def test_npm_runs_no_scripts_of_packages(self):
        installations = re.findall(r"npm (?:ci|exec|install|pack)\b(?:.*\\\n)*.*", MAKEFILE)
        self.assertGreaterEqual(len(installations), 3)
        for command in installations:
            self.assertIn("--ignore-scripts", command)

    def test_makefile_repeats_no_version_of_a_tool(self):
        for tool in TOOLS:
            for name, version in requested(tool).items():
                self.assertNotRegex(MAKEFILE, rf"(=|= |==|@){re.escape(version)}\b", name)


class Builds(unittest.TestCase):
    """The debug builds of the Makefile."""

    def features(self, dependencies: str) -> dict:
        """The sets of features with which each crate is compiled."""
        command = ["cargo", "tree", "--locked", "--workspace", "--all-features", "--edges", dependencies,
                   "--prefix", "none", "--no-dedupe", "--format", "{p}\t{f}"]
        lines = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
        found = {}
        for crate, features in (line.split("\t") for line in lines if line):
            found.setdefault(crate, set()).add(features)
        return found

    def test_programs_and_tests_have_the_same_crates_with_the_same_features(self):
        """Otherwise `make run` after `make check` compiles most crates again."""
        programs, tests = self.features("normal,build"), self.features("normal,build,dev")
        self.assertIn("passloom", {crate.split()[0] for crate in programs})
        self.assertEqual(programs, {crate: features for crate, features in tests.items() if crate in programs})

    def test_commands_build_the_same_packages(self):
        for command in re.findall(r"cargo (?:build|test) .*", MAKEFILE):
            # vaultrs is a client, in a package of its own.
            if "--release" not in command and "tests/clients/vaultrs" not in command:
                self.assertRegex(command, "^cargo (build|test) --locked --workspace --all-features$")


class Workflow(unittest.TestCase):
    """The workflow of GitHub Actions."""

    @classmethod
    def setUpClass(cls):
        cls.text = (ROOT / ".github/workflows/ci.yml").read_text()
        cls.workflow = yaml.safe_load(cls.text)
        # YAML 1.1 reads the word `on` as a truth value.
        cls.events = cls.workflow[True]
        cls.jobs = cls.workflow["jobs"]

    def test_actions_are_pinned_by_commit(self):
        used = re.findall(r"uses: (.*)", self.text)
        self.assertGreaterEqual(len(used), 5)
        for one in used:
            self.assertRegex(one, r"^[\w-]+/[\w-]+@[0-9a-f]{40} # v[0-9.]+$")

    def test_advisories_are_checked_weekly(self):
        schedule, = self.events["schedule"]
        self.assertRegex(schedule["cron"], r"^\d+ \d+ \* \* [0-6]$")
        weekly = {name for name, job in self.jobs.items() if "if" not in job}
        runs = [step.get("run") for name in weekly for step in self.jobs[name]["steps"]]
        self.assertIn("make advisories", runs)

    def test_only_provenance_of_a_version_may_sign(self):
        self.assertEqual(self.workflow["permissions"], {"contents": "read"})
        self.assertEqual({name for name, job in self.jobs.items() if "permissions" in job}, {"provenance"})
        job = self.jobs["provenance"]
        permissions = {"contents": "read", "id-token": "write", "attestations": "write"}
        self.assertEqual(job["permissions"], permissions)
        self.assertEqual(job["if"], "startsWith(github.ref, 'refs/tags/v')")
        self.assertEqual(set(job["needs"]), set(self.jobs) - {"provenance"})

    def test_provenance_runs_no_code_of_the_project(self):
        """Otherwise a build script of a dependency could sign anything."""
        used = {step["uses"].split("@")[0] for step in self.jobs["provenance"]["steps"] if "uses" in step}
        expected = {"actions/attest-build-provenance", "actions/download-artifact", "actions/upload-artifact"}
        self.assertEqual(used, expected)
        for step in self.jobs["provenance"]["steps"]:
            self.assertNotRegex(step.get("run", ""), "make|cargo|python|pip")


class Updates(unittest.TestCase):
    """The updates that Dependabot proposes."""

    def test_every_locked_dependency_is_updated_weekly(self):
        locks = [path for folder in ("tests", "benches") for path in (ROOT / folder).rglob("package-lock.json")]
        self.assertGreaterEqual(len(locks), 4)
        expected = {("npm", f"/{path.parent.relative_to(ROOT)}") for path in locks}
        expected |= {("cargo", "/"), ("pip", "/tests/requirements"), ("github-actions", "/")}
        updates = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text())["updates"]
        folders = {(one["package-ecosystem"], folder)
                   for one in updates for folder in one.get("directories", [one.get("directory")])}
        self.assertEqual(folders, expected)
        self.assertEqual({one["schedule"]["interval"] for one in updates}, {"weekly"})


if __name__ == "__main__":
    unittest.main()
