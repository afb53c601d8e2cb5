"""All targets in turn, for a time: `python -m tests.fuzz.run --seconds 600`. What fails is kept under .local/fuzz.

A failure is a file with the bytes that did it: `python -m tests.fuzz.one TARGET FILE` does it again.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

from tests.fuzz.seeds import seeds
from tests.fuzz.targets import targets

HOME = Path(".local/fuzz")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=600, help="for all targets together")
    parser.add_argument("--only", default="", help="targets that have this in their name")
    given = parser.parse_args()
    names = [name for name in targets() if given.only in name]
    each = max(given.seconds // max(len(names), 1), 5)
    failed = 0
    for name in names:
        failed += not _run(name, each)
    print(f"{len(names)} targets, {each} s each: " + (f"{failed} failed, see {HOME}" if failed else "none failed"))
    return int(failed > 0)


def _run(name: str, seconds: int) -> bool:
    folder = HOME / name.replace(":", "-")
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds(name)):
        (corpus / f"seed-{number}").write_bytes(seed)
    command = [
        *(sys.executable, "-m", "tests.fuzz.one", name, f"-max_total_time={seconds}", "-timeout=20", "-seed=1"),
        *("-rss_limit_mb=4096", f"-artifact_prefix={folder}/", "-max_len=65536", "-print_final_stats=1", str(corpus)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 300)
    runs = re.search(r"stat::number_of_executed_units:\s+(\d+)", done.stderr)
    said = f"{int(runs[1]):>9,} inputs" if runs else "no figures"
    print(f"{name:40} {said}   {'ok' if done.returncode == 0 else 'FAILED'}", flush=True)
    if done.returncode:
        (folder / "output.txt").write_text(done.stdout + done.stderr)
        print("\n".join(done.stderr.splitlines()[-25:]))
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
