"""Corporate actions of what an account holds: a split makes other lots of it, a dividend pays or costs.

An action holds from the first marks whose time has come to it. Then prices known from before it are restated, as the
spreads job restates its own, and lots and money are booked to whoever has them, so that what the account has made goes
on where it was. Each booking is told among the decisions.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from msgspec.structs import replace

from pipelines.domain.account import Book, Measured, PairState, Quote, TraderState
from pipelines.domain.exposure import mid_of
from pipelines.domain.moves import Decided
from pipelines.domain.outputs import booking
from pipelines.domain.positions import Position
from pipelines.domain.trading import Booked, OrderRequest, TradingEvent
from pipelines.domain.universe import CorporateAction, Instrument, actions_between
from pipelines.domain.watch import called_off


class _Held(NamedTuple):
    """A leg of a strategy's book of a pair; of lots that nobody's book has, without either."""

    strategy: str
    pair: str
    leg: int
    position: Position


def acted(state: TraderState, event: TradingEvent) -> Decided:
    """The account after the actions that hold at a mark's time and did not at the marks before it."""
    outputs: list[OrderRequest] = []
    for action in actions_between(state.config.actions, state.marked_ns, event.event_time_ns):
        state = _restated_marks(state, action)
        if action.factor != 1.0:
            state, booked = _split(state, event, action)
            outputs += booked
        if action.amount:
            state, booked = _paid(state, event, action)
            outputs += booked
    return state, tuple(outputs)


def restated(quotes: dict[str, Quote], action: CorporateAction) -> dict[str, Quote]:
    """Quotes from before an action as they would be after it."""
    quote = quotes.get(action.instrument)
    if quote is None or not (quote[0] > 0 and quote[1] > 0):
        return quotes
    factor = action.restates(0.5 * (quote[0] + quote[1]))
    return quotes | {action.instrument: (quote[0] * factor, quote[1] * factor, quote[2])}


def caught_up(state: TraderState, event: TradingEvent, quotes: dict[str, Quote]) -> dict[str, Quote]:
    """Quotes of marks that are older than the account's latest, restated for what has come to hold between."""
    for action in actions_between(state.config.actions, event.event_time_ns, state.marked_ns):
        quotes = restated(quotes, action)
    return quotes


def lots_after(lots: int, factor: float) -> int:
    """Lots that prices times `factor` make of lots: whole ones; what is left of one is paid out."""
    exact = lots / factor
    whole = round(exact)
    return whole if abs(exact - whole) < 1e-6 else int(exact)


def _restated_marks(state: TraderState, action: CorporateAction) -> TraderState:
    marks = {shard: replace(each, quotes=restated(each.quotes, action)) for shard, each in state.marks.items()}
    return replace(state, marks=marks)


def _paid(state: TraderState, event: TradingEvent, action: CorporateAction) -> Decided:
    """A dividend: what is long gets it, what is short owes it."""
    instrument, outputs = state.config.instruments[action.instrument], []
    for held in tuple(_held(state, instrument.id)):
        money = held.position.lots * action.amount * instrument.lot_size
        state = _credited(state, held, money, instrument)
        text = f"{held.position.lots} lots, {action.amount:g} a unit"
        outputs.append(_booking(state, event, Booked.DIVIDEND, held, 0, money, text, instrument))
    return state, tuple(outputs)


def _split(state: TraderState, event: TradingEvent, action: CorporateAction) -> Decided:
    """Other lots of the same worth. What works is asked to be canceled: it is of lots as they were."""
    instrument, factor = state.config.instruments[action.instrument], action.factor
    outputs: list[OrderRequest] = []
    for name, leg in state.config.pairs_of[instrument.id]:
        if name in state.pairs and state.pairs[name].working[leg]:
            state, cancels = called_off(state, event, f"pair:{name}", exits=True)
            outputs += cancels
    for held in tuple(_held(state, instrument.id)):
        lots = lots_after(held.position.lots, factor)
        rest = held.position.lots / factor - lots
        money = rest * _price(state, instrument, held.position, action) * instrument.lot_size
        state = _credited(_with_lots(state, held, lots, instrument.id), held, money, instrument)
        text = f"{held.position.lots} lots become {lots}, prices times {factor:g}"
        outputs.append(_booking(state, event, Booked.SPLIT, held, lots - held.position.lots, money, text, instrument))
    return _of_other_lots(state, instrument.id, factor), tuple(outputs)


