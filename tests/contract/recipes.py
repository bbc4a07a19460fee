"""Runs the recipes of docs/recipes.md against the service, and sees what the client or vault then holds.

    python3 tests/contract/recipes.py target/debug/examples/gateway [RECIPE…]

Each recipe runs as the document has it, with a key that is refused and with one that is good, and with each of
POLICIES. Where something that it needs is not installed, it is `not run`; curl must be there. TERRAFORM_PLUGINS
names a directory that `terraform providers mirror` filled.
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
# What is drawn, and of which characters each appears. The first is as long as its alphabet, with nothing twice. The
# second has backslashes before letters, and whatever else comes of few characters, many times.
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
# More of a secret than chance brings about.
PIECE = 12
REFUSED = "plk_" + "0" * 55
SUFFIX = {"bash": ".sh", "python": ".py", "js": ".mjs"}
# What the recipes start, directly or not; each is started through a script that notes its arguments.
WATCHED = "aws base64 bw cat curl getopt gpg gpg2 jq keepassxc-cli kubectl mkdir node pass sed terraform tr".split()
# Settings of whoever runs this have no business here.
FOREIGN = re.compile(
    r"AWS_|BASH_ENV|BITWARDENCLI_|BW_|CURL_HOME|GNUPG|GPG|KUBE|NODE_OPTIONS|PASSLOOM_|PASSWORD_STORE_|TF_|XDG_"
    r"|.*_proxy$",
    re.IGNORECASE,
)
PLUGINS = os.environ.get("TERRAFORM_PLUGINS")
KEEPASS = "a database's password with \"`$(:)`\\ in it"


class Failure(Exception):
    """A recipe does not keep what it promises."""


class Place:
    """Where one recipe runs: a folder of its own, its home, and what its programs are told."""

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

    def must(self, *command: str, text: str = "") -> str:
        done = self.run(*command, text=text)
        if done.returncode != 0:
            raise Failure(f"{shlex.join(command)} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def leave(self) -> None:
        if (self.folder / "gnupg").exists():
            self.run("gpgconf", "--kill", "all")


def nothing(place: Place) -> None:
    pass


def shown(place: Place) -> "list[str]":
    """What the line after the block wrote down."""
    return [place.shown.read_text()] if place.shown.exists() else []


def private(file: pathlib.Path) -> str:
    text = file.read_text()
    if stat.S_IMODE(file.stat().st_mode) != 0o600:
        raise Failure(f"{file.name} can be read by others")
    file.unlink()
    return text


def files(place: Place) -> "list[str]":
    return [private(file) for file in sorted(place.folder.glob("app-*.secret"))]


def new_store(place: Place) -> None:
    (place.folder / "gnupg").mkdir(mode=0o700)
    who = "recipes@example.invalid"
    silent = ["--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""]
    place.must("gpg", *silent, "--quick-generate-key", who, "future-default", "default", "never")
    place.must("pass", "init", who)


def in_store(place: Place) -> "list[str]":
    if not list((place.folder / "store").rglob("app.gpg")):
        return []
    return [place.must("pass", "show", "db/app").removesuffix("\n")]


def new_database(place: Place) -> None:
    options = ["--quiet", "--set-password", "--decryption-time", "100"]
    text = f"{KEEPASS}\n{KEEPASS}\n"
    place.must("keepassxc-cli", "db-create", *options, place.environment["KEEPASS_DATABASE"], text=text)


def in_database(place: Place) -> "list[str]":
    database = place.environment["KEEPASS_DATABASE"]
    if "db-app" not in place.must("keepassxc-cli", "ls", "--quiet", database, text=f"{KEEPASS}\n"):
        return []
    show = ["keepassxc-cli", "show", "--quiet", "--show-protected", "--attributes", "Password"]
    return [place.must(*show, database, "db-app", text=f"{KEEPASS}\n").removesuffix("\n")]


def in_account(place: Place) -> "list[str]":
    import boto3

    access = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "us-east-1"}
    client = boto3.client("secretsmanager", endpoint_url=place.moto, **access)
    secrets = client.list_secrets()["SecretList"]
    return [client.get_secret_value(SecretId=secret["ARN"])["SecretString"] for secret in secrets]


def in_account_json(place: Place) -> "list[str]":
    return [member(json.loads(secret), {"username": "app"}) for secret in in_account(place)]


def member(found: dict, others: dict) -> str:
    """The password of an object whose other members are known."""
    password = found.pop("password", None)
    if found != others:
        raise Failure(f"beside the password stands {found}")
    return password


def in_manifest(place: Place) -> "list[str]":
    return [base64.b64decode(json.loads(text)["data"]["password"]).decode() for text in shown(place)]


def in_item(place: Place) -> "list[str]":
    items = [json.loads(base64.b64decode(text)) for text in shown(place)]
    if any((item["type"], item["name"]) != (1, "db/app") for item in items):
        raise Failure("the item is not the one that was meant")
    return [member(item["login"], {"username": "app"}) for item in items]


def output(place: Place) -> "list[str]":
    if not json.loads(place.must("terraform", "output", "-json")):
        return []
    found = [place.must("terraform", "output", "-raw", "password")]
    # That the password and the key are in the state is what the document warns of.
    for state in place.folder.glob("terraform.tfstate*"):
        state.unlink()
    return found


@dataclasses.dataclass
class Recipe:
    """What a block needs, what comes before and after it, and how to see what it stored."""

    name: str
    needs: "list[str]"
    held: Callable[[Place], "list[str]"] = shown
    prepare: Callable[[Place], None] = nothing
    # A line after the block, in its language.
    show: str = ""
    # What is typed.
    text: str = ""
    # The block that is Terraform's configuration.
    configuration: str = ""


SHOW = "printf '%s' \"${}\" > \"$SHOWN\"\n"
# The last is what moto[server] adds.
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
    name, _, kind = need.partition(" ")
    if kind == "(Python)":
        return importlib.util.find_spec(name) is None
    if kind == "(Terraform)":
        return PLUGINS is None or not list(pathlib.Path(PLUGINS).glob(f"*/{name}"))
    return shutil.which(name) is None


class Blocks:
    """The blocks of the document that are run."""

    def __init__(self, text: str) -> None:
        self.blocks = {match[1]: match.groups()[1:] for match in BLOCK.finditer(text)}
        marked = text.count("<!-- run:")
        if marked != len(self.blocks):
            raise Failure(f"{marked} blocks are marked, {len(self.blocks)} can be read")
        used = {"key-file", "shell", *(recipe.name for recipe in RECIPES)}
        used |= {recipe.configuration for recipe in RECIPES if recipe.configuration}
        if used != set(self.blocks):
            raise Failure(f"in the document or here alone: {', '.join(sorted(used ^ set(self.blocks)))}")

    def language(self, name: str) -> str:
        return self.blocks[name][1]

    def whole(self, name: str) -> str:
        """A block, after those that it comes after."""
        after, _, text = self.blocks[name]
        return f"{self.whole(after)}\n{text}" if after else text


class Between(http.server.BaseHTTPRequestHandler):
    """Passes a request on to the service, and keeps the passwords of the answer."""

    service = ""
    drawn: "list[str]" = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        service = http.client.HTTPConnection(self.service, timeout=10)
        service.request(self.command, self.path, body, dict(self.headers))
        answer = service.getresponse()
        text = answer.read()
        service.close()
        if answer.status == 200 and answer.headers.get_content_type() == "text/plain":
            self.drawn.extend(text.decode().removesuffix("\n").split("\n"))
        elif answer.status == 200:
            self.drawn.append(json.loads(text)["password"])
        self.send_response(answer.status)
        for name in ("Content-Type", "Content-Length"):
            self.send_header(name, answer.headers[name])
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def gateway(program: str, audit: pathlib.Path) -> "Iterator[dict[str, str]]":
    """The service: its URL and a key."""
    with audit.open("w") as log:
        command = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            yield json.loads(command.stdout.readline())
        finally:
            command.communicate(timeout=10)


@contextlib.contextmanager
def between(service: str) -> "Iterator[str]":
    Between.service = urllib.parse.urlsplit(service).netloc
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Between)
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


def forget(moto: str) -> None:
    """An account without a secret."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(moto).netloc, timeout=10)
    connection.request("POST", "/moto-api/reset")
    if connection.getresponse().status != 200:
        raise Failure("moto does not forget")
    connection.close()


