"""Binance frames to rows: what is read, what is refused and how it says so."""

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.domain.decoding import Decoded, Reason
from pipelines.domain.market import Flag, Kind
from pipelines.feeds.protocols.binance import Binance
from tests.support.binance_frames import E_MS, bare, quote, spot_quote, trade

INDEX = {"BTCUSDT": 0, "ETHUSDT": 1}
JSON_SUITE = Path(__file__).parents[3] / "shared/data/json/JSONTestSuite_half_A.tar.gz"


def decode(frames: list[bytes]) -> Decoded:
    return Binance(INDEX).decode(frames, [0] * len(frames))


def test_a_futures_quote_is_read_field_by_field() -> None:
    (row,) = decode([quote(u=77)]).rows
    assert (row["kind"], row["instrument"], row["venue_sequence"]) == (Kind.QUOTE, 0, 77)
    assert (row["bid"], row["bid_size"], row["ask"], row["ask_size"]) == (61800.20, 2.507, 61800.30, 2.510)
    assert row["event_ns"] == E_MS * 1_000_000


def test_a_spot_quote_has_no_time_of_its_own() -> None:
    (row,) = decode([spot_quote()]).rows
    assert (row["event_ns"], row["bid"], row["ask"]) == (0, 61837.63, 61837.64)


def test_a_trade_has_its_price_on_both_sides_and_its_aggressor_flagged() -> None:
    bought, sold = decode([trade(t=5), trade(t=6, m=True)]).rows
    assert (bought["kind"], bought["venue_sequence"], bought["bid"], bought["ask"]) == (
        Kind.TRADE,
        5,
        61800.30,
        61800.30,
    )
    assert (bought["bid_size"], bought["ask_size"]) == (0.006, 0.006)
    assert (bought["flags"], sold["flags"]) == (Flag.BUYER_AGGRESSOR, 0)


@pytest.mark.parametrize("frame", [quote(), spot_quote(), trade()])
def test_frames_read_the_same_wrapped_or_bare_spaced_or_with_fields_in_another_order(frame: bytes) -> None:
    document = json.loads(frame)
    turned = {"data": dict(reversed(document["data"].items())), "stream": document["stream"]}
    shapes = [frame, bare(frame), json.dumps(document).encode(), json.dumps(turned).encode(), b" " + frame + b"\n"]
    rows = decode(shapes).rows
    rows["position"] = 0
    assert len(set(rows.tolist())) == 1


def test_fields_that_the_venue_adds_are_passed_over() -> None:
    assert len(decode([quote(st=1, ps="BTCUSD", nested={"a": [1, 2]})]).rows) == 1


def one_fault(frame: bytes) -> tuple[Reason, str]:
    found = decode([quote(u=1), frame, trade(t=9)])
    assert found.rows["position"].tolist() == [0, 2]
    (fault,) = found.faults
    assert fault.position == 1
    return fault.reason, fault.detail


