"""FIX logs of any kind through `helios orders replay`: delimiters, text around messages, garbled ones, what is told."""

import gzip
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from jobs.cli.main import app
from jobs.cli.orders import OrdersError
from pipelines.domain.fix_orders import FixOrders
from pipelines.execution.fix_log import FixMessage, read_log
from pipelines.execution.fix_replay import replay_log
from tests.support.fix_text import message, rows

RECORDED = Path(__file__).parents[3] / "shared/data/fix/log4fixj_fix42_fix44_logs.tar.gz"
SOH = b"\x01"

ORDER, NEW, FILL = (
    row.fix(number, "FIX.4.4")
    for number, row in enumerate(
        rows(
            """
            D X 100
            8 X | New | New | 100 0 100 0
            8 X | Trade | Filled | 100 100 0 100 | E1 @9.5
            """
        ),
        1,
    )
)


class OneByOne(io.RawIOBase):
    """A source that gives a few bytes at a time, as a pipe may."""

    def __init__(self, data: bytes, size: int) -> None:
        self._data, self._size, self._at = data, size, 0

    def read(self, size: int = -1) -> bytes:
        self._at += self._size
        return self._data[self._at - self._size : self._at]


def read(data: bytes) -> list[FixMessage]:
    return list(read_log(io.BytesIO(data)))


def replay(log: object, *words: str, text: bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["orders", "replay", str(log), *words], input=text, catch_exceptions=False)


def told(log: bytes) -> list[dict[str, Any]]:
    found = replay("-", "--json", text=log)
    assert found.exit_code == 0, found.output
    return [json.loads(line) for line in found.stdout.splitlines()]


@pytest.mark.parametrize("mark", [b"\x01", b"|", b"^A", b"\\x01", b"<SOH>", b"\xe2\x90\x81", b";"])
def test_any_delimiter(mark: bytes) -> None:
    log = b"\n".join(each.replace(SOH, mark) for each in (ORDER, NEW, FILL))
    assert [step["ord_status"] for step in told(log)] == ["Unknown", "New", "Filled"]


def test_text_around_and_several_messages_a_line() -> None:
    log = (
        b"# a session of 2024-01-02, tag 58=FIX\r\n\r\n"
        b"20240102-10:00:01 OUT -> \0\0" + ORDER + b" JUNK\r\n"
        b"20240102-10:00:02 IN <- " + NEW + FILL + b"\r\nthe end: 8=FIX"
    )
    assert [(step["line"], step["msg_type"]) for step in told(log)] == [(3, "D"), (4, "8"), (4, "8")]


def test_messages_split_over_lines() -> None:
    cut = b"\n".join(FILL[at : at + 7] for at in range(0, len(FILL), 7))
    assert [(each.line, each.fields[35], each.garbled) for each in read(ORDER + b"\n\n" + cut + b"\n" + NEW)] == [
        (1, "D", ""),
        (3, "8", ""),
        (3 + cut.count(b"\n") + 1, "8", ""),
    ]


def test_a_last_delimiter_may_be_missing() -> None:
    log = ORDER[:-1].replace(SOH, b"|") + b"\n" + NEW[:-1].replace(SOH, b"|")
    assert [each.garbled for each in read(log)] == ["", ""]