def _held(state: TraderState, instrument: str) -> Iterator[_Held]:
    """Whoever has lots of an instrument; at last what the account has beyond its books."""
    rest = state.position(instrument).lots
    for strategy, books in state.books.items():
        for name, leg in state.config.pairs_of[instrument]:
            position = books.get(name, Book()).legs[leg]
            rest -= position.lots
            if position.lots:
                yield _Held(strategy, name, leg, position)
    if rest:
        yield _Held("", "", 0, Position(rest))


def _credited(state: TraderState, held: _Held, money: float, instrument: Instrument) -> TraderState:
    money *= state.limits.rate(instrument.currency)
    if not held.pair:
        return replace(state, costs=state.costs - money)
    book = state.books[held.strategy][held.pair]
    return _put(replace(state, costs=state.costs - money), held, replace(book, costs=book.costs - money))


def _with_lots(state: TraderState, held: _Held, lots: int, instrument: str) -> TraderState:
    """The account, and the book and its pair where there are such, with other lots of it, for the same money."""
    more = lots - held.position.lots
    position = state.position(instrument)
    state = replace(state, positions=state.positions | {instrument: position.of_lots(position.lots + more)})
    if not held.pair:
        return state
    of_book = state.books[held.strategy][held.pair]
    legs = list(of_book.legs)
    legs[held.leg] = legs[held.leg].of_lots(lots)
    state = _put(state, held, replace(of_book, legs=(legs[0], legs[1])))
    pair = state.pairs.get(held.pair)
    if pair is None:
        return state
    had = list(pair.lots)
    had[held.leg] += more
    return replace(state, pairs=state.pairs | {held.pair: replace(pair, lots=(had[0], had[1]))})


def _of_other_lots(state: TraderState, instrument: str, factor: float) -> TraderState:
    """What is wanted of pairs, and what is known of a lot, after a split."""
    pairs = dict(state.pairs)
    for name, leg in state.config.pairs_of[instrument]:
        if name not in pairs:
            continue
        pair = _wanting(pairs[name], leg, factor)
        if any(pair.lots) or any(pair.goal) or pair.moving:
            pairs[name] = pair
        else:
            del pairs[name]  # less than a lot was held
    rest = tuple(
        (number, name, lots_after(lots, factor) if name == instrument else lots)
        for number, name, lots in state.unmeasured
    )
    return replace(state, pairs=pairs, unmeasured=rest, measured=_measured(state.measured, instrument, factor))


def _wanting(pair: PairState, leg: int, factor: float) -> PairState:
    def after(lots: tuple[int, ...]) -> tuple[int, ...]:
        return *lots[:leg], lots_after(lots[leg], factor), *lots[leg + 1 :]

    targets = {strategy: (*after(target[:2]), target[2]) for strategy, target in pair.targets.items()}
    strategy, before = pair.before
    return replace(
        pair,
        targets=targets,
        wanted=after(pair.wanted),
        start=after(pair.start),
        before=(strategy, (*after(before[:2]), before[2])),
    )


def _measured(measured: Measured, instrument: str, factor: float) -> Measured:
    def of_lot(known: Mapping[str, float], by: float) -> dict[str, float]:
        return dict(known) | ({instrument: known[instrument] * by} if instrument in known else {})

    return replace(
        measured,
        es_per_lot=of_lot(measured.es_per_lot, factor),
        deviation_per_lot=of_lot(measured.deviation_per_lot, factor),
        volume_per_day=of_lot(measured.volume_per_day, 1 / factor),
    )


def _price(state: TraderState, instrument: Instrument, position: Position, action: CorporateAction) -> float:
    """Of a unit after a split and before a dividend of the same time: at the mark, or as it was paid for."""
    mid = mid_of(state, instrument.id)
    paid = abs(position.cost / position.lots) * instrument.tick_size * action.factor
    return mid + action.amount if mid else paid


def _put(state: TraderState, held: _Held, book: Book) -> TraderState:
    return replace(state, books=state.books | {held.strategy: state.books[held.strategy] | {held.pair: book}})


def _booking(
    state: TraderState,
    event: TradingEvent,
    kind: Booked,
    held: _Held,
    lots: int,
    money: float,
    text: str,
    instrument: Instrument,
) -> OrderRequest:
    return booking(state.config, event, kind, instrument, (held.strategy, held.pair, held.leg), lots, 0.0, money, text)
