"""An operator's words to an account: kill, resume, flatten, limit. Each names a scope, and is obeyed or refused with
the reason.

Scopes: the account (or `all`), `strategy:NAME`, `pair:NAME`, `venue:NAME`. A kill of a scope that is none of these
kills the account: to stop more than was meant is the safe mistake.
"""

from dataclasses import replace as replaced

from msgspec.structs import replace

from pipelines.domain.account import COMMANDS_KEPT, Stop, Stops, TraderState
from pipelines.domain.breaches import breaches
from pipelines.domain.checks import Check, reason
from pipelines.domain.limits import LimitError, change
from pipelines.domain.moves import Decided
from pipelines.domain.outputs import drain_mark, notice, refusal
from pipelines.domain.scopes import scope_of
from pipelines.domain.trading import Command, OrderRequest, TradingEvent
from pipelines.domain.watch import called_off

OF_SERVICES = ("drain", "drained", "gateway_started")
"""Words that no person says."""


def obey(state: TraderState, event: TradingEvent, command: Command) -> Decided:
    """The account after a command; one that it has taken does nothing."""
    if event.event_id in state.commands:
        return state, ()
    state = replace(state, commands=(*state.commands[1 - COMMANDS_KEPT :], event.event_id))
    # Commands bear the time of the wall; what they send is of the market's.
    at = replaced(event, event_time_ns=state.marked_ns or event.event_time_ns)
    if command.command not in (*OF_SERVICES, "kill"):
        doubt = state.config.refused(event)
        if doubt:
            return _refused(state, event, Check.NOT_SIGNED, f"{command.command} of {command.scope!r}: {doubt}")
    match command.command:
        case "kill":
            return _kill(state, at, command)
        case "resume":
            return _resume(state, at, command)
        case "flatten":
            return _flatten(state, at, command)
        case "limit":
            return _limit(state, at, command)
        case "drain":
            return state, (drain_mark(state.config, event),)
        case "gateway_started" | "drained":
            return state, ()
    why = f"{command.command!r} of scope {command.scope!r} by {command.operator}"
    return _refused(state, event, Check.UNKNOWN_COMMAND, why)


def _kill(state: TraderState, event: TradingEvent, command: Command) -> Decided:
    scope = scope_of(state.config, command.scope, state.pairs) or state.config.account
    why = f"{command.operator}: {command.reason}"
    if scope == state.config.account:
        state = replace(state, killed=why)
    else:
        state = replace(state, stops=state.stops | {scope: Stop(Stops.KILL, why, event.event_time_ns)})
    state, cancels = called_off(state, event, scope, exits=True)
    return state, (notice(state.config, event, scope, f"killed: {scope} by {why}"), *cancels)


def _resume(state: TraderState, event: TradingEvent, command: Command) -> Decided:
    scope = scope_of(state.config, command.scope, state.pairs)
    if not scope:
        return _refused(state, event, Check.UNKNOWN_COMMAND, f"resume: {command.scope!r} is no {_scopes(state)}")
    whole, stop = scope == state.config.account, state.stops.get(scope)
    if not (stop or (whole and state.killed)):
        return _refused(state, event, Check.OUT_OF_PLACE, f"resume: {scope} is not stopped")
    if not command.operator:
        return _refused(state, event, Check.OUT_OF_PLACE, f"resume: {scope}: it needs the name of a person")
    if stop is not None and stop.limit:
        if stop.kind is Stops.REDUCE and not state.killed:
            why = f"resume: {scope} is being closed: {stop.why}: wait until it is inside its limits, or halted"
            return _refused(state, event, Check.OUT_OF_PLACE, why)
        broken = [str(each) for each in breaches(state)]
        if stop.kind is Stops.HALT and broken:
            why = f"resume: {', '.join(broken)}: change the limit first, or wait until it is not broken"
            return _refused(state, event, Check.OUT_OF_PLACE, why)
    if whole and state.killed and stop is not None and stop.limit and stop.kind is Stops.REDUCE:
        return replace(state, killed=""), (_resumed(state, event, scope, command),)  # the unwinding goes on
    stops = {name: each for name, each in state.stops.items() if name != scope}
    looked_at = state.repeated if whole else {scope.partition("pair:")[2]}
    repeated = {pair: count for pair, count in state.repeated.items() if pair not in looked_at}
    after = replace(state, stops=stops, killed="" if whole else state.killed, repeated=repeated)
    return after, (_resumed(state, event, scope, command),)


def _flatten(state: TraderState, event: TradingEvent, command: Command) -> Decided:
    scope = scope_of(state.config, command.scope, state.pairs)
    if not scope:
        return _refused(state, event, Check.UNKNOWN_COMMAND, f"flatten: {command.scope!r} is no {_scopes(state)}")
    if state.killed or (scope in state.stops and state.stops[scope].kind is Stops.KILL):
        return _refused(state, event, Check.OUT_OF_PLACE, f"flatten: {scope} is killed: resume it first")
    had = state.stops.get(scope)
    why = f"{command.operator}: {command.reason}"
    stop = Stop(Stops.REDUCE, why, event.event_time_ns, had.limit if had else "", True)
    state = replace(state, stops=state.stops | {scope: stop})
    state, cancels = called_off(state, event, scope)
    return state, (notice(state.config, event, scope, f"flattening: {scope} by {why}"), *cancels)


def _limit(state: TraderState, event: TradingEvent, command: Command) -> Decided:
    try:
        state = replace(state, own_limits=change(state.limits, command.scope))
    except LimitError as error:
        return _refused(state, event, Check.BAD_LIMIT, str(error))
    text = f"limit: {command.scope} by {command.operator}: {command.reason}"
    return state, (notice(state.config, event, "limit", text),)


def _resumed(state: TraderState, event: TradingEvent, scope: str, command: Command) -> OrderRequest:
    return notice(state.config, event, scope, f"resumed: {scope} by {command.operator}: {command.reason}")


def _refused(state: TraderState, event: TradingEvent, check: Check, why: str) -> Decided:
    return state, (refusal(state.config, event, "", reason(check, why)),)


def _scopes(state: TraderState) -> str:
    return f"{state.config.account}, all, strategy:NAME, pair:NAME or venue:NAME of this account"
