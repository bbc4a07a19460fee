"""Writes the software bill of materials of the function, CycloneDX 1.5, to the standard output.

usage: sbom.py <target triple> <function>

It lists the crates that cargo links for that target, as reported by `cargo tree`, without the crates of tests, build
scripts, macros and optional features, and the crates whose files the build embeds. `cargo metadata` alone is not
enough, because it includes the features that the tests enable. The same commit gives the same bytes.
"""

import hashlib
import json
import re
import subprocess
import sys
import uuid
from datetime import datetime, timezone
from pathlib import Path


# Their code is not linked, but the function contains files of theirs: Swagger UI.
EMBEDDED = {"utoipa-swagger-ui-vendored"}


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def purl(name: str, version: str) -> str:
    return f"pkg:cargo/{name}@{version}"


def licences(expression: str | None) -> list:
    # The expression of older crates is "MIT/Apache-2.0".
    return [{"expression": re.sub(" */ *", " OR ", expression)}] if expression else []


def linked(target: str) -> dict[tuple[str, str], set[tuple[str, str]]]:
    """Each linked crate, the project first, with its direct dependencies."""
    edges = "normal,no-proc-macro"
    # Without `--features admin`: the argument parser of passloom-admin is not part of the function.
    package = ("--package", "passloom", "--target", target)
    tree = run("cargo", "tree", "--locked", *package, "--edges", edges, "--prefix", "depth")
    needs: dict[tuple[str, str], set[tuple[str, str]]] = {}
    above: list[tuple[str, str]] = []
    for line in tree.splitlines():
        depth, name, version = re.match(r"(\d+)(\S+) v(\S+)", line).groups()
        crate = (name, version)
        del above[int(depth) :]
        needs.setdefault(crate, set())
        if above:
            needs[above[-1]].add(crate)
        above.append(crate)
    return needs


def main() -> None:
    target, function = sys.argv[1:]
    needs = linked(target)
    packages = json.loads(run("cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", target))
    about = {(package["name"], package["version"]): package for package in packages["packages"]}
    lock = Path("Cargo.lock").read_text(encoding="utf-8")
    checksums = {
        (name, version): checksum
        for name, version, checksum in re.findall(
            r'^name = "(.+)"\nversion = "(.+)"\nsource = "registry\+.+"\nchecksum = "(.+)"$', lock, re.MULTILINE
        )
    }
    project, *crates = needs
    embedded = [crate for crate in about if crate[0] in EMBEDDED]
    crates += embedded
    needs[project].update(embedded)
    needs.update({crate: set() for crate in embedded})
    crates.sort()

    # The date of the commit is the same in every build of it.
    committed = datetime.fromisoformat(run("git", "show", "-s", "--format=%cI", "HEAD").strip())
    compiler = dict(line.split(": ", 1) for line in run("rustc", "-vV").splitlines() if ": " in line)
    standard_library = f"rust-std@{compiler['release']}"

    components = [
        {
            "type": "library",
            "bom-ref": purl(name, version),
            "name": name,
            "version": version,
            "description": " ".join((about[name, version]["description"] or "").split()),
            "scope": "required",
            "hashes": [{"alg": "SHA-256", "content": checksums[name, version]}],
            "licenses": licences(about[name, version]["license"]),
            "purl": purl(name, version),
        }
        for name, version in crates
    ]
    components.append(
        {
            "type": "library",
            "bom-ref": standard_library,
            "name": "rust-std",
            "version": compiler["release"],
            "description": f"The standard library of Rust, commit {compiler['commit-hash']}",
            "scope": "required",
            "licenses": licences("MIT OR Apache-2.0"),
        }
    )
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "timestamp": committed.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {
                "type": "application",
                "bom-ref": purl(*project),
                "name": project[0],
                "version": project[1],
                "description": about[project]["description"],
                "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(Path(function).read_bytes()).hexdigest()}],
                "licenses": licences(about[project]["license"]),
                "purl": purl(*project),
            },
            "properties": [{"name": "cdx:rustc:sbom:target:triple", "value": target}],
        },
        "components": components,
        "dependencies": [
            {"ref": purl(*crate), "dependsOn": sorted(purl(*needed) for needed in needs[crate])} for crate in sorted(needs)
        ],
    }
    bill["dependencies"].append({"ref": standard_library, "dependsOn": []})
    project_needs = next(entry for entry in bill["dependencies"] if entry["ref"] == purl(*project))
    project_needs["dependsOn"] = sorted([*project_needs["dependsOn"], standard_library])
    content = json.dumps(bill, sort_keys=True)
    bill["serialNumber"] = uuid.uuid5(uuid.NAMESPACE_URL, content).urn
    json.dump(bill, sys.stdout, indent=2, ensure_ascii=False)
    print()


if __name__ == "__main__":
    main()
