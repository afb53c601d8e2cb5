"""The page of a VaR's backtest: returns, what was said of them, and the days that lost more."""

import html
from string import Template

import pandas as pd
import plotly.graph_objects as go

from pipelines.domain.var_backtest import Backtest
from pipelines.pages.pair_page import STYLE
from pipelines.research.portfolio_risk import History, Options

GREY, BLUE, DARK, RED = "#b4bac2", "#2166ac", "#053061", "#b2182b"


def var_page(dates: pd.DatetimeIndex, lived: History, found: Backtest, title: str, options: Options) -> str:
    """One HTML file that needs nothing else. `dates`: of the rows of `lived`."""
    figure = go.Figure()
    beyond = lived.exceptions
    figure.add_bar(x=dates, y=lived.returns, name="return", marker={"color": GREY, "line": {"width": 0}})
    figure.add_scatter(
        x=dates, y=-lived.var, name=f"VaR {options.confidence:.4g}", line={"color": BLUE, "width": 1.4, "shape": "hv"}
    )
    figure.add_scatter(
        x=dates, y=-lived.es, name="expected shortfall", line={"color": DARK, "width": 1, "dash": "dot", "shape": "hv"}
    )
    figure.add_scatter(
        x=dates[beyond],
        y=lived.returns[beyond],
        name="exception",
        mode="markers",
        marker={"color": RED, "size": 8, "symbol": "x-thin", "line": {"color": RED, "width": 2}},
    )
    figure.update_layout(
        template="plotly_white",
        height=520,
        margin={"l": 60, "r": 20, "t": 20, "b": 40},
        legend={"orientation": "h", "y": 1.06},
        yaxis={"title": "return", "zerolinecolor": "#888"},
        bargap=0,
    )
    return _PAGE.substitute(
        title=html.escape(f"{title}: {options.method} VaR"),
        when=f"{dates[0]:%Y-%m-%d} to {dates[-1]:%Y-%m-%d}",
        numbers="".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in _numbers(found).items()),
        figure=figure.to_html(full_html=False, include_plotlyjs=True),
        style=STYLE,
    )


def _numbers(found: Backtest) -> dict[str, str]:
    said = {
        "exceptions": f"{found.exceptions} of {found.observations}, {found.expected:.1f} expected",
        "coverage (Kupiec)": f"LR {found.coverage.lr:.2f}, p {found.coverage.p:.3f}",
    }
    if found.independence is not None and found.conditional is not None:
        said["independence (Christoffersen)"] = f"LR {found.independence.lr:.2f}, p {found.independence.p:.3f}"
        said["both"] = f"LR {found.conditional.lr:.2f}, p {found.conditional.p:.3f}"
    return said | {"Basel zone": found.zone.value}


_PAGE = Template("""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>$title</title><style>$style</style>
<header><h1>$title</h1><p>$when</p></header>
<dl>$numbers</dl>
$figure
</html>
""")
