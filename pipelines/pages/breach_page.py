"""The page of a breach: which limit broke and when, each order of the unwinding, and what was left as it went."""

import html
from collections import defaultdict
from collections.abc import Mapping, Sequence
from string import Template
from typing import Any

import plotly.graph_objects as go

from pipelines.history.breaches import Breach, Row
from pipelines.pages.pair_page import STYLE

RED, BLUE, GREY = "#b2182b", "#2166ac", "#8b9097"
COLUMNS = ("time", "pair", "instrument", "side", "lots", "status", "filled", "price", "client_order_id")


def breach_page(session: str, found: Sequence[Breach], risk: Sequence[Mapping[str, Any]]) -> str:
    """One HTML file that needs nothing else. `risk`: rows of `helios history risk` of the session."""
    parts = "".join(_part(number, each, risk) for number, each in enumerate(found, 1))
    return _PAGE.substitute(title=f"Breaches of session {html.escape(session[:8])}", parts=parts, style=STYLE)


def _part(number: int, breach: Breach, risk: Sequence[Mapping[str, Any]]) -> str:
    figure = _figure(breach, risk).to_html(full_html=False, include_plotlyjs=number == 1)
    numbers = "".join(f"<dt>{name}</dt><dd>{html.escape(str(value))}</dd>" for name, value in _numbers(breach).items())
    head = "".join(f"<th>{name.replace('_', ' ')}</th>" for name in COLUMNS)
    rows = "".join(_row(row) for row in breach.orders)
    return _PART.substitute(
        why=html.escape(breach.why), numbers=numbers, figure=figure, head=head, rows=rows, count=len(breach.orders)
    )


def _numbers(breach: Breach) -> dict[str, str]:
    def after(seconds: float | None) -> str:
        return "-" if seconds is None else f"{seconds:.1f} s after"

    ended = f"{breach.how} ({after(breach.seconds)})" if breach.ended else "it goes on"
    return {
        "broke at": f"{breach.began:%Y-%m-%d %H:%M:%S.%f}"[:-3] + " UTC",
        "first order": after(breach.first_order_s),
        "last filled order": after(breach.last_fill_s),
        "ended": ended,
        "orders, cancels, entries refused": f"{len(breach.orders)}, {len(breach.cancels)}, {breach.refused}",
    }


def _figure(breach: Breach, risk: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Lots that the unwinding has still to close, by pair's first leg; gross and expected shortfall as measured."""
    figure = go.Figure()
    of_pair: dict[str, list[Row]] = defaultdict(list)
    for row in breach.orders:
        of_pair[str(row["pair"])].append(row)
    for pair, rows in sorted(of_pair.items()):
        legs = [row for row in rows if row["instrument"] == rows[0]["instrument"]]
        left = sum(int(row["filled"] or 0) for row in legs)
        times, lots = [breach.began], [left]
        for row in legs:
            left -= int(row["filled"] or 0)
            times.append(row["time"])
            lots.append(left)
        figure.add_scatter(x=times, y=lots, name=f"{pair}: lots of {rows[0]['instrument']}", line={"shape": "hv"})
    end = breach.ended or (breach.orders[-1]["time"] if breach.orders else breach.began)
    margin = (end - breach.began) * 0.25
    near = [row for row in risk if breach.began - margin <= row["time"] <= end + margin]
    for name, color in (("gross", GREY), ("es", BLUE)):
        if any(row[name] for row in near):
            figure.add_scatter(
                x=[row["time"] for row in near],
                y=[row[name] for row in near],
                name=f"{name} (right)",
                yaxis="y2",
                line={"color": color, "width": 1.2, "dash": "dot"},
            )
    for at, what in ((breach.began, "broke"), (breach.ended, breach.how.partition(":")[0])):
        if at is not None:
            figure.add_vline(x=at, line={"color": RED, "width": 1})
            figure.add_annotation(x=at, y=1.0, yref="paper", text=what, showarrow=False, font={"color": RED})
    figure.update_layout(
        template="plotly_white",
        height=420,
        margin={"l": 60, "r": 60, "t": 30, "b": 40},
        legend={"orientation": "h", "y": 1.14},
        yaxis={"title": "lots left", "rangemode": "tozero"},
        yaxis2={"title": "money", "overlaying": "y", "side": "right", "showgrid": False, "rangemode": "tozero"},
    )
    return figure


def _row(row: Row) -> str:
    cells = (f"{row[name]:%H:%M:%S.%f}"[:-3] if name == "time" else row[name] for name in COLUMNS)
    return "<tr>" + "".join(f"<td>{html.escape('' if cell is None else str(cell))}</td>" for cell in cells) + "</tr>"


_PART = Template("""<section><h2>$why</h2><dl>$numbers</dl>
$figure
<details open><summary>$count orders of the unwinding</summary><table><tr>$head</tr>$rows</table></details></section>
""")

_PAGE = Template("""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>$title</title><style>$style
table { border-collapse: collapse; font-size: 12px; } td, th { padding: 2px 10px 2px 0; text-align: left; }
td:nth-child(5), td:nth-child(7), td:nth-child(8) { text-align: right; }
section { margin-bottom: 40px; } h2 { font-size: 16px; }</style>
<header><h1>$title</h1></header>
$parts
</html>
""")
