"""Writes the results of a run to docs/performance.md, and draws the chart."""

import datetime
import json
import os
import platform
import re
import subprocess
import textwrap
from pathlib import Path

MB = 1e6


def machine():
    def first_line(*command):
        try:
            return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\n")[0].strip()
        except (OSError, subprocess.CalledProcessError):
            return "not installed"

    processor = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                      if line.startswith("model name")), platform.processor())
    return {
        "date": datetime.date.today().isoformat(),
        "processor": f"{processor}, {os.cpu_count()} cores, {platform.machine()}",
        "kernel": f"{platform.system()} {platform.release().split('-')[0]}",
        "rustc": first_line("rustc", "--version"), "node": first_line("node", "--version"),
        "python": platform.python_version(), "valgrind": first_line("valgrind", "--version"),
    }


def goals(figures):
    """Each goal as (what, measured, maximum)."""
    starts, warm, zip_bytes = figures["starts"], figures["warm"], figures["zip_bytes"]

    def start(name):
        return starts["Passloom"]["answer"]["p50"] / starts[name]["answer"]["p50"]

    def latency(name):
        return warm["Passloom"]["microseconds"]["p50"] / warm[name]["microseconds"]["p50"]

    rows = [("exec to first answer, with TLS, relative to the empty function", start("empty"), 1.7),
            ("warm request, relative to one UpdateItem", latency("one UpdateItem"), 1.2)]
    for name in ("Express", "FastAPI"):
        if name in starts:
            rows += [(f"exec to first answer, relative to {name}", start(name), 1 / 50),
                     (f"warm request, relative to {name}, which has no database", latency(name), 1 / 2)]
    rows.append(("peak memory after all requests, MB", warm["Passloom"]["last_kilobytes"] * 1024 / MB, 10))
    if "Express" in warm:
        rows.append(("peak memory, relative to Express",
                     warm["Passloom"]["last_kilobytes"] / warm["Express"]["last_kilobytes"], 1 / 10))
    rows.append(("zip, MB", zip_bytes["Passloom"] / MB, 2.4))
    rows.append(("calls to DynamoDB, admitted warm request", warm["Passloom"]["calls"], 1))
    rows += [(f"calls to DynamoDB, {name}", calls, 0) for name, calls in figures["refusals"].items()]
    return rows


def table(figures):
    lines = ["| Goal | maximum | measured | met |", "|---|---:|---:|---|"]
    for what, measured, maximum in goals(figures):
        met = "yes" if measured <= maximum else "no"
        lines.append(f"| {what} | {maximum:.3g} | {measured:.3g} | {met} |")
    names = list(figures["starts"])
    starts, warm, quota = figures["starts"], figures["warm"], figures["quota"]
    lines += ["", "| | " + " | ".join(names) + " |", "|---|" + "---:|" * len(names)]

    def row(what, cell):
        lines.append(f"| {what} | " + " | ".join(cell(name) for name in names) + " |")

    def pair(spread, upper="p90", digits=2):
        return f"{spread['p50']:.{digits}f} / {spread[upper]:.{digits}f}"

    row("exec to first poll, ms, p50 / p90", lambda name: pair(starts[name]["poll"]))
    row("exec to first answer, ms, p50 / p90", lambda name: pair(starts[name]["answer"]))
    row("… relative to Passloom", lambda name: f"{starts[name]['answer']['p50'] / starts['Passloom']['answer']['p50']:.2f}")
    row("warm request, µs, p50 / p99", lambda name: pair(warm[name]["microseconds"], "p99", 0))
    row("… relative to Passloom",
        lambda name: f"{warm[name]['microseconds']['p50'] / warm['Passloom']['microseconds']['p50']:.2f}")
    row("processor time of a warm request, µs", lambda name: f"{warm[name]['processor_microseconds']:.0f}")
    row("instructions of a warm request", lambda name: f"{figures.get('instructions', {}).get(name, '–'):,}"
        if name in figures.get("instructions", {}) else "–")
    row("peak memory, MB, after one / all", lambda name:
        f"{warm[name]['first_kilobytes'] * 1024 / MB:.1f} / {warm[name]['last_kilobytes'] * 1024 / MB:.1f}")
    row("zip, MB", lambda name: f"{figures['zip_bytes'][name] / MB:.2f}")
    row("calls to DynamoDB, warm", lambda name: f"{warm[name]['calls']:.0f}")
    if "missing" not in quota:
        row("exec to first answer with the processor share of 128 MB, ms, p50", lambda name: f"{quota[name]['answer']['p50']:.0f}")
    notes = []
    if "missing" in quota:
        notes.append(f"Not measured with the processor share of 128 MB: {quota['missing']}.")
    else:
        counts = ", ".join(f"{name} {quota[name]['answer']['n']}" for name in names)
        notes.append(f"Starts with the processor share of 128 MB: {counts}.")
    if "instructions" not in figures:
        notes.append("Instructions were not counted: valgrind is not installed.")
    rates = "; ".join(f"{rate:,.0f} with {many} in flight" for many, rate in figures["throughput"].items())
    notes.append(f"Requests per second of one environment on one core: {rates}.")
    machine = figures["machine"]
    lines += ["", *paragraph(" ".join(notes)), "", *paragraph(
              f"{machine['date']}; {machine['processor']}; {machine['kernel']}; {machine['rustc']}; Node "
              f"{machine['node']}; Python {machine['python']}; {machine['valgrind']}. "
              f"{starts['Passloom']['answer']['n']} starts and {warm['Passloom']['microseconds']['n']} warm requests each.")]
    return "\n".join(lines)


