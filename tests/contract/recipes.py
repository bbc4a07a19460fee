"""Runs the recipes of docs/recipes.md against the service, and checks what each client or vault has stored.

    python3 tests/contract/recipes.py target/debug/gateway [RECIPE…]

Each recipe runs exactly as in the document, once with an invalid key and once with a valid key, for each of POLICIES.
A recipe is skipped if a program that it needs is not installed. It fails instead if the environment variable REQUIRE, a
comma-separated list, contains that program. curl must be installed. TERRAFORM_PLUGINS is a directory that
`terraform providers mirror` has filled.
"""

import base64
import contextlib
import dataclasses
import http.client
import http.server
import importlib.util
import json
import logging
import os
import pathlib
import re
import shlex
import shutil
import stat
import string
import subprocess
import sys
import tempfile
import threading
import urllib.parse
from typing import Callable, Iterator

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs" / "recipes.md"
BLOCK = re.compile(r"^<!-- run: ([a-z0-9-]+)(?:, after: ([a-z0-9-]+))? -->\n```([a-z]+)\n(.*?)^```$", re.M | re.S)
PRINTABLE = string.ascii_letters + string.digits + string.punctuation
QUOTING = "\"'\\$`"
ESCAPED = "abefnrtuvx"
# Policies by the set of characters that each password contains. A password of the first policy contains every printable
# ASCII character once. A password of the second is long and of few characters, so it contains backslashes before
# letters and repeated quotes.
POLICIES = {
    PRINTABLE: {"length": len(PRINTABLE), "symbols": string.punctuation, "no_repeats": True},
    QUOTING + ESCAPED: {
        "length": 256,
        "symbols": QUOTING,
        "uppercase": False,
        "digits": False,
        "exclude": "".join(sorted(set(string.ascii_lowercase) - set(ESCAPED))),
    },
}
# A substring of this length does not match part of a secret by chance.
PIECE = 12
INVALID_KEY = "plk_" + "0" * 55
SUFFIX = {"bash": ".sh", "python": ".py", "js": ".mjs"}
# Programs that the recipes start, directly or indirectly. A script records the arguments of each.
WATCHED = "aws base64 bw cat curl getopt gpg gpg2 jq keepassxc-cli kubectl mkdir node pass sed terraform tr".split()
# Variables of the user's environment that must not affect the recipes.
FOREIGN = re.compile(
    r"AWS_|BASH_ENV|BITWARDENCLI_|BW_|CURL_HOME|GNUPG|GPG|KUBE|NODE_OPTIONS|PASSLOOM_|PASSWORD_STORE_|TF_|XDG_"
    r"|.*_proxy$",
    re.IGNORECASE,
)
PLUGINS = os.environ.get("TERRAFORM_PLUGINS")
KEEPASS = "a database password with \"`$(:)`\\ in it"


class Failure(Exception):
    """A recipe does not do what the document says."""


