"""helios tca: what trading cost, from decision to fill, and what prices did after."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pipelines.domain.tca import Cost, Traded

PARTS = ("delay", "spread", "timing", "impact", "fees", "opportunity", "total")
BY: dict[str, "Callable[[Traded], str]"] = {
    "pair": lambda order: order.pair,
    "venue": lambda order: order.venue,
    "strategy": lambda order: order.strategy,
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
    out: Annotated[Path | None, typer.Option(help="A page of it.", dir_okay=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, each order in it.")] = False,
) -> None:
    """What trading cost: implementation shortfall of each order by delay, spread, timing, impact, fees, opportunity;
    mark-outs of its fills; and what was to be expected. In 1/10,000 of what was decided; costs are positive.

    Without a strategy fees are 0: the history does not know them.
    """
    from jobs.cli.history_market import span_of
    from pipelines.domain.tca import coefficient, summed

    if by not in BY:
        raise typer.BadParameter(f"--by {by}: one of {', '.join(BY)}")
    of, orders, left_out = _orders(session, pair, span_of(start, end), strategy)
    if not orders:
        raise TcaCommandError(f"session {of}: none of its {left_out} orders had a quote when it came to its venue")
    fitted = coefficient(orders)
    lines = summed(orders, BY[by], 1.0 if fitted is None else fitted)
    told: dict[str, Any] = {
        "session": of,
        "by": by,
        "orders": len(orders),
        "left_out": left_out,
        "impact_coefficient": fitted,
        "parts": [_told(line) for line in lines],
    }
    if out is not None:
        from pipelines.pages.tca_page import tca_page

        out.write_text(tca_page(of, by, lines, orders, fitted))
        told["page"] = str(out)
    if as_json:
        print(json.dumps(told | {"each": [_order(order) for order in orders]}))
        return
    _draw(by, lines)
    print(_note(fitted, left_out) + (f"; page {out}" if out else ""))


def _orders(session: str, pair: str, span: Any, strategy: Path | None) -> "tuple[str, list[Traded], int]":
    from infra.settings import load_settings
    from pipelines.contracts.strategy_file import load_strategy
    from pipelines.domain.trader_config import Fee
    from pipelines.history.tca_history import TcaHistory

    venues = load_strategy(strategy).venues if strategy else ()
    fees = {venue.name: Fee(venue.fee_bps, venue.fee_per_lot) for venue in venues}
    with TcaHistory(load_settings().timescale.reader_dsn) as history:
        of = history.session(session)
        orders, left_out = history.traded(of, span, pair or None, fees)
    return of, orders, left_out


def _note(fitted: float | None, left_out: int) -> str:
    from pipelines.domain.tca import FEWEST

    law = (
        f"expected: half the spread and deviation * sqrt(lots / volume), too few orders ({FEWEST}) to fit it"
        if fitted is None
        else f"expected: half the spread and {fitted:.3g} * deviation * sqrt(lots / volume), fitted to these orders"
    )
    return law + (f"; {left_out} orders left out: no quote when they came to their venue" if left_out else "")


def _draw(by: str, lines: "tuple[Cost, ...]") -> None:
    from rich.table import Table

    from jobs.cli.answers import console
    from pipelines.domain.tca import HORIZONS_S

    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column(by)
    heads = ("orders", "filled", "notional", *PARTS, "+/-", "expected", *(f"{after} s" for after in HORIZONS_S))
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
            *(_number(each) for each in (line.estimate_bps, *line.after_bps)),
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
        "expected_bps": line.estimate_bps,
        "mark_out_bps": {str(after): bps for after, bps in zip(HORIZONS_S, line.after_bps, strict=True)},
    }


def _order(order: "Traded") -> dict[str, Any]:
    from pipelines.domain.tca import costs

    made = costs(order)
    return {
        "client_order_id": order.order_id,
        "pair": order.pair,
        "venue": order.venue,
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
