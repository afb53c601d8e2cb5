"""helios tca: what trading cost, from decision to fill, and what prices did after."""

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pipelines.domain.tca import Cost, Traded

PARTS = ("delay", "spread", "timing", "impact", "fees", "opportunity", "total")
ON_PAGE = ("pair", "venue", "schedule", "hour")
BY: dict[str, "Callable[[Traded], str]"] = {
    "pair": lambda order: order.pair,
    "venue": lambda order: order.venue,
    "strategy": lambda order: order.strategy,
    "schedule": lambda order: order.schedule,
    "instrument": lambda order: order.instrument,
    "hour": lambda order: f"{order.decided_ns // 3_600_000_000_000 % 24:02d}:00 UTC",
}


class TcaCommandError(RuntimeError):
    """Why costs cannot be told, and the way out."""


def tca(
    session: Annotated[str, typer.Option(help="Of this session in the history; default: the newest.")] = "",
    by: Annotated[str, typer.Option(help=f"{', '.join(BY)}.")] = "pair",
    pair: Annotated[str, typer.Option(help="Orders of this pair alone.")] = "",
    start: Annotated[str, typer.Option("--from", help="Decided from then on; UTC unless it says otherwise.")] = "",
    end: Annotated[str, typer.Option("--to", help="Decided before then.")] = "",
    strategy: Annotated[
        Path | None, typer.Option(help="Strategy file: its venues' fees.", exists=True, dir_okay=False)
    ] = None,
    day: Annotated[float, typer.Option("--day-hours", help="Of trading, for the law that goes by rates.")] = 6.5,
    out: Annotated[Path | None, typer.Option(help="A page of it.", dir_okay=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, each order in it.")] = False,
) -> None:
    """What trading cost: implementation shortfall of each order by delay, spread, timing, impact, fees, opportunity;
    mark-outs of its fills; and what was to be expected. In 1/10,000 of what was decided; costs are positive.

    Without a strategy fees are 0: the history does not know them.
    """
    from jobs.cli.history_market import span_of
    from pipelines.domain.tca import coefficients

    if by not in BY:
        raise typer.BadParameter(f"--by {by}: one of {', '.join(BY)}")
    if not day > 0:
        raise typer.BadParameter(f"--day-hours {day:g}: more than 0")
    of, orders, left_out = _orders(session, pair, span_of(start, end), strategy, day)
    if not orders:
        raise TcaCommandError(f"session {of}: none of its {left_out} orders had a quote when it came to its venue")
    fitted = coefficients(orders)
    lines = _lines(orders, by, fitted)
    told: dict[str, Any] = {
        "session": of,
        "by": by,
        "orders": len(orders),
        "left_out": left_out,
        "impact_coefficients": fitted,
        "parts": [_told(line) for line in lines],
    }
    if out is not None:
        from pipelines.pages.tca_page import tca_page

        others = {key: _lines(orders, key, fitted) for key in ON_PAGE if key != by}
        out.write_text(tca_page(of, {by: lines} | others, orders, fitted))
        told["page"] = str(out)
    if as_json:
        print(json.dumps(told | {"each": [_order(order) for order in orders]}))
        return
    _draw(by, lines)
    print(_note(orders, fitted, left_out) + (f"; page {out}" if out else ""))


def _orders(
    session: str, pair: str, span: Any, strategy: Path | None, day_hours: float
) -> "tuple[str, list[Traded], int]":
    from infra.settings import load_settings
    from pipelines.contracts.strategy_file import load_strategy
    from pipelines.domain.market import NS_PER_S
    from pipelines.domain.trader_config import Fee
    from pipelines.history.tca_history import TcaHistory

    venues = load_strategy(strategy).venues if strategy else ()
    fees = {venue.name: Fee(venue.fee_bps, venue.fee_per_lot) for venue in venues}
    with TcaHistory(load_settings().timescale.reader_dsn) as history:
        of = history.session(session)
        orders, left_out = history.traded(of, span, pair or None, fees, round(day_hours * 3600 * NS_PER_S))
    return of, orders, left_out


def _lines(orders: "list[Traded]", by: str, fitted: "Mapping[str, float | None]") -> "tuple[Cost, ...]":
    """By venue an order counts at each that filled it."""
    from pipelines.domain.tca import at_venues, summed

    return summed([part for each in orders for part in at_venues(each)] if by == "venue" else orders, BY[by], fitted)


def _note(orders: "list[Traded]", fitted: "Mapping[str, float | None]", left_out: int) -> str:
    from pipelines.domain.tca import FEWEST, LAW_NAMES

    told = [f"{LAW_NAMES[law]} x {1.0 if scale is None else scale:.3g}" for law, scale in fitted.items()]
    how = f"too few orders ({FEWEST}) to fit them" if None in fitted.values() else "fitted to these orders"
    own = sum(each.hindsight and each.volume > 0 for each in orders)
    seen = f"; deviation and volume of {own} orders are the session's own, in hindsight" if own else ""
    left = f"; {left_out} orders left out: no quote when they came to their venue" if left_out else ""
    return f"expected: half the spread and {' or '.join(told)}, {how}{seen}{left}"


def _draw(by: str, lines: "tuple[Cost, ...]") -> None:
    from rich.table import Table

    from jobs.cli.answers import console
    from pipelines.domain.tca import HORIZONS_S

    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column(by)
    heads = ("orders", "filled", "notional", *PARTS, "+/-", "sqrt", "almgren", *(f"{after} s" for after in HORIZONS_S))
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    for line in lines:
        share = f"{100 * line.filled / line.lots:.0f} %" if line.lots else "-"
        parts = [f"{line.bps(part):+.2f}" for part in PARTS]
        table.add_row(
            line.name or "(none)",
            f"{line.orders:,}",
            share,
            f"{line.notional:,.0f}",
            *parts,
            "-" if math.isnan(line.error_bps) else f"{line.error_bps:.2f}",
            *(_number(each) for each in (*line.expected_bps.values(), *line.after_bps)),
        )
    console().print(table)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:+.2f}"


def _told(line: "Cost") -> dict[str, Any]:
    from pipelines.domain.tca import HORIZONS_S

    return {
        "name": line.name,
        "orders": line.orders,
        "lots": line.lots,
        "filled": line.filled,
        "notional": line.notional,
        "money": {part: float(getattr(line.costs, part)) for part in PARTS},
        "bps": {part: line.bps(part) for part in PARTS},
        "error_bps": None if math.isnan(line.error_bps) else line.error_bps,
        "expected_bps": dict(line.expected_bps),
        "mark_out_bps": {str(after): bps for after, bps in zip(HORIZONS_S, line.after_bps, strict=True)},
    }


def _order(order: "Traded") -> dict[str, Any]:
    from pipelines.domain.tca import costs

    made = costs(order)
    return {
        "client_order_id": order.order_id,
        "pair": order.pair,
        "venue": order.venue,
        "schedule": order.schedule,
        "instrument": order.instrument,
        "side": "buy" if order.sign > 0 else "sell",
        "lots": order.lots,
        "filled": order.filled,
        "decision": order.decision,
        "arrival": order.arrival,
        "spread": order.spread,
        "fills": [{"lots": each.lots, "price": each.price, "mid": each.mid} for each in order.fills],
        "money": {part: float(getattr(made, part)) for part in PARTS},
    }
