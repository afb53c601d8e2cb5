"""The strategy file: what is traded, where, on which signals, how much at most. YAML, checked whole.

```yaml
strategy: demo                  # its name
account: paper                  # the trading log that its orders go to
shards: 2                       # over how many partitions and subtasks pairs are spread, 1 to 128
venues:                         # clock_skew_ms is added to our receive time to get the venue's; 0 where left out
  sim:
    protocol: binance
    clock_skew_ms: 0
    quality: {crossed: reject, off_tick: flag, outlier: flag, outlier_mads: 12}     # pass, flag or reject; see below
instruments:                    # tick_size in the currency, lot_size in units of the instrument
  - {id: S000, venue: sim, symbol: S000USDT, tick_size: 0.01, lot_size: 1, currency: USD}
  - {id: S001, venue: sim, symbol: S001USDT, tick_size: 0.01, lot_size: 1}
pairs:                          # the spread is mid(a) - beta * mid(b); shard left out: a hash of the name decides
  - {name: S000-S001, a: S000, b: S001, beta: 1.02, shard: 0}
  - {name: S000-S002, a: S000, b: S002, hedge: {method: rolling, window: 600}}      # no beta needed; see below
moments: {span: 1000, warmup: 200, every: 1s}   # after each bar of 1s (or 1min, or tick); may be left out
levels: 0.5, 2..                # |z| whose crossings are told of, `..` for all from there on; left out, all are
snapshots: 100ms                # how often instruments are told of that were quoted or traded; left out, never
signals:                        # file: from the repository's root or this file's folder; name: the file's, if left out
  - file: sql/signals/pair_reversion.sql
    parameters: {entry_z: 2.0, exit_z: 0.5}
sizing: {leg_notional: 10000}   # how much an entry buys of its first leg, in the currency
limits: {position_lots: 1000, stale_marks_ms: 2000}     # and more: pipelines/contracts/limits_file.py
risk: {confidence: 0.99}        # how it is told, may be left out: pipelines/contracts/risk_file.py
operators: {anna: 7CZ3M0K3kFh0z6m7r0Dq3m6lq2e1Vw4mDk0oI1f0b2A=}     # whose commands it obeys; left out, anyone's
```

How spreads are made (moments, hedge, prices, neutral, health) can be said for all pairs at the top, and for one beside
it: pipelines/contracts/spread_model_file.py. An instrument may have a `calendar` of exchange_calendars: outside of its
hours moments rest, and the pair is flagged. `history: FILE` (pipelines/contracts/closing_prices.py) has closing prices
that moments warm up from. `actions: [{instrument: S000, time: 2026-01-05T05:00:00Z, factor: 0.5, amount: 0}]` says from
when on prices are that many times what they were, less an amount: a reference's splits and dividends are such.

`quality` says what is done with doubtful rows, by finding: duplicate, out_of_order, crossed, locked, off_tick, outlier,
stale, halted; and what they are measured by: outlier_mads, outlier_floor_bp, stale_ms (pipelines/domain/quality.py).

With `reference: FILE` (pipelines/contracts/reference_file.py; from this file's folder) an instrument needs only its
`id`, and a venue of the same name no `protocol`: what is left out, calendars too, is as the reference has it, in its
latest version or, with `reference_on: 2013-10-07`, as of that day. Where a tick size goes by price, the one that is
meant is given.

Names, ids and symbols are text as written: `ON` and `0700` need no quotes. What a signal's parameters may be is the
signal's affair: here they only have to be single values.
"""

import os
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from pipelines.contracts import marked_yaml
from pipelines.contracts.calendars import UnknownCalendar, check_calendar
from pipelines.contracts.limits_file import dump_limits, read_limits
from pipelines.contracts.marked_yaml import Section, Unique
from pipelines.contracts.operators_file import dump_operators, read_operators
from pipelines.contracts.reference_file import ReferenceFileError, ReferenceUse, load_reference
from pipelines.contracts.risk_file import dump_risk, read_risk
from pipelines.contracts.spread_model_file import dump_model, read_model
from pipelines.contracts.topics import MAX_PARALLELISM
from pipelines.domain.ladder import ALL_LEVELS, Ladder, Levels
from pipelines.domain.market import NS_PER_MS, NS_PER_S
from pipelines.domain.quality import ACTIONS, MEASURES, Action, Rules
from pipelines.domain.risk_settings import RiskSettings
from pipelines.domain.spread_model import Method, SpreadModel
from pipelines.domain.universe import (
    CorporateAction,
    Instrument,
    Pair,
    SignalUse,
    Sizing,
    Strategy,
    Venue,
    stable_shard,
)

