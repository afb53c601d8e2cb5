"""helios route: where the parts of an order would go, and why."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pipelines.contracts.route_file import RouteFile
    from pipelines.domain.route_costs import Market, Split

app = typer.Typer(help="Where the parts of an order go: venues, prices, times, reasons.", no_args_is_help=True)


class RouteError(RuntimeError):
    """Why nothing can be routed."""


@app.callback()
def routes() -> None:
    """Where the parts of an order go: venues, prices, times, reasons."""


@app.command(epilog="Example: helios route preview examples/routes/aig.yaml --json")
def preview(
    file: Annotated[Path, typer.Argument(help="Parent, venues and books, in YAML or JSON.", exists=True)],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """The orders that a parent would be split into, each with its reason, and what it is expected to cost.

    Beside it the best single venue, a split in proportion to what is displayed, and the best prices first.
    Nothing is sent.
    """
    from pipelines.contracts.route_file import RouteFileError, load_route
    from pipelines.domain.venue_books import RoutingError

    try:
        told = tell(load_route(file))
    except (RouteFileError, RoutingError) as error:
        raise RouteError(str(error)) from error
    if as_json:
        print(json.dumps(told))
    else:
        _draw(told)


def tell(asked: "RouteFile") -> dict[str, Any]:
    """All that is said of a route, by name; costs are in basis points of the mid, against it."""
    from pipelines.domain.plain_splits import by_price, pro_rata, single_venue
    from pipelines.domain.route_costs import market
    from pipelines.domain.routing import route_in, shown, split_of

    made = market(asked.parent, asked.books, asked.venues, asked.model)
    routed = route_in(made)
    splits = {"router": split_of(routed)}
    splits |= {"single_venue": single_venue(made), "pro_rata": pro_rata(made), "by_price": by_price(made)}
    tick, sign = asked.model.tick_size, asked.parent.sign
    return {
        "instrument": asked.instrument,
        "side": str(asked.parent.side),
        "lots": asked.parent.lots,
        "tick": tick,
        "arrival_ms": routed.arrival_ns / 1e6,
        "left_lots": routed.left_lots,
        "children": [
            {
                "venue": child.venue,
                "how": child.how.name.lower(),
                "lots": child.lots,
                "price_ticks": child.price_ticks,
                "price": shown(child.price_ticks, tick),
                "delay_ms": child.delay_ns / 1e6,
                "chance": child.chance,
                "fee": child.fee_ticks * tick,
                "expected": sign * child.expected_ticks * tick,
                "reason": child.reason,
            }
            for child in routed.children
        ],
        "expected": {name: _expected(made, split) for name, split in splits.items()},
    }


def _expected(made: "Market", split: "Split") -> dict[str, Any]:
    total, lots = made.expected_ticks(split), made.parent.lots
    mid = made.best.half_ticks / 2 if made.best else None
    return {
        "split": {f"{venue} {how.name.lower()}": sent for (venue, how), sent in sorted(split.items())},
        "price": made.parent.sign * total / lots * made.model.tick_size,
        "bps": None if mid is None else 1e4 * (total / lots - made.parent.sign * mid) / mid,
        "cost": None
        if mid is None
        else (total - made.parent.sign * mid * lots) * made.model.tick_size * made.model.lot_size,
    }


def _draw(told: dict[str, Any]) -> None:
    from rich.table import Table

    from jobs.cli.answers import console
    from pipelines.domain.routing import reckoned

    shown = console()
    left = f", {told['left_lots']} kept back" if told["left_lots"] else ""
    shown.print(
        f"{told['side']} {told['lots']} {told['instrument']}: arrives everywhere at {told['arrival_ms']:g} ms{left}",
        highlight=False,
    )
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("venue", "how", "lots", "limit", "sent at ms", "why"):
        table.add_column(name, no_wrap=name != "why", justify="right" if name in ("lots", "limit") else "left")
    for child in told["children"]:
        cells = (child["venue"], child["how"], child["lots"], child["price"], f"{child['delay_ms']:g}", child["reason"])
        table.add_row(*map(str, cells))
    shown.print(table)
    costs = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("expected", "price", "bps of the mid", "cost", "split"):
        costs.add_column(name, justify="left" if name in ("expected", "split") else "right")
    for name, each in told["expected"].items():
        split = ", ".join(f"{venue} {lots}" for venue, lots in each["split"].items())
        bps, cost = ("-", "-") if each["bps"] is None else (f"{each['bps']:.3f}", f"{each['cost']:.2f}")
        costs.add_row(name.replace("_", " "), reckoned(each["price"], told["tick"]), bps, cost, split)
    shown.print(costs)