def paragraph(text):
    return textwrap.wrap(text, 100, break_on_hyphens=False)


def picture(figures):
    """Four panels of bars, each on its own scale."""
    names = list(figures["starts"])
    panels = [
        ("Exec to first answer, ms", {name: figures["starts"][name]["answer"]["p50"] for name in names}),
        ("Warm request, µs", {name: figures["warm"][name]["microseconds"]["p50"] for name in names}),
        ("Peak memory, MB", {name: figures["warm"][name]["last_kilobytes"] * 1024 / MB for name in names}),
        ("Zip, MB", {name: figures["zip_bytes"][name] / MB for name in names}),
    ]
    labels = {"empty": "empty Rust function", "one UpdateItem": "… with one UpdateItem"}
    row, head, width, left, bar = 24, 56, 900, 175, 560
    panel = head + row * len(names)
    height = panel * len(panels) + 48
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="system-ui, sans-serif" '
        'font-size="14" role="img" aria-label="Passloom and its references: start, warm request, memory, size">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for index, (title, values) in enumerate(panels):
        top = index * panel
        parts.append(f'<text x="20" y="{top + 38}" font-weight="600" fill="#1b1f24">{title}</text>')
        longest = max(values.values())
        for place, (name, value) in enumerate(values.items()):
            y = top + head + place * row
            length = max(1, value / longest * bar)
            colour = "#0b6e4f" if name == "Passloom" else "#9aa5b1"
            weight = ' font-weight="600"' if name == "Passloom" else ""
            number = f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
            parts.append(f'<text x="{left - 10}" y="{y + 13}" text-anchor="end" fill="#1b1f24"{weight}>{labels.get(name, name)}</text>')
            parts.append(f'<rect x="{left}" y="{y}" width="{length:.1f}" height="{row - 7}" rx="2" fill="{colour}"/>')
            parts.append(f'<text x="{left + length + 8:.1f}" y="{y + 13}" fill="#1b1f24"{weight}>{number}</text>')
    note = ("Less is better. Medians of one run on one core; Passloom and “one UpdateItem” call a database over TLS, "
            "the others have none.")
    parts += [f'<text x="20" y="{height - 18}" font-size="12.5" fill="#57606a">{note}</text>', "</svg>"]
    return "\n".join(parts) + "\n"


def write(figures, docs, kept):
    kept.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    (docs / "performance.svg").write_text(picture(figures), encoding="utf-8")
    page = docs / "performance.md"
    text = page.read_text(encoding="utf-8")
    begin, end = "<!-- begin: generated by make bench -->", "<!-- end -->"
    text = re.sub(f"{begin}.*?{end}", lambda _: f"{begin}\n{table(figures)}\n{end}", text, flags=re.DOTALL)
    page.write_text(text, encoding="utf-8")
