"""Unmodified clients of AWS Secrets Manager and of Vault against the service.

GATEWAY is the path of the service behind plain HTTP. Each test runs the client as its users do; the audit log shows how
often a client called. A client that is not installed is skipped, and one line says so.
"""

import base64
import http.client
import json
import os
import shutil
import string
import subprocess
import sys
import tempfile
import unittest
import urllib.parse
import urllib.request
from pathlib import Path

import boto3
import hvac
import yaml
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

ROOT = Path(__file__).parent.parent.parent
HCL = 'length = 20\nrule "charset" {\n  charset = "abcdef"\n  min-chars = 2\n}\nrule "charset" {\n  charset = "0123456789"\n}\n'


class Service:
    """The service, and the audit lines that it has written."""

    def __init__(self):
        self.log = tempfile.NamedTemporaryFile("w+b")
        gateway = ROOT / os.environ.get("GATEWAY", "target/debug/gateway")
        self.process = subprocess.Popen([gateway], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log)
        started = json.loads(self.process.stdout.readline())
        self.url, self.key, self.limited = started["url"], started["key"], started["limited"]

    def lines(self):
        return [json.loads(line) for line in Path(self.log.name).read_text().splitlines()]

    def end(self):
        self.process.communicate()
        self.log.close()


def setUpModule():
    global SERVICE
    SERVICE = Service()
    # No test reads the settings of its user.
    for name in list(os.environ):
        if name.startswith(("AWS_", "VAULT_", "BAO_")):
            del os.environ[name]
    os.environ |= {"AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
                   "AWS_EC2_METADATA_DISABLED": "true", "AWS_DEFAULT_REGION": "eu-central-1"}


def tearDownModule():
    SERVICE.end()


def client(url=None, *, key=None, as_id=False, attempts=1):
    """boto3's client, with the key as session token or as access key id."""
    key = key or SERVICE.key
    credentials = {"aws_access_key_id": key} if as_id else {"aws_access_key_id": "x", "aws_session_token": key}
    return boto3.client("secretsmanager", endpoint_url=url or SERVICE.url, aws_secret_access_key="x", **credentials,
                        config=Config(retries={"total_max_attempts": attempts, "mode": "standard"}))


