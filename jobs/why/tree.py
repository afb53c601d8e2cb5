"""A chain as a tree to read: the order, its checks, what caused it down to the venue's frames, what became of it."""

from collections.abc import Iterator

from rich.markup import escape
from rich.tree import Tree

from jobs.why.chain import Cause, Chain, Crossing, Frame, Tick
from jobs.why.told import clock, fills, text_of, why_no_checks
from pipelines.domain.trading import Command, Decision, Marks, OrderRequest, Report, RiskUpdate, Signal, TradingEvent

FRAME_SHOWN = 100
"""Characters of a frame."""

_ROLES = {"made": "tick", "a": "first leg", "b": "second leg"}


def tree(chain: Chain) -> Tree:
    """The whole of it. Ends with what is not known, and why."""
    top = Tree(f"[bold]{_order(chain.order)}[/]  {clock(chain.order.event_time_ns)}  session {chain.session}")
    for line in _about(chain):
        top.add(line)
    checks = top.add(f"passed {len(chain.order.checks)} checks" if chain.order.checks else _no_checks(chain.order))
    for check in chain.order.checks:
        checks.add(escape(check))
    for notice in chain.notices:
        top.add(f"the account said  {clock(notice.event_time_ns)}  [bold]{escape(notice.reason)}[/]")
    caused = top
    for cause in chain.causes:
        caused = caused.add(f"caused by {_cause(cause)}")
    for crossing in chain.crossings:
        _add_crossing(caused, chain, crossing)
    if chain.order.action == Decision.NEW:
        _add_fate(top, chain)
    if chain.missing:
        lacking = top.add("[yellow]not known[/]")
        for line in chain.missing:
            lacking.add(escape(line))
    return top


def _about(chain: Chain) -> Iterator[str]:
    order = chain.order
    if order.action == Decision.REFUSED:
        yield f"[red]refused[/]  {escape(order.reason)}"
    if order.pair:
        of = f"strategy {escape(order.strategy)}, " if order.strategy else ""
        leg = ("first", "second")[order.leg] if order.leg in (0, 1) else str(order.leg)
        yield f"{of}account {escape(order.account)}, pair {escape(order.pair)}, {leg} leg"
    for each in chain.siblings:
        yield f"with it  {_order(each)}{'  ' + escape(each.reason) if each.reason else ''}"
    for each in chain.cancels:
        yield f"to be canceled by  {each.client_order_id}  {clock(each.event_time_ns)}  {escape(each.reason)}"


def _no_checks(order: OrderRequest) -> str:
    return f"checks: {why_no_checks(order)}"


def _order(order: OrderRequest) -> str:
    if order.action in (Decision.NEW, Decision.REFUSED) and order.instrument:
        what = f"{order.side} {order.quantity} {order.instrument} at {order.venue or 'no venue'}, {order.order_type}"
        return escape(f"{order.client_order_id}  {what}")
    return escape(f"{order.client_order_id}  {order.action} {order.target or order.reason}")


def _cause(cause: Cause) -> str:
    if cause.event is None:
        return escape(cause.event_id)
    return f"{escape(_body(cause.event))}  {clock(cause.event.event_time_ns)}" + (
        f"\nof order {_order(cause.order)}" if cause.order is not None else ""
    )


def _body(event: TradingEvent) -> str:
    match event.body:
        case Signal() as it:
            return (
                f"signal {it.name} {it.version}: {it.action} {it.pair}  z {it.z:+.4f}  beta {it.beta:.6g}"
                f"  mids {it.mid_a:.10g}, {it.mid_b:.10g}  sequences {it.first_sequence}..{it.last_sequence}"
            )
        case Report() as it:
            return f"report {it.exec_id} of {it.venue}: {_report(it)}"
        case Command() as it:
            signed = "signed" if it.signature else "not signed"
            return f"command {it.command} {it.scope} by {it.operator} ({signed}): {it.reason}"
        case Marks() as it:
            return f"marks {it.sequence} of shard {it.shard} ({len(it.instruments)} instruments)"
        case RiskUpdate() as it:
            return f"risk update: var {it.var:.2f}, es {it.es:.2f}, gross {it.gross:.2f}, net {it.net:.2f}"
        case OrderRequest() as it:
            return f"intent of {it.client_order_id}"


def _report(report: Report) -> str:
    words = [report.status.value]
    if report.child:
        words.append(f"child {report.child} at {report.venue} {report.child_status}")
    if report.amends:
        words.append(f"amends {report.amends} ({report.amended_quantity} at {report.amended_price:.10g})")
    if report.last_quantity:
        words.append(f"{report.last_quantity} at {report.last_price:.10g}")
    words.append(f"{report.cumulative_quantity} in all, {report.leaves_quantity} left")
    return ", ".join([*words, report.text] if report.text else words)


def _add_crossing(under: Tree, chain: Chain, crossing: Crossing) -> None:
    frames = {(frame.session, frame.frame): frame for frame in chain.frames}
    branch = under.add(
        f"{crossing.kind} {crossing.sequence}  {clock(crossing.event_time_ns)}  z {crossing.z:+.4f}  spread"
        f" {crossing.spread:.6g}  mean {crossing.mean:.6g}  std {crossing.std:.6g}  mids {crossing.mid_a:.10g},"
        f" {crossing.mid_b:.10g}"
    )
    of = [each for each in chain.ticks if each.crossing == crossing.sequence]
    for tick in dict.fromkeys(each.tick for each in of):
        roles = ", ".join(_ROLES[each.role] for each in of if each.tick == tick)
        branch.add(f"{roles} {_tick(tick)}").add(_frame(frames.get((tick.session, tick.frame))))


def _tick(it: Tick) -> str:
    quote = f"{it.bid:.10g} x {it.ask:.10g}" if it.kind == "quote" else f"{it.kind} at {it.bid:.10g}"
    return (
        f"{escape(it.instrument)}  {quote}  {clock(it.event_ns)}"
        f"  [dim]{escape(it.venue)}/{escape(it.session)}/{it.sequence}[/]"
    )


def _frame(frame: Frame | None) -> str:
    if frame is None:
        return "frame: not looked up"
    if frame.offset is None:
        return f"{frame.topic}  frame {frame.frame} of {escape(frame.session)}"
    place = f"{frame.topic}/{frame.partition}@{frame.offset}[{frame.index}]"
    if frame.payload is None:
        return escape(place)
    text = text_of(frame.payload) or frame.payload.hex()
    return escape(f"{place}  {text[:FRAME_SHOWN]}{'...' if len(text) > FRAME_SHOWN else ''}")


def _add_fate(top: Tree, chain: Chain) -> None:
    filled, average = fills(chain.reports)
    said = f"filled {filled} of {chain.order.quantity}" + (f" at {average:.10g}" if average is not None else "")
    fate = top.add(said if chain.reports else "no word of the venue yet")
    if chain.intent is not None:
        how = chain.intent.body.reason if isinstance(chain.intent.body, OrderRequest) else ""
        worked = f"  worked as {escape(how)}" if chain.children and how else ""
        fate.add(f"intent  {clock(chain.intent.event_time_ns)}{worked}")
    for event in chain.children:
        assert isinstance(event.body, OrderRequest)
        child = fate.add(f"child {_order(event.body)}  {clock(event.event_time_ns)}")
        child.add(escape(event.body.reason))
    for event in chain.reports:
        assert isinstance(event.body, Report)
        fate.add(f"report {escape(event.body.exec_id)}  {clock(event.event_time_ns)}  {escape(_report(event.body))}")