REPOSITORY = Path(__file__).resolve().parents[2]

_SNAPSHOT_UNITS = {"ms": NS_PER_MS, "s": 1000 * NS_PER_MS}
SNAPSHOT_STEP_NS = 100 * NS_PER_MS
"""Snapshots are taken every so often, or every multiple of it."""


class StrategyError(ValueError):
    """What is wrong with a strategy file: one line a fault, `file:line: field: what: way out`."""


def load_strategy(path: str | os.PathLike[str]) -> Strategy:
    """The strategy in a file. Raises StrategyError with all of its faults."""
    top, faults = marked_yaml.read(Path(path))
    strategy = None if faults else _strategy(top, Path(path).resolve().parent)
    if strategy is None or faults:
        raise StrategyError(str(faults))
    return strategy


def dump_strategy(strategy: Strategy) -> str:
    """The text of a strategy file that loads as this strategy."""
    content = {
        "strategy": strategy.name,
        "account": strategy.account,
        "shards": strategy.shards,
        "venues": {
            venue.name: {"protocol": venue.protocol, "clock_skew_ms": venue.clock_skew_ns / NS_PER_MS}
            | ({"quality": _dumped(venue.rules)} if venue.rules != Rules() else {})
            for venue in strategy.venues
        },
        "instruments": [
            {
                "id": instrument.id,
                "venue": instrument.venue,
                "symbol": instrument.symbol,
                "tick_size": instrument.tick_size,
                "lot_size": instrument.lot_size,
                "currency": instrument.currency,
            }
            | ({"calendar": strategy.calendars[instrument.id]} if instrument.id in strategy.calendars else {})
            for instrument in strategy.instruments
        ],
        "pairs": [
            {"name": pair.name, "a": pair.a, "b": pair.b, "shard": pair.shard}
            | ({"beta": pair.beta} if pair.beta else {})
            | (dump_model(pair.model, SpreadModel(moments=strategy.moments)) if pair.model else {})
            for pair in strategy.pairs
        ],
        "levels": str(strategy.levels),
        **({"snapshots": f"{strategy.snapshots_ns // NS_PER_MS}ms"} if strategy.snapshots_ns else {}),
        "moments": {
            "span": strategy.moments.span,
            "warmup": strategy.moments.warmup,
            "every": str(strategy.moments.every),
        },
        "signals": [
            {"file": use.file, "name": use.name, "parameters": dict(use.parameters)} for use in strategy.signals
        ],
        "sizing": {"leg_notional": strategy.sizing.leg_notional},
        "limits": dump_limits(strategy.limits),
    }
    if strategy.risk != RiskSettings():
        content["risk"] = dump_risk(strategy.risk)
    if strategy.operators:
        content["operators"] = dump_operators(strategy.operators)
    if strategy.history:
        content["history"] = strategy.history
    if strategy.actions:
        content["actions"] = [
            {
                "instrument": each.instrument,
                "time": datetime.fromtimestamp(each.time_ns // NS_PER_S, UTC).isoformat(),
                "factor": each.factor,
                "amount": each.amount,
            }
            for each in strategy.actions
        ]
    return yaml.safe_dump(content, sort_keys=False, default_flow_style=None, width=1000, allow_unicode=True)


def _dumped(rules: Rules) -> dict[str, object]:
    actions: dict[str, object] = {name: getattr(rules, name).name.lower() for name in ACTIONS}
    return actions | {name: getattr(rules, name) for name in MEASURES}


def signal_path(use: SignalUse) -> Path:
    """Where the text of a signal lies."""
    return REPOSITORY / use.file


def _strategy(top: Section, folder: Path) -> Strategy:
    name, account = top.name("strategy"), top.name("account")
    shards = top.whole("shards", 1, MAX_PARALLELISM, default=1)
    venues = top.section("venues")
    reference = _reference(top, folder)
    calendars: dict[str, str] = {}
    instruments = tuple(_instruments(top, venues.names() if venues else (), reference, calendars))
    model = read_model(top, SpreadModel())
    ids = [instrument.id for instrument in instruments]
    currencies = [instrument.currency for instrument in instruments]
    limits = read_limits(top.section("limits"), ids, currencies)
    unrated = sorted(set(currencies) - limits.rates.keys())
    if top.has("risk") and len(unrated) > 1:
        top.fault("risk", f"instruments are in {', '.join(unrated)}: give what one unit is worth in limits.rates")
    strategy = Strategy(
        name=name,
        account=account,
        shards=shards,
        venues=tuple(_venues(venues, reference)),
        instruments=instruments,
        pairs=tuple(_pairs(top, shards, ids, model)),
        moments=model.moments,
        signals=tuple(_signals(top, folder)),
        sizing=_sizing(top.section("sizing")),
        limits=limits,
        levels=_levels(top),
        calendars=calendars,
        actions=tuple(sorted([*_actions(top, ids), *_known_actions(reference, ids)], key=lambda each: each.time_ns)),
        history=_history(top, folder),
        snapshots_ns=_snapshots(top),
        risk=read_risk(top.section("risk", required=False), folder, ids, currencies),
        operators=read_operators(top.section("operators", required=False)),
    )
    top.done()
    return strategy


def _reference(top: Section, folder: Path) -> ReferenceUse:
    file = top.text("reference", default="")
    day = top.text("reference_on", default="")
    if day and not file:
        top.fault("reference_on", "no reference is given: give one, or leave this out")
    try:
        on = date.fromisoformat(day) if day else None
    except ValueError:
        top.fault("reference_on", f"{day!r} is no day: give one as 2013-10-07")
        on = None
    if not file:
        return ReferenceUse()
    try:
        return ReferenceUse(load_reference(folder / file), on)
    except ReferenceFileError as error:
        for line in str(error).splitlines():
            top.fault("reference", line)
        return ReferenceUse()


def _venues(venues: Section | None, reference: ReferenceUse) -> Iterator[Venue]:
    for name in venues.names() if venues else ():
        venue = venues.section(name) if venues else None
        if not venues or not venue:
            continue
        venues.check_name(name, name)
        skew_ms = venue.number("clock_skew_ms", default=0)
        yield Venue(
            name=name,
            protocol=venue.name("protocol", default=reference.protocols.get(name)),
            clock_skew_ns=round(skew_ms * NS_PER_MS),
            rules=_rules(venue.section("quality", required=False)),
        )
        venue.done()


def _rules(section: Section | None) -> Rules:
    """What is left out is as `Rules` has it."""
    if section is None:
        return Rules()
    least = Rules()
    words = [action.name.lower() for action in Action]
    given: dict[str, Any] = {}
    for name in ACTIONS:
        word = section.one_of(name, words, "action", default=getattr(least, name).name.lower())
        given[name] = Action[word.upper()] if word in words else getattr(least, name)
    for name in MEASURES:
        given[name] = section.number(name, positive=True, default=getattr(least, name))
    section.done()
    return Rules(**given)


def _instruments(
    top: Section, venues: tuple[str, ...], reference: ReferenceUse, calendars: dict[str, str]
) -> Iterator[Instrument]:
    """Those with hours are also put into `calendars`."""
    ids, symbols = Unique("id"), Unique("symbol")
    for section in top.sections("instruments"):
        id = section.name("id")
        known = reference.find(section, id)
        instrument = Instrument(
            id=id,
            venue=section.one_of("venue", venues, "venue", default=known.venue if known else None),
            symbol=section.text("symbol", default=known.symbol if known else None),
            tick_size=section.number("tick_size", positive=True, default=known.tick_size or 0.0 if known else None),
            lot_size=section.number("lot_size", positive=True, default=known.lot_size if known else None),
            currency=section.name("currency", default=known.currency if known else "USD"),
        )
        calendar = section.text("calendar", default=known.calendar if known else "")
        if calendar and calendar != "24/7":
            try:
                check_calendar(calendar)
                calendars[id] = calendar
            except UnknownCalendar as error:
                section.fault("calendar", str(error))
        section.done()
        ids.take(section, instrument.id, instrument.id)
        symbols.take(section, instrument.symbol, (instrument.venue, instrument.symbol))
        yield instrument


def _pairs(top: Section, shards: int, instruments: list[str], default: SpreadModel) -> Iterator[Pair]:
    names = Unique("name")
    for section in top.sections("pairs", required=False):
        name = section.name("name")
        model = read_model(section, default)
        given = section.has("beta") or model.hedge.method is Method.STATIC
        pair = Pair(
            name=name,
            a=section.one_of("a", instruments, "instrument"),
            b=section.one_of("b", instruments, "instrument"),
            beta=section.number("beta", zero=False) if given else 0.0,
            shard=section.whole("shard", 0, shards - 1, default=stable_shard(name, shards)),
            model=None if model == SpreadModel(moments=default.moments) else model,
        )
        section.done()
        names.take(section, name, name)
        if pair.a and pair.a == pair.b:
            section.fault("b", f"{pair.b} is the first leg too: give another instrument")
        yield pair


def _signals(top: Section, folder: Path) -> Iterator[SignalUse]:
    names = Unique("name")
    for section in top.sections("signals", required=False):
        file = section.text("file")
        name = section.name("name", default=Path(file).stem)
        parameters = section.section("parameters", required=False)
        values = {key: parameters.scalar(key) for key in parameters.names()} if parameters else {}
        section.done()
        names.take(section, name, name)
        found = _found(file, folder)
        if file and found is None:
            section.fault("file", f"no file {file} in {folder} or {REPOSITORY}")
        yield SignalUse(file=str(found), parameters=values, name=name)


def _found(file: str, folder: Path) -> Path | None:
    """Where a file is: within the repository if it is, else in full."""
    for place in (REPOSITORY / file, folder / file):
        if place.is_file():
            place = place.resolve()
            return place.relative_to(REPOSITORY) if place.is_relative_to(REPOSITORY) else place
    return None


def _actions(top: Section, instruments: list[str]) -> Iterator[CorporateAction]:
    for section in top.sections("actions", required=False):
        text = section.text("time")
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            section.fault("time", f"{text!r} is no time: give one as 2026-01-05T05:00:00Z")
            at = datetime.fromtimestamp(0, UTC)
        if at.tzinfo is None:
            section.fault("time", f"{text!r} is of no zone: give one as 2026-01-05T05:00:00Z")
            at = at.replace(tzinfo=UTC)
        yield CorporateAction(
            instrument=section.one_of("instrument", instruments, "instrument"),
            time_ns=round(at.timestamp()) * NS_PER_S,
            factor=section.number("factor", positive=True, default=1.0),
            amount=section.number("amount", default=0.0),
        )
        section.done()


def _known_actions(use: ReferenceUse, instruments: list[str]) -> Iterator[CorporateAction]:
    """Splits and dividends of the reference, from the beginning of their ex-date where the instrument trades."""
    if use.reference is None:
        return
    for id in set(instruments) & set(use.reference.ids):
        zone = ZoneInfo(use.reference.venue(use.reference.instrument(id, None).venue).time_zone)

        def start_ns(day: date, zone: ZoneInfo = zone) -> int:
            return round(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * NS_PER_S

        for split in use.reference.splits_of(id):
            yield CorporateAction(id, start_ns(split.ex_date), factor=split.old / split.new)
        for dividend in use.reference.dividends_of(id):
            yield CorporateAction(id, start_ns(dividend.ex_date), amount=dividend.amount)


def _history(top: Section, folder: Path) -> str:
    file = top.text("history", default="")
    if file and not (folder / file).is_file():
        top.fault("history", f"no file {file} in {folder}")
    return str((folder / file).resolve()) if file else ""


def _levels(top: Section) -> Levels:
    text = top.text("levels", default=str(ALL_LEVELS))
    try:
        levels = Levels.parse(text)
        Ladder.of(levels)
    except ValueError as error:
        top.fault("levels", f"{error}: numbers such as `0.5, 2..` expected")
        return ALL_LEVELS
    return levels


def _snapshots(top: Section) -> int:
    """In ns; 0 where left out. Marks are made every 100 ms, and snapshots with some of them."""
    text = top.text("snapshots", default="")
    match = re.fullmatch(r"(?P<count>[1-9]\d{0,5})\s*(?P<unit>ms|s)", text)
    every_ns = int(match["count"]) * _SNAPSHOT_UNITS[match["unit"]] if match else 0
    if text and (not every_ns or every_ns % SNAPSHOT_STEP_NS):
        top.fault("snapshots", f"{text!r} is no multiple of 100 ms: give one such as 100ms, or leave this out for none")
        return 0
    return every_ns


def _sizing(section: Section | None) -> Sizing:
    sizing = Sizing(leg_notional=section.number("leg_notional", positive=True) if section else 0.0)
    if section:
        section.done()
    return sizing
