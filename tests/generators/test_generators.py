"""Public generators of clients read the OpenAPI document, and their clients, and those of docs/recipes.md, call the service.

GATEWAY is the path of the service behind plain HTTP, TYPESCRIPT the folder of the generators for TypeScript, if
npm is installed.
"""

import importlib
import json
import os
import pkgutil
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent
# The generator reads members that are absent from the document as forbidden, unless this says otherwise.
OPEN = "disallowAdditionalPropertiesIfNotPresent=false"


class Service:
    """The service, and a folder with its document, into which the clients are generated."""

    def __init__(self):
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen([os.environ["GATEWAY"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log)
        started = json.loads(self.process.stdout.readline())
        self.url, self.key, self.limited = started["url"], started["key"], started["limited"]
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self.temporary.name)
        self.document = self.folder / "openapi.json"
        urllib.request.urlretrieve(f"{self.url}/openapi.json", self.document)

    def end(self):
        self.process.communicate()
        self.log.close()
        self.temporary.cleanup()


def setUpModule():
    global SERVICE
    SERVICE = Service()
    sys.path.insert(0, str(SERVICE.folder))


def tearDownModule():
    SERVICE.end()


def run(*command, **environment):
    """The output of a program that must succeed."""
    done = subprocess.run([str(part) for part in command], cwd=SERVICE.folder, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=os.environ | environment)
    if done.returncode:
        raise AssertionError(f"{Path(command[0]).name} failed:\n{done.stdout[-4000:]}")
    return done.stdout


def javascript(name):
    """The path of a program of the folder of the generators for TypeScript."""
    folder = os.environ.get("TYPESCRIPT")
    if not folder:
        raise unittest.SkipTest("npm is not installed")
    return Path(folder) / "node_modules" / ".bin" / name


def compile_typescript(*files):
    modules = SERVICE.folder / "node_modules"
    if not modules.exists():
        modules.symlink_to(javascript("").parent)
        (SERVICE.folder / "package.json").write_text('{"type": "module"}')
    run(javascript("tsc"), "--strict", "--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler",
        "--lib", "es2022,dom", "--outDir", SERVICE.folder / "compiled", *files)


def openapi_generator(generator, name):
    if not shutil.which("java"):
        raise unittest.SkipTest("java is not installed")
    run(BIN / "openapi-generator-cli", "generate", "--input-spec", SERVICE.document, "--generator-name", generator,
        "--package-name", name, "--output", SERVICE.folder / name, "--additional-properties", OPEN)


def recipe(language):
    """The block of the typed client in docs/recipes.md."""
    section = (HERE.parent.parent / "docs" / "recipes.md").read_text().split("\n## Typed clients\n")[1].split("\n## ")[0]
    return section.split(f"```{language}\n")[1].split("```")[0]


def import_all(package):
    """A package, all of whose modules are imported."""
    root = importlib.import_module(package)
    for module in pkgutil.walk_packages(root.__path__, f"{package}."):
        importlib.import_module(module.name)
    return root


class GeneratorTests(unittest.TestCase):
    maxDiff = None

    def test_linter_finds_no_error(self):
        run(javascript("redocly"), "lint", SERVICE.document, REDOCLY_TELEMETRY="off", REDOCLY_SUPPRESS_UPDATE_NOTICE="true")

    def test_openapi_python_client_calls_the_service(self):
        config = SERVICE.folder / "config.json"
        config.write_text(json.dumps({"post_hooks": []}))
        run(BIN / "openapi-python-client", "generate", "--path", SERVICE.document, "--meta", "none", "--fail-on-warning",
            "--config", config, "--output-path", SERVICE.folder / "passloom")
        client = import_all("passloom")
        from passloom import models
        from passloom.api.passwords import generate, generate_by_body, passphrase
        from passloom.api.policies import (
            delete_policy, describe_policy, list_policies, list_presets, read_policy, validate, write_policy,
        )
        from passloom.api.service import read_key

        def with_key(key):
            return client.AuthenticatedClient(SERVICE.url, key, prefix="", auth_header_name="X-Api-Key")

        api = with_key(SERVICE.key)
        one = generate.sync(client=api, length=20, special=True)
        self.assertIsInstance(one, models.OnePassword)
        self.assertEqual((len(one.password), one.policy.min_special), (20, 1))
        several = generate.sync(client=api, count=3)
        self.assertIsInstance(several, models.PasswordList)
        self.assertEqual(len(set(several.passwords)), 3)
        sets = models.GenerateParameters(charsets=[models.Charset(characters="ab", min_=2)], length=9)
        by_body = generate_by_body.sync(client=api, body=sets)
        self.assertEqual(set(by_body.password) | {"a", "b"}, {"a", "b"})
        self.assertEqual(by_body.policy.charsets[0].min_, 2)
        self.assertEqual(passphrase.sync(client=api, words=4).words, 4)
        self.assertEqual(describe_policy.sync(client=api, length=8).policy.length, 8)
        body = models.ValidateParameters(password="P@ssw0rd", policy="nist-800-63b")
        verdict = validate.sync(client=api, body=body)
        found = verdict.violations[0]
        self.assertEqual((verdict.valid, found.constraint, found.min_, found.max_), (False, "length", 15, 64))
        presets = list_presets.sync(client=api).presets
        self.assertEqual((presets[0].name, presets[0].kind), ("nist-800-63b", "preset"))
        self.assertEqual(list_policies.sync(client=api).policies, [])
        stored = write_policy.sync("builds", client=api, body=models.PolicyDocument(length=30))
        self.assertEqual((stored.kind, stored.policy.length), ("stored", 30))
        named = generate.sync(client=api, policy="builds")
        self.assertEqual((len(named.password), named.policy_name, named.policy_revision), (30, "builds", stored.revision))
        delete_policy.sync_detailed("builds", client=api)
        self.assertEqual(read_policy.sync("cis", client=api).kind, "preset")
        key = read_key.sync(client=api)
        self.assertLess(key.remaining.per_minute, key.limits.per_minute)
        wrong = generate.sync(client=api, policy="team-database")
        self.assertEqual((wrong.status, wrong.parameter), (400, "policy"))
        self.assertEqual(wrong.instance, "urn:passloom:request:local")
        self.assertEqual(generate.sync(client=with_key("wrong")).status, 401)
        # Answers may get members and values.
        self.assertEqual(models.Violation.from_dict({"constraint": "new", "message": "", "new": 1}).constraint, "new")
        limited = [generate.sync(client=with_key(SERVICE.limited)) for _ in range(4)]
        self.assertEqual(limited[3].type_, "urn:passloom:problem:rate-limited")
        key_file = SERVICE.folder / "key"
        key_file.write_text(f"{SERVICE.key}\n")
        os.environ |= {"PASSLOOM_URL": SERVICE.url, "PASSLOOM_KEY_FILE": str(key_file)}
        done = {}
        exec(recipe("python"), done)
        self.assertEqual(len(done["password"]), 24)

    def test_openapi_fetch_calls_the_service(self):
        run(javascript("openapi-typescript"), SERVICE.document, "--output", SERVICE.folder / "passloom.ts")
        shutil.copy(HERE / "client.ts", SERVICE.folder)
        (SERVICE.folder / "recipe.ts").write_text(
            "declare const process: { env: Record<string, string> };\nconst key = process.env.KEY;\n"
            + recipe("ts") + "console.log(password?.length);\n")
        compile_typescript("client.ts", "recipe.ts")
        answers = json.loads(run("node", "compiled/client.js", URL=SERVICE.url, KEY=SERVICE.key, LIMITED=SERVICE.limited))
        self.assertEqual(answers, {
            "one": 20, "several": 3, "sets": 2, "passphrase": 4, "policy": "string", "violation": ["length", 15, 64],
            "preset": ["nist-800-63b", "preset"], "policies": 0, "named": "preset", "key": True,
            "invalid": [400, "policy"], "unauthorized": 401, "limited": "urn:passloom:problem:rate-limited",
        })
        self.assertEqual(run("node", "compiled/recipe.js", PASSLOOM_URL=SERVICE.url, KEY=SERVICE.key), "24\n")

    def test_openapi_generator_for_python_calls_the_service(self):
        openapi_generator("python", "generated")
        sys.path.insert(0, str(SERVICE.folder / "generated"))
        generated = import_all("generated")
        configuration = generated.Configuration(host=SERVICE.url, api_key={"ApiKey": SERVICE.key})
        with generated.ApiClient(configuration) as client:
            passwords = generated.PasswordsApi(client)
            one = passwords.generate(length=20, special=True).actual_instance
            self.assertEqual((len(one.password), one.policy.actual_instance.min_special), (20, 1))
            several = passwords.generate_by_body(generated.GenerateParameters(count=3)).actual_instance
            self.assertEqual(len(set(several.passwords)), 3)
            presets = generated.PoliciesApi(client).list_presets().presets
            self.assertEqual(presets[0].policy.actual_instance.length, 16)
            self.assertIsNone(generated.ServiceApi(client).read_key().policy)
            # Answers may get members and values.
            violation = {"constraint": "new", "message": "", "new": 1}
            self.assertEqual(generated.Violation.from_dict(violation).constraint, "new")
            passwords_with_more = generated.Passwords.from_dict(one.to_dict() | {"new": 1})
            self.assertEqual(passwords_with_more.actual_instance.password, one.password)
            with self.assertRaises(generated.ApiException) as raised:
                passwords.generate(policy="team-database")
            self.assertEqual((raised.exception.status, raised.exception.data.parameter), (400, "policy"))

    def test_openapi_generator_for_typescript_compiles(self):
        javascript("tsc")
        openapi_generator("typescript-fetch", "fetch")
        compile_typescript("fetch/index.ts")


if __name__ == "__main__":
    unittest.main()
