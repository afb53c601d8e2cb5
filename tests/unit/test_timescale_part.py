"""Postgres as root: it runs as nobody, who reaches its folder wherever that is."""

import os
import subprocess
from pathlib import Path

import pytest

from infra.parts import timescale
from infra.parts.part import PartError
from infra.parts.timescale import as_nobody

ASK = "import os, sys; print(os.getuid(), os.access(sys.argv[1], os.X_OK), open(sys.argv[1]).read())"

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes nobody")


@as_root
@pytest.mark.parametrize("mode", [0o755, 0o700])
def test_nobody_finds_programs_in_a_folder_that_only_root_may_enter(tmp_path: Path, mode: int) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    program = closed / "program"
    program.write_text("found")
    program.chmod(0o755)
    closed.chmod(mode)
    command = [*as_nobody(closed / "data"), "/usr/bin/env", "python3", "-c", ASK, str(program)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout.split() == ["65534", "True", "found"], done.stderr


@as_root
def test_without_the_capability_the_folder_and_the_way_out_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(timescale, "SETPCAP", 63)
    monkeypatch.setattr(timescale, "BINARIES", Path("/usr/bin"))
    with pytest.raises(PartError, match=f"no other user may enter {closed}.*: chmod o\\+x {closed}"):
        as_nobody(closed / "data")
