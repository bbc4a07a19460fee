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
# A figure is marked if its two halves of the run differ by more than this.
REPEATS_WITHIN = 0.05
MARK = "~"
EQUALS = ("Express + DynamoDB", "FastAPI + DynamoDB")


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


def mark(first_half, second_half):
    """A mark if a figure does not repeat."""
    return MARK if abs(first_half - second_half) > REPEATS_WITHIN * min(first_half, second_half) else ""


def goals(figures):
    """Each goal as (what, maximum, measured, mark)."""
    starts, warm, calls = figures["starts"], figures["warm"], figures["calls"]

    def ratio(kind, stage, name, percentile="p50"):
        own, other = kind["Passloom"][stage], kind[name][stage]
        halves = [own["halves"][half][percentile] / other["halves"][half][percentile] for half in (0, 1)]
        return own[percentile] / other[percentile], mark(*halves)

    rows = [
        ("exec to first answer, relative to one UpdateItem", 1.10, *ratio(starts, "answer", "one UpdateItem")),
        ("warm request, relative to one UpdateItem", 1.15, *ratio(warm, "microseconds", "one UpdateItem")),
    ]
    for name, start, latency in zip(EQUALS, (1 / 50, 1 / 90), (1 / 3, 1 / 2.5)):
        if name in starts:
            rows += [
                (f"exec to first answer, relative to {name}", start, *ratio(starts, "answer", name)),
                (f"warm request, median, relative to {name}", latency, *ratio(warm, "microseconds", name)),
                (f"warm request, 99th percentile, relative to {name}", latency, *ratio(warm, "microseconds", name, "p99")),
            ]
    rows += [
        ("peak memory after hostile requests, MB", 32, figures["hostile_kilobytes"] * 1024 / MB, ""),
        ("peak memory after all generate requests, MB", 9, warm["Passloom"]["last_kilobytes"] * 1024 / MB, ""),
        ("a default draw, relative to its getrandom call", 3, figures["draw"], ""),
        ("zip, MB", 4.2, figures["zip_bytes"]["Passloom"] / MB, ""),
    ]
    for name, most in (("admitted warm request", 1), ("warm request of a bound key", 1), ("first request of a key", 1),
                       ("cached refusal", 0), ("forged key", 0)):
        rows.append((f"calls to DynamoDB, {name}", most, calls[name], ""))
    return rows


def tables(figures):
    lines = ["| Goal | at most | measured | met |", "|---|---:|---:|---|"]
    for what, maximum, measured, marked in goals(figures):
        met = "yes" if measured <= maximum else "no"
        lines.append(f"| {what} | {maximum:.3g} | {measured:.3g}{marked} | {met} |")
    names = list(figures["starts"])
    starts, warm, quota = figures["starts"], figures["warm"], figures["quota"]
    counted = figures.get("instructions", {})
    lines += ["", "| | " + " | ".join(names) + " |", "|---|" + "---:|" * len(names)]

    def row(what, text):
        lines.append(f"| {what} | " + " | ".join(text(name) for name in names) + " |")

    def cell(spread, percentile, digits=0):
        return f"{spread[percentile]:,.{digits}f}{mark(*(half[percentile] for half in spread['halves']))}"

    def pair(spread, upper, digits):
        return f"{cell(spread, 'p50', digits)} / {cell(spread, upper, digits)}"

    row("exec to first poll, ms, p50 / p90", lambda name: pair(starts[name]["poll"], "p90", 2))
    row("exec to first answer, ms, p50 / p90", lambda name: pair(starts[name]["answer"], "p90", 2))
    row("warm request, µs, p50 / p99", lambda name: pair(warm[name]["microseconds"], "p99", 0))
    row("processor time of a warm request, µs", lambda name: cell(warm[name]["processor_microseconds"], "p50"))
    row("processor time of the database for it, µs", lambda name:
        cell(warm[name]["database_microseconds"], "p50") if warm[name]["calls"] else "–")
    row("instructions of a warm request", lambda name: f"{counted[name]:,}" if name in counted else "–")
    row("peak memory, MB, after one / all", lambda name:
        f"{warm[name]['first_kilobytes'] * 1024 / MB:.1f} / {warm[name]['last_kilobytes'] * 1024 / MB:.1f}")
    row("zip, MB", lambda name: f"{figures['zip_bytes'][name] / MB:.2f}")
    row("calls to DynamoDB, warm", lambda name: f"{warm[name]['calls']:.0f}")
    if "missing" not in quota:
        row("exec to first answer at 128 MB, ms, p50", lambda name: f"{quota[name]['answer']['p50']:,.0f}")
    notes = [f"{MARK} marks a figure whose two halves of the run differ by more than {REPEATS_WITHIN:.0%}."]
    if "missing" in quota:
        notes.append(f"Not measured with the processor share of 128 MB: {quota['missing']}.")
    if not counted:
        notes.append("Instructions were not counted: valgrind is not installed.")
    if EQUALS[0] not in starts:
        notes.append("Express was not measured: Node is not installed.")
    machine = figures["machine"]
    counts = [f"{starts[name]['answer']['n']} starts" for name in ("Passloom", "FastAPI")]
    notes.append(
        f"{counts[0]} of the functions in Rust, {counts[1]} of the others; {warm['Passloom']['microseconds']['n']} warm requests "
        f"each. {machine['date']}; {machine['processor']}; {machine['kernel']}; {machine['rustc']}; Node {machine['node']}; "
        f"Python {machine['python']}; {machine['valgrind']}.")
    lines += ["", *textwrap.wrap(" ".join(notes), 100, break_on_hyphens=False)]
    return "\n".join(lines)


def picture(figures):
    """Four panels of bars, each on its own scale."""
    names = [name for name in ("Passloom", "one UpdateItem", *EQUALS) if name in figures["starts"]]
    panels = [
        ("Exec to first answer, ms", {name: figures["starts"][name]["answer"]["p50"] for name in names}),
        ("Warm request, µs", {name: figures["warm"][name]["microseconds"]["p50"] for name in names}),
        ("Peak memory, MB", {name: figures["warm"][name]["last_kilobytes"] * 1024 / MB for name in names}),
        ("Zip, MB", {name: figures["zip_bytes"][name] / MB for name in names}),
    ]
    labels = {"one UpdateItem": "Rust, one UpdateItem"}
    row, head, width, left, bar = 24, 56, 900, 185, 560
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
    note = "Less is better. Medians of one run on one core. All call the same database over TLS for each request."
    parts += [f'<text x="20" y="{height - 18}" font-size="12.5" fill="#57606a">{note}</text>', "</svg>"]
    return "\n".join(parts) + "\n"


def write(figures, docs, kept):
    kept.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    (docs / "performance.svg").write_text(picture(figures), encoding="utf-8")
    page = docs / "performance.md"
    text = page.read_text(encoding="utf-8")
    begin, end = "<!-- begin: generated by make bench -->", "<!-- end -->"
    text = re.sub(f"{begin}.*?{end}", lambda _: f"{begin}\n{tables(figures)}\n{end}", text, flags=re.DOTALL)
    page.write_text(text, encoding="utf-8")