def watch(folder: pathlib.Path) -> None:
    """Puts a script before each program that notes its arguments, and then is the program."""
    folder.mkdir()
    for name in WATCHED:
        program = shutil.which(name)
        if program:
            file = folder / name
            note = f"printf '%s\\n' \"$@\" >> \"$ARGUMENTS/{name}.$$\""
            file.write_text(f"#!/bin/sh\n{note}\nexec {shlex.quote(program)} \"$@\"\n")
            file.chmod(0o755)


def written(secret: str) -> "set[bytes]":
    """A secret as it is, in JSON, in Go's JSON, in base64."""
    text = json.dumps(secret)[1:-1]
    go = text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    return {form.encode() for form in (secret, text, go, base64.b64encode(secret.encode()).decode())}


def sees_none(secrets: "list[str]", where: str, text: bytes) -> None:
    """No piece of a secret, that is: quoting may have cut it."""
    for form in set().union(*map(written, secrets)):
        if any(form[start : start + PIECE] in text for start in range(len(form) - PIECE + 1)):
            raise Failure(f"a secret is in {where}")


def start(place: Place, blocks: Blocks, recipe: Recipe) -> "subprocess.CompletedProcess[str]":
    language = blocks.language(recipe.name)
    script = place.folder / f"recipe{SUFFIX[language]}"
    script.write_text(blocks.whole(recipe.name) + recipe.show)
    program = {"bash": "bash", "python": sys.executable, "js": "node"}[language]
    return place.run(program, str(script), text=recipe.text)


