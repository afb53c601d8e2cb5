"""Marks on the figure of a pair: each signal on its z, each fill at its price on its leg."""

from collections.abc import Iterator

import numpy as np
import plotly.graph_objects as go

from pipelines.domain.trading import Side
from pipelines.history.pair_course import PairCourse, SignalMade
from pipelines.pages.style import EXIT, LONG, SHORT

_SIGNS = {"enter_long": ("triangle-up", LONG), "enter_short": ("triangle-down", SHORT), "exit": ("circle-open", EXIT)}
"""By action: symbol and colour."""


def signal_marks(course: PairCourse) -> Iterator[go.Scatter]:
    """A trace for each signal's name and action; what the trader refused is pale."""
    for name, action in sorted({(each.name, each.action) for each in course.signals}):
        made = [each for each in course.signals if (each.name, each.action) == (name, action)]
        symbol, colour = _SIGNS.get(action, ("diamond-open", EXIT))
        yield go.Scatter(
            x=[iso(each.time_us) for each in made],
            y=[each.z for each in made],
            name=f"{action.replace('_', ' ')} ({name})",
            yaxis="y3",
            mode="markers",
            meta={"mark": "signal", "name": name, "action": action},
            marker={
                "symbol": symbol,
                "size": 8,
                "color": colour,
                "opacity": [1.0 if each.orders else 0.3 for each in made],
                "line": {"width": 1.2, "color": colour if symbol.endswith("open") else "white"},
            },
            customdata=[_outcome(each) for each in made],
            hovertemplate="z %{y:.4f} at %{x|%H:%M:%S.%L}, %{customdata}",
        )


def fill_marks(course: PairCourse, leg: str, unit: float, colour: str) -> Iterator[go.Scatter]:
    """A trace for the buys of a leg and one for its sells, at their prices. `unit`: price of a point of the axis."""
    for side, symbol in ((Side.BUY, "triangle-up"), (Side.SELL, "triangle-down")):
        made = [each for each in course.shown_fills if (each.fill.instrument, each.fill.side) == (leg, side)]
        if not made:
            continue
        yield go.Scatter(
            x=[iso(each.time_us) for each in made],
            y=[each.fill.price / unit for each in made],
            name=f"{side.value} {leg}",
            yaxis="y",
            mode="markers",
            meta={"mark": "fill", "instrument": leg, "side": side.value},
            marker={"symbol": symbol, "size": 8, "color": colour, "line": {"width": 1, "color": "white"}},
            customdata=[[each.fill.lots, each.fill.price] for each in made],
            hovertemplate="%{customdata[0]:,d} at %{customdata[1]:.10~g}, %{x|%H:%M:%S.%L}",
        )


def iso(time_us: int) -> str:
    """A UTC time as the figure takes it."""
    return str(np.datetime64(time_us, "us"))


def _outcome(signal: SignalMade) -> str:
    if signal.orders:
        return f"{signal.orders} order{'s' if signal.orders > 1 else ''}"
    return f"refused: {signal.refusal}" if signal.refusal else "nothing to do"
