"""The page of what trading cost: the shortfall by its parts, mark-outs over time, and each order."""

import html
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from string import Template

import plotly.graph_objects as go

from pipelines.domain.market import NS_PER_S
from pipelines.domain.tca import HORIZONS_S, LAW_NAMES, Cost, Traded, costs
from pipelines.pages.pair_page import STYLE
from pipelines.pages.style import GREY, INK, A, B

PARTS = {"delay": "#8b9097", "spread": A, "timing": "#b9a9c9", "impact": B, "fees": "#2f8f6f", "opportunity": "#b04a3f"}
"""Of the shortfall, each with its colour."""

MOST_LINES = 40
"""Bars of a figure; what costs most is drawn."""

MOST_ORDERS = 2_000
"""Rows of orders; those that cost most."""


def tca_page(
    session: str, tables: Mapping[str, Sequence[Cost]], orders: Sequence[Traded], fitted: Mapping[str, float | None]
) -> str:
    """One HTML file that needs nothing else. `tables`: by each key lines as `summed` gives them, all together last; the
    first are drawn."""
    *parts, whole = next(iter(tables.values()))
    drawn = sorted(parts, key=lambda line: -abs(line.costs.total))[:MOST_LINES]
    figures = (_shortfall(sorted(drawn, key=lambda line: line.name)), _after(drawn, whole))
    shown = sorted(orders, key=lambda order: -costs(order).total)[:MOST_ORDERS]
    return _PAGE.substitute(
        title=f"Costs of session {html.escape(session[:8])}",
        numbers="".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in _numbers(whole, fitted)),
        shortfall=figures[0].to_html(full_html=False, include_plotlyjs=True),
        after=figures[1].to_html(full_html=False, include_plotlyjs=False),
        heads="".join(f"<th>{name}</th>" for name in PARTS),
        tables="".join(_table(by, lines) for by, lines in tables.items()),
        count=f"{len(shown):,} of {len(orders):,}",
        rows="".join(_row(order) for order in shown),
        style=STYLE,
    )


def _numbers(whole: Cost, fitted: Mapping[str, float | None]) -> list[tuple[str, str]]:
    error = "" if math.isnan(whole.error_bps) else f" ± {whole.error_bps:.2f}"
    return [
        ("orders", f"{whole.orders:,}"),
        ("decided", f"{whole.notional:,.0f}"),
        ("shortfall", f"{whole.costs.total:,.2f}, {whole.bps():+.2f}{error} bps"),
        *((f"expected, {name}", _law(whole.expected_bps[law], fitted.get(law))) for law, name in LAW_NAMES.items()),
    ]


def _law(bps: float | None, scale: float | None) -> str:
    if bps is None:
        return "-"
    return f"{bps:+.2f} bps" + ("" if scale is None else f" (x {scale:.3g}, fitted)")


def _shortfall(lines: Sequence[Cost]) -> go.Figure:
    figure = go.Figure()
    for part, colour in PARTS.items():
        bps = [line.bps(part) for line in lines]
        figure.add_bar(x=[line.name for line in lines], y=bps, name=part, marker={"color": colour})
    totals = [line.bps() for line in lines]
    errors = {"type": "data", "array": [0.0 if math.isnan(line.error_bps) else line.error_bps for line in lines]}
    marker = {"color": INK, "symbol": "line-ew-open", "size": 14}
    figure.add_scatter(
        x=[line.name for line in lines], y=totals, error_y=errors, mode="markers", name="total", marker=marker
    )
    return _laid_out(figure, "bps of what was decided, costs up", barmode="relative")


def _after(lines: Sequence[Cost], whole: Cost) -> go.Figure:
    figure = go.Figure()
    for line in (*lines, whole):
        of_all = line is whole
        figure.add_scatter(
            x=HORIZONS_S,
            y=line.after_bps,
            name=line.name,
            mode="lines+markers" if of_all else "lines",
            line={"color": INK if of_all else GREY, "width": 2 if of_all else 0.7},
            showlegend=of_all,
        )
    figure.update_xaxes(type="log", tickvals=HORIZONS_S, ticktext=[f"{after} s" for after in HORIZONS_S])
    return _laid_out(figure, "mark-out of fills, bps in the order's favour")


def _laid_out(figure: go.Figure, title: str, **more: object) -> go.Figure:
    figure.update_layout(
        template="plotly_white",
        height=360,
        margin={"l": 60, "r": 20, "t": 30, "b": 40},
        legend={"orientation": "h", "y": 1.1},
        yaxis={"title": title},
        **more,
    )
    return figure


def _table(by: str, lines: Sequence[Cost]) -> str:
    after = (f"{each} s" for each in HORIZONS_S)
    heads = (by, "orders", "filled", "decided", *PARTS, "total", "±", *LAW_NAMES.values(), *after)
    head = "".join(f"<th>{html.escape(each)}</th>" for each in heads)
    return f"<h2>By {html.escape(by)}, bps</h2><table><tr>{head}</tr>{''.join(map(_line, lines))}</table>"


def _line(line: Cost) -> str:
    error = "" if math.isnan(line.error_bps) else f"{line.error_bps:.2f}"
    filled = f"{100 * line.filled / line.lots:.0f} %" if line.lots else ""
    cells = [line.name or "(none)", f"{line.orders:,}", filled, f"{line.notional:,.0f}"]
    cells += [f"{line.bps(part):+.2f}" for part in PARTS]
    cells += [f"{line.bps():+.2f}", error, *(_known(each) for each in (*line.expected_bps.values(), *line.after_bps))]
    return "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>"


def _row(order: Traded) -> str:
    made = costs(order)
    price = sum(fill.lots * fill.price for fill in order.fills) / order.filled if order.filled else None
    cells = [
        f"{datetime.fromtimestamp(order.decided_ns // NS_PER_S, UTC):%Y-%m-%d %H:%M:%S}",
        order.pair,
        order.instrument,
        "buy" if order.sign > 0 else "sell",
        f"{order.filled:,} of {order.lots:,}",
        f"{order.decision:.10g}",
        f"{order.arrival:.10g}",
        "" if price is None else f"{price:.10g}",
        *(f"{getattr(made, part):,.2f}" for part in PARTS),
        f"{made.total:,.2f}",
        order.order_id[:12],
    ]
    return "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>"


def _known(value: float | None) -> str:
    return "" if value is None else f"{value:+.2f}"


_PAGE = Template(
    """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>$title</title><style>$style
table { border-collapse: collapse; margin: 14px 0; font-size: 12px } th { color: #6a7078; font-weight: 500 }
td, th { padding: 2px 9px; text-align: right; white-space: nowrap } td:first-child, th:first-child { text-align: left }
tr:nth-child(even) { background: #fafafa }</style></head><body>
<header><h1>$title</h1></header><dl>$numbers</dl>
$shortfall
$after
$tables
<h2>Orders, what cost most first ($count), money</h2>
<table><tr><th>decided</th><th>pair</th><th>instrument</th><th>side</th><th>filled</th><th>decision</th><th>arrival</th>
<th>price</th>$heads<th>total</th><th>order</th></tr>$rows</table>
</body></html>
"""
)