def check(recipe: Recipe, place: Place, blocks: Blocks, root: pathlib.Path, alphabet: str) -> None:
    if place.moto:
        forget(place.moto)
    recipe.prepare(place)
    place.environment["PASSLOOM_POLICY"] = json.dumps(POLICIES[alphabet])
    if recipe.configuration:
        (place.folder / "main.tf").write_text(blocks.whole(recipe.configuration))
        place.must("terraform", "init", "-input=false", "-no-color", f"-plugin-dir={os.path.abspath(PLUGINS)}")
    for key in ("refused", "key"):
        place.environment["PASSLOOM_KEY_FILE"] = str(root / key)
        del Between.drawn[:]
        done = start(place, blocks, recipe)
        held = recipe.held(place)
        output = f"{done.stdout}{done.stderr}"
        if key == "refused":
            if done.returncode == 0 or held or Between.drawn:
                raise Failure(f"with a key that is refused it ends with {done.returncode} and stores {held}: {output}")
            continue
        if done.returncode != 0:
            raise Failure(f"it ended with {done.returncode}: {output}")
        if not Between.drawn or any(set(password) != set(alphabet) for password in Between.drawn):
            raise Failure(f"the service drew {Between.drawn}")
        if held != Between.drawn:
            raise Failure(f"drawn was {Between.drawn}, stored {held}")
    secrets = [*Between.drawn, (root / "key").read_text().strip()]
    sees_none(secrets, "the output", output.encode())
    for file in place.arguments.iterdir():
        sees_none(secrets, f"the arguments of {file.name}", file.read_bytes())
    for file in place.folder.rglob("*"):
        if file.is_file() and ".terraform" not in file.parts:
            sees_none(secrets, str(file.relative_to(place.folder)), file.read_bytes())


def check_key_file(place: Place, blocks: Blocks, root: pathlib.Path) -> None:
    """The key is typed; the file holds it and is nobody else's."""
    key = (root / "key").read_text()
    file = place.folder / "a folder" / "key"
    place.environment["PASSLOOM_KEY_FILE"] = str(file)
    done = start(place, blocks, Recipe("key-file", [], text=key))
    sees_none([key.strip()], "the output", f"{done.stdout}{done.stderr}".encode())
    if done.returncode != 0 or private(file) != key:
        raise Failure(f"it ended with {done.returncode}: {done.stderr}")


def run(program: str, chosen: "list[str]", root: pathlib.Path) -> bool:
    blocks = Blocks(DOCUMENT.read_text())
    watch(root / "watched")
    failed = False
    with contextlib.ExitStack() as services:
        service = services.enter_context(gateway(program, root / "audit"))
        url = services.enter_context(between(service["url"]))
        vault = services.enter_context(moto())
        (root / "key").write_text(service["key"] + "\n")
        (root / "refused").write_text(REFUSED + "\n")
        for recipe in [Recipe("key-file", []), *RECIPES]:
            if chosen and recipe.name not in chosen:
                continue
            absent = next(filter(missing, recipe.needs), None)
            if absent:
                print(f"not run: {recipe.name}: {absent} is not installed", flush=True)
                continue
            try:
                if recipe.name == "key-file":
                    check_key_file(Place(root, recipe.name, url, vault), blocks, root)
                else:
                    for number, alphabet in enumerate(POLICIES):
                        place = Place(root, f"{recipe.name}-{number}", url, vault)
                        try:
                            check(recipe, place, blocks, root, alphabet)
                        finally:
                            place.leave()
                        sees_none([*Between.drawn, service["key"]], "the audit log", (root / "audit").read_bytes())
                print(f"ok: {recipe.name}", flush=True)
            # Whatever it is, the recipes after it run.
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
        sys.exit(f"no such recipe: {', '.join(sorted(unknown))}")
    for name in filter(FOREIGN.match, list(os.environ)):
        del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    # The programs of the virtual environment whose Python this is.
    os.environ["PATH"] = f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"
    with tempfile.TemporaryDirectory(prefix="recipes-") as root:
        return int(run(os.path.abspath(sys.argv[1]), sys.argv[2:], pathlib.Path(root)))


if __name__ == "__main__":
    sys.exit(main())