@pytest.mark.parametrize(
    ("frame", "detail"),
    [
        (quote(b="nan"), "b: 'nan': expected a decimal of at most 1e+15"),
        (quote(A="1e999"), "A: '1e999': expected a decimal of at most 1e+15"),
        (quote(b="9" * 30), f"b: '{'9' * 30}': expected a decimal of at most 1e+15"),
        (quote(a=61800.3), "a: 61800.3: expected `str`, got `float`"),
        (quote(b=None), "object missing required field `b`"),
        (quote(u="5"), "u: '5': expected `int`, got `str`"),
        (quote(u=-1), "u: -1: expected `int` >= 0"),
        (quote(E=0), "E: 0: expected `int` >= 1"),
        (quote(E=10**15), "E: 1000000000000000: expected `int` <= 9000000000000"),
        (quote(u=10**300), "u: an integer of 997 bits: expected `int` <= 4611686018427387904"),
        (trade(m="false"), "m: 'false': expected `bool`, got `str`"),
        (trade(q=""), "q: '': expected a decimal of at most 1e+15"),
        (trade(t=None), "object missing required field `t`"),
        (quote(e="depthUpdate"), "b: '61800.20': expected `array`, got `str`"),
        (quote(e="quote"), "e: 'quote': expected an event of Binance's market streams"),
        (b'{"stream":"x@trade","data":[]}', "data: []: expected an object"),
        (b'{"stream":5,"data":{"e":"trade"}}', "stream: 5: expected `str`, got `int`"),
        (b"[]", "frame: []: expected an object"),
        (b"", "not JSON: Input data was truncated (0 bytes: b'')"),
        (quote()[:50], f"not JSON: Input data was truncated (50 bytes: {quote()[:50]!r})"),
        (b"\xff" * 9, "not JSON: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        (b"[" * 100_000, "not JSON: maximum recursion depth exceeded"),
    ],
)
def test_a_frame_that_is_not_the_protocols_is_refused_with_field_and_value(frame: bytes, detail: str) -> None:
    reason, said = one_fault(frame)
    assert reason == Reason.UNDECODABLE
    assert said.startswith(detail)
    assert "\n" not in said
    assert len(said) < 300


def test_a_symbol_that_is_not_listed_is_its_own_reason() -> None:
    assert one_fault(trade("DOGEUSDT")) == (
        Reason.UNKNOWN_INSTRUMENT,
        "s: 'DOGEUSDT': not among the strategy's instruments of this venue",
    )


def test_text_that_is_not_utf8_is_refused_also_in_a_field_that_is_not_read() -> None:
    reason, said = one_fault(quote(X="?").replace(b"?", b"\xe5"))
    assert reason == Reason.UNDECODABLE
    assert "0xe5" in said


def must_reject() -> Iterator[Any]:
    if not JSON_SUITE.exists():
        yield pytest.param("", b"", marks=pytest.mark.skip(reason=f"{JSON_SUITE} is not on this machine"))
        return
    with tarfile.open(JSON_SUITE) as suite:
        for member in suite:
            name = member.name.rpartition("/")[2]
            content = suite.extractfile(member)
            if name.startswith("n_") and content is not None:
                yield pytest.param(name, content.read(), id=name.removesuffix(".json"))


@pytest.mark.parametrize(("name", "content"), list(must_reject()))
def test_what_json_forbids_is_refused_alone_and_inside_a_frame(name: str, content: bytes) -> None:
    inside = quote(Z="?").replace(b'"?"', content)
    assert [fault.reason for fault in decode([content, inside]).faults] == [Reason.UNDECODABLE] * 2, name


scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.just([]), st.just({}))
fields = st.sampled_from("eEsubBaATtpqmX")
frames = st.one_of(
    st.binary(max_size=60),
    st.builds(lambda make, name, value: make(**{name: value}), st.sampled_from([quote, trade]), fields, scalars),
    st.builds(lambda frame, at, byte: frame[:at] + bytes([byte]) + frame[at + 1 :], st.sampled_from([quote(), trade()]),
              st.integers(0, 120), st.integers(0, 255)),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(frames, max_size=6))
def test_every_frame_gives_a_row_or_a_fault_whatever_its_neighbours(batch: list[bytes]) -> None:
    together = decode(batch)
    assert sorted(together.rows["position"].tolist() + [fault.position for fault in together.faults]) == list(
        range(len(batch))
    )
    alone = [decode([frame]) for frame in batch]
    assert said(together) == [line for one in alone for line in said(one)]


def said(decoded: Decoded) -> list[object]:
    """Rows and faults in frame order, without their positions."""
    rows = [(int(row["position"]), row.tolist()[1:]) for row in decoded.rows]
    faults = [(fault.position, (fault.reason, fault.detail)) for fault in decoded.faults]
    return [what for _, what in sorted(rows + faults, key=lambda one: one[0])]
