"""Python environments of what we are measured against: under the home, each made of its pins at its first use."""

import subprocess
import sys
from pathlib import Path

from jobs.submit import Progress


class BenchEnvironmentError(RuntimeError):
    """Why one cannot be made, in a line."""


def environment(folder: Path, pins: Path, what: str, progress: Progress) -> Path:
    """Its Python: made when the pins are not those that it was made of. `what`: it, as progress tells."""
    python, made_of = folder / "bin" / "python", folder / "made-of.txt"
    if python.exists() and made_of.exists() and made_of.read_text() == pins.read_text():
        return python
    progress(f"{what} into an environment of its own")
    # By pip: it reads the index and the certificates that this machine's pip was told of, which uv does not.
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(folder)],
        [str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps", "-r", str(pins)],
    ):
        run = subprocess.run(command, capture_output=True, text=True)
        if run.returncode:
            said = [line for line in run.stderr.splitlines() if line.strip() and not line.startswith("hint:")]
            why = (said or ["it said nothing"])[-1]
            raise BenchEnvironmentError(f"environment of {what} in {folder}: {' '.join(command[1:4])}: {why}")
    made_of.write_text(pins.read_text())
    return python
