"""The figure of a pair: prices and fills, spread, z with bands and signals, lots, profit, over one axis of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from pipelines.history.pair_course import PairCourse, Values
from pipelines.history.pair_profit import ProfitCourse, profit_course
from pipelines.pages.bands import Band
from pipelines.pages.pair_lines import Rows, drawn, line, lots_held, unknown
from pipelines.pages.pair_marks import fill_marks, signal_marks
from pipelines.pages.style import BAND_LINE, GREY, HAIR, INK, PANELS, PANELS_UNTRADED, UNKNOWN, A, B, layout

HIDDEN_US = 3_600_000_000
"""A stretch of which nothing is known, as long as this, is cut out of the axis of time."""


@dataclass(frozen=True, slots=True)
class PairFigure:
    """A figure, and what a reader of it has to be told. `run`: of so many rows each line has four at least, or all;
    `hidden`: stretches that are cut out of the axis."""

    figure: go.Figure
    run: int
    hidden: int


def pair_figure(course: PairCourse, bands: Sequence[Band]) -> PairFigure:
    """All of a course; bands as horizontal lines, with the first named entry around the spread too."""
    figure = go.Figure()
    mids = {course.a: course.values["mid_a"], course.b: course.values["mid_b"]}
    summed = course.fills and len(course.currencies) == 1
    made = profit_course(course.time_us, mids, course.fills, course.terms) if summed else None
    series = [course.values[name] for name in ("z", "spread", "mid_a", "mid_b")]
    outlined = drawn(course, [*series, *([made.total] if made else ())])
    _prices(figure, course, outlined.rows)
    _spread(figure, course, outlined.rows, bands)
    _z(figure, course, outlined.rows, bands)
    if made:
        _profit(figure, course, outlined.rows, made)
    hidden = _hidden(course)
    figure.update_layout(layout(PANELS if made else PANELS_UNTRADED, hidden))
    _shade(figure, course, hidden)
    return PairFigure(figure, outlined.run, len(hidden))


def _prices(figure: go.Figure, course: PairCourse, rows: Rows) -> None:
    for leg, name, colour in ((course.a, "mid_a", A), (course.b, "mid_b", B)):
        at = line(course, rows, leg)
        mids = at.of(course.values[name])
        base = float(next((mid for mid in mids if mid), 1.0))
        hover = "%{customdata:.10~g}  (%{y:.3f})"
        _add(figure, at.time_ms, mids * (100 / base), leg, colour, "y", hover, more=mids)
        figure.add_traces(list(fill_marks(course, leg, base / 100, colour)))


def _spread(figure: go.Figure, course: PairCourse, rows: Rows, bands: Sequence[Band]) -> None:
    at = line(course, rows)
    mean, std = at.of(course.values["mean"]), at.of(course.values["std"])
    exact = "%{y:.10~g}"
    for entry in [band for band in bands if band.name == "entry"][:1]:
        for sign in (1, -1):
            edge = mean + sign * entry.z * std
            _add(figure, at.time_ms, edge, "entry level", BAND_LINE, "y2", exact, width=0.8, legend=sign > 0)
    _add(figure, at.time_ms, mean, "mean", GREY, "y2", exact, dash="dash")
    _add(figure, at.time_ms, at.of(course.values["spread"]), "spread", INK, "y2", exact, legend=False)


def _z(figure: go.Figure, course: PairCourse, rows: Rows, bands: Sequence[Band]) -> None:
    at = line(course, rows)
    _add(figure, at.time_ms, at.of(course.values["z"]), "z", INK, "y3", "%{y:.4f}", legend=False)
    for band in bands:
        for z in sorted({band.z, -band.z}):
            figure.add_shape(
                type="line", xref="paper", x0=0, x1=1, yref="y3", y0=z, y1=z, layer="below", name=band.name,
                line={"color": BAND_LINE, "width": 1, "dash": "dot" if band.name == "exit" else "solid"},
            )  # fmt: skip
    for z in sorted({band.z for band in bands}):
        names = ", ".join(dict.fromkeys(band.name for band in bands if band.z == z))
        figure.add_annotation(
            text=f"{names} {z:g}", xref="paper", x=1.004, xanchor="left", yref="y3", y=z, showarrow=False,
            font={"size": 10, "color": GREY},
        )  # fmt: skip
    figure.add_traces(list(signal_marks(course)))


def _profit(figure: go.Figure, course: PairCourse, rows: Rows, made: ProfitCourse) -> None:
    for leg, colour in ((course.a, A), (course.b, B)):
        times, lots = lots_held(course, rows, leg)
        _add(figure, times, lots, f"{leg} lots", colour, "y4", "%{y:,.0f}", shape="hv", legend=False)
    at = line(course, rows)
    money = "%{y:,.2f}"
    _add(figure, at.time_ms, at.of(made.realised), "realised", GREY, "y5", money, shape="hv", legend=False)
    _add(figure, at.time_ms, at.of(made.total), "with what is open", INK, "y5", money, legend=False)


def _add(
    figure: go.Figure, time_ms: Values, values: Values, name: str, colour: str, axis: str, hover: str,
    *, more: Any = None, width: float = 1.2, dash: str = "solid", shape: str = "linear", legend: bool = True,
) -> None:  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=time_ms, y=np.asarray(values), name=name, yaxis=axis, mode="lines", connectgaps=False, customdata=more,
            line={"color": colour, "width": width, "dash": dash, "shape": shape}, legendgroup=name,
            hovertemplate=hover, showlegend=legend,
        )
    )  # fmt: skip


def _hidden(course: PairCourse) -> list[tuple[int, int]]:
    """Long stretches of which nothing is known, and in which nothing is marked."""
    marks = [*(each.time_us for each in course.signals), *(each.time_us for each in course.fills)]
    return [
        (start, end)
        for start, end in unknown(course)
        if end - start >= HIDDEN_US and not any(start <= mark <= end for mark in marks)
    ]


def _shade(figure: go.Figure, course: PairCourse, hidden: Sequence[tuple[int, int]]) -> None:
    """Where nothing is known a grey ground; where time is cut out a hair line."""
    for start, end in unknown(course):
        cut = (start, end) in hidden
        figure.add_shape(
            type="rect", yref="paper", y0=0, y1=1, x0=start / 1e3, x1=(start if cut else end) / 1e3, layer="below",
            fillcolor=UNKNOWN, line={"width": 1 if cut else 0, "color": HAIR}, name="unknown",
        )  # fmt: skip
