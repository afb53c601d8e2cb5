"""Which changes of code a TaskManager has to be restarted for."""

from pathlib import Path

import pytest

from infra import taskmanagers
from infra.taskmanagers import code_hash


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    files = {
        "jobs/market.py": "from pipelines.operators import market\n",
        "pipelines/operators/market.py": "def late():\n    import pipelines.domain.ticks\n",
        "pipelines/domain/ticks.py": "TICK = 1\n",
        "pipelines/history/loader.py": "BATCH = 1\n",
        "schemas/Tick.avsc": "{}",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(taskmanagers, "ROOT", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("file", "matters"),
    [
        ("jobs/market.py", True),
        ("pipelines/operators/market.py", True),
        ("pipelines/domain/ticks.py", True),
        ("schemas/Tick.avsc", True),
        ("pipelines/history/loader.py", False),
    ],
)
def test_what_a_job_imports_however_indirectly_is_its_code(checkout: Path, file: str, matters: bool) -> None:
    before = code_hash(["jobs.market"])
    with (checkout / file).open("a") as text:
        text.write(" \n")
    assert (code_hash(["jobs.market"]) != before) is matters
