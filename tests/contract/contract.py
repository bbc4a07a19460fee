"""Tests the running service against its OpenAPI document, with requests generated from that document.

    python3 contract.py GATEWAY SCHEMATHESIS VALIDATOR EXAMPLES

The Schemathesis check positive_data_acceptance (every request that matches the schema is accepted) is disabled. JSON
Schema cannot express that a length must be at least the sum of the minimums, or that the exclusions must leave
characters.
"""

import json
import subprocess
import sys
import tempfile
import urllib.request


def main() -> int:
    gateway, schemathesis, validator, examples = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        log = open(f"{folder}/audit.log", "w+b")
        with subprocess.Popen([gateway], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log) as service:
            started = json.loads(service.stdout.readline())
            contract = f"{folder}/openapi.json"
            urllib.request.urlretrieve(f"{started['url']}/openapi.json", contract)
            subprocess.run([validator, contract], check=True)
            tested = subprocess.run(
                [
                    schemathesis, "run", contract, "--url", started["url"], "--header", f"X-Api-Key: {started['key']}",
                    "--checks", "all", "--exclude-checks", "positive_data_acceptance",
                    "--max-examples", examples, "--seed", "1", "--generation-database", "none", "--no-color",
                ],
                cwd=folder,
            )
            service.stdin.close()
        log.seek(0)
        lines = [json.loads(line) for line in log.read().decode().splitlines()]
    # The line before a change has no status.
    failed = [line for line in lines if (line["status"] or 0) >= 500]
    print(f"{len(lines)} audit lines, {len(failed)} of them with a status of 500 or above")
    return tested.returncode or bool(failed) or len(lines) < 100


if __name__ == "__main__":
    sys.exit(main())