class Boto3(unittest.TestCase):
    def test_every_member_has_its_effect(self):
        get = client().get_random_password
        cases = [
            ({}, 32, string.ascii_letters + string.digits + string.punctuation),
            ({"PasswordLength": 4096}, 4096, string.ascii_letters + string.digits + string.punctuation),
            ({"ExcludePunctuation": True, "ExcludeCharacters": "aZ9"}, 32,
             "".join(set(string.ascii_letters + string.digits) - set("aZ9"))),
            ({"ExcludeLowercase": True, "ExcludeUppercase": True, "ExcludePunctuation": True, "PasswordLength": 6}, 6,
             string.digits),
            ({"ExcludeNumbers": True, "ExcludePunctuation": True, "IncludeSpace": True, "PasswordLength": 2000}, 2000,
             string.ascii_letters + " "),
            ({"RequireEachIncludedType": False, "PasswordLength": 1}, 1,
             string.ascii_letters + string.digits + string.punctuation),
        ]
        for members, length, characters in cases:
            with self.subTest(members):
                password = get(**members)["RandomPassword"]
                self.assertEqual(len(password), length)
                self.assertLessEqual(set(password), set(characters))
        self.assertEqual(SERVICE.lines()[-1]["api"], "aws")

    def test_errors_have_the_names_of_aws(self):
        cases = [
            ({"PasswordLength": 5555}, "ValidationException"),
            ({"PasswordLength": 2}, "InvalidParameterException"),
            ({"ExcludeCharacters": string.digits}, "InvalidParameterException"),
            ({"ExcludeCharacters": string.ascii_letters + string.digits + string.punctuation}, "InvalidParameterException"),
        ]
        for members, code in cases:
            with self.subTest(members), self.assertRaises(ClientError) as raised:
                client().get_random_password(**members)
            self.assertEqual(raised.exception.response["Error"]["Code"], code)
            self.assertTrue(raised.exception.response["Error"]["Message"])
            self.assertTrue(raised.exception.response["ResponseMetadata"]["RequestId"])
        with self.assertRaises(ClientError) as raised:
            client().get_secret_value(SecretId="x")
        self.assertEqual(raised.exception.response["Error"]["Code"], "UnknownOperationException")

    def test_key_is_session_token_or_access_key_id(self):
        for as_id in (False, True):
            self.assertEqual(len(client(as_id=as_id).get_random_password()["RandomPassword"]), 32)
        self.assertEqual(len(client(SERVICE.url + "/aws").get_random_password()["RandomPassword"]), 32)
        before = len(SERVICE.lines())
        with self.assertRaises(ClientError) as raised:
            client(key="wrong", attempts=3).get_random_password()
        self.assertEqual(raised.exception.response["Error"]["Code"], "UnrecognizedClientException")
        self.assertEqual(len(SERVICE.lines()) - before, 1, "a wrong key is not retried")

    def test_throttled_request_is_retried(self):
        limited = client(key=SERVICE.limited, attempts=2)
        for _ in range(3):
            limited.get_random_password()
        before = len(SERVICE.lines())
        with self.assertRaises(ClientError) as raised:
            limited.get_random_password()
        self.assertEqual(raised.exception.response["Error"]["Code"], "ThrottlingException")
        self.assertEqual(len(SERVICE.lines()) - before, 2)

    def test_environment_and_profile_name_the_endpoint(self):
        script = "import boto3; print(len(boto3.client('secretsmanager').get_random_password()['RandomPassword']))"
        with tempfile.NamedTemporaryFile("w", suffix=".ini") as config:
            config.write(f"[profile passloom]\nservices = passloom\nregion = eu-central-1\naws_access_key_id = x\n"
                         f"aws_secret_access_key = x\naws_session_token = {SERVICE.key}\n"
                         f"[services passloom]\nsecrets_manager =\n  endpoint_url = {SERVICE.url}\n")
            config.flush()
            by_profile = {"AWS_CONFIG_FILE": config.name, "AWS_PROFILE": "passloom"}
            by_variable = {"AWS_ENDPOINT_URL_SECRETS_MANAGER": SERVICE.url, "AWS_ACCESS_KEY_ID": "x",
                           "AWS_SECRET_ACCESS_KEY": "x", "AWS_SESSION_TOKEN": SERVICE.key}
            for variables in (by_variable, by_profile):
                run = subprocess.run([sys.executable, "-c", script], env=os.environ | variables, capture_output=True, text=True)
                self.assertEqual(run.stdout.strip(), "32", run.stderr)

    def test_cli_prints_a_password(self):
        variables = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_SESSION_TOKEN": SERVICE.key,
                     "AWS_ENDPOINT_URL_SECRETS_MANAGER": SERVICE.url}
        cli = [sys.executable, Path(sys.executable).parent / "aws", "secretsmanager", "get-random-password"]
        run = subprocess.run([*cli, "--password-length", "20", "--exclude-punctuation", "--output", "text"],
                             env=os.environ | variables, capture_output=True, text=True)
        self.assertTrue(len(run.stdout.strip()) == 20 and run.stdout.strip().isalnum(), run.stderr)

    def test_same_requests_are_accepted_or_refused_as_by_moto(self):
        moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
        moto.start()
        host, port = moto.get_host_and_port()
        other = boto3.client("secretsmanager", endpoint_url=f"http://{host}:{port}", aws_access_key_id="x",
                             aws_secret_access_key="x")
        cases = [
            {}, {"PasswordLength": 4096}, {"PasswordLength": 4097}, {"PasswordLength": 3}, {"PasswordLength": 4},
            {"IncludeSpace": True}, {"ExcludePunctuation": True}, {"ExcludeCharacters": string.digits},
            {"ExcludeNumbers": True, "ExcludePunctuation": True, "PasswordLength": 4},
        ]
        # moto refuses lengths below 4 whatever is required, and fails if ExcludeCharacters empties a type that is not.
        wrong_in_moto = [
            {"PasswordLength": 1, "RequireEachIncludedType": False},
            {"ExcludeNumbers": True, "ExcludePunctuation": True, "PasswordLength": 2},
            {"ExcludeCharacters": string.ascii_lowercase, "RequireEachIncludedType": False},
        ]

        def is_accepted(one, members):
            try:
                one.get_random_password(**members)
            except ClientError:
                return False
            return True

        for members in cases:
            with self.subTest(members):
                self.assertEqual(is_accepted(client(), members), is_accepted(other, members))
        for members in wrong_in_moto:
            with self.subTest(members):
                self.assertTrue(is_accepted(client(), members))
                self.assertFalse(is_accepted(other, members), "moto is right now: compare it with the others")
        moto.stop()


