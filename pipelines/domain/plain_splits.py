"""Splits of a parent order that need no model: what a router is held against."""

from pipelines.domain.route_costs import How, Market, Split
from pipelines.domain.venue_books import Level


def single_venue(made: Market) -> Split:
    """What one venue displays, up to the parent, at the venue where that is expected to cost least."""
    lots = made.parent.lots
    splits: list[Split] = [{(name, How.TAKE): min(each, lots)} for name, each in _displayed(made).items() if each]
    return min(splits, key=made.expected_ticks, default={})


def pro_rata(made: Market) -> Split:
    """Lots in proportion to what venues display within the limit; what is over goes by largest remainder, then name."""
    displayed = _displayed(made)
    total = sum(displayed.values())
    wanted = min(made.parent.lots, total)
    lots = {name: wanted * each // total for name, each in displayed.items() if each}
    nearest = sorted(lots, key=lambda name: (-(wanted * displayed[name] % total), name))
    for name in nearest[: wanted - sum(lots.values())]:
        lots[name] += 1
    return {(name, How.TAKE): each for name, each in lots.items() if each}


def by_price(made: Market) -> Split:
    """The best displayed prices first, whatever they cost in fees or chances; ties by name."""
    sign, left = made.parent.sign, made.parent.lots
    levels = [(sign * each.price_ticks, name, each.lots) for name in made.books for each in _within_limit(made, name)]
    split: dict[tuple[str, How], int] = {}
    for _, name, lots in sorted(levels):
        taken = min(left, lots)
        if taken:
            split[name, How.TAKE] = split.get((name, How.TAKE), 0) + taken
            left -= taken
    return split


def _within_limit(made: Market, name: str) -> list[Level]:
    return [each for each in made.books[name].far(made.parent.side) if made.parent.allows(each.price_ticks)]


def _displayed(made: Market) -> dict[str, int]:
    return {name: sum(each.lots for each in _within_limit(made, name)) for name in sorted(made.books)}
