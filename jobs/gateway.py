"""The gateway's process: `python -m jobs.gateway`. Ends on SIGTERM, and by itself when a newer gateway takes over."""

import argparse
import logging
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from kafka.errors import KafkaError

from infra.settings import SettingsError
from infra.topics import TopicsError
from jobs.session_programs import SessionPlace, log_to_stdout, options, stop_on_signals
from jobs.worked import book_watch, work_rules
from pipelines.contracts.fix_sessions_file import load_fix_sessions
from pipelines.contracts.registry import RegistryError
from pipelines.contracts.secret import NoSecret
from pipelines.contracts.signing import trader_config
from pipelines.contracts.strategy_file import StrategyError, load_strategy
from pipelines.contracts.topics import RECORDS
from pipelines.contracts.trading import EventCodec, OrderCodec
from pipelines.execution.fault_points import FaultPoints
from pipelines.execution.fix.engine import NoEngine, quickfix
from pipelines.execution.gateway import GatewayConfig, GatewayService
from pipelines.execution.journal import Fenced, WriteFailed
from pipelines.execution.session import TakenOver, VenueAddress

EXAMPLE = """example:
  python -m jobs.gateway --strategy strategy.yaml --venue sim=127.0.0.1:17001
  python -m jobs.gateway --strategy strategy.yaml --fix sessions.yaml    # venues by FIX (make fix)
  python -m jobs.gateway --strategy strategy.yaml --fix sessions.yaml --execution execution.yaml

exit status: 0 stopped, 1 failed (start it again), 2 bad arguments or settings,
             3 a newer gateway has taken over (do not start it again)
"""

SWITCH_S = 0.0005
"""For how long a thread may keep the others waiting: an order passes five of them on its way."""

log = logging.getLogger("helios.gateway")


def main() -> int:
    sys.setswitchinterval(SWITCH_S)
    log_to_stdout()
    flags = _parser().parse_args()
    if flags.verbose:
        logging.getLogger("helios").setLevel(logging.DEBUG)
    try:
        service = _service(flags)
    except (SettingsError, StrategyError, TopicsError, RegistryError, NoEngine, NoSecret, ValueError) as error:
        print(f"gateway: {error}", file=sys.stderr)
        return 2
    stop_on_signals(service.stop)
    try:
        service.run(time.time_ns)
    except (Fenced, TakenOver) as error:
        log.error("state=fenced error=%r", str(error))
        return 3
    except (WriteFailed, KafkaError, OSError, RuntimeError) as error:
        log.error("state=failed error=%r", f"{type(error).__name__}: {error}")
        return 1
    log.info("state=stopped")
    return 0


def _parser() -> argparse.ArgumentParser:
    told = "Sends the orders of trading.orders to their venues, each once, and writes back what they say."
    parser = options("gateway", told, EXAMPLE)
    parser.add_argument("--strategy", type=Path, required=True, help="its account's orders are sent")
    parser.add_argument(
        "--venue", action="append", default=[], metavar="NAME=HOST:PORT", help="where a venue listens; once for each"
    )
    parser.add_argument("--fix", type=Path, metavar="FILE", help="venues that are reached by FIX, and their sessions")
    parser.add_argument("--execution", type=Path, metavar="FILE", help="orders that are worked: over venues, in slices")
    parser.add_argument("--group", default="", help="where an account has several gateways: which of them, by a name")
    parser.add_argument("--data", type=Path, help="folder of FIX sessions; default: gateway/ACCOUNT in the home folder")
    parser.add_argument("--verbose", action="store_true", help="a line for each order")
    return parser


def _service(flags: argparse.Namespace) -> GatewayService:
    strategy = load_strategy(flags.strategy)
    addresses = tuple(_address(text) for text in flags.venue)
    fix = load_fix_sessions(flags.fix, datetime.now(UTC).date()) if flags.fix else ()
    if fix:
        quickfix()
        for venue in fix:
            if venue.password is not None:
                venue.password.read()
    names = [*(each.name for each in addresses), *(each.name for each in fix)]
    unknown = [name for name in names if name not in strategy.venue_by_name]
    wanted = ", ".join(strategy.venue_by_name)
    if unknown or not names:
        raise ValueError(f"--venue or --fix: {' '.join(unknown) or 'no venue is given'}: {flags.strategy} has {wanted}")
    if len(set(names)) < len(names):
        raise ValueError(f"--venue and --fix: a venue is given twice: {', '.join(sorted(names))}")
    rules = work_rules(flags.execution, strategy, names)
    place = SessionPlace.of(flags)
    config = GatewayConfig(
        bootstrap=place.bootstrap,
        events_topic=place.topics.events,
        orders_topic=place.topics.orders,
        account=strategy.account,
        session=place.session,
        transactional_id=".".join(filter(None, (f"{flags.prefix}gateway", strategy.account, flags.group))),
        group=flags.group,
        venues=addresses,
        trader=trader_config(strategy, place.session),
        fix=fix,
        faults=FaultPoints(os.environ),
        rules=rules,
        books=book_watch(rules, strategy, place.bootstrap, place.topics.ticks, place.blocks()),
        folder=flags.data or place.settings.home / "gateway" / strategy.account / flags.group,
    )
    return GatewayService(
        config,
        EventCodec(place.ids[RECORDS["trading.events"]], place.registry.schema),
        OrderCodec(place.ids[RECORDS["trading.orders"]], place.registry.schema),
    )


def _address(text: str) -> VenueAddress:
    name, _, place = text.partition("=")
    host, _, port = place.rpartition(":")
    if not (name and host and port.isdigit() and 0 < int(port) < 65_536):
        raise ValueError(f"--venue {text}: NAME=HOST:PORT expected, as in sim=127.0.0.1:17001")
    return VenueAddress(name, host, int(port))


if __name__ == "__main__":
    sys.exit(main())
