"""The page of a pair: its figure and a line of numbers, in one file that needs nothing else, or plotly.js beside it."""

import html
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from string import Template

import numpy as np
from plotly.offline import get_plotlyjs

from pipelines.history.pair_course import PairCourse
from pipelines.history.profit import profit
from pipelines.pages.bands import Band
from pipelines.pages.pair_figure import pair_figure
from pipelines.pages.pair_marks import iso
from pipelines.pages.pair_words import notes, numbers

PLOTLY_FILE = "plotly.min.js"
"""What pages that share it have beside them."""


@dataclass(frozen=True, slots=True)
class PairPage:
    """A page as text, and what is on it."""

    pair: str
    text: str
    told: Mapping[str, object]
    """As programs read it: session, from, to, rows, signals by name and action, fills, profit by currency."""


def pair_page(course: PairCourse, bands: Sequence[Band], silent: timedelta, *, shared: bool = False) -> PairPage:
    """`silent`: how long a leg may have no quote; `shared`: plotly.js is in `PLOTLY_FILE`, not in the page."""
    drawn = pair_figure(course, bands)
    told = _told(course)
    # In HTML a script ends at the first `</`, wherever that is.
    figure = str(drawn.figure.to_json()).replace("<", "\\u003c")
    text = _PAGE.substitute(
        title=html.escape(course.pair),
        when=html.escape(f"{_shown(course.time_us[0])} to {_shown(course.time_us[-1])} UTC"),
        what=html.escape(f"session {course.session}"),
        numbers="".join(f"<dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd>" for name, value in numbers(told)),
        notes=" ".join(html.escape(note) for note in notes(course, bands, silent, drawn.run, drawn.hidden)),
        figure=figure,
        library=f'<script src="{PLOTLY_FILE}"></script>' if shared else f"<script>{get_plotlyjs()}</script>",
        style=STYLE,
    )
    return PairPage(course.pair, text, told)


def _told(course: PairCourse) -> dict[str, object]:
    signals = Counter(f"{each.name} {each.action}" for each in course.signals)
    mids = {leg: float(course.values[name][-1]) for leg, name in ((course.a, "mid_a"), (course.b, "mid_b"))}
    made = [each for each in profit([each.fill for each in course.fills], mids, course.terms) if each.pair == "total"]
    return {
        "pair": course.pair,
        "session": course.session,
        "from": f"{iso(int(course.time_us[0]))}Z",
        "to": f"{iso(int(course.time_us[-1]))}Z",
        "rows": course.rows,
        "signals": dict(sorted(signals.items())),
        "fills": len(course.shown_fills),
        "breaks": len(course.breaks),
        "profit": {each.currency: each.total for each in made},
    }


def _shown(time_us: np.int64) -> str:
    return str(np.datetime64(int(time_us), "us").astype("datetime64[s]")).replace("T", " ")


STYLE = """
body { font: 14px/1.45 system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif; color: #24292e;
       margin: 28px auto; max-width: 1240px; padding: 0 20px; background: #fff }
h1 { font-size: 22px; font-weight: 600; margin: 0 }
header p { margin: 2px 0 0; color: #6a7078 }
dl { display: flex; flex-wrap: wrap; gap: 4px 28px; margin: 14px 0 6px; padding: 10px 0; border: solid #e6e6e6;
     border-width: 1px 0 }
dt { color: #6a7078; font-size: 12px } dd { margin: 0 0 0 -20px; font-weight: 600; font-size: 12px }
footer { color: #6a7078; font-size: 12px; max-width: 860px; margin-top: 6px }
a { color: #33608c }
"""

_PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>$style</style>
</head>
<body>
<header><h1>$title</h1><p>$when &middot; $what</p></header>
<dl>$numbers</dl>
<div id="figure"></div>
<footer>$notes</footer>
<script type="application/json" id="data">$figure</script>
$library
<script>
const figure = JSON.parse(document.getElementById("data").textContent);
Plotly.newPlot("figure", figure.data, figure.layout, {
  responsive: true, displaylogo: false, modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d"]
});
</script>
</body>
</html>
""")
