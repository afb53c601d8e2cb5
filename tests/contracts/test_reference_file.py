"""Reference files: what is known as of a day, every fault with its line, sessions, strategies that name ids alone."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from pipelines.contracts.calendars import UnknownCalendar, session, sessions
from pipelines.contracts.reference_file import ReferenceFileError, load_reference
from pipelines.contracts.strategy_file import StrategyError, load_strategy
from pipelines.domain.reference import Reference, UnknownReference

SOUND = """\
reference: desk
version: 2
venues:
  arca: {protocol: lean, time_zone: America/New_York, calendar: XNYS}
  cme: {protocol: lean, time_zone: America/Chicago, calendar: CMES}
tick_tables:
  us_equity: [{from: 0, tick_size: 0.0001}, {from: 1, tick_size: 0.01}]
instruments:
  - {id: USO, venue: arca, symbol: USO, asset_class: etf, currency: USD, tick_table: us_equity, lot_size: 1, valid_from: 2006-04-10}
  - {id: META, venue: arca, symbol: FB, asset_class: equity, currency: USD, tick_size: 0.01, lot_size: 1, valid_from: 2012-05-18, valid_to: 2022-06-09}
  - {id: META, venue: arca, symbol: META, asset_class: equity, currency: USD, tick_size: 0.01, lot_size: 1, valid_from: 2022-06-09}
  - {id: ES, venue: cme, symbol: ES201312, asset_class: future, currency: USD, tick_size: 0.25, lot_size: 50, valid_from: 2012-12-21, valid_to: 2013-12-20}
  - {id: BTC, venue: cme, symbol: BTC, asset_class: crypto, currency: USD, tick_size: 5, lot_size: 1, calendar: 24/7, valid_from: 2017-12-18}
splits:
  - {instrument: USO, ex_date: 2020-04-29, new: 1, old: 8}
dividends:
  - {instrument: META, ex_date: 2024-02-21, amount: 0.5}
"""  # noqa: E501

STRATEGY = """\
strategy: s
account: a
reference: desk.yaml
venues: {arca: {}}
instruments:
  - {id: META}