class Sandbox:
    """The environment of one recipe: a folder, which is also its home, and its variables."""

    def __init__(self, root: pathlib.Path, name: str, service: str, moto: str) -> None:
        self.folder = root / name
        self.folder.mkdir()
        self.shown = root / f"{name}.shown"
        self.arguments = root / f"{name}.arguments"
        self.arguments.mkdir()
        self.moto = moto
        self.environment = {
            **os.environ,
            "HOME": str(self.folder),
            "PATH": f"{root / 'watched'}:{os.environ['PATH']}",
            "ARGUMENTS": str(self.arguments),
            "SHOWN": str(self.shown),
            "PASSLOOM_URL": service,
            "GNUPGHOME": str(self.folder / "gnupg"),
            "PASSWORD_STORE_DIR": str(self.folder / "store"),
            "KEEPASS_DATABASE": str(self.folder / "passwords.kdbx"),
            "BITWARDENCLI_APPDATA_DIR": str(self.folder / "bitwarden"),
            "KUBECONFIG": str(self.folder / "kubeconfig"),
            "AWS_ENDPOINT_URL": moto,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PAGER": "",
            "CHECKPOINT_DISABLE": "1",
            "TF_CLI_ARGS_apply": "-auto-approve -input=false -no-color",
        }

    def run(self, *command: str, text: str = "") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, input=text, capture_output=True, text=True, timeout=50
        )

    def run_ok(self, *command: str, text: str = "") -> str:
        done = self.run(*command, text=text)
        if done.returncode != 0:
            raise Failure(f"{shlex.join(command)} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def close(self) -> None:
        if (self.folder / "gnupg").exists():
            self.run("gpgconf", "--kill", "all")


def nothing(sandbox: Sandbox) -> None:
    pass


def shown(sandbox: Sandbox) -> "list[str]":
    """The password that the line after the block has written to a file."""
    return [sandbox.shown.read_text()] if sandbox.shown.exists() else []


def private(file: pathlib.Path) -> str:
    text = file.read_text()
    if stat.S_IMODE(file.stat().st_mode) != 0o600:
        raise Failure(f"{file.name} is readable by other users")
    file.unlink()
    return text


def files(sandbox: Sandbox) -> "list[str]":
    return [private(file) for file in sorted(sandbox.folder.glob("app-*.secret"))]


def new_store(sandbox: Sandbox) -> None:
    (sandbox.folder / "gnupg").mkdir(mode=0o700)
    user = "recipes@example.invalid"
    silent = ["--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""]
    sandbox.run_ok("gpg", *silent, "--quick-generate-key", user, "future-default", "default", "never")
    sandbox.run_ok("pass", "init", user)


def in_store(sandbox: Sandbox) -> "list[str]":
    if not list((sandbox.folder / "store").rglob("app.gpg")):
        return []
    return [sandbox.run_ok("pass", "show", "db/app").removesuffix("\n")]


def new_database(sandbox: Sandbox) -> None:
    options = ["--quiet", "--set-password", "--decryption-time", "100"]
    text = f"{KEEPASS}\n{KEEPASS}\n"
    sandbox.run_ok("keepassxc-cli", "db-create", *options, sandbox.environment["KEEPASS_DATABASE"], text=text)


def in_database(sandbox: Sandbox) -> "list[str]":
    database = sandbox.environment["KEEPASS_DATABASE"]
    if "db-app" not in sandbox.run_ok("keepassxc-cli", "ls", "--quiet", database, text=f"{KEEPASS}\n"):
        return []
    show = ["keepassxc-cli", "show", "--quiet", "--show-protected", "--attributes", "Password"]
    return [sandbox.run_ok(*show, database, "db-app", text=f"{KEEPASS}\n").removesuffix("\n")]


def in_account(sandbox: Sandbox) -> "list[str]":
    import boto3

    access = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "us-east-1"}
    client = boto3.client("secretsmanager", endpoint_url=sandbox.moto, **access)
    secrets = client.list_secrets()["SecretList"]
    return [client.get_secret_value(SecretId=secret["ARN"])["SecretString"] for secret in secrets]


def in_account_json(sandbox: Sandbox) -> "list[str]":
    return [member(json.loads(secret), {"username": "app"}) for secret in in_account(sandbox)]


def member(found: dict, others: dict) -> str:
    """The password in an object, which must contain these other members and no more."""
    password = found.pop("password", None)
    if found != others:
        raise Failure(f"beside the password there is {found}, not {others}")
    return password


def in_manifest(sandbox: Sandbox) -> "list[str]":
    return [base64.b64decode(json.loads(text)["data"]["password"]).decode() for text in shown(sandbox)]


def in_item(sandbox: Sandbox) -> "list[str]":
    items = [json.loads(base64.b64decode(text)) for text in shown(sandbox)]
    if any((item["type"], item["name"]) != (1, "db/app") for item in items):
        raise Failure("the item has another type or name")
    return [member(item["login"], {"username": "app"}) for item in items]


def output(sandbox: Sandbox) -> "list[str]":
    if not json.loads(sandbox.run_ok("terraform", "output", "-json")):
        return []
    found = [sandbox.run_ok("terraform", "output", "-raw", "password")]
    # The document warns that the state contains the password and the key.
    for state in sandbox.folder.glob("terraform.tfstate*"):
        state.unlink()
    return found


@dataclasses.dataclass
class Recipe:
    """What a block requires, what runs before and after it, and how to read what it has stored."""

    name: str
    needs: "list[str]"
    stored: Callable[[Sandbox], "list[str]"] = shown
    prepare: Callable[[Sandbox], None] = nothing
    # A line to run after the block, in its language.
    show: str = ""
    # The standard input.
    text: str = ""
    # The name of the block with the Terraform configuration.
    configuration: str = ""


SHOW = "printf '%s' \"${}\" > \"$SHOWN\"\n"
# The last is a dependency of moto[server].
MOTO = ["boto3 (Python)", "moto (Python)", "flask_cors (Python)"]
RECIPES = [
    Recipe("curl", [], show=SHOW.format("password")),
    Recipe("several", ["jq"], files),
    Recipe("requests", ["requests (Python)"], show="pathlib.Path(os.environ['SHOWN']).write_text(password)\n"),
    Recipe("fetch", ["node"], show='(await import("node:fs")).writeFileSync(process.env.SHOWN, password);\n'),
    Recipe("terraform", ["terraform", "hashicorp/aws (Terraform)", *MOTO], in_account, configuration="terraform-main"),
    Recipe("terraform-http", ["terraform", "hashicorp/http (Terraform)"], output, configuration="terraform-http-main"),
    Recipe("pass", ["pass", "gpg"], in_store, new_store),
    Recipe("keepassxc", ["keepassxc-cli"], in_database, new_database, text=f"{KEEPASS}\n"),
    Recipe("aws", ["aws", *MOTO], in_account),
    Recipe("aws-json", ["aws", "jq", *MOTO], in_account_json),
    Recipe("boto3", ["requests (Python)", *MOTO], in_account),
    Recipe("kubernetes", ["kubectl"], in_manifest, show=SHOW.format("manifest")),
    Recipe("bitwarden", ["jq", "bw"], in_item, show=SHOW.format("encoded")),
]


def missing(need: str) -> bool:
    """Whether something that a recipe requires is not installed."""
    name, _, kind = need.partition(" ")
    if kind == "(Python)":
        return importlib.util.find_spec(name) is None
    if kind == "(Terraform)":
        return PLUGINS is None or not list(pathlib.Path(PLUGINS).glob(f"*/{name}"))
    return shutil.which(name) is None


class Blocks:
    """The blocks of the document that run."""

    def __init__(self, text: str) -> None:
        self.blocks = {match[1]: match.groups()[1:] for match in BLOCK.finditer(text)}
        marked = text.count("<!-- run:")
        if marked != len(self.blocks):
            raise Failure(f"{marked} blocks are marked, but {len(self.blocks)} have the right form")
        used = {"key-file", "shell", *(recipe.name for recipe in RECIPES)}
        used |= {recipe.configuration for recipe in RECIPES if recipe.configuration}
        if used != set(self.blocks):
            raise Failure(f"only in the document or only in RECIPES: {', '.join(sorted(used ^ set(self.blocks)))}")

    def language(self, name: str) -> str:
        return self.blocks[name][1]

    def whole(self, name: str) -> str:
        """A block, preceded by the blocks that it requires."""
        after, _, text = self.blocks[name]
        return f"{self.whole(after)}\n{text}" if after else text


class Proxy(http.server.BaseHTTPRequestHandler):
    """Forwards requests to the service, and records the passwords in the responses."""

    service = ""
    generated: "list[str]" = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        service = http.client.HTTPConnection(self.service, timeout=10)
        service.request(self.command, self.path, body, dict(self.headers))
        response = service.getresponse()
        text = response.read()
        service.close()
        if response.status == 200 and response.headers.get_content_type() == "text/plain":
            self.generated.extend(text.decode().removesuffix("\n").split("\n"))
        elif response.status == 200:
            self.generated.append(json.loads(text)["password"])
        self.send_response(response.status)
        for name in ("Content-Type", "Content-Length"):
            self.send_header(name, response.headers[name])
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def gateway(program: str, audit: pathlib.Path) -> "Iterator[dict[str, str]]":
    """Runs the service, and returns its URL and a key."""
    with audit.open("w") as log:
        command = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            yield json.loads(command.stdout.readline())
        finally:
            command.communicate(timeout=10)


@contextlib.contextmanager
def proxy(service: str) -> "Iterator[str]":
    Proxy.service = urllib.parse.urlsplit(service).netloc
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def moto() -> "Iterator[str]":
    if any(missing(need) for need in MOTO):
        yield ""
        return
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server.start()
    try:
        yield "http://{}:{}".format(*server.get_host_and_port())
    finally:
        server.stop()


def reset(moto: str) -> None:
    """Deletes everything in the emulated account."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(moto).netloc, timeout=10)
    connection.request("POST", "/moto-api/reset")
    if connection.getresponse().status != 200:
        raise Failure("moto cannot be reset")
    connection.close()


def record_arguments(folder: pathlib.Path) -> None:
    """Creates a script for each program that records the arguments and then runs the program."""
    folder.mkdir()
    for name in WATCHED:
        program = shutil.which(name)
        if program:
            file = folder / name
            record = f"printf '%s\\n' \"$@\" >> \"$ARGUMENTS/{name}.$$\""
            file.write_text(f"#!/bin/sh\n{record}\nexec {shlex.quote(program)} \"$@\"\n")
            file.chmod(0o755)


def encodings(secret: str) -> "set[bytes]":
    """A secret as it is, in JSON, in JSON as Go writes it, and in base64."""
    text = json.dumps(secret)[1:-1]
    go = text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    return {form.encode() for form in (secret, text, go, base64.b64encode(secret.encode()).decode())}


def assert_no_secret(secrets: "list[str]", where: str, text: bytes) -> None:
    """Fails if the text contains a piece of a secret. A piece, because quoting may split a secret."""
    for form in set().union(*map(encodings, secrets)):
        if any(form[start : start + PIECE] in text for start in range(len(form) - PIECE + 1)):
            raise Failure(f"{where}: contains a secret")


def start(sandbox: Sandbox, blocks: Blocks, recipe: Recipe) -> "subprocess.CompletedProcess[str]":
    language = blocks.language(recipe.name)
    script = sandbox.folder / f"recipe{SUFFIX[language]}"
    script.write_text(blocks.whole(recipe.name) + recipe.show)
    program = {"bash": "bash", "python": sys.executable, "js": "node"}[language]
    return sandbox.run(program, str(script), text=recipe.text)


def check(recipe: Recipe, sandbox: Sandbox, blocks: Blocks, root: pathlib.Path, alphabet: str) -> None:
    if sandbox.moto:
        reset(sandbox.moto)
    recipe.prepare(sandbox)
    sandbox.environment["PASSLOOM_POLICY"] = json.dumps(POLICIES[alphabet])
    if recipe.configuration:
        (sandbox.folder / "main.tf").write_text(blocks.whole(recipe.configuration))
        sandbox.run_ok("terraform", "init", "-input=false", "-no-color", f"-plugin-dir={os.path.abspath(PLUGINS)}")
    for key in ("invalid", "key"):
        sandbox.environment["PASSLOOM_KEY_FILE"] = str(root / key)
        del Proxy.generated[:]
        done = start(sandbox, blocks, recipe)
        stored = recipe.stored(sandbox)
        output = f"{done.stdout}{done.stderr}"
        if key == "invalid":
            if done.returncode == 0 or stored or Proxy.generated:
                raise Failure(f"with an invalid key it ends with {done.returncode} and stores {stored}: {output}")
            continue
        if done.returncode != 0:
            raise Failure(f"it ended with {done.returncode}: {output}")
        if not Proxy.generated or any(set(password) != set(alphabet) for password in Proxy.generated):
            raise Failure(f"the service generated {Proxy.generated}")
        if stored != Proxy.generated:
            raise Failure(f"the service generated {Proxy.generated}, but {stored} is stored")
    secrets = [*Proxy.generated, (root / "key").read_text().strip()]
    assert_no_secret(secrets, "the output", output.encode())
    for file in sandbox.arguments.iterdir():
        assert_no_secret(secrets, f"the arguments of {file.name}", file.read_bytes())
    for file in sandbox.folder.rglob("*"):
        if file.is_file() and ".terraform" not in file.parts:
            assert_no_secret(secrets, str(file.relative_to(sandbox.folder)), file.read_bytes())


def check_key_file(sandbox: Sandbox, blocks: Blocks, root: pathlib.Path) -> None:
    """Enters the key; the file must contain it and be readable by its owner only."""
    key = (root / "key").read_text()
    file = sandbox.folder / "a folder" / "key"
    sandbox.environment["PASSLOOM_KEY_FILE"] = str(file)
    done = start(sandbox, blocks, Recipe("key-file", [], text=key))
    assert_no_secret([key.strip()], "the output", f"{done.stdout}{done.stderr}".encode())
    if done.returncode != 0 or private(file) != key:
        raise Failure(f"it ended with {done.returncode}: {done.stderr}")


def run(program: str, chosen: "list[str]", root: pathlib.Path) -> bool:
    blocks = Blocks(DOCUMENT.read_text())
    record_arguments(root / "watched")
    failed = False
    with contextlib.ExitStack() as services:
        service = services.enter_context(gateway(program, root / "audit"))
        url = services.enter_context(proxy(service["url"]))
        vault = services.enter_context(moto())
        (root / "key").write_text(service["key"] + "\n")
        (root / "invalid").write_text(INVALID_KEY + "\n")
        for recipe in [Recipe("key-file", []), *RECIPES]:
            if chosen and recipe.name not in chosen:
                continue
            absent = next(filter(missing, recipe.needs), None)
            if absent:
                required = absent.split()[0] in os.environ.get("REQUIRE", "").split(",")
                print(f"{'FAILED' if required else 'skipped'}: {recipe.name}: {absent} is not installed", flush=True)
                failed |= required
                continue
            try:
                if recipe.name == "key-file":
                    check_key_file(Sandbox(root, recipe.name, url, vault), blocks, root)
                else:
                    for number, alphabet in enumerate(POLICIES):
                        sandbox = Sandbox(root, f"{recipe.name}-{number}", url, vault)
                        try:
                            check(recipe, sandbox, blocks, root, alphabet)
                        finally:
                            sandbox.close()
                        secrets = [*Proxy.generated, service["key"]]
                        assert_no_secret(secrets, "the audit log", (root / "audit").read_bytes())
                print(f"ok: {recipe.name}", flush=True)
            # The next recipes run after any failure.
            except Exception as failure:
                print(f"FAILED: {recipe.name}: {type(failure).__name__}: {failure}", flush=True)
                failed = True
    return failed


def main() -> int:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if missing("curl") or missing("bash"):
        sys.exit("curl and bash must be installed")
    unknown = set(sys.argv[2:]) - {"key-file", *(recipe.name for recipe in RECIPES)}
    if unknown:
        sys.exit(f"unknown recipes: {', '.join(sorted(unknown))}")
    for name in filter(FOREIGN.match, list(os.environ)):
        del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    # Finds the programs of the virtual environment in which this runs.
    os.environ["PATH"] = f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"
    with tempfile.TemporaryDirectory(prefix="recipes-") as root:
        return int(run(os.path.abspath(sys.argv[1]), sys.argv[2:], pathlib.Path(root)))


if __name__ == "__main__":
    sys.exit(main())