def test_a_data_field_may_hold_delimiters_and_messages() -> None:
    data = b"a\x01b" + NEW
    parts = message((35, "B"), (95, len(data)), (96, data.decode()), (58, "x"))
    found = read(parts + ORDER)
    assert [each.fields[35] for each in found] == ["B", "D"]
    assert found[0].fields[96] == data.decode()


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda text: text.replace(b"\x0138=100", b"\x0138=900"), "CheckSum (10) "),
        (lambda text: text.replace(b"\x019=", b"\x019=1", 1), "BodyLength (9) 1"),
        (lambda text: text[: text.index(b"\x0110=")], "cut off: no CheckSum (10)"),
        (lambda text: text[:-3], "is not of three digits"),
        (lambda text: b"8=FIX.4.4\x0135=8\x0110=000\x01", "BodyLength (9) is not the second field"),
        (lambda text: message((35, "8"), (11, "X"), (17, "E9"), (14, 1)), "OrdStatus (39) is missing"),
        (lambda text: message((35, "8"), (11, "X"), (17, "E9"), (39, "Z")), "OrdStatus (39) 'Z' is not known"),
        (lambda text: message((35, "8"), (11, "X"), (17, "E9"), (39, "1"), (14, "many")), "CumQty (14) 'many'"),
        (lambda text: message((35, "8"), (11, "X"), (39, "1")), "ExecID (17) is missing"),
        (lambda text: message((35, "D"), (11, "X"), (55, "IBM"), (54, "1")), "OrderQty (38) is missing"),
        (lambda text: message((35, "D"), (11, "X"), (55, "I"), (54, "1"), (38, "-5")), "OrderQty (38) -5"),
        (lambda text: message((35, "F"), (11, "Y")), "OrigClOrdID (41) is missing"),
        (lambda text: message((35, "9"), (39, "0")), "ClOrdID (11) is missing"),
    ],
)
def test_a_garbled_message_is_told_and_passed_over(spoil: Any, why: str) -> None:
    steps = told(b"\n".join([ORDER, spoil(NEW), FILL]))
    assert [step["ord_status"] for step in steps if not step["error"]] == ["Unknown", "Filled"]
    (garbled,) = [step for step in steps if step["error"]]
    assert garbled["error"].startswith("line 2: ")
    assert why in garbled["error"]
    assert garbled["error"].endswith(": passed over")
    assert garbled["cum_qty"] in (None, 0)


def test_a_tag_without_a_value_is_garbled() -> None:
    body = b"35=D\x0111=\x01"
    head = b"8=FIX.4.4\x019=%d\x01" % len(body)
    (found,) = read(head + body + b"10=%03d\x01" % (sum(head + body) % 256))
    assert found.garbled == "tag 11 has no value"


def test_what_is_told_of_a_message() -> None:
    step = told(ORDER + NEW + FILL)[-1]
    assert step == {
        "line": 1,
        "msg_type": "8",
        "message": "ExecutionReport",
        "cl_ord_id": "X",
        "ord_status": "Filled",
        "order_qty": 100,
        "cum_qty": 100,
        "leaves_qty": 0,
        "avg_px": 9.5,
        "error": None,
        "order_id": "V1",
        "exec_id": "E1",
        "exec_type": "Trade",
        "msg_cl_ord_id": "X",
        "msg_orig_cl_ord_id": None,
        "symbol": "IBM",
        "side": "1",
        "pending": [],
    }


def test_the_table_and_its_summary(tmp_path: Path) -> None:
    log = tmp_path / "FIX.log.gz"
    log.write_bytes(gzip.compress(ORDER + NEW + FILL + message((35, "H"), (11, "[/x]"))))
    found = replay(log)
    assert found.stdout.splitlines()[3].split() == ["1", "Trade", "X", "Filled", "100", "100", "0", "9.5"]
    assert found.stdout.splitlines()[-2] == "line 1: unknown order: nothing in this log sent [/x]"
    assert found.stdout.splitlines()[-1] == "4 messages shown, 1 with something amiss; orders: 1 Filled"
    assert replay(log, "--errors").stdout.splitlines()[-1].startswith("1 messages shown, 1 with something amiss")


def test_a_resend_counts_once() -> None:
    again = FILL.replace(b"\x0134=3\x01", b"\x0134=3\x0143=Y\x01122=20240102-10:00:03.000\x01")
    body = again[again.index(b"35=") : again.index(b"10=")]
    parts = [part.split(b"=", 1) for part in body.split(SOH) if part]
    resent = message(*((int(tag), value.decode()) for tag, value in parts))
    steps = told(ORDER + NEW + FILL + resent)
    assert [step["cum_qty"] for step in steps] == [0, 0, 100, 100]
    assert not any(step["error"] for step in steps)


def test_refusals_of_sessions_are_of_the_message_they_name() -> None:
    refusal = message((35, "3"), (49, "SELL"), (56, "BUY"), (34, 2), (45, 1), (372, "D"), (58, "no"))
    business = message((35, "j"), (49, "SELL"), (56, "BUY"), (34, 3), (372, "D"), (379, "Q"), (380, 5))
    steps = told(ORDER + refusal + business)
    assert [step["ord_status"] for step in steps] == ["Unknown", "Rejected", "Unknown"]
    assert steps[2]["error"] == "unknown order: nothing in this log sent Q"