class JavaScript(unittest.TestCase):
    def test_sdk_gets_passwords_and_named_errors(self):
        modules = os.environ.get("JAVASCRIPT")
        if not modules:
            sys.stderr.write("skipped: the test with the AWS SDK for JavaScript: npm is not installed\n")
            self.skipTest("npm is not installed")

        def get(key=None, **members):
            variables = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "eu-central-1",
                         "AWS_SESSION_TOKEN": key or SERVICE.key, "AWS_ENDPOINT_URL_SECRETS_MANAGER": SERVICE.url}
            script = [shutil.which("node"), ROOT / "tests/clients/javascript.mjs", modules, json.dumps(members)]
            return json.loads(subprocess.run(script, env=os.environ | variables, capture_output=True, check=True).stdout)

        self.assertEqual(len(get()["password"]), 32)
        self.assertTrue(get(ExcludePunctuation=True, PasswordLength=20)["password"].isalnum())
        self.assertEqual(get(PasswordLength=2)["error"], "InvalidParameterException")
        self.assertEqual(get("wrong")["error"], "UnrecognizedClientException")


class Hvac(unittest.TestCase):
    def setUp(self):
        self.vault = hvac.Client(url=SERVICE.url, token=SERVICE.key)

    def test_policy_is_written_read_generated_from_and_deleted(self):
        path = "sys/policies/password/hvac"
        self.vault.write_data(path, data={"policy": HCL})
        self.assertEqual(self.vault.read(path)["data"]["policy"], HCL)
        self.vault.write_data(path, data={"policy": base64.b64encode(HCL.encode()).decode()})
        self.assertEqual(self.vault.read(path)["data"]["policy"], HCL)
        password = self.vault.read(f"{path}/generate")["data"]["password"]
        self.assertTrue(len(password) == 20 and set(password) <= set("abcdef0123456789"), password)
        self.assertIn("hvac", self.vault.list("sys/policies/password")["data"]["keys"])
        self.vault.delete(path)
        self.assertIsNone(self.vault.read(path))
        self.assertEqual(SERVICE.lines()[-1]["api"], "vault")

    def test_token_and_status_are_read(self):
        self.assertTrue(self.vault.is_authenticated())
        token = self.vault.lookup_token()["data"]
        self.assertIn("default", token["policies"])
        self.assertEqual(token["id"], SERVICE.key)
        self.assertTrue(self.vault.sys.is_initialized())
        self.assertFalse(self.vault.sys.is_sealed())
        self.assertTrue(self.vault.sys.read_seal_status()["initialized"])
        self.assertFalse(self.vault.sys.read_leader_status()["ha_enabled"])
        for method in ("GET", "HEAD"):
            self.assertTrue(self.vault.sys.read_health_status(method=method))
        self.assertFalse(hvac.Client(url=SERVICE.url, token="wrong").is_authenticated())

    def test_errors_are_those_of_vault(self):
        with self.assertRaises(hvac.exceptions.InvalidRequest):
            self.vault.write_data("sys/policies/password/bad", data={"policy": "length = 3"})
        with self.assertRaises(hvac.exceptions.Forbidden):
            hvac.Client(url=SERVICE.url, token="wrong").read("sys/policies/password/cis")

    def test_random_bytes_have_the_requested_form(self):
        answer = self.vault.write_data("sys/tools/random/16", data={"format": "hex"})
        self.assertEqual(len(bytes.fromhex(answer["data"]["random_bytes"])), 16)


class Vaultrs(unittest.TestCase):
    def test_answers_decode_strictly(self):
        variables = {"VAULT_ADDR": SERVICE.url, "VAULT_TOKEN": SERVICE.key}
        program = ROOT / os.environ.get("VAULTRS", "target/vaultrs/debug/vaultrs-client")
        found = json.loads(subprocess.run([program], env=os.environ | variables, capture_output=True, check=True).stdout)
        self.assertEqual((found["status"], found["health"]["initialized"]), ("OK", True))
        self.assertEqual((found["token"]["id"], found["token"]["orphan"]), (SERVICE.key, True))
        self.assertTrue(found["refused"])


