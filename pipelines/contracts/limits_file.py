"""The limits of a strategy file: what its account may do at most.

```yaml
limits:
  position_lots: 1000           # of an instrument, each way; a strategy has one always
  stale_marks_ms: 2000          # in event time; a strategy has one always
  order_lots: 500               # what is left out from here on is not limited
  order_notional: 60000         # money is in the account's currency
  collar: 0.02                  # how far, as a share of the mark, a signal's mid may be off it
  pair_notional: 100000
  gross_notional: 2000000       # all legs, long and short
  net_notional: 200000          # long less short, each way, if what works for the worse filled
  sector_notional: 500000       # all legs of a sector's instruments, long and short
  credit: 5000000               # bought and sold since the UTC day began, and working
  daily_loss: 20000             # realised and marked, since the UTC day began
  drawdown: 50000               # below the most that was ever made, realised and marked
  var: 25000                    # value at risk, as the risk job measures it
  es: 40000                     # expected shortfall: as measured, and of each lot since, working and new
  stale_risk_ms: 60000          # how old that measure may be where `es` is limited
  fat_finger: 0.01              # share of an instrument's volume a day that an order may be
  messages_per_second: 100      # orders and cancels of event time, exits too: these wait
  orders_per_second: 50         # of event time
  entries_per_minute: 3         # of one pair
  repeats: 20                   # entries of one pair; then it is halted until a person resumes it
  restricted: XYZ, ABC          # instruments that are not entered
  short_lots: {BAC: 500}        # what has been located; of an instrument that is not named shorts are not limited
  no_self_match: true           # no entry against an order of ours that works
  rates: {EUR: 1.08}            # what one unit of another currency is worth
```

They hold until `helios limits set` changes them.
"""

from collections.abc import Sequence
from typing import Any

from pipelines.contracts.marked_yaml import Section
from pipelines.domain.limits import BY_NAME, MOST, NUMBERS, REQUIRED, Limits, listed


def read_limits(section: Section | None, instruments: Sequence[str], currencies: Sequence[str]) -> Limits:
    """Of a section, faults noted in it. `currencies`: those of the instruments."""
    if section is None:
        return Limits(position_lots=0, stale_marks_ms=0)
    given: dict[str, Any] = {}
    for name in NUMBERS:
        if name not in REQUIRED and not section.has(name):
            continue
        if BY_NAME[name].metadata["kind"] is int:
            given[name] = section.whole(name, 1, MOST)
        else:
            given[name] = section.number(name, positive=True)
    restricted = listed(section.text("restricted", default=""))
    for name in restricted:
        if name not in instruments:
            section.fault("restricted", f"{name!r} is no instrument of the strategy")
    limits = Limits(
        **given,
        restricted=restricted,
        short_lots=_numbers(section, "short_lots", instruments, "instrument", whole=True),
        no_self_match=section.flag("no_self_match"),
        rates=_numbers(section, "rates", currencies, "currency of the instruments"),
    )
    if len(set(currencies) - limits.rates.keys()) > 1 and any(getattr(limits, name) is not None for name in _MONEY):
        several = ", ".join(sorted(set(currencies) - limits.rates.keys()))
        section.fault(
            "rates", f"instruments are in {several}: give what one unit of all but the account's own is worth"
        )
    section.done()
    return limits


def dump_limits(limits: Limits) -> dict[str, object]:
    """The section that reads as these limits."""
    told: dict[str, object] = {name: getattr(limits, name) for name in NUMBERS if getattr(limits, name) is not None}
    if limits.restricted:
        told["restricted"] = ", ".join(limits.restricted)
    for name in ("short_lots", "rates"):
        if getattr(limits, name):
            told[name] = dict(getattr(limits, name))
    return told | ({"no_self_match": True} if limits.no_self_match else {})


_MONEY = (
    *("order_notional", "pair_notional", "gross_notional", "net_notional", "sector_notional", "credit"),
    *("daily_loss", "drawdown", "var", "es"),
)


def _numbers(section: Section, name: str, known: Sequence[str], what: str, *, whole: bool = False) -> dict[str, Any]:
    """A number by name."""
    inner = section.section(name, required=False)
    if inner is None:
        return {}
    found: dict[str, Any] = {}
    for key in inner.names():
        if key not in known:
            inner.fault(key, f"{key} is no {what}")
        found[key] = inner.whole(key, 0, MOST) if whole else inner.number(key, positive=True)
    inner.done()
    return found
