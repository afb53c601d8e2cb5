"""How a page looks: few colours, which those can tell apart too who see them otherwise."""

from collections.abc import Sequence
from typing import Any

INK, GREY, HAIR, BAND_LINE = "#24292e", "#8b9097", "#d9dadc", "#b9a9c9"
UNKNOWN = "#f1f1ee"
A, B = "#33608c", "#c27a2c"
LONG, SHORT, EXIT = "#2f8f6f", "#b04a3f", "#24292e"

PANELS = (("y", "rebased to 100", 0.72, 1.0), ("y2", "spread", 0.5, 0.69), ("y3", "z", 0.25, 0.47),
          ("y4", "lots", 0.14, 0.22), ("y5", "profit", 0.0, 0.11))  # fmt: skip
"""Axis, title, and where from and to, of the figure's height."""
PANELS_UNTRADED = (("y", "rebased to 100", 0.66, 1.0), ("y2", "spread", 0.35, 0.63), ("y3", "z", 0.0, 0.32))


def layout(panels: Sequence[tuple[str, str, float, float]], hidden: Sequence[tuple[int, int]]) -> dict[str, Any]:
    """Panels over one axis of time, from which stretches (µs) are cut out."""
    made: dict[str, Any] = {
        "template": "none",
        "height": 900 if len(panels) > 3 else 680,
        "margin": {"l": 72, "r": 76, "t": 8, "b": 44},
        "font": {
            "family": "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif",
            "size": 12,
            "color": INK,
        },
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "hovermode": "x unified",
        "hoversubplots": "axis",
        "hoverlabel": {"bgcolor": "rgba(255,255,255,0.94)", "bordercolor": HAIR, "font": {"size": 11, "color": INK}},
        "modebar": {"orientation": "v", "color": HAIR, "activecolor": GREY, "bgcolor": "rgba(0,0,0,0)"},
        "legend": {"orientation": "h", "x": 0, "y": 1.01, "yanchor": "bottom", "font": {"size": 11, "color": INK}},
        "xaxis": {
            "type": "date",
            "anchor": panels[-1][0],
            "hoverformat": "%Y-%m-%d %H:%M:%S.%L UTC",
            "showgrid": True,
            "gridcolor": "#f0f0f0",
            "linecolor": HAIR,
            "ticks": "outside",
            "tickcolor": HAIR,
            "showspikes": True,
            "spikemode": "across",
            "spikethickness": 1,
            "spikedash": "solid",
            "spikecolor": HAIR,
            "rangebreaks": [{"bounds": [start / 1e3, end / 1e3]} for start, end in hidden],
        },
    }
    for axis, title, low, high in panels:
        made[f"yaxis{axis[1:]}"] = {
            "domain": [low, high],
            "anchor": "x",
            "title": {"text": title, "font": {"size": 11, "color": GREY}, "standoff": 6},
            "showgrid": True,
            "gridcolor": "#f0f0f0",
            "zeroline": axis in ("y3", "y4", "y5"),
            "zerolinecolor": HAIR,
            "tickfont": {"size": 10, "color": GREY},
            "nticks": 6 if high - low > 0.15 else 4,
            "tickformat": "~g" if axis in ("y", "y2") else "",
        }
    return made
