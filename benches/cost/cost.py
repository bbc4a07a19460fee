"""Works out what a million passwords cost, from prices.json and what `make bench` measured, into docs/cost.md."""

import json
import math
import re
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
MEMORY_GB = 0.125
SHARE_OF_128_MB = 128 / 1769
# Not measured here: how long DynamoDB takes, how long an access log line is, how often an environment starts.
DATABASE_MS = 5
ACCESS_LOG_BYTES = 300
STARTS = 0.01


def main():
    prices = {name: entry["price"] for name, entry in json.loads((HERE / "prices.json").read_text()).items()
              if name != "read"}
    figures = json.loads((HERE.parent / "function" / "figures.json").read_text())
    warm, refusals = figures["warm"]["Passloom"], figures["refusals"]
    working = warm["processor_microseconds"] / 1e3 / SHARE_OF_128_MB
    start = figures["starts"]["Passloom"]["answer"]["p50"] / SHARE_OF_128_MB

    def requests(millions, *, gateway, writes, works, batch=1):
        """The parts of the price of so many million requests. A batch draws as many passwords in one."""
        billed = math.ceil(works + (DATABASE_MS if writes else 0)) + STARTS * start
        return {
            "HTTP API": millions * prices["http_api_million"] * gateway,
            "Lambda, requests": millions * prices["lambda_million"],
            "Lambda, time": millions * 1e6 * MEMORY_GB * billed / 1e3 * prices["lambda_gigabyte_second_arm64"],
            "DynamoDB": millions * (writes * prices["dynamodb_write_million"]
                                    + (STARTS * prices["dynamodb_read_million"] if writes else 0)),
            "logs": millions * (figures["audit_bytes"] + ACCESS_LOG_BYTES * gateway) / 1e3 * prices["logs_gigabyte"],
        }

    rows = {
        "HTTP API": requests(1, gateway=1, writes=warm["calls"], works=working),
        "Function URL": requests(1, gateway=0, writes=warm["calls"], works=working),
        "HTTP API, 100 in a request": requests(0.01, gateway=1, writes=warm["calls"],
                                               works=figures["batch_processor_microseconds"] / 1e3 / SHARE_OF_128_MB),
        "a million refusals that are remembered": requests(1, gateway=1, writes=refusals["remembered refusal"], works=working),
        "a million requests with a forged key": requests(1, gateway=1, writes=refusals["forged key"], works=working),
    }
    parts = list(rows["HTTP API"])
    lines = ["| A million passwords by | " + " | ".join(parts) + " | sum, USD |", "|---|" + "---:|" * (len(parts) + 1)]
    for name, row in rows.items():
        cells = " | ".join(f"{row[part]:.3f}" for part in parts)
        lines.append(f"| {name} | {cells} | **{sum(row.values()):.2f}** |")
    secrets = prices["secrets_manager_million"]
    lines.append(f"| AWS Secrets Manager's GetRandomPassword |" + " |" * len(parts) + f" **{secrets:.2f}** |")
    lines += ["", f"Billed: {warm['processor_microseconds']:.0f} µs of processor time a request, of a batch "
              f"{figures['batch_processor_microseconds']:.0f} µs, at {SHARE_OF_128_MB:.1%} of a core; {DATABASE_MS} ms for the "
              f"database; every hundredth request a start. An audit line has {figures['audit_bytes']:.0f} bytes."]
    page = ROOT / "docs" / "cost.md"
    begin, end = "<!-- what make cost worked out -->", "<!-- to here -->"
    text = re.sub(f"{begin}.*?{end}", lambda _: "\n".join([begin, *lines, end]), page.read_text(encoding="utf-8"),
                  flags=re.DOTALL)
    page.write_text(text, encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
