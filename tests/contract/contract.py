"""Holds the running service against its published contract, with requests that are made from it.

    python3 contract.py GATEWAY SCHEMATHESIS VALIDATOR EXAMPLES

Schemathesis' check that every request which fits the schema is accepted is left out: JSON Schema cannot say
that a length holds its minima, or that what is excluded leaves something over.
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
            told = json.loads(service.stdout.readline())
            contract = f"{folder}/openapi.json"
            urllib.request.urlretrieve(f"{told['url']}/openapi.json", contract)
            subprocess.run([validator, contract], check=True)
            tested = subprocess.run(
                [
                    schemathesis, "run", contract, "--url", told["url"], "--header", f"X-Api-Key: {told['key']}",
                    "--checks", "all", "--exclude-checks", "positive_data_acceptance",
                    "--max-examples", examples, "--seed", "1", "--generation-database", "none", "--no-color",
                ],
                cwd=folder,
            )
            service.stdin.close()
        log.seek(0)
        lines = [json.loads(line) for line in log.read().decode().splitlines()]
    failed = [line for line in lines if line["status"] >= 500]
    print(f"{len(lines)} audit lines, {len(failed)} of them of failures")
    return tested.returncode or bool(failed) or len(lines) < 100


if __name__ == "__main__":
    sys.exit(main())
