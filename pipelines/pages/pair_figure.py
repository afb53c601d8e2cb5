"""The figure of a pair: prices and fills, spread, z with bands and signals, lots, profit, over one axis of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from pipelines.history.pair_course import PairCourse
from pipelines.history.pair_profit import profit_course
from pipelines.pages.bands import Band
from pipelines.pages.pair_lines import Line, line, lots_held, unknown
from pipelines.pages.pair_marks import fill_marks, signal_marks
from pipelines.pages.style import BAND_LINE, GREY, HAIR, INK, PANELS, PANELS_UNTRADED, A, B, layout

HIDDEN_US = 3_600_000_000
"""A stretch of which nothing is known, as long as this, is cut out of the axis of time."""


@dataclass(frozen=True, slots=True)
class PairFigure:
    """A figure, and what a reader of it has to be told. `run`: rows of which four at most are drawn."""

    figure: go.Figure
    run: int
    hidden: int
    """Stretches that are cut out of the axis."""


def pair_figure(course: PairCourse, bands: Sequence[Band]) -> PairFigure:
    """All of a course; bands as horizontal lines, with the first named entry around the spread too."""
    traded = bool(course.fills)
    figure = go.Figure()
    prices = _prices(figure, course)
    spread = _spread(figure, course, bands)
    z = _z(figure, course, bands)
    lines = [*prices, spread, z]
    if traded:
        lines.append(_profit(figure, course))
    hidden = _hidden(course)
    figure.update_layout(layout(PANELS if traded else PANELS_UNTRADED, hidden))
    _shade(figure, course, hidden)
    return PairFigure(figure, max(each.run for each in lines), len(hidden))


def _prices(figure: go.Figure, course: PairCourse) -> list[Line]:
    lines = []
    for leg, name, colour in ((course.a, "mid_a", A), (course.b, "mid_b", B)):
        values = course.values[name]
        drawn = line(course, values, leg)
        base = next((value for value in drawn.values if value), 1.0)
        _add(
            figure, drawn, drawn.values / base * 100, leg, colour, "y", "%{customdata:.10~g}  (%{y:.3f})", drawn.values
        )
        figure.add_traces(list(fill_marks(course, leg, base / 100, colour)))
        lines.append(drawn)
    return lines


def _spread(figure: go.Figure, course: PairCourse, bands: Sequence[Band]) -> Line:
    drawn = line(course, course.values["spread"])
    mean, std = drawn.of(course.values["mean"]), drawn.of(course.values["std"])
    entry = next((band for band in bands if band.name == "entry"), None)
    for sign in (1, -1) if entry else ():
        edge = mean + sign * (entry.z if entry else 0.0) * std
        _add(figure, drawn, edge, "entry level", BAND_LINE, "y2", "%{y:.10~g}", width=0.8)
    _add(figure, drawn, mean, "mean", GREY, "y2", "%{y:.10~g}", dash="dash")
    _add(figure, drawn, drawn.values, "spread", INK, "y2", "%{y:.10~g}", legend=False)
    return drawn


def _z(figure: go.Figure, course: PairCourse, bands: Sequence[Band]) -> Line:
    drawn = line(course, course.values["z"])
    _add(figure, drawn, drawn.values, "z", INK, "y3", "%{y:.4f}", legend=False)
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
    return drawn


def _profit(figure: go.Figure, course: PairCourse) -> Line:
    mids = {course.a: course.values["mid_a"], course.b: course.values["mid_b"]}
    made = profit_course(course.time_us, mids, course.fills, course.terms)
    for leg, colour in ((course.a, A), (course.b, B)):
        held = lots_held(course, leg)
        _add(figure, held, held.values, f"{leg} lots", colour, "y4", "%{y:,.0f}", shape="hv", legend=False)
    drawn = line(course, made.total)
    realised = drawn.of(made.realised)
    _add(figure, drawn, realised, "realised", GREY, "y5", "%{y:,.2f}", shape="hv", legend=False)
    _add(figure, drawn, drawn.values, "with what is open", INK, "y5", "%{y:,.2f}", legend=False)
    return drawn


def _add(
    figure: go.Figure, at: Line, values: Any, name: str, colour: str, axis: str, hover: str, more: Any = None,
    *, width: float = 1.2, dash: str = "solid", shape: str = "linear", legend: bool = True,
) -> None:  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=at.time_ms, y=values, name=name, yaxis=axis, mode="lines", connectgaps=False, customdata=more,
            line={"color": colour, "width": width, "dash": dash, "shape": shape}, legendgroup=name,
            hovertemplate=hover, showlegend=legend and not any(each.name == name for each in figure.data),
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
            fillcolor="#f1f1ee", line={"width": 1 if cut else 0, "color": HAIR}, name="unknown",
        )  # fmt: skip
