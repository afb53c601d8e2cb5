"""Sessions by FIX in which venues do not do well, one for each seed, and what came of them, one JSON object a line.

    python -m tests.support.fault_sessions --seeds 2 3 4 --seconds 3600

`differences`: lines in which the log's book of orders and a venue's are not alike. `twice`: order ids that a venue had
more than once, resends of messages left out. `faults`: what the venues put in. `first_word_s`: from an order's message
to the first word of it, whatever told it; `unknown`: orders that waited longer than UNKNOWN_S for that, and how long.
Exit status 1 where books differ, an order came twice, or something was not conserved. Services: `helios up`.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from infra.settings import ROOT, Settings, load_settings
from infra.supervision import Supervision
from jobs.benchmarks.broker import percentiles

UNKNOWN_S = 2.0
FAULT = re.compile(r"fault=(\w+) order=(\S+)")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(2, 12)), help="of the market and of faults")
    parser.add_argument("--seconds", type=int, default=3600, help="of market")
    parser.add_argument("--speed", type=float, default=20.0)
    parser.add_argument("--instruments", type=int, default=600)
    parser.add_argument("--ticks-per-second", type=int, default=150)
    parser.add_argument("--venues", type=int, default=3)
    given = parser.parse_args()
    whole = True
    for seed in given.seeds:
        found = session(load_settings(), seed, given)
        whole &= found["conserved"] and not found["differences"] and not found["twice"]
        print(json.dumps(found), flush=True)
    return 0 if whole else 1


def session(settings: Settings, seed: int, given: argparse.Namespace) -> dict[str, Any]:
    """Run one to its last settled order."""
    logs = [Supervision(settings).log(f"venue-venue{number}") for number in range(1, given.venues + 1)]
    before = [log.stat().st_size if log.exists() else 0 for log in logs]
    words = ["--fix", "--venues", given.venues, "--instruments", given.instruments, "--seconds", given.seconds]
    words += ["--ticks-per-second", given.ticks_per_second, "--speed", given.speed, "--seed", seed, "--faults", seed]
    told = helios("demo", *words, "--json")
    books = helios("orders", "compare", "--strategy", told["strategy"], "--json", may_exit=1)
    folder = settings.home / "sessions" / told["session"]
    waited = first_words((folder / "gateway" / "messages.log").read_text(errors="replace").splitlines())
    late = sorted(each for each in waited.values() if each > UNKNOWN_S)
    received = Counter[tuple[str, str]]()
    for file in folder.glob("venue-*/*-messages.log"):
        received.update((file.parent.name, of) for of in arrivals(file.read_text(errors="replace").splitlines()))
    return {
        "seed": seed,
        "conserved": told["conserved"],
        **{name: told[name] for name in ("ticks", "signals", "orders", "fills", "seconds")},
        "venues": {venue: [book["orders"], book["executions"], book["stated"]] for venue, book in books.items()},
        "differences": [line for book in books.values() for line in book["differences"]],
        "at_venues": len(received),
        "twice": sorted(of for (_, of), count in received.items() if count > 1),
        "faults": faults(log.read_bytes()[at:].decode(errors="replace") for log, at in zip(logs, before, strict=True)),
        "first_word_s": percentiles(list(waited.values())) if waited else {},
        "unknown": {"orders": len(late)}
        | ({"median_s": statistics.median(late), "longest_s": late[-1]} if late else {}),
    }


def helios(*words: object, may_exit: int = 0) -> Any:
    """What a command tells as JSON. It may end with 0 or another status; SystemExit for what it said otherwise."""
    command = [sys.executable, "-m", "jobs.cli.main", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode not in (0, may_exit):
        sys.exit(f"{' '.join(command)}: {done.stderr.strip()[-2000:]}")
    return json.loads(done.stdout)


def first_words(lines: Iterable[str]) -> dict[str, float]:
    """Seconds from an order's message to the first report of it, by order, of a gateway's messages."""
    sent: dict[str, float] = {}
    waited: dict[str, float] = {}
    for at, arrow, fields in messages(lines):
        name = fields.get("11", "")
        if arrow == ">" and fields["35"] == "D":
            sent.setdefault(name, at)
        elif arrow == "<" and fields["35"] == "8" and name in sent:
            waited.setdefault(name, round(at - sent[name], 3))
    return waited


def arrivals(lines: Iterable[str]) -> Iterator[str]:
    """Ids of the orders that a venue's messages bring, as often as they do; not of resends (PossDupFlag)."""
    for _, arrow, fields in messages(lines):
        if arrow == "<" and fields["35"] == "D" and fields.get("43") != "Y":
            yield fields["11"]


def messages(lines: Iterable[str]) -> Iterator[tuple[float, str, dict[str, str]]]:
    """Time in s, arrow and fields of each line of a log of messages."""
    for line in lines:
        time, arrow, message = line.split(" ", 2)
        fields = dict(each.split("=", 1) for each in message.split("|") if "=" in each)
        yield datetime.fromisoformat(time).timestamp(), arrow, {"35": ""} | fields


def faults(logs: Iterable[str]) -> dict[str, int]:
    """How many orders met each fault."""
    met = {found for log in logs for found in FAULT.findall(log)}
    return dict(sorted(Counter(fault for fault, _ in met).items()))


if __name__ == "__main__":
    sys.exit(main())