def test_a_log_that_is_not_there_or_is_broken(tmp_path: Path) -> None:
    with pytest.raises(OrdersError, match=r"gone.log: No such file or directory: give the path of a FIX log"):
        replay(tmp_path / "gone.log")
    broken = tmp_path / "broken.log.gz"
    broken.write_bytes(gzip.compress(ORDER * 100)[:60])
    with pytest.raises(OrdersError, match=r"broken.log.gz: its gzip is broken"):
        replay(broken, "--json")


@given(st.integers(1, 400))
def test_a_log_reads_alike_in_pieces_of_any_size(size: int) -> None:
    log = b"one\n" + ORDER + b"\ntwo\n" + NEW[:50] + b"\n" + b"\r\n".join([NEW[:60], NEW[60:]]) + b"\nx " + FILL
    assert list(read_log(OneByOne(log, size))) == read(log)


@settings(max_examples=40)
@given(st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([ORDER, NEW, FILL, b"8=FIX.4.4|", b"10=", b"\n"]))))
def test_any_bytes_are_read_without_a_fault(parts: list[bytes]) -> None:
    log = b"".join(parts)
    assert all(1 <= each.line <= log.count(b"\n") + 1 for each in read(log))
    assert replay("-", "--json", text=log).exit_code == 0


IDS = st.sampled_from(["X", "Y", "Z", "", "NONE"])
NUMBERS = st.sampled_from(["0", "-1", "5", "100", "1e9", "999999999999999", "0.000000000001", "\u00b2", "many", ""])
FIELDS = st.fixed_dictionaries(
    {35: st.sampled_from("DFGH893j")},
    optional={
        **dict.fromkeys((11, 41, 37, 17, 19, 379), IDS),
        **dict.fromkeys((6, 14, 31, 32, 34, 38, 45, 151), NUMBERS),
        39: st.sampled_from("0123456789ABCDEZ"),
        150: st.sampled_from("0123456789ABCDEFGHILZ"),
        20: st.sampled_from("01234"),
        54: st.sampled_from("125"),
        55: st.sampled_from(["IBM", "MSFT"]),
        52: st.sampled_from(["20240102-10:00:00", "20240102-10:00:01.5", "20241399-00:00:00", "now"]),
        103: st.just("6"),
        378: st.just("0"),
        372: st.sampled_from("DFGH8A"),
    },
)


@given(st.lists(FIELDS, max_size=12))
def test_any_fields_are_heard_and_the_state_stays_sane(messages: list[dict[int, str]]) -> None:
    orders = FixOrders()
    log = io.BytesIO(b"".join(message(*fields.items()) for fields in messages))
    for step in replay_log(log, orders):
        assert step.cum_qty is None or step.cum_qty >= 0
        assert step.leaves_qty is None or step.leaves_qty >= 0
        assert step.order_qty is None or step.order_qty >= 0
    for known in orders.orders():
        if known.leaves_qty and known.order_qty is not None:
            assert known.cum_qty + known.leaves_qty == known.order_qty


@pytest.mark.skipif(not RECORDED.is_file(), reason=f"{RECORDED} is not on this machine")
def test_recorded_logs_have_the_messages_that_they_say() -> None:
    """Each log says how many messages it has. That of FIX 4.4 has one whose BodyLength is wrong."""
    checked = 0
    with tarfile.open(RECORDED) as archive:
        for member in archive.getmembers():
            if not member.name.endswith(".log"):
                continue
            file = archive.extractfile(member)
            assert file is not None
            log = file.read()
            expected = int(log.split(b"ExpectedMessageCount=")[1].split()[0])
            found = read(log)
            assert len(found) == expected, member.name
            assert [each.garbled for each in found if each.garbled] == (
                ["BodyLength (9) 404, found 375 bytes"] if "FXSpot" in member.name else []
            )
            orders = [each for each in found if not each.garbled and each.fields[35] in ("D", "8")]
            assert len([step for step in told(log) if step["cl_ord_id"]]) == len(orders)
            checked += 1
    assert checked == 11
