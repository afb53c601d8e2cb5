"""Notebooks run from top to bottom, on a history of the test's own."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from infra.settings import ROOT, Settings
from tests.support.market_history import database, market, write_shuffled

pytestmark = pytest.mark.stack


def run(notebook: Path) -> list[Any]:
    """The outputs of its code cells. Raises CellExecutionError with the cell that fails."""
    read = nbformat.read(notebook, as_version=4)
    NotebookClient(read, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}).execute()
    return [cell.outputs for cell in read.cells if cell.cell_type == "code"]


def test_the_notebook_of_the_history_shows_its_frames(stack: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with database(stack) as dsn:
        write_shuffled(dsn, market(5_000))
        monkeypatch.setenv("HELIOS_TIMESCALE_DSN", dsn)
        sessions, instrument, minutes, quote, volatility, ticks, _ = run(ROOT / "notebooks" / "history.ipynb")
    assert "market-1" in sessions[0].data["text/plain"]
    assert instrument[0].data["text/plain"] in ("'KO'", "'PEP'", "'MSFT'")
    for shown, column in ((minutes, "vwap"), (quote, "spread_bp"), (volatility, "annualised"), (ticks, "count")):
        assert column in shown[0].data["text/plain"]