sizing: {leg_notional: 1000}
limits: {position_lots: 10, stale_marks_ms: 1000}
"""


def reference(tmp_path: Path, text: str = SOUND) -> Reference:
    path = tmp_path / "desk.yaml"
    path.write_text(text)
    return load_reference(path)


def told(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(ReferenceFileError) as caught:
        reference(tmp_path, text)
    return [line.removeprefix(f"{tmp_path / 'desk.yaml'}:") for line in str(caught.value).splitlines()]


def test_an_instrument_is_what_it_was_on_a_day(tmp_path: Path) -> None:
    found = reference(tmp_path)
    assert found.instrument("META", date(2022, 6, 8)).symbol == "FB"
    assert found.instrument("META", date(2022, 6, 9)).symbol == "META"
    assert found.instrument("META").symbol == "META"
    assert found.by_symbol("arca", "FB", date(2020, 1, 2)).id == "META"
    assert found.first_day("META") == date(2012, 5, 18)


def test_an_instrument_or_symbol_that_was_not_there_is_told_with_what_was(tmp_path: Path) -> None:
    found = reference(tmp_path)
    with pytest.raises(UnknownReference, match="'ES' is not valid on 2013-12-20: it is 2012-12-21 to 2013-12-20"):
        found.instrument("ES", date(2013, 12, 20))
    with pytest.raises(UnknownReference, match="'MSFT' is not in reference desk: it has USO, META, ES, BTC"):
        found.instrument("MSFT")
    with pytest.raises(UnknownReference, match="'FB' of venue arca is nobody's on 2023-01-03"):
        found.by_symbol("arca", "FB", date(2023, 1, 3))


def test_ticks_may_go_by_price_and_calendars_by_instrument(tmp_path: Path) -> None:
    found = reference(tmp_path)
    uso = found.instrument("USO")
    assert [uso.ticks.at(price) for price in (0.5, 0.9999, 1.0, 40.0)] == [0.0001, 0.0001, 0.01, 0.01]
    assert uso.tick_size is None
    assert found.instrument("ES").tick_size == 0.25
    assert (found.instrument("ES").calendar, found.instrument("BTC").calendar) == ("CMES", "24/7")


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        (("calendar: XNYS", "calendar: XNSY"), "4: venues.arca.calendar: 'XNSY' is no calendar of exchange_calendars"),
        (("America/Chicago", "America/Chicgo"), "5: venues.cme.time_zone: 'America/Chicgo' is no time zone"),
        (("from: 1,", "from: 0,"), "7: tick_tables.us_equity[1].from: 0: not above the step before"),
        (("[{from: 0,", "[{from: 0.5,"), "7: tick_tables.us_equity[0].from: 0.5: the first step is from 0"),
        (("tick_table: us_equity", "tick_table: us_equty"), "9: instruments[0].tick_table: unknown tick table"),
        (("tick_table: us_equity", "tick_table: us_equity, tick_size: 1"), "9: instruments[0].tick_size: a tick_table"),
        (("valid_from: 2022-06-09", "valid_from: 2022-06-08"),
         "11: instruments[2].valid_from: instrument 'META' is given twice from 2022-06-08 on: see line 10"),
        (("{id: BTC, venue: cme, symbol: BTC", "{id: BTC, venue: arca, symbol: USO"),
         "13: instruments[4].valid_from: symbol 'USO' of venue arca is given twice from 2017-12-18 on: see line 9"),
        (("valid_to: 2013-12-20", "valid_to: 2012-12-21"), "12: instruments[3].valid_to: 2012-12-21: not after"),
        (("valid_from: 2006-04-10", "valid_from: 2006-4-10"), "9: instruments[0].valid_from: '2006-4-10' is no day"),
        (("ex_date: 2020-04-29, new: 1, old: 8}", "ex_date: 2020-04-31, new: 1, old: 0}"),
         "15: splits[0].ex_date: '2020-04-31' is no day"),
        (("instrument: USO, ex", "instrument: USA, ex"), "15: splits[0].instrument: unknown instrument 'USA'"),
        (("dividends:\n", "dividends:\n  - {instrument: META, ex_date: 2024-02-21, amount: 1}\n"),
         "18: dividends[1].ex_date: META has one on 2024-02-21 already"),
        (("asset_class: future", "asset_class: futures"), "12: instruments[3].asset_class: unknown asset class"),
        (("version: 2", "version: two"), "2: version: 'two' is not a whole number"),
    ],
)  # fmt: skip
def test_a_fault_has_its_line_and_field(tmp_path: Path, changed: tuple[str, str], fault: str) -> None:
    lines = told(tmp_path, SOUND.replace(*changed, 1))
    assert any(line.startswith(fault) for line in lines), lines


def test_all_faults_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    text = (
        SOUND.replace("calendar: XNYS", "calendar: X").replace("version: 2", "version: 0").replace("new: 1", "new: -1")
    )
    assert len(told(tmp_path, text)) == 3


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000_000


@pytest.mark.parametrize(
    ("calendar", "day", "hours"),
    [
        ("XNYS", date(2013, 10, 7), ("2013-10-07T13:30", "2013-10-07T20:00")),
        ("XNYS", date(2013, 11, 29), ("2013-11-29T14:30", "2013-11-29T18:00")),  # the day after Thanksgiving
        ("XNYS", date(2013, 3, 8), ("2013-03-08T14:30", "2013-03-08T21:00")),  # before clocks were set forward
        ("XNYS", date(2013, 3, 11), ("2013-03-11T13:30", "2013-03-11T20:00")),
        ("CMES", date(2013, 10, 7), ("2013-10-06T22:00", "2013-10-07T22:00")),
        ("24/7", date(2017, 9, 3), ("2017-09-03T00:00", "2017-09-04T00:00")),
        ("XNYS", date(2029, 12, 31), ("2029-12-31T14:30", "2029-12-31T21:00")),
    ],
)
def test_a_session_opens_and_closes_by_its_calendar(calendar: str, day: date, hours: tuple[str, str]) -> None:
    assert session(calendar, day) == (utc(hours[0]), utc(hours[1]))


def test_there_is_no_session_on_a_holiday_or_a_sunday() -> None:
    assert session("XNYS", date(2013, 7, 4)) is None
    assert list(sessions("XNYS", date(2013, 10, 4), date(2013, 10, 7))) == [date(2013, 10, 4), date(2013, 10, 7)]


def test_a_calendar_that_is_none_offers_others() -> None:
    with pytest.raises(UnknownCalendar, match="did you mean XNYS"):
        session("XNSY", date(2013, 10, 7))


def strategy_file(tmp_path: Path, text: str = STRATEGY) -> Path:
    (tmp_path / "desk.yaml").write_text(SOUND)
    path = tmp_path / "s.yaml"
    path.write_text(text)
    return path


def test_a_strategy_with_a_reference_names_instruments_by_id_alone(tmp_path: Path) -> None:
    found = load_strategy(strategy_file(tmp_path))
    (instrument,) = found.instruments
    assert (instrument.venue, instrument.symbol, instrument.tick_size, instrument.lot_size) == ("arca", "META", 0.01, 1)
    assert found.venue_by_name["arca"].protocol == "lean"


def test_what_a_strategy_says_itself_goes_before_the_reference(tmp_path: Path) -> None:
    text = STRATEGY.replace("{id: META}", "{id: META, tick_size: 0.05}").replace(
        "{arca: {}}", "{arca: {protocol: itch50}}"
    )
    found = load_strategy(strategy_file(tmp_path, text))
    assert (found.instruments[0].tick_size, found.venues[0].protocol) == (0.05, "itch50")


def test_a_strategy_may_take_a_reference_as_of_a_day(tmp_path: Path) -> None:
    text = STRATEGY.replace("reference: desk.yaml", "reference: desk.yaml\nreference_on: 2020-01-02")
    assert load_strategy(strategy_file(tmp_path, text)).instruments[0].symbol == "FB"


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        (("{id: META}", "{id: USO}"), "6: instruments[0].tick_size: goes by price in the reference (0.0001, 0.01)"),
        (("{id: META}", "{id: MSFT}"), "6: instruments[0].venue: missing"),
        (("desk.yaml", "desk.yaml\nreference_on: 2001-01-01"), "7: instruments[0].id: instrument 'META' is not valid"),
        (("desk.yaml", "desk.yaml\nreference_on: today"), "4: reference_on: 'today' is no day"),
        (("reference: desk.yaml", "reference_on: 2020-01-02"), "3: reference_on: no reference is given"),
        (("desk.yaml", "none.yaml"), "3: reference: "),
    ],
)
def test_what_a_reference_does_not_say_is_a_fault_of_the_strategy(
    tmp_path: Path, changed: tuple[str, str], fault: str
) -> None:
    path = strategy_file(tmp_path, STRATEGY.replace(*changed, 1))
    with pytest.raises(StrategyError) as caught:
        load_strategy(path)
    lines = [line.removeprefix(f"{path}:") for line in str(caught.value).splitlines()]
    assert any(line.startswith(fault) for line in lines), lines