class GoClient(unittest.TestCase):
    """The requests of Vault's program, as its Go client (api/client.go, api/logical.go, api/sys_*.go) sends them."""

    def send(self, method, path, query="", body=None, token=None):
        headers = {"X-Vault-Request": "true", "User-Agent": "Go-http-client/1.1", "Accept-Encoding": "gzip"}
        if token or token is None:
            headers["X-Vault-Token"] = token or SERVICE.key
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(SERVICE.url).netloc, timeout=10)
        # The Go client sends no Content-Type.
        connection.request(method, f"/v1/{path}{query}", json.dumps(body).encode() if body is not None else None, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text) if text else None

    def test_login_stores_the_token(self):
        status, answer = self.send("GET", "auth/token/lookup-self")
        self.assertEqual((status, answer["data"]["id"]), (200, SERVICE.key))
        # What `vault login` prints and stores is made of these.
        for member in ("accessor", "policies", "renewable", "ttl", "meta", "entity_id"):
            self.assertIn(member, answer["data"])
        self.assertEqual(self.send("GET", "auth/token/lookup-self", token="wrong")[0], 403)

    def test_status_asks_seal_status_then_leader(self):
        status, seal = self.send("GET", "sys/seal-status", token="")
        self.assertEqual((status, seal["sealed"], seal["t"], seal["n"]), (200, False, 1, 1))
        for member in ("type", "initialized", "version", "storage_type", "build_date", "cluster_name", "cluster_id"):
            self.assertIn(member, seal)
        status, leader = self.send("GET", "sys/leader", token="")
        self.assertEqual((status, leader["ha_enabled"]), (200, False))
        query = "?drsecondarycode=299&performancestandbycode=299&sealedcode=299&standbycode=299&uninitcode=299"
        self.assertTrue(self.send("GET", "sys/health", query, token="")[1]["initialized"])
        self.assertTrue(self.send("GET", "sys/init", token="")[1]["initialized"])

    def test_write_read_list_and_delete(self):
        path = "sys/policies/password/go"
        self.assertEqual(self.send("PUT", path, body={"policy": HCL}), (204, None))
        self.assertEqual(self.send("GET", path)[1]["data"], {"policy": HCL})
        self.assertIn("go", self.send("GET", "sys/policies/password", "?list=true")[1]["data"]["keys"])
        self.assertEqual(len(self.send("GET", f"{path}/generate")[1]["data"]["password"]), 20)
        # `vault write` writes every value as a text.
        random = self.send("PUT", "sys/tools/random", body={"bytes": "64", "format": "hex"})[1]["data"]["random_bytes"]
        self.assertEqual(len(random), 128)
        self.assertEqual(self.send("PUT", "auth/token/renew-self", body={"increment": 0})[0], 400)
        self.assertEqual(self.send("DELETE", path), (204, None))
        self.assertEqual(self.send("GET", path), (404, {"errors": ["policy does not exist"]}))


class ExternalSecrets(unittest.TestCase):
    """The requests that the manifests in docs/recipes.md describe."""

    def manifest(self, kind):
        text = (ROOT / "docs/recipes.md").read_text().split("## External Secrets Operator")[1].split("\n## ")[0]
        found = [yaml.safe_load(block.split("```")[0]) for block in text.split("```yaml\n")[1:]]
        return next(one["spec"] for one in found if one["kind"] == kind)

    def send(self, url, method, headers, body=None):
        url = url.replace("https://passloom.example.com", SERVICE.url)
        headers = {name: value.replace("{{ .auth.key }}", SERVICE.key) for name, value in headers.items()}
        request = urllib.request.Request(url, data=body and body.encode(), method=method, headers=headers)
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read())

    def test_webhook_generator_gets_a_password(self):
        spec = self.manifest("Webhook")
        answer = self.send(spec["url"], spec["method"], spec["headers"], spec["body"])
        self.assertEqual(spec["result"]["jsonPath"], "$")
        self.assertEqual(len(answer["password"]), 24)

    def test_vault_generator_gets_a_password(self):
        spec = self.manifest("VaultDynamicSecret")
        url = f"{spec['provider']['server']}/v1{spec['path']}"
        answer = self.send(url, spec["method"], {"X-Vault-Token": SERVICE.key, "X-Vault-Request": "true"})
        self.assertEqual(len(answer["data"]["password"]), 16)


class VaultProgram(unittest.TestCase):
    def test_program_writes_reads_and_lists_policies(self):
        program = shutil.which("vault") or shutil.which("bao")
        if program is None:
            sys.stderr.write("skipped: the test with Vault's program: neither vault nor bao is installed\n")
            self.skipTest("neither vault nor bao is installed")
        prefix = Path(program).name.upper()
        variables = {f"{prefix}_ADDR": SERVICE.url, f"{prefix}_TOKEN": SERVICE.key, "HOME": tempfile.gettempdir()}

        def run(*arguments, text=None):
            return subprocess.run([program, *arguments], input=text, env=os.environ | variables, capture_output=True,
                                  text=True, check=True).stdout

        run("write", "sys/policies/password/program", "policy=-", text=HCL)
        self.assertEqual(run("read", "-field=policy", "sys/policies/password/program"), HCL)
        self.assertEqual(len(run("read", "-field=password", "sys/policies/password/program/generate")), 20)
        self.assertIn("program", run("list", "sys/policies/password"))


if __name__ == "__main__":
    unittest.main()
