"""Order state matrices of FIX (Appendix D of 4.2, 4.4 and 5.0), row by row through `helios orders replay`."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from jobs.cli.main import app
from pipelines.domain.fix_words import PRECEDENCE, OrdStatus
from tests.support.fix_text import Row, paths, rows

REFERENCES = Path(__file__).parents[3] / "shared/data/REFERENCES.json"
VERSIONS = ("FIX.4.2", "FIX.4.4")

NEW = "D X 10000\n~ 8 X | Rejected | Rejected | 10000 0 0 0\n8 X | New | New | 10000 0 10000 0\n"
FILL_1000 = NEW + "8 X | Trade | Partially Filled | 10000 1000 9000 1000\n"
DAY_1 = """
D X 10000
8 X | New | New | 10000 0 10000 0 | A
8 X | Trade | Partially Filled | 10000 2000 8000 2000 | B
8 X | Done for Day | Done for Day | 10000 2000 8000 0 | C
8 X | Restated | Partially Filled | 10000 2000 8000 0 | R
"""

MATRICES = {
    "A.1.a, D1: filled": NEW
    + """
    8 X | Trade | Partially Filled | 10000 2000 8000 2000
    8 X | Trade | Partially Filled | 10000 3000 7000 1000
    8 X | Trade | Filled | 10000 10000 0 7000
    """,
    "A.1.b, D2: part-filled day order, done for day": NEW
    + """
    8 X | Trade | Partially Filled | 10000 2000 8000 2000
    8 X | Trade | Partially Filled | 10000 3000 7000 1000
    8 X | Done for Day | Done for Day | 10000 3000 0 0
    """,
    "B.1.c, D5: filled before the cancel request can be accepted": NEW
    + """
    8 X | Trade | Partially Filled | 10000 2000 8000 2000
    F Y,X
    8 X | Trade | Partially Filled | 10000 5000 5000 3000
    ~ 9 Y,X | Partially Filled
    8 Y,X | Pending Cancel | Pending Cancel | 10000 5000 5000 0
    8 X | Trade | Pending Cancel | 10000 10000 0 5000
    9 Y,X | Filled
    """,
    "B.1.e: the acknowledgement and the cancel request cross": """
    D X 10000
    F Y,X
    8 X | New | New | 10000 0 10000 0
    8 Y,X | Pending Cancel | Pending Cancel | 10000 0 10000 0
    8 Y,X | Canceled | Canceled | 10000 0 0 0
    """,
    "B.1.f: cancel request for an unknown order": """
    F Y,X
    9 Y,X | Rejected
    """,
    "C.1.a: zero-filled, quantity increased": NEW
    + """
    G Y,X 11000
    ~ 9 Y,X | New
    8 Y,X | Pending Replace | Pending Replace | 10000 0 10000 0
    ~ 9 Y,X | New
    8 Y,X | Replace | New | 11000 0 11000 0
    8 Y | Trade | Partially Filled | 11000 1000 10000 1000
    """,
    "D6: the same in FIX 4.2, where Replaced is a status": NEW
    + """
    G Y,X 11000
    8 Y,X | Pending Replace | Pending Replace | 10000 0 10000 0
    8 Y,X | Replace | Replaced | 11000 0 11000 0
    8 Y | Trade | Partially Filled | 11000 1000 10000 1000
    """,
    "C.1.b, D7: part-filled, increased; filled while it is pending": FILL_1000
    + """
    G Y,X 12000
    ~ 9 Y,X | Partially Filled
    8 Y,X | Pending Replace | Pending Replace | 10000 1000 9000 0
    8 X | Trade | Pending Replace | 10000 1100 8900 100
    ~ 9 Y,X | Partially Filled
    8 Y,X | Replace | Partially Filled | 12000 1100 10900 0
    8 Y | Trade | Filled | 12000 12000 0 10900
    """,
    "C.1.c, D8: filled, then increased": NEW
    + """
    8 X | Trade | Filled | 10000 10000 0 10000
    G Y,X 12000
    ~ 9 Y,X | Filled
    8 Y,X | Pending Replace | Pending Replace | 10000 10000 0 0
    ~ 9 Y,X | Filled
    8 Y,X | Replace | Partially Filled | 12000 10000 2000 0
    """,
    "C.3.b, D11: decreased to what is filled": NEW
    + """
    G Y,X 7000
    8 X | Trade | Partially Filled | 10000 7000 3000 7000
    8 Y,X | Replace | Filled | 7000 7000 0 0
    """,
    "C.3.c, D12: decreased below what is filled": NEW
    + """
    G Y,X 7000
    8 X | Trade | Partially Filled | 10000 8000 2000 8000
    8 Y,X | Replace | Filled | 8000 8000 0 0
    """,
    "D.1.a, D13: replaced, and replaced again": FILL_1000
    + """
    G Y,X 8000
    8 Y,X | Pending Replace | Pending Replace | 10000 1000 9000 0
    8 X | Trade | Pending Replace | 10000 1500 8500 500
    8 Y,X | Replace | Partially Filled | 8000 1500 6500 0
    8 Y | Trade | Partially Filled | 8000 3500 4500 2000
    G Z,Y 6000
    8 Z,Y | Pending Replace | Pending Replace | 8000 3500 4500 0
    8 Y | Trade | Pending Replace | 8000 4000 4000 500
    8 Z,Y | Replace | Partially Filled | 6000 4000 2000 0
    8 Z | Trade | Filled | 6000 6000 0 2000
    """,
    "D.1.b, D14: one rejected before it is pending, another accepted": FILL_1000
    + """
    G Y,X 8000
    9 Y,X | Partially Filled
    8 X | Trade | Partially Filled | 10000 1500 8500 500
    8 X | Trade | Partially Filled | 10000 3500 6500 2000
    G Z,X 6000
    8 Z,X | Pending Replace | Pending Replace | 10000 3500 6500 0
    8 Z,X | Replace | Partially Filled | 6000 3500 2500 0
    8 Z | Trade | Partially Filled | 6000 5000 1000 1500
    """,
    "D.1.c, D15: one rejected after it is pending, another accepted": FILL_1000
    + """
    G Y,X 8000
    8 Y,X | Pending Replace | Pending Replace | 10000 1000 9000 0
    8 X | Trade | Pending Replace | 10000 1500 8500 500
    9 Y,X | Partially Filled
    8 X | Trade | Partially Filled | 10000 3500 6500 2000
    G Z,X 6000
    8 Z,X | Pending Replace | Pending Replace | 10000 3500 6500 0
    ~ 9 Z,X | Partially Filled
    8 Z,X | Replace | Partially Filled | 6000 3500 2500 0
    8 Z | Trade | Partially Filled | 6000 5000 1000 1500
    """,
    "D.2.a, D16: two at once, processed one after the other": FILL_1000
    + """
    G Y,X 8000
    G Z,Y 7000
    8 Y,X | Pending Replace | Pending Replace | 10000 1000 9000 0
    8 Y,X | Replace | Partially Filled | 8000 1000 7000 0
    8 Z,Y | Pending Replace | Pending Replace | 8000 1000 7000 0
    8 Z,Y | Replace | Partially Filled | 7000 1000 6000 0
    8 Z | Trade | Filled | 7000 7000 0 6000
    """,
    "D.2.b, D17: two at once, both pending before either is replaced": FILL_1000
    + """
    G Y,X 8000
    G Z,Y 7000
    8 Y,X | Pending Replace | Pending Replace | 10000 1000 9000 0
    8 Z,X | Pending Replace | Pending Replace | 8000 1000 7000 0
    8 Y,X | Replace | Pending Replace | 8000 1000 7000 0
    8 Z,Y | Replace | Partially Filled | 7000 1000 6000 0
    8 Z | Trade | Filled | 7000 7000 0 6000
    """,
    "D.2.c, D18: two at once, the second rejected as the order is pending": FILL_1000
    + """
    G Y,X 8000
    G Z,Y 7000
    8 Y,X | Pending Replace | Pending Replace | 10000 1000 9000 0
    9 Z,X | Pending Replace
    8 Y,X | Replace | Partially Filled | 8000 1000 7000 0
    8 Y | Trade | Partially Filled | 8000 3000 5000 2000
    """,
    "E.1.b, D19: canceled unasked": FILL_1000 + "8 X | Canceled | Canceled | 10000 1000 0 0",
    "E.1.c, D20: increased unasked": NEW
    + """
    8 X | Restated | New | 11000 0 11000 0
    8 X | Trade | Partially Filled | 11000 1000 10000 1000
    8 X | Restated | Partially Filled | 12000 1000 11000 0
    """,
    "E.1.d, D21: decreased unasked": NEW
    + """
    8 X | Restated | New | 9000 0 9000 0
    8 X | Trade | Filled | 9000 9000 0 9000
    """,
    "E.1.f: held, then activated": NEW
    + """
    8 X | Triggered | New | 10000 0 10000 0
    8 X | Trade | Partially Filled | 10000 2000 8000 2000
    8 X | Trade | Filled | 10000 10000 0 8000
    """,
    "F.1.b: sent again, and another order by the same id": """
    D X 10000
    8 X | New | New | 10000 0 10000 0
    D X 10000 again
    8 X | Order Status | New | 10000 0 10000 -
    D X 20000
    8 X | Rejected | New | 10000 0 10000 0
    D Y 15000 again
    8 Y | New | New | 15000 0 15000 0
    """,
    "H.1.a, D27: good till canceled, restated and part-filled the next day": DAY_1
    + "8 X | Trade | Partially Filled | 10000 3000 7000 1000",
    "H.1.c, D29: restated, canceled the next day": DAY_1
    + """
    F Y,X
    ~ 9 Y,X | Partially Filled
    8 Y,X | Pending Cancel | Pending Cancel | 10000 2000 8000 0
    ~ 9 Y,X | Partially Filled
    8 Y,X | Canceled | Canceled | 10000 2000 0 0
    """,
    "H.1.d, D30: restated, increased the next day": DAY_1
    + """
    G Y,X 15000
    ~ 9 Y,X | Partially Filled
    8 Y,X | Pending Replace | Pending Replace | 10000 2000 8000 0
    8 X | Trade | Pending Replace | 10000 3000 7000 1000
    ~ 9 Y,X | Partially Filled
    8 Y,X | Replace | Partially Filled | 15000 3000 12000 0
    """,
    "I.1.a: fill or kill, killed": NEW + "8 X | Canceled | Canceled | 10000 0 0 0",
    "I.1.b: immediate or cancel, part-filled": FILL_1000 + "8 X | Canceled | Canceled | 10000 1000 0 0",
    "J.1.a, D34: filled, then corrected and busted": """
    D X 10000
    8 X | New | New | 10000 0 10000 0 | B
    8 X | Trade | Partially Filled | 10000 1000 9000 1000 | C @100
    8 X | Trade | Filled | 10000 10000 0 9000 | D @110
    8 X | Trade Cancel | Partially Filled | 10000 9000 1000 0 | E(C)
    8 X | Trade Correct | Partially Filled | 10000 9000 1000 9000 | F(D) @100
    8 X | Trade | Filled | 10000 10000 0 1000 | G @120
    8 X | Trade Correct | Filled | 10000 10000 0 9000 | H(F) @120
    G Y,X 12000
    8 Y,X | Pending Replace | Pending Replace | 10000 10000 0 0 | I
    8 Y,X | Replace | Partially Filled | 12000 10000 2000 0 | J
    8 Y | Trade Correct | Partially Filled | 12000 10500 1500 9500 | K(H) @120
    """,
    "J.1.b, D35: canceled, then busted and filled": """
    D X 10000
    8 X | New | New | 10000 0 10000 0 | A
    8 X | Trade | Partially Filled | 10000 5000 5000 5000 | B @50
    F Y,X
    8 Y,X | Pending Cancel | Pending Cancel | 10000 5000 5000 0 | C
    8 Y,X | Canceled | Canceled | 10000 5000 0 0 | D
    8 Y | Trade Cancel | Canceled | 10000 0 0 0 | E(B)
    8 Y | Trade | Canceled | 10000 4000 0 4000 | F @51
    """,
    "J.1.c, D36: restated, fills of both days corrected": DAY_1
    + """
    8 X | Trade | Partially Filled | 10000 3000 7000 1000 | E
    8 X | Trade Correct | Partially Filled | 10000 2500 7500 1500 | F(B)
    8 X | Trade Correct | Partially Filled | 10000 2000 8000 500 | G(E)
    """,
    "J.1.d: done for day, then corrected and busted": """
    D X 10000
    8 X | New | New | 10000 0 10000 0 | A
    8 X | Trade | Partially Filled | 10000 5000 5000 5000 | B @50
    8 X | Done for Day | Done for Day | 10000 5000 0 0 | C
    8 X | Trade Correct | Done for Day | 10000 4000 0 4000 | D(B) @50
    8 X | Trade Cancel | Done for Day | 10000 0 0 0 | E(D)
    """,
    "L.1.a: an execution guaranteed before it is made": NEW
    + """
    8 X | Stopped | Stopped | 10000 0 10000 1000
    8 X | Trade | Stopped | 10000 1000 9000 1000
    """,
}
AVERAGES = {
    "J.1.a, D34: filled, then corrected and busted": [None, None, 100, 109, 110, 100, 102, 120, 120, 120, 120, 120],
}


def replayed(path: list[Row], version: str, tmp_path: Path) -> list[dict[str, Any]]:
    log = tmp_path / "FIX.log"
    log.write_bytes(b"\n".join(row.fix(number, version) for number, row in enumerate(path, 1)))
    found = CliRunner().invoke(app, ["orders", "replay", str(log), "--json"], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return [json.loads(line) for line in found.stdout.splitlines()]


def check(path: list[Row], version: str, tmp_path: Path, orders: frozenset[str] = frozenset("XYZ")) -> None:
    told = replayed(path, version, tmp_path)
    assert len(told) == len(path)
    for row, step in zip(path, told, strict=True):
        if row.status:
            assert step["ord_status"] == row.status, (row, step)
            assert step["error"] is None, (row, step)
            assert step["cl_ord_id"] in orders
        if row.what == "8":
            found = (step["order_qty"], step["cum_qty"], step["leaves_qty"])
            assert found == (row.order_qty, row.cum_qty, row.leaves_qty), (row, step)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", MATRICES)
def test_matrix(name: str, version: str, tmp_path: Path) -> None:
    for path in paths(rows(MATRICES[name])):
        check(path, version, tmp_path)


@pytest.mark.parametrize("name", AVERAGES)
def test_average_price_of_a_matrix(name: str, tmp_path: Path) -> None:
    told = replayed(rows(MATRICES[name]), "FIX.4.4", tmp_path)
    assert [step["avg_px"] for step in told] == AVERAGES[name]


@pytest.mark.skipif(not REFERENCES.is_file(), reason=f"{REFERENCES} is not on this machine")
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["D3", "D4", "D9", "D10"])
def test_matrix_of_the_references(name: str, version: str, tmp_path: Path) -> None:
    matrix = json.loads(REFERENCES.read_text())["execution"]["fix_order_state_matrices"][name]
    for path in paths([_row(each) for each in matrix["rows"]]):
        check(path, version, tmp_path)


@pytest.mark.skipif(not REFERENCES.is_file(), reason=f"{REFERENCES} is not on this machine")
def test_precedence_of_the_references() -> None:
    matrices = json.loads(REFERENCES.read_text())["execution"]["fix_order_state_matrices"]
    published = matrices["status_precedence"]["values"]
    assert {name: PRECEDENCE[OrdStatus(name)] for name in published} == published


def _row(each: dict[str, Any]) -> Row:
    what, _, ids = (each.get("received") or each["sent"]).rstrip(")").partition("(")
    types = {"New Order": "D", "Cancel Request": "F", "Replace Request": "G", "Execution": "8", "Cancel Reject": "9"}
    return Row(
        types[what],
        tuple(ids.split(",")),
        kind=each.get("exec_type", ""),
        status=each.get("ord_status", ""),
        order_qty=each.get("order_qty"),
        cum_qty=each.get("cum_qty"),
        leaves_qty=each.get("leaves_qty"),
        last=each.get("last_shares"),
        alt=each.get("alt", False),
    )
