"""The strategy file: what is traded, where, on which signals, how much at most. YAML, checked whole.

```yaml
strategy: demo                  # its name
account: paper                  # the trading log that its orders go to
shards: 2                       # over how many partitions and subtasks pairs are spread, 1 to 128
venues:                         # clock_skew_ms is added to our receive time to get the venue's; 0 where left out
  sim:
    protocol: binance
    clock_skew_ms: 0
    fee_bps: 0.3                # what it takes, of what is traded; fee_per_lot: in the currency, a lot
    quality: {crossed: reject, off_tick: flag, outlier: flag, outlier_mads: 12}     # pass, flag or reject; see below
instruments:                    # tick_size in the currency, lot_size in units of the instrument
  - {id: S000, venue: sim, symbol: S000USDT, tick_size: 0.01, lot_size: 1, currency: USD, sector: tech}
  - {id: S001, venue: sim, symbol: S001USDT, tick_size: 0.01, lot_size: 1, borrow: 0.01}   # a year, of its worth
pairs:                          # the spread is mid(a) - beta * mid(b); shard left out: a hash of the name decides
  - {name: S000-S001, a: S000, b: S001, beta: 1.02, shard: 0}
  - {name: S000-S002, a: S000, b: S002, hedge: {method: rolling, window: 600}, capital: 25000}  # no beta needed
moments: {span: 1000, warmup: 200, every: 1s}   # after each bar of 1s (or 1min, or tick); may be left out
levels: 0.5, 2..                # |z| whose crossings are told of, `..` for all from there on; left out, all are
snapshots: 100ms                # how often instruments are told of that were quoted or traded; left out, never
signals:                        # file: from the repository's root or this file's folder; name: the file's, if left out
  - file: sql/signals/pair_reversion.sql
    parameters: {entry_z: 2.0, exit_z: 0.5}             # strategy: NAME, where an account has several
sizing: {leg_notional: 10000}   # how much an entry buys, and more: pipelines/contracts/sizing_file.py
session: {zone: UTC, entries_from: 09:35, entries_until: 15:45, flatten_at: 15:55}      # session_file.py; or always
unwind: {every: 1s, participation: 0.1}     # how it goes down when a limit breaks: unwinding_file.py; may be left out
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
from pathlib import Path

import yaml

from pipelines.contracts import marked_yaml
from pipelines.contracts.limits_file import dump_limits, read_limits
from pipelines.contracts.marked_yaml import Section
from pipelines.contracts.operators_file import dump_operators, read_operators
from pipelines.contracts.risk_file import dump_risk, read_risk
from pipelines.contracts.session_file import dump_session, read_session
from pipelines.contracts.sizing_file import dump_sizing, read_sizing
from pipelines.contracts.spread_model_file import read_model
from pipelines.contracts.strategy_actions import dump_action, read_actions, read_reference
from pipelines.contracts.strategy_instruments import dump_instruments, read_instruments
from pipelines.contracts.strategy_pairs import dump_pairs, read_pairs
from pipelines.contracts.strategy_signals import REPOSITORY as REPOSITORY
from pipelines.contracts.strategy_signals import dump_signal, read_signals
from pipelines.contracts.strategy_signals import signal_path as signal_path
from pipelines.contracts.strategy_venues import dump_venue, read_venues
from pipelines.contracts.topics import MAX_PARALLELISM
from pipelines.contracts.unwinding_file import dump_unwinding, read_unwinding
from pipelines.domain.ladder import ALL_LEVELS, Ladder, Levels
from pipelines.domain.market import NS_PER_MS
from pipelines.domain.risk_settings import RiskSettings
from pipelines.domain.session_times import ALL_DAY
from pipelines.domain.spread_model import SpreadModel
from pipelines.domain.universe import Strategy
from pipelines.domain.unwinding import USUAL

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
        "venues": {venue.name: dump_venue(venue) for venue in strategy.venues},
        "instruments": list(dump_instruments(strategy)),
        "pairs": list(dump_pairs(strategy)),
        "levels": str(strategy.levels),
        **({"snapshots": f"{strategy.snapshots_ns // NS_PER_MS}ms"} if strategy.snapshots_ns else {}),
        "moments": {
            "span": strategy.moments.span,
            "warmup": strategy.moments.warmup,
            "every": str(strategy.moments.every),
        },
        "signals": [dump_signal(use) for use in strategy.signals],
        "sizing": dump_sizing(strategy.sizing),
        "limits": dump_limits(strategy.limits),
    }
    if strategy.risk != RiskSettings():
        content["risk"] = dump_risk(strategy.risk)
    if strategy.times != ALL_DAY:
        content["session"] = dump_session(strategy.times)
    if strategy.unwinding != USUAL:
        content["unwind"] = dump_unwinding(strategy.unwinding)
    if strategy.operators:
        content["operators"] = dump_operators(strategy.operators)
    if strategy.history:
        content["history"] = strategy.history
    if strategy.actions:
        content["actions"] = [dump_action(each) for each in strategy.actions]
    return yaml.safe_dump(content, sort_keys=False, default_flow_style=None, width=1000, allow_unicode=True)


def _strategy(top: Section, folder: Path) -> Strategy:
    name, account = top.name("strategy"), top.name("account")
    shards = top.whole("shards", 1, MAX_PARALLELISM, default=1)
    venues = top.section("venues")
    reference = read_reference(top, folder)
    listed = read_instruments(top, venues.names() if venues else (), reference)
    model = read_model(top, SpreadModel())
    currencies = [instrument.currency for instrument in listed.instruments]
    limits = read_limits(top.section("limits"), listed.ids, currencies)
    unrated = sorted(set(currencies) - limits.rates.keys())
    if top.has("risk") and len(unrated) > 1:
        top.fault("risk", f"instruments are in {', '.join(unrated)}: give what one unit is worth in limits.rates")
    strategy = Strategy(
        name=name,
        account=account,
        shards=shards,
        venues=tuple(read_venues(venues, reference)),
        instruments=tuple(listed.instruments),
        pairs=tuple(read_pairs(top, shards, listed.ids, model)),
        moments=model.moments,
        signals=tuple(read_signals(top, folder)),
        sizing=read_sizing(top.section("sizing")),
        limits=limits,
        levels=_levels(top),
        snapshots_ns=_snapshots(top),
        risk=read_risk(top.section("risk", required=False), folder, listed.ids, currencies),
        calendars=listed.calendars,
        actions=read_actions(top, reference, listed.ids),
        unwinding=read_unwinding(top.section("unwind", required=False)),
        times=read_session(top.section("session", required=False)),
        borrow=listed.borrow,
        history=_history(top, folder),
        operators=read_operators(top.section("operators", required=False)),
    )
    top.done()
    return strategy


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
