"""How spreads are made, as a strategy file says it: for all pairs at its top, for one beside it.

```yaml
moments: {span: 1000, warmup: 200, every: 1s}   # in updates: after each bar of 1s or 1min, or each quote (tick)
hedge: {method: kalman, delta: 1e-5, noise: 1e-3}       # static, rolling, total-least-squares, ewma or kalman
prices: log                                     # of which the spread is: price (default) or log
neutral: dollar                                 # the second leg makes up for moves (beta, default) or worth
health: {stale_s: 60, settle: 10, window: 120, least_correlation: 0.3, most_drift: 0.5, most_growth: 3}
```

`hedge.window` is in bars, of rolling and total-least-squares. What the numbers mean is in
pipelines/domain/spread_model.py.
"""

from dataclasses import asdict, replace
from typing import Any

from pipelines.contracts.marked_yaml import Section
from pipelines.domain.market import NS_PER_S
from pipelines.domain.spread_model import Every, Health, Hedge, Method, Moments, Neutral, SpreadModel

FIELDS = ("moments", "hedge", "prices", "neutral", "health")

_MOST = 2**31 - 1
_MOST_BARS = 100_000
_WINDOWED = (Method.ROLLING, Method.TOTAL_LEAST_SQUARES)


def read_model(section: Section, default: SpreadModel) -> SpreadModel:
    """What a section says of spreads; what it leaves out is as in `default`."""
    prices = section.one_of("prices", ("price", "log"), "kind of price", default="log" if default.logs else "price")
    neutral = section.one_of("neutral", tuple(Neutral), "neutrality", default=default.neutral)
    model = SpreadModel(
        hedge=_hedge(section.section("hedge", required=False), default.hedge),
        moments=_moments(section.section("moments", required=False), default.moments),
        health=_health(section.section("health", required=False), default.health),
        neutral=Neutral(neutral) if neutral else default.neutral,
        logs=prices == "log",
    )
    if model.hedge.method in _WINDOWED and model.moments.every is Every.TICK:
        section.fault("hedge", f"{model.hedge.method} has a window of bars: give moments.every as 1s or 1min")
        return default
    return model


def dump_model(model: SpreadModel, beside: SpreadModel) -> dict[str, Any]:
    """The fields of a model that differ from another's."""
    told: dict[str, Any] = {}
    if model.moments != beside.moments:
        told["moments"] = _plain(asdict(model.moments))
    if model.hedge != beside.hedge:
        told["hedge"] = _plain(asdict(model.hedge))
    if model.logs != beside.logs:
        told["prices"] = "log" if model.logs else "price"
    if model.neutral != beside.neutral:
        told["neutral"] = str(model.neutral)
    if model.health != beside.health:
        health = asdict(model.health)
        told["health"] = {"stale_s": health.pop("stale_ns") / NS_PER_S} | health
    return told


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, Method | Every) else value for name, value in fields.items()}


def _moments(section: Section | None, default: Moments) -> Moments:
    if section is None:
        return default
    every = section.one_of("every", tuple(Every), "interval", default=default.every)
    moments = Moments(
        span=section.whole("span", 1, _MOST, default=default.span),
        warmup=section.whole("warmup", 1, _MOST, default=default.warmup),
        every=Every(every) if every else default.every,
    )
    section.done()
    return moments


def _hedge(section: Section | None, default: Hedge) -> Hedge:
    if section is None:
        return default
    method = section.one_of("method", tuple(Method), "method", default=default.method)
    hedge = Hedge(
        method=Method(method) if method else default.method,
        window=section.whole("window", 3, _MOST_BARS, default=default.window),
        delta=section.number("delta", positive=True, default=default.delta),
        noise=section.number("noise", positive=True, default=default.noise),
    )
    if hedge.delta >= 1.0:
        section.fault("delta", f"{hedge.delta:g} is out of range: give one above 0 and below 1")
        hedge = replace(hedge, delta=default.delta)
    section.done()
    return hedge


def _health(section: Section | None, default: Health) -> Health:
    if section is None:
        return default
    health = Health(
        stale_ns=round(section.number("stale_s", positive=True, default=default.stale_ns / NS_PER_S) * NS_PER_S),
        settle=section.whole("settle", 0, _MOST_BARS, default=default.settle),
        window=section.whole("window", 3, _MOST_BARS, default=default.window),
        least_correlation=section.number("least_correlation", default=default.least_correlation),
        most_drift=section.number("most_drift", positive=True, default=default.most_drift),
        most_growth=section.number("most_growth", positive=True, default=default.most_growth),
    )
    section.done()
    return health
