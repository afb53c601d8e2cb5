"""Mapping files: what they say, and every fault with its line and field."""

from pathlib import Path

import pytest

from pipelines.contracts.mapping_file import MappingError, load_mapping

SOUND = """\
venue: desk
time: {column: t, unit: ms}
instrument: {column: sym}
kind: {column: type, quote: "Q, q", trade: T, ignore: C}
quote: {bid: b, bid_size: bs, ask: a}
trade: {price: p, quantity: q, side: {column: s, buy: B, sell: S}}
sequence: id
scale: {price: 0.0001}
"""


def told(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "m.yaml"
    path.write_text(text)
    with pytest.raises(MappingError) as caught:
        load_mapping(path)
    return [line.removeprefix(f"{path}:") for line in str(caught.value).splitlines()]


def test_a_mapping_says_what_each_column_is(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(SOUND)
    found = load_mapping(path)
    assert (found.venue, found.time.unit_ns, found.time.zone) == ("desk", 1_000_000, "UTC")
    assert (found.kind.quote, found.kind.trade, found.kind.ignore) == (("Q", "q"), ("T",), ("C",))
    assert found.used == ("t", "sym", "type", "id", "b", "a", "bs", "p", "q", "s")
    assert (found.price_scale, found.size_scale, found.delimiter, found.columns) == (0.0001, 1.0, ",", ())


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        (("unit: ms", "unit: mss"), "2: time.unit: unknown unit 'mss': did you mean ms?"),
        (("unit: ms", "format: iso, zone: Mars/Base"), "2: time.zone: unknown zone 'Mars/Base'"),
        (("unit: ms", "unit: ms, format: iso"), "2: time.unit: a time is a number with a unit, or text with a format"),
        (("unit: ms", "unit: ms, zone: America/New_York"), "2: time.zone: numbers count from 1970 in UTC"),
        (("{column: sym}", "{}"), "3: instrument.column: give a column, or a constant"),
        (("trade: T", "trade: Q"), "4: kind.column: 'Q' stands for more than one thing"),
        (('kind: {column: type, quote: "Q, q", trade: T, ignore: C}', "kind: {column: type}"),
         "4: kind.column: say what its values are"),
        (("quote: {bid: b, bid_size: bs, ask: a}\n", ""), "1: quote: missing: give fields"),
        (("price: p, ", ""), "6: trade.price: missing: give a text"),
        (("scale: {price: 0.0001}", "scale: {price: 0}"), "8: scale.price: 0 is out of range"),
        (("venue: desk", "venu: desk"), "1: venu: unknown field: did you mean venue?"),
        (("venue: desk", "header: false"), "1: columns: missing: give the names of the columns"),
        (("venue: desk", "header: false\ncolumns: t, sym"), "2: columns: 'b' is used below, and is not among them"),
        (("venue: desk", "delimiter: ab"), "1: delimiter: 'ab': one character expected"),
    ],
)  # fmt: skip
def test_a_fault_of_a_mapping_has_its_line_and_field(tmp_path: Path, changed: tuple[str, str], fault: str) -> None:
    assert any(line.startswith(fault) for line in told(tmp_path, SOUND.replace(*changed)))
